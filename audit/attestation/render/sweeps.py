"""Other thresholds: what each group would get, and the impact ratio, at every cut on the score.

Comes in: a sweep of the evidence. Goes out: one SVG with its message. Exploratory: no interval, no verdict.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Fairness, ThresholdSweep

from . import sentences, words
from .figures import SweepLine, SweepWords, draw_sweep
from .glyphs import shorten
from .numbers import number_text, share_text
from .plots import Block

MOST = 6
"""Groups whose curves are drawn, the first of the evidence."""
LEAST_SHARE = 0.02
"""A cut that selects fewer of all people is not named as the best one: its ratio rests on a handful."""


@dataclass(frozen=True, slots=True)
class SweepBlock:
    """One attribute over all thresholds."""

    title: str
    message: str
    figure: Markup
    hidden: int
    error: str


def show_sweeps(fairness: Fairness, blocks: dict[str, Block]) -> dict[str, SweepBlock]:
    """Return the sweeps by attribute; none where there are fewer than two cuts.

    Parameters
    ----------
    fairness : Fairness
        The section.
    blocks : dict
        Attribute to what is known of its groups, for the limit.
    """
    return {
        sweep.attribute: _show(index, sweep, blocks.get(sweep.attribute))
        for index, sweep in enumerate(fairness.sweeps)
        if len(sweep.thresholds) > 1 and sweep.curves
    }


def _show(index: int, sweep: ThresholdSweep, block: Block | None) -> SweepBlock:
    title = words.prettify(sweep.attribute)
    message = _message(sweep)
    lines = [SweepLine(" · ".join(curve.values), curve.selection_rate) for curve in sweep.curves[:MOST]]
    limit = next((v.limit_low for v in block.judged.values() if v.limit_low), None) if block else None
    today = _ratio_at(sweep, sweep.today) if sweep.today is not None else None
    described = "; ".join(
        f"{shorten(line.label, 80)}: {share_text(line.y[0])} at the lowest cut, {share_text(line.y[-1])} at the highest"
        for line in lines
    ) + (f"; lowest impact ratio today {number_text(today)}" if today is not None else "")
    figure = draw_sweep(
        f"sweep{index}",
        f"{title}: {message}",
        described,
        sweep.thresholds,
        lines,
        sweep.impact_ratio,
        sweep.today,
        limit,
        SweepWords(*words.SWEEP),
    )
    error = share_text(sweep.error) if sweep.error else ""
    return SweepBlock(title, message, figure, max(0, len(sweep.curves) - MOST), error)


def _ratio_at(sweep: ThresholdSweep, cut: float) -> float | None:
    """Return the ratio at the threshold that lies nearest to a cut."""
    place = bisect_left(sweep.thresholds, cut)
    near = [i for i in (place - 1, place) if 0 <= i < len(sweep.thresholds)]
    return sweep.impact_ratio[min(near, key=lambda i: abs(sweep.thresholds[i] - cut))]


def _message(sweep: ThresholdSweep) -> str:
    known = [
        (ratio, -abs(cut - (sweep.today or 0.0)), cut)
        for ratio, cut, share in zip(sweep.impact_ratio, sweep.thresholds, sweep.selection_rate, strict=True)
        if ratio is not None and LEAST_SHARE <= share <= 1 - LEAST_SHARE
    ]
    best = max(known, default=None)
    told = (number_text(best[2]), number_text(best[0])) if best else None
    now = _ratio_at(sweep, sweep.today) if sweep.today is not None else None
    if sweep.today is None or now is None:
        return sentences.say_best_cut(told)
    return sentences.say_sweep(number_text(sweep.today), number_text(now), told)
