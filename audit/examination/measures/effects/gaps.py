"""Where shapes part: surrogate against black box, and either against what a person expects.

Comes in: shapes on their common axis. Goes out: the largest disagreement beyond both bands, named in one sentence, the
largest move against an expected direction, and the largest jump.
"""

from __future__ import annotations

import numpy as np

from audit.evidence import Disagreement, Estimate, undefined
from audit.examination.glassbox.encoder import Floats

from .axis import Axis
from .drawn import DIGITS, Shape

FEWEST_NEAR = 5
LEAST_SHARE = 0.005
"""A gap is named only where at least so many rows, and so large a share of them, are near: not at a lone far value."""
FLAT = 1e-9


def find_disagreement(surrogate: Shape, black: Shape, scale: str) -> Disagreement | None:
    """Return where a surrogate's shape leaves the black box's own effect furthest beyond both bands.

    Parameters
    ----------
    surrogate, black : Shape
        On the same axis, both with a confidence band.
    scale : str
        Scale of the effects in words.

    Returns
    -------
    Disagreement or None
        None where a band is missing or no position has enough rows near it.
    """
    if not (surrogate.is_interval and black.is_interval):
        return None
    edges = (surrogate.low, surrogate.high, black.low, black.high)
    low, high, black_low, black_high = (np.asarray(edge, dtype=np.float64) for edge in edges)
    axis = surrogate.axis
    shown = np.arange(axis.shown)
    near = shown[axis.share[: axis.shown] >= max(LEAST_SHARE, FEWEST_NEAR / axis.x.size)]
    if not near.size:
        return None
    gap = surrogate.y - black.y
    beyond = np.maximum(0.0, np.maximum(low - black_high, black_low - high))
    # a rounding error of two exact curves is no disagreement
    beyond = np.where(beyond > FLAT, beyond, 0.0)
    worst = near[np.lexsort((-np.abs(gap[near]), -beyond[near]))[0]]
    at, share = name_position(axis, int(worst)), float(axis.share[worst])
    return Disagreement(
        feature=axis.feature,
        model=surrogate.model,
        at=at,
        gap=round(float(gap[worst]), DIGITS),
        beyond=round(float(beyond[worst]), DIGITS),
        rows_share=round(share, DIGITS),
        words=_say_gap(axis, at, float(gap[worst]), float(beyond[worst]), share, scale),
    )


def name_position(axis: Axis, place: int) -> str:
    """Return a position in words: ``age = 41`` or ``status is married``."""
    if axis.kind == "numeric":
        return f"{axis.feature} = {axis.grid[place]:.6g}"
    return f"{axis.feature} is {axis.levels[place]}"


def _say_gap(axis: Axis, at: str, gap: float, beyond: float, share: float, scale: str) -> str:
    side, where = "above" if gap > 0 else "below", "at" if axis.kind == "numeric" else "where"
    amount = f"{abs(gap):.3g}"
    near = f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
    if beyond > 0:
        return (
            f"{where.capitalize()} {at}, the surrogate's shape lies {amount} {side} the black box's own effect "
            f"({scale}), {beyond:.3g} more than both bands explain; {near} of the rows are near."
        )
    return (
        f"The surrogate's shape of {axis.feature} and the black box's own effect agree within their bands; "
        f"the largest gap is {amount} ({scale}) {where} {at}."
    )


IMPOSED = "the direction was imposed on this glass box: its shape is no evidence"


def measure_reversal(shape: Shape, expected: str, *, imposed: bool = False) -> Estimate:
    """Return the largest move against the expected direction, as a share of the shape's range.

    Parameters
    ----------
    shape : Shape
        Shape of a number.
    expected : {"increasing", "decreasing"}
        Direction that a person expects.
    imposed : bool
        Whether a direction was imposed on the model that the shape is of; no verdict may then rest on it.

    Notes
    -----
    The interval takes the edges of the pointwise band that make the move smallest and largest, over the range of the
    estimate; it is wider than a 95 % interval of the move.
    """
    method = "largest fall along the shape over its range; interval from the edges of the pointwise band"
    if shape.axis.kind != "numeric" or shape.y.size < 2:
        return undefined("the feature has no order, or a single value", n=shape.rows, method=method)
    span = float(shape.y.max() - shape.y.min())
    if span <= FLAT:
        return undefined("the shape is flat", n=shape.rows, method=method)
    sign = 1.0 if expected == "increasing" else -1.0
    value = _largest_fall(sign * shape.y, sign * shape.y) / span
    low = high = None
    if shape.is_interval and shape.low is not None and shape.high is not None:
        lower, upper = (shape.low, shape.high) if sign > 0 else (-shape.high, -shape.low)
        low = min(value, _largest_fall(lower, upper) / span)
        high = max(value, _largest_fall(upper, lower) / span)
    note = IMPOSED if imposed else ""
    return Estimate(value=value, low=low, high=high, n=shape.rows, method=method, note=note, assessable=not imposed)


def measure_jump(shape: Shape) -> Estimate:
    """Return the largest step between neighbouring positions, as a share of the shape's range.

    Parameters
    ----------
    shape : Shape
        Shape of a number.

    Notes
    -----
    The interval takes the pointwise bands at both ends of every step, over the range of the estimate: the lower end is
    the widest distance of two neighbouring bands that lie apart, the upper end the widest reach of two bands. Errors of
    neighbours move together, so it is wider than a 95 % interval of the step.
    """
    method = "largest step of neighbouring positions over the range; interval from the edges of the pointwise band"
    y = shape.y
    if shape.axis.kind != "numeric":
        return undefined("a category has no neighbouring positions", n=shape.rows, method=method)
    if y.size < 3:
        return undefined("fewer than three positions: a step is all there is", n=shape.rows, method=method)
    span = float(y.max() - y.min())
    if span <= FLAT:
        return undefined("the shape is flat", n=shape.rows, method=method)
    value = float(np.abs(np.diff(y)).max()) / span
    low = high = None
    if shape.is_interval and shape.low is not None and shape.high is not None:
        a, b = shape.low, shape.high
        apart = np.maximum(a[1:] - b[:-1], a[:-1] - b[1:])
        reach = np.maximum(b[1:] - a[:-1], b[:-1] - a[1:])
        low = min(value, max(0.0, float(apart.max()) / span))
        high = max(value, min(1.0, float(reach.max()) / span))
    return Estimate(value=value, low=low, high=high, n=shape.rows, method=method)


def _largest_fall(before: Floats, after: Floats) -> float:
    """Return the largest ``before[i] - after[j]`` over positions i <= j, at least 0."""
    return float(np.maximum(0.0, np.max(np.maximum.accumulate(before) - after)))
