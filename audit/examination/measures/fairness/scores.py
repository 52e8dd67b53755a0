"""What the scores say by group: means, the share above the common median, ranking and calibration in the large.

Comes in: everybody's scores, put in order once. Goes out: measurements for every attribute and intersection, and the
cautions about scores that are missing or no probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.evidence import Measurement, undefined
from audit.examination.measures.ordered import OrderedScores, order_scores

from .auc import measure_auc
from .calibrated import NO_SCORE, explain_no_losses, explain_no_probability, mean_estimate, measure_calibration_gap
from .groups import Grouping, find_median, moments_of, scoring_counts
from .metrics import ComparedMetric
from .parts import Found, Scene
from .rates import Reading, compare_counts, compared_measurement, rate_estimate, small_note

SCORING_RATIO = ComparedMetric("scoring_rate_ratio", "scoring_rate", "ratio")


def measure_from_scores(scene: Scene) -> Found:
    """Measure what the scores say of every group, attribute by attribute and intersection by intersection.

    Parameters
    ----------
    scene : Scene
        What there is to look at.
    """
    ordered, decision = order_scores(scene.case.roll), scene.case.subject.decision
    high = decision is None or decision.favourable_is_high
    median = None if ordered is None else find_median(ordered.score, ordered.count)
    found: list[Measurement] = []
    for grouping in scene.groupings:
        if ordered is None or median is None:
            found += _measure_nothing(grouping, single=grouping in scene.singles)
            continue
        found += _measure_means(grouping, scene.reading, ordered)
        found += _measure_scoring_rate(grouping, scene.reading, ordered, median, high_is_favourable=high)
        why = scene.reading.no_label or ("no label was given" if ordered.label is None else "")
        found += measure_auc(grouping, scene.reading, ordered, why, worst=grouping in scene.singles)
        found += measure_calibration_gap(
            grouping, scene.reading, ordered, why or explain_no_losses(ordered, scene.reading)
        )
    return Found(tuple(found), notes=tuple(_list_notes(scene, ordered)))


def _list_notes(scene: Scene, ordered: OrderedScores | None) -> Iterator[str]:
    """Yield what a reader must know of the scores, once."""
    roll = scene.case.roll
    if ordered is None:
        return
    if missing := roll.rows - ordered.rows:
        yield f"{missing:,} of {roll.rows:,} people have no score and are left out of all numbers that rest on scores."
    if scene.case.subject.task != "regression" and explain_no_probability(ordered.score):
        outside = int(ordered.count[(ordered.score < 0) | (ordered.score > 1)].sum())
        yield (
            f"{outside:,} of {ordered.rows:,} scores lie outside 0 to 1: they are no probabilities, so that "
            "calibration, Brier score and log loss are not measured."
        )
    if roll.weight is not None:
        yield "Numbers from scores count people; row weights are not used for them."
    if ordered.width:
        yield (
            f"There are so many people that their scores were binned, {ordered.width:.2g} wide; numbers from scores "
            "say how far that can have moved them."
        )


def _measure_nothing(grouping: Grouping, *, single: bool) -> Iterator[Measurement]:
    """Yield every score-based number as undefined."""
    for name in ("mean_score", "scoring_rate", "auc", "calibration_in_group"):
        for group in grouping.groups:
            yield Measurement(metric=f"fairness.{name}", estimate=undefined(NO_SCORE), group=group.scope)
    for name in ("scoring_rate_ratio", "auc_gap"):
        for group, known in zip(grouping.groups, grouping.known, strict=True):
            if known:
                yield Measurement(metric=f"fairness.{name}", estimate=undefined(NO_SCORE), group=group.scope)
    for name in ("calibration_gap", *(["worst_auc_gap"] if single else [])):
        yield Measurement(metric=f"fairness.{name}", estimate=undefined(NO_SCORE), attribute=grouping.name)


def _measure_means(grouping: Grouping, reading: Reading, ordered: OrderedScores) -> Iterator[Measurement]:
    """Yield the mean score of every group."""
    moments = moments_of(ordered.score, ordered.find_cells(grouping.table), len(grouping.groups), ordered.count)
    for place, group in enumerate(grouping.groups):
        estimate = mean_estimate(moments, place, small_note(grouping, place, reading))
        yield Measurement(metric="fairness.mean_score", estimate=estimate, group=group.scope)


def _measure_scoring_rate(
    grouping: Grouping, reading: Reading, ordered: OrderedScores, median: float, *, high_is_favourable: bool
) -> Iterator[Measurement]:
    """Yield the share beyond the common median and its ratio to the best group's."""
    codes, size = ordered.find_cells(grouping.table), len(grouping.groups)
    counts = scoring_counts(
        ordered.score, codes, size, high_is_favourable=high_is_favourable, count=ordered.count, median=median
    )
    doubt = _count_near(ordered, median)
    for place, (group, (k, n)) in enumerate(zip(grouping.groups, counts, strict=True)):
        estimate = undefined("nobody in this group has a score", n=0)
        if n:
            estimate = rate_estimate(k, n, small_note(grouping, place, reading))
            near = int(ordered.count[doubt & (codes == place)].sum()) / n if ordered.width else 0.0
            estimate = estimate.model_copy(update={"method": estimate.method + ordered.say_bins(near)})
        yield Measurement(metric="fairness.scoring_rate", estimate=estimate, group=group.scope)
    for place, comparison in compare_counts(grouping, counts).items():
        yield compared_measurement(grouping, place, comparison, SCORING_RATIO, reading)


def _count_near(ordered: OrderedScores, median: float) -> np.ndarray:
    """Return which entries share a bin with the median: on which side of it they are is not known."""
    return np.asarray(np.abs(ordered.score - median) < ordered.width)
