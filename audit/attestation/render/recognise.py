"""Finished sentences told apart: which sentence with places was it, and what stands in the places.

Comes in: sentences with places, a finished text. Goes out: the sentence it fits with what fills it. Matching goes from
left to right and never back, so that a text that somebody made up cannot make it slow.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

LONGEST = 1200
"""Signs beyond which a text is no sentence of ours."""
_PLACE = re.compile(r"\{(\w+)\}")
_WORD = re.compile(r"\w+")
_FIGURE = re.compile(r"(?=.*\d)(?!.*[^\W\d_]{2})", re.DOTALL)
_CLAUSE = re.compile(r"\b(?:the|that|which|is|are|was|were|has|have|it|its|than|be|must|whose|misses|meets)\b")
FIGURES = frozenset(
    {"n", "number", "count", "low", "high", "level", "share", "p", "rows", "people", "seed", "times", "all", "year"}
)
"""Places that hold a number and nothing else; so do those whose name begins with one of these and an underscore."""
PART, WORDS = "part", ("word", "kind")
"""Places that hold a sentence which must be known, too, and a single word; any other may hold whatever there is."""
WRITTEN = "written"
"""The place of what a person wrote, which stays as it is in every language."""
NAMES = frozenset(
    {
        *("word", "group", "feature", "attribute", "column", "value", "label", "name", "strata", "twin"),
        *("reference", "first", "second", "before", "after"),
    }
)
"""Places that hold what data call something: a single word there is a name, though a table may know such a word."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence with places.

    Parameters
    ----------
    pieces : tuple of str
        Its own words: before, between and behind its places.
    names : tuple of str
        Its places, in order.
    said : str
        What it is translated to.
    """

    pieces: tuple[str, ...]
    names: tuple[str, ...]
    said: str

    def match(self, text: str) -> dict[str, str] | None:
        """Return what fills the places of this sentence in `text`; None where it does not fit.

        Parameters
        ----------
        text : str
            A finished sentence.
        """
        first, *middle, last = self.pieces
        if not text.startswith(first) or not text.endswith(last):
            return None
        found: dict[str, str] = {}
        stop, at = len(text) - len(last), len(first)
        for name, piece in zip(self.names, [*middle, None], strict=True):
            end = stop if piece is None else text.find(piece, at + 1, stop)
            part = text[at:end] if end > at else ""
            if not part or found.setdefault(name, part) != part or not _fits(name, part):
                return None
            at = end + len(piece or "")
        return found

    @property
    def weak(self) -> bool:
        """Whether it only joins sentences, so that any other that fits is meant rather than this one."""
        return all(name.startswith(PART) for name in self.names)


def is_clause(part: str) -> bool:
    """Whether what stands in a place is a clause: a place holds a name or a value, so another sentence is meant.

    Parameters
    ----------
    part : str
        What stands there, in English, and is not known.
    """
    return bool(_CLAUSE.search(part))


def is_name(place: str, part: str) -> bool:
    """Whether what stands in a place is a name from the data, which is the same in every language.

    Parameters
    ----------
    place, part : str
        The place, and what stands there.
    """
    return place.partition("_")[0] in NAMES and not any(map(str.isspace, part)) and not part[-1:].isdigit()


def _fits(name: str, part: str) -> bool:
    kind = name.partition("_")[0]
    if kind in WORDS:
        return not any(map(str.isspace, part))
    return kind not in FIGURES or bool(_FIGURE.match(part))


class Sentences:
    """Sentences with places, found by a word that they all must hold.

    Parameters
    ----------
    table : mapping
        English sentence to its translation; one without places, or with hardly a word of its own, is left out.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self._by_word: dict[str, list[tuple[int, Pattern]]] = defaultdict(list)
        counted: dict[str, int] = defaultdict(int)
        patterns = [made for made in (_read(english, said) for english, said in table.items()) if made]
        for _, words, _ in patterns:
            for word in words:
                counted[word] += 1
        for size, words, pattern in patterns:
            self._by_word[min(words, key=lambda word: (counted[word], word))].append((size, pattern))

    def find(self, text: str, *, weak: bool) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the translations of the sentences that `text` may be, and what stands in their places.

        Parameters
        ----------
        text : str
            A finished sentence. The one with most words of its own comes first.
        weak : bool
            Whether to yield those that only join others, or all but those.
        """
        if len(text) > LONGEST:
            return
        near = [item for word in set(_WORD.findall(text)) for item in self._by_word.get(word, ())]
        for _, pattern in sorted(near, key=lambda item: (-item[0], item[1].pieces)):
            places = pattern.match(text) if pattern.weak == weak else None
            if places is not None:
                yield pattern.said, places


def _read(english: str, said: str) -> tuple[int, Iterable[str], Pattern] | None:
    parts = _PLACE.split(english)
    pieces, names = tuple(parts[::2]), tuple(parts[1::2])
    words = {word for piece in pieces for word in _whole_words(piece, piece is pieces[0], piece is pieces[-1])}
    own = sum(map(len, pieces))
    return (own, sorted(words), Pattern(pieces, names, said)) if names and words else None


def _whole_words(piece: str, first: bool, last: bool) -> list[str]:
    """Return the words of a piece that no place can lengthen: those that touch one are left out."""
    found = []
    for match in _WORD.finditer(piece):
        if (match.start() > 0 or first) and (match.end() < len(piece) or last):
            found.append(match[0])
    return found
