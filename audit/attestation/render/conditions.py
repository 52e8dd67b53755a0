"""Conditions that tell a part of the rows, in the language of the report: ``income under 1200 and region = north``.

Comes in: the conditions as evidence holds them, and the columns they are on. Goes out: the same, with columns and
levels as the data name them. The columns are known, so that a level of several words, or with an "and" of its own, is
taken apart from the words around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import permutations

from .change_numbers import say_place
from .tongue import ENGLISH, echo, spoken, tell
from .words import lower_first, prettify

_NUMBER = r"-?[\d.]+(?:e[-+]?\d+)?"
_FORMS: tuple[tuple[re.Pattern[str], Callable[..., str]], ...] = (
    (re.compile(r"= (.*)", re.DOTALL), lambda column, level: f"{column} = {say_place(level)}"),
    (re.compile("missing"), lambda column: tell("{feature} missing", feature=column)),
    (re.compile(rf"under ({_NUMBER})"), lambda column, high: _between(column, high=high)),
    (re.compile(rf"({_NUMBER}) and over"), lambda column, low: _between(column, low=low)),
    (re.compile(rf"from ({_NUMBER}) to under ({_NUMBER})"), lambda column, *ends: _between(column, *ends)),
)
"""What may stand behind the name of a column, and how it is said."""


def say_conditions(text: str, columns: Sequence[str]) -> str:
    """Return conditions in the language of the report.

    Parameters
    ----------
    text : str
        One or two conditions, joined by "and".
    columns : sequence of str
        The columns that they are on.
    """
    if spoken() == ENGLISH:
        return text
    for order in permutations(columns):
        joined = " and ".join(f"{re.escape(column)} (.+)" for column in order)
        found = re.fullmatch(joined, text, re.DOTALL)
        said = [_say(column, rest) for column, rest in zip(order, found.groups(), strict=True)] if found else [""]
        if all(said):
            first, *others = said
            return tell("{first} and {second}", first=first, second=others[0]) if others else first
    return echo(text)


def say_part(text: str, columns: Sequence[str]) -> str:
    """Return the conditions of a part of the rows, with its columns as readers meet them.

    Parameters
    ----------
    text : str
        One or two conditions, joined by "and".
    columns : sequence of str
        The columns that they are on.
    """
    said = say_conditions(text, columns)
    for column in sorted(columns, key=len, reverse=True):
        if "_" in column:
            said = said.replace(column, lower_first(prettify(column)))
    return said


def _say(column: str, rest: str) -> str:
    """Return one condition; empty where it has none of the known forms."""
    for form, say in _FORMS:
        found = form.fullmatch(rest)
        if found:
            return say(column, *found.groups())
    return ""


def _between(column: str, low: str = "", high: str = "") -> str:
    low, high = say_place(low), say_place(high)
    if low and high:
        return tell("{feature} from {low} to under {high}", feature=column, low=low, high=high)
    if low:
        return tell("{feature} {low} and over", feature=column, low=low)
    return tell("{feature} under {high}", feature=column, high=high)
