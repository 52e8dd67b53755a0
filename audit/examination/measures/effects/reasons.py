"""Reasons for one score, read from a glass box's tables: what sets this row apart from those decided favourably.

Comes in: a glass box, one row, and the mean contributions of a reference (the rows decided favourably). Goes out: one
`Reason` per feature, the most harmful first. Contributions of tables are exact, so the reasons of a row add up to its
score minus the reference's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audit.examination.glassbox.encoder import Floats
from audit.examination.glassbox.glassbox import GlassBox

if TYPE_CHECKING:
    import pandas as pd

_PLAIN, _GROUPED, _HUGE = 1e-9, 1e4, 1e15
"""Sizes of a number from which it is written in plain digits, in groups of three, and with a power of ten again."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One feature's part in the distance of a row from the reference.

    Parameters
    ----------
    feature : str
        The feature.
    value : str
        The row's value, in words.
    contribution : float
        What the glass box adds for it, its share of interactions included; link scale.
    reference : float
        The mean of the same over the reference.
    """

    feature: str
    value: str
    contribution: float
    reference: float

    @property
    def gap(self) -> float:
        """Contribution minus that of the reference."""
        return self.contribution - self.reference


def split_contributions(box: GlassBox, encoded: Floats) -> Floats:
    """Return what each feature adds to each row, interactions shared out evenly between their two features.

    Parameters
    ----------
    box : GlassBox
        The glass box.
    encoded : ndarray of float64, shape [n, features]
        Rows in the box's code.

    Returns
    -------
    ndarray of float64, shape [n, features]
        Sums to the score minus the intercept, row by row.

    Notes
    -----
    With purified pairs an even split is the Shapley value over independent features (Bordt and von Luxburg 2023).
    """
    parts = np.column_stack([term.look_up(encoded[:, j]) for j, term in enumerate(box.terms)])
    for pair in box.pairs:
        half = pair.look_up(encoded) / 2
        for column in pair.columns:
            parts[:, column] += half
    return parts


def average_contributions(box: GlassBox, frame: pd.DataFrame, weights: Floats | None = None) -> Floats:
    """Return the mean contribution of each feature over reference rows, shape [features].

    Parameters
    ----------
    box : GlassBox
        The glass box.
    frame : pandas.DataFrame, shape [m, ...]
        The reference: rows decided favourably, at least one.
    weights : ndarray of float64, shape [m], optional
        Row weights.
    """
    mean: Floats = np.average(split_contributions(box, box.encoder.encode(frame)), axis=0, weights=weights)
    return mean


def rank_reasons(
    box: GlassBox, frame_row: pd.DataFrame, reference: Floats, *, favourable_is_high: bool = True
) -> tuple[Reason, ...]:
    """Return the reasons for one row's score, the one that speaks most against it first.

    Parameters
    ----------
    box : GlassBox
        The glass box.
    frame_row : pandas.DataFrame, shape [1, ...]
        The row.
    reference : ndarray of float64, shape [features]
        Mean contributions of the rows decided favourably, as `average_contributions` gives them.
    favourable_is_high : bool
        Whether a high score is the favourable one.

    Raises
    ------
    ValueError
        More or fewer than one row, or a reference of another box.
    """
    if len(frame_row) != 1 or reference.shape != (len(box.terms),):
        raise ValueError("reasons are for one row, beside a mean contribution of every feature")
    parts = split_contributions(box, box.encoder.encode(frame_row))[0]
    reasons = [
        Reason(term.feature, say_value(frame_row[term.feature].iloc[0]), float(own), float(usual))
        for term, own, usual in zip(box.terms, parts, reference, strict=True)
    ]
    sign = 1.0 if favourable_is_high else -1.0
    return tuple(sorted(reasons, key=lambda reason: sign * reason.gap))


def say_value(value: object) -> str:
    """Return a cell as it is read: ``missing``, a number in plain digits, or the level.

    Parameters
    ----------
    value
        A cell. A number keeps six significant digits, and two decimals however large it is; from 10,000 on it has
        separators, which the report's language replaces by its own.

    Examples
    --------
    >>> say_value(1_234_567.891), say_value(31_254), say_value(1998), say_value(0.000012345678), say_value(-2.50)
    ('1,234,567.89', '31,254', '1998', '0.0000123457', '-2.5')
    """
    if value is None or value != value:
        return "missing"
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    return _say_number(float(value)) if isinstance(value, int | float | np.number) else str(value)


def _say_number(value: float) -> str:
    if not _PLAIN <= abs(value) < _HUGE:
        return f"{value:.6g}"
    if abs(value) >= _GROUPED:
        text = f"{value:,.2f}"
        return text.rstrip("0").rstrip(".")
    return np.format_float_positional(float(f"{value:.6g}"), trim="-")
