"""What each group would need: in whole people and decisions, from the same counts that the verdicts rest on.

Comes in: counts of one attribute, the verdicts on its impact ratios. Goes out: `Need`, one per group that needs
anything; the template says it in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audit.evidence import CountTable, Estimate, Verdict
from audit.statistics.bounds import rows_to_decide
from audit.statistics.tests import as_fraction, flip_one, needed_for_ratio, ratio_reaches

from .numbers import number_text

Count = tuple[int, int]
UNKNOWN = "unknown"
PARITY = 1.0
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Need:
    """What one group would need.

    Parameters
    ----------
    group, reference : str
        The group, and the one it is compared with.
    limit : float or None
        Ratio that it should reach; None where no rule set one.
    decisions : int
        More favourable decisions that would bring it there; 0 where it is there.
    people : int
        More people of the group that would let a gap of this size be shown; 0 where it is shown or there is none.
    decide : str
        What would decide an open verdict, as the judge says it.
    flips : bool
        Whether one different decision would turn the order of the two groups round.
    """

    group: str
    reference: str
    limit: float | None
    decisions: int = 0
    people: int = 0
    decide: str = ""
    flips: bool = False

    @property
    def alone(self) -> bool:
        """Whether more people in this group alone would decide nothing."""
        return "would not decide" in self.decide

    @property
    def anything(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.decisions or self.people or self.decide or self.flips)


@dataclass(frozen=True, slots=True)
class UnknownBounds:
    """What people of unknown group could make of the lowest ratio."""

    group: str
    reference: str
    people: int
    favourable: int
    low: str
    high: str


def count_decided(table: CountTable | None) -> dict[str, Count]:
    """Return favourable and decided people of each group, by its label."""
    cells = table.cells if table else ()
    return {" · ".join(cell.values): (cell.favourable, cell.decided) for cell in cells if cell.decided}


def find_needs(
    counts: Mapping[str, Count],
    references: Mapping[str, str],
    verdicts: Mapping[str, Verdict],
    parities: Mapping[str, float],
    least: int,
) -> tuple[Need, ...]:
    """Return what the groups of one attribute would need, in the order of their counts.

    Parameters
    ----------
    counts : mapping
        Group to favourable and decided people.
    references : mapping
        Group to the group that it is compared with.
    verdicts : mapping
        Group to the verdict on its impact ratio.
    parities : mapping
        Group to the adjusted p-value of equality.
    least : int
        People below which a group is not judged.
    """
    found = [
        _need_of(group, reference, counts, verdicts.get(group), parities.get(group), least)
        for group, reference in references.items()
        if group != reference and group in counts and reference in counts and UNKNOWN not in group.split(" · ")
    ]
    return tuple(need for need in found if need.anything)


def _need_of(
    group: str,
    reference: str,
    counts: Mapping[str, Count],
    verdict: Verdict | None,
    p: float | None,
    least: int,
) -> Need:
    own, other = counts[group], counts[reference]
    limit = verdict.limit_low if verdict and verdict.limit_low else None
    few = own[1] < least
    short = limit is not None and ratio_reaches(*own, *other, limit) is False
    decisions = (needed_for_ratio(*own, *other, as_fraction(limit)) or 0) if short and limit is not None else 0
    unequal = p is not None and p > ALPHA and own[0] * other[1] < other[0] * own[1]
    return Need(
        group,
        reference,
        limit,
        decisions=0 if few else decisions,
        people=_round_up(rows_to_decide(own, other, PARITY) or 0) if unequal and not few else 0,
        decide=verdict.would_decide if verdict and verdict.status == "inconclusive" else "",
        flips=not few and flip_one(*own, *other),
    )


def _round_up(rows: int) -> int:
    """Round up to two significant digits; more would promise too much."""
    step: int = 10 ** max(len(str(rows)) - 2, 0)
    return int(-(-rows // step) * step)


def bound_unknown(
    counts: Mapping[str, Count], group: str, reference: str, bounds: Estimate | None
) -> UnknownBounds | None:
    """Return the bounds of one ratio over all that the people of unknown group may be; None where there are none.

    Parameters
    ----------
    counts : mapping
        Group to favourable and decided people.
    group, reference : str
        The two groups of the ratio.
    bounds : Estimate or None
        The bounds as they were measured, over all groups.
    """
    unknown = counts.get(UNKNOWN)
    if not unknown or group == reference or bounds is None or bounds.low is None or bounds.high is None:
        return None
    return UnknownBounds(group, reference, unknown[1], unknown[0], number_text(bounds.low), number_text(bounds.high))
