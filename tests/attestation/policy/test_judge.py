"""The whole judgement: nothing unmeasured passes, one breakage is one verdict, the outcome of a run."""

import json
from datetime import date
from itertools import product
from time import perf_counter

import pytest

from audit.attestation.policy import judge as judge_module
from audit.attestation.policy.judge import find_outcome, judge, judge_with
from audit.attestation.policy.select import list_shipped, read_packs
from audit.config.schema import AttestConfig
from audit.evidence import SEVERITY_ORDER, VERDICT_ORDER, Judgement, NotDone, Papers, RuleFinding

TODAY = date(2026, 11, 21)
FILLED = {
    "system.jurisdictions": ("US-NYC",),
    "system.use_case": "employment.hiring",
    "data.small_categories_excluded": True,
}
RULE = (
    "rules: [{id: r, title: A rule under test, severity: high, measure: data.rows, must_be: at least 1, "
    "threshold_basis: guidance}]"
)


def run(pack, evidence, facts=None, **how):
    return judge_with(
        evidence,
        read_packs([pack]),
        Papers(facts=facts or {}),
        (),
        as_of=TODAY,
        evidence_signed="test",
        **{"strict_names": False, **how},
    )


STATED = {"nyc-ll144/decision-kind"}
"""Rules that ask for nothing but that somebody states a fact; `FILLED` states it."""


@pytest.mark.parametrize("pack", list(list_shipped()))
@pytest.mark.parametrize("kind", ["selection", "score"])
def test_on_empty_evidence_nothing_passes(stage, pack, kind):
    for facts in ({}, {**FILLED, "system.decision_kind": kind}):
        judgement = run(pack, stage(), facts)
        assert judgement.count("warn") == judgement.count("error") == 0
        assert judgement.outcome in ("failed", "undecided")
        good = {f.rule for f in judgement.findings for v in f.verdicts if v.status in ("pass", "warn", "waived")}
        assert good <= (STATED if facts else set())
        assert judgement.count("pass") == len(good)


@pytest.mark.parametrize("pack", list(list_shipped()))
@pytest.mark.parametrize("kind", ["selection", "score"])
def test_on_ten_rows_per_group_nothing_passes(stage, pack, kind):
    people = {
        "sex": {"M": (5, 10), "F": (5, 10)},
        "race_ethnicity": {"A": (5, 10), "B": (5, 10)},
        ("sex", "race_ethnicity"): {(s, r): (3, 5) for s in "MF" for r in "AB"},
    }
    tiny = {"n": 20, "low": 0.0, "high": 1.0}
    metrics = [
        *(
            {"metric": f"fairness.{name}", "attribute": a, "value": 0.0, **tiny}
            for name in ("equalized_odds_difference", "calibration_gap")
            for a in ("sex", "race_ethnicity")
        ),
        *(
            {"metric": f"{m}", "model": "black_box", "value": 0.99, **tiny}
            for m in ("performance.auc", "calibration.slope")
        ),
        *({"metric": "fidelity.r2", "model": m, "value": 0.99, **tiny} for m in ("ebm_surrogate", "net_surrogate")),
        *({"metric": "performance.auc_gap", "model": m, "value": 0.09, **tiny} for m in ("ebm_label", "net_label")),
        {"metric": "effects.importance_share", "feature": "income", "model": "black_box", "value": 0.9, "n": 20},
        {"metric": "effects.disagreement", "feature": "income", "model": "net_surrogate", "value": 0.0, "n": 20},
        *(
            {"metric": "effects.proxy_strength", "feature": "income", "attribute": a, "value": 0.5, **tiny}
            for a in ("sex", "race_ethnicity")
        ),
        {"metric": "data.missing_rate", "feature": "income", "value": 0.0, **tiny},
        *(
            {"metric": "data.rows", "group": {a: g}, "value": 10.0, "n": 10}
            for a, groups in (("sex", "MF"), ("race_ethnicity", "AB"))
            for g in groups
        ),
    ]
    rates = (
        {"race_ethnicity": {"A": (10, 0.5), "B": (10, 0.5)}, "sex": {"M": (10, 0.5), "F": (10, 0.5)}}
        if kind == "score"
        else {}
    )
    evidence = stage({} if rates else people, metrics, rates=rates, features=["income"], small_count=30)
    if rates:  # marked by the examination as too small to judge
        small = tuple(
            m.model_copy(update={"estimate": m.estimate.model_copy(update={"assessable": False, "note": "10 people"})})
            for m in evidence.fairness.measurements
        )
        evidence = evidence.model_copy(
            update={"fairness": evidence.fairness.model_copy(update={"measurements": small})}
        )
    judgement = run(pack, evidence, {**FILLED, "system.decision_kind": kind})
    passed = {v.scope for f in judgement.findings for v in f.verdicts if v.status == "pass"}
    # a stated fact, a head count that need only be reported, and which columns the model reads rest on no sample
    counted = {f"nyc-ll144/category-counts[{a}={g}]" for a, gs in (("sex", "MF"), ("race_ethnicity", "AB")) for g in gs}
    assert passed <= {"baseline-fairness/protected-not-used"} | STATED | counted
    assert judgement.count("error") == 0


def finding(status, severity):
    return RuleFinding(
        rule="a/b",
        pack="a",
        title="A rule under test",
        severity=severity,
        kind="measure",
        status=status,
        verdicts=(),
        path="a.yaml",
        line=1,
    )


def test_the_outcome_at_every_severity():
    for status, severity, fail_on in product(VERDICT_ORDER, SEVERITY_ORDER, SEVERITY_ORDER):
        outcome = find_outcome([finding(status, severity), finding("pass", "critical")], broken=False, fail_on=fail_on)
        decides = SEVERITY_ORDER.index(severity) <= SEVERITY_ORDER.index(fail_on)
        expected = {"error": "incomplete"}.get(status) or (
            {"fail": "failed", "inconclusive": "undecided", "manual": "undecided"}.get(status, "passed")
            if decides
            else "passed"
        )
        assert outcome == expected, (status, severity, fail_on)


def test_the_worst_outcome_wins():
    mixed = [finding("fail", "high"), finding("inconclusive", "critical"), finding("manual", "high")]
    assert find_outcome(mixed, broken=False, fail_on="high") == "failed"
    assert find_outcome(mixed, broken=True, fail_on="high") == "incomplete"
    assert find_outcome(mixed[1:], broken=False, fail_on="high", allow=frozenset({"inconclusive"})) == "undecided"
    assert (
        find_outcome(mixed[1:], broken=False, fail_on="high", allow=frozenset({"inconclusive", "manual"})) == "passed"
    )
    assert find_outcome([], broken=False, fail_on="high") == "undecided"
    assert find_outcome([], broken=False, fail_on="high", asked=False) == "measured"


def test_a_part_that_broke_makes_the_run_incomplete(stage, judge_text):
    evidence = stage({"sex": {"A": (5, 10), "B": (5, 10)}}, calibration=NotDone(not_done="it broke", broke=True))
    assert judge_text(RULE, evidence).outcome == "incomplete"


def test_one_rule_that_breaks_is_one_error(stage, judge_text, monkeypatch):
    from audit.attestation.policy.pack import MeasureRule

    def broken(*_):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setitem(judge_module.JUDGES, MeasureRule, broken)
    text = (
        RULE.removesuffix("]")
        + ", {id: f, title: A rule under test, severity: low, fact: audit.complete, must_be: true}]"
    )
    judgement = judge_text(text, stage({"sex": {"M": (5, 10)}}))
    assert [f.status for f in judgement.findings] == ["error", "pass"]
    assert "ZeroDivisionError: by nothing" in judgement.findings[0].verdicts[0].because
    assert judgement.outcome == "incomplete"


def test_ids_stay_the_same_and_differ_by_system_rule_and_scope(stage):
    people = {"sex": {"M": (50, 100), "F": (45, 100)}}
    first, again = (run("baseline-fairness", stage(people)) for _ in range(2))
    ids = [v.id for f in first.findings for v in f.verdicts]
    assert ids == [v.id for f in again.findings for v in f.verdicts]
    assert len(set(ids)) == len(ids)
    changed = run("baseline-fairness", stage({"sex": {"M": (50, 100), "F": (5, 100)}}))
    assert {v.scope: v.id for f in changed.findings for v in f.verdicts} == {
        v.scope: v.id for f in first.findings for v in f.verdicts
    }
    evidence = stage(people)
    other = evidence.model_copy(update={"subject": evidence.subject.model_copy(update={"system": "another"})})
    assert not {v.id for f in run("baseline-fairness", other).findings for v in f.verdicts} & set(ids)


def test_the_same_input_gives_the_same_bytes(stage):
    evidence = stage({"sex": {"M": (50, 100), "F": (45, 100)}}, features=["income"])
    packs = read_packs(["baseline-fairness", "nyc-ll144"])
    one, two = (judge(evidence, packs, Papers(), AttestConfig(), as_of=TODAY, evidence_signed="test") for _ in range(2))
    assert one.canonical() == two.canonical()
    assert Judgement.parse(one.canonical()) == one


def test_the_judgement_holds_the_policies_as_they_were(stage):
    judgement = run("nyc-ll144", stage())
    (policy,) = judgement.policies
    path = list_shipped()["nyc-ll144"]
    assert policy.text == path.read_text()
    assert policy.path == "nyc-ll144.yaml"
    assert judgement.as_of == "2026-11-21"
    assert judgement.parameters["nyc-ll144.attention_ratio"] == "0.8000"
    lines = path.read_text().splitlines()
    for found in judgement.findings:
        assert f"id: {found.rule.partition('/')[2]}" in lines[found.line - 1]
    assert str(path.parent) not in json.dumps(judgement.model_dump(mode="json"))


def test_a_pack_that_may_apply_names_the_facts_to_fill(stage):
    judgement = run("nyc-ll144", stage())
    assert judgement.policies[0].applies == "unknown"
    (warning,) = [w for w in judgement.warnings if w.startswith("nyc-ll144")]
    assert "system.jurisdictions" in warning
    assert "system.use_case" in warning
    assert {f.status for f in judgement.findings} == {"inconclusive"}


def test_a_pack_that_does_not_apply_says_why(stage):
    judgement = run("nyc-ll144", stage(), {"system.jurisdictions": ("EU",), "system.use_case": "employment.hiring"})
    assert judgement.policies[0].applies == "no"
    assert "here it is EU" in judgement.policies[0].applies_because
    assert {f.status for f in judgement.findings} == {"not_applicable"}
    assert judgement.outcome == "undecided"  # nothing was held against a limit, so nothing passed


def test_a_law_that_does_not_apply_yet_never_fails_a_run(stage, write_pack, head, judge_text):
    text = head.replace(
        "status: internal", "status: adopted_not_yet_applicable, applies_from: 2027-12-02"
    ) + RULE.replace("at least 1", "at least 1000000")
    evidence = stage(None, [{"metric": "data.rows", "value": 10, "n": 10}])
    before, on_the_day = (judge_text(text, evidence, as_of=day) for day in (date(2027, 12, 1), date(2027, 12, 2)))
    (found,) = before.findings
    assert (found.status, found.verdicts[0].original) == ("not_applicable", "fail")
    assert "would be 'fail'" in found.verdicts[0].because
    assert before.outcome == "undecided"
    assert before.policies[0].applies == "not_yet"
    assert on_the_day.outcome == "failed"


def test_a_law_read_too_long_ago_is_told(stage, judge_text):
    assert judge_text(RULE, stage(), as_of=date(2027, 11, 1)).warnings == ()
    assert "read again by 2027-11-01" in judge_text(RULE, stage(), as_of=date(2027, 11, 2)).warnings[0]


def test_severities_and_bases_are_printed_with_the_numbers(stage):
    people = {"sex": {"M": (50, 100), "F": (45, 100)}}
    found = {f.rule: f for f in run("baseline-fairness", stage(people)).findings}["baseline-fairness/selection-ratio"]
    assert (found.limit, found.basis) == ("at least 0.8", "industry_convention")
    assert found.warn_limit == "at least 0.9 (organisation)"
    assert found.judged_on == "court"
    assert found.severity == "high"


def test_a_changed_and_a_disabled_rule_say_so(stage, write_pack):
    path = write_pack("""uses: [{pack: baseline-fairness, only: [pinned, selection-ratio]}]
override: [{rule: baseline-fairness/selection-ratio, severity: critical, reason: our board asked for it}]
disable: [{rule: baseline-fairness/pinned, reason: the registry pins it, approved_by: Head of Model Risk}]
""")
    found = {f.rule: f for f in run(str(path), stage({"sex": {"M": (50, 100), "F": (5, 100)}})).findings}
    assert found["baseline-fairness/pinned"].status == "not_applicable"
    assert "Head of Model Risk" in found["baseline-fairness/pinned"].verdicts[0].because
    assert found["baseline-fairness/selection-ratio"].severity == "critical"
    assert "our board asked for it" in found["baseline-fairness/selection-ratio"].why


def test_a_hundred_and_fifty_rules_take_no_time(stage, write_pack):
    people = {name: {f"g{i}": (40 + i, 100) for i in range(6)} for name in ("sex", "age", "origin")}
    rules = "".join(
        f"  - {{id: r{i}, title: A rule under test, severity: low, for_each: protected, "
        "measure: fairness.selection_rate_ratio, must_be: at least 0.8, threshold_basis: guidance, judged_on: court}\n"
        for i in range(150)
    )
    packs = read_packs([str(write_pack("rules:\n" + rules))])
    evidence = stage(people)
    times = []
    for _ in range(5):
        begun = perf_counter()
        judgement = judge_with(evidence, packs, Papers(), (), as_of=TODAY, evidence_signed="test")
        times.append(perf_counter() - begun)
    assert sum(len(f.verdicts) for f in judgement.findings) == 150 * 18
    assert min(times) < 1.0  # generous on a busy machine: 2,700 verdicts, each with its arithmetic
