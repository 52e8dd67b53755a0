"""Differences of two models on the same rows: what pairing takes out of the uncertainty, the interval shows.

Comes in: hits, scores or errors of two models row by row. Goes out: the difference first minus second as an `Estimate`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, undefined
from audit.statistics.auc import auc_delong_paired
from audit.statistics.intervals import normal_quantile

Floats = NDArray[np.float64]

LEVEL = 0.95


def paired_share_gap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Estimate:
    """Return the difference of two shares of the same rows.

    Parameters
    ----------
    first, second : ndarray of bool, shape [m]
        Whether each model is right.

    Notes
    -----
    Wald's interval after half a row is added to each of the four cells (Agresti and Min 2005, Statistics in Medicine
    24:729), which holds its level where few rows differ.
    """
    n = first.size
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    value = (only_first - only_second) / n
    b, c, total = only_first + 0.5, only_second + 0.5, n + 2.0
    centre = (b - c) / total
    half = normal_quantile(LEVEL) * float(np.sqrt((b + c) - (b - c) ** 2 / total)) / total
    low, high = max(-1.0, min(centre - half, value)), min(1.0, max(centre + half, value))
    return Estimate(value=value, low=low, high=high, n=n, method="paired shares, Agresti-Min interval")


def paired_auc_gap(first: Floats, second: Floats, label: Floats) -> Estimate:
    """Return the difference of two areas under the ROC curve, by paired DeLong.

    Parameters
    ----------
    first, second : ndarray of float64, shape [m]
        Scores.
    label : ndarray of float64, shape [m]
        1 or 0.
    """
    method = "paired DeLong"
    pair = auc_delong_paired(first, second, label)
    if not np.isfinite(pair.difference):
        return undefined("fewer than two rows of a class", n=label.size, method=method)
    if pair.se == 0:
        note = "no interval: both models order every pair of rows alike"
        return Estimate(value=pair.difference, n=label.size, method=method, note=note, assessable=False)
    half = normal_quantile(LEVEL) * pair.se
    return Estimate(
        value=pair.difference, low=pair.difference - half, high=pair.difference + half, n=label.size, method=method
    )


def paired_rmse_gap(first: Floats, second: Floats) -> Estimate:
    """Return the difference of two root mean squares of the same rows, delta method on paired rows."""
    a, b = float(np.sqrt(np.mean(first**2))), float(np.sqrt(np.mean(second**2)))
    method = "paired delta method"
    if first.size < 2 or a == 0 or b == 0:
        return Estimate(
            value=a - b, n=first.size, method=method, note="no interval: a model makes no error", assessable=False
        )
    influence = first**2 / (2 * a) - second**2 / (2 * b)
    half = normal_quantile(LEVEL) * float(influence.std(ddof=1)) / float(np.sqrt(first.size))
    return Estimate(value=a - b, low=a - b - half, high=a - b + half, n=first.size, method=method)
