"""Who deals with an open finding, by when, and since when it is open: what turns a verdict into a task.

Comes in: findings, what documents.yaml says about them, and the days on which the ledger first saw them. Goes out: the
same findings with owner, due day and first day; verdicts are never touched here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from audit.errors import suggest_name
from audit.evidence import Assignment, Judgement, Papers, RuleFinding, Verdict


def assign_owners(findings: Sequence[RuleFinding], papers: Papers) -> tuple[RuleFinding, ...]:
    """Return the findings with owner, due day and note of documents.yaml at every open scope.

    Parameters
    ----------
    findings : sequence of RuleFinding
        As judged, waivers applied.
    papers : Papers
        Its `findings` name a rule or one scope of it; the scope's own entry goes before the rule's.
    """
    named = {entry.finding: entry for entry in papers.findings}
    if not named:
        return tuple(findings)
    return tuple(
        finding.model_copy(update={"verdicts": tuple(_assign(verdict, named) for verdict in finding.verdicts)})
        for finding in findings
    )


def _assign(verdict: Verdict, named: Mapping[str, Assignment]) -> Verdict:
    entry = named.get(verdict.scope) or named.get(verdict.rule)
    if entry is None or not verdict.leaves_open:
        return verdict
    return verdict.model_copy(update={"owner": entry.owner, "due": entry.due, "note": entry.note})


def date_findings(judgement: Judgement, seen: Mapping[str, str], today: str) -> Judgement:
    """Return the judgement with the day on which each open finding was first seen.

    Parameters
    ----------
    judgement : Judgement
        The verdicts.
    seen : mapping
        Id of a finding to the day of the first audit of this system in which it was open.
    today : str
        Day of this audit, ISO 8601, for a finding that no earlier audit knows.
    """

    def date_one(verdict: Verdict) -> Verdict:
        if not verdict.leaves_open:
            return verdict
        return verdict.model_copy(update={"first_seen": seen.get(verdict.id, today)})

    findings = tuple(
        finding.model_copy(update={"verdicts": tuple(map(date_one, finding.verdicts))})
        for finding in judgement.findings
    )
    return judgement.model_copy(update={"findings": findings})


def warn_of_tasks(findings: Sequence[RuleFinding], papers: Papers, as_of: date) -> Iterable[str]:
    """Tell of owners named for a finding that does not exist, and of findings still open after their day.

    Parameters
    ----------
    findings : sequence of RuleFinding
        With their owners.
    papers : Papers
        What documents.yaml says about them.
    as_of : datetime.date
        The day of judgement.
    """
    rules = {finding.rule for finding in findings}
    scopes = {verdict.scope for finding in findings for verdict in finding.verdicts}
    packs = {finding.pack for finding in findings}
    for entry in papers.findings:
        if entry.finding not in rules | scopes and entry.finding.partition("/")[0] in packs:
            hint = suggest_name(entry.finding, rules | scopes)
            yield f"documents: findings names '{entry.finding}', which no rule in force has" + (
                f"; {hint}" if hint else ""
            )
    late = {
        (finding.rule, verdict.due, verdict.owner)
        for finding in findings
        for verdict in finding.verdicts
        if verdict.due and verdict.status != "waived" and date.fromisoformat(verdict.due) < as_of
    }
    for rule, due, owner in sorted(late):
        yield f"{rule} was due on {due} and is still open; it lies with {owner}"
