"""What every explainer of single scores hands over.

Comes in: nothing. Goes out: `Attribution`: one number per row and column on the link scale, the score that they start
from, and how far their sum is from the score that they should explain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_UNFINISHED = 0.05
"""Share of rows that may miss the tolerance before the sums of a method are not relied on."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """What one method says of some rows.

    Parameters
    ----------
    columns : tuple of str
        Columns that the model reads.
    values : ndarray of float64, shape [n, columns]
        What each column adds, link scale.
    se : ndarray of float64, shape [n, columns], or None
        Standard error of each value by sampling; None where nothing was sampled.
    base : ndarray of float64, shape [n]
        Where each sum starts, link scale.
    link : ndarray of float64, shape [n]
        Score of each row, link scale.
    method : str
        Id of the method, e.g. ``integrated_gradients``.
    evaluations : int
        Rows that the model was asked about; a gradient counts as one.
    unfinished : int
        Rows whose sum misses the tolerance; 0 for a method without one.
    sums : bool
        Whether the values are meant to add up to the score.
    """

    columns: tuple[str, ...]
    values: Floats
    se: Floats | None
    base: Floats
    link: Floats
    method: str
    evaluations: int
    unfinished: int = 0
    sums: bool = True

    @property
    def completeness(self) -> Floats:
        """Distance of each sum from the score it should explain, link scale, shape [n]."""
        return np.asarray(np.abs(self.base + self.values.sum(axis=1) - self.link))

    @property
    def holds(self) -> bool:
        """Whether nearly all sums reached the tolerance."""
        return self.unfinished <= MOST_UNFINISHED * len(self.link)


def sum_pieces(pieces: Floats, names: tuple[str, ...], columns: tuple[str, ...]) -> Floats:
    """Add positions of an encoded input up to the columns that they come from, shape [n, columns].

    Parameters
    ----------
    pieces : ndarray of float64, shape [n, positions]
        Number per position: a one-hot column has one per level.
    names : tuple of str
        Column behind each position.
    columns : tuple of str
        Columns in order.
    """
    to_column = np.zeros((len(names), len(columns)))
    to_column[np.arange(len(names)), [columns.index(name) for name in names]] = 1.0
    return np.asarray(pieces @ to_column)


def spread_of(link: Floats, base: Floats) -> float:
    """Return the unit of completeness: standard deviation of the scores, or their distance from the start.

    Parameters
    ----------
    link, base : ndarray of float64, shape [n]
        Scores and where they start, link scale. One row alone has no deviation.
    """
    spread = float(link.std()) if link.size > 1 else 0.0
    return spread if spread > 0 else float(np.abs(link - base).max(initial=0.0))
