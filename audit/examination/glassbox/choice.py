"""How many pairs, and which: until a further one no longer helps on rows that were set aside.

Comes in: a net of single features. Goes out: the pairs worth their place, with the strengths of their penalties.

FAST ranks all pairs. Their coefficients are then learned with the single features' score held as known, on four fifths
of the rows, and judged on the other fifth, for growing numbers of pairs. A likelihood is taken by its second-order
expansion around the present score, so that one curvature serves every number of pairs and every strength.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from .basis import Basis, Draft, place
from .curvature import RowMap
from .encoder import Floats
from .ground import Ground
from .pairs import FAST_ROWS, PairPlan, build_pair_design, count_columns, draft_pairs, plan_finer, plan_pair, rank_pairs
from .smoothing import carry_strengths
from .solver import Problem, Solution, begin, close, take_step

LADDER = (1, 2, 3, 5, 7, 10, 14, 20)
LEAST_GAIN = 0.005
"""Share of the remaining loss that the next pairs must take away, besides one standard error."""

LEAST_GAIN_CLASS = 0.001
JUDGES = 5
USED_UP = 0.7
"""A pair that uses more than this share of its coefficients gets a finer grid."""

FINE_COLUMNS = 400
"""Most coefficients of all finer grids together."""

PAIR_STEPS = 12


@dataclass(frozen=True, slots=True)
class Working:
    """One output's working response: weighted squares around the present score.

    Parameters
    ----------
    response : ndarray of float64, shape [n]
        Residual over curvature.
    weights : ndarray of float64, shape [n]
        Curvature times row weight.
    scale : float or None
        Residual variance where it is known.
    """

    response: Floats
    weights: Floats
    scale: float | None


def choose_pairs(
    ground: Ground,
    problems: Sequence[Problem],
    solutions: list[Solution],
    target: Floats,
    most: int,
    keep_all: bool,
    rng: np.random.Generator,
) -> tuple[tuple[PairPlan, ...], list[Solution]]:
    """Choose pairs and learn their strengths.

    Parameters
    ----------
    ground : Ground
        Rows.
    problems, solutions : sequence of Problem, Solution
        Single features, one per output.
    target : ndarray of float64, shape [n]
        Target; for several classes their numbers.
    most : int
        Most pairs.
    keep_all : bool
        Whether that many are kept without judging.
    rng : numpy.random.Generator
        Draws the rows that rank and those that judge.

    Returns
    -------
    plans, solutions
        Pairs, and solutions that hold tables and strengths of single features and pairs.
    """
    if most < 1:
        return (), solutions
    works = [_expand(problem, solution) for problem, solution in zip(problems, solutions, strict=True)]
    scores = np.stack([p.rows.score(s.coefficients) for p, s in zip(problems, solutions, strict=True)], axis=1)
    ranked = rank_for(ground, scores, target, problems[0].logistic, rng)[:most]
    plans = tuple(plan_pair(ground.encoder, ground.encoded, pair) for pair in ranked)
    if not plans:
        return (), solutions
    judged = rng.permutation(target.size) % JUDGES == 0 if not keep_all else np.zeros(target.size, dtype=bool)
    rows, drafts = _lay_pairs(ground, plans)
    curvatures = [rows.curvature(np.where(judged, 0.0, work.weights)) for work in works]
    kept = len(plans)
    if not keep_all:
        kept = _climb(rows, drafts, works, curvatures, judged)
        if not kept:
            return (), solutions
        curvatures = [
            c + rows.curvature(np.where(judged, work.weights, 0.0)) for c, work in zip(curvatures, works, strict=True)
        ]
    none = np.zeros(target.size, dtype=bool)
    fits = [
        _fit_pairs(rows, drafts[:kept], work, curvature, none)
        for work, curvature in zip(works, curvatures, strict=True)
    ]
    plans = plans[:kept]
    finer = _refine(ground, plans, fits)
    if any(new is not old for new, old in zip(finer, plans, strict=True)):
        plans, (rows, drafts) = finer, _lay_pairs(ground, finer)
        fits = [_fit_pairs(rows, drafts, work, rows.curvature(work.weights), none) for work in works]
    whole = ground.with_plans(plans).with_basis(solutions[0].basis)
    assert whole.rows is not None
    joined = [_join(s, fit, whole.rows.basis, ground.own) for s, fit in zip(solutions, fits, strict=True)]
    return plans, joined


def _lay_pairs(ground: Ground, plans: Sequence[PairPlan]) -> tuple[RowMap, list[Draft]]:
    """Return the rows as the pairs alone see them, with an intercept, and the pairs' coefficients."""
    design = build_pair_design(plans, ground.encoded)
    mass = np.asarray(design.T @ ground.weights)
    drafts = list(draft_pairs(plans, ground.encoded, mass, 0))
    ones: Any = sp.csr_matrix(np.ones((ground.weights.size, 1)))
    basis = place(drafts, design.shape[1], frozenset())
    return RowMap(sp.hstack([design, ones], format="csr"), basis), drafts


def _refine(ground: Ground, plans: tuple[PairPlan, ...], fits: Sequence[Solution]) -> tuple[PairPlan, ...]:
    """Return the pairs, those that use up their coefficients on a finer grid; the strongest first, while it lasts."""
    found, spent = [], 0
    for k, plan in enumerate(plans):
        block = fits[0].basis.blocks[k]
        used = max(float(fit.freedom[block.columns].sum()) for fit in fits)
        # centred levels have a column more than they can use
        there = np.linalg.matrix_rank(block.matrix) if block.matrix is not None and block.size else 0
        finer = plan_finer(ground.encoder, ground.encoded, plan) if used > USED_UP * there else plan
        cost = count_columns(finer) if finer is not plan else 0
        found.append(finer if spent + cost <= FINE_COLUMNS else plan)
        spent += cost if spent + cost <= FINE_COLUMNS else 0
    return tuple(found)


def rank_for(
    ground: Ground, scores: Floats, target: Floats, logistic: bool, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Return pairs of features, the strongest interaction first, from at most `FAST_ROWS` rows.

    Parameters
    ----------
    ground : Ground
        Rows.
    scores : ndarray of float64, shape [n, outputs]
        What single features say.
    target : ndarray of float64, shape [n]
        Target.
    logistic : bool
        Whether the target is a class.
    rng : numpy.random.Generator
        Draws the rows.
    """
    some = np.arange(target.size)
    if some.size > FAST_ROWS:
        some = np.sort(rng.choice(target.size, FAST_ROWS, replace=False))
    weights = ground.weights[some]
    return rank_pairs(
        ground.encoder,
        ground.encoded[some],
        target[some],
        scores[some] if scores.shape[1] > 1 else scores[some, 0],
        weights=None if np.ptp(weights) == 0 else weights,
        objective="log_loss" if logistic else "rmse",
        barred=tuple(ground.directions),
    )


def _expand(problem: Problem, solution: Solution) -> Working:
    score = problem.score(solution.coefficients)
    residual = problem.target - problem.mean(score)
    if not problem.logistic:
        return Working(residual, problem.weights, None)
    mean = problem.mean(score)
    curve = np.maximum(mean * (1.0 - mean), 1e-4)
    return Working(residual / curve, problem.weights * curve, 1.0)


def _climb(
    rows: RowMap, drafts: list[Draft], works: Sequence[Working], curvatures: Sequence[Floats], judged: np.ndarray
) -> int:
    """Return the number of pairs beyond which the rows set aside are told no better."""
    before = np.sum([(w.weights * w.response**2)[judged] for w in works], axis=0)
    least = LEAST_GAIN if works[0].scale is None else LEAST_GAIN_CLASS
    best = 0
    for count in [k for k in LADDER if k < len(drafts)] + [len(drafts)]:
        after = np.zeros(before.size)
        for work, curvature in zip(works, curvatures, strict=True):
            fit = _fit_pairs(rows, drafts[:count], work, curvature, judged)
            score = rows.score(_pad(fit, rows.basis))[judged]
            after += work.weights[judged] * (work.response[judged] - score) ** 2
        gain = before - after
        error = float(np.std(gain)) / np.sqrt(max(1, gain.size))
        if float(np.mean(gain)) <= max(error, least * float(np.mean(before))):
            break
        best, before = count, after
    return best


def _pad(fit: Solution, basis: Basis) -> Floats:
    """Return the coefficients of the first pairs among those of all."""
    padded = np.zeros(basis.columns + 1)
    padded[: fit.coefficients.size - 1] = fit.coefficients[:-1]
    padded[-1] = fit.coefficients[-1]
    return padded


def _fit_pairs(rows: RowMap, drafts: list[Draft], work: Working, curvature: Floats, left_out: np.ndarray) -> Solution:
    """Learn the first pairs' coefficients and strengths from a curvature that is already there."""
    basis = place(drafts, rows.basis.slots, frozenset())
    order = np.append(np.arange(basis.columns), rows.basis.columns)
    weights = np.where(left_out, 0.0, work.weights)
    problem = Problem(
        rows=RowMap(rows.design, basis),
        target=work.response,
        weights=weights,
        logistic=False,
        centre=np.zeros(basis.slots + 1),
        scale=work.scale,
    )
    state = begin(problem, None)
    state.spread, state.curvature = weights, curvature[np.ix_(order, order)]
    done = False
    while not done and state.steps < PAIR_STEPS:
        done = take_step(problem, state, learn=True)
    return close(problem, state, converged=done)


def _join(main: Solution, pairs: Solution, basis: Basis, own: int) -> Solution:
    """Return one solution of both, to begin from."""
    tables = np.concatenate([main.tables[:-1], pairs.tables[: basis.slots - own], main.tables[-1:]])
    tables[-1] += pairs.coefficients[-1]
    smooths = (*main.basis.smooths, *pairs.basis.smooths)
    carried = replace(main.basis, smooths=smooths)
    start = replace(main, basis=carried, strengths=np.concatenate([main.strengths, pairs.strengths]))
    return replace(
        start,
        coefficients=basis.project(tables),
        basis=basis,
        strengths=carry_strengths(basis.smooths, smooths, start.strengths),
    )
