"""Laws of rates, ratios and verdicts, from rows to the word of the judge."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from simulated_audits import as_tables, judge_runs, load_rules, measure_runs

from audit.examination.measures.fairness.points import measure_points
from audit.examination.tally.tally import build_tally
from audit.statistics import (
    compare_to_best,
    newcombe_difference,
    ratio_reaches,
    score_ratio,
    wilson,
    worst_ratio,
)

EVERY_RULE = ("court", "interval", "literal", "difference", "odds")


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    return load_rules(tmp_path_factory.mktemp("packs"), EVERY_RULE)


@st.composite
def people(draw):
    """Groups, labels (1, 0, unknown) and decisions of some rows."""
    rows = draw(st.integers(1, 60))
    column = st.lists(st.sampled_from("ABC"), min_size=rows, max_size=rows)
    label = st.lists(st.sampled_from([0.0, 1.0, np.nan]), min_size=rows, max_size=rows)
    favourable = st.lists(st.booleans(), min_size=rows, max_size=rows)
    return np.array(draw(column), object), np.array(draw(label)), np.array(draw(favourable))


def count(rows):
    group, label, favourable = rows
    tally = build_tally({"g": group}, label, favourable)
    return tally.levels["g"], tally.counts(["g"])


@given(people(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_rows_changes_nothing(rows, random):
    order = list(range(len(rows[0])))
    random.shuffle(order)
    levels, counts = count(rows)
    again, turned = count(tuple(column[order] for column in rows))
    assert levels == again
    assert (counts == turned).all()


@given(people(), people())
@settings(deadline=None)
def test_rows_counted_in_two_parts_are_all_rows(one, two):
    both = tuple(np.concatenate(pair) for pair in zip(one, two, strict=True))
    parts = [build_tally({"g": group}, label, favourable) for group, label, favourable in (one, two, both)]
    merged = parts[0] + parts[1]
    assert merged.levels == parts[2].levels
    assert (merged.counts(["g"]) == parts[2].counts(["g"])).all()


@given(people(), st.booleans())
@settings(deadline=None)
def test_rates_of_the_same_people_sum_to_one_or_are_both_undefined(rows, favourable):
    points = measure_points(count(rows)[1], positive_is_favourable=favourable)
    for one, other in (
        ("true_positive_rate", "false_negative_rate"),
        ("false_positive_rate", "true_negative_rate"),
        ("precision", "false_discovery_rate"),
        ("negative_predictive_value", "false_omission_rate"),
        ("accuracy", "error_rate"),
    ):
        np.testing.assert_array_equal(np.isnan(points[one]), np.isnan(points[other]))
        known = ~np.isnan(points[one])
        np.testing.assert_allclose(points[one][known] + points[other][known], 1, rtol=0, atol=1e-15)


@given(people(), st.booleans())
@settings(deadline=None)
def test_swapping_the_label_swaps_what_depends_on_it(rows, favourable):
    """Calling the other class positive, of the same people with the same decisions."""
    counts = count(rows)[1]
    one = measure_points(counts, positive_is_favourable=favourable)
    two = measure_points(counts[:, [1, 0, 2]], positive_is_favourable=not favourable)
    for here, there in (
        ("true_positive_rate", "true_negative_rate"),
        ("false_positive_rate", "false_negative_rate"),
        ("precision", "negative_predictive_value"),
        ("false_discovery_rate", "false_omission_rate"),
        ("accuracy", "accuracy"),
        ("selection_rate", "selection_rate"),
    ):
        np.testing.assert_array_equal(one[here], two[there])
        np.testing.assert_array_equal(one[there], two[here])


@st.composite
def exact_four_fifths(draw):
    """Two groups whose rates stand exactly as four to five in whole people, in sizes that floats do not share."""
    a, b = draw(st.integers(1, 400)), draw(st.integers(1, 400))
    top = draw(st.integers(1, b))
    # (4 top a) / (5 a b) over (top / b)
    return (4 * top * a, 5 * a * b), (top, b)


@given(exact_four_fifths())
@settings(deadline=None, max_examples=200)
def test_exactly_four_fifths_is_not_below(pair):
    """By no door: people, comparison, shortfall of people."""
    low, high = pair
    assume(low[0] < low[1])
    assert ratio_reaches(*low, *high, 0.8) is True
    item = compare_to_best([low, high], ["low", "high"])[0]
    assert item.reaches() is True
    assert item.find_unequal() is None
    assert ratio_reaches(low[0] - 1, low[1], *high) is False


@given(st.lists(exact_four_fifths(), min_size=1, max_size=4))
@settings(deadline=None, max_examples=30)
def test_no_way_of_judging_fails_exactly_four_fifths(packs, pairs):
    counts = np.zeros((len(pairs), 2, 6), np.int64)
    for run, pair in enumerate(pairs):
        for place, (k, n) in enumerate(pair):
            counts[run, place, 4:] = k, n - k
    found = judge_runs(measure_runs(counts, small_count=1), packs)
    assert found["literal"] == {"pass": len(pairs)}
    assert not found["court"]["fail"]
    assert not found["interval"]["fail"]


rates = st.tuples(st.integers(1, 300), st.integers(1, 300)).map(lambda pair: (min(pair), max(pair)))


@given(rates, rates, st.integers(2, 50))
@settings(deadline=None)
def test_more_people_of_the_same_rates_say_more(a, b, times):
    narrow = score_ratio(times * a[0], times * a[1], times * b[0], times * b[1])
    wide = score_ratio(*a, *b)
    assert narrow[0] >= wide[0] * (1 - 1e-6)
    assert narrow[1] <= wide[1] * (1 + 1e-6)
    for interval in (wilson(times * a[0], times * a[1]), newcombe_difference(*(times * x for x in (*a, *b)))):
        assert interval[0] < interval[1]
    assert np.diff(wilson(times * a[0], times * a[1])) <= np.diff(wilson(*a)) + 1e-12


@given(rates, rates, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
@settings(deadline=None)
def test_surer_is_wider(a, b, level):
    for interval in (score_ratio, newcombe_difference):
        inner, outer = interval(*a, *b, level), interval(*a, *b, level + 0.009)
        assert outer[0] <= inner[0] + 1e-9 * max(abs(inner[0]), 1)
        assert outer[1] >= inner[1] - 1e-9 * max(abs(inner[1]), 1)


@given(rates, rates)
@settings(deadline=None)
def test_one_more_selection_never_lowers_the_ratio(a, b):
    assume(a[0] < a[1])
    before, after = score_ratio(*a, *b), score_ratio(a[0] + 1, a[1], *b)
    assert after[0] >= before[0] * (1 - 1e-6)
    assert after[1] >= before[1] * (1 - 1e-6)


@given(rates, rates)
@settings(deadline=None)
def test_a_further_group_never_makes_the_worst_ratio_surer(a, b):
    """More groups are more pairs to correct for, and their worst is no better."""
    two, three = worst_ratio([a, b]), worst_ratio([a, b, (50, 100)])
    assert three.value <= two.value
    assert three.low <= two.low * (1 + 1e-9)


@st.composite
def sparse_tables(draw):
    """Counts with many empty places: groups without people, labels or selections."""
    groups = draw(st.integers(1, 4))
    place = st.sampled_from([0, 0, 0, 1, 7, 40, 400])
    rows = draw(st.lists(st.lists(place, min_size=6, max_size=6).filter(any), min_size=groups, max_size=groups))
    return np.array(rows, np.int64)[None]


@given(sparse_tables())
@settings(deadline=None, max_examples=60)
def test_nothing_undefined_passes_or_fails(packs, counts):
    from audit.attestation.policy.judge import judge_with
    from audit.evidence import Papers

    evidence = measure_runs(counts)
    measured = {(item.metric, tuple(item.group.items())): item.estimate for item in evidence.fairness.measurements}
    assert len(as_tables(counts)[0].cells) == counts.shape[1]
    judged = judge_with(
        evidence, packs, Papers(), (), as_of=packs[0].pack.law.verified_on, evidence_signed="test", strict_names=False
    )
    for finding in judged.findings:
        for verdict in finding.verdicts:
            assert verdict.status != "error", verdict.because
            if verdict.status in ("pass", "fail", "warn"):
                assert verdict.observed is not None
                assert verdict.observed.value is not None
                assert verdict.observed.assessable
    for (metric, group), estimate in measured.items():
        if estimate.value is None:
            assert not estimate.assessable, (metric, group)
            assert estimate.note, (metric, group)
