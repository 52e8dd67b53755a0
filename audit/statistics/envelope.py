"""The least lower and the least upper end of the ratio intervals of all pairs, without solving every pair.

Comes in: counts of groups. Goes out: the two ends of the envelope. Half a million pairs are half a million equations,
and nearly all of them are out of question after one look at the statistic.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .intervals import normal_quantile, score_ratio, score_statistic

Floats = NDArray[np.float64]


def ratio_envelope(k: Floats, n: Floats, level: float) -> tuple[float, float]:
    """Return the least lower end and the least upper end of the ratios of all ordered pairs of groups.

    Parameters
    ----------
    k, n : array, shape [groups]
        Successes and rows, no group empty, at least two groups.
    level : float
        Level of each pair's interval.

    Returns
    -------
    tuple of float
        Low, and high without a cut at 1; high is ``inf`` where nothing bounds it.

    Notes
    -----
    The Miettinen-Nurminen statistic of a pair falls as the ratio grows, so the end of a pair lies below a ratio exactly
    where its statistic there lies below the normal quantile. A pair whose end is known shuts out all others that are
    not below it; the next is the one furthest below.
    """
    first, second = (places.ravel() for places in np.nonzero(~np.eye(len(k), dtype=bool)))
    pairs = (k[first], n[first], k[second], n[second])
    z = normal_quantile(level)
    return _least_end(pairs, z, level, 0), _least_end(pairs, -z, level, 1)


def _least_end(pairs: tuple[Floats, ...], target: float, level: float, end: int) -> float:
    """Return the least of one end over all pairs."""
    k1, n1, k2, n2 = pairs
    if end == 0 and (k1 == 0).any():
        return 0.0
    bounded = k2 > 0 if end == 1 else np.ones(len(k1), bool)
    left = np.flatnonzero(bounded)
    if not len(left):
        return float("inf")
    # a first guess: the pair with the least ratio of smoothed rates
    guess = (k1[left] + 0.5) / (n1[left] + 1) * (n2[left] + 1) / (k2[left] + 0.5)
    place, least = int(left[np.argmin(guess)]), float("inf")
    while True:
        least = min(least, float(score_ratio(k1[place], n1[place], k2[place], n2[place], level)[end]))
        statistic = score_statistic(np.asarray(least * (1 - 1e-12)), *(item[left] for item in pairs))
        below = statistic < target
        below &= left != place
        if not below.any():
            return least
        place = int(left[below][np.argmin(statistic[below])])
        left = left[below]
