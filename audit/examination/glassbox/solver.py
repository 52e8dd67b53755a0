"""The output layer, solved to its optimum: penalised Newton steps with smoothing that learns itself.

Comes in: design, target, smooth groups. Goes out: stacked tables, the strength of every penalty, and the inverse of the
penalised curvature, from which bands follow. Binary targets are logistic, others least squares. Deterministic: no
draws.

The strengths follow the generalised Fellner-Schall update (Wood & Fasiolo 2017, Biometrics 73, 1071-1081), raised to
the power 1.7, which reaches its fixed point in about a third of the steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.linalg import cholesky, lapack

from .constraint import Chain, solve_within
from .encoder import Floats
from .penalty import Smooth

Family = Literal["binary", "regression"]

POWER = 1.7
STEPS = 24
TOLERANCE = 2e-3


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be solved.

    Parameters
    ----------
    design : scipy.sparse.csr_matrix, shape [n, p]
        Last column is the intercept's.
    target : ndarray of float64, shape [n]
        0/1 or numbers.
    weights : ndarray of float64, shape [n]
        Row weights with mean one.
    family : {"binary", "regression"}
        Likelihood.
    smooths : tuple of Smooth
        Penalties.
    centre : ndarray of float64, shape [p]
        Row shares of the slots, by block (see `penalty.centre_weights`).
    blocks : tuple of slice
        Slots of each feature.
    chains : tuple of Chain
        Imposed directions.
    """

    design: Any
    target: Floats
    weights: Floats
    family: Family
    smooths: tuple[Smooth, ...]
    centre: Floats
    blocks: tuple[slice, ...]
    chains: tuple[Chain, ...] = ()


@dataclass(frozen=True, slots=True)
class Solution:
    """What came out.

    Parameters
    ----------
    tables : ndarray of float64, shape [p]
        Stacked tables; the last entry is the intercept.
    strengths : ndarray of float64
        Strength of every penalty, in order.
    inverse : ndarray of float64, shape [p, p]
        Inverse of curvature plus penalties.
    penalty : ndarray of float64, shape [p, p]
        The learned penalty.
    scale : float
        Residual variance; 1 for a binary target.
    freedom : float
        Effective degrees of freedom.
    steps : int
        Newton steps.
    converged : bool
        Whether the fit stood still within the tolerance.
    """

    tables: Floats
    strengths: Floats
    inverse: Floats
    penalty: Floats
    scale: float
    freedom: float
    steps: int
    converged: bool


def solve_tables(
    problem: Problem, *, start: Solution | None = None, learn: bool = True, steps: int = STEPS
) -> Solution:
    """Solve for the tables, and unless `learn` is False for the strengths of the penalties too.

    Parameters
    ----------
    problem : Problem
        Design, target, penalties.
    start : Solution, optional
        Tables and strengths to begin from.
    learn : bool
        Whether strengths are learned; otherwise those of `start` stay.
    steps : int
        Most Newton steps.
    """
    n, width = problem.design.shape
    fixed = _fixed_curvature(problem, n)
    strengths = start.strengths if start is not None else _first_strengths(problem)
    tables = start.tables.copy() if start is not None else _first_tables(problem, width)
    fitted = problem.design @ tables
    curvature, pull, scale = np.empty((0, 0)), np.empty(0), 1.0
    done, step = False, 0
    while not done and step < steps:
        step += 1
        if problem.family == "binary" or step == 1:
            curvature, pull = _linearise(problem, fitted, tables)
        penalty = _penalty_matrix(problem.smooths, strengths, width)
        inverse, factor = _invert(curvature + fixed + penalty)
        fresh = solve_within(factor, inverse, pull, problem.chains)
        if problem.family == "binary":
            fresh = _shorten(problem, tables, fresh, fixed + penalty)
        before, tables, fitted = fitted, fresh, problem.design @ fresh
        scale = _residual_variance(problem, fitted, inverse, curvature)
        shift = float(np.sqrt(np.mean((fitted - before) ** 2)))
        moved = 0.0
        if learn:
            strengths, moved = _update_strengths(problem.smooths, strengths, tables, inverse, scale)
        linear_once = problem.family == "regression" and not learn
        done = linear_once or (step > 1 and shift <= TOLERANCE * (float(np.std(fitted)) + 1e-9) and moved < 0.7)
    freedom = float(np.sum(inverse * curvature))
    return Solution(_centred(problem, tables), strengths, inverse, penalty, scale, freedom, step, done)


def _first_tables(problem: Problem, width: int) -> Floats:
    tables = np.zeros(width)
    mean = float(np.average(problem.target, weights=problem.weights))
    tables[-1] = np.log(mean / (1 - mean)) if problem.family == "binary" else mean
    return tables


def _first_strengths(problem: Problem) -> Floats:
    """Begin at a tenth of the mean curvature that the rows give to the group's slots."""
    squares = np.asarray(problem.design.multiply(problem.design).T @ problem.weights)
    level = float(np.mean(problem.target)) if problem.family == "binary" else 0.0
    factor = level * (1 - level) if problem.family == "binary" else 1.0
    strengths = []
    for smooth in problem.smooths:
        strengths += [max(1e-6, 0.1 * factor * float(np.mean(squares[smooth.slots])))] * len(smooth.matrices)
    return np.array(strengths)


def _fixed_curvature(problem: Problem, n: int) -> Floats:
    """Return the pins: weighted mean of every table at zero, and a whisper of ridge for slots that no row touches.

    The intercept is free, so a pin moves no fitted value where the penalty leaves constants alone (knots); a category's
    ridge then shrinks towards the mean over rows.
    """
    width = problem.centre.size
    fixed = np.zeros((width, width))
    for block in problem.blocks:
        share = problem.centre[block]
        fixed[block, block] = n * np.outer(share, share)
    fixed[np.arange(width - 1), np.arange(width - 1)] += 1e-6 * n / 100
    return fixed


def _linearise(problem: Problem, fitted: Floats, tables: Floats) -> tuple[Floats, Floats]:
    """Return curvature ``A'WA`` and the right side ``A'W z`` at the present fit."""
    design = problem.design
    if problem.family == "regression":
        scaled = design.multiply(problem.weights[:, None]).tocsr()
        return (design.T @ scaled).toarray(), np.asarray(scaled.T @ problem.target)
    mean = 1.0 / (1.0 + np.exp(-fitted))
    spread = problem.weights * np.maximum(mean * (1.0 - mean), 1e-10)
    curvature = (design.T @ design.multiply(spread[:, None]).tocsr()).toarray()
    pull = curvature @ tables + design.T @ (problem.weights * (problem.target - mean))
    return curvature, np.asarray(pull)


def _penalty_matrix(smooths: tuple[Smooth, ...], strengths: Floats, width: int) -> Floats:
    penalty, k = np.zeros((width, width)), 0
    for smooth in smooths:
        grid = np.ix_(smooth.slots, smooth.slots)
        for matrix in smooth.matrices:
            penalty[grid] += strengths[k] * matrix
            k += 1
    return penalty


def _invert(matrix: Floats) -> tuple[Floats, Floats]:
    """Return inverse and lower Cholesky factor of a positive definite matrix, lifted where rounding has eaten that."""
    factor = _factorise(matrix)
    inverse, info = lapack.dpotri(factor, lower=1)
    if info != 0:
        raise np.linalg.LinAlgError("the curvature of the additive net is not positive definite")
    return np.tril(inverse) + np.tril(inverse, -1).T, factor


def _factorise(matrix: Floats) -> Floats:
    try:
        return np.asarray(cholesky(matrix, lower=True, check_finite=False))
    except np.linalg.LinAlgError:
        # strengths many powers of ten apart leave eigenvalues below the rounding of the largest
        lifted = matrix + np.eye(len(matrix)) * (1e-10 * float(np.diag(matrix).max()))
        return np.asarray(cholesky(lifted, lower=True, check_finite=False))


def _shorten(problem: Problem, old: Floats, new: Floats, penalty: Floats) -> Floats:
    """Halve a Newton step until the penalised log-likelihood does not fall."""
    best = _penalised_loss(problem, old, penalty)
    for _ in range(12):
        if _penalised_loss(problem, new, penalty) <= best + 1e-9 * (1 + abs(best)):
            return new
        new = (old + new) / 2
    return new


def _penalised_loss(problem: Problem, tables: Floats, penalty: Floats) -> float:
    fitted = problem.design @ tables
    loss = np.logaddexp(0.0, fitted) - problem.target * fitted
    return float(problem.weights @ loss + tables @ penalty @ tables / 2)


def _residual_variance(problem: Problem, fitted: Floats, inverse: Floats, curvature: Floats) -> float:
    if problem.family == "binary":
        return 1.0
    squares = float(problem.weights @ (problem.target - fitted) ** 2)
    freedom = float(np.sum(inverse * curvature))
    return max(squares / max(1.0, fitted.size - freedom), 1e-30)


def _update_strengths(
    smooths: tuple[Smooth, ...], strengths: Floats, tables: Floats, inverse: Floats, scale: float
) -> tuple[Floats, float]:
    """Return new strengths and the largest logarithm of a change that still matters to the fit."""
    fresh, k, moved = strengths.copy(), 0, 0.0
    for smooth in smooths:
        part, block = tables[smooth.slots], inverse[np.ix_(smooth.slots, smooth.slots)]
        own = strengths[k : k + len(smooth.matrices)]
        prior = _prior_covariance(smooth, own)
        for matrix, strength in zip(smooth.matrices, own, strict=True):
            free, bound = float(np.sum(prior * matrix)), float(np.sum(block * matrix))
            gained = max(free - bound, 1e-12 * free)
            ratio = scale * gained / max(float(part @ matrix @ part), 1e-300)
            factor = float(np.clip(ratio, 0.1, 10.0)) ** POWER
            fresh[k] = np.clip(strength * factor, 1e-6, 1e12)
            # the part of the freedom that this penalty still governs: nothing to learn where it is used up
            if gained * strength > 0.02 and bound * strength > 0.02:
                moved = max(moved, abs(float(np.log(fresh[k] / strength))))
            k += 1
    return fresh, moved


def _prior_covariance(smooth: Smooth, strengths: Floats) -> Floats:
    """Return the pseudo-inverse of a group's penalty; a constant, where free, is projected out."""
    size = smooth.slots.size
    if not smooth.constant_free:
        ridge: Floats = np.eye(size) / float(strengths[0])
        return ridge
    total = np.full((size, size), float(strengths.sum()) / size)
    for strength, matrix in zip(strengths, smooth.matrices, strict=True):
        total += strength * matrix
    return _invert(total)[0]


def _centred(problem: Problem, tables: Floats) -> Floats:
    """Move what is left of every table's weighted mean to the intercept."""
    centred = tables.copy()
    for block in problem.blocks:
        mean = float(problem.centre[block] @ tables[block])
        centred[block] -= mean
        centred[-1] += mean
    return centred
