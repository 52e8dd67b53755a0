"""Adjustment of p-values for many looks.

Comes in: p-values of one family. Goes out: adjusted ones in the same order, comparable with the level directly. Holm
where a claim of harm rests on them, Benjamini and Hochberg for exploration that is labelled so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def holm(p: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down adjustment (family-wise error).

    Parameters
    ----------
    p : array
        p-values, shape [m]; NaN stays NaN and is no member of the family.

    Returns
    -------
    array
        Adjusted p-values, shape [m].

    Notes
    -----
    Holm (1979), Scandinavian Journal of Statistics 6:65.
    """
    values, known = _family(p)
    m = len(values)
    order = np.argsort(values, kind="stable")
    steps = np.minimum(np.maximum.accumulate(values[order] * (m - np.arange(m))), 1.0)
    return _put_back(np.asarray(p, float), known, order, steps)


def benjamini_hochberg(p: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini and Hochberg's step-up adjustment (false discovery rate).

    Parameters
    ----------
    p : array
        p-values, shape [m]; NaN stays NaN and is no member of the family.

    Returns
    -------
    array
        Adjusted p-values, shape [m].

    Notes
    -----
    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57:289.
    """
    values, known = _family(p)
    m = len(values)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * m / np.arange(1, m + 1)
    steps = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return _put_back(np.asarray(p, float), known, order, steps)


def _family(p: Sequence[float] | NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the known p-values and their places."""
    array = np.asarray(p, float)
    known = np.flatnonzero(~np.isnan(array))
    return array[known], known


def _put_back(
    p: NDArray[np.float64], known: NDArray[np.intp], order: NDArray[np.intp], steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return adjusted values in the original order."""
    out = np.full(p.shape, np.nan)
    out[known[order]] = steps
    return out
