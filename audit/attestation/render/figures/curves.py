"""One panel of a number: several shapes and the black box's own effect on one centred axis, with band, rug and gaps.

Comes in: curves of one feature, its rug, the range of the vertical axis. Goes out: one SVG. A boosting machine is drawn
as steps and without its bags' spread, which is no interval; where next to no rows are, the ground is hatched; a missing
value has a place of its own beside the axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from audit.evidence import Curve, FeatureRug

from ..tongue import tell
from .levels import draw_levels
from .looks import look_of, short_name
from .style import Axis, Drawing, Point, spread_labels, text_width, tick_text

WIDTH = 336.0
HEIGHT = 164.0
TOP, GROUND = 8.0, 118.0
FLOOR = 132.0
"""Where the axis of the feature lies, under the curves and the rug."""
NAMED = HEIGHT - 3
"""Where its name stands."""
MISSING = 34.0
"""Width of the place for a missing value."""
LABEL = 10.0


def draw_feature(
    name: str,
    title: str,
    description: str,
    curves: Sequence[Curve],
    rug: FeatureRug | None,
    span: tuple[float, float],
    unit: str,
) -> Markup:
    """Return one panel.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    curves : sequence of Curve
        Curves of one feature; all numeric or all by level.
    rug : FeatureRug or None
        Where the rows lie.
    span : (float, float)
        Range of the effect axis.
    unit : str
        Label of the feature's axis.
    """
    if curves[0].kind != "numeric":
        return draw_levels(name, title, description, curves, rug, span)
    drawing = Drawing(WIDTH, HEIGHT)
    apart = MISSING if any(curve.missing is not None for curve in curves) else 0.0
    right = WIDTH - 14 - max(text_width(short_name(curve), LABEL, bold=True) for curve in curves) - apart
    across, up = Axis(*domain(curves, rug), 40, right), Axis(*span, GROUND, TOP)
    if rug is not None:
        _draw_gaps(drawing, across, rug)
    _draw_frame(drawing, across, up, right if apart else WIDTH)
    if rug is not None and rug.edges:
        _draw_rug(drawing, across, rug)
    drawing.text((across.start + across.stop) / 2, NAMED, unit, "soft", size=LABEL, anchor="middle", within=right - 20)
    _draw_lines(drawing, across, up, curves)
    if apart:
        _draw_missing(drawing, up, curves, rug, right + apart / 2 + 4)
    _draw_names(drawing, across, up, curves, right + apart + 8)
    return drawing.finish(name, title, description, across)


def domain(curves: Sequence[Curve], rug: FeatureRug | None) -> tuple[float, float]:
    """Return the range of a number that is drawn: between its 1 % and 99 % quantile, where these are known."""
    if rug is not None and len(rug.edges) > 1:
        return rug.edges[0], rug.edges[-1]
    return min(curve.x[0] for curve in curves), max(curve.x[-1] for curve in curves)


def _draw_frame(drawing: Drawing, across: Axis, up: Axis, edge: float) -> None:
    """Draw both axes; no number under the lower one passes `edge`, where the place of missing values begins."""
    ticks = up.ticks(4)
    for tick in ticks:
        drawing.line(across.start, up(tick), across.stop, up(tick), "faint" if tick == 0 else "grid", width=0.8)
        drawing.text(across.start - 6, up(tick) + 3.3, tick_text(tick, ticks), "soft", size=9, anchor="end")
    ticks = across.ticks(4)
    for tick in ticks:
        drawing.line(across(tick), FLOOR, across(tick), FLOOR + 3, "faint", width=0.8)
        said = tick_text(tick, ticks)
        middle = min(across(tick), edge - text_width(said, 9) / 2)
        drawing.text(middle, FLOOR + 13, said, "soft", size=9, anchor="middle")
    drawing.line(across.start, FLOOR, across.stop, FLOOR, "faint", width=0.8)


def _draw_gaps(drawing: Drawing, across: Axis, rug: FeatureRug) -> None:
    """Hatch the stretches in which a curve is a line over nothing."""
    for low, high in rug.empty:
        left, right = across(low), across(high)
        if right - left > 1:
            drawing.rect(left, TOP, right - left, FLOOR - TOP, "band")
            drawing.hatch(left, TOP, right - left, FLOOR - TOP, "none", gap=8)
            if right - left > text_width(tell("no rows"), 9) + 4:
                drawing.text((left + right) / 2, FLOOR - 4, tell("no rows"), "soft", size=9, anchor="middle")


def _draw_rug(drawing: Drawing, across: Axis, rug: FeatureRug) -> None:
    tallest = max(rug.counts, default=0) or 1
    bars = []
    for left, right, count in zip(rug.edges, rug.edges[1:], rug.counts, strict=False):
        if count:
            height = 1 + 12 * count / tallest
            bars.append((across(left), FLOOR - height, across(right) - across(left) - 0.6, height))
    drawing.boxes(bars, "rug")


def _draw_lines(drawing: Drawing, across: Axis, up: Axis, curves: Sequence[Curve]) -> None:
    for curve in curves:
        if curve.low and curve.band_is_interval and curve.method != "PDP":
            lower = _place(curve, curve.low, across, up)
            upper = _place(curve, curve.high, across, up)
            if len(lower) > 1:
                drawing.area([*upper, *reversed(lower)], look_of(curve).colour, opacity=0.15)
    for curve in reversed(curves):
        look = look_of(curve)
        drawing.path(line_of(curve, across, up), look.colour, width=look.width, dash=look.dash)


def _draw_missing(drawing: Drawing, up: Axis, curves: Sequence[Curve], rug: FeatureRug | None, middle: float) -> None:
    """Mark the effect of a missing value beside the axis, with a bar for how many rows lack it."""
    drawing.line(middle - MISSING / 2 + 3, TOP, middle - MISSING / 2 + 3, FLOOR, "grid", width=0.8)
    if rug is not None and rug.missing:
        height = min(14.0, 1 + 12 * rug.missing / (max(rug.counts, default=0) or 1))
        drawing.rect(middle - 7, FLOOR - height, 14, height, "rug")
    known = [curve for curve in curves if curve.missing is not None]
    for index, curve in enumerate(known):
        look = look_of(curve)
        if curve.missing is not None:
            aside = (index - (len(known) - 1) / 2) * 7
            drawing.mark(look.mark, middle + aside, up(curve.missing), look.colour, size=2.9)
    drawing.line(middle - 12, FLOOR, middle + 12, FLOOR, "faint", width=0.8)
    drawing.text(middle, FLOOR + 13, tell("missing"), "soft", size=9, anchor="middle")


def _draw_names(drawing: Drawing, across: Axis, up: Axis, curves: Sequence[Curve], left: float) -> None:
    ends = [line_of(curve, across, up)[-1][1] for curve in curves]
    for curve, y in zip(curves, spread_labels(ends, 12, TOP + 4, GROUND), strict=True):
        drawing.text(left, y + 3.4, short_name(curve), look_of(curve).colour, size=LABEL, bold=curve.method == "ALE")


def _inside(xs: Sequence[float], ys: Sequence[float], across: Axis) -> list[Point]:
    """Return the points within the axis, with the line's crossing of either edge added."""
    points = list(zip(xs, ys, strict=True))
    inner = [(x, y) for x, y in points if across.low <= x <= across.high]
    for edge, first in ((across.low, True), (across.high, False)):
        for (xa, ya), (xb, yb) in pairwise(points):
            if xa < edge < xb:
                crossing = (edge, ya + (yb - ya) * (edge - xa) / (xb - xa))
                inner = [crossing, *inner] if first else [*inner, crossing]
                break
    return inner or points[:1]


def _thin(points: list[Point], most: int = 160) -> list[Point]:
    step = -(-len(points) // most)
    return points if step <= 1 else [*points[:-1:step], points[-1]]


def _place(curve: Curve, ys: Sequence[float], across: Axis, up: Axis) -> list[Point]:
    return [(across(x), up(y)) for x, y in _thin(_inside(curve.x, ys, across))]


def line_of(curve: Curve, across: Axis, up: Axis) -> list[Point]:
    """Return the points of a curve's line; a boosting machine's as steps."""
    points = _place(curve, curve.y, across, up)
    if not curve.model.startswith("ebm") or len(points) < 3:
        return points
    steps = [points[0]]
    for (xa, ya), (xb, yb) in pairwise(points):
        middle = (xa + xb) / 2
        steps += [(middle, ya), (middle, yb)] if abs(ya - yb) > 0.01 else []
    return [*steps, points[-1]]
