"""Counts of all rows, where the rows of the case are a sample: from the tally, the roll, the one look at the columns.

Comes in: the case. Goes out: whole numbers about every row, whether the case holds them or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from audit.examination.data.kinds import ColumnFacts

    from .case import Case


def count_groups(case: Case, attribute: str) -> dict[str, int]:
    """Return the rows of each group that occurs."""
    if case.sampled:
        rows = case.tally.counts([attribute]).sum(axis=(1, 2)).tolist()
        return dict(zip(case.tally.levels[attribute], rows, strict=True))
    names, counts = np.unique(case.groups[attribute].astype(str), return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def count_tallied(case: Case, attribute: str, group: str) -> tuple[int, int]:
    """Return the positive and the known labels of a group, among all rows."""
    if group not in case.tally.levels[attribute]:
        return 0, 0
    positive, negative, _ = (
        case.tally.counts([attribute])[case.tally.levels[attribute].index(group)].sum(axis=1).tolist()
    )
    return positive, positive + negative


def count_unlabelled(case: Case) -> int:
    """Return the rows without a label."""
    if not case.sampled:
        return 0 if case.label is None else int(np.isnan(case.label).sum())
    return 0 if case.roll.label is None else int(case.roll.count[np.isnan(case.roll.label)].sum())


def count_positive(case: Case, label: np.ndarray) -> int:
    """Return the rows with the positive label."""
    return int(case.tally.counts()[0].sum()) if case.sampled else int((label == 1).sum())


def count_missing(case: Case, facts: ColumnFacts) -> int:
    """Return the rows without a value; a joined column was looked at in its own file alone."""
    joined = case.dataset.joined
    if case.sampled and (joined is None or facts.name not in joined.values):
        return facts.missing
    return int(case.frame[facts.name].isna().sum())


def sum_weights(case: Case) -> tuple[float, float]:
    """Return the sum of the weights of all rows, and of their squares."""
    roll = case.roll
    if case.sampled and roll.weight is not None and roll.weight_square is not None:
        return float(roll.weight.sum()), float(roll.weight_square.sum())
    assert case.weights is not None
    return float(case.weights.sum()), float((case.weights**2).sum())
