"""Errors of values beside scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from audit.statistics.residuals import (
    Sample,
    compare_sizes,
    compare_with_rest,
    explained_figure,
    mean_figure,
    root_figure,
    sample_of,
)


def draw(n=300, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    label = rng.normal(10, 3, n)
    return label, label + rng.normal(0.4, scale, n)


def test_sizes_equal_sklearn():
    label, prediction = draw()
    error = prediction - label
    mae = mean_figure(sample_of(np.abs(error)))
    assert mae.value == pytest.approx(mean_absolute_error(label, prediction))
    interval = stats.t.interval(0.95, 299, mae.value, stats.sem(np.abs(error)))
    assert (mae.low, mae.high) == pytest.approx(interval)
    assert root_figure(sample_of(error**2)).value == pytest.approx(root_mean_squared_error(label, prediction))
    assert explained_figure(error, label).value == pytest.approx(r2_score(label, prediction))


def test_entries_of_many_people_count_as_many():
    label, prediction = draw(40)
    error, count = prediction - label, np.arange(1, 41)
    one, many = sample_of(error, count), sample_of(np.repeat(error, count))
    assert (one.n, one.mean, one.variance) == pytest.approx((many.n, many.mean, many.variance))
    a, b = explained_figure(error, label, count), explained_figure(np.repeat(error, count), np.repeat(label, count))
    assert (a.value, a.low, a.high, a.n) == pytest.approx((b.value, b.low, b.high, b.n))


def test_two_groups_are_welch():
    a, b = draw(80, 1)[1], draw(50, 2, scale=3)[1]
    first, second = compare_with_rest([sample_of(a), sample_of(b)], [True, True])
    wanted = stats.ttest_ind(a, b, equal_var=False)
    interval = wanted.confidence_interval(0.95)
    assert (first.figure.low, first.figure.high) == pytest.approx((interval.low, interval.high))
    assert first.parity.p == first.parity.p_adjusted == pytest.approx(wanted.pvalue)
    assert (second.figure.low, second.figure.high) == pytest.approx((-interval.high, -interval.low))


def test_three_groups_are_each_against_all_others():
    groups = [draw(n, seed, scale)[1] for n, seed, scale in ((80, 1, 1), (50, 2, 3), (70, 3, 2))]
    done = compare_with_rest([sample_of(group) for group in groups], [True, True, True])
    raw = []
    for place, against in enumerate(done):
        rest = np.concatenate([group for other, group in enumerate(groups) if other != place])
        wanted = stats.ttest_ind(groups[place], rest, equal_var=False)
        interval = wanted.confidence_interval(1 - 0.05 / 3)
        assert (against.figure.low, against.figure.high) == pytest.approx((interval.low, interval.high))
        assert against.reference == "rest"
        raw.append(wanted.pvalue)
    order = np.argsort(raw)
    assert done[order[0]].parity.p_adjusted == pytest.approx(min(1.0, 3 * raw[order[0]]))


def test_ratio_to_the_lowest():
    samples = [
        sample_of(np.abs(draw(n, seed, scale)[1] - 10)) for n, seed, scale in ((200, 1, 1), (90, 2, 6), (9, 3, 1))
    ]
    done = compare_sizes(samples, ["a", "b", "c"], [True, True, False], [True, True, False], root=False)
    best = min((0, 1), key=lambda place: samples[place].mean)
    assert {item.reference for item in done} == {"ab"[best]}
    other = 1 - best
    assert done[other].figure.value == pytest.approx(samples[other].mean / samples[best].mean)
    log = np.log(done[other].figure.value)
    se = np.hypot(*(np.sqrt(item.variance / item.n) / item.mean for item in samples[:2]))
    assert np.log(done[other].figure.low) == pytest.approx(log - stats.norm.ppf(0.975) * se)
    assert done[other].parity.p == pytest.approx(2 * stats.norm.sf(abs(log) / se))
    assert done[best].figure.value == 1.0
    assert done[2].parity is None
    assert not done[2].figure.assessable


def test_roots_are_the_root_of_the_ratio_with_half_the_width():
    samples = [sample_of((draw(200, seed, scale)[1] - 10) ** 2) for seed, scale in ((1, 1), (2, 4))]
    plain, root = (
        compare_sizes(samples, ["a", "b"], [True, True], [True, True], root=yes)[1].figure for yes in (False, True)
    )
    assert root.value**2 == pytest.approx(plain.value)
    assert (root.low**2, root.high**2) == pytest.approx((plain.low, plain.high))


def test_what_does_not_vary_has_no_interval():
    still = sample_of(np.full(30, 2.0))
    figure = mean_figure(still)
    assert figure.value == 2.0
    assert figure.low is None
    assert not figure.assessable
    assert root_figure(still).low is None
    exact = explained_figure(np.zeros(30), np.arange(30.0))
    assert exact.value == 1.0
    assert not exact.assessable
    assert explained_figure(np.ones(30), np.full(30, 7.0)).value is None
    assert explained_figure(np.ones(2), np.ones(2)).value is None
    done = compare_with_rest([still, Sample(0, float("nan"), float("nan"))], [True, False])
    assert done[0].figure.value is None
    done = compare_sizes([still, still], ["a", "b"], [True, True], [True, True], root=False)
    assert all(item.figure.value is None and item.figure.note for item in done)


@pytest.mark.slow
def test_coverage_of_r2_and_ratios():
    rng = np.random.default_rng(5)
    inside, held = 0, 0
    for _ in range(3000):
        label = rng.normal(0, 1, 80)
        figure = explained_figure(rng.normal(0, 0.5, 80), label)
        inside += figure.low <= 0.75 <= figure.high
        sizes = [sample_of(np.abs(rng.normal(0, scale, 60))) for scale in (1.0, 1.5)]
        ratio = compare_sizes(sizes, ["a", "b"], [True, True], [True, True], root=False)
        value = next(item.figure for item in ratio if item.figure.note != "the reference itself")
        held += value.low <= 1.5 <= value.high
    assert 0.92 <= inside / 3000 <= 0.98
    assert 0.92 <= held / 3000 <= 0.98
