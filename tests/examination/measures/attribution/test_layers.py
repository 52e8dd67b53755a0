"""Layers that were asked for: the numbers are those of the net, and a layer that is not there says so."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attribution_material import frame_of, make_number_net, open_net
from glass_material import make_case
from scipy.stats import spearmanr

from audit.evidence import FeatureUsed
from audit.examination.measures.attribution.layers import measure_layers
from audit.examination.measures.attribution.sample import plan_rows

pytest.importorskip("captum.attr")


def case_of(net, *layers):
    box, frame = open_net(net, numbers=3), frame_of(120, numbers=3)
    features = tuple(FeatureUsed(name=name, kind="number") for name in frame.columns)
    groups = {"side": np.where(frame["n0"] > 0, "a", "b")}
    config = {"explain": {"layers": list(layers)}}
    return make_case(
        frame, link=box.link(frame), blackbox=box, groups=groups, features=features, task="binary", config=config
    )


def test_activations_are_those_of_the_net():
    net = make_number_net(3, hidden=6, seed=2)
    with torch.no_grad():
        net[0].weight[4], net[0].bias[4] = 0.0, -1.0  # a unit that never answers
    case = case_of(net, "1", "0")
    plan = plan_rows(case)
    relu, linear = measure_layers(case, plan)
    with torch.no_grad():
        wanted = net[1](net[0](torch.tensor(plan.people.to_numpy(np.float32)))).double().numpy()
    assert (relu.layer, relu.rows, relu.units, relu.silent) == ("1", len(plan.rows), 6, 1)
    assert relu.zero_share == pytest.approx((wanted == 0).mean())
    assert linear.zero_share == 0.0
    assert len(relu.strongest) == 5
    link = case.blackbox.link(plan.people)
    for unit in relu.strongest:
        column = wanted[:, unit.unit]
        assert unit.correlation == pytest.approx(spearmanr(column, link).statistic, abs=1e-9)
        assert (unit.mean, unit.deviation) == pytest.approx((column.mean(), column.std()), rel=1e-6)
    sizes = [abs(unit.correlation) for unit in relu.strongest]
    assert sizes == sorted(sizes, reverse=True)


def test_a_layer_that_is_not_there_and_no_request():
    net = make_number_net(3, hidden=4, seed=2)
    case = case_of(net, "head")
    (found,) = measure_layers(case, plan_rows(case))
    assert "no layer head; it has 0, 1, 2, 3, 4" in found.not_done
    case = case_of(net)
    assert measure_layers(case, plan_rows(case)) == ()
