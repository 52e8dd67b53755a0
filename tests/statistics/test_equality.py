"""Tests of equality, and what is decided in whole people."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from audit.statistics import (
    as_fraction,
    compare_proportions,
    fisher_exact,
    flip_one,
    needed_for_ratio,
    normal_p,
    pooled_z,
    ratio_reaches,
    shortfall,
)

TABLES = [(3, 10, 7, 12), (0, 5, 5, 5), (0, 8, 0, 9), (4, 4, 4, 4), (15, 400, 2, 90), (52, 92, 30, 76), (1, 1, 0, 1)]


@pytest.mark.parametrize(("k1", "n1", "k2", "n2"), TABLES)
def test_fisher_equals_scipy(k1, n1, k2, n2):
    theirs = stats.fisher_exact([[k1, n1 - k1], [k2, n2 - k2]]).pvalue
    assert fisher_exact(k1, n1, k2, n2)[0] == pytest.approx(theirs, rel=1e-9)


def test_fisher_equals_scipy_on_many_tables():
    rng = np.random.default_rng(11)
    for _ in range(300):
        n1, n2 = rng.integers(1, 60, 2)
        k1, k2 = rng.integers(0, n1 + 1), rng.integers(0, n2 + 1)
        theirs = stats.fisher_exact([[k1, n1 - k1], [k2, n2 - k2]]).pvalue
        assert fisher_exact(int(k1), int(n1), int(k2), int(n2))[0] == pytest.approx(theirs, rel=1e-8), (k1, n1, k2, n2)


def test_mid_p_counts_the_observed_half():
    # 1 of 1 against 0 of 1: both tables have probability one half
    p, mid = fisher_exact(1, 1, 0, 1)
    assert p == pytest.approx(1.0)
    assert mid == pytest.approx(0.5)
    p, mid = fisher_exact(3, 10, 7, 12)
    assert mid < p


def test_fisher_of_large_counts_agrees_with_z():
    z = pooled_z(50_200, 100_000, 49_800, 100_000)
    assert fisher_exact(50_200, 100_000, 49_800, 100_000)[0] == pytest.approx(normal_p(z), rel=0.02)


@pytest.mark.parametrize("counts", [(-1, 5, 0, 5), (6, 5, 0, 5), (0, 5, 9, 5)])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError):
        fisher_exact(*counts)
    with pytest.raises(ValueError):
        compare_proportions(*counts)


def test_empty_groups_are_refused():
    with pytest.raises(ValueError):
        compare_proportions(0, 0, 3, 5)
    assert pooled_z(0, 0, 3, 5) is None


def test_pooled_z_equals_statsmodels():
    z, p = proportions_ztest([199, 327], [994, 965])
    test = compare_proportions(199, 994, 327, 965)
    assert test.method == "pooled z"
    assert test.statistic == pytest.approx(z)
    assert test.p == pytest.approx(p)


@pytest.mark.parametrize(
    ("counts", "method"),
    [
        ((10, 29, 20, 400), "Fisher exact"),  # fewer than 30 rows
        ((2, 100, 3, 100), "Fisher exact"),  # expected 2.5
        ((5, 100, 5, 100), "pooled z"),  # expected exactly 5
        ((0, 100, 0, 100), "Fisher exact"),
        ((100, 100, 100, 100), "Fisher exact"),
    ],
)
def test_choice_of_test(counts, method):
    test = compare_proportions(*counts)
    assert test.method == method
    assert (test.statistic is None) == (method == "Fisher exact")


def test_nobody_or_everybody_selected_is_no_evidence():
    assert compare_proportions(0, 100, 0, 50).p == pytest.approx(1.0)
    assert compare_proportions(100, 100, 50, 50).p == pytest.approx(1.0)
    assert pooled_z(0, 100, 0, 50) is None


def test_shortfall_keeps_the_total_and_mirrors():
    assert shortfall(20, 100, 60, 100) == pytest.approx(20)
    assert shortfall(60, 100, 20, 100) == pytest.approx(-20)
    assert shortfall(30, 100, 60, 200) == pytest.approx(0)


def test_flip_one():
    assert flip_one(1, 4, 2, 4)  # 2 of 4 against 1 of 4
    assert not flip_one(40, 100, 60, 100)
    assert not flip_one(3, 4, 2, 4)  # it is ahead already
    assert not flip_one(0, 2, 0, 2)
    assert not flip_one(1, 3, 2, 3) or Fraction(2, 3) > Fraction(1, 3)


def test_exactly_four_fifths_in_whole_people_is_not_below():
    # 0.8 x 35 / 50 is 28 of 50 in people; floats put the ratio a hair below 0.8
    assert ratio_reaches(28, 50, 35, 50)
    floats_below = [
        (4 * m, n, 5 * m, n) for n in range(5, 400) for m in range(1, n // 5 + 1) if (4 * m / n) / (5 * m / n) < 0.8
    ]
    assert floats_below, "the trap that integers avoid must exist"
    assert all(ratio_reaches(*counts) for counts in floats_below)
    assert not ratio_reaches(27, 50, 35, 50)


def test_ratio_reaches_reads_limits_as_written():
    assert ratio_reaches(9, 10, 10, 10, 0.9)
    assert ratio_reaches(9, 10, 10, 10, "0.9")
    assert not ratio_reaches(9, 10, 10, 10, Fraction(91, 100))
    assert as_fraction(0.8) == Fraction(4, 5)
    assert as_fraction("80/100") == Fraction(4, 5)
    assert ratio_reaches(1, 2, 0, 2) is None
    assert ratio_reaches(0, 0, 1, 2) is None


def test_needed_for_ratio_is_the_smallest_that_reaches():
    assert needed_for_ratio(199, 994, 327, 965) == 71
    assert not ratio_reaches(199 + 70, 994, 327, 965)
    assert ratio_reaches(199 + 71, 994, 327, 965)
    assert needed_for_ratio(28, 50, 35, 50) == 0
    assert needed_for_ratio(1, 2, 0, 5) is None


def test_local_law_144_worked_ratios():
    """Ratios printed in 6 RCNY 5-301's example follow from rates that round to the printed ones."""
    printed = {"Male": (92, 54.3, 1.00), "Female": (76, 44.7, 0.82)}
    rates = {name: rate for name, (_, rate, _) in printed.items()}
    for rate, ratio in ((rates[name], printed[name][2]) for name in printed):
        assert round(rate / max(rates.values()), 2) == ratio
    intersection = {
        "Hispanic or Latino": (28, 64.2, 1.00),
        "White": (40, 37.5, 0.58),
        "Black": (32, 50.0, 0.78),
        "Native Hawaiian or Pacific Islander": (8, 62.5, 0.97),
        "Asian": (24, 41.7, 0.65),
    }
    best = max(rate for _, rate, _ in intersection.values())
    for _, rate, ratio in intersection.values():
        assert rate / best == pytest.approx(ratio, abs=0.0051)
