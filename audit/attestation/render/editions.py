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
from .tongue import tell
from .view import Chapter, View

EDITIONS: dict[str, str] = {"full": "report.html.j2"}
"""Edition to its template; any other name is that of a policy in force."""
PACK_EDITION = "edition.html.j2"
"""Template of a policy's own edition."""
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


def template_of(view: View) -> tuple[str, EditionShown | None]:
    """Return the template of a view's edition, and what it prints besides the view.

    Parameters
    ----------
    view : View
        A dossier's view.
    """
    edition = view.dossier.presentation.edition
    annex = next((annex for annex in view.annexes if annex.pack.policy.pack == edition), None)
    if edition in EDITIONS or annex is None:
        return EDITIONS.get(edition, EDITIONS["full"]), None
    return PACK_EDITION, EditionShown(annex, _count(annex), _find_definitions(view, annex))


def narrow_view(view: View, edition: EditionShown) -> View:
    """Return the view with the chapters of a policy's edition.

    Parameters
    ----------
    view : View
        The view of the whole report.
    edition : EditionShown
        What is printed.
    """
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
