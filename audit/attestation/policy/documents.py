"""documents.yaml as types: the officer's file, and nothing about what the names in it mean.

Comes in: plain values of the file. Goes out: a `DocumentsFile`. A form that nobody has filled in yet, as `audit init`
writes it, counts as nothing: that is why blank entries are taken away before the types see them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from .pack import Day, Part

_SAY: dict[str, tuple[str, ...]] = {
    "texts": ("text", "file", "by", "on"),
    "answers": ("answer", "by", "on"),
    "findings": ("owner", "due", "note"),
}
"""Heading to the keys of which at least one is filled in where a person has begun an entry."""


class TextEntry(Part):
    """A text, or a file with one."""

    text: str = ""
    """The text."""
    file: str = ""
    """A file, relative to documents.yaml."""
    version: str = ""
    """Version as declared."""
    by: str = ""
    """Who wrote it, or who owns the file."""
    role: str = ""
    """Their role."""
    on: Day | None = None
    """When."""

    @model_validator(mode="after")
    def _check_one(self) -> TextEntry:
        if bool(self.text.strip()) == bool(self.file):
            raise ValueError("exactly one of text and file is needed")
        return self


class AnswerEntry(Part):
    """An answer to a rule's question."""

    answer: str | bool
    """As the rule asks, e.g. ``"yes"``."""
    by: str = Field(min_length=2)
    """Who answers."""
    role: str = ""
    """Their role."""
    on: Day
    """When."""


class ApprovalEntry(Part):
    """A named person's acceptance of one text or file."""

    field: str = ""
    """Field whose text is accepted."""
    rule: str = ""
    """``pack/rule``, instead of a field."""
    digest: str
    """``sha256:...`` of the accepted text or file; ``audit policy digest`` prints it."""
    by: str = Field(min_length=2)
    """Who."""
    role: str = Field(min_length=2)
    """In which role."""
    on: Day
    """When."""

    @model_validator(mode="after")
    def _check_one(self) -> ApprovalEntry:
        if bool(self.field) == bool(self.rule):
            raise ValueError("exactly one of field and rule is needed")
        return self


class FindingEntry(Part):
    """Who deals with an open finding, and by when."""

    owner: str = Field(min_length=2)
    """Person or team."""
    due: Day | None = None
    """Day by which it is to be settled."""
    note: str = ""
    """What was agreed."""


class DocumentsFile(Part):
    """The officer's file."""

    schema_: Literal["documents/1"] = Field(default="documents/1", alias="schema")
    """Version of this file's form."""
    facts: dict[str, bool | int | float | str | tuple[str, ...] | None] = Field(default={})
    """Fact name to value; an empty one is not filled in."""
    texts: dict[str, TextEntry | None] = Field(default={})
    """Field to text."""
    answers: dict[str, AnswerEntry | None] = Field(default={})
    """``pack/rule`` to answer."""
    approvals: tuple[ApprovalEntry, ...] = ()
    """Acceptances."""
    findings: dict[str, FindingEntry | None] = Field(default={})
    """``pack/rule``, or one scope of it such as ``pack/rule[sex=F]``, to who deals with it."""

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, value: Any) -> Any:
        """Take a heading with nothing under it, and a form that nobody began, for one that is not there."""
        if not isinstance(value, dict):
            return value
        return {key: _drop_blank(key, item) for key, item in value.items() if item is not None}


def _drop_blank(heading: str, entries: Any) -> Any:
    keys = _SAY.get(heading)
    if keys is None or not isinstance(entries, dict):
        return entries
    return {name: None if _is_blank(entry, keys) else entry for name, entry in entries.items()}


def _is_blank(entry: Any, keys: tuple[str, ...]) -> bool:
    """Return whether an entry is a form that nobody began; one with a key of its own is a mistake, not a blank."""
    if not isinstance(entry, dict) or not entry:
        return not entry
    known = {"text", "file", "answer", "owner", "due", "note", "version", "by", "role", "on"}
    return set(entry) <= known and set(keys) & set(entry) != set() and all(entry.get(key) in (None, "") for key in keys)
