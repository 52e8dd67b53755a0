"""documents.yaml before anybody filled it in: everything that the chosen packs will ask of people, and nothing else.

Comes in: packs, and a documents.yaml where there is one. Goes out: text that loads as it stands; each blank is preceded
by the question, the law, the length and the role, so that an officer fills it in without reading a pack. A file that
exists keeps every line; only what is missing is added.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from audit.errors import AuditError, ConfigError
from audit.yamlfile import YamlTree, parse_yaml

from .pack import AskRule, Condition, DocumentRule, FactRule, MustHave
from .select import LoadedPack, LoadedRule
from .vocabulary import COMPUTED_FACTS, FACTS, FIELDS

_WIDTH = 116
_HEAD = """\
# The officer's file: facts, texts, answers and approvals. Fill in the blanks; what stays blank counts as not supplied,
# and the rules that ask for it stay open. Nothing passes by its length alone: a named person must accept each text.
schema: documents/1
"""
_LEAD = {
    "facts": "Facts decide which rules apply. `unknown` means: not filled in.",
    "texts": "Texts, or files with them: `text: ...` (for several lines `text: >-`, the lines indented below it) or "
    "`file: plan.pdf`. A PDF or Word file counts by its digest, and then needs version and owner (`by`).",
    "answers": "Answers to questions that only a person can decide.",
    "approvals": "Who accepted which text. `audit policy digest documents.yaml` prints these lines with the digests, "
    "to be pasted here by the person who has read the text. A text that changes must be accepted again.",
    "findings": "Who deals with which open finding, and by when; shown in every report.",
}
_ASKED = ("facts", "texts", "answers")
"""Headings under which packs ask for something."""
_SAMPLES = {
    "approvals": '# - {field: system.intended_purpose, digest: "sha256:...", by: Name, role: reviewer, on: 2026-01-31}',
    "findings": "# pack/rule: {owner: Name, due: 2026-12-31, note: What was agreed}",
}


@dataclass(frozen=True, slots=True)
class Blank:
    """One entry that a person is to fill in.

    Parameters
    ----------
    heading : str
        ``facts``, ``texts`` or ``answers``.
    name : str
        Key under the heading.
    about : tuple of str
        What the reader must know, a comment line each.
    lines : tuple of str
        The entry itself, indented below its heading by nothing.
    """

    heading: str
    name: str
    about: tuple[str, ...]
    lines: tuple[str, ...]


def list_blanks(packs: Sequence[LoadedPack]) -> tuple[Blank, ...]:
    """Return what packs ask of people, each once: facts, then texts and questions in the order of the rules.

    Parameters
    ----------
    packs : sequence of LoadedPack
        The packs in force; a rule that is switched off asks nothing.
    """
    rules = [(pack, rule) for pack in packs for rule in pack.rules if not rule.disabled]
    fields: dict[str, list[tuple[LoadedPack, LoadedRule]]] = {}
    for pack, rule in rules:
        for field in rule.rule.document if isinstance(rule.rule, DocumentRule) else ():
            fields.setdefault(field, []).append((pack, rule))
    texts = [_blank_text(field, askers) for field, askers in fields.items()]
    answers = [_blank_answer(pack, rule, rule.rule) for pack, rule in rules if isinstance(rule.rule, AskRule)]
    return (*_list_facts(packs), *texts, *answers)


def _list_facts(packs: Sequence[LoadedPack]) -> Iterable[Blank]:
    needs: dict[str, list[str]] = {}
    for pack in packs:
        for name, wanted in pack.pack.applies_when.items():
            needs.setdefault(name, []).append(f"{pack.name} applies where it is {_say(wanted)}")
    for rule in (rule for pack in packs for rule in pack.rules if not rule.disabled):
        for name, wanted in rule.rule.applies_when.items():
            needs.setdefault(name, []).append(f"{rule.name} applies where it is {_say(wanted)}")
        if isinstance(rule.rule, FactRule):
            needs.setdefault(rule.rule.fact, []).append(f"{rule.name} asks: {rule.rule.title}")
    for name, reasons in needs.items():
        if name in FACTS and name not in COMPUTED_FACTS:
            yield _blank_fact(name, list(dict.fromkeys(reasons)))


def _say(wanted: Condition) -> str:
    if isinstance(wanted, bool):
        return "true" if wanted else "false"
    return " or ".join(map(str, wanted)) if isinstance(wanted, tuple) else str(wanted)


def _blank_fact(name: str, reasons: list[str]) -> Blank:
    fact = FACTS[name]
    values = {
        "choice": " | ".join(fact.values),
        "flag": "true | false",
        "number": "a number",
        "list": "a list, e.g. [a, b]",
        "text": "one word or phrase",
    }[fact.kind]
    more = [f"and {len(reasons) - 3} more rules ask for it"] if len(reasons) > 4 else []
    shown = reasons[:3] if more else reasons
    lines = (f"{name}: {'[]' if fact.kind == 'list' else 'unknown'}   # {values}",)
    return Blank("facts", name, (f"{fact.title}.", *shown, *more), lines)


def _blank_text(field: str, askers: list[tuple[LoadedPack, LoadedRule]]) -> Blank:
    about = [f"{FIELDS[field]}."]
    for pack, rule in askers:
        if isinstance(rule.rule, DocumentRule):
            about.append(f"{rule.name}, {_say_law(pack, rule)}: {rule.rule.title}")
            about += _say_form(rule.rule.must_have)
    lines = (f"{field}:", '  text: ""   # or file: name.pdf', '  version: ""', '  by: ""', '  role: ""', "  on:")
    return Blank("texts", field, tuple(about), lines)


def _say_law(pack: LoadedPack, rule: LoadedRule) -> str:
    return rule.rule.cite or pack.pack.law.citation


def _say_form(must: MustHave) -> Iterable[str]:
    if must.min_words:
        yield f"at least {must.min_words} words: a number of the organisation, not of the law"
    if must.max_age_days:
        yield f"at most {must.max_age_days} days old (`on`): a number of the organisation, not of the law"
    if must.attachment:
        yield "it must be a file"
    who = f"a person in the role {must.approved_by_role}" if must.approved_by_role else "a named person"
    yield f"counts once {who} has accepted it, see approvals"


def _blank_answer(pack: LoadedPack, rule: LoadedRule, order: AskRule) -> Blank:
    accepted = " or ".join(order.answer_must_be)
    about = [order.ask, f"{rule.name}, {_say_law(pack, rule)}: {order.title}"]
    about.append(f"the role {order.asked_of} answers; " + (f"what passes: {accepted}" if accepted else "any answer"))
    if order.valid_for_days:
        about.append(f"valid for {order.valid_for_days} days: a number of the organisation, not of the law")
    lines = (f"{rule.name}:", '  answer: ""', '  by: ""', f"  role: {_quote(order.asked_of)}", "  on:")
    return Blank("answers", rule.name, tuple(about), lines)


def _quote(text: str) -> str:
    return text if text.replace("_", "").isalpha() else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_skeleton(packs: Sequence[LoadedPack]) -> str:
    """Return the text of a first documents.yaml for packs.

    Parameters
    ----------
    packs : sequence of LoadedPack
        The packs in force.
    """
    blanks = list_blanks(packs)
    parts = [_HEAD]
    for heading in _LEAD:
        mine = [blank for blank in blanks if blank.heading == heading]
        parts.append("\n".join(_write_heading(heading, mine)) + "\n")
    return "\n".join(parts)


def _write_heading(heading: str, blanks: Iterable[Blank]) -> list[str]:
    lines = [*textwrap.wrap(_LEAD[heading], _WIDTH, initial_indent="# ", subsequent_indent="# "), f"{heading}:"]
    lines += [f"  {_SAMPLES[heading]}"] if heading in _SAMPLES else []
    for blank in blanks:
        lines += _write_blank(blank, 2)
    return lines


def _write_blank(blank: Blank, indent: int) -> list[str]:
    margin = " " * indent
    lines = [""]
    for number, text in enumerate(blank.about):
        first, later = ("# ", "# ") if number == 0 else ("# - ", "#   ")
        clean = " ".join(text.split())
        lines += textwrap.wrap(clean, _WIDTH, initial_indent=margin + first, subsequent_indent=margin + later)
    return [*lines, *(margin + line for line in blank.lines)]


def extend_documents(
    text: str, packs: Sequence[LoadedPack], name: str = "documents.yaml"
) -> tuple[str, tuple[str, ...]]:
    """Return a documents.yaml with the blanks that it lacks, and the names of these; not a line of it is lost.

    Parameters
    ----------
    text : str
        The file as it is.
    packs : sequence of LoadedPack
        The packs in force.
    name : str
        File name for messages.

    Raises
    ------
    ConfigError
        It is not a mapping, or a heading stands with its entries in one line, where nothing can be added.
    """
    tree = parse_yaml(text, name=name)
    if tree.value is None:
        return write_skeleton(packs), tuple(blank.name for blank in list_blanks(packs))
    if not isinstance(tree.value, dict):
        raise ConfigError("the file is not a list of 'key: value'", place=tree.place(()))
    missing = [blank for blank in list_blanks(packs) if blank.name not in (tree.value.get(blank.heading) or {})]
    lines = text.splitlines()
    headings = [heading for heading in _ASKED if any(blank.heading == heading for blank in missing)]
    places = [_find_place(heading, tree, lines) for heading in headings if heading in tree.value]
    for at, replaced, heading, indent in sorted(places, reverse=True):  # upwards, so that no line number moves
        new = [line for blank in missing if blank.heading == heading for line in _write_blank(blank, indent)]
        lines[at - replaced : at] = [*([f"{heading}:"] * replaced), *new]
    for heading in (heading for heading in headings if heading not in tree.value):
        lines += ["", *_write_heading(heading, [blank for blank in missing if blank.heading == heading])]
    end = "\r\n" if "\r\n" in text else "\n"
    extended = end.join(lines) + end if missing else text
    _check_kept(tree.value, missing, extended, name)
    return extended, tuple(blank.name for blank in missing)


def _find_place(heading: str, tree: YamlTree, lines: Sequence[str]) -> tuple[int, int, str, int]:
    """Return after which line to add to a heading, how many lines up to it to replace, the heading, the indent."""
    own, entries = tree.position((heading,), key=True)[0], tree.value[heading]
    if entries and not isinstance(entries, dict):
        raise ConfigError(f"'{heading}' is not a list of 'key: value'", place=tree.place((heading,)))
    if not entries:  # nothing below it, or an empty {}
        return own, 1, heading, 2
    first = tree.position((heading, next(iter(entries))), key=True)
    if first[0] == own:
        what = f"'{heading}' stands in one line with its entries, where nothing can be added"
        raise ConfigError(what, place=tree.place((heading,), key=True), hint="write each entry on a line of its own")
    return _last_line(tree, own, lines), 0, heading, first[1] - 1


def _last_line(tree: YamlTree, own: int, lines: Sequence[str]) -> int:
    """Return the last line of the block that begins in line `own`; comments above the next heading belong to that."""
    later = [line for path, (line, _) in tree.keys.items() if len(path) == 1 and line > own]
    last = min(later) - 1 if later else len(lines)
    while last > own and (not lines[last - 1].strip() or lines[last - 1].startswith("#")):
        last -= 1
    return last


def _check_kept(before: dict[str, Any], missing: Sequence[Blank], text: str, name: str) -> None:
    """See to it that every value that was there is still there and the same, and that nothing is missing any more."""
    after = parse_yaml(text, name=name).value
    if any(blank.name not in (after.get(blank.heading) or {}) for blank in missing):
        raise AuditError(f"{name} could not be extended", hint="it is as it was")
    for heading, value in before.items():
        now = after.get(heading)
        within = isinstance(value, dict) and isinstance(now, dict) and all(now.get(key) == value[key] for key in value)
        if value and now != value and not within:
            raise AuditError(f"'{heading}' of {name} could not be extended without changing it", hint="it is as it was")
