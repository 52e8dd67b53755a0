"""Where nothing changed, intervals hold 0 as often as they promise, and a family raises as few alarms as it promises.

Two models that differ by noise alone stand on either side: whatever is measured is the same for both in truth, although
many decisions differ. Slow, because two thousand pairs are drawn.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from audit.attestation.change.kept import KeptPeople, PairedPeople
from audit.attestation.change.people import PeopleNumbers
from audit.statistics.adjust import holm

PAIRS, ROWS, ALPHA = 2000, 1500, 0.001
GROUPS = ("a", "b", "c")
FAMILIES = {
    "fairness.selection_rate": False,
    "fairness.accuracy": False,
    "fairness.true_positive_rate": False,
    "fairness.auc": False,
    "fairness.brier": False,
    "fairness.precision": False,
    "fairness.selection_rate_ratio": True,
}
"""Number to whether it compares with the reference group, which is then no member of the family."""


def draw_pair(rng):
    """Return the same people scored by two equally good models with noise of their own."""
    group = rng.choice(GROUPS, ROWS, p=[0.5, 0.3, 0.2])
    truth = rng.normal(size=ROWS)
    label = (rng.random(ROWS) < 1 / (1 + np.exp(-1.5 * truth))).astype(float)
    sides = []
    for _ in range(2):
        score = 1 / (1 + np.exp(-(truth + rng.normal(scale=0.7, size=ROWS))))
        ids = np.arange(ROWS).astype(str)
        decided = (score >= 0.5).astype(float)
        sides.append(KeptPeople(ids, label, score, decided, np.full(ROWS, np.nan), {"g": group}, {}, "id", "", ""))
    return PairedPeople(sides[0], sides[1], sides[0], sides[1], 0, 0, 0, "")


@pytest.mark.slow
def test_two_thousand_pairs_without_a_change():
    rng = np.random.default_rng(20261121)
    held = dict.fromkeys(FAMILIES, 0)
    looked = dict.fromkeys(FAMILIES, 0)
    alarms = dict.fromkeys(FAMILIES, 0)
    for _ in range(PAIRS):
        numbers = PeopleNumbers(draw_pair(rng), positive_is_favourable=True)
        for metric, compared in FAMILIES.items():
            reference = {"g": "a"} if compared else None
            members = GROUPS[1:] if compared else GROUPS
            changes = [numbers.change(metric, {"g": name}, reference, reference) for name in members]
            low, high = changes[0].interval(0.95)  # one member, so that the pairs are independent trials
            held[metric] += low <= 0 <= high
            looked[metric] += 1
            alarms[metric] += min(holm([change.p for change in changes])) <= 0.05
    told = {metric: (held[metric] / PAIRS, alarms[metric] / PAIRS) for metric in FAMILIES}
    for metric in FAMILIES:
        assert binomtest(held[metric], looked[metric], 0.95).pvalue > ALPHA, told
        assert binomtest(alarms[metric], PAIRS, 0.05).pvalue > ALPHA, told


def test_the_simulated_models_differ_in_many_decisions():
    """Were the two the same model, the test above would show nothing."""
    pair = draw_pair(np.random.default_rng(1))
    flipped = np.mean(pair.before.favourable != pair.after.favourable)
    assert 0.15 < flipped < 0.45
