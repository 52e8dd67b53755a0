"""Several classes share one softmax: each is solved in turn while the others stand still.

Comes in: one `Problem` per class. Goes out: one `Solution` per class, whose tables sum to zero over the classes.

Seen from one class the softmax is a logistic model, with minus the logarithm of what the other classes sum to as a
known part of the score; Newton steps go round the classes until none moves (block coordinate descent, as in Friedman,
Hastie & Tibshirani 2010, J. Stat. Softw. 33(1), section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .encoder import Floats
from .solver import STEPS, Problem, Solution, State, begin, close, take_step


def offsets_of(scores: Floats, c: int) -> Floats:
    """Return minus the log-sum-exp of all scores but one class's, shape [n].

    Parameters
    ----------
    scores : ndarray of float64, shape [n, classes]
        Scores.
    c : int
        The class.
    """
    others = np.delete(scores, c, axis=1)
    top = others.max(axis=1)
    return np.asarray(-(top + np.log(np.exp(others - top[:, None]).sum(axis=1))))


def solve_classes(
    problems: Sequence[Problem],
    *,
    known: Floats | None = None,
    start: Sequence[Solution] | None = None,
    learn: bool = True,
    steps: int = STEPS,
) -> tuple[list[Problem], list[Solution]]:
    """Solve for all classes.

    Parameters
    ----------
    problems : sequence of Problem
        One per class, without offsets: target 1 for its rows, else 0.
    known : ndarray of float64, shape [n, classes], optional
        Part of the scores that is already known.
    start : sequence of Solution, optional
        Where to begin.
    learn : bool
        Whether strengths are learned.
    steps : int
        Most rounds.

    Returns
    -------
    problems, solutions
        Per class; the problems with the offsets at which they were solved.
    """
    states = [begin(problem, None if start is None else start[c]) for c, problem in enumerate(problems)]
    if start is None:
        rates = np.array([np.average(problem.target, weights=problem.weights) for problem in problems])
        for state, rate in zip(states, rates, strict=True):
            state.coefficients[-1] = np.log(rate)
    base = np.zeros((problems[0].target.size, len(problems))) if known is None else known
    scores = np.stack([p.rows.score(s.coefficients) for p, s in zip(problems, states, strict=True)], axis=1) + base
    posed, done, turn = list(problems), False, 0
    while not done and turn < steps:
        turn += 1
        done = True
        for c, state in enumerate(states):
            offset = offsets_of(scores, c)
            posed[c] = replace(problems[c], offset=offset + base[:, c])
            state.score = scores[:, c] + offset
            done &= take_step(posed[c], state, learn=learn)
            scores[:, c] = state.score - offset
    if not any(problem.chains for problem in problems):
        shift = _settle_common_part(states, scores, base)
        posed = [replace(p, offset=p.offset + shift) for p in posed if p.offset is not None]
    solutions = [close(problem, state, converged=done) for problem, state in zip(posed, states, strict=True)]
    return posed, solutions


def _settle_common_part(states: Sequence[State], scores: Floats, base: Floats) -> Floats:
    """Take the classes' mean out of every table: a softmax cannot tell it, and a reader should not see it."""
    common = np.mean([state.coefficients for state in states], axis=0)
    shift = (scores - base).mean(axis=1)
    for state in states:
        state.coefficients = state.coefficients - common
    return np.asarray(shift)
