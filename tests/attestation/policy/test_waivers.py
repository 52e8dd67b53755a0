from datetime import date

import pytest

from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.select import read_packs
from audit.attestation.policy.waivers import load_waivers
from audit.errors import PolicyError
from audit.evidence import Papers

RULES = """rules:
  - {id: ratio, title: Rates are close, severity: high, measure: fairness.selection_rate_ratio,
     for_each: sex, must_be: at least 0.8, threshold_basis: guidance, judged_on: estimate}
  - {id: firm, title: Nobody may waive this, severity: high, ask: 'Is it so?', asked_of: me, waivable: false}
"""
WAIVER = """schema: waivers/1
waivers:
  - id: W-1
    rule: own/ratio
    scope: {sex: F}
    reason: The test is under revalidation until the spring.
    requested_by: head_of_recruiting
    approved_by: head_of_model_risk
    approver_role: head_of_model_risk
    approved_on: 2026-10-01
    expires: 2027-01-31
    only_while: at least 0.70
"""


@pytest.fixture
def waive(stage, write_pack, tmp_path):
    def run(selected=37, text=WAIVER, today=date(2026, 11, 21)):
        packs = read_packs([str(write_pack(RULES))])
        path = tmp_path / "waivers.yaml"
        path.write_text(text)
        evidence = stage({"sex": {"M": (50, 100), "F": (selected, 100), "X": (10, 100)}})
        judgement = judge_with(
            evidence, packs, Papers(), load_waivers(path, packs), as_of=today, evidence_signed="test"
        )
        return judgement, {v.scope: v for f in judgement.findings for v in f.verdicts}

    return run


def test_a_waiver_covers_its_scope_and_keeps_the_numbers(waive):
    judgement, found = waive()
    waived = found["own/ratio[sex=F]"]
    assert (waived.status, waived.original, waived.waiver) == ("waived", "fail", "W-1")
    assert waived.observed.value == pytest.approx(0.74)
    assert waived.trace
    assert "head_of_model_risk" in waived.because
    assert found["own/ratio[sex=X]"].status == "fail"
    assert judgement.findings[0].status == "fail"
    assert judgement.warnings == ()


@pytest.mark.parametrize(
    ("how", "status", "warning"),
    [
        ({"selected": 34}, "fail", "it lapsed: the number is 0.6800"),
        ({"today": date(2027, 1, 31)}, "waived", ""),
        ({"today": date(2027, 2, 1)}, "fail", "it expired on 2027-01-31"),
        ({"today": date(2026, 9, 30)}, "fail", "it begins on 2026-10-01"),
        ({"selected": 50}, "pass", "covers nothing"),
        ({"text": WAIVER + "    model_version: '2'\n"}, "fail", "granted for version 2"),
        ({"text": WAIVER.replace("sex: F", "sex: Q")}, "fail", "covers nothing"),
        ({"text": WAIVER.replace("sex: F", "seks: F")}, "fail", "covers nothing"),
    ],
)
def test_a_waiver_lapses(waive, how, status, warning):
    judgement, found = waive(**how)
    assert found["own/ratio[sex=F]"].status == status
    assert (warning in " ".join(judgement.warnings)) and bool(judgement.warnings) == bool(warning)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("own/ratio", "own/ration", "did you mean 'own/ratio'?"),
        ("own/ratio", "own/firm", "cannot be waived"),
        ("own/ratio", "[own/ratio, own/firm]", "exactly one rule; write one waiver for each"),
        ("own/ratio", "own/ratio, own/firm", "exactly one rule; write one waiver for each"),
        ("approved_by: head_of_model_risk", "approved_by: '  HEAD_of_recruiting '", "name somebody else"),
        ("approved_by: head_of_model_risk", "approved_by: ｈead_of_recruiting", "name somebody else"),
        ("approved_by: head_of_model_risk", "approved_by: Head_of_recruiting", "another one than the one who asks"),
        ("2027-01-31", "2027-10-03", "within 366 days"),
        ("2027-01-31", "2026-09-01", "within 366 days"),
        ("The test is under revalidation until the spring.", "because", "reason"),
        ("at least 0.70", "atleast 0.70", "is no limit"),
        ("at least 0.70", "reported", "no range"),
        ("    expires: 2027-01-31\n", "", "'expires' is missing"),
        ("expires:", "expire:", "did you mean 'expires'?"),
    ],
)
def test_waivers_that_are_none(waive, old, new, what):
    assert old in WAIVER
    with pytest.raises(PolicyError) as caught:
        waive(text=WAIVER.replace(old, new))
    assert what in str(caught.value)
    assert "waivers.yaml:" in str(caught.value)


def test_an_expired_waiver_is_told_with_its_place_and_advice(waive):
    judgement, _ = waive(today=date(2027, 2, 1))
    (warning,) = [line for line in judgement.warnings if "W-1" in line]
    assert "(waivers.yaml:3)" in warning
    assert "remove it, or have a new one approved" in warning


@pytest.mark.parametrize(
    ("scope", "what"),
    [
        ("{sxe: F}", "no scope of the rule has 'sxe'; did you mean 'sex'?"),
        ("{sex: Z}", "no scope of the rule has 'Z'"),
        ("{feature: income}", "no scope of the rule has 'feature'"),
    ],
)
def test_a_scope_that_the_rule_does_not_have_is_told(waive, scope, what):
    judgement, found = waive(text=WAIVER.replace("{sex: F}", scope))
    assert found["own/ratio[sex=F]"].status == "fail"
    assert what in judgement.warnings[-1]


def test_the_longest_time_is_a_leap_year(waive):
    waive(text=WAIVER.replace("2027-01-31", "2027-10-02"))


def test_one_id_stands_for_one_waiver(waive):
    with pytest.raises(PolicyError, match="stands twice"):
        waive(text=WAIVER + WAIVER.partition("waivers:\n")[2])
