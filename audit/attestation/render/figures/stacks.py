"""Stacked bars: how the people of each group are spread over bands or classes.

Comes in: shares per group. Goes out: one SVG; every part that is wide enough carries its own share in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..numbers import share_text
from ..tongue import tell
from .style import PARTS, Drawing, text_width

WIDTH = 680.0
ROW = 27.0
BAR = 19.0
REST = "other"


@dataclass(frozen=True, slots=True)
class StackRow:
    """One bar: a name, a remark (its size), and a share of each outcome."""

    label: str
    remark: str
    shares: tuple[float, ...]
    small: bool = False


def draw_stacks(name: str, title: str, description: str, outcomes: Sequence[str], rows: Sequence[StackRow]) -> Markup:
    """Return stacked bars, one per row.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    outcomes : sequence of str
        Bands or classes in their order; those beyond the sixth are drawn as one.
    rows : sequence of StackRow
        Groups.
    """
    colours = _colours(len(outcomes))
    shown = list(outcomes) if len(outcomes) <= PARTS else [*outcomes[: PARTS - 1], tell(REST)]
    left = min(190.0, max([text_width(row.label, 11, bold=True) for row in rows] + [60.0]) + 12)
    left += max([text_width(row.remark, 10) for row in rows] + [0.0]) + 18
    lines = _lay_key(shown, left)
    head = 20.0 * (1 + max(line for line, _ in lines)) + 6
    drawing = Drawing(WIDTH, head + ROW * len(rows) + 4)
    for (line, place), outcome, colour in zip(lines, shown, colours, strict=True):
        drawing.rect(place, 3 + 20 * line, 14, 11, f"part{colour}", radius=1.5)
        drawing.text(place + 20, 12.5 + 20 * line, outcome, "soft", size=10, within=200)
    for index, row in enumerate(rows):
        _draw_bar(drawing, row, colours, left, head + ROW * index)
    return drawing.finish(name, title, description)


def _colours(count: int) -> list[int]:
    """Return the places in the palette, spread over it so that neighbours differ."""
    if count >= PARTS:
        return list(range(PARTS))
    return [round(index * (PARTS - 1) / max(1, count - 1)) for index in range(count)]


def _lay_key(outcomes: Sequence[str], left: float) -> list[tuple[int, float]]:
    places, line, place = [], 0, left
    for outcome in outcomes:
        wide = 20 + min(200.0, text_width(outcome, 10)) + 22
        if place + wide > WIDTH and place > left:
            line, place = line + 1, left
        places.append((line, place))
        place += wide
    return places


def _draw_bar(drawing: Drawing, row: StackRow, colours: Sequence[int], left: float, y: float) -> None:
    drawing.text(0, y + 14, row.label, "soft" if row.small else "ink", bold=not row.small, within=left * 0.62)
    drawing.text(left - 12, y + 14, row.remark, "soft", size=10, anchor="end")
    shares = list(row.shares)
    if len(shares) > len(colours):
        shares = [*shares[: len(colours) - 1], sum(shares[len(colours) - 1 :])]
    place, room = left, WIDTH - left
    for colour, share in zip(colours, shares, strict=True):
        wide = room * share
        drawing.rect(place, y, max(0.0, wide - 1), BAR, f"part{colour}")
        text = share_text(share, decimals=0)
        if wide > text_width(text, 10) + 8:
            drawing.text(place + wide / 2, y + 13.5, text, f"onpart{colour}", size=10, anchor="middle")
        place += wide
