"""One panel of a feature: several shapes and the black box's own effect on one centred axis, with bands and rug.

Comes in: curves of one feature, its rug, the range of the vertical axis. Goes out: one SVG. A numeric feature is drawn
as lines (a boosting machine as steps), a category as points with whiskers, one row per level.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from audit.evidence import Curve, FeatureRug

from ..words import model_name
from .style import Axis, Drawing, spread_labels, text_width, tick_text

WIDTH = 336.0
HEIGHT = 176.0
FLOOR = 146.0
"""Where the axis of a numeric feature lies, under the curves and the rug."""
LEVELS = 14
"""Levels of a category that are drawn; the rest stands in the table."""
LOOKS = {
    "black_box": ("black", 2.4, "", "circle"),
    "ebm_surrogate": ("ebm", 1.6, "", "diamond"),
    "net_surrogate": ("net", 1.6, "5 2.5", "square"),
    "ebm_label": ("ebm", 1.6, "", "diamond"),
    "net_label": ("net", 1.6, "5 2.5", "square"),
}
"""Model to colour, line width, dash and mark."""


def effect_range(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return the range of effects of `curves`, bands held to half as much again, with a margin."""
    values = [y for curve in curves for y in curve.y] + [0.0]
    low, high = min(values), max(values)
    room = max(high - low, 1e-3)
    edges = [edge for curve in curves for edge in (*curve.low, *curve.high)]
    low = max(min([low, *edges]), low - room / 4)
    high = min(max([high, *edges]), high + room / 4)
    return low - 0.06 * room, high + 0.06 * room


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
    if curves[0].kind == "numeric":
        return _draw_numeric(name, title, description, curves, rug, span, unit)
    return _draw_levels(name, title, description, curves, rug, span)


def _draw_numeric(
    name: str,
    title: str,
    description: str,
    curves: Sequence[Curve],
    rug: FeatureRug | None,
    span: tuple[float, float],
    unit: str,
) -> Markup:
    drawing = Drawing(WIDTH, HEIGHT)
    low, high = _domain(curves, rug)
    right = WIDTH - 6 - max(text_width(_short(curve.model), 9.5) for curve in curves) - 8
    across, up = Axis(low, high, 40, right), Axis(*span, 132, 8)
    _draw_frame(drawing, across, up)
    if rug is not None and rug.edges:
        _draw_rug(drawing, across, rug)
    drawing.text((across.start + across.stop) / 2, 173, unit, "soft", size=9.5, anchor="middle", within=right - 20)
    for curve in curves:
        _draw_band(drawing, across, up, curve)
    for curve in reversed(curves):
        colour, width, dash, _ = LOOKS.get(curve.model, LOOKS["net_label"])
        drawing.path(_line(curve, across, up), colour, width=width, dash=dash)
    ends = [_line(curve, across, up)[-1][1] for curve in curves]
    for curve, y in zip(curves, spread_labels(ends, 11.5, 12, 132), strict=True):
        colour = LOOKS.get(curve.model, LOOKS["net_label"])[0]
        drawing.text(right + 6, y + 3.3, _short(curve.model), colour, size=9.5, bold=curve.model == "black_box")
    return drawing.finish(name, title, description)


def _short(model: str) -> str:
    return model_name(model, short=True).partition(",")[0]


def _domain(curves: Sequence[Curve], rug: FeatureRug | None) -> tuple[float, float]:
    if rug is not None and len(rug.edges) > 1:
        return rug.edges[0], rug.edges[-1]
    return min(curve.x[0] for curve in curves), max(curve.x[-1] for curve in curves)


def _draw_frame(drawing: Drawing, across: Axis, up: Axis) -> None:
    ticks = up.ticks(4)
    for tick in ticks:
        drawing.line(across.start, up(tick), across.stop, up(tick), "faint" if tick == 0 else "grid", width=0.8)
        drawing.text(across.start - 6, up(tick) + 3.3, tick_text(tick, ticks), "soft", size=9, anchor="end")
    ticks = across.ticks(4)
    for tick in ticks:
        drawing.line(across(tick), FLOOR, across(tick), FLOOR + 3, "faint", width=0.8)
        drawing.text(across(tick), FLOOR + 13, tick_text(tick, ticks), "soft", size=9, anchor="middle")
    drawing.line(across.start, FLOOR, across.stop, FLOOR, "faint", width=0.8)


def _draw_rug(drawing: Drawing, across: Axis, rug: FeatureRug) -> None:
    tallest = max(rug.counts, default=0) or 1
    for left, right, count in zip(rug.edges, rug.edges[1:], rug.counts, strict=False):
        if count:
            height = 1 + 11 * count / tallest
            drawing.rect(across(left), FLOOR - height, across(right) - across(left) - 0.6, height, "rug")


def _inside(xs: Sequence[float], ys: Sequence[float], across: Axis) -> list[tuple[float, float]]:
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


def _thin(points: list[tuple[float, float]], most: int = 160) -> list[tuple[float, float]]:
    step = -(-len(points) // most)
    return points if step <= 1 else [*points[:-1:step], points[-1]]


def _line(curve: Curve, across: Axis, up: Axis) -> list[tuple[float, float]]:
    points = [(across(x), up(y)) for x, y in _thin(_inside(curve.x, curve.y, across))]
    if not curve.model.startswith("ebm") or len(points) < 3:
        return points
    steps = [points[0]]
    for (xa, ya), (xb, yb) in pairwise(points):
        middle = (xa + xb) / 2
        steps += [(middle, ya), (middle, yb)] if abs(ya - yb) > 0.01 else []
    return [*steps, points[-1]]


def _draw_band(drawing: Drawing, across: Axis, up: Axis, curve: Curve) -> None:
    if not curve.low:
        return
    colour = LOOKS.get(curve.model, LOOKS["net_label"])[0]
    lower = [(across(x), up(y)) for x, y in _thin(_inside(curve.x, curve.low, across))]
    upper = [(across(x), up(y)) for x, y in _thin(_inside(curve.x, curve.high, across))]
    if len(lower) > 1:
        drawing.area([*upper, *reversed(lower)], colour, opacity=0.13)


def _draw_levels(
    name: str, title: str, description: str, curves: Sequence[Curve], rug: FeatureRug | None, span: tuple[float, float]
) -> Markup:
    levels = _levels_shown(curves, rug)
    lane = 6.2
    row = lane * len(curves) + 5
    drawing = Drawing(WIDTH, 24 + row * len(levels) + 32)
    left = min(96.0, max([text_width(level, 10) for level in levels] + [20.0]) + 10)
    across = Axis(*span, left, WIDTH - 8)
    bottom = 24 + row * len(levels)
    _draw_levels_frame(drawing, across, bottom)
    _draw_levels_key(drawing, left, curves)
    for index, level in enumerate(levels):
        top = 24 + row * index
        if index:
            drawing.line(0, top, WIDTH, top, "grid", width=0.7)
        drawing.text(0, top + row / 2 + 3.5, level, "ink", size=10, within=left - 8)
        for position, curve in enumerate(curves):
            if level in curve.levels:
                _draw_level(drawing, across, curve, curve.levels.index(level), top + 5.8 + lane * position)
    return drawing.finish(name, title, description)


def _levels_shown(curves: Sequence[Curve], rug: FeatureRug | None) -> list[str]:
    levels = list(dict.fromkeys(level for curve in curves for level in curve.levels))
    sizes = dict(zip(rug.levels, rug.counts, strict=False)) if rug is not None else {}
    kept = set(sorted(levels, key=lambda level: -sizes.get(level, 0))[:LEVELS])
    return [level for level in levels if level in kept]


def _draw_levels_frame(drawing: Drawing, across: Axis, bottom: float) -> None:
    ticks = across.ticks(4)
    for tick in ticks:
        drawing.line(across(tick), 20, across(tick), bottom, "faint" if tick == 0 else "grid", width=0.8)
        drawing.text(across(tick), bottom + 14, tick_text(tick, ticks), "soft", size=9, anchor="middle")
    drawing.text(
        (across.start + across.stop) / 2,
        bottom + 28,
        "Effect on the score (centred)",
        "soft",
        size=9.5,
        anchor="middle",
    )


def _draw_levels_key(drawing: Drawing, left: float, curves: Sequence[Curve]) -> None:
    place = left
    for curve in curves:
        colour, _, _, shape = LOOKS.get(curve.model, LOOKS["net_label"])
        drawing.mark(shape, place + 4, 8, colour, size=3.2)
        drawing.text(place + 12, 11.5, _short(curve.model), colour, size=9.5, bold=curve.model == "black_box")
        place += 12 + text_width(_short(curve.model), 9.5, bold=True) + 14


def _draw_level(drawing: Drawing, across: Axis, curve: Curve, index: int, y: float) -> None:
    colour, _, _, shape = LOOKS.get(curve.model, LOOKS["net_label"])
    if curve.low:
        drawing.line(across(curve.low[index]), y, across(curve.high[index]), y, colour, width=1.1)
    drawing.mark(shape, across(curve.y[index]), y, colour, size=3.2)
