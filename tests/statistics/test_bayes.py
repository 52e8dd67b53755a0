"""Empirical Bayes of rates, beside a direct maximisation."""

import numpy as np
import pytest
from scipy import optimize, stats

from audit.statistics.bayes import BetaPrior, fit_beta_binomial


def draw(seed, size=24, strength=30.0, most=800):
    rng = np.random.default_rng(seed)
    n = rng.integers(5, most, size)
    k = rng.binomial(n, rng.beta(0.3 * strength, 0.7 * strength, size))
    return [(int(a), int(b)) for a, b in zip(k, n, strict=True)]


@pytest.mark.parametrize("counts", [draw(0), draw(1), draw(2, 6), [(1, 30), (20, 40), (3, 5)], draw(3, strength=2.0)])
def test_fit_is_the_maximum_of_the_beta_binomial_likelihood(counts):
    k, n = np.array(counts).T

    def loss(x):
        strength = np.exp(x[1])
        mean = 1 / (1 + np.exp(-x[0]))
        return -stats.betabinom.logpmf(k, n, strength * mean, strength * (1 - mean)).sum()

    theirs = optimize.minimize(loss, [-0.8, 3.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    prior = fit_beta_binomial(counts)
    ours = loss([np.log(prior.mean / (1 - prior.mean)), np.log(prior.strength)])
    assert ours <= theirs.fun + 1e-7
    assert prior.mean == pytest.approx(1 / (1 + np.exp(-theirs.x[0])), rel=1e-4)
    assert prior.strength == pytest.approx(np.exp(theirs.x[1]), rel=1e-3)


def test_groups_that_are_alike_are_given_the_pooled_rate():
    prior = fit_beta_binomial([(30, 100), (61, 200), (15, 50)])
    assert prior == BetaPrior(106 / 350, float("inf"))
    mean, low, high = prior.posterior(15, 50)
    assert mean == 106 / 350
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize(
    "counts", [[(3, 9), (5, 9)], [(0, 9), (0, 5), (0, 7)], [(9, 9), (5, 5), (1, 1)], [(0, 0)] * 4, []]
)
def test_nothing_to_learn_is_none(counts):
    assert fit_beta_binomial(counts) is None


def test_small_groups_move_far_and_large_ones_stay():
    counts = [(0, 5), (500, 5000), (2000, 5000), (1500, 5000)]
    prior = fit_beta_binomial(counts)
    small, large = prior.posterior(0, 5), prior.posterior(2000, 5000)
    assert small[0] > 0.05
    assert large[0] == pytest.approx(0.4, abs=0.001)
    a, b = prior.mean * prior.strength, (1 - prior.mean) * prior.strength + 5
    assert small == pytest.approx((a / (a + b), *stats.beta.ppf([0.025, 0.975], a, b)))


def test_shrinking_halves_the_error_of_small_groups():
    rng = np.random.default_rng(5)
    raw, drawn = [], []
    for _ in range(20):
        n = np.array([5000, 2000, 1000, 500, 200, *[5, 8, 10, 12, 15, 20] * 3])
        truth = rng.beta(0.3 * 50, 0.7 * 50, len(n))
        k = rng.binomial(n, truth)
        prior = fit_beta_binomial(list(zip(k.tolist(), n.tolist(), strict=True)))
        shrunk = np.array([prior.posterior(int(a), int(b))[0] for a, b in zip(k, n, strict=True)])
        raw.append((k / n - truth)[5:])
        drawn.append((shrunk - truth)[5:])
    assert np.sqrt(np.mean(np.square(drawn))) < 0.65 * np.sqrt(np.mean(np.square(raw)))
