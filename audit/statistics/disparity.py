"""Conditional demographic disparity: how a group's share among the rejected differs from that among the accepted.

Comes in: people by stratum and group, decided favourably and unfavourably. Goes out: one number per group, and its
interval by the multinomial bootstrap of the cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bootstrap import DRAWS, resample_cells

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_CHUNK = 2_000_000
"""Cells of resampled tables held at once."""
_FEWEST_DEFINED = 0.99
"""Share of the resampled tables in which the number must be defined."""


def conditional_disparity(favourable: Floats | Whole, unfavourable: Floats | Whole) -> Floats:
    """Conditional demographic disparity of every group.

    Parameters
    ----------
    favourable, unfavourable : ndarray, shape [..., strata, groups]
        People decided favourably and unfavourably.

    Returns
    -------
    ndarray of float64, shape [..., groups]
        Over the strata in which both decisions occur, weighted by their people: share of the group among those decided
        unfavourably minus its share among those decided favourably. NaN where there is no such stratum.

    Notes
    -----
    Wachter, Mittelstadt and Russell (2021), Computer Law and Security Review 41:105567.
    """
    accepted, rejected = favourable.sum(axis=-1, keepdims=True), unfavourable.sum(axis=-1, keepdims=True)
    mixed = (accepted > 0) & (rejected > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        disparity = np.where(mixed, unfavourable / rejected - favourable / accepted, 0.0)
        weight = np.where(mixed, accepted + rejected, 0.0)
        return np.asarray((disparity * weight).sum(axis=-2) / weight.sum(axis=-2))


def conditional_disparity_bounds(
    favourable: Whole, unfavourable: Whole, rng: np.random.Generator, level: float = 0.95, draws: int = DRAWS
) -> tuple[Floats, Floats]:
    """Interval of the conditional demographic disparity of every group.

    Parameters
    ----------
    favourable, unfavourable : ndarray of int, shape [strata, groups]
        People decided favourably and unfavourably.
    rng : numpy.random.Generator
        Source of chance.
    level : float
        Two-sided level.
    draws : int
        Resamples.

    Returns
    -------
    tuple of ndarray, each of shape [groups]
        Low and high; NaN where there is no disparity to speak of, where it is undefined for more than one resample in a
        hundred, or where all resamples agree (no interval of zero width is given).

    Notes
    -----
    Basic bootstrap interval (Davison and Hinkley 1997, section 5.2), cut at -1 and 1.
    """
    cells = np.stack([favourable, unfavourable]).astype(np.int64)
    point, step, drawn = conditional_disparity(cells[0], cells[1]), max(1, _CHUNK // cells.size), []
    for start in range(0, draws, step):
        tables = resample_cells(cells, min(step, draws - start), rng)
        drawn.append(conditional_disparity(tables[:, 0], tables[:, 1]))
    values = np.concatenate(drawn)
    known = np.isfinite(values)
    usable = np.isfinite(point) & (known.mean(axis=0) >= _FEWEST_DEFINED)
    low, high = np.full_like(point, np.nan), np.full_like(point, np.nan)
    for place in np.flatnonzero(usable).tolist():
        least, most = np.quantile(values[known[:, place], place], [(1 - level) / 2, (1 + level) / 2])
        if least < most:
            low[place], high[place] = max(2 * point[place] - most, -1.0), min(2 * point[place] - least, 1.0)
    return low, high
