"""Who is missing from every number that needs a label: people without one, by group and by decision.

Comes in: the roll. Goes out: the share without a label by group with its differences, and a caution where a group's
labels are missing more often than chance would have it: numbers about that group rest on fewer, perhaps other, people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from audit.evidence import Definition, Estimate, Measurement, undefined
from audit.statistics import Comparison

from ..labels import CERTAIN, GAP
from .groups import Grouping
from .metrics import ComparedMetric, Count
from .parts import Found, Scene
from .rates import compare_counts, compared_measurement, rate_estimate, small_note

RATE = "label_missing_rate"
DIFFERENCE = ComparedMetric("label_missing_rate_difference", RATE, "difference", "lowest")
_NO_LABEL = "no label was given"

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.label_missing_rate",
        title="People without a label",
        formula="people whose label is not known / people; over all people where no group is named",
        better="lower",
        source="count; interval: Wilson (1927)",
    ),
    Definition(
        id="fairness.label_missing_rate_favourable",
        title="People without a label among those decided favourably",
        formula="people decided favourably whose label is not known / people decided favourably",
        better="lower",
        source="count; interval: Wilson (1927)",
    ),
    Definition(
        id="fairness.label_missing_rate_unfavourable",
        title="People without a label among those decided unfavourably",
        formula="people decided unfavourably whose label is not known / people decided unfavourably",
        better="lower",
        source="count; interval: Wilson (1927)",
    ),
    Definition(
        id="fairness.label_missing_rate_difference",
        title="Difference of shares without a label",
        formula="share without a label in the group - lowest such share of any group that is neither small nor "
        "unknown. The lowest is picked after the fact; the interval holds for all pairs of groups at once.",
        better="lower",
        source="descriptive; interval: Newcombe (1998)",
    ),
)


def measure_missing_labels(scene: Scene) -> Found:
    """Measure the share of people without a label, by group and, where there are any, by decision.

    Parameters
    ----------
    scene : Scene
        The case with its roll, and its single attributes.
    """
    if scene.case.roll.label is None:
        return Found(tuple(_tell_undefined(scene.singles)))
    missing = ~np.isfinite(scene.case.roll.label)
    measurements = list(_measure_everybody(scene, missing))
    notes: list[str] = []
    for grouping in scene.singles:
        place = scene.case.roll.place(grouping.table)
        everybody = np.ones_like(missing)
        counts = count_missing(scene, place, missing, everybody, len(grouping.groups))
        measurements += _measure_rates(scene, grouping, RATE, counts)
        comparisons = compare_counts(grouping, counts, best="lowest")
        measurements += [
            compared_measurement(grouping, i, comparison, DIFFERENCE, scene.reading)
            for i, comparison in comparisons.items()
        ]
        notes += _note_gaps(comparisons.values())
        for side, chosen in _sides(scene, missing):
            split = count_missing(scene, place, missing, chosen, len(grouping.groups))
            measurements += _measure_rates(scene, grouping, f"{RATE}_{side}", split)
    return Found(tuple(measurements), notes=tuple(notes))


def count_missing(scene: Scene, place: np.ndarray, missing: np.ndarray, chosen: np.ndarray, groups: int) -> list[Count]:
    """Return people without a label, and people, of each group.

    Parameters
    ----------
    scene : Scene
        Its roll says how many people stand behind an entry.
    place : ndarray of int, shape [m]
        Group of each entry, or -1.
    missing, chosen : ndarray of bool, shape [m]
        Whether the label is missing, and whether the entry counts at all.
    groups : int
        Number of groups.
    """
    count = scene.case.roll.count
    used = chosen & (place >= 0)
    k = np.bincount(place[used & missing], count[used & missing], groups)
    n = np.bincount(place[used], count[used], groups)
    return [(round(a), round(b)) for a, b in zip(k.tolist(), n.tolist(), strict=True)]


def _sides(scene: Scene, missing: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the two sides of the decision where there is one and labels are missing at all."""
    favourable = scene.case.roll.favourable
    if favourable is not None and missing.any():
        yield "favourable", favourable
        yield "unfavourable", ~favourable


def _measure_everybody(scene: Scene, missing: np.ndarray) -> Iterator[Measurement]:
    """Yield the shares over all people."""
    nowhere = np.zeros(len(missing), dtype=np.int64)
    for name, chosen in ((RATE, np.ones_like(missing)), *((f"{RATE}_{s}", c) for s, c in _sides(scene, missing))):
        [(k, n)] = count_missing(scene, nowhere, missing, chosen, 1)
        estimate = rate_estimate(k, n) if n else undefined("nobody is decided so", n=0)
        yield Measurement(metric=f"fairness.{name}", estimate=estimate)


def _measure_rates(scene: Scene, grouping: Grouping, name: str, counts: Sequence[Count]) -> Iterator[Measurement]:
    for place, (k, n) in enumerate(counts):
        yield Measurement(
            metric=f"fairness.{name}",
            estimate=_rate(k, n, small_note(grouping, place, scene.reading)),
            group=grouping.groups[place].scope,
        )


def _rate(k: int, n: int, note: str) -> Estimate:
    return rate_estimate(k, n, note) if n else undefined("nobody of this group is decided so", n=0)


def _note_gaps(comparisons: Iterable[Comparison]) -> Iterator[str]:
    """Say which groups' labels are missing more often, by more than five points and by more than chance."""
    worse = [
        item
        for item in comparisons
        if item.parity is not None and item.parity.p_adjusted < CERTAIN and (item.difference.value or 0.0) > GAP
    ]
    for item in worse:
        (k, n), (k_best, n_best) = item.group_counts, item.reference_counts
        yield (
            f"Labels are missing by group: for {item.name} {k} of {n} ({k / n:.1%}), for {item.reference} {k_best} of "
            f"{n_best} ({k_best / n_best:.1%}). What needs a label rests on the people who have one."
        )


def _tell_undefined(singles: Sequence[Grouping]) -> Iterator[Measurement]:
    for grouping in singles:
        for group, known in zip(grouping.groups, grouping.known, strict=True):
            names = (RATE, DIFFERENCE.name) if known else (RATE,)
            for name in names:
                yield Measurement(metric=f"fairness.{name}", estimate=undefined(_NO_LABEL), group=group.scope)
