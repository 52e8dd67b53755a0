"""A table as a stream of raw record batches, whatever it is kept in.

Comes in: a path, or a pandas frame. Goes out: a `Source` that names its columns and can be streamed any number of
times, always in the same row order. Nothing is typed here: CSV columns are texts, Parquet columns are what the file
says.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from audit.config.schema import DataSource
from audit.errors import DataError
from audit.evidence import FileDigest

from .csvform import CsvText, detect_csv, open_bytes
from .files import DataFile, digest_file, find_files

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 65_536
BLOCK_BYTES = 8 << 20
FRAME_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """The smallest part of a table that can be read by itself.

    Parameters
    ----------
    file : int
        Place of its file among the files of the table.
    unit : int
        Row group (Parquet), record batch (Arrow file), run of rows (frame); 0 where a file is read whole.
    start : int
        Rows of the file before it.
    rows : int
        Its rows; -1 where nobody counted them yet (CSV).
    """

    file: int
    unit: int = 0
    start: int = 0
    rows: int = -1


class Stream(Protocol):
    """What yields rows, always in the same order; it can be sent to another process."""

    def __call__(self, columns: Sequence[str], pieces: Sequence[Piece] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield record batches of these columns: all rows, or those of some pieces in the order given."""


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
    """

    name: str
    columns: tuple[str, ...]
    stream: Stream
    files: tuple[FileDigest, ...]
    notes: tuple[str, ...] = ()
    decimal: str = "."
    pieces: tuple[Piece, ...] = ()
    shippable: bool = True


def open_source(path: str, data: DataSource, *, place: str) -> Source:
    """Open a table on disk.

    Parameters
    ----------
    path : str
        A file, a folder or a glob.
    data : DataSource
        How CSV files are written.
    place : str
        Key of the configuration that holds the path; also the role of its files.

    Raises
    ------
    ConfigError
        No such file.
    DataError
        A file that is not what it seems, or whose columns differ from the first one's.
    """
    files = find_files(path, place)
    digests = tuple(digest_file(file, place) for file in files)
    name = files[0].name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more"
    if files[0].form == "csv":
        texts = tuple(detect_csv(file, data.csv) for file in files)
        _check_columns(files, [text.columns for text in texts])
        _check_decimal(files, texts)
        notes = tuple(dict.fromkeys(text.note for text in texts))
        whole = tuple(Piece(place) for place in range(len(files)))
        stream = FileStream(files, texts)
        return Source(name, texts[0].columns, stream, digests, _shorten(notes), texts[0].decimal, whole)
    heads = [_read_head(file) for file in files]
    _check_columns(files, [names for names, _ in heads])
    note = f"{name}: {files[0].form.replace('_', ' ')}" + (f", {len(files)} files" if len(files) > 1 else "")
    pieces = tuple(piece for place, (_, sizes) in enumerate(heads) for piece in _list_pieces(place, sizes))
    return Source(name, heads[0][0], FileStream(files, (None,) * len(files)), digests, (note,), pieces=pieces)


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
    pieces = tuple(_list_pieces(0, sizes))
    return Source("the frame", names, TableStream(table), (file,), (note,), pieces=pieces, shippable=False)


@dataclass(frozen=True, slots=True)
class TableStream:
    """Rows of an Arrow table in memory."""

    table: pa.Table

    def __call__(self, columns: Sequence[str], pieces: Sequence[Piece] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield record batches of these columns."""
        chosen = self.table.select(list(columns)).combine_chunks()
        for start, rows in [(0, chosen.num_rows)] if pieces is None else [(one.start, one.rows) for one in pieces]:
            yield from chosen.slice(start, rows).to_batches(max_chunksize=BATCH_ROWS)


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


def _list_pieces(file: int, sizes: Sequence[int]) -> Iterator[Piece]:
    start = 0
    for unit, rows in enumerate(sizes):
        yield Piece(file, unit, start, rows)
        start += max(rows, 0)


@dataclass(frozen=True, slots=True)
class FileStream:
    """Rows of files of one form."""

    files: tuple[DataFile, ...]
    texts: tuple[CsvText | None, ...]

    def __call__(self, columns: Sequence[str], pieces: Sequence[Piece] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield record batches of these columns, `BATCH_ROWS` rows at most each."""
        for place, units in self._plan(pieces):
            file, text = self.files[place], self.texts[place]
            batches = _stream_csv(file, text, columns) if text else _STREAMS[file.form](file, columns, units)
            try:
                for batch in batches:
                    yield from _cut(batch)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, EOFError, UnicodeDecodeError) as error:
                raise _unreadable(file, error) from None

    def _plan(self, pieces: Sequence[Piece] | None) -> Iterator[tuple[int, list[int] | None]]:
        """Yield the place of a file and its units; None for all of them."""
        if pieces is None:
            yield from ((place, None) for place in range(len(self.files)))
            return
        for place in dict.fromkeys(piece.file for piece in pieces):
            yield place, [piece.unit for piece in pieces if piece.file == place]


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)


def _unreadable(file: DataFile, error: Exception) -> DataError:
    """Return an error without the library's text where that would quote a row."""
    if file.form == "csv":
        return DataError(f"{file.name} cannot be read as CSV", hint="is a quotation mark left open?")
    first = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return DataError(f"{file.name} cannot be read as {file.form}: {first}", hint="was the file cut short?")


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
        raise _unreadable(file, error) from None
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{file.name} names the column '{twice[0]}' twice", hint="rename one of them")
    return tuple(names), sizes


def _stream_csv(file: DataFile, text: CsvText, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield columns as texts; a row of another width than the header's stops the reading."""
    from pyarrow import csv as pa_csv

    wrong: list[Any] = []

    def refuse(row: Any) -> str:
        wrong.append(row)
        return "error"

    names = list(text.columns)
    try:
        with open_bytes(file) as stream:
            reader = pa_csv.open_csv(
                stream,
                read_options=pa_csv.ReadOptions(
                    use_threads=False,
                    block_size=BLOCK_BYTES,
                    column_names=names,
                    skip_rows=text.skipped_lines,
                    skip_rows_after_names=1,
                    encoding=text.encoding.removesuffix("-sig"),
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=text.separator, newlines_in_values=True, invalid_row_handler=refuse
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=False,
                    include_columns=list(columns),
                ),
            )
            yield from reader
    except pa.ArrowInvalid:
        if not wrong:
            raise
        raise _tell_width(file, text, wrong[0]) from None


def _tell_width(file: DataFile, text: CsvText, row: Any) -> DataError:
    header = 1 + text.skipped_lines
    where = f"row {row.number + text.skipped_lines:,} (the header is row {header})" if row.number else "a row"
    return DataError(
        f"{file.name}: {where} has {row.actual_columns} values where the header names {row.expected_columns}",
        hint="is the separator right, and is a text with separators in it quoted?",
    )


Units = Sequence[int] | None


def _stream_parquet(file: DataFile, columns: Sequence[str], units: Units) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with file.open() as stream:
        schema = pq.read_schema(stream)
    texts = [name for name in columns if _is_text(schema.field(name).type)]
    with file.open() as stream, pq.ParquetFile(stream, read_dictionary=texts) as table:
        groups = None if units is None else list(units)
        for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=list(columns), row_groups=groups):
            yield batch.select(list(columns))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _stream_arrow(file: DataFile, columns: Sequence[str], units: Units) -> Iterator[pa.RecordBatch]:
    with file.open() as stream:
        reader = pa.ipc.open_file(stream)
        for index in range(reader.num_record_batches) if units is None else units:
            yield reader.get_batch(index).select(list(columns))


def _stream_arrow_stream(file: DataFile, columns: Sequence[str], units: Units) -> Iterator[pa.RecordBatch]:
    with file.open() as stream:
        for batch in pa.ipc.open_stream(stream):
            yield batch.select(list(columns))


_STREAMS: dict[str, Callable[[DataFile, Sequence[str], Units], Iterator[pa.RecordBatch]]] = {
    "parquet": _stream_parquet,
    "arrow": _stream_arrow,
    "arrow_stream": _stream_arrow_stream,
}
"""Form of a binary file to what streams it."""
