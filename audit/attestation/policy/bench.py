"""The evidence laid out for judging: every number findable by metric, group, feature and model.

Comes in: evidence, papers and the day of judgement. Goes out: a `Bench`. Looking a number up costs the same however
large the evidence is, and what is not there has its reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from audit.evidence import (
    Change,
    CountTable,
    Data,
    Evidence,
    Fairness,
    FeatureUsed,
    Measurement,
    NotDone,
    Papers,
    Performance,
)
from audit.evidence.papers import FactValue

from .shown import show_facts
from .vocabulary import COMPUTED_FACTS

UNKNOWN = "unknown"
"""Value of an attribute where it is missing."""
Key = tuple[str, frozenset[str], str | None, str | None, str | None]
CountKey = tuple[str, frozenset[tuple[str, str]], str | None]


@dataclass(frozen=True, slots=True)
class Bench:
    """Evidence laid out for judging.

    Parameters
    ----------
    evidence : Evidence
        What was measured.
    papers : Papers
        What people supplied.
    as_of : datetime.date
        The day of judgement.
    numbers : dict
        Metric, attributes, feature, model, outcome to its measurements.
    tables : dict
        Attributes to their count table.
    attributes : dict
        Every name of a protected attribute (its own, and what it stands for) to its own name.
    groups : dict
        Attributes to the groups that occur, each as attribute to value.
    facts : dict
        Facts, supplied and computed.
    features : dict
        Model features by name.
    counts : dict
        Rate, group and outcome to numerator and rows.
    sizes : dict
        Group to its rows.
    small : frozenset
        Groups that are marked as small.
    outcomes : dict
        Metric to the bands or classes that it was measured for; None stands for the decision itself.
    outcome : str or None
        Band or class that numbers and counts are looked up for; None for the decision itself.
    changes : tuple of Change
        What differs from an earlier audit or a champion.
    """

    evidence: Evidence
    papers: Papers
    as_of: date
    numbers: dict[Key, list[Measurement]]
    tables: dict[frozenset[str], CountTable]
    attributes: dict[str, str]
    groups: dict[frozenset[str], list[dict[str, str]]]
    facts: dict[str, FactValue]
    features: dict[str, FeatureUsed]
    counts: dict[CountKey, tuple[int, int]] = field(default_factory=dict)
    sizes: dict[frozenset[tuple[str, str]], int] = field(default_factory=dict)
    small: frozenset[frozenset[tuple[str, str]]] = frozenset()
    outcomes: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    outcome: str | None = None
    changes: tuple[Change, ...] = ()

    def find(
        self, metric: str, attributes: Iterable[str] = (), feature: str | None = None, model: str | None = None
    ) -> list[Measurement]:
        """Return the measurements of a metric on a scope; empty where there is none."""
        return self.numbers.get((metric, frozenset(attributes), feature, model, self.outcome), [])

    def about(self, outcome: str | None) -> Bench:
        """Return the same bench, for the numbers about one band or class."""
        return self if outcome == self.outcome else replace(self, outcome=outcome)

    def outcomes_of(self, metric: str) -> tuple[str | None, ...]:
        """Return the bands or classes that a metric was measured for, in their order; None for the decision itself."""
        return self.outcomes.get(metric, (None,))

    def count_of(self, rate: str, group: dict[str, str]) -> tuple[int, int] | None:
        """Return numerator and rows of a rate in a group, in whole people; None where they are not known."""
        return self.counts.get((rate, frozenset(group.items()), self.outcome))

    def size_of(self, group: dict[str, str]) -> int | None:
        """Return the rows of a group; None where they are not known."""
        return self.sizes.get(frozenset(group.items()))

    def reason(self, metric: str) -> str:
        """Return why a number of this metric is not there."""
        if metric == "change.shape_distance" and self.changes:
            return "not measured: no feature has a shape on both sides"
        if metric.startswith("change.") and self.changes:
            return f"not measured: {self.changes[0].pairing.note}"
        section = getattr(self.evidence, metric.partition(".")[0], None)
        if isinstance(section, NotDone):
            return f"not measured: {section.not_done}"
        return "not measured: the evidence holds no such number"

    @property
    def training_caution(self) -> str:
        """Why performance may favour the black box; empty where it does not."""
        section = self.evidence.performance
        return section.caution if isinstance(section, Performance) else ""

    @property
    def columns(self) -> set[str]:
        """Columns that are known, as features or otherwise."""
        data = self.evidence.data
        names = {column.name for column in data.columns} if isinstance(data, Data) else set()
        return names | set(self.features) | {attribute.column for attribute in self.evidence.subject.attributes}


def lay_out(evidence: Evidence, papers: Papers, as_of: date, changes: tuple[Change, ...] = ()) -> Bench:
    """Lay evidence out for judging.

    Parameters
    ----------
    evidence : Evidence
        What was measured.
    papers : Papers
        What people supplied.
    as_of : datetime.date
        The day of judgement (UTC).
    changes : tuple of Change
        What differs from an earlier audit or a champion; the numbers of the first are found like those of the evidence.
    """
    numbers: dict[Key, list[Measurement]] = defaultdict(list)
    about_change = changes[0].measurements if changes else ()
    for item in (*evidence.measurements(), *about_change):
        about = frozenset(item.group) or frozenset(part.strip() for part in (item.attribute or "").split(" * ") if part)
        numbers[item.metric, about, item.feature, item.model, item.outcome].append(item)
    subject = evidence.subject
    names = {attribute.stands_for: attribute.name for attribute in subject.attributes if attribute.stands_for}
    names |= {attribute.name: attribute.name for attribute in subject.attributes}
    tables = evidence.fairness.tables if isinstance(evidence.fairness, Fairness) else ()
    return Bench(
        evidence,
        papers,
        as_of,
        dict(numbers),
        {frozenset(table.attributes): table for table in tables},
        names,
        _collect_groups(evidence),
        _collect_facts(evidence, papers, changes),
        {feature.name: feature for feature in subject.features},
        _collect_counts(evidence, tables),
        *_collect_sizes(evidence),
        _collect_outcomes(evidence),
        changes=changes,
    )


def _collect_outcomes(evidence: Evidence) -> dict[str, tuple[str | None, ...]]:
    found: dict[str, dict[str | None, None]] = defaultdict(dict)
    for item in evidence.measurements():
        found[item.metric][item.outcome] = None
    return {metric: tuple(outcomes) for metric, outcomes in found.items()}


def _collect_groups(evidence: Evidence) -> dict[frozenset[str], list[dict[str, str]]]:
    groups: dict[frozenset[str], list[dict[str, str]]] = defaultdict(list)
    for section in (evidence.fairness, evidence.data):
        for group in section.groups if isinstance(section, Fairness | Data) else ():
            if group.scope not in groups[frozenset(group.attributes)]:
                groups[frozenset(group.attributes)].append(group.scope)
    return dict(groups)


def _collect_sizes(
    evidence: Evidence,
) -> tuple[dict[frozenset[tuple[str, str]], int], frozenset[frozenset[tuple[str, str]]]]:
    sizes, small = {}, set()
    for section in (evidence.data, evidence.fairness):
        for group in section.groups if isinstance(section, Fairness | Data) else ():
            key = frozenset(group.scope.items())
            sizes[key] = group.n
            if group.small:
                small.add(key)
    return sizes, frozenset(small)


def _collect_facts(evidence: Evidence, papers: Papers, changes: tuple[Change, ...]) -> dict[str, FactValue]:
    computed = {name: read(evidence) for name, (_, read) in COMPUTED_FACTS.items()}
    known = {name: value for name, value in computed.items() if value is not None}
    return {**known, **papers.facts, **show_facts(evidence, changes)}


def _collect_counts(evidence: Evidence, tables: Iterable[CountTable]) -> dict[CountKey, tuple[int, int]]:
    """Collect whole people behind rates: as printed with the rate, else from the count tables."""
    counts: dict[CountKey, tuple[int, int]] = {}
    for table in tables:
        for cell in table.cells:
            scope = frozenset(zip(table.attributes, cell.values, strict=True))
            if cell.decided:
                counts["fairness.selection_rate", scope, None] = (cell.favourable, cell.decided)
            if cell.labelled:
                counts["fairness.base_rate", scope, None] = (cell.positive, cell.labelled)
    for item in evidence.measurements():
        estimate = item.estimate
        if item.group and item.feature is None and item.model is None and estimate.count is not None and estimate.n:
            counts[item.metric, frozenset(item.group.items()), item.outcome] = (estimate.count, estimate.n)
    return counts
