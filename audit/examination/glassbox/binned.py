"""Rows whose look-ups are done once: every further glass box over them costs one gather per feature.

Comes in: an encoded matrix that several glass boxes will score: folds, slices, what-ifs. Goes out: `BinnedRows`.
Nothing is rounded: a feature's distinct values are numbered, each table is evaluated at the distinct values alone, and
rows pick their number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .encoder import Floats
from .shapes import PairTerm, TableBox

MOST_PAIR_CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class BinnedRows:
    """Rows as numbers of distinct values.

    Parameters
    ----------
    codes : tuple of ndarray of uint8, uint16 or uint32, each of shape [n]
        Number of each row's value, by feature.
    values : tuple of ndarray of float64
        Distinct encoded values of each feature, NaN last.
    """

    codes: tuple[np.ndarray, ...]
    values: tuple[Floats, ...]

    def take(self, rows: np.ndarray) -> BinnedRows:
        """Return some of the rows."""
        return BinnedRows(tuple(codes[rows] for codes in self.codes), self.values)

    def score(self, box: TableBox) -> Floats:
        """Return a glass box's score on the link scale, shape [n].

        Parameters
        ----------
        box : TableBox
            Its features in the order of the encoded matrix.
        """
        size = self.codes[0].size if self.codes else 0
        total = np.full(size, box.intercept)
        for term, codes, values in zip(box.terms, self.codes, self.values, strict=True):
            total += term.look_up(values).take(codes)
        for pair in box.pairs:
            total += self._look_up_pair(pair)
        return total

    def _look_up_pair(self, pair: PairTerm) -> Floats:
        a, b = pair.columns
        first, second = self.values[a], self.values[b]
        if first.size * second.size > min(MOST_PAIR_CELLS, 4 * self.codes[a].size):
            columns = np.empty((self.codes[a].size, max(a, b) + 1), order="F")
            columns[:, a], columns[:, b] = first.take(self.codes[a]), second.take(self.codes[b])
            return pair.look_up(columns)
        grid = np.empty((first.size * second.size, max(a, b) + 1), order="F")
        grid[:, a], grid[:, b] = np.repeat(first, second.size), np.tile(second, first.size)
        place = self.codes[a].astype(np.intp) * second.size + self.codes[b]
        return np.asarray(pair.look_up(grid).take(place))


def bin_rows(encoded: Floats) -> BinnedRows:
    """Return the rows with the distinct values of every column numbered.

    Parameters
    ----------
    encoded : ndarray of float64, shape [n, features]
        As `Encoder.encode` gives it.
    """
    codes, values = [], []
    for column in np.asarray(encoded, dtype=np.float64).T:
        distinct, code = np.unique(column, return_inverse=True)
        kind = np.uint8 if distinct.size <= 2**8 else np.uint16 if distinct.size <= 2**16 else np.uint32
        codes.append(code.astype(kind))
        values.append(distinct)
    return BinnedRows(tuple(codes), tuple(values))
