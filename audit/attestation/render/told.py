"""Sentences on their way into a page: those of templates are filled, those that nobody translated are marked.

Comes in: a template's sentence with what fills it, a finished sentence of evidence or judgement. Goes out: markup in
the language of the report; a sentence that stayed English is marked as such, so that a reader's software pronounces it
right and hyphenates it as English.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from markupsafe import Markup

from .glyphs import clean_text
from .tongue import ENGLISH, Heard, Untold, echo, has_words, read_words, spoken, tell, translate, translate_many

_CONTENT = re.compile(r"\bcontent:[^;}]*")
_PARTING = ("; ", ": ", ", ")
"""What parts a citation, the coarsest first."""
_UNTITLED = re.compile(r"Audit of (\S+)")
_QUOTED = re.compile(r'"([^"]+)"')


def hear(text: str) -> str:
    """Return a finished sentence in the language of the report; an `Untold` where its table lacks it.

    Parameters
    ----------
    text : str
        A sentence of evidence or judgement.
    """
    said = echo(text)
    return text if isinstance(said, Untold) and text in _all_said(spoken()) else said


@cache
def _all_said(language: str) -> frozenset[str]:
    """Return the translations of a language: a text that is one was told already."""
    return frozenset(read_words(language).values())


def hear_source(text: str) -> str:
    """Return where a definition comes from, in the language of the report: titles of books and papers stay as they are.

    Parameters
    ----------
    text : str
        Citations, and how the interval is made, parted by semicolons, colons and commas.
    """
    said = _hear_source(text, _PARTING)
    return text if spoken() == ENGLISH else Untold(text) if said == text else Heard(said)


def _hear_source(text: str, stops: tuple[str, ...]) -> str:
    """Return a citation told part by part, down to the parts that nothing is known of."""
    if not any(map(str.isalpha, text)):
        return text  # a section or a page: its point parts no decimals
    said = hear(text)
    if not isinstance(said, Untold) or not stops:
        return str(said)
    stop, *finer = stops
    return stop.join(_hear_source(part, tuple(finer)) for part in text.split(stop))


def say_title(title: str) -> str:
    """Return the title of an audit in the language of the report where it is ours, for want of one.

    Parameters
    ----------
    title : str
        Title of the audit.
    """
    found = _UNTITLED.fullmatch(title)
    return tell("Audit of {system}", system=found[1]) if found else title


def hear_rule(text: str, pack: str) -> str:
    """Return a text of a policy in the language of the report.

    Parameters
    ----------
    text : str
        As the policy's author wrote it.
    pack : str
        The policy. One with a table of its own, ``packs-NAME.json``, is ours and written in English, so that what its
        table lacks is marked as such; in which language others wrote theirs is not known.
    """
    said = translate(text)
    ours = said == text and spoken() != ENGLISH and has_words(spoken(), f"packs-{pack}")
    return Untold(text) if ours else said


def keeping(change: Callable[..., str]) -> Callable[..., str]:
    """Return `change` so that a `Heard` or `Untold` remains one.

    Parameters
    ----------
    change : callable
        A filter: text, and whatever it wants besides.
    """

    @wraps(change)
    def kept(text: str, *rest: Any, **options: Any) -> str:
        made = change(text, *rest, **options)
        return type(text)(made) if isinstance(text, Heard) else made

    return kept


def finish(value: Any) -> Any:
    """Return a value as a page may hold it: signs that no format carries made visible, untold English marked.

    Parameters
    ----------
    value : Any
        What stands between double braces in a template; markup of our own passes through.
    """
    if type(value) is Untold and value:
        return Markup('<span lang="en">{}</span>').format(clean_text(str(value)))
    return clean_text(value) if type(value) in (str, Heard, Untold) else value


def say_style(sheet: str) -> str:
    """Return a style sheet with the words that it writes into a page in the language of the report.

    Parameters
    ----------
    sheet : str
        Style rules; words stand in ``content``, between double quotes.
    """
    if spoken() == ENGLISH:
        return sheet
    return _CONTENT.sub(lambda rule: _QUOTED.sub(lambda word: f'"{translate(word[1])}"', rule[0]), sheet)


def gettext(text: str, /, **places: Any) -> Markup:
    """Return a template's sentence in the language of the report, its places filled and escaped.

    Parameters
    ----------
    text : str
        The English sentence; places are written ``%(name)s``, a per cent sign ``%%``.
    **places : Any
        What fills them.
    """
    return _fill(translate(text), places)


def ngettext(one: str, many: str, number: int, /, **places: Any) -> Markup:
    """Return a template's sentence for one or for many; otherwise as `gettext`."""
    return _fill(translate_many(one, many, number), {"num": number, **places})


def _fill(text: str, places: dict[str, Any]) -> Markup:
    # the sentence is our own, of a template or of a shipped table; what fills it is escaped
    return Markup(text) % {name: finish(value) for name, value in places.items()}  # noqa: S704
