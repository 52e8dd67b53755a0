"""How far apart two groups' distributions are, and what the same distance shows by chance.

Comes in: whole counts of two groups over the same ascending places (distinct scores or bins), or their moments. Goes
out: distances; none of them can be 0 by chance, so that each has the 95 % quantile that it shows where there is no
difference, and no interval.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .intervals import normal_quantile

Floats = NDArray[np.float64]
Numbers = NDArray[Any]


def _shares(counts: Numbers) -> Floats:
    counts = np.asarray(counts, float)
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))


def ks_distance(first: Numbers, second: Numbers) -> Floats:
    """Largest difference of two distribution functions (Kolmogorov and Smirnov).

    Parameters
    ----------
    first, second : array of int, shape [..., k]
        Rows of each group at each place, ascending; no group is empty.

    Returns
    -------
    array, shape [...]
        Between 0 and 1.
    """
    gaps = np.cumsum(_shares(first), axis=-1) - np.cumsum(_shares(second), axis=-1)
    return np.asarray(np.abs(gaps).max(axis=-1))


def ks_chance(n_first: int, n_second: int, level: float = 0.95) -> float:
    """Quantile of the Kolmogorov-Smirnov distance of two samples of one continuous distribution, at most 1.

    Notes
    -----
    Limit law of Smirnov (1948), Annals of Mathematical Statistics 19:279; too high, never too low by more than its own
    error, where scores are tied.
    """
    return min(float(special.kolmogi(1 - level)) * float(np.sqrt(1 / n_first + 1 / n_second)), 1.0)


def wasserstein_distance(places: Floats, first: Numbers, second: Numbers) -> Floats:
    """Mean distance that scores would have to move to turn one distribution into the other (order 1).

    Parameters
    ----------
    places : array of float, shape [k]
        Scores, ascending.
    first, second : array of int, shape [..., k]
        Rows of each group at each place; no group is empty.

    Returns
    -------
    array, shape [...]
        In units of the score.

    Notes
    -----
    Vallender (1974): on a line it is the area between the two distribution functions.
    """
    gaps = np.cumsum(_shares(first), axis=-1) - np.cumsum(_shares(second), axis=-1)
    return np.asarray(np.abs(gaps[..., :-1]) @ np.diff(np.asarray(places, float)))


def js_distance(first: Numbers, second: Numbers) -> Floats:
    """Root of the Jensen-Shannon divergence to base 2: 0 for the same shares, 1 for none in common.

    Parameters
    ----------
    first, second : array of int, shape [..., k]
        Rows of each group in each bin; no group is empty.

    Notes
    -----
    Lin (1991), IEEE Transactions on Information Theory 37:145; Endres and Schindelin (2003) for the root.
    """
    p, q = _shares(first), _shares(second)
    middle = (p + q) / 2
    divergence = (special.rel_entr(p, middle) + special.rel_entr(q, middle)).sum(axis=-1) / 2 / np.log(2)
    return np.asarray(np.sqrt(np.clip(divergence, 0.0, 1.0)))


def population_stability(first: Numbers, second: Numbers) -> Floats:
    """Return the population stability index of two samples over the same bins: 0 for the same shares, no upper end.

    Parameters
    ----------
    first, second : array of int, shape [..., k]
        Rows of each sample in each bin; no sample is empty.

    Notes
    -----
    ``sum (p - q) log(p / q)``, the symmetrised Kullback-Leibler divergence (Jeffreys 1946), known under this name from
    credit scoring (Siddiqi 2006). Half a row is added to every bin, so that an empty one does not make it infinite.
    """
    p, q = _shares(np.asarray(first, float) + 0.5), _shares(np.asarray(second, float) + 0.5)
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))


def pool_places(counts: Numbers, most: int) -> NDArray[np.int64]:
    """Return a coarser place for each place: at most `most` of them, of about equal rows, in the same order.

    Parameters
    ----------
    counts : array of int, shape [k]
        Rows at each place.
    """
    middle = np.cumsum(counts) - np.asarray(counts, float) / 2
    wanted = np.minimum((middle * most / np.sum(counts)).astype(np.int64), most - 1)
    return np.unique(wanted, return_inverse=True)[1].astype(np.int64)


def draw_splits(pooled: Numbers, size: int, draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Deal the pooled rows at random into a group of `size` rows and the rest: a permutation of who belongs to whom.

    Parameters
    ----------
    pooled : array of int, shape [k]
        Rows of both groups at each place.
    size : int
        Rows of the group.
    draws : int
        How often.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    array of int, shape [draws, k]
        Rows of the group at each place; the rest is ``pooled`` less these.
    """
    # NumPy's generator wants fewer than 10^9 rows: beyond, the draw with replacement is the same to the ninth digit
    pooled = np.asarray(pooled, np.int64)
    if pooled.sum() >= 10**9:
        return np.asarray(rng.multinomial(size, pooled / pooled.sum(), draws))
    return np.asarray(rng.multivariate_hypergeometric(pooled, size, draws, method="marginals"))


class MeanGap(NamedTuple):
    """Two means and what their difference rests on."""

    first: tuple[float, float, int]
    """Mean, sample variance and rows of the first group."""
    second: tuple[float, float, int]
    """The same of the second."""

    @property
    def difference(self) -> float:
        """First mean minus second."""
        return self.first[0] - self.second[0]

    @property
    def se(self) -> float:
        """Standard error of the difference, variances not assumed equal."""
        (_, a, n), (_, b, m) = self
        return float(np.sqrt(a / n + b / m))

    @property
    def freedom(self) -> float:
        """Welch's degrees of freedom."""
        (_, a, n), (_, b, m) = self
        return (a / n + b / m) ** 2 / ((a / n) ** 2 / (n - 1) + (b / m) ** 2 / (m - 1))

    @property
    def pooled_deviation(self) -> float:
        """Pooled standard deviation."""
        (_, a, n), (_, b, m) = self
        return float(np.sqrt(((n - 1) * a + (m - 1) * b) / (n + m - 2)))


def welch_interval(gap: MeanGap, level: float = 0.95) -> tuple[float, float]:
    """Interval of a difference of two means; NaN where nothing varies or a group has fewer than two rows.

    Notes
    -----
    Welch (1947), Biometrika 34:28.
    """
    if not _varies(gap):
        return float("nan"), float("nan")
    half = float(special.stdtrit(gap.freedom, 0.5 + level / 2)) * gap.se
    return gap.difference - half, gap.difference + half


def welch_test(gap: MeanGap) -> tuple[float, float]:
    """Return Welch's t of equal means and its two-sided p; NaN where nothing varies."""
    if not _varies(gap):
        return float("nan"), float("nan")
    t = gap.difference / gap.se
    return t, float(2 * special.stdtr(gap.freedom, -abs(t)))


def _varies(gap: MeanGap) -> bool:
    return min(gap.first[2], gap.second[2]) >= 2 and gap.se > 0


def standardized_difference(gap: MeanGap, level: float = 0.95) -> tuple[float, float, float]:
    """Difference of two means in pooled standard deviations (Cohen's d), with its interval.

    Returns
    -------
    tuple of float
        Value, low, high; NaN where the scores do not vary.

    Notes
    -----
    Large-sample variance ``(n + m)/(n m) + d^2 / (2 (n + m))``: Hedges and Olkin (1985), Statistical Methods for
    Meta-Analysis, section 5.B.
    """
    n, m = gap.first[2], gap.second[2]
    if not _varies(gap):
        return float("nan"), float("nan"), float("nan")
    d = gap.difference / gap.pooled_deviation
    half = normal_quantile(level) * float(np.sqrt((n + m) / (n * m) + d * d / (2 * (n + m))))
    return d, d - half, d + half
