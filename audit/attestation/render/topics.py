"""What else is known of features and shapes, topic by topic: proxies, concurvity, directions, jumps, extrapolation.

Comes in: the effects section, the verdicts. Goes out: one sentence per topic for the chapter, one table for the annex;
which number is too high is said by a rule, never here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from audit.evidence import Effects, Judgement, Measurement

from . import words
from .effect_words import EFFECT_TOPICS
from .footnotes import annotate
from .importance import feature_grid, importance_grid
from .numbers import share_text, show
from .panels import value_grid
from .sentences import join_names
from .tables import Grid, GridRow, Lexicon, split_grid
from .tongue import echo, tell, tell_many

FLAGGED = ("fail", "error", "warn", "inconclusive", "waived")
CHANCE = 0.5
"""AUC of a feature that tells nothing of an attribute."""


Captioned = tuple[str, Grid]
"""A table and what stands above it; empty where its topic's heading says it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Parameters
    ----------
    anchor, title : str
        Permalink and heading in the annex.
    finding : str
        One sentence.
    reading : str
        How the numbers are to be read.
    grids : tuple of (caption, Grid)
        Its tables.
    """

    anchor: str
    title: str
    finding: str
    reading: str
    grids: tuple[Captioned, ...]


def show_topics(effects: Effects, judgement: Judgement, lexicon: Lexicon) -> tuple[Topic, ...]:
    """Return all topics of which there are numbers; every number of the section stands in one of them.

    Parameters
    ----------
    effects : Effects
        The section.
    judgement : Judgement
        Verdicts: a feature that a rule holds against itself is named as such.
    lexicon : Lexicon
        Titles and units.
    """
    parted = () if effects.disagreements else _by_model(effects, lexicon, "effects.disagreement")
    found = (
        ("proxies", _say_proxies(effects, judgement), _proxy_grids(effects, judgement, lexicon)),
        ("concurvity", _say_concurvity(effects), _concurvity_grids(effects, lexicon)),
        ("directions", _say_directions(effects), _by_model(effects, lexicon, "effects.reversal")),
        ("jumps", _say_jumps(effects), _by_model(effects, lexicon, "effects.jump")),
        ("extrapolation", _say_extrapolation(effects), _values(effects, lexicon, "effects.extrapolation_share")),
        ("interactions", _say_interactions(effects), _across_models(effects, lexicon, "effects.interaction_share")),
        ("importance", "", _importance_grids(effects, lexicon)),
        ("disagreement", "", parted),
        ("further", "", _rest(effects, lexicon)),
    )
    return tuple(
        Topic(f"topic-{name}", tell(EFFECT_TOPICS[name][0]), finding, tell(EFFECT_TOPICS[name][1]), grids)
        for name, finding, grids in found
        if grids
    )


def _numbers(effects: Effects, metric: str) -> list[Measurement]:
    return [m for m in effects.measurements if m.metric == metric and m.estimate.value is not None]


def _value(measurement: Measurement) -> float:
    return measurement.estimate.value or 0.0


def _by_model(effects: Effects, lexicon: Lexicon, metric: str, caption: str = "") -> tuple[Captioned, ...]:
    grid = feature_grid(effects, lexicon, metric, "model")
    return ((caption, annotate(grid)),) if grid else ()


def _values(effects: Effects, lexicon: Lexicon, metric: str) -> tuple[Captioned, ...]:
    grid = value_grid([m for m in effects.measurements if m.metric == metric], lexicon)
    return (("", grid),) if grid else ()


def _across_models(effects: Effects, lexicon: Lexicon, metric: str) -> tuple[Captioned, ...]:
    """Return a table of one metric without features: attributes down, models across."""
    numbers = [m for m in effects.measurements if m.metric == metric]
    models = [model for model in words.MODEL_ORDER if any(m.model == model for m in numbers)]
    found = {(m.attribute or "", m.model): lexicon.show(m) for m in numbers}
    names = dict.fromkeys(attribute for attribute, _ in found)
    if not models:
        return ()
    rows = [
        GridRow(words.prettify(name) if name else tell("All features"), "", tuple(found.get((name, m)) for m in models))
        for name in names
    ]
    heads = tuple(words.model_name(model, short=True) for model in models)
    grid = Grid(tell("Attribute") if any(names) else tell("Of"), heads, tuple(rows))
    return ((lexicon.title(metric) if any(names) else "", annotate(grid)),)


def _importance_grids(effects: Effects, lexicon: Lexicon) -> tuple[Captioned, ...]:
    grid = importance_grid(effects, lexicon)
    first = ((tell("Mean absolute effect, {scale}", scale=echo(effects.scale)), grid),) if grid else ()
    return (*first, *_by_model(effects, lexicon, "effects.importance_share", tell("Share of all importance")))


def flagged_features(judgement: Judgement, metric: str) -> dict[str, str]:
    """Return features that a rule on `metric` does not pass, with the sign and word of the worst verdict."""
    found: dict[str, str] = {}
    for finding in judgement.findings:
        for verdict in finding.verdicts:
            if verdict.metric == metric and verdict.feature and verdict.status in FLAGGED:
                sign = words.VERDICTS[verdict.status]
                found.setdefault(verdict.feature, f"{sign.sign} {tell(sign.word.lower())}")
    return found


def _proxy_grids(effects: Effects, judgement: Judgement, lexicon: Lexicon) -> tuple[Captioned, ...]:
    together = _across_models(effects, lexicon, "effects.proxy_importance")
    grid = feature_grid(effects, lexicon, "effects.proxy_strength", "attribute")
    if grid is None:
        return together
    flags = {words.prettify(name): text for name, text in flagged_features(judgement, "effects.proxy_strength").items()}
    marked = replace(grid, rows=tuple(replace(row, remark=flags.get(row.label, "")) for row in grid.rows))
    return (*(("", annotate(part)) for part in split_grid(marked)), *together)


def _say_proxies(effects: Effects, judgement: Judgement) -> str:
    numbers = [m for m in _numbers(effects, "effects.proxy_strength") if m.attribute and m.feature]
    if not numbers:
        return ""
    told = [m for m in numbers if (m.estimate.low or 0.0) > CHANCE]
    if not told:
        return tell("No feature alone tells a protected attribute better than chance.")
    worst = max(told, key=_value)
    flagged = flagged_features(judgement, "effects.proxy_strength")
    judged = flagged.get(worst.feature or "")
    rule = " " + tell("(judged by a rule: {verdict})", verdict=judged) if judged else ""
    best = tell(
        "{feature} tells {attribute} best, AUC {number}{rule}.",
        feature=words.prettify(worst.feature or ""),
        attribute=words.lower_first(words.prettify(worst.attribute or "")),
        number=show(worst.estimate).text,
        rule=rule,
    )
    others = list(dict.fromkeys(words.prettify(m.feature or "") for m in told if m.feature != worst.feature))
    if not others:
        return best
    more = tell_many(
        "So does, less well: {names}.", "So do, less well: {names}.", len(others), names=join_names(others)
    )
    return f"{best} {more}"


def _concurvity_grids(effects: Effects, lexicon: Lexicon) -> tuple[Captioned, ...]:
    own = _by_model(effects, lexicon, "effects.concurvity")
    told = [m for m in effects.measurements if m.metric == "effects.redundancy" and m.feature]
    if not told:
        return own
    rows = tuple(GridRow(words.prettify(m.feature or ""), "", (lexicon.show(m),)) for m in told)
    grid = annotate(Grid(tell("Feature"), (lexicon.head("effects.redundancy"),), rows))
    return (*own, (tell("How well the other features tell the feature itself"), grid))


def _largest(numbers: Sequence[Measurement], say: Callable[[Measurement], str]) -> str:
    return say(max(numbers, key=_value)) if numbers else ""


def _say_concurvity(effects: Effects) -> str:
    numbers = [m for m in _numbers(effects, "effects.concurvity") if m.model and m.model.endswith("_surrogate")]
    numbers = numbers or _numbers(effects, "effects.concurvity")
    return _largest(
        numbers,
        lambda m: tell(
            "The contribution of {feature} repeats the others most: R² {number} ({model}).",
            feature=_within(m),
            number=show(m.estimate).text,
            model=words.model_name(m.model, short=True),
        ),
    )


def _say_directions(effects: Effects) -> str:
    numbers = [m for m in _numbers(effects, "effects.reversal") if m.model == "black_box"]
    if not numbers:
        return ""
    beyond = [m for m in numbers if (m.estimate.low or 0.0) > 0]
    if not beyond:
        return tell(
            "None of {number} directions that were expected is broken by the black box beyond its band.",
            number=len(numbers),
        )
    return _largest(
        beyond,
        lambda m: tell(
            "The black box moves against what is expected of {feature} by {number} of its range.",
            feature=_within(m),
            number=show(m.estimate).text,
        ),
    )


def _say_jumps(effects: Effects) -> str:
    numbers = [m for m in _numbers(effects, "effects.jump") if m.model == "black_box"]
    return _largest(
        numbers,
        lambda m: tell(
            "The black box's steepest step between neighbouring positions is in {feature}: {number} of its range.",
            feature=_within(m),
            number=show(m.estimate).text,
        ),
    )


def _within(measurement: Measurement) -> str:
    """Return the measurement's feature as it stands within a sentence."""
    return words.lower_first(words.prettify(measurement.feature or ""))


def _say_extrapolation(effects: Effects) -> str:
    numbers = [m for m in _numbers(effects, "effects.extrapolation_share") if not m.feature]
    if not numbers:
        return ""
    shown, value = show(numbers[0].estimate, "effects.extrapolation_share", "share"), _value(numbers[0])
    if value == 0 and numbers[0].estimate.note:
        return words.sentence(echo(numbers[0].estimate.note))
    if value == 0:
        return tell("No audited row lies outside what the glass boxes were fitted on.")
    return tell("{number} of the audited rows lie outside what the glass boxes were fitted on.", number=shown.text)


def _say_interactions(effects: Effects) -> str:
    numbers = {m.model: _value(m) for m in _numbers(effects, "effects.interaction_share") if m.model}
    if not numbers:
        return ""
    told = [
        tell(INTERACTIONS_HOLD[model], share=share_text(value))
        for model, value in numbers.items()
        if model in INTERACTIONS_HOLD
    ]
    return tell("They hold {shares}.", shares=join_names(told, 4)) if told else ""


INTERACTIONS_HOLD = {
    "black_box": "{share} of importance in the black box",
    "ebm_surrogate": "{share} of importance in the boosting machine",
    "net_surrogate": "{share} of importance in the additive net",
}
"""Model to what its interactions hold, as a part of a sentence."""
PLACED = frozenset(
    {
        "effects.importance",
        "effects.importance_share",
        "effects.proxy_strength",
        "effects.proxy_importance",
        "effects.reversal",
        "effects.disagreement",
        "effects.jump",
        "effects.concurvity",
        "effects.redundancy",
        "effects.extrapolation_share",
        "effects.interaction_share",
    }
)


def _rest(effects: Effects, lexicon: Lexicon) -> tuple[Captioned, ...]:
    """Return every number that has no topic of its own, so that none is lost."""
    grid = value_grid([m for m in effects.measurements if m.metric not in PLACED], lexicon)
    return (("", grid),) if grid else ()
