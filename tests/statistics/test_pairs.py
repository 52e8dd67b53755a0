"""Tests of all pairs at once are the tests of each pair."""

import time

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from audit.statistics import compare_proportions, compare_to_best
from audit.statistics.pairs import compare_many, compare_pairs, fisher_p


def some_groups(size, seed=0, most=400):
    rng = np.random.default_rng(seed)
    n = rng.integers(1, most, size)
    k = rng.binomial(n, rng.choice([0.02, 0.2, 0.5, 0.97], size))
    return list(zip(k.tolist(), n.tolist(), strict=True))


def test_exact_tests_of_many_tables_equal_scipy():
    rng = np.random.default_rng(3)
    n1, n2 = rng.integers(1, 90, 200), rng.integers(1, 90, 200)
    k1, k2 = rng.binomial(n1, 0.3), rng.binomial(n2, 0.6)
    ours = fisher_p(*(item.astype(float) for item in (k1, n1, k2, n2)))
    for p, a, m, b, n in zip(ours, k1, n1, k2, n2, strict=True):
        assert p == pytest.approx(stats.fisher_exact([[a, m - a], [b, n - b]]).pvalue, rel=1e-8)
    assert fisher_p(*(np.empty(0) for _ in range(4))).shape == (0,)


def test_an_exact_test_of_very_large_groups_loses_no_digits():
    k1, n1, k2, n2 = 3, 10**8, 11, 10**8
    ours = fisher_p(*(np.array([float(item)]) for item in (k1, n1, k2, n2)))[0]
    # of 14 successes each belongs to either group with probability one half
    assert ours == pytest.approx(stats.binomtest(3, 14).pvalue, rel=1e-6)


def test_every_pair_has_the_test_that_it_would_have_alone():
    groups = some_groups(25)
    family = compare_pairs(groups, [True] * 25)
    methods = set()
    for a in range(25):
        for b in range(25):
            if a == b:
                assert family.between(a, b) is None
                continue
            alone, found = compare_proportions(*groups[a], *groups[b]), family.between(a, b)
            methods.add(alone.method)
            assert (found.method, found.pairs) == (alone.method, 300)
            assert found.p == pytest.approx(alone.p, rel=1e-9)
            assert (found.statistic is None) == (alone.statistic is None)
            assert found.statistic is None or found.statistic == pytest.approx(alone.statistic, abs=1e-12)
    assert methods == {"Fisher exact", "pooled z"}
    np.testing.assert_allclose(family.p_adjusted, multipletests(family.p, method="holm")[1], rtol=1e-12)


def test_only_members_are_tested_and_a_named_reference_only_with_itself():
    groups = some_groups(5)
    family = compare_pairs(groups, [True, True, False, True, True])
    assert family.pairs == 6
    assert family.between(2, 0) is None
    named = compare_pairs(groups, [True] * 5, 3)
    assert named.pairs == 4
    assert named.between(0, 1) is None
    assert named.between(4, 3).p == family.between(4, 3).p
    assert compare_pairs(groups, [False] * 5).between(0, 1) is None


def test_effective_counts_have_no_exact_test():
    one, two = np.array([2.5]), np.array([10.25])
    found = compare_many(one, two, np.array([6.5]), two, whole=False)
    pooled = 9 / 20.5
    z = (2.5 - 6.5) / 10.25 / np.sqrt(pooled * (1 - pooled) * 2 / 10.25)
    assert found.statistic[0] == pytest.approx(z)
    assert found.p[0] == pytest.approx(2 * stats.norm.sf(abs(z)))
    nobody = compare_many(np.zeros(1), two, np.zeros(1), two, whole=False)
    assert (nobody.statistic[0], nobody.p[0]) == (0.0, 1.0)


def test_a_thousand_groups_are_compared_in_seconds():
    groups = some_groups(1000, most=3000)
    begun = time.process_time()
    compared = compare_to_best(groups, [str(i) for i in range(1000)])
    unequal = [item.find_unequal(0.8) for item in compared]
    assert time.process_time() - begun < 20
    assert sum(item is not None for item in unequal) > 100
    assert max(item.parity.pairs for item in compared if item.parity) == 499_500
    behind = compared[int(np.argmin([k / n for k, n in groups]))].behind
    assert len(behind) <= 999
    assert all(other.parity.p <= other.parity.p_adjusted for other in behind)
