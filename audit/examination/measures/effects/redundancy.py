"""How well each feature can be told from the others: what a model could lose without losing its content.

Comes in: the audited rows' features. Goes out: per feature the cross-validated share of its variance that an additive
fit on all other features explains. Numbers enter by their rank, so that neither a bent scale nor a far value matters;
of a category the share of all its levels' variance is meant (Goodman and Kruskal's tau).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audit.evidence import Estimate, undefined
from audit.examination.glassbox.encoder import Floats
from audit.examination.measures.explained import explained_share

from .axis import Axis

MOST_ROWS = 5_000
FOLDS = 5
MOST_COLUMNS = 480
MOST_PIECES, FEWEST_PIECES = 10, 3
ROWS_PER_PIECE = 150
RIDGE = 1.0
LEAST_ROWS = 50
EXACT = 1e-15


@dataclass(frozen=True, slots=True)
class _Block:
    """One feature as columns to predict from, and as what is to be predicted."""

    columns: Floats
    """Shape [n, k]."""
    target: Floats
    """Shape [n, t]."""
    known: np.ndarray
    """Rows in which it counts."""


def measure_redundancy(axes: Sequence[Axis], rows: np.ndarray, folds: np.ndarray) -> list[Estimate]:
    """Return the share of each feature's variance that the others explain, on rows left out of the fit.

    Parameters
    ----------
    axes : sequence of Axis
        All features.
    rows : ndarray of int, shape [m]
        Audited rows to use.
    folds : ndarray of int, shape [m]
        Fold of each.

    Notes
    -----
    Ridge regression on hat functions of ranks and on levels. The inverse of one cross-product per fold serves all
    features: the fit without the columns J is ``M[o, o] c - M[o, J] M[J, J]^-1 M[J, o] c`` with the inverse M of the
    whole matrix (inverse of a partitioned matrix).
    """
    most = min(MOST_COLUMNS // max(1, len(axes)), rows.size // ROWS_PER_PIECE)
    pieces = int(np.clip(most, FEWEST_PIECES, MOST_PIECES))
    blocks = [_lay_block(axis, axis.x[rows], pieces) for axis in axes]
    if rows.size < LEAST_ROWS or len(axes) < 2:
        why = f"{rows.size} rows are too few" if rows.size < LEAST_ROWS else "there is no other feature"
        return [undefined(why, n=int(rows.size)) for _ in axes]
    guesses = _predict_left_out(blocks, folds)
    return [_score(block, guess) for block, guess in zip(blocks, guesses, strict=True)]


def _lay_block(axis: Axis, x: Floats, pieces: int) -> _Block:
    missing = np.isnan(x)
    if axis.kind == "category":
        slots = np.where(missing, pieces + 1, np.where((x < 0) | (x >= pieces), pieces, x)).astype(np.intp)
        used = np.unique(slots)
        columns = (slots[:, None] == used[None, :]).astype(np.float64)
        return _Block(columns, columns, np.ones(x.size, dtype=bool))
    rank = _mid_ranks(np.where(missing, np.nan, x))
    # straight lines in the rank between even knots
    at = rank * pieces
    hats = np.maximum(0.0, 1 - np.abs(np.where(missing, -2.0, at)[:, None] - np.arange(pieces + 1)[None, :]))
    columns = np.column_stack([hats, missing]) if missing.any() else hats
    return _Block(columns, np.where(missing, 0.5, rank)[:, None], ~missing)


def _mid_ranks(x: Floats) -> Floats:
    """Return ranks between 0 and 1, ties by their middle; NaN where missing."""
    distinct, codes, counts = np.unique(x[~np.isnan(x)], return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    ranks = np.full(x.size, np.nan)
    if distinct.size:
        ranks[~np.isnan(x)] = (middle / max(counts.sum() - 1, 1))[codes]
    return ranks


def _predict_left_out(blocks: Sequence[_Block], folds: np.ndarray) -> list[Floats]:
    """Return for each feature what the others say of it, every row by a fit without its fold."""
    design = np.column_stack([block.columns for block in blocks])
    ends = np.cumsum([0, *(block.columns.shape[1] for block in blocks)])
    guesses = [np.empty_like(block.target) for block in blocks]
    for fold in np.unique(folds):
        held, kept = folds == fold, folds != fold
        centre = design[kept].mean(axis=0)
        inner = design[kept] - centre
        inverse = np.linalg.inv(inner.T @ inner + RIDGE * np.eye(design.shape[1]))
        outer = design[held] - centre
        for j, block in enumerate(blocks):
            mean = block.target[kept].mean(axis=0)
            cross = inner.T @ (block.target[kept] - mean)
            slopes = _solve_without(inverse, cross, slice(ends[j], ends[j + 1]))
            guesses[j][held] = mean + outer @ slopes
    return guesses


def _solve_without(inverse: Floats, cross: Floats, own: slice) -> Floats:
    """Return the coefficients of all columns but `own`, those of `own` zero."""
    cross = cross.copy()
    cross[own] = 0.0
    raw = inverse @ cross
    slopes: Floats = raw - inverse[:, own] @ np.linalg.solve(inverse[own, own], raw[own])
    slopes[own] = 0.0
    return slopes


def _score(block: _Block, guess: Floats) -> Estimate:
    target, guess = block.target[block.known], guess[block.known]
    alike = "the feature has the same value in every row"
    if not target.size:
        return undefined("the feature is missing in every row", n=0)
    spread = ((target - target.mean(axis=0)) ** 2).sum(axis=1)
    error = np.maximum(((target - guess) ** 2).sum(axis=1), EXACT * spread)
    return explained_share(error, spread if np.ptp(target, axis=0).any() else 0 * spread, alike=alike)
