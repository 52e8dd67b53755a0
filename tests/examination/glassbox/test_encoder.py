"""Columns become numbers: knots, levels, missing and unknown apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from audit.examination.glassbox.encoder import LevelCode, NumberCode, choose_knots, count_levels, fit_encoder

FLOATS = st.floats(-1e12, 1e12) | st.sampled_from([np.nan, np.inf, -np.inf])


@example(np.array([4e-306, 0.0, 1.0, 1.0]), 2)
@given(arrays(np.float64, st.integers(0, 300), elements=FLOATS), st.integers(2, 40))
def test_knots_ascend_within_the_values(values, limit):
    knots = choose_knots(values, limit)
    finite = values[np.isfinite(values)]
    assert knots.size <= max(2, limit) + 2
    assert (np.diff(knots) > 0).all()
    if finite.size:
        assert knots.size >= 1
        assert finite.min() <= knots[0] <= knots[-1] <= finite.max()
    else:
        assert knots.size == 0


def test_few_values_get_a_knot_each():
    values = np.repeat([0.0, 1.0, 2.5, 7.0], 30)
    assert choose_knots(values, 64).tolist() == [0.0, 1.0, 2.5, 7.0]


def test_an_atom_keeps_its_knot_and_the_rest_is_not_lost():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(5000) < 0.95, 0.0, rng.lognormal(8, 1, 5000))
    knots = choose_knots(values, 64)
    assert 0.0 in knots
    # plain quantiles would leave a zero-inflated feature with one knot in twenty above zero
    assert (knots > 0).sum() > 40


def test_no_outermost_knot_rests_on_one_person():
    values = np.concatenate([np.linspace(0, 1, 1000), [1e9]])
    assert choose_knots(values, 64)[-1] <= 1.03
    assert 1e9 not in choose_knots(-values, 64)
    # ends are nobody's own value: means of five, or a step beyond the fifth
    spread = np.random.default_rng(0).normal(size=3000)
    ends = choose_knots(spread, 64)[[0, -1]]
    assert not np.isin(ends, spread).any()
    assert (np.sum(spread > ends[1]) < 5) and (np.sum(spread < ends[0]) < 5)


def test_quantile_knots_are_no_persons_value():
    rng = np.random.default_rng(1)
    values = rng.lognormal(10, 1, 4000)
    knots = choose_knots(values, 64)
    assert not set(knots[1:-1]) & set(values)


def test_levels_missing_and_unknown_are_apart():
    column = ["a"] * 20 + ["b"] * 10 + ["rare"] + [None] * 5
    frame = pd.DataFrame({"c": pd.Series(column, dtype=object)})
    encoder = fit_encoder(frame, {"c": "category"}, knots=8)
    assert encoder.codes == (LevelCode("c", ("a", "b"), pooled=1),)
    new = pd.DataFrame({"c": pd.Series(["b", "a", None, "rare", "never seen"], dtype=object)})
    got = encoder.encode(new)[:, 0]
    assert got[:2].tolist() == [1.0, 0.0]
    assert np.isnan(got[2])
    assert got[3:].tolist() == [-1.0, -1.0]


def test_a_boolean_goes_from_false_to_true():
    frame = pd.DataFrame({"b": pd.Series([True] * 30 + [False] * 10 + [None] * 3, dtype=object)})
    encoder = fit_encoder(frame, {"b": "boolean"}, knots=8)
    assert encoder.codes[0].levels == ("False", "True")
    assert np.isnan(encoder.encode(frame)[-1, 0])


@pytest.mark.parametrize("dtype", [object, "str", "category"])
def test_the_type_of_a_text_column_does_not_matter(dtype):
    frame = pd.DataFrame({"c": pd.Series(["x", "y", "x", None] * 10, dtype=dtype)})
    assert count_levels(frame["c"]) == {"x": 20, "y": 10}
    encoded = fit_encoder(frame, {"c": "category"}, knots=8).encode(frame)[:4, 0]
    assert encoded[:3].tolist() == [0.0, 1.0, 0.0]
    assert np.isnan(encoded[3])


def test_levels_are_capped_by_frequency():
    values = np.repeat([f"l{k}" for k in range(50)], np.arange(5, 55)).astype(object)
    code = fit_encoder(pd.DataFrame({"c": values}), {"c": "category"}, knots=8, levels=10).codes[0]
    assert code.levels == tuple(f"l{k}" for k in range(49, 39, -1))
    assert code.pooled == 40


def test_the_longest_list_of_levels_gives_way_first():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "few": rng.choice(list("abc"), 4000).astype(object),
            "many": np.array([f"m{k}" for k in rng.integers(0, 200, 4000)], dtype=object),
        }
    )
    few, many = fit_encoder(frame, dict.fromkeys(frame, "category"), knots=8, levels=50).codes
    assert (len(few.levels), len(many.levels), many.pooled) == (3, 47, 153)


def test_a_column_that_is_missing_throughout_has_no_knots():
    frame = pd.DataFrame({"x": np.full(50, np.nan)})
    code = fit_encoder(frame, {"x": "number"}, knots=8).codes[0]
    assert isinstance(code, NumberCode)
    assert code.knots.size == 0
