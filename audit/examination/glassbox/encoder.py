"""Columns become numbers that a glass box can look up: knots for numbers, slots for levels, missing and unknown apart.

Comes in: a typed frame (numbers with NaN, categories and booleans as objects with None). Goes out: an `Encoder`, fixed
once per audit from the feature values alone (never from the label, so sharing it between folds leaks nothing), and the
encoded matrix: a number stays itself, a level becomes its position, missing is NaN, a level that has no slot is -1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

UNKNOWN = -1.0
"""Code of a level that has no slot of its own: unseen, or too rare for one."""

RARE = 5
"""A level carried by fewer rows has no slot of its own, and no outermost knot rests on fewer rows."""


@dataclass(frozen=True, slots=True)
class NumberCode:
    """How a number is read.

    Parameters
    ----------
    name : str
        Feature.
    knots : ndarray of float64, shape [K]
        Positions, ascending; empty where every row is missing.
    """

    name: str
    knots: Floats


@dataclass(frozen=True, slots=True)
class LevelCode:
    """How a category or a boolean is read.

    Parameters
    ----------
    name : str
        Feature.
    levels : tuple of str
        Levels with a slot, the most frequent first (a boolean: False, True).
    pooled : int
        Levels without a slot of their own, pooled with whatever is unseen.
    """

    name: str
    levels: tuple[str, ...]
    pooled: int = 0


Code = NumberCode | LevelCode


@dataclass(frozen=True, slots=True)
class Encoder:
    """All features in order.

    Parameters
    ----------
    codes : tuple of NumberCode or LevelCode
        One per feature.
    """

    codes: tuple[Code, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in order."""
        return tuple(code.name for code in self.codes)

    def encode(self, frame: pd.DataFrame) -> Floats:
        """Return the encoded matrix.

        Parameters
        ----------
        frame : pandas.DataFrame, shape [n, ...]
            Rows with all features.

        Returns
        -------
        ndarray of float64, shape [n, features]
            Numbers as they are, levels as positions, NaN where missing, -1 where the level has no slot.
        """
        encoded = np.empty((len(frame), len(self.codes)), dtype=np.float64, order="F")
        for j, code in enumerate(self.codes):
            column = frame[code.name]
            encoded[:, j] = read_numbers(column) if isinstance(code, NumberCode) else _read_levels(column, code.levels)
        return encoded


def read_numbers(column: pd.Series) -> Floats:
    """Return a numeric column as float64, NaN where missing."""
    import pandas as pd

    return np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)


def _read_levels(column: pd.Series, levels: Sequence[str]) -> Floats:
    """Return positions in `levels`; each distinct value is turned to text once, not each row."""
    import pandas as pd

    position = {level: float(i) for i, level in enumerate(levels)}
    codes, distinct = pd.factorize(column)
    table = np.array([*(position.get(str(value), UNKNOWN) for value in distinct), np.nan])
    found: Floats = table[codes]
    return found


def count_levels(column: pd.Series) -> dict[str, int]:
    """Return rows per level as text, the most frequent first, ties by name; missing is left out."""
    import pandas as pd

    codes, distinct = pd.factorize(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    merged: dict[str, int] = {}
    for value, count in zip(distinct, counts, strict=True):
        merged[str(value)] = merged.get(str(value), 0) + int(count)
    return dict(sorted(merged.items(), key=lambda item: (-item[1], item[0])))


def fit_encoder(frame: pd.DataFrame, kinds: Mapping[str, str], *, knots: int, levels: int = 1000) -> Encoder:
    """Choose knots and levels from the rows.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with all features.
    kinds : mapping of str to str
        Feature to ``number``, ``category`` or ``boolean``, in order.
    knots : int
        Most knots per number.
    levels : int
        Most levels of all categories together; where there are more, the rarest of the longest lists are pooled.
    """
    counted = {name: count_levels(frame[name]) for name, kind in kinds.items() if kind != "number"}
    kept = {name: [k for k, count in counts.items() if count >= RARE] for name, counts in counted.items()}
    most = _even_cap([len(found) for found in kept.values()], levels)
    codes: list[Code] = []
    for name, kind in kinds.items():
        if kind == "number":
            codes.append(NumberCode(name, choose_knots(read_numbers(frame[name]), knots)))
            continue
        found = kept[name][:most]
        codes.append(
            LevelCode(name, tuple(sorted(found) if kind == "boolean" else found), len(counted[name]) - len(found))
        )
    return Encoder(tuple(codes))


def _even_cap(sizes: Sequence[int], total: int) -> int:
    """Return the largest cap under which lists of these sizes have at most `total` entries together."""
    rest, left = total, len(sizes)
    for size in sorted(sizes):
        if size * left > rest:
            return max(1, rest // left)
        rest, left = rest - size, left - 1
    return max(sizes, default=1)


def choose_knots(values: Floats, limit: int) -> Floats:
    """Place knots: every value where there are few, else atoms first and quantiles of the rest.

    Parameters
    ----------
    values : ndarray of float64, shape [n]
        A numeric column; NaN and infinities are left out.
    limit : int
        Most knots; never more than a tenth of the rows either.

    Returns
    -------
    ndarray of float64, shape [K]
        Strictly ascending; empty without finite values.

    Notes
    -----
    Plain quantiles lose zero-inflated features, therefore values that carry at least ``n / limit`` rows (atoms) get
    their knot first. The outermost knots stand on `RARE` rows each (see `_place_end`), and a knot that is no atom is
    rounded within a tenth of its gap, so that no knot shows one person's value.
    """
    finite = np.sort(values[np.isfinite(values)])
    n = finite.size
    if n == 0:
        return np.empty(0)
    if n >= 10 * RARE:
        finite[-RARE:] = _place_end(finite)
        finite[:RARE] = -_place_end(-finite[::-1])
    limit = max(2, min(limit, n // 10))
    distinct, counts = np.unique(finite, return_counts=True)
    if distinct.size <= limit:
        return distinct
    heavy = counts * limit >= n
    rest = np.repeat(distinct[~heavy], counts[~heavy])
    places = np.linspace(0, rest.size - 1, max(2, limit - int(heavy.sum()))).round().astype(int)
    quantiles = np.unique(rest[places])
    return _round_between(np.unique(np.concatenate([distinct[heavy], quantiles])), distinct[heavy])


def _place_end(ordered: Floats) -> float:
    """Return where the upper end of ascending values is read as flat: nobody's own value, and not far from many.

    As far beyond the fifth value from the end as that is from the twenty-fifth, so that a curve which climbs there is
    not cut off below most of its last rows, and one stray value does not stretch it; where no value lies so far, the
    mean of the last five.
    """
    fifth, inner = float(ordered[-RARE]), float(ordered[-min(5 * RARE, ordered.size)])
    far = fifth + (fifth - inner)
    return far if far <= ordered[-1] else float(ordered[-RARE:].mean())


def _round_between(knots: Floats, fixed: Floats) -> Floats:
    """Round knots to the coarsest decimal place within a tenth of the gap to their neighbours; `fixed` ones stay."""
    gaps = np.diff(knots)
    near = np.minimum(np.append(gaps, np.inf), np.insert(gaps, 0, np.inf))
    places = np.clip(-np.floor(np.log10(near / 5)), -300, 300).astype(int)
    free = ~np.isin(knots, fixed)
    near_by = [round(float(k), int(p)) if f else float(k) for k, p, f in zip(knots, places, free, strict=True)]
    # gaps below the smallest decimal place vanish
    return np.unique(np.clip(near_by, knots[0], knots[-1]))
