"""Every cut of a sweep against counting the rows on each side of it."""

import numpy as np
import pytest
from score_material import HIGH, LOW, draw_people, make_scene
from sklearn.metrics import accuracy_score

from audit.evidence import Decision, ThresholdSweep
from audit.examination.measures.fairness.measure import state_four_fifths
from audit.examination.measures.fairness.thresholds import THRESHOLDS, sweep_thresholds

DECISIONS = {
    ">=": HIGH,
    "<": LOW,
    ">": Decision(favourable="score > 0.5", threshold=0.5),
    "<=": Decision(favourable="score <= 0.5", threshold=0.5, favourable_is_high=False, positive_is_favourable=False),
}
COMPARE = {">=": np.greater_equal, "<": np.less, ">": np.greater, "<=": np.less_equal}


def sweep_of(scene) -> ThresholdSweep:
    (sweep,) = sweep_thresholds(scene).records["sweeps"]
    return sweep


@pytest.mark.parametrize("operator", DECISIONS)
@pytest.mark.parametrize("digits", [1, 6])
def test_every_cut_counts_the_rows_on_each_side(operator, digits):
    groups, label, score = draw_people(1200, seed=3)
    score = score.round(digits)
    label[::50] = np.nan
    sweep = sweep_of(make_scene(groups, label, score, decision=DECISIONS[operator]))
    assert list(sweep.thresholds) == sorted(set(sweep.thresholds))
    assert sweep.today == 0.5
    assert 0.5 in sweep.thresholds
    known, compare = np.isfinite(label), COMPARE[operator]
    for i, cut in enumerate(sweep.thresholds):
        chosen = compare(score, cut)
        predicted = chosen if operator in (">=", ">") else ~chosen
        assert sweep.selection_rate[i] == pytest.approx(chosen.mean(), abs=1e-6)
        assert sweep.accuracy[i] == pytest.approx(accuracy_score(label[known] == 1, predicted[known]), abs=1e-6)
        rates = []
        for curve in sweep.curves:
            rows = groups["race"] == curve.values[0]
            rates.append(chosen[rows].mean())
            assert curve.selection_rate[i] == pytest.approx(rates[-1], abs=1e-6)
            assert curve.true_positive_rate[i] == pytest.approx(predicted[rows & (label == 1)].mean(), abs=1e-6)
            assert curve.false_positive_rate[i] == pytest.approx(predicted[rows & (label == 0)].mean(), abs=1e-6)
        worst = min(rates) / max(rates) if max(rates) > 0 else None
        assert sweep.impact_ratio[i] == (None if worst is None else pytest.approx(worst, abs=2e-6))


def test_cuts_lie_at_even_shares_of_the_people():
    groups, label, score = draw_people(5000)
    sweep = sweep_of(make_scene(groups, label, score**4))
    assert THRESHOLDS - 10 <= len(sweep.thresholds) <= THRESHOLDS + 1
    assert np.abs(np.diff(sweep.selection_rate)).max() < 0.06
    assert sweep.error == 0.0
    assert ThresholdSweep.parse(sweep.canonical()) == sweep


def test_a_score_of_one_value_has_one_cut_or_two():
    groups, label, _ = draw_people(200)
    sweep = sweep_of(make_scene(groups, label, np.full(200, 0.3)))
    assert sweep.today in sweep.thresholds
    assert len(sweep.thresholds) <= 2


def test_small_and_unknown_groups_have_no_curve():
    groups, label, score = draw_people(400, names=("A", "B", "unknown"))
    groups["race"][:6] = "X"
    sweep = sweep_of(make_scene(groups, label, score))
    assert [curve.values for curve in sweep.curves] == [("A",), ("B",)]


def test_the_ratio_is_that_of_the_literal_sentence():
    """A group large enough to judge and below the small share is drawn, and is no reference of the lowest ratio."""
    rng = np.random.default_rng(5)
    race = np.array(["A"] * 1500 + ["B"] * 1500 + ["tiny"] * 40, object)
    score = np.concatenate([rng.uniform(0, 1, 3000), np.full(40, 0.99)])
    scene = make_scene({"race": race}, (score > 0.5).astype(float), score)
    sweep = sweep_of(scene)
    assert [curve.values for curve in sweep.curves] == [("A",), ("B",), ("tiny",)]
    place = sweep.thresholds.index(0.5)
    said = state_four_fifths(scene.singles[0], scene.reading)
    assert f"lowest impact ratio {sweep.impact_ratio[place]:.3f}" in said
    assert sweep.impact_ratio[place] > 0.8


def test_without_labels_there_are_shares_alone():
    groups, _, score = draw_people(400)
    sweep = sweep_of(make_scene(groups, None, score))
    assert sweep.accuracy == ()
    assert all(curve.true_positive_rate == () == curve.false_positive_rate for curve in sweep.curves)
    assert sweep.selection_rate[0] > sweep.selection_rate[-1]


def test_a_group_without_positives_has_no_true_positive_rate():
    groups, label, score = draw_people(500)
    label[groups["race"] == "A"] = 0.0
    curve = sweep_of(make_scene(groups, label, score)).curves[0]
    assert set(curve.true_positive_rate) == {None}
    assert None not in curve.false_positive_rate


def test_selective_labels_show_no_rates_that_rest_on_them():
    from dataclasses import replace

    scene = make_scene(*draw_people(400))
    found = sweep_thresholds(replace(scene, reading=replace(scene.reading, selective="missing by decision")))
    assert found.records["sweeps"][0].accuracy == ()
    assert any("labels are missing by decision" in note for note in found.notes)


@pytest.mark.parametrize(
    ("decision", "score", "words"),
    [
        (HIGH, False, "no scores"),
        (Decision(favourable="a", bands={"a": "score >= 0.7", "b": "otherwise"}), True, "more than two sides"),
        (
            Decision(favourable="s = x: score >= 0.7", segment="s", segments={"x": "score >= 0.7"}),
            True,
            "segment to segment",
        ),
    ],
)
def test_where_there_is_no_single_cut_nothing_is_swept(decision, score, words):
    groups, label, scores = draw_people(200)
    found = sweep_thresholds(
        make_scene(groups, label, scores if score else None, decision=decision, favourable=scores > 0.5)
    )
    assert not found.records
    (note,) = found.notes
    assert words in note


def test_a_value_without_a_decision_is_not_cut():
    groups, label, score = draw_people(200)
    found = sweep_thresholds(make_scene(groups, label, score * 100, decision=None, task="regression"))
    assert "which side" in found.notes[0]


def test_scores_without_a_decision_and_stored_decisions_are_cut_and_it_is_said():
    groups, label, score = draw_people(300)
    none = sweep_thresholds(make_scene(groups, label, score, decision=None))
    assert none.records["sweeps"][0].today is None
    assert any("No decision was declared" in note for note in none.notes)
    stored = Decision(favourable="loan = yes")
    found = sweep_thresholds(make_scene(groups, label, score, decision=stored, favourable=score > 0.4))
    assert found.records["sweeps"][0].today is None
    assert any("were stored" in note for note in found.notes)


@pytest.mark.parametrize("halvings", [0, 4])
@pytest.mark.parametrize("threshold", [0.5, 0.3333])
def test_binned_scores_are_cut_where_counts_are_exact(halvings, threshold):
    groups, label, score = draw_people(4000, seed=8)
    decision = Decision(favourable=f"score >= {threshold}", threshold=threshold)
    sweep = sweep_of(make_scene(groups, label, score, decision=decision, binned=True, halvings=halvings))
    for i, cut in enumerate(sweep.thresholds):
        gaps = [
            abs(curve.selection_rate[i] - (score[groups["race"] == curve.values[0]] >= cut).mean())
            for curve in sweep.curves
        ]
        assert max(gaps) <= (sweep.error if cut == threshold else 0) + 1e-6
    assert (sweep.error == 0.0) == (threshold == 0.5)
    assert len(sweep.thresholds) > 20
