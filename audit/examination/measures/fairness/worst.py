"""Numbers about a whole attribute: the worst group, average odds, and how many people a statement needs.

Comes in: the groupings of single attributes. Goes out: one number per attribute, with an interval that holds for all
groups or pairs at once, and the groups that it is about.
"""

from __future__ import annotations

from collections.abc import Iterator

from audit.evidence import Definition, Estimate, Measurement, undefined
from audit.statistics import FOUR_FIFTHS, pair_level, rows_needed, widest_mean_gap, worst_rate

from .groups import Grouping
from .parts import Found, Scene
from .rates import LEVEL, JudgedRate, Reading, envelope_estimate, judge_rate, judged_rows
from .two_sided import NOT_PREDICTED, read_two_sides

_TOO_FEW = "fewer than two groups are large enough to judge and have both labels"
_ALL_GROUPS = "The worst group is picked after the fact; the interval holds for all groups at once"
_SOURCE = "Sagawa et al. (2020), Distributionally Robust Neural Networks; interval: Wilson (1927), Bonferroni"

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.worst_group_accuracy",
        title="Accuracy of the worst group",
        formula=f"lowest accuracy of any group large enough to judge. {_ALL_GROUPS}",
        better="higher",
        source=_SOURCE,
    ),
    Definition(
        id="fairness.worst_group_true_positive_rate",
        title="True positive rate of the worst group",
        formula="lowest true positive rate of any group large enough to judge. Positive means the label's positive "
        f"class, whichever decision is favourable. {_ALL_GROUPS}",
        better="higher",
        source=_SOURCE,
    ),
    Definition(
        id="fairness.worst_group_error_rate",
        title="Error rate of the worst group",
        formula=f"highest error rate of any group large enough to judge. {_ALL_GROUPS}",
        better="lower",
        source=_SOURCE,
    ),
    Definition(
        id="fairness.average_odds_difference",
        title="Average-odds difference",
        formula="largest difference of (true positive rate + false positive rate) / 2 between any two groups large "
        "enough to judge. Positive means the label's positive class. The interval is the envelope of the simultaneous "
        "intervals of all pairs, cut at 0; differences of opposite sign cancel, so read equalized odds beside it",
        better="lower",
        source="Bellamy et al. (2018), AI Fairness 360; interval: Zou, Huang and Zhang (2009), Bonferroni",
    ),
    Definition(
        id="fairness.rows_needed",
        title="People per group to show four fifths",
        formula="people that each of two groups would need so that, were both truly selected at the best group's rate, "
        "the printed interval of their impact ratio would lie wholly above four fifths with 80 % probability",
        unit="people",
        source="Farrington and Manning (1990), Statistics in Medicine 9:1447",
    ),
)
"""One row per metric of this module."""

_WORST = (
    ("worst_group_accuracy", "accuracy", False),
    ("worst_group_true_positive_rate", "true_positive_rate", False),
    ("worst_group_error_rate", "error_rate", True),
)
"""Metric, rate, and whether a high rate is the bad one."""


def measure_worst_groups(scene: Scene) -> Found:
    """Measure worst groups, average odds and rows needed of every single attribute.

    Parameters
    ----------
    scene : Scene
        The case.
    """
    if scene.case.subject.decision is None:
        return Found()
    reading = read_two_sides(scene)
    found = [item for grouping in scene.singles for item in _of_attribute(grouping, reading, scene)]
    return Found(tuple(found))


def _of_attribute(grouping: Grouping, reading: Reading, scene: Scene) -> Iterator[Measurement]:
    yield Measurement(metric="fairness.rows_needed", estimate=_rows_needed(grouping, reading), attribute=grouping.name)
    if reading.no_label == NOT_PREDICTED:
        return
    for metric, rate, highest in _WORST:
        if scene.case.subject.classes and rate != "true_positive_rate":
            continue  # right and wrong are counted over all classes, with the classes
        estimate = _worst_group(judge_rate(grouping, rate, reading), grouping, reading, highest=highest)
        yield Measurement(metric=f"fairness.{metric}", estimate=estimate, attribute=grouping.name)
    yield Measurement(
        metric="fairness.average_odds_difference", estimate=_average_odds(grouping, reading), attribute=grouping.name
    )


def _worst_group(rate: JudgedRate, grouping: Grouping, reading: Reading, *, highest: bool) -> Estimate:
    """Return the worst group's rate; not assessable where a judged group has no such rate."""
    rows = judged_rows(grouping)
    if reading.no_label:
        return undefined(reading.no_label)
    if not rate.counts:
        return undefined("; ".join(["no group is large enough to judge and has the rate", *rate.lost]), n=rows)
    envelope = worst_rate(rate.counts, LEVEL, highest=highest)
    groups = f", simultaneous over {envelope.pairs} groups" if envelope.pairs > 1 else ""
    return Estimate(
        value=envelope.value,
        low=envelope.low,
        high=envelope.high,
        level=LEVEL,
        n=rows,
        method=f"envelope of Wilson intervals{groups}",
        note="; ".join([rate.names[envelope.worst[0]], *rate.lost, *filter(None, [reading.selective])]),
        assessable=not rate.missing and not reading.selective,
    )


def _average_odds(grouping: Grouping, reading: Reading) -> Estimate:
    """Return the largest difference of the mean of TPR and FPR, over the groups that have both."""
    if reading.no_label:
        return undefined(reading.no_label)
    hits, alarms = (judge_rate(grouping, name, reading) for name in ("true_positive_rate", "false_positive_rate"))
    lost = [*hits.lost, *alarms.lost]
    both = [name for name in hits.names if name in alarms.names]
    if len(both) < 2:
        return undefined("; ".join([_TOO_FEW, *lost]), n=judged_rows(grouping))
    first, second = (
        [dict(zip(rate.names, rate.counts, strict=True))[name] for name in both] for rate in (hits, alarms)
    )
    envelope = widest_mean_gap(first, second, LEVEL)
    estimate = envelope_estimate(envelope, "recovered-variance", judged_rows(grouping), both, "")
    note = "; ".join([estimate.note, *lost, *filter(None, [reading.selective])])
    return estimate.model_copy(update={"note": note, "assessable": not lost and not reading.selective})


def _rows_needed(grouping: Grouping, reading: Reading) -> Estimate:
    """Return the people per group that would show four fifths at the level of the printed intervals."""
    method = "score test of the ratio, 80 % power"
    selected = judge_rate(grouping, "selection_rate", reading)
    if len(selected.counts) < 2:
        return undefined("fewer than two groups are large enough to judge", method=method)
    best = worst_rate(selected.counts, LEVEL, highest=True)
    name, rows = selected.names[best.worst[0]], judged_rows(grouping)
    level = pair_level(LEVEL, selected.pairs)
    needed = rows_needed(best.value, float(FOUR_FIFTHS), level=level)
    if needed is None:
        return undefined(f"no number of people would do: {name} is selected always or never", n=rows, method=method)
    return Estimate(
        value=needed, level=LEVEL, n=rows, method=method, note=f"at the selection rate of {name}, {best.value:.1%}"
    )
