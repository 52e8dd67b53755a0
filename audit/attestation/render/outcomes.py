"""Decisions with more than two sides: how each group is spread over bands or classes.

Comes in: counts by group and outcome, and the numbers measured by outcome. Goes out: stacked bars with their message, a
table of each outcome's rate by group, and every other number by outcome for the annex.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Fairness, Measurement, OutcomeTable

from . import sentences, words
from .attribute import label_of
from .figures import StackRow, draw_stacks
from .footnotes import annotate
from .glyphs import shorten
from .numbers import count_text, share_text
from .tables import Grid, GridRow, Lexicon, metrics_of, split_grid
from .tongue import tell


@dataclass(frozen=True, slots=True)
class OutcomeBlock:
    """One attribute's groups over bands or classes."""

    title: str
    classes: bool
    message: str
    figure: Markup | None
    tables: tuple[tuple[str, Grid], ...]
    annex: tuple[tuple[str, Grid], ...]
    single: bool


def show_outcomes(fairness: Fairness, lexicon: Lexicon) -> tuple[OutcomeBlock, ...]:
    """Return a block for every attribute that was counted by outcome; empty where none was."""
    blocks = [_from_table(i, table, fairness, lexicon) for i, table in enumerate(fairness.outcome_tables)]
    counted = {tuple(sorted(table.attributes)) for table in fairness.outcome_tables}
    others: dict[tuple[str, ...], list[Measurement]] = {}
    for m in fairness.measurements:
        if m.outcome and (kind := _kind_of(m)) not in counted:
            others.setdefault(kind, []).append(m)
    return (*blocks, *(_from_numbers(kind, numbers, lexicon) for kind, numbers in others.items()))


def _kind_of(measurement: Measurement) -> tuple[str, ...]:
    names = tuple(measurement.group) or tuple((measurement.attribute or "").split(" * "))
    return tuple(sorted(names))


def _from_table(index: int, table: OutcomeTable, fairness: Fairness, lexicon: Lexicon) -> OutcomeBlock:
    shares = _shares(table)
    small = {label_of(g.scope) for g in fairness.groups if g.attributes == table.attributes and g.small}
    title = words.prettify(" * ".join(table.attributes))
    message = _message(table, shares, small)
    rows = [
        StackRow(label, _remark(n, small=label in small), parts, label in small)
        for label, (n, parts) in shares.items()
        if n
    ]
    described = "; ".join(
        f"{shorten(row.label, 80)}: "
        + ", ".join(f"{name} {share_text(part)}" for name, part in zip(table.outcomes, row.shares, strict=True))
        for row in rows
    )
    single = len(table.attributes) == 1
    figure = draw_stacks(f"stack{index}", f"{title}: {message}", described, table.outcomes, rows) if rows else None
    numbers = [m for m in fairness.measurements if m.outcome and _kind_of(m) == tuple(sorted(table.attributes))]
    first, rest = _grids(title, table.attributes, numbers, lexicon)
    return OutcomeBlock(title, table.kind == "class", message, figure if single else None, first, rest, single)


def _remark(people: int, *, small: bool) -> str:
    return f"n = {count_text(people)}" + (f" {tell('small')}" if small else "")


def _from_numbers(kind: tuple[str, ...], numbers: Sequence[Measurement], lexicon: Lexicon) -> OutcomeBlock:
    title = words.prettify(" * ".join(kind))
    first, rest = _grids(title, kind, numbers, lexicon)
    return OutcomeBlock(title, False, "", None, first, rest, len(kind) == 1)


def _shares(table: OutcomeTable) -> dict[str, tuple[int, tuple[float, ...]]]:
    """Return people and share of each outcome by group."""
    counts: dict[str, dict[str, int]] = {}
    for cell in table.cells:
        by_outcome = counts.setdefault(" · ".join(cell.values), {})
        by_outcome[cell.outcome] = by_outcome.get(cell.outcome, 0) + cell.n
    return {
        label: (n, tuple(found.get(outcome, 0) / n if n else 0.0 for outcome in table.outcomes))
        for label, found in counts.items()
        for n in [sum(found.values())]
    }


def _message(table: OutcomeTable, shares: dict[str, tuple[int, tuple[float, ...]]], small: set[str]) -> str:
    """Return where the groups that are not small differ most."""
    large = {label: parts for label, (n, parts) in shares.items() if n and label not in small and label != "unknown"}
    if len(large) < 2:
        return ""
    spans = []
    for place, outcome in enumerate(table.outcomes):
        ranked = sorted((parts[place], label) for label, parts in large.items())
        spans.append((ranked[-1][0] - ranked[0][0], outcome, ranked[0], ranked[-1]))
    _, outcome, low, high = max(spans, key=lambda span: span[0])
    return sentences.say_spread(outcome, (low[1], low[0]), (high[1], high[0]))


def _grids(
    title: str, kind: tuple[str, ...], numbers: Sequence[Measurement], lexicon: Lexicon
) -> tuple[tuple[tuple[str, Grid], ...], tuple[tuple[str, Grid], ...]]:
    """Return the table of the first metric, for the body, and those of all others."""
    tables: list[tuple[str, Grid]] = []
    for metric in metrics_of(numbers):
        mine = [m for m in numbers if m.metric == metric]
        parts = split_grid(_grid(title, kind, mine, lexicon))
        tables += [(f"{title}: {lexicon.title(metric)}" if not i else "", annotate(g)) for i, g in enumerate(parts)]
    body = 1 + next((i for i, (caption, _) in enumerate(tables[1:]) if caption), len(tables))
    return tuple(tables[:body]), tuple(tables[body:])


def _grid(title: str, kind: tuple[str, ...], numbers: Sequence[Measurement], lexicon: Lexicon) -> Grid:
    """Return one metric: groups down, outcomes across; one about the whole attribute below them."""
    outcomes = tuple(dict.fromkeys(m.outcome or "" for m in numbers))
    rows: dict[str, dict[str, Measurement]] = {}
    for m in numbers:
        label = label_of({name: m.group[name] for name in kind}) if m.group else tell(words.ALL_GROUPS)
        rows.setdefault(label, {}).setdefault(m.outcome or "", m)
    lines = tuple(
        GridRow(label, "", tuple(lexicon.show(found[o]) if o in found else None for o in outcomes))
        for label, found in rows.items()
    )
    return Grid(title, outcomes, lines)
