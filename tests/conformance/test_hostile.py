"""Text from tables, policies and papers is hostile: it is shown, never run, never fetched, and breaks no format."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from checkers import ask_verapdf, ask_vnu, browse, list_fonts
from specimens import full_dossier
from test_paper import FAMILIES

from audit.attestation.render.formats import FORMATS
from audit.errors import EvidenceError
from audit.evidence import Dossier

ATTACK = (
    "</title></style></script><script>window.__hostile=1;alert(1)</script><img src=http://127.0.0.1:9/a.png "
    "onerror=alert(2)><svg onload=alert(3)></svg><iframe src=//127.0.0.1:9/b></iframe>\"'><style>@import 'http://127.0.0.1:9/"
    "c.css';</style><link rel=stylesheet href=http://127.0.0.1:9/d.css>{{7*7}}{% raw %}<!--]]>&#x202e;&bogus;"
    "<?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'>[click](javascript:alert(4))\u202eevil\u2066\ufeff\u0007\U0001f600\u4e2d"
)
MARKS = "\u202e\u2066\ufeff\u0007"
FREE = {
    "title", "because", "note", "words", "text", "would_decide", "fix", "why", "cite", "trust", "detail", "not_done",
    "by", "role", "version", "citation", "jurisdiction", "owner", "reason", "formula", "source", "unit", "description",
}  # fmt: skip
"""Fields that anybody's text may fill."""


def poison(value, key=""):
    """Return the same document with an attack at the end of every free text."""
    if isinstance(value, dict):
        return {k: poison(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [poison(item, key) for item in value]
    return value + ATTACK if isinstance(value, str) and key in FREE else value


def make_hostile() -> Dossier:
    """Return the large dossier with attacks in its texts, groups and features, one name 10,000 letters long."""
    data = poison(json.loads(full_dossier().canonical()))
    text = json.dumps(data)
    for old, new in (
        ("ethnicity", "<b onclick=alert(5)>eth&x"),
        ("under 25", "</svg><script>alert(6)</script>\u202eunder"),
        ("savings_balance", "n" * 10_000),
    ):
        assert json.dumps(old) in text, old
        text = text.replace(json.dumps(old), json.dumps(new))
    data = json.loads(text)
    dossier = Dossier.model_validate(data)
    judged = dossier.judgement.model_copy(update={"evidence_digest": dossier.evidence.digest()})
    return dossier.model_copy(update={"judgement": judged})


@pytest.fixture(scope="module")
def attacked(tmp_path_factory) -> Path:
    folder, dossier = tmp_path_factory.mktemp("hostile"), make_hostile()
    for form in FORMATS.values():
        (folder / form.file).write_bytes(form.render(dossier))
    return folder


def test_nothing_runs_and_nothing_is_fetched(attacked):
    page = attacked / "report.html"
    for visit in browse([page]):
        assert not visit["ran"]
        assert (visit["dialogs"], visit["popups"], visit["requests"], visit["console"]) == (0, 0, [], [])
        assert visit["scripts"] == 1
        assert visit["overflow"] == 0, visit["width"]


def test_the_page_stays_valid_html(attacked):
    assert ask_vnu([attacked / "report.html"])[1] == []


def test_the_paper_stays_conformant_and_holds_no_foreign_font(attacked):
    _, failed = ask_verapdf([attacked / "report.pdf"])
    assert failed == ""
    assert {name for name, *_ in list_fonts(attacked / "report.pdf")} == FAMILIES


def test_the_attack_is_shown_as_text_without_its_marks(attacked):
    text = (attacked / "report.html").read_text("utf-8")
    assert "&lt;script&gt;window.__hostile=1" in text
    assert "<iframe" not in text
    assert not set(MARKS) & set(text)
    assert "n" * 500 not in text  # a long name is cut, with an ellipsis


def test_junit_and_sarif_stay_readable(attacked):
    raw = (attacked / "junit.xml").read_bytes()
    root = ET.fromstring(raw)
    assert root.tag == "testsuites"
    assert b"<!DOCTYPE" not in raw
    log = json.loads((attacked / "results.sarif").read_bytes())
    assert log["runs"][0]["results"]
    assert not set(MARKS) & set(raw.decode() + (attacked / "results.sarif").read_text("utf-8"))


def test_markdown_makes_no_link_no_picture_and_no_tag(attacked):
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = reader.parse((attacked / "report.md").read_text("utf-8"))
    children = {child.type for token in tokens if token.type == "inline" for child in token.children or ()}
    assert not {"html_inline", "image", "link_open"} & children
    assert "html_block" not in {token.type for token in tokens}


def test_effect_tables_hold_no_formula(attacked):
    import csv
    import io

    from audit.attestation.render.effect_tables import write_effect_tables

    dossier = make_hostile()
    curve = dossier.evidence.effects.curves[0].model_copy(update={"feature": '=cmd|"/c calc"!A1'})
    effects = dossier.evidence.effects.model_copy(update={"curves": (curve,)})
    evidence = dossier.evidence.model_copy(update={"effects": effects})
    table = write_effect_tables(dossier.model_copy(update={"evidence": evidence}))["effects.csv"].decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {row["feature"] for row in rows} == {'\'=cmd|"/c calc"!A1'}
    assert [float(row["effect"]) for row in rows if row["kind"] != "missing"] == list(curve.y)


def test_an_audit_of_a_hostile_table_is_made_whole(tmp_path):
    """From CSV to PDF: column names, group values and the system's title attack; the report is made and verifies."""
    from material import make_table

    from audit.attestation.verify import verify_report
    from audit.config.load import load_config
    from audit.workflow import run_audit

    attack = "<img src=x onerror=alert(1)>|`=1+1`\u202e{{7*7}}"
    table = make_table(300)
    table["score"] = (table["income"] / 64).clip(0.01, 0.99).round(4)
    table["sex"] = table["sex"].map({"F": attack, "M": "m" * 10_000})
    table = table.rename(columns={"region": "<script>alert(1)</script>", "debts": "d" * 10_000})
    table.to_csv(tmp_path / "a.csv", index=False)
    config = {
        "title": attack, "system": {"name": "hostile"}, "data": "a.csv", "label": "repaid",
        "groups": ["sex", "<script>alert(1)</script>"], "model": {"scores": "score", "scale": "probability"},
        "effort": "fast", "signing": {"key": "development"}, "report": {"formats": list(FORMATS)},
    }  # fmt: skip
    (tmp_path / "audit.yaml").write_text(json.dumps(config), encoding="utf-8")
    outcome = run_audit(load_config(tmp_path / "audit.yaml"), out=tmp_path / "report")
    assert verify_report(outcome.folder).word == "INTACT"
    page = (outcome.folder / "report.html").read_text("utf-8")
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "\u202e" not in page
    assert "m" * 500 not in page


def test_a_dossier_of_a_later_form_is_refused_by_name():
    raw = full_dossier().canonical().replace(b'"dossier/1"', b'"dossier/2"')
    with pytest.raises(EvidenceError, match="newer version"):
        Dossier.parse(raw)
