"""Weak slices are looked for: every part of the rows that one or two conditions tell, ranked by how badly it does.

Comes in: columns, and a loss per row. Goes out: candidates, the clearest first, none of them mostly a part of a clearer
one. Every column becomes a few codes once; all pairs of two columns are then one count each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.examination.data.values import value_text

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Flags = NDArray[np.bool_]

FINE, COARSE = 10, 4
"""Parts of equal size that a number is cut into: ten alone, four beside another condition."""
MOST_TRIED = 2_000
"""Most candidates that are looked at for overlap."""
MOST_OVERLAP = 0.5
"""Largest share of the smaller of two slices that both may have in common."""
_TEXT = 40


@dataclass(frozen=True, slots=True)
class Axis:
    """One column, cut into parts.

    Parameters
    ----------
    feature : str
        Column.
    names : tuple of str
        Each part as a condition: ``income under 1200``.
    codes : ndarray of int32, shape [n]
        Part of each row; -1 where it lies in none that is large enough.
    crossed : bool
        Whether it is combined with other columns.
    """

    feature: str
    names: tuple[str, ...]
    codes: Codes
    crossed: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of one axis."""

    axis: int
    """Place of the axis."""
    part: int
    """Place of the part."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A slice that did worse on the half where it was looked for.

    Parameters
    ----------
    conditions : tuple of Condition
        One or two.
    rows : int
        Rows of the slice there.
    excess : float
        Mean loss of the slice minus that of all others there.
    z : float
        The same in standard errors.
    """

    conditions: tuple[Condition, ...]
    rows: int
    excess: float
    z: float


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found.

    Parameters
    ----------
    looked_at : int
        Candidates that were large enough.
    chosen : tuple of Candidate
        The clearest of them.
    """

    looked_at: int
    chosen: tuple[Candidate, ...]


def cut_number(feature: str, values: Floats, least: int) -> list[Axis]:
    """Cut a number into parts of about equal size: finely for itself, coarsely to be combined.

    Parameters
    ----------
    feature : str
        Column.
    values : ndarray of float64, shape [n]
        NaN where missing; missing is a part of its own.
    least : int
        Fewest rows of a part.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return []
    axes = []
    for parts in (FINE, COARSE):
        cuts = even_cuts(known, parts)
        codes = np.searchsorted(cuts, values, side="right")
        codes[~np.isfinite(values)] = len(cuts) + 1
        texts = [f"{cut:.10g}" for cut in cuts.tolist()]
        inner = [f"{feature} from {low} to under {high}" for low, high in pairwise(texts)]
        ends = (f"{feature} under {texts[0]}", *inner, f"{feature} {texts[-1]} and over") if texts else (feature,)
        axes.append(_keep_large(feature, [*ends, f"{feature} missing"], codes, least, crossed=parts == COARSE))
    return axes


def even_cuts(known: Floats, parts: int) -> Floats:
    """Return the points that cut numbers into parts of about equal size, ascending; fewer where values are alike.

    Parameters
    ----------
    known : ndarray of float64, shape [n]
        Finite numbers, one at least.
    parts : int
        Parts wanted.

    Notes
    -----
    Rounded to three figures of the spread, so that no cut point is one person's value.
    """
    spread = float(known.max() - known.min())
    if spread <= 0:
        return np.empty(0)
    places = 2 - int(np.floor(np.log10(spread)))
    rounded = np.unique(np.round(np.quantile(known, np.arange(1, parts) / parts), places))
    return np.asarray(rounded[(rounded > known.min()) & (rounded <= known.max())])


def cut_levels(feature: str, values: NDArray[Any], least: int) -> list[Axis]:
    """Take the levels of a category as parts.

    Parameters
    ----------
    feature : str
        Column or attribute.
    values : ndarray of object, shape [n]
        None where missing; missing is a part of its own.
    least : int
        Fewest rows of a part.
    """
    import pandas as pd

    codes, levels = pd.factorize(values)
    codes = np.where(codes < 0, len(levels), codes)
    names = [f"{feature} = {_shorten(value_text(level))}" for level in levels]
    return [_keep_large(feature, [*names, f"{feature} missing"], codes, least, crossed=True)]


def _shorten(text: str) -> str:
    return text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"


def _keep_large(feature: str, names: Sequence[str], codes: NDArray[Any], least: int, *, crossed: bool) -> Axis:
    """Drop parts with few rows."""
    counts = np.bincount(codes, minlength=len(names))
    large = np.flatnonzero(counts >= least)
    moved = np.full(len(names), -1, dtype=np.int32)
    moved[large] = np.arange(len(large))
    return Axis(feature, tuple(names[place] for place in large.tolist()), moved[codes], crossed)


def rows_of(axes: Sequence[Axis], conditions: Sequence[Condition]) -> Flags:
    """Return which rows meet all conditions, bool of shape [n]."""
    inside = axes[conditions[0].axis].codes == conditions[0].part
    for condition in conditions[1:]:
        inside = inside & (axes[condition.axis].codes == condition.part)
    return np.asarray(inside)


def name_slice(axes: Sequence[Axis], conditions: Sequence[Condition]) -> str:
    """Return the conditions as one reads them."""
    return " and ".join(axes[item.axis].names[item.part] for item in conditions)


def search_slices(
    axes: Sequence[Axis], loss: Floats, found: Flags, *, least: int, other_least: int, most: int
) -> Search:
    """Look for the slices that do worst on one half of the rows.

    Parameters
    ----------
    axes : sequence of Axis
        Columns over all rows.
    loss : ndarray of float64, shape [n]
        Loss of each row; on the other half nothing but the number of rows is read.
    found : ndarray of bool, shape [n]
        The half that is searched.
    least, other_least : int
        Fewest rows of a slice on this half and on the other.
    most : int
        Most slices to return.
    """
    table = _tabulate(axes, loss, found, least, other_least)
    order = np.argsort(-table.z, kind="stable")
    order = order[table.z[order] > 0][:MOST_TRIED]
    chosen: list[Candidate] = []
    inside = np.zeros((most, int(found.sum())), dtype=bool)
    within = [Axis(axis.feature, axis.names, axis.codes[found], axis.crossed) for axis in axes]
    for place in order.tolist():
        conditions = table.conditions(place)
        rows = np.flatnonzero(rows_of(within, conditions))
        taken = inside[: len(chosen)]
        shared = taken[:, rows].sum(axis=1)
        if (shared > MOST_OVERLAP * np.minimum(len(rows), taken.sum(axis=1))).any():
            continue
        inside[len(chosen), rows] = True
        chosen.append(Candidate(conditions, len(rows), float(table.excess[place]), float(table.z[place])))
        if len(chosen) == most:
            break
    return Search(len(table.z), tuple(chosen))


@dataclass(frozen=True, slots=True)
class _Table:
    """All candidates, each array of shape [candidates]."""

    first: Codes
    first_part: Codes
    second: Codes
    """-1 where there is one condition."""
    second_part: Codes
    excess: Floats
    z: Floats

    def conditions(self, place: int) -> tuple[Condition, ...]:
        one = Condition(int(self.first[place]), int(self.first_part[place]))
        if self.second[place] < 0:
            return (one,)
        return one, Condition(int(self.second[place]), int(self.second_part[place]))


def _tabulate(axes: Sequence[Axis], loss: Floats, found: Flags, least: int, other_least: int) -> _Table:
    """Count every candidate, and say how much worse it does."""
    here, there = np.flatnonzero(found), np.flatnonzero(~found)
    losses = loss[here]
    squares = None if _is_binary(losses) else losses * losses
    total, whole, whole_squares = len(here), float(losses.sum()), float((losses * losses).sum())
    columns: list[list[NDArray[Any]]] = []
    for i, j, width, codes in _crossings(axes):
        mine, size = codes[here], len(axes[i].names) * width
        if size == 0:
            continue
        # rows outside every part share the last place, which is cut off
        inside = np.where(mine >= 0, mine, size)
        n = np.bincount(inside, minlength=size + 1)[:size]
        other = codes[there]
        n_other = np.bincount(np.where(other >= 0, other, size), minlength=size + 1)[:size]
        kept = np.flatnonzero((n >= least) & (n_other >= other_least) & (total - n >= least))
        sums = np.bincount(inside, losses, size + 1)[kept].astype(np.float64)
        second = sums if squares is None else np.bincount(inside, squares, size + 1)[kept].astype(np.float64)
        excess, z = _excess(n[kept], sums, second, total, whole, whole_squares)
        columns.append([np.full(len(kept), i), kept // width, np.full(len(kept), j), kept % width, excess, z])
    if not columns:
        nothing, empty = np.empty(0, np.int32), np.empty(0)
        return _Table(nothing, nothing, nothing, nothing, empty, empty)
    joined = [np.concatenate(parts) for parts in zip(*columns, strict=True)]
    places = [item.astype(np.int32) for item in joined[:4]]
    return _Table(places[0], places[1], places[2], places[3], joined[4], joined[5])


def _is_binary(losses: Floats) -> bool:
    return bool(np.isin(losses, (0.0, 1.0)).all())


def _crossings(axes: Sequence[Axis]) -> Iterator[tuple[int, int, int, NDArray[np.int64]]]:
    """Yield place of the first axis, of the second (-1 for none), parts of the second, and each row's joint code."""
    for i, axis in enumerate(axes):
        yield i, -1, 1, axis.codes.astype(np.int64)
    for i, j in combinations([place for place, axis in enumerate(axes) if axis.crossed], 2):
        first, second = axes[i], axes[j]
        if first.feature != second.feature:
            width = len(second.names)
            both = (first.codes >= 0) & (second.codes >= 0)
            yield i, j, width, np.where(both, first.codes.astype(np.int64) * width + second.codes, -1)


def _excess(
    n: NDArray[Any], sums: Floats, squares: Floats, total: int, whole: float, whole_squares: float
) -> tuple[Floats, Floats]:
    """Return slice minus rest, and the same in standard errors, by Welch."""
    rest = total - n
    mean, other = sums / n, (whole - sums) / rest
    spread = (
        np.maximum(squares / n - mean**2, 0.0) / n + np.maximum((whole_squares - squares) / rest - other**2, 0.0) / rest
    )
    # a slice in which all rows fare alike has no spread of its own: it is never taken as certain
    floor = np.maximum(whole_squares / total - (whole / total) ** 2, 0.0) * (1 / n + 1 / rest)
    excess = mean - other
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(floor > 0, excess / np.sqrt(np.maximum(spread, floor)), 0.0)
    return excess, z
