"""The price of transparency: what the black box is worth over glass boxes fitted on the labels, with its interval.

Comes in: the performance section. Goes out: a message, a line per glass box, a figure of the paired differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Measurement

from . import words
from .effect_words import PRICE_TITLES
from .figures import ForestPanel, ForestPoint, ForestRow, draw_forest
from .numbers import is_share, number_text
from .tables import Lexicon
from .tongue import tell

MEASURES = (("auc_gap", "AUC", 1), ("accuracy_gap", "accuracy", 1), ("rmse_gap", "root mean squared error", -1))
"""Gap, what it is in, and whether a positive gap speaks for the black box."""
PANELS = 2


@dataclass(frozen=True, slots=True)
class Price:
    """What the black box is worth.

    Parameters
    ----------
    message : str
        The finding.
    lines : tuple of str
        One per glass box.
    figure : Markup or None
        Paired differences with intervals.
    """

    message: str
    lines: tuple[str, ...]
    figure: Markup | None


@dataclass(frozen=True, slots=True)
class Worth:
    """A paired difference turned so that above 0 the black box predicts better."""

    model: str
    value: float
    low: float
    high: float
    scale: float

    @property
    def text(self) -> str:
        """Value and interval as text."""
        value, low, high = (self.told(end) for end in (self.value, self.low, self.high))
        return tell("{value} (95% {low} to {high})", value=value, low=low, high=high)

    def told(self, value: float) -> str:
        """Return one end as text, shares in percentage points."""
        wide = max(abs(self.low), abs(self.high)) * self.scale
        decimals = 1 if self.scale == 100 else 4 if wide < 1 else 2
        number = number_text(value * self.scale, decimals=decimals)
        return tell("{number} percentage points", number=number) if self.scale == 100 else number


def show_price(gaps: Sequence[Measurement], lexicon: Lexicon) -> Price:
    """Return the price of transparency.

    Parameters
    ----------
    gaps : sequence of Measurement
        Paired differences black box minus glass box.
    lexicon : Lexicon
        Titles and units.
    """
    for name, unit, sign in MEASURES:
        worths = [w for m in gaps if m.metric.endswith(name) and (w := _worth(m, sign, lexicon)) is not None]
        unit = tell(unit)
        labels = [worth for worth in worths if worth.model.endswith("_label")] or worths
        if labels:
            best = min(labels, key=lambda worth: worth.value)
            lines = tuple(_say_line(worth, unit) for worth in labels)
            return Price(_say_best(best, unit, alone=len(labels) == 1), lines, _draw(gaps, lexicon))
    return Price(tell("Black box and glass boxes on the same rows, each number with its interval."), (), None)


def _worth(m: Measurement, sign: int, lexicon: Lexicon) -> Worth | None:
    e = m.estimate
    if e.value is None or e.low is None or e.high is None or m.model is None:
        return None
    low, high = sorted((sign * e.low, sign * e.high))
    share = is_share(m.metric, lexicon.unit(m.metric)) or m.metric.endswith("accuracy_gap")
    return Worth(m.model, sign * e.value, low, high, 100.0 if share else 1.0)


def _say_best(best: Worth, unit: str, *, alone: bool) -> str:
    who = words.lower_first(words.model_name(best.model))
    rival = tell("the {model}" if alone else "the better of the two glass boxes, the {model}", model=who)
    if best.low > 0:
        return tell(
            "The black box predicts better than {rival}: it is worth {value} in {unit}, at least {low} and at most "
            "{high}.",
            rival=rival,
            value=best.told(best.value),
            unit=unit,
            low=best.told(best.low),
            high=best.told(best.high),
        )
    if best.high <= 0:
        return tell(
            "The black box predicts no better than {rival}: the glass box predicts better, by {value} in {unit} (95% "
            "{low} to {high}).",
            rival=rival,
            value=best.told(-best.value),
            unit=unit,
            low=best.told(-best.high),
            high=best.told(-best.low),
        )
    return tell(
        "No loss is shown by giving up the black box: over {rival} it is worth at most {high} in {unit}.",
        rival=rival,
        high=best.told(best.high),
        unit=unit,
    )


def _say_line(worth: Worth, unit: str) -> str:
    better, worse = worth.low > 0, worth.high < 0
    line = (
        "Against the {model} the black box is better: {worth} in {unit}."
        if better
        else "Against the {model} the black box is worse: {worth} in {unit}."
        if worse
        else "Against the {model} the black box is shown neither better nor worse: {worth} in {unit}."
    )
    return tell(line, model=words.lower_first(words.model_name(worth.model)), worth=worth.text, unit=unit)


def _draw(gaps: Sequence[Measurement], lexicon: Lexicon) -> Markup | None:
    known = {m.metric for m in gaps}
    metrics = [metric for name, _, _ in MEASURES for metric in sorted(known) if metric.endswith(name)][:PANELS]
    models = [m for m in words.MODEL_ORDER if any(gap.model == m and gap.metric in metrics for gap in gaps)]
    if not models:
        return None
    found = {(m.model, m.metric): m for m in gaps}
    rows = [
        ForestRow(
            words.model_name(model, short=True),
            "",
            tuple(_point(found.get((model, metric))) for metric in metrics),
        )
        for model in models
    ]
    panels = [_panel(metric, [m for m in gaps if m.metric == metric], lexicon) for metric in metrics]
    described = "; ".join(
        f"{words.model_name(m.model)}: {lexicon.title(m.metric)} {lexicon.show(m).text}"
        for m in gaps
        if m.metric in metrics
    )
    return draw_forest("forest-price", tell("Black box minus glass box"), described, panels, rows)


def _panel(metric: str, gaps: Sequence[Measurement], lexicon: Lexicon) -> ForestPanel:
    ends = [abs(end) for m in gaps for end in (m.estimate.value, m.estimate.low, m.estimate.high) if end is not None]
    reach = 1.15 * max([*ends, 0.002])
    short = PRICE_TITLES.get(metric.rpartition(".")[2], "")
    title = tell(short) if short else lexicon.title(metric)
    return ForestPanel(title, -reach, reach, neutral=0.0)


def _point(m: Measurement | None) -> ForestPoint:
    if m is None or m.estimate.value is None:
        return ForestPoint(None, None, None, tell("not measured"))
    e, value = m.estimate, m.estimate.value
    if e.low is None or e.high is None:
        return ForestPoint(value, e.low, e.high, number_text(value, decimals=3))
    decimals = 3 if max(abs(value), abs(e.low), abs(e.high)) < 10 else 1
    first, low, high = (number_text(end, decimals=decimals) for end in (value, e.low, e.high))
    text = tell("{value} ({low} to {high})", value=first, low=low, high=high)
    return ForestPoint(value, e.low, e.high, text)
