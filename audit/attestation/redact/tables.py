"""Tables of counts that are not by group: levels of a column, bins of a feature, bins of a score.

Comes in: the records that hold them. Goes out: the same records without the cells that tell of a few people, and
without so many others that no subtraction brings those back.
"""

from __future__ import annotations

from audit.evidence import CalibrationBin, Changeable, ColumnSummary, FeatureRug

from .cells import SMALLEST, close_withheld, find_small, is_small
from .numbers import parts_of


def redact_column(column: ColumnSummary, rows: int, *, by_group: bool) -> ColumnSummary | None:
    """Return the summary of a column for everybody; None where even that it misses values would tell of a few.

    Parameters
    ----------
    column : ColumnSummary
        As measured.
    rows : int
        All rows.
    by_group : bool
        Whether a protected attribute is made of it of which somebody is withheld.
    """
    if is_small(column.missing) or is_small(rows - column.missing):
        return None
    if by_group:
        return column.model_copy(update={"top": {}, "quantiles": ()})
    top = {level: count for level, count in column.top.items() if count >= SMALLEST}
    unlisted, left = column.distinct - len(top), rows - column.missing - sum(top.values())
    while top and (is_small(left) or (left and unlisted < 2 and len(top) < len(column.top))):
        level = min(top, key=lambda name: (top[name], name))
        left, unlisted = left + top.pop(level), unlisted + 1
    return column.model_copy(update={"top": top, "quantiles": tuple(map(round_value, column.quantiles))})


def round_value(value: float) -> float:
    """Return a value of a column to three significant digits: a quantile is somebody's own.

    Examples
    --------
    >>> round_value(31_254.17), round_value(0.012345), round_value(40.0)
    (31300.0, 0.0123, 40.0)
    """
    return float(f"{value:.3g}")


def redact_changeable(one: Changeable, rows: int) -> Changeable:
    """Return how far a feature was moved; where 1 % of the rows are fewer than 5, the ends are the values of few.

    Parameters
    ----------
    one : Changeable
        As searched, between the 1 % and the 99 % quantile.
    rows : int
        All rows.
    """
    if rows < 100 * SMALLEST:
        return one.model_copy(update={"low": None, "high": None})
    ends = {name: None if end is None else round_value(end) for name, end in (("low", one.low), ("high", one.high))}
    return one.model_copy(update=ends)


def redact_rug(rug: FeatureRug, rows: int, *, by_group: bool = False) -> FeatureRug:
    """Return the distribution of a feature for everybody: cells given as 0 are at least two, or hold nobody together.

    Parameters
    ----------
    rug : FeatureRug
        As measured; its counts under 5 are 0 already.
    rows : int
        Rows that it counts.
    by_group : bool
        Whether a protected attribute is made of the feature of which somebody is withheld.
    """
    if by_group:
        none = tuple(0 for _ in rug.counts)
        return rug.model_copy(update={"counts": none, "missing": 0, "near": tuple(0.0 for _ in rug.near), "empty": ()})
    counts, missing = hide_rest((*rug.counts, rug.missing), rows)
    step = max(0.01, SMALLEST / rows) if rows else 1.0
    near = tuple(min(1.0, round(max(1, int(share / step)) * step, 6)) if share else 0.0 for share in rug.near)
    return rug.model_copy(update={"counts": counts, "missing": missing, "near": near})


def hide_rest(counts: tuple[int, ...], rows: int) -> tuple[tuple[int, ...], int]:
    """Return counts of which the last is apart, with further ones given as 0 until what is left over tells of nobody.

    Parameters
    ----------
    counts : tuple of int
        Counts; 0 for nobody or too few.
    rows : int
        What all of them add up to, with what is hidden.
    """
    shown = [0 if is_small(count) else count for count in counts]
    while is_small(rows - sum(shown)) and any(shown):
        shown[shown.index(min(count for count in shown if count))] = 0
    return tuple(shown[:-1]), shown[-1]


def redact_bins(bins: tuple[CalibrationBin, ...]) -> tuple[CalibrationBin, ...]:
    """Return the bins of a reliability curve that may be shown; bins that may not are left out."""
    parts = {place: parts_of(one.observed) for place, one in enumerate(bins)}
    hidden = close_withheld(parts, find_small(parts))
    return tuple(one for place, one in enumerate(bins) if place not in hidden)
