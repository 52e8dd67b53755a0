"""Differential fairness of attributes and intersections, and what the decisions add to what the labels hold.

Comes in: groupings, intersections too, for which the measure was made. Goes out: epsilon of the decisions, and epsilon
of the decisions minus epsilon of the labels of the same people.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from audit.evidence import Definition, Estimate, Measurement, undefined
from audit.statistics import Envelope, pair_level
from audit.statistics.differential import difference_of_envelopes, differential_fairness

from .groups import Grouping
from .parts import Found, Scene
from .rates import LEVEL, Reading, judge_rate, judged_rows
from .two_sided import NOT_PREDICTED, read_two_sides

_FOULDS = "Foulds, Islam, Keya and Pan (2020), An Intersectional Definition of Fairness"
_SMOOTHED = "Rates are smoothed by half a person per outcome (Dirichlet prior of total concentration 1)"
_TOO_FEW = "fewer than two groups are large enough to judge"

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.differential_fairness",
        title="Differential fairness (epsilon)",
        formula="largest |log(rate of an outcome in one group / its rate in another)| over both outcomes, favourable "
        f"and not, and all pairs of groups large enough to judge; 0 where all are alike. {_SMOOTHED}; the interval is "
        "the envelope of the simultaneous intervals of the unsmoothed ratios",
        unit="nats",
        better="lower",
        source=f"{_FOULDS}, equation 7; interval: Miettinen and Nurminen (1985), Bonferroni",
    ),
    Definition(
        id="fairness.bias_amplification",
        title="Bias amplification",
        formula="epsilon of the decisions - epsilon of the labels, both of the people with a label and the groups "
        f"large enough to judge; above 0 where decisions differ more than labels do. {_SMOOTHED}; the interval holds "
        "whatever the correlation of the two",
        unit="nats",
        better="lower",
        source=f"{_FOULDS}, section 5; interval: both envelopes at half the error, Bonferroni",
    ),
)
"""One row per metric of this module."""


def measure_differential(scene: Scene) -> Found:
    """Measure differential fairness and bias amplification of every attribute and intersection.

    Parameters
    ----------
    scene : Scene
        The case.
    """
    if scene.case.subject.decision is None:
        return Found()
    reading = read_two_sides(scene)
    return Found(tuple(item for grouping in scene.groupings for item in _of_grouping(grouping, reading)))


def _of_grouping(grouping: Grouping, reading: Reading) -> Iterator[Measurement]:
    yield Measurement(
        metric="fairness.differential_fairness", estimate=_epsilon(grouping, reading), attribute=grouping.name
    )
    if reading.no_label != NOT_PREDICTED:
        yield Measurement(
            metric="fairness.bias_amplification", estimate=_amplification(grouping, reading), attribute=grouping.name
        )


def _epsilon(grouping: Grouping, reading: Reading) -> Estimate:
    """Return epsilon of the decisions of all people."""
    selected = judge_rate(grouping, "selection_rate", reading)
    envelope = differential_fairness(selected.counts, LEVEL)
    if envelope.pairs == 0:
        return undefined(_TOO_FEW, n=judged_rows(grouping))
    behind, ahead = (selected.names[place] for place in envelope.worst)
    return Estimate(
        value=envelope.value,
        low=min(envelope.low, envelope.value),
        high=_finite(max(envelope.high, envelope.value)),
        level=LEVEL,
        n=judged_rows(grouping),
        method="smoothed by 1/2 per outcome; envelope of Miettinen-Nurminen intervals, "
        f"simultaneous over {envelope.pairs} comparisons",
        note=f"{behind} against {ahead}",
    )


def _amplification(grouping: Grouping, reading: Reading) -> Estimate:
    """Return epsilon of the decisions minus epsilon of the labels, of the people with a label."""
    if reading.no_label:
        return undefined(reading.no_label)
    labels = judge_rate(grouping, "base_rate", reading)
    if labels.pairs == 0:
        return undefined("; ".join([f"{_TOO_FEW} and have labels", *labels.lost]), n=judged_rows(grouping))
    cells = dict(zip(grouping.names, grouping.table.cells, strict=True))
    decided = [
        (cells[name].positive_favourable + cells[name].negative_favourable, n)
        for name, (_, n) in zip(labels.names, labels.counts, strict=True)
    ]
    both: list[Envelope] = [differential_fairness(counts, pair_level(LEVEL, 2)) for counts in (decided, labels.counts)]
    value, low, high = difference_of_envelopes(*both)
    notes = [*labels.lost, *filter(None, [reading.selective])]
    said = [f"decisions {both[0].value:.3g}, labels {both[1].value:.3g}", *notes]
    return Estimate(
        value=value,
        low=_finite(min(low, value)),
        high=_finite(max(high, value)),
        level=LEVEL,
        n=sum(n for _, n in labels.counts),
        method="smoothed by 1/2 per outcome; difference of two envelopes, "
        f"simultaneous over {both[0].pairs + both[1].pairs} comparisons",
        note="; ".join(said),
        assessable=not notes,
    )


def _finite(end: float) -> float | None:
    return end if math.isfinite(end) else None
