"""Tests of equality of two proportions, and what they mean in people.

Comes in: whole counts of two groups. Goes out: a statistic, a p-value, a number of people. Everything that a law states
in whole people is decided with integers, because 4/5 of a rate is not a floating-point number.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy import special

SMALL_EXPECTED = 5
"""Expected count below which the exact test is used (Cochran 1954)."""
SMALL_ROWS = 30
"""Rows of the smaller group below which the exact test is used."""
FOUR_FIFTHS = Fraction(4, 5)
"""29 CFR 1607.4(D): the ratio that the literal sentence of a report is about; rules carry their own limit."""
FISHER, POOLED_Z = "Fisher exact", "pooled z"
"""Names of the two tests."""
TIE = 1e-7
"""Logarithms of probabilities nearer than this are of equally likely tables."""


class ProportionTest(NamedTuple):
    """Outcome of a test that two proportions are equal."""

    statistic: float | None
    """Standard deviations, positive where the first proportion is the larger; None for the exact test."""
    p: float
    """Two-sided p-value."""
    method: str
    """``Fisher exact`` or ``pooled z``."""


def pooled_z(k1: int, n1: int, k2: int, n2: int) -> float | None:
    """Return the pooled two-proportion z statistic of ``k1/n1 - k2/n2``; None where nobody or everybody succeeds.

    Notes
    -----
    The "standard deviations" of Hazelwood School District v. United States, 433 U.S. 299 (1977), note 17.
    """
    if min(n1, n2) <= 0:
        return None
    pooled = (k1 + k2) / (n1 + n2)
    if not 0 < k1 + k2 < n1 + n2:
        return None
    return (k1 / n1 - k2 / n2) / math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))


def fisher_exact(k1: int, n1: int, k2: int, n2: int) -> tuple[float, float]:
    """Fisher's exact test, two-sided.

    Returns
    -------
    tuple of float
        p-value (sum of all tables no more likely than the observed one) and mid-p (the observed and equally likely
        tables count half).

    Raises
    ------
    ValueError
        A count is negative or above its total.
    """
    if not (0 <= k1 <= n1 and 0 <= k2 <= n2):
        raise ValueError("counts must lie between 0 and their totals")
    total = k1 + k2
    k = np.arange(max(0, total - n2), min(n1, total) + 1, dtype=float)
    log_p = _log_choose(n1, k) + _log_choose(n2, total - k)
    log_p -= special.logsumexp(log_p)
    observed = log_p[k1 - int(k[0])]
    p = float(np.exp(log_p[log_p <= observed + TIE]).sum())
    level = float(np.exp(log_p[np.abs(log_p - observed) <= TIE]).sum())
    return min(p, 1.0), min(max(p - level / 2, 0.0), 1.0)


def _log_choose(n: int, k: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> np.ndarray:
    return np.asarray(special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0))


def compare_proportions(k1: int, n1: int, k2: int, n2: int) -> ProportionTest:
    """Test that two groups have the same rate.

    Fisher's exact test where an expected count is below 5 or a group has fewer than 30 rows, else the pooled z test.

    Raises
    ------
    ValueError
        A group is empty, or a count is above its total.
    """
    if min(n1, n2) <= 0 or not (0 <= k1 <= n1 and 0 <= k2 <= n2):
        raise ValueError("two groups with at least one person each are needed, and counts between 0 and their totals")
    successes, failures = k1 + k2, n1 + n2 - k1 - k2
    expected = min(n1, n2) * min(successes, failures) / (n1 + n2)
    if expected < SMALL_EXPECTED or min(n1, n2) < SMALL_ROWS:
        return ProportionTest(None, fisher_exact(k1, n1, k2, n2)[0], FISHER)
    z = pooled_z(k1, n1, k2, n2) or 0.0
    return ProportionTest(z, normal_p(z), POOLED_Z)


def normal_p(z: float) -> float:
    """Return the two-sided p-value of a standard normal statistic."""
    return float(2 * special.ndtr(-abs(z)))


def shortfall(k1: int, n1: int, k2: int, n2: int) -> float:
    """Return how many selections the first group is short of, had the two groups shared theirs at one common rate.

    Notes
    -----
    Expected minus actual selections, ``n1 (k1 + k2) / (n1 + n2) - k1``, the numerator of the pooled z statistic;
    negative where the first group has more than its part. The total of selections stays the same.
    """
    return n1 * (k1 + k2) / (n1 + n2) - k1


def flip_one(k1: int, n1: int, k2: int, n2: int) -> bool:
    """Say whether the first group is behind the second, and one different selection would put it ahead.

    Notes
    -----
    Uniform Guidelines, Questions and Answers 21 (44 FR 11996, 1979): where the selection of one different person would
    shift the result so that the group has the higher rate, the numbers are too small to conclude.
    """
    behind = k1 * n2 < k2 * n1
    return behind and k1 < n1 and (k1 + 1) * n2 > (k2 - 1) * n1


def as_fraction(limit: Fraction | float | str) -> Fraction:
    """Return the fraction that a person meant: 0.8 is four fifths, not the nearest binary number."""
    return limit if isinstance(limit, Fraction) else Fraction(repr(limit) if isinstance(limit, float) else limit)


def ratio_reaches(k1: int, n1: int, k2: int, n2: int, limit: Fraction | float | str = FOUR_FIFTHS) -> bool | None:
    """Say, in whole people, whether ``(k1/n1) / (k2/n2)`` is at least `limit`; None where it is undefined."""
    if min(n1, n2) <= 0 or k2 == 0:
        return None
    part = as_fraction(limit)
    return k1 * n2 * part.denominator >= part.numerator * k2 * n1


def needed_for_ratio(k1: int, n1: int, k2: int, n2: int, limit: Fraction | float | str = FOUR_FIFTHS) -> int | None:
    """Return how many more of the first group would have to be selected to reach `limit`; None if undefined."""
    if min(n1, n2) <= 0 or k2 == 0:
        return None
    wanted = as_fraction(limit) * Fraction(k2, n2) * n1
    return max(math.ceil(wanted) - k1, 0)
