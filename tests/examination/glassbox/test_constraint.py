"""Imposed directions hold, and at the optimum."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import cholesky
from scipy.optimize import nnls

from audit.examination.glassbox.additive import NetOrder, fit_additive
from audit.examination.glassbox.constraint import Chain, solve_within
from audit.examination.glassbox.encoder import fit_encoder


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(0, 4), st.sampled_from([1, -1]))
def test_the_minimiser_is_that_of_non_negative_least_squares(seed, length, extra, sign):
    """Steps of the chain as non-negative variables: scipy's NNLS must find the same minimum."""
    rng = np.random.default_rng(seed)
    p = length + extra
    root = rng.normal(size=(p + 3, p))
    matrix = root.T @ root + 0.1 * np.eye(p)
    pull = rng.normal(size=p) * 3
    x = solve_within(cholesky(matrix, lower=True), np.linalg.inv(matrix), pull, (Chain(0, length, sign),))
    assert (sign * np.diff(x[:length]) >= 0).all()
    # x = B z: first slot and the extras free (written as two non-negative parts), steps non-negative
    steps = np.tril(np.ones((length, length)))[:, 1:] * sign
    free = np.zeros((p, 1 + extra))
    free[:length, 0] = 1
    free[length:, 1:] = np.eye(extra)
    full = np.hstack([np.vstack([steps, np.zeros((extra, length - 1))]), free, -free])
    upper = cholesky(matrix)
    z, _ = nnls(upper @ full, np.linalg.solve(upper.T, pull), maxiter=5000)
    best = full @ z

    def loss(v):
        return v @ matrix @ v / 2 - pull @ v

    assert loss(x) <= loss(best) + 1e-6 * (1 + abs(loss(best)))


@pytest.mark.parametrize("direction", ["increasing", "decreasing"])
@pytest.mark.parametrize("family", ["binary", "regression"])
def test_a_noisy_table_keeps_its_imposed_direction(direction, family):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=1500), "z": rng.normal(size=1500)})
    eta = np.sin(3 * frame["x"].to_numpy()) + frame["z"].to_numpy()
    y = (rng.random(1500) < 1 / (1 + np.exp(-eta))).astype(float) if family == "binary" else eta
    encoder = fit_encoder(frame, {"x": "number", "z": "number"}, knots=32)
    order = NetOrder("net", family, "laplace", {"x": direction})
    box, _ = fit_additive(encoder, encoder.encode(frame), y, order, rng=rng)
    steps = np.diff(box.terms[0].y) * (1 if direction == "increasing" else -1)
    assert (steps >= 0).all()
    # the other feature is left alone
    assert box.terms[1].y[-1] - box.terms[1].y[0] > 1.5


def test_an_imposed_direction_that_is_true_costs_nothing():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=2000)})
    y = 2 * frame["x"].to_numpy() + rng.normal(size=2000)
    encoder = fit_encoder(frame, {"x": "number"}, knots=24)
    encoded = encoder.encode(frame)
    tables = [
        fit_additive(encoder, encoded, y, NetOrder("n", "regression", "none", imposed), rng=rng)[0].terms[0].y
        for imposed in (None, {"x": "increasing"})
    ]
    np.testing.assert_allclose(tables[0], tables[1], atol=0.05)


def test_a_boolean_can_be_imposed_and_a_category_cannot():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "b": rng.choice(np.array([True, False], dtype=object), 800),
            "c": rng.choice(np.array(["u", "v"], dtype=object), 800),
        }
    )
    y = -1.0 * (frame["b"].to_numpy() == True) + (frame["c"] == "u").to_numpy() + rng.normal(size=800)  # noqa: E712
    encoder = fit_encoder(frame, {"b": "boolean", "c": "category"}, knots=4)
    order = NetOrder("n", "regression", "none", {"b": "increasing", "c": "increasing"})
    box, _ = fit_additive(encoder, encoder.encode(frame), y, order, rng=rng)
    assert box.terms[0].y[0] == box.terms[0].y[1]
    assert abs(np.diff(box.terms[1].y)[0]) > 0.8
