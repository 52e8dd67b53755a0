"""What captum is asked: right numbers where it can answer, a reason where it cannot; without captum the reason."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from attribution_material import frame_of, make_mixed_net, make_number_net, open_net
from glass_material import Formula
from torch import nn

from audit.evidence import NotDone
from audit.examination.measures.attribution import captum_methods as borrowed


def test_without_captum_every_method_says_so(monkeypatch):
    monkeypatch.setattr(borrowed, "has_captum", lambda: False)
    box, frame = open_net(make_number_net(2, hidden=4, seed=0), numbers=2), frame_of(5, numbers=2)
    methods = (
        borrowed.attribute_ablation,
        borrowed.attribute_deep_lift,
        borrowed.attribute_relevance,
        borrowed.attribute_saliency,
    )
    found = [method(box, frame, frame.iloc[:1]) for method in methods] + [borrowed.activate_layer(box, frame, "0")]
    assert all(isinstance(item, NotDone) and "extra `explain`" in item.not_done for item in found)


class TestWithCaptum:
    @pytest.fixture(autouse=True)
    def _needs_captum(self):
        pytest.importorskip("captum.attr")

    def test_ablation_replaces_whole_columns_of_any_format(self):
        frame = frame_of(20, numbers=2)
        formula = Formula(lambda f: f["n0"] * f["n1"] + f["n0"], ("n0", "n1"))
        found = borrowed.attribute_ablation(formula, frame, frame.iloc[[3]])
        (x, y), (a, b) = frame.to_numpy().T, frame.to_numpy()[3]
        np.testing.assert_allclose(found.values[:, 0], x * y + x - (a * y + a), atol=1e-12)
        np.testing.assert_allclose(found.values[:, 1], x * y - x * b, atol=1e-12)

    def test_deep_lift_adds_up_also_through_embeddings(self):
        box = open_net(make_mixed_net(numbers=2, codes=2, seed=1), numbers=2, codes=2)
        frame, start = frame_of(30, numbers=2, codes=2), frame_of(1, numbers=2, codes=2, seed=9)
        before = box.link(frame)
        found = borrowed.attribute_deep_lift(box, frame, start)
        assert found.completeness.max() < 1e-4
        assert np.abs(found.values).mean(axis=0).min() > 1e-3
        np.testing.assert_array_equal(box.link(frame), before)  # its hooks sat on a copy

    def test_steps_that_deep_lift_does_not_know_are_found_by_their_sums(self):
        class Product(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(2, 2)

            def forward(self, x):
                return torch.exp(self.layer(x)).prod(dim=1)

        torch.manual_seed(0)
        box, frame = open_net(Product(), numbers=2), frame_of(30, numbers=2)
        found = borrowed.attribute_deep_lift(box, frame, frame.iloc[:1])
        assert isinstance(found, NotDone)
        assert "miss the scores" in found.not_done

    def test_relevance_of_plain_layers_and_refusal_of_others(self):
        plain = nn.Sequential(nn.Linear(3, 1, bias=False))
        box, frame = open_net(plain, numbers=3), frame_of(10, numbers=3)
        found = borrowed.attribute_relevance(box, frame, frame.iloc[:1])
        np.testing.assert_allclose(
            found.values, frame.to_numpy() * plain[0].weight.detach().numpy(), rtol=1e-3, atol=1e-5
        )
        assert not found.sums
        odd = open_net(nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1)), numbers=3)
        refused = borrowed.attribute_relevance(odd, frame, frame.iloc[:1])
        assert isinstance(refused, NotDone)
        assert "layer" in refused.not_done

    def test_saliency_is_the_size_of_the_gradient(self):
        weights = nn.Sequential(nn.Linear(2, 1))
        box, frame = open_net(weights, numbers=2), frame_of(8, numbers=2)
        found = borrowed.attribute_saliency(box, frame, frame.iloc[:1])
        wanted = np.abs(weights[0].weight.detach().numpy()).repeat(8, axis=0)
        np.testing.assert_allclose(found.values, wanted, rtol=1e-5)

    def test_activations_of_one_layer(self):
        net = make_number_net(3, hidden=5, seed=0)
        box, frame = open_net(net, numbers=3), frame_of(6, numbers=3)
        wanted = net[1](net[0](torch.tensor(frame.to_numpy(np.float32)))).detach().numpy()
        np.testing.assert_allclose(borrowed.activate_layer(box, frame, "1"), wanted, atol=1e-6)
        assert "no layer x" in borrowed.activate_layer(box, frame, "x").not_done

    def test_formats_without_layers_or_gradients_say_so(self):
        frame = frame_of(4, numbers=2)
        formula = Formula(lambda f: f["n0"], ("n0", "n1"))
        assert "no gradients" in borrowed.attribute_saliency(formula, frame, frame.iloc[:1]).not_done
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(make_number_net(2, hidden=3, seed=0), torch.zeros(2, 2))
        scripted = open_net(traced, numbers=2)
        assert borrowed.attribute_deep_lift(scripted, frame, frame.iloc[:1]).not_done == borrowed.NO_LAYERS
