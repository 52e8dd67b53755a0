"""Envelopes over all pairs, and how many people a statement needs."""

import math

import numpy as np
import pytest

from audit.statistics import (
    compare_to_best,
    minimum_detectable_ratio,
    newcombe_difference,
    pair_level,
    ratio_reaches,
    rows_needed,
    rows_to_decide,
    score_ratio,
    widest_gap,
    wilson,
    worst_difference,
    worst_ratio,
)

COUNTS = [(30, 100), (45, 90), (10, 60), (0, 0)]


def test_worst_ratio_is_the_envelope_of_all_ordered_pairs():
    envelope = worst_ratio(COUNTS)
    filled = COUNTS[:3]
    intervals = [score_ratio(*a, *b, pair_level(0.95, 3)) for a in filled for b in filled if a is not b]
    assert envelope.value == pytest.approx((10 / 60) / (45 / 90))
    assert envelope.low == pytest.approx(min(low for low, _ in intervals))
    assert envelope.high == pytest.approx(min(1.0, *(high for _, high in intervals)))
    assert (envelope.pairs, envelope.worst) == (3, (2, 1))


def test_worst_difference_is_the_envelope_of_all_ordered_pairs():
    envelope = worst_difference(COUNTS)
    filled = COUNTS[:3]
    intervals = [newcombe_difference(*a, *b, pair_level(0.95, 3)) for a in filled for b in filled if a is not b]
    assert envelope.value == pytest.approx(45 / 90 - 10 / 60)
    assert envelope.low == pytest.approx(max(0.0, *(low for low, _ in intervals)))
    assert envelope.high == pytest.approx(max(high for _, high in intervals))
    assert envelope.worst == (2, 1)


def test_a_larger_family_is_wider():
    one, two = worst_difference(COUNTS), worst_difference(COUNTS, family=6)
    assert two.low < one.low
    assert two.high > one.high
    assert two.pairs == 6


@pytest.mark.parametrize("counts", [[], [(3, 10)], [(3, 10), (0, 0)]])
def test_fewer_than_two_groups_have_no_worst(counts):
    assert worst_ratio(counts).pairs == 0
    assert math.isnan(worst_ratio(counts).value)
    assert math.isnan(worst_difference(counts).value)


def test_nobody_selected_has_no_ratio_but_a_difference():
    counts = [(0, 50), (0, 70)]
    assert math.isnan(worst_ratio(counts).value)
    assert worst_difference(counts).value == 0.0
    assert worst_difference(counts).high > 0.05


def test_parity_is_inside_when_groups_are_equal():
    counts = [(300, 1000), (305, 1000), (298, 1000)]
    assert worst_ratio(counts).high == 1.0
    assert worst_difference(counts).low == 0.0


def test_widest_gap_of_wilson_is_worst_difference():
    counts = [(30, 100), (45, 90), (10, 60)]
    level = pair_level(0.95, 3)
    gap = widest_gap([k / n for k, n in counts], [wilson(k, n, level) for k, n in counts], 3)
    expected = worst_difference(counts)
    assert gap[:3] == pytest.approx(expected[:3])
    assert gap[3:] == expected[3:]
    assert widest_gap([0.5], [(0.4, 0.6)], 0).pairs == 0


@pytest.mark.parametrize(("low", "high"), [((20, 30), (25, 30)), ((5, 30), (15, 72)), ((18, 30), (75, 100))])
def test_four_fifths_in_people_are_not_a_hair_below(low, high):
    assert (low[0] / low[1]) / (high[0] / high[1]) < 0.8  # what two roundings make of it
    assert worst_ratio([low, high]).value == 0.8
    assert ratio_reaches(*low, *high)


def test_a_tenth_in_people_is_a_tenth():
    assert worst_difference([(30, 100), (40, 100)]).value == 0.1
    found = compare_to_best([(30, 100), (40, 100)], ["a", "b"])
    assert found[0].difference.value == 0.1


def test_minimum_detectable_ratio_has_its_power():
    ratio = minimum_detectable_ratio(400, 600, 0.4)
    rng = np.random.default_rng(2)
    k, k_best = rng.binomial(400, ratio * 0.4, 20_000), rng.binomial(600, 0.4, 20_000)
    pooled = (k + k_best) / 1000
    z = (k_best / 600 - k / 400) / np.sqrt(pooled * (1 - pooled) * (1 / 400 + 1 / 600))
    assert (np.abs(z) > 1.96).mean() == pytest.approx(0.8, abs=0.02)
    assert minimum_detectable_ratio(4000, 6000, 0.4) > ratio
    assert minimum_detectable_ratio(3, 4, 0.1) is None
    assert minimum_detectable_ratio(100, 100, 0.0) is None


@pytest.mark.parametrize(("rate", "rows"), [(0.05, 4736), (0.1, 2210), (0.2, 974), (0.3, 593), (0.5, 247), (0.7, 111)])
def test_rows_needed_near_simulated_ones(rate, rows):
    # the simulated figures are for one side at 5 %, which is a two-sided 90 % interval
    assert rows_needed(rate, 0.8, level=0.9) == pytest.approx(rows, rel=0.04)
    assert rows_needed(rate, 0.8) == pytest.approx(1.27 * rows, rel=0.05)


def test_rows_needed_has_its_power():
    rows = rows_needed(0.3, 0.8)
    rng = np.random.default_rng(4)
    k1, k2 = rng.binomial(rows, 0.3, 4000), rng.binomial(rows, 0.3, 4000)
    n = np.full(4000, rows)
    low, _ = score_ratio(k1, n, k2, n)
    assert (low >= 0.8).mean() == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("rate", "ratio"), [(0.0, 1.0), (1.0, 1.0), (0.5, 0.8)])
def test_rows_needed_is_silent_where_no_number_would_do(rate, ratio):
    assert rows_needed(rate, 0.8, ratio=ratio) is None


def test_rows_to_decide():
    more = rows_to_decide((90, 100), (900, 1000), 0.8)
    assert more == 0
    more = rows_to_decide((27, 60), (500, 1000), 0.8)
    assert more > 0
    k, n = 0.45 * (60 + more), 60 + more
    assert score_ratio(k, n, 500, 1000)[0] >= 0.8
    assert score_ratio(0.45 * (n - 1), n - 1, 500, 1000)[0] < 0.8
    assert rows_to_decide((20, 50), (5, 10), 0.8) is None  # the ratio lies on the limit
    assert rows_to_decide((20, 50), (0, 10), 0.8) is None
    assert rows_to_decide((45, 100), (5, 10), 0.8) is None  # ten people of reference never decide it
    assert not ratio_reaches(20, 51, 5, 10)


def test_groups_that_are_alike_are_two_groups_all_the_same():
    alike = [(10, 10), (20, 20), (30, 30)]
    for worst in (worst_ratio(alike), worst_difference(alike)):
        assert len(set(worst.worst)) == 2
    assert len(set(widest_gap([0.1, 0.1], [(0.0, 0.2), (0.0, 0.2)], 1).worst)) == 2
