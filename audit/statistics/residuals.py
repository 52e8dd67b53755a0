"""Errors of predicted values by group: their means, their size, and how groups compare.

Comes in: sample moments of each group. Goes out: figures: Student's intervals for means, intervals on the logarithm for
root mean squares, for the variance explained and for ratios, and differences of one group from everybody else, all of
a family holding together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .adjust import holm
from .bounds import pair_level
from .figures import Figure, ParityTest
from .intervals import mean_interval, normal_quantile
from .tests import normal_p

_STILL = "no interval can be given: one value only, or all values alike"


@dataclass(frozen=True, slots=True)
class Sample:
    """Size, mean and variance of what was measured on the people of one group."""

    n: int
    """People."""
    mean: float
    """Mean; NaN without people."""
    variance: float
    """Sample variance (divisor n - 1); NaN below two people."""

    @property
    def error(self) -> float:
        """Standard error of the mean; NaN where the values do not vary."""
        return math.sqrt(self.variance / self.n) if self.n >= 2 and self.variance > 0 else float("nan")

    @property
    def log_error(self) -> float:
        """Standard error of the logarithm of the mean (delta method); NaN where it is not positive."""
        return self.error / self.mean if self.mean > 0 else float("nan")


def sample_of(values: NDArray[np.float64], count: NDArray[np.int64] | None = None) -> Sample:
    """Return size, mean and variance of values, of which each may stand for several people.

    Parameters
    ----------
    values : array of float, shape [m]
        Values, no NaN.
    count : array of int, shape [m], optional
        People behind each; one where not given.
    """
    weight = np.ones(len(values), np.int64) if count is None else np.asarray(count, np.int64)
    n = int(weight.sum())
    if n == 0:
        return Sample(0, float("nan"), float("nan"))
    mean = float(values @ weight) / n
    spread = float(((values - mean) ** 2) @ weight)
    # values that are equal differ by rounding alone
    still = spread <= 1e-24 * max(1.0, mean * mean) * n
    return Sample(n, mean, (0.0 if still else spread / (n - 1)) if n > 1 else float("nan"))


def mean_figure(sample: Sample, level: float = 0.95) -> Figure:
    """Return a mean with Student's interval; without variation it has none and is not assessable."""
    low, high = mean_interval(sample.mean, sample.variance, sample.n, level)
    if math.isnan(low):
        return Figure(sample.mean, level=level, n=sample.n, method="mean", note=_STILL, assessable=False)
    return Figure(sample.mean, low, high, level=level, n=sample.n, method="mean, Student's interval")


def root_figure(squares: Sample, level: float = 0.95) -> Figure:
    """Return the root of a mean square; interval by the delta method on its logarithm.

    Parameters
    ----------
    squares : Sample
        Squared errors.
    level : float
        Two-sided confidence level.
    """
    value, method = math.sqrt(squares.mean), "root of the mean square, delta method on the logarithm"
    half = normal_quantile(level) * squares.log_error / 2
    if math.isnan(half):
        return Figure(value, level=level, n=squares.n, method=method, note=_STILL, assessable=False)
    return Figure(value, value * math.exp(-half), value * math.exp(half), level=level, n=squares.n, method=method)


def explained_figure(
    error: NDArray[np.float64], label: NDArray[np.float64], count: NDArray[np.int64] | None = None, level: float = 0.95
) -> Figure:
    """Return R2, ``1 - mean squared error / variance of the label``, on rows that the model may not have seen.

    Parameters
    ----------
    error, label : array of float, shape [m]
        Prediction minus label, and label.
    count : array of int, shape [m], optional
        People behind each entry.
    level : float
        Two-sided confidence level.

    Notes
    -----
    Delta method on ``log(1 - R2)`` from the people's influences, so that the interval stays below 1.
    """
    weight = np.ones(len(error), np.int64) if count is None else np.asarray(count, np.int64)
    n, method = int(weight.sum()), "delta method on log(1 - R2)"
    if n < 3:
        return Figure(None, level=level, n=n, method=method, note="fewer than three people", assessable=False)
    squares = error**2
    spread = (label - float(label @ weight) / n) ** 2
    mse, variance = float(squares @ weight) / n, float(spread @ weight) / n
    if variance <= 1e-24 * max(1.0, float((label**2) @ weight) / n):
        note = "all labels are the same: there is nothing to explain"
        return Figure(None, level=level, n=n, method=method, note=note, assessable=False)
    if mse <= 0:
        note = "no interval: there is no error at all"
        return Figure(1.0, level=level, n=n, method=method, note=note, assessable=False)
    influence = sample_of(squares / mse - spread / variance, weight)
    half, left = normal_quantile(level) * influence.error, mse / variance
    if math.isnan(half):
        return Figure(1 - left, level=level, n=n, method=method, note=_STILL, assessable=False)
    return Figure(1 - left, 1 - left * math.exp(half), 1 - left * math.exp(-half), level=level, n=n, method=method)


@dataclass(frozen=True, slots=True)
class Against:
    """One group beside what it is compared with."""

    reference: str
    """The best group's name, or ``rest``; empty where there is none."""
    figure: Figure
    """The comparison."""
    parity: ParityTest | None = None
    """Test of equality, adjusted over the family."""


def compare_with_rest(samples: Sequence[Sample], members: Sequence[bool], level: float = 0.95) -> list[Against]:
    """Return for every group its mean minus the mean of all other people together.

    Parameters
    ----------
    samples : sequence of Sample
        One per group; together they are everybody.
    members : sequence of bool
        Groups that form the family; the others are shown with the same interval and no test.
    level : float
        Level at which the intervals of the family hold together (Bonferroni over its groups).

    Notes
    -----
    Welch (1947), Biometrika 34:28; Holm over the groups of the family.
    """
    rest = [_pool([other for at, other in enumerate(samples) if at != place]) for place in range(len(samples))]
    family = [place for place, yes in enumerate(members) if yes and _can_differ(samples[place], rest[place])]
    tests = {place: _welch(samples[place], rest[place]) for place in family}
    # two groups are each other's rest: one comparison, seen from both sides
    looks = 1 if sum(sample.n > 0 for sample in samples) == 2 else len(family)
    p = [tests[place][2] for place in family]
    adjusted = dict(zip(family, p if looks == 1 else holm(p).tolist(), strict=True))
    done = []
    for place, (sample, others) in enumerate(zip(samples, rest, strict=True)):
        parity = None
        if place in tests:
            t, _, one = tests[place]
            parity = ParityTest(t, one, adjusted[place], looks, "Welch's t")
        done.append(Against("rest", _difference(sample, others, level, looks), parity))
    return done


def compare_sizes(
    samples: Sequence[Sample],
    names: Sequence[str],
    members: Sequence[bool],
    candidates: Sequence[bool],
    *,
    root: bool,
    level: float = 0.95,
) -> list[Against]:
    """Return for every group the ratio of its mean to the lowest mean of any candidate.

    Parameters
    ----------
    samples : sequence of Sample
        Sizes of errors of each group: absolute ones, or squared ones with `root`.
    names : sequence of str
        Groups.
    members, candidates : sequence of bool
        Groups that form the family, and those that may be the reference.
    root : bool
        Compare the roots of the means.
    level : float
        Level at which the intervals of all pairs of the family hold together.

    Notes
    -----
    Delta method on the logarithm; the best group is picked after the fact, which the correction for all pairs pays for.
    """
    usable = [math.isfinite(sample.log_error) for sample in samples]
    family = [place for place, yes in enumerate(members) if yes and usable[place]]
    possible = [place for place in family if candidates[place]] or family
    if not possible:
        why = "no group is large enough, with errors that vary, to be compared with"
        return [Against("", Figure(None, n=sample.n, note=why, assessable=False)) for sample in samples]
    best = min(possible, key=lambda place: samples[place].mean)
    power = 0.5 if root else 1.0
    pairs = len(family) * (len(family) - 1) // 2
    tests = _test_logs(samples, family)
    done = []
    for place, sample in enumerate(samples):
        figure = _log_ratio(sample, samples[best], power, pairs, level, same=place == best)
        parity = tests.get((place, best)) if place != best else None
        if place != best and parity is None and figure.assessable:
            note = "too few people, or not a group to compare: shown, not judged"
            figure = replace(figure, note=note, assessable=False)
        done.append(Against(names[best], figure, parity))
    return done


def log_bounds(sample: Sample, power: float, level: float) -> tuple[float, float]:
    """Return the interval of the logarithm of a mean raised to `power`; NaN where there is none."""
    half = normal_quantile(level) * power * sample.log_error
    centre = power * math.log(sample.mean) if sample.mean > 0 else float("nan")
    return centre - half, centre + half


def _pool(samples: Sequence[Sample]) -> Sample:
    """Return the sample of all people together."""
    filled = [sample for sample in samples if sample.n]
    n = sum(sample.n for sample in filled)
    if n == 0:
        return Sample(0, float("nan"), float("nan"))
    mean = sum(sample.mean * sample.n for sample in filled) / n
    within = sum(sample.variance * (sample.n - 1) for sample in filled if sample.n > 1)
    between = sum(sample.n * (sample.mean - mean) ** 2 for sample in filled)
    return Sample(n, mean, (within + between) / (n - 1) if n > 1 else float("nan"))


def _can_differ(sample: Sample, rest: Sample) -> bool:
    return min(sample.n, rest.n) >= 2 and sample.variance + rest.variance > 0


def _welch(first: Sample, second: Sample) -> tuple[float, float, float]:
    """Return Welch's t, its degrees of freedom and its two-sided p."""
    a, b = first.variance / first.n, second.variance / second.n
    t = (first.mean - second.mean) / math.sqrt(a + b)
    df = (a + b) ** 2 / (a * a / (first.n - 1) + b * b / (second.n - 1))
    return t, df, float(2 * special.stdtr(df, -abs(t)))


def _difference(sample: Sample, rest: Sample, level: float, comparisons: int) -> Figure:
    if min(sample.n, rest.n) == 0:
        why = "nobody to count in this group" if sample.n == 0 else "there is no other group to compare it with"
        return Figure(None, n=sample.n, note=why, assessable=False)
    value, n = sample.mean - rest.mean, sample.n + rest.n
    if not _can_differ(sample, rest):
        return Figure(value, level=level, n=n, method="difference of means", note=_STILL, assessable=False)
    _, df, _ = _welch(sample, rest)
    error = math.sqrt(sample.variance / sample.n + rest.variance / rest.n)
    half = float(special.stdtrit(df, 0.5 + pair_level(level, comparisons) / 2)) * error
    over = f", simultaneous over {comparisons} groups" if comparisons > 1 else ""
    return Figure(value, value - half, value + half, level=level, n=n, method=f"Welch{over}")


def _test_logs(samples: Sequence[Sample], family: Sequence[int]) -> dict[tuple[int, int], ParityTest]:
    """Test every pair of the family by the difference of logarithms, adjusted by Holm; keys both ways round."""
    pairs = [(a, b) for at, a in enumerate(family) for b in family[at + 1 :]]
    z = [
        (math.log(samples[a].mean) - math.log(samples[b].mean)) / math.hypot(samples[a].log_error, samples[b].log_error)
        for a, b in pairs
    ]
    p = [normal_p(value) for value in z]
    done = {}
    for (a, b), one, raw, adjusted in zip(pairs, z, p, holm(p).tolist(), strict=True):
        done[a, b] = ParityTest(one, raw, adjusted, len(pairs), "z of the log ratio")
        done[b, a] = ParityTest(-one, raw, adjusted, len(pairs), "z of the log ratio")
    return done


def _log_ratio(sample: Sample, best: Sample, power: float, pairs: int, level: float, *, same: bool) -> Figure:
    if sample.n == 0:
        return Figure(None, n=0, note="nobody to count in this group", assessable=False)
    if same:
        note = "the reference itself" + ("" if pairs else "; no other group can be compared with it")
        return Figure(1.0, 1.0, 1.0, level, sample.n, None, "by definition", note, pairs > 0)
    value, n = (sample.mean / best.mean) ** power, sample.n + best.n
    half = normal_quantile(pair_level(level, pairs)) * power * math.hypot(sample.log_error, best.log_error)
    if math.isnan(half):
        return Figure(value, level=level, n=n, method="ratio of means", note=_STILL, assessable=False)
    over = f", simultaneous over {pairs} pairs" if pairs > 1 else ""
    ends = value * math.exp(-half), value * math.exp(half)
    return Figure(value, *ends, level=level, n=n, method=f"delta method on the logarithm{over}")
