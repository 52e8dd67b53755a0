"""Whether a pack or a rule applies to this system: yes, no, or not known.

Comes in: conditions on facts, and the facts that people supplied. Goes out: an `Answer` with its reason. A fact that
nobody filled in, or one that is coarser than the question (``US`` where ``US-NYC`` is asked), makes the answer "not
known"; it never makes a rule go away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Literal

from audit.evidence.papers import FactValue

from .pack import Condition, Law
from .phrase import parse_phrase, read_number
from .vocabulary import FACTS, PLACES_WITHIN

Word = Literal["yes", "no", "unknown", "not_yet"]
_NOT_YET = {
    "proposed": "the law is proposed, and nothing more",
    "adopted_not_yet_applicable": "the law does not apply yet, and its pack names no day from which it will",
}
_WORST: dict[Word, int] = {"no": 0, "unknown": 1, "yes": 2}


@dataclass(frozen=True, slots=True)
class Applicability:
    """Whether something applies.

    Parameters
    ----------
    word : {"yes", "no", "unknown", "not_yet"}
        The answer.
    because : str
        The condition that failed, or the facts to fill in.
    """

    word: Word
    because: str = ""


def ask_facts(conditions: Mapping[str, Condition], facts: Mapping[str, FactValue]) -> Applicability:
    """Return whether all conditions hold.

    Parameters
    ----------
    conditions : mapping
        Fact name to a value, a list of values and globs, or a phrase about a number.
    facts : mapping
        Facts as supplied or computed.
    """
    answers = {name: _ask(name, wanted, facts.get(name)) for name, wanted in conditions.items()}
    failed = [name for name, answer in answers.items() if answer == "no"]
    if failed:
        name = failed[0]
        return Applicability(
            "no", f"it applies where {name} is {_say(conditions[name])}; here it is {_say(facts[name])}"
        )
    open_ = [name for name, answer in answers.items() if answer == "unknown"]
    if open_:
        return Applicability(
            "unknown",
            "whether it applies is not known: "
            + "; ".join(_say_missing(name, conditions[name], facts) for name in open_),
        )
    return Applicability("yes")


def ask_law(law: Law, as_of: date) -> Applicability:
    """Return whether a law is in time on the day of judgement: what is no law yet, or no longer, never fails a run."""
    if law.applies_from and as_of < law.applies_from:
        return Applicability("not_yet", f"the law applies from {law.applies_from.isoformat()}")
    if law.applies_until and as_of > law.applies_until:
        return Applicability("no", f"the law applied until {law.applies_until.isoformat()}")
    if law.status == "repealed" and not law.applies_until:
        return Applicability("no", "the law was repealed")
    if law.status in _NOT_YET and not law.applies_from:
        return Applicability("not_yet", _NOT_YET[law.status])
    return Applicability("yes")


def _say_missing(name: str, wanted: Condition, facts: Mapping[str, FactValue]) -> str:
    if name not in facts:
        return f"fill in {name} ({_describe(name)}) under facts in documents.yaml"
    return f"{name} is {_say(facts[name])}, which does not tell whether it is {_say(wanted)}"


def _describe(name: str) -> str:
    """Return what a fact states, and which values it may have."""
    fact = FACTS.get(name)
    if fact is None:
        return name
    values = ", ".join(fact.values) if fact.kind == "choice" else "true or false" if fact.kind == "flag" else ""
    return f"{fact.title}: {values}" if values else fact.title


def _say(value: Condition | FactValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return " or ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _ask(name: str, wanted: Condition, value: FactValue | None) -> Word:
    if value is None:
        return "unknown"
    if isinstance(wanted, bool):
        return "yes" if value is wanted else "no"
    kind = FACTS[name].kind if name in FACTS else "flag"
    if kind == "number":
        return _ask_number(str(wanted), value)
    options = wanted if isinstance(wanted, tuple) else (wanted,)
    values = value if isinstance(value, tuple) else (value,)
    if not values:
        return "unknown"  # an empty list is one that nobody filled in
    answers = [_match(str(option), str(item)) for option in options for item in values]
    return max(answers, key=_WORST.__getitem__)


def _ask_number(wanted: str, value: FactValue) -> Word:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "unknown"
    return "yes" if parse_phrase(wanted, {}).holds(read_number(value)) else "no"


def _match(pattern: str, value: str) -> Word:
    """Match one value; a finer value lies in a coarser pattern, a coarser one leaves it open."""
    places = (value, *PLACES_WITHIN.get(value, ()))
    for place in places:
        if fnmatchcase(place, pattern) or place.startswith((f"{pattern}-", f"{pattern}.")):
            return "yes"
    stem = pattern.rstrip("*").rstrip("-.")
    wider = (pattern, stem, *PLACES_WITHIN.get(stem, ()))
    coarser = value in wider[2:] or any(item.startswith((f"{value}-", f"{value}.")) for item in wider)
    return "unknown" if coarser or (value == stem and value != pattern) else "no"


def as_number(value: FactValue) -> Fraction | None:
    """Return a fact as a number; None where it is none."""
    return read_number(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
