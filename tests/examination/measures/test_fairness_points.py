"""All rates of all groups at once: the same numbers as one by one, as fairlearn's, and as resampling rows gives."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fair
from material import ROOT
from scipy import stats
from sklearn.metrics import accuracy_score, precision_score

from audit.examination.measures.fairness.metrics import RATES
from audit.examination.measures.fairness.points import counts_of, measure_points, resample_points
from audit.examination.tally.tally import build_tally
from audit.statistics.bootstrap import resample_cells


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(4)
    n = 4000
    group = rng.choice(np.array(["A", "B", "C", "unknown"], object), n, p=[0.6, 0.3, 0.09, 0.01])
    label = (rng.random(n) < 0.4).astype(float)
    label[rng.random(n) < 0.1] = np.nan
    return group, label, rng.random(n) < np.where(group == "A", 0.5, 0.4)


@pytest.fixture(scope="module")
def tally(rows):
    group, label, favourable = rows
    return build_tally({"g": group}, label, favourable)


@pytest.mark.parametrize("positive_is_favourable", [True, False])
def test_all_at_once_is_one_by_one(tally, positive_is_favourable):
    table = tally.table(["g"])
    assert (counts_of(table) == tally.counts(["g"])).all()
    points = measure_points(tally.counts(["g"]), positive_is_favourable=positive_is_favourable)
    assert points.keys() == {metric.name for metric in RATES}
    for metric in RATES:
        for place, cell in enumerate(table.cells):
            k, n = metric.count(cell, positive_is_favourable)
            assert points[metric.name][place] == k / n


def test_nobody_to_count_is_undefined_and_never_zero():
    counts = np.zeros((2, 3, 2), np.int64)
    counts[0, 1] = [3, 4]  # a group without positive labels, and one without people
    points = measure_points(counts)
    assert points["selection_rate"][0] == 3 / 7
    assert points["false_positive_rate"][0] == 3 / 7
    assert np.isnan(points["true_positive_rate"][0])
    assert all(np.isnan(values[1]) for values in points.values())


def test_labelled_people_alone_as_fairlearn_has_them(rows, tally):
    group, label, favourable = rows
    known = ~np.isnan(label)
    functions = {
        "true_positive_rate": fair.true_positive_rate,
        "false_positive_rate": fair.false_positive_rate,
        "true_negative_rate": fair.true_negative_rate,
        "false_negative_rate": fair.false_negative_rate,
        "precision": precision_score,
        "accuracy": accuracy_score,
    }
    frame = fair.MetricFrame(
        metrics=functions, y_true=label[known], y_pred=favourable[known] * 1.0, sensitive_features=group[known]
    )
    points = measure_points(tally.counts(["g"]))
    for name in functions:
        np.testing.assert_allclose(points[name], frame.by_group[name].to_numpy(float), rtol=0, atol=1e-12)


def test_drawing_cells_is_drawing_rows(rows, tally):
    """Kolmogorov and Smirnov's test of each rate of each group, at one in a thousand."""
    group, label, favourable = rows
    frame = pd.DataFrame({"g": group, "label": label, "good": favourable})
    rng = np.random.default_rng(5)
    by_rows: list[dict[str, float]] = []
    for _ in range(300):
        drawn = frame.iloc[rng.integers(0, len(frame), len(frame))]
        again = build_tally({"g": drawn["g"].to_numpy()}, drawn["label"].to_numpy(), drawn["good"].to_numpy())
        points = measure_points(again.counts(["g"]))
        by_rows.append({(name, place): values[place] for name, values in points.items() for place in range(3)})
    cells = resample_cells(tally.counts(["g"]), 3000, np.random.default_rng(6))
    assert (cells.sum(axis=(1, 2, 3)) == len(frame)).all()
    by_cells = measure_points(cells)
    for name, place in by_rows[0]:
        found = stats.ks_2samp([one[name, place] for one in by_rows], by_cells[name][:, place])
        assert found.pvalue > 0.001, (name, place)


def test_ends_are_percentiles_and_do_not_depend_on_other_rates(tally):
    counts = tally.counts(["g"])
    ends = resample_points(counts, 500, np.random.default_rng(7))
    cells = resample_cells(counts, 500, np.random.default_rng(7))
    expected = np.quantile(measure_points(cells)["selection_rate"], [0.025, 0.975], axis=0)
    np.testing.assert_array_equal(ends["selection_rate"], expected)
    alone = resample_points(counts, 500, np.random.default_rng(7), metrics=[RATES[1]])
    np.testing.assert_array_equal(alone["selection_rate"], ends["selection_rate"])
    assert (ends["accuracy"][0] < ends["accuracy"][1]).all()


def test_nobody_is_drawn_from_nobody():
    assert resample_cells(np.zeros((2, 3, 2), np.int64), 3, np.random.default_rng(0)).sum() == 0


def test_goals_of_speed_are_met_on_small_tables():
    """Two hundred times less CPU than fairlearn, no growth with rows, intersections for free, forty groups at once."""
    command = [sys.executable, "tests/benchmarks/fairness.py", "points", "sizes", "lattice", "pairs", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" met\n") == 5
