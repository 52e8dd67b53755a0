"""A table as a stream of raw record batches, whatever it is kept in.

Comes in: a path, or a pandas frame. Goes out: a `Source` that names its columns and can be streamed any number of
times, always in the same row order. Nothing is typed here: CSV columns are texts, Parquet columns are what the file
says.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit.config.schema import DataSource
from audit.errors import DataError
from audit.evidence import FileDigest

from .csvform import CsvText, detect_csv
from .files import DataFile, digest_file, find_files
from .stream import BATCH_ROWS, FileStream, PartStream, Piece, Stream, TableStream, list_pieces, unreadable

if TYPE_CHECKING:
    import pandas as pd

FRAME_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A table that can be streamed.

    Parameters
    ----------
    name : str
        Name for messages.
    columns : tuple of str
        Columns in file order.
    stream : callable
        Names of columns to an iterator of record batches that hold these columns.
    files : tuple of FileDigest
        Digest of every file.
    notes : tuple of str
        How it was read.
    decimal : str
        Decimal sign of numbers that are texts.
    pieces : tuple of Piece
        Parts that can be read by themselves, in row order.
    shippable : bool
        Whether another process can read the same rows: files yes, a frame no.
    total_pieces, total_rows : int
        Pieces and rows of the table that this is a part of; 0 and -1 where it is none, or nobody counted.
    """

    name: str
    columns: tuple[str, ...]
    stream: Stream
    files: tuple[FileDigest, ...]
    notes: tuple[str, ...] = ()
    decimal: str = "."
    pieces: tuple[Piece, ...] = ()
    shippable: bool = True
    total_pieces: int = 0
    total_rows: int = -1

    def narrow(self, pieces: Sequence[Piece], files: tuple[FileDigest, ...]) -> Source:
        """Return the same table as if these pieces were all of it.

        Parameters
        ----------
        pieces : sequence of Piece
            Some of its pieces.
        files : tuple of FileDigest
            Digests of the files that they stand in.
        """
        rows = sum(piece.rows for piece in self.pieces) if all(piece.rows >= 0 for piece in self.pieces) else -1
        return replace(
            self,
            stream=PartStream(self.stream, tuple(pieces)),
            files=files,
            pieces=tuple(pieces),
            total_pieces=len(self.pieces),
            total_rows=rows,
        )


def open_part(
    path: str, data: DataSource, choose: Callable[[Sequence[Piece]], Sequence[Piece]], *, place: str
) -> Source:
    """Open some pieces of a table on disk; no other file than theirs is digested.

    Parameters
    ----------
    path, data, place
        As `open_source`.
    choose : callable
        From all pieces to those that are wanted.
    """
    source = open_source(path, data, place=place, digests=False)
    pieces = choose(source.pieces)
    assert isinstance(source.stream, FileStream)
    files = tuple(source.stream.files[at] for at in sorted({piece.file for piece in pieces}))
    return source.narrow(pieces, tuple(digest_file(file, place) for file in files))


def open_source(path: str, data: DataSource, *, place: str, digests: bool = True) -> Source:
    """Open a table on disk.

    Parameters
    ----------
    path : str
        A file, a folder or a glob.
    data : DataSource
        How CSV files are written.
    place : str
        Key of the configuration that holds the path; also the role of its files.
    digests : bool
        Whether to read every file once for its digest.

    Raises
    ------
    ConfigError
        No such file.
    DataError
        A file that is not what it seems, or whose columns differ from the first one's.
    """
    files = find_files(path, place)
    sums = tuple(digest_file(file, place) for file in files) if digests else ()
    name = files[0].name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more"
    if files[0].form == "csv":
        texts = tuple(detect_csv(file, data.csv) for file in files)
        _check_columns(files, [text.columns for text in texts])
        _check_decimal(files, texts)
        notes = tuple(dict.fromkeys(text.note for text in texts))
        whole = tuple(Piece(place) for place in range(len(files)))
        stream = FileStream(files, texts)
        return Source(name, texts[0].columns, stream, sums, _shorten(notes), texts[0].decimal, whole)
    heads = [_read_head(file) for file in files]
    _check_columns(files, [names for names, _ in heads])
    note = f"{name}: {files[0].form.replace('_', ' ')}" + (f", {len(files)} files" if len(files) > 1 else "")
    pieces = tuple(piece for place, (_, sizes) in enumerate(heads) for piece in list_pieces(place, sizes))
    return Source(name, heads[0][0], FileStream(files, (None,) * len(files)), sums, (note,), pieces=pieces)


def frame_source(frame: pd.DataFrame, *, role: str = "data.audit") -> Source:
    """Take a pandas frame as a table; its digest is that of its Arrow form.

    Raises
    ------
    DataError
        Two columns of one name, or a column that Arrow cannot hold.
    """
    names = tuple(str(name) for name in frame.columns)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"the frame has two columns named '{twice[0]}'", hint="rename one of them")
    arrays = [_as_arrow(frame.iloc[:, index], name) for index, name in enumerate(names)]
    table = pa.Table.from_arrays(arrays, names=list(names))
    digest, size = _digest_table(table)
    file = FileDigest(name=role, sha256=digest, size=size, role=role, note="object, not file")
    note = f"the rows were given as a pandas frame of {len(frame):,} rows and {len(names)} columns, not as a file"
    sizes = [min(FRAME_PIECE, table.num_rows - start) for start in range(0, table.num_rows, FRAME_PIECE)]
    pieces = tuple(list_pieces(0, sizes))
    return Source("the frame", names, TableStream(table), (file,), (note,), pieces=pieces, shippable=False)


def _as_arrow(series: pd.Series[Any], name: str) -> pa.Array:
    try:
        array = pa.Array.from_pandas(series)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        # a column of mixed Python values: read it as the texts that a CSV of it would hold
        try:
            array = pa.array([None if value is None or value != value else str(value) for value in series], pa.string())
        except (ValueError, TypeError):
            raise DataError(
                f"the column '{name}' holds objects that are no values", hint="numbers, texts, true and false are read"
            ) from None
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


class _Hashing:
    """A writable that keeps only digest and length of what is written."""

    closed = False

    def __init__(self) -> None:
        self.digest, self.size = hashlib.sha256(), 0

    def write(self, data: Any) -> int:
        piece = memoryview(data)
        self.digest.update(piece)
        self.size += piece.nbytes
        return piece.nbytes

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""


def _digest_table(table: pa.Table) -> tuple[str, int]:
    sink = _Hashing()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema) as writer:
        writer.write_table(table, max_chunksize=BATCH_ROWS)
    return f"sha256:{sink.digest.hexdigest()}", sink.size


def _check_columns(files: Sequence[DataFile], heads: Sequence[tuple[str, ...]]) -> None:
    for file, head in zip(files, heads, strict=True):
        if set(head) != set(heads[0]):
            odd = sorted(set(head) ^ set(heads[0]))
            raise DataError(
                f"{file.name} and {files[0].name} do not have the same columns: {', '.join(odd[:5])}",
                hint="the files of one table must agree",
            )


def _check_decimal(files: Sequence[DataFile], texts: Sequence[CsvText]) -> None:
    odd = [file.name for file, text in zip(files, texts, strict=True) if text.decimal != texts[0].decimal]
    if odd:
        raise DataError(
            f"{files[0].name} and {odd[0]} seem to use different decimal signs", hint="declare data.csv.decimal"
        )


def _shorten(notes: tuple[str, ...], most: int = 3) -> tuple[str, ...]:
    return notes if len(notes) <= most else (*notes[:most], f"... and {len(notes) - most} more files, detected alike")


def _read_head(file: DataFile) -> tuple[tuple[str, ...], list[int]]:
    """Return the columns of a binary file, and the rows of each of its units."""
    import pyarrow.parquet as pq

    sizes = [-1]
    try:
        with file.open() as stream:
            if file.form == "parquet":
                head = pq.ParquetFile(stream)
                names = head.schema_arrow.names
                sizes = [head.metadata.row_group(at).num_rows for at in range(head.metadata.num_row_groups)]
            elif file.form == "arrow":
                reader = pa.ipc.open_file(stream)
                names = reader.schema.names
                sizes = [reader.get_batch(at).num_rows for at in range(reader.num_record_batches)]
            else:
                names = pa.ipc.open_stream(stream).schema.names
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise unreadable(file, error) from None
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{file.name} names the column '{twice[0]}' twice", hint="rename one of them")
    return tuple(names), sizes
