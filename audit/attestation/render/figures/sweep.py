"""Every threshold at once: what each group would get at other cuts on the score, and the impact ratio below it.

Comes in: curves over thresholds and the cut in use. Goes out: one SVG with two panels on one axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..tongue import percent_text
from .style import LINES, Axis, Drawing, spread_labels, text_width, tick_text

WIDTH = 680.0
HEIGHT = 286.0
TOP = (22.0, 146.0)
LOW = (180.0, 246.0)
DASHES = ("", "6 3", "2 2.5", "8 3 2 3", "4 2", "1.5 3")
THIN = 160


@dataclass(frozen=True, slots=True)
class SweepLine:
    """One group's curve."""

    label: str
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SweepWords:
    """Texts of the figure: titles of both panels, of the axis, and what stands at the cut in use."""

    above: str
    below: str
    across: str
    today: str


def draw_sweep(
    name: str,
    title: str,
    description: str,
    thresholds: Sequence[float],
    lines: Sequence[SweepLine],
    ratio: Sequence[float | None],
    today: float | None,
    limit: float | None,
    words: SweepWords,
) -> Markup:
    """Return curves over all thresholds.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    thresholds : sequence of float
        Cuts on the score, ascending.
    lines : sequence of SweepLine
        Selection rate of each group.
    ratio : sequence of float or None
        Lowest impact ratio at each threshold.
    today : float or None
        The cut in use.
    limit : float or None
        Limit on the ratio; the zone below it is shaded.
    words : SweepWords
        Texts.
    """
    drawing = Drawing(WIDTH, HEIGHT)
    right = WIDTH - 10 - max([text_width(line.label, 10) for line in lines] + [40.0])
    across = Axis(thresholds[0], thresholds[-1], 44, max(right, WIDTH * 0.6))
    upper, lower = Axis(0, 1, TOP[1], TOP[0]), Axis(0, 1, LOW[1], LOW[0])
    if limit is not None:
        drawing.rect(across.start, lower(limit), across.stop - across.start, lower(0) - lower(limit), "zone")
    for axis, heading in ((upper, words.above), (lower, words.below)):
        _draw_frame(drawing, across, axis, heading, percent=axis is upper)
    _draw_bottom(drawing, across, words.across)
    if today is not None and across.low <= today <= across.high:
        drawing.line(across(today), TOP[0], across(today), LOW[1], "ink", width=1.2, dash="3 3")
        end = across(today) > (across.start + across.stop) / 2
        drawing.text(
            across(today) + (-5 if end else 5),
            TOP[0] + 9,
            words.today,
            "ink",
            size=9.5,
            anchor="end" if end else "start",
        )
    ends = []
    for index, line in enumerate(lines):
        points = _thin([(across(x), upper(y)) for x, y in zip(thresholds, line.y, strict=True)])
        drawing.path(points, f"line{index % LINES}", dash=DASHES[index % len(DASHES)])
        ends.append(points[-1][1])
    for index, y in enumerate(spread_labels(ends, 12, TOP[0] + 4, TOP[1])):
        drawing.text(
            across.stop + 8,
            y + 3.5,
            lines[index].label,
            f"line{index % LINES}",
            size=10,
            within=WIDTH - across.stop - 8,
        )
    for piece in _pieces(thresholds, ratio):
        drawing.path(_thin([(across(x), lower(min(y, 1.0))) for x, y in piece]), "ink", width=2)
    return drawing.finish(name, title, description)


def _draw_frame(drawing: Drawing, across: Axis, up: Axis, heading: str, *, percent: bool) -> None:
    drawing.text(across.start, up.stop - 8, heading, "soft", size=10, bold=True)
    ticks = [0.0, 0.5, 1.0]
    for tick in ticks:
        drawing.line(across.start, up(tick), across.stop, up(tick), "grid", width=0.8)
        shown = percent_text(f"{tick * 100:.0f}") if percent else tick_text(tick, ticks)
        drawing.text(across.start - 6, up(tick) + 3.3, shown, "soft", size=9, anchor="end")


def _draw_bottom(drawing: Drawing, across: Axis, heading: str) -> None:
    ticks = across.ticks(6)
    for tick in ticks:
        drawing.line(across(tick), LOW[1], across(tick), LOW[1] + 4, "faint", width=0.8)
        drawing.text(across(tick), LOW[1] + 15, tick_text(tick, ticks), "soft", size=9, anchor="middle")
    drawing.text((across.start + across.stop) / 2, LOW[1] + 32, heading, "soft", size=9.5, anchor="middle", bold=True)


def _thin(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    step = -(-len(points) // THIN)
    return points if step <= 1 else [*points[:-1:step], points[-1]]


def _pieces(x: Sequence[float], y: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    """Return the curve in pieces, broken where it is undefined."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for place, value in zip(x, y, strict=True):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((place, value))
    return [piece for piece in pieces if len(piece) > 1]
