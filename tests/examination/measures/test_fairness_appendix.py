"""Cross-group AUC, area between curves and consistency against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from score_material import draw_people, estimate_of, make_scene
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.neighbors import NearestNeighbors

from audit.evidence import FeatureUsed
from audit.examination.measures.fairness import appendix
from audit.examination.measures.fairness.appendix import (
    DEFINITIONS,
    NEIGHBOURS,
    measure_appendix,
    measure_consistency,
    neighbour_consistency,
)
from audit.statistics import draw_splits


@pytest.fixture(scope="module")
def people():
    return draw_people(1200, seed=5)


@pytest.fixture(scope="module")
def found(people):
    return measure_appendix(make_scene(*people))


def cross(people, name):
    groups, label, score = people
    inside = groups["race"] == name
    pairs = ((inside, ~inside), (~inside, inside))
    return [
        roc_auc_score(np.r_[np.ones((a & (label == 1)).sum()), np.zeros((b & (label == 0)).sum())],
                      np.r_[score[a & (label == 1)], score[b & (label == 0)]])
        for a, b in pairs
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_crossed_aucs_are_scikit_learns(people, found, name):
    first, second = cross(people, name)
    xauc, gap = (estimate_of(found, metric, race=name) for metric in ("xauc", "xauc_difference"))
    assert xauc.value == pytest.approx(first, abs=1e-12)
    assert gap.value == pytest.approx(first - second, abs=1e-12)
    assert xauc.low < xauc.value < xauc.high
    assert gap.low < gap.value < gap.high
    assert "3 groups" in gap.method


def test_higher_scores_are_found_by_the_crossed_auc(found):
    assert estimate_of(found, "xauc_difference", race="B").low > 0
    others = [estimate_of(found, "xauc_difference", race=name).value for name in "AC"]
    assert max(others) < 0


def test_the_area_between_curves_is_scikit_learns(people, found):
    groups, label, score = people
    grid = np.linspace(0, 1, 100_001)
    for name in "ABC":
        inside = groups["race"] == name
        heights = [
            np.interp(grid, *roc_curve(label[rows], score[rows], drop_intermediate=False)[:2])
            for rows in (inside, ~inside)
        ]
        estimate = estimate_of(found, "abroca", race=name)
        assert estimate.value == pytest.approx(np.trapezoid(np.abs(heights[0] - heights[1]), grid), abs=4e-3)
        assert not estimate.has_interval
        assert estimate.assessable


def test_groups_too_small_to_judge_are_not_dealt_anew(monkeypatch):
    groups, label, score = draw_people(900, seed=6)
    groups["race"][:20] = "tiny"
    dealt = []
    monkeypatch.setattr(appendix, "draw_splits", lambda *given: dealt.append(given) or draw_splits(*given))
    found = measure_appendix(make_scene(groups, label, score))
    assert len(dealt) == 2 * 3  # each label of A, B and C
    tiny = estimate_of(found, "abroca", race="tiny")
    assert (tiny.assessable, tiny.chance) == (False, None)
    assert tiny.value > 0
    assert "fewer than 30" in tiny.note


def test_chance_alone_seldom_exceeds_its_quantile():
    rng = np.random.default_rng(9)
    beyond = []
    for _ in range(60):
        race = rng.choice(np.array(["A", "B"], object), 200, p=[0.3, 0.7])
        score = rng.beta(2, 3, 200)
        label = (rng.random(200) < score).astype(float)
        estimate = estimate_of(measure_appendix(make_scene({"race": race}, label, score)), "abroca", race="A")
        beyond.append(estimate.value > estimate.chance)
    assert np.mean(beyond) <= 0.14


def test_curves_that_differ_are_beyond_chance():
    rng = np.random.default_rng(2)
    race = rng.choice(np.array(["A", "B"], object), 2000)
    label = (rng.random(2000) < 0.5).astype(float)
    score = 1 / (1 + np.exp(-np.where(race == "A", 2.5, 0.5) * (label - 0.5) - rng.normal(size=2000)))
    estimate = estimate_of(measure_appendix(make_scene({"race": race}, label, score)), "abroca", race="A")
    assert estimate.value > 2 * estimate.chance


def test_a_missing_class_is_said():
    groups, label, score = draw_people(400)
    label[groups["race"] == "A"] = 0.0
    found = measure_appendix(make_scene(groups, label, score))
    assert "in this group has the positive label" in estimate_of(found, "xauc", race="A").note
    everybody = measure_appendix(make_scene(groups, np.zeros(400), score))
    assert {item.estimate.value for item in everybody.measurements} == {None}


def test_without_labels_or_scores_each_number_says_so():
    groups, label, score = draw_people(200)
    for scene, words in (
        (make_scene(groups, None, score), "no label"),
        (make_scene(groups, label, None, favourable=score > 0.4), "no scores"),
    ):
        found = measure_appendix(scene)
        assert len(found.measurements) == 9
        assert all(words in item.estimate.note for item in found.measurements)


def test_perfect_ranking_has_no_interval():
    groups, label, _ = draw_people(300)
    found = measure_appendix(make_scene(groups, label, 0.2 + 0.6 * label))
    for metric in ("xauc", "xauc_difference"):
        estimate = estimate_of(found, metric, race="A")
        assert not estimate.has_interval
        assert not estimate.assessable


def test_binned_scores_stay_near():
    people = draw_people(3000, seed=7)
    one, two = (measure_appendix(make_scene(*people, binned=flag)) for flag in (False, True))
    for a, b in zip(one.measurements, two.measurements, strict=True):
        assert b.estimate.value == pytest.approx(a.estimate.value, abs=2e-3)


def scene_with_features(n, decide, most=None):
    rng = np.random.default_rng(n)
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=n),
            "b": rng.normal(size=n) * 100,
            "c": rng.choice(["x", "y", "z"], n),
            "same": np.ones(n),
            "sex": rng.choice(["F", "M"], n),
        }
    )
    frame.loc[::9, "a"] = np.nan
    scene = make_scene(
        {"sex": frame["sex"].to_numpy(object)},
        None,
        rng.random(n),
        favourable=decide(frame),
        features=(
            *(FeatureUsed(name=name, kind="number") for name in ("a", "b", "same")),
            FeatureUsed(name="c", kind="category"),
            FeatureUsed(name="sex", kind="category", protected=True),
        ),
    )
    scene.case.frame = frame
    return scene


def test_consistency_is_that_of_scikit_learns_neighbours():
    rng = np.random.default_rng(0)
    points, decided = rng.normal(size=(1100, 4)), rng.random(1100) < 0.4
    _, near = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(points).kneighbors(points)
    expected = 1 - np.abs(decided - decided[near[:, 1:]].mean(axis=1)).mean()  # each is its own nearest
    assert neighbour_consistency(points, decided.astype(float)) == pytest.approx(expected, abs=1e-12)


def test_a_decision_by_features_is_consistent_and_one_by_sex_is_not():
    by_feature = measure_consistency(scene_with_features(2000, lambda frame: (frame["b"] > 0).to_numpy()).case)
    by_sex = measure_consistency(scene_with_features(2000, lambda frame: (frame["sex"] == "F").to_numpy()).case)
    assert by_feature.estimate.value > 0.9
    assert by_sex.estimate.value == pytest.approx(0.5, abs=0.03)
    assert not by_sex.estimate.assessable
    assert by_sex.estimate.n == 2000


def test_many_rows_are_sampled_and_it_is_said(monkeypatch):

    monkeypatch.setattr(appendix, "MOST_ROWS", 600)
    scene = scene_with_features(1500, lambda frame: (frame["b"] > 0).to_numpy())
    estimate = measure_consistency(scene.case).estimate
    assert estimate.n == 600
    assert "sampled" in estimate.method
    assert estimate == measure_consistency(scene.case).estimate


def test_no_features_no_consistency():
    groups, label, score = draw_people(100)
    assert measure_consistency(make_scene(groups, label, score).case) is None
    scene = scene_with_features(200, lambda frame: (frame["b"] > 0).to_numpy())
    scene.case.frame = scene.case.frame.assign(a=1.0, b=2.0, c="x")
    assert measure_consistency(scene.case) is None


def test_every_definition_is_measured(found):
    assert {item.metric for item in found.measurements} | {"fairness.consistency"} == {item.id for item in DEFINITIONS}
