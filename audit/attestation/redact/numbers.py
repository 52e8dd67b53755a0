"""Measurements that may be told to everybody.

Comes in: the measurements of a section and what may be told of each group. Goes out: the same measurements, those that
may not be told without their numbers. Four things withhold a number: the group it is about is not shown at the view
that the metric reads; its own counts are small, or those that it leaves of everybody; the counts of others would tell
of it by subtraction; a ratio or difference with a withheld number would tell of that.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from audit.evidence import SUPPRESSED, Estimate, Measurement

from .cells import Parts, close_withheld, is_small
from .reads import (
    INSIDE,
    NESTED,
    NOT_PEOPLE,
    OF_CONTINGENCY,
    OF_JUDGED,
    SOLVABLE,
    is_comparison,
    reads_classes,
    reads_strata,
    stem_of,
    view_of,
)
from .views import Scope, View, Views

_BLACK_BOX = "black_box"
_NEAR_WHOLE = 1e-6
_BASES = 4


def withhold(estimate: Estimate) -> Estimate:
    """Return the estimate without its numbers."""
    return Estimate(value=None, level=estimate.level, method=estimate.method, note=SUPPRESSED, assessable=False)


def is_withheld(estimate: Estimate | None) -> bool:
    """Whether an estimate's numbers were taken out."""
    return estimate is not None and estimate.value is None and estimate.note == SUPPRESSED


def count_of(estimate: Estimate) -> int | None:
    """Return the numerator: the printed one, or the whole number that a share times its rows gives."""
    if estimate.count is not None or not estimate.n or estimate.value is None or not 0 <= estimate.value <= 1:
        return estimate.count
    count = estimate.value * estimate.n
    return round(count) if abs(count - round(count)) < _NEAR_WHOLE else None


def parts_of(estimate: Estimate) -> Parts:
    """Return the counts of people that an estimate prints: rows, numerator, the rest."""
    n, count = estimate.n or 0, count_of(estimate)
    return (n, count or 0, 0 if count is None else n - count)


def tells_few(estimate: Estimate) -> bool:
    """Whether an estimate prints a small count, or one that its printed counts leave over."""
    return any(map(is_small, parts_of(estimate)))


def redact_measurements(
    measurements: tuple[Measurement, ...], views: Views, *, positives: int | None = None
) -> tuple[Measurement, ...]:
    """Return the measurements as everybody may read them.

    Parameters
    ----------
    measurements : tuple of Measurement
        Of one section.
    views : Views
        What may be told of whom.
    positives : int, optional
        Rows with the positive label; without it a number that could be solved for a count is withheld.
    """
    outer = {_place(one): one.estimate for one in measurements if one.metric in INSIDE.values()}
    parts = {
        place: _all_parts(one, views, outer) for place, one in enumerate(measurements) if one.metric not in NOT_PEOPLE
    }
    hidden = {place for place, one in enumerate(measurements) if not _may_tell(one, views)}
    hidden |= {place for place, counts in parts.items() if any(map(is_small, counts))}
    hidden |= _hide_nested(measurements)
    hidden |= _hide_solvable(measurements, views, positives)
    for places in _families(measurements):
        known = {place: parts[place] for place in places if place in parts}
        hidden |= close_withheld(known, hidden & known.keys())
    hidden |= _close_inner(measurements, parts, hidden)
    hidden |= _hide_comparisons(measurements, hidden, views)
    return tuple(
        one.model_copy(update={"estimate": withhold(one.estimate), "parity": None}) if place in hidden else one
        for place, one in enumerate(measurements)
    )


def _place(one: Measurement, metric: str | None = None) -> tuple[object, ...]:
    return (metric or one.metric, one.feature, one.model, one.outcome, one.attribute, frozenset(one.group.items()))


def _all_parts(one: Measurement, views: Views, outer: dict[tuple[object, ...], Estimate]) -> Parts:
    """Return every count that a number tells of: its own, what it leaves of a group or of all, what another holds."""
    estimate = one.estimate
    own = parts_of(estimate)
    bases = (*views.sizes.get(frozenset(one.group.items()), (0, 0)), *views.everybody, 0, 0)[:_BASES]
    left = tuple(max(0, base - own[0]) if own[0] else 0 for base in bases)
    return (*own, *left, *_parts_between(one, outer))


def _parts_between(one: Measurement, outer: dict[tuple[object, ...], Estimate]) -> Parts:
    """Return how many people lie between two sets of which one holds the other, or all but the other."""
    held = outer.get(_place(one, INSIDE.get(one.metric)))
    if one.metric not in INSIDE or held is None:
        return (0, 0)
    own, other = count_of(one.estimate), count_of(held)
    if own is None or other is None:
        return (0, 0)
    return (abs(other - own), abs((held.n or 0) - other - own))


def _may_tell(one: Measurement, views: Views) -> bool:
    if one.metric in NOT_PEOPLE:
        return True
    name = " * ".join(one.group) or one.attribute
    if name and reads_strata(one.metric) and name not in views.strata:
        return False
    if name and views.several and reads_classes(one.metric) and name not in views.outcomes:
        return False
    if one.group and one.outcome and one.metric.startswith("fairness."):
        return name in views.outcomes
    if one.group:
        view = view_of(one.metric)
        return views.shows(one.group.items(), view) and _shows_reference(one, view, views)
    if one.attribute:
        return views.shows_all(one.attribute, view_of(one.metric), judged_only=one.metric in OF_JUDGED)
    return _may_tell_of_all(one, views)


def _may_tell_of_all(one: Measurement, views: Views) -> bool:
    of_labels = one.metric in OF_CONTINGENCY and one.model in (None, _BLACK_BOX)
    if one.metric.startswith("fairness.") or of_labels:
        return "full" in views.total and (views.correct_told or not of_labels)
    return True


def _shows_reference(one: Measurement, view: View, views: Views) -> bool:
    """Whether the group compared with is shown; where it is no single group, all of them must be."""
    if one.reference is None:
        return one.metric != "fairness.selection_rate_shrunk" or views.shows_all(" * ".join(one.group), view)
    scope = _reference_of(one, views)
    return views.shows_all(" * ".join(one.group), view) if scope is None else views.shows(scope, view)


def _reference_of(one: Measurement, views: Views) -> Scope | None:
    for scope in views.known.get(" * ".join(one.group), ()):
        values = dict(scope)
        if ", ".join(f"{key}={values[key]}" for key in one.group) == one.reference:
            return scope
    return None


def _families(measurements: tuple[Measurement, ...]) -> Iterable[list[int]]:
    """Yield the places of measurements that add up to one total: a metric over all groups, bands or classes.

    Those that lie inside another are closed together, see `_close_inner`.
    """
    found: dict[tuple[str | None, ...], list[int]] = {}
    for place, one in enumerate(measurements):
        if one.metric in INSIDE and one.group:
            continue
        if one.group:
            key = (one.metric, one.feature, one.model, one.outcome, *one.group)
            found.setdefault(key, []).append(place)
        elif one.outcome:
            found.setdefault((one.metric, one.feature, one.model, None), []).append(place)
    return found.values()


def _close_inner(measurements: tuple[Measurement, ...], parts: dict[int, Parts], hidden: set[int]) -> set[int]:
    """Return the places to withhold of metrics that lie inside another, such as the two halves of it.

    All metrics inside the same one are told of a group, or none; and none where the outer one is not. With other
    complements for each of them, the outer one would give back by subtraction what one half withholds.
    """
    links: dict[tuple[object, ...], dict[Scope, list[int]]] = {}
    outer: dict[tuple[object, ...], set[Scope]] = {}
    for place, one in enumerate(measurements):
        scope, rest = frozenset(one.group.items()), (one.feature, one.model, one.outcome, *one.group)
        if one.group and one.metric in INSIDE:
            links.setdefault((INSIDE[one.metric], *rest), {}).setdefault(scope, []).append(place)
        elif one.group and place in hidden:
            outer.setdefault((one.metric, *rest), set()).add(scope)
    found = set()
    for key, by_scope in links.items():
        known = {scope: tuple(n for place in places for n in parts[place]) for scope, places in by_scope.items()}
        few = {s for s, places in by_scope.items() if hidden.intersection(places)} | outer.get(
            key, set()
        ) & known.keys()
        found |= {place for scope in close_withheld(known, few) for place in by_scope[scope]}
    return found


def _hide_nested(measurements: tuple[Measurement, ...]) -> set[int]:
    last: dict[tuple[str, frozenset[tuple[str, str]]], int] = {}
    nested = [place for place, one in enumerate(measurements) if one.metric in NESTED]
    for place in nested:
        last[(measurements[place].metric, frozenset(measurements[place].group.items()))] = place
    return set(nested) - set(last.values())


def _hide_comparisons(measurements: tuple[Measurement, ...], hidden: set[int], views: Views) -> set[int]:
    """Return comparisons with a withheld number: with the other side they would tell of it.

    A ratio of a group is given up where its own rate is withheld or that of the group compared with; a gap of an
    attribute where the rate of any of its groups is on which a verdict may rest.
    """
    gone: dict[tuple[object, ...], set[Scope]] = {}
    for place in hidden:
        one = measurements[place]
        if one.group and one.estimate.value is not None and not is_comparison(one.metric):
            gone.setdefault(_alike(one), set()).add(frozenset(one.group.items()))
    tells = partial(_tells_of, views=views)
    return {
        place
        for place, one in enumerate(measurements)
        if place not in hidden and is_comparison(one.metric) and tells(one, gone.get(_alike(one), set()))
    }


def _alike(one: Measurement) -> tuple[object, ...]:
    return (
        stem_of(one.metric),
        one.feature,
        one.model,
        one.outcome,
        tuple(one.group) or tuple((one.attribute or "").split(" * ")),
    )


def _tells_of(one: Measurement, scopes: set[Scope], *, views: Views) -> bool:
    if one.group:
        return frozenset(one.group.items()) in scopes or _reference_of(one, views) in scopes
    return bool(one.attribute) and bool(scopes & views.judged)


def _hide_solvable(measurements: tuple[Measurement, ...], views: Views, positives: int | None) -> set[int]:
    """Return numbers of a model that would tell, with its accuracy, of a small cell of its table of errors.

    Accuracy ``(TP + TN) / n`` and balanced accuracy ``(TP / P + TN / N) / 2`` are two equations for two counts. Of
    several classes the table of the black box alone is known; those of other models may hold small cells.
    """
    whole = {(one.metric, one.model): place for place, one in enumerate(measurements) if not one.group}
    found = set()
    for (metric, model), place in whole.items():
        if metric not in SOLVABLE:
            continue
        if views.several:
            safe = model == _BLACK_BOX and views.classes
        else:
            right = whole.get(("performance.accuracy", model))
            safe = right is None or _keeps_errors(measurements[right].estimate, measurements[place].estimate, positives)
        if not safe:
            found.add(place)
    return found


def _keeps_errors(accuracy: Estimate, balanced: Estimate, positives: int | None) -> bool:
    if positives is None or tells_few(accuracy):
        return False
    if accuracy.n is None or accuracy.count is None or balanced.value is None:
        return True
    negatives = accuracy.n - positives
    if positives in (0, negatives) or negatives <= 0:
        return True
    hits = (2 * balanced.value - accuracy.count / negatives) / (1 / positives - 1 / negatives)
    refused = accuracy.count - hits
    return not any(is_small(round(part)) for part in (hits, positives - hits, refused, negatives - refused))
