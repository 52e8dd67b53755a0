"""Every number of two audits with its difference: paired where the people are known, from the two intervals elsewhere.

Comes in: two evidence documents, and the numbers of the same people. Goes out: moves, each read against noise. Within a
family (all groups of an attribute, all features, for one metric) the reading holds for all members at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, zip_longest

import numpy as np

from audit.evidence import Definition, Estimate, Evidence, Measurement, Move, undefined
from audit.evidence.change import Reading
from audit.statistics.adjust import holm
from audit.statistics.paired import PairedChange, change_unpaired, p_of_interval, stretch_interval

from .loss import turn_loss
from .people import PeopleNumbers, alone

LEVEL = 0.95
_SAME = 1e-6
"""A recomputed number and the printed one are the same within this share of its size (scores are stored whole)."""
Key = tuple[str, tuple[tuple[str, str], ...], str | None, str | None, str | None, str | None]
_UNPAIRED = "unpaired: from the two printed intervals (MOVER), as if other people stood behind each"


@dataclass(frozen=True, slots=True)
class Compared:
    """One number of both sides, before it is read against its family."""

    before: Measurement | None
    after: Measurement | None
    difference: Estimate
    loss: Estimate
    paired: bool
    p: float | None

    @property
    def about(self) -> Measurement:
        """The later measurement, or the earlier one where there is no later one."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a number of neither side")
        return found

    @property
    def family(self) -> tuple[object, ...]:
        """What it is read together with."""
        m = self.about
        attributes = tuple(m.group) or ((m.attribute,) if m.attribute else ())
        return (m.metric, attributes, m.feature is not None, m.model, m.outcome)


def collect_moves(before: Evidence, after: Evidence, people: PeopleNumbers | None) -> tuple[Move, ...]:
    """Return the move of every number that either side holds, in the order of the later audit.

    Parameters
    ----------
    before, after : Evidence
        The two documents.
    people : PeopleNumbers or None
        The same people on both sides; None where they are not known.
    """
    old, new = {key_of(m): m for m in before.measurements()}, {key_of(m): m for m in after.measurements()}
    better = {item.id: item for item in (*before.definitions, *after.definitions)}
    keys = [*new, *(key for key in old if key not in new)]
    return read_families([_compare(old.get(key), new.get(key), better, people) for key in keys])


def key_of(m: Measurement) -> Key:
    """Return what a number is about."""
    return m.metric, tuple(sorted(m.group.items())), m.attribute, m.feature, m.model, m.outcome


def _compare(
    before: Measurement | None,
    after: Measurement | None,
    definitions: Mapping[str, Definition],
    people: PeopleNumbers | None,
) -> Compared:
    about = after or before
    better = definitions[about.metric].better if about and about.metric in definitions else "none"
    if before is None or after is None:
        missing = undefined("there is no such number on the earlier side" if before is None else "it is gone")
        return Compared(before, after, missing, missing, paired=False, p=None)
    change = _pair(before, after, people) if people else None
    difference, p = difference_of(change, people) if change and people else differ_unpaired(before, after)
    difference = _limit(difference, before.estimate, after.estimate)
    return Compared(before, after, difference, turn_loss(before, after, difference, better), change is not None, p)


def _pair(before: Measurement, after: Measurement, people: PeopleNumbers) -> PairedChange | None:
    """Return the paired change, where the columns give the number that both audits printed."""
    if before.model not in (None, "black_box") or before.feature or before.attribute or before.outcome:
        return None
    sides = (before.estimate.value, after.estimate.value)
    references = [_parse(item.reference, item.group) for item in (before, after)]
    change = people.change(after.metric, after.group, references[0], references[1])
    if change is None or sides[0] is None or sides[1] is None or not np.isfinite(change.se):
        return None
    if people.paired.before.sampled or people.paired.after.sampled:
        return change
    printed = change
    if not people.paired.whole:
        whole = [
            PeopleNumbers(alone(side), people.positive_is_favourable).change(after.metric, after.group, ref, ref)
            for side, ref in zip((people.paired.all_before, people.paired.all_after), references, strict=True)
        ]
        if whole[0] is None or whole[1] is None:
            return None
        printed = change._replace(before=whole[0].before, after=whole[1].after)
    same = _agree(printed.before, sides[0]) and _agree(printed.after, sides[1])
    return change if same else None


def _agree(found: float, printed: float) -> bool:
    return abs(found - printed) <= _SAME * max(1.0, abs(printed))


def _parse(reference: str | None, group: Mapping[str, str]) -> dict[str, str] | None:
    """Return the group that a reference names (``sex=M, region=west``); None where it names no single group."""
    found = (_parse_ordered(reference or "", names) for names in permutations(group))
    return next((one for one in found if one), None)


def _parse_ordered(rest: str, names: tuple[str, ...]) -> dict[str, str] | None:
    """Read a reference whose attributes stand in the order of `names`; values may hold any sign."""
    found = {}
    for name, following in zip_longest(names, names[1:]):
        end = len(rest) if following is None else rest.find(f", {following}=")
        if not rest.startswith(f"{name}=") or end < 0:
            return None
        found[name], rest = rest[len(name) + 1 : end], rest[end + 2 :]
    return found


def difference_of(change: PairedChange, people: PeopleNumbers) -> tuple[Estimate, float | None]:
    """Return a paired difference as an estimate, and its p-value.

    Parameters
    ----------
    change : PairedChange
        The change.
    people : PeopleNumbers
        For what a reader must know of the pairs.
    """
    how = "delta method over joint cells of decisions" if np.isinf(change.df) else "influence of each person"
    method = f"paired: {how}, the same people on both sides"
    note = "" if people.paired.whole else _say_partly(change, people)
    if change.se == 0 and not np.array_equal(people.paired.before.score, people.paired.after.score):
        note = note or "no interval: nobody adds anything to the difference"
        return Estimate(value=change.value, n=change.n, method=method, note=note, assessable=False), None
    low, high = change.interval(LEVEL)
    return Estimate(value=change.value, low=low, high=high, n=change.n, method=method, note=note), change.p


def _say_partly(change: PairedChange, people: PeopleNumbers) -> str:
    sampled = people.paired.after.sampled or people.paired.before.sampled
    where = f"on {sampled}" if sampled else "on the people of both sides alone"
    return f"{where}: {change.before:.6g} before, {change.after:.6g} after"


def differ_unpaired(before: Measurement, after: Measurement) -> tuple[Estimate, float | None]:
    """Return a difference from the two estimates alone, and its p-value; without two intervals there is no interval."""
    a, b = before.estimate, after.estimate
    if a.value is None or b.value is None:
        side, note = ("earlier", a.note) if a.value is None else ("later", b.note)
        return undefined(f"undefined on the {side} side: {note}"), None
    value, n = b.value - a.value, min((x.n for x in (a, b) if x.n is not None), default=None)
    whole = a.low is not None and a.high is not None and b.low is not None and b.high is not None
    if a.level != LEVEL or b.level != LEVEL or not whole:
        note = "no interval: the numbers have none to compare"
        return Estimate(value=value, n=n, method="difference of the two numbers", note=note, assessable=False), None
    low, high = change_unpaired((a.value, a.low or 0.0, a.high or 0.0), (b.value, b.low or 0.0, b.high or 0.0))
    low, high = min(low, value), max(high, value)
    p = p_of_interval(value, low, high, LEVEL)
    return Estimate(value=value, low=low, high=high, n=n, method=_UNPAIRED), p if np.isfinite(p) else None


def _limit(difference: Estimate, before: Estimate, after: Estimate) -> Estimate:
    """Let no verdict rest on a difference of numbers on which none may rest."""
    for side, estimate in (("earlier", before), ("later", after)):
        if not estimate.assessable and difference.assessable:
            note = "; ".join(filter(None, (difference.note, f"{side} side: {estimate.note or 'not assessable'}")))
            difference = difference.model_copy(update={"assessable": False, "note": note})
    return difference


def read_families(compared: Sequence[Compared]) -> tuple[Move, ...]:
    """Adjust each family for its many members and read every difference against noise.

    Parameters
    ----------
    compared : sequence of Compared
        The numbers of both sides.
    """
    families: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, item in enumerate(compared):
        if item.p is not None and item.difference.assessable:
            families[item.family].append(place)
    adjusted: dict[int, tuple[float, int]] = {}
    for places in families.values():
        values = holm([compared[place].p or 0.0 for place in places])
        adjusted |= {place: (float(p), len(places)) for place, p in zip(places, values, strict=True)}
    return tuple(_write(item, *adjusted.get(place, (None, 1))) for place, item in enumerate(compared))


def _write(item: Compared, p_adjusted: float | None, family: int) -> Move:
    m, d = item.about, item.difference
    low, high = _simultaneous(d, family) if p_adjusted is not None else (None, None)
    return Move(
        metric=m.metric,
        group=m.group,
        attribute=m.attribute,
        feature=m.feature,
        model=m.model,
        outcome=m.outcome,
        reference=m.reference,
        before=_bare(item.before.estimate) if item.before else None,
        after=_bare(item.after.estimate) if item.after else None,
        difference=d,
        loss=item.loss.model_copy(update={"method": ""}) if item.loss.method == d.method else item.loss,
        paired=item.paired,
        p=item.p,
        p_adjusted=p_adjusted,
        family=family,
        low_simultaneous=low,
        high_simultaneous=high,
        reading=_read(item, p_adjusted),
    )


def _bare(estimate: Estimate) -> Estimate:
    """Return a number without what its own audit says about it, so that a change stays small."""
    return estimate if estimate.value is None else estimate.model_copy(update={"method": "", "note": ""})


def _read(item: Compared, p_adjusted: float | None) -> Reading:
    if p_adjusted is None:
        return "not_compared"
    if p_adjusted > 1 - LEVEL:
        return "noise"
    loss = item.loss.value
    return "moved" if loss is None or loss == 0 else "worse" if loss > 0 else "better"


def _simultaneous(d: Estimate, family: int) -> tuple[float | None, float | None]:
    if d.value is None or d.low is None or d.high is None:
        return None, None
    return stretch_interval(d.value, d.low, d.high, LEVEL, 1 - (1 - LEVEL) / family)
