"""Differences on the same people: against scipy, statsmodels, our own DeLong, and plain resampling."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.attestation.change.rates import find_rate
from audit.statistics.auc import auc_delong_paired
from audit.statistics.intervals import newcombe_difference, wilson
from audit.statistics.paired import (
    Influence,
    auc_influence,
    change_of,
    change_of_comparison,
    change_of_rate,
    change_unpaired,
    explained_influence,
    joint_cells,
    mean_influence,
    p_of_interval,
    root_influence,
    slope_influence,
    stretch_interval,
)


@pytest.fixture
def people():
    rng = np.random.default_rng(3)
    truth = rng.normal(size=400)
    label = (rng.random(400) < 1 / (1 + np.exp(-truth))).astype(float)
    sides = [1 / (1 + np.exp(-(truth + rng.normal(size=400) * noise))) for noise in (1.0, 0.5)]
    return label, sides[0], sides[1]


def test_a_mean_is_the_paired_t_test(people):
    _, old, new = people
    change = change_of(mean_influence(old), mean_influence(new))
    oracle = stats.ttest_rel(new, old)
    interval = oracle.confidence_interval(0.95)
    assert change.p == pytest.approx(oracle.pvalue)
    assert change.interval() == pytest.approx((interval.low, interval.high))


def test_the_auc_is_delongs_paired_test(people):
    label, old, new = people
    change = change_of(auc_influence(old, label), auc_influence(new, label))
    oracle = auc_delong_paired(new, old, label)
    assert change.value == pytest.approx(oracle.difference)
    assert change.se == pytest.approx(oracle.se, rel=5e-3)  # divisor n - 1 over everybody, not within each class


def test_the_slope_is_logistic_regression_with_a_robust_error(people):
    label, old, _ = people
    link = np.log(old / (1 - old))
    oracle = sm.Logit(label, sm.add_constant(link)).fit(disp=0, cov_type="HC0")
    slope = slope_influence(old, label)
    assert slope.value == pytest.approx(oracle.params[1], rel=1e-8)
    assert np.sqrt(np.mean(slope.each**2) / label.size) == pytest.approx(oracle.bse[1], rel=1e-6)


def test_a_slope_that_grows_without_end_is_undefined():
    score, label = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.0, 0.0, 1.0, 1.0])
    assert np.isnan(slope_influence(score, label).value)


@pytest.mark.parametrize("number", ["root", "explained", "auc"])
def test_influences_agree_with_leaving_people_out(people, number):
    """The infinitesimal jackknife against the jackknife itself (Efron 1982)."""
    label, old, _ = people
    of = {
        "root": lambda s, y: root_influence(mean_influence((s - y) ** 2)),
        "explained": lambda s, y: explained_influence(s - y, y),
        "auc": auc_influence,
    }[number]
    keep = [np.delete(np.arange(label.size), i) for i in range(label.size)]
    left_out = np.array([of(old[k], label[k]).value for k in keep])
    jackknife = np.sqrt((label.size - 1) * np.mean((left_out - left_out.mean()) ** 2))
    assert np.sqrt(np.mean(of(old, label).each ** 2) / label.size) == pytest.approx(jackknife, rel=0.02)


def joint_of(label, first, second):
    zero = np.zeros(label.size, dtype=int)
    return joint_cells((zero, label.astype(int), first.astype(int), second.astype(int)), 1)[0]


def test_a_selection_rate_is_agresti_and_mins_interval(people):
    label, old, new = people
    first, second = old >= 0.5, new >= 0.5
    change = change_of_rate(joint_of(label, first, second), find_rate("selection_rate", positive_is_favourable=True))
    b, c = int((~first & second).sum()) + 0.5, int((first & ~second).sum()) + 0.5
    n = label.size + 2
    half = stats.norm.ppf(0.975) * np.sqrt((b + c) - (b - c) ** 2 / n) / n
    assert change.value == pytest.approx(second.mean() - first.mean())
    assert change.interval() == pytest.approx(((b - c) / n - half, (b - c) / n + half))


@pytest.mark.parametrize("name", ["true_positive_rate", "precision", "false_omission_rate", "accuracy", "error_rate"])
def test_rates_agree_with_resampled_people(people, name):
    label, old, new = people
    first, second = old >= 0.5, new >= 0.5
    rate = find_rate(name, positive_is_favourable=True)
    change = change_of_rate(joint_of(label, first, second), rate)
    rng, drawn = np.random.default_rng(5), []
    for _ in range(1500):
        who = rng.integers(label.size, size=label.size)
        drawn.append(change_of_rate(joint_of(label[who], first[who], second[who]), rate).value)
    assert change.se == pytest.approx(np.std(drawn), rel=0.12)


def test_a_ratio_of_two_groups_agrees_with_resampled_people():
    rng = np.random.default_rng(8)
    own, other = rng.multinomial(300, [0.4, 0.1, 0.2, 0.3]), rng.multinomial(500, [0.3, 0.1, 0.1, 0.5])
    rate = find_rate("selection_rate", positive_is_favourable=True)

    def change(a, b):
        cells = [np.stack([np.zeros((2, 2)), t.reshape(2, 2), np.zeros((2, 2))]).astype(int) for t in (a, b)]
        return change_of_comparison(cells, rate, (1, "ratio"), (1, "ratio"))

    seen = change(own, other)
    ratio = [(t[2] + t[3]) / t.sum() for t in (own, other)], [(t[1] + t[3]) / t.sum() for t in (own, other)]
    assert seen.value == pytest.approx(ratio[1][0] / ratio[1][1] - ratio[0][0] / ratio[0][1])
    drawn = [change(rng.multinomial(300, own / 300), rng.multinomial(500, other / 500)).value for _ in range(3000)]
    assert seen.se == pytest.approx(np.std(drawn), rel=0.06)


def test_a_group_that_becomes_the_one_compared_with_keeps_its_earlier_error():
    cells = [np.zeros((3, 2, 2), dtype=int) for _ in range(2)]
    cells[0][1], cells[1][1] = [[40, 20], [5, 35]], [[30, 10], [10, 50]]
    rate = find_rate("selection_rate", positive_is_favourable=True)
    change = change_of_comparison(cells, rate, (1, "ratio"), (0, "ratio"))
    assert change.after == 1 and change.before == pytest.approx(0.4 / 0.6) and change.se > 0


def test_no_changed_decision_is_still_uncertain():
    label = np.array([0, 1] * 50)
    first = np.array([True, False] * 50)
    change = change_of_rate(joint_of(label, first, first), find_rate("accuracy", positive_is_favourable=True))
    low, high = change.interval()
    assert change.value == 0 and low < 0 < high and change.p == 1


def test_an_empty_rate_has_no_difference():
    label, said = np.array([0, 0, 0]), np.array([True, False, True])
    rate = find_rate("true_positive_rate", positive_is_favourable=True)
    assert np.isnan(change_of_rate(joint_of(label, said, said), rate).value)


def test_unpaired_is_newcombes_interval_where_the_ends_are_wilsons():
    before, after = (30, 100), (45, 90)
    sides = [(k / n, *wilson(k, n)) for k, n in (before, after)]
    assert change_unpaired(sides[0], sides[1]) == pytest.approx(newcombe_difference(45, 90, 30, 100))


values = st.floats(-2, 2, allow_nan=False)
arms = st.floats(0.01, 2)


@settings(max_examples=200)
@given(values, arms, arms)
def test_a_p_value_is_below_the_level_where_the_interval_excludes_nothing(value, left, right):
    low, high = value - left, value + right
    p = p_of_interval(value, low, high, 0.95)
    assert (p < 0.05) == (not low <= 0 <= high) or min(abs(low), abs(high)) < 1e-9


@settings(max_examples=100)
@given(values, arms, arms, st.floats(0.5, 0.999))
def test_a_higher_level_is_a_wider_interval(value, left, right, level):
    low, high = stretch_interval(value, value - left, value + right, level, (1 + level) / 2)
    assert low <= value - left and high >= value + right


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=8, max_size=8), st.sampled_from(["accuracy", "precision", "selection_rate"])
)
def test_turning_time_round_turns_the_difference_round(cells, name):
    joint = np.zeros((3, 2, 2), dtype=int)
    joint[:2] = np.array(cells).reshape(2, 2, 2)
    rate = find_rate(name, positive_is_favourable=True)
    there, back = change_of_rate(joint, rate), change_of_rate(joint.transpose(0, 2, 1), rate)
    if np.isfinite(there.value):
        assert there.value == pytest.approx(-back.value)
        assert there.interval() == pytest.approx(tuple(-end for end in back.interval())[::-1])


def test_what_nobody_adds_to_has_no_error():
    alike = Influence(0.7, np.zeros(10))
    assert change_of(alike, alike).se == 0 and change_of(alike, alike).p == 1
