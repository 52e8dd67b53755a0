"""How fast a model is, measured once: what a time limit is held against, and what sizes of samples are chosen by.

Comes in: a `BlackBox` and some rows. Goes out: its `Pace`. The rate itself differs from run to run; its class, a power
of ten, seldom does, and so is what other numbers may depend on and what the report prints.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from math import floor, log10
from time import perf_counter
from typing import TYPE_CHECKING

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


@dataclass(frozen=True, slots=True)
class Pace:
    """How many rows a model scores in a second.

    Parameters
    ----------
    rate : float
        Rows per second, as measured.
    """

    rate: float

    @property
    def rough(self) -> int:
        """The power of ten at or below the rate, from 1 to `FASTEST`."""
        return int(min(FASTEST, 10 ** max(0, floor(log10(max(self.rate, 1.0)) + 1e-9))))


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
