"""Rates of small groups, drawn towards the others: a beta prior fitted to all groups.

Comes in: whole counts of groups. Goes out: the prior of largest marginal likelihood. A description, never a verdict:
it trades a group's own number for a better guess on average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
_LEAST, _MOST = np.log(1e-2), np.log(1e7)
_GRID, _GOLDEN_STEPS, _NEWTON_STEPS = 41, 60, 60
_NO_GAIN = 1e-6
"""Log-likelihood per group by which a spread must beat none."""
_GOLDEN = (5**0.5 - 1) / 2


class BetaPrior(NamedTuple):
    """Distribution of the groups' rates."""

    mean: float
    """Mean rate."""
    strength: float
    """Sum of the two parameters: people that the prior counts for; ``inf`` where the groups differ no more than chance
    makes them."""

    def posterior(self, k: int, n: int, level: float = 0.95) -> tuple[float, float, float]:
        """Return mean and equal-tailed interval of a group's rate; no interval (NaN) under an infinite strength."""
        if not np.isfinite(self.strength):
            return self.mean, float("nan"), float("nan")
        a, b = self.mean * self.strength + k, (1 - self.mean) * self.strength + n - k
        tail = (1 - level) / 2
        return a / (a + b), float(special.betaincinv(a, b, tail)), float(special.betaincinv(a, b, 1 - tail))


def beta_binomial_loglik(mean: float, strength: float, k: Floats, n: Floats) -> float:
    """Return the logarithm of the marginal likelihood of the counts, without the binomial coefficients."""
    a, b = mean * strength, (1 - mean) * strength
    return float((special.betaln(k + a, n - k + b) - special.betaln(a, b)).sum())


def fit_beta_binomial(counts: Sequence[tuple[int, int]]) -> BetaPrior | None:
    """Fit a beta prior to the rates of several groups by marginal likelihood.

    Parameters
    ----------
    counts : sequence of (k, n)
        Successes and rows of each group; empty groups say nothing.

    Returns
    -------
    BetaPrior or None
        None below three groups with people, or where nobody or everybody succeeds.

    Notes
    -----
    Empirical Bayes; Efron and Morris (1975), JASA 70:311; Morris (1983), JASA 78:47. The strength is found on a grid
    and by golden section, the mean for each strength by safeguarded Newton steps.
    """
    k, n = np.asarray([count for count in counts if count[1] > 0], float).reshape(-1, 2).T
    if len(n) < 3 or not 0 < k.sum() < n.sum():
        return None

    def profile(log_strength: float) -> float:
        strength = float(np.exp(log_strength))
        return beta_binomial_loglik(_best_mean(strength, k, n), strength, k, n)

    grid = np.linspace(_LEAST, _MOST, _GRID)
    values = [profile(float(place)) for place in grid]
    best = int(np.argmax(values))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)]
    place = _golden(profile, float(low), float(high))
    pooled = float(k.sum() / n.sum())
    alike = float((special.xlogy(k, pooled) + special.xlog1py(n - k, -pooled)).sum())
    if alike >= profile(place) - _NO_GAIN * len(n):
        return BetaPrior(pooled, float("inf"))
    strength = float(np.exp(place))
    return BetaPrior(_best_mean(strength, k, n), strength)


def _golden(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function of one peak between `low` and `high` is largest."""
    a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    f_a, f_b = function(a), function(b)
    for _ in range(_GOLDEN_STEPS):
        if f_a >= f_b:
            high, b, f_b = b, a, f_a
            a = high - _GOLDEN * (high - low)
            f_a = function(a)
        else:
            low, a, f_a = a, b, f_b
            b = low + _GOLDEN * (high - low)
            f_b = function(b)
    return (low + high) / 2


def _best_mean(strength: float, k: Floats, n: Floats) -> float:
    """Return the mean of largest likelihood for a given strength: the root of a decreasing derivative."""
    low, high = 0.0, 1.0
    mean = float(np.clip(k.sum() / n.sum(), 1e-9, 1 - 1e-9))
    for _ in range(_NEWTON_STEPS):
        a, b = mean * strength, (1 - mean) * strength
        slope = float((special.psi(k + a) - special.psi(a) - special.psi(n - k + b) + special.psi(b)).sum())
        curve = float(
            (special.polygamma(1, k + a) - special.polygamma(1, a)).sum()
            + (special.polygamma(1, n - k + b) - special.polygamma(1, b)).sum()
        )
        low, high = (mean, high) if slope > 0 else (low, mean)
        step = mean - slope / (strength * curve) if curve < 0 else -1.0
        new = step if low < step < high else (low + high) / 2
        if abs(new - mean) < 1e-13:
            return new
        mean = new
    return mean
