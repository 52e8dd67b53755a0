"""Weighted people as if they were fewer people of equal weight.

Comes in: sums of weights and of their squares. Goes out: effective counts, which the intervals of plain counts take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

from .compare import Comparison, Count, compare_to_best
from .intervals import kish_effective_n


class EffectiveCount(NamedTuple):
    """A weighted share as successes of a number of people; both are fractions."""

    k: float
    """Effective successes."""
    n: float
    """Kish's effective number of people; 0 where there is no weight."""

    @property
    def rate(self) -> float:
        """The weighted share; NaN where there is no weight."""
        return self.k / self.n if self.n > 0 else float("nan")


def effective_count(hits: float, total: float, squares: float) -> EffectiveCount:
    """Return the effective count of a weighted share.

    Parameters
    ----------
    hits : float
        Sum of the weights of the people who count.
    total : float
        Sum of the weights of all people asked.
    squares : float
        Sum of their squared weights.

    Notes
    -----
    The share ``hits / total`` of ``total^2 / squares`` people; Kish (1965), Survey Sampling, section 8.2. Exact for
    equal weights; for others the interval is the usual approximation that weights and outcomes are unrelated.
    """
    n = kish_effective_n(total, squares)
    return EffectiveCount(min(hits / total, 1.0) * n, n) if n > 0 and total > 0 else EffectiveCount(0.0, 0.0)


def compare_effective(
    counts: Sequence[EffectiveCount],
    names: Sequence[str],
    level: float = 0.95,
    *,
    best: Literal["highest", "lowest"] = "highest",
    assessable: Sequence[bool] | None = None,
    candidates: Sequence[bool] | None = None,
) -> list[Comparison]:
    """Compare the weighted rate of every group with the best one; see `compare_to_best`.

    Parameters
    ----------
    counts, names : sequence of EffectiveCount, sequence of str
        Effective people of each group, and their names.

    Notes
    -----
    Intervals as for people, on effective counts; parity by the pooled z of effective counts. Sizes in the result are
    effective ones, and what is decided in whole people must not be read from it.
    """
    fractions = cast("Sequence[Count]", counts)  # the intervals take fractions; only exact tests would need people
    return compare_to_best(
        fractions, names, level, best=best, assessable=assessable, candidates=candidates, whole=False
    )
