"""Permutation importance: closed forms, intervals that cover, nothing for a column that is not read."""

from __future__ import annotations

import numpy as np
import pytest
from attribution_material import frame_of
from sklearn.metrics import roc_auc_score

from audit.examination.measures.attribution.mixing import open_mixer
from audit.examination.measures.attribution.permutation import (
    AUC,
    RMSE,
    VARIANCE,
    auc_lost,
    measure_permutation,
    variance_share,
)


def measure(link, frame, label=None, task="binary", repeats=5, seed=0):
    mixer = open_mixer(link, frame, frame)
    return measure_permutation(mixer, label, task, repeats=repeats, rng=np.random.default_rng(seed))


def linear(frame):
    return (3 * frame["n0"] + frame["n1"]).to_numpy()


def test_without_labels_the_shares_are_those_of_the_variance():
    found, unit, asked = measure(linear, frame_of(4000, numbers=3))
    assert unit == VARIANCE
    assert asked == 4000 * (1 + 5 * 3)
    assert [round(item.value, 1) for item in found] == [0.9, 0.1, 0.0]
    assert all(item.low <= truth <= item.high for item, truth in zip(found[:2], (0.9, 0.1), strict=True))
    assert found[2].value == 0
    assert "nothing changes" in found[2].note


def test_with_labels_it_is_the_auc_that_is_lost():
    frame = frame_of(3000, numbers=3)
    label = (np.random.default_rng(1).random(3000) < 1 / (1 + np.exp(-linear(frame)))).astype(float)
    label[::7] = np.nan
    found, unit, _ = measure(linear, frame, label)
    known = np.isfinite(label)
    whole = roc_auc_score(label[known], linear(frame)[known])
    rest = roc_auc_score(label[known], frame["n1"][known])  # what is left where the first column is noise
    assert unit == AUC
    assert found[0].value > whole - rest - 0.1 > 0.1
    assert found[0].low > found[1].high
    assert found[2].value == 0


def test_auc_lost_is_the_mean_over_the_shuffles():
    rng = np.random.default_rng(2)
    label = (rng.random(200) < 0.4).astype(float)
    before, after = label + rng.normal(size=200), rng.normal(size=(3, 200))
    wanted = roc_auc_score(label, before) - np.mean([roc_auc_score(label, one) for one in after])
    found = auc_lost(before, after, label)
    assert found.value == pytest.approx(wanted, abs=1e-12)
    assert found.low < wanted < found.high


def test_a_value_loses_precision():
    frame = frame_of(2000, numbers=2)
    label = frame["n0"].to_numpy() + 0.5 * np.random.default_rng(3).normal(size=2000)
    found, unit, _ = measure(lambda f: f["n0"].to_numpy(), frame, label, task="regression")
    assert unit == RMSE
    # error sd .5; with the column shuffled the squared error is 2 + .25
    assert found[0].low < np.sqrt(2.25) - 0.5 < found[0].high
    assert found[1].value == 0


def test_a_constant_score_has_no_share():
    found = variance_share(np.ones(10), np.ones((2, 10)))
    assert found.value is None
    assert "same score" in found.note


def test_the_interval_of_the_share_covers():
    hits = 0
    for seed in range(120):
        found, _, _ = measure(linear, frame_of(150, numbers=2, seed=seed), seed=seed)
        hits += found[0].low <= 0.9 <= found[0].high
    assert hits >= 105
