"""The tables of one protected attribute: all its numbers, in as few tables as can be read.

Comes in: the measurements of one attribute or pair and the rows of its main table. Goes out: for few groups one table
with measures down and groups across; for many groups tables with groups down. Every measurement stands in one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audit.evidence import Measurement

from . import words
from .footnotes import annotate
from .numbers import Shown
from .tables import Grid, GridRow, Judged, Lexicon, TableCell, make_grid, metrics_of, split_grid

RATE, RATIO, GAP = (f"fairness.selection_rate{end}" for end in ("", "_ratio", "_difference"))
MAIN = (RATE, RATIO, GAP)
ACROSS = 5
"""Groups that stand side by side; more of them stand one below the other."""
DECISION = ("selection_rate", "base_rate", "selection_rate_ratio")
MISTAKES = ("true_positive_rate", "false_positive_rate", "precision", "accuracy", "error_rate")
SCORE = ("auc", "mean_score", "calibration_in_group", "calibration_gap", "scoring_rate")
COMPARED = "Compared with the reference group of each measure"


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group of the main table."""

    label: str
    n: str
    favourable: str
    rate: Shown | None
    ratio: Shown | None
    gap: Shown | None
    p: str
    reference: bool
    small: bool
    sign: words.VerdictSign | None
    need: str


def label_of(scope: dict[str, str]) -> str:
    """Return the name of a group: its values, parted by dots."""
    return " · ".join(scope.values())


def show_tables(
    kind: tuple[str, ...],
    rows: Sequence[GroupRow],
    numbers: Sequence[Measurement],
    whole: Sequence[Measurement],
    lexicon: Lexicon,
) -> tuple[tuple[str, Grid], ...]:
    """Return the tables of an attribute with their captions; the first one holds the verdicts.

    Parameters
    ----------
    kind : tuple of str
        The attribute, or the two of a pair.
    rows : sequence of GroupRow
        Its groups.
    numbers : sequence of Measurement
        All measurements by group.
    whole : sequence of Measurement
        All measurements about the attribute as a whole.
    lexicon : Lexicon
        Titles and units.
    """
    title = words.prettify(" * ".join(kind))
    whole = [_plain_scope(m, kind) for m in whole]
    if len(rows) <= ACROSS:
        return ((f"{title}: every number by group", _matrix(title, kind, rows, numbers, whole, lexicon)),)
    tables = [(f"{title}: the decision", _main_grid(title, kind, rows, lexicon))]
    for caption, compared in ((f"{title}: each group by itself", False), (f"{title}: {COMPARED.lower()}", True)):
        chosen = [m for m in numbers if m.metric not in MAIN and bool(m.reference) == compared]
        parts = split_grid(_group_grid(title, kind, rows, chosen, lexicon)) if chosen else ()
        tables += [(caption if not index else "", part) for index, part in enumerate(parts)]
    return tuple((caption, annotate(grid)) for caption, grid in [*tables, *_over_all(title, whole, lexicon)])


def show_brief(
    kind: tuple[str, ...], rows: Sequence[GroupRow], whole: Sequence[Measurement], lexicon: Lexicon
) -> tuple[tuple[str, Grid], ...]:
    """Return the table of the decision and the numbers over all groups alone: a pair of attributes on paper."""
    title = words.prettify(" * ".join(kind))
    tables = [("", _main_grid(title, kind, rows, lexicon))]
    tables += _over_all("", [_plain_scope(m, kind) for m in whole], lexicon)
    return tuple((caption, annotate(grid)) for caption, grid in tables)


def _over_all(title: str, whole: Sequence[Measurement], lexicon: Lexicon) -> list[tuple[str, Grid]]:
    """Return the numbers about the attribute as a whole: a column each, the groups that they are about as footnotes."""
    if not whole:
        return []
    grid = make_grid(whole, lexicon, corner="Simultaneous intervals", key=lambda _: "", label=lambda _: "All groups")
    return [(f"{title}: over all groups" if title else "", grid)]


def _plain_scope(measurement: Measurement, kind: tuple[str, ...]) -> Measurement:
    """Leave the attribute's name out of the note that says which two groups a number is about."""
    note = measurement.estimate.note
    for name in kind:
        note = note.replace(f"{name}=", "")
    return measurement.model_copy(update={"estimate": measurement.estimate.model_copy(update={"note": note})})


def _text(value: str) -> Shown:
    """Return a count or a p-value as a cell: there is nothing to be said of it."""
    return Shown(value, "", "", "", True, True, "", "")


def _verdict(row: GroupRow, kind: tuple[str, ...]) -> Judged:
    return Judged(row.sign, f"needs {row.need}" if row.sign and row.need and len(kind) == 1 else "")


def _main_grid(title: str, kind: tuple[str, ...], rows: Sequence[GroupRow], lexicon: Lexicon) -> Grid:
    heads = ("Rows", "Favourable", *(lexicon.head(metric) for metric in MAIN), "p (Holm)", "Verdict")
    lines = tuple(
        GridRow(
            row.label,
            "reference" if row.reference else "",
            (_text(row.n), _text(row.favourable), row.rate, row.ratio, row.gap, _p(row), _verdict(row, kind)),
            row.small,
        )
        for row in rows
    )
    return Grid(title, heads, lines)


def _p(row: GroupRow) -> Shown | None:
    return _text(row.p) if row.p else None


def _group_grid(
    title: str, kind: tuple[str, ...], rows: Sequence[GroupRow], numbers: Sequence[Measurement], lexicon: Lexicon
) -> Grid:
    small = {row.label for row in rows if row.small}
    return make_grid(
        numbers,
        lexicon,
        corner=title,
        key=lambda m: label_of({name: m.group[name] for name in kind}),
        label=str,
        metrics=_sorted_metrics(numbers),
        small=small.__contains__,
    )


def _sorted_metrics(numbers: Sequence[Measurement]) -> tuple[str, ...]:
    order = {name: index for index, name in enumerate((*DECISION, *MISTAKES, *SCORE))}
    return tuple(sorted(metrics_of(numbers), key=lambda metric: order.get(metric.rpartition(".")[2], len(order))))


def _matrix(
    title: str,
    kind: tuple[str, ...],
    rows: Sequence[GroupRow],
    numbers: Sequence[Measurement],
    whole: Sequence[Measurement],
    lexicon: Lexicon,
) -> Grid:
    """Return the one table: measures down, groups across."""
    found: dict[str, dict[str, Shown]] = {}
    compared = {m.metric for m in numbers if m.reference and m.metric != RATIO}
    for m in numbers:
        cells = found.setdefault(m.metric, {})
        cells.setdefault(label_of({name: m.group[name] for name in kind}), lexicon.show(m))
    labels = [row.label for row in rows]

    def line(metric: str) -> GridRow:
        return GridRow(lexicon.head(metric), "", tuple(found[metric].get(label) for label in labels))

    order = _sorted_metrics(numbers)
    alone = [metric for metric in order if metric not in compared]
    named = {band: [m for m in alone if m.rpartition(".")[2] in names] for band, names in _BANDS}
    rest = [m for m in alone if not any(m in metrics for metrics in named.values())]
    decision = [*_counts(rows), *map(line, named["The decision"]), *_judgements(rows, kind)]
    bands = [("The decision", decision)]
    bands += [(band, [line(m) for m in named[band]]) for band, _ in _BANDS[1:]]
    bands += [("Further numbers", [line(m) for m in rest])]
    bands += [(COMPARED, [line(m) for m in order if m in compared])]
    bands += [("Over all groups, simultaneous intervals", [_whole_row(m, lexicon) for m in whole])]
    lines = [replace(row, opens=band if not i else "") for band, part in bands for i, row in enumerate(part)]
    subs = tuple(", ".join(_marks(row)) for row in rows)
    return annotate(Grid(title, tuple(labels), tuple(lines), subs=subs, across=True))


_BANDS = (("The decision", DECISION), ("The mistakes", MISTAKES), ("The score", SCORE))


def _marks(row: GroupRow) -> list[str]:
    return [word for word, holds in (("reference", row.reference), ("small", row.small)) if holds]


def _counts(rows: Sequence[GroupRow]) -> list[GridRow]:
    return [
        GridRow("Rows", "", tuple(_text(row.n) for row in rows)),
        GridRow("Decided favourably", "", tuple(_text(row.favourable) for row in rows)),
    ]


def _judgements(rows: Sequence[GroupRow], kind: tuple[str, ...]) -> list[GridRow]:
    """Return the test of equality and the verdict on the impact ratio, where there is any."""
    tests: tuple[TableCell, ...] = tuple(_p(row) for row in rows)
    out = [GridRow("p of equality (Holm)", "", tests)] if any(tests) else []
    verdicts = tuple(_verdict(row, kind) for row in rows)
    return [*out, GridRow("Verdict on the impact ratio", "", verdicts)] if any(v.sign for v in verdicts) else out


def _whole_row(measurement: Measurement, lexicon: Lexicon) -> GridRow:
    shown = lexicon.show(measurement)
    said = shown.reason if shown.measured else ""
    return GridRow(lexicon.head(measurement.metric), said, (replace(shown, reason="") if said else shown,), span=True)
