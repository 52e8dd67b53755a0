"""What authorities say about certificates that they revoked: lists (CRL) and OCSP answers, read and judged.

Comes in: certificates, and lists (RFC 5280, 5) and answers (RFC 6960) about them. Goes out: the certificate that was
revoked, in words, or whether every certificate of a path is spoken for. Nothing is fetched here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from .cms import NO_SIGNATURE
from .ocsp import OcspAnswer, best_answer, judge_answer

_DER = Encoding.DER
_BLOCK = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Revocations:
    """What is said about revoked certificates.

    Parameters
    ----------
    lists : tuple of bytes
        DER of lists of revoked certificates.
    answers : tuple of bytes
        DER of OCSP answers.
    """

    lists: tuple[bytes, ...] = ()
    answers: tuple[bytes, ...] = ()

    def __add__(self, other: Revocations) -> Revocations:
        """Return all that both say, each once."""
        lists, answers = dict.fromkeys((*self.lists, *other.lists)), dict.fromkeys((*self.answers, *other.answers))
        return Revocations(tuple(lists), tuple(answers))

    def __bool__(self) -> bool:
        """Whether anything is said."""
        return bool(self.lists or self.answers)


NOTHING_SAID = Revocations()


def list_addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the http and https addresses at which a certificate's authority lists the revoked ones."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return ()
    names = [
        name for point in points for name in point.full_name or () if isinstance(name, x509.UniformResourceIdentifier)
    ]
    return tuple(name.value for name in names if urlsplit(name.value).scheme in ("http", "https"))


def read_lists(pem: bytes) -> tuple[bytes, ...]:
    """Return the lists of revoked certificates (DER) in a PEM text that may hold other things as well.

    Raises
    ------
    ValueError
        A block is not what it says it is.
    """
    return tuple(load_list(match[0]).public_bytes(_DER) for match in _BLOCK.finditer(pem))


def find_revoked(
    certificate: x509.Certificate, others: Sequence[x509.Certificate], said: Revocations, moment: datetime
) -> str:
    """Return which certificate of a path is not to be trusted at a moment, in words; an empty text where all are.

    Parameters
    ----------
    certificate : cryptography.x509.Certificate
        The signer's certificate.
    others : sequence of cryptography.x509.Certificate
        Certificates above it, in any order.
    said : Revocations
        Lists and answers. A list that the certificate's issuer has not signed is not heeded; an answer in its name
        that it has not signed is a reason for doubt, unless a true one stands beside it.
    moment : datetime
        When the signature is shown to have existed (aware); what was revoked later held then.
    """
    for one in path_above(certificate, others):
        name, issuers = one.subject.rfc4514_string()[:100], issuers_of(one, others)
        if since := _listed_since(one, issuers, said.lists, moment):
            return f"the certificate of {name} was revoked on {since:%Y-%m-%d}"
        answer = _answer_about(one, issuers, said, moment)
        if answer.word == "revoked" and answer.since:
            return f"the certificate of {name} was revoked on {answer.since:%Y-%m-%d}"
        if answer.word == "unknown":
            return f"the authority of {name} says that it does not know this certificate"
        if answer.word == "forged":
            return f"an answer that {name} was not revoked is signed by somebody who cannot speak for its authority"
    return ""


def find_uncovered(
    certificate: x509.Certificate, others: Sequence[x509.Certificate], said: Revocations, moment: datetime
) -> x509.Certificate | None:
    """Return the first certificate of a path about which nothing that counts is said; None where all are spoken for.

    Parameters
    ----------
    certificate, others, said, moment
        As for `find_revoked`.

    Notes
    -----
    An issuer that is not at hand cannot be asked for its key; its list counts by name there, and no OCSP answer does.
    """
    path = path_above(certificate, others)
    return next((one for one in path if not _is_covered(one, issuers_of(one, others), said, moment)), None)


def _is_covered(
    certificate: x509.Certificate, issuers: Sequence[x509.Certificate], said: Revocations, moment: datetime
) -> bool:
    for found in _lists_of(certificate, issuers, said.lists):
        until = found.next_update_utc
        if until is None or until >= moment:
            return True
    return _answer_about(certificate, issuers, said, moment).word in ("good", "revoked")


def _answer_about(
    certificate: x509.Certificate, issuers: Sequence[x509.Certificate], said: Revocations, moment: datetime
) -> OcspAnswer:
    """Return the best answer about a certificate, those not heeded whose responder was itself revoked."""
    judged = [judge_answer(answer, certificate, issuers, moment) for answer in said.answers]
    return best_answer(
        one for one in judged if not (one.responder and _listed_since(one.responder, issuers, said.lists, moment))
    )


def _listed_since(
    certificate: x509.Certificate, issuers: Sequence[x509.Certificate], lists: Iterable[bytes], moment: datetime
) -> datetime | None:
    """Return since when a certificate is not to be trusted, where a list of its issuer says so of that moment."""
    for found in _lists_of(certificate, issuers, lists) if issuers else ():
        entry = found.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is not None and _since(entry) <= moment:
            return _since(entry)
    return None


def _lists_of(
    certificate: x509.Certificate, issuers: Sequence[x509.Certificate], lists: Iterable[bytes]
) -> Iterator[x509.CertificateRevocationList]:
    """Yield the lists of a certificate's issuer, signed by it where it is at hand."""
    for data in lists:
        try:
            found = load_list(data)
        except ValueError:
            continue
        if found.issuer == certificate.issuer and (not issuers or any(_is_signed(found, one) for one in issuers)):
            yield found


def _since(entry: x509.RevokedCertificate) -> datetime:
    """Return since when a certificate is not to be trusted: an authority may date that back (RFC 5280, 5.3.2)."""
    try:
        stated = entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc
    except x509.ExtensionNotFound:
        return entry.revocation_date_utc
    return min(stated, entry.revocation_date_utc)


def _is_signed(revoked: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return revoked.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def issuers_of(certificate: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return those of other certificates whose key has signed a certificate; a name alone makes nobody its issuer."""
    found = []
    for one in dict.fromkeys(others):
        try:
            certificate.verify_directly_issued_by(one)
        except (ValueError, TypeError, InvalidSignature):
            continue
        found.append(one)
    return tuple(found)


def path_above(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return a certificate and those above it up to, without, the one that issued itself."""
    found, here = [], leaf
    while here.issuer != here.subject and here not in found:
        found.append(here)
        above = issuers_of(here, others)
        if not above:
            break
        here = above[0]
    return found


def load_list(data: bytes) -> x509.CertificateRevocationList:
    """Return a list of revoked certificates (PEM or DER).

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        load = x509.load_pem_x509_crl if data.lstrip().startswith(b"-----") else x509.load_der_x509_crl
        loaded = load(data)
        _ = (loaded.issuer, loaded.next_update_utc, loaded.extensions)
    except NO_SIGNATURE as error:
        raise ValueError(f"not a list of revoked certificates: {error}") from None
    return loaded
