"""Differential fairness: how far the probabilities of any outcome lie apart between any two groups, as a logarithm.

Comes in: whole counts of groups. Goes out: an envelope over all pairs of groups and both outcomes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .bounds import NO_ENVELOPE, Envelope, pair_level
from .envelope import ratio_envelope

SMOOTHING = 0.5
"""Added to the people of each outcome: a Dirichlet prior of total concentration 1 over two outcomes."""


def differential_fairness(
    counts: Sequence[tuple[int, int]], level: float = 0.95, smoothing: float = SMOOTHING
) -> Envelope:
    """Return the smallest epsilon for which the smoothed rates are differentially fair.

    Parameters
    ----------
    counts : sequence of (k, n)
        Successes and rows of each group, none of them empty.
    level : float
        Level at which the interval holds for all pairs and both outcomes together.
    smoothing : float
        Added to the successes and to the failures of each group.

    Returns
    -------
    Envelope
        Epsilon, 0 where all groups are alike; `high` is ``inf`` where an outcome was never seen in a group; `worst`
        holds the group less likely to have the outcome first. `pairs` counts both outcomes.

    Notes
    -----
    ``max |log P(y|g) - log P(y|h)|`` over outcomes and pairs, with ``P(y|g) = (k + a) / (n + 2a)``; Foulds, Islam, Keya
    and Pan (2020), An Intersectional Definition of Fairness, equation 7. The interval is the envelope of the
    Miettinen-Nurminen intervals of the (not smoothed) ratios at ``1 - alpha/m``, ``m = G(G-1)``, on the logarithm.
    """
    if len(counts) < 2:
        return NO_ENVELOPE
    k, n = np.asarray(counts, float).T
    family = len(counts) * (len(counts) - 1)
    rates = (k + smoothing) / (n + 2 * smoothing)
    best = NO_ENVELOPE._replace(value=-1.0, low=0.0, high=0.0, pairs=family)
    for hits, rate in ((k, rates), (n - k, 1 - rates)):
        low, high = _log_ends(hits, n, pair_level(level, family))
        best = best._replace(low=max(best.low, low), high=max(best.high, high))
        bottom = int(np.argmin(rate))
        top = int(np.argmax(np.where(np.arange(len(rate)) == bottom, -1.0, rate)))
        value = float(np.log(rate[top] / rate[bottom]))
        if value > best.value:
            best = best._replace(value=value, worst=(bottom, top))
    return best


def _log_ends(k: NDArray[np.float64], n: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Return the ends of the largest absolute logarithm of the ratios of any pair: those of the least ratio, turned."""
    if not k.any():
        return 0.0, math.inf  # an outcome that nobody has says nothing about its ratios
    low, high = ratio_envelope(k, n, level)
    return -math.log(high), -math.log(low) if low > 0 else math.inf


def difference_of_envelopes(first: Envelope, second: Envelope) -> tuple[float, float, float]:
    """Return value, low and high of first minus second, each already at half the error of the whole.

    Parameters
    ----------
    first, second : Envelope
        Two numbers of the same people, whatever their correlation.

    Notes
    -----
    Bonferroni: where both intervals hold, the difference lies between the far ends. Wide, and never wrong more often
    than it says.
    """
    return first.value - second.value, first.low - second.high, first.high - second.low
