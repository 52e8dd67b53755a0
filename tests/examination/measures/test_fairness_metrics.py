"""Rates from counts, on a table that a person can check."""

import pytest

from audit.evidence import Cell, CountTable
from audit.examination.measures.fairness.definitions import DEFINITIONS
from audit.examination.measures.fairness.groups import lay_out
from audit.examination.measures.fairness.metrics import COMPARED, RATES
from audit.examination.measures.fairness.rates import (
    Reading,
    measure_comparisons,
    measure_rates,
    measure_worst,
)

GOOD = Reading(positive_is_favourable=True)
BAD = Reading(positive_is_favourable=False)
CELL = Cell(
    values=("F",),
    positive_favourable=40,
    positive_unfavourable=10,
    negative_favourable=20,
    negative_unfavourable=30,
    unlabelled_favourable=5,
    unlabelled_unfavourable=15,
)


def cell(value, *counts):
    names = (
        "positive_favourable",
        "positive_unfavourable",
        "negative_favourable",
        "negative_unfavourable",
        "unlabelled_favourable",
        "unlabelled_unfavourable",
    )
    values = value if isinstance(value, tuple) else (value,)
    return Cell(values=values, **dict(zip(names, (*counts, 0, 0)[:6], strict=True)))


def grouping(*cells, attributes=("sex",), count=30, share=0.02):
    return lay_out(CountTable(attributes=attributes, cells=cells), count, share)


def values_of(measurements, metric, key=None):
    return {
        key(item) if key else ", ".join(item.group.values()): item
        for item in measurements
        if item.metric == f"fairness.{metric}"
    }


@pytest.mark.parametrize(
    ("name", "favourable_positive", "favourable_negative"),
    [
        ("base_rate", (50, 100), (50, 100)),
        ("selection_rate", (65, 120), (65, 120)),
        ("true_positive_rate", (40, 50), (10, 50)),
        ("false_positive_rate", (20, 50), (30, 50)),
        ("precision", (40, 60), (10, 40)),
        ("accuracy", (70, 100), (30, 100)),
        ("error_rate", (30, 100), (70, 100)),
    ],
)
def test_counts_by_hand(name, favourable_positive, favourable_negative):
    count = next(metric.count for metric in RATES if metric.name == name)
    assert count(CELL, True) == favourable_positive
    assert count(CELL, False) == favourable_negative


def test_every_table_row_has_a_definition():
    known = {definition.id for definition in DEFINITIONS}
    assert {f"fairness.{metric.name}" for metric in (*RATES, *COMPARED)} <= known
    assert len(known) == len(DEFINITIONS)
    assert all(definition.formula and definition.source for definition in DEFINITIONS)


def test_definitions_say_which_side_they_follow():
    formulas = {definition.id: definition.formula for definition in DEFINITIONS}
    for name in ("true_positive_rate", "false_positive_rate", "precision"):
        assert "label's positive class" in formulas[f"fairness.{name}"]
    assert "favourably" in formulas["fairness.selection_rate"]


def test_rates_carry_count_rows_and_interval():
    (item,) = values_of(measure_rates(grouping(CELL), GOOD), "true_positive_rate").values()
    estimate = item.estimate
    assert (estimate.value, estimate.count, estimate.n) == (0.8, 40, 50)
    assert estimate.low < 0.8 < estimate.high
    assert estimate.method == "Wilson score"
    assert estimate.assessable


def test_a_group_without_positives_has_no_true_positive_rate():
    groups = grouping(cell("A", 0, 0, 20, 40), cell("B", 30, 10, 10, 30))
    rates = values_of(measure_rates(groups, GOOD), "true_positive_rate")
    assert rates["A"].estimate.value is None
    assert "positive label" in rates["A"].estimate.note
    gaps = values_of(measure_comparisons(groups, GOOD), "true_positive_rate_difference")
    assert gaps["A"].estimate.value is None
    assert gaps["B"].estimate.value == 0.0
    assert not gaps["B"].estimate.assessable
    (odds,) = values_of(measure_worst(groups, GOOD), "equalized_odds_difference").values()
    assert odds.estimate.value is None
    assert "A has no true positive rate" in odds.estimate.note


def test_a_judged_group_that_equalized_odds_cannot_cover_is_told():
    groups = grouping(cell("A", 0, 0, 20, 40), cell("B", 30, 10, 10, 30), cell("C", 20, 20, 20, 20))
    (odds,) = values_of(measure_worst(groups, GOOD), "equalized_odds_difference").values()
    assert odds.estimate.value is not None
    assert not odds.estimate.assessable
    assert "sex=A has no true positive rate" in odds.estimate.note


def test_without_labels_only_decisions_count():
    groups = grouping(cell("A", 0, 0, 0, 0, 40, 60), cell("B", 0, 0, 0, 0, 70, 30))
    reading = Reading(positive_is_favourable=True, no_label="no label was given")
    measured = [*measure_rates(groups, reading), *measure_comparisons(groups, reading), *measure_worst(groups, reading)]
    defined = {item.metric for item in measured if item.estimate.value is not None}
    assert {"fairness.selection_rate", "fairness.selection_rate_ratio", "fairness.adverse_impact_z"} <= defined
    for item in measured:
        if any(word in item.metric for word in ("true_", "false_", "precision", "accuracy", "error", "base", "odds")):
            assert item.estimate.value is None
            assert item.estimate.note == "no label was given"
            assert not item.estimate.assessable


def test_selective_labels_are_shown_not_judged():
    groups = grouping(cell("A", 30, 10, 10, 30), cell("B", 35, 5, 10, 30))
    reading = Reading(positive_is_favourable=True, selective="selective labels: half")
    measured = [*measure_rates(groups, reading), *measure_comparisons(groups, reading), *measure_worst(groups, reading)]
    for item in measured:
        if item.metric in (
            "fairness.true_positive_rate",
            "fairness.precision_difference",
            "fairness.equalized_odds_difference",
        ):
            assert item.estimate.value is not None
            assert not item.estimate.assessable
            assert "selective" in item.estimate.note
        if item.metric == "fairness.selection_rate_ratio":
            assert item.estimate.assessable


def test_small_groups_are_shown_marked_and_never_the_reference():
    groups = grouping(cell("A", 200, 100, 100, 600), cell("B", 300, 100, 100, 500), cell("tiny", 5, 0, 0, 0))
    assert [group.small for group in groups.groups] == [False, False, True]
    ratios = values_of(measure_comparisons(groups, GOOD), "selection_rate_ratio")
    assert ratios["tiny"].reference == ratios["A"].reference == "sex=B"
    assert ratios["tiny"].estimate.value == pytest.approx(2.5)
    assert not ratios["tiny"].estimate.assessable
    assert "5 people, fewer than 30" in ratios["tiny"].estimate.note
    assert ratios["A"].parity.pairs == 1
    rates = values_of(measure_rates(groups, GOOD), "selection_rate")
    assert rates["tiny"].estimate.value == 1.0
    assert rates["tiny"].estimate.low < 1.0
    assert not rates["tiny"].estimate.assessable


def test_a_group_small_by_share_is_judged_but_no_reference():
    groups = grouping(cell("A", 2000, 1000, 1000, 6000), cell("B", 3000, 1000, 1000, 5000), cell("C", 90, 0, 0, 10))
    assert groups.assessable == (True, True, True)
    assert groups.candidates == (True, True, False)
    ratios = values_of(measure_comparisons(groups, GOOD), "selection_rate_ratio")
    assert ratios["C"].estimate.assessable
    assert ratios["C"].reference == "sex=B"
    assert ratios["C"].parity.pairs == 3


def test_unknown_people_are_counted_never_compared():
    groups = grouping(cell("A", 30, 10, 10, 30), cell("B", 35, 5, 10, 30), cell("unknown", 60, 0, 0, 0))
    assert set(values_of(measure_rates(groups, GOOD), "selection_rate")) == {"A", "B", "unknown"}
    ratios = values_of(measure_comparisons(groups, GOOD), "selection_rate_ratio")
    assert set(ratios) == {"A", "B"}
    assert ratios["A"].reference == "sex=B"
    (share,) = values_of(measure_worst(groups, GOOD), "unknown_group_share").values()
    assert (share.estimate.count, share.estimate.n, share.attribute) == (60, 220, "sex")


def test_half_known_intersections_are_unknown():
    groups = grouping(
        cell(("F", "A"), 20, 20, 20, 20),
        cell(("M", "A"), 30, 10, 20, 20),
        cell(("unknown", "A"), 40, 0, 40, 0),
        attributes=("sex", "race"),
    )
    assert groups.known == (True, True, False)
    (ratio,) = values_of(measure_worst(groups, GOOD), "worst_selection_rate_ratio").values()
    assert ratio.attribute == "sex * race"
    assert ratio.estimate.value == pytest.approx(0.8)
    assert ratio.estimate.note == "sex=F, race=A against sex=M, race=A"


def test_positive_class_and_favourable_side_are_apart():
    """Where a high score is bad for people, selection turns round and TPR does not."""
    risk = cell("A", 10, 40, 30, 20)  # 40 of 50 positives are flagged (unfavourable)
    kind = cell("B", 25, 25, 40, 10)
    groups = grouping(risk, kind)
    rates = values_of(measure_rates(groups, BAD), "true_positive_rate")
    assert rates["A"].estimate.value == 0.8
    assert values_of(measure_rates(groups, BAD), "selection_rate")["A"].estimate.value == 0.4
    fpr = values_of(measure_comparisons(groups, BAD), "false_positive_rate_difference")
    assert fpr["A"].reference == "sex=B"
    assert fpr["A"].estimate.value == pytest.approx(20 / 50 - 10 / 50)


def test_adverse_impact_numbers_by_hand():
    groups = grouping(cell("F", 0, 0, 0, 0, 199, 795), cell("M", 0, 0, 0, 0, 327, 638))
    reading = Reading(positive_is_favourable=True, no_label="no label was given")
    measured = list(measure_comparisons(groups, reading))

    def get(name):
        return values_of(measured, name)["F"]

    assert get("selection_rate_ratio").estimate.value == pytest.approx(0.5908, abs=5e-5)
    assert get("adverse_impact_z").estimate.value == pytest.approx(0.138659 / 0.0200282, abs=1e-3)
    assert get("adverse_impact_p").estimate.value < 1e-10
    assert get("adverse_impact_shortfall").estimate.value == pytest.approx(994 * 526 / 1959 - 199)
    assert get("minimum_detectable_ratio").estimate.value == pytest.approx(0.83, abs=0.02)
    assert get("adverse_impact_z").parity.p_adjusted == get("selection_rate_ratio").parity.p_adjusted
    assert values_of(measured, "adverse_impact_z")["M"].estimate.value == 0.0


def test_nobody_selected_anywhere():
    groups = grouping(cell("F", 0, 30, 0, 30), cell("M", 0, 40, 0, 40))
    measured = [*measure_comparisons(groups, GOOD), *measure_worst(groups, GOOD)]
    ratio = values_of(measured, "selection_rate_ratio")["F"].estimate
    assert ratio.value is None
    assert "undefined" in ratio.note
    assert values_of(measured, "adverse_impact_z")["F"].estimate.value is None
    assert values_of(measured, "worst_selection_rate_ratio", lambda item: item.attribute)["sex"].estimate.value is None
    assert values_of(measured, "selection_rate_difference")["F"].estimate.value == 0.0


def test_equalized_odds_pays_for_twice_the_pairs():
    groups = grouping(cell("A", 30, 20, 10, 40), cell("B", 40, 10, 25, 25), cell("C", 35, 15, 12, 38))
    (odds,) = values_of(measure_worst(groups, GOOD), "equalized_odds_difference").values()
    assert odds.estimate.value == pytest.approx(0.5 - 0.2)
    assert "over 6 comparisons" in odds.estimate.method
    assert odds.estimate.note == "false positive rate: sex=A against sex=B"
    assert odds.estimate.low <= 0.3 <= odds.estimate.high
    assert odds.attribute == "sex"
    assert odds.group == {}
