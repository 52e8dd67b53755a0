"""Conditional parity of one attribute: groups against a reference, from the counts of each stratum.

Comes in: people by stratum and group, and which group is the reference. Goes out: common ratio, odds ratio and
difference with their intervals, tests, and the conditional demographic disparity. What vanishes here was a difference
between strata; what stays is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Definition, Estimate, Measurement, Parity, undefined
from audit.statistics import compare_proportions, holm, pair_level
from audit.statistics.bootstrap import DRAWS
from audit.statistics.disparity import conditional_disparity, conditional_disparity_bounds
from audit.statistics.strata import (
    Common,
    PairedStrata,
    StratifiedTest,
    breslow_day,
    cochran_mantel_haenszel,
    common_odds_ratio,
    common_risk_difference,
    common_risk_ratio,
    pair_strata,
)

from .groups import Grouping
from .parts import Scene
from .rates import LEVEL, Reading, small_note

Whole = NDArray[np.int64]

ROUGH_SHARE = 0.2
"""Cochran (1954): the chi-square distribution serves where at most a fifth of the expected counts are below 5."""

_REFERENCE = (
    "The reference is the group that the configuration names, else the largest; intervals hold for all groups of the "
    "attribute at once. Strata without people of both groups add nothing."
)

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.conditional_selection_rate_ratio",
        title="Impact ratio among people alike",
        formula="Mantel-Haenszel ratio of selection rates, group over reference, common to all strata. " + _REFERENCE,
        better="higher",
        source="Mantel and Haenszel (1959); interval: Greenland and Robins (1985)",
    ),
    Definition(
        id="fairness.conditional_odds_ratio",
        title="Odds ratio among people alike",
        formula="Mantel-Haenszel odds ratio of a favourable decision, group over reference, common to all strata. "
        + _REFERENCE,
        better="higher",
        source="Mantel and Haenszel (1959); interval: Robins, Breslow and Greenland (1986)",
    ),
    Definition(
        id="fairness.conditional_selection_rate_difference",
        title="Selection-rate difference among people alike",
        formula="Mantel-Haenszel difference of selection rates, reference minus group, common to all strata. "
        + _REFERENCE,
        better="lower",
        source="Mantel and Haenszel (1959); interval: Klingenberg (2014) with the variance of Sato (1989)",
    ),
    Definition(
        id="fairness.cmh_p",
        title="P-value of parity among people alike",
        formula="Cochran-Mantel-Haenszel test, without continuity correction, that group and reference are selected "
        "alike in every stratum; two-sided, of this pair alone (the adjusted value stands beside it)",
        better="higher",
        source="Mantel and Haenszel (1959); exact where the criterion of Mantel and Fleiss (1980) asks for it",
    ),
    Definition(
        id="fairness.breslow_day_p",
        title="P-value of the same odds ratio in all strata",
        formula="Breslow-Day test with Tarone's correction that the odds ratio of group and reference is the same in "
        "every stratum; where it is small, one common number hides what differs between strata",
        source="Breslow and Day (1980); Tarone (1985)",
    ),
    Definition(
        id="fairness.conditional_demographic_disparity",
        title="Conditional demographic disparity",
        formula="mean over strata, weighted by their people, of: share of the group among people decided unfavourably "
        "- its share among people decided favourably. Strata in which all are decided alike are left out.",
        better="lower",
        source="Wachter, Mittelstadt and Russell (2021), Why Fairness Cannot Be Automated; interval: basic bootstrap "
        "of the cells",
    ),
)


@dataclass(frozen=True, slots=True)
class StratumCells:
    """People of one attribute by stratum and group, each of shape [strata, groups]."""

    favourable: Whole
    """Decided favourably."""
    people: Whole
    """All."""

    @property
    def unfavourable(self) -> Whole:
        """Decided unfavourably."""
        return self.people - self.favourable

    def pair(self, place: int, reference: int) -> PairedStrata:
        """Return a group and its reference in the strata that hold both."""
        return pair_strata(
            self.favourable[:, place], self.people[:, place], self.favourable[:, reference], self.people[:, reference]
        )


def choose_reference(scene: Scene, grouping: Grouping) -> int | None:
    """Return the place of the group compared with: the declared one, else the largest that is not small.

    Parameters
    ----------
    scene : Scene
        Its subject declares references.
    grouping : Grouping
        One attribute.
    """
    declared = {attribute.name: attribute.reference for attribute in scene.case.subject.attributes}
    wanted = declared.get(grouping.table.attributes[0], "")
    for place, group in enumerate(grouping.groups):
        if wanted and group.values[0] == wanted:
            return place
    for tier in (grouping.candidates, grouping.assessable):
        if places := [place for place, yes in enumerate(tier) if yes]:
            return max(places, key=lambda place: grouping.groups[place].n)
    return None


def measure_conditional(
    scene: Scene, grouping: Grouping, cells: StratumCells, reference: int | None
) -> list[Measurement]:
    """Measure everything about one attribute within strata.

    Parameters
    ----------
    scene : Scene
        The case, and how counts are to be read.
    grouping : Grouping
        The attribute.
    cells : StratumCells
        Its people by stratum and group.
    reference : int or None
        Place of the group compared with.
    """
    return [*_compare_all(grouping, cells, reference, scene.reading), *_measure_disparity(grouping, cells, scene)]


@dataclass(frozen=True, slots=True)
class _Family:
    """The groups of one attribute that are compared with its reference."""

    grouping: Grouping
    reference: int
    reading: Reading
    pairs: dict[int, PairedStrata]
    tests: dict[int, StratifiedTest]
    adjusted: dict[int, float] = field(default_factory=dict)

    @property
    def level(self) -> float:
        """Level of each interval."""
        return pair_level(LEVEL, len(self.adjusted))

    @property
    def words(self) -> str:
        """What the method says of it."""
        return f", simultaneous over {len(self.adjusted)} groups" if len(self.adjusted) > 1 else ""

    def parity(self, place: int) -> Parity | None:
        """Return the test of one group."""
        if place not in self.adjusted:
            return None
        test = self.tests[place]
        return Parity(
            statistic=test.statistic,
            p=test.p,
            p_adjusted=self.adjusted[place],
            pairs=len(self.adjusted),
            method=test.method,
        )


def _compare_all(grouping: Grouping, cells: StratumCells, reference: int | None, reading: Reading) -> list[Measurement]:
    """Compare every known group with the reference."""
    known = [place for place, yes in enumerate(grouping.known) if yes]
    if reference is None:
        why = "no group is large enough to be compared with"
        return [
            Measurement(metric=f"fairness.{name}", estimate=undefined(why), group=grouping.groups[place].scope)
            for place in known
            for name in _COMPARED
        ]
    pairs = {place: cells.pair(place, reference) for place in known if place != reference}
    tests = {place: cochran_mantel_haenszel(pair) for place, pair in pairs.items()}
    members = [
        place
        for place, test in tests.items()
        if grouping.assessable[place] and grouping.assessable[reference] and not math.isnan(test.p)
    ]
    adjusted = dict(zip(members, map(float, holm([tests[place].p for place in members])), strict=True))
    family = _Family(grouping, reference, reading, pairs, tests, adjusted)
    done = []
    for place in known:
        estimates = _of_reference(family) if place == reference else _compare(family, place, len(cells.people))
        done += [
            Measurement(
                metric=f"fairness.{name}",
                estimate=estimate,
                group=grouping.groups[place].scope,
                reference=grouping.names[reference],
                parity=None if name == "breslow_day_p" else family.parity(place),
            )
            for name, estimate in estimates.items()
        ]
    return done


_COMPARED = (
    "conditional_selection_rate_ratio",
    "conditional_odds_ratio",
    "conditional_selection_rate_difference",
    "cmh_p",
    "breslow_day_p",
)


def _of_reference(family: _Family) -> dict[str, Estimate]:
    """Return what the reference has compared with itself."""
    note = "the reference itself" + ("" if family.adjusted else "; no other group can be compared with it")
    rows, judged = family.grouping.groups[family.reference].n, bool(family.adjusted)
    return {
        name: Estimate(value=value, low=value, high=value, n=rows, method="by definition", note=note, assessable=judged)
        for name, value in zip(_COMPARED[:3], (1.0, 1.0, 0.0), strict=True)
    } | {"cmh_p": Estimate(value=1.0, n=rows, method="by definition", note=note, assessable=judged)}


def _compare(family: _Family, place: int, strata: int) -> dict[str, Estimate]:
    """Return every number of one group against the reference."""
    pair, rows = family.pairs[place], int(family.pairs[place].people.sum())
    if not len(pair.k1):
        return {name: undefined("no stratum holds people of both groups", n=0) for name in _COMPARED}
    small = small_note(family.grouping, place, family.reading) or small_note(
        family.grouping, family.reference, family.reading
    )
    alone = f"{len(pair.k1)} of {strata} strata hold people of both groups" if len(pair.k1) < strata else ""
    note = "; ".join(filter(None, (small, alone)))

    def estimate(common: Common, why: str, *, turn: bool = False) -> Estimate:
        method = common.method + family.words
        if not math.isfinite(common.value):
            return undefined(why, n=rows, method=method)
        low, high = (-common.high, -common.low) if turn else (common.low, common.high)
        return Estimate(
            value=-common.value if turn else common.value,
            low=low,
            high=high if math.isfinite(high) else None,
            n=rows,
            method=method,
            note=note,
            assessable=place in family.adjusted,
        )

    nobody = "in the strata that hold both groups, nobody of the reference is decided favourably"
    alike = "in the strata that hold both groups, one group is decided all alike"
    difference = common_risk_difference(pair, family.level)
    return {
        "conditional_selection_rate_ratio": estimate(common_risk_ratio(pair, family.level), nobody),
        "conditional_odds_ratio": estimate(common_odds_ratio(pair, family.level), alike),
        "conditional_selection_rate_difference": estimate(difference, "", turn=True),
        "cmh_p": _parity_estimate(family, place, rows, note),
        "breslow_day_p": _homogeneity_estimate(pair, rows, small),
    }


def _parity_estimate(family: _Family, place: int, rows: int, note: str) -> Estimate:
    test = family.tests[place]
    if math.isnan(test.p):
        return undefined("in every stratum that holds both groups, all are decided alike", n=rows, method=test.method)
    return Estimate(value=test.p, n=rows, method=test.method, note=note, assessable=place in family.adjusted)


def _homogeneity_estimate(pair: PairedStrata, rows: int, small: str) -> Estimate:
    test = breslow_day(pair)
    if math.isnan(test.p):
        why = "fewer than two strata hold both groups and both decisions, or one group is decided all alike"
        return undefined(why, n=rows, method=test.method)
    rough = test.rough > ROUGH_SHARE * (test.degrees + 1)
    few = f"{test.rough} of {test.degrees + 1} strata have an expected count below 5" if test.rough else ""
    return Estimate(
        value=test.p,
        n=rows,
        method=f"{test.method}, chi-square with {test.degrees} degrees of freedom",
        note="; ".join(filter(None, (small, few))),
        assessable=not small and not rough,
    )


def _measure_disparity(grouping: Grouping, cells: StratumCells, scene: Scene) -> Iterator[Measurement]:
    """Yield the conditional demographic disparity of every known group."""
    known = [place for place, yes in enumerate(grouping.known) if yes]
    favourable, unfavourable = cells.favourable[:, known], cells.unfavourable[:, known]
    judged = sum(grouping.assessable)
    point = conditional_disparity(favourable, unfavourable)
    rng = scene.case.rng(f"fairness.strata {grouping.name}")
    low, high = conditional_disparity_bounds(favourable, unfavourable, rng, pair_level(LEVEL, judged))
    mixed = (favourable.sum(axis=1) > 0) & (unfavourable.sum(axis=1) > 0)
    rows = int((favourable + unfavourable)[mixed].sum())
    over = f", simultaneous over {judged} groups" if judged > 1 else ""
    method = f"basic bootstrap of the cells, {DRAWS} draws{over}"
    for i, place in enumerate(known):
        yield Measurement(
            metric="fairness.conditional_demographic_disparity",
            estimate=_disparity(point[i], (low[i], high[i]), rows, method, small_note(grouping, place, scene.reading)),
            group=grouping.groups[place].scope,
        )


def _disparity(point: float, bounds: tuple[float, float], rows: int, method: str, small: str) -> Estimate:
    if math.isnan(point):
        return undefined("in no stratum do both decisions occur", n=rows, method=method)
    value, (low, high) = float(point), bounds
    if math.isnan(low):
        note = "; ".join(filter(None, ("no interval can be given: hardly anybody is decided differently", small)))
        return Estimate(value=value, n=rows, method=method, note=note, assessable=False)
    return Estimate(
        value=value,
        low=min(float(low), value),
        high=max(float(high), value),
        n=rows,
        method=method,
        note=small,
        assessable=not small,
    )


def note_reversals(grouping: Grouping, comparison: Sequence[Measurement]) -> Iterator[str]:
    """Say where a group is behind over all and not among people alike, or the reverse.

    Parameters
    ----------
    grouping : Grouping
        One attribute with its counts over all people.
    comparison : sequence of Measurement
        What `measure_conditional` found.
    """
    cells = {name: (cell.favourable, cell.n) for name, cell in zip(grouping.names, grouping.table.cells, strict=True)}
    for item in comparison:
        if item.metric != "fairness.conditional_selection_rate_ratio" or not item.estimate.assessable:
            continue
        (name,), reference = [f"{key}={value}" for key, value in item.group.items()], str(item.reference)
        (k, n), (k_other, n_other) = cells[name], cells[reference]
        if name == reference or k_other == 0 or item.estimate.value is None:
            continue
        crude = (k / n) / (k_other / n_other)
        apart = compare_proportions(k, n, k_other, n_other).p < 1 - LEVEL
        if apart and (crude - 1) * (item.estimate.value - 1) < 0:
            yield (
                f"The comparison turns round within strata (Simpson's paradox): the selection rate of {name} is "
                f"{crude:.3f} of that of {reference} over all people, and {item.estimate.value:.3f} of it among "
                "people alike."
            )
