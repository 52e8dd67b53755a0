"""All pairs of groups tested for equality at once.

Comes in: whole counts of many groups. Goes out: one test per pair, adjusted over the family. A thousand groups make
half a million pairs, so the tests are arrays and a pair becomes an object only where somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .adjust import holm
from .figures import ParityTest
from .tests import FISHER, POOLED_Z, SMALL_EXPECTED, SMALL_ROWS, TIE

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
EFFECTIVE_Z = "pooled z of effective counts"
_BLOCK = 1 << 20
"""Probabilities of tables held at once by the exact tests of many pairs."""


class ManyTests(NamedTuple):
    """Tests of equality of many pairs of proportions; each of shape [pairs]."""

    statistic: Floats
    """Standard deviations, positive where the first proportion is the larger; NaN for the exact test."""
    p: Floats
    """Two-sided p-value."""


def compare_many(k1: Floats, n1: Floats, k2: Floats, n2: Floats, *, whole: bool = True) -> ManyTests:
    """Test many pairs of proportions, each as `compare_proportions` does.

    Parameters
    ----------
    k1, n1, k2, n2 : array, shape [pairs]
        Successes and rows; no group is empty.
    whole : bool
        False for effective counts of weighted people: they are fractions, so that there is no exact test.
    """
    total, successes = n1 + n2, k1 + k2
    pooled = successes / total
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (k1 / n1 - k2 / n2) / np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    z = np.where((successes > 0) & (successes < total), z, 0.0)
    p = 2 * special.ndtr(-np.abs(z))
    if whole:
        smaller = np.minimum(n1, n2)
        exact = smaller * np.minimum(successes, total - successes) / total < SMALL_EXPECTED
        exact |= smaller < SMALL_ROWS
        p[exact] = fisher_p(k1[exact], n1[exact], k2[exact], n2[exact])
        z = np.where(exact, np.nan, z)
    return ManyTests(z, p)


def fisher_p(k1: Floats, n1: Floats, k2: Floats, n2: Floats) -> Floats:
    """Return the two-sided p-values of Fisher's exact tests of many tables.

    Parameters
    ----------
    k1, n1, k2, n2 : array, shape [tables]
        Successes and rows.

    Notes
    -----
    The sum over all tables no more likely than the observed one. Probabilities follow from one another by the ratio of
    neighbours, which stays exact where factorials of large numbers would not.
    """
    out = np.ones(len(k1))
    lowest = np.maximum(0, k1 + k2 - n2)
    length = (np.minimum(n1, k1 + k2) - lowest + 1).astype(np.int64)
    doublings = np.ceil(np.log2(np.maximum(length, 1))).astype(np.int64)
    for doubling in np.unique(doublings):
        alike = np.flatnonzero(doublings == doubling)  # tables of about one length are summed together
        width = int(length[alike].max())
        for begin in range(0, len(alike), max(_BLOCK // width, 1)):
            chosen = alike[begin : begin + max(_BLOCK // width, 1)]
            out[chosen] = _fisher_block(k1[chosen], n1[chosen], k2[chosen], n2[chosen], lowest[chosen], width)
    return out


def _fisher_block(k1: Floats, n1: Floats, k2: Floats, n2: Floats, lowest: Floats, width: int) -> Floats:
    """Return the p-values of tables whose support has at most `width` places."""
    k1, n1, k2, n2, lowest = (item[:, None] for item in (k1, n1, k2, n2, lowest))
    k = lowest + np.arange(width - 1)
    total = k1 + k2
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.log((n1 - k) * (total - k)) - np.log((k + 1) * (n2 - total + k + 1))
    step = np.where((k < n1) & (k < total), step, -np.inf)
    log_p = np.concatenate([np.zeros((len(k1), 1)), np.cumsum(step, axis=1)], axis=1)
    log_p -= special.logsumexp(log_p, axis=1, keepdims=True)
    observed = np.take_along_axis(log_p, (k1 - lowest).astype(np.int64), axis=1)
    return np.asarray(np.minimum(np.where(log_p <= observed + TIE, np.exp(log_p), 0.0).sum(axis=1), 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class PairTests:
    """Tests of the pairs of a family, adjusted by Holm."""

    size: int
    """Groups, members of the family or not."""
    keys: NDArray[np.int64]
    """``lower place * size + higher place`` of each pair, ascending; shape [pairs]."""
    statistic: Floats
    """Standard deviations, positive where the group at the lower place has the larger rate; NaN for an exact test."""
    p: Floats
    """Two-sided p-value of each pair alone."""
    p_adjusted: Floats
    """After Holm over the family."""
    whole: bool = True
    """Whether the counts were whole people."""

    @property
    def pairs(self) -> int:
        """Pairs in the family."""
        return len(self.keys)

    def find(self, place: int, others: Places) -> Places:
        """Return where the pairs of the group at `place` with `others` stand; -1 where a pair was not tested."""
        wanted = np.minimum(place, others) * self.size + np.maximum(place, others)
        at = np.minimum(np.searchsorted(self.keys, wanted), max(self.pairs - 1, 0))
        if not self.pairs:
            return np.full(len(wanted), -1)
        return np.where(self.keys[at] == wanted, at, -1)

    def between(self, place: int, other: int) -> ParityTest | None:
        """Return the test of two groups, its statistic positive where the first has the larger rate."""
        (at,) = self.find(place, np.array([other])).tolist()
        return None if at < 0 else self.describe(at, 1 if place < other else -1)

    def describe(self, at: int, sign: int) -> ParityTest:
        """Return the test that stands at a place among the pairs, its statistic turned by `sign`."""
        statistic: float | None = sign * float(self.statistic[at])
        method = POOLED_Z if self.whole else EFFECTIVE_Z
        if np.isnan(self.statistic[at]):
            statistic, method = None, FISHER
        return ParityTest(statistic, float(self.p[at]), float(self.p_adjusted[at]), self.pairs, method)


def compare_pairs(
    counts: Sequence[tuple[float, float]], members: Sequence[bool], reference: int | None = None, *, whole: bool = True
) -> PairTests:
    """Test all pairs of the members of a family, or those with the reference, and adjust them by Holm.

    Parameters
    ----------
    counts : sequence of (k, n)
        Successes and rows of each group.
    members : sequence of bool
        Which groups form the family; none of them is empty.
    reference : int, optional
        Place of a reference that was named before: only the pairs with it are tested.
    whole : bool
        False for effective counts of weighted people.
    """
    inside = np.flatnonzero(np.asarray(members, bool))
    if reference is None:
        a, b = np.triu_indices(len(inside), 1)
        first, second = inside[a], inside[b]
    else:
        others = inside[inside != reference]
        first, second = np.minimum(others, reference), np.maximum(others, reference)
        order = np.argsort(first * len(counts) + second)
        first, second = first[order], second[order]
    k, n = np.asarray(counts, float).reshape(-1, 2).T
    tests = compare_many(k[first], n[first], k[second], n[second], whole=whole)
    keys = first.astype(np.int64) * len(counts) + second
    return PairTests(len(counts), keys, tests.statistic, tests.p, holm(tests.p), whole)
