"""Who signs: from the order in audit.yaml to a signer.

Comes in: `SigningOrder` (where key, certificate and password are, never the secrets themselves). Goes out: a `Signer`,
or None where nothing is to be signed. `SIGNERS` maps the scheme before the colon to the function that opens such a key;
a new kind of key is one function and one row. Secrets stay inside this file, `references` and `token`: no error, log
or repr shows them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key, pkcs12
from cryptography.x509.oid import NameOID

from audit.config.schema import SigningOrder
from audit.errors import ConfigError, SealError, suggest_name
from audit.evidence.dossier import SignerShown

from .cms import NO_SIGNATURE, certificate_bytes, check_signature, load_certificate, sign_data
from .development import DEVELOPMENT_NAME, development_pem
from .envelope import seal_payload
from .references import read_env, read_file, read_reference
from .revocation_source import RevocationSource
from .timestamp import StampServer
from .token import TokenKey, open_token, read_address

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | TokenKey

_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_SMALLEST_RSA = 2048


class Signer(Protocol):
    """Somebody who can sign; a hardware key is one more class with this face."""

    @property
    def certificate(self) -> x509.Certificate:
        """The signer's certificate."""

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """Certificates above it, nearest first."""

    @property
    def stamps(self) -> StampServer | None:
        """The time stamp server to ask, if any."""

    @property
    def revocation(self) -> RevocationSource | None:
        """Where lists and answers about revoked certificates come from, if they are wanted."""

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature over `data` with SHA-256 (ECDSA as DER, RSA as PKCS 1 v1.5)."""

    def envelop(self, payload_type: str, payload: bytes) -> bytes:
        """Return a signed DSSE envelope around a payload, as canonical JSON."""

    def shown(self) -> SignerShown:
        """Return the signer as a report names it."""


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A signer whose private key is in memory, or at hand on a device.

    Parameters
    ----------
    certificate : cryptography.x509.Certificate
        The signer's certificate.
    chain : tuple of cryptography.x509.Certificate
        Certificates above it, nearest first.
    stamps : StampServer or None
        The time stamp server to ask.
    key : private key
        Never shown.
    revocation : RevocationSource, optional
        Where lists and answers about revoked certificates come from.
    """

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    stamps: StampServer | None
    key: PrivateKey = field(repr=False)
    revocation: RevocationSource | None = None

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature over `data` with SHA-256."""
        if isinstance(self.key, TokenKey):
            return self.key.sign(data)
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))

    def envelop(self, payload_type: str, payload: bytes) -> bytes:
        """Return a signed DSSE envelope around a payload, as canonical JSON."""
        return seal_payload(payload_type, payload, self)

    def shown(self) -> SignerShown:
        """Return the signer as a report names it."""
        return show_certificate(self.certificate)


def signer_for(order: SigningOrder, *, interactive: bool) -> Signer | None:
    """Return who signs, as ordered.

    Parameters
    ----------
    order : SigningOrder
        The `signing` block.
    interactive : bool
        Whether a person sits at a terminal; only then a development key is made unasked.

    Returns
    -------
    Signer or None
        None: nothing is ordered and nobody is there, so the report stays unsigned and says so.

    Raises
    ------
    ConfigError
        A key or certificate that is missing, locked, expired, of a kind that cannot sign a PDF, or a key that is not
        the certificate's; no key, or a development key, where a signature is required.
    TryAgain
        The time stamp server was needed and did not answer (raised while signing, not here).
    """
    if order.key is None and order.certificate is not None:
        raise ConfigError("signing.certificate is given without signing.key", place="signing", hint=_FORMS)
    if order.required and order.key in (None, "development"):
        raise ConfigError(
            "signing is required, and a development key proves no identity",
            place="signing.required",
            hint="give signing.key and signing.certificate, or take out required: true",
        )
    if order.level is not None and order.timestamp is None:
        raise ConfigError(f"{order.level} needs a time stamp, and no server is named", place="signing.timestamp")
    if order.key is None and not interactive:
        return None
    scheme, _, rest = (order.key or "development").partition(":")
    if scheme not in SIGNERS:
        # What stands here may be the key itself, or its password, by mistake; only a misspelt scheme is shown.
        near = suggest_name(scheme, SIGNERS) if len(scheme) <= 20 else ""
        shown = f" called '{scheme}'" if near else ""
        raise ConfigError(f"signing.key: there is no kind of key{shown}", place="signing.key", hint=near or _FORMS)
    return SIGNERS[scheme](order, rest)


def show_certificate(certificate: x509.Certificate) -> SignerShown:
    """Return a certificate's owner as a report names it.

    The name is common name and organisation, with every character that a terminal or a page could act on taken out;
    the fingerprint is the one that ``openssl x509 -fingerprint -sha256`` prints.
    """
    parts = [
        str(attribute.value)
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        for attribute in certificate.subject.get_attributes_for_oid(oid)
    ] or [certificate.subject.rfc4514_string() or "no name"]
    name = "".join(sign if sign.isprintable() and sign not in "`<>" else " " for sign in ", ".join(parts))[:200]
    return SignerShown(
        name=name.strip() or "no name",
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        development=name == DEVELOPMENT_NAME,
    )


def certificates_pem(certificates: tuple[x509.Certificate, ...]) -> bytes:
    """Return certificates as PEM, in the order given."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def public_key_pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate's public key as PEM."""
    return certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def notes_of(signer: Signer | None) -> tuple[str, ...]:
    """Return what a person should hear about servers that did not give what they were asked for."""
    sources = (signer.stamps, signer.revocation) if signer else ()
    return tuple(note for source in sources if source for note in source.notes)


def _open_development(order: SigningOrder, rest: str) -> Signer:
    if rest or order.certificate:
        raise ConfigError("a development key has no path and no certificate of its own", place="signing", hint=_FORMS)
    return _open_pem(development_pem(), None, order)


def _open_file(order: SigningOrder, rest: str) -> Signer:
    return _open_bytes(read_file(rest, "signing.key"), order)


def _open_env(order: SigningOrder, rest: str) -> Signer:
    data = read_env(rest, "signing.key")
    if not data.lstrip().startswith(b"-----"):
        try:  # a PKCS #12 file is not text, and comes as base64
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except binascii.Error:
            raise ConfigError("signing.key is no key", place="signing.key", hint=_KINDS) from None
    return _open_bytes(data, order)


def _open_device(order: SigningOrder, rest: str) -> Signer:
    address = read_address(rest)
    pin = _read_secret(order)
    if pin is None and address.pin_source:
        pin = read_reference(address.pin_source, "signing.key").rstrip(b"\r\n")
    key = open_token(address, pin.decode(errors="replace") if pin is not None else None)
    if order.certificate:
        leaf, chain = _load_certificates(read_reference(order.certificate, "signing.certificate"))
    elif key.certificate:
        leaf, chain = load_certificate(key.certificate), ()
    else:
        raise ConfigError("there is no certificate beside the key on its device", place="signing.certificate")
    return _bind(key, leaf, chain, order)


def _open_bytes(data: bytes, order: SigningOrder) -> Signer:
    secret = _read_secret(order)
    if data.lstrip().startswith(b"-----"):
        return _open_pem(data, secret, order)
    try:
        held = pkcs12.load_pkcs12(data, secret)
    except ValueError:
        what = (
            "cannot be opened: wrong password, or a damaged file" if secret else "is no key, or needs signing.password"
        )
        raise ConfigError(f"signing.key {what}", place="signing.key", hint=_KINDS) from None
    except UnsupportedAlgorithm:
        raise _unaccepted() from None
    if held.key is None:
        raise ConfigError("signing.key holds no private key", place="signing.key", hint=_KINDS)
    if order.certificate:
        leaf, chain = _load_certificates(read_reference(order.certificate, "signing.certificate"))
    elif held.cert is not None:
        leaf = load_certificate(certificate_bytes(held.cert.certificate))
        chain = _climb(leaf, [one.certificate for one in held.additional_certs])
    else:
        raise ConfigError("there is no certificate for signing.key", place="signing.certificate")
    return _bind(_accept_key(held.key), leaf, chain, order)


def _open_pem(pem: bytes, secret: bytes | None, order: SigningOrder) -> Signer:
    key = _accept_key(_load_key(pem, secret))
    beside = read_reference(order.certificate, "signing.certificate") if order.certificate else b""
    return _bind(key, *_load_certificates(beside or pem), order)


SIGNERS: dict[str, Callable[[SigningOrder, str], Signer]] = {
    "development": _open_development,
    "file": _open_file,
    "env": _open_env,
    "pkcs11": _open_device,
}
"""Scheme of ``signing.key`` to what opens it."""

_FORMS = "write signing.key as file:PATH, env:NAME, pkcs11:... or development"
_KINDS = "it must be a PEM private key (PKCS 8) or a PKCS 12 file; in a variable, the latter as base64"


def _bind(
    key: PrivateKey, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...], order: SigningOrder
) -> Signer:
    """Return a signer whose key is its certificate's, and whose certificate may be used today."""
    _check_dates(certificate, datetime.now(UTC))
    stamps = StampServer(order.timestamp, required=order.required) if order.timestamp else None
    wanted = order.level in ("B-LT", "B-LTA")
    revocation = RevocationSource(needed=wanted, required=wanted and order.required) if stamps else None
    signer = KeySigner(certificate, chain, stamps, key, revocation)
    _check_pair(signer)
    if revocation:
        revocation.refuse_revoked((certificate, chain))
    return signer


def _check_pair(signer: KeySigner) -> None:
    """Refuse a key that is not the certificate's; one on a device is asked for a signature, it shows nothing else."""
    if isinstance(signer.key, TokenKey):
        probe = b"glassbox-audit: is this the key of this certificate?"
        try:
            check_signature(signer.certificate, sign_data(signer, probe), probe)
            return
        except (SealError, ValueError):
            pass
    else:
        spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if signer.key.public_key().public_bytes(*spki) == signer.certificate.public_key().public_bytes(*spki):
            return
    raise ConfigError("signing.key is not the key of the first certificate", place="signing.certificate")


def _climb(leaf: x509.Certificate, others: list[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return, of certificates in any order, those above one, nearest first."""
    chain: list[x509.Certificate] = []
    here = leaf
    while above := [one for one in others if one.subject == here.issuer and one not in (leaf, *chain)]:
        here = load_certificate(certificate_bytes(above[0]))
        chain.append(here)
    return tuple(chain)


def _load_key(pem: bytes, password: bytes | None) -> object:
    try:
        return load_pem_private_key(pem, password)
    except TypeError:
        if password is None:
            raise ConfigError(
                "signing.key is encrypted", place="signing.password", hint="give signing.password as env:NAME"
            ) from None
        raise ConfigError(
            "signing.password is given, and signing.key is not encrypted", place="signing.password"
        ) from None
    except ValueError:
        what = "cannot be opened: wrong password, or a damaged file" if password else "is no key"
        raise ConfigError(f"signing.key {what}", place="signing.key", hint=_KINDS) from None
    except UnsupportedAlgorithm:
        raise _unaccepted() from None


def _accept_key(key: object) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        raise ConfigError(
            "signing.key is an Ed25519 or Ed448 key, and PDF readers call such a signature damaged",
            place="signing.key",
            hint="use a P-256 key: openssl ecparam -name prime256v1 -genkey -noout -out key.pem",
        )
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return key
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SMALLEST_RSA:
        return key
    raise _unaccepted()


def _unaccepted() -> ConfigError:
    hint = f"use P-256, P-384, P-521, or RSA of at least {_SMALLEST_RSA} bits"
    return ConfigError("signing.key is of a kind that is not accepted", place="signing.key", hint=hint)


def _load_certificates(pem: bytes) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """Return the signer's certificate and its chain, as far as one certificate issued the one before."""
    if b"-----BEGIN CERTIFICATE-----" not in pem:
        raise ConfigError(
            "there is no certificate for signing.key", place="signing.certificate", hint="give one as file:PATH (PEM)"
        )
    try:
        found = x509.load_pem_x509_certificates(pem)
        leaf, *chain = (load_certificate(certificate_bytes(one)) for one in found)
    except NO_SIGNATURE as error:
        raise ConfigError(f"signing.certificate cannot be read: {error}", place="signing.certificate") from None
    try:
        for one, above in pairwise((leaf, *chain)):
            one.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        raise ConfigError(
            "the certificates of signing.certificate are not one chain",
            place="signing.certificate",
            hint="the signer's first, then the one that issued it, and so on",
        ) from None
    return leaf, tuple(chain)


def _check_dates(certificate: x509.Certificate, now: datetime) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        raise ConfigError(f"the certificate ran out on {end:%Y-%m-%d}", place="signing.certificate", hint="renew it")
    if now < start:
        raise ConfigError(f"the certificate is not valid before {start:%Y-%m-%d}", place="signing.certificate")


def _read_secret(order: SigningOrder) -> bytes | None:
    """Return the password that ``env:`` or ``file:`` points to; a text without either is the password itself."""
    if order.password is None:
        return None
    secret = order.password.get_secret_value()
    if secret.startswith(("env:", "file:")):
        return read_reference(secret, "signing.password").rstrip(b"\r\n")
    return secret.encode()
