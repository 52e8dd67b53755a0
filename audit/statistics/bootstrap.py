"""Resampled tables of counts: the multinomial bootstrap of a smooth statistic.

Comes in: a table of counts and a statistic of it. Goes out: an interval. Drawing whole tables is the same as drawing
rows with replacement, at a cost that does not depend on the rows. It is for smooth signed statistics alone: a maximum
over groups or an absolute value never contains parity when it is resampled. A length is resampled as the distance of
vectors instead.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
_KNOWN = 0.99
"""Share of draws for which a statistic must be defined."""
_NOTHING = (float("nan"), float("nan"))
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


def bootstrap_length(
    counts: NDArray[np.int64],
    vector: Callable[[NDArray[np.int64]], Floats],
    draws: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return an interval of the length of a vector that a table gives, honest where the true length is 0.

    Parameters
    ----------
    counts : array of int, shape [...]
        People of each cell.
    vector : callable
        Takes tables of shape ``[draws, ...]``, returns vectors of shape ``[draws, size]``, smooth in the shares.
    draws, rng, level
        As for `bootstrap_cells`.

    Returns
    -------
    tuple of float
        Low, not below 0, and high; NaN where `bootstrap_cells` gives none.

    Notes
    -----
    The length of resampled vectors is pushed away from 0 and covers parity never or by luck. Their distance to the
    observed vector has no such bias: with `r` its quantile, the true vector lies within `r`, and by the triangle
    inequality its length between ``|v| - r`` and ``|v| + r``. Exact in the limit for two groups, wider for more.
    """
    if not np.sum(counts):
        return _NOTHING
    observed = np.asarray(vector(np.asarray(counts)[None]), float)[0]
    distances = np.linalg.norm(np.asarray(vector(_draw(counts, draws, rng)), float) - observed, axis=-1)
    known = distances[np.isfinite(distances)]
    if not np.isfinite(observed).all() or len(known) < _KNOWN * draws or np.ptp(known) == 0:
        return _NOTHING
    length, radius = float(np.linalg.norm(observed)), float(np.quantile(known, level))
    return max(length - radius, 0.0), length + radius


def _draw(counts: NDArray[np.int64], draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return resampled tables, shape [draws, ...]."""
    cells = np.asarray(counts, np.int64)
    total = int(cells.sum())
    return rng.multinomial(total, cells.ravel() / total, size=draws).reshape(draws, *cells.shape)
