"""Forest plots: one row per group or model, one panel per number, whiskers for intervals, the limit as a zone.

Comes in: rows of points with intervals. Goes out: one SVG that can be read without colour: shapes tell verdicts apart,
every number is written beside its whisker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..tongue import percent_text, tell
from .style import Axis, Drawing, text_width, tick_text

ROW = 24.0
HEAD = 34.0
FOOT = 24.0
LABEL = 138.0
GAP = 20.0
SHAPES = {
    "fail": ("square", "bad", False),
    "error": ("square", "bad", False),
    "inconclusive": ("circle", "open", True),
    "warn": ("diamond", "open", True),
    "waived": ("diamond", "soft", True),
    "pass": ("circle", "good", False),
    "": ("circle", "ink", False),
}
"""Verdict to shape, colour and whether it is hollow."""


@dataclass(frozen=True, slots=True)
class ForestPoint:
    """One number of one row.

    Parameters
    ----------
    value, low, high : float or None
        Point and interval in the panel's unit; no value draws the reason in words instead.
    text : str
        The number with its interval, as printed.
    status : str
        Verdict that rests on it, or an empty string.
    """

    value: float | None
    low: float | None
    high: float | None
    text: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One row: a name, a remark (its size), and one point per panel."""

    label: str
    remark: str
    points: tuple[ForestPoint, ...]
    muted: bool = False


@dataclass(frozen=True, slots=True)
class ForestPanel:
    """One column of the plot.

    Parameters
    ----------
    title : str
        What it shows, with unit.
    low, high : float
        Range of the axis.
    limit_low, limit_high : float or None
        Allowed range; outside of it the zone is shaded.
    neutral : float or None
        A value to mark with a thin line (parity).
    percent : bool
        Whether tick labels are shares in per cent.
    said : str
        What stands above the limit; default the word and its number.
    """

    title: str
    low: float
    high: float
    limit_low: float | None = None
    limit_high: float | None = None
    neutral: float | None = None
    percent: bool = False
    said: str = ""


def draw_forest(
    name: str,
    title: str,
    description: str,
    panels: Sequence[ForestPanel],
    rows: Sequence[ForestRow],
    *,
    width: float = 680,
) -> Markup:
    """Return a forest plot.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    panels : sequence of ForestPanel
        Columns, left to right.
    rows : sequence of ForestRow
        Rows, top to bottom; each has one point per panel.
    width : float, optional
        Width in user units.
    """
    height = HEAD + ROW * len(rows) + FOOT
    drawing = Drawing(width, height)
    texts = [max((text_width(row.points[i].text, 10) for row in rows), default=0) for i in range(len(panels))]
    texts = [min(135.0, size) + 10 for size in texts]
    label = min(190.0, max([text_width(row.label, 11, bold=True) for row in rows] + [60.0]) + 12)
    remark = max([text_width(row.remark, 10) for row in rows] + [0.0])
    left = label + (remark + 16 if remark else 4)
    room = (width - left - GAP * (len(panels) - 1) - sum(texts)) / max(1, len(panels))
    _draw_labels(drawing, rows, label, left)
    start = left
    for index, panel in enumerate(panels):
        axis = Axis(panel.low, panel.high, start, start + room)
        _draw_panel(drawing, panel, axis, rows, index)
        start += room + texts[index] + GAP
    return drawing.finish(name, title, description)


def _draw_labels(drawing: Drawing, rows: Sequence[ForestRow], label: float, left: float) -> None:
    for index, row in enumerate(rows):
        y = HEAD + ROW * index
        if index:
            drawing.line(0, y, drawing.width, y, "grid", width=0.7)
        drawing.text(0, y + 16, row.label, "soft" if row.muted else "ink", bold=not row.muted, within=label - 6)
        if row.remark:
            drawing.text(left - 14, y + 16, row.remark, "soft", size=10, anchor="end")


def _draw_panel(drawing: Drawing, panel: ForestPanel, axis: Axis, rows: Sequence[ForestRow], index: int) -> None:
    top, bottom = HEAD, HEAD + ROW * len(rows)
    drawing.text(axis.start, 12, panel.title, "soft", size=10, bold=True)
    if panel.limit_low is not None and panel.limit_low > panel.low:
        drawing.rect(axis.start, top, axis(panel.limit_low) - axis.start, bottom - top, "zone")
    if panel.limit_high is not None and panel.limit_high < panel.high:
        drawing.rect(axis(panel.limit_high), top, axis.stop - axis(panel.limit_high), bottom - top, "zone")
    for tick, shown in _label_ticks(axis, percent=panel.percent):
        drawing.line(axis(tick), bottom, axis(tick), bottom + 4, "faint", width=0.8)
        drawing.text(axis(tick), bottom + 15, shown, "soft", size=9, anchor="middle")
    drawing.line(axis.start, bottom, axis.stop, bottom, "faint", width=0.8)
    if panel.neutral is not None:
        drawing.line(axis(panel.neutral), top, axis(panel.neutral), bottom, "faint", width=0.8)
    for limit in (panel.limit_low, panel.limit_high):
        if limit is not None and panel.low < limit < panel.high:
            drawing.line(axis(limit), top - 4, axis(limit), bottom, "limit", width=1.1, dash="4 2.5")
            shown = panel.said or tell("limit {limit}", limit=tick_text(limit, [limit, limit + 0.01]))
            drawing.text(axis(limit), top - 8, shown, "limit", size=9, anchor="middle", bold=True)
    for position, row in enumerate(rows):
        _draw_point(drawing, axis, row.points[index], HEAD + ROW * position + ROW / 2)


def _label_ticks(axis: Axis, *, percent: bool) -> list[tuple[float, str]]:
    """Return ticks with labels that do not touch each other."""
    labels: list[tuple[float, str]] = []
    for about in range(5, 0, -1):
        ticks = axis.ticks(about)
        scaled = [tick * 100 for tick in ticks] if percent else ticks
        texts = [tick_text(tick, scaled) for tick in scaled]
        labels = list(zip(ticks, map(percent_text, texts) if percent else texts, strict=True))
        if sum(text_width(text, 9) + 7 for _, text in labels) <= axis.stop - axis.start + 20:
            break
    return labels


def _draw_point(drawing: Drawing, axis: Axis, point: ForestPoint, y: float) -> None:
    shape, colour, hollow = SHAPES.get(point.status, SHAPES[""])
    if point.value is None:
        drawing.text(axis.stop + 10, y + 3.5, point.text, "soft", size=10, within=140)
        return
    if point.low is not None or point.high is not None:
        low = axis.low if point.low is None else point.low
        high = axis.high if point.high is None else point.high
        drawing.line(axis(low), y, axis(high), y, colour, width=1.6, cap="round")
        for end, inside in ((low, low >= axis.low), (high, high <= axis.high)):
            if inside:
                drawing.line(axis(end), y - 3.5, axis(end), y + 3.5, colour, width=1.2)
    drawing.mark(shape, axis(point.value), y, colour, size=4.2, hollow=hollow)
    drawing.text(axis.stop + 10, y + 3.5, point.text, "ink", size=10, within=140)
