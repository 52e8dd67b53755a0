"""Decisions that changed, both ways, by group; and what the scores of the same people did.

Comes in: the same people before and after. Goes out: counts of people, and measurements that a rule may name.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from audit.evidence import DecisionsChanged, Estimate, Evidence, Fairness, Group, Measurement
from audit.statistics.intervals import mean_interval, wilson

from .kept import PairedPeople

Flags = NDArray[np.bool_]
LEVEL = 0.95


def list_groups(evidence: Evidence) -> tuple[Group, ...]:
    """Return every group that the audit measured; none without the section on fairness."""
    return evidence.fairness.groups if isinstance(evidence.fairness, Fairness) else ()


def members_of(paired: PairedPeople, scope: dict[str, str]) -> Flags:
    """Return who belongs to a group, shape [n]; nobody where an attribute was not kept."""
    inside = np.ones(paired.size, dtype=np.bool_)
    for name, value in scope.items():
        if name not in paired.after.groups:
            return np.zeros(paired.size, dtype=np.bool_)
        inside &= np.asarray(paired.after.groups[name] == value, dtype=np.bool_)
    return inside


def count_decisions(paired: PairedPeople, evidence: Evidence) -> tuple[DecisionsChanged, ...]:
    """Return the decisions of everybody, and of every group, before and after.

    Parameters
    ----------
    paired : PairedPeople
        The people.
    evidence : Evidence
        The later audit, for its groups and its decision.
    """
    scopes = [{}, *(group.scope for group in list_groups(evidence))]
    found = (_count(paired, scope, evidence) for scope in scopes)
    return tuple(item for item in found if item is not None)


def _count(paired: PairedPeople, scope: dict[str, str], evidence: Evidence) -> DecisionsChanged | None:
    old, new = paired.before.favourable, paired.after.favourable
    known = members_of(paired, scope) & ~np.isnan(old) & ~np.isnan(new)
    n = int(known.sum())
    if not n:
        return None
    gained, lost = known & (old == 0) & (new == 1), known & (old == 1) & (new == 0)
    wrong = _count_wrong(paired, gained, lost, evidence)
    return DecisionsChanged(
        group=scope,
        n=n,
        favourable_before=int((old[known] == 1).sum()),
        favourable_after=int((new[known] == 1).sum()),
        gained=int(gained.sum()),
        lost=int(lost.sum()),
        lost_wrongly=wrong[0],
        gained_wrongly=wrong[1],
        flip_rate=_share(int((gained | lost).sum()), n, _small(n, scope, evidence)),
    )


def _count_wrong(paired: PairedPeople, gained: Flags, lost: Flags, evidence: Evidence) -> tuple[int | None, int | None]:
    """Return people who lost although their label is the favourable class, and who gained although it is not."""
    decision, label = evidence.subject.decision, paired.after.label
    if decision is None or not decision.predicts or evidence.subject.task != "binary" or np.isnan(label).all():
        return None, None
    deserved = float(decision.positive_is_favourable)
    return int((lost & (label == deserved)).sum()), int((gained & (label == 1 - deserved)).sum())


def _small(n: int, scope: dict[str, str], evidence: Evidence) -> str:
    least = evidence.subject.small_count
    return f"{n} people, fewer than {least}: shown, not judged" if scope and n < least else ""


def _share(count: int, n: int, note: str) -> Estimate:
    low, high = wilson(count, n, LEVEL)
    return Estimate(
        value=count / n, low=low, high=high, n=n, count=count, method="Wilson score", note=note, assessable=not note
    )


def measure_decisions(changed: tuple[DecisionsChanged, ...]) -> Iterator[Measurement]:
    """Yield the shares of changed decisions, of everybody and by group."""
    for item in changed:
        note = "" if item.flip_rate.assessable else item.flip_rate.note
        yield Measurement(metric="change.decision_flip_rate", estimate=item.flip_rate, group=item.group)
        for name, count in (("gain", item.gained), ("loss", item.lost)):
            share = _share(count, item.n, note)
            yield Measurement(metric=f"change.decision_{name}_rate", estimate=share, group=item.group)


def measure_scores(paired: PairedPeople, evidence: Evidence) -> Iterator[Measurement]:
    """Yield how far scores moved, of everybody and by group."""
    own = paired.after.score - paired.before.score
    for scope in ({}, *(group.scope for group in list_groups(evidence))):
        moved = own[members_of(paired, scope) & ~np.isnan(own)]
        if not moved.size:
            continue
        note = _small(moved.size, scope, evidence)
        for name, values in (("shift", moved), ("distance", np.abs(moved))):
            yield Measurement(metric=f"change.score_{name}", estimate=_mean(values, note), group=scope)


def _mean(values: NDArray[np.float64], note: str) -> Estimate:
    n, mean = values.size, float(values.mean())
    method = "mean, Student's interval, person by person"
    if n < 2 or values.min() == values.max():
        why = note or (
            "no score moved" if mean == 0 else "no interval: every score moved alike, or there is one person"
        )
        return Estimate(value=mean, n=n, method=method, note=why, assessable=not note and mean == 0)
    low, high = mean_interval(mean, float(values.var(ddof=1)), n, LEVEL)
    return Estimate(value=mean, low=low, high=high, n=n, method=method, note=note, assessable=not note)
