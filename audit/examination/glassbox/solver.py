"""The output layer, solved to its optimum: penalised Newton steps with smoothing that learns itself.

Comes in: rows through a basis, a target, penalties. Goes out: coefficients, the strength of every penalty, and the
inverse of the penalised curvature, from which bands follow. Binary targets are logistic, several classes share one
softmax and are solved in turn, others are least squares. Deterministic: no draws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from .basis import Basis
from .constraint import Chain, solve_within
from .curvature import RowMap
from .encoder import Floats
from .smoothing import carry_strengths, first_strengths, invert, joint_spectrum, penalty_matrix, update_strengths

Family = Literal["binary", "multiclass", "regression"]

STEPS = 40
TOLERANCE = 2e-3
SETTLED = 0.15
"""Largest logarithm by which a strength that matters may still move at the end."""

STALE = 0.02
"""A curvature is used again while the rows' weights have moved less than this share in the mean."""

STALE_SLOT = 0.1
"""The same for the rows of each slot: a few rows that are nearly told apart move alone."""

STALL = 0.7
"""With fixed strengths a curvature is used again while each step is at most this share of the one before."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be solved, for one output.

    Parameters
    ----------
    rows : RowMap
        Rows through the basis.
    target : ndarray of float64, shape [n]
        0/1 or numbers.
    weights : ndarray of float64, shape [n]
        Row weights with mean one.
    logistic : bool
        Whether the score is a log-odds.
    centre : ndarray of float64, shape [slots + 1]
        Row shares of the slots, by table (see `penalty.centre_weights`).
    chains : tuple of Chain
        Imposed directions.
    offset : ndarray of float64, shape [n], or None
        Known part of the score; for a class of several, minus the logarithm of what the others sum to.
    scale : float or None
        Residual variance where it is known.
    """

    rows: RowMap
    target: Floats
    weights: Floats
    logistic: bool
    centre: Floats
    chains: tuple[Chain, ...] = ()
    offset: Floats | None = None
    scale: float | None = None

    @property
    def basis(self) -> Basis:
        """Tables from coefficients."""
        return self.rows.basis

    def mean(self, score: Floats) -> Floats:
        """Return the expected target at a score that already holds the offset."""
        return 1.0 / (1.0 + np.exp(-np.clip(score, -500, 500))) if self.logistic else score

    def loss(self, score: Floats) -> float:
        """Return the weighted negative log-likelihood of a logistic target."""
        return float(self.weights @ (np.logaddexp(0.0, score) - self.target * score))

    def score(self, coefficients: Floats) -> Floats:
        """Return the rows' scores with the offset, shape [n]."""
        own = self.rows.score(coefficients)
        return own if self.offset is None else own + self.offset


@dataclass(frozen=True, slots=True)
class Solution:
    """What came out, for one output.

    Parameters
    ----------
    coefficients : ndarray of float64, shape [columns + 1]
        The last entry is the intercept.
    basis : Basis
        Tables from coefficients.
    strengths : ndarray of float64
        Strength of every penalty, in order.
    inverse : ndarray of float64, shape [columns + 1, columns + 1]
        Inverse of curvature plus penalties.
    penalty : ndarray of float64, same shape
        Penalties with their strengths.
    scale : float
        Residual variance; 1 where the target is a class.
    freedom : ndarray of float64, shape [columns + 1]
        Effective degrees of freedom of every coefficient.
    steps : int
        Newton steps.
    converged : bool
        Whether the fit stood still within the tolerance.
    """

    coefficients: Floats
    basis: Basis
    strengths: Floats
    inverse: Floats
    penalty: Floats
    scale: float
    freedom: Floats
    steps: int
    converged: bool

    @property
    def tables(self) -> Floats:
        """Stacked tables, shape [slots + 1]; the last entry is the intercept."""
        return self.basis.expand(self.coefficients)


@dataclass(slots=True)
class State:
    """What changes from step to step."""

    coefficients: Floats
    strengths: Floats
    score: Floats
    fixed: Floats
    spectra: tuple[Floats, ...]
    curvature: Floats = field(default_factory=lambda: np.empty((0, 0)))
    spread: Floats = field(default_factory=lambda: np.empty(0))
    inverse: Floats = field(default_factory=lambda: np.empty((0, 0)))
    penalty: Floats = field(default_factory=lambda: np.empty((0, 0)))
    scale: float = 1.0
    steps: int = 0
    shift: float = np.inf
    stalled: bool = True


def solve_tables(
    problem: Problem, *, start: Solution | None = None, learn: bool = True, steps: int = STEPS
) -> Solution:
    """Solve for the coefficients, and unless `learn` is False for the strengths of the penalties too.

    Parameters
    ----------
    problem : Problem
        Rows, target, penalties.
    start : Solution, optional
        Tables and strengths to begin from; strengths only where the penalties are the same in number.
    learn : bool
        Whether strengths are learned; otherwise those of `start` stay.
    steps : int
        Most Newton steps.
    """
    state, done = begin(problem, start), False
    while not done and state.steps < steps:
        done = take_step(problem, state, learn=learn)
    if not learn and _renew_curvature(problem, state):
        state.inverse, _ = invert(state.curvature + state.fixed + state.penalty)
    return close(problem, state, converged=done)


def begin(problem: Problem, start: Solution | None) -> State:
    """Return the state before the first step.

    Parameters
    ----------
    problem : Problem
        What is to be solved.
    start : Solution or None
        Tables and strengths to begin from.
    """
    basis = problem.basis
    if start is None:
        coefficients = np.zeros(basis.columns + 1)
        mean = float(np.average(problem.target, weights=problem.weights))
        if problem.logistic:
            coefficients[-1] = np.log(mean / (1 - mean)) if problem.offset is None else 0.0
        elif problem.offset is None:
            coefficients[-1] = mean
    else:
        same = start.basis is basis
        coefficients = start.coefficients.copy() if same else basis.project(start.tables)
    before = ((), np.empty(0)) if start is None else (start.basis.smooths, start.strengths)
    strengths = carry_strengths(basis.smooths, *before)
    spectra = tuple(joint_spectrum(smooth) for smooth in basis.smooths)
    return State(coefficients, strengths, problem.score(coefficients), _fixed_curvature(problem), spectra)


def take_step(problem: Problem, state: State, *, learn: bool) -> bool:
    """Take one Newton step; return whether the fit stands still.

    Parameters
    ----------
    problem : Problem
        Rows, target, penalties.
    state : State
        Changed in place.
    learn : bool
        Whether strengths are learned.
    """
    state.steps += 1
    # with fixed strengths the gradient alone says where the steps end; the curvature only has to lead there
    if learn or state.stalled:
        _renew_curvature(problem, state)
    smooths, width = problem.basis.smooths, state.coefficients.size
    if np.isnan(state.strengths).any():
        first = first_strengths(smooths, np.diag(state.curvature))
        state.strengths = np.where(np.isnan(state.strengths), first, state.strengths)
    state.penalty = penalty_matrix(smooths, state.strengths, width)
    state.inverse, factor = invert(state.curvature + state.fixed + state.penalty)
    residual = problem.weights * (problem.target - problem.mean(state.score))
    pull = state.curvature @ state.coefficients + problem.rows.gather(residual)
    new = solve_within(factor, state.inverse, pull, problem.chains)
    before = state.score
    state.coefficients, state.score = _shorten(problem, state, new)
    state.scale = _residual_variance(problem, state)
    moved = 0.0
    if learn:
        state.strengths, moved = update_strengths(
            smooths, state.spectra, state.strengths, state.coefficients, state.inverse, state.scale
        )
    shift = float(np.sqrt(np.mean((state.score - before) ** 2)))
    state.stalled, state.shift = shift > STALL * state.shift, shift
    still = shift <= TOLERANCE * (float(np.std(state.score)) + 1e-9 * float(np.std(problem.target))) and moved < SETTLED
    return state.steps > 1 and still


def close(problem: Problem, state: State, *, converged: bool) -> Solution:
    """Return the state as a solution.

    Parameters
    ----------
    problem : Problem
        What was solved.
    state : State
        Where it ended.
    converged : bool
        Whether it stood still.
    """
    freedom = np.einsum("ij,ji->i", state.inverse, state.curvature)
    return Solution(
        state.coefficients,
        problem.basis,
        state.strengths,
        state.inverse,
        state.penalty,
        state.scale,
        freedom,
        state.steps,
        converged,
    )


def _renew_curvature(problem: Problem, state: State) -> bool:
    """Compute ``Z'WZ`` where the weights have moved; return whether they had."""
    if problem.logistic:
        mean = problem.mean(state.score)
        spread = problem.weights * np.maximum(mean * (1.0 - mean), 1e-10)
    else:
        spread = problem.weights
    if state.spread.size and _still_holds(problem, state.spread, spread):
        return False
    state.spread, state.curvature = spread, problem.rows.curvature(spread)
    return True


def _still_holds(problem: Problem, old: Floats, new: Floats) -> bool:
    """Return whether the weights have moved so little, in all and in every slot, that a curvature still serves."""
    change = np.abs(new - old)
    if float(change.sum()) > STALE * float(new.sum()):
        return False
    if np.all(change <= STALE_SLOT * new):
        return True  # what holds for every row holds for every slot
    back = problem.rows.design.T
    return bool(np.all(back @ change <= STALE_SLOT * (back @ new) + 1e-3))


def _fixed_curvature(problem: Problem) -> Floats:
    """Return the pins: weighted mean of every sparse table at zero, and a whisper of ridge for slots without rows.

    The intercept is free, so a pin moves no fitted value where the penalty leaves constants alone (knots); a category's
    ridge then shrinks towards the mean over rows. Tables with a matrix are centred by it.
    """
    n, width = problem.target.size, problem.basis.columns + 1
    fixed = np.zeros((width, width))
    for block in problem.basis.sparse:
        share = problem.centre[block.slots]
        fixed[block.columns, block.columns] = n * np.outer(share, share)
    fixed[np.arange(width - 1), np.arange(width - 1)] += 1e-6 * n / 100
    return fixed


def _shorten(problem: Problem, state: State, new: Floats) -> tuple[Floats, Floats]:
    """Halve a Newton step until the penalised log-likelihood does not fall; return coefficients and scores."""
    score = problem.score(new)
    if not problem.logistic:
        return new, score
    penalty = state.fixed + state.penalty
    old = state.coefficients
    best = problem.loss(state.score) + float(old @ penalty @ old) / 2
    for _ in range(12):
        if problem.loss(score) + float(new @ penalty @ new) / 2 <= best + 1e-9 * (1 + abs(best)):
            break
        new, score = (old + new) / 2, (state.score + score) / 2
    return new, score


def _residual_variance(problem: Problem, state: State) -> float:
    if problem.logistic or problem.scale is not None:
        return problem.scale or 1.0
    squares = float(problem.weights @ (problem.target - state.score) ** 2)
    freedom = float(np.sum(state.inverse * state.curvature))
    # a target without noise: anything below the rounding of its own spread is none
    least = max(1e-14 * float(np.var(problem.target)), 1e-300)
    return max(squares / max(1.0, problem.target.size - freedom), least)
