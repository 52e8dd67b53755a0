"""Limits in words: ``at least 0.80``, ``between 5% and 10%``, ``one of a, b``, ``reported``.

Comes in: a phrase and the values of the pack's parameters. Goes out: a `Limit` that answers, in exact fractions,
whether a point or a whole interval complies. There are no operators and no expressions to write, on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from audit.errors import suggest_name

DIRECTIONS = ("increasing", "decreasing", "monotone", "flat", "smooth")
_NUMBER = r"(\$[A-Za-z_][A-Za-z0-9_]*|[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?\s*%?)"
_BOUND = re.compile(rf"^(at least|at most|above|below|exactly)\s+{_NUMBER}$")
_BETWEEN = re.compile(rf"^between\s+{_NUMBER}\s+and\s+{_NUMBER}$")
_OPTIONS = re.compile(r"^one of\s+(.+)$")
_HEADS = ("at least", "at most", "above", "below", "exactly", "between", "one of", "reported", "true", "false")
FORMS = (
    "write 'at least X', 'at most X', 'above X', 'below X', 'exactly X', 'between X and Y', 'one of a, b', "
    "'reported', 'true' or 'false'"
)


class PhraseError(ValueError):
    """A phrase that is none; carries what to do about it.

    Parameters
    ----------
    what : str
        The mistake.
    hint : str
        What to write instead.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        self.what, self.hint = what, hint
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Limit:
    """A phrase with its numbers filled in.

    Parameters
    ----------
    kind : str
        ``range``, ``options``, ``flag``, ``reported`` or ``direction``.
    words : str
        The limit for a reader, parameters replaced by their values.
    low, high : fractions.Fraction or None
        Ends of the allowed range; None where it has none.
    low_open, high_open : bool
        Whether the end itself is outside.
    options : tuple of str
        Allowed values (``options``), ``true`` or ``false`` (``flag``), the direction (``direction``).
    parameters : tuple of str
        Names of the parameters used.
    """

    kind: str
    words: str
    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False
    options: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()

    def holds(self, value: Fraction) -> bool:
        """Return whether a point lies in the allowed range."""
        above = self.low is None or value > self.low or (value == self.low and not self.low_open)
        below = self.high is None or value < self.high or (value == self.high and not self.high_open)
        return above and below

    def covers(self, low: Fraction | None, high: Fraction | None) -> bool:
        """Return whether the whole interval ``[low, high]`` lies in the allowed range (None: unbounded)."""
        left = self.low is None or (low is not None and (low > self.low or (low == self.low and not self.low_open)))
        right = self.high is None or (
            high is not None and (high < self.high or (high == self.high and not self.high_open))
        )
        return left and right

    def misses(self, low: Fraction | None, high: Fraction | None) -> bool:
        """Return whether no point of ``[low, high]`` lies in the allowed range."""
        under = self.low is not None and high is not None and (high < self.low or (high == self.low and self.low_open))
        over = self.high is not None and low is not None and (low > self.high or (low == self.high and self.high_open))
        return under or over

    def contains(self, other: Limit) -> bool:
        """Return whether everything that `other` allows is allowed here; both must be ranges."""
        left = self.low is None or (
            other.low is not None
            and (other.low > self.low or (other.low == self.low and (not self.low_open or other.low_open)))
        )
        right = self.high is None or (
            other.high is not None
            and (other.high < self.high or (other.high == self.high and (not self.high_open or other.high_open)))
        )
        return left and right


def read_number(value: str | float) -> Fraction:
    """Return a number exactly as it is written: ``0.8`` and ``80%`` are both four fifths.

    Parameters
    ----------
    value : str or float
        A number of a YAML file (read by its shortest decimal form) or a text.

    Examples
    --------
    >>> read_number("80%") == read_number(0.8)
    True
    """
    if isinstance(value, str):
        text = value.strip()
        return Fraction(text[:-1].strip()) / 100 if text.endswith("%") else Fraction(text)
    return Fraction(repr(value))


def parse_phrase(text: str, parameters: Mapping[str, Fraction]) -> Limit:
    """Return the limit that a phrase states.

    Parameters
    ----------
    text : str
        The phrase.
    parameters : mapping of str to fractions.Fraction
        Values of the pack's parameters, for ``$name``.

    Raises
    ------
    PhraseError
        It is no phrase, or names an unknown parameter.
    """
    phrase = " ".join(text.split())
    if phrase in ("true", "false"):
        return Limit("flag", phrase, options=(phrase,))
    if phrase == "reported":
        return Limit("reported", "reported")
    if phrase in DIRECTIONS:
        return Limit("direction", phrase, options=(phrase,))
    if match := _OPTIONS.match(phrase):
        options = tuple(part.strip() for part in match.group(1).split(","))
        if not all(options):
            raise PhraseError(f"'{phrase}' has an empty value", "write 'one of a, b'")
        return Limit("options", phrase, options=options)
    return _parse_range(phrase, parameters)


def _parse_range(phrase: str, parameters: Mapping[str, Fraction]) -> Limit:
    if match := _BETWEEN.match(phrase):
        low, high = (_fill(part, parameters) for part in match.groups())
        if low > high:
            raise PhraseError(f"'{phrase}' is empty: the first number is the larger one", "turn them round")
        words = f"between {_say(match.group(1), low)} and {_say(match.group(2), high)}"
        return Limit("range", words, low, high, parameters=_names(*match.groups()))
    match = _BOUND.match(phrase)
    if not match:
        raise PhraseError(f"'{phrase}' is no limit", _suggest(phrase))
    head, number = match.groups()
    value = _fill(number, parameters)
    words, names = f"{head} {_say(number, value)}", _names(number)
    lower = value if head in ("at least", "above", "exactly") else None
    upper = value if head in ("at most", "below", "exactly") else None
    return Limit("range", words, lower, upper, head == "above", head == "below", parameters=names)


def _fill(number: str, parameters: Mapping[str, Fraction]) -> Fraction:
    if not number.startswith("$"):
        return read_number(number)
    name = number[1:]
    if name not in parameters:
        raise PhraseError(f"unknown parameter '{number}'", suggest_name(name, parameters) or "declare it")
    return parameters[name]


def _names(*numbers: str) -> tuple[str, ...]:
    return tuple(number[1:] for number in numbers if number.startswith("$"))


def _say(number: str, value: Fraction) -> str:
    return f"{float(value):.6g}" if number.startswith("$") else number


def _suggest(phrase: str) -> str:
    words = phrase.split()
    for length in (2, 1):
        near = suggest_name(" ".join(words[:length]), (*_HEADS, *DIRECTIONS))
        if near:
            return f"{near}; {FORMS}"
    return FORMS
