"""One panel of a category: a row per level, a mark per model with its interval, and how many rows have the level.

Comes in: curves by level, the rug, the range of effects. Goes out: one SVG; missing is the last row.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from audit.evidence import Curve, FeatureRug

from ..tongue import tell
from .looks import look_of, short_name
from .style import Axis, Drawing, text_width, tick_text

WIDTH = 336.0
HEAD = 22.0
LANE = 6.4
LABEL = 10.0
LEVELS = 14
"""Levels that are drawn; the rest stands in the table."""
MISSING = "missing"


def draw_levels(
    name: str, title: str, description: str, curves: Sequence[Curve], rug: FeatureRug | None, span: tuple[float, float]
) -> Markup:
    """Return one panel of a category.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    curves : sequence of Curve
        Curves by level.
    rug : FeatureRug or None
        Rows by level.
    span : (float, float)
        Range of the effect axis.
    """
    levels = _levels_shown(curves, rug)
    lacking = any(curve.missing is not None for curve in curves)
    row = LANE * len(curves) + 5
    bottom = HEAD + row * (len(levels) + lacking)
    drawing = Drawing(WIDTH, bottom + 32)
    left = min(104.0, max([text_width(level, LABEL) for level in levels] + [40.0]) + 12)
    across = Axis(*span, left, WIDTH - 8)
    _draw_frame(drawing, across, bottom)
    _draw_key(drawing, left, curves)
    sizes = _sizes(rug)
    for index, level in enumerate(levels):
        _draw_row(drawing, across, curves, level, sizes, HEAD + row * index, row)
    if lacking:
        _draw_missing(drawing, across, curves, HEAD + row * len(levels), row)
    return drawing.finish(name, title, description)


def _sizes(rug: FeatureRug | None) -> dict[str, int]:
    return dict(zip(rug.levels, rug.counts, strict=False)) if rug is not None else {}


def _levels_shown(curves: Sequence[Curve], rug: FeatureRug | None) -> list[str]:
    levels = list(dict.fromkeys(level for curve in curves for level in curve.levels))
    sizes = _sizes(rug)
    kept = set(sorted(levels, key=lambda level: -sizes.get(level, 0))[:LEVELS])
    return [level for level in levels if level in kept]


def _draw_row(
    drawing: Drawing,
    across: Axis,
    curves: Sequence[Curve],
    level: str,
    sizes: dict[str, int],
    top: float,
    row: float,
) -> None:
    few = bool(sizes) and not sizes.get(level, 0)
    if few:
        drawing.rect(across.start, top, across.stop - across.start, row, "band")
        drawing.hatch(across.start, top, across.stop - across.start, row, "none", gap=8)
    if top > HEAD:
        drawing.line(0, top, WIDTH, top, "grid", width=0.7)
    middle = top + row / 2
    drawing.text(0, middle + 2, level, "soft" if few else "ink", size=LABEL, within=across.start - 10)
    if sizes:
        wide = (across.start - 12) * sizes.get(level, 0) / max(*sizes.values(), 1)
        drawing.rect(0, middle + 5.5, max(wide, 1.0), 3, "rug")
    for position, curve in enumerate(curves):
        if level in curve.levels:
            index = curve.levels.index(level)
            ends = (curve.low[index], curve.high[index]) if curve.low and curve.band_is_interval else None
            _draw_mark(drawing, across, curve, curve.y[index], ends, top + 5.8 + LANE * position)


def _draw_missing(drawing: Drawing, across: Axis, curves: Sequence[Curve], top: float, row: float) -> None:
    drawing.line(0, top, WIDTH, top, "faint", width=0.8)
    drawing.text(0, top + row / 2 + 3.5, tell(MISSING), "soft", size=LABEL, within=across.start - 10)
    for position, curve in enumerate(curves):
        if curve.missing is not None:
            _draw_mark(drawing, across, curve, curve.missing, None, top + 5.8 + LANE * position)


def _draw_frame(drawing: Drawing, across: Axis, bottom: float) -> None:
    ticks = across.ticks(4)
    for tick in ticks:
        drawing.line(across(tick), HEAD - 4, across(tick), bottom, "faint" if tick == 0 else "grid", width=0.8)
        drawing.text(across(tick), bottom + 13, tick_text(tick, ticks), "soft", size=9, anchor="middle")
    middle = (across.start + across.stop) / 2
    drawing.text(middle, bottom + 28, tell("Effect on the score (centred)"), "soft", size=LABEL, anchor="middle")


def _draw_key(drawing: Drawing, left: float, curves: Sequence[Curve]) -> None:
    place = left
    for curve in curves:
        look, name = look_of(curve), short_name(curve)
        drawing.mark(look.mark, place + 4, 7, look.colour, size=3.3)
        drawing.text(place + 12, 10.5, name, look.colour, size=LABEL, bold=curve.model == "black_box")
        place += 12 + text_width(name, LABEL, bold=True) + 14


def _draw_mark(
    drawing: Drawing, across: Axis, curve: Curve, value: float, ends: tuple[float, float] | None, y: float
) -> None:
    look = look_of(curve)
    if ends is not None:
        drawing.line(across(ends[0]), y, across(ends[1]), y, look.colour, width=1.2)
    drawing.mark(look.mark, across(value), y, look.colour, size=3.2)
