"""Names from the data on paper, kept whole: nobody knows their language, so no rule for breaking words holds for them.

Comes in: a page for paper and its dossier. Goes out: the page, with each long word of such a name marked for the style
sheet. English is not hyphenated at all, so that nothing is marked there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from audit.evidence import Dossier, Effects, Evidence, Fairness

from .tongue import ENGLISH
from .words import prettify

SHORTEST = 9
"""Characters from which the style sheet lets a word be broken (``hyphenate-limit-chars``)."""
_WORD = re.compile(rf"\w{{{SHORTEST},}}")
_PIECE = re.compile(rf"<(svg|head|code|pre|a)\b.*?</\1>|<[^>]*>|&\w+;|\w{{{SHORTEST},}}", re.DOTALL)
"""What is passed over, or a word: no word breaks there, and a mark within a link would make an untagged second one."""


def mark_names(page: str, dossier: Dossier) -> str:
    """Return a page in which no word of a name from the data is broken.

    Parameters
    ----------
    page : str
        Markup for paper.
    dossier : Dossier
        Whose names they are, and the language of the report.
    """
    if dossier.presentation.language == ENGLISH:
        return page
    known = {word.casefold() for word in _list_words(dossier.evidence)}
    return _PIECE.sub(lambda found: _mark(found[0], known), page) if known else page


def _mark(piece: str, known: set[str]) -> str:
    return f'<span class="own">{piece}</span>' if piece[0] not in "<&" and piece.casefold() in known else piece


def _list_words(evidence: Evidence) -> Iterator[str]:
    """Give the words of all that people wrote about the system, of its columns, groups and levels."""
    for text in _list_names(evidence):
        yield from _WORD.findall(text)
        yield from _WORD.findall(prettify(text))


def _list_names(evidence: Evidence) -> Iterator[str]:
    yield from _list_texts(evidence.subject.model_dump())
    if isinstance(evidence.fairness, Fairness):
        yield from (value for group in evidence.fairness.groups for value in group.values)
    if isinstance(evidence.effects, Effects):
        yield from (level for curve in evidence.effects.curves for level in curve.levels)


def _list_texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _list_texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _list_texts(part)
