"""Few coefficients behind many knots: what they must hold exactly, and when they are given up."""

from __future__ import annotations

import numpy as np
import pandas as pd

from audit.examination.glassbox.additive import NetOrder, fit_additive
from audit.examination.glassbox.basis import smooth_directions
from audit.examination.glassbox.curvature import RowMap
from audit.examination.glassbox.encoder import fit_encoder
from audit.examination.glassbox.ground import lay_ground
from audit.examination.glassbox.penalty import bend_penalties


def test_straight_lines_are_among_the_directions():
    rng = np.random.default_rng(0)
    x = rng.lognormal(size=3000)
    knots = np.unique(np.quantile(x, np.linspace(0, 1, 40)))
    held = np.histogram(x, np.append(knots, np.inf))[0].astype(float)
    directions = smooth_directions(bend_penalties(knots, x), held)
    assert directions.shape[1] < 20
    for line in (knots, np.ones(knots.size)):
        whole = np.column_stack([np.ones(knots.size), directions])
        gap = whole @ np.linalg.lstsq(whole, line)[0] - line
        assert np.abs(gap).max() < 1e-6 * np.abs(line).max()


def test_the_curvature_is_that_of_the_dense_matrix():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.normal(size=400), "c": [f"l{k % 40}" for k in range(400)]})
    frame.loc[::7, "a"] = np.nan
    encoder = fit_encoder(frame, {"a": "number", "c": "category"}, knots=30)
    ground = lay_ground(encoder, encoder.encode(frame), np.ones(400), {}).with_full(())
    rows = ground.rows
    assert isinstance(rows, RowMap)
    assert rows.basis.sparse
    whole = np.concatenate([part for _, part in rows.slabs()])
    weights = rng.random(400)
    np.testing.assert_allclose(rows.curvature(weights), whole.T @ (whole * weights[:, None]), atol=1e-9)
    at = rng.normal(size=whole.shape[1])
    np.testing.assert_allclose(rows.score(at), whole @ at, atol=1e-9)
    np.testing.assert_allclose(rows.gather(weights), whole.T @ weights, atol=1e-9)


def test_a_spike_gets_all_knots_and_a_line_does_not():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"spiky": rng.integers(0, 50, 4000).astype(float), "plain": rng.normal(size=4000)})
    y = 3.0 * (frame["spiky"] == 17) + frame["plain"] + 0.5 * rng.normal(size=4000)
    encoder = fit_encoder(frame, {"spiky": "number", "plain": "number"}, knots=64)
    box, solution = fit_additive(encoder, encoder.encode(frame), y.to_numpy(), NetOrder("n", "regression"), rng=rng)
    assert solution.basis.full == {0}
    spike = box.terms[0].look_up(np.array([16.0, 17.0, 18.0]))
    assert spike[1] - max(spike[0], spike[2]) > 2.0
