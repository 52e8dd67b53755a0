"""A folder, or a file, is written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from audit.errors import AuditError, ConfigError, TryAgain

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def refuse_existing(out: Path) -> None:
    """Refuse an output folder that exists or cannot be made, before any work is done.

    Raises
    ------
    ConfigError
        It exists and is not an empty folder, or lies where nothing can be written.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ConfigError(f"the output folder {out} exists", place="--out", hint="name another one, or move it away")
    refuse_unwritable(out.absolute().parent)


def refuse_unwritable(folder: Path) -> None:
    """Refuse a folder in which nothing can be written, before any work is done.

    Parameters
    ----------
    folder : pathlib.Path
        Where a report folder is to be made; may be missing itself.

    Raises
    ------
    ConfigError
        The nearest folder that exists is none, or is closed to writing.
    """
    above = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not above.is_dir():
        raise ConfigError(f"cannot make a folder in {above}: it is a file", place="--out", hint="name another folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise ConfigError(f"nothing may be written in {above}", place="--out", hint="name another folder")


SIDECAR = ".scores.parquet"
"""What the name of a folder's private file of scores ends in; it lies beside the folder."""


def name_sidecar(folder: Path) -> Path:
    """Return where a report folder's private file of scores lies."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - a name is needed, also for "."; links stay links
    return folder.with_name(folder.name + SIDECAR)


def write_folder(files: Mapping[str, bytes], out: Path, beside: bytes | None = None) -> None:
    """Write files to a temporary folder beside `out`, then move it into place.

    Parameters
    ----------
    files : mapping of str to bytes
        Relative names (``/`` separates folders) to contents.
    out : pathlib.Path
        The folder to make; must not exist, or be empty.
    beside : bytes, optional
        The private file of scores, made beside the folder for its owner alone.

    Raises
    ------
    ConfigError
        The folder exists, or cannot be made there.
    TryAgain
        The disk is full.
    """
    refuse_existing(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise explain_os_error(error, out) from None
    try:
        fill_folder(partial, files)
        partial.chmod(0o755)
        if beside is not None:
            replace_file(name_sidecar(out), beside)
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except OSError as error:
        raise explain_os_error(error, out) from None
    finally:
        # also after Ctrl-C: nothing half-written stays
        shutil.rmtree(partial, ignore_errors=True)


def exchange_folders(one: Path, other: Path) -> None:
    """Let two folders of one file system change places.

    Parameters
    ----------
    one, other : pathlib.Path
        Both exist.

    Raises
    ------
    ConfigError
        They cannot.

    Notes
    -----
    Linux does it in one step (renameat2 with RENAME_EXCHANGE). Elsewhere it takes three, and a crash between them
    leaves the folder under a hidden name beside its place.
    """
    try:
        if _exchange_at_once(one, other):
            return
        aside = Path(tempfile.mkdtemp(prefix=f".{other.name}.", dir=other.resolve().parent))
        other.rename(aside / "kept")
        one.rename(other)
        (aside / "kept").rename(one)
        aside.rmdir()
    except OSError as error:
        raise explain_os_error(error, other) from None


def _exchange_at_once(one: Path, other: Path) -> bool:
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE: linux/fcntl.h, linux/fs.h
    return call is not None and call(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def remove_folder(out: Path) -> None:
    """Take back a folder that `write_folder` has just made, with the private file beside it."""
    shutil.rmtree(out, ignore_errors=True)
    name_sidecar(out).unlink(missing_ok=True)


def replace_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a file beside its place and rename it, so that nobody ever sees half of it, nor a crash leaves that.

    Parameters
    ----------
    path : pathlib.Path
        Where it goes; what is there is replaced.
    data : bytes
        What it holds.
    mode : int
        Who may read it; by default its owner alone.

    Raises
    ------
    OSError
        It cannot be written; what was there is as it was.
    """
    descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
            os.fchmod(handle.fileno(), mode)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def fill_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files below a folder and see each of them on the disk."""
    for name, data in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())


def explain_os_error(error: OSError, place: Path) -> AuditError:
    """Return the error of this project that an operating-system error stands for."""
    if error.errno in FULL:
        return TryAgain(f"no space left to write {place}", hint="free some disk space and run again")
    return ConfigError(f"cannot write {place}: {error.strerror or error}", place="--out")
