"""A difference turned into a loss: above 0 is worse, whichever way the number counts.

Comes in: a number before and after, its difference and which direction is better. Goes out: the loss with its interval.
"""

from __future__ import annotations

from audit.evidence import Estimate, Measurement, undefined
from audit.statistics.paired import change_unpaired

_TARGET = {"nearer_one": 1.0, "nearer_zero": 0.0}
NEITHER = "neither side is better: only that it moved can be said"


def turn_loss(before: Measurement, after: Measurement, difference: Estimate, better: str) -> Estimate:
    """Return the loss: how much worse the later number is.

    Parameters
    ----------
    before, after : Measurement
        The number on either side.
    difference : Estimate
        After minus before.
    better : str
        Direction that is better: higher, lower, nearer_one, nearer_zero or none.

    Notes
    -----
    For a number that is best at a target the loss is the difference of the distances from it. Where both sides lie on
    the same side of the target that is the difference itself; where the change crosses the target, or an interval
    reaches it, the interval is made of those of the two distances, as if other people stood behind each: wider than
    need be, never too narrow.
    """
    if difference.value is None:
        return difference
    if better == "higher":
        return _mirror(difference)
    if better == "lower":
        return difference
    if better not in _TARGET:
        return undefined(NEITHER, n=difference.n)
    return _distance_loss(before.estimate, after.estimate, difference, _TARGET[better])


def _mirror(estimate: Estimate) -> Estimate:
    """Return an estimate with the other sign."""
    low, high = estimate.low, estimate.high
    value = None if estimate.value is None else -estimate.value + 0.0  # minus zero would be printed with its sign
    turned = {"value": value, "low": None if high is None else -high + 0.0, "high": None if low is None else -low + 0.0}
    return estimate.model_copy(update=turned)


def _distance_loss(before: Estimate, after: Estimate, difference: Estimate, target: float) -> Estimate:
    if before.value is None or after.value is None:
        return difference
    sides = [_side(estimate, target) for estimate in (before, after)]
    if sides[0] == sides[1] != 0:
        return difference if sides[0] > 0 else _mirror(difference)
    value = abs(after.value - target) - abs(before.value - target)
    folded = [_fold(estimate, target) for estimate in (before, after)]
    if not difference.has_interval or folded[0] is None or folded[1] is None:
        return difference.model_copy(update={"value": value, "low": None, "high": None})
    low, high = change_unpaired(folded[0], folded[1])
    method = f"{difference.method}; distances from {target:g}, their intervals combined (MOVER)"
    return difference.model_copy(
        update={"value": value, "low": min(low, value), "high": max(high, value), "method": method}
    )


def _side(estimate: Estimate, target: float) -> int:
    """Return 1 or -1 where the whole interval lies on that side of the target, else 0."""
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    if low is None or high is None:
        return 0
    return 1 if low > target else -1 if high < target else 0


def _fold(estimate: Estimate, target: float) -> tuple[float, float, float] | None:
    """Return value and interval of the distance from the target."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return None
    ends = sorted((abs(estimate.low - target), abs(estimate.high - target)))
    reaches = estimate.low <= target <= estimate.high
    return abs(estimate.value - target), 0.0 if reaches else ends[0], ends[1]
