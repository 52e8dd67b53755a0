"""Robustness: worst cases that are known in closed form, noise with a known chance to flip, models that misbehave."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from case_material import open_small_case, pick_number
from material import make_table
from scipy.special import expit
from scipy.stats import norm

from audit.evidence import NotDone, Robustness
from audit.examination.measures.robustness.gradient import find_gradient, place_columns
from audit.examination.measures.robustness.measure import measure_robustness
from audit.examination.measures.robustness.probe import Asker

COLUMNS = ["income", "debts", "age"]
WEIGHTS = np.array([0.06, -0.2, 0.01])
BIAS = -1.0
SIZES = (0.05, 0.1, 0.25)


def linear(frame):
    return expit(frame[COLUMNS].to_numpy(float) @ WEIGHTS + BIAS)


def reads(columns=COLUMNS):
    return {"model": {"format": "python", "inputs": list(columns), "output": "probability"}}


@pytest.fixture(scope="module")
def table():
    return make_table(1200)


@pytest.fixture(scope="module")
def linear_file(tmp_path_factory):
    import torch

    class Linear(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.line = torch.nn.Linear(3, 1)
            with torch.no_grad():
                scale = torch.tensor([10.0, 2.0, 5.0])
                self.line.weight.copy_((torch.tensor(WEIGHTS, dtype=torch.float32) * scale)[None, :])
                self.line.bias.copy_(torch.tensor([BIAS]))

        def forward(self, x):
            return self.line(x).squeeze(-1)

    path = tmp_path_factory.mktemp("linear") / "linear.ts.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Linear().eval(), torch.zeros(2, 3)).save(str(path))
    block = {"kind": "numeric", "columns": COLUMNS, "scale": [10.0, 2.0, 5.0], "missing": [30.0, 6.0, 45.0]}
    return {"model": {"path": str(path), "inputs": [block], "output": "logit"}}


def worst_case(table, size, columns=COLUMNS):
    """Return which decisions the worst change turns: each number goes as far as box and range let it."""
    values = table[COLUMNS].to_numpy(float)
    link = values @ WEIGHTS + BIAS
    up = link < 0
    moved = link.copy()
    for at, name in enumerate(COLUMNS):
        if name in columns:
            reach = size * values[:, at].std(ddof=1)
            to = np.where((WEIGHTS[at] > 0) == up, values[:, at] + reach, values[:, at] - reach)
            moved += WEIGHTS[at] * (np.clip(to, values[:, at].min(), values[:, at].max()) - values[:, at])
    return (moved >= 0) != (link >= 0)


def test_the_search_along_gradients_finds_the_worst_case_of_a_linear_score(table, linear_file, tmp_path):
    found = measure_robustness(open_small_case(tmp_path, table, **linear_file))
    assert isinstance(found, Robustness)
    assert Robustness.parse(found.canonical()) == found
    assert found.attack == "gradients"
    for size in SIZES:
        turned = worst_case(table, size)
        rate = pick_number(found, "robustness.attack_flip_rate", outcome=f"{size:g} sd")
        assert (rate.count, rate.n) == (turned.sum(), 1200)
        for sex in ("F", "M"):
            inside = (table["sex"] == sex).to_numpy()
            rate = pick_number(found, "robustness.attack_flip_rate", outcome=f"{size:g} sd", sex=sex)
            assert (rate.count, rate.n) == (turned[inside].sum(), inside.sum())


def test_only_what_is_declared_mutable_is_attacked(table, linear_file, tmp_path):
    case = open_small_case(tmp_path, table, **linear_file, features={"debts": {"mutable": True}})
    found = measure_robustness(case)
    assert [item.feature for item in found.features if item.attacked] == ["debts"]
    rate = pick_number(found, "robustness.attack_flip_rate", outcome="0.25 sd")
    assert rate.count == worst_case(table, 0.25, ["debts"]).sum() > 0


def test_without_gradients_random_corners_are_a_lower_bound_that_says_so(table, tmp_path):
    found = measure_robustness(open_small_case(tmp_path, table, linear, **reads()))
    assert found.attack == "random directions"
    assert any("lower bound" in note for note in found.notes)
    counts = [pick_number(found, "robustness.attack_flip_rate", outcome=f"{size:g} sd").count for size in SIZES]
    assert counts == sorted(counts)
    for size, count in zip(SIZES, counts, strict=True):
        noise = pick_number(found, "robustness.noise_flip_rate", outcome=f"{size:g} sd").count
        # eight corners of three numbers: sixteen tries find nearly all of what there is, and never more
        assert noise < count <= worst_case(table, size).sum()
        assert count > 0.75 * worst_case(table, size).sum()


def test_noise_flips_as_often_as_the_normal_distribution_says(table, tmp_path):
    found = measure_robustness(open_small_case(tmp_path, table, linear, **reads()))
    values = table[COLUMNS].to_numpy(float)
    link = values @ WEIGHTS + BIAS
    for size in SIZES:
        spread = size * np.sqrt(((WEIGHTS * values.std(axis=0, ddof=1)) ** 2).sum())
        chances = norm.cdf(-np.abs(link) / spread)
        rate = pick_number(found, "robustness.noise_flip_rate", outcome=f"{size:g} sd")
        assert abs(rate.value - chances.mean()) < 4 * np.sqrt((chances * (1 - chances)).sum()) / 1200
        assert rate.low < rate.value < rate.high
    again = measure_robustness(open_small_case(tmp_path, table, linear, **reads()))
    assert again.measurements == found.measurements


def test_what_noise_costs_is_the_paired_difference_of_auc(table, tmp_path):
    from sklearn.metrics import roc_auc_score

    case = open_small_case(tmp_path, table, linear, **reads())
    found = measure_robustness(case)
    numbers = case.frame[COLUMNS].to_numpy(float)
    noise = case.rng("robustness noise").standard_normal(numbers.shape)
    moved = numbers + 0.25 * numbers.std(axis=0, ddof=1) * noise
    moved = np.clip(moved, numbers.min(axis=0), numbers.max(axis=0))
    before, after = (expit(x @ WEIGHTS + BIAS) for x in (numbers, moved))
    drop = pick_number(found, "robustness.noise_drop", outcome="0.25 sd")
    label = table["repaid"]
    assert drop.value == pytest.approx(roc_auc_score(label, before) - roc_auc_score(label, after))
    assert drop.low < drop.value < drop.high


def test_an_input_that_is_ignored_may_be_missing_and_one_that_matters_may_not_be_accepted(table, tmp_path):
    def predict(frame):
        score = expit(0.06 * frame["income"] - 2)
        return np.where(frame["debts"].isna(), np.nan, score)

    found = measure_robustness(open_small_case(tmp_path, table, predict, **reads()))
    assert set(found.refuses_missing) == {"income", "debts"}
    assert pick_number(found, "robustness.missing_flip_rate", feature="age").count == 0
    assert pick_number(found, "robustness.missing_drop", feature="age").value == 0


def test_a_missing_value_is_filled_as_the_block_says(table, linear_file, tmp_path):
    found = measure_robustness(open_small_case(tmp_path, table, **linear_file))
    values = table[COLUMNS].to_numpy(float)
    filled = values.copy()
    filled[:, 1] = 6.0
    turned = (filled @ WEIGHTS + BIAS >= 0) != (values @ WEIGHTS + BIAS >= 0)
    assert pick_number(found, "robustness.missing_flip_rate", feature="debts").count == turned.sum()
    assert found.refuses_missing == ()


def test_a_constant_model_flips_nothing(table, tmp_path):
    found = measure_robustness(open_small_case(tmp_path, table, lambda frame: np.full(len(frame), 0.7), **reads()))
    assert pick_number(found, "robustness.noise_flip_rate", outcome="0.25 sd").value == 0
    assert pick_number(found, "robustness.attack_flip_rate", outcome="0.25 sd").value == 0
    assert pick_number(found, "robustness.noise_score_change", outcome="0.25 sd").value is None
    gap = pick_number(found, "robustness.noise_flip_gap", outcome="0.25 sd", attribute="sex")
    assert gap.low == 0 <= gap.high


def test_rows_that_the_model_cannot_take_are_counted_and_bound_the_rate(table, tmp_path):
    def predict(frame):
        if (frame["age"] % 1 != 0).any() and (frame["age"] > 78).any():
            raise ValueError("no such age")
        return linear(frame)

    found = measure_robustness(open_small_case(tmp_path, table.head(400), predict, **reads()))
    rate = pick_number(found, "robustness.noise_flip_rate", outcome="0.05 sd")
    assert 350 < rate.n < 400
    assert f"{400 - rate.n:,} of 400 changed rows got no score" in rate.note


def test_failing_rows_are_found_by_halving_and_the_search_ends(table, tmp_path):
    case = open_small_case(tmp_path, table, linear, **reads())

    from audit.examination.blackbox.decision import plan_decision
    from audit.examination.blackbox.function import FunctionModel

    def predict(frame):
        if (frame["age"] > 78).any():
            raise ValueError("too old")
        return linear(frame)

    picky = FunctionModel(predict, case.blackbox.columns, case.blackbox.reading)
    ask = Asker(picky, plan_decision(case.config, case.dataset))
    answer = ask(case.frame)
    assert (answer.known == (case.frame["age"] <= 78).to_numpy()).all()
    assert np.allclose(answer.score[answer.known], linear(case.frame)[answer.known])
    never = FunctionModel(lambda frame: 1 / 0, case.blackbox.columns, case.blackbox.reading)
    ask = Asker(never, plan_decision(case.config, case.dataset), splits=100)
    assert not ask(case.frame).known.any()
    assert ask.splits <= 0


def test_a_slow_model_is_asked_about_fewer_rows_and_both_numbers_are_printed(table, tmp_path):
    case = open_small_case(tmp_path, table, linear, **reads())
    found = measure_robustness(replace(case, intake=case.intake.model_copy(update={"pace": 300})))
    assert 50 <= found.rows < 120
    assert "about 300 rows a second" in found.drawn
    assert f"{found.rows:,} of 1,200 rows" in found.drawn


def test_who_stands_near_the_cut_is_counted(table, tmp_path):
    found = measure_robustness(open_small_case(tmp_path, table, linear, **reads(), decision="score >= 0.4"))
    score = linear(table)
    for x in (0.01, 0.05, 0.1):
        assert (
            pick_number(found, "robustness.near_cut_share", outcome=f"within {x:g}").count
            == (np.abs(score - 0.4) <= x).sum()
        )
    inside = (table["sex"] == "F").to_numpy()
    near = pick_number(found, "robustness.near_cut_share", outcome="within 0.1", sex="F")
    assert near.count == (np.abs(score[inside] - 0.4) <= 0.1).sum()


def test_stored_scores_have_no_model_to_ask_but_a_cut_and_conformal_sets(table, tmp_path):
    frame = table.assign(score=linear(table))
    case = open_small_case(tmp_path, frame, model={"scores": "score"})
    found = measure_robustness(case)
    assert found.rows == 0
    assert "no model that could be asked again" in found.parts_not_done["Small changes of the inputs"]
    assert {m.metric.split("_")[0] for m in found.measurements} == {"robustness.near", "robustness.conformal"}


def test_nothing_to_measure_is_not_done(table, tmp_path):
    frame = table.assign(decided=np.where(linear(table) > 0.5, "yes", "no"))
    case = open_small_case(tmp_path, frame, label=None, decision={"column": "decided", "favourable": "yes"})
    assert isinstance(measure_robustness(case), NotDone)


def test_a_regression_without_a_decision_has_score_changes_and_drops(table, tmp_path):
    frame = table.assign(amount=table["income"] * 2 - table["debts"] + np.random.default_rng(0).normal(0, 3, 1200))
    case = open_small_case(
        tmp_path,
        frame,
        lambda rows: 2 * rows["income"] - rows["debts"],
        label="amount",
        model={"format": "python", "inputs": ["income", "debts"], "output": "value"},
    )
    found = measure_robustness(case)
    assert "no decision" in found.parts_not_done["Flipped decisions"]
    drop = pick_number(found, "robustness.noise_drop", outcome="0.25 sd")
    assert 0 < drop.low < drop.value < drop.high
    noise, attack = (
        pick_number(found, f"robustness.{kind}_score_change", outcome="0.1 sd").value for kind in ("noise", "attack")
    )
    spread = 2 * frame["income"].std() / (2 * frame["income"] - frame["debts"]).std()
    assert noise == pytest.approx(0.1 * spread * np.sqrt(2 / np.pi), rel=0.1)
    assert attack == pytest.approx(
        0.1 * (2 * frame["income"].std() + frame["debts"].std()) / (2 * frame["income"] - frame["debts"]).std(), rel=0.1
    )


def test_several_classes(table, tmp_path):
    def predict(frame):
        link = np.column_stack([np.zeros(len(frame)), 0.08 * frame["income"] - 2.5, 0.3 * frame["debts"] - 2])
        return np.exp(link) / np.exp(link).sum(axis=1, keepdims=True)

    rng, chances = np.random.default_rng(0), predict(table)
    kind = np.array(["a", "b", "c"])[(chances.cumsum(axis=1) < rng.random(1200)[:, None]).sum(axis=1)]
    output = {"scale": "probabilities", "classes": ["a", "b", "c"]}
    case = open_small_case(
        tmp_path,
        table.assign(kind=kind),
        predict,
        label="kind",
        model={"format": "python", "inputs": ["income", "debts"], "output": output},
        decision={"favourable": ["a", "b"]},
    )
    found = measure_robustness(case)
    sizes = [pick_number(found, "robustness.noise_flip_rate", outcome=f"{size:g} sd").value for size in SIZES]
    assert 0 < sizes[0] < sizes[2]
    assert "no single cut" in found.parts_not_done["People near the cut"]
    assert pick_number(found, "robustness.conformal_coverage").value == pytest.approx(0.9, abs=0.04)
    assert 1 < pick_number(found, "robustness.conformal_set_size").value < 3


def test_the_gradient_along_columns_is_that_of_finite_differences(table, linear_file, tmp_path):
    case = open_small_case(tmp_path, table, **linear_file)
    gradient = find_gradient(case, ["debts", "income"])
    assert np.allclose(gradient(case.frame.head(5)), [[-0.2, 0.06]] * 5, atol=1e-6)
    assert find_gradient(case, ["unread"]) is None
    assert find_gradient(open_small_case(tmp_path, table, linear, **reads()), ["income"]) is None


def test_numbers_are_found_behind_other_blocks():
    from audit.config.model import ModelInput

    inputs = (
        ModelInput(
            blocks=(
                {"kind": "one_hot", "columns": ("job",), "levels": {"job": ("a", "b", "c")}},
                {"kind": "numeric", "columns": ("x", "y"), "scale": (2.0, 4.0), "indicator": True},
                {"kind": "numeric", "columns": ("z",)},
            )
        ),
    )
    assert list(place_columns(inputs)) == [("x", 0, 3, 2.0), ("y", 0, 4, 4.0), ("z", 0, 7, 1.0)]
