"""How well the score ranks the people of each group, and how far apart groups are in that.

Comes in: everybody's scores in order, with labels. Goes out: the AUC of each group with DeLong's interval, its gap to
the best, and the widest gap of any two groups. An AUC of exactly 0 or 1 has no honest interval and is marked so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Definition, Estimate, Measurement, Parity, undefined
from audit.examination.measures.ordered import OrderedScores, join_notes, split_groups
from audit.examination.measures.prediction import name_auc_interval
from audit.statistics import (
    auc_interval,
    auc_of_counts,
    auc_slack,
    holm,
    normal_p,
    pair_level,
    square_and_add,
    widest_gap,
)

from .groups import Grouping
from .rates import LEVEL, Reading, envelope_estimate, small_note

_NO_INTERVAL = "no interval can be given: too few rows of one class, or no overlap of the classes"
Whole = NDArray[np.int64]

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.worst_auc_gap",
        title="Largest AUC gap of any two groups",
        formula="highest AUC - lowest AUC over the groups large enough to judge; the interval is the envelope of the "
        "simultaneous intervals of all pairs, cut at 0",
        better="lower",
        source="DeLong, DeLong and Clarke-Pearson (1988); interval: Zou and Donner (2008), Bonferroni",
    ),
)


@dataclass(frozen=True, slots=True)
class GroupAuc:
    """AUC of one group."""

    auc: float
    """NaN where a class is empty."""
    se: float
    """DeLong's standard error; NaN where a class has fewer than two rows."""
    positives: int
    """Rows with the positive label and a score."""
    negatives: int
    """Rows with the negative label and a score."""
    slack: float = 0.0
    """The most by which binning of the scores can have changed it."""

    @property
    def n(self) -> int:
        """Rows with a label and a score."""
        return self.positives + self.negatives

    @property
    def has_interval(self) -> bool:
        """Whether an interval can be given."""
        return not math.isnan(self.bounds(LEVEL)[0])

    def bounds(self, level: float) -> tuple[float, float]:
        """Return its interval, wider by what binning may have changed."""
        low, high = auc_interval(self.auc, self.se, self.positives, self.negatives, level)
        return max(low - self.slack, 0.0), min(high + self.slack, 1.0)


def auc_of_classes(positive: Whole, negative: Whole, *, binned: bool) -> GroupAuc:
    """Return the AUC of two classes from their rows at each place of the score.

    Parameters
    ----------
    positive, negative : ndarray of int, shape [k]
        Rows at each place, ascending.
    binned : bool
        Whether a place is a bin, so that the order within it is not known.
    """
    slack = auc_slack(positive, negative) if binned else 0.0
    return GroupAuc(*auc_of_counts(positive, negative), int(positive.sum()), int(negative.sum()), slack)


def auc_by_group(ordered: OrderedScores, codes: Whole, size: int) -> list[GroupAuc]:
    """Return the AUC of every group.

    Parameters
    ----------
    ordered : OrderedScores
        Scores (higher speaks for the positive class) with labels.
    codes : ndarray of int, shape [m]
        Place of each entry's group, or -1.
    size : int
        Number of groups.
    """
    if ordered.label is None:
        raise ValueError("an AUC needs labels")
    labelled = np.where(np.isfinite(ordered.label), codes, -1)
    positive = np.where(ordered.label == 1, ordered.count, 0)
    found = []
    for entries in split_groups(labelled, size):
        # places are ascending within a group, so that equal ones are neighbours
        places = ordered.place[entries]
        starts = np.flatnonzero(np.concatenate([[True], places[1:] != places[:-1]])) if len(places) else places
        good, rows = (
            np.add.reduceat(column[entries], starts) if len(places) else np.zeros(0, np.int64)
            for column in (positive, ordered.count)
        )
        found.append(auc_of_classes(good, rows - good, binned=ordered.width > 0))
    return found


def measure_auc(
    grouping: Grouping, reading: Reading, ordered: OrderedScores | None, why: str, *, worst: bool
) -> Iterator[Measurement]:
    """Yield AUC by group, the gap to the best group, and the widest gap of any two.

    Parameters
    ----------
    grouping : Grouping
        The groups.
    reading : Reading
        What is known of labels.
    ordered : OrderedScores or None
        Everybody's scores.
    why : str
        Why there is no AUC at all; empty where there may be one.
    worst : bool
        Whether the widest gap is wanted.
    """
    usable = ordered is not None and not why
    aucs = auc_by_group(ordered, ordered.find_cells(grouping.table), len(grouping.groups)) if usable and ordered else []

    def note(place: int) -> str:
        return join_notes((small_note(grouping, place, reading), reading.selective))

    for place, group in enumerate(grouping.groups):
        estimate = undefined(why) if why else _auc(aucs[place], note(place), ordered)
        yield Measurement(metric="fairness.auc", estimate=estimate, group=group.scope)
    places = [place for place, known in enumerate(grouping.known) if known]
    gaps = _no_gaps(places, why) if why else _auc_gaps(grouping, aucs, note)
    for place in places:
        estimate, reference, parity = gaps[place]
        yield Measurement(
            metric="fairness.auc_gap",
            estimate=estimate,
            group=grouping.groups[place].scope,
            reference=reference,
            parity=parity,
        )
    if worst:
        estimate = undefined(why) if why else _worst_gap(grouping, aucs, reading)
        yield Measurement(metric="fairness.worst_auc_gap", estimate=estimate, attribute=grouping.name)


def _auc(auc: GroupAuc, note: str, ordered: OrderedScores | None) -> Estimate:
    """Return an AUC with DeLong's interval on the log-odds scale."""
    if math.isnan(auc.auc):
        missing = "positive" if auc.positives == 0 else "negative"
        return undefined(f"nobody in this group has the {missing} label and a score", n=auc.n)
    bins = ordered.say_bins(auc.slack) if ordered else ""
    if not auc.has_interval:
        return Estimate(
            value=auc.auc, level=LEVEL, n=auc.n, method=f"exact ranks{bins}", note=_NO_INTERVAL, assessable=False
        )
    low, high = auc.bounds(LEVEL)
    return Estimate(
        value=auc.auc,
        low=low,
        high=high,
        level=LEVEL,
        n=auc.n,
        method=f"{name_auc_interval(auc.positives, auc.negatives)}{bins}",
        note=note,
        assessable=not note,
    )


Gap = tuple[Estimate, str | None, Parity | None]


def _no_gaps(places: list[int], why: str) -> dict[int, Gap]:
    """Return an undefined gap for every group."""
    return {place: (undefined(why), None, None) for place in places}


@dataclass(frozen=True, slots=True)
class _Ranked:
    """AUCs of the known groups, the best of them, and the tests of all pairs of judged groups."""

    names: list[str]
    aucs: list[GroupAuc]
    best: int
    parity: dict[tuple[int, int], Parity]

    @property
    def pairs(self) -> int:
        return len(self.parity) // 2


def _judged(grouping: Grouping, aucs: list[GroupAuc]) -> list[int]:
    """Return the places of the groups that are large enough and whose AUC has an interval."""
    return [place for place, yes in enumerate(grouping.assessable) if yes and aucs[place].has_interval]


def _auc_gaps(grouping: Grouping, aucs: list[GroupAuc], note: Callable[[int], str]) -> dict[int, Gap]:
    """Return the gap of every known group to the best, simultaneous over all pairs of judged groups."""
    known = [place for place, yes in enumerate(grouping.known) if yes]
    family = _judged(grouping, aucs)
    candidates = [place for place in family if grouping.candidates[place]] or family
    if not candidates:
        return _no_gaps(known, "no group is large enough, with both labels and an interval, to be compared with")
    best = max(candidates, key=lambda place: aucs[place].auc)
    ranked = _Ranked(grouping.names, aucs, best, _auc_parity(aucs, family))
    return {place: _auc_gap(ranked, place, note(place)) for place in known}


def _auc_parity(aucs: list[GroupAuc], family: list[int]) -> dict[tuple[int, int], Parity]:
    """Test every pair of judged groups by DeLong's z, adjusted by Holm."""
    pairs = list(combinations(family, 2))
    z = [(aucs[a].auc - aucs[b].auc) / math.hypot(aucs[a].se, aucs[b].se) for a, b in pairs]
    p = [normal_p(value) for value in z]
    adjusted = holm(p)
    done = {}
    for i, (a, b) in enumerate(pairs):
        for first, second, sign in ((a, b, 1), (b, a, -1)):
            done[first, second] = Parity(
                statistic=sign * z[i], p=p[i], p_adjusted=float(adjusted[i]), pairs=len(pairs), method="DeLong z"
            )
    return done


def _auc_gap(ranked: _Ranked, place: int, note: str) -> Gap:
    """Return one group's gap to the best."""
    reference = ranked.names[ranked.best]
    here, there = ranked.aucs[place], ranked.aucs[ranked.best]
    if math.isnan(here.auc):
        return undefined("the group has no AUC: one of the two labels is absent"), reference, None
    if place == ranked.best:
        return _gap_of_best(here, note, alone=ranked.pairs == 0), reference, None
    gap = Estimate(
        value=there.auc - here.auc,
        level=LEVEL,
        n=here.n + there.n,
        method="exact ranks",
        note=_NO_INTERVAL,
        assessable=False,
    )
    if not here.has_interval:
        return gap, reference, None
    each = pair_level(LEVEL, ranked.pairs)
    (a, b) = ((item.auc, *item.bounds(each)) for item in (there, here))
    low, high = square_and_add(a, b)
    parity = ranked.parity.get((place, ranked.best))
    over = f", simultaneous over {ranked.pairs} pairs" if ranked.pairs > 1 else ""
    changes = {"low": low, "high": high, "method": f"DeLong, square-and-add{over}", "note": note}
    return gap.model_copy(update=changes | {"assessable": parity is not None and not note}), reference, parity


def _gap_of_best(auc: GroupAuc, note: str, *, alone: bool) -> Estimate:
    """Return the best group's gap to itself."""
    words = "the reference itself" + ("; no other group can be compared with it" if alone else "")
    return Estimate(
        value=0.0,
        low=0.0,
        high=0.0,
        level=LEVEL,
        n=auc.n,
        method="by definition",
        note=join_notes((words, note)),
        assessable=not alone and not note,
    )


def _worst_gap(grouping: Grouping, aucs: list[GroupAuc], reading: Reading) -> Estimate:
    """Return the widest gap of any two judged groups, simultaneous over all pairs."""
    family = _judged(grouping, aucs)
    pairs = len(family) * (len(family) - 1) // 2
    each = pair_level(LEVEL, pairs)
    estimate = envelope_estimate(
        widest_gap([aucs[place].auc for place in family], [aucs[place].bounds(each) for place in family], pairs),
        "DeLong square-and-add",
        sum(aucs[place].n for place in family),
        [grouping.names[place] for place in family],
        "fewer than two groups are large enough, with both labels and an interval",
    )
    lost = [
        f"{grouping.names[place]} has no AUC with an interval"
        for place, yes in enumerate(grouping.assessable)
        if yes and place not in family
    ]
    if estimate.value is None or not (lost or reading.selective):
        return estimate
    return estimate.model_copy(
        update={"note": join_notes((estimate.note, *lost, reading.selective)), "assessable": False}
    )
