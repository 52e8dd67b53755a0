"""The net with scikit-learn's interface: its own checks, and whatever a table may hold."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import audit
from audit import AdditiveNetClassifier, AdditiveNetRegressor

EXEMPT = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a weight is not a number of rows: knots stand at quantiles of the rows, and smoothing counts rows"
    )
}


@parametrize_with_checks(
    [AdditiveNetClassifier(), AdditiveNetRegressor()], expected_failed_checks=lambda _: EXEMPT, xfail_strict=True
)
def test_scikit_learn_is_content(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def draw(n=400, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n)})
    frame["c"] = pd.Series(rng.choice(["u", "v"], n), dtype="category")
    frame["b"] = rng.random(n) < 0.5
    eta = np.sin(2 * frame["x"]) + (frame["c"] == "u") * 1.0 + frame["b"] * 0.5 - 0.7
    y = np.where(rng.random(n) < 1 / (1 + np.exp(-eta)), "yes", "no")
    return frame, eta.to_numpy(), y


@pytest.mark.parametrize("solver", ["newton", "adam"])
def test_frames_with_levels_missing_values_and_unseen_levels(solver):
    frame, _, y = draw()
    frame.loc[::9, "x"] = np.nan
    model = AdditiveNetClassifier(solver=solver, steps=60, replicas=2).fit(frame, y)
    new = frame.astype({"c": object})
    new.loc[:5, "c"] = "never seen"
    new.loc[6:9, "c"] = None
    chances = model.predict_proba(new)
    assert np.isfinite(chances).all()
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert list(model.classes_) == ["no", "yes"]
    assert (model.predict(new) == model.classes_[chances.argmax(axis=1)]).all()
    # an unseen level counts as the average person: its term is zero
    assert model.tables_[0].terms[2].unknown == 0.0
    assert model.tables_[0].encoder.codes[3].levels == ("False", "True")


@pytest.mark.parametrize("solver", ["newton", "adam"])
def test_several_classes(solver):
    X, y = load_iris(return_X_y=True)
    model = AdditiveNetClassifier(solver=solver, steps=120, replicas=4).fit(X[::2], y[::2])
    assert model.decision_function(X).shape == (150, 3)
    assert model.score(X[1::2], y[1::2]) > 0.9


def test_it_works_in_scikit_learns_tools():
    frame, _, y = draw()
    search = GridSearchCV(AdditiveNetClassifier(bands=False), {"knots": [8, 32]}, cv=3).fit(frame, y)
    assert search.best_score_ > 0.6
    assert cross_val_score(AdditiveNetRegressor(), frame[["x", "z"]], np.sin(frame["x"]), cv=3).min() > 0.95
    assert clone(AdditiveNetRegressor(interactions=3)).get_params()["interactions"] == 3


@pytest.mark.parametrize("solver", ["newton", "adam"])
@pytest.mark.parametrize("direction", ["increasing", "decreasing"])
def test_imposed_directions_hold(solver, direction):
    frame, _, y = draw()
    monotone = {"x": direction, "b": direction}
    model = AdditiveNetClassifier(solver=solver, monotone=monotone, steps=60, replicas=2).fit(frame, y)
    sign = 1 if direction == "increasing" else -1
    for j in (0, 3):
        assert (sign * np.diff(model.tables_[0].terms[j].y) >= 0).all()


def test_files_and_module_are_the_estimator():
    import torch

    from audit.examination.glassbox.files import read_tables

    frame, _, y = draw()
    model = AdditiveNetClassifier(interactions=2, choose_interactions=False).fit(frame, y)
    files = model.export_tables()
    assert set(files) == {"net.json", "net.parquet"}
    scores = model.decision_function(frame)
    np.testing.assert_allclose(read_tables(files["net.json"]).link(frame), scores, atol=1e-12)
    rows = torch.from_numpy(model.tables_[0].encoder.encode(frame))
    np.testing.assert_allclose(model.as_module()(rows).detach().numpy(), scores, atol=1e-9)
    # one number per knot and cell, not per row
    assert sum(term.y.size for term in model.tables_[0].terms) < 200
    assert json.loads(files["net.json"])["link"] == "logit"


def test_the_same_seed_gives_the_same_bytes_in_another_process():
    script = (
        "import numpy as np, hashlib\nfrom audit import AdditiveNetClassifier\n"
        "def run():\n"
        "    rng = np.random.default_rng(0); X = rng.normal(size=(300, 3)); y = (X[:, 0] * X[:, 1] > 0).astype(int)\n"
        "    for solver in ('newton', 'adam'):\n"
        "        m = AdditiveNetClassifier(solver=solver, interactions=2, steps=40, replicas=2, random_state=3)\n"
        "        yield hashlib.sha256(m.fit(X, y).export_tables()['net.json']).hexdigest()\n"
    )
    space = {}
    exec(script, space)
    here = list(space["run"]())
    assert list(space["run"]()) == here
    there = subprocess.run(
        [sys.executable, "-c", f"{script}\nprint(*run())"], capture_output=True, text=True, check=True
    )
    assert there.stdout.split() == here


def test_options_that_are_none():
    frame, _, y = draw(60)
    with pytest.raises(ValueError, match="solver"):
        AdditiveNetClassifier(solver="guess").fit(frame, y)
    with pytest.raises(ValueError, match="adam"):
        AdditiveNetClassifier(loss=lambda score, target: score).fit(frame, y)
    with pytest.raises(ValueError, match="zero"):
        AdditiveNetClassifier().fit(frame, y, sample_weight=np.zeros(60))
    with pytest.raises(ValueError, match="one class"):
        AdditiveNetClassifier().fit(frame, y, sample_weight=(y == "yes").astype(float))
    with pytest.raises(AttributeError):
        _ = audit.AdditiveNetGuesser


def strange_tables():
    rng = np.random.default_rng(7)
    n = 300
    x = rng.normal(size=n)
    base = pd.DataFrame({"x": x, "z": rng.normal(size=n)})
    yield "constant feature", base.assign(k=3.0)
    yield "duplicate feature", base.assign(twin=x, triplet=x)
    yield "one level", base.assign(c="same")
    yield "all missing", base.assign(gone=np.nan, none=pd.Series([None] * n, dtype=object))
    yield "nearly all missing", base.assign(rare=np.where(np.arange(n) < 3, x, np.nan))
    yield "infinite values", base.assign(w=np.where(np.arange(n) % 5 == 0, np.inf, np.where(x > 1, -np.inf, x)))
    yield "five rows", base.head(5)
    yield "more features than rows", pd.DataFrame(rng.normal(size=(40, 60))).add_prefix("f").assign(x=x[:40])
    yield "tiny scale", base * 1e-12
    yield "huge scale", base * 1e12
    yield "both scales", base.assign(t=x * 1e-300, h=x * 1e300)
    yield "level per row", base.assign(c=[f"l{k}" for k in range(n)])
    yield "far from zero", base + 1e15


@pytest.mark.parametrize(("name", "frame"), list(strange_tables()), ids=[name for name, _ in strange_tables()])
@pytest.mark.parametrize("solver", ["newton", "adam"])
def test_strange_tables_are_fitted_and_stay_finite(name, frame, solver):
    rng = np.random.default_rng(1)
    n = len(frame)
    signal = np.random.default_rng(7).normal(size=300)[:n]
    y = 2 * signal + 0.3 * rng.normal(size=n)
    label = (y > np.median(y)).astype(int)
    settings = {"solver": solver, "steps": 80, "replicas": 2}
    value = AdditiveNetRegressor(**settings, interactions=2).fit(frame, y)
    found = value.predict(frame)
    assert np.isfinite(found).all()
    chances = AdditiveNetClassifier(**settings).fit(frame, label).predict_proba(frame)
    assert np.isfinite(chances).all()
    for model in (value,):
        for term in model.tables_[0].terms:
            assert np.isfinite(term.y).all()
            assert term.low is None or np.isfinite(term.low).all()
    if name not in {"five rows", "far from zero"}:
        assert np.corrcoef(found, 2 * signal)[0, 1] > (0.94 if solver == "newton" else 0.8)
    if name in {"constant feature", "one level", "all missing"}:
        for term in value.tables_[0].terms[2:]:
            assert np.abs(term.y).max(initial=0.0) < 1e-6


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_units_do_not_matter(scale):
    frame, eta, y = draw()
    plain = AdditiveNetClassifier().fit(frame, y).decision_function(frame)
    other = frame.assign(x=frame["x"] * scale, z=frame["z"] * scale)
    scaled = AdditiveNetClassifier().fit(other, y).decision_function(other)
    assert np.corrcoef(plain, scaled)[0, 1] > 0.999
    value = AdditiveNetRegressor().fit(frame, eta * scale).predict(frame) / scale
    np.testing.assert_allclose(value, AdditiveNetRegressor().fit(frame, eta).predict(frame), rtol=1e-3, atol=1e-4)


def test_ten_thousand_levels():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 10_000, 20_000)
    frame = pd.DataFrame({"town": [f"t{k}" for k in codes], "x": rng.normal(size=20_000)})
    y = np.sin(frame["x"]) + (codes % 2) * 0.0 + 0.2 * rng.normal(size=20_000)
    model = AdditiveNetRegressor(bands=False).fit(frame, y)
    assert model.score(frame, y) > 0.9
    assert sum(term.y.size for term in model.tables_[0].terms) < 2_000


def test_separated_labels_carry_no_band_and_say_why():
    x = np.linspace(-1, 1, 500)[:, None]
    model = AdditiveNetClassifier().fit(x, (x[:, 0] > 0).astype(int))
    box = model.tables_[0]
    assert box.terms[0].low is None
    assert any("almost without error" in note for note in box.notes)
    assert np.isfinite(model.decision_function(x)).all()


def test_rows_of_weight_zero_are_as_if_not_there():
    frame, eta, _ = draw()
    weights = np.where(np.arange(400) < 250, 1.0, 0.0)
    poisoned = np.where(weights > 0, eta, 1e6)
    kept = AdditiveNetRegressor().fit(frame.head(250), eta[:250], sample_weight=np.ones(250)).predict(frame)
    np.testing.assert_array_equal(
        AdditiveNetRegressor().fit(frame, poisoned, sample_weight=weights).predict(frame), kept
    )
