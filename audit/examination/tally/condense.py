"""Rolls are put together, and made small where there are too many rows to keep one by one.

Comes in: rolls of batches or shards. Goes out: one roll of all their rows. Up to `MOST_ENTRIES` rows every entry stays
a row. Beyond, rows of the same groups, label, decision and score bin become one entry; where that is still too many,
bins are joined two by two. Which bins there are at the end depends on the rows alone and not on the order in which
pieces were added: a piece that needed coarser bins is part of a whole that needs them all the more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.examination.data.groups import order_groups

from .roll import Floats, Roll, Whole
from .scale import edge_of, place_scores, widest_bin

MOST_ENTRIES = 5_000_000
"""Rows up to which every score is kept; AUC and medians are then exact."""

MOST_HALVINGS = 40
_DENSE = 1 << 22
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
    condensed = any(roll.width > 0 for roll in rolls)
    if condensed or sum(len(roll.count) for roll in rolls) > most:
        halvings = max(roll.halvings for roll in rolls)
        rolls = [condense_roll(roll, halvings) for roll in rolls]
        return limit_roll(condense_roll(_join(rolls), halvings), most)
    return _join(rolls)


def limit_roll(roll: Roll, most: int = MOST_ENTRIES) -> Roll:
    """Return the roll, condensed until it has `most` entries or fewer."""
    while len(roll.count) > most and roll.halvings < MOST_HALVINGS:
        roll = condense_roll(roll, roll.halvings + 1 if roll.width > 0 else 0)
    return roll


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
    entries, first = _group_entries(axes)
    total = len(first)
    count = _sum_whole(entries, roll.count, total)
    known = None if roll.label is None else roll.label[first]
    if known is not None and roll.valued and roll.label is not None:
        known = _mean(entries, roll.label, roll.count, count)
    score, square, width = None, None, roll.width
    if roll.score is not None:
        place = axes[-1].values[first].astype(np.int64) + axes[-1].low
        score = _hold_inside(_mean(entries, roll.score, roll.count, count), place, halvings)
        squares = roll.score_square if roll.score_square is not None else roll.score * roll.score * roll.count
        square, width = _sum(entries, squares, total), widest_bin(place, halvings)
    return replace(
        roll,
        codes={name: codes[first] for name, codes in roll.codes.items()},
        label=known,
        score=score,
        favourable=None if roll.favourable is None else roll.favourable[first],
        count=count,
        weight=None if roll.weight is None else _sum(entries, roll.weight, total),
        weight_square=None if roll.weight_square is None else _sum(entries, roll.weight_square, total),
        outcome=None if roll.outcome is None else roll.outcome[first],
        truth=None if roll.truth is None else roll.truth[first],
        width=width,
        halvings=halvings,
        score_square=square,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """One property that keeps entries apart: whole numbers from 0 to below `size`, `low` less than they are."""

    values: NDArray[np.integer]
    size: int
    low: int = 0


def _lay_axes(roll: Roll, halvings: int) -> list[_Axis]:
    axes = [_Axis(codes, max(len(roll.levels[name]), 1)) for name, codes in roll.codes.items()]
    if roll.label is not None:
        known = ~np.isnan(roll.label)
        side = np.zeros(len(known), dtype=np.int64) if roll.valued else np.asarray(roll.label == 1.0, dtype=np.int64)
        axes.append(_Axis(np.where(known, side, 2), 3))
    if roll.favourable is not None:
        axes.append(_Axis(roll.favourable.astype(np.int8), 2))
    if roll.outcome is not None:
        axes.append(_Axis(roll.outcome, len(roll.outcomes)))
    if roll.truth is not None:
        axes.append(_Axis(roll.truth + 1, len(roll.outcomes) + 1))
    if roll.score is not None:
        place = place_scores(roll.score) >> halvings
        low = int(place.min(initial=0)) if place.size else 0
        axes.append(_Axis(place - low, int(place.max(initial=0)) - low + 1, low))
    return axes or [_Axis(np.zeros(len(roll.count), dtype=np.int64), 1)]


def _group_entries(axes: Sequence[_Axis]) -> tuple[Whole, Whole]:
    """Return, for each row, the number of its entry, and for each entry, one row of it; ordered by the axes."""
    key = axes[0].values.astype(np.int64)
    size = axes[0].size
    for axis in axes[1:]:
        if size * axis.size > _LARGEST:
            dense, key = np.unique(key, return_inverse=True)
            size = len(dense)
        key = key * axis.size
        key += axis.values
        size *= axis.size
    if size > _DENSE:
        _, first, entries = np.unique(key, return_index=True, return_inverse=True)
        return entries.astype(np.int64), first.astype(np.int64)
    some = np.full(size, -1, dtype=np.int64)
    some[key] = np.arange(len(key))
    used = np.flatnonzero(some >= 0)
    number = np.empty(size, dtype=np.int64)
    number[used] = np.arange(len(used))
    return number[key], some[used]


def _sum_whole(entries: Whole, count: Whole, total: int) -> Whole:
    """Sum whole numbers by entry; they are exact as long as they stay below 2**53."""
    if (count == 1).all():
        return np.bincount(entries, minlength=total).astype(np.int64)
    return np.bincount(entries, count.astype(np.float64), total).astype(np.int64)


def _sum(entries: Whole, values: Floats, total: int) -> Floats:
    return np.asarray(np.bincount(entries, values, total), dtype=np.float64)


def _mean(entries: Whole, values: Floats, count: Whole, rows: Whole) -> Floats:
    return _sum(entries, values if (count == 1).all() else values * count, len(rows)) / rows


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
