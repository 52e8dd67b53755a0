"""Fairness by group: every protected attribute and every intersection, measured.

Comes in: the case. Goes out: the `Fairness` section with its count tables, from which the judge can compute every rate
again, or the reason why there is none.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from audit.evidence import CrossCheck, Fairness, NotDone
from audit.statistics import FOUR_FIFTHS, needed_for_ratio

from ..labels import find_selective
from . import (
    appendix,
    auc,
    bayes,
    calibrated,
    conditional,
    definitions,
    differential,
    distributions,
    flip,
    inequality,
    missing_labels,
    several,
    treatment,
    unknown,
    weighted,
    worst,
)
from .cross_check import MOST_ROWS, CheckedRows, check_with_fairlearn
from .groups import Grouping, lay_out
from .outcomes import measure_outcomes
from .parts import Found, Part, Scene, gather, merge_records
from .rates import (
    Reading,
    compare_counts,
    count_by_group,
    measure_comparisons,
    measure_rates,
    measure_worst,
)
from .scores import measure_from_scores
from .strata import measure_strata
from .thresholds import sweep_thresholds
from .two_sided import keep_meaningful, keep_measurable, read_two_sides
from .values import measure_values

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

__all__ = ["DEFINITIONS", "measure_fairness"]

DEFINITIONS = (
    *definitions.DEFINITIONS,
    *auc.DEFINITIONS,
    *calibrated.DEFINITIONS,
    *distributions.DEFINITIONS,
    *appendix.DEFINITIONS,
    *missing_labels.DEFINITIONS,
    *conditional.DEFINITIONS,
    *flip.DEFINITIONS,
    *several.DEFINITIONS,
    *worst.DEFINITIONS,
    *treatment.DEFINITIONS,
    *differential.DEFINITIONS,
    *inequality.DEFINITIONS,
    *weighted.DEFINITIONS,
    *unknown.DEFINITIONS,
    *bayes.DEFINITIONS,
)
"""Every metric of this section."""


def measure_fairness(case: Case) -> Fairness | NotDone:
    """Measure how groups fare.

    Parameters
    ----------
    case : Case
        Subject, group columns, labels, scores and tally.

    Returns
    -------
    Fairness or NotDone
        NotDone where no protected attribute was declared.
    """
    begun = perf_counter()
    if not case.subject.attributes:
        return NotDone(not_done="no protected attribute was declared under `groups`, so no groups are compared")
    wanted = [(attribute.name,) for attribute in case.subject.attributes] + list(case.subject.intersections)
    groupings = [
        lay_out(case.tally.table(attributes), case.subject.small_count, case.subject.small_share)
        for attributes in wanted
    ]
    reading = read_labels(case)
    singles = groupings[: len(case.subject.attributes)]
    scene = Scene(case, tuple(singles), tuple(groupings[len(singles) :]), reading)
    found, broken = gather(PARTS, scene)
    return Fairness(
        groups=tuple(group for grouping in groupings for group in grouping.groups),
        tables=tuple(grouping.table for grouping in groupings),
        measurements=tuple(keep_measurable((item for part in found for item in part.measurements), scene)),
        cross_check=_cross_check(case, groupings, reading),
        literal=tuple(state_four_fifths(grouping, reading) for grouping in singles if case.subject.decision),
        notes=(*_notes(case, singles, reading), *(note for part in found for note in part.notes)),
        seconds=round(perf_counter() - begun, 3),
        broken_parts=tuple(broken),
        **merge_records(found),
    )


def read_labels(case: Case) -> Reading:
    """Say what label-based numbers can rest on.

    Parameters
    ----------
    case : Case
        Its labels, decisions and declared sizes.
    """
    decision = case.subject.decision
    positive_is_favourable = decision is None or decision.positive_is_favourable
    no_label = ""
    if case.label is None:
        no_label = "no label was given"
    elif case.subject.task == "regression":
        no_label = "the label is a value, it has no positive class"
    elif not np.isfinite(case.label).any():
        no_label = "no label is known"
    selective = "" if no_label else find_selective(case)
    return Reading(positive_is_favourable, no_label, selective, case.subject.small_count)


def measure_counts(scene: Scene) -> Found:
    """Measure rates, their comparisons and the worst cases, from whole counts; those that mean nothing are left out."""
    reading = read_two_sides(scene)
    measured = [
        item
        for grouping in scene.groupings
        for measure in (measure_rates, measure_comparisons, measure_worst)
        for item in measure(grouping, reading)
    ]
    return Found(tuple(keep_meaningful(measured, scene)))


PARTS: dict[str, Part] = {
    "rates by group": measure_counts,
    "worst groups": worst.measure_worst_groups,
    "treatment equality": treatment.measure_treatment,
    "differential fairness": differential.measure_differential,
    "inequality of benefit": inequality.measure_inequality,
    "weighted rates": weighted.measure_weighted,
    "people of unknown group": unknown.measure_unknown,
    "shrunk rates": bayes.measure_shrunk,
    "scores by group": measure_from_scores,
    "losses by group": calibrated.measure_losses,
    "distributions of scores": distributions.measure_distributions,
    "other thresholds": sweep_thresholds,
    "appendix": appendix.measure_appendix,
    "labels that are missing": missing_labels.measure_missing_labels,
    "groups within strata": measure_strata,
    "swapped attributes": flip.measure_flip,
    "bands and classes": measure_outcomes,
    "predicted values": measure_values,
}
"""Name for readers to part; a new part is a module of its own and a row here."""


def _cross_check(case: Case, groupings: list[Grouping], reading: Reading) -> CrossCheck | None:
    """Have fairlearn compute the same rates, where there are two sides to a decision."""
    if case.scores.favourable is None or case.subject.decision is None:
        return None
    unread = bool(reading.no_label) or not case.subject.decision.predicts
    return check_with_fairlearn(
        [grouping.table for grouping in groupings],
        CheckedRows(case.groups, np.asarray(case.scores.favourable, bool), None if unread else case.label),
        positive_is_favourable=reading.positive_is_favourable,
        rng=case.rng("fairness.cross_check"),
        # the rows at hand are not those of the tables: both sides are then computed from some of them
        most_rows=min(MOST_ROWS, len(case.scores.favourable) - 1) if case.sampled else MOST_ROWS,
    )


def state_four_fifths(grouping: Grouping, reading: Reading) -> str:
    """Return the literal four-fifths result of one attribute, in whole people, as one sentence."""
    counts = count_by_group(grouping, "selection_rate", reading)
    comparisons = compare_counts(grouping, counts)
    others = [
        comparison
        for place, comparison in comparisons.items()
        if grouping.candidates[place] and not comparison.is_reference and comparison.ratio.value is not None
    ]
    if not others:
        return f"{grouping.name}: there are no two groups large enough, with anyone decided favourably, to compare."
    worst = min(others, key=lambda comparison: comparison.ratio.value or 0.0)
    (k, n), (k_best, n_best) = worst.group_counts, worst.reference_counts
    words = (
        f"{worst.name}: {k} of {n} decided favourably ({k / n:.1%}); {worst.reference}: {k_best} of {n_best} "
        f"({k_best / n_best:.1%}); lowest impact ratio {worst.ratio.value:.3f}, "
    )
    if worst.reaches(FOUR_FIFTHS):
        return words + "not below four fifths."
    more = needed_for_ratio(k, n, k_best, n_best)
    return words + f"below four fifths by {more} favourable {'decision' if more == 1 else 'decisions'}."


def _notes(case: Case, singles: list[Grouping], reading: Reading) -> list[str]:
    """Return the cautions a reader must see."""
    notes = [
        "The best group is picked after the rates were seen; intervals and tests to it are corrected for all pairs."
    ]
    for grouping in singles:
        if unknown := grouping.unknown_cell:
            notes.append(
                f"{grouping.name}: {unknown.n} of {grouping.rows} people are of unknown group; their rates are shown, "
                "they are compared with nobody and nobody with them."
            )
        small = [name for name, group in zip(grouping.names, grouping.groups, strict=True) if group.small]
        if small:
            notes.append(
                f"{grouping.name}: small, shown and never the reference: {', '.join(small)}; those below "
                f"{reading.small_count} people are not judged."
            )
    if reading.selective:
        notes.append(f"Labels are missing by decision ({reading.selective}); no verdict rests on them.")
    return notes
