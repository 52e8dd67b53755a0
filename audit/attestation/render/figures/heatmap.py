"""Two attributes at once: a field per group, darker the farther it is from parity, with its number and its people.

Comes in: fields in rows and columns, each with text and a step of the scale. Goes out: one SVG that says everything
without its colours: numbers stand in the fields, fields too small to judge are hatched, verdicts carry their sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..tongue import tell
from .style import HEAT_STEPS, Drawing, text_width

WIDTH = 680.0
ROW = 40.0
HEAD = 44.0
FOOT = 46.0
WIDEST = 150.0
NARROWEST = 52.0
"""Narrowest field in which a number can be read."""


@dataclass(frozen=True, slots=True)
class HeatField:
    """One field of the map.

    Parameters
    ----------
    text, remark : str
        The number, and how many people it is about.
    step : int
        Step of the scale, 0 at parity.
    small : bool
        Whether it is too small to be judged; it is then hatched and grey.
    sign : str
        Sign of the verdict, empty where none failed or is open.
    """

    text: str
    remark: str
    step: int
    small: bool = False
    sign: str = ""


@dataclass(frozen=True, slots=True)
class HeatScale:
    """What the colours mean.

    Parameters
    ----------
    title : str
        What the fields show.
    ends : (str, str)
        Value at the palest and at the darkest end.
    small : str
        What hatched fields are; empty where there are none.
    """

    title: str
    ends: tuple[str, str]
    small: str = ""


def fits_heatmap(columns: int) -> bool:
    """Return whether so many columns find room."""
    return 0 < columns <= (WIDTH - 130) / NARROWEST


def draw_heatmap(
    name: str,
    title: str,
    description: str,
    axes: tuple[str, str],
    labels: tuple[Sequence[str], Sequence[str]],
    fields: Sequence[Sequence[HeatField | None]],
    scale: HeatScale,
) -> Markup:
    """Return a heat map.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    axes : (str, str)
        Names of the attribute down and the attribute across.
    labels : (sequence of str, sequence of str)
        Values of either.
    fields : sequence of sequence of HeatField or None
        One row per value down; None where there are no people.
    scale : HeatScale
        What the colours mean.
    """
    down, across = labels
    drawing = Drawing(WIDTH, HEAD + ROW * len(down) + FOOT)
    left = min(170.0, max([text_width(label, 11, bold=True) for label in (*down, axes[0])] + [60.0]) + 14)
    wide = min(WIDEST, (WIDTH - left) / max(1, len(across)))
    drawing.text(0, HEAD - 8, axes[0], "soft", size=10, bold=True, within=left - 8)
    drawing.text(left, 12, axes[1], "soft", size=10, bold=True)
    for column, label in enumerate(across):
        drawing.text(left + wide * (column + 0.5), HEAD - 8, label, "ink", anchor="middle", bold=True, within=wide - 6)
    for row, label in enumerate(down):
        y = HEAD + ROW * row
        drawing.text(0, y + ROW / 2 + 4, label, "ink", bold=True, within=left - 8)
        for column, field in enumerate(fields[row]):
            _draw_field(drawing, field, left + wide * column, y, wide)
    _draw_scale(drawing, scale, left, HEAD + ROW * len(down) + 18)
    return drawing.finish(name, title, description)


def _draw_field(drawing: Drawing, field: HeatField | None, x: float, y: float, wide: float) -> None:
    inner, tall, middle = wide - 3, ROW - 3, x + wide / 2 - 1.5
    if field is None:
        drawing.text(middle, y + ROW / 2 + 3, tell("no one"), "soft", size=9.5, anchor="middle", within=inner)
        return
    if field.small:
        drawing.rect(x, y, inner, tall, "band", radius=3)
        drawing.hatch(x, y, inner, tall, "none")
        ink = "ink"
    else:
        step = min(max(field.step, 0), HEAT_STEPS - 1)
        drawing.rect(x, y, inner, tall, f"heat{step}", radius=3)
        ink = f"onheat{step}"
    sign = f"{field.sign} " if field.sign else ""
    if field.small:
        drawing.rect(middle - 28, y + 4, 56, tall - 8, "band", radius=2)
    drawing.text(middle, y + 17, sign + field.text, ink, size=11.5, anchor="middle", bold=True, within=inner - 4)
    drawing.text(middle, y + 30.5, field.remark, ink, size=9.5, anchor="middle", within=inner - 4)


def _draw_scale(drawing: Drawing, scale: HeatScale, left: float, y: float) -> None:
    drawing.text(left, y + 9, scale.title, "soft", size=9.5, bold=True)
    place = left + text_width(scale.title, 9.5, bold=True) + 14
    drawing.text(place, y + 9, scale.ends[0], "soft", size=9.5)
    colours = [f"heat{step}" for step in range(HEAT_STEPS)]
    place = draw_swatches(drawing, place + text_width(scale.ends[0], 9.5) + 6, y, colours)
    drawing.text(place + 6, y + 9, scale.ends[1], "soft", size=9.5)
    if scale.small:
        draw_hatched(drawing, place + text_width(scale.ends[1], 9.5) + 26, y, scale.small)


def draw_swatches(drawing: Drawing, x: float, y: float, colours: Sequence[str], *, wide: float = 18) -> float:
    """Draw the colours of a scale side by side; return where they end."""
    for index, colour in enumerate(colours):
        drawing.rect(x + wide * index, y, wide, 11, colour)
    return x + wide * len(colours)


def draw_hatched(drawing: Drawing, x: float, y: float, text: str) -> None:
    """Draw what a hatched field looks like, and what it means."""
    drawing.rect(x, y, 18, 11, "band")
    drawing.hatch(x, y, 18, 11, "faint", gap=4)
    drawing.text(x + 24, y + 9, text, "soft", size=9.5, within=drawing.width - x - 24)
