"""How smooth is smooth enough: the strengths of all penalties, learned from the fit itself.

Comes in: penalties, the present coefficients and the inverse of the penalised curvature. Goes out: better strengths.

The generalised Fellner-Schall update (Wood & Fasiolo 2017, Biometrics 73, 1071-1081), raised to the power 1.7, which
reaches its fixed point in about a third of the steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cholesky, lapack

from .encoder import Floats
from .penalty import Smooth

POWER = 1.7
FLAT = 1e-12
"""Share of the largest eigenvalue below which a direction counts as unpunished."""


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
    smooths: tuple[Smooth, ...],
    spectra: Sequence[Floats],
    strengths: Floats,
    coefficients: Floats,
    inverse: Floats,
    scale: float,
) -> tuple[Floats, float]:
    """Return new strengths and the largest logarithm of a change that still matters to the fit.

    Parameters
    ----------
    smooths : tuple of Smooth
        Penalties.
    spectra : sequence of ndarray of float64
        The `joint_spectrum` of each.
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
    for smooth, spectrum in zip(smooths, spectra, strict=True):
        part = coefficients[smooth.columns]
        block = inverse[np.ix_(smooth.columns, smooth.columns)]
        own = strengths[k : k + len(smooth.matrices)]
        prior = 1.0 / (own @ spectrum)
        for matrix, strength, along in zip(smooth.matrices, own, spectrum, strict=True):
            free, bound = float(along @ prior), float(np.sum(block * matrix))
            gained = max(free - bound, 1e-12 * free)
            ratio = scale * gained / max(float(part @ matrix @ part), 1e-300)
            factor = float(np.clip(ratio, 0.1, 10.0)) ** POWER
            fresh[k] = np.clip(strength * factor, 1e-6, 1e12)
            # the part of the freedom that this penalty still governs: nothing to learn where it is used up
            if gained * strength > 0.02 and bound * strength > 0.02:
                moved = max(moved, abs(float(np.log(fresh[k] / strength))))
            k += 1
    return fresh, moved


def joint_spectrum(smooth: Smooth) -> Floats:
    """Return what each matrix of a group contributes along directions that make all of them diagonal.

    Parameters
    ----------
    smooth : Smooth
        One or two matrices.

    Returns
    -------
    ndarray of float64, shape [matrices, r]
        Columns sum to one; a direction that no matrix punishes is left out. With strengths `s`, the trace of the
        pseudo-inverse of the whole penalty times matrix `k` is then the sum over directions of
        ``spectrum[k] / (s @ spectrum)``, without inverting anything.

    Notes
    -----
    Two symmetric matrices, one of them positive definite, are diagonalised together (Golub & Van Loan 2013, Matrix
    Computations, 8.7).
    """
    total = np.sum(smooth.matrices, axis=0)
    values, vectors = np.linalg.eigh(total)
    kept = values > FLAT * values[-1]
    if len(smooth.matrices) == 1:
        return np.ones((1, int(kept.sum())))
    turned = vectors[:, kept] / np.sqrt(values[kept])
    first = np.clip(np.linalg.eigvalsh(turned.T @ smooth.matrices[0] @ turned), 0.0, 1.0)
    return np.stack([first, 1.0 - first])


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
    # the other triangle of a factor is zero, and so is that of its inverse
    whole = inverse + inverse.T
    np.fill_diagonal(whole, np.diag(inverse))
    return whole, factor


def _factorise(matrix: Floats) -> Floats:
    for lift in (0.0, 1e-10, 1e-8, 1e-6, 1e-4):
        # strengths many powers of ten apart leave eigenvalues below the rounding of the largest
        lifted = matrix if lift == 0 else matrix + np.diag(lift * np.diag(matrix).max() * np.ones(len(matrix)))
        try:
            return np.asarray(cholesky(lifted, lower=True, check_finite=False))
        except np.linalg.LinAlgError:
            continue
    raise np.linalg.LinAlgError("the curvature of the additive net is not positive definite")
