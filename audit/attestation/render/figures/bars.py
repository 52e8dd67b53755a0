"""Importance of the features: a bar for the black box, a mark for each surrogate, on one axis.

Comes in: importances per feature and model. Goes out: one SVG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from .style import Axis, Drawing, text_width, tick_text

ROW = 21.0
HEAD = 26.0
MARKS = {"ebm_surrogate": ("diamond", "ebm"), "net_surrogate": ("circle", "net")}


def draw_importance(
    name: str,
    title: str,
    description: str,
    rows: Sequence[tuple[str, Mapping[str, tuple[float, float | None, float | None]]]],
    names: Mapping[str, str],
    unit: str,
) -> Markup:
    """Return bars and marks.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    rows : sequence of (label, {model: (value, low, high)})
        Features, most important first.
    names : mapping
        Model id to the name shown.
    unit : str
        Unit of the axis.
    """
    drawing = Drawing(680, HEAD + ROW * len(rows) + 36)
    left = min(210.0, max([text_width(label, 11) for label, _ in rows] + [60.0]) + 14)
    top = max((max(value, high or 0) for _, models in rows for value, _, high in models.values()), default=1.0) or 1.0
    axis = Axis(0, top * 1.04, left, 672)
    bottom = HEAD + ROW * len(rows)
    ticks = axis.ticks(6)
    for tick in ticks:
        drawing.line(axis(tick), HEAD, axis(tick), bottom, "grid", width=0.8)
        drawing.text(axis(tick), bottom + 14, tick_text(tick, ticks), "soft", size=9, anchor="middle")
    drawing.text((axis.start + axis.stop) / 2, bottom + 30, unit, "soft", size=10, anchor="middle", bold=True)
    for index, (label, models) in enumerate(rows):
        _draw_row(drawing, axis, HEAD + ROW * index + ROW / 2, label, models)
    _draw_key(drawing, left, [m for m in names if any(m in models for _, models in rows)], names)
    return drawing.finish(name, title, description)


def _draw_row(
    drawing: Drawing,
    axis: Axis,
    y: float,
    label: str,
    models: Mapping[str, tuple[float, float | None, float | None]],
) -> None:
    drawing.text(axis.start - 8, y + 4, label, "ink", anchor="end", within=axis.start - 10)
    if "black_box" in models:
        value, low, high = models["black_box"]
        drawing.rect(axis.start, y - 5.5, axis(value) - axis.start, 11, "rug", radius=1.5)
        if low is not None and high is not None:
            drawing.line(axis(low), y, axis(high), y, "ink", width=1.1)
    for model, (shape, colour) in MARKS.items():
        if model in models:
            value, low, high = models[model]
            if low is not None and high is not None:
                drawing.line(axis(low), y, axis(high), y, colour, width=1)
            drawing.mark(shape, axis(value), y, colour, size=3.6)


def _draw_key(drawing: Drawing, left: float, shown: Sequence[str], names: Mapping[str, str]) -> None:
    wide = sum(44 + text_width(names[model], 10) for model in shown) - 22
    place = max(0.0, min(left, drawing.width - wide - 8))
    for model in shown:
        if model == "black_box":
            drawing.rect(place, 3, 16, 10, "rug", radius=1.5)
        elif model in MARKS:
            shape, colour = MARKS[model]
            drawing.mark(shape, place + 8, 8, colour, size=3.8)
        else:
            continue
        drawing.text(place + 22, 12, names[model], "soft", size=10)
        place += 22 + text_width(names[model], 10) + 22
