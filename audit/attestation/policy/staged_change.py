"""What a policy test says changed since an earlier audit, as the `Change` that compare rules are judged on.

Comes in: moves of a case, each a difference with its interval. Goes out: a `Change` with exactly those. The loss is
turned by the catalogue's direction, so that a test writes what was measured and not what the judge should think of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from audit.evidence import Estimate, Evidence, Measurement, undefined
from audit.evidence.change import Change, Move, Pairing, Reading, Side

from .catalogue import METRICS
from .pack import Part

_SIGN = {"higher": -1.0, "lower": 1.0}


class MoveEntry(Part):
    """A number before and after, as a test states it."""

    metric: str
    """Metric id."""
    before: float
    """The earlier number."""
    after: float
    """The later number."""
    low: float | None = None
    """Lower end of the interval of after minus before."""
    high: float | None = None
    """Upper end of it."""
    n: int | None = None
    """People behind the later number."""
    group: dict[str, str] = {}
    """Group."""
    attribute: str | None = None
    """Attribute."""
    feature: str | None = None
    """Feature."""
    model: str | None = None
    """Model."""
    outcome: str | None = None
    """Band or class."""
    paired: bool = True
    """Whether the same people stand on both sides."""
    p: float | None = None
    """p-value of no difference, after adjustment."""
    assessable: bool = True
    """Whether a verdict may rest on it."""


class ChangeEntry(Part):
    """A change of a case."""

    against: Literal["previous_audit", "champion"] = "previous_audit"
    """What this audit is compared with."""
    moves: tuple[MoveEntry, ...] = ()
    """Numbers that moved."""


def stage_changes(
    entries: Sequence[ChangeEntry], evidence: Evidence, measurements: Sequence[Measurement] = ()
) -> tuple[Change, ...]:
    """Return the changes of a case.

    Parameters
    ----------
    entries : sequence of ChangeEntry
        As written.
    evidence : Evidence
        The evidence of the case, which is the later side.
    measurements : sequence of Measurement
        Numbers about the change itself (``change.*``); they stand in the first change.
    """
    if not entries and measurements:
        entries = (ChangeEntry(),)
    after = Side(system=evidence.subject.system, version="", evidence_digest=evidence.digest())
    return tuple(
        Change(
            against=entry.against,
            before=after.model_copy(update={"evidence_digest": "as given"}),
            after=after,
            pairing=Pairing(by="rows" if all(move.paired for move in entry.moves) else "none", note="a policy test"),
            moves=tuple(_stage_move(move) for move in entry.moves),
            measurements=() if number else tuple(measurements),
        )
        for number, entry in enumerate(entries)
    )


def _stage_move(entry: MoveEntry) -> Move:
    metric = METRICS.get(entry.metric)
    value = entry.after - entry.before
    difference = _estimate(value, entry.low, entry.high, entry)
    loss = _turn(difference, entry, metric.better if metric else "none")
    return Move(
        metric=entry.metric,
        group=entry.group,
        attribute=entry.attribute,
        feature=entry.feature,
        model=entry.model,
        outcome=entry.outcome,
        before=Estimate(value=entry.before, n=entry.n, method="as given"),
        after=Estimate(value=entry.after, n=entry.n, method="as given"),
        difference=difference,
        loss=loss,
        paired=entry.paired,
        p=entry.p,
        p_adjusted=entry.p,
        reading=_read_move(difference, loss),
    )


def _estimate(value: float, low: float | None, high: float | None, entry: MoveEntry) -> Estimate:
    note = "" if entry.assessable else "as given: no verdict may rest on it"
    method = "as given, paired" if entry.paired else "as given, not paired"
    return Estimate(value=value, low=low, high=high, n=entry.n, method=method, assessable=entry.assessable, note=note)


def _turn(difference: Estimate, entry: MoveEntry, better: str) -> Estimate:
    """Return the difference so that above 0 is worse; undefined where neither side is better."""
    if better.startswith("nearer_"):
        ideal = 1.0 if better == "nearer_one" else 0.0
        if (entry.before < ideal) != (entry.after < ideal):
            value = abs(entry.after - ideal) - abs(entry.before - ideal)
            return _estimate(value, None, None, entry)  # it went past the best value: the ends say nothing about loss
        sign = -1.0 if entry.after < ideal else 1.0
    elif better in _SIGN:
        sign = _SIGN[better]
    else:
        return undefined("neither side of this number is better", n=entry.n)
    ends = [None if end is None else sign * end for end in (difference.low, difference.high)]
    low, high = ends if sign > 0 else ends[::-1]
    return _estimate(sign * (difference.value or 0.0), low, high, entry)


def _read_move(difference: Estimate, loss: Estimate) -> Reading:
    if difference.low is None or difference.high is None or difference.low <= 0 <= difference.high:
        return "noise"
    if loss.value is None:
        return "moved"
    return "worse" if loss.value > 0 else "better"
