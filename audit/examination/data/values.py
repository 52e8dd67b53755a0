"""Raw Arrow columns become values of one kind: numbers, categories, booleans.

Comes in: an Arrow array of any type, and what counts as missing. Goes out: a NumPy array with one way of being missing
per kind (NaN, None). Work is done once per distinct value, so that a text column costs little more than its codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.errors import DataError

Kind = Literal["number", "category", "boolean"]

TRUE_TEXTS = frozenset({"true", "t", "yes", "y", "1", "1.0"})
FALSE_TEXTS = frozenset({"false", "f", "no", "n", "0", "0.0"})

_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """What texts of a table mean.

    Parameters
    ----------
    missing : frozenset of str
        Texts that mean "missing"; an empty text always does.
    decimal : str
        Decimal sign of numbers that are texts.
    """

    missing: frozenset[str] = frozenset({""})
    decimal: str = "."

    @property
    def missing_numbers(self) -> tuple[float, ...]:
        """Markers that are numbers, for columns that hold numbers already (``-999``)."""
        return tuple(float(text) for text in sorted(self.missing) if _NUMBER.match(text))


def value_text(value: Any) -> str:
    """Return the text of a single value: ``10`` for 10 and 10.0, ``2.5``, ``True``, a text as it is.

    Examples
    --------
    >>> value_text(10.0), value_text(2.5), value_text(True), value_text("007")
    ('10', '2.5', 'True', '007')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 2**63 else repr(number)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)


def match_key(value: Any) -> str:
    """Return the form under which a declared value and a value of the data are the same.

    1, ``'1'``, 1.0, ``'1.0'``, true and ``'TRUE'`` agree; so do 0 and false; other texts agree when they are equal but
    for blanks around them.

    Examples
    --------
    >>> {match_key(value) for value in (1, "1", 1.0, "1.0", True, "true")}
    {'1'}
    """
    text = value_text(value).strip()
    if text.lower() in ("true", "false"):
        return "1" if text.lower() == "true" else "0"
    return value_text(float(text)) if _NUMBER.match(text) else text


def parse_number(text: str) -> float | None:
    """Return the number that a single text is, or None.

    Examples
    --------
    >>> parse_number("2.50"), parse_number("b")
    (2.5, None)
    """
    return float(text) if _NUMBER.match(text) else None


def encode(array: pa.Array) -> tuple[np.ndarray, list[Any]]:
    """Return codes (int64, -1 for null) and the distinct values that occur, as Python values.

    Parameters
    ----------
    array : pyarrow.Array
        Any flat type; a dictionary is used as it is.
    """
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    codes = pc.fill_null(coded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    levels = coded.dictionary.to_pylist()
    occurs = np.bincount(codes[codes >= 0], minlength=len(levels)).astype(bool)
    occurs &= np.fromiter((level is not None for level in levels), dtype=bool, count=len(levels))
    places = np.append(np.where(occurs, np.cumsum(occurs) - 1, -1), -1)
    return np.asarray(places[codes]), [level for level, used in zip(levels, occurs, strict=True) if used]


def is_missing(level: Any, reading: Reading) -> bool:
    """Return whether a value is a missing one: NaN, an empty text, a declared marker."""
    if isinstance(level, str):
        text = level.strip()
        return not text or text in reading.missing
    if isinstance(level, float) and level != level:
        return True
    return not isinstance(level, bool) and isinstance(level, int | float) and float(level) in reading.missing_numbers


def as_category(array: pa.Array, reading: Reading, name: str = "") -> np.ndarray:
    """Return texts, None where missing; object array of shape [n].

    Texts stay as they are, leading zeros and blanks included; whole numbers become ``10``, never ``10.0``.
    """
    codes, levels = encode(array)
    texts = np.empty(len(levels) + 1, dtype=object)
    for index, level in enumerate(levels):
        texts[index] = None if is_missing(level, reading) else value_text(level)
    return np.asarray(texts[codes])


def as_number(array: pa.Array, reading: Reading, name: str = "") -> np.ndarray:
    """Return float64 numbers, NaN where missing; shape [n].

    Raises
    ------
    DataError
        A text that is no number, shown in the message.
    """
    kind = array.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        codes, levels = encode(array)
        numbers, odd = parse_numbers([value_text(level) for level in levels], reading)
        if odd:
            raise DataError(
                f"the column '{name}' is read as numbers, but holds {quote_value(odd[0])}",
                hint=_number_advice(name, odd[0]),
            )
        return np.asarray(np.append(numbers, np.nan)[codes])
    if pa.types.is_temporal(kind) or pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise DataError(f"the column '{name}' holds {kind}, not numbers", hint="turn it into a number first")
    plain = not array.null_count and (pa.types.is_floating(kind) or pa.types.is_integer(kind))
    given = array if plain else array.cast(pa.float64(), safe=False)
    numbers = given.to_numpy(zero_copy_only=False).astype(np.float64, copy=True)
    for marker in reading.missing_numbers:
        numbers[numbers == marker] = np.nan
    return np.asarray(numbers)


def as_boolean(array: pa.Array, reading: Reading, name: str = "") -> np.ndarray:
    """Return True, False, or None where missing; object array of shape [n].

    Raises
    ------
    DataError
        A value that is neither, shown in the message.
    """
    codes, levels = encode(array)
    values = np.empty(len(levels) + 1, dtype=object)
    for index, level in enumerate(levels):
        text = value_text(level).strip().lower()
        if not is_missing(level, reading):
            if text not in TRUE_TEXTS | FALSE_TEXTS:
                raise DataError(
                    f"the column '{name}' is read as true or false, but holds {quote_value(level)}",
                    hint=f"declare features.{name}.kind: category, or write the value as 1 or 0",
                )
            values[index] = text in TRUE_TEXTS
    return np.asarray(values[codes])


READERS: dict[Kind, Callable[[pa.Array, Reading, str], np.ndarray]] = {
    "number": as_number,
    "category": as_category,
    "boolean": as_boolean,
}
"""Kind of a column to what types it."""


def parse_numbers(texts: Sequence[str], reading: Reading) -> tuple[np.ndarray, list[str]]:
    """Return numbers (NaN where missing) and the texts that are none.

    Parameters
    ----------
    texts : sequence of str
        Distinct texts.
    reading : Reading
        Missing markers and decimal sign. With a decimal comma a text with a point is refused: ``1.234`` may be either
        1.234 or 1234, and a guess would be wrong by three orders.
    """
    fast = _cast_numbers(texts, reading)
    if fast is not None:
        return fast, []
    numbers, odd = np.full(len(texts), np.nan), []
    for index, text in enumerate(texts):
        if is_missing(text, reading):
            continue
        plain = text.strip()
        if reading.decimal == ",":
            plain = "?" if "." in plain else plain.replace(",", ".", 1)
        if _NUMBER.match(plain):
            numbers[index] = float(plain)
        else:
            odd.append(text)
    return numbers, odd


def _cast_numbers(texts: Sequence[str], reading: Reading) -> np.ndarray | None:
    """Parse all texts at once, or return None where one of them needs a closer look."""
    array = pc.utf8_trim_whitespace(pa.array(texts, pa.string()))
    known = pa.array([*reading.missing, ""], pa.string())
    array = pc.if_else(pc.is_in(array, value_set=known), pa.scalar(None, pa.string()), array)
    if reading.decimal == ",":
        if pc.any(pc.match_substring(array, ".")).as_py():
            return None
        array = pc.replace_substring(array, ",", ".", max_replacements=1)
    try:
        numbers = pc.cast(array, pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64, copy=True)
    except pa.ArrowInvalid:
        return None
    # "inf" and "nan" parse, but are words that nobody meant as numbers
    return numbers if int(np.isfinite(numbers).sum()) == len(array) - array.null_count else None


def quote_value(value: Any, most: int = 30) -> str:
    """Return a value in quotation marks for a message, cut to `most` signs."""
    text = value_text(value)
    return f"'{text}'" if len(text) <= most else f"'{text[: most - 1]}…'"


def _number_advice(name: str, odd: str) -> str:
    if re.match(r"^\s*[+-]?[\d.]+,\d+\s*$", odd):
        return "declare data.csv.decimal: ',' if the comma is the decimal sign"
    if re.match(r"^\s*[+-]?\d{1,3}(\.\d{3})+\s*$", odd):
        return "write numbers without separators of thousands"
    return f"add it to data.missing if it means missing, or declare features.{name}.kind: category"
