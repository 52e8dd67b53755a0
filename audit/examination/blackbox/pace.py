"""How fast a model is: what a time limit is held against, and what sizes of samples are chosen by.

Comes in: a `BlackBox` and some rows. Goes out: its `Pace`. A clock gives another rate in every run, and rows must not
depend on how busy a machine is. So the class that sizes follow is declared (``model.pace``), else counted from what
torch computes for a row, else a power of ten of what was measured; a model that is far slower than its operations tell
(it waits for something) is believed the clock.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from math import floor, log10
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import numpy as np

from audit.errors import IntakeRefused, TryAgain

from .blackbox import BlackBox

if TYPE_CHECKING:
    import pandas as pd

SLOW_SECONDS = 1.0
"""A first call of `FEW` rows that takes longer makes the sample smaller on which the contract is tried."""
FEW = 16
SMALL_SAMPLE = 64
TIMED_ROWS = 4096
"""Rows of the calls that are timed, where the model is not slow."""
FASTEST = 100_000
"""Rows per second above which no difference is made."""
PRODUCTS = 3e10
"""Floating-point operations of matrix products per second, of one ordinary core."""
NUMBERS, CALL, COLUMN = 5e-10, 1e-5, 1e-7
"""Seconds per number that an operation writes, per operation, and per column of a row that is encoded."""
COUNTED_ROWS = 64
FAR = 10
"""A clock that tells a pace so many times slower than the operations do is believed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many rows a model scores in a second.

    Parameters
    ----------
    rate : float
        Rows per second, as measured.
    counted : float or None
        Rows per second as its operations tell; None where they cannot be seen.
    declared : int or None
        What the configuration says.
    """

    rate: float
    counted: float | None = None
    declared: int | None = None

    @property
    def basis(self) -> Literal["declared", "counted", "measured"]:
        """Where the class comes from."""
        if self.declared is not None:
            return "declared"
        return "counted" if self.counted is not None and self.rate >= self.counted / FAR else "measured"

    @property
    def rough(self) -> int:
        """The class that sizes follow, from 1 to `FASTEST`: a power of ten where it was measured."""
        if self.declared is not None:
            return min(FASTEST, self.declared)
        if self.basis == "counted":
            assert self.counted is not None
            return min(FASTEST, round_down(self.counted))
        return int(min(FASTEST, 10 ** max(0, floor(log10(max(self.rate, 1.0)) + 1e-9))))


def round_down(pace: float) -> int:
    """Return the largest of 1, 3, 10, 30, ... that is not above `pace`; at least 1.

    Examples
    --------
    >>> round_down(7500.0), round_down(29.0), round_down(0.2)
    (3000, 10, 1)
    """
    power = 10 ** max(0, floor(log10(max(pace, 1.0)) + 1e-9))
    return int(3 * power if pace >= 3 * power else power)


def shrink_sample(model: BlackBox, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the sample, or its beginning where a first look shows a model that takes long."""
    begun = perf_counter()
    with suppress(IntakeRefused):  # which rows it fails on is found next
        model.raw(rows.iloc[:FEW])
    return rows if perf_counter() - begun < SLOW_SECONDS else rows.iloc[:SMALL_SAMPLE]


def measure_pace(model: BlackBox, rows: pd.DataFrame) -> Pace:
    """Measure how fast a model scores rows; the best of three calls, or one where it is slow.

    Parameters
    ----------
    model : BlackBox
        The model, called before.
    rows : pandas.DataFrame
        At least one row that it can score.
    """
    best = _time_call(model, rows)
    if best > SLOW_SECONDS / 4 or not len(rows):
        return Pace(len(rows) / max(best, 1e-9))
    many = rows.iloc[np.resize(np.arange(len(rows)), TIMED_ROWS)]
    return Pace(TIMED_ROWS / max(min(_time_call(model, many) for _ in range(3)), 1e-9))


def count_pace(model: BlackBox, rows: pd.DataFrame) -> float | None:
    """Count the operations that torch does for some rows and say how many rows a second an ordinary core manages.

    Parameters
    ----------
    model : BlackBox
        The model.
    rows : pandas.DataFrame
        Rows that it can score.

    Returns
    -------
    float or None
        None where nothing of the model is computed by torch in this process.
    """
    from torch.utils.flop_counter import FlopCounterMode

    from .operations import Operations

    if not len(rows):
        return None
    fewest, most = getattr(model, "batch", (1, TIMED_ROWS))
    size = max(COUNTED_ROWS, fewest)
    asked = rows.iloc[np.resize(np.arange(len(rows)), size)]
    with FlopCounterMode(display=False) as products, Operations() as seen:
        model.raw(asked)
    if not seen.calls:
        return None
    seconds = products.get_total_flops() / PRODUCTS + seen.numbers * NUMBERS
    at_once = size if most < size else min(most, TIMED_ROWS)  # a call of many rows makes no more operations
    return 1.0 / float(seconds / size + seen.calls * CALL / at_once + COLUMN * len(model.columns))


def check_time(pace: Pace, rows: int, limit: float | None) -> None:
    """Stop before scoring begins where it would take longer than somebody is ready to wait.

    Raises
    ------
    TryAgain
        By the measured pace all rows take longer than `limit` seconds.
    """
    seconds = rows / pace.rate
    if limit is not None and seconds > limit:
        raise TryAgain(
            f"scoring {rows:,} rows would take about {say_duration(seconds)} at {pace.rate:,.3g} rows per second; "
            f"the limit is {say_duration(limit)}",
            hint="raise model.time_limit, audit fewer rows, or store the scores in a column (model.scores)",
        )


def say_duration(seconds: float) -> str:
    """Say a duration roughly.

    Examples
    --------
    >>> [say_duration(value) for value in (0.2, 40, 600, 9000)]
    ['1 second', '40 seconds', '10 minutes', '2.5 hours']
    """
    if seconds < 90:
        whole = max(1, round(seconds))
        return f"{whole} second{'s' if whole > 1 else ''}"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _time_call(model: BlackBox, rows: pd.DataFrame) -> float:
    begun = perf_counter()
    model.raw(rows)
    return perf_counter() - begun
