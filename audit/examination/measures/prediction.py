"""How good one model's predictions are: the numbers of `Performance` for one model.

Comes in: predictions and labels, an entry per row or per counted rows. Goes out: an `Estimate` for each number. Where
scores were binned, the numbers that this can change say by how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, Measurement, undefined
from audit.statistics.auc import FEW_OF_A_CLASS, auc_interval, auc_of_counts, auc_slack, count_at
from audit.statistics.intervals import logit_interval, mean_interval, normal_quantile, square_and_add, wilson
from audit.statistics.residuals import explained_figure

from .ordered import bins_of, order_ties, say_bound, squared_errors

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

LEVEL = 0.95
_ONE_CLASS = "only one class is among the labels"
_NO_PROBABILITY = "the scores are no probabilities"


@dataclass(frozen=True, slots=True)
class Predictions:
    """What one model says of the labelled rows.

    Parameters
    ----------
    model : str
        black_box, ebm_label or net_label.
    score : ndarray of float64, shape [m], or None
        Probability of the positive class, or value.
    positive : ndarray of bool, shape [m], or None
        Predicted class.
    """

    model: str
    score: Floats | None
    positive: Flags | None


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labels of the rows behind the entries.

    Parameters
    ----------
    label : ndarray of float64, shape [m]
        1 or 0, or a value; none unknown.
    count : ndarray of int64, shape [m]
        Rows behind each entry.
    width : float
        Width of the widest score bin; 0 where there are none.
    halvings : int or None
        Which bins of the fixed scale; None where there are none.
    square : ndarray of float64, shape [m], or None
        Mean of the squared scores behind each entry; None where it is the square of the score.
    """

    label: Floats
    count: Whole
    width: float = 0.0
    halvings: int | None = None
    square: Floats | None = None

    @property
    def truth(self) -> Flags:
        """Whether the label is the positive class."""
        return np.asarray(self.label == 1)

    @property
    def rows(self) -> int:
        """Labelled rows."""
        return int(self.count.sum())

    def count_where(self, chosen: Flags) -> int:
        """Return the rows behind the chosen entries."""
        return int(self.count[chosen].sum())


def label_rows(label: Floats) -> Labelled:
    """Return labels with one row behind each entry."""
    return Labelled(label, np.ones(label.size, dtype=np.int64))


def predict_everybody(case: Case) -> tuple[Predictions, Labelled] | None:
    """Return what the black box says of all labelled people, whom the case's rows may only be a sample of.

    Parameters
    ----------
    case : Case
        Its roll; its scores tell which decision predicts the positive class.

    Returns
    -------
    tuple or None
        None where there is neither score nor decision, or nobody with a label; and where values were put together,
        because their spread is lost.
    """
    roll = case.roll
    if roll.label is None or (roll.valued and not roll.exact):
        return None
    known = np.isfinite(roll.label) & (roll.count > 0)
    if roll.score is not None:
        known &= np.isfinite(roll.score)
    positive = None if case.subject.task == "regression" else _positive_of_roll(case)
    if not known.any() or (roll.score is None and positive is None):
        return None
    black = Predictions(
        "black_box",
        None if roll.score is None else roll.score[known],
        None if positive is None else positive[known],
    )
    square = None if roll.score_square is None else (roll.score_square / np.maximum(roll.count, 1))[known]
    return black, Labelled(roll.label[known], roll.count[known], roll.width, bins_of(roll), square)


def _positive_of_roll(case: Case) -> Flags | None:
    """Return who is predicted positive; None where the decision does not tell.

    Notes
    -----
    Which decisions (and classes) mean the positive prediction is read from the rows of the case.
    """
    known, roll = case.scores.predicted_positive, case.roll
    if known is None or roll.favourable is None or case.scores.favourable is None:
        return None

    def key(favourable: Flags, outcome: NDArray[np.integer] | None) -> NDArray[np.int64]:
        side = np.asarray(favourable, bool).astype(np.int64)
        return side if outcome is None else side + 2 * (np.asarray(outcome, np.int64) + 1)

    here, everybody = key(case.scores.favourable, case.scores.outcome), key(roll.favourable, roll.outcome)
    size = int(max(here.max(initial=0), everybody.max(initial=0))) + 1
    meant = np.bincount(here[known], minlength=size) > 0
    other = np.bincount(here[~known], minlength=size) > 0
    if (meant & other).any() or not (meant | other)[everybody].all():
        return None
    return np.asarray(meant[everybody])


def measure_class(item: Predictions, rows: Labelled) -> list[Measurement]:
    """Measure predictions of a class.

    Parameters
    ----------
    item : Predictions
        Of one model.
    rows : Labelled
        Labels of the same entries.
    """
    numbers: dict[str, Estimate] = {}
    if item.positive is not None:
        numbers["accuracy"] = share_estimate(rows.count_where(item.positive == rows.truth), rows.rows)
        numbers["balanced_accuracy"] = _balanced_accuracy(item.positive, rows)
    else:
        reason = "the decision has no single cut that predicts a class"
        numbers |= {name: undefined(reason) for name in ("accuracy", "balanced_accuracy")}
    if item.score is not None:
        numbers |= dict(zip(("auc", "average_precision"), _measure_ranks(item.score, rows), strict=True))
        probability = bool(item.score.min() >= 0 and item.score.max() <= 1)
        numbers["brier"] = _brier(item.score, rows) if probability else undefined(_NO_PROBABILITY)
        numbers["log_loss"] = _log_loss(item.score, rows) if probability else undefined(_NO_PROBABILITY)
    return [Measurement(metric=f"performance.{k}", estimate=v, model=item.model) for k, v in numbers.items()]


def measure_value(item: Predictions, rows: Labelled) -> list[Measurement]:
    """Measure predictions of a value; no numbers without any.

    Parameters
    ----------
    item : Predictions
        Of one model.
    rows : Labelled
        Labels of the same entries.
    """
    if item.score is None:
        return []
    error = item.score - rows.label
    bins = f"; scores by their bin's mean, off by at most {rows.width:.2g}" if rows.width else ""
    numbers = {
        "rmse": root_mean_square(error, rows.count),
        "mae": mean_estimate_of(np.abs(error), rows.count, f"mean, Student's interval{bins}"),
        "r2": explained_estimate(error, rows),
    }
    return [Measurement(metric=f"performance.{k}", estimate=v, model=item.model) for k, v in numbers.items()]


def share_estimate(count: int, n: int) -> Estimate:
    """Return a share of rows with Wilson's interval; undefined without rows."""
    if n == 0:
        return undefined("there are no rows", n=0, count=0)
    low, high = wilson(count, n, LEVEL)
    return Estimate(value=count / n, low=low, high=high, n=n, count=count, method="Wilson score")


def explained_estimate(error: Floats, rows: Labelled) -> Estimate:
    """Return the share of the label's variance that predictions explain.

    Parameters
    ----------
    error : ndarray of float64, shape [m]
        Prediction minus label.
    rows : Labelled
        Labels of the same entries.
    """
    figure = explained_figure(error, rows.label, rows.count, LEVEL)
    if figure.value is None:
        return undefined(figure.note, n=figure.n, method=figure.method)
    return Estimate(**figure.fields())


def _balanced_accuracy(positive: Flags, rows: Labelled) -> Estimate:
    truth = rows.truth
    p, q = rows.count_where(truth), rows.count_where(~truth)
    if not p or not q:
        return undefined(_ONE_CLASS, n=rows.rows)
    hit, right = rows.count_where(positive & truth), rows.count_where(~positive & ~truth)
    tpr, miss = (hit / p, *wilson(hit, p, LEVEL)), wilson(q - right, q, LEVEL)
    # tpr - fpr = 2 x balanced accuracy - 1: the interval of a difference of independent shares
    low, high = square_and_add(tpr, ((q - right) / q, *miss))
    return Estimate(
        value=(hit / p + right / q) / 2,
        low=max(0.0, (1 + low) / 2),
        high=min(1.0, (1 + high) / 2),
        n=rows.rows,
        method="square-and-add of Wilson intervals",
    )


def _measure_ranks(score: Floats, rows: Labelled) -> tuple[Estimate, Estimate]:
    """Return AUC and average precision, from the rows of each class at each distinct score or bin."""
    truth = rows.truth
    if truth.all() or not truth.any():
        return undefined(_ONE_CLASS, n=rows.rows), undefined(_ONE_CLASS, n=rows.rows)
    order, place, values = order_ties(score, rows.count, rows.halvings)
    count = rows.count[order]
    p, q = (count_at(place, np.where(side, count, 0), len(values)) for side in (truth[order], ~truth[order]))
    slack = auc_slack(p, q) if rows.width else 0.0
    bins = f", from {len(values):,} score bins" if rows.width else ""
    near = f"{bins}: at most {say_bound(slack)} from the exact value" if bins else ""
    auc, se = auc_of_counts(p, q)
    hits, seen = np.cumsum(p[::-1]), np.cumsum((p + q)[::-1])
    precision, positives = hits / seen, int(hits[-1])
    negatives = rows.rows - positives
    bounds = auc_interval(auc, se, positives, negatives, LEVEL)
    # where nobody of the positive class is added, recall stays as it is
    value = min(float(np.sum(np.diff(hits / positives, prepend=0.0) * precision)), 1.0)
    spread = float(np.sqrt(value * (1 - value) / positives))
    return (
        bounded_estimate(auc, bounds, rows.rows, f"{name_auc_interval(positives, negatives)}{near}", slack=slack),
        bounded_estimate(
            value, logit_interval(value, spread, LEVEL), rows.rows, f"logit interval on the positives{bins}"
        ),
    )


def name_auc_interval(positives: int, negatives: int) -> str:
    """Say how the interval of an AUC was computed; see `auc_interval`."""
    few = min(positives, negatives) < FEW_OF_A_CLASS
    return "DeLong, logit interval" + (", widened to Newcombe's (2006) for few rows of a class" if few else "")


def bounded_estimate(value: float, bounds: tuple[float, float], n: int, method: str, *, slack: float = 0.0) -> Estimate:
    """Return an estimate with its interval; at 0 or 1 there is none, and it is not assessable.

    Parameters
    ----------
    value : float
        Point.
    bounds : tuple of float
        Interval; NaN where there is none.
    n : int
        Rows.
    method : str
        How it was computed.
    slack : float
        What binning may have changed; the interval is wider by it.
    """
    low, high = bounds
    if not np.isfinite(low):
        note = "no interval: complete separation, or too few rows of a class"
        return Estimate(value=value, n=n, method=method, note=note, assessable=False)
    return Estimate(value=value, low=max(low - slack, 0.0), high=min(high + slack, 1.0), n=n, method=method)


def _brier(score: Floats, rows: Labelled) -> Estimate:
    losses = squared_errors(score, rows.truth, rows.square)
    return mean_estimate_of(losses, rows.count, "mean, Student's interval")


def _log_loss(score: Floats, rows: Labelled) -> Estimate:
    held = np.clip(score, 1e-12, 1 - 1e-12)
    bins = "; scores by their bin's mean" if rows.width else ""
    losses = -np.log(np.where(rows.truth, held, 1 - held))
    return mean_estimate_of(losses, rows.count, f"mean, Student's interval{bins}")


def mean_estimate_of(values: Floats, count: Whole, method: str, *, least: float | None = 0.0) -> Estimate:
    """Return a mean with Student's interval.

    Parameters
    ----------
    values : ndarray of float64, shape [m]
        Numbers.
    count : ndarray of int64, shape [m]
        Rows behind each.
    method : str
        How it was computed.
    least : float or None
        What no such number is below; None where there is nothing.
    """
    n = int(count.sum())
    mean = float(values @ count / n)
    varies = n > 1 and values.min() < values.max()
    low, high = mean_interval(mean, float(count @ (values - mean) ** 2 / (n - 1)) if varies else 0.0, n, LEVEL)
    if not np.isfinite(low):
        note = "no interval: the rows do not vary, or there is one row"
        return Estimate(value=mean, n=n, method=method, note=note, assessable=False)
    return Estimate(value=mean, low=low if least is None else max(low, least), high=high, n=n, method=method)


def root_mean_square(error: Floats, count: Whole | None = None) -> Estimate:
    """Return the root mean square of errors; the interval is that of the mean square, by its logarithm.

    Parameters
    ----------
    error : ndarray of float64, shape [m]
        Errors.
    count : ndarray of int64, shape [m], optional
        Rows behind each; one where not given.
    """
    method = "root of the mean square, delta method on the logarithm"
    if error.size == 0:
        return undefined("there are no rows", n=0, method=method)
    count = np.ones(error.size, dtype=np.int64) if count is None else count
    square, n = error**2, int(count.sum())
    mean = float(square @ count / n)
    variance = float(count @ (square - mean) ** 2) / max(n - 1, 1)
    if n < 2 or mean <= 0 or square.min() == square.max():
        note = "no interval: the errors do not vary"
        return Estimate(value=float(np.sqrt(mean)), n=n, method=method, note=note, assessable=False)
    half = normal_quantile(LEVEL) * float(np.sqrt(variance / n)) / mean
    low, high = mean * np.exp(-half), mean * np.exp(half)
    return Estimate(value=float(np.sqrt(mean)), low=float(np.sqrt(low)), high=float(np.sqrt(high)), n=n, method=method)
