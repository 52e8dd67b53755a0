"""The solved net against other people's fits and against known truths."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from audit.examination.glassbox.additive import NetOrder, fit_additive
from audit.examination.glassbox.bands import standard_errors
from audit.examination.glassbox.encoder import fit_encoder
from audit.examination.glassbox.ground import lay_ground
from audit.examination.glassbox.solver import solve_tables

SHAPES = (
    lambda x: np.sin(2 * x),
    lambda x: 0.5 * x**2,
    lambda x: 0.8 * x,
    lambda x: np.tanh(3 * x),
    lambda x: 0 * x,
)


def make_additive(n, seed, *, binary, rho=0.0):
    rng = np.random.default_rng(seed)
    x = np.sqrt(1 - rho) * rng.normal(size=(n, 5)) + np.sqrt(rho) * rng.normal(size=(n, 1))
    eta = sum(shape(x[:, j]) for j, shape in enumerate(SHAPES))
    eta = eta - eta.mean()
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float) if binary else eta + rng.normal(size=n)
    frame = pd.DataFrame({f"x{j}": x[:, j] for j in range(5)})
    encoder = fit_encoder(frame, {name: "number" for name in frame}, knots=48)
    return encoder, encoder.encode(frame), y


def fit(encoder, encoded, y, *, binary, band="laplace", weights=None, monotone=None):
    order = NetOrder("net", "binary" if binary else "regression", band, monotone)
    return fit_additive(encoder, encoded, y, order, rng=np.random.default_rng(0), weights=weights)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_without_penalty_it_is_a_generalised_linear_model(binary, weighted):
    """Categories alone, penalties switched off: statsmodels' GLM on dummies must give the same fit."""
    import statsmodels.api as sm

    rng = np.random.default_rng(5)
    n = 1200
    frame = pd.DataFrame(
        {
            "a": rng.choice(["p", "q", "r"], n).astype(object),
            "b": rng.choice(["u", "v"], n).astype(object),
        }
    )
    eta = (frame["a"] == "p") * 0.9 - (frame["b"] == "v") * 0.7 + 0.2
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float) if binary else eta + rng.normal(size=n)
    y = np.asarray(y)
    weights = rng.uniform(0.2, 3.0, n) if weighted else None
    encoder = fit_encoder(frame, {"a": "category", "b": "category"}, knots=4)
    encoded = encoder.encode(frame)
    even = np.ones(n) if weights is None else weights / weights.mean()
    problem = lay_ground(encoder, encoded, even, {}).with_full(()).pose(y, logistic=binary)
    begun = solve_tables(problem)
    loose = dataclasses.replace(begun, strengths=np.full_like(begun.strengths, 1e-7))
    solution = solve_tables(problem, start=loose, learn=False, steps=60)
    dummies = sm.add_constant(pd.get_dummies(frame, drop_first=True).astype(float))
    family = sm.families.Binomial() if binary else sm.families.Gaussian()
    oracle = sm.GLM(y, dummies, family=family, freq_weights=weights).fit()
    expected = np.asarray(dummies) @ oracle.params.to_numpy()
    np.testing.assert_allclose(problem.score(solution.coefficients), expected, atol=2e-4)


def test_a_linear_truth_is_found_as_well_as_by_logistic_regression():
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    rng = np.random.default_rng(0)
    x = rng.normal(size=(6000, 4))
    eta = x @ [1.0, -0.5, 0.25, 0.0]
    y = (rng.random(6000) < 1 / (1 + np.exp(-eta))).astype(float)
    frame = pd.DataFrame(x, columns=list("abcd"))
    encoder = fit_encoder(frame, dict.fromkeys("abcd", "number"), knots=64)
    encoded = encoder.encode(frame)
    box, _ = fit(encoder, encoded[:4000], y[:4000], binary=True)
    ours = 1 / (1 + np.exp(-box.link_encoded(encoded[4000:])))
    theirs = LogisticRegression(C=1e6).fit(x[:4000], y[:4000]).predict_proba(x[4000:])[:, 1]
    assert log_loss(y[4000:], ours) < log_loss(y[4000:], theirs) + 0.004
    assert np.corrcoef(ours, theirs)[0, 1] > 0.99


@pytest.mark.parametrize(("binary", "rho", "n", "worst"), [(False, 0.0, 2000, 0.09), (True, 0.4, 4000, 0.16)])
def test_known_shapes_are_recovered_and_covered(binary, rho, n, worst):
    errors, covered = [], []
    for seed in range(3):
        encoder, encoded, y = make_additive(n, seed, binary=binary, rho=rho)
        box, solution = fit(encoder, encoded, y, binary=binary)
        assert solution.converged
        for j, shape in enumerate(SHAPES):
            x, term = encoded[:, j], box.terms[j]
            target = shape(x) - shape(x).mean()
            errors.append(np.sqrt(np.mean((term.look_up(x) - target) ** 2)))
            low, high = term.look_up(x, term.low), term.look_up(x, term.high)
            covered.append(np.mean((low <= target) & (target <= high)))
    assert np.mean(errors) < worst
    # right on average along the curves: nominal 95 %
    assert 0.90 < np.mean(covered) <= 1.0


def test_tables_are_centred_over_the_rows_they_were_fitted_on(fits, truth):
    frame, _, _ = truth
    for name in ("net_label", "net_surrogate"):
        box = fits.models[name]
        encoded = box.encoder.encode(frame)
        for j, term in enumerate(box.terms):
            assert abs(term.look_up(encoded[:, j]).mean()) < 1e-9


def test_the_sandwich_is_the_spread_over_new_rows():
    """A surrogate's band: refits on new rows of the same black box scatter as the band says."""
    rng = np.random.default_rng(1)

    def draw(n):
        x = rng.normal(size=(n, 2))
        frame = pd.DataFrame(x, columns=["a", "b"])
        return frame, np.tanh(x[:, 0]) + 0.5 * x[:, 0] * x[:, 1]  # not additive: the residual is misfit

    frame, target = draw(1500)
    encoder = fit_encoder(frame, {"a": "number", "b": "number"}, knots=12)
    order = NetOrder("net", "regression", "sandwich")
    box, solution = fit_additive(encoder, encoder.encode(frame), target, order, rng=rng)
    curves = []
    for _ in range(60):
        again, values = draw(1500)
        part, _ = fit_additive(
            encoder, encoder.encode(again), values, NetOrder("net", "regression", "none"), rng=rng, start=solution
        )
        curves.append(part.terms[0].y)
    scatter = np.std(curves, axis=0, ddof=1)
    ours = (box.terms[0].high - box.terms[0].low) / 2 / 1.96
    inner = slice(2, -2)
    ratio = np.median(ours[inner] / scatter[inner])
    assert 0.75 < ratio < 1.6
    # and Laplace, which takes misfit for noise of equal size everywhere, would be too narrow at the ends
    ground = lay_ground(encoder, encoder.encode(frame), np.ones(len(frame)), {}).with_full(solution.basis.full)
    problem = ground.pose(target, logistic=False)
    laplace = standard_errors(problem, solution, "laplace")[: encoder.codes[0].knots.size]
    assert laplace[0] < ours[0]


def test_many_rows_learn_their_penalties_on_a_part():
    encoder, encoded, y = make_additive(20_000, 0, binary=True)
    box, solution = fit(encoder, encoded, y, binary=True)
    assert solution.converged
    for j, shape in enumerate(SHAPES):
        x = encoded[:, j]
        target = shape(x) - shape(x).mean()
        assert np.sqrt(np.mean((box.terms[j].look_up(x) - target) ** 2)) < 0.12


def test_row_weights_mean_repeated_rows_for_the_tables():
    encoder, encoded, y = make_additive(800, 2, binary=True)
    weights = np.where(np.arange(800) < 300, 2.0, 1.0)
    twice = np.concatenate([np.arange(800), np.arange(300)])
    box, _ = fit(encoder, encoded, y, binary=True, weights=weights)
    again, _ = fit(encoder, encoded[twice], y[twice], binary=True)
    # not to the last digit: what is learned about smoothness sees 800 rows or 1,100
    for a, b in zip(box.terms, again.terms, strict=True):
        assert np.corrcoef(a.look_up(encoded[:, 0]), b.look_up(encoded[:, 0]))[0, 1] > 0.95 or np.ptp(b.y) < 0.1


def test_duplicate_features_do_not_break_the_solver():
    encoder, encoded, y = make_additive(600, 4, binary=True)
    doubled = encoded.copy()
    doubled[:, 1] = doubled[:, 0]
    frame = pd.DataFrame(doubled, columns=[f"x{j}" for j in range(5)])
    encoder = fit_encoder(frame, {name: "number" for name in frame}, knots=24)
    box, _ = fit(encoder, doubled, y, binary=True)
    assert np.isfinite(box.link_encoded(doubled)).all()


def test_perfectly_separated_labels_stay_finite():
    frame = pd.DataFrame({"x": np.linspace(0, 1, 400)})
    encoder = fit_encoder(frame, {"x": "number"}, knots=16)
    y = (frame["x"].to_numpy() > 0.5).astype(float)
    box, _ = fit(encoder, encoder.encode(frame), y, binary=True)
    link = box.link(frame)
    assert np.isfinite(link).all()
    assert ((link > 0) == (y == 1)).mean() > 0.97
    # the likelihood has no curvature left there: a band would be as wide as one likes, so there is none, and it says so
    assert box.terms[0].high is None
    assert box.band == ""
    assert not box.band_is_interval
    assert any("almost without error" in note for note in box.notes)
