"""The additive net as a torch module gives the numbers of its tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audit.errors import AuditError
from audit.examination.glassbox.net import AdditiveNet


def hostile_rows(box, frame):
    encoded = box.encoder.encode(frame)
    encoded[::7, 1] = np.nan
    encoded[1::7, 3] = -1
    encoded[2::7, 3] = np.nan
    encoded[3, 0], encoded[4, 0], encoded[5, 1], encoded[6, 1] = 1e15, -1e15, np.inf, -np.inf
    return encoded


@pytest.mark.parametrize("name", ["net_label", "net_surrogate"])
def test_forward_equals_the_tables(fits, truth, name):
    box = fits.models[name]
    encoded = hostile_rows(box, truth[0])
    with torch.no_grad():
        net = AdditiveNet(box)
        got = net(torch.from_numpy(encoded)).numpy()
        parts = net.contributions(torch.from_numpy(encoded)).numpy()
    np.testing.assert_allclose(got, box.link_encoded(encoded), atol=1e-6, rtol=0)
    for j, term in enumerate(box.terms):
        np.testing.assert_allclose(parts[:, j], term.look_up(encoded[:, j]), atol=1e-6, rtol=0)


def test_the_net_can_be_trained_on(fits, truth):
    net = AdditiveNet(fits.models["net_label"])
    x = torch.from_numpy(hostile_rows(fits.models["net_label"], truth[0]))
    loss = torch.nn.functional.binary_cross_entropy_with_logits(net(x), torch.from_numpy(truth[2]))
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())
    assert any(p.grad.abs().sum() > 0 for p in net.parameters())


def test_the_net_survives_export(fits, truth):
    net = AdditiveNet(fits.models["net_label"]).eval()
    x = torch.from_numpy(fits.models["net_label"].encoder.encode(truth[0])[:64])
    program = torch.export.export(net, (x,), dynamic_shapes=({0: torch.export.Dim("rows")},))
    torch.testing.assert_close(program.module()(x[:5]), net(x[:5]))


def test_steps_and_pairs_are_no_hinge_net(fits):
    with pytest.raises(AuditError, match="straight"):
        AdditiveNet(fits.models["ebm_label"])
