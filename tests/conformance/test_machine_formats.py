"""SARIF, JUnit and Markdown, judged by schemas and a reader that nobody here wrote."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest
from checkers import MODULES, TOOLS, need_file

from audit.evidence import Dossier

AUDITS = ("full", "real", "change")


@pytest.fixture(scope="module")
def sarif_schema():
    """The schema of SARIF 2.1.0 as Microsoft publishes it in its own matchers, compiled."""
    fastjsonschema = pytest.importorskip("fastjsonschema")
    place = MODULES / "@microsoft" / "jest-sarif" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"
    return fastjsonschema.compile(json.loads(need_file(place, "the schema of SARIF").read_bytes()))


@pytest.fixture(scope="module")
def junit_schema():
    """JUnit 10, by which Jenkins reads results and pytest tests its own."""
    etree = pytest.importorskip("lxml.etree")
    return etree.XMLSchema(etree.parse(str(need_file(TOOLS / "junit-10.xsd", "the schema of JUnit"))))


def dossier_of(specimens, name):
    return Dossier.parse((specimens / f"{name}.json").read_bytes())


@pytest.mark.parametrize("name", AUDITS)
def test_sarif_follows_the_schema_of_the_standard(specimens, sarif_schema, name):
    log = json.loads((specimens / f"{name}.sarif").read_bytes())
    sarif_schema(log)
    told = [result["partialFingerprints"]["verdict/v1"] for result in log["runs"][0]["results"]]
    assert told == [v.id for f in dossier_of(specimens, name).judgement.findings for v in f.verdicts]
    assert told


def test_the_schema_of_sarif_refuses_what_is_wrong(specimens, sarif_schema):
    log = json.loads((specimens / "full.sarif").read_bytes())
    log["runs"][0]["results"][0]["kind"] = "perhaps"
    with pytest.raises(Exception, match="kind"):
        sarif_schema(log)


@pytest.mark.parametrize("name", [*AUDITS, "fleet"])
def test_junit_follows_the_schema_that_jenkins_reads_by(specimens, junit_schema, name):
    from lxml import etree

    junit_schema.assertValid(etree.parse(str(specimens / f"{name}.xml")))


def test_the_schema_of_junit_refuses_what_is_wrong(specimens, junit_schema):
    from lxml import etree

    tree = etree.parse(str(specimens / "full.xml"))
    etree.SubElement(next(tree.iter("testcase")), "properties")
    assert not junit_schema.validate(tree)


@pytest.mark.parametrize("name", AUDITS)
def test_junit_says_what_the_dossier_says(specimens, name):
    root = ET.fromstring((specimens / f"{name}.xml").read_bytes())
    counted = {"failure": 0, "error": 0, "skipped": 0}
    verdicts = [v for f in dossier_of(specimens, name).judgement.findings for v in f.verdicts]
    kinds = {"fail": "failure", "error": "error"} | dict.fromkeys(
        ("inconclusive", "manual", "waived", "not_applicable"), "skipped"
    )
    for verdict in verdicts:
        if verdict.status in kinds:
            counted[kinds[verdict.status]] += 1
    assert {kind: len(list(root.iter(kind))) for kind in counted} == counted
    assert len(list(root.iter("testcase"))) == len(verdicts) > 5


@pytest.mark.parametrize("name", ["full", "german", "real", "change"])
def test_markdown_renders_as_headings_and_tables(specimens, name):
    """CommonMark with tables, as the forges show it; every row of a table has as many cells as its head."""
    from markdown_it import MarkdownIt

    tokens = (
        MarkdownIt("commonmark", {"html": True}).enable("table").parse((specimens / f"{name}.md").read_text("utf-8"))
    )
    kinds = [token.type for token in tokens]
    assert tokens[0].type == "heading_open"
    assert tokens[0].tag == "h2"
    assert kinds.count("table_open") >= 1
    assert "html_block" not in kinds
    inline = [child.type for token in tokens if token.type == "inline" for child in token.children or ()]
    assert not {"html_inline", "image"} & set(inline)
    plain = [token.content for token in tokens if token.type == "inline"]
    assert not [text for text in plain if text.startswith("|")], "a table that is not read as one"
