"""Bands and classes: how often each group gets each of them, and how often rightly.

Comes in: the roll with the band or predicted class of everybody, and the true class where labels have classes. Goes
out: whole counts by group, true class and outcome, and from them shares with their comparisons, numbers of each class
against the rest, and averages over the classes. Single attributes only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, Measurement, OutcomeCell, OutcomeTable, undefined
from audit.statistics.confusion import macro_f1, macro_precision, macro_recall
from audit.statistics.figures import Figure

from .groups import Grouping
from .metrics import ComparedMetric, Count
from .parts import Found, Scene
from .rates import Reading, compare_counts, compared_measurement, rate_estimate, small_note

if TYPE_CHECKING:
    from audit.examination.tally.roll import Roll

Counts = NDArray[np.int64]
Kind = Literal["band", "class"]


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """Whole counts of one attribute."""

    grouping: Grouping
    """The groups."""
    kind: Kind
    """What the outcomes are."""
    outcomes: tuple[str, ...]
    """Bands or classes."""
    counts: Counts
    """People by group, true class (the last place: unknown) and outcome; shape [groups, outcomes + 1, outcomes]."""
    favoured: tuple[str, ...] = ()
    """Outcomes that are good for the person; empty where none is declared."""

    @property
    def known(self) -> Counts:
        """People whose true class is known; shape [groups, outcomes, outcomes]."""
        return self.counts[:, :-1]

    def best(self, outcome: str) -> Literal["highest", "lowest"]:
        """Return which share of an outcome is the best one: the lowest where others are favourable."""
        return "lowest" if self.favoured and outcome not in self.favoured else "highest"


def measure_outcomes(scene: Scene) -> Found:
    """Measure bands and classes by group.

    Parameters
    ----------
    scene : Scene
        The case and its single attributes.
    """
    case = scene.case
    if not case.roll.outcomes or case.roll.outcome is None:
        return Found()
    kind: Kind = "class" if case.subject.classes == case.roll.outcomes else "band"
    decision = case.subject.decision
    favoured = decision.favourable_outcomes if decision is not None else ()
    tables, measurements = [], list[Measurement]()
    for grouping in scene.singles:
        counts = OutcomeCounts(grouping, kind, case.roll.outcomes, count_outcomes(grouping, case.roll), favoured)
        tables.append(list_cells(counts))
        measurements += _measure_shares(counts, scene.reading)
        if kind == "class" and not scene.reading.no_label:
            measurements += _measure_classes(counts, scene.reading)
            measurements += _measure_macro(counts, scene.reading)
    return Found(tuple(measurements), {"outcome_tables": tuple(tables)}, _note(kind, favoured))


def count_outcomes(grouping: Grouping, roll: Roll) -> Counts:
    """Count people by group, true class and outcome.

    Parameters
    ----------
    grouping : Grouping
        One attribute.
    roll : Roll
        Everybody.

    Returns
    -------
    ndarray of int64, shape [groups, outcomes + 1, outcomes]
        The last true class is the unknown one.
    """
    assert roll.outcome is not None
    k, place = len(roll.outcomes), roll.place(grouping.table)
    truth = np.full(len(place), k) if roll.truth is None else np.where(roll.truth < 0, k, roll.truth)
    used = (place >= 0) & (roll.outcome >= 0)
    flat = (place * (k + 1) + truth) * k + roll.outcome
    size = len(grouping.groups) * (k + 1) * k
    # sums of whole numbers below 2^53 are exact in floating point
    counted = np.bincount(flat[used], roll.count[used], size)
    return np.asarray(counted.astype(np.int64).reshape(-1, k + 1, k))


def list_cells(counted: OutcomeCounts) -> OutcomeTable:
    """Return the counts as a table of the evidence, cells without people left out."""
    names: tuple[str | None, ...] = (*counted.outcomes, None)
    return OutcomeTable(
        attributes=counted.grouping.table.attributes,
        kind=counted.kind,
        outcomes=counted.outcomes,
        cells=tuple(
            OutcomeCell(
                values=counted.grouping.groups[g].values,
                truth=names[t],
                outcome=counted.outcomes[o],
                n=int(counted.counts[g, t, o]),
            )
            for g, t, o in np.argwhere(counted.counts).tolist()
        ),
    )


def _note(kind: Kind, favoured: tuple[str, ...]) -> tuple[str, ...]:
    words = "bands" if kind == "band" else "classes"
    if favoured:
        good = ", ".join(favoured)
        return (
            f"Of the {words}, {good} {'is' if len(favoured) == 1 else 'are'} good for people: there the best group has "
            "the highest share, elsewhere the lowest.",
        )
    return (f"None of the {words} was declared good for people: each group is compared with the highest share.",)


def _measure_shares(counted: OutcomeCounts, reading: Reading) -> Iterator[Measurement]:
    """Yield the share of each group with each outcome, and its comparison with the best group."""
    rows = counted.counts.sum(axis=(1, 2))
    for place, outcome in enumerate(counted.outcomes):
        counts = _pairs(counted.counts[:, :, place].sum(axis=1), rows)
        yield from _rates(counted, "outcome_rate", outcome, counts, "nobody is in this group", reading)
        for kind in ("ratio", "difference"):
            metric = ComparedMetric(f"outcome_rate_{kind}", "outcome_rate", kind, counted.best(outcome))
            yield from _compare(counted, metric, outcome, counts, "nobody is in this group", reading)


def _pairs(k: Counts, n: Counts) -> list[Count]:
    return list(zip(k.tolist(), n.tolist(), strict=True))


def _rates(
    counted: OutcomeCounts,
    name: str,
    outcome: str | None,
    counts: list[Count],
    empty: str,
    reading: Reading,
    caution: str = "",
) -> Iterator[Measurement]:
    """Yield one rate of every group."""
    for place, (k, n) in enumerate(counts):
        note = "; ".join(filter(None, (small_note(counted.grouping, place, reading), caution)))
        yield Measurement(
            metric=f"fairness.{name}",
            estimate=rate_estimate(k, n, note) if n else undefined(empty, n=0, count=0),
            group=counted.grouping.groups[place].scope,
            outcome=outcome,
        )


def _compare(
    counted: OutcomeCounts,
    metric: ComparedMetric,
    outcome: str | None,
    counts: list[Count],
    empty: str,
    reading: Reading,
    caution: str = "",
) -> Iterator[Measurement]:
    """Yield the comparison of every known group with the best."""
    for place, comparison in compare_counts(counted.grouping, counts, metric.best).items():
        why = empty if comparison.group_counts[1] == 0 else ""
        done = compared_measurement(counted.grouping, place, comparison, metric, reading, why=why, caution=caution)
        yield done.model_copy(update={"outcome": outcome})


def _measure_classes(counted: OutcomeCounts, reading: Reading) -> Iterator[Measurement]:
    """Yield the numbers of each class against the rest."""
    known = counted.known
    truly, predicted, rows = known.sum(axis=2), known.sum(axis=1), known.sum(axis=(1, 2))
    caution = reading.selective
    for k, name in enumerate(counted.outcomes):
        hits = known[:, k, k]
        recall, fall_out = _pairs(hits, truly[:, k]), _pairs(predicted[:, k] - hits, rows - truly[:, k])
        precision = _pairs(hits, predicted[:, k])
        none, all_of = f"nobody in this group is truly {name}", f"everybody in this group is truly {name}"
        unseen = f"nobody in this group is predicted to be {name} and has a label"
        yield from _rates(counted, "outcome_true_positive_rate", name, recall, none, reading, caution)
        yield from _compare(counted, _RECALL, name, recall, none, reading, caution)
        yield from _rates(counted, "outcome_false_positive_rate", name, fall_out, all_of, reading, caution)
        yield from _rates(counted, "outcome_precision", name, precision, unseen, reading, caution)


_RECALL = ComparedMetric("outcome_true_positive_rate_difference", "outcome_true_positive_rate", "difference")
_ACCURACY = ComparedMetric("accuracy_difference", "accuracy", "difference")
_ERRORS = ComparedMetric("error_rate_ratio", "error_rate", "ratio", "lowest")
_MACRO: tuple[tuple[str, Callable[..., Figure]], ...] = (
    ("macro_true_positive_rate", macro_recall),
    ("macro_precision", macro_precision),
    ("macro_f1", macro_f1),
)


def _measure_macro(counted: OutcomeCounts, reading: Reading) -> Iterator[Measurement]:
    """Yield accuracy over all classes and the averages over the classes."""
    known, caution = counted.known, reading.selective
    rows, right = known.sum(axis=(1, 2)), np.trace(known, axis1=1, axis2=2)
    none = "no label is known for anyone in this group"
    accuracy, errors = _pairs(right, rows), _pairs(rows - right, rows)
    yield from _rates(counted, "accuracy", None, accuracy, none, reading, caution)
    yield from _compare(counted, _ACCURACY, None, accuracy, none, reading, caution)
    yield from _rates(counted, "error_rate", None, errors, none, reading, caution)
    yield from _compare(counted, _ERRORS, None, errors, none, reading, caution)
    for name, compute in _MACRO:
        for place, group in enumerate(counted.grouping.groups):
            figure = compute(known[place], counted.outcomes) if rows[place] else Figure(None, n=0, note=none)
            note = "; ".join(filter(None, (small_note(counted.grouping, place, reading), caution)))
            yield Measurement(
                metric=f"fairness.{name}", estimate=estimate_of(figure, note), group=group.scope, outcome=None
            )


def estimate_of(figure: Figure, note: str = "") -> Estimate:
    """Return a figure as an estimate; undefined where it has no value, not assessable where there is a note why.

    Parameters
    ----------
    figure : Figure
        The number.
    note : str
        Why no verdict may rest on it; empty where one may.
    """
    if figure.value is None:
        return undefined(figure.note, n=figure.n, method=figure.method)
    fields: dict[str, Any] = figure.fields()
    fields |= {"note": "; ".join(filter(None, (figure.note, note))), "assessable": figure.assessable and not note}
    return Estimate(**fields)
