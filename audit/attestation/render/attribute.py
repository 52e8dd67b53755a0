"""The tables of one protected attribute: one for the body of the report, and all its numbers for the annex.

Comes in: the measurements of one attribute or pair and the rows of its main table. Goes out: a table with groups down
and what matters most across; and all numbers, for few groups in one table with measures down and groups across, for
many groups in tables with groups down. Every measurement stands in one of the latter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from audit.evidence import Measurement

from . import words
from .footnotes import annotate
from .numbers import Shown
from .tables import Grid, GridRow, Judged, Lexicon, TableCell, make_grid, metrics_of, split_grid
from .tongue import echo, tell

RATE, RATIO, GAP = (f"fairness.selection_rate{end}" for end in ("", "_ratio", "_difference"))
MAIN = (RATE, RATIO, GAP)
ACROSS = 5
"""Groups that stand side by side; more of them stand one below the other."""
BODY = (
    "true_positive_rate",
    "false_positive_rate",
    "accuracy",
    "mean_residual",
    "mae",
    "rmse",
    "auc",
    "mean_score",
    "base_rate",
)
"""What stands in the body's table beside rate and ratio, the first that were measured."""
BODY_COLUMNS = 5
NONE = "–"
COMPARED = words.COMPARED_TOPIC
OVER_ALL = "Over all groups, simultaneous intervals"
BANDS = (
    "The decision",
    "The mistakes",
    "The score",
    "The value",
    COMPARED,
    "Among people alike",
    "Same person, other group",
    "Who has no label",
    "With row weights",
    "Spread of the scores",
    "Inequality",
    words.OTHER_TOPIC,
)
"""Order of the headings of a table of everything."""
FIRST = (
    "selection_rate",
    "base_rate",
    "selection_rate_ratio",
    "true_positive_rate",
    "false_positive_rate",
    "precision",
)
"""Numbers that open their heading, in this order; the others follow as they were measured."""


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


def show_body(
    kind: tuple[str, ...],
    rows: Sequence[GroupRow],
    numbers: Sequence[Measurement],
    counts: Mapping[str, tuple[int, int]],
    lexicon: Lexicon,
) -> Grid:
    """Return the table of the body: a row per group with what matters most.

    Parameters
    ----------
    kind : tuple of str
        The attribute, or those of an intersection.
    rows : sequence of GroupRow
        Its groups.
    numbers : sequence of Measurement
        All measurements by group.
    counts : mapping
        Group to favourable and decided people.
    lexicon : Lexicon
        Titles and units.
    """
    found: dict[str, dict[str, Measurement]] = {}
    for m in numbers:
        found.setdefault(m.metric, {}).setdefault(label_of({name: m.group[name] for name in kind}), m)
    held = {metric for metric, cells in found.items() if any(m.estimate.value is not None for m in cells.values())}
    held |= {RATE, RATIO} & set(found)
    metrics = [metric for metric in (RATE, RATIO, *(f"fairness.{name}" for name in BODY)) if metric in held]
    metrics = metrics[:BODY_COLUMNS]
    judged = any(row.sign for row in rows)
    heads = [tell("People"), *([tell("Selected")] if counts else []), *map(lexicon.head, metrics)]
    heads += [tell("Verdict")] if judged else []
    lines = []
    for row in rows:
        cells: list[TableCell] = [_text(row.n), *([_text(row.favourable)] if counts else [])]
        cells += [lexicon.show(found[m][row.label]) if row.label in found[m] else None for m in metrics]
        cells += [Judged(row.sign)] if judged else []
        lines.append(GridRow(row.label, tell(words.REFERENCE) if row.reference else "", tuple(cells), row.small))
    return annotate(Grid(words.prettify(" * ".join(kind)), tuple(heads), tuple(lines)))


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
        caption = tell("{attribute}: every number by group", attribute=title)
        return ((caption, _matrix(title, kind, rows, numbers, whole, lexicon)),)
    tables = [(tell("{attribute}: the decision", attribute=title), _main_grid(title, kind, rows, lexicon))]
    others = _compared(numbers)
    alone = tell("{attribute}: each group by itself", attribute=title)
    against = tell("{attribute}: compared with the reference group of each measure", attribute=title)
    for caption, compared in ((alone, False), (against, True)):
        chosen = [m for m in numbers if m.metric not in MAIN and (m.metric in others) == compared]
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
    """Return the numbers about the attribute as a whole: a row each, with the groups that it is about."""
    if not whole:
        return []
    lines = tuple(_whole_row(m, lexicon) for m in whole)
    grid = Grid(tell("Simultaneous intervals"), (tell(words.ALL_GROUPS),), lines)
    return [(tell("{attribute}: over all groups", attribute=title) if title else "", grid)]


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
    said = row.sign and row.need and len(kind) == 1
    return Judged(row.sign, tell("needs {need}", need=echo(row.need)) if said else "")


def _main_grid(title: str, kind: tuple[str, ...], rows: Sequence[GroupRow], lexicon: Lexicon) -> Grid:
    """Return the decision by group; a column that nobody fills is left out."""
    verdict = tell("Verdict")
    columns: dict[str, list[TableCell]] = {
        tell("Rows"): [_text(row.n) for row in rows],
        tell("Favourable"): [_text(row.favourable) if row.favourable != NONE else None for row in rows],
        lexicon.head(RATE): [row.rate for row in rows],
        lexicon.head(RATIO): [row.ratio for row in rows],
        lexicon.head(GAP): [row.gap for row in rows],
        tell("p (Holm)"): [_p(row) for row in rows],
        verdict: [_verdict(row, kind) if row.sign else None for row in rows],
    }
    filled = {head: cells for head, cells in columns.items() if any(cells)}
    if verdict in filled:
        filled[verdict] = [_verdict(row, kind) for row in rows]
    lines = tuple(
        GridRow(
            row.label,
            tell(words.REFERENCE) if row.reference else "",
            tuple(cells[i] for cells in filled.values()),
            row.small,
        )
        for i, row in enumerate(rows)
    )
    return Grid(title, tuple(filled), lines)


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
    compared = _compared(numbers)
    bands = {metric: BANDS.index(words.topic_of(metric, compared=metric in compared)) for metric in metrics_of(numbers)}
    first = {name: index for index, name in enumerate(FIRST)}
    return tuple(sorted(bands, key=lambda metric: (bands[metric], first.get(metric.rpartition(".")[2], len(first)))))


def _compared(numbers: Sequence[Measurement]) -> set[str]:
    """Return the metrics that compare a group with another one; the impact ratio stands with the decision."""
    return {m.metric for m in numbers if m.reference and m.metric != RATIO}


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
    compared = _compared(numbers)
    for m in numbers:
        cells = found.setdefault(m.metric, {})
        cells.setdefault(label_of({name: m.group[name] for name in kind}), lexicon.show(m))
    labels = [row.label for row in rows]
    bands: dict[str, list[GridRow]] = {band: [] for band in BANDS}
    bands[BANDS[0]] = _counts(rows)
    for metric in _sorted_metrics(numbers):
        line = GridRow(lexicon.head(metric), "", tuple(found[metric].get(label) for label in labels))
        bands[words.topic_of(metric, compared=metric in compared)].append(line)
    bands[BANDS[0]] += _judgements(rows, kind)
    bands[OVER_ALL] = [_whole_row(m, lexicon) for m in whole]
    named = [(tell(band), part) for band, part in bands.items()]
    lines = [replace(row, opens=band if not i else "") for band, part in named for i, row in enumerate(part)]
    subs = tuple(", ".join(_marks(row)) for row in rows)
    return annotate(Grid(title, tuple(labels), tuple(lines), subs=subs, across=True))


def _marks(row: GroupRow) -> list[str]:
    return [word for word, holds in ((tell(words.REFERENCE), row.reference), (tell("small"), row.small)) if holds]


def _counts(rows: Sequence[GroupRow]) -> list[GridRow]:
    found = [GridRow(tell("Rows"), "", tuple(_text(row.n) for row in rows))]
    if any(row.favourable != NONE for row in rows):
        found.append(GridRow(tell("Decided favourably"), "", tuple(_text(row.favourable) for row in rows)))
    return found


def _judgements(rows: Sequence[GroupRow], kind: tuple[str, ...]) -> list[GridRow]:
    """Return the test of equality and the verdict on the impact ratio, where there is any."""
    tests: tuple[TableCell, ...] = tuple(_p(row) for row in rows)
    out = [GridRow(tell("p of equality (Holm)"), "", tests)] if any(tests) else []
    verdicts = tuple(_verdict(row, kind) for row in rows)
    return [*out, GridRow(tell("Verdict on the impact ratio"), "", verdicts)] if any(v.sign for v in verdicts) else out


def _whole_row(measurement: Measurement, lexicon: Lexicon) -> GridRow:
    shown = lexicon.show(measurement)
    said = shown.reason if shown.measured else ""
    return GridRow(lexicon.head(measurement.metric), said, (replace(shown, reason="") if said else shown,), span=True)
