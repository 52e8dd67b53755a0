"""Laws of intervals, tests and comparisons."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from audit.statistics import (
    auc_delong,
    benjamini_hochberg,
    clopper_pearson,
    compare_proportions,
    compare_to_best,
    fisher_exact,
    holm,
    needed_for_ratio,
    newcombe_difference,
    pooled_z,
    ratio_reaches,
    rows_to_decide,
    score_ratio,
    shortfall,
    wilson,
    worst_difference,
    worst_ratio,
)


@st.composite
def counts(draw, most=3000):
    n = draw(st.integers(1, most))
    return draw(st.integers(0, n)), n


tables = st.lists(counts(), min_size=2, max_size=5)
probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(counts(), st.sampled_from([0.8, 0.95, 0.999]))
def test_rate_intervals_hold_the_rate_and_have_width(count, level):
    k, n = count
    for interval in (wilson, clopper_pearson):
        low, high = interval(k, n, level)
        assert 0 <= low <= k / n <= high <= 1
        assert high > low
        mirrored = interval(n - k, n, level)
        assert_allclose((low, high), (1 - mirrored[1], 1 - mirrored[0]), atol=1e-9)
        assert interval(k, n, 0.9999)[1] >= high


@given(counts(), counts())
def test_difference_is_antisymmetric_and_holds_the_point(a, b):
    low, high = newcombe_difference(*a, *b)
    back = newcombe_difference(*b, *a)
    assert -1 <= low <= a[0] / a[1] - b[0] / b[1] <= high <= 1
    assert_allclose((low, high), (-back[1], -back[0]), atol=1e-12)


@given(counts(), counts())
@settings(deadline=None)
def test_ratio_is_reciprocal_and_holds_the_point(a, b):
    low, high = score_ratio(*a, *b)
    assert 0 <= low < high
    if a[0] and b[0]:
        back = score_ratio(*b, *a)
        assert_allclose((low, high), (1 / back[1], 1 / back[0]), rtol=1e-7)
        assert low <= (a[0] / a[1]) / (b[0] / b[1]) <= high


@given(counts(most=300), counts(most=300))
@settings(deadline=None)
def test_tests_do_not_care_which_group_comes_first(a, b):
    one, two = compare_proportions(*a, *b), compare_proportions(*b, *a)
    assert one.method == two.method
    assert one.p == pytest.approx(two.p, rel=1e-9)
    assert 0 <= one.p <= 1
    p, mid = fisher_exact(*a, *b)
    assert 0 <= mid <= p <= 1
    turned = fisher_exact(a[1] - a[0], a[1], b[1] - b[0], b[1])
    assert turned == pytest.approx((p, mid), rel=1e-7, abs=1e-12)
    assert shortfall(*a, *b) == pytest.approx(-shortfall(*b, *a), abs=1e-9)
    z = pooled_z(*a, *b)
    assert z is None or z == pytest.approx(-pooled_z(*b, *a))


@given(counts(), counts(), st.fractions(min_value="0.05", max_value="1", max_denominator=50))
def test_whole_people_reach_a_limit_exactly_when_needed_says_so(a, b, limit):
    more = needed_for_ratio(*a, *b, limit)
    if b[0] == 0:
        assert more is None
        return
    assert ratio_reaches(*a, *b, limit) == (more == 0)
    if a[0] + more <= a[1]:
        assert ratio_reaches(a[0] + more, a[1], *b, limit)
    if more > 0:
        assert not ratio_reaches(a[0] + more - 1, a[1], *b, limit)


@given(probabilities)
def test_adjusted_p_never_shrinks_and_keeps_order(p):
    raw = np.array(p)
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p)
        assert (adjusted >= raw - 1e-15).all()
        assert (adjusted <= 1).all()
        order = np.argsort(raw, kind="stable")
        assert (np.diff(adjusted[order]) >= -1e-15).all()
    assert (holm(p) >= benjamini_hochberg(p) - 1e-12).all()


@given(tables, st.permutations(range(5)))
@settings(deadline=None)
def test_comparisons_do_not_depend_on_the_order(groups, order):
    order = [i for i in order if i < len(groups)]
    rates = [k / n for k, n in groups]
    names = [f"g{i}" for i in range(len(groups))]
    straight = {item.name: item for item in compare_to_best(groups, names)}
    turned = {item.name: item for item in compare_to_best([groups[i] for i in order], [names[i] for i in order])}
    for name, item in straight.items():
        assert item.ratio.value == turned[name].ratio.value or rates.count(max(rates)) > 1
        assert (item.parity is None) == (turned[name].parity is None) or rates.count(max(rates)) > 1
        if item.reference == turned[name].reference and item.parity:
            assert item.parity.p_adjusted == pytest.approx(turned[name].parity.p_adjusted)


@given(tables, st.sampled_from(["best", "largest", "rest", "overall", "g1"]), st.sampled_from(["highest", "lowest"]))
@settings(deadline=None)
def test_every_comparison_holds_its_point(groups, reference, best):
    for item in compare_to_best(groups, [f"g{i}" for i in range(len(groups))], reference=reference, best=best):
        for figure in (item.ratio, item.difference):
            if figure.value is None:
                assert figure.note
                assert not figure.assessable
                continue
            assert figure.low is None or figure.low <= figure.value + 1e-12
            assert figure.high is None or figure.value <= figure.high + 1e-12
        if reference == "best" and not item.is_reference:
            assert item.difference.value >= 0
            if item.ratio.value is not None:
                assert item.ratio.value <= 1 if best == "highest" else item.ratio.value >= 1


@given(tables)
@settings(deadline=None)
def test_worst_holds_all_comparisons(groups):
    ratio, difference = worst_ratio(groups), worst_difference(groups)
    for item in compare_to_best(groups, [f"g{i}" for i in range(len(groups))]):
        assert item.difference.value <= difference.value + 1e-12
        if item.ratio.value is not None:
            assert ratio.value <= item.ratio.value + 1e-12
            assert ratio.low <= item.ratio.low + 1e-9
    assert 0 <= difference.low <= difference.value <= difference.high
    assert math.isnan(ratio.value) or 0 <= ratio.low <= ratio.value <= ratio.high <= 1


@given(counts(400), counts(400), st.sampled_from([0.5, 0.8, 0.9]))
@settings(deadline=None)
def test_more_rows_are_asked_for_only_where_the_interval_straddles(a, b, limit):
    more = rows_to_decide(a, b, limit)
    low, high = score_ratio(*a, *b)
    if b[0] == 0:
        assert more is None
    elif more == 0:
        assert low >= limit - 1e-9 or high <= limit + 1e-9
    else:
        assert low <= limit <= high


@given(st.lists(st.integers(0, 8), min_size=1, max_size=25), st.lists(st.integers(0, 8), min_size=1, max_size=25))
def test_auc_of_turned_scores_is_its_complement(positive, negative):
    auc, se = auc_delong(np.array(positive), np.array(negative))
    turned, same = auc_delong(-np.array(positive), -np.array(negative))
    assert auc + turned == pytest.approx(1)
    assert (math.isnan(se) and math.isnan(same)) or se == pytest.approx(same)
    stretched = auc_delong(np.exp(np.array(positive)), np.exp(np.array(negative)))
    assert stretched[0] == pytest.approx(auc)
