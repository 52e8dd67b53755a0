"""Whether a limit can be meant: one that points the wrong way, or lies where the number never is, is a slip of the pen.

Comes in: a metric and the range demanded of it. Goes out: what is odd about it. ``at most`` for ``at least``, or ``5``
for ``5%``, would pass what the rule was written to fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from .metric import Metric
from .phrase import Limit

_SHARE = re.compile(
    r"(^|_)(rate|share|accuracy|auc|precision|f1|r2|brier|coverage|overlap|agreement|validity|stability|correlation|"
    r"rate_difference|rate_gap|odds_difference|precision_difference|accuracy_difference|auc_gap|agreement_gap)$"
)
_MOST_RATIO = 10
"""No rule asks for a ratio of ten or more: it is a per cent sign that was forgotten."""
_IDEAL = {"nearer_one": Fraction(1), "nearer_zero": Fraction(0)}


def is_share(metric: Metric) -> bool:
    """Return whether a number can never be above 1."""
    name = metric.id.partition(".")[2]
    return bool(_SHARE.search(name))


def doubt_limit(metric: Metric, limit: Limit) -> Iterator[tuple[str, str]]:
    """Yield why a range cannot be meant for a metric, with advice.

    Parameters
    ----------
    metric : Metric
        What is measured.
    limit : Limit
        What is demanded; anything but a range is never odd.
    """
    if limit.kind != "range":
        return
    if is_share(metric) and any(end is not None and end > 1 for end in (limit.low, limit.high)):
        yield f"'{limit.words}' lies where {metric.id} never is: it is a share, at most 1", "write 0.05 or 5%"
    if metric.id.endswith("_ratio") and any(end is not None and end > _MOST_RATIO for end in (limit.low, limit.high)):
        yield f"'{limit.words}' lies where {metric.id} never is: it is a ratio, near 1", "write 0.8 or 80%"
    if metric.better == "higher" and limit.low is None:
        yield f"'{limit.words}' points the wrong way: more of {metric.id} is better", "write 'at least X'"
    if metric.better == "lower" and limit.high is None:
        yield f"'{limit.words}' points the wrong way: less of {metric.id} is better", "write 'at most X'"
    ideal = _IDEAL.get(metric.better)
    if ideal is not None and not limit.holds(ideal):
        yield f"'{limit.words}' shuts out {ideal}, which is the best that {metric.id} can be", "turn it round"
