"""Which files a data path means, what form each has, and its digest.

Comes in: the path of a file, a folder or a glob. Goes out: the files in an order that never depends on the machine,
each with its form as its first bytes tell it (a name is a claim, the bytes are not), and a SHA-256 digest of each.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Literal

from audit.errors import ConfigError, DataError, suggest_name
from audit.evidence import FileDigest

from .remote import find_remote, is_remote, open_remote

Form = Literal["csv", "parquet", "arrow", "arrow_stream"]

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".parquet", ".pq", ".arrow", ".feather", ".ipc")
_DIGEST_BYTES = 1 << 20
PACKED_SUFFIXES = (".gz", ".bz2", ".zst", ".lz4")

_GLOB = re.compile(r"[*?\[]")
_FOREIGN: dict[bytes, str] = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"SQLite format 3": "an SQLite database; export the table as CSV or Parquet",
    b"%PDF": "a PDF; export the table as CSV",
    b"\x93NUMPY": "a NumPy array without column names; save it as a table with named columns",
    b"\x80\x04": "a pickle, which is never opened; save the table as Parquet",
    b"\x80\x05": "a pickle, which is never opened; save the table as Parquet",
    b"\x89HDF": "an HDF5 file; save the table as Parquet",
    b"{": "JSON; save the table as CSV or Parquet",
    b"[": "JSON; save the table as CSV or Parquet",
    b"Obj\x01": "an Avro file; save the table as Parquet",
    b"ORC": "an ORC file; save the table as Parquet",
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a table.

    Parameters
    ----------
    path : Path
        Where it is.
    name : str
        Name that reports show: relative, with ``/``.
    form : str
        ``csv``, ``parquet``, ``arrow`` (IPC file) or ``arrow_stream``.
    address : str
        Where it is, if not on this machine's disks: ``s3://bucket/key`` and the like.
    """

    path: Path
    name: str
    form: Form
    address: str = ""

    def open(self) -> Any:
        """Return the file opened for reading its bytes at any place."""
        import pyarrow as pa

        if self.address:
            return open_remote(self.address)
        return pa.memory_map(str(self.path)) if self.form == "arrow" else pa.OSFile(str(self.path))


def find_files(text: str, place: str) -> tuple[DataFile, ...]:
    """Return the files that a data path means, sorted by name.

    Parameters
    ----------
    text : str
        A file, a folder (searched through) or a glob (``*``, ``?``, ``[...]``, ``**``).
    place : str
        Key of the configuration that holds the path, for messages.

    Raises
    ------
    ConfigError
        No such file, with a near name where there is one; nothing readable in a folder.
    DataError
        Files of different forms, or of a form that is no table.
    """
    if is_remote(text):
        return _check_same_form(_name_remote(text, place))
    path = Path(text).expanduser()
    if path.is_file():
        found = [(path, path.name)]
    elif path.is_dir():
        found = [(item, f"{path.name}/{item.relative_to(path).as_posix()}") for item in _walk_folder(path)]
        if not found:
            known = ", ".join(TABLE_SUFFIXES)
            raise ConfigError(f"the folder {path.name} holds no table", hint=f"known endings: {known}", place=place)
    elif _GLOB.search(text):
        found = _match_glob(path)
        if not found:
            raise ConfigError(f"no file matches {path.name}", hint=_near_name(path), place=place)
    else:
        raise ConfigError(f"no such file: {text}", hint=_near_name(path), place=place)
    files = (DataFile(item, name, _tell_form(item, name)) for item, name in sorted(found, key=lambda one: one[1]))
    return _check_same_form(tuple(files))


def _name_remote(text: str, place: str) -> tuple[DataFile, ...]:
    found = sorted(find_remote(text, place), key=lambda one: one[1])
    if len(found) > 1:
        found = [(address, name) for address, name in found if _is_table(PurePosixPath(name))]
    return tuple(
        DataFile(Path(PurePosixPath(name).name), name, _tell_form(Path(name), name, address), address)
        for address, name in found
    )


def digest_file(file: DataFile, role: str) -> FileDigest:
    """Return name, SHA-256 and size of a file; it is read in pieces."""
    if file.address:
        digest, size = hashlib.sha256(), 0
        with file.open() as stream:
            while piece := stream.read(_DIGEST_BYTES):
                digest.update(piece)
                size += len(piece)
        return FileDigest(name=file.name, sha256=f"sha256:{digest.hexdigest()}", size=size, role=role)
    with file.path.open("rb") as stream:
        whole = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileDigest(name=file.name, sha256=f"sha256:{whole}", size=file.path.stat().st_size, role=role)


def _walk_folder(folder: Path) -> list[Path]:
    """Return the tables below a folder; what engines leave beside them (``_SUCCESS``, ``.crc``) is passed over."""
    return [item for item in folder.rglob("*") if item.is_file() and _is_table(item.relative_to(folder))]


def _is_table(path: PurePath) -> bool:
    hidden = any(part.startswith(("_", ".")) for part in path.parts)
    return not hidden and _table_suffix(path) in TABLE_SUFFIXES


def _match_glob(path: Path) -> list[tuple[Path, str]]:
    """Return files that match, named from the first folder that holds no sign of a glob."""
    parts = path.parts
    first = next(index for index, part in enumerate(parts) if _GLOB.search(part))
    root = Path(*parts[:first]) if first else Path()
    pattern = "/".join(parts[first:])
    found = [(item, item.relative_to(root).as_posix()) for item in root.glob(pattern) if item.is_file()]
    return [(item, name) for item, name in found if not item.name.startswith(("_", "."))]


def _table_suffix(path: PurePath) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED_SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _near_name(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f"there is no folder {parent.name}" if parent.name else ""
    return suggest_name(path.name, (item.name for item in parent.iterdir()))


def _tell_form(path: Path, name: str, address: str = "") -> Form:
    try:
        with open_remote(address) if address else path.open("rb") as stream:
            head = stream.read(64)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}") from None
    if not head:
        raise DataError(f"{name} is empty: it holds no byte", hint="name a table with a header and rows")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"ARROW1"):
        return "arrow"
    if head.startswith(b"\xff\xff\xff\xff"):
        return "arrow_stream"
    if _table_suffix(path) in (".parquet", ".pq", ".arrow", ".feather", ".ipc"):
        raise DataError(
            f"{name} is not what its ending says: it does not begin like {path.suffix}",
            hint="was the file cut short or renamed?",
        )
    for sign, what in _FOREIGN.items():
        if head.startswith(sign) and not (sign in (b"{", b"[") and _table_suffix(path) in (".csv", ".tsv")):
            raise DataError(f"{name} is {what.split(';')[0]}", hint=what.split("; ")[-1])
    return "csv"


def _check_same_form(files: tuple[DataFile, ...]) -> tuple[DataFile, ...]:
    forms = {file.form for file in files}
    if len(forms) > 1:
        shown = ", ".join(f"{file.name} ({file.form})" for file in files[:3])
        raise DataError(f"these files do not have one form: {shown}", hint="name one kind with a glob, e.g. *.parquet")
    return files
