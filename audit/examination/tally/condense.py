"""Rolls are put together, and made small where there are too many rows to keep one by one.

Comes in: rolls of batches or shards. Goes out: one roll of all their rows. Up to `MOST_ENTRIES` rows every entry stays
a row. Beyond, rows of the same groups, label, decision and score bin become one entry; where that is still too many,
bins are joined two by two. Which bins there are at the end depends on the rows alone and not on the order in which
pieces were added: a piece that needed coarser bins is part of a whole that needs them all the more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.examination.data.groups import order_groups

from .roll import Floats, Roll, Whole
from .scale import edge_of, place_scores, widest_bin

MOST_ENTRIES = 5_000_000
"""Rows up to which every score is kept; AUC and medians are then exact."""

MOST_HALVINGS = 10
"""Halvings after which one bin holds all probabilities."""

_DENSE = 1 << 22
_BLOCK = 1 << 15
_LARGEST = 2**62


def merge_rolls(rolls: Sequence[Roll], *, most: int = MOST_ENTRIES) -> Roll:
    """Return one roll of the rows of one roll or more.

    Parameters
    ----------
    rolls : sequence of Roll
        Of the same attributes, all with scores or none, and so on.
    most : int
        Entries above which the roll is condensed.

    Raises
    ------
    ValueError
        Only some of them hold scores, labels, decisions or weights, or they know other attributes.
    """
    first = rolls[0]
    for other in rolls[1:]:
        _check_alike(first, other)
    if len(rolls) == 1:
        return limit_roll(first, most)
    levels = {name: order_groups({level for roll in rolls for level in roll.levels[name]}) for name in first.levels}
    outcomes = tuple(dict.fromkeys(name for roll in rolls for name in roll.outcomes))
    rolls = [_recode(roll, levels, outcomes) for roll in rolls]
    if any(is_condensed(roll) for roll in rolls) or sum(len(roll.count) for roll in rolls) > most:
        halvings = max(roll.halvings for roll in rolls)
        rolls = [condense_roll(roll, halvings) for roll in rolls]
        return limit_roll(condense_roll(_join(rolls), halvings), most)
    return _join(rolls)


def limit_roll(roll: Roll, most: int = MOST_ENTRIES) -> Roll:
    """Return the roll, condensed until it has `most` entries or fewer."""
    if len(roll.count) > most and not is_condensed(roll):
        roll = condense_roll(roll, roll.halvings)
    while roll.score is not None and len(roll.count) > most and roll.halvings < MOST_HALVINGS:
        roll = condense_roll(roll, roll.halvings + 1)
    return roll


def is_condensed(roll: Roll) -> bool:
    """Return whether an entry may stand for several rows."""
    return roll.width > 0 or bool((roll.count > 1).any())


def condense_roll(roll: Roll, halvings: int = 0) -> Roll:
    """Return the roll with one entry for all rows of the same groups, label, decision, outcome and score bin.

    Parameters
    ----------
    roll : Roll
        Any.
    halvings : int
        How often to halve the number of score bins; not fewer than the roll has already.
    """
    halvings = max(halvings, roll.halvings)
    axes = _lay_axes(roll, halvings)
    cells = _find_cells(axes, len(roll.count))
    places = cells.places
    single = bool((roll.count == 1).all())
    count = cells.sum(None if single else roll.count.astype(np.float64)).astype(np.int64)

    def mean(values: Floats) -> Floats:
        return cells.sum(values if single else values * roll.count) / count

    score, square, width = None, None, roll.width
    if roll.score is not None:
        place = places["score"] + axes["score"].low
        score, width = _hold_inside(mean(roll.score), place, halvings), widest_bin(place, halvings)
        square = cells.sum(_squares(roll, single=single))
    return replace(
        roll,
        codes={name: places[f"group {name}"] for name in roll.codes},
        label=None if roll.label is None else _read_labels(roll, places["label"], mean),
        score=score,
        favourable=None if roll.favourable is None else places["favourable"] == 1,
        count=count,
        weight=None if roll.weight is None else cells.sum(roll.weight),
        weight_square=None if roll.weight_square is None else cells.sum(roll.weight_square),
        outcome=None if roll.outcome is None else places["outcome"].astype(np.int32),
        truth=None if roll.truth is None else places["truth"].astype(np.int32) - 1,
        width=width,
        halvings=halvings,
        score_square=square,
    )


def _squares(roll: Roll, *, single: bool) -> Floats:
    assert roll.score is not None
    if roll.score_square is not None:
        return roll.score_square
    return roll.score * roll.score if single else roll.score * roll.score * roll.count


def _read_labels(roll: Roll, place: Whole, mean: Callable[[Floats], Floats]) -> Floats:
    """Return the label of each cell from its place along the axis of labels."""
    assert roll.label is not None
    values = mean(roll.label) if roll.valued else (place == 1).astype(np.float64)
    return np.where(place == 2, np.nan, values)


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """One property that keeps entries apart: a function from a run of rows to whole numbers from 0 to below `size`."""

    read: Callable[[slice], NDArray[np.integer]]
    size: int
    low: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Rows in cells: the number of each row's cell, and which numbers are in use.

    `places` holds the place of each used cell along every axis.
    """

    number: Whole
    total: int
    used: Whole
    places: dict[str, Whole]

    def sum(self, values: Floats | None) -> Floats:
        """Return the sum by used cell; the rows where `values` is None."""
        return np.asarray(np.bincount(self.number, values, self.total)[self.used], dtype=np.float64)


def _lay_axes(roll: Roll, halvings: int) -> dict[str, _Axis]:
    axes: dict[str, _Axis] = {}
    for name, codes in roll.codes.items():
        axes[f"group {name}"] = _Axis(partial(_read_shifted, codes, 0), max(len(roll.levels[name]), 1))
    for name, values, shift in (("outcome", roll.outcome, 0), ("truth", roll.truth, 1)):
        if values is not None:
            axes[name] = _Axis(partial(_read_shifted, values, shift), len(roll.outcomes) + shift)
    if roll.label is not None:
        axes["label"] = _Axis(partial(_read_label, roll.label, roll.valued), 3)
    if roll.favourable is not None:
        axes["favourable"] = _Axis(partial(_read_shifted, roll.favourable.view(np.int8), 0), 2)
    if roll.score is not None:
        ends = np.array([roll.score.min(initial=np.inf), roll.score.max(initial=-np.inf)])
        low, high = (place_scores(ends) >> halvings).tolist() if len(roll.score) else (0, 0)
        axes["score"] = _Axis(partial(_read_bin, roll.score, halvings, low), high - low + 1, low)
    return axes


def _read_shifted(values: NDArray[np.integer], shift: int, rows: slice) -> NDArray[np.integer]:
    return values[rows] + shift if shift else values[rows]


def _read_label(label: Floats, valued: bool, rows: slice) -> NDArray[np.integer]:
    some = label[rows]
    if valued:
        return np.where(np.isnan(some), 2, 0).astype(np.int8)
    return np.where(np.isnan(some), np.int8(2), (some == 1.0).astype(np.int8))


def _read_bin(score: Floats, halvings: int, low: int, rows: slice) -> NDArray[np.integer]:
    return (place_scores(score[rows]) >> halvings) - low


def _find_cells(axes: dict[str, _Axis], rows: int) -> _Cells:
    """Put each row into its cell; cells are in the order of the axes."""
    size = math.prod(axis.size for axis in axes.values())
    if size > _LARGEST:
        return _find_many(axes, rows)
    key = np.zeros(rows, dtype=np.int64)
    for start in range(0, rows, _BLOCK):  # what is computed on the way stays in the processor's cache
        here = slice(start, start + _BLOCK)
        for axis in axes.values():
            key[here] *= axis.size
            key[here] += axis.read(here)
    if size <= _DENSE:
        used = np.flatnonzero(np.bincount(key, minlength=size))
        return _Cells(key, size, used, _unravel(used, axes))
    keys, number = np.unique(key, return_inverse=True)
    return _Cells(number.astype(np.int64), len(keys), np.arange(len(keys)), _unravel(keys, axes))


def _find_many(axes: dict[str, _Axis], rows: int) -> _Cells:
    """Put each row into its cell where cells are too many for one number."""
    table = np.stack([axis.read(slice(0, rows)).astype(np.int64) for axis in axes.values()], axis=1)
    found, number = np.unique(table, axis=0, return_inverse=True)
    places = {name: found[:, at] for at, name in enumerate(axes)}
    return _Cells(number.reshape(-1).astype(np.int64), len(found), np.arange(len(found)), places)


def _unravel(keys: Whole, axes: dict[str, _Axis]) -> dict[str, Whole]:
    places: dict[str, Whole] = {}
    for name, axis in reversed(axes.items()):
        keys, places[name] = np.divmod(keys, axis.size)
    return places


def _hold_inside(mean: Floats, place: Whole, halvings: int) -> Floats:
    """Keep a mean in its bin: its last digit could carry it over the edge."""
    low, high = edge_of(place << halvings), edge_of((place + 1) << halvings)
    closed = (high == 1.0) | (place < 0)
    return np.clip(mean, low, np.where(closed, high, np.nextafter(high, -np.inf)))


def _check_alike(one: Roll, other: Roll) -> None:
    if list(one.levels) != list(other.levels):
        raise ValueError("rolls of different attributes cannot be put together")
    if one.valued != other.valued:
        raise ValueError("a label that is a class and one that is a value cannot be put together")
    for name in ("label", "score", "favourable", "weight", "outcome", "truth"):
        if (getattr(one, name) is None) != (getattr(other, name) is None):
            raise ValueError(f"rows with and rows without {name} cannot be put together")


def _recode(roll: Roll, levels: dict[str, tuple[str, ...]], outcomes: tuple[str, ...]) -> Roll:
    """Return the same entries with their codes in longer lists of groups and outcomes."""
    codes = {name: _move(roll.codes[name], roll.levels[name], levels[name]) for name in levels}
    outcome = None if roll.outcome is None else _move(roll.outcome, roll.outcomes, outcomes)
    truth = None if roll.truth is None else _move(roll.truth, roll.outcomes, outcomes)
    return replace(roll, levels=levels, codes=codes, outcomes=outcomes, outcome=outcome, truth=truth)


def _move(codes: NDArray[np.integer], old: tuple[str, ...], new: tuple[str, ...]) -> NDArray[np.integer]:
    if old == new:
        return codes
    table = np.array([*(new.index(level) for level in old), -1], dtype=np.int32)
    return np.asarray(table[codes])


def _join(rolls: Sequence[Roll]) -> Roll:
    first = rolls[0]

    def gather(name: str) -> Any:
        parts = [getattr(roll, name) for roll in rolls]
        return None if parts[0] is None else np.concatenate(parts)

    whole: dict[str, Any] = {
        name: gather(name)
        for name in ("label", "score", "favourable", "weight", "weight_square", "outcome", "truth", "score_square")
    }
    count = np.concatenate([roll.count for roll in rolls])
    return replace(
        first,
        codes={name: np.concatenate([roll.codes[name] for roll in rolls]) for name in first.codes},
        count=count,
        width=max(roll.width for roll in rolls),
        halvings=max(roll.halvings for roll in rolls),
        **whole,
    )


def trim_levels(roll: Roll) -> Roll:
    """Return the roll without groups that nobody belongs to."""
    kept = {
        name: tuple(level for level, rows in zip(levels, _rows_of(roll, name), strict=True) if rows)
        for name, levels in roll.levels.items()
    }
    ordered = {name: order_groups(levels) for name, levels in kept.items()}
    if ordered == roll.levels:
        return roll
    codes: dict[str, NDArray[np.integer]] = {}
    for name, levels in roll.levels.items():
        place = {level: at for at, level in enumerate(ordered[name])}
        table = np.array([place.get(level, -1) for level in levels], dtype=np.int32)
        codes[name] = table[roll.codes[name]]
    return replace(roll, levels=ordered, codes=codes)


def _rows_of(roll: Roll, name: str) -> Whole:
    return np.bincount(roll.codes[name], minlength=len(roll.levels[name])).astype(np.int64)
