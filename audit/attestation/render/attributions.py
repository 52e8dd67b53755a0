"""Attributions as a reader meets them: one figure of all methods, one table that compares them, the lesser ones behind.

Comes in: the section on attributions, and the importances of the glass boxes beside it. Goes out: `AttributionsShown`,
or None where the section was not carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Attributions, Effects, Estimate, Evidence, Explainer

from . import method_words, words
from .change_numbers import say_place
from .figures import draw_dots
from .footnotes import annotate
from .method_words import METHODS, MethodWords
from .numbers import Shown, count_text, number_text, share_text, show
from .tables import Grid, GridRow, Lexicon, TableCell, split_grid
from .tongue import echo, tell

SHOWN = 10
"""Features in the figure; all stand in the tables."""
Dot = tuple[float, float | None, float | None]


@dataclass(frozen=True, slots=True)
class MethodShown:
    """One method with its words."""

    words: MethodWords
    software: str
    not_done: str


@dataclass(frozen=True, slots=True)
class AttributionsShown:
    """The chapter."""

    message: str
    figure: Markup | None
    compare: Grid
    methods: tuple[MethodShown, ...]
    reference: str
    numbers: Grid | None
    annex: tuple[Grid, ...]
    beyond: int
    control: str


def show_attributions(evidence: Evidence, lexicon: Lexicon) -> AttributionsShown | None:
    """Return the attributions; None where they were not measured.

    Parameters
    ----------
    evidence : Evidence
        The document.
    lexicon : Lexicon
        Not needed by the numbers of the methods, which carry their own units.
    """
    part = evidence.attributions
    if not isinstance(part, Attributions):
        return None
    done = [item for item in part.methods if not item.not_done]
    main = [item for item in done if not _words_of(item).lesser]
    lesser = [item for item in done if _words_of(item).lesser]
    shares = {item.method: _shares(item) for item in main} | _glass_shares(evidence)
    order = _order(main)
    return AttributionsShown(
        message=_message(main),
        figure=_figure(shares, order),
        compare=_compare(done),
        methods=tuple(MethodShown(_words_of(item), item.software, echo(item.not_done)) for item in part.methods),
        reference="; ".join(f"{words.prettify(item.feature)}: {say_place(item.value)}" for item in part.reference),
        numbers=_numbers(main, order),
        annex=split_grid(grid, 3) if (grid := _numbers(lesser, order or _order(lesser))) else (),
        beyond=max(0, len(order) - SHOWN),
        control=words.model_name(part.control or None),
    )


def _words_of(item: Explainer) -> MethodWords:
    title = words.prettify(item.method)
    return METHODS.get(item.method, MethodWords(title, title, "", "", lesser=True))


def _shares(item: Explainer) -> dict[str, Dot]:
    """Return each feature's share of a method's importances; what is below nothing counts as nothing."""
    return _divide({one.feature: one.estimate for one in item.importance})


def _divide(estimates: Mapping[str, Estimate]) -> dict[str, Dot]:
    total = sum(max(0.0, one.value or 0.0) for one in estimates.values())
    if total <= 0:
        return {}
    return {
        name: (
            max(0.0, one.value) / total,
            None if one.low is None else max(0.0, one.low) / total,
            None if one.high is None else max(0.0, one.high) / total,
        )
        for name, one in estimates.items()
        if one.value is not None
    }


def _glass_shares(evidence: Evidence) -> dict[str, dict[str, Dot]]:
    """Return the shares of importance by the surrogates, from the section on effects."""
    if not isinstance(evidence.effects, Effects):
        return {}
    found: dict[str, dict[str, Estimate]] = {}
    for m in evidence.effects.measurements:
        if m.metric == "effects.importance" and m.feature and m.model in method_words.GLASS:
            found.setdefault(m.model, {})[m.feature] = m.estimate
    return {model: shares for model in method_words.GLASS if (shares := _divide(found.get(model, {})))}


def _order(methods: Sequence[Explainer]) -> list[str]:
    """Return features, the most important first: by Shapley values, else by the first method there is."""
    ranked = sorted(methods, key=lambda item: item.method != "shapley")
    return [one.feature for one in ranked[0].importance] if ranked else []


def _message(main: Sequence[Explainer]) -> str:
    first = {
        tell(_words_of(item).short): words.prettify(item.importance[0].feature)
        for item in main
        if item.importance and (item.importance[0].estimate.value or 0) > 0
    }
    if not first:
        return words.sentence(tell(method_words.FIGURE_TITLE))
    names = list(dict.fromkeys(first.values()))
    if len(first) == 1:
        method, name = next(iter(first.items()))
        return tell(method_words.ONE, method=method, first=name)
    if len(names) == 1:
        return tell(method_words.AGREE, first=names[0])
    return tell(method_words.DIFFER, parts="; ".join(f"{method}: {name}" for method, name in first.items()))


def _figure(shares: Mapping[str, Mapping[str, Dot]], order: Sequence[str]) -> Markup | None:
    shown = {method: words_.short for method, words_ in METHODS.items() if not words_.lesser} | method_words.GLASS
    names = {key: tell(name) for key, name in shown.items() if shares.get(key)}
    rows = [
        (words.prettify(feature), {method: shares[method][feature] for method in names if feature in shares[method]})
        for feature in order[:SHOWN]
    ]
    if not rows or not names:
        return None
    described = "; ".join(
        f"{label}: " + ", ".join(f"{names[method]} {share_text(dot[0])}" for method, dot in dots.items())
        for label, dots in rows
    )
    title, unit = tell(method_words.FIGURE_TITLE), tell(method_words.FIGURE_UNIT)
    return draw_dots("attributions", title, described, rows, names, unit)


def _compare(done: Sequence[Explainer]) -> Grid:
    rows = tuple(
        GridRow(
            tell(_words_of(item).title),
            "",
            (
                _text(count_text(item.rows)),
                _text(count_text(item.evaluations)),
                _text("–" if item.seconds is None else number_text(item.seconds, decimals=1)),
                _say_sums(item),
                _text(tell(method_words.NOT_SAMPLED))
                if item.standard_error is None
                else _text(number_text(item.standard_error)),
            ),
        )
        for item in done
    )
    return annotate(Grid(tell(method_words.COMPARE_CORNER), tuple(map(tell, method_words.COMPARE_HEADS)), rows))


def _say_sums(item: Explainer) -> TableCell:
    if item.completeness is None:
        return _text(tell(method_words.SUMS_FREE))
    if (item.completeness.value or 0.0) < 1e-9:
        return _text(tell(method_words.EXACT))
    return show(item.completeness, "", "sd")


def _numbers(methods: Sequence[Explainer], order: Sequence[str]) -> Grid | None:
    """Return importances as a table: a row per feature, a column per method with its unit."""
    if not methods or not order:
        return None
    by_method = [{one.feature: one.estimate for one in item.importance} for item in methods]
    rows = tuple(
        GridRow(
            words.prettify(feature),
            "",
            tuple(show(found[feature]) if feature in found else None for found in by_method),
        )
        for feature in order
    )
    heads = tuple(tell(_words_of(item).short) for item in methods)
    subs = tuple(echo(item.unit) for item in methods)
    return annotate(Grid(tell(method_words.NUMBERS_CORNER), heads, rows, subs=subs))


def _text(value: str) -> Shown:
    return Shown(value, "", "", "", True, True, "", "")
