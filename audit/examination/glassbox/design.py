"""The additive net as a linear map: which slots each row looks up, and how strongly.

Comes in: an encoded matrix. Goes out: a sparse matrix whose product with the stacked tables is the score; a number
touches the two knots around it, a level its own slot, so that rows have at most two entries per feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from .encoder import Encoder, Floats, LevelCode, NumberCode


@dataclass(frozen=True, slots=True)
class SlotBlock:
    """Where one feature's slots stand in the stacked tables.

    Parameters
    ----------
    feature : str
        Feature.
    start : int
        First slot: the first knot, or the first level.
    size : int
        Knots or levels.
    missing : int
        Slot of a missing value.
    unknown : int
        Slot of a level without its own; -1 for a number.
    """

    feature: str
    start: int
    size: int
    missing: int
    unknown: int

    @property
    def main(self) -> slice:
        """Knots or levels."""
        return slice(self.start, self.start + self.size)

    @property
    def all(self) -> slice:
        """All slots of the feature."""
        return slice(self.start, max(self.missing, self.unknown) + 1)


def lay_out(encoder: Encoder) -> tuple[SlotBlock, ...]:
    """Give every feature its slots: knots or levels, then missing, then (categories) unknown."""
    blocks, start = [], 0
    for code in encoder.codes:
        number = isinstance(code, NumberCode)
        size = code.knots.size if isinstance(code, NumberCode) else len(code.levels)
        blocks.append(SlotBlock(code.name, start, size, start + size, -1 if number else start + size + 1))
        start += size + (1 if number else 2)
    return tuple(blocks)


def build_design(encoder: Encoder, blocks: tuple[SlotBlock, ...], encoded: Floats) -> Any:
    """Return the design, a CSR matrix of shape ``[n, slots + 1]``; the last column is the intercept's.

    Parameters
    ----------
    encoder : Encoder
        The codes.
    blocks : tuple of SlotBlock
        As `lay_out` gives them.
    encoded : ndarray of float64, shape [n, features]
        Rows.
    """
    n = encoded.shape[0]
    columns: list[np.ndarray] = []
    values: list[np.ndarray] = []
    for j, (code, block) in enumerate(zip(encoder.codes, blocks, strict=True)):
        x = encoded[:, j]
        if isinstance(code, LevelCode):
            known = np.where(x >= 0, block.start + np.nan_to_num(x), block.unknown)
            columns.append(np.where(np.isnan(x), block.missing, known))
            values.append(np.ones(n))
        else:
            _touch_knots(x, code.knots, block, columns, values)
    columns.append(np.full(n, blocks[-1].all.stop if blocks else 0))
    values.append(np.ones(n))
    width = int(columns[-1][0]) + 1 if n else 1
    flat = np.stack(columns, axis=1).astype(np.int32).ravel()
    starts = np.arange(0, n * len(columns) + 1, len(columns), dtype=np.int32)
    return sp.csr_matrix((np.stack(values, axis=1).ravel(), flat, starts), shape=(n, width))


def _touch_knots(
    x: Floats, knots: Floats, block: SlotBlock, columns: list[np.ndarray], values: list[np.ndarray]
) -> None:
    missing = np.isnan(x) | (knots.size == 0)
    if knots.size < 2:
        columns.append(np.where(missing, block.missing, block.start))
        values.append(np.ones(x.size))
        return
    held = np.clip(np.where(missing, knots[0], x), knots[0], knots[-1])
    left = np.minimum(np.searchsorted(knots, held, side="right") - 1, knots.size - 2)
    share = (held - knots[left]) / (knots[left + 1] - knots[left])
    # a missing row gives all its weight to the missing slot; its second entry is an explicit zero beside it
    columns += [
        np.where(missing, block.missing - 1, block.start + left),
        np.where(missing, block.missing, block.start + left + 1),
    ]
    values += [np.where(missing, 0.0, 1.0 - share), np.where(missing, 1.0, share)]
