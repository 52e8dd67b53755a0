"""Editions of a report: the whole, or the items of one policy in the order of the law, as an officer hands them in.

Comes in: a dossier's edition and its view. Goes out: the template to print, and what only that template needs. An
edition is a choice of what to print; every edition is sealed over the same dossier.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from audit.errors import ConfigError, suggest_name
from audit.evidence import Definition

from .clauses import AnnexShown
from .findings import Count
from .groups import AttributeBlock
from .tables import Judged
from .tongue import tell
from .view import Chapter, View

EDITIONS: dict[str, str] = {"full": "report.html.j2", "summary": "summary.html.j2"}
"""Edition to its template; any other name is that of a policy in force."""
ROOM, LEAST, PER_GROUP = 330.0, 36.0, 6.4
"""Millimetres that a summary has for fairness, that an attribute takes, and that each of its groups adds."""
LINES = 8
"""Attributes that a summary names in one line each, where their figures find no room."""
PACK_EDITION = "edition.html.j2"
"""Template of a policy's own edition."""
CHANGE_REPORT = "change.html.j2"
"""Template of the report of a comparison, which has one edition."""
_CHAPTERS = (
    ("overview", "Overview"),
    ("items", "The items"),
    ("open-items", "Open items"),
    ("stated", "Facts that were stated"),
    ("signoff", "Sign-off"),
    ("measures", "What was measured, and how"),
    ("law", "The law, and what was not verified"),
    ("reproduction", "Reproduction"),
)


@dataclass(frozen=True, slots=True)
class EditionShown:
    """One policy as a document of its own."""

    annex: AnnexShown
    counts: tuple[Count, ...]
    definitions: tuple[Definition, ...]


@dataclass(frozen=True, slots=True)
class SummaryShown:
    """What a summary prints of fairness, so that it stays within four pages however many attributes there are.

    Parameters
    ----------
    drawn : tuple of AttributeBlock
        Attributes with their figure.
    named : tuple of AttributeBlock
        Attributes that are told in one line.
    more : int
        Attributes that only the full report tells of.
    """

    drawn: tuple[AttributeBlock, ...]
    named: tuple[AttributeBlock, ...]
    more: int


def check_edition(edition: str, packs: Iterable[str]) -> None:
    """Refuse an edition that cannot be printed.

    Parameters
    ----------
    edition : str
        As `report.edition` names it.
    packs : iterable of str
        Names of the policies in force.

    Raises
    ------
    ConfigError
        There is no such edition, and no such policy is in force.
    """
    known = [*EDITIONS, *packs]
    if edition not in known:
        hint = suggest_name(edition, known) or f"one of {', '.join(known)}; a policy must stand under policies"
        raise ConfigError(f"there is no edition '{edition}'", place="report.edition", hint=hint)


def template_of(view: View) -> tuple[str, EditionShown | SummaryShown | None]:
    """Return the template of a view's edition, and what it prints besides the view.

    Parameters
    ----------
    view : View
        A dossier's view.
    """
    edition = view.dossier.presentation.edition
    if view.dossier.kind == "change":
        return CHANGE_REPORT, None
    if edition == "summary":
        return EDITIONS[edition], summarise(view.fairness.attributes if view.fairness else ())
    annex = next((annex for annex in view.annexes if annex.pack.policy.pack == edition), None)
    if edition in EDITIONS or annex is None:
        return EDITIONS.get(edition, EDITIONS["full"]), None
    return PACK_EDITION, EditionShown(annex, _count(annex), _find_definitions(view, annex))


def summarise(blocks: tuple[AttributeBlock, ...]) -> SummaryShown:
    """Return the attributes that fit into a summary, in their order; those judged to fail come first.

    Parameters
    ----------
    blocks : tuple of AttributeBlock
        All attributes.
    """
    order = sorted(blocks, key=lambda block: not _fails(block))
    room = ROOM
    drawn: list[AttributeBlock] = []
    named: list[AttributeBlock] = []
    for block in order:
        height = LEAST + PER_GROUP * (len(block.table.rows) - block.hidden)
        (drawn if height <= room else named).append(block)
        room -= height if height <= room else 0.0
    return SummaryShown(tuple(drawn), tuple(named[:LINES]), len(named[LINES:]))


def _fails(block: AttributeBlock) -> bool:
    cells = [cell for row in block.table.rows for cell in row.cells]
    return any(isinstance(cell, Judged) and cell.sign is not None and cell.sign.tone == "bad" for cell in cells)


def narrow_view(view: View, edition: EditionShown | SummaryShown) -> View:
    """Return the view with the chapters of an edition; a summary names those of the whole report, without a number.

    Parameters
    ----------
    view : View
        The view of the whole report.
    edition : EditionShown
        What is printed.
    """
    if isinstance(edition, SummaryShown):
        return replace(view, chapters=tuple(replace(chapter, number="") for chapter in view.chapters))
    papers = view.dossier.judgement.papers
    empty = {
        "items": not edition.annex.clauses or edition.annex.folded,
        "open-items": not edition.annex.open or edition.annex.folded,
        "stated": not papers.facts,
        "measures": not edition.definitions,
    }
    shown = [item for item in _CHAPTERS if not empty.get(item[0], False)]
    chapters = tuple(Chapter(str(number), anchor, tell(title)) for number, (anchor, title) in enumerate(shown, start=1))
    return replace(view, chapters=chapters)


def _count(annex: AnnexShown) -> tuple[Count, ...]:
    """Return how many items are evidenced, fail, are open, do not apply: counts, never a score."""
    standing = [scope.verdict.standing for clause in annex.clauses for scope in clause.rule.scopes[:1]]
    rows = (
        (("error", "fail"), "not met", "bad", "✗"),
        (("inconclusive", "manual"), "open", "open", "?"),
        (("warn",), "with a warning", "open", "!"),
        (("waived",), "waived", "mute", "≈"),
        (("pass",), "met", "good", "✓"),
        (("not_applicable",), "not applicable", "mute", "–"),
    )
    counts = [
        Count(sum(word in words for word in standing), tell(name), tone, sign) for words, name, tone, sign in rows
    ]
    return tuple(count for count in counts if count.number or count.tone in ("bad", "good"))


def _find_definitions(view: View, annex: AnnexShown) -> tuple[Definition, ...]:
    metrics = {scope.verdict.metric for clause in annex.clauses for scope in clause.rule.scopes if scope.observed}
    return tuple(definition for definition in view.dossier.evidence.definitions if definition.id in metrics)
