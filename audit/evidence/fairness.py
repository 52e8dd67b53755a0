"""Fairness by group: numbers, comparisons, and the count tables from which the second half judges."""

from __future__ import annotations

from typing import Literal, Self

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
    positive_undecided: int = 0
    """Label positive, where no decision was declared."""
    negative_undecided: int = 0
    """Label negative, where no decision was declared."""
    unlabelled_undecided: int = 0
    """No label, where no decision was declared."""

    @property
    def n(self) -> int:
        """Rows of the group."""
        return self.decided + self.positive_undecided + self.negative_undecided + self.unlabelled_undecided

    @property
    def decided(self) -> int:
        """Rows with a decision."""
        return self.favourable + (
            self.positive_unfavourable + self.negative_unfavourable + self.unlabelled_unfavourable
        )

    @property
    def favourable(self) -> int:
        """Rows decided favourably."""
        return self.positive_favourable + self.negative_favourable + self.unlabelled_favourable

    @property
    def labelled(self) -> int:
        """Rows whose label is known."""
        return self.n - self.unlabelled_favourable - self.unlabelled_unfavourable - self.unlabelled_undecided

    @property
    def positive(self) -> int:
        """Rows whose label is positive."""
        return self.positive_favourable + self.positive_unfavourable + self.positive_undecided


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


class OutcomeCell(Record):
    """People of one group with one true class (none for bands) and one band or predicted class."""

    values: tuple[str, ...]
    """Value of each attribute of the table; ``unknown`` where missing."""
    truth: str | None
    """True class; None where it is unknown, and for bands."""
    outcome: str
    """Band or predicted class."""
    n: int
    """Rows."""


class OutcomeTable(Record):
    """Counts by group, true class and band or predicted class; whole people."""

    attributes: tuple[str, ...]
    """One or more attribute names."""
    kind: Literal["band", "class"]
    """What the outcomes are."""
    outcomes: tuple[str, ...]
    """Bands or classes in their order."""
    cells: tuple[OutcomeCell, ...]
    """Cells that hold people."""


class Stratum(Record):
    """The groups of one attribute among the people who are alike in the strata columns."""

    name: str
    """What they have in common: ``grade=A, region=north``."""
    cells: tuple[Cell, ...]
    """Counts of each group here."""


class StratifiedTable(Record):
    """One attribute counted within strata: people who are alike in what may lawfully decide."""

    attribute: str
    """Attribute name."""
    by: tuple[str, ...]
    """Columns that make the strata."""
    reference: str
    """Group that odds and risks are compared with."""
    strata: tuple[Stratum, ...]
    """Strata in display order."""


class ThresholdCurve(Record):
    """What other cuts on the score would give one group."""

    values: tuple[str, ...]
    """The group."""
    selection_rate: tuple[float, ...]
    """Share decided favourably at each threshold."""
    true_positive_rate: tuple[float | None, ...] = ()
    """At each threshold; None where undefined, empty without labels."""
    false_positive_rate: tuple[float | None, ...] = ()
    """At each threshold."""


class ThresholdSweep(Record):
    """Every threshold at once, from the scores' distribution."""

    attribute: str
    """Attribute name."""
    thresholds: tuple[float, ...]
    """Cuts on the score, ascending."""
    today: float | None
    """The cut in use."""
    curves: tuple[ThresholdCurve, ...]
    """One per group that is large enough."""
    impact_ratio: tuple[float | None, ...]
    """Lowest impact ratio of the groups that are neither small nor unknown, at each threshold; point estimates."""
    selection_rate: tuple[float, ...]
    """Share of all people decided favourably."""
    accuracy: tuple[float | None, ...] = ()
    """Accuracy over all people; empty without labels."""
    error: float = 0.0
    """Largest error of a share that comes from binning the scores; 0 where exact."""


class CrossCheck(Record):
    """The same metrics computed a second time by a library that nobody here wrote."""

    software: str
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
    outcome_tables: tuple[OutcomeTable, ...] = ()
    """Counts by band or class, where there are more than two sides to a decision."""
    strata: tuple[StratifiedTable, ...] = ()
    """Attributes counted within strata."""
    sweeps: tuple[ThresholdSweep, ...] = ()
    """Other thresholds, one per attribute."""
    literal: tuple[str, ...] = ()
    """The literal four-fifths result per attribute in one sentence each."""
