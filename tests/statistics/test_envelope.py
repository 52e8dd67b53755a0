"""The envelope of all pairs, found without solving all of them."""

import math

import numpy as np
import pytest

from audit.statistics import score_ratio
from audit.statistics.envelope import ratio_envelope


def by_solving_all(k, n, level):
    a, b = np.nonzero(~np.eye(len(k), dtype=bool))
    low, high = score_ratio(k[a], n[a], k[b], n[b], level)
    return low.min(), high.min()


@pytest.mark.parametrize("seed", range(40))
def test_it_is_that_of_all_pairs(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 30))
    n = rng.integers(1, rng.choice([5, 60, 3000]), size).astype(float)
    k = rng.binomial(n.astype(int), rng.beta(2, rng.choice([2, 30]), size)).astype(float)
    if not k.any():
        k[0] = 1.0
    level = float(rng.choice([0.9, 0.99, 0.9999]))
    assert ratio_envelope(k, n, level) == pytest.approx(by_solving_all(k, n, level), rel=1e-9)


def test_nobody_and_everybody():
    low, high = ratio_envelope(np.array([0.0, 5.0]), np.array([40.0, 50.0]), 0.95)
    assert low == 0.0
    assert 0 < high < 1
    assert ratio_envelope(np.array([0.0, 0.0]), np.array([40.0, 50.0]), 0.95) == (0.0, math.inf)
    low, high = ratio_envelope(np.array([40.0, 50.0]), np.array([40.0, 50.0]), 0.95)
    assert low < 1 < high
