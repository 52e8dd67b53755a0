"""One sum drawn: a bar per step from the running total before it to the one after it.

Comes in: start and steps. Goes out: one little SVG per step, so that each stands in its row of the table.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ..tongue import tell
from .style import Axis, Drawing

WIDTH = 150.0
TALL = 12.0


def draw_steps(name: str, start: float, steps: Sequence[float], texts: Sequence[str]) -> tuple[Markup, ...]:
    """Return one bar per step, all on one axis from the smallest to the largest running total.

    Parameters
    ----------
    name : str
        Beginning of the figures' names.
    start : float
        What the sum starts from.
    steps : sequence of float
        Contributions, in order.
    texts : sequence of str
        What each bar says, for a reader who does not see it.
    """
    totals = [start]
    for step in steps:
        totals.append(totals[-1] + step)
    axis = Axis(min(0.0, *totals), max(0.0, *totals), 3, WIDTH - 3)
    return tuple(
        _draw_step(f"{name}{index}", axis, totals[index], totals[index + 1], text) for index, text in enumerate(texts)
    )


def _draw_step(name: str, axis: Axis, before: float, after: float, text: str) -> Markup:
    drawing = Drawing(WIDTH, TALL)
    drawing.line(axis(0.0), 0, axis(0.0), TALL, "faint", width=0.8)
    low, high = sorted((axis(before), axis(after)))
    drawing.rect(low, 2.5, max(high - low, 0.8), TALL - 5, "high3" if after >= before else "low3")
    drawing.line(axis(after), 0.5, axis(after), TALL - 0.5, "ink", width=1.4)
    said = tell("the line marks the running total after this step; the thin one marks 0")
    return drawing.finish(name, text, said)
