"""Feature by feature: the shapes of the glass boxes beside the black box's own effects, and where they part, in words.

Comes in: the effects section. Goes out: a block for each of the first `DETAIL` features, little charts of all others.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Curve, Disagreement, Effects, FeatureRug, FeatureUsed, Measurement

from . import words
from .figures import SmallChart, draw_feature, draw_small
from .figures.curves import domain
from .figures.looks import effect_range, key_of, short_name
from .glyphs import shorten
from .importance import LABELS, SURROGATES, importance_order
from .numbers import count_text, number_text, share_text, show
from .sentences import join_names
from .tongue import echo, tell

DETAIL = 10
"""Features shown with their shapes; all others are little charts."""
POINTS = 24
LEVELS = 60
"""Positions and levels in the table behind a figure."""


@dataclass(frozen=True, slots=True)
class PointRow:
    """One position of the data table behind a figure."""

    at: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeatureBlock:
    """One feature.

    Parameters
    ----------
    name, title, anchor : str
        Its column, its name for readers, its permalink.
    message : str
        Where glass box and black box part, in a sentence.
    remarks : tuple of str
        What was declared, imposed and found besides.
    scale : str
        How much its axis is enlarged against the widest one; empty for that one.
    model_figure, label_figure : Markup or None
        What the model does, what the labels say.
    heads, whats, sides : tuple of str
        Columns of the table behind the figures, what stands in their brackets, and in which figures they are drawn:
        ``m`` what the model does, ``d`` what the labels say, or both.
    points : tuple of PointRow
        The numbers.
    bands : tuple of str
        What the bands are.
    """

    name: str
    title: str
    anchor: str
    message: str
    remarks: tuple[str, ...]
    scale: str
    model_figure: Markup | None
    label_figure: Markup | None
    heads: tuple[str, ...]
    whats: tuple[str, ...]
    sides: tuple[str, ...]
    points: tuple[PointRow, ...]
    bands: tuple[str, ...]


def show_features(effects: Effects, features: tuple[FeatureUsed, ...]) -> tuple[FeatureBlock, ...]:
    """Return the blocks of the `DETAIL` most important features that have a curve.

    Parameters
    ----------
    effects : Effects
        The section.
    features : tuple of FeatureUsed
        What was declared about the features.
    """
    declared = {feature.name: feature for feature in features}
    order = _with_curves(effects)[:DETAIL]
    curves = {name: _curves_of(effects, name) for name in order}
    spans = {name: effect_range(curves[name], _drawn(curves[name], _rug_of(effects, name))) for name in order}
    widest = max(order, key=lambda name: spans[name][1] - spans[name][0], default="")
    return tuple(
        _show_feature(effects, name, f"feature-{index + 1}", curves[name], spans[name], declared.get(name), scale)
        for index, name in enumerate(order)
        for scale in [_say_scale(spans[widest], spans[name], widest)]
    )


def _with_curves(effects: Effects) -> list[str]:
    known = {curve.feature for curve in effects.curves}
    return [feature for feature in importance_order(effects) if feature in known]


def _curves_of(effects: Effects, name: str) -> list[Curve]:
    """Return a feature's curves of one kind, in the order of the models."""
    curves = [curve for curve in effects.curves if curve.feature == name]
    if len({curve.kind for curve in curves}) > 1:  # a number with few values may be levels to one model
        kept = next((c.kind for c in curves if c.model == "black_box"), curves[0].kind)
        curves = [curve for curve in curves if curve.kind == kept]
    order = {model: index for index, model in enumerate(words.MODEL_ORDER)}
    return sorted(curves, key=lambda curve: (order.get(curve.model, len(order)), curve.method == "PDP"))


def _rug_of(effects: Effects, name: str) -> FeatureRug | None:
    return next((r for r in effects.rugs if r.feature == name), None)


def _drawn(curves: list[Curve], rug: FeatureRug | None) -> tuple[float, float] | None:
    return domain(curves, rug) if curves[0].kind == "numeric" else None


def _say_scale(widest: tuple[float, float], own: tuple[float, float], name: str) -> str:
    times = (widest[1] - widest[0]) / (own[1] - own[0])
    return (
        ""
        if times < 1.05
        else tell(
            "height enlarged {times} times against {feature}", times=number_text(times, 2), feature=words.prettify(name)
        )
    )


def _show_feature(
    effects: Effects,
    name: str,
    anchor: str,
    curves: list[Curve],
    span: tuple[float, float],
    declared: FeatureUsed | None,
    scale: str,
) -> FeatureBlock:
    rug = _rug_of(effects, name)
    title, message = words.prettify(name), say_parting(effects, name, curves)
    figures = [
        _panel(f"{anchor}{side}", f"{title}: {what}", [c for c in curves if c.model in models], rug, span, message)
        for side, what, models in (
            ("m", tell("what the model does"), SURROGATES),
            ("d", tell("what the labels say"), LABELS),
        )
    ]
    banded = [c for c in curves if c.band]
    return FeatureBlock(
        name=name,
        title=title,
        anchor=anchor,
        message=message,
        remarks=(*_declared_words(effects, name, declared), *_found_words(effects, name)),
        scale=scale,
        model_figure=figures[0],
        label_figure=figures[1] if any(c.model in LABELS[1:] for c in curves) else None,
        heads=tuple(_head(curve) for curve in curves),
        whats=tuple(_what(curve) for curve in curves),
        sides=tuple(_sides(curve) for curve in curves),
        points=_points(curves),
        bands=tuple(dict.fromkeys(f"{_head(c)}: {echo(c.method)}, {echo(c.band)}" for c in banded)),
    )


def _head(curve: Curve) -> str:
    return words.model_name(curve.model, short=True) + (", PDP" if curve.method == "PDP" else "")


def _sides(curve: Curve) -> str:
    drawn_right = curve.model in LABELS and curve.method != "PDP"
    return ("m" if curve.model in SURROGATES else "") + ("d" if drawn_right else "")


def _what(curve: Curve) -> str:
    """Return what the brackets of a column hold; the spread of bags is never an interval."""
    if not curve.low:
        return ""
    return tell("95% band") if curve.band_is_interval else tell("no interval: spread of the bags")


def _panel(
    name: str, title: str, curves: list[Curve], rug: FeatureRug | None, span: tuple[float, float], message: str
) -> Markup | None:
    if name.endswith("d"):
        curves = [curve for curve in curves if curve.method != "PDP"]
    chosen = [curve for curve in curves if curve.y]
    if not chosen:
        return None
    described = "; ".join(f"{_head(c)}: {_curve_words(c)}" for c in chosen)
    text = f"{shorten(message, 300)} {described}{_gap_words(rug)}"
    return draw_feature(name, title, text, chosen, rug, span, words.prettify(chosen[0].feature))


def _gap_words(rug: FeatureRug | None) -> str:
    if rug is None or not rug.empty:
        return ""
    spans = [tell("{low} to {high}", low=number_text(a), high=number_text(b)) for a, b in rug.empty[:6]]
    return "; " + tell("next to no rows from {spans}", spans=", ".join(spans))


def _curve_words(curve: Curve) -> str:
    lowest, highest = min(curve.y), max(curve.y)
    at = [
        shorten(curve.levels[i], 60) if curve.levels else number_text(curve.x[i])
        for i in (curve.y.index(lowest), curve.y.index(highest))
    ]
    return tell(
        "lowest {lowest} at {low_place}, highest {highest} at {high_place}",
        lowest=number_text(lowest),
        low_place=at[0],
        highest=number_text(highest),
        high_place=at[1],
    )


def place_words(disagreement: Disagreement) -> str:
    """Return a place without the feature's name: ``age = 41`` becomes ``41``, ``status is married`` ``married``."""
    for sign in (" = ", " is ", " near "):
        if disagreement.at.startswith(disagreement.feature + sign):
            return echo(disagreement.at.removeprefix(disagreement.feature + sign))
    return echo(disagreement.at)


def people_near(effects: Effects, disagreement: Disagreement) -> str:
    """Return about how many audited rows lie near a disagreement; the share alone where their number is unknown."""
    rows = [m.estimate.n for m in effects.measurements if m.metric == "effects.importance" and m.estimate.n]
    share = share_text(disagreement.rows_share, decimals=1)
    if not rows:
        return tell("{share} of the rows", share=share)
    people = count_text(round(disagreement.rows_share * rows[0]))
    return tell("{share} of the rows, about {people} people", share=share, people=people)


def say_parting(effects: Effects, name: str, curves: list[Curve]) -> str:
    """Return the largest disagreement on a feature in words: how far, beyond what, over how many people.

    Parameters
    ----------
    effects : Effects
        The section.
    name : str
        The feature.
    curves : list of Curve
        Its curves.
    """
    mine = sorted((d for d in effects.disagreements if d.feature == name), key=lambda d: (-d.beyond, -abs(d.gap)))
    if not mine:
        black = next((c for c in curves if key_of(c) == "black_box"), None)
        unmeasured = tell("The black box's own effect was not measured.")
        return tell("Black box: {curve}.", curve=_curve_words(black)) if black else unmeasured
    worst = mine[0]
    at, gap = shorten(place_words(worst), 60), number_text(abs(worst.gap))
    who = words.lower_first(words.model_name(worst.model))
    if worst.beyond <= 0:
        return tell(
            "Glass box and black box agree within their bands; the largest gap is {gap}, at {place}.", gap=gap, place=at
        )
    return tell(
        "At {place} the {model} lies {gap} above the black box's own effect, {beyond} more than both bands explain; "
        "near it are {people}."
        if worst.gap > 0
        else "At {place} the {model} lies {gap} below the black box's own effect, {beyond} more than both bands "
        "explain; near it are {people}.",
        place=at,
        model=who,
        gap=gap,
        beyond=number_text(worst.beyond),
        people=people_near(effects, worst),
    )


def _declared_words(effects: Effects, name: str, declared: FeatureUsed | None) -> list[str]:
    if declared is None:
        return []
    out = [tell("Stands behind a protected attribute")] if declared.protected else []
    if declared.role:
        out.append(tell("Declared role: {role}", role=tell(declared.role.replace("_", " "))))
    if declared.monotone:
        imposed = "Imposed on the glass boxes: {direction}. Their direction is evidence of nothing"
        out.append(tell(imposed, direction=tell(declared.monotone)))
    wanted = declared.expected or declared.monotone
    moved = _number_on(effects, "effects.reversal", name, "black_box")
    if wanted and moved is not None and moved.estimate.value is not None:
        shown = show(moved.estimate)
        within = f" ({shown.level} {shown.interval})" if shown.interval else ""
        line = (
            "Expected to be {direction}: the black box never moves against it"
            if moved.estimate.value == 0
            else "Expected to be {direction}: the black box moves by {share} of its range against it"
        )
        out.append(tell(line, direction=tell(wanted), share=shown.value) + within)
    elif declared.expected:
        out.append(tell("Expected to be {direction}", direction=tell(declared.expected)))
    return out


def _found_words(effects: Effects, name: str) -> list[str]:
    """Return what else was found: protected attributes that the feature tells better than chance."""
    told = [
        f"{words.lower_first(words.prettify(m.attribute))} ({_auc(m)})"
        for m in effects.measurements
        if m.metric == "effects.proxy_strength" and m.feature == name and m.attribute and (m.estimate.low or 0) > 0.5
    ]
    return [tell("Tells {attributes} better than chance", attributes=join_names(told, 6))] if told else []


def _auc(m: Measurement) -> str:
    shown = show(m.estimate)
    return f"AUC {shown.value}, {shown.level} {shown.interval}" if shown.interval else f"AUC {shown.value}"


def _number_on(effects: Effects, metric: str, feature: str, model: str | None) -> Measurement | None:
    return next((m for m in effects.measurements if (m.metric, m.feature, m.model) == (metric, feature, model)), None)


def show_small(effects: Effects) -> tuple[Markup | None, tuple[str, ...]]:
    """Return little charts of all features after the first `DETAIL`, and these features' names."""
    charts = []
    names = _with_curves(effects)[DETAIL:]
    for name in names:
        curves = [c for c in _curves_of(effects, name) if c.model in SURROGATES and c.method != "PDP" and c.y]
        curves = curves or [c for c in _curves_of(effects, name) if c.y]
        if curves:
            charts.append(SmallChart(words.prettify(name), tuple(curves), _rug_of(effects, name)))
    if not charts:
        return None, ()
    described = "; ".join(
        f"{chart.title}: {short_name(chart.curves[0])} {_curve_words(chart.curves[0])}" for chart in charts[:40]
    )
    return draw_small("small", tell("All further features on one scale"), described, charts), tuple(names)


def _points(curves: list[Curve]) -> tuple[PointRow, ...]:
    """Return the table behind a figure: the black box's positions, thinned; of other numeric curves the nearest."""
    if not curves:
        return ()
    missing = _missing_row(curves)
    if curves[0].kind == "category":
        levels = list(dict.fromkeys(level for curve in curves for level in curve.levels))[:LEVELS]
        rows = [PointRow(shorten(level, 60), tuple(_at_level(curve, level) for curve in curves)) for level in levels]
        return (*rows, *missing)
    first = curves[0]
    step = max(1, -(-len(first.x) // POINTS))
    rows = [PointRow(number_text(x), tuple(_at_place(curve, x) for curve in curves)) for x in first.x[::step]]
    return (*rows, *missing)


def _missing_row(curves: list[Curve]) -> list[PointRow]:
    if all(curve.missing is None for curve in curves):
        return []
    return [PointRow(tell("missing"), tuple("–" if c.missing is None else _fixed(c.missing) for c in curves))]


def _fixed(value: float) -> str:
    return number_text(value, decimals=3)


def _at_level(curve: Curve, level: str) -> str:
    return _with_band(curve, curve.levels.index(level)) if level in curve.levels else "–"


def _at_place(curve: Curve, x: float) -> str:
    return _with_band(curve, min(range(len(curve.x)), key=lambda i: abs(curve.x[i] - x)))


def _with_band(curve: Curve, index: int) -> str:
    value = _fixed(curve.y[index])
    if not curve.low:
        return value
    return tell("{value} ({low} to {high})", value=value, low=_fixed(curve.low[index]), high=_fixed(curve.high[index]))
