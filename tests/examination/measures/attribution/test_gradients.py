"""Integrated gradients: exact where theory says so, equal to captum, complete to a tolerance, honest where not."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from attribution_material import LEVELS, frame_of, make_mixed_net, make_number_net, open_net
from glass_material import Formula
from torch import nn

from audit.config.model import ModelInput
from audit.examination.blackbox.encode import Encoder
from audit.examination.blackbox.exported import load_exported
from audit.examination.blackbox.loaded import Argument, Loaded
from audit.examination.blackbox.module import wrap_net
from audit.examination.blackbox.network import Network
from audit.examination.blackbox.output import OutputReading
from audit.examination.measures.attribution.gradients import expect_gradients, integrate_gradients


class Function(nn.Module):
    """A net that is a formula of its inputs."""

    def __init__(self, formula) -> None:
        super().__init__()
        self.formula = formula

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.formula(x)


def test_linear_scores_are_taken_apart_exactly():
    weights = torch.tensor([2.0, -1.0, 0.5])
    box, frame = open_net(Function(lambda x: x @ weights + 3), numbers=3), frame_of(50, numbers=3)
    start = frame.iloc[[7]]
    found = integrate_gradients(box, frame, start)
    np.testing.assert_allclose(found.values, (frame.to_numpy() - start.to_numpy()) * weights.numpy(), atol=1e-5)
    assert found.unfinished == 0
    assert found.completeness.max() < 1e-5


def test_a_product_is_shared_evenly():
    box, frame = open_net(Function(lambda x: x[:, 0] * x[:, 1]), numbers=2), frame_of(80, numbers=2, seed=3)
    found = integrate_gradients(box, frame, frame.iloc[:1] * 0)
    half = frame.to_numpy().prod(axis=1) / 2
    np.testing.assert_allclose(found.values, np.column_stack([half, half]), atol=1e-5)


def test_every_row_reaches_the_tolerance_with_nodes_of_its_own():
    box, frame = open_net(make_number_net(8, hidden=32, seed=1), numbers=8), frame_of(300, numbers=8, seed=2)
    loose, tight = (integrate_gradients(box, frame, frame.iloc[:1] * 0, tolerance=t) for t in (0.05, 0.005))
    for found, tolerance in ((loose, 0.05), (tight, 0.005)):
        assert found.completeness.max() <= tolerance * found.link.std()
        assert found.unfinished == 0
    assert loose.evaluations < tight.evaluations < 300 * 512


def test_one_hot_pieces_are_added_up_to_their_column():
    weights = torch.tensor([1.0, 10.0, 20.0, 30.0, 40.0, 50.0])
    blocks = [
        {"kind": "numeric", "columns": ["n0"], "mean": 1.0, "scale": 2.0},
        {"kind": "one_hot", "columns": ["c0"], "levels": {"c0": LEVELS}},
    ]
    encoder = Encoder([ModelInput.model_validate({"name": "", "blocks": blocks})])
    box = Network(wrap_net(Function(lambda x: x @ weights), trust="test"), encoder, OutputReading("logit"), "python")
    frame = frame_of(40, numbers=1, codes=1)
    start = pd.DataFrame({"n0": [0.0], "c0": ["b"]})
    found = integrate_gradients(box, frame, start)
    level = np.array([10.0 * (LEVELS.index(value) + 1) for value in frame["c0"]])
    assert found.columns == ("n0", "c0")
    np.testing.assert_allclose(found.values[:, 1], level - 20.0, atol=1e-4)
    np.testing.assert_allclose(found.values[:, 0], frame["n0"] / 2, atol=1e-5)


def test_embedded_codes_and_numbers_move_on_one_line():
    box, frame = (
        open_net(make_mixed_net(numbers=3, codes=2, seed=0), numbers=3, codes=2),
        frame_of(60, numbers=3, codes=2),
    )
    start = frame_of(1, numbers=3, codes=2, seed=9)
    found = integrate_gradients(box, frame, start)
    assert found.columns == ("n0", "n1", "n2", "c0", "c1")
    assert found.unfinished == 0
    assert found.completeness.max() <= 0.01 * found.link.std()
    same = (frame["c0"] == start["c0"].iloc[0]).to_numpy()
    assert same.any()
    np.testing.assert_allclose(found.values[same, 3], 0, atol=1e-9)  # what does not move adds nothing
    assert np.abs(found.values[~same, 3]).min() > 0


def test_an_exported_program_is_explained_like_the_net_it_came_from():
    net = make_mixed_net(numbers=2, codes=2, seed=4)
    frame, start = frame_of(30, numbers=2, codes=2), frame_of(1, numbers=2, codes=2, seed=9)
    box = open_net(net, numbers=2, codes=2)
    rows = torch.export.Dim("rows", min=2)
    arguments = tuple(box.to_tensors(box.encode(frame)))
    held = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(net, arguments, dynamic_shapes=({0: rows}, {0: rows})), held)
    program = Network(load_exported(held.getvalue()), box._encoder, OutputReading("logit"), "pt2")
    one, other = (integrate_gradients(each, frame, start) for each in (box, program))
    np.testing.assert_allclose(one.values, other.values, atol=1e-5)
    assert other.holds


def test_codes_that_no_table_is_seen_for_make_the_sums_miss():
    net = make_mixed_net(numbers=2, codes=2, seed=0)
    box, frame = open_net(net, numbers=2, codes=2), frame_of(60, numbers=2, codes=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.trace(net, tuple(box.to_tensors(box.encode(frame))))
    loaded = Loaded(scripted, (Argument("num"), Argument("cat")), None, "", ())
    blind = Network(loaded, box._encoder, OutputReading("logit"), "torchscript")
    found = integrate_gradients(blind, frame, frame.iloc[:1])
    assert found is not None
    assert not found.holds
    assert found.unfinished > 30
    assert found.evaluations < 60 * 256  # hopeless sums are given up early


def test_no_gradients_no_attribution():
    assert integrate_gradients(Formula(lambda f: f["age"]), frame_of(3, numbers=1), frame_of(1, numbers=1)) is None
    detached = open_net(Function(lambda x: x.detach().sum(1)), numbers=2)
    found = integrate_gradients(detached, frame_of(20, numbers=2), frame_of(1, numbers=2, seed=5))
    assert found is None or not found.holds


@pytest.mark.parametrize(("scale", "outputs"), [("probability", 1), ("probabilities", 3), ("logits", 3)])
def test_sums_are_on_the_link_scale_whatever_the_model_returns(scale, outputs):
    torch.manual_seed(0)
    layers = [nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, outputs)]
    layers += [nn.Sigmoid()] if scale == "probability" else [nn.Softmax(1)] if scale == "probabilities" else []
    box = open_net(nn.Sequential(*layers).eval(), numbers=4, scale=scale, **({"index": 1} if outputs > 1 else {}))
    frame = frame_of(50, numbers=4, seed=1)
    found = integrate_gradients(box, frame, frame.iloc[:1] * 0)
    np.testing.assert_allclose(found.link, box.link(frame), atol=1e-6)
    assert found.unfinished == 0
    assert found.completeness.max() <= 0.01 * found.link.std()


def test_expected_gradients_of_a_linear_score_are_its_shapley_values_on_average():
    weights = torch.tensor([2.0, -1.0])
    box, frame = open_net(Function(lambda x: x @ weights), numbers=2), frame_of(20, numbers=2)
    background = frame_of(500, numbers=2, seed=8)
    found = expect_gradients(box, frame, background, draws=100, rng=np.random.default_rng(0))
    truth = (frame - background.mean()).to_numpy() * weights.numpy()
    assert (np.abs(found.values - truth) <= 5 * found.se + 1e-6).all()
    again = expect_gradients(box, frame, background, draws=100, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(found.values, again.values)


def test_equal_to_captum_at_equal_nodes():
    captum = pytest.importorskip("captum.attr")
    net = make_number_net(6, hidden=16, seed=0)
    box, frame = open_net(net, numbers=6), frame_of(100, numbers=6)
    own = integrate_gradients(box, frame, frame.iloc[:1] * 0, nodes=20)
    x = torch.tensor(frame.to_numpy(np.float32))
    theirs = captum.IntegratedGradients(lambda given: net(given)[:, 0]).attribute(x, x[:1] * 0, n_steps=20)
    np.testing.assert_allclose(own.values, theirs.detach().numpy(), atol=1e-5)


def test_a_code_that_differs_in_late_rows_alone_is_found():
    """The first thousand rows hold the reference level: what moves is looked for where something moves."""
    net = make_mixed_net(numbers=1, codes=1, seed=0)
    box = open_net(net, numbers=1, codes=1)
    frame = frame_of(1_100, numbers=1, codes=1, seed=0).assign(n0=0.0, c0="a")
    frame.loc[1_099, "c0"] = "d"
    found = integrate_gradients(box, frame, frame.iloc[:1])
    wanted = box.link(frame)[1_099] - box.link(frame)[0]
    assert abs(wanted) > 0.01
    np.testing.assert_allclose(found.values[1_099], [0.0, wanted], atol=0.02 * abs(wanted))
