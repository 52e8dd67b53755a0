"""One look at every column, batch by batch: what it holds, and what kind it therefore is.

Comes in: a stream of raw record batches. Goes out: `ColumnFacts` per column, counted and never kept as rows: how many
are missing, which distinct values (up to a cap), whether all are numbers, dates, true or false.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .source import Source
from .values import Kind, Reading, encode, is_missing, parse_numbers, quote_value, value_text

DISTINCT_CAP = 1_000
EXACT_WHOLE = 2**53
LARGE_ROWS = 1_000_000
"""Rows from which a table is never held whole: it is streamed, and what needs whole rows sees a sample of them."""

Guess = Literal["number", "category", "boolean", "date", "nested"]

_LEADING_ZERO = r"^\s*[+-]?0[0-9]"
_LONG_WHOLE = r"^\s*[+-]?[0-9]{16,}\s*$"
_DATE = re.compile(
    r"^\s*(\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?"
    r"|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{4}( \d{1,2}:\d{2}(:\d{2})?)?)\s*$"
)


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What is known of a column without keeping a row of it.

    Parameters
    ----------
    name : str
        Column name.
    guess : str
        ``number``, ``category``, ``boolean``, ``date`` or ``nested`` (lists, bytes: never read).
    why : str
        Why it is not the number it looks like, e.g. ``leading zeros``; empty otherwise.
    missing : int
        Rows without a value.
    levels : tuple of str
        Distinct values as texts, sorted, `DISTINCT_CAP` of them at most.
    low, high : float or None
        Smallest and largest number; None for anything else.
    infinite : int
        Rows that hold an infinite number.
    odd : str
        A value that is no number, in quotation marks; empty where all are.
    markers : dict of str to int
        Missing markers found, with their rows.
    """

    name: str
    guess: Guess
    why: str = ""
    missing: int = 0
    levels: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    infinite: int = 0
    odd: str = ""
    markers: dict[str, int] = field(default_factory=dict)

    @property
    def distinct(self) -> int:
        """Distinct values; `DISTINCT_CAP` means that many or more."""
        return len(self.levels)

    @property
    def kind(self) -> Kind:
        """Kind in which it is described; dates are described as categories."""
        return "category" if self.guess == "date" or self.guess == "nested" else self.guess

    @property
    def is_number(self) -> bool:
        """Whether every value can be read as a number."""
        return not self.odd and self.guess not in ("date", "nested")


def scan_source(
    source: Source, reading: Reading, columns: Iterable[str] | None = None
) -> tuple[int, dict[str, ColumnFacts]]:
    """Look at every column once.

    Parameters
    ----------
    source : Source
        The table.
    reading : Reading
        Missing markers and decimal sign.
    columns : iterable of str, optional
        Columns to look at; all by default.

    Returns
    -------
    tuple of (int, dict)
        Number of rows, and facts by column name.
    """
    names = list(source.columns if columns is None else columns)
    scans: dict[str, _Scan] = {}
    rows = 0
    for batch in source.stream(names):
        rows += batch.num_rows
        for name in names:
            array = batch.column(name)
            scan = scans.setdefault(name, _start_scan(array.type, reading))
            scan.see(array)
    return rows, {name: scans[name].close(name) if name in scans else ColumnFacts(name, "number") for name in names}


def merge_facts(parts: Sequence[Sequence[ColumnFacts]]) -> tuple[ColumnFacts, ...]:
    """Return what the columns hold in all of some parts of a table that were each looked at alone.

    Parameters
    ----------
    parts : sequence of sequence of ColumnFacts
        Facts of the same columns in the same order.
    """
    return tuple(reduce(_add_facts, column) for column in zip(*parts, strict=True))


def _add_facts(one: ColumnFacts, other: ColumnFacts) -> ColumnFacts:
    if not one.levels or not other.levels:
        # a part without a value speaks for no kind
        chosen = other if not one.levels else one
    elif one.guess == other.guess:
        chosen = other if other.why and not one.why else one
    else:
        told = next((item for item in (one, other) if item.guess == "category"), one)
        chosen = replace(told, guess="category", odd=told.odd or one.odd or other.odd, low=None, high=None)
    lows = [item.low for item in (one, other) if item.low is not None and chosen.low is not None]
    highs = [item.high for item in (one, other) if item.high is not None and chosen.high is not None]
    return replace(
        chosen,
        missing=one.missing + other.missing,
        levels=tuple(sorted({*one.levels, *other.levels})[:DISTINCT_CAP]),
        low=min(lows, default=None),
        high=max(highs, default=None),
        infinite=one.infinite + other.infinite,
        markers=dict(Counter(one.markers) + Counter(other.markers)),
    )


def _start_scan(kind: pa.DataType, reading: Reading) -> _Scan:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_boolean(inner):
        return _TextScan(reading)
    if pa.types.is_temporal(inner):
        return _TypedScan(reading, "date")
    if (
        pa.types.is_integer(inner)
        or pa.types.is_floating(inner)
        or pa.types.is_decimal(inner)
        or pa.types.is_null(inner)
    ):
        return _NumberScan(reading)
    return _TypedScan(reading, "nested")


class _Scan:
    """What a column has shown so far."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.missing = self.infinite = 0
        self.levels: set[Any] = set()
        self.markers: Counter[str] = Counter()
        self.low, self.high = np.inf, -np.inf

    def see(self, array: pa.Array) -> None:
        raise NotImplementedError

    def close(self, name: str) -> ColumnFacts:
        raise NotImplementedError

    def remember(self, levels: Iterable[Any]) -> None:
        """Keep distinct values up to the cap."""
        for level in levels:
            if len(self.levels) >= DISTINCT_CAP:
                return
            self.levels.add(value_text(level))

    def facts(self, name: str, guess: Guess, why: str = "", odd: str = "") -> ColumnFacts:
        """Return what was found."""
        bounded = self.high >= self.low
        return ColumnFacts(
            name,
            guess,
            why,
            self.missing,
            tuple(sorted(self.levels)),
            float(self.low) if bounded else None,
            float(self.high) if bounded else None,
            self.infinite,
            odd,
            dict(self.markers),
        )


class _TypedScan(_Scan):
    """A column whose type alone says that it is no feature: dates, lists, bytes."""

    def __init__(self, reading: Reading, guess: Guess) -> None:
        super().__init__(reading)
        self.guess = guess

    def see(self, array: pa.Array) -> None:
        self.missing += array.null_count
        if self.guess == "date" and len(self.levels) < DISTINCT_CAP:
            self.remember(str(value) for value in pc.unique(array.drop_null()).to_pylist()[:DISTINCT_CAP])

    def close(self, name: str) -> ColumnFacts:
        return self.facts(name, self.guess, odd="dates" if self.guess == "date" else "values that are no numbers")


class _NumberScan(_Scan):
    """A column of numbers."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.too_long = False

    def see(self, array: pa.Array) -> None:
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        whole = pa.types.is_integer(array.type)
        numbers = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        present = ~np.isnan(numbers)
        for marker in self.reading.missing_numbers:
            hit = numbers == marker
            if hit.any():
                self.markers[value_text(marker)] += int(hit.sum())
                present &= ~hit
        self.missing += int(len(numbers) - present.sum())
        values = numbers[present]
        if not values.size:
            return
        finite = values[np.isfinite(values)]
        self.infinite += int(values.size - finite.size)
        if finite.size:
            self.low, self.high = min(self.low, float(finite.min())), max(self.high, float(finite.max()))
        self.too_long |= whole and bool(max(abs(self.low), abs(self.high)) > EXACT_WHOLE)
        if len(self.levels) < DISTINCT_CAP:
            self.remember(np.unique(values)[: DISTINCT_CAP * 2].tolist())

    def close(self, name: str) -> ColumnFacts:
        if self.too_long:
            return self.facts(name, "category", "whole numbers too long to be measured")
        return self.facts(name, "number")


class _TextScan(_Scan):
    """A column of texts (or of true and false): it stays a candidate for each kind until a value speaks against it."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.number = self.boolean = self.date = True
        self.seen = self.zeros = self.long = False
        self.odd = ""

    def see(self, array: pa.Array) -> None:
        codes, levels = encode(array)
        counts = np.bincount(codes[codes >= 0], minlength=len(levels))
        self.missing += int((codes < 0).sum())
        texts = []
        for level, count in zip(levels, counts.tolist(), strict=True):
            if is_missing(level, self.reading):
                self.missing += count
                self.markers[value_text(level).strip()] += count
            else:
                texts.append(value_text(level))
        if not texts:
            return
        self.seen = True
        self.remember(texts)
        self._test_number(texts)
        self.boolean = self.boolean and all(text.strip().lower() in ("true", "false") for text in texts)
        self.date = self.date and all(_DATE.match(text) for text in texts)

    def _test_number(self, texts: list[str]) -> None:
        if not self.number:
            return
        numbers, odd = parse_numbers(texts, self.reading)
        if odd:
            self.number, self.odd = False, quote_value(odd[0])
            return
        column = pa.array(texts, pa.string())
        self.zeros = self.zeros or bool(pc.any(pc.match_substring_regex(column, _LEADING_ZERO)).as_py())
        self.long = self.long or bool(pc.any(pc.match_substring_regex(column, _LONG_WHOLE)).as_py())
        self.low, self.high = min(self.low, float(numbers.min())), max(self.high, float(numbers.max()))

    def close(self, name: str) -> ColumnFacts:
        if not self.seen:
            return self.facts(name, "number")
        if self.boolean:
            return self.facts(name, "boolean", odd="true and false")
        if self.date:
            return self.facts(name, "date", odd="dates")
        if not self.number:
            self.low, self.high = np.inf, -np.inf
            return self.facts(name, "category", odd=self.odd)
        if self.zeros or self.long:
            return self.facts(
                name, "category", "leading zeros" if self.zeros else "whole numbers too long to be measured"
            )
        return self.facts(name, "number")
