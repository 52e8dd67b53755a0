"""Words for facts that people chose from a list in documents.yaml, a further part of `words`.

Comes in: a fact's name and its value. Goes out: the value as a reader meets it, in the language of the report.
"""

from __future__ import annotations

from collections.abc import Sequence

from .tongue import tell

FACT_WORDS: dict[str, dict[str, str]] = {
    "system.role": {
        "provider": "provides the system",
        "deployer": "uses the system",
        "both": "provides and uses the system",
    },
    "system.risk_class": {
        "high": "high risk",
        "limited": "limited risk",
        "minimal": "minimal risk",
        "prohibited": "prohibited practice",
    },
    "system.decision_kind": {
        "selection": "selects people",
        "score": "scores people",
        "classification": "puts people into classes",
        "amount": "sets amounts",
    },
    "system.decision_automation": {
        "solely_automated": "decided by the system alone",
        "decisive_score": "decided by a person who draws strongly on the score",
        "human_reviewed": "reviewed by a person",
    },
    "system.stage": {
        "development": "in development",
        "pre_release": "before release",
        "production": "in production",
    },
    "system.materiality": {
        "high": "high materiality",
        "medium": "medium materiality",
        "low": "low materiality",
    },
    "system.automation_ground": {
        "contract": "necessary for a contract",
        "law": "permitted by law",
        "consent": "explicit consent",
        "none": "no ground",
    },
}
"""Fact to its values, and what a reader is told."""


def say_fact(value: bool | float | str | Sequence[str], name: str) -> str:
    """Return the value of a fact as a reader meets it.

    Parameters
    ----------
    value : bool, float, str or sequence of str
        As stated.
    name : str
        The fact.

    Examples
    --------
    >>> say_fact("pre_release", "system.stage")
    'before release'
    >>> say_fact(("EU", "US-NYC"), "system.jurisdictions")
    'EU, US-NYC'
    """
    if isinstance(value, bool):
        return tell("yes" if value else "no")
    if isinstance(value, str | int | float):
        known = FACT_WORDS.get(name, {}).get(str(value))
        return tell(known) if known else str(value).replace("_", " ")
    return ", ".join(item.replace("_", " ") for item in value)
