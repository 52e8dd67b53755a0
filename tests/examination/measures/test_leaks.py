"""Suspected leaks: a copy of the label is found with a bound, noise is not, rows of the training file are counted."""

from __future__ import annotations

import numpy as np
import pytest
from case_material import open_small_case
from material import make_table
from scipy.special import expit

from audit.examination.measures.leaks import label_as_class, measure_leaks, share_of_duplicates


def predict(frame):
    return expit(0.06 * frame["income"] - 2)


def open_leaky(folder, frame, columns, **over):
    model = {"format": "python", "output": "probability"}
    kept = frame[[*columns, "sex", "repaid"]]
    return open_small_case(folder, kept, predict, model=model, **over)


def by_feature(case):
    return {m.feature: m.estimate for m in measure_leaks(case) if m.metric == "data.single_feature_auc"}


def duplicates(case):
    (found,) = [m.estimate for m in measure_leaks(case) if m.metric == "data.duplicate_share"]
    return found


def test_a_copy_of_the_label_is_told_with_a_bound_and_noise_is_not(tmp_path):
    rng = np.random.default_rng(0)
    frame = make_table(1000)
    frame["outcome"] = np.where(frame["repaid"] == 1, "closed", "collections")
    frame["nearly"] = frame["repaid"] + rng.normal(0, 0.25, 1000)
    frame["noise"] = rng.normal(0, 1, 1000)
    found = by_feature(open_leaky(tmp_path, frame, ["income", "outcome", "nearly", "noise"]))
    smaller = min((frame["repaid"] == 1).sum(), (frame["repaid"] == 0).sum())
    assert found["outcome"].value == 1
    assert found["outcome"].low == pytest.approx(0.025 ** (1 / smaller))
    assert found["outcome"].assessable
    assert 0.97 < found["nearly"].low < found["nearly"].value < 1
    assert found["noise"].low < 0.5 < found["noise"].high
    assert found["noise"].high < found["income"].low < 0.9


def test_a_value_is_split_at_its_median(tmp_path):
    frame = make_table(600).assign(amount=lambda t: t["income"] * 3)
    case = open_small_case(
        tmp_path,
        frame,
        lambda rows: rows["income"],
        label="amount",
        model={"format": "python", "inputs": ["income", "age"], "output": "value"},
    )
    assert label_as_class(case).mean() == pytest.approx(0.5, abs=0.01)
    found = by_feature(case)
    assert found["income"].value > 0.99
    assert found["age"].value == pytest.approx(0.5, abs=0.1)


def test_rows_of_the_training_file_are_found_by_content(tmp_path):
    frame = make_table(500)
    frame.loc[:9, "age"] = np.nan
    training = make_table(500, seed=8)
    training.iloc[:120] = frame.iloc[:120]
    training.to_csv(tmp_path / "train.csv", index=False)
    data = {"audit": str(tmp_path / "rows.csv"), "model_train": str(tmp_path / "train.csv")}
    found = duplicates(open_leaky(tmp_path, frame, ["income", "debts", "age"], data=data))
    assert (found.count, found.n) == (120, 500)
    assert "0.0% of the judged rows equal another judged row" in found.note


def test_coarse_rows_are_alike_without_being_the_same():
    import pandas as pd

    rng = np.random.default_rng(0)
    first, second = (pd.DataFrame({"a": rng.integers(0, 3, 200), "b": rng.choice(["x", "y"], 200)}) for _ in range(2))
    found = share_of_duplicates(first, second, ["a", "b"])
    pairs = set(map(tuple, second.to_numpy().tolist()))
    assert found.count == sum(tuple(row) in pairs for row in first.to_numpy().tolist())
    assert "100.0% of the judged rows" in found.note


def test_training_rows_that_nobody_names_leave_it_undefined(tmp_path):
    found = duplicates(open_leaky(tmp_path, make_table(200), ["income"]))
    assert found.value is None
    assert "not named" in found.note


def test_a_training_file_without_the_columns_says_so(tmp_path):
    make_table(100)[["age", "repaid"]].to_csv(tmp_path / "train.csv", index=False)
    data = {"audit": str(tmp_path / "rows.csv"), "model_train": str(tmp_path / "train.csv")}
    found = duplicates(open_leaky(tmp_path, make_table(200), ["income"], data=data))
    assert found.value is None
    assert "income" in found.note
