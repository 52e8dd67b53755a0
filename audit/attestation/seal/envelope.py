"""DSSE envelopes: one signature over one typed payload, as sigstore and in-toto clients read them.

Comes in: a payload and its type. Goes out: canonical JSON with payload, type, signature and the signer's certificate;
and back. Format: Dead Simple Signing Envelope 1.0. The certificate travels in the signature object (fields that a
reader does not know are to be ignored), as in-toto's own clients do it, so that an envelope says by itself who signed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.errors import SealError
from audit.evidence.base import canonical_bytes

from .cms import NO_SIGNATURE, CmsSigner, certificate_bytes, check_signature, load_certificate, sign_data


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """An envelope whose signature holds.

    Parameters
    ----------
    payload_type : str
        Media type of the payload.
    payload : bytes
        The payload.
    certificate : cryptography.x509.Certificate
        The signer's certificate.
    """

    payload_type: str
    payload: bytes
    certificate: x509.Certificate


def encode_for_signature(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that a DSSE signature covers (its pre-authentication encoding).

    Examples
    --------
    >>> encode_for_signature("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal_payload(payload_type: str, payload: bytes, signer: CmsSigner) -> bytes:
    """Return a signed envelope around a payload.

    Parameters
    ----------
    payload_type : str
        Media type, e.g. ``application/vnd.in-toto+json``.
    payload : bytes
        What is signed, as it is.
    signer : CmsSigner
        Who signs.

    Returns
    -------
    bytes
        Canonical JSON (RFC 8785).
    """
    signature = sign_data(signer, encode_for_signature(payload_type, payload))
    return _write(payload_type, payload, signature, signer.certificate)


def open_envelope(envelope: bytes) -> OpenedEnvelope:
    """Check an envelope that this tool wrote and return what is in it.

    Notes
    -----
    DSSE does not cover the certificate, only its key: what is sealed here names its signer's certificate by digest, and
    whoever opens it compares.

    Raises
    ------
    SealError
        It is not an envelope, its signature does not hold, or a byte of it differs from the one canonical form.
    """
    try:
        outer = json.loads(envelope)
        (entry,) = outer["signatures"]
        payload_type, payload = str(outer["payloadType"]), base64.b64decode(outer["payload"], validate=True)
        signature = base64.b64decode(entry["sig"], validate=True)
        certificate = load_certificate(base64.b64decode(entry["certificate"], validate=True))
        same = _write(payload_type, payload, signature, certificate) == envelope
    except (*NO_SIGNATURE, RecursionError):
        raise SealError("this is not a signed envelope, or it was changed") from None
    if not same:
        raise SealError("the envelope is not in the form in which it was written: it was changed")
    check_signature(certificate, signature, encode_for_signature(payload_type, payload))
    return OpenedEnvelope(payload_type, payload, certificate)


def key_id(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate's public key (SubjectPublicKeyInfo), hexadecimal."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def _write(payload_type: str, payload: bytes, signature: bytes, certificate: x509.Certificate) -> bytes:
    text = _text(certificate_bytes(certificate))
    entry = {"keyid": key_id(certificate), "sig": _text(signature), "certificate": text}
    return canonical_bytes({"payloadType": payload_type, "payload": _text(payload), "signatures": [entry]})


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
