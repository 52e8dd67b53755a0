"""The kind of each column is settled: declared, else as the model's blocks read it, else as the values look.

Comes in: roles and facts. Goes out: a kind per column, with a line for each choice that a reader might not expect; a
date that the model would have to read is refused, because there is no one right number for it.
"""

from __future__ import annotations

from audit.config.schema import ExamineConfig
from audit.errors import DataError

from .kinds import DISTINCT_CAP, ColumnFacts
from .roles import Roles
from .values import Kind

FEWEST_NAMES = 20
"""Below this many rows, texts that all differ may still be levels."""

DATE_ADVICE = "turn it into a number, e.g. days or years before the decision, under a name that says so"


def settle_kinds(
    config: ExamineConfig, roles: Roles, facts: dict[str, ColumnFacts]
) -> tuple[dict[str, Kind], tuple[str, ...]]:
    """Settle the kind of every needed column.

    Parameters
    ----------
    config : ExamineConfig
        Holds declared kinds.
    roles : Roles
        What each column is for.
    facts : dict of str to ColumnFacts
        What each holds.

    Returns
    -------
    tuple of (dict of str to str, tuple of str)
        Kinds by column, and notes.

    Raises
    ------
    DataError
        A date among the features, a text where numbers are read, an infinite number.
    """
    kinds: dict[str, Kind] = {}
    notes: list[str] = []
    for name in roles.needed:
        kinds[name] = _settle_kind(config, roles, facts[name])
        if kinds[name] == "number":
            _check_finite(facts[name])
        expected = name in roles.coded or "id" in roles.used_as[name].split(", ")
        if kinds[name] == "category" and facts[name].why and not expected:
            notes.append(f"{name} is read as a category: {facts[name].why}")
    return kinds, tuple(notes)


def drop_unreadable(roles: Roles, facts: dict[str, ColumnFacts], rows: int) -> tuple[Roles, tuple[str, ...]]:
    """Take out of the features that nobody named what is hardly one: dates, nested values, names and identifiers.

    Where every free column was taken, a date among them is more likely bookkeeping than an input, and a text that is
    different in every row is a name: a curve over its levels would be a list of people.

    Parameters
    ----------
    roles : Roles
        What each column is for.
    facts : dict of str to ColumnFacts
        What each holds.
    rows : int
        Rows of the table.

    Returns
    -------
    tuple of (Roles, tuple of str)
        Roles without them, and a note for each.
    """
    if roles.named:
        return roles, ()
    odd = {name: why for name in roles.features if (why := _why_no_feature(facts[name], rows))}
    if not odd:
        return roles, ()
    used = {name: use for name, use in roles.used_as.items() if name not in odd or use != "feature"}
    kept = Roles(
        features=tuple(name for name in roles.features if name not in odd),
        named=False,
        numeric=roles.numeric,
        coded=roles.coded,
        needed=tuple(name for name in roles.needed if name in used),
        used_as=used,
    )
    return kept, tuple(f"{name} {why}, and is not taken as a feature" for name, why in odd.items())


def _why_no_feature(facts: ColumnFacts, rows: int) -> str:
    if facts.guess in ("date", "nested"):
        return f"holds {facts.odd}"
    if facts.guess == "category" and facts.distinct >= DISTINCT_CAP:
        return f"has {DISTINCT_CAP:,} different texts or more"
    if facts.guess == "category" and facts.distinct == rows - facts.missing and facts.distinct > FEWEST_NAMES:
        return "has a different text in every row"
    return ""


def _settle_kind(config: ExamineConfig, roles: Roles, facts: ColumnFacts) -> Kind:
    name, uses = facts.name, roles.used_as[facts.name].split(", ")
    declared = config.features[name].kind if name in config.features else None
    if declared is not None:
        if declared == "number" and not facts.is_number and facts.guess != "boolean":
            raise _not_a_number(facts, f"features.{name}.kind says number")
        return declared
    if facts.guess in ("date", "nested"):
        return _settle_unreadable(facts, uses)
    if "weight" in uses or "score" in uses:
        if not facts.is_number:
            raise _not_a_number(facts, f"it is the {'weight' if 'weight' in uses else 'score'} of a row")
        return "number"
    if "id" in uses or name in roles.coded:
        return "category"
    if name in roles.numeric and facts.guess != "boolean":
        if not facts.is_number:
            raise _not_a_number(facts, "the model reads it as one")
        return "number"
    return facts.kind


def _settle_unreadable(facts: ColumnFacts, uses: list[str]) -> Kind:
    """Let a date be an id or a text to match; it is no feature, no group, no number."""
    if "feature" in uses:
        raise DataError(
            f"the column '{facts.name}' holds {facts.odd}, and the model reads it",
            hint=DATE_ADVICE if facts.guess == "date" else "give the model numbers, texts or true and false",
        )
    if facts.guess == "nested" or set(uses) & {"group", "weight", "score", "label"}:
        raise DataError(
            f"the column '{facts.name}' holds {facts.odd} and cannot be the {uses[0]}",
            hint=DATE_ADVICE if facts.guess == "date" else "",
        )
    return "category"


def _not_a_number(facts: ColumnFacts, why: str) -> DataError:
    odd = facts.odd or "values that are no numbers"
    comma = "," in odd and any(sign.isdigit() for sign in odd)
    return DataError(
        f"the column '{facts.name}' should hold numbers ({why}), but holds {odd}",
        hint="declare data.csv.decimal if the comma is the decimal sign, and write no separators of thousands"
        if comma
        else "add it to data.missing if it means missing, write all numbers with the same decimal sign, or correct how "
        "the column is declared",
    )


def _check_finite(facts: ColumnFacts) -> None:
    if facts.infinite:
        raise DataError(
            f"the column '{facts.name}' holds infinite numbers in {facts.infinite:,} rows",
            hint="leave them empty, or put the number that was meant",
        )
