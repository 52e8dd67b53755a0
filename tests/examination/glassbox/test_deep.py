"""The net by gradient descent: its gradient, its blocks, losses of one's own, bands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from audit import AdditiveNetRegressor
from audit.examination.glassbox.additive import NetOrder, fit_additive
from audit.examination.glassbox.deep import DeepOrder, fit_deep
from audit.examination.glassbox.encoder import fit_encoder
from audit.examination.glassbox.ground import lay_ground
from audit.examination.glassbox.spmm import multiply_rows
from audit.examination.glassbox.subnets import SubNets


def draw(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc"))
    frame["d"] = rng.choice(["u", "v"], n).astype(object)
    truth = np.sin(2 * frame["a"]) + 0.5 * frame["b"] ** 2 + (frame["d"] == "u") * 0.8
    return frame, truth.to_numpy(), rng.normal(size=n)


KINDS = {"a": "number", "b": "number", "c": "number", "d": "category"}


def test_the_sparse_product_has_the_right_gradient():
    design = sp.random(30, 12, density=0.3, format="csr", random_state=0)
    product = multiply_rows(design, torch.device("cpu"))
    tables = torch.randn(12, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    dense = torch.from_numpy(design.toarray()).float()
    torch.testing.assert_close(product(tables), dense @ tables)
    (product(tables) ** 2).sum().backward()
    again = tables.detach().clone().requires_grad_()
    ((dense @ again) ** 2).sum().backward()
    torch.testing.assert_close(tables.grad, again.grad)
    # and against finite differences
    step, at = 1e-2, (3, 2)
    moved = [tables.detach().clone() for _ in range(2)]
    moved[0][at] += step
    moved[1][at] -= step
    slope = ((product(moved[0]) ** 2).sum() - (product(moved[1]) ** 2).sum()) / (2 * step)
    assert abs(slope - tables.grad[at]) < 1e-2 * (1 + abs(slope))


def test_blocks_and_replicas_never_mix():
    frame, _, _ = draw(300)
    encoder = fit_encoder(frame, KINDS, knots=12)
    ground = lay_ground(encoder, encoder.encode(frame), np.ones(300), {})
    nets = SubNets(ground, 3, 1, torch.Generator().manual_seed(1))
    before = nets().detach()
    with torch.no_grad():
        nets.curves.last[1] += 1.0  # feature a, replica 1
    change = (nets().detach() - before).abs().amax(dim=2)
    touched = ground.slots[0].all
    assert change[1, touched].max() > 0.01
    change[1, touched] = 0
    assert change.max() == 0


def test_it_finds_known_shapes_and_its_band_covers_them():
    frame, truth, noise = draw()
    encoder = fit_encoder(frame, KINDS, knots=32)
    encoded = encoder.encode(frame)
    order = NetOrder("net", "regression")
    (box,) = fit_deep(encoder, encoded, truth + 0.5 * noise, order, DeepOrder(replicas=16, steps=300))
    assert box.band == "pointwise 95 %, bootstrap of 16 replicas"
    shape = np.sin(2 * encoded[:, 0])
    shape -= shape.mean()
    term = box.terms[0]
    assert np.sqrt(np.mean((term.look_up(encoded[:, 0]) - shape) ** 2)) < 0.12
    low, high = (term.look_up(encoded[:, 0], edge) for edge in (term.low, term.high))
    assert np.mean((low <= shape) & (shape <= high)) > 0.85
    solved, _ = fit_additive(encoder, encoded, truth + 0.5 * noise, order, rng=np.random.default_rng(0))
    assert np.corrcoef(box.link_encoded(encoded), solved.link_encoded(encoded))[0, 1] > 0.99


def test_a_loss_of_ones_own():
    """The pinball loss at nine tenths: nine of ten targets lie below."""
    frame, truth, noise = draw(2000)
    y = truth + noise

    def pinball(score, target):
        gap = target - score
        return torch.maximum(0.9 * gap, -0.1 * gap)

    model = AdditiveNetRegressor(solver="adam", loss=pinball, steps=300, replicas=4).fit(frame, y)
    assert abs(np.mean(y <= model.predict(frame)) - 0.9) < 0.04


def test_pairs_by_gradient_descent():
    frame, truth, noise = draw(2000)
    y = truth + frame["a"].to_numpy() * frame["c"].to_numpy() + 0.3 * noise
    without = AdditiveNetRegressor(solver="adam", steps=200, replicas=2).fit(frame, y)
    paired = AdditiveNetRegressor(solver="adam", steps=200, replicas=2, interactions=1).fit(frame, y)
    assert paired.tables_[0].pairs[0].features == ("a", "c")
    assert paired.score(frame, y) > without.score(frame, y) + 0.1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_fit_within_rounding():
    frame, truth, noise = draw()
    models = [
        AdditiveNetRegressor(solver="adam", steps=100, replicas=4, device=device).fit(frame, truth + noise)
        for device in ("cpu", "cuda")
    ]
    assert np.corrcoef(*(model.predict(frame) for model in models))[0, 1] > 0.999
