"""Numbers held against limits: whole people, groups that leave, people who are too few, and the arithmetic shown."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.measured import judge_measure
from audit.attestation.policy.select import read_packs
from audit.errors import PolicyError
from audit.evidence import AttributeUsed, Papers

RATIO = "measure: fairness.selection_rate_ratio, for_each: sex, must_be: at least 0.8, threshold_basis: guidance"
ADULT = {"sex": {"A": (327, 965), "B": (199, 994)}}


def test_the_arithmetic_is_written_out(stage, verdict):
    found = verdict(f"{RATIO}, judged_on: estimate", stage(ADULT))["sex=B"]
    assert found.status == "fail"
    assert found.trace[0] == "sex=B: 199 of 994 = 0.2002"
    assert found.trace[1] == "compared with sex=A: 327 of 965 = 0.3389"
    assert found.trace[2] == "0.2002 / 0.3389 = 0.5908"
    assert found.trace[3].startswith("parity: pooled z")
    assert found.trace[4].startswith("0.5908, 95 % interval 0.50")
    assert found.trace[4].endswith("required at least 0.8; judged on the estimate: fail")
    assert found.literal == "the figure alone, 0.5908, misses 'at least 0.8'"
    assert (found.limit, found.limit_low, found.limit_high) == ("at least 0.8", 0.8, None)


def test_exactly_four_fifths_in_whole_people_is_not_below_it(stage, verdict):
    for people in (5, 35, 105, 999_995):
        evidence = stage({"sex": {"M": (people * 3 // 5, people), "F": (people * 12 // 25, people)}})
        exact = (people * 12 // 25) * 5 >= (people * 3 // 5) * 4
        found = verdict(f"{RATIO}, judged_on: estimate", evidence)["sex=F"]
        assert (found.status == "pass") == exact
    assert (
        verdict(f"{RATIO}, judged_on: estimate", stage({"sex": {"M": (3, 7), "F": (12, 35)}}))["sex=F"].status == "pass"
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(k=st.integers(0, 60), n=st.integers(1, 60), m=st.integers(1, 60))
def test_the_literal_verdict_is_that_of_integers(stage, write_pack, k, n, m):
    if k > n:
        return
    text = f"rules: [{{id: r, title: A rule under test, severity: high, {RATIO}, judged_on: estimate}}]"
    packs = read_packs([str(write_pack(text))])
    evidence = stage({"sex": {"best": (m, m), "group": (k, n)}})
    judgement = judge_with(evidence, packs, Papers(), (), as_of=date(2026, 1, 1), evidence_signed="test")
    word = next(v.status for v in judgement.findings[0].verdicts if v.group == {"sex": "group"})
    assert word == ("pass" if 5 * k >= 4 * n else "fail")


def test_a_group_without_anyone_selected_fails_in_court(stage, verdict):
    found = verdict(
        f"{RATIO}, judged_on: court, min_samples: {{per_group: 30, favourable: 5}}",
        stage({"sex": {"M": (250, 500), "F": (0, 500)}}),
    )["sex=F"]
    assert found.status == "fail"
    assert "established" in found.because


def test_nobody_selected_at_all_is_undefined_and_never_zero(stage, verdict):
    found = verdict(f"{RATIO}, judged_on: estimate", stage({"sex": {"M": (0, 50), "F": (0, 50)}}))
    assert {v.status for k, v in found.items() if v.observed.value is None} == {"inconclusive"}
    assert any("undefined" in v.because for v in found.values())


def test_too_few_people_decide_nothing_and_are_counted(stage, verdict):
    evidence = stage({"sex": {"M": (20, 40), "F": (2, 20)}})
    found = verdict(f"{RATIO}, judged_on: estimate, min_samples: {{per_group: 30}}", evidence)
    assert found["sex=F"].status == "inconclusive"
    assert found["sex=F"].would_decide == "10 more people in sex=F"
    assert (
        verdict(f"{RATIO}, judged_on: estimate, min_samples: {{total: 61}}", evidence)["sex=F"].status == "inconclusive"
    )
    assert verdict(f"{RATIO}, judged_on: estimate, min_samples: {{total: 60}}", evidence)["sex=F"].status == "fail"
    assert (
        verdict(f"{RATIO}, judged_on: estimate, min_samples: {{favourable: 23}}", evidence)["sex=F"].status
        == "inconclusive"
    )
    assert verdict(f"{RATIO}, judged_on: estimate, min_samples: {{favourable: 22}}", evidence)["sex=F"].status == "fail"


def test_too_few_in_the_reference_decide_nothing_either(stage, verdict):
    found = verdict(
        f"{RATIO}, judged_on: estimate, min_samples: {{per_group: 30}}",
        stage({"sex": {"M": (10, 10), "F": (100, 400)}}),
    )
    assert found["sex=F"].status == "inconclusive"
    assert "sex=M" in found["sex=F"].because


@pytest.mark.parametrize("operator", ["interval", "court", "estimate", "proven"])
def test_what_is_not_assessable_is_inconclusive_under_all_operators(stage, verdict, operator):
    evidence = stage({"sex": {"M": (50, 100), "F": (2, 10)}}, small_count=30)
    assert verdict(f"{RATIO}, judged_on: {operator}", evidence)["sex=F"].status == "inconclusive"
    missing = verdict(f"{RATIO}, judged_on: {operator}", stage())
    assert [v.status for v in missing.values()] == ["inconclusive"]


def test_what_would_decide_it_does(stage, verdict):
    found = verdict(f"{RATIO}, judged_on: interval", stage({"sex": {"M": (100, 200), "F": (95, 200)}}))["sex=F"]
    assert found.status == "inconclusive"
    more = int(found.would_decide.split()[1].replace(",", ""))
    grown = 200 + more
    later = verdict(
        f"{RATIO}, judged_on: interval", stage({"sex": {"M": (100, 200), "F": (round(grown * 95 / 200), grown)}})
    )
    assert later["sex=F"].status == "pass"


def test_a_group_leaves_only_by_the_rule_and_stays_visible(stage, verdict):
    evidence = stage({"sex": {"M": (300, 600), "F": (210, 600), "X": (10, 10)}})
    kept = verdict(f"{RATIO}, judged_on: estimate", evidence)
    assert kept["sex=M"].status == "fail"  # measured against X, of whom all were selected
    left = verdict(f"{RATIO}, judged_on: estimate, leave_out_groups_below: 2%", evidence)
    assert left["sex=X"].status == "not_applicable"
    assert "10 of 1,210 people" in left["sex=X"].because
    assert left["sex=X"].trace == ("sex=X: 10 of 10 = 1",)
    assert left["sex=M"].status == "pass"
    assert left["sex=F"].observed.value == pytest.approx(0.7)
    assert list(left) == ["sex=M", "sex=F", "sex=X"]


def test_nobody_leaves_at_exactly_the_share(stage, verdict):
    evidence = stage({"sex": {"M": (49, 98), "F": (1, 2)}})
    assert verdict(f"{RATIO}, judged_on: estimate, leave_out_groups_below: 2%", evidence)["sex=F"].status == "pass"


@pytest.mark.parametrize(
    ("whom", "value"),
    [
        ("best", 0.4 / 0.5),
        ("largest", 0.4 / 0.3),
        ("rest", 0.4 / (350 / 1100)),
        ("overall", 0.4 / (390 / 1200)),
        ("reference", 0.4 / 0.3),
    ],
)
def test_whom_a_group_is_compared_with(stage, verdict, whom, value):
    evidence = stage({"sex": {"A": (50, 100), "B": (300, 1000), "C": (40, 100)}})
    subject = evidence.subject.model_copy(
        update={"attributes": (AttributeUsed(name="sex", column="sex", reference="B"),)}
    )
    found = verdict(
        f"{RATIO}, judged_on: estimate, compared_to: {whom}", evidence.model_copy(update={"subject": subject})
    )
    assert found["sex=C"].observed.value == pytest.approx(value)


def test_a_reference_that_nobody_declared_decides_nothing(stage, verdict):
    found = verdict(f"{RATIO}, judged_on: estimate, compared_to: reference", stage(ADULT))
    assert {v.status for v in found.values()} == {"inconclusive"}


def test_people_of_unknown_group_are_never_compared(stage, verdict):
    evidence = stage({"sex": {"M": (300, 600), "F": (290, 600), "unknown": (90, 100)}})
    found = verdict(f"{RATIO}, judged_on: court, leave_out_groups_below: 2%", evidence)
    assert found["sex=unknown"].status == "not_applicable"
    assert found["sex=M"].observed.value == 1


def test_people_of_unknown_group_are_no_group_to_judge(stage, verdict):
    """Their rate stands in the evidence; a limit for groups neither passes nor fails on them."""
    rate = "measure: fairness.selection_rate, for_each: sex, must_be: {}, threshold_basis: guidance"
    evidence = stage({"sex": {"M": (300, 600), "F": (290, 600), "unknown": (2, 100)}})
    found = verdict(f"{rate.format('at least 0.40')}, judged_on: interval", evidence)
    assert {name: v.status for name, v in found.items()} == {
        "sex=M": "pass",
        "sex=F": "pass",
        "sex=unknown": "not_applicable",
    }
    reported = verdict(rate.format("reported"), evidence)
    assert reported["sex=unknown"].status == "pass"


def test_confidence_and_exact_intervals(stage, verdict):
    rate = (
        "measure: fairness.selection_rate, for_each: sex, must_be: at least 0.40, threshold_basis: guidance, "
        "judged_on: interval"
    )
    evidence = stage({"sex": {"M": (60, 120), "F": (60, 120)}})
    assert verdict(rate, evidence)["sex=F"].status == "pass"
    assert verdict(f"{rate}, confidence: 0.999", evidence)["sex=F"].status == "inconclusive"
    exact = verdict(f"{rate}, interval: exact", evidence)["sex=F"].observed
    assert (exact.low, exact.high) == (
        pytest.approx(0.40737, abs=1e-5),
        pytest.approx(0.59263, abs=1e-5),
    )  # R: binom.test
    given = stage(
        metrics=[{"metric": "performance.auc", "model": "black_box", "value": 0.8, "low": 0.7, "high": 0.9, "n": 99}]
    )
    (found,) = verdict(
        "measure: performance.auc, must_be: above 0.5, threshold_basis: guidance, confidence: 0.9", given
    ).values()
    assert found.status == "inconclusive"


def test_reported_asks_for_the_number_alone(stage, verdict):
    rule = (
        "measure: fairness.selection_rate_ratio, for_each: sex, must_be: reported, warn_unless: at least 0.8, "
        "warn_basis: guidance"
    )
    assert {k: v.status for k, v in verdict(rule, stage(ADULT)).items()} == {"sex=A": "pass", "sex=B": "warn"}
    few = verdict(rule, stage({"sex": {"M": (50, 100), "F": (5, 10)}}, small_count=30))["sex=F"]
    assert few.status == "warn"
    assert "cannot be judged" in few.because
    assert [v.status for v in verdict(rule, stage()).values()] == ["inconclusive"]
    nobody = verdict(rule, stage({"sex": {"M": (0, 50), "F": (0, 50)}}))
    assert "pass" not in {v.status for v in nobody.values() if v.observed and v.observed.value is None}


def test_warn_unless_speaks_only_after_a_pass(stage, verdict):
    rule = f"{RATIO}, judged_on: estimate, warn_unless: at least 0.9, warn_basis: organisation"
    rates = {"A": (100, 100), "B": (95, 100), "C": (85, 100), "D": (70, 100)}
    found = verdict(rule, stage({"sex": rates}))
    assert [found[f"sex={g}"].status for g in "ABCD"] == ["pass", "pass", "warn", "fail"]


def test_many_scopes_are_paid_for_together(stage, judge_text):
    rates = {"A": (60, 100), "B": (44, 100)}
    evidence = stage({"sex": rates, "age": rates, "origin": rates})
    rule = (
        "rules: [{id: r, title: A rule under test, severity: high, measure: fairness.selection_rate_ratio, "
        "for_each: protected, "
        "must_be: at least 0.8, threshold_basis: guidance, judged_on: court%s}]"
    )
    assert judge_text(rule % "", evidence).findings[0].status == "fail"
    assert judge_text(rule % ", adjust_for_many: true", evidence).findings[0].status == "inconclusive"


def test_an_attribute_is_found_by_what_it_stands_for(stage, verdict):
    evidence = stage({"origin": {"A": (50, 100), "B": (20, 100)}})
    subject = evidence.subject.model_copy(
        update={"attributes": (AttributeUsed(name="origin", column="o", stands_for="race_ethnicity"),)}
    )
    evidence = evidence.model_copy(update={"subject": subject})
    found = verdict(f"{RATIO}, judged_on: estimate".replace("sex", "race_ethnicity"), evidence, strict=True)
    assert found["origin=B"].status == "fail"


def test_pairs_in_either_order(stage, verdict):
    evidence = stage({("sex", "age"): {("M", "old"): (50, 100), ("F", "old"): (20, 100)}})
    found = verdict(f"{RATIO}, judged_on: estimate".replace("for_each: sex", "for_each: age * sex"), evidence)
    assert found["sex=F,age=old"].status == "fail"
    pairs = verdict(f"{RATIO}, judged_on: estimate".replace("for_each: sex", "for_each: protected pairs"), evidence)
    assert pairs["sex=F,age=old"].status == "fail"


@pytest.mark.parametrize(
    ("attributes", "status"), [([], "inconclusive"), (["sex"], "not_applicable"), (["sex", "age"], "inconclusive")]
)
def test_pairs_that_were_not_measured(stage, verdict, attributes, status):
    evidence = stage({name: {"A": (50, 100), "B": (50, 100)} for name in attributes})
    found = verdict(f"{RATIO}, judged_on: estimate".replace("for_each: sex", "for_each: protected pairs"), evidence)
    assert [v.status for v in found.values()] == [status]


def test_a_group_that_a_metric_forgot_is_inconclusive(stage, verdict):
    evidence = stage(
        ADULT, [{"metric": "fairness.precision", "group": {"sex": "A"}, "value": 0.9, "n": 100, "count": 90}]
    )
    rule = (
        "measure: fairness.precision, for_each: sex, must_be: at least 0.5, threshold_basis: guidance, "
        "judged_on: estimate"
    )
    assert {k: v.status for k, v in verdict(rule, evidence).items()} == {"sex=A": "pass", "sex=B": "inconclusive"}


def test_models_and_features(stage, verdict):
    metrics = [
        {"metric": "effects.importance_share", "feature": f, "model": m, "value": v, "n": 500}
        for f, v in (("income", 0.7), ("zip", 0.26), ("sex", 0.04))
        for m in ("black_box", "ebm_label")
    ]
    evidence = stage({"sex": {"A": (50, 100), "B": (50, 100)}}, metrics, features=["income", "zip", "sex"])
    rule = (
        "measure: effects.importance_share, must_be: at most 0.3, threshold_basis: guidance, judged_on: estimate, "
        "for_features: "
    )
    assert {k: v.status for k, v in verdict(rule + "all", evidence).items()} == {
        "feature=income,model=black_box": "fail",
        "feature=zip,model=black_box": "pass",
        "feature=sex,model=black_box": "pass",
    }
    every = verdict(rule + "zip, of_model: every_model", evidence)
    assert every["feature=zip,model=ebm_label"].status == "pass"
    assert every["feature=zip,model=net_label"].status == "inconclusive"
    assert len(every) == 5
    assert list(verdict(rule + "role:protected", evidence)) == ["feature=sex,model=black_box"]


def test_important_features_follow_the_parameter(stage, judge_text):
    metrics = [
        {"metric": "effects.importance_share", "feature": f, "model": "black_box", "value": v, "n": 500}
        for f, v in (("a", 0.90), ("b", 0.05), ("c", 0.0499))
    ]
    text = """parameters:
  important_share: {title: Share, default: 5%%, minimum: 1%%, maximum: 99%%, basis: organisation}
rules:
  - {id: r, title: A rule under test, severity: low, measure: effects.proxy_strength,
     for_features: role:important, for_each: sex, must_be: reported}
"""
    metrics += [
        {"metric": "effects.proxy_strength", "feature": f, "attribute": "sex", "value": 0.6, "n": 500} for f in "abc"
    ]
    found = judge_text(text.replace("%%", "%"), stage(None, metrics, features="abc")).findings[0]
    assert [(v.scope, v.status) for v in found.verdicts] == [
        ("own/r[sex,feature=a]", "pass"),
        ("own/r[sex,feature=b]", "pass"),
    ]
    nothing = judge_text(text.replace("%%", "%"), stage(features="abc")).findings[0]
    assert nothing.status == "inconclusive"


ROLE = (
    "measure: effects.importance_share, for_features: role:%s, must_be: exactly 0, threshold_basis: regulation, "
    "judged_on: estimate, when_no_such_scope: pass"
)


def test_when_no_such_scope_covers_only_what_the_model_does_not_read(stage, verdict):
    groups = {"sex": {"A": (50, 100), "B": (50, 100)}}
    assert [v.status for v in verdict(ROLE % "protected", stage(groups, features=["income"])).values()] == ["pass"]
    assert [v.status for v in verdict(ROLE % "protected", stage(groups)).values()] == ["inconclusive"]
    not_measured = verdict(ROLE % "protected", stage(groups, features=["sex"]))
    assert [v.status for v in not_measured.values()] == ["inconclusive"]
    assert [v.status for v in verdict(ROLE % "protected", stage(features=["income"])).values()] == ["inconclusive"]
    assert [v.status for v in verdict(ROLE % "prohibited", stage(groups, features=["income"])).values()] == [
        "inconclusive"
    ]


def test_a_role_that_a_person_reviewed_is_not_applicable(stage, verdict):
    papers = Papers(facts={"features.roles_reviewed": ("prohibited",)})
    found = verdict(ROLE % "prohibited", stage(features=["income"]), papers=papers)
    assert [v.status for v in found.values()] == ["not_applicable"]


def test_names_that_the_audit_does_not_know_are_refused(stage, judge_text):
    evidence = stage({"sex": {"A": (50, 100), "B": (50, 100)}}, features=["income"])
    rule = (
        "rules: [{id: r, title: A rule under test, severity: low, measure: effects.proxy_strength, for_features: %s, "
        "for_each: %s, must_be: reported}]"
    )
    for features, groups, hint in (("incme", "sex", "income"), ("income", "sexx", "sex"), ("al", "sex", "all")):
        with pytest.raises(PolicyError, match=f"did you mean '{hint}'") as caught:
            judge_text(rule % (features, groups), evidence, strict=True)
        assert ":6:" in caught.value.mistakes[0].place
    judge_text(rule % ("income", "sex"), evidence, strict=True)


def test_a_gap_that_may_favour_the_black_box_decides_nothing(stage, verdict):
    evidence = stage(
        None,
        [
            {"metric": "performance.auc_gap", "model": m, "value": 0.05, "low": 0.04, "high": 0.06, "n": 900}
            for m in ("ebm_label", "net_label")
        ],
    )
    rule = "measure: performance.auc_gap, must_be: at least 0.01, threshold_basis: organisation, judged_on: interval"
    assert {v.status for v in verdict(rule, evidence).values()} == {"pass"}
    cautious = evidence.performance.model_copy(update={"caution": "may favour the black box: nobody knows its rows"})
    found = verdict(rule, evidence.model_copy(update={"performance": cautious}))
    assert {v.status for v in found.values()} == {"inconclusive"}
    assert "may favour the black box" in next(iter(found.values())).because


def test_a_rule_of_another_kind_is_refused(write_pack):
    (pack,) = read_packs(
        [str(write_pack("rules: [{id: r, title: A rule under test, severity: low, ask: 'Why?', asked_of: me}]"))]
    )
    with pytest.raises(TypeError):
        judge_measure(pack.rules[0], None, {})
