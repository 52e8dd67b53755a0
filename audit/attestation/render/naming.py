"""Groups and columns within finished sentences: ``ethnicity=cedar`` reads ``Ethnicity: cedar`` on every page.

Comes in: a dossier, whose groups and columns are known, and sentences of its evidence or judgement. Goes out: the
sentences with these names as readers meet them everywhere else. Only a name that the dossier holds is changed, and only
in sentences that are ours: what people wrote is quoted as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from audit.evidence import Dossier, Evidence, Fairness

from .tongue import rename_with, speak
from .words import lower_first, prettify

Rename = Callable[[str], str]
"""A sentence to the same with the names of this dossier put into words."""


@contextmanager
def speak_of(dossier: Dossier) -> Iterator[None]:
    """Render in the language of a dossier, with its names put into words, while the block runs.

    Parameters
    ----------
    dossier : Dossier
        What is rendered.
    """
    with speak(dossier.presentation.language), rename_with(name_things(dossier)):
        yield


def name_things(dossier: Dossier) -> Rename:
    """Return what puts the names of a dossier's groups and columns into words.

    Parameters
    ----------
    dossier : Dossier
        Whose names they are. A column is put into words where its name holds an underscore.

    Examples
    --------
    ``sex=F, age=under 25: 45 of 6,432`` becomes ``Sex: F, Age: under 25 – 45 of 6,432``, and ``no value in
    years_employed`` becomes ``no value in years employed``.
    """
    groups = dict(_list_groups(dossier.evidence))
    columns = {name for name in _list_columns(dossier.evidence) if "_" in name}
    if not groups and not columns:
        return lambda text: text
    known = "|".join(re.escape(name) for name in sorted((*groups, *columns), key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w.'=/-])({known})(?![\w=/])(: (?=\d))?")

    @lru_cache(maxsize=8192)
    def rename(text: str) -> str:
        return pattern.sub(lambda found: _say(found, groups), text)

    return lambda text: rename(text) if "=" in text or "_" in text else text


def _say(found: re.Match[str], groups: dict[str, str]) -> str:
    name, counted = found[1], found[2] or ""
    if name in groups:
        return groups[name] + (" – " if counted else "")
    said = prettify(name)
    return (lower_first(said) if found.start() else said) + counted


def _list_groups(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Give each group of one attribute as the judge writes it, with how a reader meets it."""
    if not isinstance(evidence.fairness, Fairness):
        return
    for group in evidence.fairness.groups:
        for name, value in zip(group.attributes, group.values, strict=True):
            yield f"{name}={value}", f"{prettify(name)}: {value}"


def _list_columns(evidence: Evidence) -> Iterator[str]:
    """Give the columns that the model reads, the attributes, and the label."""
    subject = evidence.subject
    yield from (item.name for item in subject.features)
    yield from (item.name for item in subject.attributes)
    if subject.label:
        yield subject.label
