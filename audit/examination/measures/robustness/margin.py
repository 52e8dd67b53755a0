"""How many people stand near the cut, where a small change of the score is another decision.

Comes in: everybody's scores and the one cut. Goes out: the share of people within some distances of it, overall and by
group.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, Measurement, NotDone
from audit.examination.measures.prediction import share_estimate

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

DISTANCES = (0.01, 0.05, 0.1)
"""Distances from the cut, for probabilities."""
SPREADS = (0.05, 0.1, 0.25)
"""The same for values, in standard deviations of the score."""


def measure_margin(case: Case) -> list[Measurement] | NotDone:
    """Measure how many people stand near the cut.

    Parameters
    ----------
    case : Case
        Its roll and its decision.
    """
    decision, roll = case.subject.decision, case.roll
    if roll.score is None:
        return NotDone(not_done="only decisions were supplied, no scores")
    if decision is None or decision.threshold is None:
        return NotDone(not_done="the decision is no single cut on the score")
    known = np.isfinite(roll.score) & (roll.count > 0)
    if not known.any():
        return NotDone(not_done="no row has a score")
    away = np.where(known, np.abs(np.where(known, roll.score, 0.0) - decision.threshold), np.inf)
    places: dict[str, float] = {f"within {x:g}": x for x in DISTANCES}
    if case.subject.task == "regression":
        mean = np.average(roll.score[known], weights=roll.count[known])
        spread = float(np.sqrt(np.average((roll.score[known] - mean) ** 2, weights=roll.count[known])))
        places = {f"within {x:g} sd": x * spread for x in SPREADS}
    return [item for name, x in places.items() for item in _count(case, away <= x, known, name)]


def _count(case: Case, near: NDArray[np.bool_], known: NDArray[np.bool_], name: str) -> Iterator[Measurement]:
    roll, metric = case.roll, "robustness.near_cut_share"
    yield Measurement(metric=metric, estimate=_share(case, near & known, known), outcome=name)
    for attribute, levels in roll.levels.items():
        codes = roll.codes[attribute]
        for place, level in enumerate(levels):
            inside = known & (codes == place)
            estimate = _share(case, near & inside, inside)
            yield Measurement(metric=metric, estimate=estimate, group={attribute: level}, outcome=name)


def _share(case: Case, near: NDArray[np.bool_], inside: NDArray[np.bool_]) -> Estimate:
    roll = case.roll
    n = int(roll.count[inside].sum())
    estimate = share_estimate(int(roll.count[near].sum()), n)
    notes = [f"scores are means of bins {roll.width:.2g} wide"] if roll.width else []
    if 0 < n < case.subject.small_count:
        notes.append(f"{n} people, fewer than {case.subject.small_count}: shown, not judged")
        estimate = estimate.model_copy(update={"assessable": False})
    return estimate.model_copy(update={"note": "; ".join(notes)}) if notes and estimate.value is not None else estimate
