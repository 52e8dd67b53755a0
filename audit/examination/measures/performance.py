"""How well black box and glass boxes predict the label, on the same rows, each number with its interval.

Comes in: the case; glass boxes are judged by scores of fits that did not see the row. Goes out: `Performance`, with the
paired differences black box minus glass box: the price of transparency, or its absence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from audit.evidence import Definition, Estimate, Measurement, NotDone, Performance
from audit.examination.blackbox.decision import follow_rule, plan_decision
from audit.examination.glassbox.fit import Fits

from .data import find_caution
from .labels import doubt_measurements, find_selective
from .multiclass import note_classes, put_in_place
from .paired import paired_auc_gap, paired_rmse_gap, paired_share_gap
from .prediction import Predictions, label_rows, measure_class, measure_value, predict_everybody

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]

GLASS = ("ebm_label", "net_label")

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
    measure = measure_value if case.subject.task == "regression" else measure_class
    # the black box is judged on everybody; the glass boxes on the rows that they were fitted and scored on
    everybody = predict_everybody(case)
    judged = [everybody if everybody and item.model == "black_box" else (item, label_rows(label)) for item in models]
    labelled = everybody[1].rows if everybody else int(known.sum())
    return Performance(
        rows=labelled,
        protocol=case.fits.protocol if isinstance(case.fits, Fits) else "",
        caution=find_caution(case),
        models=tuple(item.model for item in models),
        measurements=doubt_measurements(
            put_in_place(
                (
                    *(m for item, rows in judged for m in measure(item, rows)),
                    *_measure_gaps(models, label, case.subject.task == "regression"),
                ),
                case,
            ),
            find_selective(case),
        ),
        notes=(*_list_notes(case, (case.roll.rows if everybody else known.size) - labelled), *note_classes(case)),
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
    if case.sampled:
        notes.append(f"glass boxes, and the gaps to them: {case.sampled}")
        if case.roll.valued and not case.roll.exact:
            notes.append(f"black box: {case.sampled}")
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
        None where the decision predicts no class. Stored decisions have no cut on the score: as many rows are predicted
        positive as the black box predicts.
    """
    plan = plan_decision(case.config, case.dataset)
    reference = case.scores.predicted_positive
    if reference is None:
        return None
    chosen = follow_rule(plan, case.frame, score)
    if chosen is None:
        return take_highest(score, int(reference.sum()))
    return chosen if plan.side == "high" else ~chosen


def take_highest(score: Floats, count: int) -> NDArray[np.bool_]:
    """Return where the `count` highest scores stand (ties by row order), bool, shape ``[n]``."""
    chosen = np.zeros(score.size, dtype=bool)
    chosen[np.argsort(-score, kind="stable")[:count]] = True
    return chosen


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
