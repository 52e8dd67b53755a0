"""What lies in a report folder, read once, links and pipes refused.

Comes in: a folder. Goes out: the digest of every file, and the bytes of the few that are looked into. Each file is read
once, so that what is looked into is what was digested.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from audit.errors import SealError

from .sign import DOSSIER_FILE, HTML_FILE, PDF_FILE, SEAL_FILES, SEALS

OUTSIDE = "individuals"
"""Folder that may come and go: reasons for single people are deleted on request."""
LARGEST_WHOLE = 1 << 28
_READ_WHOLE = frozenset({*SEAL_FILES, DOSSIER_FILE, HTML_FILE, PDF_FILE})


def read_report_folder(folder: Path) -> tuple[dict[str, str], dict[str, bytes], dict[str, str]]:
    """Return name to digest of every file, name to bytes of those looked into, and name to why one cannot be read.

    Parameters
    ----------
    folder : Path
        The report folder; what is about single people is left out.
    """
    digests: dict[str, str] = {}
    whole: dict[str, bytes] = {}
    faults: dict[str, str] = {}
    for name, path in walk_folder(folder, OUTSIDE):
        try:
            data = read_plain(path, whole=name in _READ_WHOLE or name.startswith(f"{SEALS}/"))
        except (OSError, SealError) as error:
            faults[name] = str(error)
            continue
        if isinstance(data, bytes):
            whole[name] = data
            data = hashlib.sha256(data).hexdigest()
        digests[name] = data
    return digests, whole, faults


def walk_folder(folder: Path, outside: str = "") -> Iterator[tuple[str, Path]]:
    """Yield name and path of everything in a folder that is not a folder, links not followed."""
    for above, folders, names in os.walk(folder):
        here = Path(above)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in links)
        if here == folder and outside in folders:
            folders.remove(outside)
        for name in sorted([*names, *links]):
            yield (here / name).relative_to(folder).as_posix(), here / name


def read_plain(path: Path, *, whole: bool) -> bytes | str:
    """Return the bytes of a plain file, or their hexadecimal SHA-256."""
    if path.is_symlink():  # O_NOFOLLOW refuses it too, in words that nobody understands
        raise SealError("it is a link, and a report holds files alone")
    # Without O_NONBLOCK a pipe with a report's name would stop the program for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as handle:
        status = os.fstat(handle.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise SealError("not a plain file")
        if whole and status.st_size <= LARGEST_WHOLE:
            return handle.read()
        return hashlib.file_digest(handle, "sha256").hexdigest()
