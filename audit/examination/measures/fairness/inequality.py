"""Inequality of benefit: who got more, or less, than the label says that they deserved, and how unequally.

Comes in: the count tables of single attributes. Goes out: indices over all people, and what of them lies between the
groups of an attribute. Intervals are drawn from the counts: their cost does not grow with the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Cell, Definition, Estimate, Measurement, undefined
from audit.statistics.bootstrap import DRAWS, bootstrap_cells, bootstrap_length
from audit.statistics.inequality import between_group_entropy, generalized_entropy, group_deviations, theil_index

from .groups import Grouping
from .parts import Found, Scene
from .rates import LEVEL, Reading, cell_of_all
from .two_sided import NOT_PREDICTED, read_two_sides

_BENEFIT = "benefit = 1 + (1 if decided favourably) - (1 if the label is the favourable one), over people with a label"
_SPEICHER = "Speicher et al. (2018), A Unified Approach to Quantifying Algorithmic Unfairness"
_DRAWN = "interval: basic bootstrap of the counts"
FEWEST_WRONG = 10
"""Below so many people with another benefit than 1, resampling them covers too seldom to judge by."""
Index = Callable[[NDArray[Any]], NDArray[np.float64]]

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.generalized_entropy_index",
        title="Generalized entropy of benefit",
        formula=f"mean of ((benefit / mean benefit)^2 - 1) / 2; {_BENEFIT}. 0 where all have the same",
        better="lower",
        source=f"{_SPEICHER}, exponent 2; {_DRAWN}",
    ),
    Definition(
        id="fairness.theil_index",
        title="Theil index of benefit",
        formula=f"mean of (benefit / mean benefit) x log(benefit / mean benefit); {_BENEFIT}",
        better="lower",
        source=f"{_SPEICHER}, exponent 1; {_DRAWN}",
    ),
    Definition(
        id="fairness.between_group_generalized_entropy_index",
        title="Generalized entropy of benefit between groups",
        formula="generalized entropy index, had everybody the mean benefit of the own group; groups large enough to "
        f"judge; {_BENEFIT}",
        better="lower",
        source=f"{_SPEICHER}, exponent 2; interval: bootstrapped distance of the groups' means, which can contain 0",
    ),
)
"""One row per metric of this module."""


def measure_inequality(scene: Scene) -> Found:
    """Measure the inequality of benefit over all people, and between the groups of every single attribute.

    Parameters
    ----------
    scene : Scene
        The case.
    """
    reading = read_two_sides(scene)
    subject = scene.case.subject
    if subject.decision is None or subject.classes or reading.no_label == NOT_PREDICTED or not scene.singles:
        return Found()
    return Found(tuple(_measure(scene, reading)))


def count_benefits(cell: Cell, positive_is_favourable: bool) -> tuple[int, int, int]:
    """Return the people with benefit 0 (denied though deserved), 1, and 2 (granted though not deserved)."""
    right = cell.positive_favourable + cell.negative_unfavourable
    denied, granted = cell.positive_unfavourable, cell.negative_favourable
    if not positive_is_favourable:
        right, denied, granted = (
            cell.negative_favourable + cell.positive_unfavourable,
            cell.negative_unfavourable,
            cell.positive_favourable,
        )
    return denied, right, granted


def _measure(scene: Scene, reading: Reading) -> Iterator[Measurement]:
    everybody = np.array(count_benefits(cell_of_all(scene.singles[0].table.cells), reading.positive_is_favourable))
    for name, index in (("generalized_entropy_index", generalized_entropy), ("theil_index", theil_index)):
        rng = scene.case.rng(f"fairness.{name}")
        yield Measurement(metric=f"fairness.{name}", estimate=_estimate(everybody, index, reading, rng))
    for grouping in scene.singles:
        rng = scene.case.rng(f"fairness.between_group_generalized_entropy_index.{grouping.name}")
        yield Measurement(
            metric="fairness.between_group_generalized_entropy_index",
            estimate=_between(grouping, reading, rng),
            attribute=grouping.name,
        )


def _between(grouping: Grouping, reading: Reading, rng: np.random.Generator) -> Estimate:
    """Return the part between the judged groups that have labels."""
    judged = [
        count_benefits(cell, reading.positive_is_favourable)
        for cell, yes in zip(grouping.table.cells, grouping.assessable, strict=True)
        if yes
    ]
    labelled = [counts for counts in judged if sum(counts)]
    if not reading.no_label and len(labelled) < 2:
        return undefined("fewer than two groups are large enough to judge and have labels")
    lost = "a judged group has no label" if len(labelled) < len(judged) else ""
    return _estimate(np.array(labelled).reshape(-1, 3), between_group_entropy, reading, rng, lost)


def _estimate(
    counts: NDArray[np.int64], index: Index, reading: Reading, rng: np.random.Generator, lost: str = ""
) -> Estimate:
    """Return an index with its bootstrap interval, which is cut at 0 and holds the value."""
    if reading.no_label:
        return undefined(reading.no_label)
    rows = int(counts.sum())
    value = float(index(counts[None])[0])
    if not np.isfinite(value):
        return undefined("nobody has any benefit: all who deserve the favourable decision are denied it", n=rows)
    low, high, how = _interval(counts, index, rng)
    wrong = rows - int(counts[..., 1].sum())
    few = f"{wrong} people are decided wrongly, too few to resample: shown, not judged" if wrong < FEWEST_WRONG else ""
    known = bool(np.isfinite(low))
    notes = [note for note in (few, lost, reading.selective) if note]
    return Estimate(
        value=value,
        low=min(max(low, 0.0), value) if known else None,
        high=max(high, value) if known else None,
        level=LEVEL,
        n=rows,
        method=f"{how}, {DRAWS} draws",
        note="; ".join(notes),
        assessable=known and not notes,
    )


def _interval(counts: NDArray[np.int64], index: Index, rng: np.random.Generator) -> tuple[float, float, str]:
    """Return an interval and how it was drawn; an index between groups is a squared length, which is 0 under parity."""
    if index is not between_group_entropy:
        return *bootstrap_cells(counts, index, DRAWS, rng, LEVEL), "basic bootstrap of the counts"
    low, high = bootstrap_length(counts, group_deviations, DRAWS, rng, LEVEL)
    return low**2 / 2, high**2 / 2, "bootstrapped distance of the groups' means"
