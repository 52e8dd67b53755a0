"""How much is told of each group: its size, its decisions, its whole table, or nothing.

Comes in: the evidence's count tables. Goes out: `Views`, which answers for a scope and a view. An intersection is shown
where every cell of its table may be, and else not at all: tables of three dimensions have no simple bounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from audit.evidence import Cell, CountTable, Data, Evidence, Fairness, Group, OutcomeTable, StratifiedTable

from .cells import Parts, close_withheld, find_small, is_small
from .names import Masks, number_names

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
    strata : frozenset of str
        Attributes whose tables within strata hold no small cell.
    several : bool
        Whether the label has more than two classes.
    classes : bool
        Whether everybody's table of true by predicted class holds no small cell.
    correct_told : bool
        Whether the number of right predictions tells of no small cell beside the table of label by decision.
    everybody : tuple of int
        Rows, and rows with a label.
    sizes : dict
        Scope to its rows, and those with a label.
    masks : Masks
        What stands for the names of groups of which not even the size is told.
    """

    withheld: dict[View, set[Scope]] = field(default_factory=lambda: {view: set() for view in VIEWS})
    known: dict[str, tuple[Scope, ...]] = field(default_factory=dict)
    judged: frozenset[Scope] = frozenset()
    total: frozenset[View] = frozenset(VIEWS)
    outcomes: frozenset[str] = frozenset()
    strata: frozenset[str] = frozenset()
    several: bool = False
    classes: bool = False
    correct_told: bool = True
    everybody: Parts = ()
    sizes: dict[Scope, Parts] = field(default_factory=dict)
    masks: Masks = field(default_factory=Masks)

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
    made = Views(several=evidence.subject.task == "multiclass")
    fairness = evidence.fairness if isinstance(evidence.fairness, Fairness) else None
    tables = fairness.tables if fairness else ()
    for table in tables:
        _view_table(table, made)
    if isinstance(evidence.data, Data):
        _view_sizes(evidence.data.groups, made)
    if fairness:
        _view_outcomes(fairness.outcome_tables, made)
        _view_classes(fairness, evidence, made)
        made.strata = frozenset(table.attribute for table in fairness.strata if not _has_small_stratum(table))
    made.judged = _find_judged(tables, evidence.subject.small_count)
    made.everybody = _count_everybody(evidence, tables)
    made.masks = _mask_names(made)
    return made


def _view_outcomes(tables: tuple[OutcomeTable, ...], made: Views) -> None:
    made.outcomes = frozenset(
        " * ".join(table.attributes) for table in tables if not any(is_small(cell.n) for cell in table.cells)
    )


def _view_classes(fairness: Fairness, evidence: Evidence, made: Views) -> None:
    """Decide on numbers of everybody that rest on the table of true by predicted class."""
    table = next((one for one in fairness.outcome_tables if one.kind == "class"), None)
    if table is None or not fairness.tables:
        return
    crossed: dict[tuple[str | None, str], int] = {}
    for cell in table.cells:
        crossed[cell.truth, cell.outcome] = crossed.get((cell.truth, cell.outcome), 0) + cell.n
    made.classes = not any(map(is_small, crossed.values()))
    others = sum(n for (truth, outcome), n in crossed.items() if truth == outcome != evidence.subject.positive)
    refused = sum(cell.negative_unfavourable for cell in fairness.tables[0].cells)
    made.correct_told = made.classes or not (is_small(others) or is_small(refused - others))


def _has_small_stratum(table: StratifiedTable) -> bool:
    """Whether a group within a stratum has a small part; a stratum that nobody shares tells of nobody."""
    cells = (cell for stratum in table.strata for cell in stratum.cells)
    return any(is_small(count) for cell in cells for count in (*part_of(cell, "size"), *part_of(cell, "decision")))


def _count_everybody(evidence: Evidence, tables: tuple[CountTable, ...]) -> Parts:
    if isinstance(evidence.data, Data):
        return (evidence.data.rows, evidence.data.label_known)
    return tuple(sum(getattr(cell, name) for cell in tables[0].cells) for name in ("n", "labelled")) if tables else ()


def _mask_names(made: Views) -> Masks:
    names: dict[str, list[str]] = {}
    for scope in made.withheld["size"]:
        if len(scope) == 1:
            ((attribute, value),) = scope
            if value != UNKNOWN:
                names.setdefault(attribute, []).append(value)
    return number_names({attribute: tuple(values) for attribute, values in names.items()})


def _view_table(table: CountTable, made: Views) -> None:
    scopes = [frozenset(zip(table.attributes, cell.values, strict=True)) for cell in table.cells]
    made.known[table.name] = tuple(scopes)
    made.sizes.update((scope, (cell.n, cell.labelled)) for scope, cell in zip(scopes, table.cells, strict=True))
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
        made.sizes.update(parts)
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
