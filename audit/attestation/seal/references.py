"""Where keys, certificates and passwords are: ``file:PATH`` or ``env:NAME``, never the thing itself.

Comes in: a reference, and the place in audit.yaml where it stands. Goes out: bytes. An error names the reference's kind
and a path or variable that looks like one, never what was found there.
"""

from __future__ import annotations

import os
from pathlib import Path

from audit.errors import ConfigError

_LARGEST = 1 << 20


def read_reference(reference: str, place: str) -> bytes:
    """Return what a reference points to.

    Raises
    ------
    ConfigError
        There is nothing.
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "file":
        return read_file(rest, place)
    if scheme == "env":
        return read_env(rest, place)
    raise ConfigError(f"{place} must read file:PATH or env:NAME", place=place)


def read_env(name: str, place: str) -> bytes:
    """Return the value of an environment variable.

    Raises
    ------
    ConfigError
        There is nothing.
    """
    value = os.environ.get(name, "")
    if not value:
        shown = f"'{name}' " if name.isidentifier() and len(name) <= 80 else ""
        raise ConfigError(f"the environment variable {shown}is not set", place=place)
    return value.encode()


def read_file(name: str, place: str) -> bytes:
    """Return the bytes of a small file.

    Raises
    ------
    ConfigError
        There is nothing.
    """
    path = Path(name).expanduser()
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError(f"{path} is too large for a key or certificate", place=place)
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", place=place) from None
