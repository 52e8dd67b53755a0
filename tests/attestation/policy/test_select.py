from fractions import Fraction

import pytest

from audit.attestation.policy.select import list_shipped, load_packs, read_packs
from audit.config.schema import AttestConfig
from audit.errors import PolicyError

OWN = """\
uses:
  - pack: baseline-fairness@>=2026.11
    with: {min_impact_ratio: 0.85}
    only: [selection-ratio, fidelity, pinned]
override:
  - {rule: baseline-fairness/fidelity, severity: high, reason: we explain by it}
disable:
  - {rule: baseline-fairness/pinned, reason: our registry pins the model, approved_by: Head of Model Risk}
rules:
  - {id: size, title: Enough rows were judged, severity: low, measure: data.rows, must_be: at least 500,
     threshold_basis: organisation}
"""


def text_of(caught):
    return str(caught.value)


def test_an_own_policy_changes_what_it_uses_and_says_so(write_pack):
    packs = {pack.name: pack for pack in read_packs([str(write_pack(OWN))])}
    assert list(packs) == ["baseline-fairness", "own"]
    rules = {rule.rule.id: rule for rule in packs["baseline-fairness"].rules}
    assert set(rules) == {"selection-ratio", "fidelity", "pinned"}
    assert rules["selection-ratio"].limit.low == Fraction(17, 20)
    assert rules["selection-ratio"].limit.words == "at least 0.85"
    assert rules["fidelity"].severity == "high"
    assert "own" in rules["fidelity"].changed
    assert "Head of Model Risk" in rules["pinned"].disabled
    assert packs["own"].file == "own.yaml"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("min_impact_ratio: 0.85", "min_impact_ration: 0.85", "did you mean 'min_impact_ratio'?"),
        ("min_impact_ratio: 0.85", "min_impact_ratio: 0.2", "outside its bounds"),
        (">=2026.11", ">=2030.1", "is version 2026.11.0"),
        ("baseline-fairness@", "baseline-fairnes@", "did you mean 'baseline-fairness'?"),
        ("only: [selection-ratio", "only: [selection-ration", "did you mean 'selection-ratio'?"),
        (
            "rule: baseline-fairness/fidelity",
            "rule: baseline-fairness/fidelty",
            "did you mean 'baseline-fairness/fidelity'?",
        ),
        ("severity: high, reason: we explain by it", "reason: we explain by it", "changes nothing"),
        ("severity: high, reason: we explain by it", "tighten: at least 0.4", "allows more"),
        ("severity: high, reason: we explain by it", "loosen: at least 0.4", "needs a reason"),
        (
            "severity: high, reason: we explain by it",
            "loosen: at least 0.6, reason: a long enough reason",
            "does not allow all",
        ),
        (
            "severity: high, reason: we explain by it",
            "loosen: at least 0.4, tighten: at least 0.6",
            "exclude each other",
        ),
        (", approved_by: Head of Model Risk", "", "'approved_by' is missing"),
    ],
)
def test_changes_that_are_not_allowed(write_pack, old, new, what):
    assert old in OWN
    with pytest.raises(PolicyError) as caught:
        read_packs([str(write_pack(OWN.replace(old, new)))])
    assert what in text_of(caught)
    assert "own.yaml:" in text_of(caught)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("tighten: at least 0.7", "at least 0.7"),
        ("loosen: at least 0.4, reason: 'see validation note VN-118'", "at least 0.4"),
    ],
)
def test_tighten_and_loosen(write_pack, order, words):
    path = write_pack(OWN.replace("severity: high, reason: we explain by it", order))
    rule = next(r for p in read_packs([str(path)]) for r in p.rules if r.rule.id == "fidelity")
    assert rule.limit.words == words
    assert "instead of 'at least 0.5'" in rule.changed


def test_a_number_of_the_regulation_cannot_be_loosened(write_pack, head):
    text = """rules:
  - {id: a, title: A number of the law, severity: high, measure: performance.auc, must_be: at least 0.8,
     threshold_basis: regulation}
"""
    write_pack(head.replace("pack: own", "pack: lawful") + text, "lawful.yaml")
    path = write_pack(
        "uses: [{pack: lawful.yaml}]\noverride: [{rule: lawful/a, loosen: at least 0.7, reason: it would be cheaper}]\n"
    )
    with pytest.raises(PolicyError, match="cannot be loosened"):
        read_packs([str(path)])


def test_unknown_packs_and_files_name_what_there_is(tmp_path):
    with pytest.raises(PolicyError) as caught:
        read_packs(["baseline-fairnes", "nyc", str(tmp_path / "none.yaml"), "baseline-fairness", "baseline-fairness"])
    text = text_of(caught)
    for what in (
        "did you mean 'baseline-fairness'?",
        "unknown policy pack 'nyc'",
        "no such policy file",
        "named twice",
    ):
        assert what in text
    assert len(caught.value.mistakes) == 4


def test_mistakes_of_all_packs_come_together(write_pack):
    bad = [
        write_pack(
            "rules: [{id: a, title: A rule under test, severity: low, measure: x.y, must_be: reported}]", f"{n}.yaml"
        )
        for n in "ab"
    ]
    with pytest.raises(PolicyError) as caught:
        read_packs([str(path) for path in bad])
    assert len(caught.value.mistakes) == 2


def test_a_configuration_names_its_packs():
    assert [pack.name for pack in load_packs(AttestConfig(policies=("nyc-ll144",)))] == ["nyc-ll144"]
    assert load_packs(AttestConfig(policies=())) == ()


def test_shipped_packs_are_listed_by_their_own_name():
    for name, pack in zip(list_shipped(), read_packs(list_shipped()), strict=True):
        assert pack.name == name
        assert pack.sha256.startswith("sha256:")
        assert pack.shipped
