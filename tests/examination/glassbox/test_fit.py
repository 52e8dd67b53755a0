"""Glass boxes fitted side by side: what is out of fold, what is sampled, what is not done and why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from glass_material import make_features, make_truth
from sklearn.metrics import roc_auc_score

from audit.evidence import FeatureUsed
from audit.examination.glassbox import single as room
from audit.examination.glassbox.fit import TrainRows, fit_glassboxes, tables_of

ALL = ["ebm_label", "net_label", "ebm_surrogate", "net_surrogate"]


def quick(frame, features, **named):
    return fit_glassboxes(frame, features, effort="fast", n_jobs=1, **named)


def test_four_boxes_and_a_score_for_every_row(fits, truth):
    frame, link, label = truth
    assert sorted(fits.models) == sorted(ALL)
    assert fits.not_done == {}
    assert fits.folds == 3
    assert "3 folds (seed 0)" in fits.protocol
    for name in ALL:
        assert np.isfinite(fits.out_of_fold[name]).all()
        assert fits.out_of_fold[name].shape == (len(frame),)
    for name in ("ebm_surrogate", "net_surrogate"):
        assert 1 - np.mean((fits.out_of_fold[name] - link) ** 2) / np.var(link) > 0.97
    best = roc_auc_score(label, link)
    for name in ("ebm_label", "net_label"):
        assert best - 0.05 < roc_auc_score(label, fits.out_of_fold[name]) < best + 0.02


def test_the_bands_say_what_they_are(fits):
    assert fits.models["net_label"].band == "pointwise 95 %, Laplace"
    assert "sandwich" in fits.models["net_surrogate"].band
    assert fits.models["net_surrogate"].band_is_interval


def test_nothing_is_learned_from_the_row_that_is_scored():
    """Labels by coin: a score that had seen its own row would tell them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=600), "c": rng.choice([f"l{k}" for k in range(80)], 600).astype(object)})
    label = rng.integers(0, 2, 600).astype(float)
    features = (FeatureUsed(name="x", kind="number"), FeatureUsed(name="c", kind="category"))
    fits = quick(frame, features, label=label)
    for name in ("ebm_label", "net_label"):
        assert roc_auc_score(label, fits.out_of_fold[name]) < 0.57


def test_the_same_seed_gives_the_same_bytes(truth, fits):
    frame, link, label = truth
    again = quick(frame, make_features(), label=label, link=link)
    assert tables_of(again) == tables_of(fits)
    np.testing.assert_array_equal(again.out_of_fold["net_label"], fits.out_of_fold["net_label"])
    other = quick(frame, make_features(), label=label, seed=1)
    assert not np.array_equal(other.out_of_fold["net_label"], fits.out_of_fold["net_label"])


def test_rows_without_label_are_scored_but_teach_nothing(truth):
    frame, _, label = truth
    some = label.copy()
    some[::3] = np.nan
    flipped = np.where(np.isnan(some), np.nan, label)
    fits = quick(frame, make_features(), label=flipped)
    assert np.isfinite(fits.out_of_fold["net_label"]).all()
    assert fits.rows_used["net_label"] == int(np.isfinite(some).sum())


def test_a_training_file_is_fitted_and_the_audited_rows_are_scored(truth):
    frame, link, label = truth
    train, _, train_label = make_truth(900, seed=8)
    fits = quick(frame, make_features(), label=label, link=link, train=TrainRows(train, train_label))
    assert fits.rows_used["net_label"] == 900
    assert "training file" in fits.protocol
    # the file brings no scores of the black box: its surrogates are cross-fitted on the audited rows
    assert fits.rows_used["net_surrogate"] == len(frame)
    assert "folds" in fits.protocol
    np.testing.assert_array_equal(fits.out_of_fold["net_label"], fits.models["net_label"].link(frame))


@pytest.mark.parametrize(
    ("label", "link", "words"),
    [
        (None, None, "no label"),
        (np.ones(300), None, "same label"),
        (np.r_[np.ones(295), np.zeros(5)], None, "only 5 rows carry the rarer label"),
        (np.r_[np.ones(10), np.zeros(10), np.full(280, np.nan)], None, "only 20 rows"),
        (None, np.zeros(300), "same score"),
    ],
)
def test_what_cannot_be_fitted_says_why(label, link, words):
    frame, _, _ = make_truth(300)
    fits = quick(frame, make_features(), label=label, link=link)
    assert any(words in reason for reason in fits.not_done.values())
    assert set(fits.not_done) | set(fits.models) == set(ALL)


def test_no_features_no_fits():
    frame, _, label = make_truth(100)
    assert set(quick(frame, (), label=label).not_done) == set(ALL)


def test_columns_that_can_explain_nothing_are_named_and_do_no_harm():
    frame, link, label = make_truth(700, seed=1)
    frame["constant"], frame["gone"], frame["one"] = 3.0, np.nan, "same"
    frame["gone_too"] = pd.Series([None] * 700, dtype=object)
    features = (
        *make_features(),
        FeatureUsed(name="constant", kind="number"),
        FeatureUsed(name="gone", kind="number"),
        FeatureUsed(name="one", kind="category"),
        FeatureUsed(name="gone_too", kind="category"),
    )
    fits = quick(frame, features, label=label, link=link)
    assert fits.not_done == {}
    notes = " ".join(fits.notes)
    for name in ("constant: the same value", "gone: missing in every row", "one: the same", "gone_too: missing"):
        assert name in notes
    for box in fits.models.values():
        encoded = box.encoder.encode(frame)
        for j in range(5, 9):
            assert np.abs(box.terms[j].look_up(encoded[:, j])).max() < 1e-6


def test_five_hundred_levels():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 500, 6000)
    effect = rng.normal(size=500)
    frame = pd.DataFrame({"town": np.array([f"t{k}" for k in codes], dtype=object), "x": rng.normal(size=6000)})
    link = effect[codes] + frame["x"].to_numpy()
    features = (FeatureUsed(name="town", kind="category"), FeatureUsed(name="x", kind="number"))
    fits = quick(frame, features, link=link)
    assert 1 - np.mean((fits.out_of_fold["net_surrogate"] - link) ** 2) / np.var(link) > 0.95


def test_more_rows_than_a_fit_may_see_are_sampled_and_the_protocol_says_so(truth, monkeypatch):
    frame, link, label = truth
    monkeypatch.setitem(room.ROW_LIMIT["ebm"], "fast", (500, 500))
    monkeypatch.setitem(room.ROW_LIMIT["net"], "fast", (800, 800))
    fits = quick(frame, make_features(), label=label, link=link)
    assert fits.rows_used == {"ebm_label": 500, "net_label": 800, "ebm_surrogate": 500, "net_surrogate": 800}
    assert "EBM 500" in fits.protocol
    assert "additive net 800" in fits.protocol
    assert np.isfinite(fits.out_of_fold["ebm_label"]).all()


def test_a_box_that_breaks_does_not_take_the_other_with_it(truth, monkeypatch):
    frame, _, label = truth

    def broken(*_, **__):
        raise ValueError("a piece fell off")

    monkeypatch.setattr(room, "fit_ebm", broken)
    fits = quick(frame, make_features(), label=label)
    assert "a piece fell off" in fits.not_done["ebm_label"]
    assert "net_label" in fits.models


def test_a_regression_is_fitted_on_the_value(truth):
    frame, link, _ = truth
    rng = np.random.default_rng(0)
    fits = quick(frame, make_features(), label=link + rng.normal(size=len(frame)), kind="regression")
    assert fits.models["net_label"].link_name == "identity"
    assert np.corrcoef(fits.out_of_fold["net_label"], link)[0, 1] > 0.95


def test_imposed_directions_reach_both_boxes(truth):
    frame, link, _ = truth
    fits = quick(frame, make_features(age={"monotone": "decreasing"}), link=link)
    assert any("imposed" in note for note in fits.notes)
    for box in fits.models.values():
        assert (np.diff(box.terms[0].y) <= 1e-9).all()


def test_progress_hears_of_every_fit(truth):
    frame, _, label = truth
    heard = []

    class Ear:
        def stage(self, name):
            heard.append(name)

        def step(self, done, total):
            heard.append((done, total))

    quick(frame, make_features(), label=label, progress=Ear())
    assert heard == [(k, 8) for k in range(1, 9)]
