"""Weak slices: parts of the rows, told by one or two conditions, in which the model does worse than elsewhere.

Comes in: the case. Goes out: `Slices`. They are looked for on one half of the rows and tested on the other, which
nobody looked at: what a search finds on its own half is flattered by the search.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Definition, Estimate, Measurement, NotDone, Slice, Slices, undefined
from audit.examination.data.split import folds_of
from audit.statistics import (
    benjamini_hochberg,
    mean_interval,
    newcombe_difference,
    pair_level,
    wilson,
)
from audit.statistics.distances import MeanGap, welch_interval, welch_test
from audit.statistics.strata import exact_p, pair_strata

from .data import FEWEST_SHOWN
from .labels import find_selective
from .slice_search import Axis, Candidate, cut_levels, cut_number, name_slice, rows_of, search_slices

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEVEL = 0.95
LEAST_SHARE = 0.01
"""Smallest share of the rows that makes a slice."""
MOST_TESTED = 20
"""Slices taken to the other half."""
FALSE_DISCOVERIES = 0.05
"""Share of false ones among the slices called confirmed."""

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="slices.worst_excess",
        title="Largest excess of a weak slice",
        formula="largest of: error rate (absolute error, share decided unfavourably) in a slice - that of all other "
        "rows, over the slices tested; on the half of the rows in which no slice was looked for. The interval holds "
        "for all slices tested at once.",
        better="lower",
        source="sample splitting (Cox 1975, Biometrika 62:441); interval: Newcombe (1998) or Welch (1947), Bonferroni",
    ),
    Definition(
        id="slices.confirmed",
        title="Weak slices confirmed",
        formula="slices whose excess on the other half is above 0 with a false discovery rate of 5 %",
        unit="slices",
        better="lower",
        source="Benjamini and Hochberg (1995), over one-sided tests of all slices tested",
    ),
)


@dataclass(frozen=True, slots=True)
class Loss:
    """What makes a row a bad one.

    Parameters
    ----------
    of : str
        Name for readers.
    values : ndarray of float64, shape [n]
        1 and 0, or an absolute error; NaN where a row does not count.
    strata : ndarray, shape [n], or None
        What both halves should hold alike.
    doubt : str
        Why no verdict may rest on it.
    """

    of: str
    values: Floats
    strata: Floats | None = None
    doubt: str = ""

    @property
    def is_rate(self) -> bool:
        """Whether it is a share of rows."""
        known = self.values[np.isfinite(self.values)]
        return self.of != "absolute error" and bool(np.isin(known, (0.0, 1.0)).all())


def measure_slices(case: Case) -> Slices | NotDone:
    """Look for weak slices and test them.

    Parameters
    ----------
    case : Case
        Features, groups, labels, scores and decisions row by row.

    Returns
    -------
    Slices or NotDone
        NotDone where nothing says what a bad row is, or there are too few rows for two halves.
    """
    begun = perf_counter()
    loss = choose_loss(case)
    if loss is None:
        return NotDone(not_done="there is no label with a prediction and no decision, so no row is worse than another")
    used = np.flatnonzero(np.isfinite(loss.values))
    least = max(case.subject.small_count, math.ceil(LEAST_SHARE * len(used) / 2))
    if len(used) < 4 * least:
        why = f"{len(used)} rows are too few to look for slices on one half and to test them on the other"
        return NotDone(not_done=why)
    axes = cut_axes(case, used, least)
    if not axes:
        return NotDone(not_done="no column is known that could tell one part of the rows from another")
    values = loss.values[used]
    strata = None if loss.strata is None else loss.strata[used]
    found = folds_of(len(used), 2, case.rng("slices"), strata) == 0
    search = search_slices(axes, values, found, least=least, other_least=least, most=MOST_TESTED)
    tested = confirm_slices(axes, values, found, search.chosen, loss)
    people = _People(case, used, least=case.subject.small_count)
    return Slices(
        of=loss.of,
        searched=search.looked_at,
        tested=len(tested),
        found_on=int(found.sum()),
        tested_on=int((~found).sum()),
        slices=tuple(_write_slice(axes, item, people) for item in sorted(tested, key=lambda item: item.p)),
        measurements=_measure(tested, loss, len(used)),
        notes=tuple(_notes(case, loss)),
        seconds=round(perf_counter() - begun, 3),
    )


def choose_loss(case: Case) -> Loss | None:
    """Say what makes a row a bad one: a wrong prediction, a large error, or without labels an unfavourable decision.

    Parameters
    ----------
    case : Case
        Labels, scores and decisions.
    """
    scores, label = case.scores, case.label
    favourable = scores.favourable
    doubt = find_selective(case) if label is not None else ""
    if scores.truth is not None and scores.outcome is not None and (scores.truth >= 0).any():
        truth = scores.truth.astype(np.float64)
        return Loss("error rate", np.where(truth >= 0, scores.outcome != scores.truth, np.nan), truth, doubt)
    if label is not None and np.isfinite(label).any():
        if case.subject.task == "binary" and scores.predicted_positive is not None:
            wrong = np.where(np.isfinite(label), scores.predicted_positive != (label == 1), np.nan)
            return Loss("error rate", wrong, label, doubt)
        if scores.score is not None:
            return Loss("absolute error", np.abs(scores.score - label), None, doubt)
    if favourable is not None:
        return Loss("share decided unfavourably", (~favourable).astype(np.float64))
    return None


def cut_axes(case: Case, rows: NDArray[np.int64], least: int) -> list[Axis]:
    """Cut every feature, and every protected attribute that is no feature, into parts.

    Parameters
    ----------
    case : Case
        Its features and groups.
    rows : ndarray of int, shape [m]
        Rows that count.
    least : int
        Fewest rows of a part, on each half.
    """
    axes: list[Axis] = []
    features = {feature.name: feature.kind for feature in case.subject.features}
    for name, kind in features.items():
        column = case.frame[name].to_numpy()[rows]
        if kind == "number":
            axes += cut_number(name, column.astype(np.float64), 2 * least)
        else:
            axes += cut_levels(name, column.astype(object), 2 * least)
    for attribute in case.subject.attributes:
        if attribute.column not in features:
            axes += cut_levels(attribute.name, case.groups[attribute.name][rows].astype(object), 2 * least)
    return [axis for axis in axes if axis.names]


# the other half


@dataclass(frozen=True, slots=True)
class ComparedSlice:
    """One slice on the half where it was not looked for."""

    candidate: Candidate
    rate: Estimate
    rest: Estimate
    excess: Estimate
    bounds: tuple[float, float]
    """Interval of the excess that holds for all slices at once."""
    p: float
    p_adjusted: float = field(default=1.0)

    @property
    def holds(self) -> bool:
        """Whether the excess is confirmed."""
        return self.p_adjusted <= FALSE_DISCOVERIES and (self.excess.value or 0.0) > 0


def confirm_slices(
    axes: Sequence[Axis], loss: Floats, found: Flags, chosen: Sequence[Candidate], kind: Loss
) -> list[ComparedSlice]:
    """Test slices on the rows in which they were not looked for.

    Parameters
    ----------
    axes : sequence of Axis
        Columns over all rows that count.
    loss : ndarray of float64, shape [m]
        Loss of these rows.
    found : ndarray of bool, shape [m]
        The half that was searched.
    chosen : sequence of Candidate
        The slices.
    kind : Loss
        What the loss is, and why no verdict may rest on it.
    """
    compare = _compare_rates if kind.is_rate else _compare_means
    each = pair_level(LEVEL, len(chosen))
    tested = []
    for candidate in chosen:
        inside = rows_of(axes, candidate.conditions) & ~found
        tested.append(compare(candidate, loss[inside], loss[~inside & ~found], each, kind.doubt))
    if not tested:
        return []
    adjusted = benjamini_hochberg([item.p for item in tested])
    return [
        ComparedSlice(item.candidate, item.rate, item.rest, item.excess, item.bounds, item.p, float(p))
        for item, p in zip(tested, adjusted, strict=True)
    ]


def _compare_rates(candidate: Candidate, inside: Floats, outside: Floats, each: float, doubt: str) -> ComparedSlice:
    """Compare two shares: Newcombe's interval, Fisher's exact one-sided test."""
    k, n, k_rest, n_rest = int(inside.sum()), len(inside), int(outside.sum()), len(outside)
    low, high = newcombe_difference(k, n, k_rest, n_rest, LEVEL)
    excess = _estimate(k / n - k_rest / n_rest, (low, high), n + n_rest, "Newcombe hybrid score", doubt)
    p = exact_p(pair_strata(*(np.array([item]) for item in (k, n, k_rest, n_rest))), one_sided=True)
    return ComparedSlice(
        candidate,
        _share(k, n, doubt),
        _share(k_rest, n_rest, doubt),
        excess,
        newcombe_difference(k, n, k_rest, n_rest, each),
        p,
    )


def _share(k: int, n: int, doubt: str) -> Estimate:
    return _estimate(k / n, wilson(k, n, LEVEL), n, "Wilson score", doubt).model_copy(update={"count": k})


def _compare_means(candidate: Candidate, inside: Floats, outside: Floats, each: float, doubt: str) -> ComparedSlice:
    """Compare two means by Welch, one-sided."""
    gap = MeanGap(_moments(inside), _moments(outside))
    t, p = welch_test(gap)
    one_sided = 1.0 if math.isnan(t) else (p / 2 if t > 0 else 1 - p / 2)
    total = len(inside) + len(outside)
    return ComparedSlice(
        candidate,
        _mean(gap.first, doubt),
        _mean(gap.second, doubt),
        _estimate(gap.difference, welch_interval(gap, LEVEL), total, "Welch", doubt),
        welch_interval(gap, each),
        one_sided,
    )


def _moments(values: Floats) -> tuple[float, float, int]:
    return float(values.mean()), float(values.var(ddof=1)), len(values)


def _mean(moments: tuple[float, float, int], doubt: str) -> Estimate:
    mean, variance, n = moments
    return _estimate(mean, mean_interval(mean, variance, n, LEVEL), n, "mean, Student", doubt)


def _estimate(value: float, bounds: tuple[float, float], n: int, method: str, doubt: str) -> Estimate:
    """Return a number with its interval; without one, or with a doubt, it is not assessable."""
    low, high = bounds
    if math.isnan(low):
        note = "; ".join(filter(None, ("all values alike: no interval can be given", doubt)))
        return Estimate(value=value, n=n, method=method, note=note, assessable=False)
    return Estimate(value=value, low=low, high=high, n=n, method=method, note=doubt, assessable=not doubt)


# what is written


class _People:
    """Who the people of a slice are."""

    def __init__(self, case: Case, rows: NDArray[np.int64], *, least: int) -> None:
        self.groups = {name: values[rows].astype(str) for name, values in case.groups.items()}
        self.least = least

    def shares(self, inside: Flags) -> dict[str, dict[str, float]]:
        """Return attribute to group to share of the slice's people, without groups of a few people."""
        total = int(inside.sum())
        if total < self.least:
            return {}
        shares = {}
        for attribute, values in self.groups.items():
            names, counts = np.unique(values[inside], return_counts=True)
            shares[attribute] = {
                name: count / total
                for name, count in zip(names.tolist(), counts.tolist(), strict=True)
                if count >= FEWEST_SHOWN
            }
        return shares


def _write_slice(axes: Sequence[Axis], item: ComparedSlice, people: _People) -> Slice:
    conditions = item.candidate.conditions
    return Slice(
        name=name_slice(axes, conditions),
        features=tuple(axes[condition.axis].feature for condition in conditions),
        found_rows=item.candidate.rows,
        found_excess=item.candidate.excess,
        rate=item.rate,
        rest=item.rest,
        excess=item.excess,
        p=item.p,
        p_adjusted=item.p_adjusted,
        holds=item.holds,
        groups=people.shares(rows_of(axes, conditions)),
    )


def _measure(tested: Sequence[ComparedSlice], loss: Loss, rows: int) -> tuple[Measurement, ...]:
    """Return the two numbers that a rule may name."""
    confirmed = sum(item.holds for item in tested)
    count = Estimate(
        value=float(confirmed),
        n=len(tested),
        count=confirmed,
        method=f"Benjamini-Hochberg at {FALSE_DISCOVERIES:.0%} over {len(tested)} one-sided tests",
        note=loss.doubt,
        assessable=not loss.doubt,
    )
    return (
        Measurement(metric="slices.worst_excess", estimate=_worst(tested, loss, rows)),
        Measurement(metric="slices.confirmed", estimate=count),
    )


def _worst(tested: Sequence[ComparedSlice], loss: Loss, rows: int) -> Estimate:
    """Return the largest excess; its interval is the envelope of intervals that hold together."""
    usable = [item for item in tested if not math.isnan(item.bounds[0])]
    if not usable:
        return undefined("no part of the rows did worse than the rest where slices were looked for", n=rows)
    value = max(item.excess.value or 0.0 for item in usable)
    bounds = max(item.bounds[0] for item in usable), max(item.bounds[1] for item in usable)
    method = f"envelope of {usable[0].excess.method} intervals, simultaneous over {len(tested)} slices"
    n = max(item.excess.n or 0 for item in usable)
    return _estimate(value, (min(bounds[0], value), max(bounds[1], value)), n, method, loss.doubt)


def _notes(case: Case, loss: Loss) -> list[str]:
    notes = [
        "Slices were looked for on one half of the rows and tested on the other, which was not looked at; how bad a "
        f"slice looked where it was found is flattered by the search. Compared: {loss.of} in the slice and outside it.",
    ]
    if loss.of == "share decided unfavourably":
        notes.append("Without labels a slice is weak where more people are decided unfavourably: that is no error.")
    if loss.doubt:
        notes.append(f"No verdict rests on slices: {loss.doubt}.")
    if case.sampled:
        notes.append(f"Slices are looked for on a sample of the rows: {case.sampled}")
    return notes
