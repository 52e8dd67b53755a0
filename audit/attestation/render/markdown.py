"""A short summary for a pull request.

Comes in: a dossier. Goes out: Markdown (UTF-8) with the verdict, failed and open rules and what was not assessed; all
text of the dossier is escaped, so that no name can make a link, a heading or a tag.
"""

from __future__ import annotations

from audit.evidence import Dossier

from . import findings, words
from .change_markdown import render_change_markdown
from .plain import plain
from .view import NOTICE, View, build_view


def render_markdown(dossier: Dossier) -> bytes:
    """Return a short Markdown summary of the dossier; of a change, what it changes."""
    if dossier.kind == "change":
        return render_change_markdown(dossier)
    view = build_view(dossier)
    parts = [
        f"## {view.outcome[2]} {view.outcome[0]}: {plain(dossier.evidence.subject.title, 120)}",
        plain(view.sentence),
        *_incomplete(view),
        *_table("What matters most", view.top),
        *_open(view),
        *_not_assessed(view),
        f"Evidence `{dossier.judgement.evidence_digest}`, judged as of {dossier.judgement.as_of}.",
        NOTICE,
    ]
    return ("\n\n".join(parts) + "\n").encode("utf-8", errors="replace")


def _incomplete(view: View) -> list[str]:
    if not view.incomplete:
        return []
    return ["**INCOMPLETE**: " + ", ".join(part.title for part in view.not_assessed if part.broke) + " broke."]


def _table(title: str, rules: tuple[findings.RuleShown, ...]) -> list[str]:
    if not rules:
        return []
    rows = ["| Verdict | Rule | Observed | Limit |", "|---|---|---|---|"]
    for rule in rules:
        worst = rule.worst
        observed = worst.observed.text if worst.observed else worst.verdict.because
        scope = f" ({plain(worst.name, 80)})" if worst.name else ""
        scope += f". {plain(rule.task, 160)}" if rule.task else ""
        rows.append(
            f"| {rule.sign.sign} {rule.sign.word} | {plain(rule.finding.title, 160)} | {plain(observed)}{scope} | "
            f"{plain(rule.finding.limit or '–', 80)} |"
        )
    return [f"### {title}", "\n".join(rows)]


def _open(view: View) -> list[str]:
    if not view.undecided:
        return []
    lines = [
        f"- {plain(rule.finding.title, 160)}: {plain(rule.worst.verdict.would_decide or rule.worst.verdict.because)}"
        for rule in view.undecided
    ]
    return ["### Undecided, and what would decide it", "\n".join(lines)]


def _not_assessed(view: View) -> list[str]:
    if not view.not_assessed:
        return []
    return ["### Not assessed", "\n".join(f"- {part.title}: {plain(part.reason)}" for part in view.not_assessed)]


__all__ = ["plain", "render_markdown", "words"]
