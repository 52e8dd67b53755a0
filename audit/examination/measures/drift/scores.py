"""How scores, decisions, labels and groups of the judged rows differ from the baseline, and how the model does later.

Comes in: rows and scores of both sides. Goes out: measurements overall and by group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, Measurement, undefined
from audit.examination.data.columns import groups_of, label_of
from audit.statistics.auc import auc_delong
from audit.statistics.distances import MeanGap, welch_interval
from audit.statistics.intervals import normal_quantile

from .columns import change_of_share, doubt_small, pair_groups
from .distance import bin_numbers, stability_estimate

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sets of rows.

    Parameters
    ----------
    groups : dict of str to ndarray of str, shape [n]
        Group of each row, for the attributes that it knows.
    label : ndarray of float64, shape [n], or None
        1, 0 or a value, NaN where unknown.
    score : ndarray of float64, shape [n], or None
        Score of the black box, NaN where it gave none.
    favourable : ndarray of bool, shape [n], or None
        Decision that follows from the score.
    """

    groups: dict[str, NDArray[Any]]
    label: Floats | None
    score: Floats | None
    favourable: Flags | None


def side_of(case: Case, frame: pd.DataFrame, score: Floats | None, favourable: Flags | None) -> Side:
    """Return rows beside the judged ones as a side."""
    known = {name: item for name, item in case.config.groups.attributes.items() if item.column in frame.columns}
    groups = case.config.groups.model_copy(update={"attributes": known})
    config = case.config.model_copy(update={"groups": groups})
    labelled = config.label is not None and config.label.column in frame.columns
    return Side(groups_of(frame, config), label_of(frame, config) if labelled else None, score, favourable)


def measure_scores(case: Case, before: Side, after: Side) -> Iterator[Measurement]:
    """Yield the drift of scores, decisions and labels, overall and by group, and the change of the groups' shares.

    Parameters
    ----------
    case : Case
        Task, seed and the size of small groups.
    before, after : Side
        Baseline and judged rows.
    """
    least = case.subject.small_count
    for name, estimate in _compare(case, before, after, "all").items():
        yield Measurement(metric=f"drift.{name}", estimate=estimate)
    for attribute, group, first, second in pair_groups((before.groups, after.groups)):
        scope = {attribute: group}
        share = change_of_share(first, second)
        yield Measurement(metric="drift.group_share_change", estimate=share, group=scope)
        parts = _compare(case, _part(before, first), _part(after, second), f"{attribute}={group}")
        for name, estimate in parts.items():
            yield Measurement(metric=f"drift.{name}", estimate=doubt_small(estimate, first, least), group=scope)


def _part(side: Side, inside: Flags) -> Side:
    return Side(
        {},
        None if side.label is None else side.label[inside],
        None if side.score is None else side.score[inside],
        None if side.favourable is None else side.favourable[inside],
    )


def _compare(case: Case, before: Side, after: Side, name: str) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    if before.score is not None and after.score is not None:
        first, second = (side[np.isfinite(side)] for side in (before.score, after.score))
        found["score_psi"] = stability_estimate(bin_numbers(first, second), case.rng(f"score drift {name}"))
        if before.favourable is not None and after.favourable is not None:
            known = np.isfinite(before.score), np.isfinite(after.score)
            found["selection_rate_change"] = change_of_share(before.favourable[known[0]], after.favourable[known[1]])
    if before.label is not None and after.label is not None:
        found["label_rate_change"] = _label_change(before.label, after.label, case.subject.task == "regression")
    return found


def _label_change(before: Floats, after: Floats, value: bool) -> Estimate:
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if not value:
        return change_of_share(before == 1, after == 1)
    if min(before.size, after.size) < 2:
        return undefined("fewer than two labels on a side", n=int(after.size))
    gap = MeanGap(*((float(x.mean()), float(x.var(ddof=1)), int(x.size)) for x in (after, before)))
    low, high = welch_interval(gap)
    if not np.isfinite(low):
        note = "no interval: the labels do not vary"
        return Estimate(value=gap.difference, n=int(after.size), method="means", note=note, assessable=False)
    return Estimate(value=gap.difference, low=low, high=high, n=int(after.size), method="means, Welch's interval")


def measure_later(case: Case, now: Side, later: Side) -> Iterator[Measurement]:
    """Yield how much worse the model predicts in the later period, overall and by group; the rows are independent.

    Parameters
    ----------
    case : Case
        Task and the size of small groups.
    now, later : Side
        Judged rows and rows of the later period.
    """
    metric, value = "drift.performance_drop", case.subject.task == "regression"
    yield Measurement(metric=metric, estimate=performance_drop(now, later, value=value))
    for attribute, group, first, second in pair_groups((now.groups, later.groups)):
        drop = performance_drop(_part(now, first), _part(later, second), value=value)
        estimate = doubt_small(drop, first, case.subject.small_count)
        yield Measurement(metric=metric, estimate=estimate, group={attribute: group})


def performance_drop(now: Side, later: Side, *, value: bool) -> Estimate:
    """Return AUC now minus AUC later, or root mean squared error later minus now: positive is worse.

    Parameters
    ----------
    now, later : Side
        Two independent sets of rows.
    value : bool
        Whether the label is a value.

    Notes
    -----
    Variances of independent rows add: DeLong's of the two areas, the delta method's of the two errors.
    """
    found = []
    for side in (now, later):
        if side.score is None or side.label is None:
            return undefined("there are no scores or no labels on a side")
        known = np.isfinite(side.score) & np.isfinite(side.label)
        found.append((_root_error if value else _auc)(side.score[known], side.label[known]))
    (first, se_first, _), (second, se_second, n) = found
    if not np.isfinite(first + second + se_first + se_second):
        return undefined("too few labelled rows on a side, or one class only", n=n)
    drop = second - first if value else first - second
    half = normal_quantile(LEVEL) * float(np.hypot(se_first, se_second))
    method = "delta method, independent rows" if value else "DeLong, independent rows"
    if half == 0:
        return Estimate(value=drop, n=n, method=method, note="no interval: nothing varies", assessable=False)
    return Estimate(value=drop, low=drop - half, high=drop + half, n=n, method=method)


def _auc(score: Floats, label: Floats) -> tuple[float, float, int]:
    return (*auc_delong(score[label == 1], score[label == 0]), int(score.size))


def _root_error(score: Floats, label: Floats) -> tuple[float, float, int]:
    square, n = (score - label) ** 2, int(score.size)
    if n < 2:
        return float("nan"), float("nan"), n
    root = float(np.sqrt(square.mean()))
    return root, float(square.std(ddof=1)) / (2 * max(root, 1e-300)) / float(np.sqrt(n)), n
