"""Common ratios, odds ratios and differences over strata, held against statsmodels and published figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact as scipy_fisher
from statsmodels.stats.contingency_tables import StratifiedTable

from audit.statistics.strata import (
    breslow_day,
    cochran_mantel_haenszel,
    common_odds_ratio,
    common_risk_difference,
    common_risk_ratio,
    exact_p,
    pair_strata,
)

# Bickel, Hammel and O'Connell (1975): admitted and rejected, departments A to F
WOMEN = np.array([89, 17, 202, 131, 94, 24]), np.array([19, 8, 391, 244, 299, 317])
MEN = np.array([512, 353, 120, 138, 53, 22]), np.array([313, 207, 205, 279, 138, 351])


def berkeley():
    return pair_strata(WOMEN[0], sum(WOMEN), MEN[0], sum(MEN))


def as_tables(strata):
    return [
        np.array([[k1, n1 - k1], [k2, n2 - k2]])
        for k1, n1, k2, n2 in zip(strata.k1, strata.n1, strata.k2, strata.n2, strict=True)
    ]


def draw_strata(rng, strata=6, rate=0.4, odds=1.5, low=20, high=120):
    n1, n2 = rng.integers(low, high, (2, strata))
    base = np.clip(rng.normal(rate, 0.1, strata), 0.05, 0.9)
    shifted = base * odds / (1 - base + base * odds)
    return pair_strata(rng.binomial(n1, shifted), n1, rng.binomial(n2, base), n2)


@pytest.mark.parametrize("seed", range(8))
def test_everything_equals_statsmodels(seed):
    strata = draw_strata(np.random.default_rng(seed))
    theirs, ours = StratifiedTable(as_tables(strata)), common_odds_ratio(strata)
    assert ours.value == pytest.approx(theirs.oddsratio_pooled, rel=1e-12)
    assert (ours.low, ours.high) == pytest.approx(theirs.oddsratio_pooled_confint(), rel=1e-10)
    assert common_odds_ratio(strata, 0.9).low == pytest.approx(theirs.oddsratio_pooled_confint(0.1)[0], rel=1e-10)
    assert common_risk_ratio(strata).value == pytest.approx(theirs.riskratio_pooled, rel=1e-12)
    alike, homogeneous = cochran_mantel_haenszel(strata), breslow_day(strata)
    assert alike.statistic**2 == pytest.approx(theirs.test_null_odds(correction=False).statistic, rel=1e-10)
    assert alike.p == pytest.approx(theirs.test_null_odds(correction=False).pvalue, abs=1e-12)
    assert homogeneous.statistic == pytest.approx(theirs.test_equal_odds(adjust=True).statistic, rel=1e-8)
    assert homogeneous.p == pytest.approx(theirs.test_equal_odds(adjust=True).pvalue, abs=1e-10)


def test_berkeley_turns_round():
    """44.5 % of the men and 30.4 % of the women were admitted; department by department it is no such thing."""
    strata = berkeley()
    crude = pair_strata(*(np.array([item.sum()]) for item in (strata.k1, strata.n1, strata.k2, strata.n2)))
    assert common_risk_ratio(crude).value == pytest.approx((557 / 1835) / (1198 / 2691))
    assert common_odds_ratio(crude).value == pytest.approx(1 / 1.84108, rel=1e-5)
    odds = common_odds_ratio(strata)
    # R's mantelhaen.test(UCBAdmissions): 0.9046968 (0.7719074 to 1.0603298), men over women
    assert (1 / odds.value, 1 / odds.high, 1 / odds.low) == pytest.approx((0.9046968, 0.7719074, 1.0603298), abs=1e-7)
    assert odds.low < 1 < odds.high
    assert common_risk_ratio(strata).value > 1
    test = breslow_day(strata)  # DescTools::BreslowDayTest(UCBAdmissions, correct = TRUE): 18.826 on 5, p = 0.002071
    assert (test.statistic, test.degrees, test.p) == (
        pytest.approx(18.826, abs=5e-4),
        5,
        pytest.approx(0.002071, abs=5e-7),
    )


def test_published_smoking_and_lung_cancer():
    """Doll and Hill (1950), in Fagerland, Lydersen and Laake (2017), Statistical Analysis of Contingency Tables, 10."""
    strata = pair_strata(np.array([647, 41]), np.array([1269, 69]), np.array([2, 19]), np.array([29, 51]))
    ratio = common_risk_ratio(strata)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((2.4751, 1.5831, 3.8698), abs=5e-5)
    assert common_odds_ratio(strata).value == pytest.approx(4.5239, abs=5e-5)
    assert common_risk_difference(strata).value == pytest.approx(0.3294, abs=5e-5)


def test_difference_interval_solves_its_own_equation():
    """Sato's variance, written down anew: the ends lie where the squared distance is z squared times the variance."""
    rng = np.random.default_rng(5)
    for _ in range(5):
        strata = draw_strata(rng, low=5, high=40)
        ours = common_risk_difference(strata)
        x, n, y, m = strata.k1, strata.n1, strata.k2, strata.n2
        weight = (n * m / (n + m)).sum()
        assert ours.value == pytest.approx(((x / n - y / m) * n * m / (n + m)).sum() / weight)
        p = ((n**2 * y - m**2 * x + n * m * (m - n) / 2) / (n + m) ** 2).sum()
        q = ((x * (m - y) + y * (n - x)) / (2 * (n + m))).sum()
        for end in (ours.low, ours.high):
            assert (ours.value - end) ** 2 == pytest.approx(1.959964**2 * (end * p + q) / weight**2, rel=1e-6)


def test_strata_without_a_contrast_add_nothing():
    strata = draw_strata(np.random.default_rng(1))
    more = pair_strata(
        np.append(strata.k1, [3, 0]),
        np.append(strata.n1, [9, 0]),
        np.append(strata.k2, [0, 7]),
        np.append(strata.n2, [0, 30]),
    )
    assert len(more.k1) == len(strata.k1)
    assert common_odds_ratio(more) == common_odds_ratio(strata)
    empty = pair_strata(*(np.array([k]) for k in (2, 5, 0, 0)))
    assert math.isnan(common_risk_ratio(empty).value)
    assert math.isnan(common_risk_difference(empty).value)
    assert math.isnan(cochran_mantel_haenszel(empty).p)


def test_nobody_selected_in_one_group_still_has_an_interval():
    none = pair_strata(np.array([0, 0]), np.array([40, 30]), np.array([10, 9]), np.array([50, 40]))
    for common in (common_risk_ratio(none), common_odds_ratio(none)):
        assert (common.value, common.low) == (0.0, 0.0)
        assert 0 < common.high < 1
        assert "Sato" in common.method
    turned = pair_strata(none.k2, none.n2, none.k1, none.n1)
    for here, there in (
        (common_risk_ratio(turned), common_risk_ratio(none)),
        (common_odds_ratio(turned), common_odds_ratio(none)),
    ):
        assert here.value == here.high == math.inf
        assert here.low == pytest.approx(1 / there.high)
    nobody = pair_strata(np.array([0]), np.array([9]), np.array([0]), np.array([9]))
    assert math.isnan(common_risk_ratio(nobody).value)
    assert math.isnan(cochran_mantel_haenszel(nobody).p)
    assert math.isnan(breslow_day(none).p)


@pytest.mark.parametrize(("k1", "n1", "k2", "n2"), [(1, 9, 6, 11), (0, 4, 5, 7), (3, 3, 1, 8), (2, 30, 9, 28)])
def test_exact_test_of_one_stratum_is_fishers(k1, n1, k2, n2):
    strata = pair_strata(*(np.array([item]) for item in (k1, n1, k2, n2)))
    table = [[k1, n1 - k1], [k2, n2 - k2]]
    assert exact_p(strata) == pytest.approx(scipy_fisher(table)[1], rel=1e-9)
    assert exact_p(strata, one_sided=True) == pytest.approx(scipy_fisher(table, alternative="greater")[1], rel=1e-9)


def test_few_people_are_tested_exactly():
    """Two strata by hand: the successes of the group are 0 of 1 of 2 in each; both 0 has probability 1/4."""
    strata = pair_strata(np.array([0, 0]), np.array([1, 1]), np.array([1, 1]), np.array([1, 1]))
    test = cochran_mantel_haenszel(strata)
    assert test.method == "exact conditional"
    assert test.p == pytest.approx(0.5)
    assert exact_p(strata, one_sided=True) == pytest.approx(1.0)


COUNTS = st.lists(
    st.tuples(*(st.integers(0, 40) for _ in range(4))).filter(lambda four: four[0] + four[1] and four[2] + four[3]),
    min_size=1,
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(COUNTS)
def test_laws(counts):
    a, b, c, d = np.array(counts).T
    strata, turned = pair_strata(a, a + b, c, c + d), pair_strata(c, c + d, a, a + b)
    ratio, difference, odds = common_risk_ratio(strata), common_risk_difference(strata), common_odds_ratio(strata)
    assert difference.value == pytest.approx(-common_risk_difference(turned).value, abs=1e-12)
    assert difference.low == pytest.approx(-common_risk_difference(turned).high, abs=1e-9)
    assert -1 <= difference.low <= difference.value <= difference.high <= 1
    for common in (ratio, odds):
        assert math.isnan(common.value) or common.low <= common.value <= common.high
    if 0 < odds.value < math.inf:
        assert odds.value == pytest.approx(1 / common_odds_ratio(turned).value)
    test = cochran_mantel_haenszel(strata)
    assert math.isnan(test.p) or 0 <= test.p <= 1
    assert test.p == pytest.approx(cochran_mantel_haenszel(turned).p, nan_ok=True)
    homogeneous = breslow_day(strata)
    assert math.isnan(homogeneous.p) or 0 <= homogeneous.p <= 1


def test_counts_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="between 0"):
        pair_strata(np.array([5]), np.array([4]), np.array([1]), np.array([4]))


def test_intervals_cover_and_tests_hold_their_level():
    rng, hits, wrong, runs = np.random.default_rng(11), np.zeros(3), 0, 400
    base, odds = np.array([0.1, 0.3, 0.5, 0.7]), 2.0
    shifted = base * odds / (1 - base + base * odds)
    n1, n2 = np.array([15, 40, 25, 60]), np.array([60, 30, 45, 20])
    for _ in range(runs):
        drawn = rng.binomial(n2, base)
        hits[0] += _covers(common_odds_ratio(pair_strata(rng.binomial(n1, shifted), n1, drawn, n2)), odds)
        hits[1] += _covers(common_risk_ratio(pair_strata(rng.binomial(n1, base / 2), n1, drawn, n2)), 0.5)
        hits[2] += _covers(common_risk_difference(pair_strata(rng.binomial(n1, base - 0.08), n1, drawn, n2)), -0.08)
        wrong += cochran_mantel_haenszel(pair_strata(rng.binomial(n1, base), n1, drawn, n2)).p < 0.05
    assert (hits / runs > 0.92).all()
    assert wrong / runs < 0.08


def _covers(common, truth):
    return common.low <= truth <= common.high
