"""From attributions of single rows to the importance of columns, with intervals over the rows.

Comes in: an `Attribution`. Goes out: estimates: mean absolute attribution, its share of all, how far sums are off.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from audit.evidence import Estimate
from audit.statistics.intervals import mean_interval, normal_quantile

from .attribution import Attribution, Floats

LEVEL = 0.95


def keep_finite(found: Attribution) -> Attribution:
    """Return the rows that got a finite value in every column."""
    usable = np.isfinite(found.values).all(axis=1) & np.isfinite(found.link) & np.isfinite(found.base)
    if usable.all():
        return found
    return replace(
        found,
        values=found.values[usable],
        link=found.link[usable],
        base=found.base[usable],
        se=None if found.se is None else found.se[usable],
    )


def rank_columns(found: Attribution) -> list[Estimate]:
    """Return the mean absolute attribution of every column, in the order of the columns."""
    chance = [None] * len(found.columns) if found.se is None else [noise_of(column) for column in found.se.T]
    return [mean_absolute(column, found.method, one) for column, one in zip(found.values.T, chance, strict=True)]


def mean_absolute(values: Floats, method: str, chance: float | None = None) -> Estimate:
    """Return the mean absolute attribution of a column with Student's interval over rows.

    Parameters
    ----------
    values : ndarray of float64, shape [n]
        Its attributions.
    method : str
        Who made them.
    chance : float, optional
        What sampling alone would show where the column does nothing.
    """
    words = f"mean absolute value, {method.replace('_', ' ')}; Student's interval over rows"
    found = mean_over_rows(np.abs(values), words)
    return found.model_copy(update={"chance": chance})


def mean_over_rows(values: Floats, method: str) -> Estimate:
    """Return the mean of something that cannot be negative, with Student's interval over rows."""
    n, mean = values.size, float(values.mean())
    low, high = mean_interval(mean, float(values.var(ddof=1)) if n > 1 else math.nan, n, LEVEL)
    if not math.isfinite(low):
        note = "no interval: one row" if n < 2 else "no interval: the same in every row"
        return Estimate(value=mean, n=n, method=method, note=note, assessable=False)
    return Estimate(value=mean, low=max(0.0, low), high=high, n=n, method=method)


def share_columns(found: Attribution) -> list[Estimate] | None:
    """Return each column's share of all absolute attributions; None where there are none at all.

    Notes
    -----
    Delta method over rows for a ratio of two means: influence ``(|a_j| - share * sum |a|) / mean sum |a|``.
    """
    size = np.abs(found.values)
    all_of_it = size.sum(axis=1)
    n, total = all_of_it.size, float(all_of_it.mean())
    if total <= 0:
        return None
    method = "ratio of means, delta method over rows"
    made = []
    for column in size.T:
        share = float(column.mean()) / total
        influence = (column - share * all_of_it) / total
        se = float(influence.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
        if se <= 0:
            made.append(Estimate(value=share, n=n, method=method, note="no interval: the same in every row"))
            continue
        half = normal_quantile(LEVEL) * se
        low, high = max(0.0, share - half), min(1.0, share + half)
        made.append(Estimate(value=share, low=low, high=high, n=n, method=method))
    return made


def noise_of(se: Floats) -> float:
    """Return the 95 % quantile of the mean absolute value where only sampling moves a column.

    Notes
    -----
    Sizes of normal errors have mean ``sqrt(2 / pi) se`` and variance ``(1 - 2 / pi) se^2``.
    """
    mean = math.sqrt(2 / math.pi) * float(se.mean())
    return mean + normal_quantile(0.90) * math.sqrt((1 - 2 / math.pi) * float((se**2).mean()) / se.size)


def measure_completeness(found: Attribution, unit: float) -> Estimate:
    """Return the mean distance of sums from scores in units of `unit`."""
    return mean_over_rows(found.completeness / unit, "mean; Student's interval over rows")
