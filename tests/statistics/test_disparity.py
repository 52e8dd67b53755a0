"""Conditional demographic disparity by hand, and its bootstrap beside resampled rows."""

from __future__ import annotations

import numpy as np
import pytest

from audit.statistics.disparity import conditional_disparity, conditional_disparity_bounds

# Bickel, Hammel and O'Connell (1975): admitted and rejected, departments A to F
WOMEN = np.array([89, 17, 202, 131, 94, 24]), np.array([19, 8, 391, 244, 299, 317])
MEN = np.array([512, 353, 120, 138, 53, 22]), np.array([313, 207, 205, 279, 138, 351])


def test_disparity_by_hand_and_as_the_mean_over_strata():
    favourable, unfavourable = np.stack([WOMEN[0], MEN[0]], 1), np.stack([WOMEN[1], MEN[1]], 1)
    by_hand, people = 0.0, 0
    for place in range(6):
        women = WOMEN[1][place] / unfavourable[place].sum() - WOMEN[0][place] / favourable[place].sum()
        size = favourable[place].sum() + unfavourable[place].sum()
        by_hand, people = by_hand + women * size, people + size
    point = conditional_disparity(favourable, unfavourable)
    assert point == pytest.approx([by_hand / people, -by_hand / people])
    low, high = conditional_disparity_bounds(favourable, unfavourable, np.random.default_rng(0))
    assert (low < point).all() and (point < high).all()
    again = conditional_disparity_bounds(favourable, unfavourable, np.random.default_rng(0))
    assert np.array_equal(low, again[0])


def test_disparity_interval_is_that_of_resampled_rows():
    """The spread of the cell bootstrap is that of drawing rows with replacement."""
    rng = np.random.default_rng(3)
    stratum, group = rng.integers(0, 3, 1200), rng.integers(0, 2, 1200)
    chosen = rng.random(1200) < 0.3 + 0.1 * stratum - 0.05 * group

    def table(rows):
        cells = np.bincount(stratum[rows] * 4 + group[rows] * 2 + chosen[rows], minlength=12).reshape(3, 2, 2)
        return cells[..., 1], cells[..., 0]

    low, high = conditional_disparity_bounds(*table(np.arange(1200)), np.random.default_rng(1))
    drawn = [conditional_disparity(*table(rng.integers(0, 1200, 1200)))[0] for _ in range(600)]
    assert (high[0] - low[0]) / (2 * 1.96) == pytest.approx(np.std(drawn), rel=0.12)


def test_no_mixed_stratum_has_no_disparity():
    nothing = conditional_disparity(np.array([[3.0, 4.0]]), np.zeros((1, 2)))
    assert np.isnan(nothing).all()
    low, high = conditional_disparity_bounds(np.array([[3, 4]]), np.zeros((1, 2), int), np.random.default_rng(0))
    assert np.isnan(low).all() and np.isnan(high).all()


def test_groups_that_share_one_table_sum_to_nothing():
    rng = np.random.default_rng(5)
    point = conditional_disparity(*rng.integers(1, 50, (2, 9, 4)))
    assert point.sum() == pytest.approx(0, abs=1e-12)


def test_resampling_in_pieces_covers_the_truth():
    """People of both groups rejected alike in every stratum: the interval holds 0 about as often as it says."""
    rng, covered, runs = np.random.default_rng(9), 0, 150
    people, rates = np.array([[120, 60], [40, 90]]), np.array([[0.3], [0.6]])
    for _ in range(runs):
        chosen = rng.binomial(people, np.broadcast_to(rates, people.shape))
        low, high = conditional_disparity_bounds(chosen, people - chosen, rng, draws=400)
        covered += low[0] <= 0 <= high[0]
    assert covered / runs > 0.89
