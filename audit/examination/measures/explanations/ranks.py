"""Two explanations of the same rows held side by side: ranks, largest features, signs.

Comes in: two arrays of attributions. Goes out: one number per row, NaN where a row has no order to compare. Features
are ranked by size, because it is the size that a reader sees first; Krishna and others (2022), The Disagreement Problem
in Explainable Machine Learning.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEW = 3
"""Features that count as the largest."""


def rank_rows(values: Floats) -> Floats:
    """Return ranks within each row, 1 for the smallest, ties at their mean; shape ``[n, k]``."""
    below = (values[:, None, :] < values[:, :, None]).sum(axis=2)
    same = (values[:, None, :] == values[:, :, None]).sum(axis=2)
    ranks: Floats = below + (same + 1) / 2.0
    return ranks


def correlate_ranks(first: Floats, second: Floats) -> Floats:
    """Return Spearman's rank correlation of each row, shape ``[n]``; NaN where all values of a row are equal."""
    a, b = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in (rank_rows(first), rank_rows(second)))
    spread = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (a * b).sum(axis=1) / spread, np.nan)


def top_places(values: Floats, few: int = FEW) -> NDArray[np.int64]:
    """Return the places of the `few` largest values of each row, the largest first, ties by place."""
    return np.argsort(-values, axis=1, kind="stable")[:, :few]


def share_top(first: Floats, second: Floats, few: int = FEW) -> Floats:
    """Return the share of the `few` largest features (by size) that two explanations of each row have in common."""
    here, there = (top_places(np.abs(values), few) for values in (first, second))
    return np.asarray((here[:, :, None] == there[:, None, :]).any(axis=2).mean(axis=1))


def share_signs(first: Floats, second: Floats, few: int = FEW) -> Floats:
    """Return the share of the `few` largest features of `first` to which `second` gives the same sign."""
    places = top_places(np.abs(first), few)
    a, b = (np.take_along_axis(values, places, axis=1) for values in (first, second))
    return np.asarray((np.sign(a) == np.sign(b)).mean(axis=1))
