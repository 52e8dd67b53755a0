"""Blocks against pandas and NumPy written by hand, and against scikit-learn."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.config.model import ModelSource
from audit.errors import ConfigError, DataError, IntakeRefused
from audit.examination.blackbox.encode import Encoder, Survey, numbers_of
from audit.examination.blackbox.levels import MISSING, UNKNOWN, LevelIndex, level_text
from audit.examination.blackbox.survey import describe_survey


def encoder(inputs):
    return Encoder(ModelSource.model_validate({"inputs": inputs}).inputs)


FRAME = pd.DataFrame(
    {
        "a": [1.0, np.nan, 3.0],
        "b": [10.0, 20.0, 30.0],
        "c": pd.Series(["x", None, "z"], dtype=object),
        "n": [1.0, 2.0, np.nan],
        "t": pd.Series([True, None, False], dtype=object),
    }
)


def test_plain_list_is_one_float_tensor():
    [table] = encoder(["b", "a"]).encode(FRAME)
    assert table.dtype == np.float32
    np.testing.assert_array_equal(table, np.float32([[10, 1], [20, np.nan], [30, 3]]))


def test_numeric_by_hand():
    [table] = encoder(
        [{"columns": ["a", "b"], "mean": [2, 20], "scale": [4, 10], "missing": [6, 0], "indicator": True}]
    ).encode(FRAME)
    np.testing.assert_array_equal(table, np.float32([[-0.25, -1, 0, 0], [1, 0, 1, 0], [0.25, 1, 0, 0]]))


def test_numeric_is_computed_in_double():
    """A float32 subtraction would lose these digits."""
    frame = pd.DataFrame({"a": [16_777_217.0, 16_777_219.0]})
    [table] = encoder([{"columns": ["a"], "mean": 16_777_216.0}]).encode(frame)
    np.testing.assert_array_equal(table[:, 0], [1, 3])


def test_codes_by_hand():
    block = {
        "kind": "codes",
        "columns": ["c", "n"],
        "levels": {"c": ["z", "y", "x"], "n": [1, 2]},
        "unknown": 9,
        "missing": 7,
        "offset": 1,
    }
    [table] = encoder([block]).encode(FRAME)
    assert table.dtype == np.int64
    np.testing.assert_array_equal(table, [[3, 1], [7, 2], [1, 7]])


def test_missing_without_a_code_takes_unknown():
    [table] = encoder([{"kind": "codes", "columns": ["c"], "levels": {"c": ["x"]}, "unknown": 5}]).encode(FRAME)
    np.testing.assert_array_equal(table[:, 0], [0, 5, 5])


def test_one_hot_by_hand():
    block = {"kind": "one_hot", "columns": ["c", "t"], "levels": {"c": ["x", "z"], "t": [False, True]}}
    [table] = encoder([block]).encode(FRAME)
    np.testing.assert_array_equal(table, [[1, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 0]])
    [table] = encoder([{**block, "columns": ["c"], "levels": {"c": ["x", "z"]}, "missing": "z"}]).encode(FRAME)
    np.testing.assert_array_equal(table, [[1, 0], [0, 1], [0, 1]])


def test_mixed_blocks_are_floats_and_codes_alone_are_whole():
    made = encoder(
        {
            "x": [{"columns": ["b"]}, {"kind": "codes", "columns": ["c"], "levels": {"c": ["x", "z"]}, "unknown": 2}],
            "y": [{"kind": "codes", "columns": ["n"], "levels": {"n": [1, 2]}, "unknown": 2}],
        }
    )
    x, y = made.encode(FRAME)
    assert (x.dtype, y.dtype) == (np.float32, np.int64)
    assert made.columns == ("b", "c", "n")
    assert [shape.name for shape in made.shapes] == ["x", "y"]


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"columns": ["a", "b"], "mean": [1, 2, 3]}, "mean has 3 numbers for 2 columns"),
        ({"columns": ["a"], "scale": 0}, "scale of 0"),
        ({"columns": ["a", "b"], "scale": [1, 0]}, "scale of 0"),
        ({"columns": []}, "no columns"),
        ({"kind": "codes", "columns": ["c"], "levels": {"cc": ["x"]}}, "did you mean 'cc'"),
        ({"kind": "codes", "columns": ["c"], "levels": {"c": ["1", 1]}}, "lists the level '1' twice"),
        ({"kind": "one_hot", "columns": ["c"], "levels": {"c": ["x"]}, "missing": "q"}, "does not list 'q'"),
    ],
)
def test_mistakes_in_blocks(block, words):
    with pytest.raises(ConfigError, match=words):
        encoder([block])


def test_all_mistakes_at_once():
    with pytest.raises(ConfigError) as caught:
        encoder({"x": [{"columns": ["a"], "scale": 0}], "y": [{"columns": []}]})
    assert len(caught.value.mistakes) == 2


def test_text_where_a_number_is_wanted():
    with pytest.raises(DataError, match="column c holds 'x'"):
        encoder(["c"]).encode(FRAME)


def test_numbers_of_texts_and_truths():
    frame = pd.DataFrame({"a": pd.Series(["1.5", None, "3"], dtype=object)})
    np.testing.assert_array_equal(numbers_of(frame, "a"), [1.5, np.nan, 3])
    np.testing.assert_array_equal(numbers_of(FRAME, "t"), [1, np.nan, 0])


@pytest.mark.parametrize("kind", ["codes", "one_hot"])
def test_unlisted_level_is_refused_by_name(kind):
    refuses = {"codes": None, "one_hot": "refuse"}[kind]
    made = encoder([{"kind": kind, "columns": ["c"], "levels": {"c": ["x"]}, "unknown": refuses}])
    survey = made.survey([FRAME, FRAME])
    assert survey.unknown["c"] == {"z": 2}
    assert survey.missing["c"] == 2
    with pytest.raises(IntakeRefused, match=r"column c holds levels that the model does not know: 'z' \(2 rows\)"):
        made.refuse_unlisted(survey)
    with pytest.raises(DataError, match="column c"):
        made.encode(FRAME)


def test_missing_without_any_code_is_refused():
    made = encoder([{"kind": "codes", "columns": ["c"], "levels": {"c": ["x", "z"]}}])
    with pytest.raises(IntakeRefused, match="column c has 1 missing values"):
        made.refuse_unlisted(made.survey([FRAME]))


def test_survey_counts_a_shared_column_once():
    made = encoder({"x": ["n"], "y": [{"kind": "codes", "columns": ["n"], "levels": {"n": [1, 2]}, "unknown": 0}]})
    assert made.survey([FRAME, FRAME]).missing == {"n": 2}


def test_level_spellings():
    index = LevelIndex(["10", "010", "x", "1.5"])
    values = pd.Series([10, 10.0, "10", "10.0", "010", "x", None, "y", 1.5, float("nan")], dtype=object)
    np.testing.assert_array_equal(index.positions(values), [0, 0, 0, 0, 1, 2, MISSING, UNKNOWN, 3, MISSING])
    np.testing.assert_array_equal(index.positions(pd.Series([10.0, np.nan, 11.0])), [0, MISSING, UNKNOWN])
    np.testing.assert_array_equal(LevelIndex([10]).positions(pd.Series(["10", "7"], dtype="category")), [0, UNKNOWN])


@pytest.mark.parametrize("levels", [[False, True], ["false", "true"], ["False", "True"], [0, 1], ["0", "1"]])
@pytest.mark.parametrize(
    "values", [[False, True], ["false", "true"], ["False", "True"], ["FALSE", "TRUE"], [0.0, 1.0], ["0", "1"]]
)
def test_truth_spellings(levels, values):
    np.testing.assert_array_equal(LevelIndex(levels).positions(pd.Series(values, dtype=object)), [0, 1])


def test_true_is_no_level_of_other_codes():
    assert LevelIndex([1, 2]).position(True) == UNKNOWN


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(-(10**6), 10**6), st.text(min_size=1, max_size=4)), min_size=1, max_size=12))
def test_every_listed_level_finds_its_own_position(levels):
    unique = list({level_text(level): level for level in levels}.values())
    index = LevelIndex(unique)
    np.testing.assert_array_equal(index.positions(pd.Series(unique, dtype=object)), np.arange(len(unique)))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_encoding_is_row_by_row(n, seed):
    """Encoding a frame in pieces gives the pieces of the encoding: nothing is fitted on the batch."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"a": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)), "c": rng.choice(["x", "y", None], n)}
    )
    made = encoder(
        [
            {"columns": ["a"], "mean": 1, "scale": 3, "missing": 0, "indicator": True},
            {"kind": "one_hot", "columns": ["c"], "levels": {"c": ["x"]}},
        ]
    )
    [whole] = made.encode(frame)
    cut = n // 2
    parts = [made.encode(part)[0] for part in (frame.iloc[:cut], frame.iloc[cut:])]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_description_names_arguments_and_columns():
    made = encoder({"x": [{"columns": ["a", "b"], "indicator": True}]})
    assert made.describe() == ("x: 4 numbers from numeric (a, b)",)


def test_what_was_filled_in_is_told_in_one_order():
    """Columns are counted in the order of a set, which changes from process to process."""
    told = [describe_survey(Survey(9, missing=dict(pairs))) for pairs in permutations([("a", 1), ("b", 2), ("c", 3)])]
    assert len(set(told)) == 1
    assert "1 of 9 rows have no value in a" in told[0][0]
