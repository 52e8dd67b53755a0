"""Differential fairness."""

import math

import pytest

from audit.statistics import pair_level, score_ratio
from audit.statistics.differential import difference_of_envelopes, differential_fairness

COUNTS = [(30, 100), (45, 90), (10, 60)]


def by_hand(counts, a=0.5):
    """AI Fairness 360's smoothed empirical differential fairness, with a concentration of 2a over two outcomes."""
    rates = [(k + a) / (n + 2 * a) for k, n in counts]
    return max(abs(math.log(f(p) / f(q))) for p in rates for q in rates for f in (lambda x: x, lambda x: 1 - x))


@pytest.mark.parametrize("counts", [COUNTS, [(0, 5), (5, 5)], [(90, 100), (99, 100)], [(1, 2), (5, 10)]])
@pytest.mark.parametrize("smoothing", [0.5, 1.0])
def test_epsilon_by_hand(counts, smoothing):
    assert differential_fairness(counts, smoothing=smoothing).value == pytest.approx(by_hand(counts, smoothing))


def test_both_outcomes_count():
    # nearly all are selected: the ratio of selections is near 1, that of refusals is 10
    envelope = differential_fairness([(900, 1000), (990, 1000)])
    assert envelope.value == pytest.approx(math.log((100.5 / 1001) / (10.5 / 1001)))
    assert envelope.worst == (1, 0)
    mirrored = differential_fairness([(100, 1000), (10, 1000)])
    assert mirrored[:3] == pytest.approx(envelope[:3])


def test_interval_is_the_envelope_over_pairs_and_outcomes():
    each = pair_level(0.95, 6)
    ends = []
    for turn in (lambda k, n: (k, n), lambda k, n: (n - k, n)):
        for i, a in enumerate(COUNTS):
            for b in COUNTS[i + 1 :]:
                low, high = score_ratio(*turn(*a), *turn(*b), each)
                ends.append((max(math.log(low), -math.log(high)), max(math.log(high), -math.log(low))))
    envelope = differential_fairness(COUNTS)
    assert envelope.low == pytest.approx(max(0.0, *(low for low, _ in ends)))
    assert envelope.high == pytest.approx(max(high for _, high in ends))
    assert envelope.pairs == 6


def test_parity_is_inside_and_what_was_never_seen_is_unbounded():
    alike = differential_fairness([(30, 100), (60, 200)])
    assert alike.value < 0.01
    assert alike.low == 0.0
    assert differential_fairness([(0, 50), (20, 50)]).high == math.inf
    assert differential_fairness([(5, 9)]).pairs == 0
    assert differential_fairness([]).pairs == 0


def test_a_difference_lies_between_the_far_ends():
    one, two = differential_fairness(COUNTS), differential_fairness([(50, 100), (45, 90), (31, 60)])
    value, low, high = difference_of_envelopes(one, two)
    assert value == one.value - two.value
    assert (low, high) == (one.low - two.high, one.high - two.low)
