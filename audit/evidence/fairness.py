"""Fairness by group: numbers, comparisons, and the count tables from which the second half judges."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from .base import Record, Section
from .estimate import Group, Measurement


class Cell(Record):
    """Counts of one group: label (positive, negative, unlabelled) by decision (favourable, unfavourable)."""

    values: tuple[str, ...]
    """Value of each attribute of the table; ``unknown`` where missing."""
    positive_favourable: int
    """Label positive, decision favourable."""
    positive_unfavourable: int
    """Label positive, decision unfavourable."""
    negative_favourable: int
    """Label negative, decision favourable."""
    negative_unfavourable: int
    """Label negative, decision unfavourable."""
    unlabelled_favourable: int = 0
    """No label, decision favourable."""
    unlabelled_unfavourable: int = 0
    """No label, decision unfavourable."""

    @property
    def n(self) -> int:
        """Rows of the group."""
        return self.favourable + (
            self.positive_unfavourable + self.negative_unfavourable + self.unlabelled_unfavourable
        )

    @property
    def favourable(self) -> int:
        """Rows decided favourably."""
        return self.positive_favourable + self.negative_favourable + self.unlabelled_favourable


class CountTable(Record):
    """Counts by one attribute or an intersection of several; whole people."""

    attributes: tuple[str, ...]
    """One or more attribute names."""
    cells: tuple[Cell, ...]
    """One cell per group that occurs, in display order."""

    @model_validator(mode="after")
    def _check_width(self) -> Self:
        if any(len(cell.values) != len(self.attributes) for cell in self.cells):
            raise ValueError("a cell has not one value per attribute")
        return self

    @property
    def name(self) -> str:
        """``sex`` or ``sex * race``."""
        return " * ".join(self.attributes)


class CrossCheck(Record):
    """The same metrics computed a second time by a library that nobody here wrote."""

    library: str
    """Name and version."""
    metrics: tuple[str, ...]
    """Metric ids compared."""
    rows: int
    """Rows used."""
    largest_difference: float
    """Largest absolute difference over all metrics and groups."""
    compared: int
    """Numbers compared."""
    skipped: tuple[str, ...] = ()
    """What was not compared and why (e.g. undefined here, 0 there)."""


class Fairness(Section):
    """Every attribute and intersection: rates, ratios, differences, each an Estimate."""

    groups: tuple[Group, ...]
    """Every group measured: single attributes first, then intersections."""
    tables: tuple[CountTable, ...]
    """Count tables, single attributes first."""
    measurements: tuple[Measurement, ...] = ()
    """By group: fairness.selection_rate, base_rate, true_positive_rate, false_positive_rate, precision, accuracy, auc,
    mean_score ...; to the best group: fairness.selection_rate_ratio, selection_rate_difference, ...; by attribute:
    fairness.equalized_odds_difference, worst-case ratio and difference, unknown_group_share."""
    cross_check: CrossCheck | None = None
    """The second computation."""
    literal: tuple[str, ...] = ()
    """The literal four-fifths result per attribute in one sentence each."""
