"""Numbers that researchers ask for and few rules name: cross-group AUC, area between ROC curves, consistency.

Comes in: everybody's scores in order, with labels; for consistency the rows. Goes out: measurements by group against
everyone else, and one for all people. Consistency is a description: how near is near depends on the scale of features.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Definition, Estimate, Measurement, undefined
from audit.examination.measures.ordered import OrderedScores, join_notes, order_scores, split_groups
from audit.statistics import area_between_rocs, draw_splits, pair_level, pool_places, square_and_add

from .auc import GroupAuc, auc_of_classes
from .calibrated import NO_SCORE
from .distributions import EVERYONE_ELSE, known_places, note_small_side
from .groups import Grouping
from .parts import Found, Scene
from .rates import LEVEL, Reading

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

PLACES = 200
"""Places of the score at which the two ROC curves have corners."""
DRAWS = 200
NEIGHBOURS = 5
MOST_ROWS = 5_000
_BLOCK = 500
_REST = "Everyone else: all people of the other known groups of the attribute."

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.xauc",
        title="Cross-group AUC",
        formula="probability that a random person of the group with the positive label scores higher than a random "
        f"person of everyone else with the negative label; ties count half. {_REST}",
        better="higher",
        source="Kallus and Zhou (2019), The Fairness of Risk Scores Beyond Classification; interval: DeLong",
    ),
    Definition(
        id="fairness.xauc_difference",
        title="Difference of cross-group AUCs",
        formula="cross-group AUC of the group's positives over everyone else's negatives - that of everyone else's "
        f"positives over the group's negatives. {_REST} The intervals hold for all groups of the attribute at once",
        better="nearer_zero",
        source="Kallus and Zhou (2019); interval: Zou and Donner (2008), Bonferroni over the groups",
    ),
    Definition(
        id="fairness.abroca",
        title="Area between ROC curves",
        formula=f"area between the group's ROC curve and everyone else's, without sign. {_REST} Beside it stands its "
        "95 % quantile were the scores of people with the same label distributed alike",
        better="lower",
        source=f"Gardner, Brooks and Baker (2019); quantile: {DRAWS} permutations of the groups within each label",
    ),
    Definition(
        id="fairness.consistency",
        title="Consistency among similar people",
        formula=f"1 - mean of |decision of a person - mean decision of the {NEIGHBOURS} people with the most similar "
        "features|, decisions as 1 and 0; protected columns are left out of the similarity, numbers are divided by "
        "their standard deviation, categories differ by 1",
        better="none",
        source="Zemel et al. (2013), Learning Fair Representations",
    ),
)
_BY_GROUP = ("fairness.xauc", "fairness.xauc_difference", "fairness.abroca")


def measure_appendix(scene: Scene) -> Found:
    """Measure cross-group AUC and the area between ROC curves by group, and consistency over all.

    Parameters
    ----------
    scene : Scene
        What there is to look at.
    """
    ordered, reading = order_scores(scene.case.roll), scene.reading
    why = NO_SCORE if ordered is None else reading.no_label or ("no label was given" if ordered.label is None else "")
    found: list[Measurement] = []
    for grouping in scene.singles:
        if why or ordered is None:
            found += [
                _measurement(metric, grouping, place, undefined(why))
                for metric in _BY_GROUP
                for place in known_places(grouping)
            ]
        else:
            rng = scene.case.rng(f"ROC curves by {grouping.name}")
            found += _measure_crossed(grouping, reading, ordered, rng)
    consistency = measure_consistency(scene.case)
    return Found((*found, *([] if consistency is None else [consistency])))


def _measurement(metric: str, grouping: Grouping, place: int, estimate: Estimate) -> Measurement:
    return Measurement(metric=metric, estimate=estimate, group=grouping.groups[place].scope, reference=EVERYONE_ELSE)


@dataclass(frozen=True, slots=True)
class _Sides:
    """Rows of the group and of everyone else at each place of the score, by label."""

    positive: Whole
    negative: Whole
    other_positive: Whole
    other_negative: Whole

    @property
    def empty(self) -> str:
        """Why nothing can be compared; empty where it can."""
        for counts, words in (
            (self.positive, "nobody in this group has the positive label and a score"),
            (self.negative, "nobody in this group has the negative label and a score"),
            (self.other_positive, "nobody outside this group has the positive label and a score"),
            (self.other_negative, "nobody outside this group has the negative label and a score"),
        ):
            if not counts.any():
                return words
        return ""

    @property
    def rest(self) -> int:
        """Labelled people outside the group."""
        return int(self.other_positive.sum() + self.other_negative.sum())


def _measure_crossed(
    grouping: Grouping, reading: Reading, ordered: OrderedScores, rng: np.random.Generator
) -> Iterator[Measurement]:
    """Yield the numbers of every known group against everyone else."""
    places = known_places(grouping)
    family = max(1 if len(places) == 2 else sum(grouping.assessable), 1)
    entries = split_groups(ordered.find_cells(grouping.table), len(grouping.groups))
    everybody = _count_labels(ordered, np.concatenate([np.empty(0, np.int64), *(entries[place] for place in places)]))
    for place in places:
        here = _count_labels(ordered, entries[place])
        sides = _Sides(*here, everybody[0] - here[0], everybody[1] - here[1])
        small = note_small_side(grouping, place, sides.rest, reading)
        note = join_notes((small, reading.selective))
        if why := sides.empty:
            yield from (_measurement(metric, grouping, place, undefined(why)) for metric in _BY_GROUP)
            continue
        binned = ordered.width > 0
        first = auc_of_classes(sides.positive, sides.other_negative, binned=binned)
        second = auc_of_classes(sides.other_positive, sides.negative, binned=binned)
        estimates = (
            _xauc(first, note),
            _xauc_difference(first, second, family, note),
            _abroca(sides, note, None if small else rng),
        )
        for metric, estimate in zip(_BY_GROUP, estimates, strict=True):
            yield _measurement(metric, grouping, place, estimate)


def _count_labels(ordered: OrderedScores, entries: Whole) -> tuple[Whole, Whole]:
    label = np.asarray(ordered.label)[entries]
    return ordered.count_rows(entries[label == 1]), ordered.count_rows(entries[label == 0])


_NONE = "no interval can be given: too few rows of one class, or no overlap of the classes"


def _xauc(auc: GroupAuc, note: str) -> Estimate:
    if not auc.has_interval:
        return Estimate(value=auc.auc, level=LEVEL, n=auc.n, method="exact ranks", note=_NONE, assessable=False)
    low, high = auc.bounds(LEVEL)
    return Estimate(
        value=auc.auc,
        low=low,
        high=high,
        level=LEVEL,
        n=auc.n,
        method="DeLong, logit",
        note=note,
        assessable=not note,
    )


def _xauc_difference(first: GroupAuc, second: GroupAuc, family: int, note: str) -> Estimate:
    """Return the difference of the two crossed AUCs: no person is in both, so that they are independent."""
    value, n = first.auc - second.auc, first.n + second.n
    if not (first.has_interval and second.has_interval):
        return Estimate(value=value, level=LEVEL, n=n, method="exact ranks", note=_NONE, assessable=False)
    each = pair_level(LEVEL, family)
    low, high = square_and_add((first.auc, *first.bounds(each)), (second.auc, *second.bounds(each)))
    over = f", simultaneous over {family} groups" if family > 1 else ""
    return Estimate(
        value=value,
        low=low,
        high=high,
        level=LEVEL,
        n=n,
        method=f"DeLong, square-and-add{over}",
        note=note,
        assessable=not note,
    )


def _abroca(sides: _Sides, note: str, rng: np.random.Generator | None) -> Estimate:
    """Return the area between the two ROC curves with what it shows by chance; without a source of chance, alone."""
    every = sides.positive + sides.negative + sides.other_positive + sides.other_negative
    places = pool_places(every, PLACES)
    here = [np.bincount(places, part).astype(np.int64) for part in (sides.positive, sides.negative)]
    rest = [np.bincount(places, part).astype(np.int64) for part in (sides.other_positive, sides.other_negative)]
    value = area_between_rocs((here[0], here[1]), (rest[0], rest[1]))
    n, method = int(every.sum()), f"ROC curves with corners at up to {PLACES} scores"
    if rng is None:
        return Estimate(value=value, level=LEVEL, n=n, method=method, note=note, assessable=False)
    pooled = [a + b for a, b in zip(here, rest, strict=True)]
    dealt = [draw_splits(both, int(part.sum()), DRAWS, rng) for both, part in zip(pooled, here, strict=True)]
    areas = [area_between_rocs((p, q), (pooled[0] - p, pooled[1] - q)) for p, q in zip(*dealt, strict=True)]
    chance = float(np.quantile(areas, LEVEL))
    words = f"no interval: it is above 0 by chance; with no difference it stays below {chance:.3g} in 95 % of samples"
    return Estimate(
        value=value,
        level=LEVEL,
        n=n,
        method=f"{method}, chance from {DRAWS} permutations within each label",
        note=join_notes((note, words)),
        chance=chance,
        assessable=not note,
    )


def measure_consistency(case: Case) -> Measurement | None:
    """Measure whether people with similar features are decided alike; None without features or decisions.

    Parameters
    ----------
    case : Case
        Its rows, features and decisions.
    """
    features = [feature for feature in case.subject.features if not feature.protected]
    decided = case.scores.favourable
    if not features or decided is None or len(decided) <= NEIGHBOURS:
        return None
    rows = np.arange(len(decided))
    if len(rows) > MOST_ROWS:
        rows = np.sort(case.rng("consistency").choice(len(rows), MOST_ROWS, replace=False))
    points = _lay_out_features(case.frame.iloc[rows], {item.name: item.kind for item in features})
    if points.shape[1] == 0:
        return None
    value = neighbour_consistency(points, decided[rows].astype(float))
    estimate = Estimate(
        value=value,
        level=LEVEL,
        n=len(rows),
        method=f"{NEIGHBOURS} nearest neighbours of {len(rows):,} {'sampled ' if len(rows) < len(decided) else ''}rows",
        note="a description: it depends on how features are scaled, and similar people may differ in what matters",
        assessable=False,
    )
    return Measurement(metric="fairness.consistency", estimate=estimate)


def _lay_out_features(frame: pd.DataFrame, kinds: dict[str, str]) -> Floats:
    """Return rows as points: numbers in standard deviations, a column per category; what never varies is left out."""
    import pandas as pd

    columns: list[Floats] = []
    for name, kind in kinds.items():
        if kind == "number":
            values = pd.to_numeric(frame[name], errors="coerce").to_numpy(float, na_value=np.nan)
            known = np.isfinite(values)
            spread = float(values[known].std()) if known.any() else 0.0
            if spread > 0:
                # a missing number stands in the middle and differs from a known one in the column beside it
                columns.append(np.where(known, (values - values[known].mean()) / spread, 0.0))
            if 0 < known.sum() < len(known):
                columns.append((~known) / np.sqrt(2.0))
        else:
            codes, levels = pd.factorize(frame[name].astype(object), use_na_sentinel=False)
            # two people of different categories differ in two columns: together by 1
            columns += [(codes == place) / np.sqrt(2.0) for place in range(len(levels)) if len(levels) > 1]
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))


def neighbour_consistency(points: Floats, decided: Floats) -> float:
    """Return 1 less the mean gap between a person's decision and the mean one of the nearest others.

    Parameters
    ----------
    points : ndarray of float64, shape [n, d]
        People as points.
    decided : ndarray of float64, shape [n]
        1 or 0.

    Notes
    -----
    Zemel et al. (2013), equation 12, over the other people: oneself is no neighbour of one's own.
    """
    length, gaps = (points**2).sum(axis=1), 0.0
    for low in range(0, len(points), _BLOCK):
        block = points[low : low + _BLOCK]
        distance = length - 2 * block @ points.T
        own = np.arange(len(block))
        distance[own, low + own] = np.inf
        nearest = np.argpartition(distance, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
        gaps += float(np.abs(decided[low : low + _BLOCK] - decided[nearest].mean(axis=1)).sum())
    return 1 - gaps / len(points)
