"""How the scores of a group lie beside everyone else's: means, and distances of whole distributions.

Comes in: everybody's scores in order. Goes out: for each group of each single attribute, against all other people whose
group is known, the differences of means with intervals, and distances beside what they show by chance: a distance is
above 0 even where nothing differs, so that no interval could contain 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Definition, Estimate, Measurement, Parity, undefined
from audit.examination.measures.data import FEWEST_SHOWN
from audit.examination.measures.ordered import OrderedScores, join_notes, order_scores, split_groups
from audit.statistics import (
    MeanGap,
    draw_splits,
    holm,
    js_distance,
    ks_chance,
    ks_distance,
    pair_level,
    pool_places,
    standardized_difference,
    wasserstein_distance,
    welch_interval,
    welch_test,
)

from .calibrated import NO_SCORE
from .groups import Grouping, Moments, moments_of
from .parts import Found, Scene
from .rates import LEVEL, Reading, small_note

Whole = NDArray[np.int64]

EVERYONE_ELSE = "everyone else"
DRAWS = 500
"""Deals of the pooled people into group and rest, for what a distance shows by chance."""
POOLED = 100
"""Places of the score that those deals tell apart."""
SHARED_BINS = 20
"""Bins of the Jensen-Shannon distance."""
_FEW = f"fewer than {FEWEST_SHOWN} people in the group or outside it: their scores could be read from the difference"
_ALIKE = "all scores are alike"
_REST = "Everyone else: all people of the other known groups of the attribute."
_CHANCE = "Beside it stands its 95 % quantile were both distributions the same"

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.mean_score_difference",
        title="Difference of mean scores",
        formula=f"mean score of the group - mean score of everyone else. {_REST} The intervals hold for all groups "
        "of the attribute at once",
        better="nearer_zero",
        source="Welch (1947), Bonferroni over the groups",
    ),
    Definition(
        id="fairness.score_standardized_mean_difference",
        title="Standardized mean difference of scores",
        formula=f"(mean score of the group - mean score of everyone else) / pooled standard deviation. {_REST} The "
        "intervals hold for all groups of the attribute at once",
        unit="standard deviations",
        better="nearer_zero",
        source="Cohen (1988); interval: Hedges and Olkin (1985), Bonferroni over the groups",
    ),
    Definition(
        id="fairness.score_ks_distance",
        title="Kolmogorov-Smirnov distance of scores",
        formula="largest difference, over all cuts on the score, of the group's and everyone else's share at or below "
        f"the cut. {_REST} {_CHANCE}",
        better="lower",
        source="Smirnov (1948), whose limit law gives the quantile",
    ),
    Definition(
        id="fairness.score_wasserstein_distance",
        title="Wasserstein distance of scores",
        formula="mean distance that the group's scores would have to move to lie as everyone else's do. "
        f"{_REST} {_CHANCE}",
        unit="score",
        better="lower",
        source=f"Vallender (1974); quantile: {DRAWS} permutations of the groups",
    ),
    Definition(
        id="fairness.score_js_distance",
        title="Jensen-Shannon distance of scores",
        formula="root of the mean divergence, to base 2, of the group's and everyone else's shares in "
        f"{SHARED_BINS} bins of the score from their mean: 0 alike, 1 nothing in common. {_REST} {_CHANCE}",
        better="lower",
        source=f"Lin (1991), Endres and Schindelin (2003); quantile: {DRAWS} permutations of the groups",
    ),
)
_IDS = tuple(definition.id for definition in DEFINITIONS)
_MEANS, _DISTANCES = _IDS[:2], _IDS[2:]


def measure_distributions(scene: Scene) -> Found:
    """Compare the scores of every group of every single attribute with everyone else's.

    Parameters
    ----------
    scene : Scene
        What there is to look at.
    """
    ordered = order_scores(scene.case.roll)
    found: list[Measurement] = []
    for grouping in scene.singles:
        if ordered is None:
            found += [_nothing(name, grouping, place, NO_SCORE) for name in _IDS for place in known_places(grouping)]
        else:
            rng = scene.case.rng(f"score distances by {grouping.name}")
            found += _measure_means(grouping, scene.reading, ordered)
            found += _measure_distances(grouping, scene.reading, ordered, rng)
    return Found(tuple(found))


def known_places(grouping: Grouping) -> list[int]:
    """Return the places of the known groups."""
    return [place for place, known in enumerate(grouping.known) if known]


def _nothing(metric: str, grouping: Grouping, place: int, why: str, n: int | None = None) -> Measurement:
    return Measurement(
        metric=metric,
        estimate=undefined(why, n=n),
        group=grouping.groups[place].scope,
        reference=EVERYONE_ELSE,
    )


def note_small_side(grouping: Grouping, place: int, rest: int, reading: Reading) -> str:
    """Return why no verdict may rest on a group beside everyone else; empty where one may.

    Parameters
    ----------
    grouping : Grouping
        The groups.
    place : int
        Which group.
    rest : int
        People outside it.
    reading : Reading
        From how many people on groups are judged.
    """
    few = f"only {rest} people outside the group, fewer than {reading.small_count}: shown, not judged"
    return small_note(grouping, place, reading) or (few if rest < reading.small_count else "")


def compare_with_rest(moments: Moments, places: list[int], place: int) -> MeanGap:
    """Return one group's mean beside that of the other groups together.

    Parameters
    ----------
    moments : Moments
        Of all groups.
    places : list of int
        The groups that count.
    place : int
        The one of them that is compared.
    """
    others = [other for other in places if other != place]
    n = moments.n[others]
    total = int(n.sum())
    if total == 0:
        rest = (math.nan, math.nan, 0)
    else:
        held = n > 0
        means, spread = moments.mean[others][held], np.nan_to_num(moments.variance[others][held])
        mean = float(means @ n[held] / total)
        # the spread within the other groups and the spread of their means
        squares = float((n[held] - 1) @ spread + n[held] @ (means - mean) ** 2)
        rest = (mean, squares / (total - 1) if total > 1 else math.nan, total)
    return MeanGap((float(moments.mean[place]), float(moments.variance[place]), int(moments.n[place])), rest)


@dataclass(frozen=True, slots=True)
class _Family:
    """The comparisons of one attribute that intervals and tests pay for."""

    tests: dict[int, Parity]
    level: float
    over: str


def _find_family(grouping: Grouping, gaps: dict[int, MeanGap]) -> _Family:
    """Test every judged group against everyone else; two groups are one comparison seen from both sides."""
    judged = [place for place in gaps if grouping.assessable[place] and not math.isnan(welch_test(gaps[place])[1])]
    mirrored = len(gaps) == 2
    family = judged[:1] if mirrored else judged
    tests = {place: welch_test(gaps[place]) for place in judged}
    adjusted = holm([tests[place][1] for place in family]) if family else np.empty(0)
    size = max(len(family), 1)
    return _Family(
        tests={
            place: Parity(
                statistic=t,
                p=p,
                p_adjusted=p if mirrored else float(adjusted[family.index(place)]),
                pairs=size,
                method="Welch t",
            )
            for place, (t, p) in tests.items()
        },
        level=pair_level(LEVEL, size),
        over=f", simultaneous over {size} groups" if size > 1 else "",
    )


def _measure_means(grouping: Grouping, reading: Reading, ordered: OrderedScores) -> Iterator[Measurement]:
    """Yield the difference of means, plain and in standard deviations, of every known group."""
    moments = moments_of(ordered.score, ordered.find_cells(grouping.table), len(grouping.groups), ordered.count)
    places = known_places(grouping)
    gaps = {place: compare_with_rest(moments, places, place) for place in places}
    family = _find_family(grouping, gaps)
    for metric in _MEANS:
        for place, gap in gaps.items():
            estimate = _mean_gap(metric, gap, family, note_small_side(grouping, place, gap.second[2], reading))
            yield Measurement(
                metric=metric,
                estimate=estimate,
                group=grouping.groups[place].scope,
                reference=EVERYONE_ELSE,
                parity=family.tests.get(place) if estimate.value is not None else None,
            )


def _mean_gap(metric: str, gap: MeanGap, family: _Family, small: str) -> Estimate:
    """Return a difference of means, or the same in standard deviations."""
    n = gap.first[2] + gap.second[2]
    if min(gap.first[2], gap.second[2]) < FEWEST_SHOWN:
        return undefined(_FEW, n=n)
    low, high = welch_interval(gap, family.level)
    if math.isnan(low):
        return undefined(_ALIKE, n=n)
    value, method = gap.difference, "Welch"
    if metric != _MEANS[0]:
        value, low, high = standardized_difference(gap, family.level)
        method = "Cohen's d, Hedges-Olkin"
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=LEVEL,
        n=n,
        method=method + family.over,
        note=small,
        assessable=not small,
    )


def _measure_distances(
    grouping: Grouping, reading: Reading, ordered: OrderedScores, rng: np.random.Generator
) -> Iterator[Measurement]:
    """Yield the three distances of every known group."""
    places = known_places(grouping)
    entries = split_groups(ordered.find_cells(grouping.table), len(grouping.groups))
    everybody = ordered.count_rows(np.concatenate([np.empty(0, np.int64), *(entries[place] for place in places)]))
    pooled = pool_places(everybody, POOLED) if everybody.any() else np.empty(0, np.int64)
    for place in places:
        here = ordered.count_rows(entries[place])
        rest = everybody - here
        n, m = int(here.sum()), int(rest.sum())
        why = _FEW if min(n, m) < FEWEST_SHOWN else _ALIKE if np.count_nonzero(everybody) < 2 else ""
        if why:
            yield from (_nothing(metric, grouping, place, why, n + m) for metric in _DISTANCES)
            continue
        small = note_small_side(grouping, place, m, reading)
        for metric, estimate in _distances(ordered, (here, rest), pooled, rng).items():
            yield Measurement(
                metric=metric,
                estimate=estimate.model_copy(
                    update={"note": join_notes((small, estimate.note)), "assessable": not small}
                ),
                group=grouping.groups[place].scope,
                reference=EVERYONE_ELSE,
            )


def _distances(
    ordered: OrderedScores, sides: tuple[Whole, Whole], pooled: Whole, rng: np.random.Generator
) -> dict[str, Estimate]:
    """Return all distances of two sides, from their rows at each place, with what they show by chance."""
    here, rest = sides
    both = here + rest
    n, m = int(here.sum()), int(rest.sum())
    coarse = np.bincount(pooled, both).astype(np.int64)
    middles = np.bincount(pooled, both * ordered.values) / coarse
    dealt = draw_splits(coarse, n, DRAWS, rng)
    shared = pool_places(both, SHARED_BINS)
    # the bins of the one are no refinement of those of the other where scores are tied: each is dealt by itself
    dealt_bins = draw_splits(np.bincount(shared, both).astype(np.int64), n, DRAWS, rng)
    in_bins = [np.bincount(shared, side) for side in (here, rest)]
    widest = float(np.maximum(here / n, rest / m).max())
    permuted = f", chance from {DRAWS} permutations"
    return {
        _DISTANCES[0]: _distance(
            float(ks_distance(here, rest)),
            ks_chance(n, m, LEVEL),
            n + m,
            "empirical distributions, chance by Smirnov's limit law" + ordered.say_bins(widest),
        ),
        _DISTANCES[1]: _distance(
            float(wasserstein_distance(ordered.values, here, rest)),
            _quantile(wasserstein_distance(middles, dealt, coarse - dealt)),
            n + m,
            f"empirical distributions{permuted}{ordered.say_bins(2 * ordered.width)}",
        ),
        _DISTANCES[2]: _distance(
            float(js_distance(in_bins[0], in_bins[1])),
            _quantile(js_distance(dealt_bins, np.bincount(shared, both) - dealt_bins)),
            n + m,
            f"shares in up to {SHARED_BINS} bins of equal rows{permuted}",
        ),
    }


def _quantile(values: NDArray[np.float64]) -> float:
    return float(np.quantile(values, LEVEL))


def _distance(value: float, chance: float, rows: int, method: str) -> Estimate:
    """Return a distance with what it shows by chance, and no interval."""
    note = f"no interval: it is above 0 by chance; with no difference it stays below {chance:.3g} in 95 % of samples"
    return Estimate(value=value, level=LEVEL, n=rows, method=method, note=note, chance=chance)
