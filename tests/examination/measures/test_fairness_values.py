"""Predicted values by group beside fairlearn, scikit-learn and scipy."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame
from scipy import stats
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from audit.evidence import AttributeUsed, Subject
from audit.examination.measures.fairness.groups import lay_out
from audit.examination.measures.fairness.parts import Scene
from audit.examination.measures.fairness.rates import Reading
from audit.examination.measures.fairness.several import DEFINITIONS
from audit.examination.measures.fairness.values import measure_values
from audit.examination.tally.roll import Roll, roll_of
from audit.examination.tally.tally import build_tally


def make_rows(n=900, seed=0):
    rng = np.random.default_rng(seed)
    area = rng.choice(np.array(["east", "north", "west", "unknown"], object), n, p=[0.3, 0.3, 0.35, 0.05])
    label = rng.normal(30, 5, n)
    score = label + rng.normal(0, np.where(area == "east", 4, 2), n) + 0.8 * (area == "north")
    return area, label, score


def make_scene(area, label, score, *, task="regression", small_count=30, roll=None, selective=""):
    subject = Subject(
        title="t", system="s", version="1", task=task, attributes=(AttributeUsed(name="area", column="area"),)
    )
    table = build_tally({"area": area}, None, None).table(("area",))
    roll = roll or roll_of({"area": area}, label, score, None)
    reading = Reading(True, "the label is a value", selective, small_count)
    return Scene(SimpleNamespace(subject=subject, roll=roll), (lay_out(table, small_count, 0.02),), (), reading)


def pick(found, metric, attribute=None, **group):
    (item,) = [
        item
        for item in found.measurements
        if item.metric == f"fairness.{metric}" and item.group == group and item.attribute == attribute
    ]
    return item


@pytest.fixture(scope="module")
def rows():
    return make_rows()


@pytest.fixture(scope="module")
def found(rows):
    return measure_values(make_scene(*rows))


def test_every_number_equals_fairlearn(rows, found):
    area, label, score = rows
    frame = MetricFrame(
        metrics={
            "mae": mean_absolute_error,
            "rmse": root_mean_squared_error,
            "r2": r2_score,
            "mean_prediction": lambda y_true, y_pred: float(np.mean(y_pred)),
            "mean_residual": lambda y_true, y_pred: float(np.mean(y_pred - y_true)),
        },
        y_true=label,
        y_pred=score,
        sensitive_features=area,
    )
    for group, row in frame.by_group.iterrows():
        for metric in frame.by_group.columns:
            estimate = pick(found, metric, area=group).estimate
            assert estimate.value == pytest.approx(row[metric], abs=1e-10)
            assert estimate.low < estimate.value < estimate.high
            assert estimate.n == (area == group).sum()
    known = frame.by_group.drop(index="unknown")
    for metric in ("mae", "rmse"):
        ratio = pick(found, f"{metric}_ratio", area="east").estimate.value
        assert ratio == pytest.approx(known.loc["east", metric] / known[metric].min(), abs=1e-10)
        worst = pick(found, f"worst_{metric}_ratio", "area").estimate
        assert worst.value == pytest.approx(known[metric].max() / known[metric].min(), abs=1e-10)
        assert 1 <= worst.low <= worst.value <= worst.high
        assert worst.note.startswith("area=east against ")
    for metric in ("mean_prediction", "mean_residual"):
        worst = pick(found, f"worst_{metric}_difference", "area").estimate
        assert worst.value == pytest.approx(known[metric].max() - known[metric].min(), abs=1e-10)
        assert 0 <= worst.low <= worst.value <= worst.high


def test_signed_differences_are_against_everybody_else_of_known_group(rows, found):
    area, label, score = rows
    error = score - label
    for name, values in (("mean_residual_difference", error), ("mean_prediction_difference", score)):
        rest = (area != "north") & (area != "unknown")
        wanted = stats.ttest_ind(values[area == "north"], values[rest], equal_var=False)
        item = pick(found, name, area="north")
        interval = wanted.confidence_interval(1 - 0.05 / 3)
        assert item.estimate.value == pytest.approx(values[area == "north"].mean() - values[rest].mean())
        assert (item.estimate.low, item.estimate.high) == pytest.approx((interval.low, interval.high))
        assert item.parity.p == pytest.approx(wanted.pvalue)
        assert (item.reference, item.parity.pairs) == ("rest", 3)
    assert not [item for item in found.measurements if item.group == {"area": "unknown"} and item.reference]


def test_the_best_group_is_the_reference_itself(found):
    best = [item for item in found.measurements if item.metric == "fairness.mae_ratio" and item.estimate.value == 1.0]
    assert len(best) == 1
    assert best[0].reference == f"area={best[0].group['area']}"
    assert best[0].parity is None
    others = [item for item in found.measurements if item.metric == "fairness.mae_ratio" and item not in best]
    assert all(item.estimate.low < item.estimate.value < item.estimate.high for item in others)
    assert all(item.parity.pairs == 3 for item in others)


def test_a_mean_of_few_people_is_hidden():
    area, label, score = make_rows(400)
    area[:3] = "south"
    found = measure_values(make_scene(area, label, score))
    about = [item for item in found.measurements if item.group == {"area": "south"}]
    assert about
    assert all(item.estimate.value is None and "fewer than 5 people" in item.estimate.note for item in about)
    assert all(item.parity is None for item in about)


def test_small_groups_and_selective_labels_are_not_judged():
    area, label, score = make_rows(400)
    found = measure_values(make_scene(area, label, score, small_count=130, selective="labels are selective"))
    sizes = {name: int((area == name).sum()) for name in ("east", "north", "west")}
    for name, n in sizes.items():
        assert pick(found, "mean_prediction", area=name).estimate.assessable == (n >= 130)
        assert not pick(found, "mae", area=name).estimate.assessable
        assert not pick(found, "mae_ratio", area=name).estimate.assessable
    assert not pick(found, "worst_mae_ratio", "area").estimate.assessable


def test_without_labels_only_predictions_are_measured(rows):
    area, _, score = rows
    for label in (None, np.full(len(score), np.nan)):
        found = measure_values(make_scene(area, label, score))
        assert {item.metric.removeprefix("fairness.") for item in found.measurements} == {
            "mean_prediction",
            "mean_prediction_difference",
            "worst_mean_prediction_difference",
        }


def test_missing_labels_leave_only_what_needs_them(rows):
    area, label, score = rows
    label = np.where(np.arange(len(label)) % 3 == 0, np.nan, label)
    found = measure_values(make_scene(area, label, score))
    known = (area == "east") & np.isfinite(label)
    mae = pick(found, "mae", area="east").estimate
    assert (mae.n, mae.value) == (known.sum(), pytest.approx(np.abs(score - label)[known].mean()))
    assert pick(found, "mean_prediction", area="east").estimate.n == (area == "east").sum()


def test_a_group_whose_errors_do_not_vary(rows):
    area, label, score = rows
    score = np.where(area == "west", label, score)
    found = measure_values(make_scene(area, label, score))
    mae = pick(found, "mae", area="west").estimate
    assert (mae.value, mae.low, mae.assessable) == (0.0, None, False)
    worst = pick(found, "worst_mae_ratio", "area").estimate
    assert "area=west has no values that vary" in worst.note
    assert not worst.assessable


def test_entries_of_many_rows_count_as_many(rows):
    area, label, score = rows
    twice = measure_values(make_scene(*(np.concatenate([item, item]) for item in rows)))
    full = roll_of({"area": area}, label, score, None)
    counted = Roll(full.levels, full.codes, full.label, full.score, None, 2 * full.count, width=0.01)
    both = measure_values(make_scene(*(np.concatenate([item, item]) for item in rows), roll=counted))
    for one, other in zip(twice.measurements, both.measurements, strict=True):
        assert one.metric == other.metric
        for name in ("value", "low", "high"):
            assert getattr(one.estimate, name) == pytest.approx(getattr(other.estimate, name), rel=1e-9, abs=1e-9)
    assert "binned" in both.notes[-1]


def test_other_tasks_have_no_values(rows):
    assert measure_values(make_scene(*rows, task="binary")).measurements == ()


def test_everything_is_defined(found):
    assert {item.metric for item in found.measurements} <= {definition.id for definition in DEFINITIONS}
