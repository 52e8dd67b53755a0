"""Is this the very file that was pinned.

Comes in: bytes and a pin. Goes out: their digest, or a refusal that says how to pin this file instead.
"""

from __future__ import annotations

import hashlib
import re

from audit.errors import ConfigError, IntakeRefused


def check_digest(data: bytes, pinned: str | None, name: str) -> str:
    """Return the digest of `data`, which must be the pinned one where there is one.

    Raises
    ------
    ConfigError
        The pin is not a SHA-256.
    IntakeRefused
        The file is another one.
    """
    found = hashlib.sha256(data).hexdigest()
    if pinned is not None:
        wanted = pinned.strip().lower().removeprefix("sha256:")
        if not re.fullmatch("[0-9a-f]{64}", wanted):
            raise ConfigError(
                "a pinned sha256 has 64 hexadecimal digits", place="model.sha256", hint=f"this file has {found}"
            )
        if wanted != found:
            raise IntakeRefused(
                f"{name} is not the pinned file: its sha256 is {found[:16]}..., pinned is {wanted[:16]}...",
                hint=f"if the new file is right, pin it: sha256: {found}",
            )
    return "sha256:" + found
