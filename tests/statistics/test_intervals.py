"""Intervals against published values and against a second library."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    score_test_proportions_2indep,
)

from audit.statistics import (
    auc_delong,
    auc_delong_paired,
    clopper_pearson,
    kish_effective_n,
    logit_interval,
    mean_interval,
    newcombe_difference,
    normal_quantile,
    ratio_statistic,
    score_ratio,
    square_and_add,
    wilson,
)

COUNTS = [(0, 10), (1, 10), (5, 10), (10, 10), (3, 1000), (997, 1000), (480, 1000)]
PAIRS = [
    (36, 40, 16, 80),
    (56, 70, 48, 80),
    (5, 56, 0, 29),
    (10, 10, 3, 20),
    (1, 500, 7, 900),
    (300_000, 10**6, 310_000, 10**6),
]


@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_wilson_and_exact_equal_statsmodels(k, n, level):
    np.testing.assert_allclose(wilson(k, n, level), proportion_confint(k, n, 1 - level, "wilson"), atol=1e-12)
    np.testing.assert_allclose(clopper_pearson(k, n, level), proportion_confint(k, n, 1 - level, "beta"), atol=1e-12)


def test_intervals_take_arrays_and_say_nothing_of_empty_groups():
    k, n = np.array([0, 3, 0]), np.array([10, 7, 0])
    low, high = wilson(k, n)
    assert [float(low[1]), float(high[1])] == pytest.approx(wilson(3, 7))
    for interval in (wilson, clopper_pearson):
        low, high = interval(k, n)
        assert low[0] == 0.0
        assert np.isnan(low[2])
        assert np.isnan(high[2])
    assert np.isnan(newcombe_difference(0, 0, 3, 7)).all()
    assert np.isnan(score_ratio(3, 7, 0, 0)).all()


def test_newcombe_1998_worked_example():
    assert newcombe_difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("k1", "n1", "k2", "n2"), PAIRS)
def test_newcombe_equals_statsmodels(k1, n1, k2, n2):
    theirs = confint_proportions_2indep(k1, n1, k2, n2, method="newcomb", compare="diff")
    np.testing.assert_allclose(newcombe_difference(k1, n1, k2, n2), theirs, atol=1e-12)


def test_koopman_1984_worked_example():
    # The published interval lacks the factor N/(N-1) of Miettinen and Nurminen; that moves the second decimal.
    assert score_ratio(36, 40, 16, 80) == pytest.approx((2.94, 7.15), abs=0.02)


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize(("k1", "n1", "k2", "n2"), [pair for pair in PAIRS if pair[2] > 0])
def test_score_ratio_equals_statsmodels(k1, n1, k2, n2, level):
    theirs = confint_proportions_2indep(k1, n1, k2, n2, method="score", compare="ratio", alpha=1 - level)
    np.testing.assert_allclose(score_ratio(k1, n1, k2, n2, level), theirs, rtol=1e-6)


@pytest.mark.parametrize("level", [0.95, 0.9999])
@pytest.mark.parametrize(("k1", "n1", "k2", "n2"), PAIRS)
def test_ends_of_score_ratio_are_where_the_score_test_says(k1, n1, k2, n2, level):
    # the interval of statsmodels stops at a kink for (10 of 10, 3 of 20) at 99.99 %; its test statistic is right there
    for end, sign in zip(score_ratio(k1, n1, k2, n2, level), (1, -1), strict=True):
        if 0 < end < np.inf:
            test = score_test_proportions_2indep(k1, n1, k2, n2, value=end, compare="ratio")
            assert test.statistic == pytest.approx(sign * normal_quantile(level), abs=1e-6)


def test_score_ratio_edges():
    assert score_ratio(5, 56, 0, 29)[1] == np.inf
    assert score_ratio(5, 56, 0, 29)[0] > 0
    assert score_ratio(0, 29, 5, 56)[0] == 0.0
    assert score_ratio(0, 4, 0, 8) == (0.0, np.inf)
    low, high = score_ratio(10, 10, 20, 20)
    assert low < 1 < high
    assert score_ratio(1, 1, 1, 1)[0] < 1 < score_ratio(1, 1, 1, 1)[1]


def test_score_ratio_inverts_its_statistic():
    low, high = score_ratio(30, 100, 50, 120)
    assert ratio_statistic((30, 100), (50, 120), low) == pytest.approx(normal_quantile(0.95), abs=1e-9)
    assert ratio_statistic((30, 100), (50, 120), high) == pytest.approx(-normal_quantile(0.95), abs=1e-9)


def test_all_pairs_of_forty_groups_at_once():
    rng = np.random.default_rng(1)
    n = rng.integers(5, 5000, 40)
    k = rng.binomial(n, 0.3)
    a, b = np.triu_indices(40, 1)
    low, high = score_ratio(k[a], n[a], k[b], n[b])
    for i in (0, 100, 779):
        assert (low[i], high[i]) == pytest.approx(score_ratio(int(k[a[i]]), int(n[a[i]]), int(k[b[i]]), int(n[b[i]])))


def test_square_and_add_is_newcombe_on_wilson():
    first, second = (56 / 70, *wilson(56, 70)), (48 / 80, *wilson(48, 80))
    assert square_and_add(first, second) == pytest.approx(newcombe_difference(56, 70, 48, 80))


def test_square_and_add_of_paired_means_is_the_interval_of_the_differences():
    rng = np.random.default_rng(8)
    a = rng.normal(3, 2, 500)
    b = a + rng.normal(1, 1, 500)
    r = float(np.corrcoef(a, b)[0, 1])
    ours = square_and_add(*((x.mean(), *mean_interval(x.mean(), x.var(ddof=1), 500)) for x in (a, b)), r)
    assert ours == pytest.approx(mean_interval((a - b).mean(), (a - b).var(ddof=1), 500), rel=1e-9)


def test_mean_interval_equals_scipy():
    values = np.random.default_rng(3).normal(2, 5, 40)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean_interval(values.mean(), values.var(ddof=1), 40) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize(("variance", "n"), [(0.0, 50), (1.0, 1), (float("nan"), 0)])
def test_no_mean_interval_of_zero_width(variance, n):
    assert np.isnan(mean_interval(3.0, variance, n)).all()


@pytest.mark.parametrize(
    ("value", "se"), [(0.0, 0.1), (1.0, 0.0), (0.7, 0.0), (0.7, float("nan")), (float("nan"), 0.1)]
)
def test_no_auc_interval_without_spread(value, se):
    assert np.isnan(logit_interval(value, se)).all()


def test_logit_interval_stays_inside():
    low, high = logit_interval(0.98, 0.02)
    assert 0 < low < 0.98 < high < 1


def test_kish():
    weights = np.array([1.0, 1.0, 4.0])
    assert kish_effective_n(weights.sum(), (weights**2).sum()) == pytest.approx(36 / 18)
    assert kish_effective_n(10.0, 10.0) == 10.0
    assert kish_effective_n(0.0, 0.0) == 0.0


def _delong_by_definition(positive, negative):
    """Return DeLong's numbers by the double sum of the paper."""
    kernel = (positive[:, None] > negative[None, :]) + 0.5 * (positive[:, None] == negative[None, :])
    v10, v01 = kernel.mean(1), kernel.mean(0)
    return kernel.mean(), v10, v01


def test_delong_equals_its_definition_and_sklearn():
    rng = np.random.default_rng(5)
    label = rng.random(400) < 0.3
    score = np.round(rng.normal(label, 1.2), 1)  # with ties
    auc, se = auc_delong(score[label], score[~label])
    expected, v10, v01 = _delong_by_definition(score[label], score[~label])
    assert auc == pytest.approx(expected, abs=1e-14)
    assert auc == pytest.approx(roc_auc_score(label, score), abs=1e-14)
    assert se**2 == pytest.approx(v10.var(ddof=1) / label.sum() + v01.var(ddof=1) / (~label).sum(), rel=1e-12)


def test_delong_of_little():
    assert np.isnan(auc_delong(np.array([]), np.array([1.0]))).all()
    auc, se = auc_delong(np.array([2.0]), np.array([1.0, 3.0]))
    assert auc == 0.5
    assert np.isnan(se)
    assert auc_delong(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == (1.0, 0.0)


def test_paired_delong():
    rng = np.random.default_rng(6)
    label = (rng.random(500) < 0.4).astype(float)
    first = rng.normal(label, 1.0)
    second = first + rng.normal(0, 0.5, 500)
    paired = auc_delong_paired(first, second, label)
    assert (paired.first, paired.se_first) == pytest.approx(auc_delong(first[label == 1], first[label == 0]))
    assert (paired.second, paired.se_second) == pytest.approx(auc_delong(second[label == 1], second[label == 0]))
    _, a10, a01 = _delong_by_definition(first[label == 1], first[label == 0])
    _, b10, b01 = _delong_by_definition(second[label == 1], second[label == 0])
    expected = (a10 - b10).var(ddof=1) / len(a10) + (a01 - b01).var(ddof=1) / len(a01)
    assert paired.se**2 == pytest.approx(expected, rel=1e-9)
    assert paired.difference == pytest.approx(paired.first - paired.second)
    assert paired.se < np.hypot(paired.se_first, paired.se_second)  # pairing must help here


def test_paired_delong_of_the_same_scores_is_zero():
    score = np.array([0.1, 0.4, 0.35, 0.8, 0.7])
    label = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    paired = auc_delong_paired(score, score, label)
    assert paired.difference == 0.0
    assert paired.se == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(auc_delong_paired(score, score, np.ones(5)).first)
