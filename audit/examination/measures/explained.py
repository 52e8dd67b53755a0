"""How much of one number others explain: the share of its variance, with an interval that stays below one.

Comes in: squared errors and squared distances from the mean, row by row. Goes out: an `Estimate` of R2. Whether these
are rows that something was fitted on is for the caller to say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, undefined
from audit.statistics.intervals import normal_quantile

Floats = NDArray[np.float64]

LEVEL = 0.95
METHOD = "delta method on log(1 - R2)"
CONSTANT = 1e-24
"""Variance, as a share of the mean square, below which values differ by rounding alone."""


def explained_share(error: Floats, spread: Floats, weights: Floats | None = None, *, alike: str) -> Estimate:
    """Return R2, ``1 - mean(error) / mean(spread)``.

    Parameters
    ----------
    error, spread : ndarray of float64, shape [n]
        Squared error of the account, and squared distance from the mean, of each row.
    weights : ndarray of float64, shape [n], optional
        Row weights, sum one; even where not given.
    alike : str
        What to say where nothing varies.

    Notes
    -----
    Delta method: the rows' influences on ``log(1 - R2)`` are ``error / mean(error) - spread / mean(spread)``. Without
    any error the value is one and has no interval.
    """
    n = error.size
    if n < 3:
        return undefined("fewer than three rows", n=n, method=METHOD)
    w = np.full(n, 1 / n) if weights is None else weights
    mse, variance = float(w @ error), float(w @ spread)
    if variance <= 0:
        return undefined(alike, n=n, method=METHOD)
    if mse <= 0:
        note = "no interval: no difference at all"
        return Estimate(value=1.0, n=n, method=METHOD, note=note, assessable=False)
    influence = error / mse - spread / variance
    centred = influence - float(w @ influence)
    # the divisor n - 1, carried over to weights
    se = float(np.sqrt((w * centred) @ (w * centred) * n / (n - 1)))
    half, ratio = normal_quantile(LEVEL) * se, mse / variance
    low, high = 1 - ratio * float(np.exp(half)), 1 - ratio * float(np.exp(-half))
    if not np.isfinite(low):
        note = "no interval: a few rows make all of the difference"
        return Estimate(value=1 - ratio, n=n, method=METHOD, note=note, assessable=False)
    return Estimate(value=1 - ratio, low=low, high=high, n=n, method=METHOD)
