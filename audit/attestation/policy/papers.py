"""documents.yaml: facts, texts, answers and approvals that people supply.

Comes in: the file. Goes out: `Papers`, in which every text has the digest that an approval must name. Names that no
rule could ever ask for are mistakes, with a suggestion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeGuard

from audit.errors import ConfigError, Mistake, suggest_name
from audit.evidence import Answer, Approval, Assignment, Papers, SuppliedText, digest_bytes
from audit.evidence.papers import FactValue
from audit.yamlfile import YamlTree, read_yaml

from .documents import ApprovalEntry, DocumentsFile, TextEntry
from .reading import read_typed
from .vocabulary import COMPUTED_FACTS, FACTS, FIELDS

_RULE = re.compile(r"^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9.-]*$")
_DIGEST = re.compile(r"^(sha256:)?[0-9a-f]{64}$")
_FINDING = re.compile(r"^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9.-]*(\[[^\]]+\])?$")
_COUNTED = (".txt", ".md", ".rst", ".html", ".csv")
_PRINTED = (".txt", ".md", ".rst")
MOST_BYTES = 100_000_000
MOST_SIGNS = 200_000
"""Signs of a text file up to which its text stands in the dossier; a longer one stands there by digest."""
UNFILLED = "unknown"
"""Value of a fact that nobody knows yet; the same as leaving it out."""


def load_papers(path: Path | str | None) -> Papers:
    """Read documents.yaml.

    Parameters
    ----------
    path : path or None
        The file; None where nothing was supplied.

    Raises
    ------
    ConfigError
        All its mistakes: unknown names, values that are none, files that are not there.
    """
    if path is None:
        return Papers()
    tree = read_yaml(path)
    if tree.value is None:
        return Papers()
    parsed, mistakes = read_typed(tree, DocumentsFile)
    if parsed is None:
        raise ConfigError(mistakes=mistakes)
    folder = Path(path).parent
    mistakes = [Mistake(what, tree.place(steps), hint) for steps, what, hint in _check(parsed)]
    texts = [_read_text(field, entry, folder, tree, mistakes) for field, entry in parsed.texts.items() if entry]
    if mistakes:
        raise ConfigError(mistakes=mistakes)
    return Papers(
        facts={name: _as_fact(name, value) for name, value in parsed.facts.items() if _is_filled(value)},
        texts=tuple(text for text in texts if text),
        answers=tuple(
            Answer(rule=rule, answer=_as_answer(entry.answer), by=entry.by, role=entry.role, on=entry.on.isoformat())
            for rule, entry in parsed.answers.items()
            if entry
        ),
        approvals=tuple(_as_approval(entry) for entry in parsed.approvals),
        findings=tuple(
            Assignment(finding=name, owner=entry.owner, due=entry.due.isoformat() if entry.due else "", note=entry.note)
            for name, entry in parsed.findings.items()
            if entry
        ),
    )


def _as_approval(entry: ApprovalEntry) -> Approval:
    digest = f"sha256:{entry.digest.removeprefix('sha256:')}"
    on = entry.on.isoformat()
    return Approval(field=entry.field or entry.rule, sha256=digest, by=entry.by, role=entry.role, on=on)


def _check(parsed: DocumentsFile) -> Iterable[tuple[tuple[str | int, ...], str, str]]:
    for name, value in parsed.facts.items():
        if name in COMPUTED_FACTS:
            yield ("facts", name), f"'{name}' is computed from the evidence and cannot be supplied", "remove it"
        elif name not in FACTS:
            yield ("facts", name), f"unknown fact '{name}'", suggest_name(name, FACTS)
        elif _is_filled(value) and (problem := _refuse_value(name, value)):
            yield ("facts", name), problem[0], problem[1]
    yield from _check_references(parsed)


def _check_references(parsed: DocumentsFile) -> Iterable[tuple[tuple[str | int, ...], str, str]]:
    for field in parsed.texts:
        if field not in FIELDS:
            yield ("texts", field), f"unknown field '{field}'", suggest_name(field, FIELDS)
    for rule in parsed.answers:
        if not _RULE.match(rule):
            yield ("answers", rule), f"'{rule}' names no rule", "write pack/rule"
    for number, approval in enumerate(parsed.approvals):
        if approval.field and approval.field not in FIELDS:
            yield (
                ("approvals", number, "field"),
                f"unknown field '{approval.field}'",
                suggest_name(approval.field, FIELDS),
            )
        if not _DIGEST.match(approval.digest):
            yield ("approvals", number, "digest"), "this is no digest", "audit policy digest prints it: sha256:..."
    for name in parsed.findings:
        if not _FINDING.match(name):
            yield ("findings", name), f"'{name}' names no finding", "write pack/rule, or pack/rule[sex=F]"


def _refuse_value(name: str, value: object) -> tuple[str, str] | None:
    fact = FACTS[name]
    if fact.kind == "flag" and not isinstance(value, bool):
        return f"'{name}' is true or false, not '{value}'", ""
    if fact.kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"'{name}' is a number, not '{value}'", ""
    if fact.kind == "choice" and value not in fact.values:
        return f"'{value}' is no value of '{name}'", (
            suggest_name(str(value), fact.values) or f"one of {', '.join(fact.values)}"
        )
    if fact.kind == "text" and not isinstance(value, str):
        return f"'{name}' is one text, not {value!r}", ""
    if fact.kind == "list" and isinstance(value, bool | int | float):
        return f"'{name}' is a list, e.g. [a, b]", ""
    return None


def _as_fact(name: str, value: bool | int | float | str | tuple[str, ...]) -> FactValue:
    return (value,) if FACTS[name].kind == "list" and isinstance(value, str) else value


def _is_filled(value: bool | int | float | str | tuple[str, ...] | None) -> TypeGuard[FactValue]:
    """Return whether a fact says anything; ``unknown`` and an empty list say nothing."""
    return value not in (None, "", UNFILLED, ())


def _as_answer(answer: str | bool) -> str:
    return answer if isinstance(answer, str) else "yes" if answer else "no"


def _read_text(
    field: str, entry: TextEntry, folder: Path, tree: YamlTree, mistakes: list[Mistake]
) -> SuppliedText | None:
    on = entry.on.isoformat() if entry.on else ""
    about = {"field": field, "version": entry.version, "by": entry.by, "role": entry.role, "on": on}
    if not entry.file:
        text = entry.text.strip()
        return SuppliedText(text=text, sha256=digest_bytes(text.encode()), words=len(text.split()), **about)
    path = folder / entry.file
    try:
        if path.stat().st_size > MOST_BYTES:
            raise OSError(0, f"larger than {MOST_BYTES:,} bytes")
        data = path.read_bytes()
    except OSError as error:
        what = (
            f"no such file: {entry.file}" if isinstance(error, FileNotFoundError) else f"{entry.file}: {error.strerror}"
        )
        mistakes.append(Mistake(what, tree.place(("texts", field, "file"))))
        return None
    ending = path.suffix.lower()
    text = data.decode("utf-8-sig", errors="replace") if ending in _COUNTED else ""
    printed = text.strip() if ending in _PRINTED and len(text) <= MOST_SIGNS else ""
    words = len(text.split()) if ending in _COUNTED else None
    return SuppliedText(file=path.name, text=printed, sha256=digest_bytes(data), words=words, **about)
