"""Limits that cannot be meant, and the numbers of a real audit that they are held against."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.attestation.policy.catalogue import METRICS
from audit.attestation.policy.operators import OPERATORS, Reading
from audit.attestation.policy.phrase import parse_phrase
from audit.attestation.policy.sense import doubt_limit, is_share
from audit.evidence import Estimate, Parity

LADDER = ("fail", "inconclusive", "pass")
POINTS = st.integers(0, 1000).map(lambda n: n / 1000)


@pytest.mark.parametrize(
    ("metric", "limit", "odd"),
    [
        ("fairness.selection_rate_ratio", "at least 0.8", False),
        ("fairness.selection_rate_ratio", "at most 0.8", True),
        ("fairness.selection_rate_ratio", "at least 80", True),
        ("fairness.selection_rate_ratio", "between 0.8 and 1.25", False),
        ("fairness.selection_rate_difference", "at most 5", True),
        ("fairness.selection_rate_difference", "at least 0.05", True),
        ("fairness.equalized_odds_difference", "at most 10%", False),
        ("fairness.unknown_group_share", "at most 20", True),
        ("performance.auc", "above 0.5", False),
        ("performance.auc", "between 0.6 and 0.95", False),
        ("performance.auc", "below 0.5", True),
        ("calibration.slope", "between 0.8 and 1.25", False),
        ("calibration.slope", "at most 0.8", True),
        ("calibration.mean_gap", "between -0.05 and 0.05", False),
        ("calibration.mean_gap", "above 0.05", True),
        ("data.rows", "at least 30", False),
        ("performance.rmse", "at most 30", False),
        ("effects.importance_share", "exactly 0", False),
        ("performance.auc", "reported", False),
    ],
)
def test_slips_of_the_pen(metric, limit, odd):
    assert bool(list(doubt_limit(METRICS[metric], parse_phrase(limit, {})))) is odd


def test_every_share_of_a_real_audit_is_at_most_one(small_report):
    above = {
        (item.metric, item.estimate.value)
        for item in small_report.dossier.evidence.measurements()
        if item.estimate.value is not None and is_share(METRICS[item.metric]) and item.estimate.value > 1 + 1e-9
    }
    assert above == set()


def reading(point, width, p):
    estimate = Estimate(value=point, low=max(point - width, 0.0), high=point + width, n=100, method="given")
    return Reading(
        estimate, Fraction(repr(point)), Parity(statistic=1.0, p=p, p_adjusted=p, pairs=1, method="given"), p
    )


@given(POINTS, POINTS, POINTS, st.floats(0, 1), st.sampled_from(sorted(OPERATORS)))
@settings(max_examples=300, deadline=None)
def test_a_better_number_never_gets_a_worse_verdict(one, two, width, p, name):
    worse, better = sorted((one, two))
    limit = parse_phrase("at least 0.8", {})
    found = [OPERATORS[name](reading(point, width, p), limit)[0] for point in (worse, better)]
    assert LADDER.index(found[0]) <= LADDER.index(found[1])


@given(POINTS, POINTS, st.integers(0, 999), st.integers(0, 999), st.floats(0, 1), st.sampled_from(sorted(OPERATORS)))
@settings(max_examples=300, deadline=None)
def test_a_stricter_limit_never_gives_a_better_verdict(point, width, one, two, p, name):
    loose, strict = (parse_phrase(f"at least {n / 1000}", {}) for n in sorted((one, two)))
    found = [OPERATORS[name](reading(point, width, p), limit)[0] for limit in (loose, strict)]
    assert LADDER.index(found[0]) >= LADDER.index(found[1])


@given(POINTS, POINTS, st.floats(0, 1))
@settings(max_examples=300, deadline=None)
def test_proof_is_the_strictest_way_to_judge(point, width, p):
    limit = parse_phrase("at least 0.8", {})
    found = {name: OPERATORS[name](reading(point, width, p), limit)[0] for name in OPERATORS}
    if found["proven"] == "pass":
        assert set(found.values()) == {"pass"}
    if found["interval"] == "fail":
        assert found["proven"] == found["estimate"] == "fail"
    assert (found["interval"] == "pass") == (found["court"] == "pass") == (found["proven"] == "pass")
