"""What is said of single numbers, told once below their table: long reasons, and where no interval is calculated.

Comes in: a grid whose cells carry their own reasons. Goes out: the same grid with marks in the cells and each distinct
note once; what holds for a whole column, row or table is said of it and not of every cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from . import words
from .numbers import NO_INTERVAL, Shown
from .tables import Grid, TableCell
from .tongue import echo, tell

INLINE = 20
"""Longest reason, in characters, that stays in its cell."""
REFERENCE = "the reference itself"
NO_INTERVALS = "No intervals are calculated for these numbers."
LINE_NOTE = "no interval is calculated for this measure"


class _Notes:
    """Marks in the order in which the notes are met."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def mark(self, text: str) -> str:
        return self.found.setdefault(text, _letter(len(self.found)))


def _letter(index: int) -> str:
    return (_letter(index // 26 - 1) if index >= 26 else "") + chr(ord("a") + index % 26)


def annotate(grid: Grid) -> Grid:
    """Return `grid` with footnotes in place of reasons in its cells.

    Parameters
    ----------
    grid : Grid
        A table; a reason of more than `INLINE` characters leaves its cell.

    Notes
    -----
    No reason is lost: it stands in its cell, below the table, or in what is said of the whole table.
    """
    lines = list(_lines(grid))
    bare = [_is_bare(cells) for cells in lines]
    known = [index for index, cells in enumerate(lines) if _numbers(cells)]
    if known and all(bare[index] for index in known):
        return _rewrite(replace(grid, said=tell(NO_INTERVALS)), [True] * len(lines), _Notes(), line_note="")
    return _rewrite(grid, bare, _Notes(), line_note=tell(LINE_NOTE))


def _lines(grid: Grid) -> Iterator[tuple[TableCell, ...]]:
    """Yield the cells of one measure each."""
    if grid.across:
        yield from (row.cells for row in grid.rows)
    else:
        yield from (tuple(row.cells[i] for row in grid.rows if not row.span) for i in range(len(grid.heads)))


def _numbers(cells: tuple[TableCell, ...]) -> list[Shown]:
    """Return the cells that should have an interval."""
    itself = echo(REFERENCE)
    return [c for c in cells if isinstance(c, Shown) and c.measured and c.reason != itself and c.method]


def _is_bare(cells: tuple[TableCell, ...]) -> bool:
    numbers = _numbers(cells)
    none = tell(NO_INTERVAL)
    return bool(numbers) and not any(c.interval for c in numbers) and any(c.reason == none for c in numbers)


def _rewrite(grid: Grid, bare: list[bool], notes: _Notes, line_note: str) -> Grid:
    mark = notes.mark(line_note) if line_note and any(bare) else ""
    rows = []
    for index, row in enumerate(grid.rows):
        silent = [bare[index]] * len(row.cells) if grid.across else bare[: len(row.cells)]
        cells = tuple(_rewrite_cell(c, s, notes) for c, s in zip(row.cells, silent, strict=True))
        rows.append(replace(row, cells=cells, mark=mark if grid.across and bare[index] else ""))
    marks = tuple(mark if b else "" for b in bare) if mark and not grid.across else ()
    listed = tuple((sign, text) for text, sign in notes.found.items())
    return replace(grid, rows=tuple(rows), marks=marks, notes=listed)


def _rewrite_cell(cell: TableCell, silent: bool, notes: _Notes) -> TableCell:
    if not isinstance(cell, Shown) or not cell.reason:
        return cell
    if cell.reason == tell(NO_INTERVAL) and silent:
        return replace(cell, reason="")
    if cell.reason == echo(REFERENCE):
        return replace(cell, reason=tell(words.REFERENCE))
    if len(cell.reason) > INLINE or cell.interval:
        return replace(cell, mark=notes.mark(cell.reason))
    return cell
