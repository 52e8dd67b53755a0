"""The checkpoint: how long the log was at least, and one digest over all of it.

Comes in: the lines of a log. Goes out: a note of three lines (origin, number of entries, Merkle root), followed by what
this tool adds, in the form of C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint). In the file it stands in the
same signed envelope as the entries. A copy kept elsewhere shows later whether the log was cut off or written anew.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from audit.errors import LedgerError
from audit.evidence.base import Record, digest_bytes

from .tree import root_of

CHECKPOINT_TYPE = "application/vnd.glassbox-audit.ledger-checkpoint+note"
ORIGIN = "glassbox-audit/ledger/v1"
_ADDED = ("head", "time", "signer", "stamp")


class Checkpoint(Record):
    """A state of the log."""

    entries: int
    """Number of entries."""
    root: str
    """Root of the Merkle tree over their lines (RFC 6962), base64."""
    head: str
    """SHA-256 of the last line."""
    time: str
    """Time of the last entry."""
    signer: str = ""
    """Fingerprint of the signer's certificate; empty where nobody signs."""
    stamp: str = ""
    """Name of the file beside it with a time stamp over this very checkpoint; empty where none was to be had. With it,
    a stamp that somebody takes away is missed."""

    def note(self) -> bytes:
        """Return the text of the checkpoint."""
        lines = [ORIGIN, str(self.entries), self.root]
        lines += [f"{name} {getattr(self, name)}" for name in _ADDED if getattr(self, name)]
        return "".join(f"{line}\n" for line in lines).encode()


def describe_log(lines: Sequence[bytes], time: str) -> Checkpoint:
    """Return the checkpoint of a log that holds at least one line.

    Parameters
    ----------
    lines : sequence of bytes
        Its lines, without their ends.
    time : str
        Time of the last entry.
    """
    root = base64.b64encode(root_of(lines)).decode("ascii")
    return Checkpoint(entries=len(lines), root=root, head=digest_bytes(lines[-1]), time=time)


def parse_note(text: bytes) -> Checkpoint:
    """Return the checkpoint that a note states.

    Raises
    ------
    LedgerError
        It is no such note, or not in the form in which it is written.
    """
    try:
        origin, entries, root, *added = text.decode().removesuffix("\n").split("\n")
        fields = dict(line.split(" ", 1) for line in added)
        made = Checkpoint.model_validate({"entries": int(entries), "root": root, **fields})
        base64.b64decode(root, validate=True)
    except (ValueError, binascii.Error):
        raise LedgerError("the checkpoint is not one") from None
    if origin != ORIGIN or made.note() != text:
        raise LedgerError("the checkpoint is not in the form in which it was written")
    return made


def hold_against(lines: Sequence[bytes], checkpoint: Checkpoint) -> None:
    """Check that a log begins with what a checkpoint saw.

    Parameters
    ----------
    lines : sequence of bytes
        Its lines, without their ends.
    checkpoint : Checkpoint
        The log's own, or an older copy that was kept elsewhere.

    Raises
    ------
    LedgerError
        The log is shorter, or its beginning is another one.
    """
    if len(lines) < checkpoint.entries:
        raise LedgerError("the log is shorter than its checkpoint says: entries were taken away")
    seen = lines[: checkpoint.entries]
    if (
        not seen
        or describe_log(seen, checkpoint.time).root != checkpoint.root
        or digest_bytes(seen[-1]) != checkpoint.head
    ):
        raise LedgerError("the checkpoint is that of another log")
