"""Odds ratios by score intervals."""

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from audit.statistics import pair_level
from audit.statistics.odds import score_odds_ratio, worst_odds_ratio


@pytest.mark.parametrize("counts", [(10, 40, 20, 50), (3, 30, 9, 25), (36, 40, 16, 80), (150, 400, 140, 390)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_interval_equals_statsmodels(counts, level):
    theirs = confint_proportions_2indep(*counts, compare="odds-ratio", method="score", alpha=1 - level, correction=True)
    low, high = score_odds_ratio(*(np.array([item]) for item in counts), level)
    assert (low[0], high[0]) == pytest.approx(theirs, rel=1e-5)


def test_ends_without_a_limit_are_said():
    low, high = score_odds_ratio(
        *(np.array(item) for item in ([0, 30, 5, 0], [30, 30, 10, 0], [5, 5, 0, 1], [40, 40, 9, 2]))
    )
    assert low[0] == 0.0
    assert 0 < high[0] < 2
    assert math.isinf(high[1])
    assert low[1] > 1
    assert math.isinf(high[2])
    assert np.isnan([low[3], high[3]]).all()


def test_swapping_groups_turns_the_interval_round():
    low, high = score_odds_ratio(*(np.array([item]) for item in (10, 40, 20, 50)))
    other = score_odds_ratio(*(np.array([item]) for item in (20, 50, 10, 40)))
    assert (1 / high[0], 1 / low[0]) == pytest.approx((other[0][0], other[1][0]))


def test_worst_is_the_envelope_of_all_pairs():
    counts = [(10, 40), (20, 50), (30, 45)]
    each = pair_level(0.95, 3)
    ends = [
        [float(end[0]) for end in score_odds_ratio(*(np.array([item]) for item in (*a, *b)), each)]
        for a in counts
        for b in counts
        if a is not b
    ]
    envelope = worst_odds_ratio(counts)
    assert envelope.value == pytest.approx((10 / 30) / (30 / 15))
    assert envelope.low == pytest.approx(min(low for low, _ in ends))
    assert envelope.high == pytest.approx(min(1.0, *(high for _, high in ends)))
    assert (envelope.pairs, envelope.worst) == (3, (0, 2))
    assert worst_odds_ratio([(3, 9)]).pairs == 0
    assert worst_odds_ratio([(0, 9), (0, 4)]).pairs == 0
