"""Rates and comparisons of weighted people, beside those of people.

Comes in: sums of the row weights, and of their squares, by group, label and decision. Goes out: weighted rates with
Wilson's interval on Kish's effective number of people, and their comparison with the best group. People stay the
primary numbers: what a law states in whole people is decided without weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Cell, Definition, Estimate, Measurement, Parity, undefined
from audit.statistics import Comparison, kish_effective_n, wilson
from audit.statistics.weighted import EffectiveCount, compare_effective, effective_count

from .groups import Grouping
from .metrics import COMPARED, RATES, ComparedMetric, RateMetric
from .parts import Found, Scene
from .rates import LEVEL, Reading, small_note
from .two_sided import NOT_PREDICTED, read_two_sides

_PLACES = (
    "positive_favourable",
    "positive_unfavourable",
    "negative_favourable",
    "negative_unfavourable",
    "unlabelled_favourable",
    "unlabelled_unfavourable",
)
_WEIGHTED = ("base_rate", "selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")
_WEIGHTED_COMPARED = (
    "selection_rate_ratio",
    "selection_rate_difference",
    "true_positive_rate_difference",
    "false_positive_rate_difference",
)
_KISH = "Kish (1965), Survey Sampling, 8.2"
_CLASS = "Positive means the label's positive class, whichever decision is favourable"
_BEST = "of any group that is neither small nor unknown; simultaneous over all pairs of groups"

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.weighted_effective_people",
        title="Effective number of people",
        formula="(sum of weights)^2 / sum of squared weights: the people of equal weight that are worth as much",
        unit="people",
        better="higher",
        source=_KISH,
    ),
    *(
        Definition(
            id=f"fairness.weighted_{name}",
            title=f"{title}, weighted",
            formula=f"{formula}, each person counted with the row's weight",
            better=better,
            source=f"sample weights of the data; interval: Wilson (1927) on the effective number of people, {_KISH}",
        )
        for name, title, formula, better in (
            ("base_rate", "Base rate", "people with the positive label / people with a label", "none"),
            ("selection_rate", "Selection rate", "people decided favourably / people", "none"),
            (
                "true_positive_rate",
                "True positive rate",
                f"people predicted positive / people with the positive label. {_CLASS}",
                "none",
            ),
            (
                "false_positive_rate",
                "False positive rate",
                f"people predicted positive / people with the negative label. {_CLASS}",
                "none",
            ),
            (
                "precision",
                "Precision",
                f"people with the positive label / people predicted positive. {_CLASS}",
                "higher",
            ),
            ("accuracy", "Accuracy", "people whose prediction equals their label / people with a label", "higher"),
        )
    ),
    *(
        Definition(
            id=f"fairness.weighted_{name}",
            title=f"{title}, weighted",
            formula=f"{formula} {_BEST}",
            better=better,
            source=f"sample weights of the data; interval: {interval} on the effective number of people, {_KISH}",
        )
        for name, title, formula, better, interval in (
            (
                "selection_rate_ratio",
                "Impact ratio",
                "weighted selection rate of the group / highest one",
                "higher",
                "Miettinen and Nurminen (1985)",
            ),
            (
                "selection_rate_difference",
                "Selection-rate difference",
                "highest weighted selection rate - that of the group;",
                "lower",
                "Newcombe (1998)",
            ),
            (
                "true_positive_rate_difference",
                "Equal-opportunity difference",
                "highest weighted true positive rate - that of the group;",
                "lower",
                "Newcombe (1998)",
            ),
            (
                "false_positive_rate_difference",
                "False-positive-rate difference",
                "weighted false positive rate of the group - lowest one",
                "lower",
                "Newcombe (1998)",
            ),
        )
    ),
)
"""One row per metric of this module."""


@dataclass(frozen=True, slots=True)
class WeightedRate:
    """One weighted rate of one group."""

    count: EffectiveCount
    """Effective people."""
    people: int
    """People asked, each counted once."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over the groups of a table; arrays of shape [groups, 6], label by decision."""

    grouping: Grouping
    people: NDArray[np.float64]
    weight: NDArray[np.float64]
    square: NDArray[np.float64]


def measure_weighted(scene: Scene) -> Found:
    """Measure the weighted rates of every single attribute, where rows have weights.

    Parameters
    ----------
    scene : Scene
        The case.
    """
    if scene.case.roll.weight is None or scene.case.subject.decision is None:
        return Found()
    reading = read_two_sides(scene)
    found = [
        item
        for grouping in scene.singles
        if (sums := _sum_weights(grouping, scene)) is not None
        for item in _of_attribute(sums, reading, several=bool(scene.case.subject.classes))
    ]
    return Found(tuple(found), notes=(_NOTE,) if found else ())


_NOTE = (
    "Rows have weights. Rates, ratios, tests and everything that is stated in whole people count every person once; "
    "the numbers called weighted count each with its weight, their intervals rest on Kish's effective number of people."
)


def _sum_weights(grouping: Grouping, scene: Scene) -> _Sums | None:
    """Return the sums by the cells of the table; None where the tally holds none."""
    (name,) = grouping.table.attributes
    tally = scene.case.tally
    weight, square = tally.sums("weight", (name,)), tally.sums("weight_square", (name,))
    if weight is None or square is None:
        return None
    places = [tally.levels[name].index(cell.values[0]) for cell in grouping.table.cells]
    people = np.array([[getattr(cell, place) for place in _PLACES] for cell in grouping.table.cells], float)
    return _Sums(grouping, people, weight[places].reshape(-1, 6), square[places].reshape(-1, 6))


def _of_attribute(sums: _Sums, reading: Reading, *, several: bool) -> Iterator[Measurement]:
    """Yield everything weighted of one attribute; no accuracy where there are several classes."""
    yield from _effective_people(sums, reading)
    made: dict[str, list[WeightedRate]] = {}
    for metric in (item for item in RATES if item.name in _WEIGHTED):
        if metric.needs_label and reading.no_label == NOT_PREDICTED:
            continue
        if several and metric.name == "accuracy":
            continue
        made[metric.name] = rate_weighted(sums.people, sums.weight, sums.square, metric, reading)
        for place, rate in enumerate(made[metric.name]):
            yield Measurement(
                metric=f"fairness.weighted_{metric.name}",
                estimate=_rate(rate, metric, _notes(sums.grouping, place, rate, metric, reading), reading),
                group=sums.grouping.groups[place].scope,
            )
    for compared in (item for item in COMPARED if item.name in _WEIGHTED_COMPARED and item.rate in made):
        yield from _compare(sums.grouping, made[compared.rate], compared, reading)


def _effective_people(sums: _Sums, reading: Reading) -> Iterator[Measurement]:
    for place, group in enumerate(sums.grouping.groups):
        n = kish_effective_n(float(sums.weight[place].sum()), float(sums.square[place].sum()))
        note = small_note(sums.grouping, place, reading)
        estimate = (
            Estimate(value=n, n=group.n, method="Kish's effective sample size", note=note, assessable=not note)
            if n > 0
            else undefined("all weights of this group are 0", n=group.n)
        )
        yield Measurement(metric="fairness.weighted_effective_people", estimate=estimate, group=group.scope)


def rate_weighted(
    people: NDArray[np.float64],
    weight: NDArray[np.float64],
    square: NDArray[np.float64],
    metric: RateMetric,
    reading: Reading,
) -> list[WeightedRate]:
    """Return a weighted rate of every group.

    Parameters
    ----------
    people, weight, square : array, shape [groups, 6]
        People, and sums of their weights and squared weights, by label (positive, negative, unknown) and decision
        (favourable, unfavourable).
    metric : RateMetric
        The rate; its own rule for people says which of the six places it counts.
    reading : Reading
        Which decision goes with the positive class.
    """
    single = [metric.count(_one_person(place), reading.positive_is_favourable) for place in range(len(_PLACES))]
    hits, asked = np.array(single, float).T
    return [
        WeightedRate(effective_count(float(w @ hits), float(w @ asked), float(q @ asked)), round(float(n @ asked)))
        for n, w, q in zip(people, weight, square, strict=True)
    ]


def _one_person(place: int) -> Cell:
    return Cell(values=(), **{name: int(i == place) for i, name in enumerate(_PLACES)})


def _notes(grouping: Grouping, place: int, rate: WeightedRate, metric: RateMetric, reading: Reading) -> str:
    """Return why no verdict may rest on a weighted rate; empty where one may."""
    small = small_note(grouping, place, reading)
    thin = ""
    if not small and grouping.known[place] and 0 < rate.count.n < min(reading.small_count, rate.people):
        thin = f"worth {rate.count.n:.1f} people of equal weight, fewer than {reading.small_count}: shown, not judged"
    return "; ".join(filter(None, (small, thin, reading.selective if metric.needs_label else "")))


def _rate(rate: WeightedRate, metric: RateMetric, note: str, reading: Reading) -> Estimate:
    """Return a weighted rate with Wilson's interval on effective people."""
    if metric.needs_label and reading.no_label:
        return undefined(reading.no_label)
    if rate.people == 0:
        return undefined(metric.empty, n=0)
    if rate.count.n <= 0:
        return undefined("the weights of all people asked are 0", n=rate.people)
    low, high = wilson(rate.count.k, rate.count.n, LEVEL)
    return Estimate(
        value=rate.count.rate,
        low=low,
        high=high,
        level=LEVEL,
        n=rate.people,
        method="Wilson score, Kish's effective number of people",
        note=note,
        assessable=not note,
    )


def _compare(
    grouping: Grouping, rates: Sequence[WeightedRate], metric: ComparedMetric, reading: Reading
) -> Iterator[Measurement]:
    """Yield a comparison of every known group with the best."""
    rate = next(item for item in RATES if item.name == metric.rate)
    places = [place for place, known in enumerate(grouping.known) if known]
    names = [grouping.names[place] for place in places]
    notes = [_notes(grouping, place, rates[place], rate, reading) for place in places]
    caution = reading.selective if rate.needs_label else ""
    judged = [note == caution for note in notes]
    done = compare_effective(
        [rates[place].count for place in places],
        names,
        LEVEL,
        best=metric.best,
        assessable=judged,
        candidates=[yes and grouping.candidates[place] for place, yes in zip(places, judged, strict=True)],
    )
    people_of = {name: rates[place].people for name, place in zip(names, places, strict=True)}
    for place, comparison, note in zip(places, done, notes, strict=True):
        why = reading.no_label if rate.needs_label else ""
        people = rates[place].people + (0 if comparison.is_reference else people_of.get(comparison.reference, 0))
        yield Measurement(
            metric=f"fairness.weighted_{metric.name}",
            estimate=undefined(why) if why else _compared(comparison, metric, note, people),
            group=grouping.groups[place].scope,
            reference=comparison.reference or None,
            parity=Parity(**comparison.parity.fields()) if comparison.parity and not why else None,
        )


def _compared(comparison: Comparison, metric: ComparedMetric, note: str, people: int) -> Estimate:
    """Return a comparison as an estimate that counts people, not effective ones."""
    figure = comparison.ratio if metric.kind == "ratio" else comparison.difference
    words = "; ".join(dict.fromkeys(filter(None, (note, figure.note if not note else ""))))
    if figure.value is None:
        return undefined(figure.note, n=people)
    fields = figure.fields() | {"n": people, "note": words, "assessable": figure.assessable and not note}
    method = figure.method if figure.method == "by definition" else f"{figure.method}, effective people"
    return Estimate(**fields | {"method": method})
