"""The development key: made once per user, so that a first report can be signed and says that nobody vouches for it.

Comes in: nothing but the user's configuration directory. Goes out: key and certificate as one PEM text. Both stand in
one file of mode 0600, written beside and renamed under a lock: two first runs at once end with the same key, and a
crash leaves either no file or a whole one.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from audit.attestation.folder import replace_file
from audit.errors import ConfigError

DEVELOPMENT_NAME = "DEVELOPMENT KEY - not a trusted identity"
"""Common name of the certificate; reports and `verify` print it as the signer."""
_LIFETIME = timedelta(days=365)
_MARGIN = timedelta(days=1)
"""A certificate with less time left than this is renewed, so that it does not run out between signing and reading."""


def development_folder() -> Path:
    """Return the folder of the development key: ``$XDG_CONFIG_HOME/glassbox-audit``, by default under ``~/.config``."""
    root = os.environ.get("XDG_CONFIG_HOME", "")
    # The XDG specification asks that a relative path be ignored.
    base = Path(root) if root and Path(root).is_absolute() else Path("~/.config").expanduser()
    return base / "glassbox-audit"


def development_pem(folder: Path | None = None, *, now: datetime | None = None) -> bytes:
    """Return key and certificate of the development identity, making them where there are none.

    Parameters
    ----------
    folder : Path, optional
        Where they are kept; default `development_folder`.
    now : datetime, optional
        The time to hold the certificate's validity against (aware); default the clock.

    Returns
    -------
    bytes
        PEM: a PKCS 8 private key (P-256), then its self-signed certificate.

    Raises
    ------
    ConfigError
        The folder cannot be written, or the file is readable by others or damaged.
    """
    folder, now = folder or development_folder(), now or datetime.now(UTC)
    path = folder / "development.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(folder / "development.lock"):
            pem = _read_private(path)
            if pem is None or _ends(pem, path) - _MARGIN < now:
                pem = _make_pem(pem, now)
                replace_file(path, pem)
            return pem
    except OSError as error:
        raise ConfigError(
            f"the development key cannot be kept in {folder}: {error.strerror}",
            hint="set XDG_CONFIG_HOME to a folder that you can write, or configure signing.key",
        ) from None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600), "rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # freed by the system even where the process dies
        yield


def _read_private(path: Path) -> bytes | None:
    """Return the file's bytes, None where there is none; refuse one that others can read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as handle:
        mode = stat.S_IMODE(os.fstat(handle.fileno()).st_mode)
        if mode & 0o077:
            raise ConfigError(
                f"the development key {path} is open to other users (mode {mode:04o})",
                hint="delete it, a new one will be made; whoever read it can sign in its name",
            )
        return handle.read()


def _ends(pem: bytes, path: Path) -> datetime:
    try:
        load_pem_private_key(pem, None)
        return x509.load_pem_x509_certificate(pem).not_valid_after_utc
    except (ValueError, TypeError):
        raise ConfigError(f"the development key {path} is damaged", hint="delete it, a new one will be made") from None


def _make_pem(old: bytes | None, now: datetime) -> bytes:
    """Return key and certificate; a key that exists stays, only its certificate is made anew."""
    key = load_pem_private_key(old, None) if old else ec.generate_private_key(ec.SECP256R1())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DEVELOPMENT_NAME)])
    start = now.replace(microsecond=0) - timedelta(minutes=5)  # clocks of readers may be slow
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret + certificate.public_bytes(Encoding.PEM)
