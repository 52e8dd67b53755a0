"""Drift: distances are those of scipy, chance is not called drift, planted changes are found, and a later period."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from case_material import open_small_case, pick_number
from hypothesis import given
from hypothesis import strategies as st
from material import make_table
from scipy.special import expit
from scipy.stats import ks_2samp, wasserstein_distance
from sklearn.metrics import roc_auc_score

from audit.errors import ConfigError, DataError
from audit.evidence import Drift, NotDone
from audit.examination.measures.drift.distance import (
    bin_levels,
    bin_numbers,
    distance_estimates,
    stability_estimate,
)
from audit.examination.measures.drift.measure import measure_drift
from audit.statistics import newcombe_difference, population_stability


def predict(frame):
    return expit(0.06 * frame["income"] - 0.2 * frame["debts"].fillna(6) - 1)


MODEL = {"model": {"format": "python", "output": "probability"}}


def open_drift(folder, judged, baseline=None, later=None, train=None, **over):
    data = {"audit": str(folder / "rows.csv")}
    for name, frame in (("baseline", baseline), ("out_of_time", later), ("train", train)):
        if frame is not None:
            frame.drop(columns=["applicant", "age"], errors="ignore").to_csv(folder / f"{name}.csv", index=False)
            data[name] = str(folder / f"{name}.csv")
    frame = judged.drop(columns=["applicant", "age"])
    return open_small_case(folder, frame, predict, **{**MODEL, "data": data, **over})


def test_distances_are_those_of_scipy():
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 1, 400), np.append(rng.normal(0.2, 1.5, 300), np.nan)
    ks, moved = distance_estimates(first, second, rng)
    assert ks.value == pytest.approx(ks_2samp(first, second[:-1]).statistic)
    assert moved.value == pytest.approx(wasserstein_distance(first, second[:-1]) / first.std(ddof=1))
    assert ks.chance < ks.value
    assert ks_2samp(first, second[:-1]).pvalue < 0.05


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=8))
def test_the_stability_index_is_symmetric_never_negative_and_zero_for_the_same(counts):
    first, second = np.array(counts).T + 1
    value = population_stability(first, second)
    assert value >= 0
    assert value == pytest.approx(float(population_stability(second, first)))
    assert population_stability(first, first) == 0
    p, q = (first + 0.5) / (first + 0.5).sum(), (second + 0.5) / (second + 0.5).sum()
    assert value == pytest.approx(sum((a - b) * np.log(a / b) for a, b in zip(p, q, strict=True)))


def test_without_any_change_one_in_twenty_is_beyond_chance():
    rng, beyond = np.random.default_rng(1), np.zeros(3)
    for _ in range(150):
        first, second = rng.integers(0, 40, 300).astype(float), rng.integers(0, 40, 200).astype(float)
        psi = stability_estimate(bin_numbers(first, second), rng)
        beyond += [found.value > found.chance for found in (psi, *distance_estimates(first, second, rng))]
    assert (beyond >= 1).all()
    assert (beyond <= 17).all()  # of 150 at .05 more than 17 has probability below .001


def test_a_value_that_fills_bins_has_one_of_its_own_and_missing_too():
    zeros = np.array([0.0] * 80 + list(range(1, 21)))
    more = np.array([0.0] * 40 + list(range(1, 51)) + [np.nan] * 10)
    first, second = bin_numbers(zeros, more)
    assert first[0] == 80 and second[0] == 40
    assert (first[-1], second[-1]) == (0, 10)
    assert first.sum() == second.sum() == 100


def test_levels_are_counted_and_rare_ones_share_a_bin():
    before = np.array(["a"] * 10 + ["b"] * 8 + ["x", "y"] + [None] * 5, object)
    after = np.array(["a"] * 4 + ["c"] * 6 + ["z"], object)
    first, second = bin_levels(before, after)
    assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 6), (2, 1), (5, 0), (8, 0), (10, 4)]


def test_planted_changes_are_found_and_nothing_else(tmp_path):
    baseline, judged = make_table(2000, seed=1), make_table(2000, seed=2)
    judged["income"] += 12
    judged.loc[judged["sex"] == "F", "debts"] = judged["debts"].where(np.arange(2000) % 4 > 0)[judged["sex"] == "F"]
    judged.loc[judged.index[:60], "region"] = "east"
    found = measure_drift(open_drift(tmp_path, judged, baseline))
    assert isinstance(found, Drift)
    assert Drift.parse(found.canonical()) == found
    psi = {name: pick_number(found, "drift.feature_psi", feature=name) for name in ("income", "debts", "region")}
    assert all(item.value > 3 * item.chance for item in psi.values())
    unseen = pick_number(found, "drift.unseen_share", feature="region")
    assert (unseen.count, unseen.n) == (60, 2000)
    assert found.unseen[0].levels == ("east",)
    change = pick_number(found, "drift.missing_change", feature="debts", sex="F")
    missing, rows = judged.loc[judged["sex"] == "F", "debts"].isna().sum(), (judged["sex"] == "F").sum()
    assert change.value == pytest.approx(missing / rows)
    low, high = newcombe_difference(missing, rows, 0, (baseline["sex"] == "F").sum())
    assert (change.low, change.high) == (pytest.approx(low), pytest.approx(high))
    assert pick_number(found, "drift.missing_change", feature="debts", sex="M").value == 0
    assert pick_number(found, "drift.score_psi").value > pick_number(found, "drift.score_psi").chance
    assert pick_number(found, "drift.selection_rate_change", sex="M").low > 0


def test_a_fresh_draw_is_no_drift(tmp_path):
    found = measure_drift(open_drift(tmp_path, make_table(2000, seed=3), make_table(2000, seed=4)))
    for m in found.measurements:
        if m.estimate.chance is not None and not m.group:
            assert m.estimate.value < 2.5 * m.estimate.chance
    change = pick_number(found, "drift.label_rate_change")
    assert change.low < 0 < change.high


def test_a_baseline_needs_neither_label_nor_groups(tmp_path):
    baseline = make_table(500, seed=5)[["income", "debts", "region"]]
    found = measure_drift(open_drift(tmp_path, make_table(500), baseline))
    assert "has no label" in found.parts_not_done["Drift of labels"]
    assert not any(m.group for m in found.measurements)
    assert pick_number(found, "drift.score_psi").n == 500


@pytest.mark.parametrize("role", ["baseline", "later"])
def test_a_table_without_a_feature_is_told_before_anything_is_computed(tmp_path, role):
    with pytest.raises(ConfigError, match="region") as caught:
        open_drift(tmp_path, make_table(500), **{role: make_table(500)[["income", "debts"]]})
    assert caught.value.place == {"baseline": "data.baseline", "later": "data.out_of_time"}[role]


def test_a_table_of_other_content_is_told_before_anything_is_computed(tmp_path):
    with pytest.raises(DataError, match="many") as caught:
        open_drift(tmp_path, make_table(500), make_table(500).assign(debts="many"))
    assert caught.value.place == "data.baseline"


def test_a_number_stays_a_number_where_the_baseline_looks_otherwise(tmp_path):
    baseline = make_table(500, seed=5).assign(debts=1)
    found = measure_drift(open_drift(tmp_path, make_table(500), baseline))
    assert pick_number(found, "drift.feature_ks", feature="debts").value > 0.5


def test_the_training_file_stands_in_for_a_baseline_and_none_is_not_done(tmp_path):
    found = measure_drift(open_drift(tmp_path, make_table(400), train=make_table(400, seed=9)))
    assert found.baseline == "data.train (train.csv)"
    assert isinstance(measure_drift(open_drift(tmp_path, make_table(400))), NotDone)


def test_a_later_period_is_held_against_the_judged_rows(tmp_path):
    judged, later = make_table(1500, seed=1), make_table(1500, seed=2)
    rng = np.random.default_rng(0)
    later["repaid"] = np.where(rng.random(1500) < 0.5, rng.integers(0, 2, 1500), later["repaid"])
    found = measure_drift(open_drift(tmp_path, judged, later=later))
    drop = pick_number(found, "drift.performance_drop")
    areas = [roc_auc_score(frame["repaid"], predict(frame)) for frame in (judged, later)]
    assert drop.value == pytest.approx(areas[0] - areas[1])
    assert 0 < drop.low < drop.value < drop.high
    assert found.parts_not_done["Drift against a baseline"]
    assert pick_number(found, "drift.performance_drop", sex="F").value > 0


def test_a_regression_loses_root_mean_squared_error(tmp_path):
    def amount(seed, noise):
        frame = make_table(800, seed=seed)
        return frame.assign(amount=frame["income"] + np.random.default_rng(seed).normal(0, noise, 800))

    judged, later = amount(1, 2), amount(2, 4)
    data = {"audit": str(tmp_path / "rows.csv"), "out_of_time": str(tmp_path / "later.csv")}
    later.to_csv(tmp_path / "later.csv", index=False)
    case = open_small_case(
        tmp_path,
        judged,
        lambda rows: rows["income"],
        label="amount",
        data=data,
        model={"format": "python", "inputs": ["income"], "output": "value"},
    )
    drop = pick_number(measure_drift(case), "drift.performance_drop")
    errors = [np.sqrt(np.mean((frame["amount"] - frame["income"]) ** 2)) for frame in (judged, later)]
    assert drop.value == pytest.approx(errors[1] - errors[0])
    assert drop.low < 2 < drop.high


def test_stored_scores_leave_out_score_drift(tmp_path):
    judged, baseline = (make_table(500, seed=s) for s in (1, 2))
    baseline.to_csv(tmp_path / "baseline.csv", index=False)
    case = open_small_case(
        tmp_path,
        judged.assign(score=predict(judged)),
        model={"scores": "score"},
        features={"income": {}, "debts": {}},
        exclude=["applicant", "age", "region"],
        data={"audit": str(tmp_path / "rows.csv"), "baseline": str(tmp_path / "baseline.csv")},
    )
    found = measure_drift(case)
    assert "no model" in found.parts_not_done["Drift of scores"]
    assert pick_number(found, "drift.feature_psi", feature="income").value >= 0
    assert not any(m.metric == "drift.score_psi" for m in found.measurements)


def test_frames_of_one_value_have_no_distance():
    same = pd.Series([1.0] * 50).to_numpy()
    ks, moved = distance_estimates(same, same, np.random.default_rng(0))
    assert ks.value == 0
    assert moved.value is None
