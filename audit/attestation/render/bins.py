"""Groups made of numbers by cut points, in the language of the report: ``under 25`` and ``60 and over`` are our words.

Comes in: a finished page and its dossier. Goes out: the page with these groups told. They stand in tables, figures and
sentences like any name of a group; so they are told at the end, all in one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from audit.evidence import Dossier, Evidence, Fairness

from .tongue import ENGLISH, mark_points, speak, tell

_NUMBER = r"-?\d[\d.]*(?:e[-+]?\d+)?"
_UNDER = re.compile(rf"under ({_NUMBER})")
_BETWEEN = re.compile(rf"({_NUMBER})-({_NUMBER})")
_OVER = re.compile(rf"({_NUMBER}) and over")


def say_bins(page: str, dossier: Dossier) -> str:
    """Return a page with the groups that cut points make told in the language of the report.

    Parameters
    ----------
    page : str
        Markup or text; code in it stays as it is.
    dossier : Dossier
        Evidence and language.
    """
    language = dossier.presentation.language
    if language == ENGLISH:
        return page
    with speak(language):
        told = {name: said for name in _list_bins(dossier.evidence) if (said := _say(name)) != name}
    if not told:
        return page
    names = "|".join(sorted(map(re.escape, told), key=len, reverse=True))
    pieces = re.compile(rf"<(code|pre|script|style)\b.*?</\1>|(?<![\w.,-])(?:{names})(?![\w-]|[.,]\d)", re.DOTALL)
    return pieces.sub(lambda found: told.get(found[0], found[0]), page)


def _list_bins(evidence: Evidence) -> Iterator[str]:
    """Give the groups of the attributes that were cut, be it at declared points or at quartiles."""
    if not isinstance(evidence.fairness, Fairness):
        return
    alone = [(*group.attributes, *group.values) for group in evidence.fairness.groups if len(group.attributes) == 1]
    cut = {name for name, value in alone if _UNDER.fullmatch(value) or _OVER.fullmatch(value)}
    yield from (value for name, value in alone if name in cut)


def _say(name: str) -> str:
    if found := _UNDER.fullmatch(name):
        return tell("under {number}", number=mark_points(found[1]))
    if found := _OVER.fullmatch(name):
        return tell("{number} and over", number=mark_points(found[1]))
    found = _BETWEEN.fullmatch(name)
    return f"{mark_points(found[1])}-{mark_points(found[2])}" if found else name
