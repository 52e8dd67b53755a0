"""Laws of folds and samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.examination.data.split import folds_of, join_strata, stratified_sample

STRATA = st.lists(st.sampled_from([0.0, 1.0, float("nan"), 2.0]), min_size=2, max_size=120)


@given(STRATA, st.integers(2, 10), st.integers(0, 5))
def test_folds_are_even_overall_and_within_strata(strata, k, seed):
    values = np.array(strata)
    k = min(k, len(values))
    folds = folds_of(len(values), k, np.random.default_rng(seed), values)
    assert set(folds) == set(range(k))
    keys = np.nan_to_num(values, nan=-1)
    for part in (np.ones(len(values), bool), *(keys == key for key in set(keys))):
        sizes = np.bincount(folds[part], minlength=k)
        assert sizes.max() - sizes.min() <= 1


def test_folds_depend_on_the_generator_alone():
    one, two, other = (folds_of(200, 5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


@pytest.mark.parametrize("k", [0, 1, 4])
def test_impossible_folds(k):
    with pytest.raises(ValueError, match="folds"):
        folds_of(3, k, np.random.default_rng(0))


def test_strata_of_another_length():
    with pytest.raises(ValueError, match="strata"):
        folds_of(4, 2, np.random.default_rng(0), np.zeros(3))


@settings(max_examples=200)
@given(STRATA, st.integers(1, 130), st.integers(0, 5))
def test_sample_keeps_shares(strata, size, seed):
    values = np.nan_to_num(np.array(strata), nan=-1)
    n = len(values)
    rows = stratified_sample(n, size, np.random.default_rng(seed), np.array(strata))
    assert len(rows) == min(size, n)
    assert len(set(rows.tolist())) == len(rows)
    assert (np.diff(rows) > 0).all()
    if size < n:
        distinct, counts = np.unique(values, return_counts=True)
        taken = np.array([(values[rows] == key).sum() for key in distinct])
        assert (taken <= counts).all()
        if size >= len(distinct):
            assert (taken >= 1).all()
            # a floor of one row moves no stratum by more than the number of strata
            assert np.abs(taken - counts * size / n).max() <= len(distinct)


def test_every_row_can_be_drawn():
    drawn = {int(row) for seed in range(200) for row in stratified_sample(10, 3, np.random.default_rng(seed))}
    assert drawn == set(range(10))


def test_join_strata_separates_what_differs():
    a, b = np.array(["x", "x", "y", "y", "y"], dtype=object), np.array([0.0, 1.0, 0.0, np.nan, np.nan])
    codes = join_strata(a, b)
    assert len(set(codes.tolist())) == 4
    assert codes[3] == codes[4]
