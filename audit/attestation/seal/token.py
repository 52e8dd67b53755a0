"""A private key that never leaves its device: PKCS #11, by a ``pkcs11:`` address (RFC 7512).

Comes in: what stands after ``pkcs11:`` in ``signing.key``, and the PIN. Goes out: a `TokenKey` that signs, with the
certificate that lies beside the key. Only raw signing is asked of the device, which every one can do; the digest is
made here. The PIN is handed to the device's own library; no more than its digest is kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_to_bytes

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from audit.errors import ConfigError, TryAgain

_PLACE = "signing.key"
_FORM = "write pkcs11:token=NAME;object=LABEL?module-path=/usr/lib/.../library.so"
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256 before its 32 bytes (RFC 8017, 9.2, note 1)."""
_PATH = {"token", "serial", "object", "id", "type"}
_QUERY = {"module-path", "pin-source"}


@dataclass(frozen=True, slots=True)
class TokenAddress:
    """Where a key is.

    Parameters
    ----------
    module : str
        Path of the device's library.
    token, serial : str
        Label and serial number of the token; empty where not given.
    label : str
        Label of the key; empty where not given.
    identifier : bytes
        Identifier of the key; empty where not given.
    pin_source : str
        ``env:NAME`` or ``file:PATH``; empty where not given.
    """

    module: str
    token: str = ""
    serial: str = ""
    label: str = ""
    identifier: bytes = b""
    pin_source: str = ""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key on a device.

    Parameters
    ----------
    kind : str
        ``EC`` or ``RSA``.
    certificate : bytes or None
        DER of the certificate beside the key.
    handle : object
        The library's key; never shown.
    """

    kind: str
    certificate: bytes | None
    handle: Any = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature over `data` with SHA-256 (ECDSA as DER, RSA as PKCS 1 v1.5).

        Raises
        ------
        TryAgain
            The device does not answer.
        """
        import pkcs11

        digest = hashlib.sha256(data).digest()
        try:
            if self.kind == "RSA":
                return bytes(self.handle.sign(_SHA256_INFO + digest, mechanism=pkcs11.Mechanism.RSA_PKCS))
            pair = bytes(self.handle.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))
        except pkcs11.PKCS11Error as error:
            raise TryAgain(f"the device of signing.key did not sign ({type(error).__name__})") from None
        half = len(pair) // 2
        return encode_dss_signature(int.from_bytes(pair[:half], "big"), int.from_bytes(pair[half:], "big"))


def read_address(rest: str) -> TokenAddress:
    """Read what stands after ``pkcs11:``.

    Raises
    ------
    ConfigError
        It is no such address, names nothing to look for, or holds the PIN itself.
    """
    path, _, query = rest.partition("?")
    raw = dict(part.partition("=")[::2] for part in path.split(";") if part)
    asked = dict(parse_qsl(query))
    if "pin-value" in rest:
        raise ConfigError(
            "signing.key holds the PIN itself", place=_PLACE, hint="give it as signing.password: env:NAME instead"
        )
    # Names of parts are shown, values never: a PIN may stand in the wrong place.
    unknown = sorted(name for name in (raw.keys() - _PATH) | (asked.keys() - _QUERY) if name.replace("-", "").isalpha())
    if unknown or (raw.keys() - _PATH) or (asked.keys() - _QUERY):
        raise ConfigError(
            f"signing.key has a part that is not known here: {', '.join(unknown)}", place=_PLACE, hint=_FORM
        )
    if not asked.get("module-path") or not (raw.get("object") or raw.get("id")):
        raise ConfigError("signing.key names no library or no key", place=_PLACE, hint=_FORM)
    return TokenAddress(
        module=asked["module-path"],
        token=unquote(raw.get("token", "")),
        serial=unquote(raw.get("serial", "")),
        label=unquote(raw.get("object", "")),
        identifier=unquote_to_bytes(raw.get("id", "")),
        pin_source=asked.get("pin-source", ""),
    )


def open_token(address: TokenAddress, pin: str | None) -> TokenKey:
    """Return the key at an address.

    Parameters
    ----------
    address : TokenAddress
        Where it is.
    pin : str or None
        The user's PIN; None for a device with a keypad of its own.

    Raises
    ------
    ConfigError
        The library, the token or the key is not there, or the PIN is wrong.
    """
    try:
        import pkcs11
    except ImportError:
        raise ConfigError(
            "signing.key lies on a device, and the package for devices is not installed",
            place=_PLACE,
            hint="pip install 'glassbox-audit[pkcs11]'",
        ) from None
    names = {"token_label": address.token, "token_serial": address.serial.encode()}
    try:
        library = pkcs11.lib(address.module)
        token = library.get_token(**{name: value for name, value in names.items() if value})
        return _find_key(_log_in(address.module, token, pin), address)
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        what = _WORDS.get(type(error).__name__, "the device of signing.key cannot be used")
        unseen = pin is None and type(error).__name__ == "NoSuchKey"  # most tokens show keys only to whom knows the PIN
        hint = "most show their keys only with the PIN: give signing.password as env:NAME" if unseen else _FORM
        raise ConfigError(f"{what} ({type(error).__name__})", place=_PLACE, hint=hint) from None


_SESSIONS: dict[tuple[str, str, bytes], tuple[Any, bytes]] = {}
"""Library, label and serial of a token to its session and the digest of the PIN that opened it.

A program logs in to a token once, for all its sessions (PKCS #11 2.40, 5.6), and from then on the device asks nobody.
"""


def _log_in(library: str, token: Any, pin: str | None) -> Any:
    """Return a session; the one that is open already only to whom knows its PIN."""
    import pkcs11

    name = (library, str(token.label), bytes(token.serial))
    digest = hashlib.sha256((pin or "").encode()).digest()
    if name in _SESSIONS:
        session, known = _SESSIONS[name]
        if known != digest:
            raise pkcs11.PinIncorrect
        return session
    session = token.open(user_pin=pin)
    _SESSIONS[name] = (session, digest)
    return session


_WORDS = {
    "PinIncorrect": "the PIN of signing.key is wrong",
    "PinLocked": "the PIN of signing.key is locked",
    "PinLenRange": "the PIN of signing.key is wrong",
    "NoSuchToken": "there is no such token",
    "NoSuchKey": "there is no such key on the token",
    "MultipleTokensReturned": "several tokens fit; name one",
    "MultipleObjectsReturned": "several keys fit; name one by id",
    "UserNotLoggedIn": "the token asks for a PIN; give signing.password",
}


def _find_key(session: Any, address: TokenAddress) -> TokenKey:
    import pkcs11

    wanted = {"label": address.label or None, "id": address.identifier or None}
    key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, **wanted)
    if key.key_type not in (pkcs11.KeyType.EC, pkcs11.KeyType.RSA):
        raise ConfigError(
            "signing.key is of a kind that is not accepted", place=_PLACE, hint="use P-256, P-384, P-521 or RSA"
        )
    search = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE, pkcs11.Attribute.ID: key.id}
    beside = [bytes(found[pkcs11.Attribute.VALUE]) for found in session.get_objects(search)]
    return TokenKey("EC" if key.key_type == pkcs11.KeyType.EC else "RSA", beside[0] if len(beside) == 1 else None, key)
