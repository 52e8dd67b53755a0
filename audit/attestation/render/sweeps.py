"""Other thresholds: what each group would get, and the impact ratio, at every cut on the score.

Comes in: a sweep of the evidence. Goes out: one SVG with its message. Exploratory: no interval, no verdict.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Fairness, ThresholdSweep

from . import fairness_words, sentences, words
from .figures import SweepLine, SweepWords, draw_sweep
from .glyphs import shorten
from .numbers import number_text, share_text
from .plots import Block
from .tongue import tell

MOST = 6
"""Groups whose curves are drawn, the first of the evidence."""
LEAST_SHARE = 0.02
"""A cut that selects or refuses fewer of all people is not named: it decides nothing."""


@dataclass(frozen=True, slots=True)
class SweepBlock:
    """One attribute over all thresholds."""

    title: str
    message: str
    figure: Markup
    hidden: int
    error: str
    limited: bool
    in_use: bool
    beyond: bool


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
    limit = next((v.limit_low for v in block.judged.values() if v.limit_low), None) if block else None
    message = _message(sweep, limit)
    lines = [SweepLine(" · ".join(curve.values), curve.selection_rate) for curve in sweep.curves[:MOST]]
    today = _ratio_at(sweep, sweep.today) if sweep.today is not None else None
    described = "; ".join(
        tell(
            "{group}: {first} at the lowest cut, {last} at the highest",
            group=shorten(line.label, 80),
            first=share_text(line.y[0]),
            last=share_text(line.y[-1]),
        )
        for line in lines
    )
    if today is not None:
        described += "; " + tell("lowest impact ratio today {ratio}", ratio=number_text(today))
    figure = draw_sweep(
        f"sweep{index}",
        f"{title}: {message}",
        described,
        sweep.thresholds,
        lines,
        sweep.impact_ratio,
        sweep.today,
        limit,
        SweepWords(*map(tell, fairness_words.SWEEP)),
    )
    error = share_text(sweep.error) if sweep.error else ""
    return SweepBlock(
        title,
        message,
        figure,
        hidden=max(0, len(sweep.curves) - MOST),
        error=error,
        limited=limit is not None,
        in_use=sweep.today is not None,
        beyond=limit is not None and today is not None and today < limit,
    )


def _ratio_at(sweep: ThresholdSweep, cut: float) -> float | None:
    """Return the ratio at the threshold that lies nearest to a cut."""
    place = bisect_left(sweep.thresholds, cut)
    near = [i for i in (place - 1, place) if 0 <= i < len(sweep.thresholds)]
    return sweep.impact_ratio[min(near, key=lambda i: abs(sweep.thresholds[i] - cut))]


def _message(sweep: ThresholdSweep, limit: float | None) -> str:
    now = _ratio_at(sweep, sweep.today) if sweep.today is not None else None
    if sweep.today is None or now is None:
        return sentences.say_cuts()
    open_limit = limit if limit is not None and now < limit else None
    near = _nearest(sweep, sweep.today, open_limit) if open_limit is not None else None
    return sentences.say_sweep(number_text(sweep.today), number_text(now), open_limit, near)


def _nearest(sweep: ThresholdSweep, today: float, limit: float) -> tuple[str, str, str] | None:
    """Return the nearest cut that meets the limit with enough people on both sides, and the shares there and today."""
    shares = dict(zip(sweep.thresholds, sweep.selection_rate, strict=True))
    meeting = [
        cut
        for cut, ratio in zip(sweep.thresholds, sweep.impact_ratio, strict=True)
        if ratio is not None and ratio >= limit and LEAST_SHARE <= shares[cut] <= 1 - LEAST_SHARE
    ]
    if not meeting:
        return None
    cut = min(meeting, key=lambda place: abs(place - today))
    here = min(shares, key=lambda place: abs(place - today))
    return number_text(cut), share_text(shares[cut]), share_text(shares[here])
