"""Bounds over all ways in which unknown people may belong to groups."""

from itertools import product

import numpy as np
import pytest

from audit.statistics.unknown import impact_ratio_bounds


def every_way(people, groups):
    """All ways to spread some people over some groups."""
    return (split for split in product(range(people + 1), repeat=groups) if sum(split) == people)


def by_trying(counts, unknown, candidates):
    """Smallest and largest ratio of each group over all ways."""
    selected, rest = unknown[0], unknown[1] - unknown[0]
    found = [[] for _ in counts]
    for chosen in every_way(selected, len(counts)):
        for others in every_way(rest, len(counts)):
            rates = [(k + a) / (n + a + b) for (k, n), a, b in zip(counts, chosen, others, strict=True)]
            highest = max(rate for rate, yes in zip(rates, candidates, strict=True) if yes)
            for place, rate in enumerate(rates):
                found[place].append(rate / highest if highest else np.nan)
    return [(np.nanmin(ratios), np.nanmax(ratios)) for ratios in found]


def test_the_worked_example():
    low, high = impact_ratio_bounds([(260, 600), (300, 600)], (40, 100), [True, True])[0]
    assert (round(low, 3), high) == (0.742, 1.0)
    assert pytest.approx(0.867, abs=0.001) == 260 / 300


@pytest.mark.parametrize(
    ("counts", "unknown", "candidates"),
    [
        ([(3, 8), (6, 9)], (2, 4), [True, True]),
        ([(3, 8), (6, 9), (2, 9)], (2, 5), [True, True, True]),
        ([(3, 8), (6, 9), (5, 7)], (1, 6), [True, True, True]),
        ([(5, 6), (4, 9), (3, 9)], (2, 4), [False, True, True]),
        ([(3, 4), (4, 9), (1, 9), (2, 3)], (1, 3), [True, False, True, True]),
        ([(0, 5), (2, 9)], (0, 3), [True, True]),
        ([(3, 8), (6, 9)], (3, 3), [True, True]),
    ],
)
def test_bounds_are_those_of_every_way(counts, unknown, candidates):
    ours = impact_ratio_bounds(counts, unknown, candidates)
    for found, expected in zip(ours, by_trying(counts, unknown, candidates), strict=True):
        assert found == pytest.approx(expected)


def test_nobody_unknown_leaves_the_ratio():
    (a, b) = impact_ratio_bounds([(260, 600), (300, 600)], (0, 0), [True, True])
    assert a == pytest.approx((13 / 15, 13 / 15))
    assert b == (1.0, 1.0)


def test_what_cannot_be_compared_is_not_a_number():
    assert np.isnan(impact_ratio_bounds([(0, 0), (3, 5)], (1, 2), [True, True])[0]).all()
    assert np.isnan(impact_ratio_bounds([(3, 5)], (1, 2), [False])[0]).all()
    assert np.isnan(impact_ratio_bounds([(0, 5), (0, 6)], (0, 2), [True, True])).all()
