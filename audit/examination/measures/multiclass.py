"""How good predictions of several classes are: the numbers of `Performance` over all classes at once.

Comes in: the case, with the predicted and true class of everybody and the probabilities of its rows. Goes out:
measurements of the black box, and of glass boxes that were fitted to all classes. What looks at one class alone (AUC,
average precision, Brier score) is measured like any other model's, for the positive class against the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from audit.evidence import Definition, Estimate, Measurement, NotDone, undefined
from audit.examination.blackbox.decision import plan_decision
from audit.statistics.confusion import macro_auc, macro_f1, macro_recall
from audit.statistics.figures import Figure

from .paired import paired_share_gap
from .prediction import mean_estimate_of, share_estimate

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

OVER_ALL = ("accuracy", "balanced_accuracy", "log_loss")
"""Numbers that mean all classes where there are several."""

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="performance.macro_f1",
        title="Mean F1 over the classes",
        formula="mean over the classes of 2 x hits / (rows truly of the class + rows predicted to be of it)",
        better="higher",
        source="Sokolova and Lapalme 2009; interval: delta method, Takahashi et al. 2022",
    ),
    Definition(
        id="performance.macro_auc",
        title="Mean area under the ROC curves of the classes",
        formula="mean over the classes of the area under the ROC curve of the class against the rest",
        better="higher",
        source="Provost and Domingos 2001, unweighted; interval: DeLong 1988, joined over the classes",
    ),
    Definition(
        id="fidelity.class_agreement",
        title="Same class",
        formula="rows for which surrogate and black box predict the same of several classes / rows; the surrogate's is "
        "the class with the highest of its additive scores",
        better="higher",
        source="elementary; interval: Wilson 1927",
    ),
    Definition(
        id="performance.r2",
        title="Variance explained",
        formula="1 - mean of (prediction - label)^2 / variance of the label",
        better="higher",
        source="elementary; interval: delta method on the logarithm of the unexplained share",
    ),
)


def measure_classes(case: Case) -> list[Measurement]:
    """Measure the black box over all classes; nothing without predicted and true classes.

    Parameters
    ----------
    case : Case
        The case.
    """
    roll = case.roll
    if roll.outcome is None or roll.truth is None:
        return []
    size, known = len(roll.outcomes), (roll.truth >= 0) & (roll.outcome >= 0)
    flat = roll.truth[known].astype(np.int64) * size + roll.outcome[known]
    counts = np.bincount(flat, roll.count[known], size * size).astype(np.int64).reshape(size, size)
    rows = int(counts.sum())
    if rows == 0:
        return []
    numbers = {
        "accuracy": share_estimate(int(np.trace(counts)), rows),
        "balanced_accuracy": _estimate(macro_recall(counts, roll.outcomes)),
        "macro_f1": _estimate(macro_f1(counts, roll.outcomes)),
        **_measure_probabilities(case.scores.probabilities, case),
    }
    return [Measurement(metric=f"performance.{k}", estimate=v, model="black_box") for k, v in numbers.items()]


def measure_glass_classes(case: Case) -> list[Measurement]:
    """Measure the glass boxes that were fitted to the labels of all classes, by scores of fits without the row.

    Parameters
    ----------
    case : Case
        The case.
    """
    truth = case.scores.truth
    if isinstance(case.fits, NotDone) or truth is None or not (truth >= 0).any():
        return []
    known, names, found = truth >= 0, case.scores.outcomes, []
    for model in ("ebm_label", "net_label"):
        scores = case.fits.class_scores.get(model)
        if scores is None:
            continue
        chosen = scores.argmax(axis=1)
        counts = np.zeros((len(names), len(names)), dtype=np.int64)
        np.add.at(counts, (truth[known], chosen[known]), 1)
        numbers = {
            "accuracy": share_estimate(int(np.trace(counts)), int(counts.sum())),
            "balanced_accuracy": _estimate(macro_recall(counts, names)),
            "macro_f1": _estimate(macro_f1(counts, names)),
            **_measure_probabilities(softmax(scores, axis=1), case),
        }
        if case.scores.outcome is not None:
            both = known & (case.scores.outcome >= 0)
            hits = (case.scores.outcome == truth)[both], (chosen == truth)[both]
            numbers["accuracy_gap"] = paired_share_gap(*hits)
        found += [Measurement(metric=f"performance.{k}", estimate=v, model=model) for k, v in numbers.items()]
    return found


def compare_classes(case: Case, model: str) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
    """Return where a surrogate of all classes predicts the black box's class, and where it favours as the box does.

    Parameters
    ----------
    case : Case
        The case.
    model : {"ebm_surrogate", "net_surrogate"}
        The surrogate.

    Returns
    -------
    same_class, same_side : ndarray of bool, shape [n], or None
        None where there is no such surrogate, or (`same_side`) the decision is none between classes.
    """
    outcome = case.scores.outcome
    scores = None if isinstance(case.fits, NotDone) else case.fits.class_scores.get(model)
    if scores is None or outcome is None:
        return None, None
    chosen = scores.argmax(axis=1)
    plan = plan_decision(case.config, case.dataset)
    if plan.kind != "class" or not plan.favoured or case.scores.favourable is None or plan.rule is None:
        return chosen == outcome, None
    if plan.rule.column is not None:
        return chosen == outcome, None
    favoured = np.isin(np.array(case.scores.outcomes), plan.favoured)
    return chosen == outcome, favoured[chosen] == case.scores.favourable


def put_in_place(measurements: Iterable[Measurement], case: Case) -> list[Measurement]:
    """Return measurements in which numbers of two classes have given way to those over all classes.

    Parameters
    ----------
    measurements : iterable of Measurement
        As measured for the positive class against the rest, glass boxes included.
    case : Case
        The case.
    """
    if not case.subject.classes:
        return list(measurements)
    two = {f"performance.{name}" for name in (*OVER_ALL, "accuracy_gap")}
    own = (*measure_classes(case), *measure_glass_classes(case))
    return [*own, *(item for item in measurements if item.metric not in two)]


def note_classes(case: Case) -> tuple[str, ...]:
    """Say which numbers mean which classes; empty where there are not several."""
    if not case.subject.classes:
        return ()
    return (
        f"AUC, average precision and Brier score are those of the class {case.subject.positive} against the rest; "
        "accuracy, balanced accuracy, F1, mean AUC and log loss are over all classes",
    )


def _measure_probabilities(probabilities: np.ndarray | None, case: Case) -> dict[str, Estimate]:
    """Return what needs the probabilities of all classes, over the rows of the case."""
    truth = case.scores.truth
    if probabilities is None or truth is None:
        why = "there are predicted classes, but no probabilities"
        return {"macro_auc": undefined(why), "log_loss": undefined(why)}
    known = truth >= 0
    chosen, place = np.asarray(probabilities[known], np.float64), truth[known]
    if not place.size:
        why = "no row has a label"
        return {"macro_auc": undefined(why), "log_loss": undefined(why)}
    losses = -np.log(np.clip(chosen[np.arange(place.size), place], 1e-12, 1.0))
    return {
        "macro_auc": _estimate(macro_auc(chosen, place, case.scores.outcomes)),
        "log_loss": mean_estimate_of(losses, np.ones(place.size, np.int64), "mean, Student's interval"),
    }


def _estimate(figure: Figure) -> Estimate:
    if figure.value is None:
        return undefined(figure.note, n=figure.n, method=figure.method)
    return Estimate(**figure.fields())
