"""Interactions as a reader meets them: heat maps pair by pair, the numbers behind them, and how strong they are.

Comes in: the effects section. Goes out: blocks, the first `SHOWN` for the chapter and all others for the annex.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Effects, PairSurface

from . import words
from .figures import SurfacePanel, draw_surface
from .glyphs import shorten
from .numbers import number_text
from .tongue import echo, tell

SHOWN = 2
"""Pairs in the chapter."""
PANELS = 3
PAIRS = 12
"""Interactions in the table of their strengths."""
MASKED = "fewer than 5 rows"


@dataclass(frozen=True, slots=True)
class SurfaceTable:
    """The numbers behind one panel."""

    model: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class SurfaceBlock:
    """One pair of features."""

    title: str
    anchor: str
    message: str
    figure: Markup
    corner: str
    tables: tuple[SurfaceTable, ...]


@dataclass(frozen=True, slots=True)
class PairRow:
    """The strength of one interaction in each model, as text."""

    names: str
    values: tuple[str, ...]


def pair_title(features: tuple[str, str]) -> str:
    """Return the names of two features as one phrase."""
    second = words.lower_first(words.prettify(features[1]))
    return tell("{first} and {second}", first=words.prettify(features[0]), second=second)


def pair_table(effects: Effects) -> tuple[tuple[str, ...], tuple[PairRow, ...]]:
    """Return the interactions by model, the strongest first: heads and rows; those beyond `PAIRS` are in the data."""
    models = [model for model in words.MODEL_ORDER if any(pair.model == model for pair in effects.pairs)]
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for pair in effects.pairs:
        found.setdefault(tuple(sorted(pair.features)), {})[pair.model] = pair.importance
    titles = {tuple(sorted(pair.features)): pair_title(pair.features) for pair in reversed(effects.pairs)}
    order = sorted(found, key=lambda key: -max(found[key].values()))[:PAIRS]
    rows = tuple(
        PairRow(titles[key], tuple(number_text(found[key][m]) if m in found[key] else "–" for m in models))
        for key in order
    )
    return tuple(words.model_name(model, short=True) for model in models), rows


def show_surfaces(effects: Effects) -> tuple[SurfaceBlock, ...]:
    """Return a block per pair of features: the black box and the surrogates, else the fits on the labels."""
    found: dict[tuple[str, str], list[PairSurface]] = {}
    for surface in effects.surfaces:
        found.setdefault(surface.features, []).append(surface)
    return tuple(_show_pair(index, pair, found[pair], effects.scale) for index, pair in enumerate(found))


def _choose(surfaces: list[PairSurface]) -> list[PairSurface]:
    """Return what stands side by side: the same positions, at most three models."""
    by_model = {surface.model: surface for surface in surfaces}
    order = [m for m in words.MODEL_ORDER if m in by_model and not m.endswith("_label")]
    if len(order) < 2:
        order += [m for m in words.MODEL_ORDER if m in by_model and m.endswith("_label")]
    return [by_model[model] for model in order[:PANELS]]


def _show_pair(index: int, pair: tuple[str, str], surfaces: list[PairSurface], scale: str) -> SurfaceBlock:
    chosen, title = _choose(surfaces), pair_title(pair)
    masked = any(value is None for surface in chosen for row in surface.values for value in row)
    message = _say_surface(chosen)
    first, second = (words.prettify(feature) for feature in pair)
    figure = draw_surface(
        f"surface{index + 1}",
        title,
        message,
        [_panel(surface) for surface in chosen],
        (first, second),
        (tell("Joint effect, {scale}", scale=shorten(echo(scale), 60)), tell(MASKED) if masked else ""),
    )
    corner = tell("{second} down, {first} across", second=second, first=words.lower_first(first))
    return SurfaceBlock(title, f"pair-{index + 1}", message, figure, corner, tuple(map(_table, chosen)))


def _texts(places: tuple[float, ...] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(shorten(place, 40) if isinstance(place, str) else number_text(place) for place in places)


def _panel(surface: PairSurface) -> SurfacePanel:
    return SurfacePanel(
        words.model_name(surface.model, short=True),
        _texts(surface.across),
        _texts(surface.down),
        surface.values,
        upward=not any(isinstance(place, str) for place in surface.down),
    )


def _table(surface: PairSurface) -> SurfaceTable:
    rows = zip(_texts(surface.down), surface.values, strict=True)
    return SurfaceTable(
        words.model_name(surface.model),
        _texts(surface.across),
        tuple((at, tuple("" if v is None else number_text(v, decimals=3) for v in values)) for at, values in rows),
    )


def _say_surface(chosen: list[PairSurface]) -> str:
    """Return where the first model's joint effect is largest either way, and how the others compare there."""
    parts = []
    for surface in chosen:
        known = [
            (value, i, j) for j, row in enumerate(surface.values) for i, value in enumerate(row) if value is not None
        ]
        if known:
            ends = "; ".join(_say_end(surface, max(known) if high else min(known)) for high in (True, False))
            parts.append(f"{words.model_name(surface.model, short=True)}: {ends}")
    return ". ".join(parts[:1]) + "." if parts else tell("Everywhere fewer than 5 rows: nothing is shown.")


def _say_end(surface: PairSurface, end: tuple[float, int, int]) -> str:
    value, i, j = end
    first, second = (words.lower_first(words.prettify(feature)) for feature in surface.features)
    sign = "+" if value > 0 else ""
    return tell(
        "{value} at {first} with {second}",
        value=f"{sign}{number_text(value, decimals=3)}",
        first=f"{first} {_texts(surface.across)[i]}",
        second=f"{second} {_texts(surface.down)[j]}",
    )
