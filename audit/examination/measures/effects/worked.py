"""One prediction added up by hand, for a person made up of typical values.

Comes in: a glass box and the audited rows. Goes out: a `WorkedSum` whose printed numbers add up digit by digit. The
values are medians and most frequent levels, each column by itself: no row of the data is read as a whole, and a person
with all of them need not exist. Contributions are read from the exported table, as anybody can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from audit.evidence import FeatureUsed, WorkedStep, WorkedSum
from audit.examination.blackbox.blackbox import BlackBox
from audit.examination.glassbox.encoder import read_numbers
from audit.examination.glassbox.files import read_tables, write_tables
from audit.examination.glassbox.glassbox import GlassBox

from .reasons import say_value

if TYPE_CHECKING:
    import pandas as pd

FIGURES = 5
"""Figures of the largest number that are printed."""
MOST_LINES = 30


def make_typical(frame: pd.DataFrame, features: Sequence[FeatureUsed]) -> pd.DataFrame:
    """Return one made-up row of typical values, in the types of the columns.

    Parameters
    ----------
    frame : pandas.DataFrame, shape [n, ...]
        Audited rows.
    features : sequence of FeatureUsed
        Features and their kinds.

    Returns
    -------
    pandas.DataFrame, shape [1, features]
        Medians to four figures (whole where all values are), most frequent levels (ties by name); missing where a
        feature is missing in most rows.
    """
    import pandas as pd

    columns = {}
    for feature in features:
        column = frame[feature.name]
        value = _typical_number(column) if feature.kind == "number" else _typical_level(column)
        columns[feature.name] = pd.Series([value], dtype=np.float64 if feature.kind == "number" else column.dtype)
    return pd.DataFrame(columns)


def _typical_number(column: pd.Series) -> float:
    x = read_numbers(column)
    known = x[np.isfinite(x)]
    if 2 * known.size <= x.size:
        return float("nan")
    if (known == np.round(known)).all():
        return float(np.floor(np.median(known) + 0.5))
    return float(f"{np.median(known):.4g}")


def _typical_level(column: pd.Series) -> Any:
    if 2 * int(column.notna().sum()) <= len(column):
        return None
    counts = column.value_counts()
    most = counts[counts == counts.max()].index
    return sorted(most, key=str)[0]


def work_sum(box: GlassBox, typical: pd.DataFrame, blackbox: BlackBox | None, *, is_value: bool = False) -> WorkedSum:
    """Add up one prediction from a glass box's exported table.

    Parameters
    ----------
    box : GlassBox
        The glass box, with one output.
    typical : pandas.DataFrame, shape [1, features]
        The made-up row.
    blackbox : BlackBox or None
        Asked for its own score of the same row.
    is_value : bool
        Whether the score is the total itself and no probability.
    """
    tables = read_tables(write_tables(box))
    encoded = tables.encoder.encode(typical)
    lines = [
        (term.feature, say_value(typical[term.feature].iloc[0]), float(term.look_up(encoded[:, j])[0]))
        for j, term in enumerate(tables.terms)
    ]
    for pair in tables.pairs:
        both = " and ".join(say_value(typical[name].iloc[0]) for name in pair.features)
        lines.append((" and ".join(pair.features), both, float(pair.look_up(encoded)[0])))
    lines = _gather_small(lines)
    total, (start, *steps) = round_to_sum([tables.intercept, *(value for _, _, value in lines)])
    return WorkedSum(
        model=box.name,
        start=start,
        steps=tuple(
            WorkedStep(feature=feature, value=value, contribution=step)
            for (feature, value, _), step in zip(lines, steps, strict=True)
        ),
        total=total,
        score=total if is_value else round(float(expit(total)), FIGURES - 1),
        black_box=None if blackbox is None else _ask(blackbox, typical, is_value),
    )


def _ask(blackbox: BlackBox, typical: pd.DataFrame, is_value: bool) -> float | None:
    score = float(blackbox.score(typical[list(blackbox.columns)])[0])
    if not np.isfinite(score):
        return None
    return float(f"{score:.{FIGURES}g}") if is_value else round(score, FIGURES - 1)


def _gather_small(lines: list[tuple[str, str, float]]) -> list[tuple[str, str, float]]:
    """Return lines, the largest first, the smallest of very many as one."""
    ordered = sorted(lines, key=lambda line: -abs(line[2]))
    if len(ordered) <= MOST_LINES:
        return ordered
    rest = ordered[MOST_LINES - 1 :]
    return [*ordered[: MOST_LINES - 1], (f"{len(rest)} smaller ones", "", sum(line[2] for line in rest))]


def round_to_sum(values: Sequence[float]) -> tuple[float, list[float]]:
    """Return the rounded total, and numbers rounded so that they add up to it digit by digit.

    Parameters
    ----------
    values : sequence of float
        Finite numbers, at least one.

    Notes
    -----
    Largest remainder (Hamilton): every number is rounded down to the last decimal that is printed, and the units that
    the total has left go to the numbers that lost most. No number is off by a whole unit.
    """
    largest = max(abs(value) for value in (*values, sum(values)))
    places = FIGURES - 1 - int(np.floor(np.log10(largest))) if largest > 0 else 0
    scaled = [_times_ten(value, places) for value in values]
    units = [int(np.floor(value)) for value in scaled]
    total = round(_times_ten(float(np.sum(values)), places))
    losses = sorted(range(len(values)), key=lambda k: (units[k] - scaled[k], k))
    for k in losses[: total - sum(units)]:
        units[k] += 1
    return _from_units(total, places), [_from_units(unit, places) for unit in units]


def _times_ten(value: float, places: int) -> float:
    return value * 10.0**places if places >= 0 else value / 10.0**-places


def _from_units(units: int, places: int) -> float:
    return float(units / 10**places if places >= 0 else units * 10**-places)
