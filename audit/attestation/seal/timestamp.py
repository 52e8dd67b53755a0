"""Time stamps (RFC 3161): asked of a server while signing, checked while verifying.

Comes in: a SHA-256 digest. Goes out: the token of a time stamp authority over it, or who says that it existed when.
A server that does not answer costs the time stamp, not the report: the reason is kept in `StampServer.notes`, nothing
is asked a second time, and only where a signature is required it stops the run (`TryAgain`).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from asn1crypto import algos, tsp
from asn1crypto import cms as asn1_cms
from asn1crypto import core as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from audit.errors import ConfigError, SealError, TryAgain

from .cms import NO_SIGNATURE, certificate_bytes, der, load_certificate
from .fetch import fetch

_HASHES: dict[str, type[hashes.SHA256] | type[hashes.SHA384] | type[hashes.SHA512]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_LARGEST_REPLY = 1 << 20
_NO_TOKEN = (*NO_SIGNATURE, InvalidSignature, x509.ExtensionNotFound)
"""What reading a token that is none may raise."""


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """What a time stamp authority says.

    Parameters
    ----------
    moment : datetime
        The content existed by then (aware, UTC).
    certificate : cryptography.x509.Certificate
        The authority's certificate.
    chain : tuple of cryptography.x509.Certificate
        Other certificates in the token, in no order.
    """

    moment: datetime
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]


@dataclass(slots=True)
class StampServer:
    """A time stamp server, asked until it fails once.

    Parameters
    ----------
    address : str
        http or https address.
    required : bool
        Raise where it does not answer.
    timeout : float
        Seconds after which the whole request is given up.
    notes : list of str
        Why there is no time stamp, for the report's reader; empty where all went well.
    """

    address: str
    required: bool = False
    timeout: float = 10.0
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                "signing.timestamp is not the address of a server",
                place="signing.timestamp",
                hint="it must begin with https:// or http://",
            )

    def token(self, digest: bytes) -> bytes | None:
        """Return the server's token (ContentInfo, DER) over a SHA-256 digest.

        Returns
        -------
        bytes or None
            None where the server failed now or before; `notes` says why.

        Raises
        ------
        TryAgain
            It failed, and a signature is required.
        """
        if self.notes:
            return None
        try:
            token = self._ask(digest)
            check_token(token, digest)
            return token
        except (OSError, SealError, ValueError) as error:
            reason = getattr(error, "what", None) or getattr(error, "reason", None) or error
            text = f"there is no time stamp: the time stamp server did not give one ({str(reason)[:160]})"
            if self.required:
                raise TryAgain(text, hint="try again later, or take out signing.timestamp") from None
            self.notes.append(text)
            return None

    def reply(self, digest: bytes) -> bytes | None:
        """Return a plain reply with the server's token, as ``openssl ts`` reads it; see `token` and `reply_around`."""
        token = self.token(digest)
        return reply_around(token) if token else None

    def _ask(self, digest: bytes) -> bytes:
        nonce = secrets.randbits(63) | 1
        imprint = {"hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}), "hashed_message": digest}
        query = tsp.TimeStampReq({"version": 1, "message_imprint": imprint, "nonce": nonce, "cert_req": True})
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        token = token_of(
            fetch(self.address, timeout=self.timeout, largest=_LARGEST_REPLY, data=query.dump(), headers=headers)
        )
        if _token_info(token)[1]["nonce"].native != nonce:
            raise SealError("its reply is not to this question")
        return token


def reply_around(token: bytes) -> bytes:
    """Return the plain reply (TimeStampResp, DER: granted, no text) that holds a token, as ``openssl ts`` reads it.

    A server's own reply may carry texts that nothing covers; this form has no such bytes.
    """
    return der(0x30, b"\x30\x03\x02\x01\x00", token)


def token_of(reply: bytes) -> bytes:
    """Return the token in a server's reply.

    Raises
    ------
    SealError
        The reply is not one, or says that no stamp was granted.
    """
    try:
        answer = tsp.TimeStampResp.load(reply, strict=True)
        status = answer["status"]["status"].native
        token = answer["time_stamp_token"]
        if status not in ("granted", "granted_with_mods") or isinstance(token, asn1.Void):
            raise SealError(f"the time stamp server refused: {status}")
        return bytes(token.dump())
    except (ValueError, TypeError, KeyError) as error:
        raise SealError(f"this is not a reply of a time stamp server: {str(error)[:80]}") from None


def check_token(token: bytes, digest: bytes) -> TimeStamp:
    """Check a time stamp token over a SHA-256 digest (RFC 3161, 2.4.2; RFC 5816).

    Parameters
    ----------
    token : bytes
        DER of the token.
    digest : bytes
        SHA-256 of what it must cover.

    Returns
    -------
    TimeStamp
        Whether the authority is to be trusted is another question.

    Raises
    ------
    SealError
        The token does not hold, is about something else, or was not made by a time stamp authority.
    """
    try:
        data, info, content = _token_info(token)
        imprint = info["message_imprint"]
        if imprint["hash_algorithm"]["algorithm"].native != "sha256" or imprint["hashed_message"].native != digest:
            raise SealError("the time stamp is about something else")
        certificate, others = _check_signer(data, content)
        moment: datetime = info["gen_time"].native
    except _NO_TOKEN as error:
        raise SealError(f"the time stamp does not hold: {str(error)[:80] or 'bad signature'}") from None
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        raise SealError("the time stamp lies outside the time in which its authority's certificate is valid")
    return TimeStamp(moment, certificate, others)


def read_stamp(token: bytes, digest: bytes) -> tuple[datetime, str]:
    """Return the time of a token that holds, and the name of its authority, which is not checked to be trusted.

    Parameters
    ----------
    token, digest
        As for `check_token`.

    Raises
    ------
    SealError
        See `check_token`.
    """
    found = check_token(token, digest)
    name = found.certificate.subject.rfc4514_string()
    return found.moment, "".join(sign if sign.isprintable() else " " for sign in name)[:200]


def _token_info(token: bytes) -> tuple[Any, Any, bytes]:
    """Return signed data, TSTInfo and the TSTInfo's bytes."""
    data = asn1_cms.ContentInfo.load(token, strict=True)["content"]
    inner = data["encap_content_info"]
    if inner["content_type"].native != "tst_info":
        raise SealError("this is not a time stamp")
    return data, inner["content"].parsed, bytes(inner["content"])


def _check_signer(data: Any, content: bytes) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """Check the token's own signature; return the authority's certificate and the others."""
    (info,) = data["signer_infos"]
    found = [load_certificate(choice.chosen.dump()) for choice in data["certificates"]]
    certificate = next((one for one in found if _bound(info["signed_attrs"], one)), None)
    if certificate is None:
        raise SealError("the time stamp does not name its signer's certificate")
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if list(usage) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise SealError("the time stamp was made with a certificate that is not one of a time stamp authority")
    algorithm = _HASHES[info["digest_algorithm"]["algorithm"].native]()
    hasher = hashes.Hash(algorithm)
    hasher.update(content)
    attributes = {attribute["type"].dotted: attribute["values"] for attribute in info["signed_attrs"]}
    if attributes["1.2.840.113549.1.9.4"][0].native != hasher.finalize():
        raise SealError("the time stamp's content was changed")
    if attributes["1.2.840.113549.1.9.3"][0].native != "tst_info":
        raise SealError("the time stamp's signature is about another kind of content")
    check_foreign_signature(
        certificate,
        info["signature_algorithm"],
        info["signature"].native,
        info["signed_attrs"].untag().dump(force=True),
        info["digest_algorithm"]["algorithm"].native,
    )
    return certificate, tuple(one for one in found if one != certificate)


def _bound(attributes: Any, certificate: x509.Certificate) -> bool:
    """Whether the signing-certificate attribute (ESS, version 1 or 2) names this certificate."""
    raw = certificate_bytes(certificate)
    for attribute in attributes:
        kind = attribute["type"].native
        if kind == "signing_certificate_v2":
            entry = attribute["values"][0]["certs"][0]
            name = entry["hash_algorithm"]["algorithm"].native
            return bool(entry["cert_hash"].native == hashlib.new(name, raw).digest())
        if kind == "signing_certificate":
            digest = hashlib.sha1(raw, usedforsecurity=False).digest()  # the form fixes SHA-1 (RFC 2634, 5.4)
            return bool(attribute["values"][0]["certs"][0]["cert_hash"].native == digest)
    return False


def check_foreign_signature(
    certificate: x509.Certificate, algorithm: Any, signature: bytes, data: bytes, digest: str
) -> None:
    """Check a signature that another program made: RSA (PKCS 1 v1.5 or PSS) or ECDSA with SHA-256, SHA-384 or SHA-512.

    Parameters
    ----------
    certificate : cryptography.x509.Certificate
        Whose signature it should be.
    algorithm : asn1crypto.algos.SignedDigestAlgorithm
        How it was made.
    signature, data : bytes
        The signature, and what it covers.
    digest : str
        Name of the digest, where the algorithm names none.

    Raises
    ------
    SealError
        The key is of a kind that is not accepted.
    InvalidSignature
        It does not hold; ``KeyError`` where the digest is of a kind that is not accepted.
    """
    key = certificate.public_key()
    named = str(algorithm["algorithm"].native).partition("_")[0]  # sha256_rsa, sha384_ecdsa, or a name without a hash
    chosen = _HASHES[named if named in _HASHES else digest]()
    if isinstance(key, rsa.RSAPublicKey) and algorithm.signature_algo == "rsassa_pss":
        salt = algorithm["parameters"]["salt_length"].native
        key.verify(signature, data, padding.PSS(padding.MGF1(chosen), salt), chosen)
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, padding.PKCS1v15(), chosen)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(chosen))
    else:
        raise SealError("the signature was made with a kind of key that is not accepted")
