"""Rows seen through a basis: scores from coefficients, gradients back, and the curvature ``Z'WZ`` in between.

Comes in: the sparse design over slots and a `Basis`. Goes out: products with ``Z = A B`` that never hold more of it
than a few thousand rows, unless it is small; blocks with a matrix are dense in it, the others stay sparse.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .basis import Basis
from .encoder import Floats

CHUNK = 8_192
KEEP = 40_000_000
"""Most numbers of the dense part that are kept between two steps."""

SINGLE_FROM = 4e8
"""Multiplications from which on a curvature is summed in single precision. Its entries are then right to seven digits
each; where a fit ends is decided by gradients, which are always summed in double precision."""


class RowMap:
    """The linear map from coefficients to row scores.

    Parameters
    ----------
    design : scipy.sparse.csr_matrix, shape [n, slots + 1]
        Which slots each row looks up; the last column is the intercept's.
    basis : Basis
        Tables from coefficients.
    """

    def __init__(self, design: Any, basis: Basis) -> None:
        self.design, self.basis = design, basis
        self._back = design.T
        dense, sparse = basis.dense, basis.sparse
        self.width = (dense[-1].columns.stop if dense else 0) + 1
        slots = [np.arange(block.slots.start, block.slots.stop) for block in sparse]
        self._tail = design[:, np.concatenate(slots)].tocsr() if slots else None
        self._kept: Any = None
        heavy = float(self.rows) * self.width**2 > SINGLE_FROM
        self._kind: type[np.floating[Any]] = np.float32 if heavy else np.float64
        # block by block: a row looks up a few slots of each, so that the dense part costs a few rows of its matrix
        columns = design.astype(self._kind).tocsc()
        self._parts = [
            (block.columns, columns[:, block.slots].tocsr(), block.matrix.astype(self._kind))
            for block in dense
            if block.matrix is not None
        ]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.design.shape[0])

    def score(self, coefficients: Floats) -> Floats:
        """Return the score of every row, shape [n]."""
        return np.asarray(self.design @ self.basis.expand(coefficients))

    def gather(self, values: Floats) -> Floats:
        """Return ``Z' values``, shape [columns + 1]."""
        return self.basis.gather(np.asarray(self._back @ values))

    def curvature(self, weights: Floats) -> Floats:
        """Return ``Z' diag(weights) Z``, shape [columns + 1, columns + 1]; weights are not negative."""
        size, head = self.basis.columns + 1, self.width - 1
        total = np.zeros((size, size))
        order = np.append(np.arange(head), size - 1)
        for rows, part in self._heads():
            root = np.sqrt(weights[rows])[:, None].astype(self._kind)
            scaled = part * root
            total[np.ix_(order, order)] += scaled.T @ scaled
            if self._tail is not None:
                scaled *= root
                total[head : size - 1, order] += self._tail[rows].T @ scaled
        if self._tail is not None:
            total[order, head : size - 1] = total[head : size - 1, order].T
            scaled_tail = self._tail.multiply(weights[:, None]).tocsr()
            total[head : size - 1, head : size - 1] = (self._tail.T @ scaled_tail).toarray()
        return total

    def slabs(self) -> Iterator[tuple[slice, Floats]]:
        """Yield all rows of ``Z``, a few thousand at a time."""
        for rows, part in self._heads():
            if self._tail is None:
                yield rows, part
            else:
                yield rows, np.concatenate([part[:, :-1], self._tail[rows].toarray(), part[:, -1:]], axis=1)

    def _heads(self) -> Iterator[tuple[slice, Any]]:
        """Yield the dense columns and the intercept's."""
        keep = self.rows * self.width <= KEEP
        if self._kept is None and keep:
            self._kept = self._head(slice(0, self.rows))
        for begin in range(0, self.rows, CHUNK):
            rows = slice(begin, min(begin + CHUNK, self.rows))
            yield rows, self._head(rows) if self._kept is None else self._kept[rows]

    def _head(self, rows: slice) -> Any:
        size = rows.stop - rows.start
        part = np.ones((size, self.width), dtype=self._kind)
        for place, looked_up, matrix in self._parts:
            part[:, place] = looked_up[rows] @ matrix
        return part
