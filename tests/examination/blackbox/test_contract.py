"""Models that break one clause each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit.errors import IntakeRefused
from audit.examination.blackbox.contract import TITLES, require_finite
from audit.examination.blackbox.intake import sample_rows, take_in, take_in_callable


@pytest.fixture
def hand_in(tools, people):
    """Return a function that takes in a callable and returns its checks by id."""

    def run(predict, frame=people, **model):
        config = tools.configure(**{"inputs": ["income", "age"], "output": "probability", **model})
        _, intake = take_in_callable(predict, config, tools.Rows(frame))
        return {check.id: check for check in intake.checks}, intake

    return run


def honest(frame):
    return 1 / (1 + np.exp(-(frame["income"].to_numpy() - 30) / 10))


def test_honest_model_passes_every_clause(hand_in):
    checks, intake = hand_in(honest)
    assert {name: check.status for name, check in checks.items()} == {
        **dict.fromkeys(list(TITLES)[:-2], "pass"),
        "gradients": "not_done",
        "uses_columns": "warn",  # it reads the age, and makes nothing of it
    }
    assert intake.notes == ()
    assert intake.unused == ("age",)


def test_random_model_is_refused(hand_in):
    rng = np.random.default_rng(0)
    with pytest.raises(IntakeRefused, match="two equal calls"):
        hand_in(lambda frame: rng.random(len(frame)))


def test_batch_fitted_scaler_fails_alone(hand_in):
    def predict(frame):
        x = frame["income"].to_numpy()
        return 1 / (1 + np.exp(-(x - x.mean())))

    checks, intake = hand_in(predict)
    assert checks["row_independent"].status == "fail"
    assert checks["row_independent"].advice
    assert any("contract does not hold" in note for note in intake.notes)


def test_model_that_carries_a_state_fails_order(hand_in):
    def predict(frame):
        x = honest(frame)
        return np.cumsum(x) / (1 + np.arange(len(x)))

    checks, _ = hand_in(predict)
    assert checks["order_independent"].status == "fail"


def test_model_that_cannot_score_one_row(hand_in):
    def predict(frame):
        if len(frame) < 2:
            raise ValueError("too few rows")
        return honest(frame)

    checks, _ = hand_in(predict)
    assert checks["row_independent"].status == "fail"


def test_logits_declared_as_probabilities(hand_in):
    with pytest.raises(IntakeRefused, match="declared as probability, but they run from") as caught:
        hand_in(lambda frame: frame["income"] - 30)
    assert "scale: logit" in caught.value.hint


def test_several_logits_declared_as_probabilities(hand_in):
    with pytest.raises(IntakeRefused, match="scale: logits"):
        hand_in(lambda frame: np.stack([frame["income"], -frame["income"]], 1), output="probabilities")
    with pytest.raises(IntakeRefused, match="do not sum to 1"):
        hand_in(lambda frame: np.stack([honest(frame), honest(frame)], 1), output="probabilities")


def test_probabilities_declared_as_logits_warn(hand_in):
    checks, _ = hand_in(honest, output="logit")
    assert checks["scale"].status == "warn"
    assert "scale: probability" in checks["scale"].advice


def test_constant_model_warns(hand_in):
    checks, _ = hand_in(lambda frame: np.full(len(frame), 0.3))
    assert checks["varies"].status == "warn"


def test_nan_scores_name_the_gaps(tools, hand_in, people):
    with pytest.raises(IntakeRefused, match="not a number") as caught:
        hand_in(lambda frame: 1 / (1 + np.exp(-frame["debts"].to_numpy())), inputs=["debts"])
    assert "debts" in caught.value.hint
    assert caught.value.exit_code == 3


def test_nan_scores_of_a_net(tools, studio, people):
    inputs = {**tools.BLOCKS, "x_num": [{**tools.BLOCKS["x_num"][0], "missing": None}]}
    with pytest.raises(IntakeRefused, match="4 of 90 rows") as caught:
        take_in(tools.configure(path=str(studio.files["pt2"]), inputs=inputs), tools.Rows(people))
    assert "debts" in caught.value.hint


def test_require_finite_counts_rows():
    require_finite(np.array([1.0, 2.0]))
    with pytest.raises(IntakeRefused, match="2 of 3 rows"):
        require_finite(np.array([[1.0, 2.0], [np.nan, 1.0], [np.inf, 1.0]]))


@pytest.mark.parametrize(
    ("change", "status", "advice"),
    [
        (lambda p: p, "pass", ""),
        (lambda p: p.round(4), "warn", "rounded"),
        (lambda p: 1 - p, "fail", "other class"),
        (lambda p: np.log(p / (1 - p)), "fail", "log-odds"),
        (lambda p: p[::-1], "fail", "preprocessing"),
    ],
)
def test_expected_score(hand_in, people, change, status, advice):
    frame = people.assign(known=change(honest(people)))
    checks, intake = hand_in(honest, frame=frame, expected_score="known")
    assert checks["expected_score"].status == status
    assert advice in checks["expected_score"].advice
    assert intake.columns == ("income", "age")


def test_expected_score_that_is_empty(hand_in, people):
    checks, _ = hand_in(honest, frame=people.assign(known=np.nan), expected_score="known")
    assert checks["expected_score"].status == "not_done"


def test_cut_gradient_warns(tools, people):
    import torch

    class Cut(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lin = torch.nn.Linear(2, 1)

        def forward(self, x):
            return self.lin(x.detach())

    config = tools.configure(inputs=["income", "age"], output="logit")
    model, intake = take_in_callable(Cut(), config, tools.Rows(people))
    assert {check.id: check.status for check in intake.checks}["gradients"] == "warn"
    assert not model.has_gradients


def test_columns_without_effect_are_named(tools, people):
    import torch

    net = torch.nn.Linear(2, 1)
    with torch.no_grad():
        net.weight[0, 1] = 0
    _, intake = take_in_callable(net, tools.configure(inputs=["income", "age"], output="logit"), tools.Rows(people))
    assert "none at age" in {check.id: check.detail for check in intake.checks}["gradients"]


def test_sample_is_seeded_and_ordered(tools):
    rows = tools.Rows(pd.DataFrame({"a": np.arange(5000.0)}))
    one, two, other = sample_rows(rows, 1), sample_rows(rows, 1), sample_rows(rows, 2)
    pd.testing.assert_frame_equal(one, two)
    assert one["a"].is_monotonic_increasing
    assert one["a"].is_unique
    assert not one["a"].equals(other["a"])
