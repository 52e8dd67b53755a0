"""The common axis of a feature: positions at which every model's shape is drawn, and how the rows weigh on them.

Comes in: a column of the audited rows. Goes out: an `Axis` (at most 48 positions of a number; all levels, of which
the 48 most frequent are shown), the share of the rows near each position, and the rug. All curves of a feature are
drawn on it and centred over the same rows, so that gaps mean something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audit.evidence import FeatureRug, FeatureUsed
from audit.examination.glassbox.encoder import (
    RARE,
    Encoder,
    Floats,
    LevelCode,
    choose_knots,
    count_levels,
    read_numbers,
)

if TYPE_CHECKING:
    import pandas as pd

MOST_POSITIONS = 48
MOST_LEVELS = 1_000
RUG_BINS = 30
EMPTY_BINS = 60
LEAST_EMPTY = 3
WIDE = 3.0
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Axis:
    """One feature's positions.

    Parameters
    ----------
    feature : str
        Feature.
    kind : {"numeric", "category"}
        Numbers or levels.
    grid : ndarray of float64, shape [m]
        Positions of a number, ascending; 0 ... m - 1 for levels.
    levels : tuple of str
        Levels, the most frequent first; empty for a number.
    x : ndarray of float64, shape [n]
        Audited rows: the number, or the position of the level, -1 where it has none, NaN where missing.
    share : ndarray of float64, shape [m]
        Weighted share of the rows near each position; rows that are missing or off the axis make it sum to less than 1.
    weights : ndarray of float64, shape [n]
        Row weights, sum one.
    """

    feature: str
    kind: str
    grid: Floats
    levels: tuple[str, ...]
    x: Floats
    share: Floats
    weights: Floats

    @property
    def shown(self) -> int:
        """Positions that a curve shows: all of a number, the most frequent levels."""
        return min(self.grid.size, MOST_POSITIONS)

    @property
    def missing_share(self) -> float:
        """Weighted share of the rows where the feature is missing."""
        return float(self.weights[np.isnan(self.x)].sum())


def lay_axis(column: pd.Series, feature: FeatureUsed, weights: Floats) -> Axis:
    """Choose positions for a feature.

    Parameters
    ----------
    column : pandas.Series, shape [n]
        The audited rows, typed.
    feature : FeatureUsed
        Name and kind.
    weights : ndarray of float64, shape [n]
        Row weights, sum one.
    """
    if feature.kind == "number":
        x = read_numbers(column)
        grid = choose_knots(x, MOST_POSITIONS)
        return Axis(feature.name, "numeric", grid, (), x, _share_between(x, grid, weights), weights)
    counts = count_levels(column)
    kept = [level for level, count in counts.items() if count >= RARE][:MOST_LEVELS]
    levels = tuple(sorted(kept) if feature.kind == "boolean" else kept)
    x = _positions(column, levels)
    grid = np.arange(len(levels), dtype=np.float64)
    known = x >= 0
    share = np.bincount(x[known].astype(np.intp), weights[known], minlength=len(levels)).astype(np.float64)
    return Axis(feature.name, "category", grid, levels, x, share, weights)


def _positions(column: pd.Series, levels: Sequence[str]) -> Floats:
    return Encoder((LevelCode(str(column.name), tuple(levels)),)).encode(column.to_frame())[:, 0]


def _share_between(x: Floats, grid: Floats, weights: Floats) -> Floats:
    """Share each row out between the two positions around it, as linear interpolation does."""
    if grid.size < 2:
        return np.full(grid.size, float(weights[~np.isnan(x)].sum()))
    known = ~np.isnan(x)
    held, w = np.clip(x[known], grid[0], grid[-1]), weights[known]
    left = np.minimum(np.searchsorted(grid, held, side="right") - 1, grid.size - 2)
    part = (held - grid[left]) / (grid[left + 1] - grid[left])
    low = np.bincount(left, w * (1 - part), minlength=grid.size)
    return np.asarray(low + np.bincount(left + 1, w * part, minlength=grid.size))


def draw_rug(axis: Axis) -> FeatureRug:
    """Return the distribution of the rows along the axis; counts under 5 are given as 0.

    Parameters
    ----------
    axis : Axis
        The feature.
    """
    missing = int(np.isnan(axis.x).sum())
    missing = missing if missing >= RARE else 0
    if axis.kind == "category":
        known = axis.x[axis.x >= 0].astype(np.intp)
        held = _hide_few(np.bincount(known, minlength=len(axis.levels))[: axis.shown])
        return FeatureRug(
            feature=axis.feature,
            levels=axis.levels[: axis.shown],
            counts=held,
            near=tuple(round(count / axis.x.size, DIGITS) for count in held),
            missing=missing,
        )
    finite = axis.x[np.isfinite(axis.x)]
    if not finite.size:
        return FeatureRug(feature=axis.feature, missing=missing)
    low, high = (float(q) for q in np.quantile(finite, [0.01, 0.99]))
    if low == high:
        low, high = float(axis.grid[0]), float(axis.grid[-1])
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, RUG_BINS + 1)
    counts, _ = np.histogram(np.clip(finite, low, high), edges)
    near = _share_between(axis.x, axis.grid, np.ones(axis.x.size))
    return FeatureRug(
        feature=axis.feature,
        edges=tuple(float(f"{e:.6g}") for e in edges),
        counts=_hide_few(counts),
        at=tuple(float(x) for x in axis.grid),
        near=tuple(round(float(n) / axis.x.size, DIGITS) if n >= RARE else 0.0 for n in near),
        empty=find_empty(axis.grid, finite, low, high),
        missing=missing,
    )


def find_empty(grid: Floats, values: Floats, low: float, high: float) -> tuple[tuple[float, float], ...]:
    """Return the wide stretches in which no row lies.

    Parameters
    ----------
    grid : ndarray of float64, shape [m]
        Positions of the curves, ascending.
    values : ndarray of float64, shape [n]
        Finite values of the rows.
    low, high : float
        Range that is shown.

    Notes
    -----
    Looked for among 60 parts of the range, whose edges are no one's value; at least three parts in a row, and more than
    three times the median step of the positions: between whole numbers, all one step apart, nothing is empty.
    """
    if grid.size < 3:
        return ()
    edges = np.linspace(low, high, EMPTY_BINS + 1)
    bare = np.histogram(np.clip(values, low, high), edges)[0] == 0
    turns = np.flatnonzero(np.diff(np.concatenate([[False], bare, [False]]).astype(np.int8)))
    wide = max(LEAST_EMPTY * (high - low) / EMPTY_BINS, WIDE * float(np.median(np.diff(grid))))
    stretches = ((edges[a], edges[b]) for a, b in turns.reshape(-1, 2).tolist())
    return tuple((float(f"{a:.6g}"), float(f"{b:.6g}")) for a, b in stretches if b - a >= wide * (1 - 1e-9))


def _hide_few(counts: np.ndarray) -> tuple[int, ...]:
    return tuple(int(count) if count >= RARE else 0 for count in counts)
