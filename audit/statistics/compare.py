"""Groups compared with a reference: ratio, difference and test of parity, honest about having looked at all pairs.

Comes in: whole counts per group. Goes out: one `Comparison` per group, in the same order. The best group is picked
after the rates were seen, so every interval and every test is corrected for all pairs; a reference that was named
before pays for its own comparisons alone. Both wings use this: the examination for its tables, the judge after leaving
groups out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .adjust import holm
from .bounds import pair_level
from .figures import Figure, ParityTest
from .intervals import newcombe_difference, score_ratio
from .pairs import PairTests, compare_pairs
from .tests import FOUR_FIFTHS, compare_proportions, ratio_reaches

Count = tuple[int, int]
Bounds = tuple[float, float]
RATIO_METHOD = "Miettinen-Nurminen score"
DIFFERENCE_METHOD = "Newcombe hybrid score"
_NOT_JUDGED = "too few people, or not a group to compare: shown, not judged"
_ZERO_REFERENCE = "the rate of the reference group is 0, a ratio to it is undefined"


@dataclass(frozen=True, slots=True)
class Behind:
    """A group of the family that is ahead of the one compared, and the test of that pair."""

    name: str
    """The group that is ahead."""
    counts: Count
    """Its successes and rows."""
    parity: ParityTest
    """Test of equality, adjusted over the family."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One group beside the reference."""

    name: str
    """The group."""
    reference: str
    """What it is compared with: a group's name, ``rest`` or ``overall``; empty where there is no reference."""
    is_reference: bool
    """Whether this group is the reference itself (its ratio is 1 and its difference 0 by definition)."""
    ratio: Figure
    """Rate of the group over rate of the reference."""
    difference: Figure
    """How far the group's rate lies behind the reference's (see `compare_to_best`), positive where it is worse off."""
    parity: ParityTest | None
    """Test of equality; None for the reference itself, for an undefined pair and outside the family."""
    group_counts: Count
    """Successes and rows of the group."""
    reference_counts: Count
    """Successes and rows of the reference."""
    family: Family | None = field(default=None, repr=False, compare=False)
    """The tests that were made together; None where this group took no part."""
    place: int = field(default=-1, repr=False, compare=False)
    """Place of this group in the family."""

    @property
    def behind(self) -> tuple[Behind, ...]:
        """All groups of the family with a better rate, where the reference is the best.

        A best group of few people must not hide that another pair is unequal. Made when asked for: a thousand groups
        have half a million pairs.
        """
        return tuple(self.family.list_ahead(self.place)) if self.family else ()

    def find_unequal(self, limit: Any = FOUR_FIFTHS, alpha: float = 0.05) -> Behind | None:
        """Return the clearest pair whose ratio is below `limit` in whole people and that is not equal, if any.

        For rates of which the highest is the best.
        """
        if self.family is None:
            return None
        unequal = self.family.list_ahead(self.place, alpha)
        return next((b for b in unequal if ratio_reaches(*self.group_counts, *b.counts, limit) is False), None)

    def reaches(self, limit: Any = FOUR_FIFTHS) -> bool | None:
        """Say in whole people whether the ratio is at least `limit`; None where it is undefined."""
        return ratio_reaches(*self.group_counts, *self.reference_counts, limit)


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """The pairs that are corrected for together."""

    pairs: int
    """How many they are."""
    level: float
    """Level at which they hold together."""
    best: str = "highest"
    """Which rate is the best."""
    groups: tuple[tuple[str, Count], ...] = ()
    """All groups, members or not."""
    tests: PairTests | None = None
    """Their tests."""

    @property
    def each(self) -> float:
        """Level of each interval."""
        return pair_level(self.level, self.pairs)

    @property
    def words(self) -> str:
        """What the method says of the family."""
        return f", simultaneous over {self.pairs} pairs" if self.pairs > 1 else ""

    def list_ahead(self, place: int, alpha: float | None = None) -> Iterator[Behind]:
        """Yield the groups that were tested against the one at `place` and have a better rate.

        Parameters
        ----------
        place : int
            The group.
        alpha : float, optional
            Only pairs that are unequal at this level after Holm, the clearest first; default all, in their order.
        """
        if self.tests is None or not self.tests.pairs:
            return
        k, n = np.asarray([count for _, count in self.groups]).T  # whole people stay whole
        sign = 1 if self.best == "highest" else -1
        others = np.flatnonzero(sign * (k * n[place] - k[place] * n) > 0)
        at = self.tests.find(place, others)
        others, at = others[at >= 0], at[at >= 0]
        if alpha is not None:
            p = self.tests.p_adjusted[at]
            order = np.argsort(p, kind="stable")[: int((p < alpha).sum())]
            others, at = others[order], at[order]
        for other, pair in zip(others.tolist(), at.tolist(), strict=True):
            name, count = self.groups[other]
            yield Behind(name, count, self.tests.describe(pair, 1 if place < other else -1))


def compare_to_best(
    counts: Sequence[Count],
    names: Sequence[str],
    level: float = 0.95,
    reference: str = "best",
    *,
    best: Literal["highest", "lowest"] = "highest",
    assessable: Sequence[bool] | None = None,
    candidates: Sequence[bool] | None = None,
    whole: bool = True,
) -> list[Comparison]:
    """Compare the rate of every group with a reference.

    Parameters
    ----------
    counts, names : sequence of (k, n), sequence of str
        Successes and rows of each group, and their names, unique.
    level : float
        Level at which all intervals hold together.
    reference : str
        ``best``, ``largest`` (most rows), ``rest`` (all others together), ``overall`` (everybody), or a group's name.
    best : str
        Which rate is the best; ``difference`` is reference minus group for ``highest``, group minus reference for
        ``lowest``: how far the group lies behind.
    assessable : sequence of bool, optional
        Groups that form the family; default all that have rows. Others are shown with the same interval and no test.
    candidates : sequence of bool, optional
        Groups that may be picked as reference; default, and where there are none, the assessable ones.
    whole : bool
        False for effective counts of weighted people: fractions, tested by the pooled z alone; with a group as
        reference only.

    Returns
    -------
    list of Comparison, one per group, same order.

    Raises
    ------
    ValueError
        Lengths differ, a count is above its rows, or the named reference is not among `names`.

    Notes
    -----
    Ratios: Miettinen-Nurminen; differences: Newcombe; each at ``1 - alpha/m``, m = G(G-1)/2 for ``best``, the number of
    comparisons made otherwise. ``overall`` follows from ``rest`` by a monotone map, since the two overlap.
    """
    _check(counts, names)
    members = [n > 0 and (assessable is None or assessable[i]) for i, (_, n) in enumerate(counts)]
    if reference in ("rest", "overall") and reference not in names:
        return _compare_to_others(counts, names, level, reference, best, members)
    place = _reference_place(counts, names, reference, best, [candidates or members, members])
    if place is None:
        return [_alone(name, count, "nobody to count in any group") for name, count in zip(names, counts, strict=True)]
    tests = compare_pairs(counts, members, None if reference == "best" else place, whole=whole)
    family = Family(tests.pairs, level, best, tuple(zip(names, counts, strict=True)), tests)
    return _compare_with(place, members, family)


def _check(counts: Sequence[Count], names: Sequence[str]) -> None:
    """Refuse what is not a table of counts."""
    if len(counts) != len(names) or len(set(names)) != len(names):
        raise ValueError("one name per group is needed, and no name twice")
    if any(not 0 <= k <= n for k, n in counts):
        raise ValueError("a count must lie between 0 and its rows")


def _reference_place(
    counts: Sequence[Count], names: Sequence[str], reference: str, best: str, tiers: Sequence[Sequence[bool]]
) -> int | None:
    """Return the place of the reference, from the first tier that offers one; ties go to more rows, then the first."""
    if reference not in ("best", "largest"):
        if reference not in names:
            raise ValueError(f"the reference {reference!r} is not among the groups")
        place = list(names).index(reference)
        return place if counts[place][1] > 0 else None
    filled = [i for i, (_, n) in enumerate(counts) if n > 0]
    choices = [[i for i in filled if tier[i]] for tier in tiers]
    places = next((choice for choice in [*choices, filled] if choice), None)
    if places is None:
        return None
    if reference == "largest":
        return max(places, key=lambda i: (counts[i][1], -i))
    sign = 1 if best == "highest" else -1
    return max(places, key=lambda i: (sign * counts[i][0] / counts[i][1], counts[i][1], -i))


def _compare_with(place: int, members: Sequence[bool], family: Family) -> list[Comparison]:
    """Compare every group with the reference at `place`."""
    reference, other = family.groups[place]
    bounds = _bounds_of([count for _, count in family.groups], [other] * len(family.groups), family)
    done = []
    for i, (name, group) in enumerate(family.groups):
        judged = members[i] and members[place]
        if i == place:
            done.append(_the_reference(name, group, family, i, assessable=judged and family.pairs > 0))
            continue
        if group[1] == 0:
            done.append(_alone(name, group, "nobody to count in this group", reference=reference, other=other))
            continue
        note = "" if judged else _NOT_JUDGED
        ratio = _ratio(group, other, bounds[i][0], family, note)
        difference = _difference(group, other, bounds[i][1], family, note)
        parity = family.tests.between(i, place) if family.tests else None
        done.append(Comparison(name, reference, False, ratio, difference, parity, group, other, family, i))
    return done


def _bounds_of(groups: Sequence[Count], others: Sequence[Count], family: Family) -> list[tuple[Bounds, Bounds]]:
    """Return the intervals of every ratio and of how far every group lies behind, all at once."""
    k1, n1 = np.asarray(groups, float).reshape(-1, 2).T
    k2, n2 = np.asarray(others, float).reshape(-1, 2).T
    ratio = score_ratio(k1, n1, k2, n2, family.each)
    ahead, behind = ((k2, n2), (k1, n1)) if family.best == "highest" else ((k1, n1), (k2, n2))
    difference = newcombe_difference(*ahead, *behind, family.each)
    return [
        ((low, high), (least, most))
        for low, high, least, most in zip(*(end.tolist() for end in (*ratio, *difference)), strict=True)
    ]


def _the_reference(name: str, count: Count, family: Family, place: int, *, assessable: bool) -> Comparison:
    """Return the reference's comparison with itself."""
    note = "the reference itself" + ("" if assessable else "; no other group can be compared with it")
    one, zero = (
        Figure(x, x, x, level=family.level, n=count[1], method="by definition", note=note, assessable=assessable)
        for x in (1.0, 0.0)
    )
    if count[0] == 0:
        one = Figure(None, level=family.level, n=count[1], note=_ZERO_REFERENCE, assessable=False)
    return Comparison(name, name, True, one, zero, None, count, count, family, place)


def _alone(name: str, count: Count, why: str, *, reference: str = "", other: Count = (0, 0)) -> Comparison:
    """Return a comparison that cannot be made."""
    nothing = Figure(None, n=count[1], note=why, assessable=False)
    return Comparison(name, reference, False, nothing, nothing, None, count, other)


def _ratio(group: Count, other: Count, bounds: Bounds, family: Family, note: str) -> Figure:
    """Return the ratio of two rates; undefined where the reference's rate is 0."""
    method = RATIO_METHOD + family.words
    low, high = bounds
    if other[0] == 0:
        n = group[1] + other[1]
        return Figure(None, level=family.level, n=n, method=method, note=_ZERO_REFERENCE, assessable=False)
    value = (group[0] * other[1]) / (group[1] * other[0])
    return Figure(
        value,
        min(low, value),
        max(high, value) if math.isfinite(high) else None,
        level=family.level,
        n=group[1] + other[1],
        method=method,
        note=note,
        assessable=not note,
    )


def _difference(group: Count, other: Count, bounds: Bounds, family: Family, note: str) -> Figure:
    """Return how far the group lies behind the reference."""
    ahead, behind = (other, group) if family.best == "highest" else (group, other)
    low, high = bounds
    value = (ahead[0] * behind[1] - behind[0] * ahead[1]) / (ahead[1] * behind[1])  # a tenth in people is 0.1
    return Figure(
        value,
        low,
        high,
        level=family.level,
        n=group[1] + other[1],
        method=DIFFERENCE_METHOD + family.words,
        note=note,
        assessable=not note,
    )


def _compare_to_others(
    counts: Sequence[Count], names: Sequence[str], level: float, reference: str, best: str, members: Sequence[bool]
) -> list[Comparison]:
    """Compare every group with all others together, or with everybody."""
    total = (sum(k for k, _ in counts), sum(n for _, n in counts))
    tables = [[count, (total[0] - count[0], total[1] - count[1])] for count in counts]
    inside = [i for i, member in enumerate(members) if member and tables[i][1][1] > 0]
    tests = [compare_proportions(*tables[i][0], *tables[i][1]) for i in inside]
    adjusted = holm([test.p for test in tests])
    parity = {
        i: ParityTest(test.statistic, test.p, float(p), len(inside), test.method)
        for i, test, p in zip(inside, tests, adjusted, strict=True)
    }
    family = Family(len(inside), level, best)
    bounds = _bounds_of([group for group, _ in tables], [rest for _, rest in tables], family)
    out = []
    for i, (group, rest) in enumerate(tables):
        if group[1] == 0 or rest[1] == 0:
            why = "nobody to count in this group" if group[1] == 0 else "there is no other group to compare it with"
            out.append(_alone(names[i], group, why, reference=reference, other=rest))
            continue
        note = "" if i in parity else _NOT_JUDGED
        ratio = _ratio(group, rest, bounds[i][0], family, note)
        difference = _difference(group, rest, bounds[i][1], family, note)
        if reference == "overall":
            ratio, difference = _to_overall(ratio, difference, group, total)
        other = rest if reference == "rest" else total
        out.append(Comparison(names[i], reference, False, ratio, difference, parity.get(i), group, other))
    return out


def _to_overall(ratio: Figure, difference: Figure, group: Count, total: Count) -> tuple[Figure, Figure]:
    """Map a comparison with the rest to one with everybody.

    With w the group's share of all rows, the ratio becomes ``r / (w r + 1 - w)`` and the difference ``(1 - w) d``.
    """
    share = group[1] / total[1]

    def bend(x: float | None, top: float | None = None) -> float | None:
        return top if x is None else x / (share * x + 1 - share)

    if total[0] > 0 and ratio.value is None:
        ratio = Figure(1 / share, level=ratio.level, n=total[1], method=ratio.method)
    elif ratio.value is not None:
        ratio = _moved(ratio, bend(ratio.value), bend(ratio.low), bend(ratio.high, 1 / share), total[1])
    value, low, high = (
        None if x is None else (1 - share) * x for x in (difference.value, difference.low, difference.high)
    )
    return ratio, _moved(difference, value, low, high, total[1])


def _moved(figure: Figure, value: float | None, low: float | None, high: float | None, n: int) -> Figure:
    """Return a figure with other numbers."""
    return Figure(value, low, high, figure.level, n, None, figure.method, figure.note, figure.assessable)
