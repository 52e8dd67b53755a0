"""Several classes on one softmax: against statsmodels, against known shapes, and through the whole room."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from glass_material import make_features, make_truth
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss

from audit.examination.glassbox.additive import NetOrder, fit_outputs
from audit.examination.glassbox.binned import bin_rows
from audit.examination.glassbox.encoder import fit_encoder
from audit.examination.glassbox.files import read_tables
from audit.examination.glassbox.fit import fit_glassboxes, tables_of
from audit.examination.glassbox.ground import lay_ground
from audit.examination.glassbox.softmax import offsets_of, solve_classes

CLASSES = ("no", "perhaps", "yes")


def draw_classes(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    eta = np.stack([np.sin(2 * x[:, 0]), x[:, 1], 0.5 * x[:, 0] ** 2 - x[:, 1]], axis=1)
    chances = softmax(eta, axis=1)
    y = (rng.random(n)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1).astype(float)
    return pd.DataFrame(x, columns=list("abc")), eta, y


def test_without_penalty_it_is_the_multinomial_logit():
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    n = 1500
    frame = pd.DataFrame({"a": rng.choice(["p", "q", "r"], n), "b": rng.choice(["u", "v"], n)}).astype(object)
    eta = np.stack([frame["a"] == "p", 0.7 * (frame["b"] == "v"), np.zeros(n)], axis=1).astype(float)
    y = (rng.random(n)[:, None] > np.cumsum(softmax(eta, axis=1), axis=1)).sum(axis=1)
    encoder = fit_encoder(frame, {"a": "category", "b": "category"}, knots=4)
    ground = lay_ground(encoder, encoder.encode(frame), np.ones(n), {}).with_full(())
    posed = [ground.pose((y == c).astype(float), logistic=True) for c in range(3)]
    _, begun = solve_classes(posed)
    loose = [dataclasses.replace(s, strengths=np.full_like(s.strengths, 1e-7)) for s in begun]
    _, solved = solve_classes(posed, start=loose, learn=False, steps=300)
    ours = softmax(np.stack([p.rows.score(s.coefficients) for p, s in zip(posed, solved, strict=True)], axis=1), axis=1)
    dummies = sm.add_constant(pd.get_dummies(frame, drop_first=True).astype(float))
    oracle = np.asarray(sm.MNLogit(y, dummies).fit(disp=0).predict(dummies))
    np.testing.assert_allclose(ours, oracle, atol=2e-3)


def test_the_offset_of_a_class_makes_the_softmax_logistic():
    scores = np.random.default_rng(0).normal(size=(50, 4)) * 30
    for c in range(4):
        logit = scores[:, c] + offsets_of(scores, c)
        np.testing.assert_allclose(-np.logaddexp(0, -logit), log_softmax(scores, axis=1)[:, c], atol=1e-9)


def test_known_shapes_are_found_up_to_what_the_softmax_cannot_tell():
    frame, eta, y = draw_classes(6000, 0)
    encoder = fit_encoder(frame, dict.fromkeys("abc", "number"), knots=48)
    encoded = encoder.encode(frame)
    order = NetOrder("net", "multiclass", "laplace", classes=CLASSES)
    boxes, _ = fit_outputs(encoder, encoded, y, order, rng=np.random.default_rng(0))
    assert [box.output for box in boxes] == list(CLASSES)
    scores = np.stack([box.link_encoded(encoded) for box in boxes], axis=1)
    best = log_loss(y, softmax(eta, axis=1))
    assert log_loss(y, softmax(scores, axis=1)) < best + 0.01
    # a constant common to all classes cannot be told: compare differences to the mean over the classes
    shape = np.stack([box.terms[0].look_up(encoded[:, 0]) for box in boxes], axis=1)
    truth = np.stack([np.sin(2 * encoded[:, 0]), 0 * encoded[:, 0], 0.5 * encoded[:, 0] ** 2], axis=1)
    truth -= truth.mean(axis=0)
    gap = (shape - shape.mean(axis=1, keepdims=True)) - (truth - truth.mean(axis=1, keepdims=True))
    assert np.sqrt(np.mean(gap**2)) < 0.14
    # what all classes share is taken out
    np.testing.assert_allclose(shape.mean(axis=1), 0, atol=1e-9)


@pytest.fixture(scope="module")
def class_fits():
    frame, _, _ = make_truth(900, seed=5)
    rng = np.random.default_rng(1)
    age = frame["age"].to_numpy()
    link = log_softmax(np.stack([0.03 * (age - 50), -0.03 * (age - 50), 0 * age], axis=1), axis=1)
    y = (rng.random(900)[:, None] > np.cumsum(np.exp(link), axis=1)).sum(axis=1).clip(0, 2).astype(float)
    y[::50] = np.nan
    fits = fit_glassboxes(
        frame, make_features(), label=y, link=link, kind="multiclass", classes=CLASSES, effort="fast", n_jobs=1
    )
    return frame, link, y, fits


def test_all_boxes_of_all_classes_are_there(class_fits):
    _, link, y, fits = class_fits
    assert fits.not_done == {}
    assert fits.models == {}
    known = np.isfinite(y)
    for name in ("ebm_label", "net_label", "ebm_surrogate", "net_surrogate"):
        assert [box.output for box in fits.by_class[name]] == list(CLASSES)
        scores = fits.class_scores[name]
        assert scores.shape == (900, 3)
        assert np.isfinite(scores).all()
        if name.endswith("label"):
            chance = log_loss(y[known], np.tile(np.bincount(y[known].astype(int)) / known.sum(), (known.sum(), 1)))
            assert log_loss(y[known], softmax(scores, axis=1)[known]) < chance
        else:
            assert 1 - np.mean((scores - link) ** 2) / np.mean((link - link.mean(axis=0)) ** 2) > 0.97


def test_files_of_classes_read_back(class_fits):
    frame, _, _, fits = class_fits
    files = tables_of(fits)
    again = [read_tables(files[f"glassboxes/net_label_class{c}.json"]) for c in range(3)]
    assert [box.output for box in again] == list(CLASSES)
    assert {box.link_name for box in again} == {"softmax"}
    for box, own in zip(again, fits.by_class["net_label"], strict=True):
        np.testing.assert_allclose(box.link(frame), own.link(frame), atol=1e-12)


def test_ebm_of_classes_is_the_machines_own(class_fits):
    """Tables by class predict what interpret predicts."""
    import interpret.glassbox

    from audit.examination.glassbox import ebm

    frame, _, y, _ = class_fits
    known = np.isfinite(y)
    encoder = fit_encoder(frame, {"age": "number", "job": "category"}, knots=16)
    encoded = encoder.encode(frame)
    order = ebm.EbmOrder("e", "multiclass", "fast", 0, classes=CLASSES)
    boxes = ebm.fit_ebm_classes(encoder, encoded[known], y[known], order)
    machine = ebm._boost(encoder, encoded[known], y[known], order, None)
    assert isinstance(machine, interpret.glassbox.ExplainableBoostingClassifier)
    scores = np.stack([box.link_encoded(encoded) for box in boxes], axis=1)
    np.testing.assert_allclose(softmax(scores, axis=1), machine.predict_proba(encoded), atol=1e-9)


def test_a_rare_class_is_named():
    frame, _, _ = make_truth(300)
    y = np.zeros(300)
    y[:100], y[100:104] = 1, 2
    fits = fit_glassboxes(frame, make_features(), label=y, kind="multiclass", classes=CLASSES, effort="fast", n_jobs=1)
    assert "only 4 rows carry the label yes" in fits.not_done["net_label"]
    with pytest.raises(ValueError, match="names"):
        fit_glassboxes(frame, make_features(), label=y, kind="multiclass")


def test_binned_rows_score_the_same(fits, truth, standard_ebm):
    frame = truth[0].copy()
    frame.loc[frame.index[:5], "job"] = "never seen"
    for box in (*fits.models.values(), standard_ebm[0]):
        encoded = box.encoder.encode(frame)
        bins = bin_rows(encoded)
        np.testing.assert_allclose(bins.score(box), box.link_encoded(encoded), atol=1e-12)
        some = np.arange(3, 400, 7)
        np.testing.assert_allclose(bins.take(some).score(box), box.link_encoded(encoded[some]), atol=1e-12)
