"""Every number on effects, fidelity and the price of transparency can be named in a rule, and is judged rightly."""

from __future__ import annotations

import pytest

from audit.attestation.policy.testing import run_policy_tests
from audit.evidence import Curve, Effects, FeatureUsed, Performance

BASIS = "threshold_basis: organisation"
RULES = f"""rules:
  - {{id: share, title: No feature alone, severity: medium, measure: effects.importance_share, for_features: all,
     must_be: at most 50%, judged_on: estimate, {BASIS}}}
  - {{id: proxy, title: No proxy, severity: high, measure: effects.proxy_strength, for_features: all, for_each: sex,
     must_be: at most 0.7, {BASIS}}}
  - {{id: proxies, title: Proxies together, severity: high, measure: effects.proxy_importance, for_each: sex,
     must_be: at most 10%, judged_on: estimate, {BASIS}}}
  - {{id: fidelity, title: Faithful over all rows, severity: medium, measure: fidelity.r2,
     must_be: at least 0.9, {BASIS}}}
  - {{id: agreement, title: Faithful to every group, severity: medium, measure: fidelity.decision_agreement_gap,
     for_each: sex, must_be: at most 5%, {BASIS}}}
  - {{id: rmse, title: As faithful to every group, severity: medium, measure: fidelity.rmse_ratio, for_each: sex,
     must_be: at most 1.5, {BASIS}}}
  - {{id: departures, title: No departures, severity: low, measure: fidelity.confirmed_departures,
     must_be: at most 0, judged_on: estimate, {BASIS}}}
  - {{id: departure, title: No large departure, severity: low, measure: fidelity.worst_departure_ratio,
     must_be: at most 2, {BASIS}}}
  - {{id: price, title: Worth its price, severity: low, measure: performance.auc_gap, of_model: net_label,
     must_be: at least 0.01, {BASIS}}}
  - {{id: jump, title: No cliffs, severity: medium, measure: effects.jump, for_features: all, must_be: at most 30%,
     {BASIS}}}
  - {{id: reversal, title: As expected, severity: medium, measure: effects.reversal, for_features: all,
     of_model: [black_box, net_surrogate], must_be: at most 5%, {BASIS}}}
  - {{id: gap, title: Shapes agree, severity: medium, measure: effects.disagreement, for_features: all,
     must_be: at most 0.2, judged_on: estimate, {BASIS}}}
  - {{id: concurvity, title: Told apart, severity: low, measure: effects.concurvity, for_features: all,
     of_model: net_surrogate, must_be: at most 0.8, {BASIS}}}
  - {{id: redundant, title: Not redundant, severity: low, measure: effects.redundancy, for_features: all,
     must_be: at most 0.9, {BASIS}}}
  - {{id: interactions, title: Nearly additive, severity: low, measure: effects.interaction_share,
     must_be: at most 20%, judged_on: estimate, {BASIS}}}
  - {{id: outside, title: Within the training rows, severity: low, measure: effects.extrapolation_share,
     must_be: at most 1%, {BASIS}}}
"""


def entry(metric, value, half=None, *, n=2000, **scope):
    ends = "" if half is None else f", low: {value - half:.6f}, high: {value + half:.6f}"
    where = "".join(f", {key}: {name}" for key, name in scope.items())
    return f"{{metric: {metric}, value: {value}{ends}, n: {n}{where}}}"


SURE = {
    "share": ("effects.importance_share", 0.3, None, 0.6, {"feature": "income", "model": "black_box"}),
    "proxy": ("effects.proxy_strength", 0.6, 0.05, 0.8, {"feature": "income", "attribute": "sex"}),
    "proxies": ("effects.proxy_importance", 0.05, None, 0.3, {"attribute": "sex", "model": "black_box"}),
    "fidelity": ("fidelity.r2", 0.95, 0.02, 0.8, {"model": "net_surrogate"}),
    "agreement": ("fidelity.decision_agreement_gap", 0.02, 0.01, 0.1, {"attribute": "sex", "model": "net_surrogate"}),
    "rmse": ("fidelity.rmse_ratio", 1.2, 0.1, 2.0, {"attribute": "sex", "model": "net_surrogate"}),
    "departures": ("fidelity.confirmed_departures", 0, None, 3, {"model": "net_surrogate"}),
    "departure": ("fidelity.worst_departure_ratio", 1.4, 0.2, 3.0, {"model": "net_surrogate"}),
    "price": ("performance.auc_gap", 0.03, 0.01, -0.02, {"model": "net_label"}),
    "jump": ("effects.jump", 0.1, 0.05, 0.6, {"feature": "income", "model": "black_box"}),
    "reversal": ("effects.reversal", 0.01, 0.01, 0.5, {"feature": "income", "model": "black_box"}),
    "gap": ("effects.disagreement", 0.1, None, 0.5, {"feature": "income", "model": "net_surrogate"}),
    "concurvity": ("effects.concurvity", 0.4, 0.1, 0.95, {"feature": "income", "model": "net_surrogate"}),
    "redundant": ("effects.redundancy", 0.5, 0.05, 0.98, {"feature": "income"}),
    "interactions": ("effects.interaction_share", 0.1, None, 0.4, {"model": "black_box"}),
    "outside": ("effects.extrapolation_share", 0.004, 0.003, 0.2, {}),
}
"""Rule to metric, a good value, half its interval, a bad value, scope."""


def name_finding(rule, scope):
    """Return a finding as policy tests name it: the attribute first, by its name alone."""
    words = [scope[key] for key in ("attribute",) if key in scope]
    words += [f"{key}={value}" for key, value in scope.items() if key != "attribute"]
    return f"{rule}[{','.join(words)}]" if words else rule


@pytest.fixture
def run(write_pack, tmp_path):
    write_pack(RULES)

    def go(metrics, expect):
        path = tmp_path / "own.test.yaml"
        people = (
            "{attributes: [sex], rows: [{sex: F, selected: 500, total: 1000}, {sex: M, selected: 500, total: 1000}]}"
        )
        path.write_text(
            "schema: policy-test/1\npack: own.yaml\ntoday: 2026-11-21\ncases:\n  - name: one\n    features: [income]\n"
            f"    counts: {people}\n    metrics:\n      - {metrics}\n    expect: {{{expect}}}\n"
        )
        (result,) = run_policy_tests(path)
        return result

    return go


@pytest.mark.parametrize("rule", SURE)
@pytest.mark.parametrize("good", [True, False])
def test_a_number_can_be_named_and_judged(run, rule, good):
    metric, fine, half, bad, scope = SURE[rule]
    name = name_finding(rule, scope)
    result = run(entry(metric, fine if good else bad, half, **scope), f'"{name}": {"pass" if good else "fail"}')
    assert result.passed, result.problems


@pytest.mark.parametrize("rule", [rule for rule, (_, _, half, _, _) in SURE.items() if half])
def test_an_interval_over_the_limit_decides_nothing(run, rule):
    metric, fine, _, bad, scope = SURE[rule]
    name = name_finding(rule, scope)
    wide = entry(metric, (fine + bad) / 2, abs(bad - fine), **scope)
    result = run(wide, f'"{name}": inconclusive')
    assert result.passed, result.problems


def test_a_direction_that_was_imposed_proves_nothing(run):
    imposed = entry("effects.reversal", 0.0, 0.0, feature="income", model="net_surrogate")[:-1] + ", assessable: false}"
    result = run(imposed, '"reversal[feature=income,model=net_surrogate]": inconclusive')
    assert result.passed, result.problems


def test_the_price_of_transparency_is_open_where_training_rows_are_unknown(stage, judge_text):
    """What may favour the black box decides nothing, however clear the number."""
    rule = next(part for part in RULES.split("  - ") if part.startswith("{id: price"))
    number = {
        "metric": "performance.auc_gap",
        "value": 0.05,
        "low": 0.04,
        "high": 0.06,
        "n": 5000,
        "model": "net_label",
    }
    evidence = stage(metrics=[number])
    section = evidence.performance
    assert isinstance(section, Performance)
    caution = "may favour the black box: the rows it was trained on are unknown"
    for words, status in (("", "pass"), (caution, "inconclusive")):
        told = evidence.model_copy(update={"performance": section.model_copy(update={"caution": words})})
        (verdict,) = judge_text(f"rules:\n  - {rule}", told).findings[0].verdicts
        assert verdict.status == status
        assert caution in verdict.because or not words


def make_curve(y, method, model="black_box"):
    y = tuple(float(v) for v in y)
    return Curve(
        feature="income",
        model=model,
        kind="numeric",
        method=method,
        x=tuple(float(i) for i in range(len(y))),
        y=y,
        low=tuple(v - 0.01 for v in y),
        high=tuple(v + 0.01 for v in y),
        band="pointwise 95 %",
        band_is_interval=True,
        rows=900,
    )


def test_a_shape_is_judged_on_the_accumulated_effect(stage, judge_text):
    """The partial dependence stands first among the curves and falls; the rule does not see it."""
    curves = (make_curve([3, 2, 1], "PDP"), make_curve([1, 2, 3], "ALE"))
    effects = Effects(scale="log-odds", rows=900, curves=curves, rugs=())
    evidence = stage(effects=effects, features=["income"])
    features = (FeatureUsed(name="income", kind="number"),)
    evidence = evidence.model_copy(update={"subject": evidence.subject.model_copy(update={"features": features})})
    rule = (
        "rules: [{id: r, title: Income helps, severity: medium, shape_of: income, of_model: black_box, "
        f"must_be: increasing, tolerance: 5%, {BASIS}, min_samples: {{total: 100}}}}]"
    )
    (verdict,) = judge_text(rule, evidence).findings[0].verdicts
    assert verdict.status == "pass"
