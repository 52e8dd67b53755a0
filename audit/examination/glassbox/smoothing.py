"""How smooth is smooth enough: the strengths of all penalties, learned from the fit itself.

Comes in: penalties, the present coefficients and the inverse of the penalised curvature. Goes out: better strengths.

The generalised Fellner-Schall update (Wood & Fasiolo 2017, Biometrics 73, 1071-1081), raised to the power 1.7, which
reaches its fixed point in about a third of the steps.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cholesky, lapack

from .encoder import Floats
from .penalty import Smooth

POWER = 1.7


def carry_strengths(smooths: tuple[Smooth, ...], before: tuple[Smooth, ...], strengths: Floats) -> Floats:
    """Return the strengths of the same penalties in an earlier solution; NaN where there was none.

    Parameters
    ----------
    smooths, before : tuple of Smooth
        Penalties now and then; the same key in both means the same penalty.
    strengths : ndarray of float64
        Strengths then.
    """
    parts = np.split(strengths, np.cumsum([len(smooth.matrices) for smooth in before]))
    known = {smooth.key: part for smooth, part in zip(before, parts, strict=False)}
    found = []
    for smooth in smooths:
        part = known.get(smooth.key, np.empty(0))
        found.append(part if part.size == len(smooth.matrices) else np.full(len(smooth.matrices), np.nan))
    return np.concatenate([np.empty(0), *found])


def first_strengths(smooths: tuple[Smooth, ...], given: Floats) -> Floats:
    """Begin at a tenth of the mean curvature that the rows give to the group's coefficients.

    Parameters
    ----------
    smooths : tuple of Smooth
        Penalties.
    given : ndarray of float64, shape [columns + 1]
        Diagonal of the curvature.
    """
    strengths = []
    for smooth in smooths:
        mean = float(np.mean(given[smooth.columns]))
        for matrix in smooth.matrices:
            strengths.append(max(1e-6, 0.1 * mean / max(float(np.mean(np.diag(matrix))), 1e-12)))
    return np.array(strengths)


def penalty_matrix(smooths: tuple[Smooth, ...], strengths: Floats, width: int) -> Floats:
    """Return the sum of all penalties with their strengths, shape [width, width].

    Parameters
    ----------
    smooths : tuple of Smooth
        Penalties.
    strengths : ndarray of float64
        Their strengths.
    width : int
        Coefficients with the intercept.
    """
    penalty, k = np.zeros((width, width)), 0
    for smooth in smooths:
        grid = np.ix_(smooth.columns, smooth.columns)
        for matrix in smooth.matrices:
            penalty[grid] += strengths[k] * matrix
            k += 1
    return penalty


def update_strengths(
    smooths: tuple[Smooth, ...], strengths: Floats, coefficients: Floats, inverse: Floats, scale: float
) -> tuple[Floats, float]:
    """Return new strengths and the largest logarithm of a change that still matters to the fit.

    Parameters
    ----------
    smooths : tuple of Smooth
        Penalties.
    strengths : ndarray of float64
        Their strengths.
    coefficients : ndarray of float64, shape [p]
        Present fit.
    inverse : ndarray of float64, shape [p, p]
        Inverse of curvature plus penalties.
    scale : float
        Residual variance.
    """
    fresh, k, moved = strengths.copy(), 0, 0.0
    for smooth in smooths:
        part = coefficients[smooth.columns]
        block = inverse[np.ix_(smooth.columns, smooth.columns)]
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
    size = smooth.columns.size
    if len(smooth.matrices) == 1 and np.count_nonzero(smooth.matrices[0]) == size:
        ridge: Floats = np.diag(1.0 / (float(strengths[0]) * np.diag(smooth.matrices[0])))
        return ridge
    total = np.full((size, size), float(strengths.sum()) / size) if smooth.constant_free else np.zeros((size, size))
    for strength, matrix in zip(strengths, smooth.matrices, strict=True):
        total += strength * matrix
    return invert(total)[0]


def invert(matrix: Floats) -> tuple[Floats, Floats]:
    """Return inverse and lower Cholesky factor of a positive definite matrix, lifted where rounding has eaten that.

    Parameters
    ----------
    matrix : ndarray of float64, shape [p, p]
        Symmetric.

    Raises
    ------
    numpy.linalg.LinAlgError
        It is far from positive definite.
    """
    factor = _factorise(matrix)
    inverse, info = lapack.dpotri(factor, lower=1)
    if info != 0:
        raise np.linalg.LinAlgError("the curvature of the additive net is not positive definite")
    return np.tril(inverse) + np.tril(inverse, -1).T, factor


def _factorise(matrix: Floats) -> Floats:
    for lift in (0.0, 1e-10, 1e-8, 1e-6, 1e-4):
        # strengths many powers of ten apart leave eigenvalues below the rounding of the largest
        lifted = matrix if lift == 0 else matrix + np.diag(lift * np.diag(matrix).max() * np.ones(len(matrix)))
        try:
            return np.asarray(cholesky(lifted, lower=True, check_finite=False))
        except np.linalg.LinAlgError:
            continue
    raise np.linalg.LinAlgError("the curvature of the additive net is not positive definite")
