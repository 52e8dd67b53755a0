"""Shapes on the common axis: every model's effect of one feature, centred over the audited rows.

Comes in: glass boxes with the audited rows encoded, the black box's own effects. Goes out: `Shape` objects on one axis,
their curves for the report, and their importances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.evidence import Curve
from audit.examination.glassbox.encoder import UNKNOWN, Floats
from audit.examination.glassbox.glassbox import GlassBox
from audit.examination.glassbox.shapes import Term

from .ale import OwnEffect
from .axis import Axis

MODEL_ORDER = ("black_box", "ebm_label", "net_label", "ebm_surrogate", "net_surrogate")
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Shape:
    """One model's effect of one feature.

    Parameters
    ----------
    axis : Axis
        Positions.
    model : str
        black_box, ebm_label, ...
    method : str
        What drew it.
    y : ndarray of float64, shape [m]
        Effect at every position, centred over the audited rows.
    low, high : ndarray of float64, shape [m], or None
        Band.
    band : str
        What the band is.
    is_interval : bool
        Whether it is a confidence band.
    missing : float or None
        Effect where the feature is missing; None where no row is.
    importance : float
        Mean absolute effect over the audited rows.
    rows : int
        Rows behind it.
    """

    axis: Axis
    model: str
    method: str
    y: Floats
    low: Floats | None
    high: Floats | None
    band: str
    is_interval: bool
    missing: float | None
    importance: float
    rows: int


def shape_of_box(box: GlassBox, j: int, encoded: Floats, axis: Axis) -> Shape:
    """Return a glass box's shape of its feature `j`.

    Parameters
    ----------
    box : GlassBox
        The glass box.
    j : int
        Position of the feature.
    encoded : ndarray of float64, shape [n]
        Audited rows of this feature, in the box's code.
    axis : Axis
        The common axis.
    """
    term = box.terms[j]
    parts = term.look_up(encoded)
    centre = float(axis.weights @ parts)
    at = _codes_on_axis(term, axis)
    # a level without a slot has no edges of its own: its value stands for both
    band = term.low is not None and term.high is not None
    return Shape(
        axis=axis,
        model=box.name,
        method=box.method,
        y=term.look_up(at) - centre,
        low=term.look_up(at, term.low) - centre if band else None,
        high=term.look_up(at, term.high) - centre if band else None,
        band=box.band if band else "",
        is_interval=box.band_is_interval and band,
        missing=term.missing - centre if axis.missing_share > 0 else None,
        importance=float(axis.weights @ np.abs(parts - centre)),
        rows=box.rows,
    )


def _codes_on_axis(term: Term, axis: Axis) -> Floats:
    """Return the axis positions in the term's own code."""
    if axis.kind == "numeric":
        return axis.grid
    position = {level: float(i) for i, level in enumerate(term.levels)}
    return np.array([position.get(level, UNKNOWN) for level in axis.levels], dtype=np.float64)


def place_effect(axis: Axis, y: Floats, missing: float | None, rows: np.ndarray | None = None) -> Floats:
    """Return the effect of each row: between positions on straight lines, 0 for a level without a position.

    Parameters
    ----------
    axis : Axis
        Positions and rows.
    y : ndarray of float64, shape [m]
        Effect at each position.
    missing : float or None
        Effect where the feature is missing.
    rows : ndarray of int, optional
        Rows; all where not given.
    """
    x = axis.x if rows is None else axis.x[rows]
    if axis.kind == "numeric":
        parts = np.interp(x, axis.grid, y)
    else:
        parts = np.append(y, 0.0)[np.where(np.isnan(x), -1, x).astype(np.intp)]
    return np.where(np.isnan(x), 0.0 if missing is None else missing, parts)


PARTIAL_DEPENDENCE = "PDP"
"""Method of the black box's second curve, which is shown and never compared."""


def shape_of_black_box(own: OwnEffect, axis: Axis, method: str = "") -> Shape:
    """Return the black box's own effect as a shape.

    Parameters
    ----------
    own : OwnEffect
        The effect.
    axis : Axis
        Its axis.
    method : str
        What drew it, where it is not the accumulated local effect (of levels: the mean change of level).
    """
    parts = place_effect(axis, own.y, own.missing)
    return Shape(
        axis=axis,
        model="black_box",
        method=method or ("ALE" if axis.kind == "numeric" else "mean change of level"),
        y=own.y,
        low=own.y - own.half,
        high=own.y + own.half,
        band="pointwise 95 %, variation between rows",
        is_interval=True,
        missing=own.missing,
        importance=float(axis.weights @ np.abs(parts)),
        rows=own.rows,
    )


def draw_curve(shape: Shape) -> Curve:
    """Return a shape as a curve of the report, at most 48 positions."""
    axis, shown = shape.axis, shape.axis.shown
    numeric = axis.kind == "numeric"
    band = shape.low is not None and shape.high is not None
    return Curve(
        feature=axis.feature,
        model=shape.model,
        kind="numeric" if numeric else "category",
        method=shape.method,
        x=tuple(float(x) for x in axis.grid) if numeric else (),
        levels=() if numeric else axis.levels[:shown],
        y=_rounded(shape.y[:shown]),
        low=_rounded(shape.low[:shown]) if band and shape.low is not None else (),
        high=_rounded(shape.high[:shown]) if band and shape.high is not None else (),
        band=shape.band,
        band_is_interval=shape.is_interval,
        missing=None if shape.missing is None else round(shape.missing, DIGITS),
        rows=shape.rows,
    )


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), DIGITS) + 0.0 for value in values)
