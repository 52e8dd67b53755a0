"""Values of protected attributes become groups with names: bins, texts, and one group of their own for the unknown.

Comes in: typed columns and cut points. Goes out: a text per row, and the order in which groups are shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from .values import value_text

UNKNOWN = "unknown"
JOINED_SUFFIX = " (groups file)"
"""Added to the name of a joined column where the table has a column of that name already."""

MOST_LEVELS = 20
"""A numeric attribute without bins and with more distinct values is cut at its quartiles, and that is said."""

MOST_GROUPS = 200
"""An attribute with more groups than this is no attribute of groups but an identifier or a measure."""

_CUT = r"(-?\d[\d.]*(?:e[+-]?\d+)?)"
_UNDER = re.compile(rf"^under {_CUT}$")
_BETWEEN = re.compile(rf"^{_CUT}-{_CUT}$")
_OVER = re.compile(rf"^{_CUT} and over$")


def bin_labels(bins: Sequence[float]) -> tuple[str, ...]:
    """Return the names of the groups that cut points make; a cut point belongs to the group above it.

    Examples
    --------
    >>> bin_labels([25, 40])
    ('under 25', '25-40', '40 and over')
    """
    cuts = [value_text(float(cut)) for cut in bins]
    inner = [f"{low}-{high}" for low, high in pairwise(cuts)]
    return (f"under {cuts[0]}", *inner, f"{cuts[-1]} and over")


def quartile_bins(values: np.ndarray) -> tuple[float, ...]:
    """Return cut points at the quartiles of the known values, rounded down to whole numbers where all are whole.

    Parameters
    ----------
    values : ndarray of float64, shape [n]
        NaN where unknown.
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return ()
    cuts = np.quantile(known, [0.25, 0.5, 0.75])
    if (known == np.floor(known)).all():
        cuts = np.floor(cuts)
    distinct = sorted({float(cut) for cut in cuts} - {float(known.min())})
    return tuple(distinct)


def needs_bins(values: np.ndarray) -> bool:
    """Return whether an attribute's column is numeric with too many distinct values to be groups."""
    return values.dtype == np.float64 and np.unique(values[~np.isnan(values)]).size > MOST_LEVELS


def name_groups(values: np.ndarray, bins: Sequence[float] = ()) -> np.ndarray:
    """Return the group of each row as text; object array of shape [n].

    Parameters
    ----------
    values : ndarray, shape [n]
        float64 with NaN, or objects (text, bool) with None where unknown.
    bins : sequence of float
        Ascending cut points, for numbers.
    """
    if bins:
        names = np.array([*bin_labels(bins), UNKNOWN], dtype=object)
        place = np.searchsorted(np.asarray(bins, dtype=np.float64), values, side="right")
        return np.asarray(names[np.where(np.isnan(values), len(bins) + 1, place)])
    if values.dtype == np.float64:
        distinct, codes = np.unique(values, return_inverse=True)
        return np.array(
            [UNKNOWN if value != value else value_text(value) for value in distinct.tolist()] or [""], dtype=object
        )[codes]
    known: dict[object, str] = {}
    result = np.empty(len(values), dtype=object)
    for index, value in enumerate(values.tolist()):
        if value not in known:
            known[value] = _name_group(value)
        result[index] = known[value]
    return result


def _name_group(value: object) -> str:
    if value is None or value != value:
        return UNKNOWN
    text = value_text(value).strip()
    return UNKNOWN if text.lower() == UNKNOWN or not text else text


def order_groups(names: Iterable[str]) -> tuple[str, ...]:
    """Return groups in the order of display: bins and numbers ascending, texts by alphabet, unknown last.

    Examples
    --------
    >>> order_groups(["unknown", "40 and over", "25-40", "under 25"])
    ('under 25', '25-40', '40 and over', 'unknown')
    """
    distinct = set(names)
    ranks = {name: _rank_group(name) for name in distinct if name != UNKNOWN}
    if all(rank is not None for rank in ranks.values()):
        ordered = sorted(ranks, key=lambda name: (ranks[name], name))
    else:
        ordered = sorted(ranks)
    return (*ordered, UNKNOWN) if UNKNOWN in distinct else tuple(ordered)


def _rank_group(name: str) -> tuple[float, float] | None:
    """Return where a bin or a number stands on its axis; None for any other text."""
    for pattern, end in ((_UNDER, -1.0), (_BETWEEN, 0.0), (_OVER, 1.0)):
        match = pattern.match(name)
        number = _as_float(match.group(1)) if match else None
        if number is not None:
            return number, end
    number = _as_float(name)
    return None if number is None else (number, 0.0)


def _as_float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
