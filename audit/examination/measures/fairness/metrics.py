"""Rates of one group from its counts, and the tables of what is compared.

Comes in: a cell of whole counts, and whether deciding the label's positive class is the favourable decision. Goes out:
a numerator and a denominator in whole people. Selection follows the favourable decision; TPR, FPR and precision follow
the label's positive class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from audit.evidence import Cell

Count = tuple[int, int]


def count_selected(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people decided favourably, of all."""
    return cell.favourable, cell.n


def count_base(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people with the positive label, of those with a label."""
    return cell.positive, cell.labelled


def count_true_positive(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people predicted positive, of those with the positive label."""
    hits = cell.positive_favourable if positive_is_favourable else cell.positive_unfavourable
    return hits, cell.positive_favourable + cell.positive_unfavourable


def count_false_positive(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people predicted positive, of those with the negative label."""
    hits = cell.negative_favourable if positive_is_favourable else cell.negative_unfavourable
    return hits, cell.negative_favourable + cell.negative_unfavourable


def count_precision(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people with the positive label, of those predicted positive whose label is known."""
    true, _ = count_true_positive(cell, positive_is_favourable)
    false, _ = count_false_positive(cell, positive_is_favourable)
    return true, true + false


def count_true_negative(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people predicted negative, of those with the negative label."""
    hits, negative = count_false_positive(cell, positive_is_favourable)
    return negative - hits, negative


def count_false_negative(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people predicted negative, of those with the positive label."""
    hits, positive = count_true_positive(cell, positive_is_favourable)
    return positive - hits, positive


def count_negative_predictive(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people with the negative label, of those predicted negative whose label is known."""
    true, _ = count_true_negative(cell, positive_is_favourable)
    false, _ = count_false_negative(cell, positive_is_favourable)
    return true, true + false


def count_false_discovery(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people with the negative label, of those predicted positive whose label is known."""
    true, predicted = count_precision(cell, positive_is_favourable)
    return predicted - true, predicted


def count_false_omission(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people with the positive label, of those predicted negative whose label is known."""
    true, predicted = count_negative_predictive(cell, positive_is_favourable)
    return predicted - true, predicted


def count_missed(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people wrongly predicted negative, of those predicted wrongly either way."""
    missed, _ = count_false_negative(cell, positive_is_favourable)
    raised, _ = count_false_positive(cell, positive_is_favourable)
    return missed, missed + raised


def count_correct(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people whose prediction equals their label, of those with a label."""
    if positive_is_favourable:
        right = cell.positive_favourable + cell.negative_unfavourable
    else:
        right = cell.positive_unfavourable + cell.negative_favourable
    return right, count_base(cell, positive_is_favourable)[1]


def count_wrong(cell: Cell, positive_is_favourable: bool) -> Count:
    """Return people whose prediction differs from their label, of those with a label."""
    right, labelled = count_correct(cell, positive_is_favourable)
    return labelled - right, labelled


@dataclass(frozen=True, slots=True)
class RateMetric:
    """One rate by group."""

    name: str
    """Metric id without its section."""
    count: Callable[[Cell, bool], Count]
    """Numerator and denominator of a cell."""
    empty: str
    """Why there is no rate where the denominator is 0."""
    needs_label: bool = True
    """Whether it rests on the label."""
    crossed: bool = False
    """Whether it is measured for intersections too; further numbers there would drown the first ones."""


@dataclass(frozen=True, slots=True)
class ComparedMetric:
    """A rate compared with the best group's."""

    name: str
    """Metric id without its section."""
    rate: str
    """Name of the rate; ``scoring_rate`` is counted from the scores."""
    kind: Literal["ratio", "difference"]
    """Which number of the comparison."""
    best: Literal["highest", "lowest"] = "highest"
    """Which rate is the reference."""
    crossed: bool = False
    """Whether it is measured for intersections too."""


_NO_LABEL = "no label is known for anyone in this group"
_NO_POSITIVE = "nobody in this group has the positive label"
_NO_NEGATIVE = "nobody in this group has the negative label"
_NONE_POSITIVE = "nobody in this group is predicted positive and has a label"
_NONE_NEGATIVE = "nobody in this group is predicted negative and has a label"

RATES: tuple[RateMetric, ...] = (
    RateMetric("base_rate", count_base, _NO_LABEL, crossed=True),
    RateMetric("selection_rate", count_selected, "nobody is in this group", needs_label=False, crossed=True),
    RateMetric("true_positive_rate", count_true_positive, _NO_POSITIVE, crossed=True),
    RateMetric("false_positive_rate", count_false_positive, _NO_NEGATIVE, crossed=True),
    RateMetric("precision", count_precision, _NONE_POSITIVE, crossed=True),
    RateMetric("accuracy", count_correct, _NO_LABEL, crossed=True),
    RateMetric("error_rate", count_wrong, _NO_LABEL, crossed=True),
    RateMetric("true_negative_rate", count_true_negative, _NO_NEGATIVE),
    RateMetric("false_negative_rate", count_false_negative, _NO_POSITIVE),
    RateMetric("negative_predictive_value", count_negative_predictive, _NONE_NEGATIVE),
    RateMetric("false_discovery_rate", count_false_discovery, _NONE_POSITIVE),
    RateMetric("false_omission_rate", count_false_omission, _NONE_NEGATIVE),
)
"""Rates by group, in display order; a new rate is a function above and a row here (and its definition)."""

COMPARED: tuple[ComparedMetric, ...] = (
    ComparedMetric("selection_rate_ratio", "selection_rate", "ratio", crossed=True),
    ComparedMetric("selection_rate_difference", "selection_rate", "difference", crossed=True),
    ComparedMetric("true_positive_rate_difference", "true_positive_rate", "difference", crossed=True),
    ComparedMetric("true_positive_rate_ratio", "true_positive_rate", "ratio"),
    ComparedMetric("false_positive_rate_difference", "false_positive_rate", "difference", "lowest", crossed=True),
    ComparedMetric("false_positive_rate_ratio", "false_positive_rate", "ratio", "lowest"),
    ComparedMetric("false_negative_rate_difference", "false_negative_rate", "difference", "lowest"),
    ComparedMetric("false_negative_rate_ratio", "false_negative_rate", "ratio", "lowest"),
    ComparedMetric("true_negative_rate_difference", "true_negative_rate", "difference"),
    ComparedMetric("precision_difference", "precision", "difference", crossed=True),
    ComparedMetric("precision_ratio", "precision", "ratio"),
    ComparedMetric("negative_predictive_value_difference", "negative_predictive_value", "difference"),
    ComparedMetric("false_discovery_rate_ratio", "false_discovery_rate", "ratio", "lowest"),
    ComparedMetric("false_omission_rate_difference", "false_omission_rate", "difference", "lowest"),
    ComparedMetric("false_omission_rate_ratio", "false_omission_rate", "ratio", "lowest"),
    ComparedMetric("accuracy_difference", "accuracy", "difference", crossed=True),
    ComparedMetric("accuracy_ratio", "accuracy", "ratio"),
    ComparedMetric("error_rate_ratio", "error_rate", "ratio", "lowest", crossed=True),
    ComparedMetric("error_rate_difference", "error_rate", "difference", "lowest"),
)
"""Comparisons of rates with the best group, in display order."""
