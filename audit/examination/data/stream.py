"""Rows of tables, streamed: from files of each form, from memory, from a part of a table.

Comes in: files and names of columns. Goes out: raw Arrow record batches, always in the same order. A stream can be sent
to another process, which then reads the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from audit.errors import DataError

from .csvform import CsvText, open_bytes
from .files import DataFile

BATCH_ROWS = 65_536
BLOCK_BYTES = 8 << 20


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
class PartStream:
    """Rows of some pieces of a table."""

    stream: Stream
    own: tuple[Piece, ...]

    def __call__(self, columns: Sequence[str], pieces: Sequence[Piece] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield record batches of these columns."""
        yield from self.stream(columns, self.own if pieces is None else pieces)


@dataclass(frozen=True, slots=True)
class NoStream:
    """A table whose rows are not at hand: it was read elsewhere."""

    name: str

    def __call__(self, columns: Sequence[str], pieces: Sequence[Piece] | None = None) -> Iterator[pa.RecordBatch]:
        """Refuse to read.

        Raises
        ------
        DataError
            Always.
        """
        raise DataError(f"the rows of {self.name} are not at hand: they were swept elsewhere")


@dataclass(frozen=True, slots=True)
class TableStream:
    """Rows of an Arrow table in memory."""

    table: pa.Table

    def __call__(self, columns: Sequence[str], pieces: Sequence[Piece] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield record batches of these columns."""
        chosen = self.table.select(list(columns)).combine_chunks()
        for start, rows in [(0, chosen.num_rows)] if pieces is None else [(one.start, one.rows) for one in pieces]:
            yield from chosen.slice(start, rows).to_batches(max_chunksize=BATCH_ROWS)


def list_pieces(file: int, sizes: Sequence[int]) -> Iterator[Piece]:
    """Yield the pieces of one file, from the rows of each of its units."""
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
                raise unreadable(file, error) from None

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


def unreadable(file: DataFile, error: Exception) -> DataError:
    """Return an error without the library's text where that would quote a row."""
    if file.form == "csv":
        return DataError(f"{file.name} cannot be read as CSV", hint="is a quotation mark left open?")
    first = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return DataError(f"{file.name} cannot be read as {file.form}: {first}", hint="was the file cut short?")


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
