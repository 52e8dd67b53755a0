"""Indices of inequality, beside their formulas on rows."""

import numpy as np
import pytest

from audit.statistics.inequality import between_group_entropy, generalized_entropy, theil_index


def of_rows(benefit, alpha):
    """The convention of AI Fairness 360, row by row."""
    mean = benefit.mean()
    if alpha == 1:
        return np.mean(np.log((benefit / mean) ** benefit) / mean)
    return np.mean((benefit / mean) ** alpha - 1) / (alpha * (alpha - 1))


@pytest.mark.parametrize("cells", [(10, 70, 20), (0, 5, 3), (7, 0, 1), (1, 1000, 0)])
def test_indices_equal_the_formula_on_rows(cells):
    rows = np.repeat([0.0, 1.0, 2.0], cells)
    assert generalized_entropy(np.array(cells)) == pytest.approx(of_rows(rows, 2), abs=1e-14)
    assert theil_index(np.array(cells)) == pytest.approx(of_rows(rows, 1), abs=1e-14)


def test_between_groups_is_the_index_of_the_means():
    groups = np.array([(10, 70, 20), (30, 50, 5), (0, 9, 1)])
    means = (groups * [0, 1, 2]).sum(1) / groups.sum(1)
    rows = np.repeat(means, groups.sum(1))
    assert between_group_entropy(groups) == pytest.approx(of_rows(rows, 2), abs=1e-14)


def test_what_is_between_and_what_is_within_add_up():
    groups = np.array([(10, 70, 20), (30, 50, 5), (0, 9, 1)])
    total = groups.sum(0)
    means, sizes = (groups * [0, 1, 2]).sum(1) / groups.sum(1), groups.sum(1)
    mean = (total * [0, 1, 2]).sum() / total.sum()
    within = (sizes / sizes.sum() * (means / mean) ** 2 * generalized_entropy(groups)).sum()
    assert generalized_entropy(total) == pytest.approx(between_group_entropy(groups) + within, abs=1e-14)


def test_equal_benefit_is_no_inequality_and_no_benefit_is_undefined():
    assert generalized_entropy(np.array([0, 50, 0])) == 0
    assert theil_index(np.array([0, 0, 50])) == 0
    assert between_group_entropy(np.array([(5, 10, 5), (50, 100, 50), (0, 0, 0)])) == pytest.approx(0)
    for index in (generalized_entropy, theil_index):
        assert np.isnan(index(np.array([40, 0, 0])))
        assert np.isnan(index(np.array([0, 0, 0])))
    assert np.isnan(between_group_entropy(np.array([(4, 0, 0), (9, 0, 0)])))


def test_many_tables_at_once():
    tables = np.random.default_rng(0).integers(1, 50, (7, 4, 3))
    assert between_group_entropy(tables) == pytest.approx([float(between_group_entropy(one)) for one in tables])
    assert theil_index(tables).shape == (7, 4)
