"""Measurements that may be told to everybody.

Comes in: the measurements of a section and what may be told of each group. Goes out: the same measurements, those that
may not be told without their numbers. Three things withhold a number: the group it is about is not shown at the view
that the metric reads; its own counts are small; the counts of others would tell of it by subtraction.
"""

from __future__ import annotations

from collections.abc import Iterable

from audit.evidence import Estimate, Measurement

from .cells import Parts, close_withheld, is_small
from .views import View, Views

WITHHELD = "withheld in the public edition, so that nobody can be recognised"
"""Why a number is not there."""
NOT_PEOPLE = frozenset({"slices.confirmed", "fidelity.confirmed_departures"})
"""Metrics whose counts are no people."""
NESTED = frozenset({"robustness.near_cut_share", "robustness.attack_flip_rate"})
"""Metrics whose outcomes hold each other: two of them would tell of the people between. The last one is told."""
_SIZE = frozenset({"data.rows", "data.group_share", "data.representation_ratio", "fairness.unknown_group_share"})
_DECISION = frozenset(
    f"fairness.{name}"
    for name in (
        "selection_rate", "selection_rate_ratio", "selection_rate_difference", "adverse_impact_z", "adverse_impact_p",
        "adverse_impact_shortfall", "minimum_detectable_ratio", "worst_selection_rate_ratio",
        "worst_selection_rate_difference", "rows_needed",
    )
)  # fmt: skip
_OF_JUDGED = frozenset(
    f"fairness.{name}"
    for name in (
        "worst_selection_rate_ratio", "worst_selection_rate_difference", "equalized_odds_difference", "rows_needed",
        "worst_group_accuracy", "worst_group_true_positive_rate", "worst_group_error_rate", "average_odds_difference",
    )
)  # fmt: skip
"""Metrics of an attribute that rest on its known groups above the small size alone."""
_OF_ALL_FULL = frozenset({"fairness.generalized_entropy_index", "fairness.theil_index", "fairness.consistency"})
_READS_COUNTS = frozenset({"performance.accuracy", "performance.balanced_accuracy", "performance.accuracy_gap"})
_BLACK_BOX = "black_box"


def view_of(metric: str) -> View:
    """Return the view that a metric of a group reads: the finest, where nothing is known of it."""
    return "size" if metric in _SIZE else "decision" if metric in _DECISION else "full"


def withhold(estimate: Estimate) -> Estimate:
    """Return the estimate without its numbers."""
    return Estimate(value=None, level=estimate.level, method=estimate.method, note=WITHHELD, assessable=False)


def is_withheld(estimate: Estimate | None) -> bool:
    """Whether an estimate's numbers were taken out."""
    return estimate is not None and estimate.value is None and estimate.note == WITHHELD


def parts_of(estimate: Estimate) -> Parts:
    """Return the counts of people that an estimate prints: rows, numerator, the rest."""
    n, count = estimate.n or 0, estimate.count or 0
    return (n, count, n - count if estimate.count is not None else 0)


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
    hidden = {place for place, one in enumerate(measurements) if not _may_tell(one, views)}
    hidden |= _hide_nested(measurements)
    hidden |= _hide_solvable(measurements, positives)
    for places in _families(measurements):
        parts = {place: parts_of(measurements[place].estimate) for place in places}
        hidden |= close_withheld(parts, hidden & parts.keys())
    return tuple(
        one.model_copy(update={"estimate": withhold(one.estimate), "parity": None}) if place in hidden else one
        for place, one in enumerate(measurements)
    )


def _may_tell(one: Measurement, views: Views) -> bool:
    if one.metric in NOT_PEOPLE:
        return True
    if tells_few(one.estimate):
        return False
    if one.group and one.outcome and one.metric.startswith("fairness."):
        return " * ".join(one.group) in views.outcomes
    if one.group:
        view = view_of(one.metric)
        return views.shows(one.group.items(), view) and _shows_reference(one, view, views)
    if one.attribute:
        return views.shows_all(one.attribute, view_of(one.metric), judged_only=one.metric in _OF_JUDGED)
    about_everybody = one.metric in _OF_ALL_FULL or (one.metric in _READS_COUNTS and one.model in (None, _BLACK_BOX))
    return not about_everybody or "full" in views.total


def _shows_reference(one: Measurement, view: View, views: Views) -> bool:
    """Whether the group compared with is shown; where it is no single group, all of them must be."""
    if one.reference is None:
        return one.metric != "fairness.selection_rate_shrunk" or views.shows_all(" * ".join(one.group), view)
    name = " * ".join(one.group)
    for scope in views.known.get(name, ()):
        values = dict(scope)
        if ", ".join(f"{key}={values[key]}" for key in one.group) == one.reference:
            return views.shows(scope, view)
    return views.shows_all(name, view)


def _families(measurements: tuple[Measurement, ...]) -> Iterable[list[int]]:
    """Yield the places of measurements that add up to one total: a metric over all groups, bands or classes."""
    found: dict[tuple[str | None, ...], list[int]] = {}
    for place, one in enumerate(measurements):
        if one.group:
            key = (one.metric, one.feature, one.model, one.outcome, *one.group)
            found.setdefault(key, []).append(place)
        elif one.outcome:
            found.setdefault((one.metric, one.feature, one.model, None), []).append(place)
    return found.values()


def _hide_nested(measurements: tuple[Measurement, ...]) -> set[int]:
    last: dict[tuple[str, frozenset[tuple[str, str]]], int] = {}
    nested = [place for place, one in enumerate(measurements) if one.metric in NESTED]
    for place in nested:
        last[(measurements[place].metric, frozenset(measurements[place].group.items()))] = place
    return set(nested) - set(last.values())


def _hide_solvable(measurements: tuple[Measurement, ...], positives: int | None) -> set[int]:
    """Return balanced accuracies that would tell, with the accuracy, of a small cell of the table of errors.

    Accuracy ``(TP + TN) / n`` and balanced accuracy ``(TP / P + TN / N) / 2`` are two equations for two counts.
    """
    whole = {(one.metric, one.model): place for place, one in enumerate(measurements) if not one.group}
    found = set()
    for (metric, model), place in whole.items():
        right = whole.get(("performance.accuracy", model))
        if metric != "performance.balanced_accuracy" or right is None:
            continue
        accuracy, balanced = measurements[right].estimate, measurements[place].estimate.value
        if positives is None or tells_few(accuracy) or _tells_errors(accuracy, balanced, positives):
            found.add(place)
    return found


def _tells_errors(accuracy: Estimate, balanced: float | None, positives: int) -> bool:
    if accuracy.n is None or accuracy.count is None or balanced is None:
        return False
    negatives = accuracy.n - positives
    if positives in (0, negatives) or negatives <= 0:
        return False
    hits = (2 * balanced - accuracy.count / negatives) / (1 / positives - 1 / negatives)
    refused = accuracy.count - hits
    return any(is_small(round(part)) for part in (hits, positives - hits, refused, negatives - refused))
