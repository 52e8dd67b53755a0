"""Owner, due day and first day of open findings."""

from datetime import date

import pytest

from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.papers import load_papers
from audit.attestation.policy.select import read_packs
from audit.attestation.policy.tasks import date_findings
from audit.errors import ConfigError
from audit.evidence import Assignment, Papers

TODAY = date(2026, 11, 21)
RULES = """rules:
  - {id: ratio, title: Rates are close, severity: high, measure: fairness.selection_rate_ratio,
     for_each: sex, must_be: at least 0.8, threshold_basis: guidance, judged_on: estimate}
"""


@pytest.fixture
def judge_now(stage, write_pack):
    def run(*tasks, counts=None, rules=RULES):
        packs = read_packs([str(write_pack(rules))])
        evidence = stage({"sex": counts or {"M": (50, 100), "F": (20, 100), "X": (10, 100)}})
        papers = Papers(findings=tuple(Assignment(**task) for task in tasks))
        return judge_with(evidence, packs, papers, (), as_of=TODAY, evidence_signed="test")

    return run


def scopes(judgement):
    return {verdict.scope: verdict for finding in judgement.findings for verdict in finding.verdicts}


def test_the_scope_goes_before_the_rule_and_a_pass_needs_no_owner(judge_now):
    judgement = judge_now(
        {"finding": "own/ratio", "owner": "Risk", "due": "2026-12-01"},
        {"finding": "own/ratio[sex=X]", "owner": "Ada Stone", "note": "small group"},
    )
    found = scopes(judgement)
    assert (found["own/ratio[sex=F]"].owner, found["own/ratio[sex=F]"].due) == ("Risk", "2026-12-01")
    assert (found["own/ratio[sex=X]"].owner, found["own/ratio[sex=X]"].note) == ("Ada Stone", "small group")
    assert found["own/ratio[sex=X]"].due == ""
    passed = [verdict for verdict in found.values() if verdict.status == "pass"]
    assert passed
    assert {verdict.owner for verdict in passed} == {""}
    assert judgement.warnings == ()


def test_an_owner_changes_no_verdict(judge_now):
    bare, owned = judge_now(), judge_now({"finding": "own/ratio", "owner": "Risk"})
    assert [v.status for v in scopes(bare).values()] == [v.status for v in scopes(owned).values()]
    assert bare.outcome == owned.outcome == "failed"


@pytest.mark.parametrize(
    ("task", "warning"),
    [
        ({"finding": "own/ratio", "owner": "Risk", "due": "2026-11-20"}, "own/ratio was due on 2026-11-20"),
        ({"finding": "own/ratio", "owner": "Risk", "due": "2026-11-21"}, ""),
        ({"finding": "own/ration", "owner": "Risk"}, "did you mean 'own/ratio'?"),
        ({"finding": "own/ratio[sex=Z]", "owner": "Risk"}, "which no rule in force has"),
        ({"finding": "other/rule", "owner": "Risk"}, ""),
    ],
)
def test_late_and_unknown_findings_are_told(judge_now, task, warning):
    warnings = " ".join(judge_now(task).warnings)
    assert (warning in warnings) and bool(warnings) == bool(warning)


def test_the_first_day_is_that_of_the_first_audit(judge_now):
    judgement = judge_now()
    found = scopes(judgement)
    known = {found["own/ratio[sex=F]"].id: "2026-05-01", "another": "2025-01-01"}
    dated = scopes(date_findings(judgement, known, "2026-11-21"))
    assert dated["own/ratio[sex=F]"].first_seen == "2026-05-01"
    assert dated["own/ratio[sex=X]"].first_seen == "2026-11-21"
    assert {verdict.first_seen for verdict in dated.values() if verdict.status == "pass"} == {""}


def test_what_only_would_fail_is_open_too(judge_now):
    judgement = judge_now({"finding": "own/ratio", "owner": "Risk"})
    verdict = scopes(judgement)["own/ratio[sex=F]"]
    would = verdict.model_copy(update={"status": "not_applicable", "original": "fail"})
    assert (would.standing, would.leaves_open) == ("fail", True)
    assert not verdict.model_copy(update={"status": "not_applicable"}).leaves_open
    assert verdict.model_copy(update={"status": "waived", "original": "fail"}).standing == "waived"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("findings: {ratio: {owner: Risk}}\n", "write pack/rule"),
        ("findings: {own/ratio: {due: 2026-12-01}}\n", "'owner' is missing"),
        ("findings: {own/ratio: {owner: Risk, due: soon}}\n", "is no date"),
        ("findings: {own/ratio: {owner: Risk, dew: 2026-12-01}}\n", "did you mean 'due'?"),
    ],
)
def test_entries_that_are_none(tmp_path, text, what):
    (tmp_path / "documents.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_papers(tmp_path / "documents.yaml")
    assert what in str(caught.value)
    assert "documents.yaml:1:" in str(caught.value)
