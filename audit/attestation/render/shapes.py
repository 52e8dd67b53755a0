"""The glass boxes beside the black box: importance, one block per feature, the largest disagreements in words.

Comes in: the effects section. Goes out: blocks for the template; features beyond the first `DETAIL` stand in the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from markupsafe import Markup

from audit.evidence import Curve, Effects, FeatureRug, FeatureUsed, Measurement

from . import words
from .figures import draw_feature, draw_importance
from .figures.curves import effect_range
from .footnotes import annotate
from .glyphs import shorten
from .numbers import Shown, number_text, share_text
from .tables import Grid, GridRow, Lexicon, TableCell, make_grid, split_grid

DETAIL = 15
"""Features shown with their shapes."""
BARS = 20
"""Features in the importance figure."""
SMALL = 0.001
"""Importance below it is told as less than it, where others are a hundred times as large."""
PARTINGS = 40
"""Disagreements in the table."""
SURROGATES = ("black_box", "ebm_surrogate", "net_surrogate")
LABELS = ("black_box", "ebm_label", "net_label")


@dataclass(frozen=True, slots=True)
class PointRow:
    """One position of the data table behind a figure."""

    at: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parting:
    """One place where a surrogate's shape leaves the black box's effect, or comes nearest to it."""

    feature: str
    model: str
    at: str
    gap: str
    beyond: str
    rows: str


@dataclass(frozen=True, slots=True)
class FeatureBlock:
    """One feature."""

    name: str
    title: str
    anchor: str
    message: str
    remarks: tuple[str, ...]
    model_figure: Markup | None
    label_figure: Markup | None
    heads: tuple[str, ...]
    points: tuple[PointRow, ...]
    bands: tuple[str, ...]


def importance_order(effects: Effects) -> tuple[str, ...]:
    """Return features, most important to the black box first."""
    features = list(dict.fromkeys([c.feature for c in effects.curves] + [r.feature for r in effects.rugs]))
    scores = _importances(effects)
    rank = {feature: index for index, feature in enumerate(features)}
    for feature in scores:
        rank.setdefault(feature, len(rank))
    leading = {f: _leading(models) for f, models in scores.items()}
    return tuple(sorted(rank, key=lambda feature: (-leading.get(feature, 0.0), rank[feature])))


def _leading(models: dict[str, tuple[float, float | None, float | None]]) -> float:
    for model in ("black_box", "ebm_surrogate", "net_surrogate", "ebm_label", "net_label"):
        if model in models:
            return models[model][0]
    return 0.0


def _importances(effects: Effects) -> dict[str, dict[str, tuple[float, float | None, float | None]]]:
    found: dict[str, dict[str, tuple[float, float | None, float | None]]] = {}
    for m in effects.measurements:
        if m.metric == "effects.importance" and m.feature and m.model and m.estimate.value is not None:
            found.setdefault(m.feature, {})[m.model] = (m.estimate.value, m.estimate.low, m.estimate.high)
    return found


def show_importance(effects: Effects) -> Markup | None:
    """Return the importance figure; None where nothing was measured."""
    scores = _importances(effects)
    order = [feature for feature in importance_order(effects) if feature in scores][:BARS]
    if not order:
        return None
    shown = {m for models in scores.values() for m in models}
    models = [model for model in SURROGATES if model in shown] or [m for m in LABELS if m in shown]
    names = {model: words.model_name(model) for model in models}
    first = order[0]
    title = f"{words.prettify(first)} moves the score most"
    described = "; ".join(f"{words.prettify(f)} {number_text(_leading(scores[f]))}" for f in order)
    rows = [(words.prettify(f), {m: v for m, v in scores[f].items() if m in models}) for f in order]
    return draw_importance(
        "importance",
        title,
        f"Mean absolute effect by feature: {described}",
        rows,
        names,
        f"Mean absolute effect, {effects.scale}",
    )


def importance_grid(effects: Effects, lexicon: Lexicon) -> Grid | None:
    """Return importances by feature and model; what is tiny beside the others is told as ``< 0.001``."""
    grid = feature_grid(effects, lexicon, "effects.importance", "model")
    largest = max((v for models in _importances(effects).values() for v, _, _ in models.values()), default=0.0)
    if grid is None or largest < 100 * SMALL:
        return annotate(grid) if grid else None
    values = {
        (words.prettify(f), words.model_name(model, short=True)): v
        for f, models in _importances(effects).items()
        for model, (v, low, _) in models.items()
        if 0 < v < SMALL and low is None
    }
    rows = []
    for row in grid.rows:
        tiny = [(row.label, head) in values for head in grid.heads]
        cells = (
            replace(c, value=f"< {SMALL}") if t and isinstance(c, Shown) else c
            for c, t in zip(row.cells, tiny, strict=True)
        )
        rows.append(replace(row, cells=tuple(cells)))
    return annotate(replace(grid, rows=tuple(rows)))


def importance_message(effects: Effects) -> str:
    """Return the finding on importance in a sentence."""
    scores = _importances(effects)
    order = [feature for feature in importance_order(effects) if feature in scores]
    if not order:
        return "No importance was measured."
    total = sum(_leading(scores[f]) for f in order) or 1.0
    top = order[: min(3, len(order))]
    names = [words.prettify(f) for f in top]
    joined = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    verb = "carries" if len(top) == 1 else "carry"
    return f"{joined} {verb} {share_text(sum(_leading(scores[f]) for f in top) / total)} of all importance."


def show_features(effects: Effects, features: tuple[FeatureUsed, ...]) -> tuple[FeatureBlock, ...]:
    """Return the blocks of the `DETAIL` most important features that have a curve."""
    declared = {feature.name: feature for feature in features}
    with_curve = {curve.feature for curve in effects.curves}
    order = [feature for feature in importance_order(effects) if feature in with_curve][:DETAIL]
    return tuple(_show_feature(f, index, effects, declared.get(f)) for index, f in enumerate(order))


def _show_feature(name: str, index: int, effects: Effects, declared: FeatureUsed | None) -> FeatureBlock:
    curves = {curve.model: curve for curve in effects.curves if curve.feature == name}
    kinds = {curve.kind for curve in curves.values()}
    if len(kinds) > 1:  # a numeric column with few values may be levels to one model: draw what the black box has
        kept = curves["black_box"].kind if "black_box" in curves else sorted(kinds)[0]
        curves = {model: curve for model, curve in curves.items() if curve.kind == kept}
    rug = next((r for r in effects.rugs if r.feature == name), None)
    span = effect_range(list(curves.values()))
    title = words.prettify(name)
    message = _feature_message(name, effects, curves)
    ordered = [curves[model] for model in words.MODEL_ORDER if model in curves]
    return FeatureBlock(
        name=name,
        title=title,
        anchor=f"feature-{index + 1}",
        message=message,
        remarks=_remarks(declared, curves),
        model_figure=_panel(f"fx{index}m", f"{title}: what the model does", curves, SURROGATES, rug, span, message),
        label_figure=_panel(f"fx{index}d", f"{title}: what the labels say", curves, LABELS, rug, span, message),
        heads=tuple(words.model_name(curve.model, short=True) for curve in ordered),
        points=_points(ordered),
        bands=tuple(
            dict.fromkeys(f"{words.model_name(c.model, short=True)}: {c.method}, {c.band}" for c in ordered if c.band)
        ),
    )


def _panel(
    name: str,
    title: str,
    curves: dict[str, Curve],
    models: tuple[str, ...],
    rug: FeatureRug | None,
    span: tuple[float, float],
    message: str,
) -> Markup | None:
    chosen = [curves[model] for model in models if model in curves and curves[model].y]
    if not chosen or (models == LABELS and not any(m in curves for m in LABELS[1:])):
        return None
    described = "; ".join(f"{words.model_name(c.model)}: {_curve_words(c)}" for c in chosen)
    return draw_feature(
        name, title, f"{shorten(message, 300)} {described}", chosen, rug, span, words.prettify(chosen[0].feature)
    )


def _curve_words(curve: Curve) -> str:
    lowest, highest = min(curve.y), max(curve.y)
    at = [
        shorten(curve.levels[i], 60) if curve.levels else number_text(curve.x[i])
        for i in (curve.y.index(lowest), curve.y.index(highest))
    ]
    return f"lowest {number_text(lowest)} at {at[0]}, highest {number_text(highest)} at {at[1]}"


def show_partings(effects: Effects) -> tuple[Parting, ...]:
    """Return the rows of the table of disagreements, largest first."""
    return tuple(
        Parting(
            feature=words.prettify(d.feature),
            model=words.model_name(d.model, short=True),
            at=_place(d.at, d.feature),
            gap=number_text(d.gap),
            beyond=number_text(d.beyond) if d.beyond else "inside",
            rows=share_text(d.rows_share),
        )
        for d in effects.disagreements[:PARTINGS]
    )


def _place(at: str, feature: str) -> str:
    """Return a place without the feature's name: ``age = 41`` becomes ``41``, ``status is married`` ``married``."""
    for sign in (" = ", " is "):
        if at.startswith(feature + sign):
            return at.removeprefix(feature + sign)
    return at


def _feature_message(name: str, effects: Effects, curves: dict[str, Curve]) -> str:
    """Return the finding on a feature; the scale stands in the chapter's first lines, the name is a reader's."""
    mine = sorted((d for d in effects.disagreements if d.feature == name), key=lambda d: -d.beyond)
    if mine and (mine[0].words or mine[0].beyond > 0):
        told = mine[0].words.replace(f" ({effects.scale})", "")
        spoken = words.prettify(name)
        told = told.replace(f"At {name} is ", f"At {spoken}: ").replace(f"at {name} is ", f"at {spoken}: ")
        return told.replace(name, spoken.lower()) if "_" in name else told
    black = curves.get("black_box")
    return f"Black box: {_curve_words(black)}." if black else "The black box's own effect was not measured."


def _remarks(declared: FeatureUsed | None, curves: dict[str, Curve]) -> tuple[str, ...]:
    out = []
    if declared is not None:
        if declared.protected:
            out.append("stands behind a protected attribute")
        if declared.role:
            out.append(f"declared role: {declared.role.replace('_', ' ')}")
        if declared.monotone:
            out.append(f"the glass boxes were made {declared.monotone}: their direction is evidence of nothing")
        if declared.expected:
            out.append(f"expected to be {declared.expected}")
    missing = [
        f"{words.model_name(model, short=True)} {number_text(curves[model].missing or 0.0)}"
        for model in words.MODEL_ORDER
        if model in curves and curves[model].missing is not None
    ]
    if missing:
        out.append("effect where the value is missing: " + ", ".join(missing))
    return tuple(out)


def _points(curves: list[Curve], most: int = 24) -> tuple[PointRow, ...]:
    """Return the table behind a figure: the first curve's positions, thinned; other numeric curves interpolated."""
    if not curves:
        return ()
    first = curves[0]
    if first.kind == "category":
        levels = list(dict.fromkeys(level for curve in curves for level in curve.levels))
        return tuple(
            PointRow(shorten(level, 60), tuple(_at_level(curve, level) for curve in curves)) for level in levels[:60]
        )
    step = max(1, -(-len(first.x) // most))
    return tuple(PointRow(number_text(x), tuple(_at_place(curve, x) for curve in curves)) for x in first.x[::step])


def _at_level(curve: Curve, level: str) -> str:
    return _with_band(curve, curve.levels.index(level)) if level in curve.levels else "–"


def _at_place(curve: Curve, x: float) -> str:
    nearest = min(range(len(curve.x)), key=lambda i: abs(curve.x[i] - x))
    return _with_band(curve, nearest)


def _with_band(curve: Curve, index: int) -> str:
    value = number_text(curve.y[index], decimals=3)
    if not curve.low:
        return value
    return f"{value} ({number_text(curve.low[index], decimals=3)} to {number_text(curve.high[index], decimals=3)})"


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
    return Grid("Feature", heads, rows)


def _column(measurement: Measurement, by: str) -> str:
    return str(getattr(measurement, by) or "") or words.scope_words(measurement.group)


def feature_grids(effects: Effects, lexicon: Lexicon) -> tuple[Grid, ...]:
    """Return one table of what is known of each feature beside its importance: stand-in, reversal, disagreement."""
    parts = [
        (title, grid)
        for title, metric, by in (
            ("Stands in for {}", "effects.proxy_strength", "attribute"),
            ("Against direction, {}", "effects.reversal", "model"),
            ("Disagreement, {}", "effects.disagreement", "model"),
        )
        if not (metric == "effects.disagreement" and effects.disagreements)  # told in words already
        and (grid := feature_grid(effects, lexicon, metric, by)) is not None
    ]
    heads = tuple(title.format(head) for title, grid in parts for head in grid.heads)
    names = list(dict.fromkeys(row.label for _, grid in parts for row in grid.rows))
    found = [{row.label: row.cells for row in grid.rows} for _, grid in parts]
    blanks: list[tuple[TableCell, ...]] = [(None,) * len(grid.heads) for _, grid in parts]
    rows = tuple(
        GridRow(
            name, "", tuple(cell for known, blank in zip(found, blanks, strict=True) for cell in known.get(name, blank))
        )
        for name in names
    )
    return tuple(map(annotate, split_grid(Grid("Feature", heads, rows)))) if rows else ()


def rest_grid(effects: Effects, lexicon: Lexicon) -> Grid | None:
    """Return every further number about features that has no table of its own."""
    placed = {
        "effects.importance",
        "effects.importance_share",
        "effects.proxy_strength",
        "effects.reversal",
        "effects.disagreement",
    }
    rest = [m for m in effects.measurements if m.metric not in placed]
    if not rest:
        return None
    grid = make_grid(
        rest,
        lexicon,
        corner="About",
        key=lambda m: words.scope_words(m.group, m.feature, m.model) or "all features",
        label=str,
    )
    return annotate(grid)


def pair_rows(effects: Effects, most: int = 12) -> tuple[tuple[str, str, str], ...]:
    """Return interactions: the two features, the glass box, the importance."""
    return tuple(
        (
            f"{words.prettify(pair.features[0])} and {words.prettify(pair.features[1])}",
            words.model_name(pair.model, short=True),
            number_text(pair.importance),
        )
        for pair in effects.pairs[:most]
    )
