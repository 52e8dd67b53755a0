"""How far contributions repeat each other, and how much of a score no sum of single features gives.

Comes in: the contribution of every feature to every row, of one model. Goes out: per feature the share of its
contribution's variance that the other features' contributions explain (concurvity: where it is high, which of them an
effect belongs to is a matter of the fit), and the share of all importance that interactions hold.
"""

from __future__ import annotations

import numpy as np

from audit.evidence import Estimate, undefined
from audit.examination.glassbox.encoder import Floats
from audit.examination.measures.explained import explained_share

STILL = 1e-9
"""A contribution that varies less than this, beside the largest of the model, counts as constant."""
SINGULAR = 1e-10
EXACT = 1e-15


def measure_concurvity(parts: Floats, weights: Floats) -> list[Estimate]:
    """Return R2 of each feature's contribution on those of all others, by weighted least squares.

    Parameters
    ----------
    parts : ndarray of float64, shape [n, features]
        Contributions, link scale.
    weights : ndarray of float64, shape [n]
        Row weights, sum one.

    Returns
    -------
    list of Estimate
        One per feature; undefined where its contribution is constant, or that of every other feature.

    Notes
    -----
    Concurvity as the observed share of variance; Ramsay, Burnett and Krewski (2003), Epidemiology 14:18; in the form of
    ``mgcv::concurvity(observed)`` with the other terms' fitted functions instead of their whole spaces.
    """
    centred = parts - weights @ parts
    spread = np.sqrt(weights @ centred**2)
    moves = spread > STILL * max(float(spread.max(initial=0.0)), 1e-300)
    unit = centred / np.where(moves, spread, 1.0)
    alike = (weights[:, None] * unit).T @ unit
    return [_explain(unit, alike, weights, moves, j) for j in range(parts.shape[1])]


def _explain(unit: Floats, alike: Floats, weights: Floats, moves: np.ndarray, j: int) -> Estimate:
    others = np.flatnonzero(moves & (np.arange(moves.size) != j))
    n = unit.shape[0]
    if not moves[j]:
        return undefined("the feature's contribution is the same for every row", n=n)
    if not others.size:
        return undefined("no other feature's contribution varies", n=n)
    slopes = np.linalg.lstsq(alike[np.ix_(others, others)], alike[others, j], rcond=SINGULAR)[0]
    own = unit[:, j] ** 2
    # what is left by rounding alone is no error
    error = np.maximum((unit[:, j] - unit[:, others] @ slopes) ** 2, EXACT * own)
    return explained_share(error, own, weights, alike="the feature's contribution is the same for every row")


def interaction_share(parts: Floats, joint: Floats, weights: Floats) -> float | None:
    """Return the share of all importance that interactions hold.

    Parameters
    ----------
    parts : ndarray of float64, shape [n, features]
        Contributions of single features, centred.
    joint : ndarray of float64, shape [n]
        What they leave of the score: all interactions together.
    weights : ndarray of float64, shape [n]
        Row weights, sum one.

    Returns
    -------
    float or None
        None where the score is the same for every row.
    """
    single = float((weights @ np.abs(parts - weights @ parts)).sum())
    left = float(weights @ np.abs(joint - weights @ joint))
    total = single + left
    return left / total if total > 0 else None
