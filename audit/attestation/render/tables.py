"""Numbers laid out for tables: measurements by row and metric, each cell an estimate as text.

Comes in: measurements and definitions. Goes out: `Grid`, which the templates print without another decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from audit.evidence import Definition, Evidence, Measurement

from . import words
from .numbers import Shown, show
from .tongue import echo, tell


@dataclass(frozen=True, slots=True)
class Judged:
    """A cell that holds a verdict in place of a number; no sign where no rule judged."""

    sign: words.VerdictSign | None
    remark: str = ""


TableCell = Shown | Judged | None
"""A cell: a number, a verdict, or None where nothing was measured."""


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row of a grid.

    Parameters
    ----------
    label, remark : str
        Its name, and what is said of it.
    cells : tuple of TableCell
        Its cells; a single one that spans all columns where `span` is set.
    small : bool
        Whether it is about a small group.
    opens : str
        Sub-heading that stands above this row.
    mark : str
        Footnote mark of the name.
    span : bool
        Whether the only cell spans all columns.
    """

    label: str
    remark: str
    cells: tuple[TableCell, ...]
    small: bool = False
    opens: str = ""
    mark: str = ""
    span: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of estimates.

    Parameters
    ----------
    corner : str
        Heading of the first column.
    heads : tuple of str
        Headings of the other columns.
    rows : tuple of GridRow
        Rows.
    subs : tuple of str
        What is said under each heading; empty where nothing is.
    marks : tuple of str
        Footnote mark of each heading; empty where there is none.
    across : bool
        Whether measures run down and groups across.
    notes : tuple of (mark, text)
        Footnotes.
    said : str
        What holds for every number of the table.
    """

    corner: str
    heads: tuple[str, ...]
    rows: tuple[GridRow, ...]
    subs: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    across: bool = False
    notes: tuple[tuple[str, str], ...] = ()
    said: str = ""

    @property
    def beside(self) -> bool:
        """Whether intervals find room beside their numbers."""
        return len(self.heads) <= (3 if self.across else 4)


class Lexicon:
    """What the evidence's own definitions say about its metrics.

    Parameters
    ----------
    evidence : Evidence
        The document.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._definitions: dict[str, Definition] = {d.id: d for d in evidence.definitions}

    def title(self, metric: str) -> str:
        """Return the metric's title in the language of the report."""
        return echo(self._title(metric))

    def _title(self, metric: str) -> str:
        found = self._definitions.get(metric)
        return found.title if found else words.prettify(metric.rpartition(".")[2])

    def head(self, metric: str) -> str:
        """Return a short title for a column."""
        own = words.SHORT_METRICS.get(metric.rpartition(".")[2], "")
        short = tell(own) if own else self.title(metric)
        unit = self.unit(metric)
        silent = words.SHARE_UNITS | words.WHOLE_UNITS | {""}
        return short if unit in silent or unit in (own or self._title(metric)) else f"{short} ({echo(unit)})"

    def unit(self, metric: str) -> str:
        """Return the metric's unit."""
        found = self._definitions.get(metric)
        return found.unit if found else ""

    def show(self, measurement: Measurement) -> Shown:
        """Return the measurement's number as text."""
        return show(measurement.estimate, measurement.metric, self.unit(measurement.metric))


def metrics_of(measurements: Iterable[Measurement]) -> tuple[str, ...]:
    """Return the metrics that occur, in the order of their first number."""
    return tuple(dict.fromkeys(measurement.metric for measurement in measurements))


def make_grid(
    measurements: Sequence[Measurement],
    lexicon: Lexicon,
    *,
    corner: str,
    key: Callable[[Measurement], str],
    label: Callable[[str], str],
    metrics: Sequence[str] | None = None,
    remark: Callable[[str], str] = lambda _: "",
    small: Callable[[str], bool] = lambda _: False,
) -> Grid:
    """Lay measurements out as rows of `key` by columns of metric.

    Parameters
    ----------
    measurements : sequence of Measurement
        Numbers; the first of each row and metric is shown.
    lexicon : Lexicon
        Titles and units.
    corner : str
        Heading of the first column.
    key : callable
        Row that a measurement belongs to.
    label, remark, small : callable
        Name, remark and mark of a row.
    metrics : sequence of str, optional
        Columns; all that occur where it is not given.
    """
    columns = tuple(metrics) if metrics is not None else metrics_of(measurements)
    found: dict[str, dict[str, Shown]] = {}
    for measurement in measurements:
        found.setdefault(key(measurement), {}).setdefault(measurement.metric, lexicon.show(measurement))
    rows = tuple(
        GridRow(label(name), remark(name), tuple(cells.get(metric) for metric in columns), small(name))
        for name, cells in found.items()
        if any(metric in cells for metric in columns)
    )
    return Grid(corner, tuple(lexicon.head(metric) for metric in columns), rows)


def split_grid(grid: Grid, most: int = 6) -> tuple[Grid, ...]:
    """Cut a grid with many columns into several of about equal width, each of at most `most` columns."""
    parts = -(-len(grid.heads) // most) or 1
    most = -(-len(grid.heads) // parts)
    return tuple(
        replace(
            grid,
            heads=grid.heads[start : start + most],
            rows=tuple(
                replace(row, cells=row.cells[start : start + most])
                for row in grid.rows
                if any(cell is not None for cell in row.cells[start : start + most])
            ),
        )
        for start in range(0, len(grid.heads), max(1, most))
    )
