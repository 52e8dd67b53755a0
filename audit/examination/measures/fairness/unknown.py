"""What people of unknown group could change about each impact ratio.

Comes in: the groupings of single attributes. Goes out: for each known group the observed ratio, and the smallest and
the largest one over all ways in which the unknown people may belong to the groups.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from audit.evidence import Definition, Estimate, Measurement, undefined
from audit.statistics.unknown import impact_ratio_bounds

from .groups import Grouping
from .parts import Found, Scene
from .rates import Reading, compare_counts, count_by_group, small_note

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.selection_rate_ratio_bounds",
        title="Impact ratio, whoever the unknown are",
        formula="impact ratio of the people whose group is known; as interval the smallest and the largest ratio of "
        "the group's selection rate to the highest one over all ways in which the people of unknown group may belong "
        "to these groups",
        better="higher",
        source="Manski (2003), Partial Identification of Probability Distributions; no sampling error",
    ),
)
"""One row per metric of this module."""


def measure_unknown(scene: Scene) -> Found:
    """Measure the bounds of the impact ratios of every single attribute that has people of unknown group.

    Parameters
    ----------
    scene : Scene
        The case.
    """
    if scene.case.subject.decision is None:
        return Found()
    return Found(
        tuple(
            item
            for grouping in scene.singles
            if grouping.unknown_cell is not None
            for item in _of_attribute(grouping, scene.reading)
        )
    )


def _of_attribute(grouping: Grouping, reading: Reading) -> Iterator[Measurement]:
    unknown = grouping.unknown_cell
    if unknown is None:
        return
    counts = count_by_group(grouping, "selection_rate", reading)
    comparisons = compare_counts(grouping, counts)
    places = list(comparisons)
    fit = [grouping.candidates[place] for place in places]
    bounds = impact_ratio_bounds([counts[place] for place in places], (unknown.favourable, unknown.n), fit)
    for place, (low, high) in zip(places, bounds, strict=True):
        comparison = comparisons[place]
        yield Measurement(
            metric="fairness.selection_rate_ratio_bounds",
            estimate=_estimate(comparison.ratio.value, low, high, grouping.rows, small_note(grouping, place, reading)),
            group=grouping.groups[place].scope,
            reference=comparison.reference or None,
        )


def _estimate(value: float | None, low: float, high: float, rows: int, small: str) -> Estimate:
    """Return the observed ratio between its bounds, which are certain and no confidence interval."""
    method = "partial identification, no sampling error"
    if value is None or math.isnan(low):
        return undefined("there is no highest selection rate to compare with", n=rows, method=method)
    return Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value) if math.isfinite(high) else None,
        level=1.0,
        n=rows,
        method=method,
        note=small,
        assessable=not small,
    )
