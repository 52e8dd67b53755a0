"""Figures that somebody claims, held against the measured interval.

Comes in: the claims of an audit.yaml and the evidence. Goes out: for each a `ClaimChecked`. A claim that is better than
what was measured is a warning and never a failed rule: the vendor may have measured on other rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from audit.config.schema import Claim
from audit.errors import suggest_name
from audit.evidence import ClaimChecked, Estimate, Evidence, Measurement

from .catalogue import BLACK_BOX, METRICS, Metric

Status = Literal["inside", "worse", "better", "differs", "open", "not_measured"]
_DISTANCE_FROM = {"nearer_one": 1.0, "nearer_zero": 0.0}


def check_claims(claims: Sequence[Claim], evidence: Evidence) -> tuple[ClaimChecked, ...]:
    """Hold claimed figures against the measured ones.

    Parameters
    ----------
    claims : sequence of Claim
        Metric, figure, and who claims it.
    evidence : Evidence
        What was measured; a claim is about everybody and the black box.
    """
    return tuple(_check(claim, evidence) for claim in claims)


def warn_of_claims(checked: Sequence[ClaimChecked]) -> Iterator[str]:
    """Yield a sentence for each claim that what was measured does not bear out.

    Parameters
    ----------
    checked : sequence of ClaimChecked
        Claims held against the evidence.
    """
    for claim in checked:
        if claim.status in ("worse", "differs"):
            yield f"claim of {claim.by}, {claim.title} {claim.claimed:g}: {claim.because}"


def _check(claim: Claim, evidence: Evidence) -> ClaimChecked:
    metric = METRICS.get(claim.metric)
    observed = _find(claim.metric, evidence)
    if metric is None:
        hint = suggest_name(claim.metric, METRICS)
        return _write(
            claim, claim.metric, None, "not_measured", f"no metric has this name{f'; {hint}' if hint else ''}"
        )
    if observed is None:
        return _write(claim, metric.title, None, "not_measured", "this audit holds no such number for all people")
    return _write(claim, metric.title, observed, *_compare(claim.value, observed, metric))


def _find(metric: str, evidence: Evidence) -> Estimate | None:
    """Return the number about everybody; that of the black box where models have one each."""
    found = [item for item in evidence.measurements() if item.metric == metric and _is_about_all(item)]
    own = [item for item in found if item.model == BLACK_BOX] or [item for item in found if item.model is None]
    return own[0].estimate if own else None


def _is_about_all(item: Measurement) -> bool:
    return not (item.group or item.attribute or item.feature or item.outcome)


def _compare(claimed: float, observed: Estimate, metric: Metric) -> tuple[Status, str]:
    if observed.value is None:
        return "not_measured", observed.note
    if not observed.assessable:
        return "open", observed.note or "no verdict may rest on the measured number"
    if observed.low is None and observed.high is None:
        return "open", "the measured number has no interval to hold the figure against"
    low = float("-inf") if observed.low is None else observed.low
    high = float("inf") if observed.high is None else observed.high
    if low <= claimed <= high:
        return "inside", "the measured interval holds the figure"
    side = _side(claimed, low, high, metric)
    return side, {
        "worse": "measured is worse than claimed, beyond its interval",
        "better": "measured is better than claimed, beyond its interval",
        "differs": "measured differs from what is claimed, beyond its interval",
    }[side]


def _side(claimed: float, low: float, high: float, metric: Metric) -> Literal["worse", "better", "differs"]:
    """Return on which side of the figure the measured interval lies; it does not hold it."""
    if metric.better in _DISTANCE_FROM:
        ideal = _DISTANCE_FROM[metric.better]
        own = abs(claimed - ideal)
        nearest = 0.0 if low <= ideal <= high else min(abs(low - ideal), abs(high - ideal))
        furthest = max(abs(low - ideal), abs(high - ideal))
        return "worse" if nearest > own else "better" if furthest < own else "differs"
    if metric.better == "none":
        return "differs"
    below = high < claimed
    return "worse" if below == (metric.better == "higher") else "better"


def _write(claim: Claim, title: str, observed: Estimate | None, status: Status, because: str) -> ClaimChecked:
    return ClaimChecked(
        metric=claim.metric,
        title=title,
        claimed=claim.value,
        by=claim.by,
        observed=observed,
        status=status,
        because=because,
    )
