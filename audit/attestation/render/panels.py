"""Numbers of the sections about data, performance and calibration: message, figure and tables of each.

Comes in: a section of the evidence. Goes out: `Panels`, or None where the section was not carried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Calibration, Data, Evidence, Measurement, Performance

from . import words
from .figures import ForestPanel, ForestPoint, ForestRow, draw_forest, draw_reliability
from .footnotes import annotate
from .numbers import Shown, is_share, shorten_interval
from .price import Price, show_price
from .tables import Grid, GridRow, Lexicon, TableCell, make_grid, metrics_of, split_grid
from .tongue import mark_points, tell

MOST = 4
"""Columns of a table whose intervals stand beside their numbers."""


@dataclass(frozen=True, slots=True)
class Panels:
    """Numbers of a section as figure and tables."""

    message: str
    figure: Markup | None
    grid: Grid | None
    extra: Grid | None
    by_group: Grid | None
    price: Price | None = None


def show_performance(evidence: Evidence, lexicon: Lexicon) -> Panels | None:
    """Return performance: the price of transparency in a sentence, every model side by side."""
    part = evidence.performance
    if not isinstance(part, Performance):
        return None
    plain = [m for m in part.measurements if not m.group and not m.outcome]
    gaps = [m for m in plain if m.metric.endswith("_gap")]
    levels = [m for m in plain if not m.metric.endswith("_gap")]
    price = show_price(gaps, lexicon)
    return Panels(
        message=price.message,
        figure=_model_forest("performance", levels, lexicon),
        grid=model_grid(levels, lexicon) if levels else None,
        extra=model_grid(gaps, lexicon) if gaps else None,
        by_group=group_grid([m for m in part.measurements if m.group or m.outcome], lexicon),
        price=price,
    )


def show_data_checks(evidence: Evidence, lexicon: Lexicon) -> tuple[Grid, ...]:
    """Return what was measured of the data beside rows and missing values, which stand in tables of their own."""
    part = evidence.data
    if not isinstance(part, Data):
        return ()
    return scope_grids([m for m in part.measurements if m.metric not in ("data.rows", "data.missing_rate")], lexicon)


def model_grid(numbers: list[Measurement], lexicon: Lexicon, *, short: bool = False) -> Grid:
    """Return a table with a row per model and a column per metric.

    Parameters
    ----------
    numbers : list of Measurement
        Numbers by model.
    lexicon : Lexicon
        Titles and units.
    short : bool
        Whether models go by their short names.
    """
    grid = make_grid(
        sorted(numbers, key=_model_rank),
        lexicon,
        corner=tell("Model"),
        key=lambda m: m.model or "",
        label=lambda model: words.model_name(model, short=short) or tell("All"),
        metrics=tuple(dict.fromkeys(m.metric for m in numbers)),
    )
    return annotate(grid)


def _model_rank(measurement: Measurement) -> int:
    model = measurement.model or ""
    return words.MODEL_ORDER.index(model) if model in words.MODEL_ORDER else len(words.MODEL_ORDER)


def group_grid(numbers: list[Measurement], lexicon: Lexicon) -> Grid | None:
    """Return numbers by group as one table: a column per metric, the groups of each model below its name."""
    if not numbers:
        return None
    metrics = metrics_of(numbers)
    found: dict[tuple[str, str], dict[str, Shown]] = {}
    for m in sorted(numbers, key=_model_rank):
        name = words.scope_words(m.group, outcome=m.outcome) or tell("All rows")
        found.setdefault((words.model_name(m.model), name), {})[m.metric] = lexicon.show(m)
    rows, last = [], ""
    for (model, name), cells in found.items():
        rows.append(GridRow(name, "", tuple(map(cells.get, metrics)), opens=model if model != last else ""))
        last = model
    return annotate(Grid(tell("Group"), tuple(map(lexicon.head, metrics)), tuple(rows)))


def _model_forest(name: str, numbers: list[Measurement], lexicon: Lexicon) -> Markup | None:
    """Return a forest plot of the first two of AUC and accuracy by model."""
    wanted = [f"{name}.{metric}" for metric in ("auc", "accuracy", "r2", "rmse", "mae")]
    metrics = [metric for metric in wanted if any(m.metric == metric for m in numbers)][:2]
    models = [model for model in words.MODEL_ORDER if any(m.model == model for m in numbers)]
    if not metrics or not models:
        return None
    found = {(m.model, m.metric): m for m in numbers}
    rows = []
    for model in models:
        points = tuple(_forest_point(found.get((model, metric)), lexicon) for metric in metrics)
        rows.append(ForestRow(words.model_name(model, short=True), "", points))
    panels = [_panel_of(metric, [found[key] for key in found if key[1] == metric], lexicon) for metric in metrics]
    described = "; ".join(
        f"{words.model_name(m.model)}: {lexicon.title(m.metric)} {lexicon.show(m).text}"
        for m in numbers
        if m.metric in metrics
    )
    return draw_forest(f"forest-{name}", tell("Every model on the same rows"), described, panels, rows)


def _panel_of(metric: str, numbers: list[Measurement], lexicon: Lexicon) -> ForestPanel:
    ends = [end for m in numbers for end in (m.estimate.value, m.estimate.low, m.estimate.high) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = max(high - low, 0.02)
    share = is_share(metric, lexicon.unit(metric))
    return ForestPanel(lexicon.title(metric), low - 0.15 * room, high + 0.15 * room, percent=share)


def _forest_point(measurement: Measurement | None, lexicon: Lexicon) -> ForestPoint:
    if measurement is None:
        return ForestPoint(None, None, None, tell("not measured"))
    shown = lexicon.show(measurement)
    estimate = measurement.estimate
    if estimate.value is None:
        return ForestPoint(None, None, None, shown.text)
    text = f"{shown.value} ({shown.interval})" if shown.interval else shown.value
    return ForestPoint(estimate.value, estimate.low, estimate.high, shorten_interval(text))


def show_calibration(evidence: Evidence, lexicon: Lexicon) -> Panels | None:
    """Return calibration: whether bins leave the diagonal, the reliability figure, the numbers."""
    part = evidence.calibration
    if not isinstance(part, Calibration):
        return None
    described = "; ".join(
        tell(
            "mean score {mean}: observed {observed}",
            mean=mark_points(f"{b.mean_score:.2f}"),
            observed=mark_points(f"{b.observed.value:.2f}"),
        )
        for b in part.bins
        if b.observed.value is not None
    )
    message = _calibration_message(part)
    figure = draw_reliability("reliability", message, described, part.bins) if part.bins else None
    models = {m.model for m in part.measurements}
    numbers = list(part.measurements)
    grid = model_grid(numbers, lexicon, short=True) if len(models) > 1 else value_grid(numbers, lexicon)
    return Panels(message, figure, grid, None, None)


def _calibration_message(part: Calibration) -> str:
    """Return whether bins leave the diagonal, in a sentence with counts."""
    known = [b for b in part.bins if b.observed.low is not None and b.observed.high is not None]
    if not known:
        return tell("Observed share of positives against the mean score.")
    off = sum(not ((b.observed.low or 0) <= b.mean_score <= (b.observed.high or 1)) for b in known)
    if off == 0:
        return tell("In all {number} bins the interval of the observed share holds the mean score.", number=len(known))
    return tell(
        "In {off} of {number} bins the observed share differs from the mean score by more than its interval; about "
        "one in twenty is expected to by chance.",
        off=off,
        number=len(known),
    )


def value_grid(numbers: Sequence[Measurement], lexicon: Lexicon) -> Grid | None:
    """Return a table of one value per row: the scopes of each metric below its name, one alone beside it."""
    rows: list[GridRow] = []
    sizes = {metric: sum(m.metric == metric for m in numbers) for metric in metrics_of(numbers)}
    for metric in sorted(sizes, key=lambda name: sizes[name] > 1):  # those with sub-headings last
        mine = [m for m in numbers if m.metric == metric]
        for index, m in enumerate(mine):
            scope = _scope_of(m)
            cells: tuple[TableCell, ...] = (lexicon.show(m),)
            if len(mine) == 1:
                rows.append(GridRow(lexicon.head(metric), scope, cells))
            else:
                rows.append(GridRow(scope or tell("All rows"), "", cells, opens="" if index else lexicon.head(metric)))
    return annotate(Grid(tell("Measure"), (tell("Value"),), tuple(rows))) if rows else None


def scope_grids(numbers: Sequence[Measurement], lexicon: Lexicon) -> tuple[Grid, ...]:
    """Return metrics of one number in one table, and the others as a row per scope by a column per metric.

    Parameters
    ----------
    numbers : sequence of Measurement
        Numbers about everything, about groups, features, models or outcomes.
    lexicon : Lexicon
        Titles and units.
    """
    sizes = Counter(m.metric for m in numbers)
    alone = value_grid([m for m in numbers if sizes[m.metric] == 1], lexicon)
    kinds: dict[tuple[bool, ...], list[Measurement]] = {}
    for m in numbers:
        if sizes[m.metric] > 1:
            kinds.setdefault(tuple(map(bool, (m.group, m.feature, m.model, m.outcome, m.attribute))), []).append(m)
    whole = tell("All rows")
    return tuple([alone] if alone else []) + tuple(
        annotate(part)
        for kind in kinds.values()
        for part in split_grid(
            make_grid(kind, lexicon, corner=tell("Scope"), key=_scope_of, label=lambda name: name or whole), MOST
        )
    )


def models_across(numbers: Sequence[Measurement], lexicon: Lexicon) -> Grid | None:
    """Return numbers with a column per model and a row per other scope, the rows of each metric below its name.

    Parameters
    ----------
    numbers : sequence of Measurement
        Numbers by model.
    lexicon : Lexicon
        Titles and units.
    """
    models = tuple(dict.fromkeys(m.model for m in numbers))
    if len(models) < 2:
        return value_grid(numbers, lexicon)
    found: dict[str, dict[str, dict[str | None, Shown]]] = {}
    for m in numbers:
        row = found.setdefault(m.metric, {}).setdefault(_scope_of(m.model_copy(update={"model": None})), {})
        row.setdefault(m.model, lexicon.show(m))
    rows = tuple(
        GridRow(scope or tell("All rows"), "", tuple(cells.get(model) for model in models), opens=head if not i else "")
        for metric, scopes in found.items()
        for head in (lexicon.head(metric),)
        for i, (scope, cells) in enumerate(scopes.items())
    )
    heads = tuple(words.model_name(model, short=True) or tell("Value") for model in models)
    return annotate(Grid(tell("Measure"), heads, rows))


def _scope_of(measurement: Measurement) -> str:
    """Return what a number is about, in words; empty where it is about everything."""
    m = measurement
    rest = words.scope_words(m.group, m.feature, m.model, m.outcome)
    return ", ".join(part for part in (words.prettify(m.attribute) if m.attribute else "", rest) if part)
