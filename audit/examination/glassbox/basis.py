"""Few coefficients behind many knots: the smoothest curves that a table can take, and everything where that is too few.

Comes in: the codes of all features, and how many rows touch each slot. Goes out: a `Basis`, the linear map from
coefficients to stacked tables, block by block, with the penalties in the coefficients' own coordinates.

Solving for every knot costs the cube of features times knots, although a smooth curve uses some five degrees of
freedom. As in low-rank thin-plate splines (Wood 2003, JRSS B 65, 95-114) a number therefore begins with the smoothest
directions of its penalties, and is given all its knots where it uses those up (see `additive`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from .design import SlotBlock
from .encoder import Encoder, Floats, LevelCode
from .penalty import Smooth, bend_penalties

RANK = 7
"""Directions from either penalty; together up to twice as many."""

NEW_DIRECTION = 0.1
"""Sine of the angle from which on a direction counts as not there yet."""

MISSING = "(missing)"
"""Key of the penalty that all slots of missing values share."""

DENSE_LEVELS = 24
"""Longer lists of levels stay sparse: one coefficient per level."""


@dataclass(frozen=True, slots=True)
class Block:
    """The coefficients of one table.

    Parameters
    ----------
    slots : slice
        Slots of the table.
    columns : slice
        Coefficients.
    matrix : ndarray of float64, shape [slots, columns], or None
        Table from coefficients; None: they are the table.
    """

    slots: slice
    columns: slice
    matrix: Floats | None

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return int(self.columns.stop - self.columns.start)


@dataclass(frozen=True, slots=True)
class Basis:
    """All blocks, those with a matrix first; after the last column stands the intercept's.

    Parameters
    ----------
    blocks : tuple of Block
        In order of their columns.
    smooths : tuple of Smooth
        Penalties.
    slots : int
        Slots of all tables, without the intercept.
    full : frozenset of int
        Features whose knots have a coefficient each.
    """

    blocks: tuple[Block, ...]
    smooths: tuple[Smooth, ...]
    slots: int
    full: frozenset[int] = frozenset()

    @property
    def columns(self) -> int:
        """Coefficients, without the intercept."""
        return self.blocks[-1].columns.stop if self.blocks else 0

    @property
    def dense(self) -> tuple[Block, ...]:
        """Blocks with a matrix."""
        return tuple(block for block in self.blocks if block.matrix is not None)

    @property
    def sparse(self) -> tuple[Block, ...]:
        """Blocks without one."""
        return tuple(block for block in self.blocks if block.matrix is None)

    def expand(self, coefficients: Floats) -> Floats:
        """Return the stacked tables, shape [slots + 1], of coefficients, shape [columns + 1]."""
        tables = np.zeros(self.slots + 1)
        for block in self.blocks:
            part = coefficients[block.columns]
            tables[block.slots] = part if block.matrix is None else block.matrix @ part
        tables[-1] = coefficients[-1]
        return tables

    def gather(self, pull: Floats) -> Floats:
        """Return the transposed map: from slots, shape [slots + 1], to coefficients, shape [columns + 1]."""
        gathered = np.zeros(self.columns + 1)
        for block in self.blocks:
            part = pull[block.slots]
            gathered[block.columns] = part if block.matrix is None else block.matrix.T @ part
        gathered[-1] = pull[-1]
        return gathered

    def project(self, tables: Floats) -> Floats:
        """Return coefficients whose tables come nearest, shape [columns + 1]."""
        found = np.zeros(self.columns + 1)
        for block in self.blocks:
            part = tables[block.slots]
            found[block.columns] = part if block.matrix is None else np.linalg.lstsq(block.matrix, part)[0]
        found[-1] = tables[-1]
        return found


@dataclass(slots=True)
class Draft:
    """A block while it is being laid out; `place` gives it its columns."""

    key: str
    slots: slice
    matrix: Floats | None
    # local columns, matrices, constant_free
    smooths: Sequence[tuple[np.ndarray, tuple[Floats, ...], bool]]
    missing: int = -1


def build_basis(
    encoder: Encoder,
    blocks: tuple[SlotBlock, ...],
    encoded: Floats,
    mass: Floats,
    *,
    full: Collection[int] = (),
    whole: Collection[int] = (),
    extra: tuple[Draft, ...] = (),
) -> Basis:
    """Choose the coefficients of every table.

    Parameters
    ----------
    encoder : Encoder
        The codes.
    blocks : tuple of SlotBlock
        Slots.
    encoded : ndarray of float64, shape [n, features]
        Rows, for the rank coordinate.
    mass : ndarray of float64, shape [slots + 1]
        Weight of the rows that touch each slot.
    full : collection of int
        Features that get a coefficient per knot.
    whole : collection of int
        Features that must have one per slot, levels too, because an order is imposed on them.
    extra : tuple of Draft
        Tables of pairs.
    """
    drafts = [
        _draft(code, block, encoded[:, j], mass, every=j in full or j in whole, whole=j in whole)
        for j, (code, block) in enumerate(zip(encoder.codes, blocks, strict=True))
    ]
    drafts += extra
    return place(drafts, mass.size - 1, frozenset(full))


def _draft(code: object, block: SlotBlock, x: Floats, mass: Floats, *, every: bool, whole: bool) -> Draft:
    held = mass[block.all]
    if isinstance(code, LevelCode):
        size = held.size
        levels = np.append(np.arange(block.size), size - 1)
        if whole or size > DENSE_LEVELS:
            smooth = [(levels, (np.eye(levels.size),), False)]
            return Draft(block.feature, block.all, None, smooth, missing=block.missing - block.start)
        return _short_levels(block, held, levels)
    assert hasattr(code, "knots")
    knots = code.knots
    matrices = bend_penalties(knots, x) if knots.size >= 2 else ()
    if every and knots.size >= 2:
        return Draft(
            block.feature,
            block.all,
            None,
            [(np.arange(knots.size), matrices, True)],
            missing=block.missing - block.start,
        )
    curve = smooth_directions(matrices, held[: knots.size]) if knots.size >= 2 else np.zeros((knots.size, 0))
    width = curve.shape[1]
    matrix = np.zeros((held.size, width + (held[-1] > 0)))
    matrix[: knots.size, :width] = curve
    smooths = []
    if width:
        smooths = [(np.arange(width), tuple(curve.T @ m @ curve for m in matrices), False)]
    if held[-1] > 0:
        matrix[-1, -1] = 1.0
    return Draft(block.feature, block.all, _centred(matrix, held), smooths, missing=width if held[-1] > 0 else -1)


def _short_levels(block: SlotBlock, held: Floats, levels: np.ndarray) -> Draft:
    kept = levels[held[levels] > 0]
    missing = block.missing - block.start
    has_missing = held[missing] > 0
    matrix = np.zeros((held.size, kept.size + has_missing))
    matrix[kept, np.arange(kept.size)] = 1.0
    if has_missing:
        matrix[missing, -1] = 1.0
    smooths = [(np.arange(kept.size), (np.eye(kept.size),), False)] if kept.size else []
    return Draft(block.feature, block.all, _centred(matrix, held), smooths, missing=kept.size if has_missing else -1)


def _centred(matrix: Floats, held: Floats) -> Floats:
    """Take the weighted mean out of every column; slots of levels that no row carries stay at zero, the average."""
    total = held.sum()
    if total <= 0:
        return np.zeros((held.size, 0))
    touched = np.abs(matrix).sum(axis=1) > 0
    centred: Floats = np.where(touched[:, None], matrix - held @ matrix / total, 0.0)
    return centred


def smooth_directions(matrices: tuple[Floats, ...], held: Floats, rank: int = RANK) -> Floats:
    """Return the smoothest directions of each penalty relative to the rows, shape [K, m], unit mean square over rows.

    Parameters
    ----------
    matrices : tuple of ndarray of float64, shape [K, K]
        Penalties.
    held : ndarray of float64, shape [K]
        Weight of the rows at each knot.
    rank : int
        Directions per penalty.

    Notes
    -----
    With `D` the slots' mass, the lowest eigenvectors of ``D^-1/2 P D^-1/2`` (Demmler & Reinsch 1975); constants, which
    the intercept holds, are left out; what two penalties share is kept once.
    """
    size = held.size
    share = (held + 1e-2 * held.sum() / size + 1e-300) / (1.01 * held.sum() + 1e-300 * size)
    root = np.sqrt(share)
    kept = (root / np.linalg.norm(root))[:, None]
    # the last penalty first, and exactly: what it leaves free (straight lines) must not be blurred by the others
    for matrix in reversed(matrices):
        _, vectors = np.linalg.eigh(matrix / root[:, None] / root[None, :])
        fresh = vectors[:, : rank + 1]
        fresh = fresh - kept @ (kept.T @ fresh)
        left, strength, _ = np.linalg.svd(fresh, full_matrices=False)
        kept = np.concatenate([kept, left[:, strength > NEW_DIRECTION]], axis=1)
    directions: Floats = kept[:, 1:] / root[:, None]
    return directions


def place(drafts: list[Draft], slots: int, full: frozenset[int]) -> Basis:
    """Give the drafts their columns: those with a matrix first, then the sparse ones.

    Parameters
    ----------
    drafts : list of Draft
        In the order of their slots.
    slots : int
        Slots of all tables.
    full : frozenset of int
        Features whose knots have a coefficient each.
    """
    ordered = [d for d in drafts if d.matrix is not None] + [d for d in drafts if d.matrix is None]
    blocks, smooths, missing, start = [], [], [], 0
    for draft in ordered:
        size = draft.matrix.shape[1] if draft.matrix is not None else draft.slots.stop - draft.slots.start
        blocks.append(Block(draft.slots, slice(start, start + size), draft.matrix))
        smooths += [Smooth(draft.key, local + start, matrices, free) for local, matrices, free in draft.smooths]
        if draft.missing >= 0:
            missing.append(start + draft.missing)
        start += size
    if missing:
        smooths.append(Smooth(MISSING, np.array(missing), (np.eye(len(missing)),), constant_free=False))
    return Basis(tuple(blocks), tuple(smooths), slots, full)
