"""A fact that the audit itself shows cannot be talked away."""

from datetime import date

import pytest

from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.select import read_packs
from audit.attestation.policy.staged_change import ChangeEntry, stage_changes
from audit.evidence import Papers

TODAY = date(2026, 11, 21)
NYC = {"system.jurisdictions": ("US-NYC",), "system.use_case": "employment.hiring", "system.decision_kind": "selection"}


def judged(pack, evidence, facts, changes=()):
    judgement = judge_with(
        evidence, read_packs([pack]), Papers(facts=facts), (), as_of=TODAY, evidence_signed="test", changes=changes,
        strict_names=False,
    )  # fmt: skip
    return {finding.rule.partition("/")[2]: finding.status for finding in judgement.findings}, judgement.warnings


@pytest.mark.parametrize(
    ("stated", "others", "word", "warned"),
    [
        (False, 20, "fail", True),
        (None, 20, "fail", False),
        (True, 20, "fail", False),
        (False, 21, "not_applicable", False),
        (None, 21, "inconclusive", False),
    ],
)
def test_a_category_left_out_is_justified_whatever_the_fact_says(stage, stated, others, word, warned):
    evidence = stage({"sex": {"M": (300, 500), "F": (250, 500), "X": (10, others)}})  # 20 of 1,020 are below 2 %
    facts = NYC | ({} if stated is None else {"data.small_categories_excluded": stated})
    found, warnings = judged("nyc-ll144", evidence, facts)
    assert found["small-category-reason"] == word
    assert any("small_categories_excluded is not what the audit shows" in line for line in warnings) is warned


def test_unknown_people_and_other_attributes_are_no_such_category(stage):
    people = {"sex": {"M": (300, 500), "F": (250, 500), "unknown": (1, 2)}, "age": {"old": (1, 2), "young": (500, 998)}}
    evidence = stage(people)
    found, _ = judged("nyc-ll144", evidence, NYC | {"data.small_categories_excluded": False})
    assert found["small-category-reason"] == "not_applicable"


def test_an_audit_held_against_an_earlier_one_is_not_the_first(stage):
    evidence = stage()
    facts = {"system.is_first_audit": True}
    found, warnings = judged("model-change-review", evidence, facts)
    assert (found["why"], found["auc"]) == ("not_applicable", "not_applicable")
    found, warnings = judged("model-change-review", evidence, facts, stage_changes([ChangeEntry()], evidence))
    assert (found["why"], found["auc"]) == ("fail", "inconclusive")
    assert any("system.is_first_audit is not what the audit shows" in line for line in warnings)
