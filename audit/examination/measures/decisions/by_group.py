"""Reasons and recourse by group: who has a way, what it costs, and who hears which reason.

Comes in: what was found for each person. Goes out: rates with Wilson's interval, mean costs with Student's, the widest
difference of two groups with an interval that holds for all pairs together. Groups below the configured size are shown
and not compared; counts below five are not shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, Measurement, undefined
from audit.examination.data.groups import UNKNOWN, order_groups
from audit.examination.measures.data import FEWEST_SHOWN
from audit.examination.measures.explanations.numbers import mean_over_rows
from audit.examination.measures.prediction import share_estimate
from audit.statistics import mean_interval, pair_level, widest_gap, worst_difference
from audit.statistics.bounds import Envelope

from .denied import Denied
from .reasons import Reasons
from .recourse import Recourse

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

MOST_FEATURES = 5
"""Features whose share among the reasons is told by group: the most frequent ones."""
FEW = f"fewer than {FEWEST_SHOWN} people: the number could be read as one person's"
Groups = list[tuple[str, Flags, str]]


def list_groups(case: Case, places: Whole) -> Iterator[tuple[str, Groups]]:
    """Yield each attribute with its groups: name, people, and why no verdict may rest on the group.

    Parameters
    ----------
    case : Case
        Groups of all rows.
    places : ndarray of int64, shape [n]
        Places of the people among the rows of the case.
    """
    least = case.subject.small_count
    for name, values in case.groups.items():
        here = values[places].astype(str)
        found = []
        for group in order_groups(here.tolist()):
            inside = np.asarray(here == group)
            n = int(inside.sum())
            found.append((group, inside, f"{n} people, fewer than {least}: shown, not judged" if n < least else ""))
        yield name, found


def measure_recourse(case: Case, places: Whole, recourse: Recourse) -> Iterator[Measurement]:
    """Yield how many have a way to the other decision and what it costs, for all, by group and between groups.

    Parameters
    ----------
    case : Case
        Groups.
    places : ndarray of int64, shape [n]
        Places of the people searched for.
    recourse : Recourse
        What was found for them.
    """
    everybody = np.ones(len(places), dtype=bool)
    yield Measurement(metric="decisions.recourse_rate", estimate=_rate(recourse, everybody))
    yield Measurement(metric="decisions.recourse_cost", estimate=_cost(recourse, everybody))
    changes = np.where(recourse.found, (recourse.order >= 0).sum(axis=1), np.nan)
    yield Measurement(metric="decisions.recourse_changes", estimate=mean_over_rows(changes[recourse.found], least=1.0))
    for name, groups in list_groups(case, places):
        for group, inside, why in groups:
            scope = {name: group}
            rate, cost = (_doubt(found(recourse, inside), why) for found in (_rate, _cost))
            yield Measurement(metric="decisions.recourse_rate", estimate=rate, group=scope)
            yield Measurement(metric="decisions.recourse_cost", estimate=cost, group=scope)
        judged = [(group, inside) for group, inside, why in groups if not why and group != UNKNOWN]
        yield Measurement(
            metric="decisions.recourse_rate_difference", estimate=_rate_gap(recourse, judged), attribute=name
        )
        yield Measurement(
            metric="decisions.recourse_cost_difference", estimate=_cost_gap(recourse, judged), attribute=name
        )


def _rate(recourse: Recourse, inside: Flags) -> Estimate:
    return _hide_few(share_estimate(int((recourse.found & inside).sum()), int(inside.sum())), int(inside.sum()))


def _cost(recourse: Recourse, inside: Flags) -> Estimate:
    has = recourse.found & inside
    if not has.any():
        return undefined("no way was found for anybody", n=0)
    lost = int((inside & ~recourse.found).sum())
    note = f"over those for whom a way was found; {lost:,} had none" if lost else ""
    return _hide_few(mean_over_rows(recourse.cost[has], least=0.0, note=note), int(has.sum()))


def _hide_few(estimate: Estimate, n: int) -> Estimate:
    return undefined(FEW, n=n) if 0 < n < FEWEST_SHOWN else estimate


def _doubt(estimate: Estimate, why: str) -> Estimate:
    if not why or estimate.value is None:
        return estimate
    note = "; ".join(filter(None, (why, estimate.note)))
    return estimate.model_copy(update={"note": note, "assessable": False})


def _rate_gap(recourse: Recourse, groups: list[tuple[str, Flags]]) -> Estimate:
    counts = [(int((recourse.found & inside).sum()), int(inside.sum())) for _, inside in groups]
    return _describe(worst_difference(counts), "Newcombe intervals", [name for name, _ in groups], counts)


def _cost_gap(recourse: Recourse, groups: list[tuple[str, Flags]]) -> Estimate:
    kept = [(name, recourse.cost[inside & recourse.found]) for name, inside in groups]
    kept = [(name, cost) for name, cost in kept if cost.size >= FEWEST_SHOWN and cost.min() < cost.max()]
    pairs = len(kept) * (len(kept) - 1) // 2
    each = pair_level(0.95, pairs)
    bounds = [mean_interval(float(c.mean()), float(c.var(ddof=1)), c.size, each) for _, c in kept]
    envelope = widest_gap([float(cost.mean()) for _, cost in kept], bounds, pairs)
    names = [name for name, _ in kept]
    return _describe(envelope, "Student's intervals, square-and-add", names, [(0, cost.size) for _, cost in kept])


def _describe(envelope: Envelope, method: str, names: list[str], counts: list[tuple[int, int]]) -> Estimate:
    if not envelope.pairs:
        return undefined("fewer than two groups are large enough to compare")
    less, more = (names[place] for place in envelope.worst)
    return Estimate(
        value=envelope.value,
        low=min(envelope.low, envelope.value),
        high=max(envelope.high, envelope.value),
        n=sum(n for _, n in counts),
        method=f"envelope of {method}" + (f", simultaneous over {envelope.pairs} pairs" if envelope.pairs > 1 else ""),
        note=f"highest for {more}, lowest for {less}" if envelope.value else "",
    )


def measure_shares(denied: Denied, places: Whole, reasons: Reasons) -> Iterator[Measurement]:
    """Yield how often a feature is among the reasons, for all and by group.

    Parameters
    ----------
    denied : Denied
        Columns and groups.
    places : ndarray of int64, shape [n]
        Places of the people.
    reasons : Reasons
        Their reasons.

    Notes
    -----
    Where one count of an attribute is below five and hidden, the next smallest is hidden with it: the total would
    otherwise bring it back.
    """
    among = np.stack([reasons.among(column) for column in range(len(denied.columns))], axis=1)
    told = [column for column in np.argsort(-among.sum(axis=0), kind="stable").tolist() if among[:, column].any()]
    metric = "decisions.reason_share"
    for column in told[:MOST_FEATURES]:
        total = _hide_count(int(among[:, column].sum()), len(places), hidden=False)
        yield Measurement(metric=metric, estimate=total, feature=denied.columns[column])
    for name, groups in list_groups(denied.case, places):
        for column in told[:MOST_FEATURES]:
            counts = [int((among[:, column] & inside).sum()) for _, inside, _ in groups]
            hidden = hide_small(counts)
            for (group, inside, why), count, hide in zip(groups, counts, hidden, strict=True):
                estimate = _doubt(_hide_count(count, int(inside.sum()), hidden=hide), why)
                feature = denied.columns[column]
                yield Measurement(metric=metric, estimate=estimate, group={name: group}, feature=feature)


def hide_small(counts: list[int]) -> list[bool]:
    """Return which counts are hidden: those from 1 to 4, and the next smallest where only one is.

    Examples
    --------
    >>> hide_small([3, 20, 7, 0])
    [True, False, True, False]
    """
    hidden = [0 < count < FEWEST_SHOWN for count in counts]
    if sum(hidden) == 1:
        others = [place for place, hide in enumerate(hidden) if not hide and counts[place]]
        if others:
            hidden[min(others, key=counts.__getitem__)] = True
    return hidden


def _hide_count(count: int, n: int, *, hidden: bool) -> Estimate:
    if hidden or 0 < count < FEWEST_SHOWN or n < FEWEST_SHOWN:
        return undefined("hidden: a count below five could be read from it", n=n)
    return share_estimate(count, n)
