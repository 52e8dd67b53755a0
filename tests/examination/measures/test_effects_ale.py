"""The black box's own effect: exact on additive models, honest about rows, careful with types."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from glass_material import JOB, KINDS, Formula, make_features, make_truth, true_link

from audit.evidence import FeatureUsed
from audit.examination.measures.effects.ale import Sample, ask, measure_own_effect
from audit.examination.measures.effects.axis import lay_axis


def axis_of(frame, name, kind, weights=None):
    even = np.full(len(frame), 1 / len(frame)) if weights is None else weights / weights.sum()
    return lay_axis(frame[name], FeatureUsed(name=name, kind=kind), even)


def sample_of(frame, rows=None, **named):
    rows = np.arange(len(frame)) if rows is None else rows
    part = frame.take(rows).reset_index(drop=True)
    return Sample(part, rows, lambda name: frame[frame[name].isna()].reset_index(drop=True), **named)


def test_an_additive_model_is_read_exactly():
    frame, _, _ = make_truth(1500)
    box = Formula(true_link)
    frame = frame[list(KINDS)]
    sample = sample_of(frame, np.arange(0, 1500, 3))
    for name in ("age", "income", "idle"):
        axis = axis_of(frame, name, "number")
        own = measure_own_effect(box.link, axis, sample)
        base = frame.iloc[[0] * axis.grid.size].assign(**{name: axis.grid})
        expected = true_link(base)
        expected -= axis.share @ expected
        np.testing.assert_allclose(own.y, expected, atol=1e-9)
        assert own.half.max() < 1e-9
        assert own.missing is None


def test_levels_of_an_additive_model_are_read_exactly():
    frame, _, _ = make_truth(1500)
    frame = frame[list(KINDS)]
    axis = axis_of(frame, "job", "category")
    own = measure_own_effect(Formula(true_link).link, axis, sample_of(frame))
    expected = np.array([JOB[level] for level in axis.levels])
    np.testing.assert_allclose(own.y, expected - axis.share @ expected, atol=1e-9)
    owns = axis_of(frame, "owns", "boolean")
    own = measure_own_effect(Formula(true_link).link, owns, sample_of(frame))
    assert owns.levels == ("False", "True")
    np.testing.assert_allclose(own.y[1] - own.y[0], 0.5, atol=1e-9)


@pytest.mark.parametrize("discrete", [True, False])
def test_correlated_features_keep_their_own_effects(discrete):
    """Two features that move together (r about .95): what partial dependence would mix, ALE keeps apart."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=3000)
    b = a + 0.3 * rng.normal(size=3000)
    frame = pd.DataFrame({"a": a.round(0) if discrete else a, "b": b})
    own = measure_own_effect(
        lambda f: np.asarray(f["a"] ** 2 - f["b"]), axis := axis_of(frame, "a", "number"), sample_of(frame)
    )
    expected = axis.grid**2
    np.testing.assert_allclose(own.y, expected - axis.share @ expected, atol=1e-9)


def test_a_missing_value_has_its_own_effect():
    frame, _, _ = make_truth(900)
    frame = frame[list(KINDS)].copy()
    frame.loc[::9, "income"] = np.nan
    frame.loc[::11, "job"] = None

    def link(rows):
        gone = rows["income"].isna().to_numpy()
        unknown = rows["job"].isna().to_numpy()
        known = rows.assign(income=rows["income"].fillna(30.0), job=rows["job"].where(~unknown, "manual"))
        return true_link(known) - 0.7 * gone + 0.4 * unknown

    axis = axis_of(frame, "income", "number")
    own = measure_own_effect(link, axis, sample_of(frame))
    at_30 = -0.7 - (1.2 * np.tanh((axis.grid - 30) / 15))
    # effect of missing minus effect of any income: -0.7 + 0 - 1.2 tanh(...)
    np.testing.assert_allclose(own.missing - own.y, at_30, atol=1e-9)
    # centred over all rows, the missing ones too
    total = axis.share @ own.y + axis.missing_share * own.missing
    assert abs(total) < 1e-9
    job = axis_of(frame, "job", "category")
    own = measure_own_effect(link, job, sample_of(frame))
    np.testing.assert_allclose(
        own.missing - own.y, 0.4 + JOB["manual"] - np.array([JOB[level] for level in job.levels]), atol=1e-9
    )


def test_the_band_covers_the_effect_over_all_rows():
    """A model with an interaction: the effect over a sample scatters around that over all rows as the band says."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"a": rng.normal(size=20_000), "b": rng.normal(size=20_000), "c": rng.choice(["u", "v"], 20_000)}
    )
    frame["c"] = frame["c"].astype(object)

    def link(rows):
        return rows["a"].to_numpy() * (1 + rows["b"].to_numpy()) + (rows["c"] == "u").to_numpy() * rows["b"].to_numpy()

    for name, kind in (("a", "number"), ("c", "category")):
        axis = axis_of(frame, name, kind)
        full = measure_own_effect(link, axis, sample_of(frame, most_questions=10**6))
        covered = []
        for k in range(25):
            rows = np.sort(np.random.default_rng(k).choice(20_000, 600, replace=False))
            own = measure_own_effect(link, axis, sample_of(frame, rows))
            covered.append(np.mean(np.abs(own.y - full.y) <= own.half + 1e-12))
        assert 0.85 < np.mean(covered) <= 1.0, name


def test_weights_weigh_the_centring():
    frame, _, _ = make_truth(600)
    frame = frame[list(KINDS)]
    weights = np.where(frame["age"] > 50, 5.0, 1.0)
    axis = axis_of(frame, "age", "number", weights)
    own = measure_own_effect(Formula(true_link).link, axis, sample_of(frame))
    assert abs(np.average(np.interp(frame["age"], axis.grid, own.y), weights=weights)) < 1e-9


def test_questions_keep_the_types_of_the_column():
    frame, _, _ = make_truth(200)
    frame = frame[list(KINDS)]
    seen = []

    def link(rows):
        seen.append((rows["owns"].map(type).unique().tolist(), rows["age"].dtype, rows["job"].dtype))
        return np.zeros(len(rows))

    for name, kind in KINDS.items():
        measure_own_effect(link, axis_of(frame, name, kind), sample_of(frame))
    for owns, age, job in seen:
        assert owns == [bool]
        assert age == np.float64
        assert job == frame["job"].dtype


def test_questions_are_asked_in_batches(monkeypatch):
    from audit.examination.measures.effects import ale

    monkeypatch.setattr(ale, "BATCH", 64)
    frame = pd.DataFrame({"a": np.arange(100.0)})
    sizes = []

    def link(rows):
        sizes.append(len(rows))
        return rows["a"].to_numpy() * 2

    got = ask(link, frame, "a", np.arange(100), np.arange(100.0) + 1)
    np.testing.assert_allclose(got, 2 * (np.arange(100.0) + 1))
    assert sizes == [64, 36]


def test_many_levels_are_bounded():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"t": np.array([f"t{k}" for k in rng.integers(0, 400, 4000)], dtype=object)})
    box = Formula(lambda f: np.asarray(f["t"].str[1:].astype(float)), columns=("t",))
    axis = axis_of(frame, "t", "category")
    own = measure_own_effect(box.link, axis, sample_of(frame, most_questions=20_000))
    assert box.asked <= 20_000 + 50 * 400
    assert own.rows == max(50, 20_000 // len(axis.levels))
    expected = np.array([float(level[1:]) for level in axis.levels])
    np.testing.assert_allclose(own.y - own.y[0], expected - expected[0], atol=1e-9)


@pytest.mark.parametrize("values", [np.full(60, 2.0), np.full(60, np.nan)])
def test_a_column_of_one_value_or_none(values):
    frame = pd.DataFrame({"a": values})
    axis = axis_of(frame, "a", "number")
    own = measure_own_effect(lambda f: np.nan_to_num(f["a"].to_numpy()), axis, sample_of(frame))
    if np.isnan(values[0]):
        assert own is None
    else:
        assert own.y.tolist() == [0.0]
        assert own.half.tolist() == [0.0]


def test_all_features_of_the_material_are_known():
    assert tuple(feature.name for feature in make_features()) == tuple(KINDS)
