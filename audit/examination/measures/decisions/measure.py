"""The section on individual decisions: principal reasons and what would change them, told about many.

Comes in: the case. Goes out: `IndividualDecisions`. What is told to single people is written elsewhere; the section
knows only how many they are and the digests of their files.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.config.schema import ExplainOrder
from audit.evidence import Changeable, IndividualDecisions, Measurement, NotDone
from audit.examination.measures.attribution.shapley import count_evaluations
from audit.examination.measures.deadline import Deadline
from audit.examination.measures.explanations.numbers import mean_over_rows, share_of_rows
from audit.examination.measures.explanations.pace import choose_rows

from .by_group import measure_recourse, measure_shares
from .definitions import DEFINITIONS
from .denied import Denied, find_denied
from .individuals import describe_background, describe_individuals, flag_features
from .levers import Lever, find_levers
from .reasons import PERMUTATIONS, Reasons, choose_reasons, correct_all, find_reasons, try_corrections
from .recourse import MOST_CHANGES, search_recourse

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

__all__ = ["DEFINITIONS", "measure_decisions"]

Whole = NDArray[np.int64]

MOST_ROWS = {"fast": 100, "standard": 300, "thorough": 1_000}
"""People whose reasons are found, by effort."""
MOST_SEARCHED = {"fast": 300, "standard": 1_000, "thorough": 3_000}
"""People for whom a way is searched, by effort."""


def measure_decisions(case: Case) -> IndividualDecisions | NotDone:
    """Measure reasons for decisions against people, and what would change them.

    Parameters
    ----------
    case : Case
        The case.
    """
    begun, deadline = perf_counter(), Deadline(case.config.effort)
    denied = find_denied(case)
    if isinstance(denied, NotDone):
        return denied
    order, effort = case.config.explain or ExplainOrder(), case.config.effort
    each = 2 * count_evaluations(len(denied.columns), PERMUTATIONS[effort]) + len(denied.columns)
    size, drawn = choose_rows(case, MOST_ROWS, each, among=len(denied.places))
    places = denied.sample(size, "people whose reasons are found")
    reasons = find_reasons(denied, denied.take(places), order.reasons, "sample")
    measurements = [*_measure_reasons(denied, reasons, order.reasons), *measure_shares(denied, places, reasons)]
    levers = find_levers(case)
    searched = _search(denied, levers, measurements, deadline)
    flagged = flag_features(case)
    named = _name_people(denied, levers)
    asked = {str(row) for row in order.rows} if case.config.data.id else set[str]()
    return IndividualDecisions(
        rows=len(places),
        rows_of=len(denied.places),
        drawn=drawn,
        background=describe_background(denied),
        background_rows=len(denied.background),
        reasons=order.reasons,
        permutations=2 * PERMUTATIONS[effort],
        searched=searched,
        changeable=tuple(map(_describe_lever, levers)),
        most_changes=min(MOST_CHANGES, len(levers)) if searched else 0,
        flagged=tuple(n for j, n in enumerate(denied.columns) if n in flagged and reasons.among(j).any()),
        named=len(named),
        named_missing=max(len(asked) - len(named), 0),
        individuals=tuple(sorted(named)),
        parts_not_done=denied.not_done,
        measurements=tuple(measurements),
        notes=tuple(_list_notes(denied)),
        evaluations=denied.ask.asked,
        seconds=round(perf_counter() - begun, 3),
    )


def _name_people(denied: Denied, levers: tuple[Lever, ...]) -> list[str]:
    """Return the digest of each file about one person."""
    config = denied.case.config
    if config.explain is not None and config.explain.rows and config.data.id is None:
        denied.not_done["Reasons for the people asked for"] = "data.id names no column in which to look for row ids"
    return [item.digest() for item in describe_individuals(denied, levers).values()]


def _measure_reasons(denied: Denied, reasons: Reasons, most: int) -> Iterator[Measurement]:
    helps = try_corrections(denied, reasons)
    chance = f"a column drawn at random would help in {helps.mean():.1%}"
    for rank in range(reasons.given.shape[1]):
        given = reasons.given[:, rank]
        has = given >= 0
        valid = np.take_along_axis(helps[has], given[has, None], axis=1)[:, 0]
        yield Measurement(
            metric="decisions.reason_validity", estimate=share_of_rows(valid, chance), outcome=f"reason {rank + 1}"
        )
    answer = denied.ask(correct_all(denied, reasons))
    if answer.favourable is not None:
        yield Measurement(metric="decisions.reasons_suffice", estimate=share_of_rows(answer.favourable[answer.known]))
    first, second = (choose_reasons(half, most) for half in reasons.halves)
    width = min(most, len(denied.columns))
    halves = "two halves of the draws; the reasons themselves rest on both and vary less"
    if width < len(denied.columns):
        same = ((first[:, :, None] == second[:, None, :]) & (first >= 0)[:, :, None]).any(axis=2).sum(axis=1)
        size = np.maximum((first >= 0).sum(axis=1), (second >= 0).sum(axis=1))
        overlap = np.where(size > 0, same / np.maximum(size, 1), np.nan)
        estimate = mean_over_rows(overlap, least=0.0, most=1.0, without="have no reason", note=halves)
        yield Measurement(metric="decisions.reason_stability", estimate=estimate)
    alike: NDArray[np.bool_] = np.equal(first[:, 0], second[:, 0])
    yield Measurement(metric="decisions.first_reason_stability", estimate=share_of_rows(alike, halves))
    flagged = [j for j, name in enumerate(denied.columns) if name in flag_features(denied.case)]
    if flagged:
        loud = np.asarray(np.isin(reasons.given, flagged).any(axis=1))
        yield Measurement(metric="decisions.protected_reason_rate", estimate=share_of_rows(loud))


def _search(denied: Denied, levers: tuple[Lever, ...], measurements: list[Measurement], deadline: Deadline) -> int:
    """Search ways for a sample of people; return how many they are, 0 where that cannot be done."""
    title, case = "What would change the decision", denied.case
    if not levers:
        denied.not_done[title] = (
            "no feature that the model reads is declared mutable (features: {income: {mutable: true}})"
        )
        return 0
    if not denied.follows:
        denied.not_done[title] = "no decision follows from the score, so that changes cannot be tried"
        return 0
    if late := deadline.reason:
        denied.not_done[title] = late
        return 0
    each = 3 * sum(len(lever.values) for lever in levers)
    size, _ = choose_rows(case, MOST_SEARCHED, each, among=len(denied.places))
    places = denied.sample(size, "people for whom a way is searched")
    recourse = search_recourse(
        denied.ask, denied.take(places), levers, denied.sign, is_value=case.subject.task == "regression"
    )
    measurements += measure_recourse(case, places, recourse)
    return len(places)


def _describe_lever(lever: Lever) -> Changeable:
    if not lever.is_number:
        return Changeable(feature=lever.name, levels=len(lever.values))
    low, high = float(lever.values[0]), float(lever.values[-1])
    return Changeable(feature=lever.name, low=low, high=high, unit=float(f"{lever.unit:.6g}"))


def _list_notes(denied: Denied) -> Iterator[str]:
    flagged = flag_features(denied.case)
    read = [f"{name} ({flagged[name]})" for name in denied.columns if name in flagged]
    if read:
        yield (
            f"The model reads {', '.join(read)}. Where one of them is a principal reason it is told as such and not "
            "replaced by another: a notice that leaves it out would be untrue."
        )
    if not denied.follows:
        yield "Decisions are stored in the data: the reasons explain the model's score, not the decision itself."
