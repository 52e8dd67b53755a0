"""Flipped decisions against the size of the change: one line per kind of change, each point with its interval.

Comes in: lines of points. Goes out: one SVG.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..tongue import mark_points, percent_text
from .style import Axis, Drawing, spread_labels, text_width, tick_text

WIDTH = 520.0
HEIGHT = 216.0
LOOKS = (("net", "circle", ""), ("ebm", "diamond", "5 2.5"))
"""Colour, mark and dash of each line."""


@dataclass(frozen=True, slots=True)
class FlipLine:
    """One kind of change.

    Parameters
    ----------
    label : str
        Its name.
    points : tuple of (size, rate, low, high)
        Sizes ascending.
    """

    label: str
    points: tuple[tuple[float, float, float | None, float | None], ...]


def draw_flips(name: str, title: str, description: str, lines: Sequence[FlipLine], words: tuple[str, str]) -> Markup:
    """Return the figure.

    Parameters
    ----------
    name, title, description : str
        Identity and text alternative.
    lines : sequence of FlipLine
        At most two.
    words : tuple of str
        What stands above, and along the horizontal axis.
    """
    drawing = Drawing(WIDTH, HEIGHT)
    ends = [end for line in lines for _, rate, _, high in line.points for end in (rate, high or 0.0)]
    sizes = sorted({size for line in lines for size, *_ in line.points})
    room = max(text_width(line.label, 10) for line in lines) + 14
    across = Axis(0, max(sizes), 48, WIDTH - room - 6)
    up = Axis(0, max([*ends, 0.01]) * 1.04, HEIGHT - 44, 24)
    drawing.text(across.start, 12, words[0], "soft", size=10, bold=True)
    ticks = up.ticks(4)
    percent = [100 * tick for tick in ticks]
    for tick, shown in zip(ticks, percent, strict=True):
        drawing.line(across.start, up(tick), across.stop, up(tick), "grid", width=0.8)
        text = percent_text(tick_text(shown, percent))
        drawing.text(across.start - 6, up(tick) + 3.3, text, "soft", size=9, anchor="end")
    for size in (0.0, *sizes):
        drawing.line(across(size), up.start, across(size), up.start + 4, "faint", width=0.8)
        drawing.text(across(size), up.start + 15, mark_points(f"{size:g}"), "soft", size=9, anchor="middle")
    middle = (across.start + across.stop) / 2
    drawing.text(middle, HEIGHT - 8, words[1], "soft", size=9.5, anchor="middle", bold=True)
    tops = []
    for line, (colour, mark, dash) in zip(lines, LOOKS, strict=False):
        points = [(across(size), up(rate)) for size, rate, *_ in line.points]
        drawing.path([(across(0), up(0)), *points], colour, dash=dash)
        for (x, y), (_, _, low, high) in zip(points, line.points, strict=True):
            if low is not None and high is not None:
                drawing.line(x, up(low), x, up(high), colour, width=1.4)
            drawing.mark(mark, x, y, colour, size=3.4)
        tops.append(points[-1][1])
    for index, y in enumerate(spread_labels(tops, 13, 28, up.start)):
        drawing.text(across.stop + 10, y + 3.5, lines[index].label, LOOKS[index][0], size=10, bold=True)
    return drawing.finish(name, title, description)
