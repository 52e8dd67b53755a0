"""Rules on numbers of other shapes: bands, distances above 0 by chance, gaps without counts; and whole people."""

from __future__ import annotations

import math

import pytest

from audit.attestation.policy.bench import lay_out
from audit.attestation.policy.gaps import list_gaps_ahead
from audit.attestation.policy.operators import OPERATORS, Reading
from audit.attestation.policy.phrase import parse_phrase, read_number
from audit.attestation.policy.select import read_packs
from audit.attestation.policy.vocabulary import FACTS
from audit.errors import PolicyError
from audit.evidence import Cell, CountTable, Estimate, Fairness, Group, Papers
from audit.statistics.intervals import logit_interval
from audit.statistics.tests import normal_p, ratio_reaches

from .conftest import TODAY

RATIO = "measure: fairness.selection_rate_ratio, for_each: sex, must_be: at least 0.8, threshold_basis: guidance"
MODES = ("interval", "court", "estimate", "proven")
BANDS = {"approve": {"F": (300, 1000), "M": (600, 1000)}, "review": {"F": (300, 1000), "M": (290, 1000)}}


def by_band(bands=BANDS):
    """Return rates and ratios of groups by band, as an audit with bands holds them."""
    rows = []
    for band, groups in bands.items():
        best = max(k / n for k, n in groups.values())
        for group, (k, n) in groups.items():
            about = {"group": {"sex": group}, "outcome": band, "n": n}
            rows.append({"metric": "fairness.selection_rate", "value": k / n, "count": k, **about})
            ratio = k / n / best
            ends = {"low": ratio * 0.95, "high": ratio * 1.05} if ratio < 1 else {"low": 1, "high": 1}
            rows.append({"metric": "fairness.selection_rate_ratio", "value": ratio, **ends, "p": 0.001, **about})
    return rows


def people(**sizes):
    return {"sex": {group: (0, n) for group, n in sizes.items()}}


def with_bands(stage, bands=BANDS):
    """Return evidence that holds numbers by band alone, and the people behind them."""
    evidence = stage({"sex": {"F": (1, 1000), "M": (1, 1000)}}, by_band(bands))
    fairness = evidence.fairness
    numbers = tuple(m for m in fairness.measurements if m.outcome)
    return evidence.model_copy(update={"fairness": fairness.model_copy(update={"measurements": numbers})})


@pytest.mark.parametrize("how", MODES)
def test_every_band_is_a_scope_of_its_own(stage, verdict, how):
    found = verdict(f"{RATIO}, judged_on: {how}", with_bands(stage))
    assert set(found) == {f"sex={g},outcome={b}" for g in "FM" for b in BANDS}
    assert found["sex=F,outcome=approve"].status == "fail"
    assert found["sex=F,outcome=approve"].outcome == "approve"
    assert found["sex=M,outcome=review"].status in ("pass", "inconclusive")
    assert found["sex=F,outcome=approve"].trace[0] == "sex=F: 300 of 1,000 = 0.3000"
    assert len({v.id for v in found.values()}) == 4


def test_a_rule_may_name_its_bands_and_may_not_misspell_them(stage, verdict, monkeypatch):
    rule = f"{RATIO}, judged_on: estimate, for_outcomes: [{{}}]"
    from audit.attestation.policy import catalogue

    metric = catalogue.METRICS["fairness.selection_rate_ratio"]
    monkeypatch.setitem(
        catalogue.METRICS,
        metric.id,
        type(metric)(**{f: getattr(metric, f) for f in metric.__slots__} | {"scopes": ("group", "outcome")}),
    )
    evidence = with_bands(stage)
    assert set(verdict(rule.format("review"), evidence)) == {"sex=F,outcome=review", "sex=M,outcome=review"}
    assert len(verdict(rule.format("all"), evidence)) == 4
    with pytest.raises(PolicyError, match="unknown band or class 'aprove'.*approve"):
        verdict(rule.format("aprove"), evidence, strict=True)


def test_the_decision_itself_comes_before_its_bands(stage, verdict):
    evidence = stage({"sex": {"F": (400, 1000), "M": (450, 1000)}}, by_band())
    assert set(verdict(f"{RATIO}, judged_on: estimate", evidence)) == {"sex=F", "sex=M"}


def test_comparing_anew_stays_within_the_band(stage, verdict):
    bands = {
        "approve": {"F": (300, 1000), "M": (600, 1000), "X": (9, 10)},
        "review": {"F": (400, 1000), "M": (300, 1000), "X": (1, 10)},
    }
    evidence = stage({"sex": {"F": (1, 1000), "M": (1, 1000), "X": (1, 10)}}, by_band(bands))
    numbers = tuple(m for m in evidence.fairness.measurements if m.outcome)
    evidence = evidence.model_copy(update={"fairness": evidence.fairness.model_copy(update={"measurements": numbers})})
    found = verdict(f"{RATIO}, judged_on: estimate, compared_to: largest, leave_out_groups_below: 2%", evidence)
    assert found["sex=X,outcome=approve"].status == "not_applicable"
    assert found["sex=M,outcome=approve"].observed.value == pytest.approx(2.0)
    assert found["sex=F,outcome=review"].observed.value == pytest.approx(1.0)


DISTANCE = "measure: calibration.error, must_be: at most 0.02, threshold_basis: organisation"


@pytest.mark.parametrize(
    ("value", "how", "status"),
    [(v, h, s) for h in ("interval", None) for v, s in ((0.02, "pass"), (0.03, "inconclusive"), (0.0501, "fail"))]
    + [(0.02, "proven", "pass"), (0.03, "proven", "fail"), (0.0501, "proven", "fail")]
    + [(0.02, "estimate", "pass"), (0.03, "estimate", "fail"), (0.0501, "estimate", "fail")],
)
def test_a_distance_is_held_against_the_limit_plus_chance(stage, verdict, value, how, status):
    entry = {"metric": "calibration.error", "model": "black_box", "value": value, "chance": 0.03, "n": 1000}
    rule = DISTANCE + (f", judged_on: {how}" if how else "")
    found = verdict(rule, stage(metrics=[entry]))["model=black_box"]
    assert found.status == status
    assert "limit 0.0200 + 0.0300 by chance" in " ".join(found.trace)
    assert found.literal.startswith("the figure alone")
    if status == "inconclusive":
        assert "by no more than the 0.0300 that chance gives" in found.because
        assert found.would_decide == "about 8,000 more people, were the figure to stay as it is"


@pytest.mark.parametrize("how", ["interval", "court", "proven"])
def test_a_distance_on_the_edge_of_chance_does_not_fail_for_being_equal(how):
    estimate = Estimate(value=0.05, chance=0.03, n=100, method="x")
    limit = parse_phrase("at most 0.02", {})
    word, _ = OPERATORS[how](Reading(estimate, read_number(0.05)), limit)
    assert word == ("fail" if how == "proven" else "inconclusive")


def test_chance_says_nothing_about_a_lower_limit():
    estimate = Estimate(value=0.05, low=0.03, high=0.07, chance=0.03, n=100, method="x")
    assert OPERATORS["interval"](Reading(estimate, read_number(0.05)), parse_phrase("at least 0.04", {}))[0] == (
        "inconclusive"
    )


def auc_numbers(aucs, best):
    rows = []
    for group, (value, se, n) in aucs.items():
        low, high = logit_interval(value, se)
        own = {"group": {"sex": group}, "n": n}
        rows.append(
            {"metric": "fairness.auc", "value": value, "low": low, "high": high, "method": "DeLong, logit", **own}
        )
        gap = aucs[best][0] - value
        rows.append({"metric": "fairness.auc_gap", "value": gap, "low": gap - 0.2, "high": gap + 0.2, "p": 0.4, **own})
    return rows


AUCS = {"tiny": (0.90, 0.08, 40), "A": (0.85, 0.01, 4000), "B": (0.70, 0.012, 3000)}
GAP = "measure: fairness.auc_gap, for_each: sex, must_be: at most 0.05, threshold_basis: organisation"


def test_a_court_looks_at_all_pairs_of_areas_under_the_curve(stage, verdict):
    evidence = stage(people(tiny=40, A=4000, B=3000), auc_numbers(AUCS, "tiny"))
    found = verdict(f"{GAP}, judged_on: court", evidence)
    assert found["sex=B"].status == "fail"
    assert "0.1500 against sex=A misses 'at most 0.05'" in found["sex=B"].because
    assert "against sex=A: a gap of 0.1500; p = " in found["sex=B"].trace[-1]
    assert verdict(f"{GAP}, judged_on: interval", evidence)["sex=B"].status == "inconclusive"


def test_the_test_of_two_areas_is_delongs():
    estimates = {
        name: Estimate(value=v, low=low, high=high, n=n, method="DeLong, logit")
        for name, (v, se, n) in AUCS.items()
        for low, high in [logit_interval(v, se)]
    }
    groups = [{"sex": name} for name in AUCS]
    ahead = list_gaps_ahead(groups, lambda group: estimates[group["sex"]])
    other = next(o for o in ahead[frozenset({("sex", "B")})] if o.group == {"sex": "A"})
    assert other.p == pytest.approx(normal_p(0.15 / math.hypot(0.01, 0.012)), rel=1e-9)
    assert other.pairs == 3
    assert ahead[frozenset({("sex", "tiny")})] == ()
    off = {name: e.model_copy(update={"method": "mean"}) for name, e in estimates.items()}
    assert list_gaps_ahead(groups, lambda group: off[group["sex"]]) == {}


def test_the_gap_in_a_real_audit_is_tested_alike(small_report):
    """What the judge reads from intervals is what the examination computed from ranks.

    Where few rows of a class widened an interval, its error reads larger: the judge is then the more careful one.
    """
    evidence = small_report.dossier.evidence
    bench = lay_out(evidence, Papers(), TODAY)
    found = {frozenset(m.group.items()): m for m in evidence.measurements() if m.metric == "fairness.auc"}
    pairs = 0
    for kind in {m.metric and tuple(m.group) for m in found.values()}:
        groups = [m.group for m in found.values() if tuple(m.group) == kind and m.estimate.assessable]
        ahead = list_gaps_ahead(groups, lambda group: found[frozenset(group.items())].estimate)
        for m in bench.find("fairness.auc_gap", kind):
            for other in ahead.get(frozenset(m.group.items()), ()):
                if m.parity and m.reference and m.reference.split("=")[-1] in other.group.values() and len(kind) == 1:
                    pairs += 1
                    kept = (other.p, other.p_adjusted) == pytest.approx((m.parity.p, m.parity.p_adjusted), rel=1e-6)
                    wide = any("widened" in found[frozenset(g.items())].estimate.method for g in groups)
                    least = 1 - 1e-6
                    careful = other.p >= m.parity.p * least and other.p_adjusted >= m.parity.p_adjusted * least
                    assert kept or (wide and careful)
    assert pairs


EXACT = {"sex": {"F": (400, 1000), "M": (500, 1000)}}
ONE_LESS = {"sex": {"F": (399, 1000), "M": (500, 1000)}}


@pytest.mark.parametrize("how", MODES)
@pytest.mark.parametrize("scale", [1, 3, 1_000])
def test_exactly_four_fifths_in_whole_people_is_not_below_it(stage, verdict, how, scale):
    """400/1000 over 500/1000 is 0.8, which no binary number is; the literal result stands beside every verdict."""
    counts = {"sex": {g: (k * scale, n * scale) for g, (k, n) in EXACT["sex"].items()}}
    found = verdict(f"{RATIO}, judged_on: {how}", stage(counts))["sex=F"]
    assert found.literal == "the figure alone, 0.8000, meets 'at least 0.8'"
    assert found.status == {"estimate": "pass", "proven": "fail"}.get(how, "inconclusive")
    assert "misses" not in found.because or how == "proven"
    less = verdict(f"{RATIO}, judged_on: {how}", stage(ONE_LESS))["sex=F"]
    assert less.literal == "the figure alone, 0.7980, misses 'at least 0.8'"


@pytest.mark.parametrize("how", MODES)
def test_a_court_never_fails_a_pair_at_exactly_the_limit(stage, verdict, how):
    counts = {"sex": {"tiny": (6, 7), "A": (500_000, 1_000_000), "B": (400_000, 1_000_000)}}
    found = verdict(f"{RATIO}, judged_on: {how}, compared_to: largest", stage(counts))["sex=B"]
    assert found.literal == "the figure alone, 0.8000, meets 'at least 0.8'"
    assert found.status == {"estimate": "pass", "proven": "fail"}.get(how, "inconclusive")
    assert ratio_reaches(400_000, 1_000_000, 500_000, 1_000_000) is True


def test_people_without_a_decision_are_no_refusals(stage, verdict):
    """Undecided people count for a group's size and base rate, and for no selection rate."""
    cells = [
        Cell(
            values=(value,),
            positive_favourable=k,
            positive_unfavourable=0,
            negative_favourable=0,
            negative_unfavourable=n - k,
            positive_undecided=300,
            negative_undecided=100,
            unlabelled_undecided=50,
        )
        for value, (k, n) in {"F": (40, 100), "M": (50, 100)}.items()
    ]
    evidence = stage({"sex": {"F": (1, 10), "M": (1, 10)}})
    fairness = Fairness(
        groups=tuple(Group(attributes=("sex",), values=cell.values, n=cell.n) for cell in cells),
        tables=(CountTable(attributes=("sex",), cells=tuple(cells)),),
        measurements=evidence.fairness.measurements[-1:],
    )
    bench = lay_out(evidence.model_copy(update={"fairness": fairness}), Papers(), TODAY)
    assert bench.count_of("fairness.selection_rate", {"sex": "F"}) == (40, 100)
    assert bench.count_of("fairness.base_rate", {"sex": "F"}) == (340, 500)
    assert bench.size_of({"sex": "F"}) == 550


NOWHERE = (
    "rules:\n  - {id: r, title: A rule under test, severity: low, applies_when: {organisation.is_bank: true}, "
    + RATIO
    + "}\n"
)


def test_a_run_in_which_no_rule_applied_did_not_pass(stage, judge_text):
    name = next(name for name, fact in FACTS.items() if fact.kind == "flag")
    rule = NOWHERE.replace("organisation.is_bank", name)
    evidence = stage(EXACT)
    off = judge_text(rule, evidence, papers=Papers(facts={name: False}))
    assert [finding.status for finding in off.findings] == ["not_applicable"]
    assert off.outcome == "undecided"
    assert judge_text(rule, evidence, papers=Papers(facts={name: True})).outcome == "passed"


def test_no_policy_at_all_is_measured_and_not_judged(stage):
    from audit.attestation.policy.judge import judge_with

    judged = judge_with(stage(EXACT), read_packs([]), Papers(), (), as_of=TODAY, evidence_signed="")
    assert (judged.outcome, judged.findings) == ("measured", ())
