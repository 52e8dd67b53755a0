"""Simulated promises: what is called 95 % covers, fair models are not failed, unfair ones are."""

import numpy as np
import pytest
from scipy import stats

from audit.examination.measures.fairness.groups import calibration_by_group
from audit.examination.measures.fairness.scores import _calibration_bounds
from audit.statistics import (
    compare_to_best,
    newcombe_difference,
    score_ratio,
    wilson,
    worst_difference,
    worst_ratio,
)

pytestmark = pytest.mark.slow


def test_wilson_covers_on_a_grid():
    covers = []
    for n in (10, 30, 100, 1000):
        k = np.arange(n + 1)
        low, high = wilson(k, np.full(n + 1, n))
        for p in np.linspace(0.05, 0.95, 91):
            covers.append(stats.binom.pmf(k[(low <= p) & (p <= high)], n, p).sum())
    assert np.mean(covers) >= 0.94
    assert min(covers) >= 0.83  # the known dip of every approximate method at n = 10


@pytest.mark.parametrize(
    ("n1", "n2", "p1", "p2"),
    [
        (30, 1000, 0.95, 0.95),
        (30, 30, 0.1, 0.1),
        (10, 10, 0.2, 0.2),
        (60, 500, 0.25, 0.5),
        (200, 200, 0.02, 0.02),
    ],
)
def test_pair_intervals_cover(n1, n2, p1, p2):
    rng = np.random.default_rng(7)
    k1, k2 = rng.binomial(n1, p1, 20_000), rng.binomial(n2, p2, 20_000)
    sizes = np.full(20_000, n1), np.full(20_000, n2)
    low, high = score_ratio(k1, sizes[0], k2, sizes[1])
    assert ((low <= p1 / p2) & (p1 / p2 <= high)).mean() >= 0.93
    low, high = newcombe_difference(k1, sizes[0], k2, sizes[1])
    assert ((low <= p1 - p2) & (p1 - p2 <= high)).mean() >= 0.93


@pytest.mark.parametrize(
    ("sizes", "rates"),
    [
        ((500, 500), (0.3, 0.3)),
        ((5000, 5000), (0.3, 0.3)),
        ((2000, 2000, 500, 200, 100), (0.3,) * 5),
        ((5000, 2000, 1000, 500, 200, 100, 50, 10), (0.2,) * 8),
        ((1000, 1000, 300), (0.5, 0.5, 0.4)),
        ((2000, 500), (0.5, 0.3)),
    ],
)
def test_envelopes_cover_the_worst(sizes, rates):
    rng = np.random.default_rng(8)
    true_ratio, true_difference = min(rates) / max(rates), max(rates) - min(rates)
    held = np.zeros(2)
    runs = 1000
    for _ in range(runs):
        groups = [(int(rng.binomial(n, p)), n) for n, p in zip(sizes, rates, strict=True)]
        ratio, difference = worst_ratio(groups), worst_difference(groups)
        held += [ratio.low <= true_ratio <= ratio.high, difference.low <= true_difference <= difference.high]
    assert (held / runs >= 0.93).all()


@pytest.mark.parametrize(("n", "a", "b"), [(40, 1, 19), (200, 1, 19), (100, 2, 2), (1000, 0.5, 0.5)])
def test_calibration_intervals_cover(n, a, b):
    """Calibrated scores, rare and common positives."""
    rng = np.random.default_rng(11)
    score = rng.beta(a, b, (2000, n))
    label = (rng.random((2000, n)) < score).astype(float)
    held = 0
    for one, two in zip(score, label, strict=True):
        (group,) = calibration_by_group(one, two, np.zeros(n, np.int64), 1)
        low, high = _calibration_bounds(group, 0.95)
        held += low <= 0 <= high
    assert held / 2000 >= 0.93


def test_fair_models_seldom_fail_and_unfair_ones_do():
    """The verdict of practical and statistical significance together (STATISTICS: below the limit and unequal)."""
    rng = np.random.default_rng(9)
    sizes = (5000, 2000, 1000, 500, 200, 100, 50, 10)
    names = [str(size) for size in sizes]

    def failed(rates):
        groups = [(int(rng.binomial(n, p)), n) for n, p in zip(sizes, rates, strict=True)]
        return any(item.find_unequal(0.8) for item in compare_to_best(groups, names))

    assert np.mean([failed((0.2,) * 8) for _ in range(400)]) <= 0.05
    assert np.mean([failed((0.4, 0.24, *(0.4,) * 6)) for _ in range(100)]) >= 0.95


def test_exactly_four_fifths_is_seldom_passed():
    rng = np.random.default_rng(10)
    k1, k2 = rng.binomial(1000, 0.32, 20_000), rng.binomial(1000, 0.4, 20_000)
    low, _ = score_ratio(k1, np.full(20_000, 1000), k2, np.full(20_000, 1000))
    assert (low >= 0.8).mean() <= 0.035
