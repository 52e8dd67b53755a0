"""Dot plots: one line per feature, one mark per method, whiskers for intervals.

Comes in: values with intervals by feature and method. Goes out: one SVG in which shape and filling, not colour alone,
tell the methods apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ..tongue import percent_text
from .style import Axis, Drawing, text_width, tick_text

HEAD = 44.0
STEP = 6.0
PAD = 9.0
LOOKS = (
    ("square", "black", False),
    ("circle", "line3", False),
    ("diamond", "line2", True),
    ("diamond", "ebm", False),
    ("circle", "net", True),
)
"""Shape, colour and whether it is hollow, by place of the method."""

Dot = tuple[float, float | None, float | None]


def draw_dots(
    name: str,
    title: str,
    description: str,
    rows: Sequence[tuple[str, Mapping[str, Dot]]],
    names: Mapping[str, str],
    unit: str,
) -> Markup:
    """Return a dot plot.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    rows : sequence of (label, {method: (value, low, high)})
        Features, most important first; values are shares.
    names : mapping
        Method id to the name shown, in the order of the marks; at most as many as `LOOKS`.
    unit : str
        What the axis shows.
    """
    methods = [method for method in names if any(method in dots for _, dots in rows)][: len(LOOKS)]
    looks = {method: LOOKS[list(names).index(method) % len(LOOKS)] for method in methods}
    height = STEP * max(1, len(methods)) + PAD
    drawing = Drawing(680, HEAD + height * len(rows) + 36)
    left = min(210.0, max([text_width(label, 11) for label, _ in rows] + [60.0]) + 14)
    ends = [high if high is not None else value for _, dots in rows for value, _, high in dots.values()]
    axis = Axis(0, (max(ends, default=1.0) or 1.0) * 1.04, left, 672)
    _draw_axis(drawing, axis, HEAD + height * len(rows), unit)
    for index, (label, dots) in enumerate(rows):
        top = HEAD + height * index
        if index:
            drawing.line(0, top, drawing.width, top, "grid", width=0.7)
        drawing.text(left - 8, top + height / 2 + 4, label, "ink", anchor="end", within=left - 10)
        for place, method in enumerate(methods):
            if method in dots:
                _draw_dot(drawing, axis, dots[method], top + PAD / 2 + STEP * (place + 0.5), looks[method])
    _draw_key(drawing, [(names[method], looks[method]) for method in methods])
    return drawing.finish(name, title, description)


def _draw_axis(drawing: Drawing, axis: Axis, bottom: float, unit: str) -> None:
    ticks = axis.ticks(6)
    shown = [tick * 100 for tick in ticks]
    for tick, value in zip(ticks, shown, strict=True):
        drawing.line(axis(tick), HEAD, axis(tick), bottom, "grid", width=0.8)
        drawing.text(axis(tick), bottom + 14, percent_text(tick_text(value, shown)), "soft", size=9, anchor="middle")
    drawing.text((axis.start + axis.stop) / 2, bottom + 30, unit, "soft", size=10, anchor="middle", bold=True)


def _draw_dot(drawing: Drawing, axis: Axis, dot: Dot, y: float, look: tuple[str, str, bool]) -> None:
    value, low, high = dot
    shape, colour, hollow = look
    if low is not None and high is not None:
        drawing.line(axis(low), y, axis(high), y, colour, width=1.1)
    drawing.mark(shape, axis(value), y, colour, size=2.9, hollow=hollow)


def _draw_key(drawing: Drawing, shown: Sequence[tuple[str, tuple[str, str, bool]]]) -> None:
    """Name the marks above the plot, in as many lines as they need."""
    x, y = 4.0, 8.0
    for text, (shape, colour, hollow) in shown:
        wide = 14 + text_width(text, 10) + 20
        if x + wide > drawing.width and x > 4:
            x, y = 4.0, y + 17
        drawing.mark(shape, x + 4, y, colour, size=3.6, hollow=hollow)
        drawing.text(x + 14, y + 4, text, "soft", size=10)
        x += wide
