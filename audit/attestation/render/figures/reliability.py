"""The reliability figure: observed share against mean score, with intervals, beside the diagonal.

Comes in: bins with intervals. Goes out: one SVG.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from audit.evidence import CalibrationBin

from ..tongue import percent_text, tell
from .style import Axis, Drawing


def draw_reliability(name: str, title: str, description: str, bins: Sequence[CalibrationBin]) -> Markup:
    """Return the reliability figure of `bins`."""
    drawing = Drawing(336, 292)
    across, up = Axis(0, 1, 38, 320), Axis(0, 1, 250, 10)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    for tick in ticks:
        drawing.line(across.start, up(tick), across.stop, up(tick), "grid", width=0.8)
        shown = percent_text(f"{tick * 100:.0f}")
        drawing.text(across.start - 7, up(tick) + 3.5, shown, "soft", size=9.5, anchor="end")
        drawing.text(across(tick), up.start + 16, shown, "soft", size=9.5, anchor="middle")
    drawing.line(across(0), up(0), across(1), up(1), "faint", width=1.1, dash="4 3")
    drawing.text(across(0.66), up(0.5), tell("score = outcome"), "soft", size=9.5)
    drawing.text(across(0.5), 286, tell("Mean score of the bin"), "soft", size=10, anchor="middle", bold=True)
    points = [(b.mean_score, b.observed) for b in bins if b.observed.value is not None]
    drawing.path([(across(x), up(e.value or 0.0)) for x, e in points], "net", width=1.2) if len(points) > 1 else None
    for x, estimate in points:
        if estimate.low is not None and estimate.high is not None:
            drawing.line(across(x), up(estimate.low), across(x), up(estimate.high), "net", width=1.6)
        drawing.mark("circle", across(x), up(estimate.value or 0.0), "net", size=3)
    drawing.text(across(0.02), up(0.955), tell("Observed share, 95% interval"), "net", size=10, bold=True)
    return drawing.finish(name, title, description)
