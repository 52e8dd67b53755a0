"""What people of unknown group could change about an impact ratio, whoever they are.

Comes in: counts of the known groups and of the people whose group is unknown. Goes out: the smallest and the largest
ratio over all ways in which these people may belong to the groups. No sampling error is in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Count = tuple[int, int]


def impact_ratio_bounds(
    counts: Sequence[Count], unknown: Count, candidates: Sequence[bool]
) -> list[tuple[float, float]]:
    """Bounds of each group's rate over the highest rate, over all ways in which the unknown people may belong.

    Parameters
    ----------
    counts : sequence of (k, n)
        Selected and all people of each known group.
    unknown : (k, n)
        Selected and all people of unknown group; each of them belongs to one of the groups in `counts`.
    candidates : sequence of bool
        Which groups the highest rate may be of.

    Returns
    -------
    list of (low, high)
        At most 1 for candidates; NaN where a group is empty, there is no candidate, or nobody could be selected.

    Notes
    -----
    Partial identification (Manski 2003, Partial Identification of Probability Distributions). Lowest: all unselected
    unknown people belong to the group and all selected ones to the group ahead of it that they lift highest. Highest:
    all selected ones belong to the group, and the others are spread so that the highest rate of the other groups is
    least.
    """
    places = [place for place, yes in enumerate(candidates) if yes and counts[place][1] > 0]
    return [_bounds_of(place, counts, unknown, places) for place in range(len(counts))]


def _bounds_of(place: int, counts: Sequence[Count], unknown: Count, candidates: Sequence[int]) -> tuple[float, float]:
    """Return the bounds of one group."""
    (k, n), (selected, people) = counts[place], unknown
    rest = people - selected
    others = [counts[other] for other in candidates if other != place]
    own = place in candidates
    if n <= 0 or not (others or own):
        return float("nan"), float("nan")
    least, most = k / (n + rest), (k + selected) / (n + selected)
    lifted = max([(a + selected) / (b + selected) for a, b in others] + ([least] if own else []))
    spread = max([_least_highest(others, rest)] + ([most] if own else []))
    if lifted == 0:
        return float("nan"), float("nan")
    return least / lifted, most / spread if spread > 0 else math.inf


def _least_highest(groups: Sequence[Count], rest: int) -> float:
    """Return the least highest rate of some groups after `rest` unselected people were spread over them."""
    if not any(k for k, _ in groups):
        return 0.0
    low, high = 0.0, max(k / n for k, n in groups)
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if _people_needed(groups, middle) <= rest else (middle, high)
    return max(k / (n + _people_to(k, n, high)) for k, n in groups)


def _people_needed(groups: Sequence[Count], rate: float) -> float:
    """Return how many unselected people bring all groups to a rate or below."""
    return sum(_people_to(k, n, rate) for k, n in groups) if rate > 0 else math.inf


def _people_to(k: int, n: int, rate: float) -> int:
    # a hair is taken off, so that a rate that was reached exactly needs nobody more
    return max(math.ceil(k / rate * (1 - 1e-12)) - n, 0)
