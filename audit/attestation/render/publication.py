"""What a law asks to be made public: the tables, their texts, and what is still open before they may be published.

Comes in: a dossier. Goes out: a `Publication`: rates and impact ratios as they were judged, never computed anew, so
that the page on an employer's site and the sealed report cannot differ. A number that the audit does not hold is an
open item, not a blank.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from audit.evidence import (
    Dossier,
    Estimate,
    Evidence,
    Fairness,
    Measurement,
    RuleFinding,
    SuppliedText,
    Verdict,
)

NYC = "nyc-ll144"
PUBLICATIONS: dict[str, tuple[str, ...]] = {NYC: (f"publication/{NYC}.html", f"publication/{NYC}.csv")}
"""Pack to the files that it asks to be published."""
UNKNOWN = "unknown"
"""Value of an attribute where it is missing."""

_TABLES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("sex", "Sex categories", ("sex",)),
    ("race", "Race and ethnicity categories", ("race_ethnicity",)),
    ("intersection", "Race and ethnicity by sex", ("race_ethnicity", "sex")),
)
"""End of the rule's name, title, what a rule calls the attributes."""
_HEADS = {"sex": "Sex", "race_ethnicity": "Race and ethnicity"}
_MADE_LATER = ("publication.summary_url",)
"""Documents that cannot be there before the page is."""
_ABOUT_THE_PAGE = (
    "audit-age",
    "independent-auditor",
    "decision-kind",
    "category-counts",
    "unknown-count",
    "small-category-reason",
    "data-source",
    "test-data",
    "published-summary",
)
_OPEN = ("error", "fail", "inconclusive", "manual")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a tool gives, in the rule's words.

    Parameters
    ----------
    name : str
        ``selection``, ``score`` or ``classification``.
    rules : str
        How the rules' names begin.
    metric : str
        The rate.
    rate : str
        Its name for readers.
    counted : str
        Whom the numerator counts.
    meaning : str
        The rate, explained.
    """

    name: str
    rules: str
    metric: str
    rate: str
    counted: str
    meaning: str


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "selection",
            "selection-rate",
            "fairness.selection_rate",
            "Selection rate",
            "Selected",
            "The selection rate is the share of the people of a category whom the tool moves forward in hiring or "
            "promotion.",
        ),
        Kind(
            "score",
            "scoring-rate",
            "fairness.scoring_rate",
            "Scoring rate",
            "Above the median",
            "The scoring rate is the share of the people of a category who score above the median score of all people "
            "assessed (below it, where a low score is the favourable one).",
        ),
        Kind(
            "classification",
            "class-rate",
            "fairness.outcome_rate",
            "Rate",
            "Given the class",
            "The rate is the share of the people of a category to whom the tool gives the class.",
        ),
    )
}
"""Value of the fact `system.decision_kind` to what is published."""


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One category.

    Parameters
    ----------
    labels : tuple of str
        Value of each attribute, in the order of the table's heads; the class last, where there are classes.
    rate : Estimate or None
        The rate, with people and numerator; None where nothing was measured.
    ratio : float or None
        Impact ratio as judged; None where there is none.
    note : str
        Why there is no ratio.
    left_out : bool
        Whether the category was left out of the ratio as too small a share of the people.
    """

    labels: tuple[str, ...]
    rate: Estimate | None
    ratio: float | None = None
    note: str = ""
    left_out: bool = False

    @property
    def ratio_words(self) -> str:
        """The ratio as the law prints it, with two digits; a third where only the highest rate may read 1.00."""
        if self.ratio is None:
            return ""
        short = f"{self.ratio:.2f}"
        return short if short != "1.00" or self.ratio >= 1 else f"{min(self.ratio, 0.999):.3f}"


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Something to settle before the page is published.

    Parameters
    ----------
    title : str
        What is asked.
    because : str
        What is missing.
    """

    title: str
    because: str


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """The categories of one attribute, or of two together.

    Parameters
    ----------
    title : str
        Title.
    heads : tuple of str
        Heads of the label columns.
    rows : tuple of PublishedRow
        Categories in the order of the report.
    unknown : int or None
        People in no row, because their category is unknown; None where that is not known.
    problem : str
        Why there is no table; empty where there is one.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[PublishedRow, ...] = ()
    unknown: int | None = None
    problem: str = ""

    @property
    def people(self) -> int:
        """People in the rows (each once, also where there is a row per class)."""
        seen = {row.labels[: len(self.heads)]: row.rate.n or 0 for row in self.rows if row.rate}
        return sum(seen.values())


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything that is published.

    Parameters
    ----------
    dossier : Dossier
        The report that it is a part of.
    kind : Kind or None
        What the tool gives; None where nobody stated it.
    tables : tuple of PublishedTable
        The tables.
    texts : dict of str to SuppliedText
        What people supplied, by field.
    audited_on : str
        Day of the examination (ISO 8601): rendering old evidence again makes no audit younger.
    open : tuple of OpenItem
        What must be settled before publishing.
    """

    dossier: Dossier
    kind: Kind | None
    tables: tuple[PublishedTable, ...]
    texts: Mapping[str, SuppliedText]
    audited_on: str
    open: tuple[OpenItem, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """Categories that were left out of an impact ratio, in words, each once."""
        named = (", ".join(row.labels) for table in self.tables for row in table.rows if row.left_out)
        return tuple(dict.fromkeys(named))


def list_publications(dossier: Dossier) -> dict[str, tuple[str, ...]]:
    """Return which files of the report's folder a pack in force asks to be published, by pack.

    Parameters
    ----------
    dossier : Dossier
        The policies, and whether they apply; the report of a comparison publishes nothing.
    """
    applying = [item.pack for item in dossier.judgement.policies if item.applies == "yes" and dossier.kind == "audit"]
    return {pack: PUBLICATIONS[pack] for pack in applying if pack in PUBLICATIONS}


def build_publication(dossier: Dossier) -> Publication:
    """Return what New York City's Local Law 144 asks an employer to publish (6 RCNY 5-303(a)).

    Parameters
    ----------
    dossier : Dossier
        Evidence and judgement.
    """
    kind = KINDS.get(str(dossier.judgement.papers.facts.get("system.decision_kind", "")))
    findings = {item.rule.partition("/")[2]: item for item in dossier.judgement.findings if item.pack == NYC}
    tables = tuple(_list_tables(kind, dossier.evidence, findings)) if kind else ()
    started = dossier.evidence.provenance.started or dossier.presentation.created
    return Publication(
        dossier=dossier,
        kind=kind,
        tables=tables,
        texts={text.field: text for text in dossier.judgement.papers.texts},
        audited_on=started.partition("T")[0],
        open=tuple(dict.fromkeys(_list_open(dossier, kind, tables, findings))),
    )


def _list_tables(kind: Kind, evidence: Evidence, findings: Mapping[str, RuleFinding]) -> Iterator[PublishedTable]:
    known = {a.stands_for or a.name: a.name for a in evidence.subject.attributes}
    for ending, title, attributes in _TABLES:
        heads = tuple(_HEADS[name] for name in attributes)
        missing = [name for name in attributes if name not in known]
        finding = findings.get(f"{kind.rules}-{ending}")
        if missing or finding is None:
            why = f"this audit measures no attribute '{missing[0]}'" if missing else "the policy holds no such rule"
            yield PublishedTable(title, heads, problem=why)
            continue
        names = tuple(known[name] for name in attributes)
        rows = tuple(_list_rows(kind, names, finding, evidence))
        problem = "" if rows else finding.verdicts[0].because
        yield PublishedTable(title, heads, rows, _count_unknown(names, evidence), problem)


def _list_rows(kind: Kind, names: tuple[str, ...], finding: RuleFinding, evidence: Evidence) -> Iterator[PublishedRow]:
    rates = {
        (frozenset(item.group.items()), item.outcome): item.estimate
        for item in evidence.measurements()
        if item.metric == kind.metric and _is_of_people(item, names)
    }
    judged = {(frozenset(item.group.items()), item.outcome): item for item in finding.verdicts if item.group}
    keys = [key for key in rates if UNKNOWN not in dict(key[0]).values()]
    labelled = {key: (*(dict(key[0])[name] for name in names), *([key[1]] if key[1] else ())) for key in keys}
    places = _places_of(evidence, names)
    for key in sorted(keys, key=lambda key: [places.get(label, 0) for label in labelled[key]]):
        yield _show_row(labelled[key], rates[key], judged.get(key))


def _is_of_people(item: Measurement, names: tuple[str, ...]) -> bool:
    return item.model is None and item.feature is None and set(item.group) == set(names)


def _places_of(evidence: Evidence, names: tuple[str, ...]) -> dict[str, int]:
    """Return the place of every value and class in the order of the report."""
    groups = evidence.fairness.groups if isinstance(evidence.fairness, Fairness) else ()
    values = [group.values[0] for name in names for group in groups if group.attributes == (name,)]
    decision = evidence.subject.decision
    classes = (*(decision.outcomes if decision else ()), *evidence.subject.classes)
    return {value: place for place, value in enumerate(dict.fromkeys((*values, *classes)))}


def _show_row(labels: tuple[str, ...], rate: Estimate, verdict: Verdict | None) -> PublishedRow:
    if verdict is None:
        return PublishedRow(labels, rate, note="not compared")
    if verdict.status == "not_applicable":
        return PublishedRow(labels, rate, note=verdict.because, left_out=True)
    if verdict.observed is None or verdict.observed.value is None:
        return PublishedRow(labels, rate, note=verdict.because)
    return PublishedRow(labels, rate, verdict.observed.value)


def _count_unknown(names: tuple[str, ...], evidence: Evidence) -> int | None:
    groups = evidence.fairness.groups if isinstance(evidence.fairness, Fairness) else ()
    own = [group for group in groups if set(group.attributes) == set(names)]
    return sum(group.n for group in own if UNKNOWN in group.values) if own else None


def _list_open(
    dossier: Dossier,
    kind: Kind | None,
    tables: Iterable[PublishedTable],
    findings: Mapping[str, RuleFinding],
) -> Iterator[OpenItem]:
    if kind is None and "decision-kind" not in findings:
        yield OpenItem("The kind of tool", "nobody stated whether it selects, scores or classifies people")
    for table in tables:
        if table.problem:
            yield OpenItem(table.title, table.problem)
    for name in _ABOUT_THE_PAGE:
        for verdict in findings[name].verdicts if name in findings else ():
            if verdict.status in _OPEN and not any(field in verdict.scope for field in _MADE_LATER):
                yield OpenItem(findings[name].title, verdict.because)
    stated = dossier.judgement.papers.facts.get("data.small_categories_excluded")
    if stated is False and any(row.left_out for table in tables for row in table.rows):
        yield OpenItem(
            "Categories left out of the impact ratio",
            "the fact data.small_categories_excluded says that there are none; correct it and justify each",
        )
