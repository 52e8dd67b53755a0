"""A number that was not measured says which key of audit.yaml would bring it."""

import pytest

from audit.attestation.policy.catalogue import METRICS
from audit.attestation.policy.needs import NEEDS, say_need
from audit.config.schema import Config


@pytest.mark.parametrize("start", [start for start, _ in NEEDS])
def test_every_need_is_that_of_a_metric(start):
    assert any(metric.startswith(start) for metric in METRICS)


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("drift.score_psi", "data.baseline"),
        ("drift.performance_drop", "data.out_of_time"),
        ("data.representation_ratio", "population"),
        ("fairness.cmh_p", "strata"),
    ],
)
def test_the_key_is_named_and_exists(metric, words):
    assert words in say_need(metric)
    assert f'"{words.rpartition(".")[2]}"' in str(Config.model_json_schema()).replace("'", '"')


def test_what_every_audit_measures_needs_nothing():
    assert say_need("performance.auc") == say_need("fairness.selection_rate_ratio") == ""


def test_the_verdict_carries_it(verdict, stage):
    found = verdict("measure: drift.score_psi, must_be: reported, judged_on: estimate", stage())
    assert found[""].would_decide == "name the rows of an earlier time under data.baseline in audit.yaml"
    counts = {"sex": {"M": (50, 100), "F": (50, 100)}}
    rule = "measure: data.representation_ratio, for_each: sex, must_be: reported, judged_on: estimate"
    assert {v.status for v in verdict(rule, stage(counts)).values()} == {"inconclusive"}
    assert all("(population)" in v.would_decide for v in verdict(rule, stage(counts)).values())


def test_the_group_that_all_others_are_held_to_is_no_gap_in_the_evidence(verdict, stage):
    counts = {"sex": {"M": (500, 1000), "F": (450, 1000), "X": (440, 1000)}}
    measured = [
        {"metric": "fairness.minimum_detectable_ratio", "group": {"sex": s}, "value": 0.9, "reference": "sex=M"}
        for s in "FX"
    ]
    rule = (
        "measure: fairness.minimum_detectable_ratio, for_each: sex, must_be: at least 0.8, judged_on: estimate, "
        "threshold_basis: organisation"
    )
    found = verdict(rule, stage(counts, measured))
    assert {scope: v.status for scope, v in found.items()} == {
        "sex=M": "not_applicable",
        "sex=F": "pass",
        "sex=X": "pass",
    }
    lacking = verdict(rule, stage(counts, measured[:1]))
    assert lacking["sex=X"].status == "inconclusive"  # nobody is held to X: its number is missing
