"""What the additive net calls smooth: differences between neighbouring knots, measured in two coordinates.

Comes in: knots, and where the rows lie. Goes out: penalty matrices with a mean diagonal of one, whose strengths the
solver learns, and the row shares by which every table is centred.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .design import SlotBlock
from .encoder import Floats


@dataclass(frozen=True, slots=True)
class Smooth:
    """Coefficients that are smoothed together.

    Parameters
    ----------
    key : str
        What they are, so that strengths can be carried from one basis to another.
    columns : ndarray of int, shape [m]
        Positions among the coefficients.
    matrices : tuple of ndarray of float64, shape [m, m]
        Penalties.
    constant_free : bool
        Whether the penalties leave a constant unpunished: knots with a coefficient each.
    """

    key: str
    columns: np.ndarray
    matrices: tuple[Floats, ...]
    constant_free: bool


def bend_penalties(knots: Floats, x: Floats) -> tuple[Floats, ...]:
    """Return the penalties of one number's knots.

    Parameters
    ----------
    knots : ndarray of float64, shape [K]
        At least two, ascending.
    x : ndarray of float64, shape [n]
        Rows, for the rank coordinate; NaN and infinities are left out.

    Returns
    -------
    tuple of ndarray of float64, shape [K, K]
        First differences in the rank coordinate (where the people are) and, from three knots on, second divided
        differences in the value coordinate (the curve's bend), a mixture that recovers known shapes better than either
        alone.
    """
    first = _first_difference(rank_positions(knots, x[np.isfinite(x)]))
    return (first,) if knots.size < 3 else (first, _second_difference(unit_positions(knots)))


def rank_positions(knots: Floats, finite: Floats) -> Floats:
    """Return the mid-rank of each knot among the rows, between 0 and 1.

    Parameters
    ----------
    knots : ndarray of float64, shape [K]
        Knots.
    finite : ndarray of float64, shape [n]
        Rows, none of them NaN.
    """
    ordered = np.sort(finite)
    below = np.searchsorted(ordered, knots, side="left") + np.searchsorted(ordered, knots, side="right")
    ranks: Floats = below / (2.0 * max(1, ordered.size))
    return ranks


def unit_positions(knots: Floats) -> Floats:
    """Return the knots between 0 and 1: a unit of 1e-12 or 1e12 must not under- or overflow in third powers.

    Parameters
    ----------
    knots : ndarray of float64, shape [K]
        At least two, ascending.
    """
    return np.asarray((knots - knots[0]) / (knots[-1] - knots[0]))


def _spacings(positions: Floats) -> Floats:
    """Return the gaps, floored at 2 % of their mean: twin positions would make the penalty infinite."""
    gaps = np.diff(positions)
    mean = gaps.mean()
    floored: Floats = np.maximum(gaps, 0.02 * mean if mean > 0 else 1.0)
    return floored


def _first_difference(positions: Floats) -> Floats:
    gaps = _spacings(positions)
    rows = np.diff(np.eye(positions.size), axis=0) / np.sqrt(gaps)[:, None]
    return _scaled(rows.T @ rows)


def _second_difference(positions: Floats) -> Floats:
    gaps = _spacings(positions)
    slopes = np.diff(np.eye(positions.size), axis=0) / gaps[:, None]
    rows = np.diff(slopes, axis=0) / np.sqrt((gaps[1:] + gaps[:-1]) / 2)[:, None]
    return _scaled(rows.T @ rows)


def _scaled(matrix: Floats) -> Floats:
    scaled: Floats = matrix / np.mean(np.diag(matrix))
    return scaled


def centre_weights(blocks: tuple[SlotBlock, ...], mass: Floats) -> Floats:
    """Return each table's row weights: the share of the rows that each slot carries.

    Parameters
    ----------
    blocks : tuple of SlotBlock
        Slots.
    mass : ndarray of float64, shape [slots + 1]
        Weighted column sums of the design.

    Returns
    -------
    ndarray of float64, shape [slots + 1]
        Sums to one within each block; 0 for the intercept and for the slots of pairs.
    """
    shares = np.zeros_like(mass)
    for block in blocks:
        part = mass[block.all]
        total = part.sum()
        shares[block.all] = part / total if total > 0 else 1.0 / part.size
    return shares
