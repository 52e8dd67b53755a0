"""Weak slices as a reader meets them, and people whose label is missing.

Comes in: the slices section, the count tables. Goes out: a message and a table of either, or None where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.evidence import CountTable, Evidence, Fairness, Slice, Slices

from . import fairness_words, sentences, words
from .conditions import say_part
from .footnotes import annotate
from .numbers import Shown, count_text, p_text, share_text, show
from .panels import value_grid
from .tables import Grid, GridRow, Lexicon, TableCell
from .tongue import tell

CLEAREST = 5
"""Slices shown at once, confirmed ones where there are any; all others stand behind them."""


@dataclass(frozen=True, slots=True)
class SliceShown:
    """One slice with who is in it."""

    name: str
    found: str
    people: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WeakBlock:
    """The search for weak slices."""

    message: str
    table: Grid | None
    more: Grid | None
    hidden: int
    hidden_held: int
    who: tuple[SliceShown, ...]
    rest: Grid | None


def show_slices(evidence: Evidence, lexicon: Lexicon) -> WeakBlock | None:
    """Return the weak slices; None where they were not searched."""
    part = evidence.slices
    if not isinstance(part, Slices):
        return None
    held = [item for item in part.slices if item.holds]
    shown = (held or list(part.slices))[:CLEAREST]
    more = [item for item in part.slices if item not in shown]
    return WeakBlock(
        sentences.say_slices(len(held), part.tested, part.of),
        _slice_grid(part, shown, lexicon) if shown else None,
        _slice_grid(part, more, lexicon) if more else None,
        len(more),
        sum(item.holds for item in more),
        tuple(_who(item) for item in shown if item.holds and item.groups),
        value_grid(part.measurements, lexicon),
    )


def _slice_grid(part: Slices, slices: Sequence[Slice], lexicon: Lexicon) -> Grid:
    heads = tuple(map(tell, fairness_words.SLICE_HEADS))
    unit = "share" if "rate" in part.of else lexicon.unit("slices.worst_excess")
    rows = tuple(
        GridRow(
            _name_part(item),
            "",
            (
                _text(count_text(item.rate.n)),
                show(item.rate, "", unit),
                show(item.rest, "", unit),
                show(item.excess, "", unit),
                _text(p_text(item.p_adjusted)),
                _text(tell(fairness_words.CONFIRMED[item.holds])),
            ),
        )
        for item in slices
    )
    return annotate(Grid(heads[0], heads[1:], rows))


def _name_part(item: Slice) -> str:
    return words.sentence(say_part(item.name, item.features)).rstrip(".")


def _who(item: Slice) -> SliceShown:
    groups = tuple(
        f"{words.prettify(name)}: " + ", ".join(f"{group} {share_text(share)}" for group, share in shares.items())
        for name, shares in item.groups.items()
    )
    return SliceShown(_name_part(item), count_text(item.found_rows), count_text(item.rate.n), groups)


def show_unlabelled(fairness: Fairness) -> tuple[tuple[str, Grid], ...]:
    """Return who has no label, by group and decision; empty where everybody has one or nobody has.

    Notes
    -----
    Where a decision hides the outcome (a loan that was not granted is never repaid or not), the people without a label
    are no sample of all: numbers from labels describe the rest.
    """
    return tuple(
        (words.prettify(table.name), _unlabelled_grid(table))
        for table in fairness.tables
        if len(table.attributes) == 1 and _is_partly_labelled(table)
    )


def _is_partly_labelled(table: CountTable) -> bool:
    labelled, people = sum(cell.labelled for cell in table.cells), sum(cell.n for cell in table.cells)
    return 0 < labelled < people


def _unlabelled_grid(table: CountTable) -> Grid:
    rows = []
    for cell in table.cells:
        missing = cell.n - cell.labelled
        cells: tuple[TableCell, ...] = (
            _text(count_text(cell.n)),
            _part(missing, cell.n),
            _part(cell.unlabelled_favourable, cell.favourable),
            _part(cell.unlabelled_unfavourable, cell.decided - cell.favourable),
        )
        rows.append(GridRow(" · ".join(cell.values), "", cells))
    return Grid(words.prettify(table.name), tuple(map(tell, fairness_words.UNLABELLED_HEADS)), tuple(rows))


def _part(count: int, people: int) -> Shown:
    if not people:
        return _text("–")
    share = share_text(count / people)
    return _text(tell("{count} of {all} ({share})", count=count_text(count), all=count_text(people), share=share))


def _text(value: str) -> Shown:
    return Shown(value, "", "", "", True, True, "", "")
