"""Distances against scipy, intervals against statsmodels and simulation, chance against permutation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from audit.statistics import (
    MeanGap,
    draw_splits,
    js_distance,
    ks_chance,
    ks_distance,
    pool_places,
    standardized_difference,
    wasserstein_distance,
    welch_interval,
    welch_test,
)

samples = st.lists(st.integers(-5, 5), min_size=2, max_size=30)


def lay_out(a, b):
    places = np.unique(np.r_[a, b])
    return places.astype(float), *(np.array([(side == place).sum() for place in places]) for side in (a, b))


@settings(max_examples=100)
@given(samples, samples)
def test_distances_are_scipys(a, b):
    a, b = np.array(a), np.array(b)
    places, first, second = lay_out(a, b)
    assert ks_distance(first, second) == pytest.approx(stats.ks_2samp(a, b, method="asymp").statistic, abs=1e-12)
    assert wasserstein_distance(places, first, second) == pytest.approx(stats.wasserstein_distance(a, b), abs=1e-12)
    expected = jensenshannon(first / first.sum(), second / second.sum(), base=2)
    assert js_distance(first, second) == pytest.approx(np.nan_to_num(expected), abs=1e-7)


def test_many_tables_at_once_are_the_same():
    rng = np.random.default_rng(0)
    places, tables, other = np.sort(rng.normal(size=7)), rng.integers(1, 9, (20, 7)), rng.integers(1, 9, (20, 7))
    for distance in (ks_distance, js_distance, lambda p, q: wasserstein_distance(places, p, q)):
        assert distance(tables, other) == pytest.approx(
            [float(distance(p, q)) for p, q in zip(tables, other, strict=True)]
        )


def test_ks_chance_is_the_critical_value():
    assert ks_chance(100, 100) == pytest.approx(1.3581 * np.sqrt(2 / 100), abs=1e-4)  # Smirnov's 5 % point
    assert ks_chance(3, 2) == 1.0
    value = ks_chance(80, 150)
    assert stats.distributions.kstwobign.sf(value * np.sqrt(80 * 150 / 230)) == pytest.approx(0.05, abs=1e-9)


@pytest.mark.parametrize(("n", "m"), [(30, 400), (200, 200)])
def test_what_chance_shows_is_exceeded_one_time_in_twenty(n, m):
    rng = np.random.default_rng(n)
    beyond = np.zeros(3)
    runs = 250
    for _ in range(runs):
        rows = np.sort(rng.beta(2, 4, n + m))
        here = np.zeros(n + m, int)
        here[rng.choice(n + m, n, replace=False)] = 1
        both = np.ones(n + m, int)
        pooled, bins = pool_places(both, 100), pool_places(both, 20)
        coarse, wide = np.bincount(pooled), np.bincount(bins)
        dealt, dealt_wide = draw_splits(coarse, n, 200, rng), draw_splits(wide, n, 200, rng)
        middles = np.bincount(pooled, rows) / coarse
        in_bins = np.bincount(bins, here)
        beyond += [
            ks_distance(here, both - here) > ks_chance(n, m),
            wasserstein_distance(rows, here, both - here)
            > np.quantile(wasserstein_distance(middles, dealt, coarse - dealt), 0.95),
            js_distance(in_bins, wide - in_bins) > np.quantile(js_distance(dealt_wide, wide - dealt_wide), 0.95),
        ]
    assert (beyond / runs <= 0.085).all()
    assert (beyond / runs >= [0.005, 0.02, 0.02]).all()  # the limit law is too careful for few rows


def test_deals_are_of_the_pooled_rows():
    pooled = np.array([5, 0, 20, 3])
    dealt = draw_splits(pooled, 9, 300, np.random.default_rng(1))
    assert (dealt.sum(axis=1) == 9).all()
    assert (dealt <= pooled).all()
    assert dealt.mean(axis=0) == pytest.approx(pooled * 9 / 28, abs=0.25)
    many = draw_splits(np.array([10**9, 10**9]), 100, 50, np.random.default_rng(1))
    assert (many.sum(axis=1) == 100).all()


@settings(max_examples=60)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=60).filter(any), st.integers(1, 25))
def test_pooled_places_keep_the_order_and_are_few(counts, most):
    places = pool_places(np.array(counts), most)
    assert (np.diff(places) >= 0).all()
    assert places[0] == 0
    assert (np.diff(places) <= 1).all()
    assert places[-1] < most


def describe(a, b):
    return MeanGap((a.mean(), a.var(ddof=1), len(a)), (b.mean(), b.var(ddof=1), len(b)))


def test_welch_is_statsmodels():
    rng = np.random.default_rng(2)
    a, b = rng.normal(0.3, 1, 40), rng.normal(0, 3, 90)
    gap = describe(a, b)
    theirs = CompareMeans(DescrStatsW(a), DescrStatsW(b)).tconfint_diff(0.01, usevar="unequal")
    assert welch_interval(gap, 0.99) == pytest.approx(theirs)
    test = stats.ttest_ind(a, b, equal_var=False)
    assert welch_test(gap) == pytest.approx((test.statistic, test.pvalue))
    assert np.isnan(welch_interval(describe(np.ones(9), np.ones(4)))).all()
    assert np.isnan(welch_test(MeanGap((1.0, float("nan"), 1), (0.0, 1.0, 9)))).all()


def test_the_standardized_difference_is_statsmodels():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.5, 1, 50), rng.normal(0, 1.2, 80)
    d, low, high = standardized_difference(describe(a, b))
    theirs, _ = effectsize_smd(a.mean(), a.std(ddof=1), 50, b.mean(), b.std(ddof=1), 80)
    assert d * (1 - 3 / (4 * 130 - 9)) == pytest.approx(theirs)  # theirs is Hedges' g, corrected for small samples
    assert low < d < high
    assert np.isnan(standardized_difference(describe(np.ones(5), np.ones(5)))).all()


def test_standardized_intervals_cover():
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(1500):
        a, b = rng.normal(0.4, 1, 35), rng.normal(0, 1, 60)
        _, low, high = standardized_difference(describe(a, b))
        held += low <= 0.4 <= high
    assert held / 1500 >= 0.93
