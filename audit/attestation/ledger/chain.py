"""The chain: every entry names the line before it, and the checkpoint names the end.

Comes in: the bytes of log.jsonl and of the checkpoint. Goes out: the entries, or what is wrong, by entry. What a chain
cannot show by itself: that its end, together with the checkpoint, was put back to an earlier state. That shows in the
reports, each of which names the line before its own, and in any copy of the checkpoint kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audit.errors import LedgerError, SealError
from audit.evidence.base import digest_bytes
from audit.evidence.dossier import SignerShown

from .checkpoint import Checkpoint, hold_against
from .entry import Entry, read_checkpoint, read_entry

OpenEnvelope = Callable[[bytes], SignerShown]
"""Checks the signature of an envelope and says whose it is; raises `SealError`."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A log whose entries follow each other.

    Parameters
    ----------
    lines : tuple of bytes
        The lines, without their ends.
    entries : tuple of Entry
        What they hold.
    checkpoint : Checkpoint or None
        The checkpoint, where there is one.
    torn : int
        Bytes after the last whole line, left by an append that was interrupted.
    """

    lines: tuple[bytes, ...] = ()
    entries: tuple[Entry, ...] = ()
    checkpoint: Checkpoint | None = None
    torn: int = 0

    @property
    def head(self) -> str | None:
        """SHA-256 of the last line; None for an empty log."""
        return digest_bytes(self.lines[-1]) if self.lines else None


def read_chain(log: bytes, checkpoint: bytes | None) -> Chain:
    """Read a log and check that it is one chain.

    Parameters
    ----------
    log : bytes
        log.jsonl.
    checkpoint : bytes or None
        The checkpoint file; None where there is none.

    Raises
    ------
    LedgerError
        An entry was changed, dropped, added or moved, or the log is shorter than its checkpoint says.
    """
    *lines, rest = log.split(b"\n")
    entries = tuple(read_entry(line) for line in lines)
    previous = None
    for index, (line, entry) in enumerate(zip(lines, entries, strict=True)):
        if entry.index != index or entry.previous != previous:
            raise LedgerError(f"entry {index} of the log does not follow the one before it")
        if entry.refers_to is not None and not 0 <= entry.refers_to < index:
            raise LedgerError(f"entry {index} of the log refers to an entry that is not before it")
        previous = digest_bytes(line)
    held = read_checkpoint(checkpoint) if checkpoint is not None else None
    _check_length(lines, held)
    return Chain(tuple(lines), entries, held, len(rest))


def check_signatures(chain: Chain, checkpoint: bytes | None, open_envelope: OpenEnvelope) -> tuple[str, ...]:
    """Check every signature of a chain.

    Parameters
    ----------
    chain : Chain
        The chain as read.
    checkpoint : bytes or None
        The checkpoint file.
    open_envelope : callable
        Checks an envelope and names its signer.

    Returns
    -------
    tuple of str
        For each entry its signer's name, or an empty text where nobody signed.

    Raises
    ------
    LedgerError
        A signature does not hold.
    """
    found = tuple(
        _name_signer(f"entry {entry.index}", line, entry.signer, open_envelope)
        for entry, line in zip(chain.entries, chain.lines, strict=True)
    )
    if checkpoint is not None and chain.checkpoint is not None:
        _name_signer("the checkpoint", checkpoint, chain.checkpoint.signer, open_envelope)
    return found


def _name_signer(what: str, line: bytes, fingerprint: str, open_envelope: OpenEnvelope) -> str:
    """Return the signer's name; empty where the record says that nobody signed it (its reader has seen to that)."""
    if not fingerprint:
        return ""
    try:
        shown = open_envelope(line)
    except SealError as error:
        raise LedgerError(f"the signature of {what} does not hold: {error.what}") from None
    if shown.fingerprint != fingerprint:
        raise LedgerError(f"{what} was signed by another than the one whom it names")
    return shown.name


def _check_length(lines: Sequence[bytes], checkpoint: Checkpoint | None) -> None:
    """Hold the log against its checkpoint, which an interrupted run may leave one entry behind."""
    if checkpoint:
        hold_against(lines, checkpoint)
    if len(lines) - (checkpoint.entries if checkpoint else 0) > 1:
        raise LedgerError("the checkpoint is missing or old")
