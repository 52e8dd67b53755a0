"""The whole section, from rows, beside fairlearn and scikit-learn."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score, precision_score, roc_auc_score

from audit.config.schema import ExamineConfig
from audit.evidence import AttributeUsed, Cell, CountTable, CrossCheck, Decision, Fairness, NotDone, Subject
from audit.examination.measures.fairness.cross_check import CheckedRows, check_with_fairlearn
from audit.examination.measures.fairness.definitions import DEFINITIONS
from audit.examination.measures.fairness.groups import calibration_by_group, moments_of, scoring_counts
from audit.examination.measures.fairness.measure import DEFINITIONS as ALL_DEFINITIONS
from audit.examination.measures.fairness.measure import measure_fairness
from audit.examination.tally.roll import roll_of

PLACES = (
    "positive_favourable",
    "positive_unfavourable",
    "negative_favourable",
    "negative_unfavourable",
    "unlabelled_favourable",
    "unlabelled_unfavourable",
)


def count_rows(columns, attributes, label, favourable):
    """Count a table with pandas, apart from the code under test."""
    frame = pd.DataFrame({name: columns[name] for name in attributes})
    frame["label"] = 2 if label is None else np.where(np.isnan(label), 2, np.where(label == 1, 0, 1))
    frame["place"] = frame["label"] * 2 + (~favourable).astype(int)
    cells = []
    for key, part in frame.groupby(list(attributes), sort=True):
        counts = part["place"].value_counts()
        cells.append(Cell(values=key, **{name: int(counts.get(i, 0)) for i, name in enumerate(PLACES)}))
    return CountTable(attributes=tuple(attributes), cells=tuple(cells))


def make_case(columns, label, score, favourable=None, *, pairs=True, decision=None, **subject):
    favourable = score >= 0.5 if favourable is None else favourable
    names = list(columns)
    decision = decision or Decision(favourable="score >= 0.5", threshold=0.5)
    return SimpleNamespace(
        subject=Subject(
            title="t",
            system="s",
            version="1",
            decision=decision,
            attributes=tuple(AttributeUsed(name=name, column=name) for name in names),
            intersections=((names[0], names[1]),) if pairs and len(names) > 1 else (),
            **subject,
        ),
        groups=columns,
        label=label,
        weights=None,
        scores=SimpleNamespace(score=score, favourable=favourable),
        tally=SimpleNamespace(table=lambda attributes: count_rows(columns, attributes, label, favourable)),
        roll=roll_of(columns, label, score, favourable),
        rng=lambda name: np.random.default_rng(0),
        config=ExamineConfig.model_validate({"data": "rows.csv"}),
        blackbox=None,
        sampled="",
    )


def make_rows(n=3000, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    sex = rng.choice(np.array(["F", "M"], object), n)
    race = rng.choice(np.array(["A", "B", "C"], object), n, p=[0.6, 0.3, 0.1])
    score = np.clip(rng.beta(2, 2, n) + 0.08 * (sex == "M"), 0, 1)
    label = (rng.random(n) < score).astype(float)
    label[rng.random(n) < missing] = np.nan
    return {"sex": sex, "race": race}, label, score


def pick(fairness, metric, **group):
    attribute = group.pop("attribute", None)
    (item,) = [
        item
        for item in fairness.measurements
        if item.metric == f"fairness.{metric}" and item.group == group and item.attribute == attribute
    ]
    return item


@pytest.fixture(scope="module")
def measured():
    columns, label, score = make_rows()
    return columns, label, score, measure_fairness(make_case(columns, label, score))


def test_every_rate_equals_fairlearn_exactly(measured):
    columns, label, score, fairness = measured
    predicted = (score >= 0.5).astype(int)
    for attributes in (["sex"], ["race"], ["sex", "race"]):
        metrics = {
            "selection_rate": selection_rate,
            "true_positive_rate": true_positive_rate,
            "false_positive_rate": false_positive_rate,
            "precision": precision_score,
            "accuracy": accuracy_score,
        }
        frame = MetricFrame(
            metrics=metrics,
            y_true=label.astype(int),
            y_pred=predicted,
            sensitive_features=pd.DataFrame({name: columns[name] for name in attributes}),
        )
        for key, row in frame.by_group.iterrows():
            group = dict(zip(attributes, key if isinstance(key, tuple) else (key,), strict=True))
            for metric in metrics:
                assert pick(fairness, metric, **group).estimate.value == row[metric]


def test_worst_cases_equal_fairlearn(measured):
    columns, label, score, fairness = measured
    predicted, true = (score >= 0.5).astype(int), label.astype(int)
    for name in ("sex", "race"):
        for metric, theirs in (
            ("worst_selection_rate_ratio", demographic_parity_ratio),
            ("worst_selection_rate_difference", demographic_parity_difference),
            ("equalized_odds_difference", equalized_odds_difference),
        ):
            estimate = pick(fairness, metric, attribute=name).estimate
            assert estimate.value == pytest.approx(theirs(true, predicted, sensitive_features=columns[name]), abs=1e-15)
            assert estimate.low <= estimate.value <= estimate.high


def test_auc_and_means_equal_sklearn_and_numpy(measured):
    columns, label, score, fairness = measured
    for name in ("F", "M"):
        rows = columns["sex"] == name
        assert pick(fairness, "auc", sex=name).estimate.value == pytest.approx(
            roc_auc_score(label[rows], score[rows]), abs=1e-12
        )
        assert pick(fairness, "mean_score", sex=name).estimate.value == pytest.approx(score[rows].mean(), abs=1e-12)
        gap = pick(fairness, "calibration_in_group", sex=name).estimate
        assert gap.value == pytest.approx((score[rows] - label[rows]).mean(), abs=1e-12)
        assert gap.low < gap.value < gap.high
        rate = pick(fairness, "scoring_rate", sex=name).estimate
        assert rate.value == (score[rows] > np.median(score)).mean()
    gaps = [pick(fairness, "calibration_in_group", sex=name).estimate.value for name in ("F", "M")]
    assert pick(fairness, "calibration_gap", attribute="sex").estimate.value == pytest.approx(abs(gaps[0] - gaps[1]))
    aucs = {name: pick(fairness, "auc", sex=name).estimate.value for name in ("F", "M")}
    best = max(aucs, key=aucs.get)
    for name, value in aucs.items():
        gap = pick(fairness, "auc_gap", sex=name)
        assert gap.estimate.value == pytest.approx(aucs[best] - value)
        assert gap.reference == f"sex={best}"
        assert (gap.parity is None) == (name == best)


def test_cross_check_is_printed_and_exact(measured):
    fairness = measured[3]
    assert isinstance(fairness.cross_check, CrossCheck)
    assert fairness.cross_check.software.startswith("fairlearn ")
    assert fairness.cross_check.largest_difference == 0.0
    assert fairness.cross_check.compared == 5 * (2 + 3 + 6)
    assert fairness.cross_check.rows == 3000


def test_the_section_is_a_record_and_defines_what_it_uses(measured):
    fairness = measured[3]
    assert Fairness.parse(fairness.canonical()) == fairness
    assert {definition.id for definition in DEFINITIONS} <= {item.metric for item in fairness.measurements}
    assert {item.metric for item in fairness.measurements} <= {definition.id for definition in ALL_DEFINITIONS}
    assert [group.values for group in fairness.groups[:2]] == [("F",), ("M",)]
    assert [table.name for table in fairness.tables] == ["sex", "race", "sex * race"]
    assert len(fairness.literal) == 2


def test_every_number_has_an_interval_or_is_a_test_or_has_a_reason(measured):
    free = ("adverse_impact", "minimum_detectable", "rows_needed")
    for item in measured[3].measurements:
        estimate = item.estimate
        if not any(word in item.metric for word in free):
            shown = estimate.has_interval or estimate.chance is not None or not estimate.assessable
            assert estimate.value is None or shown
        if estimate.value is None:
            assert estimate.note
            assert not estimate.assessable


def test_a_sample_is_checked_where_there_are_many_rows():
    columns, label, score = make_rows(2000, missing=0.1)
    favourable = score >= 0.5
    tables = [count_rows(columns, ("sex",), label, favourable)]
    check = check_with_fairlearn(
        tables,
        CheckedRows(columns, favourable, label),
        positive_is_favourable=True,
        rng=np.random.default_rng(1),
        most_rows=500,
    )
    assert check.rows == 500
    assert check.largest_difference == 0.0
    assert check.compared == 10


def test_the_cross_check_would_find_an_error():
    columns, label, score = make_rows(500)
    favourable = score >= 0.5
    table = count_rows(columns, ("sex",), label, favourable)
    wrong = table.model_copy(
        update={
            "cells": (
                table.cells[0].model_copy(update={"positive_favourable": table.cells[0].positive_favourable + 5}),
                table.cells[1],
            )
        }
    )
    check = check_with_fairlearn(
        [wrong], CheckedRows(columns, favourable, label), positive_is_favourable=True, rng=np.random.default_rng(1)
    )
    assert check.largest_difference > 0.001


def test_cross_check_skips_what_is_undefined_here():
    columns = {"sex": np.array(["F"] * 40 + ["M"] * 40, object)}
    label = np.array([0.0] * 40 + [0.0, 1.0] * 20)
    score = np.tile([0.2, 0.8, 0.3, 0.7], 20)
    fairness = measure_fairness(make_case(columns, label, score))
    assert pick(fairness, "true_positive_rate", sex="F").estimate.value is None
    assert any("true_positive_rate of sex = F" in line for line in fairness.cross_check.skipped)
    assert fairness.cross_check.largest_difference == 0.0
    assert pick(fairness, "auc", sex="F").estimate.value is None
    assert pick(fairness, "auc_gap", sex="F").estimate.value is None


def test_unfavourable_scores():
    """Positive is bad: selection counts the low scores, TPR stays with the class, fairlearn agrees."""
    columns, label, score = make_rows(2000, seed=4)
    decision = Decision(favourable="score < 0.5", threshold=0.5, favourable_is_high=False, positive_is_favourable=False)
    fairness = measure_fairness(make_case(columns, label, score, score < 0.5, decision=decision))
    rows = columns["sex"] == "F"
    assert pick(fairness, "selection_rate", sex="F").estimate.value == (score[rows] < 0.5).mean()
    expected = true_positive_rate(label[rows].astype(int), (score[rows] >= 0.5).astype(int))
    assert pick(fairness, "true_positive_rate", sex="F").estimate.value == expected
    assert pick(fairness, "scoring_rate", sex="F").estimate.value == (score[rows] < np.median(score)).mean()
    assert fairness.cross_check.largest_difference == 0.0
    assert pick(fairness, "auc", sex="F").estimate.value > 0.5


def test_decisions_only():
    columns, _, score = make_rows(400)
    case = make_case(columns, None, None, score >= 0.5)
    fairness = measure_fairness(case)
    assert pick(fairness, "selection_rate_ratio", sex="F").estimate.value is not None
    for metric in ("auc", "mean_score", "calibration_in_group", "scoring_rate", "true_positive_rate", "base_rate"):
        estimate = pick(fairness, metric, sex="F").estimate
        assert estimate.value is None
        assert not estimate.assessable
    assert pick(fairness, "auc", sex="F").estimate.note == "there are no scores, only decisions"
    assert pick(fairness, "base_rate", sex="F").estimate.note == "no label was given"
    assert fairness.cross_check.metrics == ("fairness.selection_rate",)
    assert {definition.id for definition in DEFINITIONS} <= {item.metric for item in fairness.measurements}
    assert {item.metric for item in fairness.measurements} <= {definition.id for definition in ALL_DEFINITIONS}


def test_scores_without_labels():
    columns, _, score = make_rows(400)
    fairness = measure_fairness(make_case(columns, None, score))
    assert pick(fairness, "scoring_rate_ratio", sex="F").estimate.value is not None
    assert pick(fairness, "mean_score", sex="F").estimate.value is not None
    assert pick(fairness, "auc", sex="F").estimate.note == "no label was given"
    assert pick(fairness, "calibration_gap", attribute="sex").estimate.value is None


def test_a_value_has_no_positive_class():
    columns, label, score = make_rows(400)
    decision = Decision(favourable="score >= 50", threshold=50, predicts=False)
    case = make_case(columns, label, score * 100, score >= 0.5, task="regression", decision=decision)
    fairness = measure_fairness(case)
    assert not {"fairness.true_positive_rate", "fairness.auc"} & {item.metric for item in fairness.measurements}
    assert pick(fairness, "selection_rate", sex="F").estimate.value is not None
    assert pick(fairness, "mae", sex="F").estimate.value is not None


def test_scores_that_are_no_probabilities_have_no_calibration():
    columns, label, score = make_rows(400)
    fairness = measure_fairness(make_case(columns, label, score * 100, score >= 0.5))
    assert "no probabilities" in pick(fairness, "calibration_in_group", sex="F").estimate.note
    assert pick(fairness, "auc", sex="F").estimate.value is not None


def test_a_separating_score_has_no_auc_interval():
    columns, label, _ = make_rows(400)
    fairness = measure_fairness(make_case(columns, label, label * 0.8 + 0.1))
    auc = pick(fairness, "auc", sex="F").estimate
    assert auc.value == 1.0
    assert not auc.has_interval
    assert not auc.assessable
    assert pick(fairness, "auc_gap", sex="F").estimate.value is None


def test_a_group_with_one_label_has_an_honest_calibration_interval():
    columns = {"sex": np.array(["F"] * 40 + ["M"] * 40, object)}
    label = np.array([0.0] * 40 + [0.0, 1.0] * 20)
    score = np.tile([0.04, 0.05, 0.06, 0.05], 20)
    gap = pick(measure_fairness(make_case(columns, label, score)), "calibration_in_group", sex="F").estimate
    assert gap.value == pytest.approx(0.05)
    assert gap.low < 0 < gap.high  # none of 40 is no proof that a base rate of 5 % is wrong


def test_missing_scores_and_labels_are_left_out_of_what_needs_them():
    columns, label, score = make_rows(900, missing=0.2)
    score[:100] = np.nan
    fairness = measure_fairness(make_case(columns, label, score, np.nan_to_num(score) >= 0.5))
    rows = (columns["sex"] == "F") & np.isfinite(score) & np.isfinite(label)
    assert pick(fairness, "auc", sex="F").estimate.n == rows.sum()
    assert pick(fairness, "auc", sex="F").estimate.value == pytest.approx(roc_auc_score(label[rows], score[rows]))
    assert pick(fairness, "scoring_rate", sex="F").estimate.n == ((columns["sex"] == "F") & np.isfinite(score)).sum()


def test_selective_labels_are_noticed():
    columns, label, score = make_rows(2000)
    favourable = score >= 0.5
    label[~favourable] = np.nan  # repayment is known for granted loans alone
    fairness = measure_fairness(make_case(columns, label, score, favourable))
    assert any("missing by decision" in note for note in fairness.notes)
    precision = pick(fairness, "precision", sex="F").estimate
    assert precision.value is not None
    assert not precision.assessable
    assert not pick(fairness, "auc", sex="F").estimate.assessable
    assert not pick(fairness, "calibration_gap", attribute="sex").estimate.assessable
    assert pick(fairness, "selection_rate_ratio", sex="F").estimate.assessable


def test_labels_missing_by_chance_are_not_selective():
    columns, label, score = make_rows(2000, missing=0.3)
    fairness = measure_fairness(make_case(columns, label, score))
    assert pick(fairness, "precision", sex="F").estimate.assessable


def test_no_groups_is_not_done():
    _, label, score = make_rows(50)
    case = make_case({}, label, score)
    assert isinstance(measure_fairness(case), NotDone)
    assert "no protected attribute" in measure_fairness(case).not_done


def test_one_row_and_one_group():
    columns = {"sex": np.array(["F"] * 60 + ["M"], object)}
    score = np.linspace(0, 1, 61)
    fairness = measure_fairness(make_case(columns, (score > 0.4).astype(float), score))
    rate = pick(fairness, "selection_rate", sex="M").estimate
    assert rate.value == 1.0
    assert rate.low < 0.3
    assert not rate.assessable
    assert pick(fairness, "worst_selection_rate_ratio", attribute="sex").estimate.value is None
    assert not pick(fairness, "selection_rate_ratio", sex="F").estimate.assessable
    assert "no two groups" in fairness.literal[0]
    assert pick(fairness, "mean_score", sex="M").estimate.has_interval is False


def test_literal_four_fifths_sentences():
    columns = {"sex": np.array(["F"] * 50 + ["M"] * 50, object)}
    for selected, words in (
        (28, "not below four fifths"),
        (27, "below four fifths by 1 favourable decision."),
        (20, "below four fifths by 8 favourable decisions."),
    ):
        favourable = np.array([i < selected for i in range(50)] + [i < 35 for i in range(50)])
        (sentence,) = measure_fairness(make_case(columns, None, None, favourable)).literal
        assert words in sentence
        assert f"sex=F: {selected} of 50" in sentence


def test_moments_leave_out_what_is_missing():
    moments = moments_of(np.array([1.0, 3.0, np.nan, 7.0, 9.0]), np.array([0, 0, 0, 1, -1]), 3)
    assert moments.n.tolist() == [2, 1, 0]
    assert moments.mean[:2].tolist() == [2.0, 7.0]
    assert moments.variance[0] == 2.0
    assert np.isnan(moments.variance[1:]).all()
    assert np.isnan(moments.mean[2])


def test_calibration_rests_on_rows_with_both():
    score = np.array([0.1, 0.4, 0.5, 0.9, np.nan, 0.2, 0.3])
    label = np.array([0.0, 0.0, 1.0, 1.0, 1.0, np.nan, 0.0])
    one, alone, nobody = calibration_by_group(score, label, np.array([0, 0, 0, 0, 0, 0, 1]), 3)
    assert (one.n, one.positives, nobody.n) == (4, 2, 0)
    assert one.gap == pytest.approx(np.mean([0.1, 0.4, 0.5, 0.9]) - 0.5)
    assert one.correlation == pytest.approx(np.corrcoef(score[:4], label[:4])[0, 1])
    assert (alone.n, alone.positives, alone.correlation) == (1, 0, 0.0)


def test_scoring_rate_is_strict_and_over_everybody():
    score = np.array([1.0, 2.0, 2.0, 3.0, np.nan])
    assert scoring_counts(score, np.array([0, 0, 1, 1, 1]), 2, high_is_favourable=True) == [(0, 2), (1, 2)]
    assert scoring_counts(score, np.array([0, 0, 1, 1, 1]), 2, high_is_favourable=False) == [(1, 2), (0, 2)]
    assert scoring_counts(np.array([np.nan]), np.array([0]), 1, high_is_favourable=True) == [(0, 0)]


def test_the_mean_score_of_a_handful_is_not_shown():
    columns, label, score = make_rows(400)
    columns["sex"] = np.array(["F"] * 200 + ["M"] * 191 + ["X"] * 1 + ["Y"] * 4 + ["Z"] * 4, object)
    label[-4:] = np.nan
    found = measure_fairness(make_case(columns, label, score, pairs=False))
    for name in ("X", "Y"):
        for metric in ("mean_score", "calibration_in_group"):
            estimate = pick(found, metric, sex=name).estimate
            assert estimate.value is None
            assert "one person's score" in estimate.note
    assert pick(found, "mean_score", sex="M").estimate.value == pytest.approx(score[200:391].mean())
    hidden = {float(value) for value in (*score[391:393], score[392:396].mean())}
    assert not hidden & {item.estimate.value for item in found.measurements}
