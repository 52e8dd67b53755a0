"""What the scores say by group: means, calibration, ranking, and the share above the common median.

Comes in: scores and labels per row with the grouping's codes. Goes out: measurements. An AUC of exactly 0 or 1 or a
spread of nothing has no honest interval and is marked so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, Measurement, Parity, undefined
from audit.examination.measures.data import FEWEST_SHOWN
from audit.statistics import (
    holm,
    logit_interval,
    mean_interval,
    normal_p,
    pair_level,
    square_and_add,
    widest_gap,
    wilson,
)

from .groups import (
    GroupAuc,
    GroupCalibration,
    Grouping,
    Moments,
    auc_by_group,
    calibration_by_group,
    moments_of,
    scoring_counts,
)
from .metrics import ComparedMetric
from .rates import LEVEL, Reading, compare_counts, compared_measurement, envelope_estimate, rate_estimate, small_note

Floats = NDArray[np.float64]
SCORING_RATIO = ComparedMetric("scoring_rate_ratio", "scoring_rate", "ratio")
_NO_SCORE = "there are no scores, only decisions"
_TOO_FEW = f"fewer than {FEWEST_SHOWN} people: their mean could be read as one person's score"
_NO_AUC_INTERVAL = "no interval can be given: too few rows of one class, or no overlap of the classes"


def measure_scores(
    grouping: Grouping,
    reading: Reading,
    codes: NDArray[np.int64],
    score: Floats | None,
    label: Floats | None,
    *,
    high_is_favourable: bool,
) -> Iterator[Measurement]:
    """Yield every number of one grouping that rests on scores.

    Parameters
    ----------
    grouping : Grouping
        The groups.
    reading : Reading
        What is known of labels.
    codes : array of int, shape [n]
        Place of each row's group, or -1.
    score : array of float, shape [n], or None
        Probability of the positive class; None for decisions only.
    label : array of float, shape [n], or None
        1, 0 or NaN.
    high_is_favourable : bool
        Whether a high score is the favourable side.
    """
    size = len(grouping.groups)
    if score is None:
        yield from _measure_nothing(grouping, _NO_SCORE)
        return
    means = moments_of(score, codes, size)
    yield from _by_group(
        grouping, "mean_score", lambda place: _mean(means, place, small_note(grouping, place, reading))
    )
    yield from _measure_scoring_rate(grouping, reading, score, codes, high_is_favourable=high_is_favourable)
    why = reading.no_label or ("" if label is not None else "no label was given")
    aucs = [] if why or label is None else auc_by_group(score, label, codes, size)
    yield from _measure_auc(grouping, reading, aucs, why)
    why = why or ("" if _is_probability(score) else "the scores are no probabilities: some lie outside 0 to 1")
    calibrations = [] if why or label is None else calibration_by_group(score, label, codes, size)
    yield from _measure_calibration(grouping, reading, calibrations, why)


def _is_probability(score: Floats) -> bool:
    finite = score[np.isfinite(score)]
    return bool(len(finite) and finite.min() >= 0 and finite.max() <= 1)


def _by_group(
    grouping: Grouping, name: str, estimate: Callable[[int], Estimate], **extra: Any
) -> Iterator[Measurement]:
    """Yield one number for every group."""
    for place, group in enumerate(grouping.groups):
        yield Measurement(metric=f"fairness.{name}", estimate=estimate(place), group=group.scope, **extra)


def _measure_nothing(grouping: Grouping, why: str) -> Iterator[Measurement]:
    """Yield every score-based number as undefined."""
    for name in ("mean_score", "scoring_rate", "auc", "calibration_in_group"):
        yield from _by_group(grouping, name, lambda place: undefined(why))
    for name in ("scoring_rate_ratio", "auc_gap"):
        for group, known in zip(grouping.groups, grouping.known, strict=True):
            if known:
                yield Measurement(metric=f"fairness.{name}", estimate=undefined(why), group=group.scope)
    yield Measurement(metric="fairness.calibration_gap", estimate=undefined(why), attribute=grouping.name)


def _mean(moments: Moments, place: int, small: str) -> Estimate:
    """Return a group's mean with Student's interval."""
    n, mean, variance = int(moments.n[place]), float(moments.mean[place]), float(moments.variance[place])
    if n == 0:
        return undefined("nobody in this group has the values that this needs", n=0)
    if n < FEWEST_SHOWN:
        return undefined(_TOO_FEW, n=n)
    low, high = mean_interval(mean, variance, n, LEVEL)
    if math.isnan(low):
        note = "one value only, or all values alike: no interval can be given"
        return Estimate(value=mean, level=LEVEL, n=n, method="mean", note=note, assessable=False)
    return Estimate(
        value=mean, low=low, high=high, level=LEVEL, n=n, method="mean, Student", note=small, assessable=not small
    )


def _measure_scoring_rate(
    grouping: Grouping, reading: Reading, score: Floats, codes: NDArray[np.int64], *, high_is_favourable: bool
) -> Iterator[Measurement]:
    """Yield the share beyond the common median and its ratio to the best group's."""
    counts = list(scoring_counts(score, codes, len(grouping.groups), high_is_favourable=high_is_favourable))

    def rate(place: int) -> Estimate:
        k, n = counts[place]
        note = small_note(grouping, place, reading)
        return rate_estimate(k, n, note) if n else undefined("nobody in this group has a score", n=0)

    yield from _by_group(grouping, "scoring_rate", rate)
    for place, comparison in compare_counts(grouping, counts).items():
        yield compared_measurement(grouping, place, comparison, SCORING_RATIO, reading)


def _auc(auc: GroupAuc, note: str) -> Estimate:
    """Return an AUC with DeLong's interval on the log-odds scale."""
    n = auc.n
    if math.isnan(auc.auc):
        missing = "positive" if auc.positives == 0 else "negative"
        return undefined(f"nobody in this group has the {missing} label and a score", n=n)
    low, high = logit_interval(auc.auc, auc.se, LEVEL)
    if math.isnan(low):
        return Estimate(value=auc.auc, level=LEVEL, n=n, method="exact ranks", note=_NO_AUC_INTERVAL, assessable=False)
    return Estimate(
        value=auc.auc, low=low, high=high, level=LEVEL, n=n, method="DeLong, logit", note=note, assessable=not note
    )


def _measure_auc(grouping: Grouping, reading: Reading, aucs: list[GroupAuc], why: str) -> Iterator[Measurement]:
    """Yield AUC by group and the gap to the best group."""

    def note(place: int) -> str:
        return "; ".join(filter(None, (small_note(grouping, place, reading), reading.selective)))

    yield from _by_group(grouping, "auc", lambda place: undefined(why) if why else _auc(aucs[place], note(place)))
    places = [place for place, known in enumerate(grouping.known) if known]
    gaps = _no_gaps(places, why) if why else _auc_gaps(grouping, aucs, note)
    for place in places:
        estimate, reference, parity = gaps[place]
        yield Measurement(
            metric="fairness.auc_gap",
            estimate=estimate,
            group=grouping.groups[place].scope,
            reference=reference,
            parity=parity,
        )


Gap = tuple[Estimate, str | None, Parity | None]


def _no_gaps(places: list[int], why: str) -> dict[int, Gap]:
    """Return an undefined gap for every group."""
    return {place: (undefined(why), None, None) for place in places}


@dataclass(frozen=True, slots=True)
class _Ranked:
    """AUCs of the known groups, the best of them, and the tests of all pairs of judged groups."""

    names: list[str]
    aucs: list[GroupAuc]
    best: int
    parity: dict[tuple[int, int], Parity]

    @property
    def pairs(self) -> int:
        return len(self.parity) // 2


def _has_interval(auc: GroupAuc) -> bool:
    return not math.isnan(logit_interval(auc.auc, auc.se)[0])


def _auc_gaps(grouping: Grouping, aucs: list[GroupAuc], note: Callable[[int], str]) -> dict[int, Gap]:
    """Return the gap of every known group to the best, simultaneous over all pairs of judged groups."""
    known = [place for place, yes in enumerate(grouping.known) if yes]
    family = [place for place in known if grouping.assessable[place] and _has_interval(aucs[place])]
    candidates = [place for place in family if grouping.candidates[place]] or family
    if not candidates:
        return _no_gaps(known, "no group is large enough, with both labels and an interval, to be compared with")
    best = max(candidates, key=lambda place: aucs[place].auc)
    ranked = _Ranked(grouping.names, aucs, best, _auc_parity(aucs, family))
    return {place: _auc_gap(ranked, place, note(place)) for place in known}


def _auc_parity(aucs: list[GroupAuc], family: list[int]) -> dict[tuple[int, int], Parity]:
    """Test every pair of judged groups by DeLong's z, adjusted by Holm."""
    pairs = list(combinations(family, 2))
    z = [(aucs[a].auc - aucs[b].auc) / math.hypot(aucs[a].se, aucs[b].se) for a, b in pairs]
    p = [normal_p(value) for value in z]
    adjusted = holm(p)
    done = {}
    for i, (a, b) in enumerate(pairs):
        for first, second, sign in ((a, b, 1), (b, a, -1)):
            done[first, second] = Parity(
                statistic=sign * z[i], p=p[i], p_adjusted=float(adjusted[i]), pairs=len(pairs), method="DeLong z"
            )
    return done


def _auc_gap(ranked: _Ranked, place: int, note: str) -> Gap:
    """Return one group's gap to the best."""
    reference = ranked.names[ranked.best]
    here, there = ranked.aucs[place], ranked.aucs[ranked.best]
    if math.isnan(here.auc):
        return undefined("the group has no AUC: one of the two labels is absent"), reference, None
    if place == ranked.best:
        return _gap_of_best(here, note, alone=ranked.pairs == 0), reference, None
    gap = Estimate(
        value=there.auc - here.auc,
        level=LEVEL,
        n=here.n + there.n,
        method="exact ranks",
        note=_NO_AUC_INTERVAL,
        assessable=False,
    )
    if not _has_interval(here):
        return gap, reference, None
    each = pair_level(LEVEL, ranked.pairs)
    (a, b) = ((item.auc, *logit_interval(item.auc, item.se, each)) for item in (there, here))
    low, high = square_and_add(a, b)
    parity = ranked.parity.get((place, ranked.best))
    over = f", simultaneous over {ranked.pairs} pairs" if ranked.pairs > 1 else ""
    changes = {"low": low, "high": high, "method": f"DeLong, square-and-add{over}", "note": note}
    return gap.model_copy(update=changes | {"assessable": parity is not None and not note}), reference, parity


def _gap_of_best(auc: GroupAuc, note: str, *, alone: bool) -> Estimate:
    """Return the best group's gap to itself."""
    words = "the reference itself" + ("; no other group can be compared with it" if alone else "")
    return Estimate(
        value=0.0,
        low=0.0,
        high=0.0,
        level=LEVEL,
        n=auc.n,
        method="by definition",
        note="; ".join(filter(None, (words, note))),
        assessable=not alone and not note,
    )


def _measure_calibration(
    grouping: Grouping, reading: Reading, calibrations: list[GroupCalibration], why: str
) -> Iterator[Measurement]:
    """Yield mean score minus base rate by group, and the largest difference between groups."""

    def estimate(place: int) -> Estimate:
        note = "; ".join(filter(None, (small_note(grouping, place, reading), reading.selective)))
        return undefined(why) if why else _calibration(calibrations[place], note)

    yield from _by_group(grouping, "calibration_in_group", estimate)
    gap = undefined(why) if why else _calibration_gap(grouping, calibrations, reading)
    yield Measurement(metric="fairness.calibration_gap", estimate=gap, attribute=grouping.name)


def _calibration_bounds(calibration: GroupCalibration, level: float) -> tuple[float, float]:
    """Return the interval of mean score minus base rate: Student's and Wilson's, joined with their correlation.

    A group in which one label does not occur has a spread of residuals that says nothing of the labels; Wilson's
    interval of its base rate does.
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
        return undefined(_TOO_FEW, n=calibration.n)
    low, high = _calibration_bounds(calibration, LEVEL)
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
            [_calibration_bounds(calibrations[place], pair_level(LEVEL, pairs)) for place in usable],
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
    note = "; ".join(filter(None, [estimate.note, *lost, reading.selective]))
    return estimate.model_copy(update={"note": note, "assessable": False})
