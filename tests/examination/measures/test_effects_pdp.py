"""Partial dependence against scikit-learn; surfaces of pairs against interpret and against known joint effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from glass_material import KINDS, Formula, make_case, make_features, make_truth, true_link
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence

from audit.evidence import FeatureUsed, Pair
from audit.examination.glassbox.fit import fit_glassboxes
from audit.examination.measures.effects.ale import Sample, measure_own_effect
from audit.examination.measures.effects.axis import lay_axis
from audit.examination.measures.effects.measure import measure_effects
from audit.examination.measures.effects.pdp import measure_partial_dependence
from audit.examination.measures.effects.surfaces import MOST_PLACES, choose_pairs, draw_own_surface, lay_plane

ROWS = 800


class Wrapped(RegressorMixin, BaseEstimator):
    """A formula that scikit-learn takes for a fitted regressor."""

    def __init__(self, link=None):
        self.link = link

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def predict(self, X):
        return self.link(X)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 12, ROWS).astype(float)
    b = a / 4 + rng.normal(size=ROWS)
    return pd.DataFrame({"a": a, "b": b, "c": rng.choice(["u", "v", "w"], ROWS).astype(object)})


def axis_of(frame, name, kind="number"):
    return lay_axis(frame[name], FeatureUsed(name=name, kind=kind), np.full(len(frame), 1 / len(frame)))


def sample_of(frame):
    return Sample(frame, np.arange(len(frame)), lambda name: frame.iloc[:0])


def bent(rows):
    return np.sin(rows["a"].to_numpy()) * (1 + rows["b"].to_numpy()) + rows["b"].to_numpy() ** 2


def test_partial_dependence_is_that_of_scikit_learn(frame):
    axis, sample = axis_of(frame, "a"), sample_of(frame)
    own = measure_own_effect(bent, axis, sample)
    ours = measure_partial_dependence(bent, axis, sample, own, 10**6)
    numbers = frame[["a", "b"]]
    theirs = partial_dependence(
        Wrapped(bent).fit(numbers), numbers, ["a"], method="brute", percentiles=(0, 1), grid_resolution=100
    )
    np.testing.assert_array_equal(axis.grid, theirs["grid_values"][0])
    expected = theirs["average"][0]
    np.testing.assert_allclose(ours.y - ours.y[0], expected - expected[0], atol=1e-9)
    # on the centring of the accumulated effect, from which it differs: the features move together
    assert abs(axis.share @ ours.y - axis.share @ own.y) < 1e-12
    assert np.abs(ours.y - own.y).max() > 0.1
    assert ours.rows == ROWS


def test_questions_are_bounded_and_levels_have_one_curve(frame):
    box = Formula(lambda f: bent(f), columns=("a", "b", "c"))
    axis = axis_of(frame, "b")
    own = measure_own_effect(box.link, axis, sample_of(frame))
    box.asked = 0
    found = measure_partial_dependence(box.link, axis, sample_of(frame), own, 5_000)
    assert box.asked <= 5_000
    assert found.rows == 5_000 // axis.grid.size
    levels = axis_of(frame, "c", "category")
    assert measure_partial_dependence(box.link, levels, sample_of(frame), own, 5_000) is None


def test_of_an_additive_model_both_curves_are_the_same():
    rows, _, _ = make_truth(600)
    rows = rows[list(KINDS)]
    axis, link = axis_of(rows, "income"), Formula(true_link).link
    own = measure_own_effect(link, axis, sample_of(rows))
    partial = measure_partial_dependence(link, axis, sample_of(rows), own, 10**6)
    np.testing.assert_allclose(partial.y, own.y, atol=1e-9)
    assert partial.half.max() < 1e-9


def values_of(surface):
    return np.array([[np.nan if v is None else v for v in row] for row in surface.values]).T


def test_a_model_without_interaction_has_a_flat_surface(frame):
    def additive(rows):
        return np.exp(rows["a"].to_numpy() / 5) + rows["b"].to_numpy() ** 3 + (rows["c"] == "u").to_numpy()

    for first, second, kind in (("a", "b", "number"), ("b", "c", "category")):
        plane = lay_plane(axis_of(frame, first), axis_of(frame, second, kind))
        surface = draw_own_surface(additive, plane, sample_of(frame), 3_000)
        assert surface.importance < 1e-9
        assert np.nanmax(np.abs(values_of(surface))) < 1e-5


def test_a_product_is_read_as_what_is_pure_of_it():
    """For two independent features the pure part of a b is (a - mean a)(b - mean b)."""
    rng = np.random.default_rng(1)
    n = 60_000
    rows = pd.DataFrame({"a": rng.integers(0, 6, n).astype(float), "c": rng.choice(["u", "v"], n, p=[0.3, 0.7])})
    rows["c"] = rows["c"].astype(object)
    rows["z"] = rng.normal(size=n)

    def link(f):
        return f["a"].to_numpy() * (f["c"] == "u").to_numpy() + f["z"].to_numpy() * f["a"].to_numpy()

    plane = lay_plane(axis_of(rows, "a"), axis_of(rows, "c", "category"))
    surface = draw_own_surface(link, plane, sample_of(rows), 2_000)
    assert surface.across == tuple(np.arange(6.0))
    assert surface.down == ("v", "u")
    u = np.array([0.0, 1.0])
    mean = float((rows["c"] == "u").mean())
    expected = (np.arange(6.0) - rows["a"].mean())[:, None] * (u - mean)[None, :]
    np.testing.assert_allclose(values_of(surface), expected, atol=0.02)
    # pure: the mean over the rows is nothing along either feature
    assert np.abs((plane.share * values_of(surface)).sum(axis=0)).max() < 1e-4
    assert np.abs((plane.share * values_of(surface)).sum(axis=1)).max() < 1e-4


def test_cells_of_few_rows_are_not_shown(frame):
    few = frame.copy()
    few.loc[:3, "c"] = "rare"
    few.loc[:3, "a"] = 11.0
    few.loc[4:9, "c"] = "rare"
    few.loc[4:9, "a"] = 0.0
    plane = lay_plane(axis_of(few, "a"), axis_of(few, "c", "category"))
    surface = draw_own_surface(bent, plane, sample_of(few), 2_000)
    counts = pd.crosstab(few["a"], few["c"]).reindex(index=surface.across, columns=list(surface.down)).to_numpy()
    np.testing.assert_array_equal(np.isnan(values_of(surface)), counts < 5)
    assert np.isnan(values_of(surface)).any()


def test_the_strongest_pairs_of_the_surrogates_are_chosen():
    def pair(a, b, model, importance):
        return Pair(features=(a, b), model=model, importance=importance)

    found = [
        pair("x", "y", "net_label", 9.0),
        pair("a", "b", "ebm_surrogate", 5.0),
        pair("b", "a", "net_surrogate", 4.0),
        *(pair("a", f"f{k}", "net_surrogate", 1.0) for k in range(9)),
    ]
    chosen = choose_pairs(found)
    assert len(chosen) == 6
    assert chosen[0] == ("a", "b")
    assert ("b", "a") not in chosen
    assert ("x", "y") not in chosen
    assert choose_pairs(found[:1]) == [("x", "y")]


@pytest.fixture(scope="module")
def joined():
    rows, _, label = make_truth(1500, seed=4)
    box = Formula(lambda f: true_link(f) + 0.05 * (f["income"].to_numpy() - 30) * (f["owns"].to_numpy() == True))  # noqa: E712
    link = box.link(rows[list(KINDS)])
    fits = fit_glassboxes(rows, make_features(), label=label, link=link, effort="fast", n_jobs=1)
    case = make_case(rows, link=link, label=label, blackbox=box, fits=fits)
    return case, measure_effects(case)


def test_glass_boxes_and_black_box_show_the_same_interaction(joined):
    _, section = joined
    found = {s.model: s for s in section.surfaces if set(s.features) == {"income", "owns"}}
    assert {"net_surrogate", "black_box"} <= set(found)
    net, black = values_of(found["net_surrogate"]), values_of(found["black_box"])
    assert len(found["net_surrogate"].across) <= MOST_PLACES
    shown = ~np.isnan(net)
    np.testing.assert_array_equal(shown, ~np.isnan(black))
    assert np.corrcoef(net[shown], black[shown])[0, 1] > 0.95
    strong = max((p for p in section.pairs if p.model == "black_box"), key=lambda p: p.importance)
    assert set(strong.features) == {"income", "owns"}


def test_surfaces_follow_pairs_and_end_with_the_black_box(joined):
    _, section = joined
    order = list(dict.fromkeys(s.features for s in section.surfaces))
    assert 1 <= len(order) <= 6
    for features in order:
        models = [s.model for s in section.surfaces if s.features == features]
        assert models[-1] == "black_box"
        assert len(models) == len(set(models)) >= 2


def test_without_a_model_only_glass_boxes_have_surfaces(joined):
    case, _ = joined
    alone = make_case(case.frame, link=case.scores.link, label=case.label, fits=case.fits)
    section = measure_effects(alone)
    assert section.surfaces
    assert "black_box" not in {s.model for s in section.surfaces} | {p.model for p in section.pairs}
