"""Interactions as heat maps: the joint effect of two features beyond their own, one panel per model, one scale.

Comes in: surfaces of one pair. Goes out: one SVG: blue below 0, orange above, with a sign in the stronger fields, so
that neither colour nor its shade is needed to tell them apart; fields with next to no rows are hatched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..numbers import number_text
from ..tongue import tell
from .heatmap import draw_hatched, draw_swatches
from .style import SIDE_STEPS, Drawing, text_width

WIDTH = 680.0
HEAD = 22.0
GAP = 16.0
SIGNED = 2
"""Steps from 0 from which a field carries its sign."""
COLOURS = (*(f"low{s}" for s in range(SIDE_STEPS, 0, -1)), "even", *(f"high{s}" for s in range(1, SIDE_STEPS + 1)))


@dataclass(frozen=True, slots=True)
class SurfacePanel:
    """One model's surface.

    Parameters
    ----------
    title : str
        The model.
    across, down : tuple of str
        Positions of either feature as text.
    values : tuple of tuple of (float or None)
        One row per position of the second feature; None where next to no rows are.
    upward : bool
        Whether the second feature is a number, which grows upward.
    """

    title: str
    across: tuple[str, ...]
    down: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    upward: bool


def draw_surface(
    name: str,
    title: str,
    description: str,
    panels: Sequence[SurfacePanel],
    axes: tuple[str, str],
    texts: tuple[str, str],
) -> Markup:
    """Return the panels of one pair side by side.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    panels : sequence of SurfacePanel
        Models, at most three find room.
    axes : (str, str)
        Names of the feature across and the feature down.
    texts : (str, str)
        What the colours show, and what hatched fields are.
    """
    rows = max(len(panel.down) for panel in panels)
    tall = max(10.5, min(22.0, 150.0 / rows))
    left = min(92.0, max([text_width(label, 9) for panel in panels for label in panel.down] + [30.0]) + 10)
    wide = min(240.0, (WIDTH - left - GAP * (len(panels) - 1)) / len(panels))
    reach, beyond = reach_of(panels)
    bottom = HEAD + tall * rows
    drawing = Drawing(WIDTH, bottom + 62)
    drawing.text(0, 11, axes[1], "soft", size=9.5, bold=True, within=left + wide * 0.35)
    for index, panel in enumerate(panels):
        x = left + (wide + GAP) * index
        drawing.text(x + wide, 11, panel.title, "ink", size=10.5, bold=True, anchor="end", within=wide * 0.62)
        _draw_fields(drawing, panel, reach, (x, HEAD, wide / len(panel.across), tall))
        _draw_across(drawing, panel, axes[0], (x, bottom, wide))
    _draw_down(drawing, panels[0], left, tall)
    _draw_scale(drawing, (reach, beyond), texts, bottom + 46)
    return drawing.finish(name, title, description)


def reach_of(panels: Sequence[SurfacePanel]) -> tuple[float, bool]:
    """Return the value at which the colours end, and whether some fields lie beyond it.

    Parameters
    ----------
    panels : sequence of SurfacePanel
        What is drawn on one scale.

    Notes
    -----
    All of it where the largest values are no outliers; else the 95 % quantile, so that one corner leaves the rest its
    colours.
    """
    sizes = sorted(abs(v) for panel in panels for row in panel.values for v in row if v is not None)
    if not sizes or sizes[-1] == 0:
        return 1.0, False
    common = sizes[min(len(sizes) - 1, int(0.95 * len(sizes)))]
    return (common, True) if 0 < common < sizes[-1] / 1.5 else (sizes[-1], False)


def step_of(value: float, reach: float) -> int:
    """Return the step of a value on the scale, from ``-SIDE_STEPS`` to ``SIDE_STEPS``."""
    return max(-SIDE_STEPS, min(SIDE_STEPS, round(value / reach * SIDE_STEPS)))


def _draw_fields(drawing: Drawing, panel: SurfacePanel, reach: float, box: tuple[float, float, float, float]) -> None:
    """Draw the fields of one panel, neighbours of one step in a row as one box."""
    x, y, wide, tall = box
    boxes: dict[str, list[tuple[float, float, float, float]]] = {colour: [] for colour in (*COLOURS, "band")}
    signs: dict[str, list[tuple[tuple[float, float], tuple[float, float]]]] = {}
    for index, row in enumerate(reversed(panel.values) if panel.upward else panel.values):
        top = y + tall * index
        steps = [None if value is None else step_of(value, reach) for value in row]
        start = 0
        for column, step in enumerate(steps):
            if column + 1 == len(steps) or steps[column + 1] != step:
                colour = "band" if step is None else COLOURS[step + SIDE_STEPS]
                boxes[colour].append((x + wide * start, top, wide * (column + 1 - start), tall))
                start = column + 1
            if step is not None and abs(step) >= SIGNED:
                ink = "onlow" if abs(step) > SIGNED else "onhigh"
                signs.setdefault(ink, []).extend(_sign(x + wide * (column + 0.5), top + tall / 2, step))
    for colour, found in boxes.items():
        drawing.boxes(found, colour)
    for hatched in boxes["band"]:
        drawing.hatch(*hatched, "none", gap=5)
    for ink, lines in signs.items():
        drawing.strokes(lines, ink, width=1)


def _sign(x: float, y: float, step: int) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    lines = [((x - 2, y), (x + 2, y))]
    return lines if step < 0 else [*lines, ((x, y - 2), (x, y + 2))]


def _draw_across(drawing: Drawing, panel: SurfacePanel, axis: str, box: tuple[float, float, float]) -> None:
    x, y, wide = box
    step = wide / len(panel.across)
    for place in _labelled(len(panel.across), wide, max(text_width(text, 9) for text in panel.across)):
        middle, room = x + step * (place + 0.5), max(step - 2, wide / 4)
        spills = text_width(panel.across[place], 9) > step
        ends = {0: (x, "start"), len(panel.across) - 1: (x + wide, "end")} if spills and len(panel.across) > 1 else {}
        at, anchor = ends.get(place, (middle, "middle"))
        drawing.text(at, y + 12, panel.across[place], "soft", size=9, anchor=anchor, within=room)
    drawing.text(x + wide / 2, y + 26, axis, "soft", size=9.5, bold=True, anchor="middle", within=wide)


def _draw_down(drawing: Drawing, panel: SurfacePanel, left: float, tall: float) -> None:
    labels = tuple(reversed(panel.down)) if panel.upward else panel.down
    for place in _labelled(len(labels), tall * len(labels), 3):
        drawing.text(
            left - 6, HEAD + tall * (place + 0.5) + 3.2, labels[place], "soft", size=9, anchor="end", within=left - 8
        )


def _labelled(count: int, room: float, size: float) -> list[int]:
    """Return the positions that have room for a label, evenly spread, both ends among them."""
    fit = max(2, min(count, int(room / (size + 11))))
    return sorted({round(index * (count - 1) / (fit - 1)) for index in range(fit)}) if count > 1 else [0]


def _draw_scale(drawing: Drawing, ends: tuple[float, bool], texts: tuple[str, str], y: float) -> None:
    title, hatched = texts
    drawing.text(0, y + 9, title, "soft", size=9.5, bold=True, within=WIDTH / 2)
    place = min(WIDTH / 2, text_width(title, 9.5, bold=True)) + 14
    reach, beyond = ends
    low, high = number_text(-reach, 2), "+" + number_text(reach, 2)
    low, high = (tell("{limit} and below", limit=low), tell("{limit} and above", limit=high)) if beyond else (low, high)
    drawing.text(place, y + 9, low, "soft", size=9.5)
    place = draw_swatches(drawing, place + text_width(low, 9.5) + 6, y, COLOURS, wide=15)
    drawing.text(place + 6, y + 9, high, "soft", size=9.5)
    if hatched:
        draw_hatched(drawing, place + text_width(high, 9.5) + 24, y, hatched)
