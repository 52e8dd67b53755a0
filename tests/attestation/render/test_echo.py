"""German for the sentences that evidence and judgement bring along: whole, with the same places, and known when met."""

from __future__ import annotations

import ast
import json
import re
import time
from pathlib import Path

import pytest

import audit
from audit.attestation.change import definitions as change
from audit.attestation.render import tongue
from audit.attestation.render.tongue import Untold, echo, speak
from audit.attestation.render.view import build_view
from audit.examination.measures.roster import DEFINITIONS

SOURCES = Path(audit.__file__).parent
TABLES = sorted((SOURCES.parent / "templates" / "words" / "de").glob("echo*.json"))
PLACE = re.compile(r"\{(\w+)\}")
SAID_BY = {"note", "method", "band", "because", "would_decide", "caution", "literal", "protocol", "drawn", "not_done"}
"""Arguments and fields whose sentences a report prints."""
FIELDS = SAID_BY | {"trace", "notes", "detail", "reference", "formula", "title", "limit", "warn_limit"}
OTHERS = {"fix", "why", "source", "summary", "text", "citation"}
"""Fields whose sentences are those of a policy, or citations."""
ENOUGH = 0.95


@pytest.fixture(scope="module")
def german():
    tables = [json.loads(path.read_text(encoding="utf-8")) for path in TABLES]
    return {english: said for table in tables for english, said in table.items()}


def test_every_sentence_has_the_same_places(german):
    differ = [english for english, said in german.items() if set(PLACE.findall(english)) != set(PLACE.findall(said))]
    assert differ == []


def test_every_sentence_can_be_filled(german):
    for english, said in german.items():
        places = PLACE.findall(english)
        if places:
            assert said.format(**dict.fromkeys(places, "7"))


def test_no_english_quotes_or_points_stand_in_german(german):
    odd = [said for said in german.values() if "“" in said and "„" not in said]
    odd += [said for said in german.values() if re.search(r"(?<!\d\d)\d\.\d{1,2}(?!\d)", re.sub(r"\{\w+\}", "", said))]
    assert odd == []


def test_every_definition_is_known():
    unknown = []
    with speak("de"):
        for definition in (*DEFINITIONS, *change.DEFINITIONS):
            texts = (definition.title, definition.unit, definition.formula)
            unknown += [text for text in texts if isinstance(echo(text), Untold)]
    assert unknown == []


def _spoken(node: ast.expr) -> list[str]:
    """Return what a literal says, its places filled with a number, or with the name of a group."""
    if isinstance(node, ast.IfExp):
        return [*_spoken(node.body), *_spoken(node.orelse)]
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if not isinstance(node, ast.JoinedStr):
        return []
    return ["".join(_fill(part, name) for part in node.values) for name in ("3", "sex=F")]


def _fill(part: ast.expr, name: str) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    return "3" if isinstance(part, ast.FormattedValue) and part.format_spec else name


def _sentences_of(folder: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted((SOURCES / folder).rglob("*.py")):
        if path.stem in ("staging", "staged_change"):  # of a policy's own tests, never of a report
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in SAID_BY:
                said = [text for text in _spoken(node.value) if tongue._SENTENCE.search(text)]
                if said:
                    found[f"{path.name}:{node.value.lineno}"] = said
    return found


@pytest.mark.parametrize("folder", ["examination", "statistics", "attestation/policy", "attestation/change"])
def test_sentences_in_the_sources_are_known(folder):
    """A sentence counts as known where it is so with one filling of its places."""
    found = _sentences_of(folder)
    with speak("de"):
        unknown = {place: said for place, said in found.items() if all(isinstance(echo(s), Untold) for s in said)}
    assert len(unknown) <= (1 - ENOUGH) * len(found) + 1, unknown


def _printed(value: object, field: str = "") -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_printed(part, key) for key, part in value.items() if key not in OTHERS), set())
    if isinstance(value, list):
        return set().union(*(_printed(part, field) for part in value), set())
    said = isinstance(value, str) and field in FIELDS and tongue._SENTENCE.search(value)
    return {value} if said else set()


def test_sentences_of_a_report_are_known(small_report):
    dossier = small_report.dossier
    sentences = _printed(dossier.evidence.model_dump(mode="json"))
    for finding in dossier.judgement.findings:
        sentences |= _printed([verdict.model_dump(mode="json") for verdict in finding.verdicts])
    with speak("de"):
        unknown = sorted(text for text in sentences if isinstance(echo(text), Untold))
    assert len(sentences) > 300
    assert len(unknown) <= (1 - ENOUGH) * len(sentences), unknown


def test_german_costs_little(small_report):
    """Measured on a view, with nothing remembered: what the sentences cost, and not what they cost the second time."""
    dossier = small_report.dossier
    speaking = dossier.presentation.model_copy(update={"language": "de"})
    german = dossier.model_copy(update={"presentation": speaking})
    build_view(german)  # imports and fonts
    for cached in (tongue._hear, tongue._read_sentences, tongue.read_words):
        cached.cache_clear()
    started = time.process_time()
    build_view(dossier)
    plain = time.process_time() - started
    started = time.process_time()
    build_view(german)
    assert time.process_time() - started < plain + 0.6  # three tenths of a second on an idle machine


def test_english_report_never_asks(small_report, monkeypatch):
    monkeypatch.setattr(tongue, "_hear", None)
    monkeypatch.setattr(tongue, "read_words", None)
    assert build_view(small_report.dossier).sentence
