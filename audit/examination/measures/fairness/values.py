"""Predicted values by group: how high, how wrong, and in which direction.

Comes in: the roll of a regression with predicted and true values. Goes out: means, signed and absolute errors and the
variance explained by group, each group beside everybody else or beside the best group, and the widest gap of an
attribute. Entries of the roll that stand for several people count as often. Single attributes only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, Measurement, Parity, undefined
from audit.examination.measures.data import FEWEST_SHOWN
from audit.statistics import mean_interval, pair_level, widest_gap
from audit.statistics.bounds import Envelope
from audit.statistics.figures import Figure
from audit.statistics.residuals import (
    Against,
    Sample,
    compare_sizes,
    compare_with_rest,
    explained_figure,
    log_bounds,
    mean_figure,
    root_figure,
    sample_of,
)

from .groups import Grouping
from .outcomes import estimate_of
from .parts import Found, Scene
from .rates import LEVEL, Reading, envelope_estimate, small_note

if TYPE_CHECKING:
    from audit.examination.tally.roll import Roll

Floats = NDArray[np.float64]

_TOO_FEW = f"fewer than {FEWEST_SHOWN} people: the number could be read as one person's"


@dataclass(frozen=True, slots=True)
class GroupValues:
    """What is known of the values of one group, each over the people who have what it needs."""

    prediction: Sample
    """Predicted values."""
    residual: Sample
    """Prediction minus label."""
    size: Sample
    """Absolute residuals."""
    square: Sample
    """Squared residuals."""
    explained: Figure
    """R2."""


def measure_values(scene: Scene) -> Found:
    """Measure predicted values by group; nothing where the label is a class.

    Parameters
    ----------
    scene : Scene
        The case and its single attributes.
    """
    roll = scene.case.roll
    if scene.case.subject.task != "regression" or roll.score is None:
        return Found()
    measurements = list[Measurement]()
    for grouping in scene.singles:
        groups = values_by_group(grouping, roll)
        measurements += _measure_predictions(grouping, groups, scene.reading)
        if any(group.residual.n for group in groups):
            measurements += _measure_errors(grouping, groups, scene.reading)
    notes = ["Signed differences of values compare a group with everybody else; ratios of errors with the best group."]
    if not roll.exact:
        notes.append(
            f"Scores are binned, at most {roll.width:.3g} wide: means and errors are off by no more than that."
        )
    return Found(tuple(measurements), notes=tuple(notes))


def values_by_group(grouping: Grouping, roll: Roll) -> list[GroupValues]:
    """Return the values of each group.

    Parameters
    ----------
    grouping : Grouping
        One attribute.
    roll : Roll
        Everybody, with predicted values and, where known, true ones.
    """
    assert roll.score is not None
    place = roll.place(grouping.table)
    label = np.full(len(place), np.nan) if roll.label is None else roll.label
    scored = np.isfinite(roll.score)
    both = scored & np.isfinite(label)
    found = []
    for group in range(len(grouping.groups)):
        here = place == group
        count = roll.count[here & both]
        error, true = roll.score[here & both] - label[here & both], label[here & both]
        found.append(
            GroupValues(
                sample_of(roll.score[here & scored], roll.count[here & scored]),
                sample_of(error, count),
                sample_of(np.abs(error), count),
                sample_of(error**2, count),
                explained_figure(error, true, count, LEVEL),
            )
        )
    return found


def _measure_predictions(grouping: Grouping, groups: Sequence[GroupValues], reading: Reading) -> Iterator[Measurement]:
    samples = [group.prediction for group in groups]
    yield from _by_group(grouping, "mean_prediction", samples, mean_figure, reading)
    yield from _against_rest(grouping, "mean_prediction_difference", samples, reading)
    yield _widest(grouping, "worst_mean_prediction_difference", samples, reading)


def _measure_errors(grouping: Grouping, groups: Sequence[GroupValues], reading: Reading) -> Iterator[Measurement]:
    """Yield every number that needs the label."""
    doubt = reading.selective
    residuals, sizes = [group.residual for group in groups], [group.size for group in groups]
    squares = [group.square for group in groups]
    yield from _by_group(grouping, "mean_residual", residuals, mean_figure, reading, doubt)
    yield from _against_rest(grouping, "mean_residual_difference", residuals, reading, doubt)
    yield _widest(grouping, "worst_mean_residual_difference", residuals, reading, doubt)
    for name, samples, root in (("mae", sizes, False), ("rmse", squares, True)):
        yield from _by_group(grouping, name, samples, root_figure if root else _size_figure, reading, doubt)
        yield from _against_best(grouping, f"{name}_ratio", samples, reading, doubt, root=root)
        yield _worst_ratio(grouping, f"worst_{name}_ratio", samples, reading, doubt, root=root)
    explained = {id(group.residual): group.explained for group in groups}
    yield from _by_group(grouping, "r2", residuals, lambda sample: explained[id(sample)], reading, doubt)


def _size_figure(sample: Sample) -> Figure:
    """Return a mean that is not negative."""
    figure = mean_figure(sample)
    return figure if figure.low is None else replace(figure, low=max(0.0, figure.low))


def _by_group(
    grouping: Grouping,
    name: str,
    samples: Sequence[Sample],
    figure: Callable[[Sample], Figure],
    reading: Reading,
    doubt: str = "",
) -> Iterator[Measurement]:
    for place, (group, sample) in enumerate(zip(grouping.groups, samples, strict=True)):
        note = "; ".join(filter(None, (small_note(grouping, place, reading), doubt)))
        estimate = _too_few(sample) or estimate_of(figure(sample), note)
        yield Measurement(metric=f"fairness.{name}", estimate=estimate, group=group.scope)


def _too_few(sample: Sample) -> Estimate | None:
    """Return why a number of few people is not shown; None where it is."""
    if sample.n == 0:
        return undefined("nobody in this group has the values that this needs", n=0)
    return undefined(_TOO_FEW, n=sample.n) if sample.n < FEWEST_SHOWN else None


def _known(grouping: Grouping, samples: Sequence[Sample]) -> tuple[list[int], list[bool]]:
    """Return the places of the known groups, and which of them are judged."""
    places = [place for place, known in enumerate(grouping.known) if known]
    return places, [grouping.assessable[place] and samples[place].n >= FEWEST_SHOWN for place in places]


def _against_rest(
    grouping: Grouping, name: str, samples: Sequence[Sample], reading: Reading, doubt: str = ""
) -> Iterator[Measurement]:
    """Yield each known group's mean minus that of the people of all other known groups."""
    places, judged = _known(grouping, samples)
    done = compare_with_rest([samples[place] for place in places], judged, LEVEL)
    yield from _compared(grouping, name, dict(zip(places, done, strict=True)), samples, reading, doubt)


def _against_best(
    grouping: Grouping, name: str, samples: Sequence[Sample], reading: Reading, doubt: str, *, root: bool
) -> Iterator[Measurement]:
    """Yield the ratio of each known group's errors to the lowest."""
    places, judged = _known(grouping, samples)
    done = compare_sizes(
        [samples[place] for place in places],
        [grouping.names[place] for place in places],
        judged,
        [grouping.candidates[place] for place in places],
        root=root,
        level=LEVEL,
    )
    yield from _compared(grouping, name, dict(zip(places, done, strict=True)), samples, reading, doubt)


def _compared(
    grouping: Grouping,
    name: str,
    done: dict[int, Against],
    samples: Sequence[Sample],
    reading: Reading,
    doubt: str,
) -> Iterator[Measurement]:
    for place, against in done.items():
        note = "; ".join(filter(None, (small_note(grouping, place, reading), doubt)))
        hidden = _too_few(samples[place])
        yield Measurement(
            metric=f"fairness.{name}",
            estimate=hidden or estimate_of(against.figure, note),
            group=grouping.groups[place].scope,
            reference=against.reference or None,
            parity=Parity(**against.parity.fields()) if against.parity and not hidden else None,
        )


def _judged(grouping: Grouping, samples: Sequence[Sample]) -> list[int]:
    """Return the places of the groups that a number about the whole attribute rests on."""
    return [
        place
        for place, yes in enumerate(grouping.assessable)
        if yes and samples[place].n >= FEWEST_SHOWN and math.isfinite(samples[place].error)
    ]


def _widest(grouping: Grouping, name: str, samples: Sequence[Sample], reading: Reading, doubt: str = "") -> Measurement:
    """Return the largest difference of the means of any two groups."""
    places = _judged(grouping, samples)
    pairs = len(places) * (len(places) - 1) // 2
    each = pair_level(LEVEL, pairs)
    bounds = [mean_interval(samples[p].mean, samples[p].variance, samples[p].n, each) for p in places]
    envelope = widest_gap([samples[p].mean for p in places], bounds, pairs)
    return _about(grouping, name, envelope, "square-and-add", places, samples, doubt)


def _worst_ratio(
    grouping: Grouping, name: str, samples: Sequence[Sample], reading: Reading, doubt: str, *, root: bool
) -> Measurement:
    """Return the largest ratio of the errors of any two groups."""
    places = [place for place in _judged(grouping, samples) if samples[place].mean > 0]
    pairs, power = len(places) * (len(places) - 1) // 2, 0.5 if root else 1.0
    bounds = [log_bounds(samples[p], power, pair_level(LEVEL, pairs)) for p in places]
    gap = widest_gap([power * math.log(samples[p].mean) for p in places], bounds, pairs)
    if gap.pairs:
        # the lower of the two logarithms stands first in a gap; of errors the higher one is the worse off
        gap = Envelope(math.exp(gap.value), math.exp(gap.low), math.exp(gap.high), gap.pairs, gap.worst[::-1])
    return _about(grouping, name, gap, "log-ratio", places, samples, doubt)


def _about(
    grouping: Grouping,
    name: str,
    envelope: Envelope,
    how: str,
    places: Sequence[int],
    samples: Sequence[Sample],
    doubt: str,
) -> Measurement:
    """Return a number about the whole attribute; not assessable where a judged group has no part in it."""
    rows = sum(samples[place].n for place in places)
    why = "fewer than two groups are large enough to judge and have values that vary"
    estimate = envelope_estimate(envelope, how, rows, [grouping.names[place] for place in places], why)
    lost = [
        f"{grouping.names[place]} has no values that vary"
        for place, yes in enumerate(grouping.assessable)
        if yes and place not in places
    ]
    if estimate.value is not None and (lost or doubt):
        note = "; ".join(filter(None, [estimate.note, *lost, doubt]))
        estimate = estimate.model_copy(update={"note": note, "assessable": False})
    return Measurement(metric=f"fairness.{name}", estimate=estimate, attribute=grouping.name)
