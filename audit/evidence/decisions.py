"""Individual decisions: principal reasons and what would change them, in numbers about many; nothing about one."""

from __future__ import annotations

from .base import Record, Section
from .estimate import Measurement


class Changeable(Record):
    """A feature that a person can change, as declared, and how far it was moved in the search."""

    feature: str
    """Feature name."""
    low: float | None = None
    """Lowest value tried: 1 % quantile of the audited rows; None for a category."""
    high: float | None = None
    """Highest value tried: 99 % quantile."""
    unit: float | None = None
    """Standard deviation of the audited rows: a change by it costs 1. A change of level costs 1."""
    levels: int = 0
    """Levels tried, for a category."""


class IndividualDecisions(Section):
    """Reasons for decisions against people, and what would change them."""

    rows: int
    """People decided against whose decisions were explained."""
    searched: int = 0
    """People decided against for whom a way to the other decision was searched."""
    rows_of: int
    """People decided against."""
    drawn: str
    """How they were drawn, and what decided how many."""
    background: str
    """Whom they are compared with."""
    background_rows: int
    """How many those are."""
    reasons: int
    """Most reasons per decision."""
    permutations: int
    """Orders of the features drawn for each person."""
    evaluations: int
    """Rows that the model was asked to score, in all."""
    changeable: tuple[Changeable, ...] = ()
    """Features that may be changed."""
    most_changes: int = 0
    """Most features changed at once."""
    flagged: tuple[str, ...] = ()
    """Features among the reasons that are prohibited, of a special category, or behind a protected attribute."""
    named: int = 0
    """People asked for by row id whose reasons were written to a file of their own."""
    named_missing: int = 0
    """Row ids asked for that no row has."""
    individuals: tuple[str, ...] = ()
    """Digest of each file about one person, sorted; the files lie outside of report and evidence."""
    parts_not_done: dict[str, str] = {}
    """Part of the section that was not carried out, to the reason."""
    measurements: tuple[Measurement, ...] = ()
    """decisions.*; a rank of reasons stands in `outcome`."""


class ReasonGiven(Record):
    """One reason for one decision."""

    feature: str
    """Feature name."""
    words: str
    """The reason in the words that were declared for the feature; empty where none were."""
    value: str
    """The person's own value."""
    usual: str
    """What is usual among those decided favourably: their median, or their most frequent level."""
    contribution: float
    """What the value adds to the score on the link scale, compared with those decided favourably."""
    error: float
    """Standard error of the contribution by sampling."""
    flagged: str = ""
    """Why this may be no reason to give: the feature is prohibited or protected; empty otherwise."""


class ChangeNeeded(Record):
    """One change of what would turn a decision."""

    feature: str
    """Feature name."""
    now: str
    """Own value."""
    then: str
    """Value that, with the other changes, turns the decision."""


class Individual(Record):
    """What is told to one person; a file of its own, outside of evidence and report."""

    schema_version: str = "individual/1"
    """Version of this document's form."""
    row: str
    """Row id."""
    system: str
    """System and version."""
    rule: str
    """The rule of the decision in words."""
    favourable: bool | None
    """The decision; None where none follows from the score."""
    score: float
    """Score."""
    compared_with: str
    """Whom the person is compared with."""
    reasons: tuple[ReasonGiven, ...]
    """Principal reasons, the most important first."""
    changes: tuple[ChangeNeeded, ...] = ()
    """What would turn the decision, verified by asking the model again."""
    cost: float | None = None
    """Sum of the changes in standard deviations; None where nothing was found or searched."""
    score_then: float | None = None
    """Score after the changes."""
    no_changes: str = ""
    """Why no change is told."""
    salt: str
    """Makes the digest of this file tell nothing once the file is deleted."""
