"""Which numbers of a two-sided decision mean anything here.

Comes in: the case and what was measured from counts and scores. Goes out: the same without what could only ever be
undefined: rates of a decision where nothing is decided, rates of right and wrong where the two sides predict no class.
A rule that names such a number finds none and stays undecided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from audit.evidence import Measurement

from .parts import Scene
from .rates import Reading, measure_rates

NOT_PREDICTED = "the two sides of the decision predict no class"
"""Reason of label-based rates that are left out."""

_UNDECIDED = ("fairness.base_rate", "fairness.unknown_group_share")
_OF_ALL_CLASSES = tuple(
    f"fairness.{rate}{end}" for rate in ("accuracy", "error_rate") for end in ("", "_difference", "_ratio")
)


def read_two_sides(scene: Scene) -> Reading:
    """Return how count tables are to be read: without labels where the two sides predict no class.

    Parameters
    ----------
    scene : Scene
        The case.
    """
    decision = scene.case.subject.decision
    if decision is None or decision.predicts:
        return scene.reading
    return replace(scene.reading, no_label=NOT_PREDICTED)


def keep_meaningful(measured: Iterable[Measurement], scene: Scene) -> Iterator[Measurement]:
    """Yield what means something, base rates included wherever the label has a positive class.

    Parameters
    ----------
    measured : iterable of Measurement
        Numbers of count tables, read as `read_two_sides` says.
    scene : Scene
        The case.
    """
    subject = scene.case.subject
    decision, value = subject.decision, subject.task == "regression"
    for item in measured:
        if decision is None and item.metric not in _UNDECIDED:
            continue
        if subject.classes and item.metric in _OF_ALL_CLASSES:
            continue  # right and wrong are counted over all classes, with the classes
        if item.estimate.note == NOT_PREDICTED or (value and item.metric == "fairness.base_rate"):
            continue
        yield item
    if decision is not None and not decision.predicts and not value:
        for grouping in scene.groupings:
            yield from (item for item in measure_rates(grouping, scene.reading) if item.metric == "fairness.base_rate")


def keep_measurable(measured: Iterable[Measurement], scene: Scene) -> Iterator[Measurement]:
    """Yield everything but what is undefined because a value has no positive class.

    Parameters
    ----------
    measured : iterable of Measurement
        Numbers of all parts.
    scene : Scene
        The case.
    """
    value, reason = scene.case.subject.task == "regression", scene.reading.no_label
    return (item for item in measured if not (value and reason and item.estimate.note.startswith(reason)))
