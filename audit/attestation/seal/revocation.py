"""Lists of revoked certificates: fetched when somebody signs, read again when somebody verifies.

Comes in: certificates with their chains, and lists (CRL, RFC 5280, 5). Goes out: what a later reader needs to validate
a signature after servers are gone, or the certificate that was revoked. Addresses are those in the signer's own
certificates, http and https only; nothing is fetched where no time stamp server is configured.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from audit.errors import ConfigError, TryAgain

from .cms import NO_SIGNATURE

Chain = tuple[x509.Certificate, tuple[x509.Certificate, ...]]
"""A certificate and the certificates that came with it."""
_LARGEST_LIST = 1 << 24
_DER = Encoding.DER
_BLOCK = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ValidationData:
    """What a reader needs to validate later, without a network.

    Parameters
    ----------
    certificates : tuple of cryptography.x509.Certificate
        All certificates of all chains.
    lists : tuple of bytes
        DER of the lists of revoked certificates.
    """

    certificates: tuple[x509.Certificate, ...]
    lists: tuple[bytes, ...]


@dataclass(slots=True)
class RevocationSource:
    """Fetches lists of revoked certificates, each once.

    Parameters
    ----------
    needed : bool
        Whether a level that needs them was ordered; else their absence is worth no word.
    required : bool
        Raise where a server does not answer and they are needed.
    timeout : float
        Seconds to wait for one server.
    notes : list of str
        Why there are no validation data, for the report's reader.
    """

    needed: bool = False
    required: bool = False
    timeout: float = 10.0
    notes: list[str] = field(default_factory=list)
    _fetched: dict[str, bytes | None] = field(default_factory=dict, repr=False)

    def collect(self, chains: Sequence[Chain]) -> ValidationData | None:
        """Return certificates and lists for several chains; None where one cannot be had, and `notes` says why.

        Raises
        ------
        ConfigError
            A certificate of the signer's was revoked.
        TryAgain
            A server did not answer, and the level is required.
        """
        certificates = tuple(dict.fromkeys(one for leaf, chain in chains for one in (leaf, *chain)))
        found: list[bytes] = []
        for leaf, chain in chains:
            for certificate in _path(leaf, chain):
                lists = self._lists_of(certificate)
                if not lists:
                    self._give_up(f"{certificate.issuer.rfc4514_string()[:80]} gives no list of what it revoked")
                    return None
                found.extend(lists)
        self.refuse_revoked(chains[0], found)
        return ValidationData(certificates, tuple(dict.fromkeys(found))) if found else None

    def refuse_revoked(self, chain: Chain, lists: Iterable[bytes] | None = None) -> None:
        """Refuse to sign with a certificate that its authority has revoked.

        Raises
        ------
        ConfigError
            It was revoked; also where a certificate above it was.
        """
        leaf, above = chain
        if lists is None:
            lists = [item for one in _path(leaf, above) for item in self._lists_of(one)]
        if reason := find_revoked(leaf, above, lists, datetime.now(UTC)):
            raise ConfigError(reason, place="signing.certificate", hint="sign with another certificate")

    def _lists_of(self, certificate: x509.Certificate) -> list[bytes]:
        """Return the first list that one of a certificate's addresses gives, as a list of one; or none."""
        for address in list_addresses(certificate):
            if address not in self._fetched:
                self._fetched[address] = self._fetch(address)
            if data := self._fetched[address]:
                return [data]
        return []

    def _fetch(self, address: str) -> bytes | None:
        try:
            with urllib.request.urlopen(address, timeout=self.timeout) as answer:  # noqa: S310 - see list_addresses
                data = answer.read(_LARGEST_LIST)
            loaded = _load_list(data)
        except (OSError, ValueError):
            return None
        until = loaded.next_update_utc
        # A list that has run out says nothing about today.
        return None if until and until < datetime.now(UTC) else loaded.public_bytes(_DER)

    def _give_up(self, why: str) -> None:
        if self.needed:
            text = f"the signature in the PDF holds no validation data: {why}"
            if self.required:
                raise TryAgain(text, hint="try again later, or take out signing.level")
            if text not in self.notes:
                self.notes.append(text)


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
    return tuple(_load_list(match[0]).public_bytes(_DER) for match in _BLOCK.finditer(pem))


def find_revoked(
    certificate: x509.Certificate, others: Sequence[x509.Certificate], lists: Iterable[bytes], moment: datetime
) -> str:
    """Return which certificate of a path was revoked by a moment, in words; an empty text where none was.

    Parameters
    ----------
    certificate : cryptography.x509.Certificate
        The signer's certificate.
    others : sequence of cryptography.x509.Certificate
        Certificates above it, in any order.
    lists : iterable of bytes
        DER of the lists. One that no certificate at hand has signed is not heeded.
    moment : datetime
        When the signature is shown to have existed (aware); what was revoked later held then.
    """
    loaded = [_load_list(data) for data in lists]
    for one in _path(certificate, others):
        for revoked in loaded:
            if revoked.issuer != one.issuer or not _is_signed(revoked, others):
                continue
            entry = revoked.get_revoked_certificate_by_serial_number(one.serial_number)
            if entry is not None and _since(entry) <= moment:
                name = one.subject.rfc4514_string()[:100]
                return f"the certificate of {name} was revoked on {_since(entry):%Y-%m-%d}"
    return ""


def _since(entry: x509.RevokedCertificate) -> datetime:
    """Return since when a certificate is not to be trusted: an authority may date that back (RFC 5280, 5.3.2)."""
    try:
        stated = entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc
    except x509.ExtensionNotFound:
        return entry.revocation_date_utc
    return min(stated, entry.revocation_date_utc)


def _is_signed(revoked: x509.CertificateRevocationList, issuers: Sequence[x509.Certificate]) -> bool:
    for issuer in issuers:
        key = issuer.public_key()
        try:
            if issuer.subject == revoked.issuer and revoked.is_signature_valid(key):  # type: ignore[arg-type]
                return True
        except (TypeError, ValueError):
            continue
    return False


def _path(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return a certificate and those above it up to, without, the one that issued itself."""
    found, here = [], leaf
    while here.issuer != here.subject and here not in found:
        found.append(here)
        above = next((one for one in others if one.subject == here.issuer), None)
        if above is None:
            break
        here = above
    return found


def _load_list(data: bytes) -> x509.CertificateRevocationList:
    try:
        load = x509.load_pem_x509_crl if data.lstrip().startswith(b"-----") else x509.load_der_x509_crl
        loaded = load(data)
        _ = (loaded.issuer, loaded.next_update_utc, loaded.extensions)
    except NO_SIGNATURE as error:
        raise ValueError(f"not a list of revoked certificates: {error}") from None
    return loaded
