"""How a CSV file is written: separator, decimal sign, encoding; declared or detected, and always told.

Comes in: a text file and what the configuration declares. Goes out: a `CsvText` with which the file can be read, and
one line that says what was declared and what was guessed, because a wrong guess here changes every number after it.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Any

from audit.config.schema import CsvForm
from audit.errors import ConfigError, DataError

from .files import PACKED_SUFFIXES, DataFile

SAMPLE_BYTES = 262_144
SAMPLE_ROWS = 200
SEPARATORS = (",", ";", "\t", "|")

_SEPARATOR_NAMES = {"\t": "tab", " ": "space"}
_COMMA_NUMBER = re.compile(r"^\s*[+-]?\d+,\d+([eE][+-]?\d+)?\s*$")
_POINT_NUMBER = re.compile(r"^\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*$")
_SEP_LINE = re.compile(r"^\ufeff?sep=(.)\r?\n")


@dataclass(frozen=True, slots=True)
class CsvText:
    """A CSV file, understood.

    Parameters
    ----------
    separator, decimal, encoding : str
        How it is written; the encoding is a Python codec name.
    columns : tuple of str
        Names in the header, without surrounding blanks.
    skipped_lines : int
        Lines before the header (a ``sep=;`` line of a spreadsheet).
    note : str
        What was declared and what was detected, for the report.
    """

    separator: str
    decimal: str
    encoding: str
    columns: tuple[str, ...]
    skipped_lines: int
    note: str


def open_bytes(file: DataFile) -> Any:
    """Return a readable stream of a file's bytes; gzip, bzip2, zstd and lz4 are unpacked by their ending."""
    import pyarrow as pa

    if file.address:
        from .remote import open_remote

        packing = pa.Codec.detect(file.address) if file.path.suffix in PACKED_SUFFIXES else None
        stream = open_remote(file.address)
        return pa.CompressedInputStream(stream, packing.name) if packing else stream
    return pa.input_stream(str(file.path), compression="detect")


def detect_csv(file: DataFile, declared: CsvForm) -> CsvText:
    """Find out how a CSV file is written.

    Parameters
    ----------
    file : DataFile
        The file.
    declared : CsvForm
        What the configuration says; it is obeyed.

    Raises
    ------
    ConfigError
        A declaration that cannot be: no such encoding, a separator of two characters.
    DataError
        No header, a header naming a column twice, bytes that are not text.
    """
    _check_declared(declared)
    encoding = _settle_encoding(file, declared.encoding)
    text = _read_sample(file, encoding)
    hint_line = _SEP_LINE.match(text)
    if hint_line:
        text = text[hint_line.end() :]
    separator = declared.separator or (hint_line.group(1) if hint_line else _guess_separator(text))
    rows = list(islice(csv.reader(text.splitlines(keepends=True), delimiter=separator), SAMPLE_ROWS))
    decimal = declared.decimal or _guess_decimal(rows[1:], separator)
    columns = _read_header(file.name, rows)
    shown = _SEPARATOR_NAMES.get(separator, f"'{separator}'")
    note = (
        f"{file.name}: separator {shown} ({_word(declared.separator)}), decimal sign '{decimal}' "
        f"({_word(declared.decimal)}), encoding {encoding.removesuffix('-sig')} ({_word(declared.encoding)})"
    )
    return CsvText(separator, decimal, encoding, columns, 1 if hint_line else 0, note)


def _word(declared: str | None) -> str:
    return "declared" if declared else "detected"


def _check_declared(declared: CsvForm) -> None:
    if declared.separator is not None and len(declared.separator) != 1:
        raise ConfigError(f"a separator is one character, not {declared.separator!r}", place="data.csv.separator")
    if declared.decimal not in (None, ".", ","):
        raise ConfigError(f"a decimal sign is '.' or ',', not {declared.decimal!r}", place="data.csv.decimal")
    if declared.encoding is not None:
        try:
            codecs.lookup(declared.encoding)
        except LookupError:
            raise ConfigError(
                f"no encoding is called '{declared.encoding}'",
                place="data.csv.encoding",
                hint="usual ones: utf-8, cp1252, latin-1, utf-16",
            ) from None


def _settle_encoding(file: DataFile, declared: str | None) -> str:
    """Return the encoding with which the whole file decodes."""
    if declared is not None:
        problem = _decode_problem(file, declared)
        if problem:
            raise DataError(
                f"{file.name} is not {declared}: {problem}", hint="leave data.csv.encoding out to have it detected"
            )
        return declared
    with open_bytes(file) as stream:
        head = stream.read(4096)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in head:
        raise DataError(
            f"{file.name} is not text: it holds zero bytes",
            hint="declare data.csv.encoding if it is UTF-16, otherwise save it as CSV",
        )
    # cp1252 leaves five bytes without a meaning; latin-1 takes any
    return next(name for name in ("utf-8", "cp1252", "latin-1") if not _decode_problem(file, name))


def _decode_problem(file: DataFile, encoding: str) -> str:
    """Return where a file cannot be decoded, or an empty string."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    with open_bytes(file) as stream:
        while True:
            try:
                piece = stream.read(1 << 20)
            except (OSError, EOFError) as error:
                raise DataError(f"{file.name} cannot be unpacked: {error}", hint="was the file cut short?") from None
            try:
                decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                return f"the bytes near position {done + error.start:,} do not decode"
            if not piece:
                return ""
            done += len(piece)


def _read_sample(file: DataFile, encoding: str) -> str:
    """Return the first lines of a file, cut after a whole line."""
    with open_bytes(file) as stream:
        head = stream.read(SAMPLE_BYTES)
        whole = not stream.read(1)
    text = codecs.getincrementaldecoder(encoding)().decode(head).removeprefix("\ufeff")
    if "\n" not in text and "\r" in text:
        raise DataError(
            f"{file.name} ends its lines with a lone carriage return",
            hint="save it with line feeds, as any system of this century does",
        )
    return text if whole or "\n" not in text else text[: text.rfind("\n") + 1]


def _guess_separator(text: str) -> str:
    """Return the separator under which most rows have as many fields as the header.

    A header of one field never counts, so that a table of one column falls back on the comma.
    """
    lines = text.splitlines(keepends=True)
    best, best_rank = ",", (0.0, 0)
    for separator in SEPARATORS:
        rows = [row for row in islice(csv.reader(lines, delimiter=separator), SAMPLE_ROWS) if row]
        if not rows or len(rows[0]) < 2:
            continue
        same = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        if (same, len(rows[0])) > best_rank:
            best, best_rank = separator, (same, len(rows[0]))
    return best


def _guess_decimal(rows: list[list[str]], separator: str) -> str:
    """Return ``,`` where numbers with a comma occur and numbers with a point do not outnumber them."""
    signs = Counter(
        "," if _COMMA_NUMBER.match(field) else "."
        for row in rows
        for field in row
        if _COMMA_NUMBER.match(field) or _POINT_NUMBER.match(field)
    )
    return "," if separator != "," and signs[","] > signs["."] else "."


def _read_header(name: str, rows: list[list[str]]) -> tuple[str, ...]:
    if not rows or not any(field.strip() for field in rows[0]):
        raise DataError(f"{name} has no header", hint="the first line must hold the names of the columns")
    columns = tuple(field.strip() or f"(column {index})" for index, field in enumerate(rows[0], start=1))
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise DataError(f"{name} names the column '{twice[0]}' twice", hint="rename one of them")
    return columns
