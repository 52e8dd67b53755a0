"""The language of a report: English as it stands in code and templates, any other from a table of its sentences.

Comes in: an English sentence with named places, and what fills them. Goes out: the sentence in the language of the
report that is being rendered. English is the key, so that code and templates stay readable and a sentence that nobody
translated is seen at once: in a test, and in the report as English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from audit.errors import AuditError
from audit.shipped import shipped_folder

from .recognise import PART, WRITTEN, Sentences, is_clause, is_name

ENGLISH = "en"
_ASSIGNED = re.compile(r"(.+ [=≈<>] )([-−]?\d[\d,]*(?:\.\d+)?)")
_SENTENCE = re.compile(r"[A-Za-z]{2}\S* +\S*[A-Za-z]{2}")
"""Two words: what is one word is a name, and the same in every language."""
_ARITHMETIC = re.compile(r"[\d\s.,%()=≈<>/×*+−-]*\d [/=≈×*+−-] [\d\s.,%()=≈<>/×*+−-]*")
"""Numbers with signs of arithmetic between them, and no word."""
_DECIMAL = re.compile(r"\d[\d,]*(?:\.\d+)?")
_MINUS = re.compile(r"^-(?=\d)")
_CODE = re.compile(r"\w+: \{.*\}", re.DOTALL)
"""A line of YAML to be copied: in no language."""
_STOPS = ("; ", ". ", ": ", ", ")
"""What parts the sentences of a longer text, in the order in which they are tried."""
_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]\d+)?(?![\w.]*\w)")
_POINTS = {"de": str.maketrans(",.", ".,")}
"""Language to what it writes for the English thousands separator and decimal point."""
_PERCENT = {"de": "\u00a0%"}
"""Language to its per cent sign, where that does not touch its number."""
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_UNNAMED = re.compile(r"withheld group (\d+)")
"""What a public edition calls a group of too few people."""
_ORDINAL = {"de": "."}
"""Language to what stands behind the day of a month."""
_ECHOES = "echo*.json"
"""Files of a language with the sentences that evidence and judgement bring along."""
_SPOKEN: ContextVar[str] = ContextVar("spoken", default=ENGLISH)
"""Language of the report that this thread renders."""
_NAMED: ContextVar[Callable[[str], str]] = ContextVar("named", default=lambda text: text)
"""What puts names of the data within finished sentences into words."""


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


@contextmanager
def rename_with(rename: Callable[[str], str]) -> Iterator[None]:
    """Put names of the data within finished sentences into words while the block runs.

    Parameters
    ----------
    rename : callable
        A finished sentence to the same sentence with its names in words.
    """
    token = _NAMED.set(rename)
    try:
        yield
    finally:
        _NAMED.reset(token)


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


def percent_text(number: str) -> str:
    """Return a number, written already, as a share in per cent, apart from its sign where the language wants it so."""
    return number + _PERCENT.get(_SPOKEN.get(), "%")


def say_group(value: str) -> str:
    """Return the name of a group: as the data have it, or what stands for it where a public edition does not name it.

    Parameters
    ----------
    value : str
        A value of a protected attribute.

    Examples
    --------
    >>> say_group("withheld group 2"), say_group("north")
    ('withheld group 2', 'north')
    """
    found = _UNNAMED.fullmatch(value)
    return tell("withheld group {number}", number=found[1]) if found else value


def say_day(day: date) -> str:
    """Return a day in words: ``21 November 2026``.

    Parameters
    ----------
    day : datetime.date
        The day.
    """
    ordinal = _ORDINAL.get(_SPOKEN.get(), "")
    return f"{day.day}{ordinal}\u00a0{tell(MONTHS[day.month - 1])}\u00a0{day.year}"


def echo(text: str) -> str:
    """Return a sentence that evidence or judgement brings along, in the language of the report.

    Such a sentence is finished English, numbers and names included, so the table is asked for a sentence with places
    that it fits; what stands in a place is echoed in turn. A sentence that fits none is asked for part by part, and
    stays English where a part is unknown.

    Parameters
    ----------
    text : str
        A finished English sentence.

    Returns
    -------
    str
        In English the text itself. Else a `Heard`, which may be echoed again and stays as it is; an `Untold` where the
        sentence stays English.
    """
    language, rename = _SPOKEN.get(), _NAMED.get()
    if not text or isinstance(text, Heard):
        return text
    if language == ENGLISH:
        return rename(text)
    said = _hear(language, text)
    return Heard(rename(said)) if said is not None else Untold(rename(text))


@lru_cache(maxsize=8192)
def _hear(language: str, text: str) -> str | None:
    """Return a finished sentence in a language; None where its table does not know it."""
    said = read_words(language).get(text)
    if said is not None:
        return said
    if _CODE.fullmatch(text):
        return text
    if _DAY.fullmatch(text):
        return _hear_day(text)
    if _NUMBER.fullmatch(text.rstrip("%").strip().lstrip("-−+<>= ")):
        text = _MINUS.sub("−", text)
        return percent_text(mark_points(text[:-1])) if text[-2:-1].isdigit() and text[-1] == "%" else mark_points(text)
    if _ARITHMETIC.fullmatch(text):
        return _DECIMAL.sub(lambda found: mark_points(found[0]), text)
    said = _hear_whole(language, text, weak=False)
    said = said or _hear_parts(language, text)
    if said is None and not _SENTENCE.search(text):
        assigned = _ASSIGNED.fullmatch(text)
        return assigned[1] + mark_points(assigned[2]) if assigned else text
    return said or _hear_whole(language, text, weak=True)


def _hear_day(text: str) -> str:
    try:
        return say_day(date.fromisoformat(text))
    except ValueError:
        return text


def _hear_whole(language: str, text: str, *, weak: bool) -> str | None:
    """Return a text that is one sentence with places; None where there is none, or one of its parts is unknown."""
    for sentence, places in _read_sentences(language).find(text, weak=weak):
        heard = {name: part if is_name(name, part) else _hear(language, part) for name, part in places.items()}
        unknown = [name for name in places if heard[name] is None and name != WRITTEN]
        if not any(name.startswith(PART) or is_clause(places[name]) for name in unknown):
            return sentence.format(**{name: part or places[name] for name, part in heard.items()})
    return None


def _hear_parts(language: str, text: str) -> str | None:
    """Return a text whose parts are sentences: parted by stops, begun large, or closed by a stop."""
    for stop in _STOPS:
        if stop in text:
            parts = [_hear(language, part) for part in text.split(stop)]
            if all(part is not None for part in parts):
                return stop.join(part for part in parts if part is not None)
    if text.endswith("."):
        said = _hear(language, text[:-1])
        return None if said is None else said + "."
    if text[:1].isupper() and text[1:2].islower():
        said = _hear(language, text[:1].lower() + text[1:])
        return None if said is None else said[:1].upper() + said[1:]
    return None


@cache
def _read_sentences(language: str) -> Sentences:
    """Return the sentences with places that evidence and judgement may bring along."""
    return Sentences({english: said for file in _list_files(language, _ECHOES) for english, said in _read(file)})


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
    table: dict[str, str] = {}
    files = _list_files(language, "*.json")
    if not files:
        raise AuditError(f"no words for the language '{language}'", hint="languages: " + ", ".join(list_languages()))
    for file in files:
        for english, said in _read(file):
            if table.setdefault(english, said) != said:
                raise AuditError(f"{file.name} translates '{english}' a second time, and differently")
    return table


@cache
def has_words(language: str, name: str) -> bool:
    """Whether a language has a table of this name."""
    return any(file.stem == name for file in _list_files(language, "*.json"))


def _list_files(language: str, names: str) -> list[Path]:
    return sorted((shipped_folder("templates") / "words" / language).glob(names))


def _read(file: Path) -> Iterable[tuple[str, str]]:
    table: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return table.items()


def list_languages() -> tuple[str, ...]:
    """Return the languages that a report can be rendered in."""
    folder = shipped_folder("templates") / "words"
    return (ENGLISH, *sorted(path.name for path in folder.glob("*") if path.is_dir()))
