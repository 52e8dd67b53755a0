from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.attestation.policy.phrase import Limit, PhraseError, parse_phrase, read_number


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("at least 0.8", ["0.8", "1"], ["0.7999999"]),
        ("at most 5%", ["0.05", "-1"], ["0.0500001"]),
        ("above 0.8", ["0.800001"], ["0.8", "0"]),
        ("below 2", ["1.99"], ["2", "3"]),
        ("exactly 0", ["0"], ["0.0000001", "-1"]),
        ("between 0.9 and 110%", ["0.9", "1.1", "1"], ["0.89", "1.11"]),
        ("at   least  $low", ["0.25"], ["0.2499"]),
    ],
)
def test_ranges_hold_what_they_say(text, inside, outside):
    limit = parse_phrase(text, {"low": Fraction(1, 4)})
    assert all(limit.holds(Fraction(value)) for value in inside)
    assert not any(limit.holds(Fraction(value)) for value in outside)


@pytest.mark.parametrize(
    ("text", "kind", "options"),
    [
        ("reported", "reported", ()),
        ("true", "flag", ("true",)),
        ("one of a, b c", "options", ("a", "b c")),
        ("increasing", "direction", ("increasing",)),
    ],
)
def test_other_phrases(text, kind, options):
    limit = parse_phrase(text, {})
    assert (limit.kind, limit.options) == (kind, options)


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("atleast 0.8", "is no limit", "at least"),
        (">= 0.8", "is no limit", "at least X"),
        ("at least", "is no limit", "at least"),
        ("at least 0.8 or so", "is no limit", "at least"),
        ("at most $margn", "unknown parameter '$margn'", "did you mean 'margin'?"),
        ("between 2 and 1", "empty", "turn them round"),
        ("one of a,,b", "empty value", "one of a, b"),
        ("incresing", "is no limit", "increasing"),
        ("at least nan", "is no limit", "at least"),
        ("at least 1e", "is no limit", "at least"),
        ("", "is no limit", "at least"),
    ],
)
def test_phrases_that_are_none(text, what, hint):
    with pytest.raises(PhraseError) as caught:
        parse_phrase(text, {"margin": Fraction(1)})
    assert what in caught.value.what
    assert hint in caught.value.hint


def test_a_parameter_is_written_out_in_words():
    limit = parse_phrase("at least $low", {"low": read_number(0.85)})
    assert (limit.words, limit.parameters) == ("at least 0.85", ("low",))


def test_numbers_are_what_a_person_wrote():
    assert read_number(0.8) == read_number("80%") == read_number("0.80") == Fraction(4, 5)
    assert read_number("1.1%") == Fraction(11, 1000)


numbers = st.fractions(min_value=-3, max_value=3, max_denominator=20)
limits = st.builds(
    lambda a, b, lo, ho, kind: Limit(
        "range", "x", None if kind == "most" else min(a, b), None if kind == "least" else max(a, b), lo, ho
    ),
    numbers,
    numbers,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["least", "most", "both"]),
)


@given(limits, numbers, numbers, numbers)
def test_an_interval_complies_exactly_where_all_its_points_do(limit, a, b, c):
    low, middle, high = sorted((a, b, c))
    if limit.covers(low, high):
        assert limit.holds(low)
        assert limit.holds(middle)
        assert limit.holds(high)
    if limit.misses(low, high):
        assert not limit.holds(low)
        assert not limit.holds(middle)
        assert not limit.holds(high)
    if limit.low is not None and limit.low == limit.high and (limit.low_open or limit.high_open):
        return  # an empty range
    assert not (limit.covers(low, high) and limit.misses(low, high))


@given(limits, limits, numbers)
def test_a_range_that_contains_another_allows_all_that_it_allows(wide, narrow, value):
    if wide.contains(narrow) and narrow.holds(value):
        assert wide.holds(value)


@given(limits, numbers)
def test_an_unbounded_interval_never_complies_with_a_bound_on_that_side(limit, value):
    if limit.high is not None:
        assert not limit.covers(value, None)
    if limit.low is not None:
        assert not limit.covers(None, value)
