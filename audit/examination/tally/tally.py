"""Counts of people by group, label and decision: all that fairness needs, small, and mergeable.

Comes in: groups, label, decision and score of a batch of rows. Goes out: a `Tally`. The tally of all rows is the sum
of the tallies of any batches, to the last digit of every count, so that rows may be counted in pieces, anywhere.

One ``bincount`` over the full cross of the attributes serves every single attribute and every intersection; where the
cross would be too large, each set of attributes that is asked for is counted by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from audit.evidence import Cell, CountTable
from audit.examination.data.groups import order_groups

MOST_CELLS = 1_000_000
"""Groups in the full cross above which attribute sets are counted one by one."""

POSITIVE, NEGATIVE, UNLABELLED = 0, 1, 2
"""Places along the label axis."""

FAVOURABLE, UNFAVOURABLE = 0, 1
"""Places along the decision axis."""

Attributes = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CrossCounts:
    """Counts and sums over the cross of some attributes.

    Parameters
    ----------
    counts : ndarray of int64, shape [groups of each attribute ..., 3, 2]
        Rows by label (positive, negative, unlabelled) and decision (favourable, unfavourable).
    sums : dict of str to ndarray of float64, same shape
        ``score``, ``score_square`` (where rows have scores), ``weight``, ``weight_square`` (where rows are weighted).
    """

    counts: np.ndarray
    sums: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Mergeable counts of rows.

    Parameters
    ----------
    levels : dict of str to tuple of str
        Groups of each attribute in the order of display: bins ascending, texts by alphabet, unknown last.
    crosses : dict of tuple of str to CrossCounts
        Attribute set to its counts; one set, of all attributes, unless the cross is too large.
    decided : bool
        Whether rows had a decision.

    Notes
    -----
    ``(a + b) + c`` and ``a + (b + c)`` hold the same counts, and so does the tally of all rows at once.
    """

    levels: dict[str, tuple[str, ...]]
    crosses: dict[Attributes, CrossCounts]
    decided: bool = True

    def __add__(self, other: Tally) -> Tally:
        """Return the tally of the rows of both.

        Raises
        ------
        ValueError
            They count different attributes, or only one of them holds scores, weights or decisions.
        """
        if set(self.levels) != set(other.levels):
            raise ValueError("tallies of different attributes cannot be added")
        if set(self.crosses) != set(other.crosses):
            # batches differ in how many groups they show, and one of them may have been too large for its full cross
            sets = min((self, other), key=lambda one: max(len(item) for item in one.crosses)).crosses
            return self._narrow(sets) + other._narrow(sets)
        if self.decided != other.decided:
            raise ValueError("rows with decisions and rows without cannot be added")
        levels = {name: order_groups({*self.levels[name], *other.levels[name]}) for name in self.levels}
        return Tally(
            levels,
            {
                attributes: _add_crosses(
                    _spread(cross, attributes, self.levels, levels),
                    _spread(other.crosses[attributes], attributes, other.levels, levels),
                )
                for attributes, cross in self.crosses.items()
            },
            self.decided,
        )

    @property
    def rows(self) -> int:
        """Rows counted."""
        return int(next(iter(self.crosses.values())).counts.sum())

    def counts(self, attributes: Sequence[str] = ()) -> np.ndarray:
        """Return counts by group, label and decision; int64 of shape [groups of each attribute ..., 3, 2]."""
        return self._reduce(tuple(attributes), None)

    def sums(self, name: str, attributes: Sequence[str] = ()) -> np.ndarray | None:
        """Return sums of ``score``, ``score_square``, ``weight`` or ``weight_square``; None where rows had none."""
        known = next(iter(self.crosses.values())).sums
        return self._reduce(tuple(attributes), name) if name in known else None

    def table(self, attributes: Sequence[str]) -> CountTable:
        """Return the count table of one attribute or of an intersection; its people are undecided without decisions.

        Parameters
        ----------
        attributes : sequence of str
            Names, in the order that the table should have.

        Raises
        ------
        ValueError
            An attribute set that was not counted.
        """
        counts = self.counts(attributes)
        cells = [
            (_as_cell if self.decided else _as_undecided)(
                tuple(self.levels[name][place] for name, place in zip(attributes, places, strict=True)), counts[places]
            )
            for places in np.ndindex(counts.shape[:-2])
            if counts[places].any()
        ]
        return CountTable(attributes=tuple(attributes), cells=tuple(cells))

    def _narrow(self, sets: Iterable[Attributes]) -> Tally:
        """Return the same rows counted by fewer attributes at a time."""
        names = next(iter(self.crosses.values())).sums
        return Tally(
            self.levels,
            {
                item: CrossCounts(self._reduce(item, None), {name: self._reduce(item, name) for name in names})
                for item in sets
            },
            self.decided,
        )

    def _reduce(self, attributes: Attributes, name: str | None) -> np.ndarray:
        """Sum the smallest cross that holds all these attributes over the others, axes in the order asked for."""
        holders = [held for held in self.crosses if set(attributes) <= set(held)]
        if not holders or len(set(attributes)) < len(attributes):
            raise ValueError(f"the rows were not counted by {' * '.join(attributes)}")
        held = min(holders, key=lambda one: self.crosses[one].counts.size)
        cross = self.crosses[held]
        array = cross.counts if name is None else cross.sums[name]
        left = [item for item in held if item in attributes]
        summed = array.sum(axis=tuple(place for place, item in enumerate(held) if item not in attributes))
        order = [left.index(item) for item in attributes]
        return np.asarray(summed.transpose(*order, len(order), len(order) + 1))


def build_tally(
    groups: Mapping[str, np.ndarray],
    label: np.ndarray | None,
    favourable: np.ndarray | None,
    score: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    intersections: Iterable[Sequence[str]] = (),
    *,
    most_cells: int = MOST_CELLS,
) -> Tally:
    """Count rows.

    Parameters
    ----------
    groups : mapping of str to ndarray of str, shape [n]
        Group of each row by attribute; may be empty.
    label : ndarray of float64, shape [n], or None
        1 positive, 0 negative, NaN unknown. A label that holds other values is no class, and no row counts as labelled.
    favourable : ndarray of bool, shape [n], or None
        Decision of each row; None where none was made.
    score, weights : ndarray of float64, shape [n], optional
        Summed by cell where given; NaN scores add nothing.
    intersections : iterable of sequence of str
        Attribute sets that will be asked for; only needed where the full cross is too large.
    most_cells : int
        Most groups of the full cross.

    Returns
    -------
    Tally

    Raises
    ------
    ValueError
        Neither label nor groups nor decision given, or lengths that differ.
    """
    given = [item for item in (*groups.values(), label, favourable, score, weights) if item is not None]
    if not given or any(len(item) != len(given[0]) for item in given):
        raise ValueError(
            "groups, label, decision, score and weights need one entry per row, and one of them must be given"
        )
    rows = len(given[0])
    levels, codes = code_groups(groups)
    inner = code_labels(label, rows) * 2 + code_decisions(favourable, rows)
    columns = _columns_to_sum(score, weights)
    size = math.prod(len(item) for item in levels.values())
    wanted = [tuple(groups)] if size <= most_cells else list_sets(groups, intersections)
    crosses = {item: count_cross(item, levels, codes, inner, columns) for item in dict.fromkeys(wanted)}
    return Tally(levels, crosses, favourable is not None)


def merge_tallies(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of one tally or more."""
    return reduce(lambda left, right: left + right, tallies)


def list_sets(groups: Mapping[str, np.ndarray], intersections: Iterable[Sequence[str]]) -> list[Attributes]:
    """Return each attribute by itself, and the intersections."""
    return [*((name,) for name in groups), *(tuple(item) for item in intersections)]


def code_groups(groups: Mapping[str, np.ndarray]) -> tuple[dict[str, tuple[str, ...]], dict[str, np.ndarray]]:
    """Return the groups of each attribute in display order, and each row's place among them.

    Parameters
    ----------
    groups : mapping of str to ndarray of str, shape [n]
        Group of each row by attribute.

    Raises
    ------
    ValueError
        A row without a group.
    """
    import pandas as pd

    levels, codes = {}, {}
    for name, values in groups.items():
        found, distinct = pd.factorize(np.asarray(values, dtype=object))
        if (found < 0).any():
            raise ValueError(f"the attribute {name} has rows without a group; they belong to 'unknown'")
        levels[name] = order_groups(str(value) for value in distinct)
        place = {value: index for index, value in enumerate(levels[name])}
        codes[name] = np.array([place[str(value)] for value in distinct], dtype=np.int64)[found]
    return levels, codes


def code_labels(label: np.ndarray | None, rows: int) -> np.ndarray:
    """Return the place of each row along the label axis; none counts as labelled where labels are no classes."""
    if label is None:
        return np.full(rows, UNLABELLED, dtype=np.int64)
    values = np.asarray(label, dtype=np.float64)
    if not np.isin(values[~np.isnan(values)], (0.0, 1.0)).all():
        return np.full(rows, UNLABELLED, dtype=np.int64)
    return np.where(np.isnan(values), UNLABELLED, np.where(values == 1.0, POSITIVE, NEGATIVE))


def code_decisions(favourable: np.ndarray | None, rows: int) -> np.ndarray:
    """Return the place of each row along the decision axis."""
    if favourable is None:
        return np.full(rows, UNFAVOURABLE, dtype=np.int64)
    return np.where(np.asarray(favourable, dtype=bool), FAVOURABLE, UNFAVOURABLE)


def _columns_to_sum(score: np.ndarray | None, weights: np.ndarray | None) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    for name, values in (("score", score), ("weight", weights)):
        if values is not None:
            known = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0)
            columns |= {name: known, f"{name}_square": known * known}
    return columns


def count_cross(
    attributes: Attributes,
    levels: dict[str, tuple[str, ...]],
    codes: dict[str, np.ndarray],
    inner: np.ndarray,
    columns: dict[str, np.ndarray],
    rows: np.ndarray | None = None,
) -> CrossCounts:
    """Count entries over the cross of some attributes.

    Parameters
    ----------
    attributes : tuple of str
        The cross.
    levels, codes : dict
        Groups of each attribute, and each entry's place among them.
    inner : ndarray of int64, shape [m]
        Place along label axis x 2 + place along decision axis.
    columns : dict of str to ndarray of float64, shape [m]
        What to sum.
    rows : ndarray of float64, shape [m], optional
        Whole numbers of rows behind each entry; one where left out.
    """
    shape = tuple(len(levels[name]) for name in attributes)
    places = np.zeros(len(inner), dtype=np.int64)
    for name in attributes:
        places = places * len(levels[name]) + codes[name]
    places = places * 6 + inner
    size, full = math.prod(shape) * 6, (*shape, 3, 2)
    return CrossCounts(
        np.bincount(places, rows, minlength=size).astype(np.int64).reshape(full),
        {name: np.bincount(places, weights=values, minlength=size).reshape(full) for name, values in columns.items()},
    )


def _spread(
    cross: CrossCounts, attributes: Attributes, old: dict[str, tuple[str, ...]], new: dict[str, tuple[str, ...]]
) -> CrossCounts:
    """Return the same counts over a longer list of groups."""
    shape = (*(len(new[name]) for name in attributes), 3, 2)
    places = np.ix_(*([new[name].index(level) for level in old[name]] for name in attributes), range(3), range(2))

    def widen(array: np.ndarray) -> np.ndarray:
        wide = np.zeros(shape, dtype=array.dtype)
        wide[places] = array
        return wide

    return CrossCounts(widen(cross.counts), {name: widen(array) for name, array in cross.sums.items()})


def _add_crosses(left: CrossCounts, right: CrossCounts) -> CrossCounts:
    if set(left.sums) != set(right.sums):
        raise ValueError("rows with scores or weights and rows without cannot be added")
    return CrossCounts(left.counts + right.counts, {name: left.sums[name] + right.sums[name] for name in left.sums})


def _as_undecided(values: tuple[str, ...], counts: np.ndarray) -> Cell:
    positive, negative, unlabelled = counts.sum(axis=1).tolist()
    return Cell(
        values=values,
        positive_favourable=0,
        positive_unfavourable=0,
        negative_favourable=0,
        negative_unfavourable=0,
        positive_undecided=positive,
        negative_undecided=negative,
        unlabelled_undecided=unlabelled,
    )


def _as_cell(values: tuple[str, ...], counts: np.ndarray) -> Cell:
    whole = counts.tolist()
    return Cell(
        values=values,
        positive_favourable=whole[POSITIVE][FAVOURABLE],
        positive_unfavourable=whole[POSITIVE][UNFAVOURABLE],
        negative_favourable=whole[NEGATIVE][FAVOURABLE],
        negative_unfavourable=whole[NEGATIVE][UNFAVOURABLE],
        unlabelled_favourable=whole[UNLABELLED][FAVOURABLE],
        unlabelled_unfavourable=whole[UNLABELLED][UNFAVOURABLE],
    )
