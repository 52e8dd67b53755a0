"""Numbers from scores against scikit-learn, and rows put together against the rows themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from score_material import HIGH, LOW, draw_people, estimate_of, make_scene, pick
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from audit.examination.measures.calibration import calibration_error, cut_bins, null_error
from audit.examination.measures.fairness import auc, calibrated, definitions
from audit.examination.measures.fairness.calibrated import measure_losses
from audit.examination.measures.fairness.groups import find_median
from audit.examination.measures.fairness.scores import measure_from_scores
from audit.examination.measures.ordered import order_scores, split_groups
from audit.examination.tally.condense import condense_roll
from audit.statistics import auc_delong, logit_interval, square_and_add

PEOPLE = draw_people()


def rows_of(groups, name):
    return groups["race"] == name


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), min_size=1, max_size=15))
def test_the_median_is_that_of_the_rows(entries):
    score, count = map(np.array, zip(*sorted(entries), strict=True))
    assert find_median(score, count) == np.median(np.repeat(score, count))


def test_scores_are_put_in_order_once():
    groups, label, score = draw_people(300)
    score[:7] = np.nan
    score[7] = np.inf
    ordered = order_scores(make_scene(groups, label, score.round(1)).case.roll)
    assert ordered.rows == 292
    assert (np.diff(ordered.score) >= 0).all()
    assert ordered.values.tolist() == np.unique(ordered.score).tolist()
    assert (ordered.values[ordered.place] == ordered.score).all()
    codes = ordered.find_cells(make_scene(groups, label, score).singles[0].table)
    for place, entries in enumerate(split_groups(codes, 3)):
        assert (codes[entries] == place).all()
        assert (np.diff(entries) > 0).all()


def test_losses_by_group_are_scikit_learns():
    groups, label, score = PEOPLE
    found = measure_losses(make_scene(groups, label, score))
    for name in "ABC":
        rows = rows_of(groups, name)
        brier, loss = (estimate_of(found, metric, race=name) for metric in ("brier", "log_loss"))
        assert brier.value == pytest.approx(brier_score_loss(label[rows], score[rows]), abs=1e-12)
        assert loss.value == pytest.approx(log_loss(label[rows], score[rows]), abs=1e-12)
        losses = (score[rows] - label[rows]) ** 2
        half = 1.96 * losses.std(ddof=1) / np.sqrt(rows.sum())
        assert (brier.high - brier.low) / 2 == pytest.approx(half, rel=0.01)
        assert brier.n == rows.sum()
    assert {item.metric for item in found.measurements} == {item.id for item in calibrated.DEFINITIONS}


def test_the_calibration_error_stands_beside_its_chance():
    groups, label, score = PEOPLE
    score = np.where(rows_of(groups, "C"), np.clip(score + 0.3, 0, 1), score)
    found = measure_losses(make_scene(groups, label, score))
    for name in "ABC":
        rows = rows_of(groups, name)
        estimate = estimate_of(found, "calibration_error", race=name)
        bins = cut_bins(score[rows])
        assert estimate.value == pytest.approx(calibration_error(score[rows], label[rows], bins), abs=1e-12)
        assert estimate.chance == pytest.approx(null_error(score[rows], bins, np.random.default_rng(5)), rel=0.08)
        assert not estimate.has_interval
        assert estimate.assessable
        assert (estimate.value > estimate.chance) == (name == "C")


def test_the_calibration_slope_of_a_group_is_that_of_statsmodels():
    import statsmodels.api as sm
    from scipy.special import logit

    groups, label, score = PEOPLE
    found = measure_losses(make_scene(groups, label, score))
    for name in "ABC":
        rows = rows_of(groups, name)
        x = logit(np.clip(score[rows], 1e-12, 1 - 1e-12))
        fit = sm.Logit(label[rows], sm.add_constant(x)).fit(disp=0)
        estimate = estimate_of(found, "calibration_slope", race=name)
        assert estimate.value == pytest.approx(fit.params[1], rel=1e-6)
        assert (estimate.low, estimate.high) == pytest.approx(tuple(fit.conf_int()[1]), rel=1e-5)


def test_what_a_handful_scored_is_not_shown():
    groups, label, score = draw_people(300)
    groups["race"][:4] = "X"
    found = measure_losses(make_scene(groups, label, score))
    for metric in ("brier", "log_loss", "calibration_error", "calibration_slope"):
        assert estimate_of(found, metric, race="X").value is None
    assert "one person's score" in estimate_of(found, "brier", race="X").note
    assert "need 20" in estimate_of(found, "calibration_error", race="X").note


def test_the_widest_auc_gap_pays_for_all_pairs():
    groups, label, score = PEOPLE
    noise = np.random.default_rng(3).random(len(score))
    score = np.where(rows_of(groups, "C"), 0.5 * score + 0.5 * noise, score)
    found = measure_from_scores(make_scene(groups, label, score))
    aucs = {name: auc_delong(*(score[rows_of(groups, name) & (label == side)] for side in (1, 0))) for name in "ABC"}
    widest = estimate_of(found, "worst_auc_gap", "race")
    values = [value for value, _ in aucs.values()]
    assert widest.value == pytest.approx(max(values) - min(values), abs=1e-12)
    bounds = {name: (value, *logit_interval(value, se, 1 - 0.05 / 3)) for name, (value, se) in aucs.items()}
    sides = [square_and_add(bounds[a], bounds[b]) for a, b in (("A", "B"), ("A", "C"), ("B", "C"))]
    assert widest.low == pytest.approx(max(0, *(max(low, -high) for low, high in sides)), abs=1e-12)
    assert widest.high == pytest.approx(max(max(high, -low) for low, high in sides), abs=1e-12)
    assert 0 < widest.low < widest.value < widest.high
    assert widest.note.startswith("race=C against")
    assert "3 comparisons" in widest.method


def test_a_tiny_best_group_does_not_hide_a_gap():
    """Thirty people who happen to be ranked best have a wide interval; two large groups differ all the same."""
    rng = np.random.default_rng(1)
    race = np.array(["A"] * 2000 + ["B"] * 2000 + ["T"] * 30, object)
    label = (rng.random(4030) < 0.5).astype(float)
    noise = np.where(race == "A", 0.5, np.where(race == "B", 2.0, 0.3))
    score = 1 / (1 + np.exp(-(label - 0.5 + noise * rng.normal(size=4030))))
    found = measure_from_scores(make_scene({"race": race}, label, score))
    assert pick(found, "auc_gap", race="B").reference in ("race=A", "race=T")
    assert estimate_of(found, "worst_auc_gap", "race").low > 0.1


def test_a_group_without_an_auc_makes_the_widest_gap_not_assessable():
    groups, label, score = draw_people(900)
    label[rows_of(groups, "C")] = 0.0
    gap = estimate_of(measure_from_scores(make_scene(groups, label, score)), "worst_auc_gap", "race")
    assert gap.value is not None
    assert not gap.assessable
    assert "race=C has no AUC" in gap.note


@pytest.mark.parametrize("label_of", [lambda label: label, lambda label: 1 - label])
def test_an_auc_of_one_or_nothing_has_no_interval(label_of):
    groups, label, _ = draw_people(300)
    found = measure_from_scores(make_scene(groups, label, 0.2 + 0.6 * label_of(label)))
    for name in "ABC":
        estimate = estimate_of(found, "auc", race=name)
        assert estimate.value in (0.0, 1.0)
        assert not estimate.has_interval
        assert not estimate.assessable
    assert estimate_of(found, "worst_auc_gap", "race").value is None


def test_scores_that_are_all_alike_have_no_interval():
    groups, label, _ = draw_people(400)
    found = measure_from_scores(make_scene(groups, label, np.full(400, 0.3)))
    mean = estimate_of(found, "mean_score", race="A")
    assert mean.value == pytest.approx(0.3)
    assert not mean.has_interval
    assert not mean.assessable
    assert estimate_of(found, "auc", race="A").value == 0.5
    assert not estimate_of(found, "auc", race="A").assessable
    losses = measure_losses(make_scene(groups, label, np.where(label == 1, 0.7, 0.3)))
    assert estimate_of(losses, "brier", race="A").value == pytest.approx(0.09)
    assert not estimate_of(losses, "brier", race="A").has_interval


def test_scores_outside_their_scale_are_counted_and_not_judged_as_probabilities():
    groups, label, score = draw_people(400)
    score[:30] += 1.0
    score[30:40] = np.nan
    scene = make_scene(groups, label, score)
    found = measure_from_scores(scene)
    assert "no probabilities" in estimate_of(found, "calibration_in_group", race="A").note
    assert estimate_of(found, "auc", race="A").value is not None
    assert any("30 of 390 scores lie outside 0 to 1" in note for note in found.notes)
    assert any("10 of 400 people have no score" in note for note in found.notes)
    losses = measure_losses(scene)
    assert all("no probabilities" in item.estimate.note for item in losses.measurements)


def test_nothing_but_decisions():
    groups, label, score = draw_people(200)
    scene = make_scene(groups, label, None, favourable=score > 0.5)
    for found, names in (
        (measure_from_scores(scene), {item.id for item in auc.DEFINITIONS}),
        (measure_losses(scene), {item.id for item in calibrated.DEFINITIONS}),
    ):
        assert {item.estimate.note for item in found.measurements} == {"there are no scores, only decisions"}
        assert names <= {item.metric for item in found.measurements}


def test_scores_without_a_decision():
    groups, label, score = draw_people(600)
    scene = make_scene(groups, label, score, decision=None)
    found = measure_from_scores(scene)
    assert estimate_of(found, "scoring_rate", race="A").value == (score[rows_of(groups, "A")] > np.median(score)).mean()
    for metric in ("auc", "mean_score", "calibration_in_group"):
        assert estimate_of(found, metric, race="A").has_interval


def test_weights_are_said_not_to_count_once():
    groups, label, score = draw_people(200)
    notes = measure_from_scores(make_scene(groups, label, score, weights=np.full(200, 2.0))).notes
    assert [note for note in notes if "row weights" in note] == [
        "Numbers from scores count people; row weights are not used for them."
    ]


@pytest.mark.parametrize("decision", [HIGH, LOW])
@pytest.mark.parametrize("halvings", [0, 3])
def test_rows_put_together_say_the_same_within_what_they_promise(decision, halvings):
    groups, label, score = draw_people(3000, seed=4)
    label[::40] = np.nan
    exact = make_scene(groups, label, score, decision=decision)
    binned = make_scene(groups, label, score, decision=decision, binned=True, halvings=halvings)
    assert len(binned.case.roll.count) < 3000
    one, two = measure_from_scores(exact), measure_from_scores(binned)
    assert [(a.metric, a.group) for a in one.measurements] == [(b.metric, b.group) for b in two.measurements]
    for a, b in zip(one.measurements, two.measurements, strict=True):
        first, second = a.estimate, b.estimate
        assert first.n == second.n
        if a.metric in ("fairness.mean_score", "fairness.calibration_in_group", "fairness.calibration_gap"):
            assert second.value == pytest.approx(first.value, abs=1e-12)
            assert second.low == pytest.approx(first.low, abs=1e-3)
        elif a.metric in ("fairness.auc", "fairness.scoring_rate"):
            bound = float(second.method.split("at most ")[1].split(" ")[0])
            assert abs(first.value - second.value) <= bound + 1e-12
            assert bound < 0.08
    auc_binned, auc_exact = (estimate_of(found, "auc", race="A") for found in (two, one))
    assert auc_binned.low < auc_exact.low
    assert auc_binned.high > auc_exact.high
    assert any("binned" in note for note in two.notes)
    losses, others = measure_losses(exact), measure_losses(binned)
    for name in "ABC":
        assert estimate_of(others, "brier", race=name).value == pytest.approx(
            estimate_of(losses, "brier", race=name).value, abs=1e-12
        )
        assert estimate_of(others, "log_loss", race=name).value == pytest.approx(
            estimate_of(losses, "log_loss", race=name).value, abs=2e-3
        )
        a, b = (estimate_of(found, "calibration_error", race=name) for found in (losses, others))
        assert b.chance == pytest.approx(a.chance, rel=0.15)


def test_scores_of_few_values_lose_nothing_by_being_put_together():
    """Every score is a bin's lower edge: ties are ties before and after."""
    groups, label, score = draw_people(2500, seed=6)
    score = np.floor(score * 64) / 64
    one, two = (measure_from_scores(make_scene(groups, label, score, binned=flag)) for flag in (False, True))
    for name in "ABC":
        a, b = (estimate_of(found, "auc", race=name) for found in (one, two))
        assert b.value == pytest.approx(a.value, abs=1e-12)
        rows = rows_of(groups, name)
        assert a.value == pytest.approx(roc_auc_score(label[rows], score[rows]), abs=1e-12)


def test_definitions_are_told_apart():
    names = [item.id for part in (definitions, auc, calibrated) for item in part.DEFINITIONS]
    assert len(set(names)) == len(names)


def test_condensing_keeps_everybody():
    groups, label, score = draw_people(500)
    roll = make_scene(groups, label, score).case.roll
    assert order_scores(condense_roll(roll, 5)).rows == order_scores(roll).rows == 500
