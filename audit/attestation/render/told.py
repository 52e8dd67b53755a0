"""Sentences on their way into a page: those of templates are filled, those that nobody translated are marked.

Comes in: a template's sentence with what fills it, a finished sentence of evidence or judgement. Goes out: markup in
the language of the report; a sentence that stayed English is marked as such, so that a reader's software pronounces it
right and hyphenates it as English.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from markupsafe import Markup

from .glyphs import clean_text
from .tongue import Heard, Untold, echo, translate, translate_many


def hear(text: str) -> str:
    """Return a finished sentence in the language of the report; an `Untold` where its table lacks it.

    Parameters
    ----------
    text : str
        A sentence of evidence or judgement.
    """
    return echo(text)


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
    if type(value) is Untold:
        return Markup('<span lang="en">{}</span>').format(clean_text(str(value)))
    return clean_text(value) if type(value) in (str, Heard) else value


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
