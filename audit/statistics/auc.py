"""The area under the ROC curve, from exact ranks, for rows and for counted rows.

Comes in: scores of the two classes, or whole counts of the two classes at each distinct score in ascending order. Goes
out: the area with DeLong's standard error, the most that binning can have changed it, and the area between two curves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .intervals import Bounds, logit_interval, normal_quantile

Floats = NDArray[np.float64]
Numbers = NDArray[Any]

FEW_OF_A_CLASS = 100
"""Rows of the smaller class below which DeLong's error alone is not relied on."""


def _placements(positive: Floats, negative: Floats) -> tuple[Floats, Floats]:
    """Return DeLong's placement values: of each positive among the negatives, and the reverse; ties count half."""
    ordered_negative, ordered_positive = np.sort(negative), np.sort(positive)
    below = np.searchsorted(ordered_negative, positive, "left") + np.searchsorted(ordered_negative, positive, "right")
    above = np.searchsorted(ordered_positive, negative, "left") + np.searchsorted(ordered_positive, negative, "right")
    return below / (2.0 * len(negative)), 1.0 - above / (2.0 * len(positive))


def auc_delong(
    positive: Numbers,
    negative: Numbers,
    positive_count: Numbers | None = None,
    negative_count: Numbers | None = None,
) -> tuple[float, float]:
    """Area under the ROC curve and DeLong's standard error, from exact ranks.

    Parameters
    ----------
    positive, negative : array
        Scores of the rows with positive and with negative label, shapes [p] and [q].
    positive_count, negative_count : array of int, optional
        Rows behind each score; one where not given.

    Returns
    -------
    tuple of float
        AUC and standard error; AUC is NaN where a class is empty, the error is NaN where a class has fewer than 2 rows.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44:837. The error may be 0 (complete separation):
    `logit_interval` then gives no interval.
    """
    positive, negative = np.asarray(positive, float), np.asarray(negative, float)
    p = np.ones(len(positive), np.int64) if positive_count is None else np.asarray(positive_count, np.int64)
    q = np.ones(len(negative), np.int64) if negative_count is None else np.asarray(negative_count, np.int64)
    distinct, place = np.unique(np.concatenate([positive, negative]), return_inverse=True)
    return auc_of_counts(
        count_at(place[: len(positive)], p, len(distinct)), count_at(place[len(positive) :], q, len(distinct))
    )


def count_at(place: Numbers, count: Numbers, size: int) -> NDArray[np.int64]:
    """Return the rows at each of `size` places, int64, from the place of each entry and the rows behind it."""
    # sums of whole numbers below 2^53 are exact in floating point
    return np.bincount(place, count, size).astype(np.int64)


def auc_of_counts(positive: Numbers, negative: Numbers) -> tuple[float, float]:
    """Area under the ROC curve and DeLong's standard error, from counts at each distinct score.

    Parameters
    ----------
    positive, negative : array of int, shape [k]
        Rows of each class at each distinct score, ascending; rows at the same place are ties and count half.

    Returns
    -------
    tuple of float
        As `auc_delong`, to which it is equal on the rows that the counts stand for.
    """
    positive, negative = np.asarray(positive, np.int64), np.asarray(negative, np.int64)
    p, q = int(positive.sum()), int(negative.sum())
    if not p or not q:
        return float("nan"), float("nan")
    # twice the mid-ranks, so that all sums are of whole numbers
    below = 2 * np.cumsum(negative) - negative
    above = 2 * (p - np.cumsum(positive)) + positive
    auc = _dot_exactly(positive, below) / (2 * p * q)
    if min(p, q) < 2:
        return auc, float("nan")
    first, second = below / (2.0 * q) - auc, above / (2.0 * p) - auc
    variance = float(positive @ first**2) / (p - 1) / p + float(negative @ second**2) / (q - 1) / q
    # equal placements differ by rounding alone; their spread is nothing
    return auc, float(np.sqrt(variance)) if variance > 1e-30 else 0.0


def auc_interval(auc: float, se: float, positives: int, negatives: int, level: float = 0.95) -> Bounds:
    """Interval of an area under the ROC curve that also holds where one class has few rows.

    Parameters
    ----------
    auc, se : float
        Area and DeLong's standard error.
    positives, negatives : int
        Rows of each class.
    level : float
        Confidence level.

    Returns
    -------
    tuple
        Low and high; NaN where `logit_interval` gives none.

    Notes
    -----
    DeLong's error on the log-odds scale. It is itself estimated, and from few rows of one class near an area of 1 it is
    too small too often: with 10 positives among 1,010 rows and an area of 0.95 it covers 83 % instead of 95 %, while
    Student's quantile brings that to 87 % only. Below `FEW_OF_A_CLASS` rows of the smaller class the interval is the
    hull of DeLong's and of Newcombe's (2006) method 5, Statistics in Medicine 25:559, which solves for the area with
    the error that Hanley and McNeil (1982) give it, and needs a shape of the scores that DeLong's does not.
    """
    low, high = logit_interval(auc, se, level)
    if np.isnan(low) or min(positives, negatives) >= FEW_OF_A_CLASS:
        return low, high
    lower, upper = _newcombe(auc, positives, negatives, level)
    return min(low, lower), max(high, upper)


def _newcombe(auc: float, positives: int, negatives: int, level: float) -> Bounds:
    """Return the areas whose Hanley-McNeil error reaches just to `auc`, by bisection."""
    z, half = normal_quantile(level), (positives + negatives) / 2

    def reaches(area: float) -> bool:
        spread = area * (1 - area) * (1 + (half - 1) * ((1 - area) / (2 - area) + area / (1 + area)))
        return abs(auc - area) <= z * float(np.sqrt(spread / (positives * negatives)))

    ends = []
    for outside in (0.0, 1.0):
        inside = auc
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if reaches(middle) else (inside, middle)
        ends.append(inside)
    return ends[0], ends[1]


def _dot_exactly(first: NDArray[np.int64], second: NDArray[np.int64]) -> int:
    """Return the whole-number product of two vectors, without overflow however many rows there are."""
    if float(first.astype(float) @ second.astype(float)) < 2.0**62:
        return int(first @ second)
    return sum(int(a) * int(b) for a, b in zip(first, second, strict=True))


def auc_slack(positive: Numbers, negative: Numbers) -> float:
    """Return the most by which binning can have changed an AUC that counts rows of the same bin as ties.

    Parameters
    ----------
    positive, negative : array of int, shape [k]
        Rows of each class in each bin.

    Notes
    -----
    Only pairs within a bin are in doubt, and each by half a pair: ``sum(P_b N_b) / (2 P N)``.
    """
    positive, negative = np.asarray(positive, float), np.asarray(negative, float)
    pairs = float(positive.sum() * negative.sum())
    return float(positive @ negative) / (2 * pairs) if pairs else 0.0


class PairedAuc(NamedTuple):
    """Two areas under the ROC curve on the same rows."""

    first: float
    """AUC of the first scores."""
    second: float
    """AUC of the second scores."""
    se_first: float
    """Standard error of the first."""
    se_second: float
    """Standard error of the second."""
    covariance: float
    """Their covariance (the rows are the same)."""

    @property
    def difference(self) -> float:
        """First minus second."""
        return self.first - self.second

    @property
    def se(self) -> float:
        """Standard error of the difference."""
        variance = self.se_first**2 + self.se_second**2 - 2 * self.covariance
        return float(np.sqrt(max(variance, 0.0)))


def auc_delong_paired(first: Numbers, second: Numbers, label: Numbers) -> PairedAuc:
    """Compare the AUC of two score vectors on the same rows.

    Parameters
    ----------
    first, second : array
        Scores, shape [n].
    label : array
        1 for positive rows, 0 for negative ones, shape [n]; no NaN.

    Returns
    -------
    PairedAuc
        NaN throughout where a class has fewer than 2 rows.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44:837.
    """
    chosen = np.asarray(label) == 1
    p, q = int(chosen.sum()), int((~chosen).sum())
    if min(p, q) < 2:
        return PairedAuc(*[float("nan")] * 5)
    first, second = np.asarray(first, float), np.asarray(second, float)
    a10, a01 = _placements(first[chosen], first[~chosen])
    b10, b01 = _placements(second[chosen], second[~chosen])
    s10, s01 = np.cov(a10, b10) / p, np.cov(a01, b01) / q
    s = s10 + s01
    return PairedAuc(
        float(a10.mean()), float(b10.mean()), float(np.sqrt(s[0, 0])), float(np.sqrt(s[1, 1])), float(s[0, 1])
    )


def _roc(positive: Numbers, negative: Numbers) -> tuple[Floats, Floats]:
    """Return false and true positive rates at every cut, from the highest down, both from 0 to 1."""
    fpr = np.concatenate([[0.0], np.cumsum(negative[::-1]) / negative.sum()])
    tpr = np.concatenate([[0.0], np.cumsum(positive[::-1]) / positive.sum()])
    return fpr, tpr


def area_between_rocs(
    first: tuple[Numbers, Numbers],
    second: tuple[Numbers, Numbers],
) -> float:
    """Absolute area between two ROC curves (ABROCA).

    Parameters
    ----------
    first, second : (positive, negative)
        Rows of each class at each distinct score, ascending; each of the four holds at least one row.

    Notes
    -----
    Gardner, Brooks and Baker (2019), Evaluating the Fairness of Predictive Student Models Through Slicing Analysis.
    The curves are straight between cuts, so their difference is integrated exactly, crossings included.
    """
    curves = [_roc(np.asarray(p, float), np.asarray(n, float)) for p, n in (first, second)]
    x = np.union1d(curves[0][0], curves[1][0])
    # a curve may rise straight up at a cut: it has a value just before and one just after
    left, right = ([_at(curve, x, side) for curve in curves] for side in ("left", "right"))
    start, end, width = (right[0] - right[1])[:-1], (left[0] - left[1])[1:], np.diff(x)
    mean = (np.abs(start) + np.abs(end)) / 2
    crossed = start * end < 0
    total = np.where(crossed, np.abs(start) + np.abs(end), 1.0)
    return float(np.sum(width * np.where(crossed, (start**2 + end**2) / (2 * total), mean)))


def _at(curve: tuple[Floats, Floats], x: Floats, side: str) -> Floats:
    """Return a curve's height at `x`: the lowest there (coming from the left) or the highest."""
    fpr, tpr = curve
    between = np.interp(x, fpr, tpr)
    lowest, highest = np.searchsorted(fpr, x, "left"), np.searchsorted(fpr, x, "right") - 1
    on = (lowest < len(fpr)) & (fpr[np.minimum(lowest, len(fpr) - 1)] == x)
    place = np.minimum(lowest if side == "left" else highest, len(fpr) - 1)
    return np.where(on, tpr[place], between)
