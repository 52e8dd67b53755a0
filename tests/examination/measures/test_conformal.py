"""Conformal sets: the threshold by hand, the promise kept over many draws, groups with thresholds of their own."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from case_material import pick_number
from hypothesis import given
from hypothesis import strategies as st

from audit.evidence import NotDone
from audit.examination.blackbox.score import Scores
from audit.examination.measures.conformal import conformal_threshold, find_misfit, measure_conformal


def make_case(score, label, groups=None, task="binary", seed=0, probabilities=None, truth=None):
    n = len(label)
    return SimpleNamespace(
        subject=SimpleNamespace(task=task, small_count=30),
        scores=Scores(score, score, None, None, probabilities=probabilities, truth=truth),
        label=np.asarray(label, float),
        groups=groups or {"sex": np.resize(np.array(["F", "M"], object), n)},
        roll=None,
        rng=lambda name: np.random.default_rng(seed),
    )


def measured(case):
    found, made = measure_conformal(case)
    return SimpleNamespace(measurements=found), made


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_the_threshold_is_the_ordered_misfit_of_split_conformal_prediction(misfit, promised):
    values = np.array(misfit)
    limit = conformal_threshold(values, promised)
    if np.isinf(limit):
        assert promised * (len(misfit) + 1) > len(misfit)
    else:
        # at least the promised share of n + 1 lies at or below it, and no smaller misfit does that
        assert (values <= limit).sum() >= promised * (len(misfit) + 1) - 1e-6
        assert (values < limit).sum() < promised * (len(misfit) + 1)


def test_the_promise_holds_on_average_over_draws():
    covered, rng = [], np.random.default_rng(0)
    for seed in range(60):
        score = rng.beta(2, 2, 400)
        label = rng.random(400) < score**2  # miscalibrated on purpose: the promise needs no calibration
        found, _ = measured(make_case(score, label, seed=seed))
        covered.append(pick_number(found, "robustness.conformal_coverage").value)
    assert np.mean(covered) == pytest.approx(0.9, abs=0.012)


def test_coverage_and_size_are_those_of_a_plain_loop():
    rng = np.random.default_rng(1)
    score = rng.beta(1, 2, 500)
    label = (rng.random(500) < score).astype(float)
    found, made = measured(make_case(score, label))
    first = np.random.default_rng(0).permutation(500)[:250]
    judged = np.setdiff1d(np.arange(500), first)
    misfits = sorted(1 - (score[i] if label[i] else 1 - score[i]) for i in first)
    limit = misfits[int(np.ceil(251 * 0.9)) - 1]
    sets = [{y for y in (0, 1) if 1 - (score[i] if y else 1 - score[i]) <= limit} for i in judged]
    coverage = pick_number(found, "robustness.conformal_coverage")
    assert (coverage.count, coverage.n) == (sum(label[i] in s for i, s in zip(judged, sets, strict=True)), 250)
    size = pick_number(found, "robustness.conformal_set_size")
    assert size.value == pytest.approx(np.mean([len(s) for s in sets]))
    assert (made.calibrated_on, made.judged_on) == (250, 250)


def test_a_group_that_the_model_knows_less_well_is_covered_less_under_one_threshold():
    rng = np.random.default_rng(2)
    n = 6000
    sex = np.resize(np.array(["F", "M"], object), n)
    score = rng.beta(0.4, 0.4, n)
    label = rng.random(n) < np.where(sex == "F", score, 0.5 + 0.4 * (score - 0.5))
    found, _ = measured(make_case(score, label, {"sex": sex}))
    shared = {s: pick_number(found, "robustness.conformal_shared_coverage", sex=s) for s in "FM"}
    own = {s: pick_number(found, "robustness.conformal_coverage", sex=s) for s in "FM"}
    assert shared["M"].high < 0.9 < shared["F"].low
    assert all(own[s].value == pytest.approx(0.9, abs=0.025) for s in "FM")


def test_a_value_has_an_interval_of_twice_the_threshold():
    rng = np.random.default_rng(3)
    score = rng.normal(50, 10, 4000)
    found, _ = measured(make_case(score, score + rng.normal(0, 2, 4000), task="regression"))
    assert pick_number(found, "robustness.conformal_set_size").value == pytest.approx(2 * 1.645 * 2, rel=0.06)
    assert pick_number(found, "robustness.conformal_coverage").value == pytest.approx(0.9, abs=0.02)


def test_several_classes_use_the_probability_of_the_true_one():
    chances = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.2, 0.6]])
    case = make_case(chances[:, 0], [1, 0, np.nan], probabilities=chances, truth=np.array([0, 1, -1]))
    misfit = find_misfit(case)
    assert np.allclose(misfit.own, [0.3, 0.7])
    assert misfit.rows.tolist() == [0, 1]


def test_small_groups_have_no_threshold_of_their_own():
    rng = np.random.default_rng(4)
    sex = np.array(["F"] * 30 + ["M"] * 470, object)
    score = rng.random(500)
    found, _ = measured(make_case(score, rng.random(500) < score, {"sex": sex}))
    few = pick_number(found, "robustness.conformal_coverage", sex="F")
    assert few.value is None
    assert "fewer than 30" in few.note
    assert not pick_number(found, "robustness.conformal_shared_coverage", sex="F").assessable


@pytest.mark.parametrize(
    ("score", "label", "why"),
    [
        (np.full(500, 0.5), np.full(500, np.nan), "0 rows"),
        (np.linspace(-1, 3, 500), np.ones(500), "no probabilities"),
        (None, np.ones(500), "no scores"),
    ],
)
def test_what_cannot_be_done_says_why(score, label, why):
    found = measure_conformal(make_case(score, label))
    assert isinstance(found, NotDone)
    assert why in found.not_done
