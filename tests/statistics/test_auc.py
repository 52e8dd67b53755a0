"""AUC of counted rows against the rows themselves, and the area between two curves against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from audit.statistics import (
    area_between_rocs,
    auc_delong,
    auc_delong_paired,
    auc_interval,
    auc_of_counts,
    auc_slack,
    count_at,
    logit_interval,
)
from audit.statistics.auc import _placements

counted = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 5)), min_size=1, max_size=12)


@settings(max_examples=150)
@given(counted, counted)
def test_counts_are_the_rows_they_stand_for(positive, negative):
    (p, p_count), (q, q_count) = (map(np.array, zip(*side, strict=True)) for side in (positive, negative))
    auc, se = auc_delong(p, q, p_count, q_count)
    rows, others = np.repeat(p, p_count).astype(float), np.repeat(q, q_count).astype(float)
    v10, v01 = _placements(rows, others)
    assert auc == pytest.approx(v10.mean(), abs=1e-12)
    if min(len(rows), len(others)) < 2:
        assert np.isnan(se)
    else:
        variance = v10.var(ddof=1) / len(rows) + v01.var(ddof=1) / len(others)
        assert se == pytest.approx(np.sqrt(variance), abs=1e-12)
    # pairing a score with itself takes another way to the same error
    label = np.r_[np.ones(len(rows)), np.zeros(len(others))]
    if min(len(rows), len(others)) >= 2:
        paired = auc_delong_paired(np.r_[rows, others], np.r_[rows, others], label)
        assert (paired.first, paired.se_first) == pytest.approx((auc, se), abs=1e-12)


def test_separated_and_constant_scores_have_no_spread():
    for auc, se in (auc_delong(np.array([3.0, 4.0]), np.array([1.0, 2.0])), auc_delong(np.ones(7), np.ones(9))):
        assert se == 0.0
        assert np.isnan(logit_interval(auc, se)).all()


def test_very_many_rows_do_not_overflow():
    half = np.array([3_000_000_000, 1_000_000_000])
    auc, se = auc_of_counts(half[::-1], half)
    assert auc == pytest.approx(auc_of_counts(np.array([1, 3]), np.array([3, 1]))[0], abs=1e-15)
    assert 0 < se < 1e-4


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([4, 16, 64]))
def test_binning_moves_an_auc_by_no_more_than_its_slack(seed, bins):
    rng = np.random.default_rng(seed)
    label = rng.random(300) < 0.4
    score = np.clip(rng.normal(0.4 + 0.2 * label, 0.2), 0, 1)
    place = np.minimum((score * bins).astype(int), bins - 1)
    p, q = (count_at(place[side], np.ones(side.sum(), int), bins) for side in (label, ~label))
    gap = abs(auc_of_counts(p, q)[0] - roc_auc_score(label, score))
    assert gap <= auc_slack(p, q) + 1e-12
    assert auc_slack(p, q) <= 0.5


def test_slack_of_nothing_is_nothing():
    assert auc_slack(np.array([0, 0]), np.array([1, 2])) == 0.0


def counts_of(score, label):
    distinct, place = np.unique(score, return_inverse=True)
    return tuple(np.bincount(place[label == side], minlength=len(distinct)) for side in (1, 0))


@pytest.mark.parametrize("digits", [1, 2, 6])
def test_area_between_curves_is_that_of_scikit_learns(digits):
    rng = np.random.default_rng(digits)
    curves, grid = [], np.linspace(0, 1, 400_001)
    heights = []
    for strength, n in ((0.5, 120), (1.5, 90)):
        label = (rng.random(n) < 0.4).astype(int)
        score = rng.normal(strength * label).round(digits)
        curves.append(counts_of(score, label))
        fpr, tpr, _ = roc_curve(label, score, drop_intermediate=False)
        heights.append(np.interp(grid, fpr, tpr))
    expected = np.trapezoid(np.abs(heights[0] - heights[1]), grid)
    assert area_between_rocs(*curves) == pytest.approx(expected, abs=2e-5)
    assert area_between_rocs(*curves) == pytest.approx(area_between_rocs(*curves[::-1]), abs=1e-14)


def test_area_of_a_perfect_and_a_reversed_curve_is_one():
    perfect, reversed_ = ((0, 5), (5, 0)), ((5, 0), (0, 5))
    assert area_between_rocs(perfect, reversed_) == pytest.approx(1.0)
    assert area_between_rocs(perfect, perfect) == 0.0
    # straight lines that cross: from chance to a curve that is above for one half and below for the other
    chance, wave = ((4, 4), (4, 4)), ((1, 2, 1), (1, 0, 1))
    assert area_between_rocs(chance, wave) == pytest.approx(0.125)


def test_area_bounds_the_difference_of_areas():
    rng = np.random.default_rng(8)
    label = (rng.random(400) < 0.5).astype(int)
    one, two = counts_of(rng.normal(label), label), counts_of(rng.normal(2 * label), label)
    assert area_between_rocs(one, two) >= abs(auc_of_counts(*one)[0] - auc_of_counts(*two)[0]) - 1e-12


def test_interval_of_many_rows_is_delongs():
    assert auc_interval(0.8, 0.02, 100, 400) == logit_interval(0.8, 0.02)


def test_interval_of_few_rows_holds_newcombes():
    """Newcombe's ends are where the area's own Hanley-McNeil error is just 1.96 times the distance."""
    low, high = auc_interval(0.9, 0.001, 12, 30)
    for end in (low, high):
        q1, q2 = end / (2 - end), 2 * end**2 / (1 + end)
        # his method 5: both class sizes of the spread terms are their mean
        half = (12 + 30) / 2
        spread = end * (1 - end) + (half - 1) * (q1 - end**2) + (half - 1) * (q2 - end**2)
        assert abs(0.9 - end) / np.sqrt(spread / (12 * 30)) == pytest.approx(1.959964, abs=1e-6)
    wide = auc_interval(0.9, 0.2, 12, 30)
    assert wide[0] == pytest.approx(logit_interval(0.9, 0.2)[0])
    assert np.isnan(auc_interval(1.0, 0.0, 12, 30)).all()


@pytest.mark.parametrize("sd", [1.0, 2.0])
def test_interval_covers_where_few_are_positive_and_the_area_is_high(sd):
    """DeLong's alone covers about 83 and 85 %; drawn from two normals of equal and of unequal spread."""
    from scipy.stats import norm

    rng, hits, alone = np.random.default_rng(5), 0, 0
    shift = norm.ppf(0.95) * np.hypot(1.0, sd)
    for _ in range(400):
        auc, se = auc_delong(rng.normal(shift, sd, 10), rng.normal(0.0, 1.0, 500))
        for name, bounds in (("alone", logit_interval(auc, se)), ("hull", auc_interval(auc, se, 10, 500))):
            covered = bool(np.isnan(bounds[0]) or bounds[0] <= 0.95 <= bounds[1])
            hits, alone = hits + (covered and name == "hull"), alone + (covered and name == "alone")
    assert alone < 0.92 * 400
    assert hits >= 0.93 * 400
