"""What is being recorded right now, written down first, so that a process killed at any moment leaves no loose end.

Comes in: the folder of a report that is about to be written, and the place in the log that it will get. Goes out: on
the next opening of the ledger, a report folder either is in the log or is gone. A note stands from before the folder is
made until after its entry is on the disk; whoever finds one while holding the ledger's lock knows that its writer died.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.evidence.base import digest_bytes

PENDING_FILE = "pending"


def announce_report(
    ledger: Path, out: Path, *, index: int, digest: str, private: tuple[Path, str] | None = None
) -> None:
    """Write down that a report is about to be written and recorded.

    Parameters
    ----------
    ledger : pathlib.Path
        The ledger's folder, held by this process.
    out : pathlib.Path
        The report folder to come.
    index : int
        Place in the log that its entry will get.
    digest : str
        Digest of its dossier.
    private : (pathlib.Path, str), optional
        The private file beside it, and its digest.
    """
    note: dict[str, object] = {"out": str(out.absolute()), "index": index, "digest": digest}
    if private is not None:
        note |= {"private": str(private[0].absolute()), "private_digest": private[1]}
    partial = ledger / f".{PENDING_FILE}"
    with partial.open("w", encoding="utf-8") as handle:
        handle.write(json.dumps(note))
        handle.flush()
        os.fsync(handle.fileno())
    partial.replace(ledger / PENDING_FILE)


def settle_report(ledger: Path) -> None:
    """Take the note away: the report is recorded, or taken back."""
    (ledger / PENDING_FILE).unlink(missing_ok=True)


def take_back_unrecorded(ledger: Path, recorded: tuple[str, ...]) -> str:
    """Remove what a killed process left behind; return what was done, or an empty text.

    Parameters
    ----------
    ledger : pathlib.Path
        The ledger's folder, held by this process.
    recorded : tuple of str
        Digest of the dossier of each entry, in order.
    """
    note, done = _read_note(ledger / PENDING_FILE), ""
    if note is not None:
        remove_partials(note.out)
        if note.index >= len(recorded) or recorded[note.index] != note.digest:
            done = _take_back(note)
    settle_report(ledger)
    return done


def remove_partials(out: Path) -> None:
    """Remove what is half written of `out`; only who knows that nobody is writing there may call it."""
    pattern = re.compile(rf"\.{re.escape(out.name)}\.[A-Za-z0-9_]{{8}}")
    for entry in out.parent.iterdir() if out.parent.is_dir() else ():
        if pattern.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        elif pattern.fullmatch(entry.name) and entry.is_file():
            entry.unlink(missing_ok=True)


def _take_back(note: _Note) -> str:
    """Remove the report of a note, and the private file that came before it, if they are the very ones."""
    if note.private is not None:
        remove_partials(note.private)
        if _is(note.private, note.private_digest):
            note.private.unlink(missing_ok=True)
    if not _is(note.out / "audit.json", note.digest):
        return ""
    shutil.rmtree(note.out, ignore_errors=True)
    return f"a report that was never recorded was taken away: {note.out}"


@dataclass(frozen=True, slots=True)
class _Note:
    """What was written down."""

    out: Path
    index: int
    digest: str
    private: Path | None
    private_digest: str


def _read_note(path: Path) -> _Note | None:
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        private = Path(value["private"]) if "private" in value else None
        return _Note(
            Path(value["out"]), int(value["index"]), str(value["digest"]), private, value.get("private_digest", "")
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # there is none, or it is not one of ours: nothing is removed on its word


def _is(file: Path, digest: str) -> bool:
    """Tell whether a file is the very one that the note speaks of."""
    try:
        return digest_bytes(file.read_bytes()) == digest
    except OSError:
        return False
