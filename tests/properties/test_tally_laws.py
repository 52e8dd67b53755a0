"""Laws of the roll: pieces add up to the whole in any cut and order, and condensing loses no count."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.examination.tally.condense import condense_roll, limit_roll, merge_rolls, trim_levels
from audit.examination.tally.roll import roll_of
from audit.examination.tally.scale import BINS, edge_of, place_scores, widest_bin
from audit.examination.tally.tally import build_tally
from audit.examination.tally.totals import tally_of

SCORE = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0, 1 / 3, 1 - 2**-53]))
ROW = st.tuples(
    st.sampled_from(["F", "M", "unknown"]),
    st.sampled_from(["under 25", "25-40", "40 and over"]),
    st.sampled_from([0.0, 1.0, float("nan")]),
    st.booleans(),
    SCORE,
    st.floats(0, 10),
    st.sampled_from([0, 1, 2]),
)
ROWS = st.lists(ROW, min_size=1, max_size=80)
CUTS = st.lists(st.integers(0, 80), max_size=5)


def roll(rows, *, first=0):
    sex, age, label, good, score, weight, outcome = zip(*rows, strict=True)
    return roll_of(
        {"sex": np.array(sex, dtype=object), "age": np.array(age, dtype=object)},
        np.array(label),
        np.array(score),
        np.array(good),
        np.array(weight),
        outcomes=("a", "b", "c"),
        outcome=np.array(outcome),
        truth=np.array(outcome) - 1,
    )


def pieces_of(rows, cuts, chance):
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    pieces = [rows[low:high] for low, high in pairwise(edges)]
    chance.shuffle(pieces)
    return pieces


def as_table(one):
    """Every entry as a tuple, sorted; floats to twelve digits."""
    names = ("label", "score", "weight", "weight_square", "score_square", "favourable", "outcome", "truth", "count")
    columns = [np.array(one.levels[name], dtype=object)[codes].tolist() for name, codes in one.codes.items()]
    for name in names:
        values = getattr(one, name)
        if values is not None:
            columns.append([round(float(value), 11) if value == value else "unknown" for value in values.tolist()])
    return sorted(zip(*columns, strict=True), key=str)


@settings(max_examples=30, deadline=None)
@given(ROWS, CUTS, st.randoms(), st.sampled_from([5, 20, 10**6]))
def test_pieces_add_up_to_the_whole_in_any_order(rows, cuts, chance, most):
    pieces = [limit_roll(roll(piece), most) for piece in pieces_of(rows, cuts, chance)]
    together, whole = trim_levels(merge_rolls(pieces, most=most)), limit_roll(roll(rows), most)
    assert together.levels == whole.levels
    assert (together.width, together.halvings) == (whole.width, whole.halvings)
    assert together.rows == whole.rows == len(rows)
    np.testing.assert_array_equal(tally_of(together).counts(["sex", "age"]), tally_of(whole).counts(["sex", "age"]))
    if together.width:
        np.testing.assert_array_equal(together.count, whole.count)
        for name in ("score", "weight", "weight_square", "score_square"):
            np.testing.assert_allclose(getattr(together, name), getattr(whole, name), rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(together.label, whole.label)
        np.testing.assert_array_equal(together.outcome, whole.outcome)
        np.testing.assert_array_equal(together.truth, whole.truth)
    else:
        assert as_table(together) == as_table(whole)


@settings(max_examples=30, deadline=None)
@given(ROWS, st.permutations(range(80)))
def test_order_of_rows_changes_nothing_when_condensed(rows, order):
    turned = [rows[at] for at in order if at < len(rows)]
    one, other = condense_roll(roll(rows)), condense_roll(roll(turned))
    assert as_table(one) == as_table(other)


@settings(max_examples=30, deadline=None)
@given(ROWS, st.integers(0, 10))
def test_condensing_keeps_every_count_and_every_score_in_its_bin(rows, halvings):
    exact = roll(rows)
    small = condense_roll(exact, halvings)
    assert small.rows == len(rows)
    assert len(small.count) <= len(rows)
    assert abs(np.dot(small.score, small.count) - exact.score.sum()) < 1e-11
    assert abs(small.score_square.sum() - (exact.score**2).sum()) < 1e-11
    np.testing.assert_array_equal(
        np.unique(place_scores(exact.score) >> halvings), np.unique(place_scores(small.score) >> halvings)
    )
    assert 0 < small.width <= 2.0**halvings / BINS
    tally, plain = tally_of(small), tally_of(exact)
    np.testing.assert_array_equal(tally.counts(["age", "sex"]), plain.counts(["age", "sex"]))
    for name in ("score", "score_square", "weight", "weight_square"):
        np.testing.assert_allclose(tally.sums(name, ["sex"]), plain.sums(name, ["sex"]), rtol=1e-12, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_tally_of_a_roll_is_the_tally_of_its_rows(rows):
    sex, age, label, good, score, weight, _ = zip(*rows, strict=True)
    groups = {"sex": np.array(sex, dtype=object), "age": np.array(age, dtype=object)}
    direct = build_tally(groups, np.array(label), np.array(good), np.array(score), np.array(weight))
    for counted in (tally_of(roll(rows)), tally_of(condense_roll(roll(rows))), tally_of(roll(rows), most_cells=0)):
        assert counted.levels == direct.levels
        assert counted.table(["age"]) == direct.table(["age"])
        for name in ("score", "score_square", "weight", "weight_square"):
            np.testing.assert_allclose(counted.sums(name, ["age"]), direct.sums(name, ["age"]), rtol=1e-12, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50))
def test_each_score_lies_between_the_edges_of_its_bin(values):
    score = np.array(values)
    place = place_scores(score)
    assert (edge_of(place) <= score).all()
    assert ((score < edge_of(place + 1)) | (np.abs(score) == 1.0) | (score <= 0)).all()
    assert (score <= edge_of(place + 1)).all()
    order = np.argsort(score, kind="stable")
    assert (np.diff(place[order]) >= 0).all()
    inside = np.abs(score) <= 1
    assert widest_bin(place[inside]) <= 1 / BINS
    beyond = np.abs(score) > 1
    assert ((edge_of(place + 1) - edge_of(place))[beyond] <= np.abs(score[beyond]) / 256).all()


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_a_value_is_averaged_and_not_counted_as_a_class(rows):
    from dataclasses import replace

    valued = replace(roll(rows), valued=True)
    small = condense_roll(valued)
    known = ~np.isnan(valued.label)
    rest = ~np.isnan(small.label)
    assert int(small.count[rest].sum()) == int(known.sum())
    np.testing.assert_allclose(np.dot(small.label[rest], small.count[rest]), valued.label[known].sum(), atol=1e-9)
    assert tally_of(small).counts()[:2].sum() == 0


def test_too_many_cells_for_one_number_are_still_told_apart():
    rng = np.random.default_rng(0)
    groups = {
        f"a{i}": np.array([f"{value:03d}" for value in rng.integers(0, 90, 200)], dtype=object) for i in range(12)
    }
    wide = roll_of(groups, None, rng.random(200), rng.random(200) < 0.5)
    small = condense_roll(merge_rolls([wide, wide]))
    assert len(small.count) == 200
    assert (small.count == 2).all()
    assert as_table(small) == as_table(condense_roll(merge_rolls([wide, wide], most=10)))


def test_what_cannot_be_put_together():
    one = roll_of({"sex": np.array(["F"], dtype=object)}, np.array([1.0]), np.array([0.5]), np.array([True]))
    for other, word in (
        (
            roll_of({"age": np.array(["F"], dtype=object)}, np.array([1.0]), np.array([0.5]), np.array([True])),
            "attributes",
        ),
        (roll_of({"sex": np.array(["F"], dtype=object)}, None, np.array([0.5]), np.array([True])), "label"),
        (roll_of({"sex": np.array(["F"], dtype=object)}, np.array([1.0]), None, np.array([True])), "score"),
        (roll_of({"sex": np.array(["F"], dtype=object)}, np.array([1.0]), np.array([0.5]), None), "favourable"),
    ):
        with pytest.raises(ValueError, match=word):
            merge_rolls([one, other])
