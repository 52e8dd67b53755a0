"""How much each feature moves the score: the order of all features, a figure, a table, a sentence.

Comes in: the effects section. Goes out: importances as a reader meets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from markupsafe import Markup

from audit.evidence import Effects, Measurement

from . import words
from .figures import draw_importance
from .footnotes import annotate
from .numbers import Shown, number_text, share_text
from .sentences import join_names
from .tables import Grid, GridRow, Lexicon
from .tongue import echo, mark_points, tell, tell_many

BARS = 20
"""Features in the figure."""
SMALL = 0.001
"""Importance below it is told as less than it, where others are a hundred times as large."""
SURROGATES = ("black_box", "ebm_surrogate", "net_surrogate")
LABELS = ("black_box", "ebm_label", "net_label")

Importance = tuple[float, float | None, float | None]
"""Value and interval."""


def importance_order(effects: Effects) -> tuple[str, ...]:
    """Return features, most important to the black box first."""
    features = list(dict.fromkeys([c.feature for c in effects.curves] + [r.feature for r in effects.rugs]))
    scores = importances(effects)
    rank = {feature: index for index, feature in enumerate(features)}
    for feature in scores:
        rank.setdefault(feature, len(rank))
    leading = {f: leading_importance(models) for f, models in scores.items()}
    return tuple(sorted(rank, key=lambda feature: (-leading.get(feature, 0.0), rank[feature])))


def leading_importance(models: Mapping[str, Importance]) -> float:
    """Return the importance to the black box, else to the first model that has one."""
    for model in ("black_box", "ebm_surrogate", "net_surrogate", "ebm_label", "net_label"):
        if model in models:
            return models[model][0]
    return 0.0


def importances(effects: Effects) -> dict[str, dict[str, Importance]]:
    """Return feature to model to importance."""
    found: dict[str, dict[str, Importance]] = {}
    for m in effects.measurements:
        if m.metric == "effects.importance" and m.feature and m.model and m.estimate.value is not None:
            found.setdefault(m.feature, {})[m.model] = (m.estimate.value, m.estimate.low, m.estimate.high)
    return found


def show_importance(effects: Effects) -> Markup | None:
    """Return the importance figure; None where nothing was measured."""
    scores = importances(effects)
    order = [feature for feature in importance_order(effects) if feature in scores][:BARS]
    if not order:
        return None
    shown = {m for models in scores.values() for m in models}
    models = [model for model in SURROGATES if model in shown] or [m for m in LABELS if m in shown]
    title = tell("{feature} moves the score most", feature=words.prettify(order[0]))
    described = "; ".join(f"{words.prettify(f)} {number_text(leading_importance(scores[f]))}" for f in order)
    return draw_importance(
        "importance",
        title,
        tell("Mean absolute effect by feature: {described}", described=described),
        [(words.prettify(f), {m: v for m, v in scores[f].items() if m in models}) for f in order],
        {model: words.model_name(model) for model in models},
        tell("Mean absolute effect, {scale}", scale=echo(effects.scale)),
    )


def importance_grid(effects: Effects, lexicon: Lexicon) -> Grid | None:
    """Return importances by feature and model; what is tiny beside the others is told as ``< 0.001``."""
    grid = feature_grid(effects, lexicon, "effects.importance", "model")
    scores = importances(effects)
    largest = max((v for models in scores.values() for v, _, _ in models.values()), default=0.0)
    if grid is None or largest < 100 * SMALL:
        return annotate(grid) if grid else None
    values = {
        (words.prettify(f), words.model_name(model, short=True)): v
        for f, models in scores.items()
        for model, (v, low, _) in models.items()
        if 0 < v < SMALL and low is None
    }
    rows = []
    for row in grid.rows:
        tiny = [(row.label, head) in values for head in grid.heads]
        cells = (
            replace(c, value=mark_points(f"< {SMALL}")) if t and isinstance(c, Shown) else c
            for c, t in zip(row.cells, tiny, strict=True)
        )
        rows.append(replace(row, cells=tuple(cells)))
    return annotate(replace(grid, rows=tuple(rows)))


def importance_message(effects: Effects) -> str:
    """Return the finding on importance in a sentence."""
    scores = importances(effects)
    order = [feature for feature in importance_order(effects) if feature in scores]
    if not order:
        return tell("No importance was measured.")
    total = sum(leading_importance(scores[f]) for f in order) or 1.0
    top = order[:3]
    share = share_text(sum(leading_importance(scores[f]) for f in top) / total)
    return tell_many(
        "{features} carries {share} of all importance.",
        "{features} carry {share} of all importance.",
        len(top),
        features=join_names([words.prettify(f) for f in top]),
        share=share,
    )


def feature_grid(effects: Effects, lexicon: Lexicon, metric: str, by: str) -> Grid | None:
    """Return a table of one metric: features by model or by attribute; None where there is no such number.

    Parameters
    ----------
    effects : Effects
        The section.
    lexicon : Lexicon
        Titles and units.
    metric : str
        Metric id.
    by : str
        ``model`` or ``attribute``: what the columns are.
    """
    chosen: list[Measurement] = [m for m in effects.measurements if m.metric == metric and m.feature]
    if by == "attribute":  # the attribute as a whole; its single groups stand in the embedded data
        chosen = [m for m in chosen if m.attribute] or chosen
    if not chosen:
        return None
    keys = list(dict.fromkeys(_column(m, by) for m in chosen))
    if by == "model":
        keys.sort(key=lambda model: words.MODEL_ORDER.index(model) if model in words.MODEL_ORDER else 9)
    found: dict[str, dict[str, Shown]] = {}
    for m in chosen:
        found.setdefault(m.feature or "", {})[_column(m, by)] = lexicon.show(m)
    order = {feature: index for index, feature in enumerate(importance_order(effects))}
    names = sorted(found, key=lambda feature: order.get(feature, len(order)))
    heads = tuple(words.model_name(key, short=True) if by == "model" else words.prettify(key) for key in keys)
    rows = tuple(GridRow(words.prettify(f), "", tuple(found[f].get(key) for key in keys)) for f in names)
    return Grid(tell("Feature"), heads, rows)


def _column(measurement: Measurement, by: str) -> str:
    return str(getattr(measurement, by) or "") or words.scope_words(measurement.group)
