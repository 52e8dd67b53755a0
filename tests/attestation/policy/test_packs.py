"""The shipped packs: their own tests, their law, and what a fair and an unfair model get from them."""

from datetime import date

import pytest

from audit.attestation.policy.catalogue import METRICS
from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.pack import MeasureRule, ShapeRule
from audit.attestation.policy.select import list_shipped, read_packs
from audit.attestation.policy.testing import run_policy_tests
from audit.attestation.policy.vocabulary import COMPUTED_FACTS, FACTS, FIELDS
from audit.evidence import ContractCheck, Curve, Effects, Intake, Papers
from audit.shipped import shipped_folder

PACKS = read_packs(list_shipped())
TESTS = sorted((shipped_folder("policies") / "tests").glob("*.test.yaml"))
RULES = [pytest.param(pack, rule, id=rule.name) for pack in PACKS for rule in pack.rules]


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_policy_tests_of_the_shipped_packs(path):
    results = run_policy_tests(path)
    assert {result.name: result.problems for result in results if not result.passed} == {}
    assert len(results) >= 10


def test_every_pack_has_a_test():
    assert {path.name.removesuffix(".test.yaml") for path in TESTS} == set(list_shipped())


@pytest.mark.parametrize(("pack", "rule"), RULES)
def test_every_rule_says_how_it_judges_and_what_to_do(pack, rule):
    own = rule.rule
    assert own.title[0].isupper()
    assert not own.title.endswith(".")
    assert len(own.title.split()) >= 5
    if isinstance(own, MeasureRule):
        assert own.judged_on, "judged_on is written in every shipped rule"
    if pack.pack.law.status == "internal":
        assert own.fix, "a convention says what to do about it"
    else:
        assert own.cite, "a rule of law says where"


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_every_pack_says_how_well_its_law_was_read(pack):
    law = pack.pack.law
    assert law.verified_on < law.review_by
    assert (law.review_by - law.verified_on).days <= 366
    assert law.sources
    if not any(source.primary for source in law.sources) and law.status != "internal":
        assert pack.pack.maturity == "draft"
        assert law.unverified
    assert "compliant" not in pack.tree.text.lower()


def test_the_lists_of_names_do_not_overlap_and_are_in_words():
    assert not set(METRICS) & set(FACTS) & set(FIELDS)
    assert not set(FACTS) & set(COMPUTED_FACTS)
    for title in (*(m.title for m in METRICS.values()), *(f.title for f in FACTS.values()), *FIELDS.values()):
        assert title[0].isupper()
        assert not title.endswith(".")


def audited(stage, rates):
    """A whole audit in small: everything that baseline-fairness asks for, measured on 6,000 people."""
    n = 6000
    attributes = list(rates)
    metrics = [
        *(
            {"metric": "data.rows", "group": {a: g}, "value": float(t), "n": t}
            for a in attributes
            for g, (_, t) in rates[a].items()
        ),
        *(
            {
                "metric": "fairness.unknown_group_share",
                "attribute": a,
                "value": 0.0,
                "low": 0.0,
                "high": 0.01,
                "n": n,
                "count": 0,
            }
            for a in attributes
        ),
        *(
            {
                "metric": "data.label_rate_ratio",
                "group": {a: g},
                "value": 0.95,
                "low": 0.9,
                "high": 1.0,
                "n": n,
                "reference": "x",
            }
            for a in attributes
            for g in rates[a]
        ),
        *(
            {
                "metric": "fairness.equalized_odds_difference",
                "attribute": a,
                "value": 0.03,
                "low": 0.0,
                "high": 0.08,
                "n": n,
            }
            for a in attributes
        ),
        *(
            {"metric": "fairness.calibration_gap", "attribute": a, "value": 0.02, "low": 0.0, "high": 0.05, "n": n}
            for a in attributes
        ),
        *(
            {"metric": "fairness.auc_gap", "group": {a: g}, "value": 0.01, "low": -0.02, "high": 0.04, "n": n, "p": 0.9}
            for a in attributes
            for g in rates[a]
        ),
        {"metric": "performance.auc", "model": "black_box", "value": 0.78, "low": 0.76, "high": 0.80, "n": n},
        *(
            {"metric": "performance.auc_gap", "model": m, "value": 0.02, "low": 0.01, "high": 0.03, "n": n}
            for m in ("ebm_label", "net_label")
        ),
        {"metric": "calibration.slope", "model": "black_box", "value": 1.02, "low": 0.95, "high": 1.1, "n": n},
        *(
            {"metric": "fidelity.r2", "model": m, "value": 0.96, "low": 0.95, "high": 0.97, "n": n}
            for m in ("ebm_surrogate", "net_surrogate")
        ),
        {"metric": "effects.importance_share", "feature": "income", "model": "black_box", "value": 0.8, "n": n},
        {"metric": "effects.disagreement", "feature": "income", "model": "net_surrogate", "value": 0.0, "n": n},
        *(
            {
                "metric": "effects.proxy_strength",
                "feature": "income",
                "attribute": a,
                "value": 0.55,
                "low": 0.5,
                "high": 0.6,
                "n": n,
            }
            for a in attributes
        ),
        {"metric": "data.missing_rate", "feature": "income", "value": 0.02, "low": 0.01, "high": 0.03, "n": n},
    ]
    pair = {(s, e): (25 * k // 100, 25 * t // 100) for s in ("F", "M") for e, (k, t) in rates["ethnicity"].items()}
    evidence = stage(
        {**{a: groups for a, groups in rates.items()}, ("sex", "ethnicity"): pair},
        metrics,
        features=["income"],
        small_count=30,
    )
    curves = tuple(
        Curve(
            feature="income",
            model=m,
            kind="numeric",
            method="test",
            x=(0.0, 1.0, 2.0),
            y=(-1.0, 0.0, 1.0),
            low=(-1.1, -0.1, 0.9),
            high=(-0.9, 0.1, 1.1),
            band_is_interval=True,
            rows=n,
        )
        for m in ("black_box", "net_surrogate")
    )
    effects = Effects(scale="log-odds", rows=n, curves=curves, rugs=(), measurements=evidence.effects.measurements)
    feature = evidence.subject.features[0].model_copy(update={"expected": "increasing"})
    checks = tuple(
        ContractCheck(id=name, title="A check", status="pass", detail="-")
        for name in ("deterministic", "row_independent", "order_independent")
    )
    intake = Intake(format="pt2", file="m.pt2", sha256="sha256:" + "0" * 64, trust="vetted", checks=checks)
    subject = evidence.subject.model_copy(update={"features": (feature,)})
    return evidence.model_copy(update={"effects": effects, "subject": subject, "intake": intake})


FAIR = {
    "sex": {"F": (1450, 2900), "M": (1580, 3100)},
    "ethnicity": {"A": (2400, 4700), "B": (500, 1000), "C": (155, 300)},
}
UNFAIR = {"sex": FAIR["sex"], "ethnicity": {"A": (2400, 4700), "B": (350, 1000), "C": (100, 300)}}


def test_a_fair_model_ends_without_a_failure(stage):
    judgement = judge_with(
        audited(stage, FAIR),
        read_packs(["baseline-fairness"]),
        Papers(),
        (),
        as_of=date(2026, 11, 21),
        evidence_signed="test",
    )
    words = {f.rule.partition("/")[2]: f.status for f in judgement.findings}
    assert judgement.outcome == "passed", words
    assert judgement.count("fail") == judgement.count("error") == 0
    undecided = {name for name, word in words.items() if word == "inconclusive"}
    assert undecided <= {"selection-ratio-pairs", "no-leak", "pinned"}
    assert words["selection-ratio"] == "pass"
    assert words["declared-directions"] == "pass"


def test_an_unfair_model_fails_on_its_impact_ratio(stage):
    judgement = judge_with(
        audited(stage, UNFAIR),
        read_packs(["baseline-fairness"]),
        Papers(),
        (),
        as_of=date(2026, 11, 21),
        evidence_signed="test",
    )
    assert judgement.outcome == "failed"
    found = next(f for f in judgement.findings if f.rule == "baseline-fairness/selection-ratio")
    assert {v.scope.partition("[")[2]: v.status for v in found.verdicts}["ethnicity=B]"] == "fail"


def test_only_selection_rates_and_a_broken_contract_can_fail_a_run_of_the_baseline():
    (pack,) = read_packs(["baseline-fairness"])
    grave = {rule.rule.id for rule in pack.rules if rule.severity in ("critical", "high")}
    assert grave == {"selection-ratio", "keeps-its-contract"}
    assert all(rule.limit.kind == "direction" for rule in pack.rules if isinstance(rule.rule, ShapeRule))


def test_local_law_144_sets_no_pass_mark():
    (pack,) = read_packs(["nyc-ll144"])
    for rule in pack.rules:
        if isinstance(rule.rule, MeasureRule):
            assert rule.rule.must_be == "reported"
            assert rule.rule.judged_on == "estimate"
    assert pack.pack.parameters["attention_ratio"].basis == "industry_convention"
