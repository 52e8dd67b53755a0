from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.attestation.policy.operators import OPERATORS, Reading, choose_operator
from audit.attestation.policy.phrase import parse_phrase
from audit.evidence import Estimate, Parity

LIMIT = parse_phrase("at least 0.8", {})


def read(value, low=None, high=None, p=None):
    parity = Parity(statistic=None, p=p, p_adjusted=p, pairs=1, method="test") if p is not None else None
    return Reading(Estimate(value=value, low=low, high=high), Fraction(repr(value)), parity, p)


TABLE = [
    # value, low, high, p        interval        court           estimate proven
    (0.95, 0.85, 1.05, 0.60, "pass", "pass", "pass", "pass"),
    (0.95, 0.80, 1.05, 0.60, "pass", "pass", "pass", "pass"),  # the edge itself complies
    (0.90, 0.78, 1.02, 0.20, "inconclusive", "inconclusive", "pass", "fail"),  # straddles, the point complies
    (0.75, 0.60, 0.95, 0.01, "inconclusive", "fail", "fail", "fail"),  # below and unequal
    (0.75, 0.50, 1.10, 0.30, "inconclusive", "inconclusive", "fail", "fail"),  # below, parity not excluded
    (0.50, 0.40, 0.62, 0.001, "fail", "fail", "fail", "fail"),  # established
    (0.50, 0.40, 0.62, 0.20, "fail", "inconclusive", "fail", "fail"),  # after Holm parity stands
    (0.50, 0.40, 0.62, None, "fail", "inconclusive", "fail", "fail"),  # no test was made
    (0.79, 0.79, 0.80, 0.001, "inconclusive", "fail", "fail", "fail"),  # touches the edge: not wholly beyond
    (0.50, None, None, 0.001, "inconclusive", "fail", "fail", "inconclusive"),  # no interval
    (0.90, 0.82, None, 0.50, "pass", "pass", "pass", "pass"),  # unbounded above
    (0.90, None, 0.95, 0.50, "inconclusive", "inconclusive", "pass", "fail"),  # unbounded below
]


@pytest.mark.parametrize(("value", "low", "high", "p", "interval", "court", "estimate", "proven"), TABLE)
def test_the_four_ways_to_judge(value, low, high, p, interval, court, estimate, proven):
    reading = read(value, low, high, p)
    found = {name: operator(reading, LIMIT)[0] for name, operator in OPERATORS.items()}
    assert found == {"interval": interval, "court": court, "estimate": estimate, "proven": proven}


def test_court_says_what_it_established():
    assert "established" in OPERATORS["court"](read(0.5, 0.4, 0.62, 0.001), LIMIT)[1]
    below_and_unequal = OPERATORS["court"](read(0.75, 0.6, 0.95, 0.01), LIMIT)[1]
    assert "established" not in below_and_unequal
    assert "unequal" in below_and_unequal


def test_an_exact_number_is_judged_on_its_point():
    exactly = parse_phrase("exactly 0", {})
    assert choose_operator("interval", exactly, Estimate(value=0.0, low=-1, high=1)) == "estimate"
    assert choose_operator(None, LIMIT, Estimate(value=0.0)) == "estimate"
    assert choose_operator(None, LIMIT, Estimate(value=0.0, low=-1, high=1)) == "interval"
    assert choose_operator("court", LIMIT, Estimate(value=0.0)) == "court"


ends = st.floats(-2, 3).map(lambda x: round(x, 3))


@given(
    ends,
    ends,
    ends,
    st.floats(0, 1),
    st.sampled_from(["at least 0.8", "at most 0.1", "between 0.2 and 0.9", "above 0", "below 1"]),
)
def test_laws_of_the_operators(a, b, c, p, phrase):
    limit = parse_phrase(phrase, {})
    low, value, high = sorted((a, b, c))
    reading = read(value, low, high, p)
    found = {name: operator(reading, limit)[0] for name, operator in OPERATORS.items()}
    if found["interval"] == "pass":
        assert set(found.values()) == {"pass"}
    if found["interval"] == "fail":
        assert found["estimate"] == "fail"
        assert found["proven"] == "fail"
    assert (found["proven"] == "pass") == (found["interval"] == "pass") == (found["court"] == "pass")
    if found["court"] == "fail":
        assert found["estimate"] == "fail"
        assert p <= 0.05 + 1e-12
    assert found["estimate"] in ("pass", "fail")
    assert found["proven"] in ("pass", "fail")
