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
from typing import TYPE_CHECKING, Any

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

Stream = Callable[[Sequence[str]], Iterator[pa.RecordBatch]]


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
    """

    name: str
    columns: tuple[str, ...]
    stream: Stream
    files: tuple[FileDigest, ...]
    notes: tuple[str, ...] = ()
    decimal: str = "."


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
        return Source(name, texts[0].columns, _chain(files, texts), digests, _shorten(notes), texts[0].decimal)
    heads = [_read_names(file) for file in files]
    _check_columns(files, heads)
    note = f"{name}: {files[0].form.replace('_', ' ')}" + (f", {len(files)} files" if len(files) > 1 else "")
    return Source(name, heads[0], _chain(files, (None,) * len(files)), digests, (note,))


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

    def stream(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        yield from table.select(list(columns)).combine_chunks().to_batches(max_chunksize=BATCH_ROWS)

    digest, size = _digest_table(table)
    file = FileDigest(name=role, sha256=digest, size=size, role=role, note="object, not file")
    note = f"the rows were given as a pandas frame of {len(frame):,} rows and {len(names)} columns, not as a file"
    return Source("the frame", names, stream, (file,), (note,))


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


def _chain(files: Sequence[DataFile], texts: Sequence[CsvText | None]) -> Stream:
    def stream(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for file, text in zip(files, texts, strict=True):
            batches = _stream_csv(file, text, columns) if text else _STREAMS[file.form](file, columns)
            try:
                for batch in batches:
                    yield from _cut(batch)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, EOFError, UnicodeDecodeError) as error:
                raise _unreadable(file, error) from None

    return stream


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)


def _unreadable(file: DataFile, error: Exception) -> DataError:
    """Return an error without the library's text where that would quote a row."""
    if file.form == "csv":
        return DataError(f"{file.name} cannot be read as CSV", hint="is a quotation mark left open?")
    first = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return DataError(f"{file.name} cannot be read as {file.form}: {first}", hint="was the file cut short?")


def _read_names(file: DataFile) -> tuple[str, ...]:
    import pyarrow.parquet as pq

    try:
        if file.form == "parquet":
            schema = pq.read_schema(file.path)
        elif file.form == "arrow":
            with pa.memory_map(str(file.path)) as stream:
                schema = pa.ipc.open_file(stream).schema
        else:
            with pa.OSFile(str(file.path)) as stream:
                schema = pa.ipc.open_stream(stream).schema
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise _unreadable(file, error) from None
    twice = [name for name, count in Counter(schema.names).items() if count > 1]
    if twice:
        raise DataError(f"{file.name} names the column '{twice[0]}' twice", hint="rename one of them")
    return tuple(schema.names)


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


def _stream_parquet(file: DataFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    schema = pq.read_schema(file.path)
    texts = [name for name in columns if _is_text(schema.field(name).type)]
    with pq.ParquetFile(file.path, read_dictionary=texts) as table:
        for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=list(columns)):
            yield batch.select(list(columns))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _stream_arrow(file: DataFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(file.path)) as stream:
        reader = pa.ipc.open_file(stream)
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index).select(list(columns))


def _stream_arrow_stream(file: DataFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(file.path)) as stream:
        for batch in pa.ipc.open_stream(stream):
            yield batch.select(list(columns))


_STREAMS: dict[str, Callable[[DataFile, Sequence[str]], Iterator[pa.RecordBatch]]] = {
    "parquet": _stream_parquet,
    "arrow": _stream_arrow,
    "arrow_stream": _stream_arrow_stream,
}
"""Form of a binary file to what streams it."""
