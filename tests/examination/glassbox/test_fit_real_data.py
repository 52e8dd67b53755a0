"""Glass boxes on real data: as good as the best we know of, and what the shapes say is what people know."""

from __future__ import annotations

import json

import numpy as np
import pytest
from material import SHARED

from audit.evidence import FeatureUsed
from audit.examination.glassbox.fit import fit_glassboxes

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (SHARED / "data" / "models").is_dir(), reason="needs the real data beside the checkout"),
]


def load(table, model, label):
    import pandas as pd

    frame = pd.read_parquet(SHARED / "data" / "data" / f"{table}.parquet")
    score = pd.read_parquet(SHARED / "data" / "models" / model / "predictions.parquet")["score"].to_numpy(float)
    card = json.loads((SHARED / "data" / "models" / model / "model.json").read_text())
    features = []
    for name in card["features"]:
        number = frame[name].dtype.kind in "iuf"
        frame[name] = frame[name].astype(float) if number else frame[name].astype(object)
        features.append(FeatureUsed(name=name, kind="number" if number else "category"))
    return frame, tuple(features), frame[label].to_numpy(float), np.log(score / (1 - score))


@pytest.mark.parametrize(
    ("table", "model", "label", "auc", "r2"),
    [
        ("compas", "compas_resnet", "two_year_recid", 0.735, 0.90),
        ("german_credit", "german_softmax", "good_credit", 0.75, 0.80),
    ],
)
def test_small_tables(table, model, label, auc, r2):
    from sklearn.metrics import roc_auc_score

    frame, features, y, link = load(table, model, label)
    fits = fit_glassboxes(frame, features, label=y, link=link, effort="fast", n_jobs=1)
    assert fits.not_done == {}
    for tool in ("ebm", "net"):
        assert roc_auc_score(y, fits.out_of_fold[f"{tool}_label"]) > auc
        assert 1 - np.mean((fits.out_of_fold[f"{tool}_surrogate"] - link) ** 2) / np.var(link) > r2


def test_adult_is_not_lost_on_its_zeros():
    """Nine of ten rows have no capital gain: knots by quantiles alone would cost more than a point of AUC."""
    from sklearn.metrics import roc_auc_score

    from audit.examination.glassbox.additive import NetOrder, fit_additive
    from audit.examination.glassbox.encoder import fit_encoder

    frame, features, y, _ = load("adult", "adult_mlp", "income")
    encoder = fit_encoder(frame, {f.name: f.kind for f in features}, knots=128)
    encoded = encoder.encode(frame)
    train = np.random.default_rng(0).random(len(y)) < 0.7
    order = NetOrder("net_label", "binary", "laplace")
    box, solution = fit_additive(encoder, encoded[train], y[train], order, rng=np.random.default_rng(0))
    assert solution.converged
    assert roc_auc_score(y[~train], box.link_encoded(encoded[~train])) > 0.922
    age = box.terms[encoder.names.index("age")]
    # income rises with age and falls again after fifty
    assert age.look_up(np.array([45.0]))[0] > age.look_up(np.array([20.0]))[0] + 1
    assert age.look_up(np.array([48.0]))[0] > age.look_up(np.array([75.0]))[0]
