"""A number before and after a change, on the same people: pairing takes out what is common to both sides.

Comes in: what each person adds to the number on either side, or whole people counted by decision before and after.
Goes out: the difference after minus before with its standard error. The error rests on the people's own differences
(influence functions), so that what is common to both sides cancels; noise is the sampling of people and nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .auc import _placements
from .intervals import normal_quantile
from .tests import normal_p

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
NAN = float("nan")
PSEUDO = 0.5
"""People added to each combination of decision before and after, so that few changed decisions do not pass for none
(Agresti and Min 2005, Statistics in Medicine 24:729, add one half to each of four cells)."""


class PairedChange(NamedTuple):
    """A number before and after, and how sure its difference is."""

    before: float
    """Before; NaN where it is undefined."""
    after: float
    """After."""
    centre: float
    """Centre of the interval; the difference itself unless pseudo-people moved it."""
    se: float
    """Standard error of the difference; 0 where no person adds anything to it, NaN where it is not known."""
    n: int
    """People behind it."""
    df: float = float("inf")
    """Degrees of freedom of the error; infinite for counts."""

    @property
    def value(self) -> float:
        """After minus before."""
        return self.after - self.before

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval at `level`, stretched where needed so that it holds the difference."""
        half = self._quantile(level) * self.se
        return min(self.centre - half, self.value), max(self.centre + half, self.value)

    @property
    def p(self) -> float:
        """Two-sided p-value of no difference; 1 where nothing differs, NaN where it is not known."""
        if not self.se > 0:
            return 1.0 if self.se == 0 and self.value == 0 else NAN
        ratio = abs(self.centre) / self.se
        return normal_p(ratio) if np.isinf(self.df) else float(2 * special.stdtr(self.df, -ratio))

    def _quantile(self, level: float) -> float:
        if np.isinf(self.df):
            return normal_quantile(level)
        return float(special.stdtrit(self.df, (1 + level) / 2))


class Influence(NamedTuple):
    """A number and what each person adds to its error."""

    value: float
    """The number; NaN where it is undefined."""
    each: Floats
    """Influence of each person, shape [n], mean 0: value is about ``truth + mean(each)``."""


def change_of(before: Influence, after: Influence) -> PairedChange:
    """Return the change of a number from its influences on the same people.

    Parameters
    ----------
    before, after : Influence
        In the same order of people.

    Notes
    -----
    Hampel (1974), Journal of the American Statistical Association 69:383: the variance of a smooth statistic is that
    of its influence over the people, and the influence of a difference is the difference of the influences. For means
    this is the paired t-test, for the AUC the paired test of DeLong, DeLong and Clarke-Pearson (1988).
    """
    n = before.each.size
    if n < 2 or not np.isfinite(before.value + after.value):
        return PairedChange(before.value, after.value, NAN, NAN, n)
    own = after.each - before.each
    spread = float(own.std(ddof=1))
    se = spread / float(np.sqrt(n)) if spread > 1e-14 else 0.0
    return PairedChange(before.value, after.value, after.value - before.value, se, n, n - 1)


def mean_influence(values: Floats) -> Influence:
    """Return a mean with its influences.

    Parameters
    ----------
    values : ndarray of float64, shape [n]
    """
    if not values.size:
        return Influence(NAN, values)
    mean = float(values.mean())
    return Influence(mean, values - mean)


def root_influence(squares: Influence) -> Influence:
    """Return the square root of a mean, e.g. of squared errors, by the delta method."""
    value = float(np.sqrt(squares.value)) if squares.value >= 0 else NAN
    return Influence(value, squares.each / (2 * value) if value > 0 else np.zeros_like(squares.each))


def explained_influence(error: Floats, label: Floats) -> Influence:
    """Return the share of the label's variance that is explained, with its influences.

    Parameters
    ----------
    error, label : ndarray of float64, shape [n]
        Label minus prediction, and label.
    """
    left, whole = mean_influence(error**2), mean_influence((label - label.mean()) ** 2)
    if not whole.value > 0:
        return Influence(NAN, np.zeros_like(label))
    share = left.value / whole.value
    return Influence(1 - share, -(left.each - share * whole.each) / whole.value)


def auc_influence(score: Floats, label: Floats) -> Influence:
    """Return the area under the ROC curve with DeLong's placements as influences.

    Parameters
    ----------
    score, label : ndarray of float64, shape [n]
        Score, and 1 or 0.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44:837. A person's placement counts by the share of the own
    class, so that the mean square of the influences over n is the variance of the area.
    """
    positive = label == 1
    p, q, n = int(positive.sum()), int((~positive).sum()), label.size
    if min(p, q) < 2:
        return Influence(NAN, np.zeros(n))
    own, other = _placements(score[positive], score[~positive])
    value, each = float(own.mean()), np.empty(n)
    each[positive], each[~positive] = (own - value) * n / p, (other - value) * n / q
    return Influence(value, each)


def slope_influence(score: Floats, label: Floats) -> Influence:
    """Return the calibration slope (logistic regression of the label on the score's log-odds) with its influences.

    Parameters
    ----------
    score, label : ndarray of float64, shape [n]
        Probability, and 1 or 0.

    Notes
    -----
    The influence of a maximum-likelihood estimate is the inverse information times the score of the person (Cox and
    Hinkley 1974, Theoretical Statistics, 9.3).
    """
    held = np.clip(score, 1e-12, 1 - 1e-12)
    x, nothing = np.log(held / (1 - held)), np.zeros(label.size)
    if label.size < 3 or np.ptp(x) < 1e-9 or label.min() == label.max():
        return Influence(NAN, nothing)
    centre, scale = float(x.mean()), float(x.std())
    design, beta = np.column_stack([np.ones(x.size), (x - centre) / scale]), np.zeros(2)
    for _ in range(50):
        mean = special.expit(design @ beta)
        information = design.T @ (design * (mean * (1 - mean))[:, None])
        if not np.linalg.cond(information) < 1e12:
            break  # complete separation: the slope grows without end
        step = np.linalg.solve(information, design.T @ (label - mean))
        beta = beta + np.clip(step, -5.0, 5.0)
        if np.abs(step).max() < 1e-10:
            each = (design * (label - mean)[:, None]) @ np.linalg.inv(information)[1] * x.size / scale
            return Influence(float(beta[1]) / scale, each)
    return Influence(NAN, nothing)


class RateOf(NamedTuple):
    """A rate as a share of cells, by label (negative, positive, unknown) and by prediction (negative, positive)."""

    part: Floats
    """Cells of the numerator, shape [3, 2], 1 or 0."""
    whole: Floats
    """Cells of the denominator."""


def change_of_rate(joint: Whole, rate: RateOf) -> PairedChange:
    """Return the change of a group's rate.

    Parameters
    ----------
    joint : ndarray of int64, shape [3, 2, 2]
        People of the group by label (negative, positive, unknown), prediction before and prediction after.
    rate : RateOf
        The rate.
    """
    return change_of_comparison([joint], rate, None, None)


def change_of_comparison(
    joint: list[Whole], rate: RateOf, before: tuple[int, str] | None, after: tuple[int, str] | None
) -> PairedChange:
    """Return the change of the first group's rate, or of its ratio or difference to another group.

    Parameters
    ----------
    joint : list of ndarray of int64, shape [3, 2, 2] each
        The group, then the groups that it is compared with.
    rate : RateOf
        The rate.
    before, after : (int, str) or None
        On either side the place among `joint` of the group compared with, and ``ratio``, ``ahead`` (own minus other)
        or ``behind`` (other minus own); None for the rate alone.

    Notes
    -----
    Delta method over the joint cells, which are multinomial within each group: a cell's influence is what one more
    person in it adds to the number after less what it adds before. Variances are taken with one half added to each
    cell of every label that occurs.
    """
    folded, adjusted = [_fold(item, rate) for item in joint], [_fold(item, rate, PSEUDO) for item in joint]
    earlier, later = _number(folded, rate, 0, before)[0], _number(folded, rate, 1, after)[0]
    n = sum(int(item.sum()) for item in folded)
    if not np.isfinite(earlier + later):
        return PairedChange(earlier, later, NAN, NAN, n)
    (low, first), (high, second) = (_number(adjusted, rate, side, order) for side, order in ((0, before), (1, after)))
    variance = 0.0
    for place, cells in enumerate(adjusted):
        own = second[place][:, None, :] - first[place][:, :, None]
        variance += float(np.sum(cells * own**2))
    return PairedChange(earlier, later, high - low, float(np.sqrt(variance)), n)


def _fold(joint: Whole, rate: RateOf, pseudo: float = 0.0) -> Floats:
    """Return the cells that the rate looks at, labels that it does not tell apart added up."""
    looked_at: Floats = np.max(rate.whole, axis=1)
    cells: Floats = joint.astype(np.float64) * looked_at[:, None, None]
    if rate.whole.min() > 0 and bool(np.all(rate.part == rate.part[0])):
        cells = np.concatenate([cells.sum(axis=0)[None], np.zeros((2, 2, 2))])
    occurs: Floats = np.minimum(cells.sum(axis=(1, 2)), 1.0)
    return np.asarray(cells + pseudo * occurs[:, None, None], dtype=np.float64)


def _number(cells: list[Floats], rate: RateOf, side: int, order: tuple[int, str] | None) -> tuple[float, list[Floats]]:
    """Return a number of one side and its derivatives by each group's cells of that side, shape [3, 2] each."""
    tables = [item.sum(axis=2 - side) for item in cells]
    slopes = [np.zeros((3, 2)) for _ in cells]
    own, slope = _rate(tables[0], rate)
    if order is None:
        slopes[0] = slope
        return own, slopes
    place, how = order
    other, other_slope = _rate(tables[place], rate)
    if how == "ratio":
        value = own / other if other > 0 else NAN
        slopes[0] = slopes[0] + slope / other if other > 0 else slopes[0]
        slopes[place] = slopes[place] - value / other * other_slope if other > 0 else slopes[place]
        return value, slopes
    sign = 1.0 if how == "ahead" else -1.0
    slopes[0] = slopes[0] + sign * slope
    slopes[place] = slopes[place] - sign * other_slope
    return sign * (own - other), slopes


def _rate(table: Floats, rate: RateOf) -> tuple[float, Floats]:
    whole = float(np.sum(table * rate.whole))
    if not whole > 0:
        return NAN, np.zeros((3, 2))
    value = float(np.sum(table * rate.part)) / whole
    return value, (rate.part - value * rate.whole) / whole


def change_unpaired(before: tuple[float, float, float], after: tuple[float, float, float]) -> tuple[float, float]:
    """Return the interval of after minus before from the two intervals alone.

    Parameters
    ----------
    before, after : (value, low, high)
        Both at the same level.

    Notes
    -----
    Zou and Donner (2008), Statistics in Medicine 27:1693 (MOVER), for independent samples. Where the same people stand
    behind both, their numbers go together and the interval is wider than need be, never too narrow.
    """
    (a, a_low, a_high), (b, b_low, b_high) = before, after
    value = b - a
    low = value - float(np.hypot(b - b_low, a_high - a))
    high = value + float(np.hypot(b_high - b, a - a_low))
    return low, high


def p_of_interval(value: float, low: float, high: float, level: float) -> float:
    """Return the two-sided p-value that an interval gives: 1 minus the level at which it would just reach 0.

    Notes
    -----
    The arm towards 0 is taken as a normal quantile of standard errors, so that the p-value is below ``1 - level``
    exactly where the interval excludes 0.
    """
    arm = value - low if value > 0 else high - value
    if value == 0:
        return 1.0
    return normal_p(abs(value) / arm * normal_quantile(level)) if arm > 0 else NAN


def stretch_interval(value: float, low: float, high: float, level: float, wanted: float) -> tuple[float, float]:
    """Return an interval at another level, its arms taken as normal quantiles of standard errors."""
    factor = normal_quantile(wanted) / normal_quantile(level)
    return value - (value - low) * factor, value + (high - value) * factor


def joint_cells(codes: Any, size: int) -> Whole:
    """Return people by group, label, prediction before and after, int64 of shape [size, 3, 2, 2].

    Parameters
    ----------
    codes : tuple of ndarray of int, shape [n] each
        Place of the group, place of the label (0 negative, 1 positive, 2 unknown), prediction before and after.
    size : int
        Number of groups.
    """
    group, label, first, second = codes
    place = ((group * 3 + label) * 2 + first) * 2 + second
    return np.bincount(place, minlength=size * 12).reshape(size, 3, 2, 2).astype(np.int64)
