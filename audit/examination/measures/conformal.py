"""Sets of predictions that hold the truth with a promised probability, made after the fact from the scores alone.

Comes in: the case. Goes out: coverage and size of split-conformal sets, with one threshold for everybody and with one
for each group. Half of the labelled rows, drawn at random, set the threshold; coverage is counted on the other half.
The promise is about everybody on average, not about one person, and not about a part of the people unless it has a
threshold of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Conformal, Definition, Estimate, Measurement, NotDone, undefined
from audit.examination.data.groups import UNKNOWN, order_groups

from .labels import doubt_measurements, find_selective
from .prediction import mean_estimate_of, share_estimate

if TYPE_CHECKING:
    from .case import Case

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PROMISED = 0.9
LEAST_ROWS = 30
"""Fewest rows that may set a threshold, and fewest on which coverage is counted."""

_SETS = (
    "Half of the labelled rows, drawn at random, set the threshold, the other half is counted; the score of a row is "
    "1 - probability of its true class, or |prediction - label| for a value"
)

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="robustness.conformal_coverage",
        title="Coverage of conformal sets",
        formula=f"rows whose 90 % set holds the truth / rows counted. {_SETS}. By group: with a threshold of its own, "
        "from the group's rows alone",
        unit="share",
        better="higher",
        source="split conformal prediction: Papadopoulos and others (2002); by group: Vovk (2012), Mondrian",
    ),
    Definition(
        id="robustness.conformal_shared_coverage",
        title="Coverage in the group under everybody's threshold",
        formula="rows of the group whose 90 % set holds the truth / rows of the group counted, with the one threshold "
        "of all rows: below 90 % the promise does not hold for this group",
        unit="share",
        better="higher",
        source="Romano, Barber, Sabatti and Candes (2020)",
    ),
    Definition(
        id="robustness.conformal_set_size",
        title="Size of conformal sets",
        formula="mean number of classes in the 90 % set, or width of the 90 % interval in label units; by group with "
        "its own threshold. A wider set says less",
        unit="",
        better="lower",
        source="Sadinle, Lei and Wasserman (2019)",
    ),
)


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is held against the threshold, for every labelled row.

    Parameters
    ----------
    own : ndarray of float64, shape [m]
        Misfit of the truth.
    classes : ndarray of float64, shape [m, classes], or None
        Misfit of every class; None for values.
    rows : ndarray of int64, shape [m]
        Places of the rows in the case.
    words : str
        What it is.
    """

    own: Floats
    classes: Floats | None
    rows: NDArray[np.int64]
    words: str


def conformal_threshold(misfit: Floats, promised: float = PROMISED) -> float:
    """Return the threshold that a new row's misfit stays below with the promised probability.

    Parameters
    ----------
    misfit : ndarray of float64, shape [n]
        Misfit of the calibration rows.
    promised : float
        Coverage.

    Returns
    -------
    float
        The ``ceil((n + 1) x promised)``-th smallest misfit; infinite where there are too few rows for the promise.
    """
    rank = math.ceil((misfit.size + 1) * promised - 1e-9)
    return float("inf") if rank > misfit.size else float(np.partition(misfit, rank - 1)[rank - 1])


def measure_conformal(case: Case) -> tuple[list[Measurement], Conformal] | NotDone:
    """Measure coverage and size of conformal sets, overall and by group.

    Parameters
    ----------
    case : Case
        Scores, labels, groups.
    """
    misfit = find_misfit(case)
    if isinstance(misfit, NotDone):
        return misfit
    m = misfit.own.size
    if m < 2 * LEAST_ROWS:
        return NotDone(not_done=f"{m} rows have a score and a label; conformal sets need {2 * LEAST_ROWS}")
    calibrates = np.zeros(m, dtype=bool)
    calibrates[case.rng("conformal split").permutation(m)[: m // 2]] = True
    found = list(_measure(case, misfit, calibrates))
    made = Conformal(promised=PROMISED, calibrated_on=m // 2, judged_on=m - m // 2, score=misfit.words)
    return list(doubt_measurements(found, find_selective(case))), made


def find_misfit(case: Case) -> Misfit | NotDone:
    """Return the misfit of every row that has a score and a label."""
    scores, label = case.scores, case.label
    if label is None:
        return NotDone(not_done="no label was given")
    if scores.score is None:
        return NotDone(not_done="only decisions were supplied, no scores")
    if case.subject.task == "regression":
        rows = np.flatnonzero(np.isfinite(label) & np.isfinite(scores.score))
        return Misfit(np.abs(scores.score[rows] - label[rows]), None, rows, "distance of prediction and label")
    chances, truth = _chances(case)
    rows = np.flatnonzero((truth >= 0) & np.isfinite(chances).all(axis=1))
    if rows.size and (chances[rows].min() < 0 or chances[rows].max() > 1):
        return NotDone(not_done="the scores are no probabilities")
    classes = 1.0 - chances[rows]
    own = classes[np.arange(rows.size), truth[rows]]
    return Misfit(own, classes, rows, "one minus the probability of the true class")


def _chances(case: Case) -> tuple[Floats, NDArray[np.int64]]:
    """Return the probability of every class, ``[n, classes]``, and the place of the true one, -1 where unknown."""
    scores, label = case.scores, case.label
    if scores.probabilities is not None and scores.truth is not None:
        return np.asarray(scores.probabilities, dtype=np.float64), np.asarray(scores.truth, dtype=np.int64)
    assert label is not None
    assert scores.score is not None
    truth = np.where(np.isfinite(label), np.nan_to_num(label) == 1, -1).astype(np.int64)
    return np.column_stack([1.0 - scores.score, scores.score]), truth


def _measure(case: Case, misfit: Misfit, calibrates: Flags) -> Iterator[Measurement]:
    everybody = np.ones(misfit.own.size, dtype=bool)
    shared = conformal_threshold(misfit.own[calibrates])
    yield from _judge(misfit, calibrates, everybody, shared, {}, "")
    for attribute, values in case.groups.items():
        here = values[misfit.rows].astype(str)
        for group in order_groups(here.tolist()):
            inside = np.asarray(here == group)
            few = _too_few(int((inside & calibrates).sum()), int((inside & ~calibrates).sum()))
            scope = {attribute: group}
            limit = float("inf") if few else conformal_threshold(misfit.own[inside & calibrates])
            yield from _judge(misfit, calibrates, inside, limit, scope, few)
            covered = misfit.own <= shared
            estimate = _coverage(covered, inside & ~calibrates)
            doubtful = few or group == UNKNOWN
            update = {"assessable": False, "note": few or "people of unknown group"} if doubtful else {}
            if estimate.value is not None:
                estimate = estimate.model_copy(update=update)
            yield Measurement(metric="robustness.conformal_shared_coverage", estimate=estimate, group=scope)


def _too_few(calibrating: int, judged: int) -> str:
    if min(calibrating, judged) >= LEAST_ROWS:
        return ""
    return f"{calibrating + judged} rows: fewer than {LEAST_ROWS} for threshold or count"


def _judge(
    misfit: Misfit, calibrates: Flags, inside: Flags, limit: float, scope: dict[str, str], few: str
) -> Iterator[Measurement]:
    names = ("robustness.conformal_coverage", "robustness.conformal_set_size")
    judged = inside & ~calibrates
    if few:
        found = [undefined(few, n=int(judged.sum()))] * 2
    else:
        found = [_coverage(misfit.own <= limit, judged), _size(misfit, judged, limit)]
    for name, estimate in zip(names, found, strict=True):
        yield Measurement(metric=name, estimate=estimate, group=scope)


def _coverage(covered: Flags, judged: Flags) -> Estimate:
    return share_estimate(int((covered & judged).sum()), int(judged.sum()))


def _size(misfit: Misfit, judged: Flags, limit: float) -> Estimate:
    n = int(judged.sum())
    if misfit.classes is None:
        note = "one width for all of these rows: no interval is calculated"
        return Estimate(value=2 * limit, n=n, method="twice the threshold", note=note, assessable=False)
    sizes = (misfit.classes[judged] <= limit).sum(axis=1).astype(np.float64)
    return mean_estimate_of(sizes, np.ones(n, dtype=np.int64), "mean, Student's interval")
