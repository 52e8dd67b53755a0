"""OCSP (RFC 6960): a responder asked whether a certificate was revoked, and its answers judged, at once or years later.

Comes in: a certificate and the one that issued it, and answers (DER). Goes out: an answer that holds, or what each
answer is worth: one speaks only for the certificate that it names, only where its issuer signed it, or somebody to
whom that issuer gave the right to (4.2.2.2), and only for the time for which it was given.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from audit.errors import SealError

from .cms import NO_SIGNATURE, certificate_bytes, load_certificate
from .fetch import fetch
from .timestamp import check_foreign_signature

AnswerWord = Literal["revoked", "good", "unknown", "forged", "outdated", "none"]
_RANK: tuple[AnswerWord, ...] = ("revoked", "good", "unknown", "forged", "outdated", "none")
"""Of several answers about one certificate the first of these counts: a revocation is for ever, and a stranger's answer
takes nothing away from a true one."""
_LARGEST_ANSWER = 1 << 20
_SKEW = timedelta(minutes=5)
"""How far the clocks of responders, time stamp authorities and readers may be apart."""
_FRESH = timedelta(hours=1)
"""How long an answer speaks that does not say how long: a newer one was to be had at any time (RFC 6960, 4.2.2.1)."""
_NO_ANSWER = (*NO_SIGNATURE, InvalidSignature, x509.ExtensionNotFound, SealError)


class OcspAnswer(NamedTuple):
    """What one answer, or the best of several, says about a certificate.

    Parameters
    ----------
    word : str
        ``revoked``, ``good``, ``unknown`` (its responder has never heard of it), ``forged`` (somebody signed it who
        cannot speak for its issuer), ``outdated`` (it was given for another time), ``none`` (it is about another).
    since : datetime or None
        Since when it is revoked.
    responder : cryptography.x509.Certificate or None
        Who signed the answer.
    """

    word: AnswerWord
    since: datetime | None = None
    responder: x509.Certificate | None = None


def responder_addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the http and https addresses of the responders that a certificate names."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ()
    places = [one.access_location for one in access if one.access_method == AuthorityInformationAccessOID.OCSP]
    found = [place.value for place in places if isinstance(place, x509.UniformResourceIdentifier)]
    return tuple(address for address in found if urlsplit(address).scheme in ("http", "https"))


def ask_responder(address: str, certificate: x509.Certificate, issuer: x509.Certificate, *, timeout: float) -> bytes:
    """Ask whether a certificate was revoked.

    Parameters
    ----------
    address : str
        One of `responder_addresses`.
    certificate, issuer : cryptography.x509.Certificate
        Who is asked about, and who issued that.
    timeout : float
        Seconds after which the whole request is given up.

    Returns
    -------
    bytes
        DER of an answer that holds now: good, or revoked.

    Raises
    ------
    SealError
        The answer is none, is not to this question, or is worth nothing.
    OSError
        The responder does not answer.
    """
    nonce = secrets.token_bytes(32)
    # SHA-1 names the issuer in a way that every responder knows (RFC 5019, 2.1.1); nothing rests on its strength.
    question = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303
    data = question.add_extension(x509.OCSPNonce(nonce), critical=False).build().public_bytes(Encoding.DER)
    headers = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}
    answer = fetch(address, timeout=timeout, largest=_LARGEST_ANSWER, data=data, headers=headers)
    _check_nonce(answer, nonce)
    now = datetime.now(UTC)
    word = judge_answer(answer, certificate, [issuer], now, now=now).word
    if word not in ("good", "revoked"):
        raise SealError(_WORTHLESS[word])
    return answer


_WORTHLESS = {
    "unknown": "it does not know the certificate",
    "forged": "its answer was signed by somebody who cannot speak for the certificate's issuer",
    "outdated": "its answer is not of today",
    "none": "its answer is about something else",
}


def best_answer(judged: Iterable[OcspAnswer]) -> OcspAnswer:
    """Return the one of several answers about a certificate that counts."""
    return min(judged, key=lambda one: _RANK.index(one.word), default=OcspAnswer("none"))


def judge_answer(
    answer: bytes,
    certificate: x509.Certificate,
    issuers: Sequence[x509.Certificate],
    moment: datetime,
    *,
    now: datetime | None = None,
) -> OcspAnswer:
    """Return what an answer says about a certificate at a moment.

    Parameters
    ----------
    answer : bytes
        DER of an OCSPResponse.
    certificate : cryptography.x509.Certificate
        About whom.
    issuers : sequence of cryptography.x509.Certificate
        Who issued it: certificates whose key has signed it.
    moment : datetime
        When the signature is shown to have existed (aware); what was revoked later held then.
    now : datetime, optional
        An answer from after this is none; default the clock.
    """
    now = now or datetime.now(UTC)
    found = []
    try:
        response = ocsp.load_der_ocsp_response(answer)
        for issuer in issuers:
            for single in response.responses:
                if _is_about(single, certificate, issuer):
                    found.append(_judge(response, single, issuer, moment, now))
    except _NO_ANSWER:
        return OcspAnswer("none")
    return best_answer(found)


def _judge(response: Any, single: Any, issuer: x509.Certificate, moment: datetime, now: datetime) -> OcspAnswer:
    responder = find_responder(response, issuer)
    if responder is None:
        return OcspAnswer("forged")
    if single.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        since = _since(response, single)
        if since <= moment:
            return OcspAnswer("revoked", since, responder)
    first, until = single.this_update_utc, single.next_update_utc or single.this_update_utc + _FRESH
    if not first <= max(now, moment) + _SKEW or moment - _SKEW > until or until < first:
        return OcspAnswer("outdated", None, responder)
    unknown = single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN
    return OcspAnswer("unknown" if unknown else "good", None, responder)


def _since(response: Any, single: Any) -> datetime:
    """Return since when a certificate is not to be trusted; an authority may date that back (RFC 6960, 4.4.5)."""
    stated: datetime = single.revocation_time_utc
    try:
        dated: datetime = response.single_extensions.get_extension_for_class(
            x509.InvalidityDate
        ).value.invalidity_date_utc
    except (x509.ExtensionNotFound, ValueError):
        return stated
    return min(stated, dated)


def find_responder(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> x509.Certificate | None:
    """Return who signed an answer, of those who may speak for an issuer: itself, or to whom it gave the right.

    Parameters
    ----------
    response : cryptography.x509.ocsp.OCSPResponse
        A successful one.
    issuer : cryptography.x509.Certificate
        Who issued the certificate that the answer is about.
    """
    data = response.public_bytes(Encoding.DER)
    for one in (issuer, *_delegates(response, issuer)):
        if _is_named(response, one) and _is_signed_by(data, response, one):
            return one
    return None


def _delegates(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> Iterator[x509.Certificate]:
    """Yield certificates of an answer to which the issuer itself gave the right to answer, valid when it was made."""
    for held in response.certificates:
        try:
            one = load_certificate(certificate_bytes(held))
            one.verify_directly_issued_by(issuer)
            usage = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except _NO_ANSWER:
            continue
        timely = one.not_valid_before_utc <= response.produced_at_utc <= one.not_valid_after_utc
        if ExtendedKeyUsageOID.OCSP_SIGNING in usage and timely:
            yield one


def _is_named(response: ocsp.OCSPResponse, one: x509.Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == one.subject
    return response.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(one.public_key()).digest


def _is_signed_by(data: bytes, response: ocsp.OCSPResponse, one: x509.Certificate) -> bool:
    basic = asn1_ocsp.OCSPResponse.load(data)["response_bytes"]["response"].parsed
    algorithm = basic["signature_algorithm"]
    digest = str(algorithm["algorithm"].native).partition("_")[0]
    try:
        if algorithm.signature_algo == "rsassa_pss":
            digest = str(algorithm["parameters"]["hash_algorithm"]["algorithm"].native)
        check_foreign_signature(one, algorithm, response.signature, response.tbs_response_bytes, digest)
    except _NO_ANSWER:
        return False
    return True


def _is_about(single: Any, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if single.serial_number != certificate.serial_number:
        return False
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, single.hash_algorithm).build()
    names = (single.issuer_name_hash, single.issuer_key_hash)
    return bool(names == (asked.issuer_name_hash, asked.issuer_key_hash))


def _check_nonce(answer: bytes, nonce: bytes) -> None:
    """Refuse an answer to another question; many responders answer all alike, without a nonce (RFC 5019, 4)."""
    try:
        response = ocsp.load_der_ocsp_response(answer)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise SealError(f"it answered {response.response_status.name.lower().replace('_', ' ')}")
        found = response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return
    except NO_SIGNATURE:
        raise SealError("what it sent is no answer") from None
    if found != nonce:
        raise SealError("its answer is to another question")
