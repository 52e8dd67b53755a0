"""How much is told of each group: its size, its decisions, its whole table, or nothing.

Comes in: the evidence's count tables. Goes out: `Views`, which answers for a scope and a view. An intersection is shown
where every cell of its table may be, and else not at all: tables of three dimensions have no simple bounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from audit.evidence import Cell, CountTable, Data, Evidence, Fairness, Group

from .cells import Parts, close_withheld, find_small, is_small

View = Literal["size", "decision", "full"]
VIEWS: tuple[View, ...] = ("size", "decision", "full")
"""From the coarsest to the finest."""
Scope = frozenset[tuple[str, str]]
UNKNOWN = "unknown"


def part_of(cell: Cell, view: View) -> Parts:
    """Return the counts of a group that a view prints."""
    undecided = cell.positive_undecided + cell.negative_undecided + cell.unlabelled_undecided
    if view == "size":
        return (cell.n,)
    if view == "decision":
        return (cell.favourable, cell.decided - cell.favourable, undecided)
    return (
        cell.positive_favourable, cell.positive_unfavourable, cell.negative_favourable, cell.negative_unfavourable,
        cell.unlabelled_favourable, cell.unlabelled_unfavourable, cell.positive_undecided, cell.negative_undecided,
        cell.unlabelled_undecided,
    )  # fmt: skip


@dataclass(slots=True)
class Views:
    """What may be told of whom.

    Parameters
    ----------
    withheld : dict
        View to the scopes that are withheld at it.
    known : dict
        Attribute, or several joined by `` * ``, to its scopes.
    judged : frozenset
        Scopes on which a verdict may rest: known, and large enough.
    total : frozenset of str
        Views at which everybody taken together may be told of.
    outcomes : frozenset of str
        Attributes whose table of bands or classes holds no small cell.
    """

    withheld: dict[View, set[Scope]] = field(default_factory=lambda: {view: set() for view in VIEWS})
    known: dict[str, tuple[Scope, ...]] = field(default_factory=dict)
    judged: frozenset[Scope] = frozenset()
    total: frozenset[View] = frozenset(VIEWS)
    outcomes: frozenset[str] = frozenset()

    def shows(self, scope: Iterable[tuple[str, str]], view: View) -> bool:
        """Whether a group may be told of at a view; a group that no table counts may not."""
        wanted = frozenset(scope)
        return any(wanted in scopes for scopes in self.known.values()) and wanted not in self.withheld[view]

    def shows_all(self, attribute: str, view: View, *, judged_only: bool = False) -> bool:
        """Whether every group of an attribute may be told of at a view, or every one that is judged."""
        scopes = self.known.get(attribute)
        if scopes is None:
            return False
        return all(s not in self.withheld[view] for s in scopes if s in self.judged or not judged_only)

    @property
    def nothing_withheld(self) -> bool:
        """Whether everything may be told of every group."""
        return not any(self.withheld.values()) and self.total == frozenset(VIEWS)


def decide_views(evidence: Evidence) -> Views:
    """Return what may be told of whom.

    Parameters
    ----------
    evidence : Evidence
        The whole, internal evidence.
    """
    made = Views()
    tables = evidence.fairness.tables if isinstance(evidence.fairness, Fairness) else ()
    for table in tables:
        _view_table(table, made)
    if isinstance(evidence.data, Data):
        _view_sizes(evidence.data.groups, made)
    crossed = evidence.fairness.outcome_tables if isinstance(evidence.fairness, Fairness) else ()
    made.outcomes = frozenset(
        " * ".join(table.attributes) for table in crossed if not any(is_small(cell.n) for cell in table.cells)
    )
    made.judged = _find_judged(tables, evidence.subject.small_count)
    return made


def _view_table(table: CountTable, made: Views) -> None:
    scopes = [frozenset(zip(table.attributes, cell.values, strict=True)) for cell in table.cells]
    made.known[table.name] = tuple(scopes)
    withheld: set[Scope] = set()
    for view in VIEWS:
        parts = {scope: part_of(cell, view) for scope, cell in zip(scopes, table.cells, strict=True)}
        together = tuple(map(sum, zip(*parts.values(), strict=True)))
        withheld = withheld | find_small(parts)
        if len(table.attributes) > 1:
            withheld = set(scopes) if withheld else withheld
        else:
            made.total = made.total - ({view} if any(map(is_small, together)) else set())
            withheld = close_withheld(parts, withheld)
        if view not in made.total:
            withheld = set(scopes)
        made.withheld[view] |= withheld
    if len(table.attributes) > 1 and withheld:  # a part of an intersection would tell of the rest of it
        for view in VIEWS:
            made.withheld[view] |= set(scopes)


def _view_sizes(groups: tuple[Group, ...], made: Views) -> None:
    """Decide on attributes that are counted in the data section alone."""
    for attributes in dict.fromkeys(group.attributes for group in groups):
        name = " * ".join(attributes)
        if name in made.known:
            continue
        parts = {frozenset(g.scope.items()): (g.n,) for g in groups if g.attributes == attributes}
        made.known[name] = tuple(parts)
        withheld = close_withheld(parts, find_small(parts))
        for view in VIEWS:
            made.withheld[view] |= withheld


def _find_judged(tables: tuple[CountTable, ...], small_count: int) -> frozenset[Scope]:
    return frozenset(
        frozenset(zip(table.attributes, cell.values, strict=True))
        for table in tables
        for cell in table.cells
        if cell.n >= small_count and UNKNOWN not in cell.values
    )
