"""Rules about the seal: decided by whoever verifies, never by the audit itself, and never met by a development key."""

from datetime import date

import pytest

from audit.attestation.policy.seal_rules import decide_exit, judge_seal
from audit.attestation.policy.select import read_packs
from audit.attestation.policy.vocabulary import SEAL_FACTS
from audit.attestation.seal.sign import sign_folder
from audit.attestation.verify import verify_report
from audit.cli.verify import verify
from audit.errors import PolicyError
from audit.evidence import Papers

TODAY = date(2026, 11, 21)
RULES = """\
rules:
  - {id: signed, title: Somebody signed the report, severity: critical, fact: seal.signed, must_be: true}
  - {id: trusted, title: The signer is one that we trust, severity: high, fact: seal.trusted, must_be: true}
  - {id: stamped, title: The signature has a time stamp, severity: high, fact: seal.timestamped, must_be: true}
  - {id: young, title: The report is at most a year old, severity: high, fact: seal.age_days, must_be: at most 365,
     threshold_basis: organisation}
  - {id: who, title: Ada signed the report, severity: high, fact: seal.signers, must_be: 'one of Ada, Bob'}
  - {id: approved, title: A reviewer approved the report, severity: low, fact: seal.approvals, must_be: one of reviewer}
  - {id: real, title: No development key signed the report, severity: high, fact: seal.development_key,
     verdicts: {'true': fail, 'false': pass}}
  - {id: other, title: The model is pinned, severity: high, fact: audit.model_digest_recorded, must_be: true}
"""
GOOD = {
    "seal.intact": True, "seal.signed": True, "seal.trusted": True, "seal.timestamped": True, "seal.age_days": 3,
    "seal.signers": ("Ada",), "seal.approvals": ("reviewer",), "seal.development_key": False,
}  # fmt: skip
ASKED = ("signed", "trusted", "stamped", "young", "who", "approved", "real")


@pytest.fixture
def decide(write_pack):
    def run(facts, text=RULES, papers=None, as_of=TODAY):
        packs = read_packs([str(write_pack(text))])
        return {f.rule.partition("/")[2]: f for f in judge_seal(facts, packs, papers or Papers(), as_of)}

    return run


def test_a_good_seal_passes_all_and_other_rules_are_not_asked(decide):
    found = decide(GOOD)
    assert {name: item.status for name, item in found.items()} == dict.fromkeys(ASKED, "pass")
    assert decide_exit(found.values()) == 0
    assert found["signed"].place == "own.yaml:7"


def test_a_development_key_satisfies_none(decide):
    found = decide({**GOOD, "seal.development_key": True})
    assert {item.status for item in found.values()} == {"fail"}
    assert "proves no identity" in found["trusted"].because


def test_a_tampered_report_satisfies_none(decide):
    assert {item.status for item in decide({**GOOD, "seal.intact": False}).values()} == {"fail"}


@pytest.mark.parametrize(
    ("rule", "fact", "value", "status"),
    [
        ("signed", "seal.signed", False, "fail"),
        ("trusted", "seal.trusted", False, "fail"),
        ("trusted", "seal.trusted", None, "inconclusive"),
        ("stamped", "seal.timestamped", False, "fail"),
        ("young", "seal.age_days", 365, "pass"),
        ("young", "seal.age_days", 366, "fail"),
        ("young", "seal.age_days", None, "inconclusive"),
        ("who", "seal.signers", ("Ada", "Eve"), "fail"),
        ("approved", "seal.approvals", (), "fail"),
        ("approved", "seal.approvals", None, "inconclusive"),
        ("signed", "seal.development_key", None, "inconclusive"),
    ],
)
def test_each_fact(decide, rule, fact, value, status):
    facts = {name: item for name, item in {**GOOD, fact: value}.items() if item is not None}
    assert decide(facts)[rule].status == status


@pytest.mark.parametrize("fact", sorted(SEAL_FACTS))
def test_nobody_can_supply_a_fact_of_the_seal(decide, fact):
    papers = Papers(facts={name: value for name, value in GOOD.items() if name == fact})
    assert all(item.status != "pass" for item in decide({}, papers=papers).values())


def test_conditions_and_days_count_here_too(decide):
    text = RULES.replace("fact: seal.signed,", "applies_when: {system.stage: production}, fact: seal.signed,")
    assert decide(GOOD, text)["signed"].status == "inconclusive"
    assert decide(GOOD, text, Papers(facts={"system.stage": "development"}))["signed"].status == "not_applicable"
    assert decide(GOOD, text, Papers(facts={"system.stage": "production"}))["signed"].status == "pass"


def test_the_severity_decides_the_exit_code(decide):
    low = decide({**GOOD, "seal.approvals": ()}).values()
    assert decide_exit(low) == 0
    assert decide_exit(low, "low") == 1
    assert decide_exit(decide({name: v for name, v in GOOD.items() if name != "seal.trusted"}).values()) == 5


def test_packs_without_such_rules_check_nothing_and_say_so():
    with pytest.raises(PolicyError, match="no rule about the seal in baseline-fairness"):
        judge_seal(GOOD, read_packs(["baseline-fairness"]), Papers(), TODAY)


def test_the_audit_itself_leaves_them_to_verify(judge_text, stage):
    findings = {finding.rule: finding for finding in judge_text(RULES, stage()).findings}
    for name in ASKED:
        assert findings[f"own/{name}"].status == "not_applicable"
        assert "checked by verify" in findings[f"own/{name}"].verdicts[0].because


def test_a_condition_on_the_seal_is_a_mistake(write_pack):
    path = write_pack(RULES.replace("fact: seal.signed,", "applies_when: {seal.signed: true}, fact: seal.signed,"))
    with pytest.raises(PolicyError, match="known only once the report is sealed"):
        read_packs([str(path)])


def test_a_real_folder(ada, dossier_of, page, write_folder, write_pack, tmp_path, capsys, authority):
    sealed = sign_folder({"report.html": page}, dossier_of(ada), ada)
    folder, rules = write_folder(sealed), str(write_pack(RULES))
    found = verify_report(folder).facts
    assert found["seal.signed"] is True
    assert found["seal.development_key"] is False
    assert found["seal.timestamped"] is False
    assert "seal.trusted" not in found
    assert verify(folder, policy=[rules]) == 1  # no time stamp
    out = capsys.readouterr().out
    assert "fail           own/stamped (high)" in out
    assert "inconclusive   own/trusted (high)" in out
    (folder / "report.html").write_bytes(b"another")
    assert verify(folder, policy=[rules], json=True) == 4
    assert '"status": "pass"' not in capsys.readouterr().out
