"""Small multiples: many features as little charts of one size and one vertical scale, none of them dropped.

Comes in: curves by feature. Goes out: one SVG.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Curve, FeatureRug

from .curves import domain, line_of
from .looks import effect_range, look_of, short_name
from .style import Axis, Drawing, text_width, tick_text

WIDTH = 680.0
ACROSS = 4
GAP = 14.0
LEFT = 34.0
TALL = 96.0
HEAD = 24.0


@dataclass(frozen=True, slots=True)
class SmallChart:
    """One little chart: the feature's name, its curves of one kind, where its rows lie."""

    title: str
    curves: tuple[Curve, ...]
    rug: FeatureRug | None


def draw_small(name: str, title: str, description: str, charts: Sequence[SmallChart]) -> Markup:
    """Return little charts in a grid, all with the same range of effects.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    charts : sequence of SmallChart
        Charts in their order.
    """
    rows = -(-len(charts) // ACROSS)
    drawing = Drawing(WIDTH, HEAD + TALL * rows)
    spans = [effect_range(c.curves, domain(c.curves, c.rug) if c.curves[0].x else None) for c in charts]
    span = (min(low for low, _ in spans), max(high for _, high in spans))
    _draw_key(drawing, charts)
    wide = (WIDTH - LEFT - GAP * (ACROSS - 1)) / ACROSS
    for index, chart in enumerate(charts):
        left = LEFT + (wide + GAP) * (index % ACROSS)
        _draw_chart(drawing, chart, span, left, HEAD + TALL * (index // ACROSS), wide, first=index % ACROSS == 0)
    return drawing.finish(name, title, description)


def _draw_key(drawing: Drawing, charts: Sequence[SmallChart]) -> None:
    place = LEFT
    shown = {curve.model: curve for chart in charts for curve in chart.curves}
    for curve in shown.values():
        look, text = look_of(curve), short_name(curve)
        drawing.path([(place, 8), (place + 20, 8)], look.colour, width=look.width, dash=look.dash)
        drawing.text(place + 26, 11.5, text, look.colour, size=10, bold=curve.model == "black_box")
        place += 26 + text_width(text, 10, bold=True) + 20


def _draw_chart(
    drawing: Drawing,
    chart: SmallChart,
    span: tuple[float, float],
    left: float,
    top: float,
    wide: float,
    *,
    first: bool,
) -> None:
    up = Axis(*span, top + 70, top + 16)
    drawing.text(left, top + 10, chart.title, "ink", size=10, bold=True, within=wide)
    ticks = up.ticks(3)
    for tick in ticks:
        drawing.line(left, up(tick), left + wide, up(tick), "faint" if tick == 0 else "grid", width=0.8)
        if first:
            drawing.text(left - 5, up(tick) + 3.2, tick_text(tick, ticks), "soft", size=8.5, anchor="end")
    if chart.curves[0].kind == "numeric":
        _draw_number(drawing, chart, up, left, wide, top + 76)
    else:
        _draw_category(drawing, chart, up, left, wide, top + 76)


def _draw_number(drawing: Drawing, chart: SmallChart, up: Axis, left: float, wide: float, floor: float) -> None:
    across = Axis(*domain(chart.curves, chart.rug), left, left + wide)
    if chart.rug is not None and chart.rug.edges:
        tallest = max(chart.rug.counts, default=0) or 1
        edges = chart.rug.edges
        drawing.boxes(
            [
                (across(a), floor - 5 * count / tallest, across(b) - across(a), 5 * count / tallest)
                for a, b, count in zip(edges, edges[1:], chart.rug.counts, strict=False)
                if count
            ],
            "rug",
        )
    for curve in reversed(chart.curves):
        look = look_of(curve)
        drawing.path(line_of(curve, across, up), look.colour, width=look.width * 0.8, dash=look.dash)
    ends = [across.low, across.high]
    drawing.text(left, floor + 10, tick_text(ends[0], ends), "soft", size=8.5)
    drawing.text(left + wide, floor + 10, tick_text(ends[1], ends), "soft", size=8.5, anchor="end")


def _draw_category(drawing: Drawing, chart: SmallChart, up: Axis, left: float, wide: float, floor: float) -> None:
    levels = chart.curves[0].levels
    step = wide / max(1, len(levels))
    for index, level in enumerate(levels):
        for curve in reversed(chart.curves):
            if level in curve.levels:
                look = look_of(curve)
                y = up(curve.y[curve.levels.index(level)])
                drawing.mark(look.mark, left + step * (index + 0.5), y, look.colour, size=2.2)
    room = wide / 2 - 4 if len(levels) > 1 else wide
    drawing.text(left, floor + 10, levels[0], "soft", size=8.5, within=room)
    if len(levels) > 1:
        drawing.text(left + wide, floor + 10, levels[-1], "soft", size=8.5, anchor="end", within=room)
