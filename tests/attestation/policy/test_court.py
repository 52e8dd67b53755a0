"""Some pair is enough for a court; and what was not judged passes nothing, by whatever way it comes."""

from datetime import date

import pytest

from audit.attestation.policy import judge as judging
from audit.attestation.policy.court import adjust_pairs
from audit.attestation.policy.ruling import Ahead, Scope
from audit.statistics.tests import compare_proportions

RATIO = "measure: fairness.selection_rate_ratio, for_each: sex, must_be: at least 0.8, threshold_basis: guidance"
TOPPED = {"sex": {"tiny": (6, 8), "A": (700, 1000), "B": (540, 1000)}}


def test_a_tiny_best_group_does_not_hide_another_pair(stage, verdict):
    assert compare_proportions(540, 1000, 6, 8).p > 0.05  # against the best group nothing can be shown
    found = verdict(f"{RATIO}, judged_on: court", stage(TOPPED))
    assert found["sex=B"].status == "fail"
    assert "0.7714 against sex=A misses 'at least 0.8'" in found["sex=B"].because
    assert "540 of 1,000 beside 700 of 1,000 gives 0.7714" in found["sex=B"].trace[-1]
    assert found["sex=A"].status == "inconclusive"


def test_an_interval_rule_does_not_borrow_another_pair(stage, verdict):
    assert verdict(f"{RATIO}, judged_on: interval", stage(TOPPED))["sex=B"].status == "inconclusive"


def test_another_pair_obeys_the_rules_own_minimum(stage, verdict):
    counts = {"sex": {"tiny": (6, 8), "A": (35, 50), "B": (440, 1000)}}
    assert verdict(f"{RATIO}, judged_on: court", stage(counts))["sex=B"].status == "fail"
    few = verdict(f"{RATIO}, judged_on: court, min_samples: {{per_group: 60}}", stage(counts))
    assert few["sex=B"].status == "inconclusive"
    enough = verdict(f"{RATIO}, judged_on: court, min_samples: {{per_group: 40}}", stage(counts))
    assert enough["sex=B"].status == "fail"


def test_a_pair_within_the_limit_does_not_fail_however_unequal(stage, verdict):
    counts = {"sex": {"tiny": (7, 8), "A": (70_000, 100_000), "B": (60_000, 100_000)}}
    assert verdict(f"{RATIO}, judged_on: court", stage(counts))["sex=B"].status == "inconclusive"


def test_differences_know_who_is_ahead_where_the_lowest_is_best(stage, verdict):
    rule = (
        "measure: fairness.error_rate_ratio, for_each: sex, must_be: at most 1.25, judged_on: court, "
        "threshold_basis: guidance"
    )
    errors = {"tiny": (1, 8), "A": (200, 1000), "B": (300, 1000)}
    metrics = [
        {"metric": "fairness.error_rate", "group": {"sex": g}, "value": k / n, "low": 0, "high": 1, "n": n, "count": k}
        for g, (k, n) in errors.items()
    ]
    metrics += [
        {"metric": "fairness.error_rate_ratio", "group": {"sex": "A"}, "value": 1.6, "low": 0.4, "high": 9.0, "p": 1.0},
        {"metric": "fairness.error_rate_ratio", "group": {"sex": "B"}, "value": 2.4, "low": 0.6, "high": 9.0, "p": 0.4},
    ]
    found = verdict(rule, stage({"sex": {g: (1, n) for g, (_, n) in errors.items()}}, metrics))
    assert found["sex=B"].status == "fail"
    assert "1.5000 against sex=A" in found["sex=B"].because
    assert found["sex=A"].status == "inconclusive"


def test_many_attributes_are_one_family():
    def scope(attribute, group, p):
        return Scope({attribute: group}, ahead=(Ahead({attribute: "best"}, (9, 10), p, p, 1),))

    done = adjust_pairs([scope("sex", "F", 0.02), scope("race", "B", 0.03)])
    assert [item.ahead[0].p_adjusted for item in done] == pytest.approx([0.04, 0.04])


def test_leaving_out_every_group_decides_nothing(stage, verdict):
    counts = {"sex": {"unknown": (500, 1000), "F": (1, 10), "M": (9, 10)}}
    found = verdict(f"{RATIO}, judged_on: court, leave_out_groups_below: 2%", stage(counts))
    assert found["sex"].status == "inconclusive"
    assert {found[name].status for name in ("sex=F", "sex=M", "sex=unknown")} == {"not_applicable"}


@pytest.mark.parametrize("how", ["compared_to: largest", "compared_to: rest", "confidence: 0.9"])
def test_comparing_anew_keeps_what_speaks_against_the_rates(stage, verdict, how):
    metric = "fairness.true_positive_rate"
    metrics = [
        {"metric": metric, "group": {"sex": g}, "value": 0.9, "n": 1000, "count": 900, "assessable": False}
        for g in ("F", "M")
    ]
    metrics += [
        {"metric": f"{metric}_difference", "group": {"sex": g}, "value": 0.0, "low": -0.02, "high": 0.02, "n": 2000}
        for g in ("F", "M")
    ]
    rule = f"measure: {metric}_difference, for_each: sex, must_be: at most 0.1, threshold_basis: guidance, {how}"
    found = verdict(rule, stage({"sex": {"F": (500, 1000), "M": (500, 1000)}}, metrics))
    assert {v.status for v in found.values()} == {"inconclusive"}


def test_a_ratio_of_labels_rests_on_base_rates_that_may_be_judged(stage, verdict):
    rule = (
        "measure: data.label_rate_ratio, for_each: sex, must_be: at least 0.8, judged_on: interval, "
        "threshold_basis: guidance"
    )

    def judged(assessable):
        metrics = [
            {
                "metric": "fairness.base_rate",
                "group": {"sex": g},
                "value": 0.5,
                "n": 1000,
                "count": 500,
                "assessable": assessable,
            }
            for g in ("F", "M")
        ]
        metrics += [
            {"metric": "data.label_rate_ratio", "group": {"sex": "F"}, "value": 1.0, "low": 0.9, "high": 1.1, "n": 2000}
        ]
        return verdict(rule, stage({"sex": {"F": (1, 1000), "M": (1, 1000)}}, metrics))["sex=F"].status

    assert (judged(True), judged(False)) == ("pass", "inconclusive")


def test_a_number_about_an_attribute_passes_only_with_all_its_groups_and_fails_without(stage, verdict):
    rule = (
        "measure: fairness.equalized_odds_difference, for_each: sex, must_be: at most 0.1, "
        "threshold_basis: guidance, min_samples: {per_group: 30}"
    )
    counts = {"sex": {"F": (500, 1000), "M": (500, 1000), "X": (1, 11)}}

    def judged(low, value, high, table=counts):
        metric = {"metric": "fairness.equalized_odds_difference", "attribute": "sex", "n": 2000}
        found = verdict(rule, stage(table, [metric | {"low": low, "value": value, "high": high}], small_count=30))
        return found["sex"]

    assert judged(0.2, 0.25, 0.3).status == "fail"
    assert judged(0.0, 0.02, 0.05).status == "inconclusive"
    assert "11 people in sex=X are fewer than 30 and not in this number" in judged(0.0, 0.02, 0.05).because
    assert judged(0.0, 0.02, 0.05).would_decide == "19 more people in sex=X"
    assert judged(0.0, 0.02, 0.05, {"sex": {"F": (500, 1000), "M": (500, 1000)}}).status == "pass"


def test_another_level_is_not_computed_from_counts_that_are_not_the_number(stage, verdict):
    metric = {
        "metric": "data.representation_ratio",
        "group": {"sex": "F"},
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "n": 1000,
        "count": 950,
    }
    rule = (
        "measure: data.representation_ratio, for_each: sex, must_be: at least 0.8, threshold_basis: guidance, "
        "judged_on: interval"
    )
    evidence = stage({"sex": {"F": (1, 950), "M": (1, 50)}}, [metric])
    assert verdict(rule, evidence)["sex=F"].status == "fail"
    for extra in ("confidence: 0.9", "interval: exact"):
        assert verdict(f"{rule}, {extra}", evidence)["sex=F"].status == "inconclusive"


def test_few_people_judge_nothing_whatever_the_measure_says_of_them(stage, verdict):
    metric = {
        "metric": "fidelity.r2",
        "group": {"sex": "X"},
        "model": "net_surrogate",
        "value": 0.99,
        "low": 0.98,
        "high": 0.995,
        "n": 5,
    }
    evidence = stage({"sex": {"F": (500, 1000), "X": (1, 5)}}, [metric], small_count=30)
    found = verdict(
        "measure: fidelity.r2, of_model: net_surrogate, for_each: sex, must_be: at least 0.5, "
        "threshold_basis: guidance",
        evidence,
    )["sex=X,model=net_surrogate"]
    assert (found.status, found.would_decide) == ("inconclusive", "at least 25 more people in sex=X")


def test_an_error_stays_one_under_a_law_that_is_not_in_force(stage, judge_text, head, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setitem(judging.JUDGES, judging.MeasureRule, broken)
    text = head.replace("status: internal", "status: adopted_not_yet_applicable, applies_from: 2027-12-02")
    text += f"rules:\n  - {{id: r, title: A rule under test, severity: high, {RATIO}}}\n"
    judgement = judge_text(text, stage(TOPPED), as_of=date(2026, 12, 1))
    assert (judgement.findings[0].status, judgement.outcome) == ("error", "incomplete")


def test_a_rule_that_looked_at_nothing_is_inconclusive(stage, judge_text, monkeypatch):
    monkeypatch.setitem(judging.JUDGES, judging.MeasureRule, lambda *_: [])
    text = f"rules:\n  - {{id: r, title: A rule under test, severity: high, {RATIO}}}\n"
    assert judge_text(text, stage(TOPPED)).findings[0].status == "inconclusive"
