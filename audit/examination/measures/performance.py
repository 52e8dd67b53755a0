"""How well black box and glass boxes predict the label, on the same rows, each number with its interval.

Comes in: the case; glass boxes are judged by scores of fits that did not see the row. Goes out: `Performance`, with the
paired differences black box minus glass box: the price of transparency, or its absence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from audit.config.schema import DecisionRule
from audit.evidence import Definition, Estimate, Measurement, NotDone, Performance, undefined
from audit.examination.blackbox.score import apply_condition
from audit.examination.glassbox.fit import Fits
from audit.statistics.intervals import (
    auc_delong,
    logit_interval,
    mean_interval,
    normal_quantile,
    square_and_add,
    wilson,
)

from .data import find_caution
from .labels import doubt_measurements, find_selective
from .paired import paired_auc_gap, paired_rmse_gap, paired_share_gap

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]

GLASS = ("ebm_label", "net_label")
LEVEL = 0.95

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="performance.accuracy",
        title="Accuracy",
        formula="rows whose predicted class is their label / labelled rows; predicted by the side of the cut",
        better="higher",
        source="elementary; interval: Wilson 1927",
    ),
    Definition(
        id="performance.balanced_accuracy",
        title="Balanced accuracy",
        formula="(true positive rate + true negative rate) / 2",
        better="higher",
        source="elementary; interval: square-and-add, Newcombe 1998",
    ),
    Definition(
        id="performance.auc",
        title="Area under the ROC curve",
        formula="probability that a row with the positive label scores above one with the negative label, ties half",
        better="higher",
        source="DeLong, DeLong and Clarke-Pearson 1988",
    ),
    Definition(
        id="performance.average_precision",
        title="Average precision",
        formula="sum over cuts of (recall_k - recall_{k-1}) x precision_k",
        better="higher",
        source="interval: Boyd, Eng and Page 2013",
    ),
    Definition(
        id="performance.brier",
        title="Brier score",
        formula="mean of (predicted probability - label)^2",
        better="lower",
        source="Brier 1950",
    ),
    Definition(
        id="performance.log_loss",
        title="Log loss",
        formula="mean of -log(predicted probability of the label that occurred); probabilities are held within 1e-12",
        unit="nats",
        better="lower",
        source="elementary; interval: Student's t of the rows' losses",
    ),
    Definition(
        id="performance.rmse",
        title="Root mean squared error",
        formula="square root of the mean of (prediction - label)^2",
        unit="label units",
        better="lower",
        source="elementary; interval: delta method",
    ),
    Definition(
        id="performance.mae",
        title="Mean absolute error",
        formula="mean of |prediction - label|",
        unit="label units",
        better="lower",
        source="elementary; interval: Student's t of the rows' errors",
    ),
    Definition(
        id="performance.accuracy_gap",
        title="Accuracy: black box minus glass box",
        formula="accuracy of the black box - accuracy of the glass box, on the same rows",
        better="none",
        source="interval for paired proportions: Agresti and Min 2005",
    ),
    Definition(
        id="performance.auc_gap",
        title="AUC: black box minus glass box",
        formula="AUC of the black box - AUC of the glass box, on the same rows",
        better="none",
        source="DeLong, DeLong and Clarke-Pearson 1988",
    ),
    Definition(
        id="performance.rmse_gap",
        title="Root mean squared error: black box minus glass box",
        formula="root mean squared error of the black box - that of the glass box, on the same rows",
        unit="label units",
        better="none",
        source="elementary; interval: delta method on the paired squared errors",
    ),
)


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
    positive: NDArray[np.bool_] | None


def measure_performance(case: Case) -> Performance | NotDone:
    """Measure how well every model predicts the label.

    Parameters
    ----------
    case : Case
        The case.
    """
    if case.label is None:
        return NotDone(not_done="no label was given: how well the score predicts cannot be measured")
    known = np.isfinite(case.label)
    if not known.any():
        return NotDone(not_done="no row has a label")
    label = np.asarray(case.label[known], dtype=np.float64)
    models = _list_predictions(case, known)
    if not models:
        return NotDone(not_done="there is no score, no decision and no glass box to judge")
    measure = _measure_value if case.subject.task == "regression" else _measure_class
    return Performance(
        rows=int(known.sum()),
        protocol=case.fits.protocol if isinstance(case.fits, Fits) else "",
        caution=find_caution(case),
        models=tuple(item.model for item in models),
        measurements=doubt_measurements(
            (
                *(m for item in models for m in measure(item, label)),
                *_measure_gaps(models, label, case.subject.task == "regression"),
            ),
            find_selective(case),
        ),
        notes=_list_notes(case, int((~known).sum())),
        broken_parts=case.fits.list_broken(GLASS) if isinstance(case.fits, Fits) else (),
    )


def _list_notes(case: Case, unlabelled: int) -> tuple[str, ...]:
    notes = []
    if unlabelled:
        notes.append(f"{unlabelled:,} rows have no label and are left out here")
    if selective := find_selective(case):
        notes.append(f"{selective}; no verdict rests on these numbers")
    if case.weights is not None:
        notes.append("every row counts once here; the weights enter the fits of the glass boxes alone")
    if isinstance(case.fits, Fits):
        notes += [f"{name}: {reason}" for name, reason in case.fits.not_done.items() if name in GLASS]
    else:
        notes.append(f"no glass boxes: {case.fits.not_done}")
    return tuple(notes)


def _list_predictions(case: Case, known: NDArray[np.bool_]) -> list[Predictions]:
    models = []
    score, positive = case.scores.score, case.scores.predicted_positive
    if case.subject.task == "regression":
        positive = None
    if score is not None or positive is not None:
        models.append(
            Predictions(
                "black_box", None if score is None else score[known], None if positive is None else positive[known]
            )
        )
    fits = case.fits if isinstance(case.fits, Fits) else Fits()
    for name in GLASS:
        if name in fits.out_of_fold:
            link = fits.out_of_fold[name]
            if case.subject.task == "regression":
                models.append(Predictions(name, link[known], None))
            else:
                chosen = predict_positive(expit(link), case)
                models.append(Predictions(name, expit(link[known]), None if chosen is None else chosen[known]))
    return models


def predict_positive(score: Floats, case: Case) -> NDArray[np.bool_] | None:
    """Return the class a glass box predicts, by the same rule as the black box's.

    Parameters
    ----------
    score : ndarray of float64, shape [n]
        Probability of the positive class, all audited rows.
    case : Case
        For the decision.

    Returns
    -------
    ndarray of bool, shape [n], or None
        None where the decision has no single cut (bands). Stored decisions have no cut on the score: as many rows are
        predicted positive as the black box predicts.
    """
    rule = case.config.decision or DecisionRule()
    reference = case.scores.predicted_positive
    if reference is None:
        return None
    if rule.column is not None:
        return take_highest(score, int(reference.sum()))
    chosen = apply_condition(str(rule.favourable), score)
    return chosen if rule.operator in (">=", ">") else ~chosen


def take_highest(score: Floats, count: int) -> NDArray[np.bool_]:
    """Return where the `count` highest scores stand (ties by row order), bool, shape ``[n]``."""
    chosen = np.zeros(score.size, dtype=bool)
    chosen[np.argsort(-score, kind="stable")[:count]] = True
    return chosen


def _measure_class(item: Predictions, label: Floats) -> list[Measurement]:
    numbers: dict[str, Estimate] = {}
    truth = label == 1
    if item.positive is not None:
        numbers["accuracy"] = share_estimate(int((item.positive == truth).sum()), truth.size)
        numbers["balanced_accuracy"] = _balanced_accuracy(item.positive, truth)
    else:
        reason = "the decision has no single cut that predicts a class"
        numbers |= {name: undefined(reason) for name in ("accuracy", "balanced_accuracy")}
    if item.score is not None:
        numbers["auc"] = _auc(item.score, truth)
        numbers["average_precision"] = _average_precision(item.score, truth)
        probability = bool(item.score.min() >= 0 and item.score.max() <= 1)
        numbers["brier"] = _brier(item.score, truth) if probability else undefined("the scores are no probabilities")
        numbers["log_loss"] = (
            _log_loss(item.score, truth) if probability else undefined("the scores are no probabilities")
        )
    return [Measurement(metric=f"performance.{k}", estimate=v, model=item.model) for k, v in numbers.items()]


def _measure_value(item: Predictions, label: Floats) -> list[Measurement]:
    if item.score is None:
        return []
    error = item.score - label
    numbers = {"rmse": root_mean_square(error), "mae": _mean_estimate(np.abs(error), "mean, Student's interval")}
    return [Measurement(metric=f"performance.{k}", estimate=v, model=item.model) for k, v in numbers.items()]


def share_estimate(count: int, n: int) -> Estimate:
    """Return a share of rows with Wilson's interval; undefined without rows."""
    if n == 0:
        return undefined("there are no rows", n=0, count=0)
    low, high = wilson(count, n, LEVEL)
    return Estimate(value=count / n, low=low, high=high, n=n, count=count, method="Wilson score")


def _balanced_accuracy(positive: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Estimate:
    p, q = int(truth.sum()), int((~truth).sum())
    if not p or not q:
        return undefined("only one class is among the labels", n=truth.size)
    hit, right = int((positive & truth).sum()), int((~positive & ~truth).sum())
    tpr, miss = (hit / p, *wilson(hit, p, LEVEL)), wilson(q - right, q, LEVEL)
    # tpr - fpr = 2 x balanced accuracy - 1: the interval of a difference of independent shares
    low, high = square_and_add(tpr, ((q - right) / q, *miss))
    return Estimate(
        value=(hit / p + right / q) / 2,
        low=max(0.0, (1 + low) / 2),
        high=min(1.0, (1 + high) / 2),
        n=truth.size,
        method="square-and-add of Wilson intervals",
    )


def _auc(score: Floats, truth: NDArray[np.bool_]) -> Estimate:
    if truth.all() or not truth.any():
        return undefined("only one class is among the labels", n=truth.size)
    value, se = auc_delong(score[truth], score[~truth])
    return bounded_estimate(value, se, truth.size, "DeLong, logit interval")


def bounded_estimate(value: float, se: float, n: int, method: str) -> Estimate:
    """Return an estimate with a logit interval; at 0 or 1 there is none, and it is not assessable."""
    low, high = logit_interval(value, se, LEVEL)
    if not np.isfinite(low):
        note = "no interval: complete separation, or too few rows of a class"
        return Estimate(value=value, n=n, method=method, note=note, assessable=False)
    return Estimate(value=value, low=low, high=high, n=n, method=method)


def _average_precision(score: Floats, truth: NDArray[np.bool_]) -> Estimate:
    positives = int(truth.sum())
    if positives == 0 or positives == truth.size:
        return undefined("only one class is among the labels", n=truth.size)
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(score[order])), truth.size - 1)
    precision, recall = hits[last] / (last + 1), hits[last] / positives
    value = float(np.sum(np.diff(recall, prepend=0.0) * precision))
    se = float(np.sqrt(value * (1 - value) / positives))
    return bounded_estimate(min(value, 1.0), se, truth.size, "logit interval on the positives")


def _brier(score: Floats, truth: NDArray[np.bool_]) -> Estimate:
    return _mean_estimate((score - truth) ** 2, "mean, Student's interval")


def _log_loss(score: Floats, truth: NDArray[np.bool_]) -> Estimate:
    held = np.clip(score, 1e-12, 1 - 1e-12)
    return _mean_estimate(-np.log(np.where(truth, held, 1 - held)), "mean, Student's interval")


def _mean_estimate(values: Floats, method: str, *, least: float = 0.0) -> Estimate:
    """Return a mean of numbers that are not below `least`."""
    mean = float(values.mean())
    low, high = mean_interval(mean, float(values.var(ddof=1)) if values.size > 1 else 0.0, values.size, LEVEL)
    if not np.isfinite(low):
        note = "no interval: the rows do not vary, or there is one row"
        return Estimate(value=mean, n=values.size, method=method, note=note, assessable=False)
    return Estimate(value=mean, low=max(low, least), high=high, n=values.size, method=method)


def root_mean_square(error: Floats) -> Estimate:
    """Return the root mean square of errors; the interval is that of the mean square, by its logarithm.

    Parameters
    ----------
    error : ndarray of float64, shape [m]
        Errors.
    """
    square = error**2
    mean = float(square.mean()) if square.size else 0.0
    method = "root of the mean square, delta method on the logarithm"
    if square.size < 2 or mean <= 0 or float(square.var()) == 0:
        note = "no interval: the errors do not vary"
        if square.size == 0:
            return undefined("there are no rows", n=0, method=method)
        return Estimate(value=float(np.sqrt(mean)), n=square.size, method=method, note=note, assessable=False)
    half = normal_quantile(LEVEL) * float(square.std(ddof=1)) / np.sqrt(square.size) / mean
    low, high = mean * np.exp(-half), mean * np.exp(half)
    return Estimate(
        value=float(np.sqrt(mean)), low=float(np.sqrt(low)), high=float(np.sqrt(high)), n=square.size, method=method
    )


def _measure_gaps(models: list[Predictions], label: Floats, regression: bool) -> list[Measurement]:
    """Return the paired differences black box minus glass box."""
    black = next((item for item in models if item.model == "black_box"), None)
    if black is None:
        return []
    found = []
    for glass in (item for item in models if item.model != "black_box"):
        gaps: dict[str, Estimate] = {}
        if black.positive is not None and glass.positive is not None:
            gaps["accuracy_gap"] = paired_share_gap(black.positive == (label == 1), glass.positive == (label == 1))
        if black.score is not None and glass.score is not None:
            if regression:
                gaps["rmse_gap"] = paired_rmse_gap(black.score - label, glass.score - label)
            else:
                gaps["auc_gap"] = paired_auc_gap(black.score, glass.score, label)
        found += [Measurement(metric=f"performance.{k}", estimate=v, model=glass.model) for k, v in gaps.items()]
    return found
