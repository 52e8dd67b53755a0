"""Laws of the tally: any way of cutting the rows gives the same counts, and the counts are those of a plain loop."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.examination.tally.tally import build_tally, merge_tallies

ROW = st.tuples(
    st.sampled_from(["F", "M", "unknown"]),
    st.sampled_from(["under 25", "25-40", "40 and over", "unknown"]),
    st.sampled_from(["b", "a", "c"]),
    st.sampled_from([0.0, 1.0, float("nan")]),
    st.booleans(),
    st.floats(0, 1),
    st.floats(0, 10),
)
ROWS = st.lists(ROW, min_size=1, max_size=60)
SETS = [("sex",), ("age",), ("race",), ("sex", "age"), ("age", "sex"), ("race", "sex"), ("sex", "age", "race")]


def count(rows, **keys):
    columns = list(zip(*rows, strict=True))
    groups = {name: np.array(columns[i], dtype=object) for i, name in enumerate(("sex", "age", "race"))}
    return build_tally(
        groups,
        np.array(columns[3]),
        np.array(columns[4]),
        np.array(columns[5]),
        weights=np.array(columns[6]),
        intersections=SETS[3:],
        **keys,
    )


def plain_counts(rows, attributes):
    """Oracle: a loop over the rows."""
    place = {"sex": 0, "age": 1, "race": 2}
    counter = Counter()
    for row in rows:
        label = {0.0: "negative", 1.0: "positive"}.get(row[3], "unlabelled")
        key = tuple(row[place[name]] for name in attributes)
        counter[key, f"{label}_{'favourable' if row[4] else 'unfavourable'}"] += 1
    return counter


@given(ROWS)
def test_table_counts_what_a_loop_counts(rows):
    tally = count(rows)
    for attributes in SETS:
        table = tally.table(attributes)
        found = Counter(
            {
                (cell.values, name): value
                for cell in table.cells
                for name, value in cell.model_dump().items()
                if name != "values" and value
            }
        )
        assert found == plain_counts(rows, attributes)
        assert sum(cell.n for cell in table.cells) == len(rows) == tally.rows
        assert all(cell.n > 0 for cell in table.cells)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.lists(st.integers(0, 60), max_size=4), st.randoms())
def test_pieces_add_up_to_the_whole(rows, cuts, chance):
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    pieces = [count(rows[low:high]) for low, high in pairwise(edges)]
    chance.shuffle(pieces)
    merged, whole = merge_tallies(pieces), count(rows)
    assert merged.levels == whole.levels
    for attributes in SETS:
        assert merged.table(attributes) == whole.table(attributes)
        np.testing.assert_array_equal(merged.counts(attributes), whole.counts(attributes))
        for name in ("score", "score_square", "weight", "weight_square"):
            np.testing.assert_allclose(merged.sums(name, attributes), whole.sums(name, attributes), atol=1e-9)


@given(ROWS, ROWS)
def test_sets_counted_one_by_one_agree_with_the_cross(first, second):
    whole, apart = count(first + second), count(first + second, most_cells=0)
    assert list(whole.crosses) == [("sex", "age", "race")]
    assert ("sex", "age", "race") in apart.crosses  # it was asked for
    assert len(apart.crosses) > 1
    mixed = count(first) + count(second, most_cells=0)
    for attributes in SETS:
        assert whole.table(attributes) == apart.table(attributes) == mixed.table(attributes)


@given(ROWS)
def test_order_of_rows_changes_nothing(rows):
    assert count(rows).table(("sex", "race")) == count(rows[::-1]).table(("sex", "race"))


def test_sums_match_pandas():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "sex": rng.choice(["F", "M"], 500).astype(object),
            "label": rng.choice([0.0, 1.0], 500),
            "good": rng.choice([True, False], 500),
            "score": rng.random(500),
        }
    )
    tally = build_tally(
        {"sex": frame["sex"].to_numpy(dtype=object)},
        frame["label"].to_numpy(),
        frame["good"].to_numpy(),
        frame["score"].to_numpy(),
    )
    by_sex = tally.sums("score", ["sex"]).sum(axis=(1, 2))
    np.testing.assert_allclose(by_sex, frame.groupby("sex")["score"].sum())
    assert tally.sums("weight") is None


def test_groups_are_shown_in_order():
    groups = {"age": np.array(["40 and over", "unknown", "under 25", "25-40"], dtype=object)}
    table = build_tally(groups, None, np.ones(4, bool)).table(["age"])
    assert [cell.values[0] for cell in table.cells] == ["under 25", "25-40", "40 and over", "unknown"]
    assert [cell.unlabelled_favourable for cell in table.cells] == [1, 1, 1, 1]


def test_no_attributes_at_all():
    tally = build_tally({}, np.array([1.0, 0.0]), np.array([True, False]))
    assert tally.rows == 2
    (cell,) = tally.table(()).cells
    assert (cell.positive_favourable, cell.negative_unfavourable) == (1, 1)


def test_a_value_is_no_class():
    tally = build_tally({}, np.array([1.0, 0.0, 17.5]), np.array([True, False, True]))
    (cell,) = tally.table(()).cells
    assert (cell.unlabelled_favourable, cell.unlabelled_unfavourable) == (2, 1)


def test_nan_scores_add_nothing():
    tally = build_tally({}, None, np.array([True, True]), np.array([0.25, np.nan]))
    assert tally.sums("score").sum() == 0.25


def test_what_was_not_counted_is_refused():
    groups = {"sex": np.array(["F"], dtype=object), "age": np.array(["1"], dtype=object)}
    tally = build_tally(groups, None, np.array([True]), most_cells=0)
    with pytest.raises(ValueError, match=r"not counted by sex \* age"):
        tally.table(["sex", "age"])
    with pytest.raises(ValueError, match="not counted by race"):
        tally.table(["race"])


def test_rows_without_decisions_are_undecided():
    sex, label = np.array(["F", "F", "M", "M"], dtype=object), np.array([1.0, 0.0, 0.0, np.nan])
    tally = build_tally({"sex": sex}, label, None)
    assert tally.counts(["sex"]).sum() == 4
    women, men = tally.table(["sex"]).cells
    assert (women.positive_undecided, women.negative_undecided, women.unlabelled_undecided) == (1, 1, 0)
    assert (men.positive_undecided, men.negative_undecided, men.unlabelled_undecided) == (0, 1, 1)
    assert women.decided == men.decided == 0
    assert women.n == men.n == 2


def test_what_cannot_be_added():
    one = np.array([True])
    plain = build_tally({"sex": np.array(["F"], dtype=object)}, None, one)
    for other in (
        build_tally({"age": np.array(["F"], dtype=object)}, None, one),
        build_tally({"sex": np.array(["F"], dtype=object)}, None, one, np.array([0.5])),
        build_tally({"sex": np.array(["F"], dtype=object)}, None, None),
    ):
        with pytest.raises(ValueError, match="cannot be added"):
            plain + other


def test_lengths_and_gaps_are_checked():
    with pytest.raises(ValueError, match="one entry per row"):
        build_tally({"sex": np.array(["F", "M"], dtype=object)}, None, np.array([True]))
    with pytest.raises(ValueError, match="one entry per row"):
        build_tally({}, None, None)
    with pytest.raises(ValueError, match="belong to 'unknown'"):
        build_tally({"sex": np.array(["F", None], dtype=object)}, None, np.array([True, False]))
