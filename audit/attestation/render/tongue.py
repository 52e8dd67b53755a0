"""The language of a report: English as it stands in code and templates, any other from a table of its sentences.

Comes in: an English sentence with named places, and what fills them. Goes out: the sentence in the language of the
report that is being rendered. English is the key, so that code and templates stay readable and a sentence that nobody
translated is seen at once: in a test, and in the report as English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from audit.errors import AuditError
from audit.shipped import shipped_folder

ENGLISH = "en"
_PLACE = re.compile(r"\{(\w+)\}")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?![\w.]*\w)")
_POINTS = {"de": str.maketrans(",.", ".,")}
"""Language to what it writes for the English thousands separator and decimal point."""
_ECHOES = "echo*.json"
"""Files of a language with the sentences that evidence and judgement bring along."""
_SPOKEN: ContextVar[str] = ContextVar("spoken", default=ENGLISH)
"""Language of the report that this thread renders."""


class Heard(str):
    """A finished sentence in the language of the report: what is heard is not asked for again."""

    __slots__ = ()


class Untold(Heard):
    """A finished sentence that stays English in a report of another language."""

    __slots__ = ()


@contextmanager
def speak(language: str) -> Iterator[None]:
    """Render in `language` while the block runs.

    Parameters
    ----------
    language : str
        ``en``, or the name of a folder below ``templates/words``.
    """
    token = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def spoken() -> str:
    """Return the language that is being rendered."""
    return _SPOKEN.get()


def tell(text: str, /, **fields: object) -> str:
    """Return a sentence in the language of the report, with its places filled.

    Parameters
    ----------
    text : str
        The English sentence; places are written ``{name}``.
    **fields : object
        What fills them.

    Examples
    --------
    >>> tell("{name} is selected at {rate}", name="A", rate="61%")
    'A is selected at 61%'
    """
    said = translate(text)
    return said.format(**fields) if fields else said


def tell_many(one: str, many: str, number: int, /, **fields: object) -> str:
    """Return the sentence for one or for many, in the language of the report.

    Parameters
    ----------
    one, many : str
        The English sentences.
    number : int
        How many; also fills a place ``{number}`` unless `fields` does.

    Examples
    --------
    >>> tell_many("{number} row", "{number} rows", 1)
    '1 row'
    """
    return translate(one if number == 1 else many).format(**{"number": number, **fields})


def translate(text: str) -> str:
    """Return the sentence of the table for `text`; `text` itself in English, or where the table lacks it."""
    language = _SPOKEN.get()
    return text if language == ENGLISH else read_words(language).get(text, text)


def mark_points(text: str) -> str:
    """Return the text of a number with the separators of the report's language.

    Parameters
    ----------
    text : str
        A number with English separators and nothing else that holds a point or a comma.
    """
    table = _POINTS.get(_SPOKEN.get())
    return text.translate(table) if table else text


def echo(text: str) -> str:
    """Return a sentence that evidence or judgement brings along, in the language of the report.

    Such a sentence is finished English, numbers and names included, so the table is asked for a sentence with places
    that it fits; what stands in a place is echoed in turn. A sentence that fits none stays English, numbers and all.

    Parameters
    ----------
    text : str
        A finished English sentence.
    """
    language = _SPOKEN.get()
    if language == ENGLISH or not text:
        return text
    said = read_words(language).get(text)
    if said is not None:
        return said
    for start, pattern, translated in _read_patterns(language):
        if text.startswith(start) and (match := pattern.fullmatch(text)):
            return translated.format(**{name: echo(part) for name, part in match.groupdict().items()})
    return mark_points(text) if _NUMBER.fullmatch(text.rstrip("%").strip().lstrip("-−")) else text


@cache
def _read_patterns(language: str) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """Return sentences with places as patterns: those with more words of their own first."""
    found = []
    for english, said in read_words(language).items():
        parts = _PLACE.split(english)
        own = "".join(parts[::2])
        if len(parts) == 1 or len(own.strip()) < 4:
            continue
        source = "".join(_as_pattern(parts, index) for index in range(len(parts)))
        found.append((len(own), parts[0], re.compile(source, re.DOTALL), said))
    return tuple(item[1:] for item in sorted(found, key=lambda item: -item[0]))


def _as_pattern(parts: list[str], index: int) -> str:
    """Return one part of a sentence as a pattern: its own words, a place, or a place named a second time."""
    if index % 2 == 0:
        return re.escape(parts[index])
    return f"(?P={parts[index]})" if parts[index] in parts[1:index:2] else f"(?P<{parts[index]}>.+?)"


def translate_many(one: str, many: str, number: int) -> str:
    """Return the translated form for `number`; what the templates' plural blocks call."""
    return translate(one if number == 1 else many)


@cache
def read_words(language: str) -> dict[str, str]:
    """Return the table of a language, English sentence to its translation, from all files of its folder.

    Raises
    ------
    AuditError
        There is no such language, or two files translate the same sentence differently.
    """
    folder = shipped_folder("templates") / "words" / language
    table: dict[str, str] = {}
    files = sorted(folder.glob("*.json"))
    if not files:
        raise AuditError(f"no words for the language '{language}'", hint="languages: " + ", ".join(list_languages()))
    for file in files:
        for english, said in json.loads(file.read_text(encoding="utf-8")).items():
            if table.setdefault(english, said) != said:
                raise AuditError(f"{file.name} translates '{english}' a second time, and differently")
    return table


def list_languages() -> tuple[str, ...]:
    """Return the languages that a report can be rendered in."""
    folder = shipped_folder("templates") / "words"
    return (ENGLISH, *sorted(path.name for path in folder.glob("*") if path.is_dir()))
