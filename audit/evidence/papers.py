"""What people supplied: facts, texts, answers and approvals of documents.yaml, as they entered the judgement."""

from __future__ import annotations

from .base import Record

FactValue = str | bool | int | float | tuple[str, ...]


class SuppliedText(Record):
    """A text or file that a person supplied for a field."""

    field: str
    """Evidence field, e.g. ``system.intended_purpose``."""
    text: str = ""
    """The text; empty for a file that is no plain text, or too long a one."""
    file: str = ""
    """File name, where a file was supplied."""
    sha256: str
    """Digest of text or file; an approval names it."""
    words: int | None = None
    """Words of the text."""
    version: str = ""
    """Version as declared."""
    by: str = ""
    """Who wrote it."""
    role: str = ""
    """Their role."""
    on: str = ""
    """Date, ISO 8601."""


class Answer(Record):
    """A person's answer to a rule's question."""

    rule: str
    """``pack/rule``."""
    answer: str
    """As written."""
    by: str
    """Who answered."""
    role: str = ""
    """Their role."""
    on: str
    """Date, ISO 8601."""


class Approval(Record):
    """A named person accepted this very text or file."""

    field: str
    """Field or rule approved."""
    sha256: str
    """Digest of what was approved."""
    by: str
    """Who approved."""
    role: str
    """Their role."""
    on: str
    """Date, ISO 8601."""


class Assignment(Record):
    """Who deals with an open finding, and by when."""

    finding: str
    """``pack/rule``, or one scope of it: ``pack/rule[sex=F]``."""
    owner: str
    """Person or team."""
    due: str = ""
    """Day by which it is to be settled, ISO 8601."""
    note: str = ""
    """What was agreed."""


class Papers(Record):
    """The officer's file, resolved."""

    facts: dict[str, FactValue] = {}
    """Fact name to value."""
    texts: tuple[SuppliedText, ...] = ()
    """Texts and files."""
    answers: tuple[Answer, ...] = ()
    """Answers."""
    approvals: tuple[Approval, ...] = ()
    """Approvals."""
    findings: tuple[Assignment, ...] = ()
    """Who deals with which open finding."""
