"""Detached CMS signatures (RFC 5652, CAdES-BES attributes), written in one canonical form and accepted in no other.

Comes in: a signer and the SHA-256 digest of some bytes, or a signature and that digest. Goes out: DER bytes that
``openssl cms -verify`` and PDF readers accept, or who signed. CMS leaves parts of a signature uncovered, so that a
changed byte there would pass. Here it cannot: a check writes the signature again with the same encoder and refuses it
unless every byte is equal; every certificate is bound by the attribute signing-certificate-v2 (RFC 5035).
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from asn1crypto import cms as asn1_cms
from asn1crypto import core as asn1
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from audit.errors import SealError

OID_DATA = "1.2.840.113549.1.7.1"
OID_SIGNED_DATA = "1.2.840.113549.1.7.2"
OID_CONTENT_TYPE = "1.2.840.113549.1.9.3"
OID_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
OID_SIGNING_TIME = "1.2.840.113549.1.9.5"
OID_SIGNATURE_STAMP = "1.2.840.113549.1.9.16.2.14"
OID_CONTENT_STAMP = "1.2.840.113549.1.9.16.2.20"
OID_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"
OID_SHA256 = "2.16.840.1.101.3.4.2.1"
OID_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
OID_RSA_SHA256 = "1.2.840.113549.1.1.11"

_SEQUENCE, _SET, _OCTETS = 0x30, 0x31, 0x04
_ONE = b"\x02\x01\x01"
NO_SIGNATURE = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, UnsupportedAlgorithm,
    x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
)  # fmt: skip
"""What reading bytes that are no signature may raise."""
_ORDERS = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    "secp521r1": 2**521 - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
}
"""Order of each accepted curve (FIPS 186-5, SP 800-186)."""
_LARGEST = 1 << 20
"""No signature of this tool is longer (bytes)."""


class CmsSigner(Protocol):
    """What a detached signature needs of a signer."""

    @property
    def certificate(self) -> x509.Certificate:
        """The signer's certificate."""

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """Certificates above it, nearest first."""

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature over `data` with SHA-256."""


@dataclass(frozen=True, slots=True)
class CmsSignature:
    """A detached signature that holds.

    Parameters
    ----------
    certificate : cryptography.x509.Certificate
        The signer's certificate.
    chain : tuple of cryptography.x509.Certificate
        The other certificates in the signature, nearest issuer first.
    moment : datetime or None
        The time of signing as the signer states it.
    signature : bytes
        The raw signature value.
    content_stamp : bytes or None
        DER of an RFC 3161 token over the content, bound by the signature.
    signature_stamp : bytes or None
        DER of an RFC 3161 token over the signature value.
    """

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    moment: datetime | None
    signature: bytes
    content_stamp: bytes | None = None
    signature_stamp: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Parts:
    """The only parts of a signature that vary."""

    certificates: tuple[bytes, ...]
    """DER, signer first."""
    attributes: bytes
    """Signed attributes, as the contents of a SET."""
    signature: bytes
    unsigned: bytes
    """Unsigned attributes, as the contents of a SET; empty where there are none."""


def der(tag: int, *contents: bytes) -> bytes:
    r"""Return one DER value.

    Parameters
    ----------
    tag : int
        Identifier octet.
    *contents : bytes
        Encoded contents, joined.

    Examples
    --------
    >>> der(0x30, b"\x02\x01\x01").hex()
    '3003020101'
    """
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def certificate_bytes(certificate: x509.Certificate) -> bytes:
    """Return the DER bytes of a certificate."""
    return certificate.public_bytes(Encoding.DER)


def load_certificate(data: bytes) -> x509.Certificate:
    """Return a certificate all of whose parts that are used here can be read; the library itself reads them late.

    Raises
    ------
    ValueError
        One cannot; other errors of `NO_SIGNATURE` are possible.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            certificate = x509.load_der_x509_certificate(data)
            certificate.public_key()
            _ = (certificate.subject, certificate.issuer, certificate.extensions, certificate.serial_number)
            _ = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
        except Warning as warning:
            raise ValueError(f"a certificate that breaks RFC 5280: {warning}") from None
    return certificate


def sign_digest(
    digest: bytes,
    signer: CmsSigner,
    *,
    moment: datetime | None = None,
    content_stamp: bytes | None = None,
    stamp_signature: Any = None,
) -> bytes:
    """Sign a SHA-256 digest.

    Parameters
    ----------
    digest : bytes
        SHA-256 of the content, 32 bytes.
    signer : CmsSigner
        Who signs.
    moment : datetime, optional
        Time of signing to state (aware). PDF signatures state it in the signature dictionary instead, because PAdES
        (ETSI EN 319 142-1, 5.3) forbids the attribute.
    content_stamp : bytes, optional
        DER of an RFC 3161 token over `digest`, to be bound by the signature (ETSI EN 319 122-1, 5.2.8).
    stamp_signature : callable, optional
        Takes the SHA-256 of the signature value, returns the DER of an RFC 3161 token or None.

    Returns
    -------
    bytes
        DER of a ContentInfo with one SignerInfo.
    """
    certificates = tuple(map(certificate_bytes, (signer.certificate, *signer.chain)))
    attributes = [
        _attribute(OID_CONTENT_TYPE, _oid(OID_DATA)),
        _attribute(OID_MESSAGE_DIGEST, der(_OCTETS, digest)),
        _attribute(OID_SIGNING_CERTIFICATE, _signing_certificate(certificates)),
    ]
    if moment is not None:
        second = moment.astimezone(UTC).replace(microsecond=0)
        attributes.append(_attribute(OID_SIGNING_TIME, asn1_cms.Time({"utc_time": second}).dump()))
    if content_stamp is not None:
        attributes.append(_attribute(OID_CONTENT_STAMP, content_stamp))
    contents = b"".join(sorted(attributes))
    signature = sign_data(signer, der(_SET, contents))
    token = stamp_signature(hashlib.sha256(signature).digest()) if stamp_signature else None
    unsigned = _attribute(OID_SIGNATURE_STAMP, token) if token else b""
    return _write(_Parts(certificates, contents, signature, unsigned))


def check_digest(signed: bytes, digest: bytes) -> CmsSignature:
    """Check a detached signature that this tool wrote.

    Parameters
    ----------
    signed : bytes
        DER of the signature.
    digest : bytes
        SHA-256 of the content it must cover.

    Returns
    -------
    CmsSignature
        Who signed. Whether to trust them, and the time stamps, are other questions.

    Raises
    ------
    SealError
        The signature does not hold, or a byte of it differs from the one canonical form.
    """
    try:
        return _check_parts(_take_apart(signed), digest)
    except NO_SIGNATURE as error:
        raise SealError(f"the signature cannot be read: {str(error)[:120]}") from None


def _check_parts(parts: _Parts, digest: bytes) -> CmsSignature:
    leaf, *chain = (load_certificate(item) for item in parts.certificates)
    check_signature(leaf, parts.signature, der(_SET, parts.attributes))
    found = _read_attributes(parts.attributes)
    if found.get(OID_MESSAGE_DIGEST) != der(_OCTETS, digest):
        raise SealError("the signature was made over other content")
    if found.get(OID_CONTENT_TYPE) != _oid(OID_DATA):
        raise SealError("the signature is about another kind of content")
    if found.get(OID_SIGNING_CERTIFICATE) != _signing_certificate(parts.certificates):
        raise SealError("the signature does not name the certificates that come with it")
    stated = found.get(OID_SIGNING_TIME)
    moment = asn1_cms.Time.load(stated).native if stated else None
    token = _read_attributes(parts.unsigned).get(OID_SIGNATURE_STAMP) if parts.unsigned else None
    return CmsSignature(leaf, tuple(chain), moment, parts.signature, found.get(OID_CONTENT_STAMP), token)


def sign_data(signer: CmsSigner, data: bytes) -> bytes:
    """Return the one raw signature over `data` with SHA-256 that a check accepts.

    Notes
    -----
    Where (r, s) is an ECDSA signature, (r, n - s) is one too; of the two the smaller s is taken, as in BIP 146, so that
    nobody can make another file of a signed one.
    """
    signature, key = signer.sign(data), signer.certificate.public_key()
    return _lower(signature, key) if isinstance(key, ec.EllipticCurvePublicKey) else signature


def _lower(signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    order = _ORDERS.get(key.curve.name)
    if order is None:
        raise SealError("the signature was made with a kind of key that is not accepted here")
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, order - s))


def check_signature(certificate: x509.Certificate, signature: bytes, data: bytes) -> None:
    """Check a raw signature with SHA-256 over `data`.

    Raises
    ------
    SealError
        It does not hold, or the key is of a kind that is not accepted.
    """
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            if _lower(signature, key) != signature:
                raise SealError("the signature is not in the form in which it was written: it was changed")
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise SealError("the signature was made with a kind of key that is not accepted here")
    except (InvalidSignature, ValueError):
        raise SealError("the signature does not hold: content, signature or certificate was changed") from None


def _take_apart(signed: bytes) -> _Parts:
    """Return the varying parts of a signature whose every other byte is as it must be."""
    if not signed or len(signed) > _LARGEST:
        raise SealError("this is not a signature")
    data = asn1_cms.ContentInfo.load(signed, strict=True)["content"]
    info = data["signer_infos"][0]
    certificates = [choice.chosen.dump() for choice in data["certificates"]]
    parts = _Parts(
        certificates=_in_order(certificates, info["sid"].chosen.dump()),
        attributes=info["signed_attrs"].contents,
        signature=info["signature"].native,
        unsigned=info["unsigned_attrs"].contents or b"",
    )
    if _write(parts) != signed:
        raise SealError("the signature is not in the form in which it was written: it was changed")
    return parts


def _in_order(certificates: list[bytes], sid: bytes) -> tuple[bytes, ...]:
    """Return the certificates from the signer's upwards; the set in a signature has no order of its own."""
    left = {item: asn1_x509.Certificate.load(item) for item in certificates}
    first = next((item for item in left if _issuer_and_serial(item) == sid), None)
    if first is None:
        raise SealError("the signer's certificate is not in the signature")
    found, here = [first], left.pop(first)
    while left:
        above = next((item for item, one in left.items() if one.subject.dump() == here.issuer.dump()), None)
        if above is None:
            raise SealError("the certificates in the signature are not one chain")
        found.append(above)
        here = left.pop(above)
    return tuple(found)


def _write(parts: _Parts) -> bytes:
    """Return the one encoding of a signature."""
    digest_algorithm = der(_SEQUENCE, _oid(OID_SHA256))
    info = der(
        _SEQUENCE,
        _ONE,
        _issuer_and_serial(parts.certificates[0]),
        digest_algorithm,
        der(0xA0, parts.attributes),
        _signature_algorithm(parts.certificates[0]),
        der(_OCTETS, parts.signature),
        der(0xA1, parts.unsigned) if parts.unsigned else b"",
    )
    data = der(
        _SEQUENCE,
        _ONE,
        der(_SET, digest_algorithm),
        der(_SEQUENCE, _oid(OID_DATA)),
        der(0xA0, *sorted(parts.certificates)),
        der(_SET, info),
    )
    return der(_SEQUENCE, _oid(OID_SIGNED_DATA), der(0xA0, data))


def _signature_algorithm(certificate: bytes) -> bytes:
    if isinstance(x509.load_der_x509_certificate(certificate).public_key(), ec.EllipticCurvePublicKey):
        return der(_SEQUENCE, _oid(OID_ECDSA_SHA256))
    return der(_SEQUENCE, _oid(OID_RSA_SHA256), b"\x05\x00")


def _issuer_and_serial(certificate: bytes) -> bytes:
    body = asn1_x509.Certificate.load(certificate)["tbs_certificate"]
    return der(_SEQUENCE, body["issuer"].dump(), body["serial_number"].dump())


def _signing_certificate(certificates: Sequence[bytes]) -> bytes:
    """Return SigningCertificateV2; its hash algorithm is left out because SHA-256 is the default (RFC 5035, 4)."""
    ids = (der(_SEQUENCE, der(_OCTETS, hashlib.sha256(item).digest())) for item in certificates)
    return der(_SEQUENCE, der(_SEQUENCE, *ids))


def _attribute(kind: str, value: bytes) -> bytes:
    return der(_SEQUENCE, _oid(kind), der(_SET, value))


def _read_attributes(contents: bytes) -> dict[str, bytes]:
    """Return attribute type to DER of its one value."""
    found: dict[str, bytes] = {}
    for attribute in _AnyAttributes.load(der(_SET, contents)):
        kind, values = attribute["type"].dotted, list(attribute["values"])
        if kind in found or len(values) != 1:
            raise SealError("the signature states something twice")
        found[kind] = values[0].dump()
    return found


class _AnySet(asn1.SetOf):  # type: ignore[misc]
    _child_spec = asn1.Any


class _AnyAttribute(asn1.Sequence):  # type: ignore[misc]
    """An attribute whose value stays as it is, whatever types other libraries registered."""

    _fields: ClassVar[list[tuple[str, type]]] = [("type", asn1.ObjectIdentifier), ("values", _AnySet)]


class _AnyAttributes(asn1.SetOf):  # type: ignore[misc]
    _child_spec = _AnyAttribute


def _oid(dotted: str) -> bytes:
    return bytes(asn1.ObjectIdentifier(dotted).dump())
