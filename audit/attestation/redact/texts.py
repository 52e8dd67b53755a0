"""Texts that may be told to everybody.

Comes in: sentences that evidence brings along. Goes out: the same sentences, but none that counts a few people or names
a file of the auditor's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .cells import is_small
from .names import Masks

NO_MASKS = Masks()
TEXT_WITHHELD = "Withheld in the public edition."
NOTE_WITHHELD = "withheld in the public edition"
"""The same for what is said of a number, which others put into a sentence."""
_WITHIN = ("method", "note")
_FEW = re.compile(
    r"(?<![\w.,/±-])(?:[1-4]|one|two|three|four)(?:\s+(?:more|other|further|of\s+(?:the|[\d,]+)))*\s+"
    r"(?:rows?|people|persons?|individuals?|applicants?|cases?|decisions?|labels?)\b",
    re.IGNORECASE,
)
_SHARE = re.compile(r"(?<![\w.,/±-])(\d[\d,]*) (?:of|/) (?:the )?(\d[\d,]*)(?![\w.,]*\d)")
_BESIDE = re.compile(r"data\.\w+ \((.+)\)")
_MORE = " and more"
_READ = re.compile(r"(.+?)(?:, [\d,]+ rows, sha256:[0-9a-f]+)?; .+")
_FREE = frozenset(
    {
        "because", "broken_parts", "caution", "detail", "drawn", "exclusions", "literal", "method", "not_done", "note",
        "notes", "parts_not_done", "protocol", "sampled", "trace", "training", "words", "would_decide",
    }
)  # fmt: skip
"""Fields that hold sentences."""


def counts_few(text: str) -> bool:
    """Whether a sentence counts 1 to 4 people.

    Examples
    --------
    >>> counts_few("3 rows without a label"), counts_few("13 rows"), counts_few("2 of 40 differ")
    (True, False, True)
    """
    parts = [tuple(int(part.replace(",", "")) for part in match) for match in _SHARE.findall(text)]
    return bool(_FEW.search(text)) or any(is_small(part) or is_small(n) or is_small(n - part) for part, n in parts)


def files_beside(text: str) -> tuple[str, ...]:
    """Return the files that a table beside the judged rows was read from, as its description names them.

    Parameters
    ----------
    text : str
        What drift calls a baseline or a later period, or what is known of a model's training rows.

    Examples
    --------
    >>> files_beside("data.baseline (last year.csv, more.csv and more)")
    ('last year.csv, more.csv and more', 'last year.csv', 'more.csv')
    >>> files_beside("seen.csv, 1,200 rows, sha256:0123456789abcdef; no judged row is among them, by its id")
    ('seen.csv',)
    >>> files_beside("declared: none of the judged rows; this was not checked")
    ()
    """
    if found := _BESIDE.fullmatch(text):
        names = found[1].removesuffix(_MORE).split(", ")
        return tuple(dict.fromkeys((found[1], *names)))
    found = _READ.fullmatch(text)
    return () if found is None or text.startswith(("unknown: ", "declared: ")) else (found[1],)


def redact_text(text: str, names: Iterable[str] = (), masks: Masks = NO_MASKS) -> str:
    """Return a sentence for everybody: file names taken out, groups masked; nothing, where it counts a few people.

    Parameters
    ----------
    text : str
        A sentence.
    names : iterable of str
        File names.
    masks : Masks
        Names of groups.
    """
    text = masks.mask_text(text)
    if counts_few(text) or masks.names_somebody(text):
        return TEXT_WITHHELD
    for name in names:
        text = text.replace(name, "a file")
    return text


def redact_sentences(value: Any, names: tuple[str, ...], masks: Masks = NO_MASKS, *, free: bool = False) -> Any:
    """Return a plain value with the sentences in it redacted.

    Parameters
    ----------
    value
        A JSON value.
    names : tuple of str
        File names.
    masks : Masks
        Names of groups.
    free : bool
        Whether `value` stands in a field that holds sentences.
    """
    if isinstance(value, str):
        return redact_text(value, names, masks) if free else value
    if isinstance(value, Mapping):
        told = {key: redact_sentences(item, names, masks, free=free or key in _FREE) for key, item in value.items()}
        return {k: NOTE_WITHHELD if k in _WITHIN and item == TEXT_WITHHELD else item for k, item in told.items()}
    if isinstance(value, list | tuple):
        return [redact_sentences(item, names, masks, free=free) for item in value]
    return value
