"""Interactions of the additive net: bilinear tables of two features on a coarse grid, chosen by FAST.

Comes in: encoded rows and what the main effects already say. Goes out: which pairs matter most, the slots and the
smooth directions of their tables, and, once they are solved, tables made pure: what belongs to one feature alone moves
to that feature's own table.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from .basis import Draft, smooth_directions
from .encoder import Code, Encoder, Floats, LevelCode
from .penalty import bend_penalties
from .shapes import PairTerm, Term, mix_rows

PAIR_KNOTS = 12
PAIR_RANK = 3
"""Smoothest directions from either penalty of a number: most interactions are no more than slopes that change."""

FINE_KNOTS = 24
FINE_RANK, FINE_RANK_LEVELS = 5, 9
"""What a pair gets that uses up its directions, as an hour of the day beside a kind of day does; beside a category more
of them, because there they cost less."""

PAIR_LEVELS = 12
"""Levels with a row of their own in a pair's table, the most frequent; the others share one."""

FAST_ROWS = 20_000
FAST_BINS = 32
PAIR_RIDGE = 0.05


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two features of a pair.

    Parameters
    ----------
    column : int
        Position of the feature.
    knots : ndarray of float64
        Knots, some of the feature's own; empty for a category.
    rows : ndarray of int
        For a category: row of the table for each level, then for a level without a slot.
    size : int
        Rows of the table; row 0 stands for missing.
    """

    column: int
    knots: Floats
    rows: np.ndarray
    size: int


@dataclass(frozen=True, slots=True)
class PairPlan:
    """A pair to be fitted.

    Parameters
    ----------
    sides : tuple of two Side
        The two features.
    rank : int
        Directions per penalty of a number.
    """

    sides: tuple[Side, Side]
    rank: int = PAIR_RANK

    @property
    def size(self) -> int:
        """Slots of the table."""
        return self.sides[0].size * self.sides[1].size

    def key(self) -> str:
        """Return a name that no feature has."""
        return f"({self.sides[0].column} x {self.sides[1].column})"


def rank_pairs(
    encoder: Encoder,
    encoded: Floats,
    target: Floats,
    score: Floats,
    *,
    weights: Floats | None,
    objective: str,
    barred: Sequence[int] = (),
) -> list[tuple[int, int]]:
    """Return pairs of features, the strongest interaction first.

    Parameters
    ----------
    encoder : Encoder
        The codes.
    encoded : ndarray of float64, shape [n, features]
        Rows.
    target : ndarray of float64, shape [n]
        Target; for several classes their numbers.
    score : ndarray of float64, shape [n] or [n, classes]
        What the main effects say.
    weights : ndarray of float64, shape [n], or None
        Row weights.
    objective : {"log_loss", "rmse"}
        Loss.
    barred : sequence of int
        Features that stay out, because a direction is imposed on them: in a pair it could turn back.

    Notes
    -----
    FAST (Lou et al. 2013), by ``interpret.utils.measure_interactions``.
    """
    from interpret.utils import measure_interactions

    free = [j for j, code in enumerate(encoder.codes) if j not in barred and _has_two(code)]
    if len(free) < 2:
        return []
    names = [str(j) for j in free]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Missing values detected", category=UserWarning)
        warnings.filterwarnings("ignore", message="All-NaN", category=RuntimeWarning)
        found = measure_interactions(
            np.asfortranarray(encoded[:, free]),
            target.astype(np.int64) if objective == "log_loss" else target,
            init_score=score,
            feature_names=names,
            feature_types=["nominal" if isinstance(encoder.codes[j], LevelCode) else "continuous" for j in free],
            max_interaction_bins=FAST_BINS,
            sample_weight=weights,
            objective=objective,
        )
    ordered = sorted(found, key=lambda item: (-item[1], item[0]))
    return [(free[pair[0]], free[pair[1]]) for pair, strength in ordered if strength > 0]


def _has_two(code: Code) -> bool:
    return len(code.levels) + (code.pooled > 0) >= 2 if isinstance(code, LevelCode) else code.knots.size >= 2


def plan_pair(encoder: Encoder, encoded: Floats, pair: tuple[int, int], knots: int = PAIR_KNOTS) -> PairPlan:
    """Choose the grid of one pair.

    Parameters
    ----------
    encoder : Encoder
        The codes.
    encoded : ndarray of float64, shape [n, features]
        Rows, whose quantiles place the knots.
    pair : tuple of two int
        The features.
    knots : int
        Most knots per side.
    """
    first, second = (_plan_side(encoder.codes[j], j, encoded[:, j], knots) for j in pair)
    return PairPlan((first, second))


def plan_finer(encoder: Encoder, encoded: Floats, plan: PairPlan) -> PairPlan:
    """Return the same pair on a finer grid and with more directions.

    Parameters
    ----------
    encoder : Encoder
        The codes.
    encoded : ndarray of float64, shape [n, features]
        Rows.
    plan : PairPlan
        The pair.
    """
    first, second = (side.column for side in plan.sides)
    numbers = sum(side.knots.size > 0 for side in plan.sides)
    rank = FINE_RANK if numbers == 2 else FINE_RANK_LEVELS
    return replace(plan_pair(encoder, encoded, (first, second), FINE_KNOTS), rank=rank) if numbers else plan


def count_columns(plan: PairPlan) -> int:
    """Return how many coefficients a pair has at most."""
    first, second = (min(side.size - 1, 2 * plan.rank) if side.knots.size else side.size for side in plan.sides)
    return first * second


def _plan_side(code: Code, column: int, x: Floats, knots: int) -> Side:
    if isinstance(code, LevelCode):
        kept = min(len(code.levels), PAIR_LEVELS)
        rows = np.minimum(np.arange(len(code.levels) + 1), kept) + 1
        rows[-1] = kept + 1
        return Side(column, np.empty(0), rows, kept + 2)
    grid = code.knots
    if grid.size > knots:
        # some of the feature's own knots, so that what moves to its own table moves without loss
        wanted = np.quantile(x[np.isfinite(x)], np.linspace(0, 1, knots))
        near = np.clip(np.searchsorted(grid, wanted), 1, grid.size - 1)
        near -= wanted - grid[near - 1] < grid[near] - wanted
        grid = grid[np.unique(np.concatenate([[0], near, [grid.size - 1]]))]
    return Side(column, grid, np.empty(0, dtype=np.intp), grid.size + 1)


def build_pair_design(plans: Sequence[PairPlan], encoded: Floats) -> Any:
    """Return which slots of the pairs' tables each row looks up, CSR of shape [n, slots].

    Parameters
    ----------
    plans : sequence of PairPlan
        Pairs; their tables follow each other, row by row.
    encoded : ndarray of float64, shape [n, features]
        Rows.
    """
    n, start = encoded.shape[0], 0
    columns, values = [], []
    for plan in plans:
        first, second = (mix_rows(encoded[:, side.column], side.knots, side.rows) for side in plan.sides)
        for upper in (False, True) if plan.sides[0].knots.size else (False,):
            a = first[1] if upper else first[0]
            left = first[2] if upper else 1.0 - first[2]
            for right in (False, True) if plan.sides[1].knots.size else (False,):
                b = second[1] if right else second[0]
                columns.append(start + a * plan.sides[1].size + b)
                values.append(left * (second[2] if right else 1.0 - second[2]))
        start += plan.size
    if not columns:
        return sp.csr_matrix((n, 0))
    flat = np.stack(columns, axis=1).astype(np.int32).ravel()
    starts = np.arange(0, n * len(columns) + 1, len(columns), dtype=np.int32)
    found = sp.csr_matrix((np.stack(values, axis=1).ravel(), flat, starts), shape=(n, start))
    # two missing corners are one slot
    found.sum_duplicates()
    return found


def draft_pairs(plans: Sequence[PairPlan], encoded: Floats, mass: Floats, start: int) -> tuple[Draft, ...]:
    """Return the coefficients of the pairs' tables: products of the two features' smoothest directions.

    Parameters
    ----------
    plans : sequence of PairPlan
        Pairs.
    encoded : ndarray of float64, shape [n, features]
        Rows.
    mass : ndarray of float64, shape [slots]
        Weight of the rows that touch each slot of the pairs.
    start : int
        First slot among all tables.
    """
    drafts, at = [], 0
    for plan in plans:
        held = mass[at : at + plan.size].reshape(plan.sides[0].size, plan.sides[1].size)
        first, second = (
            _directions_of(side, encoded[:, side.column], held.sum(axis=1 - k), plan.rank)
            for k, side in enumerate(plan.sides)
        )
        matrix: Floats = np.asarray(np.kron(first[0], second[0]), dtype=np.float64)
        sizes = first[0].shape[1], second[0].shape[1]
        rough = np.kron(first[1], np.eye(sizes[1])) + np.kron(np.eye(sizes[0]), second[1])
        smooth = rough + PAIR_RIDGE * np.eye(matrix.shape[1])
        smooths = [(np.arange(matrix.shape[1]), (smooth,), False)] if matrix.shape[1] else []
        drafts.append(Draft(plan.key(), slice(start + at, start + at + plan.size), matrix, smooths))
        at += plan.size
    return tuple(drafts)


def _directions_of(side: Side, x: Floats, held: Floats, rank: int) -> tuple[Floats, Floats]:
    """Return directions along one side, centred over the rows, and their penalty with a mean diagonal of one."""
    if side.rows.size:
        kept = np.flatnonzero(held[1:] > 0) + 1
        matrix = np.zeros((side.size, kept.size))
        matrix[kept, np.arange(kept.size)] = 1.0
        matrix[kept] -= (held[kept] / max(held[kept].sum(), 1e-300))[None, :]
        return matrix, np.eye(kept.size)
    penalties = bend_penalties(side.knots, x)
    curve = smooth_directions(penalties, held[1:], rank)
    rough: Floats = np.zeros((curve.shape[1], curve.shape[1]))
    for penalty in penalties:
        rough += curve.T @ penalty @ curve
    matrix = np.concatenate([np.zeros((1, curve.shape[1])), curve])
    return matrix, rough / max(float(np.mean(np.diag(rough))), 1e-300) if rough.size else rough


def purify_pairs(
    encoder: Encoder,
    plans: Sequence[PairPlan],
    tables: Floats,
    mass: Floats,
    terms: tuple[Term, ...],
) -> tuple[tuple[Term, ...], tuple[PairTerm, ...], float]:
    """Move what belongs to one feature alone out of the pairs.

    Parameters
    ----------
    encoder : Encoder
        The codes.
    plans : sequence of PairPlan
        Pairs.
    tables, mass : ndarray of float64, shape [slots of the pairs]
        Solved tables, and the weight of the rows that touch each slot.
    terms : tuple of Term
        Tables of single features.

    Returns
    -------
    terms, pairs, constant
        Tables with what moved there, pure pairs, and what is left for the intercept.

    Notes
    -----
    Lengerich et al. (2020), Purifying interaction effects with the functional ANOVA, by ``interpret.utils.purify``.
    """
    from interpret.utils import purify

    moved, pairs, constant, at = list(terms), [], 0.0, 0
    for plan in plans:
        shape = (plan.sides[0].size, plan.sides[1].size)
        table, held = (part[at : at + plan.size].reshape(shape) for part in (tables, mass))
        pure, impurities, rest = purify(table.copy(), np.maximum(held, 1e-9), is_randomized=False)
        for dimensions, values in impurities:
            side = plan.sides[dimensions[0]]
            term, shift = _add_part(moved[side.column], side, values, held.sum(axis=1 - dimensions[0]))
            moved[side.column] = term
            constant += shift
        constant += float(np.ravel(rest)[0])
        first, second = plan.sides
        pairs.append(
            PairTerm(
                (encoder.names[first.column], encoder.names[second.column]),
                (first.column, second.column),
                (first.knots, second.knots),
                (first.rows, second.rows),
                pure,
                "linear",
            )
        )
        at += plan.size
    return tuple(moved), tuple(pairs), constant


def _add_part(term: Term, side: Side, values: Floats, held: Floats) -> tuple[Term, float]:
    """Add a side's own part to its feature's table; its mean over the rows goes to the intercept."""
    mean = float(values @ held / max(held.sum(), 1e-300))
    values = values - mean
    if side.rows.size:
        by_level = values[side.rows]
        shift, unknown = by_level[:-1], float(by_level[-1])
    else:
        shift, unknown = np.interp(term.at, side.knots, values[1:]), 0.0
    return replace(
        term,
        y=term.y + shift,
        missing=term.missing + float(values[0]),
        unknown=term.unknown + unknown,
        low=None if term.low is None else term.low + shift,
        high=None if term.high is None else term.high + shift,
    ), mean
