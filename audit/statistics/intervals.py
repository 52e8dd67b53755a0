"""Confidence intervals with closed or quickly solved forms.

Comes in: counts and moments, as plain numbers or as arrays of one shape. Goes out: the two ends of an interval, NaN
where there is nothing to say. Intervals are chosen for honest coverage on small counts (Wilson, Newcombe, score), never
for ease.
"""

from __future__ import annotations

from itertools import count
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Numbers = NDArray[Any]
Bounds = tuple[float, float]

_RATIO_LOG_RANGE = 34.0
_RATIO_STEPS = 40
_RATIO_PRECISION = 1e-13


def _plain(low: Floats, high: Floats) -> tuple[Any, Any]:
    """Return Python floats for scalars and arrays for arrays."""
    if np.ndim(low) == 0:
        return float(low), float(high)
    return low, high


def normal_quantile(level: float) -> float:
    """Return the two-sided standard normal quantile, e.g. 1.96 for 0.95."""
    return float(special.ndtri(0.5 + level / 2))


@overload
def wilson(k: float, n: float, level: float = 0.95) -> Bounds: ...
@overload
def wilson(k: Numbers, n: Numbers, level: float = 0.95) -> tuple[Floats, Floats]: ...
def wilson(k: Any, n: Any, level: float = 0.95) -> Any:
    """Wilson's score interval of a proportion.

    Parameters
    ----------
    k, n : float or array
        Successes and trials; may be fractions (effective sizes).
    level : float
        Two-sided confidence level.

    Returns
    -------
    tuple
        Low and high; NaN where `n` is not positive.

    Notes
    -----
    Wilson (1927), JASA 22:209.
    """
    k, n = np.asarray(k, float), np.asarray(n, float)
    z = normal_quantile(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(n > 0, k / n, np.nan)
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = np.where(k == 0, np.where(n > 0, 0.0, np.nan), np.maximum(centre - half, 0.0))
    high = np.where(k == n, np.where(n > 0, 1.0, np.nan), np.minimum(centre + half, 1.0))
    return _plain(low, high)


@overload
def clopper_pearson(k: float, n: float, level: float = 0.95) -> Bounds: ...
@overload
def clopper_pearson(k: Numbers, n: Numbers, level: float = 0.95) -> tuple[Floats, Floats]: ...
def clopper_pearson(k: Any, n: Any, level: float = 0.95) -> Any:
    """Clopper and Pearson's exact interval of a proportion (coverage never below the level).

    Parameters
    ----------
    k, n : float or array
        Successes and trials.

    Returns
    -------
    tuple
        Low and high; NaN where `n` is not positive.

    Notes
    -----
    Clopper and Pearson (1934), Biometrika 26:404, by quantiles of the beta distribution.
    """
    k, n = np.asarray(k, float), np.asarray(n, float)
    tail = (1 - level) / 2
    low = np.where(k > 0, special.betaincinv(np.maximum(k, 1e-300), n - k + 1, tail), 0.0)
    high = np.where(k < n, special.betaincinv(k + 1, np.maximum(n - k, 1e-300), 1 - tail), 1.0)
    empty = n <= 0
    return _plain(np.where(empty, np.nan, low), np.where(empty, np.nan, high))


@overload
def square_and_add(
    first: tuple[float, float, float], second: tuple[float, float, float], correlation: float = 0.0
) -> Bounds: ...
@overload
def square_and_add(
    first: tuple[Floats, Floats, Floats], second: tuple[Floats, Floats, Floats], correlation: float = 0.0
) -> tuple[Floats, Floats]: ...
def square_and_add(first: Any, second: Any, correlation: float = 0.0) -> Any:
    """Interval of the difference of two estimates from their own intervals (MOVER).

    Parameters
    ----------
    first, second : tuple
        Value, low, high of each; the difference is first minus second.
    correlation : float
        Correlation of the two estimates; 0 for independent groups.

    Notes
    -----
    Zou and Donner (2008), Statistics in Medicine 27:1693.
    """
    (a, a_low, a_high), (b, b_low, b_high) = first, second
    difference = np.asarray(a, float) - b
    return _plain(
        difference - _third_side(np.subtract(a, a_low), np.subtract(b_high, b), correlation),
        difference + _third_side(np.subtract(a_high, a), np.subtract(b, b_low), correlation),
    )


def _third_side(a: Floats, b: Floats, correlation: float) -> Floats:
    """Return ``sqrt(a^2 + b^2 - 2 r a b)``."""
    return np.asarray(np.sqrt(np.maximum(a * a + b * b - 2 * correlation * a * b, 0.0)))


@overload
def newcombe_difference(k1: float, n1: float, k2: float, n2: float, level: float = 0.95) -> Bounds: ...
@overload
def newcombe_difference(
    k1: Numbers, n1: Numbers, k2: Numbers, n2: Numbers, level: float = 0.95
) -> tuple[Floats, Floats]: ...
def newcombe_difference(k1: Any, n1: Any, k2: Any, n2: Any, level: float = 0.95) -> Any:
    """Newcombe's hybrid score interval of the difference ``k1/n1 - k2/n2``.

    Returns
    -------
    tuple
        Low and high; NaN where a group is empty.

    Notes
    -----
    Newcombe (1998), Statistics in Medicine 17:873, method 10; without continuity correction.
    """
    k1, n1, k2, n2 = (np.asarray(item, float) for item in (k1, n1, k2, n2))
    with np.errstate(divide="ignore", invalid="ignore"):
        p1, p2 = np.where(n1 > 0, k1 / n1, np.nan), np.where(n2 > 0, k2 / n2, np.nan)
    low1, high1 = wilson(k1, n1, level)
    low2, high2 = wilson(k2, n2, level)
    low, high = square_and_add((p1, np.asarray(low1), np.asarray(high1)), (p2, np.asarray(low2), np.asarray(high2)))
    return _plain(np.maximum(low, -1.0), np.minimum(high, 1.0))


def score_statistic(theta: Floats, k1: Floats, n1: Floats, k2: Floats, n2: Floats) -> Floats:
    """Return the score statistic of ``p1 = theta p2`` with the restricted maximum likelihood in closed form.

    Parameters
    ----------
    theta : array
        Hypothetical ratios; the statistic falls as they grow.
    k1, n1, k2, n2 : array
        Successes and trials, no group empty.
    """
    total = n1 + n2
    b = theta * (n1 + k2) + k1 + n2
    c = k1 + k2
    root = np.sqrt(np.maximum(b * b - 4 * total * theta * c, 0.0))
    p2 = np.clip(2 * c / (b + root), 0.0, 1.0)
    p1 = np.clip(theta * p2, 0.0, 1.0)
    variance = (p1 * (1 - p1) / n1 + theta * theta * p2 * (1 - p2) / n2) * total / np.maximum(total - 1, 1)
    distance = k1 / n1 - theta * k2 / n2
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = distance / np.sqrt(variance)
    return np.asarray(np.where(variance > 0, statistic, np.where(distance == 0, 0.0, np.copysign(np.inf, distance))))


def _solve_ratio(target: Floats, k1: Floats, n1: Floats, k2: Floats, n2: Floats) -> Floats:
    """Find the ratio at which the decreasing score statistic equals `target`, for all elements at once.

    Notes
    -----
    Chandrupatla (1997), Advances in Engineering Software 28:145, on the logarithm of the ratio: bisection that turns to
    inverse quadratic interpolation where that is safe. An element that has converged is left alone, so that its result
    does not depend on its neighbours.
    """
    given = np.broadcast_arrays(target, k1, n1, k2, n2)
    shape, problem = given[0].shape, np.array([item.ravel() for item in given])

    def surplus(place: Floats) -> Floats:
        return np.asarray(score_statistic(np.exp(place), *problem[1:]) - problem[0], np.float64)

    out, left = np.empty(problem.shape[1]), np.arange(problem.shape[1])
    a, b, t = np.full(len(left), _RATIO_LOG_RANGE), np.full(len(left), -_RATIO_LOG_RANGE), np.full(len(left), 0.5)
    f_a, f_b = surplus(a), surplus(b)
    for step in count():
        middle = a + t * (b - a)
        f_middle = surplus(middle)
        same = (f_middle > 0) == (f_a > 0)
        c, f_c = np.where(same, a, b), np.where(same, f_a, f_b)
        b, f_b = np.where(same, b, a), np.where(same, f_b, f_a)
        a, f_a = middle, f_middle
        width = np.abs(b - a)
        open_ = (width > _RATIO_PRECISION) & (f_a != 0)
        if not open_.all():
            out[left[~open_]] = np.where(np.abs(f_a) <= np.abs(f_b), a, b)[~open_]
            a, f_a, b, f_b, c, f_c, width, left = (item[open_] for item in (a, f_a, b, f_b, c, f_c, width, left))
            problem = problem[:, open_]
        if not len(left):
            break
        # where the statistic is flat the interpolation would creep; halving then ends it within the same again
        least = np.full_like(width, 0.5) if step >= _RATIO_STEPS else _RATIO_PRECISION / 2 / width
        t = _next_step((a, f_a), (b, f_b), (c, f_c), least)
    return np.asarray(np.exp(out).reshape(shape))


def _next_step(
    newest: tuple[Floats, Floats], other: tuple[Floats, Floats], last: tuple[Floats, Floats], least: Floats
) -> Floats:
    """Return where between the newest point (0) and the other end of its bracket (1) to look next."""
    (a, f_a), (b, f_b), (c, f_c) = newest, other, last
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        xi, phi = (a - b) / (c - b), (f_a - f_b) / (f_c - f_b)
        safe = (phi * phi < xi) & ((1 - phi) ** 2 < 1 - xi)
        t = f_a / (f_b - f_a) * f_c / (f_b - f_c) + (c - a) / (b - a) * f_a / (f_c - f_a) * f_b / (f_c - f_b)
    return np.clip(np.where(safe & np.isfinite(t), t, 0.5), least, 1 - least)


@overload
def score_ratio(k1: float, n1: float, k2: float, n2: float, level: float = 0.95) -> Bounds: ...
@overload
def score_ratio(k1: Numbers, n1: Numbers, k2: Numbers, n2: Numbers, level: float = 0.95) -> tuple[Floats, Floats]: ...
def score_ratio(k1: Any, n1: Any, k2: Any, n2: Any, level: float = 0.95) -> Any:
    """Miettinen and Nurminen's score interval of the ratio ``(k1/n1) / (k2/n2)``.

    Parameters
    ----------
    k1, n1, k2, n2 : float or array
        Successes and trials of the two independent groups.

    Returns
    -------
    tuple
        Low and high; high is ``inf`` where `k2` is 0; NaN where a group is empty.

    Notes
    -----
    Miettinen and Nurminen (1985), Statistics in Medicine 4:213: restricted maximum likelihood in closed form, variance
    times N/(N-1), solved on the logarithm, all pairs at once.
    """
    k1, n1, k2, n2 = np.broadcast_arrays(*(np.asarray(item, float) for item in (k1, n1, k2, n2)))
    empty = (n1 <= 0) | (n2 <= 0)
    safe1, safe2 = np.where(empty, 1.0, n1), np.where(empty, 1.0, n2)
    z = normal_quantile(level)
    targets = np.array([z, -z]).reshape(2, *[1] * k1.ndim)
    ends = _solve_ratio(targets, k1, safe1, k2, safe2)
    low, high = np.where(k1 == 0, 0.0, ends[0]), np.where(k2 == 0, np.inf, ends[1])
    return _plain(np.where(empty, np.nan, low), np.where(empty, np.nan, high))


def ratio_statistic(group: tuple[float, float], reference: tuple[float, float], ratio: float) -> float:
    """Return the score statistic (standard deviations) of the hypothesis that two rates stand in a given ratio.

    Parameters
    ----------
    group, reference : (k, n)
        Successes and trials, not empty.
    ratio : float
        Hypothetical ratio of the group's rate to the reference's; positive results speak for a larger one.

    Notes
    -----
    The statistic that `score_ratio` inverts: the interval's low end is at least `ratio` where it is at least the normal
    quantile of the level.
    """
    counts = (np.asarray(item, float) for item in (*group, *reference))
    return float(score_statistic(np.asarray(ratio, float), *counts))


def mean_interval(mean: float, variance: float, n: float, level: float = 0.95) -> Bounds:
    """Student's interval of a mean.

    Parameters
    ----------
    mean, variance : float
        Sample mean and sample variance (divisor n - 1).
    n : float
        Rows (effective rows for weighted means).

    Returns
    -------
    tuple
        Low and high; NaN where `n` is below 2 or the variance is not positive (no interval of zero width is given).
    """
    if not (n >= 2 and np.isfinite(mean) and np.isfinite(variance) and variance > 0):
        return float("nan"), float("nan")
    half = float(special.stdtrit(n - 1, 0.5 + level / 2)) * float(np.sqrt(variance / n))
    return mean - half, mean + half


def logit_interval(value: float, se: float, level: float = 0.95) -> Bounds:
    """Interval of a number between 0 and 1, symmetric on the log-odds scale (for the AUC).

    Parameters
    ----------
    value : float
        The estimate.
    se : float
        Its standard error on its own scale.

    Returns
    -------
    tuple
        Low and high; NaN where `value` is 0 or 1 or `se` is not positive: there is then no honest interval.

    Notes
    -----
    Delta method; Pepe (2003), The Statistical Evaluation of Medical Tests, section 5.2.
    """
    if not (0 < value < 1 and np.isfinite(se) and se > 0):
        return float("nan"), float("nan")
    half = normal_quantile(level) * se / (value * (1 - value))
    centre = float(special.logit(value))
    return float(special.expit(centre - half)), float(special.expit(centre + half))


def kish_effective_n(sum_w: float, sum_w2: float) -> float:
    """Return Kish's effective sample size ``(sum w)^2 / sum w^2``; 0 where there is no weight.

    Notes
    -----
    Kish (1965), Survey Sampling, section 8.2.
    """
    return sum_w * sum_w / sum_w2 if sum_w2 > 0 else 0.0
