"""The same findings for machines: Markdown, JUnit XML, SARIF."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest
from dossier_fixture import make_dossier, make_evidence

from audit.attestation.render.formats import FORMATS
from audit.attestation.render.junit import render_junit
from audit.attestation.render.markdown import plain, render_markdown
from audit.attestation.render.sarif import render_sarif
from audit.evidence import NotDone


@pytest.mark.parametrize("name", ["html", "markdown", "junit", "sarif"])
def test_a_format_is_a_pure_function_of_the_dossier(name):
    assert FORMATS[name](make_dossier()) == FORMATS[name](make_dossier())


def test_junit_counts_what_it_holds():
    root = ET.fromstring(render_junit(make_dossier()))
    cases = list(root.iter("testcase"))
    dossier = make_dossier()
    assert len(cases) == sum(len(f.verdicts) for f in dossier.judgement.findings) == int(root.get("tests"))
    failed = sum(v.status == "fail" for f in dossier.judgement.findings for v in f.verdicts)
    assert len(list(root.iter("failure"))) == failed == int(root.get("failures"))
    assert not [case for case in cases if case.find("skipped") is not None and case.find("failure") is not None]


def test_junit_reports_a_broken_part_as_an_error():
    evidence = make_evidence().model_copy(update={"calibration": NotDone(not_done="oh\x00 no", broke=True)})
    root = ET.fromstring(render_junit(make_dossier(evidence)))
    assert [e.get("type") for e in root.iter("error")] == ["not done"]


def test_sarif_keeps_what_the_standard_asks():
    log = json.loads(render_sarif(make_dossier()))
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["kind"] in {"pass", "open", "informational", "notApplicable", "review", "fail"}
        assert result["level"] in {"none", "note", "warning", "error"}
        assert (result["level"] == "none") == (result["kind"] != "fail")
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
    waived = [r for r in run["results"] if "suppressions" in r]
    assert len(waived) == 1


def test_markdown_cannot_be_broken_out_of():
    hostile = "a | b\n# c [x](http://e) <img src=x> @you `code`"
    shown = plain(hostile)
    assert "\n" not in shown
    assert "<" not in shown
    assert not re.search(r"(?<!\\)[|`\[\]#]", shown.replace("&#", ""))


def test_markdown_leads_with_the_verdict():
    text = render_markdown(make_dossier()).decode()
    assert text.startswith("## ✗ Failed: Credit screening model 2\\.3") or text.startswith(
        "## ✗ Failed: Credit screening"
    )
    assert "3 of 11 rules failed" in text
    assert "Not assessed" in text
    assert "not legal advice" in text


def test_markdown_names_every_rule_that_neither_passed_nor_rests():
    dossier = make_dossier()
    text = render_markdown(dossier).decode().replace("\\", "")
    findings = dossier.judgement.findings
    told = {"error", "fail", "inconclusive", "manual", "warn", "waived"}
    assert len({finding.status for finding in findings} & told) >= 4
    assert not [finding.title for finding in findings if (finding.title in text) != (finding.status in told)]
    table = [line for line in text.splitlines() if line.startswith("| ✗")]
    assert len(table) == sum(finding.status == "fail" for finding in findings)
    counts = next(line for line in text.splitlines() if line.startswith("✗"))
    assert sum(map(int, re.findall(r"\d+", counts))) == len(findings), "nothing is left out of the count"
    assert all(f"`{finding.rule}`" in text for finding in findings if finding.status == "fail")


def test_markdown_cuts_what_a_forge_would_cut():
    dossier = make_dossier()
    failed = next(finding for finding in dossier.judgement.findings if finding.status == "fail")
    many = tuple(failed.model_copy(update={"rule": f"p/r{number}"}) for number in range(95))
    judgement = dossier.judgement.model_copy(update={"findings": many})
    text = render_markdown(dossier.model_copy(update={"judgement": judgement})).decode()
    assert text.count("| ✗") == 40
    assert "and 55 more rules" in text
