"""A short summary for a pull request.

Comes in: a dossier. Goes out: Markdown (UTF-8) with the verdict, every failed, open and doubtful rule and what was not
assessed; all text of the dossier is escaped, so that no name can make a link, a heading or a tag.
"""

from __future__ import annotations

from audit.evidence import Data, Dossier, VerdictWord

from . import findings, words
from .bins import say_bins
from .change_markdown import render_change_markdown
from .naming import speak_of
from .numbers import count_text, day_text
from .plain import plain
from .told import say_title
from .tongue import echo, tell, tell_many
from .view import NOTICE, View, build_view

MOST = 40
"""Rules listed under one heading; a forge cuts a comment that is much longer."""
FULL = {"html": "report.html", "pdf": "report.pdf"}
"""Formats that hold everything, and their files."""


def render_markdown(dossier: Dossier) -> bytes:
    """Return a short Markdown summary of the dossier; of a change, what it changes."""
    if dossier.kind == "change":
        return render_change_markdown(dossier)
    with speak_of(dossier):
        return say_bins(_write(dossier, build_view(dossier)).decode(), dossier).encode()


def _write(dossier: Dossier, view: View) -> bytes:
    evidence, as_of = dossier.judgement.evidence_digest, dossier.judgement.as_of
    parts = [
        f"## {view.outcome[2]} {view.outcome[0]}: {plain(say_title(dossier.evidence.subject.title), 120)}",
        plain(view.sentence),
        *_counts(view),
        _audited(dossier),
        *say_public(dossier),
        *_incomplete(view),
        *_changes(view),
        *_failed(view),
        *_open(view),
        *_doubtful(view, "warn", tell("Warnings")),
        *_doubtful(view, "waived", tell("Waived")),
        *_not_assessed(view),
        *_full_report(dossier),
        tell("Evidence `{digest}`, judged as of {day}.", digest=evidence, day=day_text(as_of)),
        tell(NOTICE),
    ]
    return ("\n\n".join(parts) + "\n").encode("utf-8", errors="replace")


def say_public(dossier: Dossier) -> list[str]:
    """Return that a document is for everybody and withholds numbers; nothing of an internal one."""
    public = dossier.public
    if public is None:
        return []
    text = (
        "**Public edition.** Nothing here counts fewer than {smallest} people; {withheld} numbers and cells are "
        "withheld. The verdicts are those of the whole audit."
    )
    return [tell(text, smallest=public.smallest, withheld=count_text(public.withheld))]


def _counts(view: View) -> list[str]:
    """Return how many rules ended how; the sentence above leaves out what neither failed nor passed."""
    return [" · ".join(f"{c.sign} {c.number} {c.word}" for c in view.counts if c.number)] if view.rules else []


def _audited(dossier: Dossier) -> str:
    """Return what was audited, on one line."""
    subject, data = dossier.evidence.subject, dossier.evidence.data
    named = plain(words.prettify(subject.system), 80)
    parts = [
        tell("{system}, version {version}", system=named, version=plain(subject.version, 40))
        if subject.version
        else named
    ]
    if isinstance(data, Data):
        parts.append(tell_many("{number} row", "{number} rows", data.rows, number=count_text(data.rows)))
    if subject.attributes:
        groups = ", ".join(plain(words.prettify(attribute.name), 40) for attribute in subject.attributes)
        parts.append(tell("groups compared: {groups}", groups=groups))
    return "; ".join(parts) + "."


def _incomplete(view: View) -> list[str]:
    if not view.incomplete:
        return []
    parts = ", ".join(part.title for part in view.not_assessed if part.broke)
    return [tell("**INCOMPLETE**: {parts} broke.", parts=parts)]


def _changes(view: View) -> list[str]:
    """Return what an earlier audit or a champion shows beside this one, a paragraph each."""
    return [
        f"**{plain(block.title)}: {plain(block.headline.word)}.** "
        + plain(f"{block.headline.sentence} {block.headline.beside}".strip(), 500)
        for block in view.changes
    ]


def _failed(view: View) -> list[str]:
    rules = [rule for rule in view.rules if rule.finding.status in ("error", "fail")]
    if not rules:
        return []
    heads = " | ".join(map(tell, ("Verdict", "Rule", "Where", "Observed", "Limit")))
    lines = [f"| {heads} |", "|---|---|---|---|---|", *map(_row, rules[:MOST])]
    return [f"### {tell('What failed')}", "\n".join(lines), *_more(len(rules))]


def _row(rule: findings.RuleShown) -> str:
    worst = rule.worst
    observed = worst.observed.text if worst.observed else echo(worst.verdict.because)
    where = "; ".join(plain(part, 120) for part in (worst.name, rule.tally) if part) or "–"
    named = f"{plain(echo(rule.finding.title), 160)} ({_code(rule.finding.rule)})"
    named += f". {plain(rule.task, 160)}" if rule.task else ""
    verdict = f"{rule.sign.sign} {tell(rule.sign.word)} · {rule.severity}"
    return f"| {verdict} | {named} | {where} | {plain(observed)} | {plain(echo(rule.finding.limit) or '–', 80)} |"


def _open(view: View) -> list[str]:
    if not view.undecided:
        return []
    lines = [_line(rule, rule.worst.verdict.would_decide or rule.worst.verdict.because) for rule in view.undecided]
    heading = f"### {tell('Undecided, and what would decide it')}"
    return [heading, "\n".join(lines[:MOST]), *_more(len(lines))]


def _doubtful(view: View, status: VerdictWord, title: str) -> list[str]:
    rules = [rule for rule in view.rules if rule.finding.status == status]
    lines = [_line(rule, rule.worst.verdict.because) for rule in rules]
    return [f"### {title}", "\n".join(lines[:MOST]), *_more(len(lines))] if lines else []


def _line(rule: findings.RuleShown, said: str) -> str:
    waiver = rule.worst.verdict.waiver
    where = f" ({plain(rule.worst.name, 120)})" if rule.worst.name else ""
    more = [plain(tell("waiver {name}", name=waiver), 80)] if waiver else []
    more += [plain(rule.task, 160)] if rule.task else []
    return f"- {plain(echo(rule.finding.title), 160)}{where}: {'; '.join([plain(echo(said)).rstrip('.'), *more])}"


def _more(number: int) -> list[str]:
    rest = number - MOST
    return [tell_many("and {number} more rule", "and {number} more rules", rest)] if rest > 0 else []


def _code(text: str) -> str:
    """Return the name of a rule as code; it holds letters, digits, dots, dashes and one stroke by its form."""
    return (
        f"`{text}`"
        if text.replace("/", "").replace("-", "").replace("_", "").replace(".", "").isalnum()
        else plain(text)
    )


def _not_assessed(view: View) -> list[str]:
    if not view.not_assessed:
        return []
    return [
        f"### {tell('Not assessed')}",
        "\n".join(f"- {part.title}: {plain(part.reason)}" for part in view.not_assessed),
    ]


def _full_report(dossier: Dossier) -> list[str]:
    files = [f"`{FULL[form]}`" for form in dossier.presentation.formats if form in FULL]
    return [tell("The full report: {files}.", files=", ".join(files))] if files else []


__all__ = ["plain", "render_markdown", "words"]
