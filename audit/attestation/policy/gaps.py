"""Gaps between groups that rest on no count: which groups are ahead, and whether each pair differs.

Comes in: the area under the ROC curve of every group, with DeLong's interval. Goes out: for each group all groups that
are ahead of it, with the test of the pair, so that court practice can look at all pairs as it does for rates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations

from audit.evidence import Estimate
from audit.statistics.adjust import holm
from audit.statistics.intervals import normal_quantile
from audit.statistics.tests import normal_p

from .phrase import read_number
from .ruling import Ahead

_LOGIT = "DeLong"
"""In the method of an estimate whose interval is symmetric on the log-odds scale."""

GroupKey = frozenset[tuple[str, str]]


def list_gaps_ahead(
    groups: list[dict[str, str]], find: Callable[[dict[str, str]], Estimate | None]
) -> dict[GroupKey, tuple[Ahead, ...]]:
    """Return, for each group, the groups with a higher number and the test of each pair.

    Parameters
    ----------
    groups : list of dict
        Groups of one attribute on which a verdict may rest.
    find : callable
        Group to its number.

    Returns
    -------
    dict
        Empty where a number's interval is none that the standard error can be read from.

    Notes
    -----
    Groups are independent, so z is the difference over the root of the summed squares; DeLong, DeLong and
    Clarke-Pearson (1988), Biometrics 44:837. Holm over all pairs.
    """
    known = {frozenset(group.items()): _value_and_error(find(group)) for group in groups}
    usable = [group for group in groups if known[frozenset(group.items())] is not None]
    pairs = list(combinations(usable, 2))
    gaps, tests = [], []
    for first, second in pairs:
        a, b = known[frozenset(first.items())], known[frozenset(second.items())]
        if a is None or b is None:
            raise TypeError("a pair of usable groups has its numbers")
        gaps.append(b[0] - a[0])
        tests.append(normal_p((b[0] - a[0]) / math.hypot(a[1], b[1])))
    adjusted = holm(tests).tolist() if tests else []
    ahead: dict[GroupKey, tuple[Ahead, ...]] = {frozenset(group.items()): () for group in usable}
    for (first, second), gap, p, p_adjusted in zip(pairs, gaps, tests, adjusted, strict=True):
        behind, front = (first, second) if gap >= 0 else (second, first)
        other = Ahead(front, None, p, p_adjusted, len(pairs), read_number(abs(gap)))
        if gap:
            ahead[frozenset(behind.items())] += (other,)
    return ahead


def _value_and_error(estimate: Estimate | None) -> tuple[float, float] | None:
    """Return an area under the curve and its standard error, read from the interval on the log-odds scale.

    An interval that was widened for few rows of a class reads as a larger error: the test is then conservative.
    """
    if estimate is None or estimate.value is None or not estimate.assessable or _LOGIT not in estimate.method:
        return None
    value, low, high = estimate.value, estimate.low, estimate.high
    if low is None or high is None or not 0 < low < high < 1:
        return None
    width = math.log(high / (1 - high)) - math.log(low / (1 - low))
    return value, width / (2 * normal_quantile(estimate.level)) * value * (1 - value)
