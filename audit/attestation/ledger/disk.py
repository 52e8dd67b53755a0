"""The ledger's files on disk: a log that grows by whole lines, small files that are replaced whole, their time stamp.

Comes in: bytes and paths. Goes out: the same on the disk, or `ConfigError` and `TryAgain`. A checkpoint and its time
stamp are two files; at no moment, and after no crash, does the stamp of one lie beside the other, nor is the stamp of
the checkpoint that is there missing: while one pair takes the place of the other, the stamps wait under names of their
own.
"""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from audit.attestation.folder import replace_file
from audit.errors import ConfigError, TryAgain

CHECKPOINT_FILE = "checkpoint"
STAMP_FILE = "checkpoint.tsr"
"""RFC 3161 reply over the bytes of the checkpoint; absent where no server was asked or none answered."""
_COMING, _GOING = f".{STAMP_FILE}.coming", f".{STAMP_FILE}.going"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def put_checkpoint(folder: Path, line: bytes, stamp: bytes | None) -> None:
    """Write a checkpoint, and its time stamp where there is one; the stamp of the one before goes with that.

    Raises
    ------
    ConfigError, TryAgain
        It cannot be written; the log stands, and the next run writes the checkpoint.
    """
    if stamp is not None:
        put_file(folder / _COMING, stamp)
    _move(folder / STAMP_FILE, folder / _GOING)
    put_file(folder / CHECKPOINT_FILE, line)
    if stamp is not None:
        _move(folder / _COMING, folder / STAMP_FILE)
    _remove(folder / _GOING)


def settle_stamp(folder: Path) -> None:
    """Give the stamp of the checkpoint its place again, where a process was killed while one pair replaced another.

    Raises
    ------
    ConfigError, TryAgain
        The folder cannot be written.
    """
    waiting = [folder / name for name in (_COMING, _GOING) if (folder / name).exists()]
    checkpoint = read_file(folder / CHECKPOINT_FILE) or b""
    for path in waiting:
        if _covers(read_file(path), checkpoint):
            _move(path, folder / STAMP_FILE)
    for path in waiting:
        _remove(path)


def read_checkpoint_files(folder: Path) -> tuple[bytes | None, bytes | None]:
    """Return the checkpoint and its time stamp as they belong together, also while another process writes."""
    checkpoint = read_file(folder / CHECKPOINT_FILE)
    while True:
        # In this order: what a writer moves away meanwhile lies where it is looked for next.
        found = [read_file(folder / name) for name in (_COMING, STAMP_FILE, _GOING)]
        again = read_file(folder / CHECKPOINT_FILE)
        if again == checkpoint:
            return checkpoint, next((stamp for stamp in found if _covers(stamp, checkpoint)), found[1])
        checkpoint = again


def _covers(stamp: bytes | None, checkpoint: bytes | None) -> bool:
    """Whether a stamp looks like the one of a checkpoint; whether it holds is checked by whoever knows stamps."""
    return stamp is not None and checkpoint is not None and hashlib.sha256(checkpoint).digest() in stamp


def _move(source: Path, target: Path) -> None:
    """Give a file another name, where it is there; it takes the place of what has that name."""
    try:
        source.replace(target)
    except FileNotFoundError:
        return
    except OSError as error:
        raise explain_ledger_error(error, target) from None
    _sync_folder(target.parent)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise explain_ledger_error(error, path) from None


def append_line(path: Path, line: bytes) -> None:
    """Append one line and see it on the disk; where that fails, the file is as it was."""
    new = not path.exists()
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            try:
                _write_all(descriptor, line + b"\n")
                os.fsync(descriptor)
            except BaseException:
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
        if new:
            _sync_folder(path.parent)
    except OSError as error:
        raise explain_ledger_error(error, path) from None


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def put_file(path: Path, data: bytes) -> None:
    """Replace a small file, whole, and see it on the disk."""
    try:
        replace_file(path, data, mode=0o644)
        _sync_folder(path.parent)
    except OSError as error:
        raise explain_ledger_error(error, path) from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: Path) -> bytes | None:
    """Return the bytes of a file; None where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def explain_ledger_error(error: OSError, path: Path) -> ConfigError | TryAgain:
    """Return the error of this project that an operating-system error of the ledger stands for."""
    if error.errno in _FULL:
        return TryAgain(f"no space left to write {path}", hint="free some disk space and run again")
    return ConfigError(f"the ledger {path} cannot be written: {error.strerror or error}", place="ledger.path")
