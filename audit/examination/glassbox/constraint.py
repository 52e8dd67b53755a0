"""Imposed directions: a table that must rise or fall, held exactly, at the optimum of the penalised problem.

Comes in: the penalised curvature of one Newton step. Goes out: its minimiser under the chains, by an active set of
neighbouring knots that are tied together: ties are made where the order breaks (as in pool-adjacent-violators) and
loosened where the objective pulls them apart, until the optimality conditions hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .encoder import Floats


@dataclass(frozen=True, slots=True)
class Chain:
    """Slots that must be ordered.

    Parameters
    ----------
    start, stop : int
        Slots of the table, consecutive.
    sign : int
        1 for increasing, -1 for decreasing.
    """

    start: int
    stop: int
    sign: int


def solve_within(factor: Floats, inverse: Floats, pull: Floats, chains: tuple[Chain, ...]) -> Floats:
    """Minimise ``x'Qx / 2 - pull'x`` with every chain in order.

    Parameters
    ----------
    factor : ndarray of float64, shape [p, p]
        Lower Cholesky factor of `Q`.
    inverse : ndarray of float64, shape [p, p]
        Inverse of `Q`.
    pull : ndarray of float64, shape [p]
        Linear part.
    chains : tuple of Chain
        Orders to hold.

    Returns
    -------
    ndarray of float64, shape [p]
        The minimiser; within 1e-9 of every order, then made exact.
    """
    free = inverse @ pull
    # one step of refinement: the explicit inverse alone loses digits where penalties are strong
    free += inverse @ (pull - factor @ (factor.T @ free))
    if not chains:
        return free
    steps, signs = _steps_of(chains)
    tied = np.zeros(len(steps), dtype=bool)
    x, forces = free, np.zeros(len(steps))
    for turn in range(60):
        rises = signs * (x[steps + 1] - x[steps])
        broken = ~tied & (rises < -1e-12 * (1 + np.abs(x[steps])))
        loose = tied & (forces < -1e-9 * (1 + np.abs(forces).max())) if turn < 40 else np.zeros_like(tied)
        if not broken.any() and not loose.any():
            break
        tied = (tied | broken) if broken.any() else (tied & ~_worst(loose, forces))
        x, forces = _tie(inverse, free, steps, signs, tied)
    return _order_exactly(x, chains)


def _steps_of(chains: tuple[Chain, ...]) -> tuple[np.ndarray, np.ndarray]:
    steps = np.concatenate([np.arange(c.start, c.stop - 1) for c in chains])
    signs = np.concatenate([np.full(max(0, c.stop - 1 - c.start), c.sign) for c in chains])
    return steps, signs


def _worst(loose: np.ndarray, forces: Floats) -> np.ndarray:
    """Loosen the one tie that pulls apart most: loosening several at once can go round in circles."""
    worst = np.zeros_like(loose)
    worst[np.argmin(np.where(loose, forces, np.inf))] = True
    return worst


def _tie(
    inverse: Floats, free: Floats, steps: np.ndarray, signs: np.ndarray, tied: np.ndarray
) -> tuple[Floats, Floats]:
    """Return the minimiser with the tied steps flat, and the force on every tie (negative: it pulls apart)."""
    forces = np.zeros(len(steps))
    if not tied.any():
        return free, forces
    at, sign = steps[tied], signs[tied]
    spread = (inverse[:, at + 1] - inverse[:, at]) * sign
    gram = (spread[at + 1] - spread[at]) * sign[:, None]
    rises = sign * (free[at + 1] - free[at])
    force = np.linalg.solve(gram + 1e-14 * np.trace(gram) / len(at) * np.eye(len(at)), -rises)
    forces[tied] = force
    return free + spread @ force, forces


def _order_exactly(x: Floats, chains: tuple[Chain, ...]) -> Floats:
    """Let rounding break no order."""
    x = x.copy()
    for chain in chains:
        part = chain.sign * x[chain.start : chain.stop]
        x[chain.start : chain.stop] = chain.sign * np.maximum.accumulate(part)
    return x
