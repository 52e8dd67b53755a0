"""The multinomial bootstrap."""

import time

import numpy as np
import pytest

from audit.statistics.bootstrap import bootstrap_cells, bootstrap_length
from audit.statistics.inequality import between_group_entropy, generalized_entropy, group_deviations


def share(tables):
    return tables[..., 0] / tables.sum(axis=-1)


def test_a_share_has_the_spread_of_a_binomial():
    low, high = bootstrap_cells(np.array([400, 600]), share, 20_000, np.random.default_rng(0))
    half = 1.96 * np.sqrt(0.4 * 0.6 / 1000)
    assert (low, high) == pytest.approx((0.4 - half, 0.4 + half), abs=0.002)


def test_it_is_reflected_and_resamples_what_rows_would():
    cells = np.array([30, 500, 170])
    rows = np.repeat([0, 1, 2], cells)
    rng = np.random.default_rng(1)
    drawn = [np.bincount(rng.choice(rows, len(rows)), minlength=3) for _ in range(4000)]
    values = generalized_entropy(np.array(drawn))
    value = float(generalized_entropy(cells))
    expected = 2 * value - np.quantile(values, 0.975), 2 * value - np.quantile(values, 0.025)
    found = bootstrap_cells(cells, generalized_entropy, 4000, np.random.default_rng(2))
    assert found == pytest.approx(expected, abs=0.002)


def test_the_same_seed_gives_the_same_interval():
    one, two = (
        bootstrap_cells(
            np.array([[5, 9], [4, 2]]), lambda t: t[:, 0, 0] / t[:, 1].sum(-1), 500, np.random.default_rng(7)
        )
        for _ in range(2)
    )
    assert one == two


@pytest.mark.parametrize("cells", [[0, 0], [0, 50], [50, 0]])
def test_no_interval_of_no_width(cells):
    assert np.isnan(bootstrap_cells(np.array(cells), share, 500, np.random.default_rng(0))).all()


def test_no_interval_where_many_draws_are_undefined():
    def odds(tables):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(tables[..., 1] > 0, tables[..., 0] / tables[..., 1], np.nan)

    assert np.isnan(bootstrap_cells(np.array([50, 1]), odds, 500, np.random.default_rng(0))).all()


def test_cost_does_not_grow_with_rows():
    seconds = []
    for scale in (1, 10**6):
        begun = time.process_time()
        for _ in range(20):
            bootstrap_cells(np.array([30, 500, 170]) * scale, generalized_entropy, 2000, np.random.default_rng(2))
        seconds.append(time.process_time() - begun)
    assert seconds[1] < 3 * seconds[0] + 0.1


def test_a_length_contains_nought_where_all_are_alike_and_is_narrow_where_they_are_not():
    alike = np.array([[50, 400, 50], [25, 200, 25]])
    low, high = bootstrap_length(alike, group_deviations, 2000, np.random.default_rng(0))
    assert low == 0.0
    assert 0.01 < high < 0.1
    apart = np.array([[5000, 4000, 50], [25, 2000, 2500]])
    low, high = bootstrap_length(apart, group_deviations, 2000, np.random.default_rng(0))
    value = float(np.sqrt(2 * between_group_entropy(apart)))
    assert low < value < high
    assert high - low < 0.1 * value
    assert (low + high) / 2 == pytest.approx(value)


def test_a_length_of_nothing_has_no_interval():
    for table in ([[0, 0, 0], [0, 0, 0]], [[0, 9, 0], [0, 5, 0]], [[9, 0, 0], [5, 0, 0]]):
        assert np.isnan(bootstrap_length(np.array(table), group_deviations, 200, np.random.default_rng(0))).all()
