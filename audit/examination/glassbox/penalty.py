"""What the additive net calls smooth: two penalties per number, one ridge per category, one for all missing slots.

Comes in: knots and where the rows lie. Goes out: `Smooth` groups, each a few slots with penalty matrices whose
strengths the solver learns, and the centring matrix that pins every table's weighted mean to zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .design import SlotBlock
from .encoder import Encoder, Floats, NumberCode


@dataclass(frozen=True, slots=True)
class Smooth:
    """Slots that are smoothed together.

    Parameters
    ----------
    slots : ndarray of int, shape [m]
        Positions in the stacked tables.
    matrices : tuple of ndarray of float64, shape [m, m]
        Penalties, each with a mean diagonal of one.
    constant_free : bool
        Whether the penalties leave a constant unpunished (knots), or are a ridge (levels).
    """

    slots: np.ndarray
    matrices: tuple[Floats, ...]
    constant_free: bool


def list_smooths(encoder: Encoder, blocks: tuple[SlotBlock, ...], encoded: Floats) -> tuple[Smooth, ...]:
    """Return the smooth groups of all features.

    Parameters
    ----------
    encoder : Encoder
        The codes.
    blocks : tuple of SlotBlock
        Slots.
    encoded : ndarray of float64, shape [n, features]
        Rows, for the rank coordinate.

    Notes
    -----
    Numbers: first differences in the rank coordinate (where the people are) and second divided differences in the value
    coordinate (the curve's bend), a mixture that recovered known shapes better than either alone.
    """
    smooths: list[Smooth] = []
    missing: list[int] = []
    for j, (code, block) in enumerate(zip(encoder.codes, blocks, strict=True)):
        missing.append(block.missing)
        slots = np.arange(block.main.start, block.main.stop)
        if not isinstance(code, NumberCode):
            slots = np.append(slots, block.unknown)
            smooths.append(Smooth(slots, (np.eye(slots.size),), constant_free=False))
        elif slots.size >= 2:
            x = encoded[:, j]
            matrices = [_first_difference(_rank_positions(code.knots, x[np.isfinite(x)]))]
            if slots.size >= 3:
                matrices.append(_second_difference(code.knots))
            smooths.append(Smooth(slots, tuple(matrices), constant_free=True))
    if missing:
        smooths.append(Smooth(np.array(missing), (np.eye(len(missing)),), constant_free=False))
    return tuple(smooths)


def _rank_positions(knots: Floats, finite: Floats) -> Floats:
    """Return the mid-rank of each knot among the rows, between 0 and 1."""
    ordered = np.sort(finite)
    below = np.searchsorted(ordered, knots, side="left") + np.searchsorted(ordered, knots, side="right")
    ranks: Floats = below / (2.0 * max(1, ordered.size))
    return ranks


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
        Sums to one within each block; 0 for the intercept.
    """
    shares = np.zeros_like(mass)
    for block in blocks:
        part = mass[block.all]
        total = part.sum()
        shares[block.all] = part / total if total > 0 else 1.0 / part.size
    return shares
