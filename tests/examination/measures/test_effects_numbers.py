"""Concurvity, redundancy, interaction shares, jumps, extrapolation and proxies together: against others and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from glass_material import KINDS, Formula, make_case, make_features, make_truth, true_link
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from audit.evidence import Estimate, FeatureUsed, Measurement
from audit.examination.glassbox.fit import Fits, fit_glassboxes
from audit.examination.measures.effects import redundancy
from audit.examination.measures.effects.axis import draw_rug, find_empty, lay_axis
from audit.examination.measures.effects.concurvity import interaction_share, measure_concurvity
from audit.examination.measures.effects.drawn import Shape
from audit.examination.measures.effects.extrapolation import find_outside, measure_extrapolation
from audit.examination.measures.effects.gaps import measure_jump, measure_reversal
from audit.examination.measures.effects.measure import measure_effects
from audit.examination.measures.effects.proxy import weigh_proxies
from audit.examination.measures.effects.shape_numbers import measure_moves
from audit.examination.measures.explained import explained_share


def test_concurvity_is_the_r2_of_weighted_least_squares():
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 400))
    parts = np.column_stack([a + b, b, c, np.full(400, 0.3)])
    weights = rng.random(400)
    weights /= weights.sum()
    found = measure_concurvity(parts, weights)
    for j in range(3):
        others = [k for k in range(3) if k != j]
        fit = sm.WLS(parts[:, j], sm.add_constant(parts[:, others]), weights=weights).fit()
        assert found[j].value == pytest.approx(fit.rsquared, abs=1e-9)
        assert found[j].low < found[j].value < found[j].high
    assert found[3].value is None


def test_a_contribution_that_repeats_another_is_told_without_error():
    rng = np.random.default_rng(0)
    a = rng.normal(size=300)
    found = measure_concurvity(np.column_stack([a, 2 * a, rng.normal(size=300)]), np.full(300, 1 / 300))
    assert [item.value > 1 - 1e-9 for item in found] == [True, True, False]
    assert found[0].assessable
    assert found[2].low < 0.03


def test_the_only_feature_that_moves_has_no_concurvity():
    (only, none) = measure_concurvity(np.column_stack([np.arange(50.0), np.zeros(50)]), np.full(50, 0.02))
    assert "no other feature" in only.note
    assert "same for every row" in none.note


def test_the_share_explained_is_that_of_scikit_learn():
    rng = np.random.default_rng(2)
    truth, guess, weights = rng.normal(size=200), rng.normal(size=200), rng.random(200)
    weights /= weights.sum()
    centred = truth - weights @ truth
    found = explained_share((truth - guess) ** 2, centred**2, weights, alike="")
    assert found.value == pytest.approx(r2_score(truth, guess, sample_weight=weights))
    even = explained_share((truth - guess) ** 2, (truth - truth.mean()) ** 2, alike="")
    same = explained_share((truth - guess) ** 2, (truth - truth.mean()) ** 2, np.full(200, 0.005), alike="")
    assert even == same


def axes_of(frame, kinds):
    even = np.full(len(frame), 1 / len(frame))
    return [lay_axis(frame[name], FeatureUsed(name=name, kind=kind), even) for name, kind in kinds.items()]


@pytest.fixture(scope="module")
def told():
    rng = np.random.default_rng(0)
    n = 1500
    a = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "a": a,
            "bent": np.exp(a),
            "part": a + rng.normal(size=n),
            "alone": rng.normal(size=n),
            "still": 3.0,
            "side": np.where(a > 0, "high", "low").astype(object),
            "apart": rng.choice(["x", "y", "z"], n).astype(object),
            "gone": np.nan,
        }
    )
    frame.loc[::7, "part"] = np.nan
    kinds = {name: "category" if name in ("side", "apart") else "number" for name in frame}
    rows = np.arange(n)
    return dict(zip(frame, redundancy.measure_redundancy(axes_of(frame, kinds), rows, rows % 5), strict=True))


def test_what_repeats_another_feature_is_told_whatever_its_scale(told):
    assert told["a"].value > 0.99
    assert told["bent"].value > 0.99
    assert told["side"].value > 0.85
    assert 0.3 < told["part"].value < 0.6
    assert told["part"].n == 1500 - len(range(0, 1500, 7))
    for name in ("alone", "apart"):
        assert told[name].value < 0.02
        assert told[name].high < 0.03


def test_a_constant_feature_has_no_redundancy(told):
    assert "same value" in told["still"].note
    assert "missing in every row" in told["gone"].note


def test_one_inverse_serves_all_features():
    """The partitioned inverse gives what ridge regression on the other columns alone gives."""
    rng = np.random.default_rng(0)
    design = rng.normal(size=(200, 9))
    design -= design.mean(axis=0)
    target = rng.normal(size=(200, 2))
    inverse = np.linalg.inv(design.T @ design + redundancy.RIDGE * np.eye(9))
    slopes = redundancy._solve_without(inverse, design.T @ target, slice(3, 6))
    others = [0, 1, 2, 6, 7, 8]
    expected = Ridge(alpha=redundancy.RIDGE, fit_intercept=False).fit(design[:, others], target).coef_.T
    np.testing.assert_allclose(slopes[others], expected, atol=1e-10)
    assert not slopes[3:6].any()


def test_interactions_hold_what_single_features_leave():
    weights = np.full(4, 0.25)
    parts = np.array([[1.0, 0.5], [1.0, -0.5], [-1.0, 0.5], [-1.0, -0.5]])
    joint = np.array([0.5, -0.5, -0.5, 0.5])
    assert interaction_share(parts, joint, weights) == pytest.approx(0.5 / 2)
    # what is constant is no importance
    assert interaction_share(parts + 7, joint - 3, weights) == pytest.approx(0.25)
    assert interaction_share(0 * parts, 0 * joint, weights) is None


@pytest.fixture(scope="module")
def material():
    rows, _, label = make_truth(1500, seed=6)
    return rows, label


def shares_of(section):
    return {m.model: m.estimate.value for m in section.measurements if m.metric == "effects.interaction_share"}


def test_interactions_of_black_box_and_surrogate_agree(material):
    rows, _ = material
    for strength, low, high in ((0.0, 0.0, 0.03), (0.06, 0.1, 0.4)):
        box = Formula(
            lambda f, s=strength: true_link(f) + s * (f["income"].to_numpy() - 30) * (f["owns"].to_numpy() == True)  # noqa: E712
        )
        link = box.link(rows[list(KINDS)])
        fits = fit_glassboxes(rows, make_features(), link=link, effort="fast", n_jobs=1)
        shares = shares_of(measure_effects(make_case(rows, link=link, blackbox=box, fits=fits)))
        assert set(shares) == {"black_box", "ebm_surrogate", "net_surrogate"}
        assert low <= shares["black_box"] <= high
        assert shares["net_surrogate"] == pytest.approx(shares["black_box"], abs=0.06)


def shape(y, half=None, model="black_box", interval=True):
    x = np.arange(len(y), dtype=float)
    column = pd.Series(np.repeat(x, 20), name="x")
    axis = lay_axis(column, FeatureUsed(name="x", kind="number"), np.full(column.size, 1 / column.size))
    y = np.asarray(y, dtype=float)
    low, high = (None, None) if half is None else (y - half, y + half)
    return Shape(axis, model, "m", y, low, high, "b", interval, None, 0.0, 100)


def test_a_jump_is_the_largest_step_over_the_range():
    found = measure_jump(shape([0, 1, 4, 5], 0.5))
    assert found.value == pytest.approx(3 / 5)
    assert found.low == pytest.approx(2 / 5)
    assert found.high == pytest.approx(4 / 5)
    assert measure_jump(shape([0, 4, 3, 5], 0.0)).low == pytest.approx(4 / 5)
    # wide bands say nothing
    wide = measure_jump(shape([0, 1, 4, 5], 9.0))
    assert (wide.low, wide.high) == (0.0, 1.0)
    assert measure_jump(shape([0, 1, 4, 5], 0.5, interval=False)).low is None


@pytest.mark.parametrize("y", [[0, 1], [2, 2, 2]])
def test_a_step_that_is_all_there_is_is_no_jump(y):
    assert measure_jump(shape(y, 0.1)).value is None


def test_a_direction_that_was_imposed_is_no_evidence():
    falling = shape([3, 2, 1], 0.1)
    assert measure_reversal(falling, "increasing").assessable
    imposed = measure_reversal(falling, "increasing", imposed=True)
    assert imposed.value == 1.0
    assert not imposed.assessable
    assert "imposed" in imposed.note
    features = (FeatureUsed(name="x", kind="number", monotone="increasing"),)
    shapes = [shape([0, 1, 2], 0.1, model) for model in ("black_box", "net_label")]
    found = {(m.metric, m.model): m.estimate for m in measure_moves(features, shapes, ["x"])}
    assert found["effects.reversal", "black_box"].assessable
    assert not found["effects.reversal", "net_label"].assessable
    assert found["effects.jump", "net_label"].assessable


def test_rows_outside_the_training_file_are_counted():
    features = (FeatureUsed(name="x", kind="number"), FeatureUsed(name="c", kind="category"))
    training = pd.DataFrame({"x": [1.0, 5.0, 3.0], "c": ["a", "b", "a"]}).astype({"c": object})
    frame = pd.DataFrame({"x": [0.5, 1.0, 5.0, 6.0, np.nan, np.inf], "c": ["a", "z", "b", "z", "a", None]})
    frame["c"] = frame["c"].astype(object)
    assert find_outside(frame["x"], training["x"], "number").tolist() == [True, False, False, True, True, True]
    assert find_outside(frame["c"], training["c"], "category").tolist() == [False, True, False, True, False, True]
    gaps = training.assign(x=[1.0, np.nan, 5.0])
    assert find_outside(frame["x"], gaps["x"], "number").tolist() == [True, False, False, True, False, True]
    counts = {m.feature: m.estimate.count for m in measure_extrapolation(features, frame, training)}
    assert counts == {None: 5, "x": 4, "c": 3}
    (own,) = measure_extrapolation(features, frame, None)
    assert own.estimate.value == 0
    assert "themselves" in own.estimate.note


def test_proxies_weigh_by_importance_and_strength():
    def proxy(feature, value):
        estimate = Estimate(value=value, n=10)
        return Measurement(metric="effects.proxy_strength", estimate=estimate, feature=feature, attribute="sex")

    proxies = [proxy("a", 1.0), proxy("b", 0.75), proxy("c", 0.4)]
    shares = {"black_box": {"a": 0.1, "b": 0.6, "c": 0.3}, "ebm_label": {}}
    (found,) = weigh_proxies(proxies, shares, 10)
    assert found.estimate.value == pytest.approx(0.1 * 1 + 0.6 * 0.5)
    assert (found.attribute, found.model) == ("sex", "black_box")


def test_empty_stretches_are_named_and_discrete_features_have_none():
    rng = np.random.default_rng(0)
    two = np.concatenate([rng.normal(0, 1, 500), rng.normal(100, 1, 500)])
    even = np.full(1000, 1 / 1000)
    rug = draw_rug(lay_axis(pd.Series(two, name="x"), FeatureUsed(name="x", kind="number"), even))
    (gap,) = rug.empty
    assert 0 < gap[0] < 10 < 90 < gap[1] < 100
    assert len(rug.at) == len(rug.near)
    assert sum(rug.near) == pytest.approx(1, abs=0.01)
    counts = np.repeat(np.arange(7.0), 50)
    assert find_empty(np.arange(7.0), counts, 0.0, 6.0) == ()
    far = np.array([0.0, 1.0, 2.0, 3.0, 60.0])
    assert find_empty(far, np.repeat(far, 30), 0.0, 60.0) == ((4.0, 59.0),)
    # a row in between parts the stretch; no edge is anybody's value
    assert find_empty(far, np.append(far, 30.5), 0.0, 60.0) == ((4.0, 30.0), (31.0, 59.0))
    assert find_empty(far, np.append(far, np.arange(4.5, 59)), 0.0, 60.0) == ()


def test_a_rug_counts_the_missing_and_hides_a_few():
    values = np.concatenate([np.arange(60.0) % 6, np.full(4, np.nan)])
    even = np.full(64, 1 / 64)
    rug = draw_rug(lay_axis(pd.Series(values, name="x"), FeatureUsed(name="x", kind="number"), even))
    assert rug.missing == 0
    assert rug.near == pytest.approx([10 / 64] * 6, abs=1e-6)
    levels = pd.Series(np.array(["a"] * 20 + [None] * 5, dtype=object), name="c")
    rug = draw_rug(lay_axis(levels, FeatureUsed(name="c", kind="category"), np.full(25, 1 / 25)))
    assert (rug.missing, rug.near) == (5, (0.8,))


def test_several_classes_and_values_do_not_break_it(material):
    rows, _ = material
    link = true_link(rows)
    box = Formula(true_link)
    fits = fit_glassboxes(rows, make_features(), link=link, effort="fast", n_jobs=1)
    classes = Fits(models=fits.models, out_of_fold=fits.out_of_fold, by_class={"net_label": ()}, classes=("a", "b"))
    section = measure_effects(make_case(rows, link=link, blackbox=box, fits=classes))
    assert any("one table per class" in note for note in section.notes)
    value = measure_effects(make_case(rows, link=link, blackbox=box, fits=fits, task="regression"))
    assert value.scale == "value of the score"
    assert value.worked[0].score == value.worked[0].total
