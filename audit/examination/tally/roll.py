"""Every row as a few numbers: its groups, its label, its score, its decision.

Comes in: arrays with one entry per row, or pieces of rolls of batches. Goes out: a `Roll`, all that the numbers about
people need. Up to five million rows an entry is a row; beyond, rows that share group, label, decision and score bin
share an entry, and the width of the bins bounds what that can change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence import CountTable

from .tally import code_groups

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Roll:
    """The people behind the numbers.

    Parameters
    ----------
    levels : dict of str to tuple of str
        Groups of each attribute in the order of display.
    codes : dict of str to ndarray of int, shape [m]
        Place of each entry's group among the levels of the attribute.
    label : ndarray of float64, shape [m], or None
        1, 0, a value (regression), or NaN where unknown; for several classes 1 means the positive one.
    score : ndarray of float64, shape [m], or None
        Probability of the positive class, or a value; of an entry of many rows their mean.
    favourable : ndarray of bool, shape [m], or None
        Decision; None where none was made.
    count : ndarray of int64, shape [m]
        Rows behind each entry.
    weight, weight_square : ndarray of float64, shape [m], or None
        Sum of the weights, and of their squares, of the rows behind each entry.
    outcomes : tuple of str
        Bands or classes, in their order; empty for a binary decision.
    outcome : ndarray of int, shape [m], or None
        Place of the band or of the predicted class among `outcomes`.
    truth : ndarray of int, shape [m], or None
        Place of the true class among `outcomes`, -1 where unknown; None for bands.
    width : float
        Width of the widest score bin: 0 where every entry is one row.
    halvings : int
        How often the number of bins of the fixed scale (`tally.scale`) was halved.
    score_square : ndarray of float64, shape [m], or None
        Sum of the squared scores of the rows behind each entry; None where every entry is one row.
    valued : bool
        Whether the label is a value: of an entry of many rows their mean.
    """

    levels: dict[str, tuple[str, ...]]
    codes: dict[str, NDArray[np.integer]]
    label: Floats | None
    score: Floats | None
    favourable: NDArray[np.bool_] | None
    count: Whole
    weight: Floats | None = None
    weight_square: Floats | None = None
    outcomes: tuple[str, ...] = ()
    outcome: NDArray[np.integer] | None = None
    truth: NDArray[np.integer] | None = None
    width: float = 0.0
    halvings: int = 0
    score_square: Floats | None = None
    valued: bool = False

    @property
    def rows(self) -> int:
        """Rows behind all entries."""
        return int(self.count.sum())

    @property
    def exact(self) -> bool:
        """Whether every entry is one row."""
        return self.width == 0.0

    def place(self, table: CountTable) -> Whole:
        """Return, for every entry, the place of its cell in a table of groups; -1 where it has none.

        Parameters
        ----------
        table : CountTable
            One attribute or an intersection.
        """
        return self.place_cells(table.attributes, [cell.values for cell in table.cells])

    def place_cells(self, attributes: Sequence[str], cells: Sequence[tuple[str, ...]]) -> Whole:
        """Return, for every entry, the place of its group among `cells`; -1 where it is none of them."""
        shape = tuple(len(self.levels[name]) for name in attributes)
        lookup = np.full(shape, -1, dtype=np.int64)
        for place, values in enumerate(cells):
            lookup[tuple(self.levels[name].index(value) for name, value in zip(attributes, values, strict=True))] = (
                place
            )
        return np.asarray(lookup[tuple(self.codes[name] for name in attributes)])


def roll_of(
    groups: Mapping[str, np.ndarray],
    label: np.ndarray | None,
    score: np.ndarray | None,
    favourable: np.ndarray | None,
    weights: np.ndarray | None = None,
    *,
    outcomes: tuple[str, ...] = (),
    outcome: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    rows: int | None = None,
) -> Roll:
    """Return a roll with one entry per row.

    Parameters
    ----------
    groups : mapping of str to ndarray of str, shape [n]
        Group of each row by attribute; may be empty.
    label, score, favourable, weights, outcome, truth
        One entry per row each, or None; see `Roll`.
    outcomes : tuple of str
        Bands or classes.
    rows : int, optional
        Number of rows, where nothing else tells it.
    """
    levels, codes = code_groups(groups)
    given = [item for item in (*codes.values(), label, score, favourable) if item is not None]
    size = len(given[0]) if given else rows or 0
    weight = None if weights is None else np.asarray(weights, dtype=np.float64)
    return Roll(
        levels=levels,
        codes={name: values.astype(np.int32) for name, values in codes.items()},
        label=None if label is None else np.asarray(label, dtype=np.float64),
        score=None if score is None else np.asarray(score, dtype=np.float64),
        favourable=None if favourable is None else np.asarray(favourable, dtype=bool),
        count=np.ones(size, dtype=np.int64),
        weight=weight,
        weight_square=None if weight is None else weight * weight,
        outcomes=outcomes,
        outcome=None if outcome is None else np.asarray(outcome, dtype=np.int32),
        truth=None if truth is None else np.asarray(truth, dtype=np.int32),
    )
