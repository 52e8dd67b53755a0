"""Simulated promises of the numbers about whole attributes: what is called 95 % covers, parity included."""

import numpy as np
import pytest

from audit.statistics import widest_mean_gap, wilson, worst_rate
from audit.statistics.bootstrap import bootstrap_cells, bootstrap_length
from audit.statistics.differential import difference_of_envelopes, differential_fairness
from audit.statistics.inequality import between_group_entropy, generalized_entropy, group_deviations, theil_index
from audit.statistics.odds import worst_odds_ratio
from audit.statistics.weighted import effective_count

pytestmark = pytest.mark.slow

SIZES = [(500, 500), (2000, 2000, 500, 200, 100), (1000, 300, 60)]
RUNS = 600


def counts_of(rng, sizes, rates):
    return [(int(rng.binomial(n, p)), n) for n, p in zip(sizes, rates, strict=True)]


def covers(truth, low, high):
    return low <= truth <= high


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_average_odds_covers(sizes, spread):
    rng = np.random.default_rng(1)
    tpr, fpr = ([p + spread * (i == 0) for i in range(len(sizes))] for p in (0.7, 0.2))
    means = [(a + b) / 2 for a, b in zip(tpr, fpr, strict=True)]
    truth, held = max(means) - min(means), 0
    for _ in range(RUNS):
        found = widest_mean_gap(counts_of(rng, sizes, tpr), counts_of(rng, sizes, fpr))
        held += covers(truth, found.low, found.high)
    assert held / RUNS >= 0.93


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("spread", [0.0, -0.1])
def test_worst_group_covers(sizes, spread):
    rng = np.random.default_rng(2)
    rates = [0.85 + spread * (i == 1) for i in range(len(sizes))]
    held = 0
    for _ in range(RUNS):
        found = worst_rate(counts_of(rng, sizes, rates))
        held += covers(min(rates), found.low, found.high)
    assert held / RUNS >= 0.93


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("spread", [0.0, 0.15])
def test_epsilon_and_amplification_cover(sizes, spread):
    rng = np.random.default_rng(3)
    rates, base = [0.3 + spread * (i == 0) for i in range(len(sizes))], [0.4] * len(sizes)
    truth = max(np.log(max(rates) / min(rates)), np.log((1 - min(rates)) / (1 - max(rates))))
    held = np.zeros(2)
    for _ in range(RUNS):
        groups = counts_of(rng, sizes, rates)
        one = differential_fairness(groups)
        both = [differential_fairness(part, 0.975) for part in (groups, counts_of(rng, sizes, base))]
        held += [covers(truth, one.low, one.high), covers(truth, *difference_of_envelopes(*both)[1:])]
    assert (held / RUNS >= 0.93).all()


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("spread", [0.0, 0.2])
def test_treatment_equality_covers(sizes, spread):
    rng = np.random.default_rng(4)
    rates = [0.4 + spread * (i == 0) for i in range(len(sizes))]
    odds = [p / (1 - p) for p in rates]
    held = 0
    for _ in range(RUNS):
        found = worst_odds_ratio(counts_of(rng, sizes, rates))
        held += covers(min(odds) / max(odds), found.low, found.high)
    assert held / RUNS >= 0.93


@pytest.mark.parametrize("n", [200, 2000])
@pytest.mark.parametrize("shares", [(0.1, 0.8, 0.1), (0.05, 0.9, 0.05), (0.3, 0.6, 0.1)])
def test_inequality_of_benefit_covers(n, shares):
    rng = np.random.default_rng(5)
    for index in (generalized_entropy, theil_index):
        truth, held = float(index(np.array(shares))), 0
        for _ in range(300):
            low, high = bootstrap_cells(rng.multinomial(n, shares), index, 500, rng)
            held += covers(truth, low, high)
        assert held / 300 >= 0.9


@pytest.mark.parametrize("sizes", [(500, 500), (1000, 300, 60), (2000, 2000, 500, 200, 100), (200,) * 20])
@pytest.mark.parametrize("spread", [0.0, 0.05, 0.15])
def test_inequality_between_groups_covers_parity_too(sizes, spread):
    """A resampled square of a length would cover 69 % at two groups of 500 that differ by .05."""
    rng = np.random.default_rng(6)
    shares = [(0.1 + spread * (i == 0), 0.8 - spread * (i == 0), 0.1) for i in range(len(sizes))]
    truth = float(between_group_entropy(np.array(shares) * np.array(sizes)[:, None]))
    held, runs = 0, 300
    for _ in range(runs):
        table = np.array([rng.multinomial(n, p) for n, p in zip(sizes, shares, strict=True)])
        low, high = bootstrap_length(table, group_deviations, 500, rng)
        held += covers(truth, low**2 / 2, high**2 / 2 + 1e-15)
    assert held / runs >= 0.92


def test_weighted_rates_cover():
    rng = np.random.default_rng(7)
    held, runs = 0, 2000
    for _ in range(runs):
        weights = rng.gamma(2.0, 1.0, 300)
        yes = rng.random(300) < 0.3
        count = effective_count(weights[yes].sum(), weights.sum(), (weights**2).sum())
        held += covers(0.3, *wilson(count.k, count.n))
    assert held / runs >= 0.93
