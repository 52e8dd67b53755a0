"""Whether a group's scores mean what they say: calibration in the large and in bins, Brier score and log loss.

Comes in: everybody's scores in order, with labels. Goes out: measurements by group, and the widest difference between
groups. Scores that are no probabilities are not judged as such.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Definition, Estimate, Measurement, undefined
from audit.examination.measures.calibration import (
    LEAST_PER_BIN,
    calibration_error,
    calibration_slope,
    cut_bins,
    null_error,
)
from audit.examination.measures.data import FEWEST_SHOWN
from audit.examination.measures.ordered import OrderedScores, join_notes, order_scores, split_groups, squared_errors
from audit.statistics import mean_interval, pair_level, square_and_add, widest_gap, wilson

from .groups import GroupCalibration, Grouping, Moments, calibration_by_group, moments_of
from .parts import Found, Scene
from .rates import LEVEL, Reading, envelope_estimate, small_note

Floats = NDArray[np.float64]
TOO_FEW = f"fewer than {FEWEST_SHOWN} people: their mean could be read as one person's score"
NO_SCORE = "there are no scores, only decisions"
_CERTAIN = 1e-12
_CHUNKS = 8

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.brier",
        title="Brier score",
        formula="mean of (predicted probability - label)^2 over the group's people with score and label. It depends on "
        "the group's base rate: compare it with care",
        better="lower",
        source="Brier (1950); Student's interval",
    ),
    Definition(
        id="fairness.log_loss",
        title="Log loss",
        formula="mean of -log(predicted probability of the label that occurred) over the group's people; probabilities "
        "are held within 1e-12",
        unit="nats",
        better="lower",
        source="elementary; Student's interval",
    ),
    Definition(
        id="fairness.calibration_error",
        title="Expected calibration error in the group",
        formula="mean over the group's people of |mean score of the bin - share of positives in the bin|, up to ten "
        "bins of equal rows of this group; to be read beside its 95 % quantile under perfect calibration",
        better="lower",
        source="Naeini, Cooper and Hauskrecht (2015)",
    ),
    Definition(
        id="fairness.calibration_slope",
        title="Calibration slope in the group",
        formula="coefficient of the score's log-odds in a logistic regression of the label among the group's people; "
        "below 1: scores are too extreme for this group",
        better="nearer_one",
        source="Cox (1958); Wald's interval",
    ),
)


def explain_no_probability(score: Floats) -> str:
    """Return why scores cannot be read as probabilities; empty where they can."""
    if not np.isfinite(score).all() or score.min() < 0 or score.max() > 1:
        return "the scores are no probabilities: some lie outside 0 to 1"
    return ""


def measure_calibration_gap(
    grouping: Grouping, reading: Reading, ordered: OrderedScores | None, why: str
) -> Iterator[Measurement]:
    """Yield mean score minus base rate by group, and the largest difference between groups.

    Parameters
    ----------
    grouping : Grouping
        The groups.
    reading : Reading
        What is known of labels.
    ordered : OrderedScores or None
        Everybody's scores.
    why : str
        Why there is no such number at all; empty where there may be one.
    """
    if why or ordered is None or ordered.label is None:
        for group in grouping.groups:
            yield Measurement(metric="fairness.calibration_in_group", estimate=undefined(why), group=group.scope)
        yield Measurement(metric="fairness.calibration_gap", estimate=undefined(why), attribute=grouping.name)
        return
    codes = ordered.find_cells(grouping.table)
    found = calibration_by_group(ordered.score, ordered.label, codes, len(grouping.groups), ordered.count)
    for place, group in enumerate(grouping.groups):
        note = join_notes((small_note(grouping, place, reading), reading.selective))
        yield Measurement(
            metric="fairness.calibration_in_group", estimate=_calibration(found[place], note), group=group.scope
        )
    yield Measurement(
        metric="fairness.calibration_gap", estimate=_calibration_gap(grouping, found, reading), attribute=grouping.name
    )


def calibration_bounds(calibration: GroupCalibration, level: float) -> tuple[float, float]:
    """Return the interval of mean score minus base rate: Student's and Wilson's, joined with their correlation.

    Parameters
    ----------
    calibration : GroupCalibration
        One group.
    level : float
        Two-sided level.

    Notes
    -----
    A group in which one label does not occur has a spread of residuals that says nothing of the labels; Wilson's
    interval of its base rate does. Zou and Donner (2008), Statistics in Medicine 27:1693, for the join.
    """
    mean = calibration.mean_score
    low, high = mean_interval(mean, calibration.variance, calibration.n, level)
    score = (mean, mean, mean) if math.isnan(low) else (mean, low, high)
    rate = (calibration.base_rate, *wilson(calibration.positives, calibration.n, level))
    return square_and_add(score, rate, calibration.correlation)


def _calibration(calibration: GroupCalibration, note: str) -> Estimate:
    """Return one group's mean score minus base rate."""
    if calibration.n == 0:
        return undefined("nobody in this group has both a score and a label", n=0)
    if calibration.n < FEWEST_SHOWN:
        return undefined(TOO_FEW, n=calibration.n)
    low, high = calibration_bounds(calibration, LEVEL)
    return Estimate(
        value=calibration.gap,
        low=low,
        high=high,
        level=LEVEL,
        n=calibration.n,
        method="Student and Wilson, square-and-add",
        note=note,
        assessable=not note,
    )


def _calibration_gap(grouping: Grouping, calibrations: list[GroupCalibration], reading: Reading) -> Estimate:
    """Return the largest difference of calibration between judged groups, simultaneous over all pairs."""
    judged = [place for place, yes in enumerate(grouping.assessable) if yes]
    usable = [place for place in judged if calibrations[place].n > 0]
    pairs = len(usable) * (len(usable) - 1) // 2
    estimate = envelope_estimate(
        widest_gap(
            [calibrations[place].gap for place in usable],
            [calibration_bounds(calibrations[place], pair_level(LEVEL, pairs)) for place in usable],
            pairs,
        ),
        "square-and-add",
        sum(calibrations[place].n for place in usable),
        [grouping.names[place] for place in usable],
        "fewer than two groups are large enough to judge and have scores and labels",
    )
    lost = [f"{grouping.names[place]} has no scores with labels" for place in judged if place not in usable]
    if estimate.value is None or not (lost or reading.selective):
        return estimate
    note = join_notes((estimate.note, *lost, reading.selective))
    return estimate.model_copy(update={"note": note, "assessable": False})


def mean_estimate(moments: Moments, place: int, note: str, *, method: str = "mean, Student") -> Estimate:
    """Return a group's mean with Student's interval; the mean of a handful of people is not shown.

    Parameters
    ----------
    moments : Moments
        Of all groups.
    place : int
        Which group.
    note : str
        Why no verdict may rest on it; empty where one may.
    method : str
        How it was computed.
    """
    n, mean, variance = int(moments.n[place]), float(moments.mean[place]), float(moments.variance[place])
    if n == 0:
        return undefined("nobody in this group has the values that this needs", n=0)
    if n < FEWEST_SHOWN:
        return undefined(TOO_FEW, n=n)
    low, high = mean_interval(mean, variance, n, LEVEL)
    if math.isnan(low):
        none = "one value only, or all values alike: no interval can be given"
        return Estimate(value=mean, level=LEVEL, n=n, method="mean", note=none, assessable=False)
    return Estimate(value=mean, low=low, high=high, level=LEVEL, n=n, method=method, note=note, assessable=not note)


def measure_losses(scene: Scene) -> Found:
    """Measure Brier score, log loss and calibration error of every group of every single attribute.

    Parameters
    ----------
    scene : Scene
        What there is to look at.
    """
    ordered, reading = order_scores(scene.case.roll), scene.reading
    why = explain_no_losses(ordered, reading)
    found: list[Measurement] = []
    for grouping in scene.singles:
        if why or ordered is None or ordered.label is None:
            found += [
                Measurement(metric=item.id, estimate=undefined(why), group=group.scope)
                for item in DEFINITIONS
                for group in grouping.groups
            ]
            continue
        found += _losses(grouping, reading, ordered, ordered.label)
        found += _errors(
            grouping, reading, ordered, ordered.label, scene.case.rng(f"calibration null by {grouping.name}")
        )
    return Found(tuple(found))


def explain_no_losses(ordered: OrderedScores | None, reading: Reading) -> str:
    """Return why scores cannot be held against labels as probabilities; empty where they can."""
    if ordered is None:
        return NO_SCORE
    missing = reading.no_label or ("no label was given" if ordered.label is None else "")
    return missing or explain_no_probability(ordered.score)


def _note(grouping: Grouping, place: int, reading: Reading) -> str:
    return join_notes((small_note(grouping, place, reading), reading.selective))


def _losses(grouping: Grouping, reading: Reading, ordered: OrderedScores, label: Floats) -> Iterator[Measurement]:
    """Yield the two losses of every group."""
    codes, size = ordered.find_cells(grouping.table), len(grouping.groups)
    held = np.clip(ordered.score, _CERTAIN, 1 - _CERTAIN)
    losses = {
        "brier": (squared_errors(ordered.score, label == 1, ordered.square), ""),
        # the logarithm has no bound at 0 and 1, so that bins have none here
        "log_loss": (-np.log(np.where(label == 1, held, 1 - held)), ", mean scores of bins" if ordered.width else ""),
    }
    codes = np.where(np.isfinite(label), codes, -1)
    for name, (values, bins) in losses.items():
        moments = moments_of(values, codes, size, ordered.count)
        for place, group in enumerate(grouping.groups):
            estimate = mean_estimate(moments, place, _note(grouping, place, reading), method=f"mean, Student{bins}")
            yield Measurement(metric=f"fairness.{name}", estimate=estimate, group=group.scope)


def _errors(
    grouping: Grouping, reading: Reading, ordered: OrderedScores, label: Floats, rng: np.random.Generator
) -> Iterator[Measurement]:
    """Yield the calibration error of every group, beside what perfect calibration would show."""
    labelled = np.where(np.isfinite(label), ordered.find_cells(grouping.table), -1)
    for place, entries in enumerate(split_groups(labelled, len(grouping.groups))):
        estimate = _error(ordered, label, entries, _note(grouping, place, reading), rng)
        scope, note = grouping.groups[place].scope, _note(grouping, place, reading)
        yield Measurement(metric="fairness.calibration_error", estimate=estimate, group=scope)
        slope = _slope(ordered, label, entries, note)
        yield Measurement(metric="fairness.calibration_slope", estimate=slope, group=scope)


def _slope(ordered: OrderedScores, label: Floats, entries: NDArray[np.int64], note: str) -> Estimate:
    """Return the calibration slope of one group."""
    count = ordered.count[entries]
    n = int(count.sum())
    if n < 2 * LEAST_PER_BIN:
        return undefined(f"{n} people have a score and a label; a slope needs {2 * LEAST_PER_BIN}", n=n)
    estimate = calibration_slope(ordered.score[entries], label[entries], count)
    if estimate.value is None or not note:
        return estimate
    return estimate.model_copy(update={"note": join_notes((note, estimate.note)), "assessable": False})


def _error(
    ordered: OrderedScores, label: Floats, entries: NDArray[np.int64], note: str, rng: np.random.Generator
) -> Estimate:
    """Return the calibration error of one group with its quantile under perfect calibration."""
    score, count = ordered.score[entries], ordered.count[entries]
    n = int(count.sum())
    if n < 2 * LEAST_PER_BIN:
        return undefined(f"{n} people have a score and a label; bins of calibration need {2 * LEAST_PER_BIN}", n=n)
    bins = cut_bins(score, count)
    chance = null_error(score, bins, rng, count, chunks=_CHUNKS)
    words = f"a perfectly calibrated score stays below {chance:.3g} in 95 % of samples"
    return Estimate(
        value=calibration_error(score, label[entries], bins, count),
        level=LEVEL,
        n=n,
        method="bins of equal rows",
        note=join_notes((note, f"no interval: it is above 0 by chance; {words}")),
        chance=chance,
        assessable=not note,
    )
