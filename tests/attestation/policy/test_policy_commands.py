"""``audit policy``, as a person at a terminal meets it."""

import subprocess
import sys

import pytest

from audit.attestation.policy.catalogue import METRICS
from audit.attestation.policy.vocabulary import COMPUTED_FACTS, FACTS, FIELDS, SEAL_FACTS
from audit.cli import policy
from audit.errors import PolicyError


def test_list_shows_every_pack_and_the_rules_of_those_named(capsys):
    assert policy.list_policies() == 0
    out = capsys.readouterr().out
    assert "nyc-ll144" in out
    assert "baseline-fairness/selection-ratio" not in out
    assert policy.list_policies("baseline-fairness") == 0
    out = capsys.readouterr().out
    assert "baseline-fairness/selection-ratio" in out
    assert "nyc-ll144" not in out


def test_list_shows_the_names_that_rules_may_use(capsys):
    assert policy.list_policies(metrics=True) == 0
    metrics = capsys.readouterr().out
    assert "fairness.selection_rate_ratio" in metrics
    for metric in METRICS.values():
        assert metric.id in metrics
    assert "no unit; better: lower; source:" in metrics
    assert policy.list_policies(facts=True, fields=True) == 0
    out = capsys.readouterr().out
    for name in (*FACTS, *COMPUTED_FACTS, *SEAL_FACTS, *FIELDS):
        assert f"  {name} " in out


def test_check(capsys, write_pack):
    assert policy.check_policies() == 0
    assert "nyc-ll144: " in capsys.readouterr().out
    bad = write_pack("rules: [{id: a, title: A rule under test, severity: low, measure: x.y, must_be: reported}]")
    with pytest.raises(PolicyError) as caught:
        policy.check_policies("baseline-fairness", str(bad), "baseline-fairnes")
    assert caught.value.exit_code == 2
    assert len(caught.value.mistakes) == 2


def test_test(capsys, tmp_path):
    assert policy.test_policies() == 0
    assert "cases as expected" in capsys.readouterr().out
    path = tmp_path / "wrong.test.yaml"
    path.write_text(
        "schema: policy-test/1\npack: nyc-ll144\ntoday: 2026-11-21\ncases: [{name: wrong, expect: {audit-age: pass}}]\n"
    )
    assert policy.test_policies(path) == 1
    assert "expected pass, came out inconclusive" in capsys.readouterr().out


def test_explain_says_whether_a_rule_applies(capsys, tmp_path):
    assert policy.explain_rule("nyc-ll144/scoring-rate-sex") == 0
    out = capsys.readouterr().out
    assert "6 RCNY 5-300" in out
    assert "fill in system.jurisdictions" in out
    papers = tmp_path / "documents.yaml"
    papers.write_text(
        "facts: {system.jurisdictions: EU, system.use_case: employment.hiring, system.decision_kind: score}\n"
    )
    assert policy.explain_rule("nyc-ll144/scoring-rate-sex", documents=papers) == 0
    out = capsys.readouterr().out
    assert "here it is EU" in out
    assert "the rule applies" in out
    with pytest.raises(PolicyError, match="did you mean 'nyc-ll144/audit-age'"):
        policy.explain_rule("nyc-ll144/audit-ages")


def test_explain_with_a_configuration_says_what_it_lacks(capsys, tmp_path):
    (tmp_path / "rows.csv").write_text("sex,s\nF,0.4\n")
    (tmp_path / "ours.yaml").write_text(
        "schema: policy/1\npack: ours\ntitle: Ours\nversion: 1.0.0\n"
        "law: {citation: none, jurisdiction: any, status: internal, verified_on: 2026-11-01, review_by: 2027-11-01}\n"
        "uses: [{pack: nyc-ll144, only: [selection-rate-race]}]\n"
    )
    (tmp_path / "documents.yaml").write_text("facts: {system.jurisdictions: EU}\n")
    config = tmp_path / "audit.yaml"
    config.write_text(
        "data: rows.csv\nmodel: {scores: s, scale: probability}\ngroups: [sex]\npolicies: [ours.yaml]\n"
        "documents: documents.yaml\n"
    )
    assert policy.explain_rule("nyc-ll144/selection-rate-race", config) == 0
    out = capsys.readouterr().out
    assert "it applies where system.jurisdictions is US-NYC; here it is EU" in out
    assert "this audit declares no attribute 'race_ethnicity'" in out
    with pytest.raises(PolicyError, match="takes only some of its rules"):
        policy.explain_rule("nyc-ll144/audit-age", config)


def test_policies_need_none_of_the_heavy_libraries():
    code = (
        "import sys; import audit.attestation.policy.judge, audit.attestation.policy.testing; "
        "import audit.attestation.policy.schema; "
        "bad = {'torch', 'pandas', 'interpret', 'fairlearn', 'sklearn', 'weasyprint'} & set(sys.modules); "
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
