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
from pathlib import Path
from typing import Any

from audit.evidence.base import digest_bytes

PENDING_FILE = "pending"


def announce_report(ledger: Path, out: Path, *, index: int, digest: str) -> None:
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
    """
    text = json.dumps({"out": str(out.absolute()), "index": index, "digest": digest})
    partial = ledger / f".{PENDING_FILE}"
    with partial.open("w", encoding="utf-8") as handle:
        handle.write(text)
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
    note = _read_note(ledger / PENDING_FILE)
    done = ""
    if note is not None:
        out, index, digest = note
        remove_partials(out)
        if (index >= len(recorded) or recorded[index] != digest) and _holds(out, digest):
            shutil.rmtree(out, ignore_errors=True)
            done = f"a report that was never recorded was taken away: {out}"
    settle_report(ledger)
    return done


def remove_partials(out: Path) -> None:
    """Remove half-written folders of `out`; only who knows that nobody is writing there may call it."""
    pattern = re.compile(rf"\.{re.escape(out.name)}\.[A-Za-z0-9_]{{8}}")
    for entry in out.parent.iterdir() if out.parent.is_dir() else ():
        if pattern.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)


def _read_note(path: Path) -> tuple[Path, int, str] | None:
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Path(value["out"]), int(value["index"]), str(value["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # there is none, or it is not one of ours: nothing is removed on its word


def _holds(out: Path, digest: str) -> bool:
    """Tell whether a folder is the very report that the note speaks of."""
    try:
        return digest_bytes((out / "audit.json").read_bytes()) == digest
    except OSError:
        return False
