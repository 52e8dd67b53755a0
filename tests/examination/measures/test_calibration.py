"""Calibration against statsmodels and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from glass_material import make_case, make_truth
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.evidence import NotDone
from audit.examination.blackbox.score import Scores
from audit.examination.glassbox.fit import Fits
from audit.examination.measures.calibration import (
    DEFINITIONS,
    calibration_error,
    calibration_slope,
    cut_bins,
    measure_calibration,
    null_error,
)


def get(section, metric, model="black_box"):
    (found,) = [m for m in section.measurements if (m.metric, m.model) == (f"calibration.{metric}", model)]
    return found.estimate


@settings(max_examples=60)
@given(st.integers(1, 400), st.integers(0, 10_000), st.integers(1, 3))
def test_bins_are_even_and_never_part_equal_scores(n, seed, digits):
    score = np.random.default_rng(seed).random(n).round(digits)
    bins = cut_bins(score)
    assert sorted(set(bins)) == list(range(bins.max() + 1))
    for value in np.unique(score):
        assert np.unique(bins[score == value]).size == 1
    order = np.argsort(score, kind="stable")
    assert (np.diff(bins[order]) >= 0).all()
    assert bins.max() + 1 <= 10


def test_ten_even_bins_of_distinct_scores():
    bins = cut_bins(np.random.default_rng(0).random(1003))
    assert np.bincount(bins).size == 10
    assert np.ptp(np.bincount(bins)) <= 1


def test_the_slope_is_that_of_a_logistic_regression():
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    link = rng.normal(size=3000)
    label = (rng.random(3000) < 1 / (1 + np.exp(-0.6 * link + 0.2))).astype(float)
    oracle = sm.Logit(label, sm.add_constant(link)).fit(disp=0)
    estimate = calibration_slope(1 / (1 + np.exp(-link)), label)
    assert estimate.value == pytest.approx(oracle.params[1], abs=1e-6)
    assert (estimate.low, estimate.high) == pytest.approx(tuple(oracle.conf_int()[1]), abs=1e-5)


def test_a_perfectly_calibrated_model_exceeds_its_null_one_time_in_twenty():
    rng = np.random.default_rng(0)
    score = rng.beta(2, 3, 1500)
    bins = cut_bins(score)
    null = null_error(score, bins, rng)
    labels = rng.random((600, 1500)) < score
    errors = np.array([calibration_error(score, label.astype(float), bins) for label in labels])
    assert 0.02 < (errors > null).mean() < 0.09
    # and the error of a perfect model is far from 0: it must not be read as an error
    assert errors.mean() > 0.02


def test_few_rows_are_drawn_one_by_one():
    rng = np.random.default_rng(1)
    score = rng.random(60)
    bins = cut_bins(score)
    ours = null_error(score, bins, np.random.default_rng(2))
    labels = rng.random((4000, 60)) < score
    theirs = np.quantile([calibration_error(score, label.astype(float), bins) for label in labels], 0.95)
    assert ours == pytest.approx(theirs, rel=0.06)


def test_the_section_of_a_good_and_of_a_bad_model():
    frame, link, label = make_truth(3000, seed=6)
    fits = Fits(out_of_fold={"net_label": 3 * link + 1})
    section = measure_calibration(make_case(frame, link=link, label=label, fits=fits))
    assert len(section.bins) == 10
    assert sum(item.observed.n for item in section.bins) == 3000
    means = [item.mean_score for item in section.bins]
    assert means == sorted(means)
    covered = [item.observed.low <= item.mean_score <= item.observed.high for item in section.bins]
    assert sum(covered) >= 8
    assert get(section, "error").value < 1.3 * section.expected_error_null
    slope, gap = get(section, "slope"), get(section, "mean_gap")
    assert slope.low < 1 < slope.high
    assert gap.low < 0 < gap.high
    assert get(section, "slope", "net_label").high < 0.5
    assert get(section, "mean_gap", "net_label").low > 0
    assert {m.metric for m in section.measurements} == {definition.id for definition in DEFINITIONS}


def test_the_section_is_the_same_twice():
    frame, link, label = make_truth(400)
    case = make_case(frame, link=link, label=label)
    assert measure_calibration(case).canonical() == measure_calibration(case).canonical()


@pytest.mark.parametrize(
    ("score", "label", "words"),
    [
        (np.full(100, 0.3), np.tile([0.0, 1.0], 50), "same score"),
        (np.linspace(0.01, 0.99, 100), np.ones(100), "one class"),
        (np.linspace(0.01, 0.99, 100), np.repeat([0.0, 1.0], 50), "separates"),
    ],
)
def test_a_slope_that_does_not_exist_is_undefined(score, label, words):
    estimate = calibration_slope(score, label)
    assert estimate.value is None
    assert words in estimate.note


def test_certain_scores_are_held_within_bounds():
    score = np.array([0.0, 1.0, 0.5, 0.2, 0.9] * 20)
    label = np.array([0.0, 1.0, 1.0, 0.0, 0.0] * 20)
    assert np.isfinite(calibration_slope(score, label).value)


def test_what_has_no_probabilities_is_not_done():
    frame, link, label = make_truth(100)
    points = np.round(10 / (1 + np.exp(-link)))
    cases = [
        make_case(frame, link=link, label=label, task="regression"),
        make_case(frame, link=link),
        make_case(frame, label=label, scores=Scores(None, None, label == 1, label == 1)),
        make_case(frame, label=label, scores=Scores(points, points, points > 5, points > 5)),
        make_case(frame, link=link, label=np.where(np.arange(100) < 15, label, np.nan)),
    ]
    for case in cases:
        section = measure_calibration(case)
        assert isinstance(section, NotDone)
        assert section.not_done
