"""Every English sentence of the report that has to have a translation, collected from templates and code."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from jinja2 import nodes

from audit.attestation.render import (
    change_report_words,
    change_words,
    effect_words,
    fact_words,
    fairness_words,
    html,
    method_words,
    pdf,
    tongue,
    topics,
    view,
    words,
)
from audit.operations import summary
from audit.shipped import shipped_folder

RENDER = Path(html.__file__).parent
ENGLISH_PAGES = frozenset({"publication.html.j2"})
"""Pages that know no language: what a law of New York wants published."""
SILENT = frozenset(
    {
        *("TOPICS", "OWN_TOPICS", "SHARE_UNITS", "SHARE_NAMES", "WHOLE_UNITS", "MODEL_ORDER", "SECTION_PAGE"),
        *("MOST_MISSING", "PARITY", "SHAPE_MODELS", "SIGNS"),
    }
)
"""Tables of ids, signs and fragments of metric names: nobody reads them."""
TONES = ("bad", "good", "open", "mute")
_CONTENT = re.compile(r"\bcontent:[^;}]*")


def template_names() -> list[str]:
    """Return the templates of reports."""
    return sorted(name for name in html.environment().list_templates(["j2"]) if name not in ENGLISH_PAGES)


def parse(name: str) -> nodes.Template:
    """Return a template as a tree."""
    source, _, _ = html.environment().loader.get_source(html.environment(), name)
    return html.environment().parse(source)


def constants(node: nodes.Expr) -> Iterator[str]:
    """Give the texts that an expression may be: a constant, or the branches of a choice."""
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from constants(node.expr1)
        if node.expr2 is not None:
            yield from constants(node.expr2)


def template_sentences(name: str) -> set[str]:
    """Return the sentences of a template: of its `trans` blocks, and those that it tells."""
    tree = parse(name)
    found: set[str] = set()
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in ("gettext", "ngettext"):
            found |= {text for argument in call.args[:2] for text in constants(argument)}
    for filtered in tree.find_all(nodes.Filter):
        if filtered.name == "tell" and filtered.node is not None:
            found |= set(constants(filtered.node))
    return found


def code_sentences(folder: Path = RENDER) -> dict[str, str]:
    """Return the sentences that code tells by name, with the file that tells them."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or _name(call.func) not in ("tell", "tell_many"):
                continue
            for argument in call.args[: 2 if _name(call.func) == "tell_many" else 1]:
                for text in _texts(argument):
                    found.setdefault(text, path.name)
    return found


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _texts(argument: ast.expr) -> Iterator[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):
        yield from _texts(argument.body)
        yield from _texts(argument.orelse)


def table_words() -> set[str]:
    """Return what the tables of words say: names and sentences, without ids, signs and fragments of metric names."""
    found = {topic for topic, _ in words.TOPICS} | {sign.word.lower() for sign in words.VERDICTS.values()}
    for module in (words, change_words, change_report_words, effect_words, fact_words, fairness_words, method_words):
        for name in _public(module):
            if name not in SILENT and not (module is change_report_words and name == "SECTIONS"):
                found |= set(_said(getattr(module, name)))
    found |= set(summary.CODES.values())
    found |= {view.NOTICE, *tongue.MONTHS, *topics.INTERACTIONS_HOLD.values()}
    return {text for text in found if re.search("[A-Za-z]", text)}


def style_words() -> set[str]:
    """Return the words that style sheets of paper write into a page."""
    sheets = [(shipped_folder("templates") / path).read_text(encoding="utf-8") for path in pdf.PRINT]
    rules = [rule for sheet in sheets for rule in _CONTENT.findall(sheet)]
    return {text for rule in rules for text in re.findall(r'"([^"]*)"', rule) if re.search("[A-Za-z]", text)}


def _public(module: ModuleType) -> list[str]:
    return [name for name in vars(module) if name.isupper() and not name.startswith("_")]


def _said(value: object) -> Iterator[str]:
    """Give the words in a table's value; of a word with tone and sign, the word alone."""
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        yield from (text for name, text in named.items() if isinstance(text, str) and name not in ("sign", "tone"))
    elif isinstance(value, dict):
        for part in value.values():
            yield from _said(part)
    elif isinstance(value, tuple):
        for part in value:
            yield from () if part in TONES and part is not value[0] else _said(part)


def shipped_words(language: str) -> dict[str, dict[str, str]]:
    """Return the tables of a language: file to sentence to translation."""
    folder = shipped_folder("templates") / "words" / language
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
