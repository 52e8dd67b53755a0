"""Two groups compared within strata: what is common to all strata, and whether anything is.

Comes in: whole counts of two groups, one entry per stratum. Goes out: a common ratio, odds ratio or difference with its
interval, and tests. A stratum without people of both groups says nothing of a contrast and adds nothing to any sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .intervals import normal_quantile
from .tests import normal_p

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

FEWEST_EXPECTED = 5.0
"""Mantel and Fleiss (1980): the expected count must lie this far from both ends of its range for the normal test."""
_TIE = 1e-7


class Common(NamedTuple):
    """A number common to all strata."""

    value: float
    """Point; NaN where undefined, infinite where nobody of the reference is on the other side."""
    low: float
    """Lower end of the interval; NaN where there is none."""
    high: float
    """Upper end; infinite where unbounded."""
    method: str
    """How the interval was computed."""


class StratifiedTest(NamedTuple):
    """Outcome of a test over strata."""

    statistic: float | None
    """Standard deviations (two groups alike in every stratum) or chi-square (homogeneity); None for an exact test."""
    p: float
    """Two-sided p-value; NaN where there is nothing to test."""
    method: str
    """Name of the test."""
    degrees: int = 1
    """Degrees of freedom."""
    rough: int = 0
    """For homogeneity: strata with an expected count below 5, where the chi-square distribution is a rough guide."""


@dataclass(frozen=True, slots=True)
class PairedStrata:
    """Counts of a group and of its reference in the strata that hold people of both.

    Parameters
    ----------
    k1, n1 : ndarray of float64, shape [strata]
        Successes and people of the group.
    k2, n2 : ndarray of float64, shape [strata]
        Successes and people of the reference.
    """

    k1: Floats
    n1: Floats
    k2: Floats
    n2: Floats

    @property
    def people(self) -> Floats:
        """People of both groups by stratum."""
        return self.n1 + self.n2

    @property
    def successes(self) -> Floats:
        """Successes of both groups by stratum."""
        return self.k1 + self.k2

    @property
    def variance(self) -> Floats:
        """Hypergeometric variance of the group's successes by stratum."""
        t, n = self.successes, self.people
        return self.n1 * self.n2 * t * (n - t) / (n * n * np.maximum(n - 1, 1))


def pair_strata(k1: Whole | Floats, n1: Whole | Floats, k2: Whole | Floats, n2: Whole | Floats) -> PairedStrata:
    """Keep the strata that hold people of both groups.

    Parameters
    ----------
    k1, n1, k2, n2 : ndarray, shape [strata]
        Successes and people of the group and of the reference.

    Raises
    ------
    ValueError
        A count is negative or above its people.
    """
    counts = [np.asarray(item, dtype=np.float64) for item in (k1, n1, k2, n2)]
    if any((k < 0).any() or (k > n).any() for k, n in (counts[:2], counts[2:])):
        raise ValueError("counts must lie between 0 and the people of their stratum")
    both = (counts[1] > 0) & (counts[3] > 0)
    return PairedStrata(*(item[both] for item in counts))


def common_risk_ratio(strata: PairedStrata, level: float = 0.95) -> Common:
    """Mantel and Haenszel's ratio of two rates, common to all strata.

    Parameters
    ----------
    strata : PairedStrata
        Counts.
    level : float
        Two-sided level of the interval.

    Returns
    -------
    Common
        NaN where nobody succeeds; infinite where nobody of the reference does.

    Notes
    -----
    Greenland and Robins (1985), Biometrics 41:55, on the logarithm. Where a sum is 0 the logarithm has no interval: the
    quadratic that the same variance gives is solved instead, in the manner of Sato (1990), Biometrics 46:71.
    """
    n = strata.people
    r, s = float((strata.k1 * strata.n2 / n).sum()), float((strata.k2 * strata.n1 / n).sum())
    v = float(((strata.n1 * strata.n2 * strata.successes - strata.k1 * strata.k2 * n) / n**2).sum())
    if r > 0 and s > 0:
        return _on_logarithm(r / s, v / (r * s), level, "Mantel-Haenszel, Greenland-Robins")
    # (r - x s)^2 = z^2 x v
    square = normal_quantile(level) ** 2
    return _by_quadratic(r, s, (0.0, square * v, 0.0), "Mantel-Haenszel, quadratic of Sato")


def common_odds_ratio(strata: PairedStrata, level: float = 0.95) -> Common:
    """Mantel and Haenszel's odds ratio, common to all strata.

    Parameters
    ----------
    strata : PairedStrata
        Counts.
    level : float
        Two-sided level of the interval.

    Returns
    -------
    Common
        NaN where no stratum holds both outcomes; 0 or infinite where all of one group lie on one side.

    Notes
    -----
    Robins, Breslow and Greenland (1986), Biometrics 42:311, on the logarithm; where a sum is 0, Sato (1990), Biometrics
    46:71.
    """
    n = strata.people
    a, b, c, d = strata.k1, strata.n1 - strata.k1, strata.k2, strata.n2 - strata.k2
    p, q, r, s = (a + d) / n, (b + c) / n, a * d / n, b * c / n
    big_r, big_s = float(r.sum()), float(s.sum())
    parts = float((p * r).sum()), float((p * s + q * r).sum()), float((q * s).sum())
    if big_r > 0 and big_s > 0:
        variance = parts[0] / (2 * big_r**2) + parts[1] / (2 * big_r * big_s) + parts[2] / (2 * big_s**2)
        return _on_logarithm(big_r / big_s, variance, level, "Mantel-Haenszel, Robins-Breslow-Greenland")
    half = normal_quantile(level) ** 2 / 2
    return _by_quadratic(
        big_r, big_s, (half * parts[0], half * parts[1], half * parts[2]), "Mantel-Haenszel, quadratic of Sato"
    )


def _on_logarithm(value: float, variance: float, level: float, method: str) -> Common:
    half = normal_quantile(level) * math.sqrt(max(variance, 0.0))
    return Common(value, value * math.exp(-half), value * math.exp(half), method)


def _by_quadratic(r: float, s: float, spread: tuple[float, float, float], method: str) -> Common:
    """Solve ``(r - x s)^2 = spread[0] + spread[1] x + spread[2] x^2`` for the ends of the interval of r / s.

    One of `r` and `s` is 0, and so are the terms of the spread that belong to it.
    """
    if r == 0 and s == 0:
        return Common(math.nan, math.nan, math.nan, method)
    if r == 0:
        rest = s * s - spread[2]
        return Common(0.0, 0.0, spread[1] / rest if rest > 0 else math.inf, method)
    rest = r * r - spread[0]
    return Common(math.inf, rest / spread[1] if rest > 0 and spread[1] > 0 else 0.0, math.inf, method)


def common_risk_difference(strata: PairedStrata, level: float = 0.95) -> Common:
    """Mantel and Haenszel's difference of two rates, group minus reference, common to all strata.

    Parameters
    ----------
    strata : PairedStrata
        Counts.
    level : float
        Two-sided level of the interval.

    Returns
    -------
    Common
        NaN where there is no stratum.

    Notes
    -----
    Sato's variance (1989), Biometrics 45:1323, is linear in the difference; Klingenberg (2014), Statistics in Medicine
    33:2968, inverts the test that has it, which gives a closed form that holds where rates or strata are small.
    """
    method = "Mantel-Haenszel, Klingenberg"
    k1, n1, k2, n2, n = strata.k1, strata.n1, strata.k2, strata.n2, strata.people
    weight = float((n1 * n2 / n).sum())
    if weight <= 0:
        return Common(math.nan, math.nan, math.nan, method)
    value = float(((k1 * n2 - k2 * n1) / n).sum()) / weight
    slope = float(((n1**2 * k2 - n2**2 * k1 + n1 * n2 * (n2 - n1) / 2) / n**2).sum()) / weight**2
    constant = float(((k1 * (n2 - k2) + k2 * (n1 - k1)) / (2 * n)).sum()) / weight**2
    square = normal_quantile(level) ** 2
    middle = value + square * slope / 2
    half = math.sqrt(max(middle**2 - value**2 + square * constant, 0.0))
    low, high = max(-1.0, min(middle - half, value)), min(1.0, max(middle + half, value))
    return Common(value, low, high, method)


def cochran_mantel_haenszel(strata: PairedStrata) -> StratifiedTest:
    """Test that two groups have the same rate in every stratum.

    Parameters
    ----------
    strata : PairedStrata
        Counts.

    Returns
    -------
    StratifiedTest
        Cochran-Mantel-Haenszel without continuity correction; the exact conditional test where Mantel and Fleiss'
        criterion says that the normal distribution is no guide.

    Notes
    -----
    Mantel and Haenszel (1959), JNCI 22:719; Mantel and Fleiss (1980), American Journal of Epidemiology 112:129.
    """
    variance = float(strata.variance.sum())
    if variance <= 0:
        return StratifiedTest(None, math.nan, "Cochran-Mantel-Haenszel")
    expected = strata.n1 * strata.successes / strata.people
    least = np.maximum(strata.successes - strata.n2, 0.0)
    most = np.minimum(strata.successes, strata.n1)
    if min((expected - least).sum(), (most - expected).sum()) < FEWEST_EXPECTED:
        return StratifiedTest(None, exact_p(strata), "exact conditional")
    z = float((strata.k1 - expected).sum()) / math.sqrt(variance)
    return StratifiedTest(z, normal_p(z), "Cochran-Mantel-Haenszel")


def exact_p(strata: PairedStrata, *, one_sided: bool = False) -> float:
    """Exact conditional p-value that two groups have the same rate in every stratum.

    Parameters
    ----------
    strata : PairedStrata
        Counts; one stratum makes it Fisher's exact test.
    one_sided : bool
        Count only tables in which the group succeeds at least as often; else all tables no more likely than the
        observed one.

    Notes
    -----
    The sum of independent hypergeometric counts, by convolution; Mehta, Patel and Gray (1985), JASA 80:969.
    """
    joint, start = np.ones(1), 0
    for k1, n1, k2, n2 in zip(strata.k1, strata.n1, strata.k2, strata.n2, strict=True):
        chances, least = _hypergeometric(int(k1 + k2), int(n1), int(n2))
        joint, start = np.convolve(joint, chances), start + least
    place = int(strata.k1.sum()) - start
    chosen = joint[place:] if one_sided else joint[joint <= joint[place] * (1 + _TIE)]
    return min(float(chosen.sum()), 1.0)


def _hypergeometric(total: int, n1: int, n2: int) -> tuple[Floats, int]:
    """Return the chances of each number of the group's successes among `total`, and the least number."""
    k = np.arange(max(0, total - n2), min(n1, total) + 1, dtype=float)
    log_p = -(special.betaln(k + 1, n1 - k + 1) + special.betaln(total - k + 1, n2 - total + k + 1))
    return np.asarray(np.exp(log_p - special.logsumexp(log_p))), int(k[0])


def breslow_day(strata: PairedStrata) -> StratifiedTest:
    """Breslow and Day's test that the odds ratio is the same in every stratum, with Tarone's correction.

    Parameters
    ----------
    strata : PairedStrata
        Counts.

    Returns
    -------
    StratifiedTest
        NaN where fewer than two strata hold both outcomes, or the common odds ratio is 0 or infinite.

    Notes
    -----
    Breslow and Day (1980), Statistical Methods in Cancer Research I, section 4.4; Tarone (1985), Biometrika 72:91.
    """
    method = "Breslow-Day, Tarone"
    mixed = (strata.successes > 0) & (strata.successes < strata.people)
    used = PairedStrata(strata.k1[mixed], strata.n1[mixed], strata.k2[mixed], strata.n2[mixed])
    ratio = common_odds_ratio(used).value if mixed.any() else math.nan
    if len(used.k1) < 2 or not 0 < ratio < math.inf:
        return StratifiedTest(None, math.nan, method, max(len(used.k1) - 1, 0))
    expected = _expected_under(ratio, used)
    cells = np.array(
        [
            expected,
            used.successes - expected,
            used.n1 - expected,
            used.n2 - used.successes + expected,
        ]
    )
    variance = 1 / (1 / cells).sum(axis=0)
    gap = used.k1 - expected
    statistic = float((gap**2 / variance).sum() - gap.sum() ** 2 / variance.sum())
    degrees = len(used.k1) - 1
    rough = int((cells.min(axis=0) < FEWEST_EXPECTED).sum())
    return StratifiedTest(statistic, float(special.chdtrc(degrees, max(statistic, 0.0))), method, degrees, rough)


def _expected_under(ratio: float, strata: PairedStrata) -> Floats:
    """Return the group's expected successes by stratum if the odds ratio were `ratio`, margins kept.

    The root of ``(1 - r) x^2 + (n2 - t + r (n1 + t)) x - r n1 t = 0`` in the form that is safe near ``r = 1``.
    """
    n1, t = strata.n1, strata.successes
    b = strata.n2 - t + ratio * (n1 + t)
    c = ratio * n1 * t
    root = np.sqrt(np.maximum(b * b + 4 * (1 - ratio) * c, 0.0))
    return np.asarray(2 * c / (b + root))
