"""Whether an authority that the reader names stands behind a certificate.

Comes in: a certificate with its chain, the reader's own authorities, a moment. Goes out: an empty text, or the reason
why not. Nothing is fetched from a network: a certificate that its authority has revoked is noticed where the list or
answer that says so lies in the reader's file or in the report.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from audit.errors import ConfigError

from .cms import certificate_bytes
from .revocation import NOTHING_SAID, Revocations, find_revoked, read_lists

DOCUMENT_USAGES = frozenset(
    {
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string,
        ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string,
        ExtendedKeyUsageOID.CODE_SIGNING.dotted_string,
        ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string,
        "1.3.6.1.5.5.7.3.36",  # documentSigning, RFC 9336
        "1.2.840.113583.1.1.5",  # Adobe authentic documents
        "1.3.6.1.4.1.311.10.3.12",  # Microsoft document signing
    }
)
"""Purposes that allow a certificate to sign a report; one limited to others (a web server's) may not."""
STAMP_USAGES = frozenset({ExtendedKeyUsageOID.TIME_STAMPING.dotted_string})


def read_anchors(path: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates that a reader trusts.

    Parameters
    ----------
    path : Path
        A PEM file with one or more certificates.

    Raises
    ------
    ConfigError
        The file is absent or holds none.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", place="--trust") from None
    except ValueError:
        raise ConfigError(f"{path} holds no PEM certificate", place="--trust") from None


def read_revoked(path: Path) -> tuple[bytes, ...]:
    """Return the lists of revoked certificates (DER) in a reader's PEM file.

    Raises
    ------
    ConfigError
        The file is absent, or a list in it is damaged.
    """
    try:
        return read_lists(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", place="--trust") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}", place="--trust") from None


def doubt_certificate(
    certificate: x509.Certificate,
    chain: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    moment: datetime,
    *,
    usages: frozenset[str] = DOCUMENT_USAGES,
    said: Revocations = NOTHING_SAID,
) -> str:
    """Return why a certificate is not to be trusted; an empty text where it is.

    Parameters
    ----------
    certificate : cryptography.x509.Certificate
        The signer's certificate.
    chain : sequence of cryptography.x509.Certificate
        Certificates that came with it; they help to build a path and are trusted for nothing.
    anchors : sequence of cryptography.x509.Certificate
        What the reader trusts: authorities, or the signer's very certificate.
    moment : datetime
        When it must have been valid (aware).
    usages : frozenset of str
        Purposes (dotted object identifiers) of which it must have one, where it is limited to any.
    said : Revocations
        Lists and OCSP answers, whosever they are; see `audit.attestation.seal.revocation.find_revoked`.

    Notes
    -----
    Path validation is RFC 5280, 6.1, by pyhanko-certvalidator.
    """
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        return (
            f"the certificate is valid from {certificate.not_valid_before_utc:%Y-%m-%d} to "
            f"{certificate.not_valid_after_utc:%Y-%m-%d}, and no trusted time stamp shows a signature within that time"
        )
    if not _may_sign(certificate, usages):
        return "the certificate is limited to other purposes than signing documents"
    if revoked := find_revoked(certificate, (*chain, *anchors), said, moment):
        return revoked
    if certificate in anchors:
        return ""
    try:
        _wait(_find_path(certificate, chain, anchors, moment))
    except Exception as error:  # the validator has many; each of them means no
        return f"no path to a trusted authority: {str(error)[:160]}"
    return ""


def _may_sign(certificate: x509.Certificate, usages: frozenset[str]) -> bool:
    try:
        allowed = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        if not (allowed.digital_signature or allowed.content_commitment):
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return any(purpose.dotted_string in usages for purpose in purposes)


async def _find_path(
    certificate: x509.Certificate,
    chain: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    moment: datetime,
) -> None:
    from asn1crypto import x509 as asn1_x509
    from pyhanko_certvalidator import CertificateValidator, ValidationContext

    leaf, *others = (asn1_x509.Certificate.load(certificate_bytes(one)) for one in (certificate, *chain))
    roots = [asn1_x509.Certificate.load(certificate_bytes(one)) for one in anchors]
    context = ValidationContext(trust_roots=roots, moment=moment.astimezone(UTC), allow_fetching=False)
    await CertificateValidator(leaf, intermediate_certs=others, validation_context=context).async_validate_path()


def _wait(task: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end; in a thread of its own, because a notebook's loop is already running in this one."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(task)
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
