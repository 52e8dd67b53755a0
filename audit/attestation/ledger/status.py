"""What became of an audit after it was recorded: it stands, was corrected or was withdrawn.

Comes in: the entries of a ledger. Goes out: the status of one of them, and whether something may be recorded about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from audit.errors import ConfigError

from .entry import Entry, RecordKind

REPORTS = ("audit", "publication", "change")
"""Kinds of entries that a report stands behind."""
RECORDS = get_args(RecordKind)
"""Kinds of entries about another one."""


@dataclass(frozen=True, slots=True)
class Status:
    """What became of an audit.

    Parameters
    ----------
    entry : Entry
        The audit.
    word : str
        ``stands``, ``corrected`` or ``withdrawn``.
    because : Entry or None
        The entry that says so.
    later : Entry or None
        The audit that takes its place, or the newest later audit of the system where it stands; None where there is
        none.
    signatures : int
        People who signed it later.
    """

    entry: Entry
    word: Literal["stands", "corrected", "withdrawn"]
    because: Entry | None = None
    later: Entry | None = None
    signatures: int = 0


def read_status(entries: Sequence[Entry], index: int) -> Status:
    """Return what became of the audit, or the public edition of one, at a place of the log.

    Parameters
    ----------
    entries : sequence of Entry
        All entries.
    index : int
        Its place.
    """
    entry = entries[index]
    about = {index, entry.refers_to} if entry.kind == "publication" else {index}  # an edition falls with its audit
    found = [one for one in entries if one.refers_to in about]
    signatures = sum(one.kind == "signature" for one in found)
    for kind, word in (("withdrawal", "withdrawn"), ("correction", "corrected")):
        for one in reversed(found):
            if one.kind == kind:
                by = entries[one.corrected_by] if one.corrected_by is not None else None
                return Status(entry, word, one, by, signatures)  # type: ignore[arg-type]
    newer = [
        one
        for one in entries[index + 1 :]
        if (one.kind, one.system) == ("audit", entry.system) and read_status(entries, one.index).word != "withdrawn"
    ] if entry.kind == "audit" else []  # fmt: skip
    return Status(entry, "stands", None, newer[-1] if newer else None, signatures)


def check_record(
    entries: Sequence[Entry], kind: RecordKind, refers_to: int, reason: str, corrected_by: int | None = None
) -> None:
    """Check that something may be recorded about an entry.

    Raises
    ------
    ConfigError
        There is no such entry, no report stands behind it, it was withdrawn before, the reason is empty, or what takes
        its place is no later audit of the same system.
    """
    if kind not in RECORDS or not 0 <= refers_to < len(entries) or entries[refers_to].kind not in REPORTS:
        raise ConfigError(f"entry {refers_to} of the ledger is no audit that a {kind} could be about")
    if not reason.strip():
        raise ConfigError(f"a {kind} needs a reason")
    about = entries[refers_to]
    if kind in ("withdrawal", "correction") and any(
        one.kind == "withdrawal" and one.refers_to == refers_to for one in entries
    ):
        raise ConfigError(f"entry {refers_to} of the ledger was withdrawn before")
    if corrected_by is None:
        return
    later = entries[corrected_by] if refers_to < corrected_by < len(entries) else None
    if kind != "correction" or later is None or (later.kind, later.system) != ("audit", about.system):
        raise ConfigError(f"entry {corrected_by} of the ledger is no later audit of {about.system}")


def tell_audit(entry: Entry, entries: Sequence[Entry]) -> str:
    """Return an audit in one line: day, outcome, verdicts, and whether it was corrected or withdrawn."""
    counts = ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in entry.counts.items())
    text = f"{entry.time[:10]}: {entry.outcome} ({counts or 'no rules'}), ledger entry {entry.index}"
    later = [one for one in entries if one.refers_to == entry.index and one.kind in ("correction", "withdrawal")]
    return text + "".join(f"; {one.kind} in entry {one.index}" for one in later)
