"""Odds of two groups beside each other: score interval of their ratio, and the worst ratio over all pairs.

Comes in: whole counts. Goes out: the two ends of an interval, or an envelope over all pairs of groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .bounds import NO_ENVELOPE, Envelope, pair_level
from .intervals import normal_quantile

Floats = NDArray[np.float64]
_STEPS = 60
_LOG_RANGE = 40.0


def score_odds_ratio(k1: Floats, n1: Floats, k2: Floats, n2: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Miettinen and Nurminen's score interval of the odds ratio of two independent groups.

    Parameters
    ----------
    k1, n1, k2, n2 : array, shape [pairs]
        Successes and trials; the odds are ``k / (n - k)``.

    Returns
    -------
    tuple of array
        Low, 0 where nothing bounds it from below, and high, ``inf`` where nothing bounds it from above; NaN where a
        group is empty.

    Notes
    -----
    Miettinen and Nurminen (1985), Statistics in Medicine 4:213, section on odds ratios: restricted maximum likelihood
    in closed form, variance times N/(N-1), solved by bisection on the logarithm.
    """
    k1, n1, k2, n2 = np.broadcast_arrays(*(np.asarray(item, float) for item in (k1, n1, k2, n2)))
    empty = (n1 <= 0) | (n2 <= 0)
    counts = (k1, np.where(empty, 1.0, n1), k2, np.where(empty, 1.0, n2))
    z = normal_quantile(level)
    low = np.where((k1 == 0) | (k2 == n2), 0.0, _solve(z, *counts))
    high = np.where((k1 == n1) | (k2 == 0), np.inf, _solve(-z, *counts))
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def _solve(target: float, k1: Floats, n1: Floats, k2: Floats, n2: Floats) -> Floats:
    """Bisect the decreasing score statistic for the odds ratio at which it equals `target`."""
    low, high = np.full(k1.shape, -_LOG_RANGE), np.full(k1.shape, _LOG_RANGE)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        above = _statistic(np.exp(middle), k1, n1, k2, n2) > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray(np.exp((low + high) / 2))


def _statistic(odds: Floats, k1: Floats, n1: Floats, k2: Floats, n2: Floats) -> Floats:
    """Return the score statistic of an odds ratio; the restricted rates solve a quadratic equation."""
    total, successes = n1 + n2, k1 + k2
    b = n1 * odds + n2 - successes * (odds - 1)
    root = np.sqrt(b * b + 4 * n2 * (odds - 1) * successes)
    p2 = np.clip(2 * successes / (b + root), 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        p1 = np.clip(p2 * odds / (1 - p2 + p2 * odds), 0.0, 1.0)
        distance = k1 - n1 * p1
        spread = (1 / (n1 * p1 * (1 - p1)) + 1 / (n2 * p2 * (1 - p2))) * (total - 1) / total
        statistic = distance * np.sqrt(spread)
    return np.asarray(np.where(np.isfinite(statistic), statistic, 0.0))


def worst_odds_ratio(counts: Sequence[tuple[int, int]], level: float = 0.95) -> Envelope:
    """Smallest ratio of the odds ``k / (n - k)`` of any two groups.

    Parameters
    ----------
    counts : sequence of (k, n)
        Successes and rows of each group, with ``k < n``.

    Returns
    -------
    Envelope
        NaN where there are fewer than two groups or all odds are 0; never above 1.

    Notes
    -----
    Envelope of the score intervals of all pairs at ``1 - alpha/m``, ``m = G(G-1)/2``, cut at 1.
    """
    if len(counts) < 2 or not any(k for k, _ in counts):
        return NO_ENVELOPE
    k, n = np.asarray(counts, float).T
    first, second = np.triu_indices(len(counts), 1)
    low, high = score_odds_ratio(k[first], n[first], k[second], n[second], pair_level(level, len(first)))
    with np.errstate(divide="ignore"):
        both_low, both_high = np.minimum(low, 1 / high), np.minimum(high, 1 / low)
    odds = k / (n - k)
    bottom = int(np.argmin(odds))
    top = int(np.argmax(np.where(np.arange(len(odds)) == bottom, -1.0, odds)))
    value = float(odds[bottom] / odds[top])
    return Envelope(value, float(both_low.min()), float(min(both_high.min(), 1.0)), len(first), (bottom, top))
