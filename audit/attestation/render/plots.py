"""The groups of one attribute before they have a form, and their forest plot.

Comes in: rows, numbers and verdicts of one attribute. Goes out: one SVG: rate and impact ratio where people are
selected, else the two numbers that groups are best compared by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Measurement, Verdict

from . import words
from .attribute import RATE, RATIO, GroupRow
from .figures import ForestPanel, ForestPoint, ForestRow, draw_forest
from .glyphs import shorten
from .needs import UNKNOWN, Count
from .numbers import Shown, is_share, shorten_interval
from .tables import Lexicon
from .tongue import tell

FIGURE_ROWS = 30
"""Rows of one forest plot; further groups stand in the table."""
INSTEAD = ("mean_residual", "mean_error", "mae", "rmse", "mean_score", "mean_prediction", "base_rate", "auc")
"""What groups are compared by where nothing is selected: the first two that were measured."""
SIGNED = ("residual", "mean_error")
"""Numbers whose 0 is in sight: above it one side, below it the other."""


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """The rule whose limit a figure shows."""

    limit: str
    title: str
    pack: str
    basis: str


@dataclass(frozen=True, slots=True)
class Block:
    """Everything known about the groups of one attribute or intersection, before it has a form."""

    kind: tuple[str, ...]
    rows: tuple[GroupRow, ...]
    by_group: dict[str, dict[str, Measurement]]
    numbers: tuple[Measurement, ...]
    whole: tuple[Measurement, ...]
    counts: dict[str, Count]
    judged: dict[str, Verdict]
    judge: JudgedBy | None
    reference: str

    @property
    def title(self) -> str:
        """The name for readers."""
        return words.prettify(" * ".join(self.kind))

    @property
    def worst(self) -> GroupRow | None:
        """The judged group with the lowest impact ratio; of all groups where none is large enough."""
        known = [r for r in self.rows if r.ratio and r.ratio.measured and not r.reference and UNKNOWN not in r.label]
        judged = [row for row in known if row.ratio and row.ratio.assessable]
        large = [row for row in judged if not row.small]
        return min(large or judged or known, key=lambda row: self._ratio(row.label), default=None)

    def _ratio(self, label: str) -> float:
        value = self.by_group[label][RATIO].estimate.value
        return math.inf if value is None else value


def list_instead(block: Block) -> list[str]:
    """Return up to two numbers that groups are compared by where nothing is selected."""
    numbers = [item for found in block.by_group.values() for item in found.items()]
    held = {metric for metric, m in numbers if m.estimate.value is not None}
    return [name for name in (f"fairness.{metric}" for metric in INSTEAD) if name in held][:2]


def draw_groups(name: str, block: Block, title: str, lexicon: Lexicon) -> Markup:
    """Return the forest plot of one attribute.

    Parameters
    ----------
    name, title : str
        Identity and message.
    block : Block
        Its groups.
    lexicon : Lexicon
        Titles and units.
    """
    metrics = [RATE, RATIO] if any(RATE in n for n in block.by_group.values()) else list_instead(block)
    shown = block.rows[:FIGURE_ROWS]
    panels = [_panel(metric, block, lexicon) for metric in metrics]
    rows = [
        ForestRow(
            row.label,
            f"n = {row.n}" + (f" {tell('small')}" if row.small else ""),
            tuple(_point_of(metric, row, block, lexicon) for metric in metrics),
            muted=row.small,
        )
        for row in shown
    ]
    described = "; ".join(
        f"{shorten(row.label, 80)}: "
        + ", ".join(f"{words.lowered(p.title)} {point.text}" for p, point in zip(panels, row.points, strict=True))
        for row in rows
    )
    return draw_forest(name, title, described, panels, rows)


def _panel(metric: str, block: Block, lexicon: Lexicon) -> ForestPanel:
    numbers = [found[metric] for found in block.by_group.values() if metric in found]
    if metric == RATE:
        return _rate_panel(numbers)
    if metric == RATIO:
        low = next((v.limit_low for v in block.judged.values() if v.limit_low), None)
        high = next((v.limit_high for v in block.judged.values() if v.limit_high), None)
        return _ratio_panel(numbers, (low, high))
    ends = _ends(numbers) or [0.0, 1.0]
    neutral = 0.0 if any(part in metric for part in SIGNED) else None
    ends += [] if neutral is None else [neutral]
    low, high = min(ends), max(ends)
    room = max(high - low, 1e-6) * 0.12
    share = is_share(metric, lexicon.unit(metric))
    return ForestPanel(lexicon.head(metric), low - room, high + room, neutral=neutral, percent=share)


def _point_of(metric: str, row: GroupRow, block: Block, lexicon: Lexicon) -> ForestPoint:
    measured = block.by_group.get(row.label, {}).get(metric)
    if metric == RATIO:
        status = block.judged[row.label].status if row.label in block.judged else ""
        absent = tell("reference group") if row.reference else tell("not compared")
        return make_point(measured, row.ratio, status, absent)
    return make_point(measured, lexicon.show(measured) if measured else None, "")


def _ends(numbers: Sequence[Measurement]) -> list[float]:
    ends = (end for m in numbers for end in (m.estimate.value, m.estimate.low, m.estimate.high))
    return [end for end in ends if end is not None]


def _rate_panel(numbers: Sequence[Measurement]) -> ForestPanel:
    ends = _ends(numbers) or [0.0, 1.0]
    low, high = math.floor(min(ends) * 10) / 10, math.ceil(max(ends) * 10) / 10
    return ForestPanel(tell(words.SHORT_METRICS["selection_rate"]), max(0.0, low), min(1.0, high), percent=True)


def _ratio_panel(numbers: Sequence[Measurement], limits: tuple[float | None, float | None]) -> ForestPanel:
    """Return the panel of impact ratios: parity and limit always in sight, at most twice parity."""
    ends = [*_ends(numbers), 0.75, 1.1, *(limit for limit in limits if limit is not None)]
    low, high = math.floor(min(ends) * 10 - 0.5) / 10, math.ceil(max(ends) * 10) / 10
    title = tell(words.SHORT_METRICS["selection_rate_ratio"])
    return ForestPanel(title, max(0.0, low), min(2.0, high), limits[0], limits[1], neutral=1.0)


def make_point(measurement: Measurement | None, shown: Shown | None, status: str, absent: str = "") -> ForestPoint:
    """Return one number of a forest plot."""
    if measurement is None or shown is None:
        return ForestPoint(None, None, None, absent or tell("not measured"))
    estimate = measurement.estimate
    if estimate.value is None:
        return ForestPoint(None, None, None, shown.brief if shown.suppressed else shown.text)
    text = f"{shown.value} ({shown.interval})" if shown.interval else shown.value
    return ForestPoint(estimate.value, estimate.low, estimate.high, shorten_interval(text), status)
