"""Proxy strength against scikit-learn and against coins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from audit.evidence import FeatureUsed
from audit.examination.data.split import folds_of
from audit.examination.measures.effects.axis import lay_axis
from audit.examination.measures.effects.proxy import _auc_of_counts, measure_proxy


def strengths(column, kind, groups, seed=0):
    n = len(column)
    axis = lay_axis(pd.Series(column, name="f"), FeatureUsed(name="f", kind=kind), np.full(n, 1 / n))
    folds = folds_of(n, 5, np.random.default_rng(seed))
    return {item.group: item for item in measure_proxy(axis, np.asarray(groups), folds)}


def test_auc_of_counts_is_that_of_the_rows():
    from audit.statistics.auc import auc_delong

    rng = np.random.default_rng(0)
    score = np.array([0.1, 0.2, 0.2, 0.5, 0.9])
    p, q = rng.integers(0, 30, 5), rng.integers(1, 30, 5)
    rows = np.concatenate([np.repeat(score, p), np.repeat(score, q)])
    label = np.concatenate([np.ones(p.sum()), np.zeros(q.sum())])
    auc, variance = _auc_of_counts(score, p.astype(float), q.astype(float))
    assert auc == pytest.approx(roc_auc_score(label, rows))
    expected = auc_delong(rows[label == 1], rows[label == 0])
    assert np.sqrt(variance) == pytest.approx(expected[1])


def test_a_feature_that_tells_nothing_has_one_half():
    aucs = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        aucs.append(strengths(rng.normal(size=600), "number", rng.choice(["a", "b"], 600), seed)["a"].auc)
    # pooled over folds it would lie below one half
    assert abs(np.mean(aucs) - 0.5) < 3 * np.std(aucs) / np.sqrt(40) + 0.003


def test_a_proxy_is_as_strong_as_it_was_made():
    rng = np.random.default_rng(0)
    groups = rng.choice(["x", "y", "z"], 6000, p=[0.6, 0.3, 0.1])
    band = np.where(rng.random(6000) < 0.8, groups, rng.choice(["x", "y", "z"], 6000)).astype(object)
    found = strengths(band, "category", groups)
    for name, item in found.items():
        assert item.auc == pytest.approx(roc_auc_score(groups == name, band == name), abs=0.02)
        assert item.n == int((groups == name).sum())


def test_a_bend_is_seen():
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    groups = np.where(np.abs(x) > 1, "out", "in")
    assert strengths(x, "number", groups)["out"].auc > 0.98


def test_missing_values_can_tell():
    rng = np.random.default_rng(0)
    groups = rng.choice(["a", "b"], 2000)
    x = np.where((groups == "a") & (rng.random(2000) < 0.9), np.nan, rng.normal(size=2000))
    assert strengths(x, "number", groups)["a"].auc > 0.9


def test_small_groups_are_left_out():
    groups = np.array(["a"] * 500 + ["b"] * 29 + ["c"] * 471)
    assert set(strengths(np.arange(1000.0), "number", groups)) == {"a", "c"}
    assert strengths(np.arange(100.0), "number", np.full(100, "all")) == {}
