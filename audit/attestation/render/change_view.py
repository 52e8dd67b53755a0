"""A change before it has a form: the first page, then what stands behind it.

Comes in: a dossier with changes. Goes out: a `ChangeShown` per change; the templates hold words and structure. The
report of a comparison prints all of it, the chapter of an audit its beginning.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.evidence import Change, Dossier

from . import change_report_words as said
from .change_figures import (
    MOST_ROWS,
    Figure,
    ShapeShown,
    draw_gains,
    draw_groups_moved,
    draw_importance_shift,
    draw_shapes,
)
from .change_numbers import ChangeLexicon, MoveShown, Reader
from .change_page import Headline, PeopleTable, count_change, find_worst, list_findings, list_people, write_headline
from .change_tables import (
    DecisionLine,
    DifferenceLine,
    DriverTable,
    MoveTable,
    VerdictLine,
    about_data,
    list_all_moves,
    list_decisions,
    list_differences,
    list_drivers,
    list_moves,
    list_verdicts,
)
from .findings import Count, RuleShown
from .tongue import tell

PAGE_GROUPS = 8
"""Groups on the first page."""
WORSE, MOVED, BETTER = 16, 6, 8
"""Numbers in the tables of what got worse, moved and got better; all of them stand in the HTML."""
SHAPES = 4


@dataclass(frozen=True, slots=True)
class ChangeShown:
    """Everything a template prints of one change."""

    change: Change
    anchor: str
    title: str
    against: str
    headline: Headline
    counts: tuple[Count, ...]
    people: PeopleTable
    rules: tuple[RuleShown, ...]
    groups: Figure | None
    decisions: tuple[DecisionLine, ...]
    gains: Figure | None
    drivers: tuple[DriverTable, ...]
    shapes: tuple[ShapeShown, ...]
    shapes_left: int
    importance: Figure | None
    worse: MoveTable
    moved: MoveTable
    better: MoveTable
    sections: tuple[MoveTable, ...]
    data: tuple[MoveShown, ...]
    differences: tuple[DifferenceLine, ...]
    policies: tuple[DifferenceLine, ...]
    verdicts: tuple[VerdictLine, ...]

    @property
    def judged_both(self) -> bool:
        """Whether rules were held against both sides."""
        return bool(self.change.before.outcome and self.change.after.outcome)

    @property
    def better_first(self) -> tuple[MoveShown, ...]:
        """What got better first of all: up to three different numbers."""
        return tuple({row.title: row for row in reversed(self.better.rows)}.values())[::-1][:3]

    @property
    def broken(self) -> tuple[RuleShown, ...]:
        """The rules that the change breaks."""
        return tuple(rule for rule in self.rules if rule.finding.status in ("fail", "error"))

    @property
    def open(self) -> tuple[RuleShown, ...]:
        """The rules that nobody can decide yet."""
        return tuple(rule for rule in self.rules if rule.finding.status in ("inconclusive", "manual"))

    @property
    def kept(self) -> tuple[RuleShown, ...]:
        """The rules that the change keeps."""
        return tuple(rule for rule in self.rules if rule.finding.status in ("pass", "warn", "waived"))


def show_changes(dossier: Dossier) -> tuple[ChangeShown, ...]:
    """Return every change of a dossier.

    Parameters
    ----------
    dossier : Dossier
        An audit with changes, or the report of a comparison.
    """
    return tuple(_show(dossier, change, place) for place, change in enumerate(dossier.changes, start=1))


def _show(dossier: Dossier, change: Change, place: int) -> ChangeShown:
    evidence, judgement = dossier.evidence, dossier.judgement
    reader = Reader(change, judgement, ChangeLexicon(evidence.definitions, change))
    whole, prefix = dossier.kind == "change", f"change-{place}-"
    people = list_people(reader, evidence, most=PAGE_GROUPS)
    decisions = list_decisions(reader)
    worst = find_worst(reader)
    hit = worst[0].group if worst and len(worst[0].group) == 1 else {}
    drivers = [list_drivers(reader, group) for group in ([hit, {}] if hit else [{}])]
    drawn = [item for item in change.shapes if item.earlier is not None]
    return ChangeShown(
        change=change,
        anchor=f"change-{place}",
        title=tell(said.AGAINST[change.against][0]),
        against=tell(said.AGAINST[change.against][1]),
        headline=write_headline(reader, judgement),
        counts=count_change(reader),
        people=people,
        rules=list_findings(reader, judgement),
        groups=draw_groups_moved(reader, list_people(reader, evidence, most=MOST_ROWS - 1).lines, prefix),
        decisions=decisions,
        gains=draw_gains(reader, decisions, prefix),
        drivers=tuple(table for table in drivers if table is not None),
        shapes=draw_shapes(reader, evidence, SHAPES, prefix),
        shapes_left=max(0, len(drawn) - SHAPES),
        importance=draw_importance_shift(reader, prefix),
        worse=list_moves(reader, ("worse",), said.WORSE_TITLE, WORSE),
        moved=list_moves(reader, ("moved",), said.MOVED_TITLE, MOVED),
        better=list_moves(reader, ("better",), said.BETTER_TITLE, BETTER),
        sections=list_all_moves(reader) if whole else (),
        data=about_data(reader, evidence),
        differences=list_differences(reader, policies=False),
        policies=list_differences(reader, policies=True),
        verdicts=list_verdicts(reader),
    )
