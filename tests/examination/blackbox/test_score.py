"""Every row once, in order, and decided."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit.errors import ConfigError, IntakeRefused
from audit.examination.blackbox.intake import take_in, take_in_callable
from audit.examination.blackbox.score import apply_condition, assign_bands, decide, score_rows


class Listener:
    def __init__(self):
        self.heard = []

    def stage(self, name):
        raise AssertionError("score_rows opens no stage of its own")

    def step(self, done, total):
        self.heard.append((done, total))


SCORES = np.array([0.2, 0.5, 0.5000001, 0.9])


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("score >= 0.5", [0, 1, 1, 1]),
        ("score > 0.5", [0, 0, 1, 1]),
        ("score < 0.5", [1, 0, 0, 0]),
        (" score<=5e-1 ", [1, 1, 0, 0]),
    ],
)
def test_conditions(condition, holds):
    np.testing.assert_array_equal(apply_condition(condition, SCORES), np.array(holds, dtype=bool))


@pytest.mark.parametrize("condition", ["score == 1", "0.5", "score >= x", "scores > 1"])
def test_what_is_no_condition(condition):
    with pytest.raises((ConfigError, ValueError)):
        apply_condition(condition, SCORES)


@pytest.mark.parametrize(
    ("decision", "favourable", "positive"),
    [
        (None, [0, 1, 1, 1], [0, 1, 1, 1]),
        ({"favourable": "score < 0.5"}, [1, 0, 0, 0], [0, 1, 1, 1]),
        ({"favourable": "score <= 0.5"}, [1, 1, 0, 0], [0, 0, 1, 1]),
    ],
)
def test_positive_is_the_high_side(tools, decision, favourable, positive):
    """Where a high score is bad for the person, the favourable side is low and the predicted positive stays high."""
    made = decide(tools.configure(decision=decision), tools.Rows(pd.DataFrame({"a": SCORES})), SCORES, SCORES)
    np.testing.assert_array_equal(made.favourable, np.array(favourable, dtype=bool))
    np.testing.assert_array_equal(made.predicted_positive, np.array(positive, dtype=bool))


def test_bands(tools):
    bands = {"approve": "score >= 0.7", "refer": "score >= 0.5", "decline": "otherwise"}
    np.testing.assert_array_equal(assign_bands(bands, SCORES), ["decline", "refer", "refer", "approve"])
    rows = tools.Rows(pd.DataFrame({"a": SCORES}))
    for rule, favourable, positive in (
        ({"bands": bands}, [0, 0, 0, 1], [0, 0, 0, 1]),
        ({"bands": bands, "favourable": "refer"}, [0, 1, 1, 0], None),
        ({"bands": bands, "favourable": "score >= 0.5"}, [0, 1, 1, 1], [0, 1, 1, 1]),
        ({"bands": bands, "favourable": ["refer", "decline"]}, [1, 1, 1, 0], [0, 0, 0, 1]),
        ({"bands": bands, "favourable": ["approve", "decline"]}, [1, 0, 0, 1], None),
    ):
        made = decide(tools.configure(decision=rule), rows, SCORES, SCORES)
        np.testing.assert_array_equal(made.favourable, np.array(favourable, dtype=bool))
        np.testing.assert_array_equal(made.bands, ["decline", "refer", "refer", "approve"])
        assert made.outcomes == ("approve", "refer", "decline")
        np.testing.assert_array_equal(made.outcome, [2, 1, 1, 0])
        assert made.truth is None
        if positive is None:
            assert made.predicted_positive is None
            assert "predict no class" in made.notes[0]
        else:
            np.testing.assert_array_equal(made.predicted_positive, np.array(positive, dtype=bool))
    with pytest.raises(ConfigError, match="fall into no band"):
        assign_bands({"approve": "score >= 0.7"}, SCORES)
    with pytest.raises(ConfigError, match="did you mean 'approve'"):
        decide(tools.configure(decision={"bands": bands, "favourable": "aprove"}), rows, SCORES, SCORES)


def test_a_value_has_no_natural_cut(tools):
    rows = tools.Rows(pd.DataFrame({"a": SCORES}))
    made = decide(tools.configure(output="value"), rows, SCORES, SCORES)
    assert made.favourable is None
    assert made.predicted_positive is None
    made = decide(tools.configure(output="value", decision={"favourable": "score > 0.6"}), rows, SCORES, SCORES)
    assert made.favourable.sum() == 1


def test_stored_decisions_beside_scores(tools):
    frame = pd.DataFrame({"a": SCORES, "d": ["y", "y", "n", "n"]})
    made = decide(tools.configure(decision={"column": "d", "favourable": "y"}), tools.Rows(frame), SCORES, SCORES)
    np.testing.assert_array_equal(made.favourable, [True, True, False, False])
    np.testing.assert_array_equal(made.predicted_positive, [False, False, True, True])
    assert "unfavourable decision is taken" in made.notes[0]


def test_batches_keep_the_order_and_report(tools, studio, people, truth):
    config = tools.configure(path=str(studio.files["torchscript"]), inputs=tools.BLOCKS, output="logit")
    rows, listener = tools.Rows(people, size=1000), Listener()
    rows_small = tools.Rows(people, size=7)
    model, _ = take_in(config, rows)
    whole = score_rows(model, rows, config, progress=listener)
    parts = score_rows(model, rows_small, config, batch=7)
    np.testing.assert_allclose(whole.score, parts.score, atol=1e-7)
    np.testing.assert_allclose(whole.link, truth, atol=1e-6)
    assert listener.heard == [(90, 90)]


def test_chunks_inside_the_network(tools, studio, people, monkeypatch, truth):
    from audit.examination.blackbox import network

    monkeypatch.setattr(network, "CHUNK", 13)
    model, _ = take_in(
        tools.configure(path=str(studio.files["pt2"]), inputs=tools.BLOCKS, output="logit"), tools.Rows(people)
    )
    np.testing.assert_allclose(model.link(people), truth, atol=1e-6)


def test_nan_outside_the_sample_is_still_refused(tools, people):
    from audit.examination.blackbox.intake import sample_rows

    rows = tools.Rows(pd.concat([people] * 8, ignore_index=True), size=100)
    seed = next(seed for seed in range(100) if 719 not in sample_rows(rows, seed).index)

    def predict(frame):
        out = 1 / (1 + np.exp(-frame["income"].to_numpy() / 30))
        out[frame.index.to_numpy() == 719] = np.nan
        return out

    config = tools.configure(inputs=["income"], output="probability", seed=seed)
    model, _ = take_in_callable(predict, config, rows)
    with pytest.raises(IntakeRefused, match="1 of 20 rows"):
        score_rows(model, rows, config)


def test_export_with_a_smallest_batch(tools, people, tmp_path):
    """An export that asks for at least 4 rows is still asked for one row alone."""
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).eval()
    path = tmp_path / "min.pt2"
    batch = torch.export.Dim("batch", min=4, max=32)
    torch.export.save(torch.export.export(net, (torch.randn(8, 2),), dynamic_shapes=({0: batch},)), path)
    config = tools.configure(path=str(path), inputs=[{"columns": ["income", "age"], "scale": 30.0}], output="logit")
    model, intake = take_in(config, tools.Rows(people))
    with torch.no_grad():
        wanted = net(torch.tensor(people[["income", "age"]].to_numpy() / 30, dtype=torch.float32))[:, 0]
    np.testing.assert_allclose(model.link(people), wanted, atol=1e-6)
    assert {check.id: check.status for check in intake.checks}["row_independent"] == "pass"
