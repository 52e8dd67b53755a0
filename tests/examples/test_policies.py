"""The example of an organisation's policy loads, is tested, and judges a real audit's rules as it says."""

from datetime import date
from pathlib import Path

import pytest

from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.select import read_packs
from audit.attestation.policy.staging import Stage, stage_evidence
from audit.attestation.policy.testing import run_policy_tests
from audit.attestation.policy.waivers import load_waivers
from audit.evidence import Papers

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "policies"
PACK = FOLDER / "acme-credit.yaml"
WAIVERS = FOLDER / "acme-waivers.yaml"
TODAY = date(2026, 11, 22)


def judge_birch(selected, *, waived=True):
    packs = read_packs([str(PACK)])
    rows = [
        {"ethnicity": "alder", "selected": 1600, "total": 2000},
        {"ethnicity": "birch", "selected": selected, "total": 2000},
    ]
    waivers = load_waivers(WAIVERS if waived else None, packs)
    return judge_with(
        stage_evidence(Stage(counts=((("ethnicity",), rows),), small_count=30)),
        packs,
        Papers(facts={"system.decision_kind": "selection"}),
        waivers,
        as_of=TODAY,
        evidence_signed="test",
        strict_names=False,
    )


def find(judgement, rule):
    return next(finding for finding in judgement.findings if finding.rule == rule)


@pytest.mark.parametrize("name", ["acme-credit.yaml", "own-pack.yaml"])
def test_every_example_loads(name):
    packs = read_packs([str(FOLDER / name)])
    assert packs[-1].pack.pack == name.removesuffix(".yaml")
    assert len(packs) > 1  # it takes published packs in


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.test.yaml")), ids=lambda path: path.name)
def test_its_own_tests_pass(path):
    results = run_policy_tests(path)
    assert {result.name: result.problems for result in results if not result.passed} == {}
    assert len(results) >= 10


def test_what_the_organisation_changed_is_written_on_the_rule():
    judgement = judge_birch(1200)
    assert find(judgement, "baseline-fairness/fidelity").severity == "high"
    assert "Clerks explain decisions" in find(judgement, "baseline-fairness/fidelity").why
    assert find(judgement, "baseline-fairness/unknown-groups").limit == "at most 30%"
    assert "instead of 'at most 20%'" in find(judgement, "baseline-fairness/unknown-groups").why
    assert find(judgement, "sr-26-2/calibration").limit == "between 0.85 and 1.15"
    (off,) = find(judgement, "baseline-fairness/auc-gap").verdicts
    assert off.status == "not_applicable"
    assert "decided by Head of model risk" in off.because
    assert judgement.parameters["baseline-fairness.min_impact_ratio"] == "0.8500"
    taken = {f.rule for f in judgement.findings if f.pack == "gdpr-article-22"}
    assert taken == {f"gdpr-article-22/{name}" for name in ("ground", "logic", "intervention", "impact-assessment")}


@pytest.mark.parametrize(("selected", "word"), [(1200, "waived"), (960, "fail")])
def test_the_waiver_holds_while_the_number_does(selected, word):
    finding = find(judge_birch(selected), "baseline-fairness/selection-ratio")
    (birch,) = [verdict for verdict in finding.verdicts if verdict.group == {"ethnicity": "birch"}]
    assert birch.status == word
    if word == "waived":
        assert (birch.original, birch.waiver) == ("fail", "W-2026-014")
        assert birch.observed.value == pytest.approx(0.75)  # the number stays in view


def test_without_the_waivers_the_same_finding_fails():
    assert find(judge_birch(1200, waived=False), "baseline-fairness/selection-ratio").status == "fail"
