"""Facts that people state although the audit itself can show them: where it does, nobody's word stands against it.

Comes in: the evidence and its changes. Goes out: the facts that they show, and what to say where the papers differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audit.evidence import Change, Evidence, Fairness, Group, Papers
from audit.evidence.papers import FactValue

_SMALL_CATEGORY = 0.02
"""Share below which 6 RCNY 5-301(d) lets a category be left out, for a reason that the auditor writes."""
_CATEGORIES = ("sex", "race_ethnicity")


def show_facts(evidence: Evidence, changes: Sequence[Change]) -> dict[str, FactValue]:
    """Return the facts that an audit shows by itself.

    Parameters
    ----------
    evidence : Evidence
        For the sizes of groups.
    changes : sequence of Change
        What it was compared with: after an earlier audit it is not the first one.

    Returns
    -------
    dict
        Only facts that are shown; what is absent is left to whoever states it.
    """
    shown: dict[str, FactValue] = {}
    if _has_small_category(evidence):
        shown["data.small_categories_excluded"] = True
    if any(change.against == "previous_audit" for change in changes):
        shown["system.is_first_audit"] = False
    return shown


def warn_of_facts(papers: Papers, evidence: Evidence, changes: Sequence[Change]) -> Iterable[str]:
    """Tell of stated facts that the audit shows to be otherwise.

    Parameters
    ----------
    papers : Papers
        What was stated.
    evidence, changes : Evidence, sequence of Change
        As for `show_facts`.
    """
    for name, value in show_facts(evidence, changes).items():
        if name in papers.facts and papers.facts[name] != value:
            yield f"documents: {name} is not what the audit shows; the rules go by the audit: {str(value).lower()}"


def _has_small_category(evidence: Evidence) -> bool:
    """Return whether a category of sex, of race and ethnicity, or of both is below 2 % of the people."""
    names = {item.name for item in evidence.subject.attributes if (item.stands_for or item.name) in _CATEGORIES}
    people: dict[tuple[str, ...], list[Group]] = {}
    for group in evidence.fairness.groups if isinstance(evidence.fairness, Fairness) else ():
        if set(group.attributes) <= names:
            people.setdefault(group.attributes, []).append(group)
    return any(
        group.n < _SMALL_CATEGORY * sum(other.n for other in groups)
        for groups in people.values()
        for group in groups
        if "unknown" not in group.values
    )
