"""Resampled tables of counts: the multinomial bootstrap of a smooth statistic.

Comes in: a table of counts and a statistic of it. Goes out: an interval. Drawing whole tables is the same as drawing
rows with replacement, at a cost that does not depend on the rows. It is for smooth signed statistics alone: a maximum
over groups or an absolute value never contains parity when it is resampled.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
Floats = NDArray[np.float64]


def resample_cells(counts: NDArray[np.int64], draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return tables of as many people, drawn anew with replacement.

    Parameters
    ----------
    counts : array of int, shape [...]
        People of each cell.
    draws : int
        Tables drawn.
    rng : numpy.random.Generator
        Draws them.

    Returns
    -------
    array of int, shape [draws, ...]

    Notes
    -----
    The cells of a bootstrap sample of rows are multinomial with the observed shares; Davison and Hinkley (1997),
    section 2.2.
    """
    total = int(counts.sum())
    if total == 0:
        return np.zeros((draws, *counts.shape), np.int64)
    return rng.multinomial(total, counts.ravel() / total, size=draws).reshape(draws, *counts.shape)


def bootstrap_cells(
    counts: NDArray[np.int64],
    statistic: Callable[[NDArray[np.int64]], Floats],
    draws: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the basic bootstrap interval of a statistic of a table.

    Parameters
    ----------
    counts : array of int, shape [...]
        People of each cell.
    statistic : callable
        Takes tables of shape ``[draws, ...]``, returns one number each, shape ``[draws]``.
    draws : int
        Tables drawn.
    rng : numpy.random.Generator
        Draws them.
    level : float
        Two-sided confidence level.

    Returns
    -------
    tuple of float
        Low and high; NaN where nobody is counted, the statistic is undefined for the table itself or for more than one
        draw in a hundred, or all draws give the same (no interval of zero width is given).

    Notes
    -----
    Basic (reflected) interval ``[2 t - q(1 - a/2), 2 t - q(a/2)]``; Davison and Hinkley (1997), Bootstrap Methods and
    their Application, section 5.2.1.
    """
    counts = np.asarray(counts, np.int64)
    total = int(counts.sum())
    nothing = (float("nan"), float("nan"))
    if total == 0:
        return nothing
    observed = float(statistic(counts[None])[0])
    values = np.asarray(statistic(resample_cells(counts, draws, rng)), float)
    known = values[np.isfinite(values)]
    if not np.isfinite(observed) or len(known) < 0.99 * draws or np.ptp(known) == 0:
        return nothing
    tail = (1 - level) / 2
    least, most = np.quantile(known, [tail, 1 - tail])
    return 2 * observed - float(most), 2 * observed - float(least)
