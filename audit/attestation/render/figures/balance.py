"""Gains and losses: one bar per group to either side of nothing, so many of a hundred people.

Comes in: people of each group who gained and who lost a favourable decision. Goes out: one SVG; losses are hatched
where the label says that they were wrong, and every number is written beside its bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .style import Axis, Drawing, text_width, tick_text

WIDTH = 680.0
ROW = 24.0
HEAD = 30.0
FOOT = 34.0
BAR = 13.0


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One group.

    Parameters
    ----------
    label, remark : str
        Its name and its size.
    lost, gained : float
        Of a hundred people.
    wrongly : float or None
        Of the lost, those whose label is the favourable class, of a hundred people; None where it is not known.
    texts : (str, str)
        What stands beside the bars, left and right.
    muted : bool
        Whether it is small.
    """

    label: str
    remark: str
    lost: float
    gained: float
    wrongly: float | None
    texts: tuple[str, str]
    muted: bool = False


@dataclass(frozen=True, slots=True)
class BalanceWords:
    """Words of the figure: over either side, of the hatched part, below the axis."""

    lost: str
    gained: str
    wrongly: str
    unit: str


def draw_balance(name: str, title: str, description: str, rows: Sequence[BalanceRow], told: BalanceWords) -> Markup:
    """Return bars to either side.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    rows : sequence of BalanceRow
        Groups, top to bottom.
    told : BalanceWords
        Words.
    """
    drawing = Drawing(WIDTH, HEAD + ROW * len(rows) + FOOT)
    label = min(190.0, max([text_width(row.label, 11, bold=True) for row in rows] + [60.0]) + 12)
    left = label + max([text_width(row.remark, 10) for row in rows] + [0.0]) + 16
    aside = [max([text_width(row.texts[side], 10) for row in rows] + [20.0]) + 10 for side in (0, 1)]
    most = [max([row.lost for row in rows] + [0.5]), max([row.gained for row in rows] + [0.5])]
    axis = Axis(-most[0], most[1], left + aside[0], WIDTH - aside[1])
    _draw_frame(drawing, axis, len(rows), told, hatched=any(row.wrongly for row in rows))
    for index, row in enumerate(rows):
        _draw_row(drawing, axis, row, HEAD + ROW * index, label, left)
    return drawing.finish(name, title, description)


def _draw_frame(drawing: Drawing, axis: Axis, rows: int, told: BalanceWords, *, hatched: bool) -> None:
    bottom, zero = HEAD + ROW * rows, axis(0)
    ticks = axis.ticks(6)
    for tick in ticks:
        drawing.line(axis(tick), HEAD, axis(tick), bottom, "faint" if tick == 0 else "grid", width=0.8)
        drawing.text(axis(tick), bottom + 14, tick_text(abs(tick), ticks), "soft", size=9, anchor="middle")
    drawing.text((axis.start + axis.stop) / 2, bottom + 29, told.unit, "soft", size=10, anchor="middle", bold=True)
    drawing.text(zero - 8, 14, told.lost, "line1", size=10, anchor="end", bold=True)
    drawing.text(zero + 8, 14, told.gained, "line0", size=10, bold=True)
    if hatched:
        drawing.rect(2, 5, 16, 11, "line1", opacity=0.55)
        drawing.hatch(2, 5, 16, 11, "ink", gap=4)
        drawing.text(24, 14, told.wrongly, "soft", size=10, within=zero - 40 - text_width(told.lost, 10, bold=True))


def _draw_row(drawing: Drawing, axis: Axis, row: BalanceRow, top: float, label: float, left: float) -> None:
    if top > HEAD:
        drawing.line(0, top, WIDTH, top, "grid", width=0.7)
    drawing.text(0, top + 16, row.label, "soft" if row.muted else "ink", bold=not row.muted, within=label - 6)
    drawing.text(left - 14, top + 16, row.remark, "soft", size=10, anchor="end")
    y, zero = top + (ROW - BAR) / 2, axis(0)
    start, stop = axis(-row.lost), axis(row.gained)
    drawing.rect(start, y, zero - start, BAR, "line1", opacity=0.55)
    if row.wrongly:
        inner = axis(-row.wrongly)
        drawing.hatch(inner, y, zero - inner, BAR, "ink", gap=5)
    drawing.rect(zero, y, stop - zero, BAR, "line0", opacity=0.75)
    drawing.text(start - 6, top + 16, row.texts[0], "ink", size=10, anchor="end")
    drawing.text(stop + 6, top + 16, row.texts[1], "ink", size=10)
