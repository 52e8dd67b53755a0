"""A short summary for a pull request.

Comes in: a dossier. Goes out: Markdown (UTF-8) with the verdict, failed and open rules and what was not assessed; all
text of the dossier is escaped, so that no name can make a link, a heading or a tag.
"""

from __future__ import annotations

from audit.evidence import Dossier

from . import findings, words
from .change_markdown import render_change_markdown
from .plain import plain
from .tongue import echo, speak, tell
from .view import NOTICE, View, build_view


def render_markdown(dossier: Dossier) -> bytes:
    """Return a short Markdown summary of the dossier; of a change, what it changes."""
    if dossier.kind == "change":
        return render_change_markdown(dossier)
    with speak(dossier.presentation.language):
        return _write(dossier, build_view(dossier))


def _write(dossier: Dossier, view: View) -> bytes:
    evidence, as_of = dossier.judgement.evidence_digest, dossier.judgement.as_of
    parts = [
        f"## {view.outcome[2]} {view.outcome[0]}: {plain(dossier.evidence.subject.title, 120)}",
        plain(view.sentence),
        *_incomplete(view),
        *_table(tell("What matters most"), view.top),
        *_open(view),
        *_not_assessed(view),
        tell("Evidence `{digest}`, judged as of {day}.", digest=evidence, day=as_of),
        tell(NOTICE),
    ]
    return ("\n\n".join(parts) + "\n").encode("utf-8", errors="replace")


def _incomplete(view: View) -> list[str]:
    if not view.incomplete:
        return []
    parts = ", ".join(part.title for part in view.not_assessed if part.broke)
    return [tell("**INCOMPLETE**: {parts} broke.", parts=parts)]


def _table(title: str, rules: tuple[findings.RuleShown, ...]) -> list[str]:
    if not rules:
        return []
    heads = " | ".join(map(tell, ("Verdict", "Rule", "Observed", "Limit")))
    rows = [f"| {heads} |", "|---|---|---|---|"]
    for rule in rules:
        worst = rule.worst
        observed = worst.observed.text if worst.observed else echo(worst.verdict.because)
        scope = f" ({plain(worst.name, 80)})" if worst.name else ""
        scope += f". {plain(rule.task, 160)}" if rule.task else ""
        verdict, named = f"{rule.sign.sign} {tell(rule.sign.word)}", plain(echo(rule.finding.title), 160)
        limit = plain(echo(rule.finding.limit) or "–", 80)
        rows.append(f"| {verdict} | {named} | {plain(observed)}{scope} | {limit} |")
    return [f"### {title}", "\n".join(rows)]


def _open(view: View) -> list[str]:
    if not view.undecided:
        return []
    lines = [
        f"- {plain(echo(rule.finding.title), 160)}: "
        + plain(echo(rule.worst.verdict.would_decide or rule.worst.verdict.because))
        for rule in view.undecided
    ]
    return [f"### {tell('Undecided, and what would decide it')}", "\n".join(lines)]


def _not_assessed(view: View) -> list[str]:
    if not view.not_assessed:
        return []
    return [
        f"### {tell('Not assessed')}",
        "\n".join(f"- {part.title}: {plain(part.reason)}" for part in view.not_assessed),
    ]


__all__ = ["plain", "render_markdown", "words"]
