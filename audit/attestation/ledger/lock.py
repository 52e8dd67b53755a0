"""One audit of a system at a time: a lock that says who holds it and dies with its process.

Comes in: the ledger's folder and a system's name. Goes out: the right to audit that system, or `TryAgain` that names
the holder. The lock is the operating system's (flock), so that a process that was killed holds nothing; the text in the
file only says who it was. Where the ledger lies on a network drive, that drive must pass locks on (NFS 4, SMB 3).
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.errors import ConfigError, TryAgain

LOCKS = "running"
"""Folder of the locks, inside the ledger's."""


@contextmanager
def hold_system(ledger: Path, system: str, *, since: str) -> Iterator[str]:
    """Keep other audits of a system out until the end of the block.

    Parameters
    ----------
    ledger : pathlib.Path
        The ledger's folder, which exists.
    system : str
        Name of the audited system.
    since : str
        UTC time, ISO 8601, told to whoever has to wait.

    Yields
    ------
    str
        What is to be told of the holder before, if that one ended without giving the lock back; else empty.

    Raises
    ------
    TryAgain
        Another audit of this system is running; the message says which process, where and since when.
    ConfigError
        The folder cannot be written.
    """
    try:
        (ledger / LOCKS).mkdir(exist_ok=True)
        path = ledger / LOCKS / f"{system}.lock"
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ConfigError(f"the ledger {ledger} cannot be written: {error.strerror}", place="ledger.path") from None
    with os.fdopen(descriptor, "r+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryAgain(
                f"another audit of {system} is running: {_tell_holder(handle.read()) or 'its name is not known yet'}",
                hint="try again when it has finished",
            ) from None
        before = _tell_holder(handle.read())
        _write(handle.fileno(), json.dumps({"pid": os.getpid(), "host": platform.node(), "since": since}))
        try:
            yield f"took over from {before}, which ended without finishing" if before else ""
        finally:
            _write(handle.fileno(), "")


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def _tell_holder(text: str) -> str:
    try:
        value = json.loads(text)
        return f"process {int(value['pid'])} on {value['host']}, since {value['since']}"
    except (ValueError, KeyError, TypeError):
        return ""
