"""The ledger on disk: a folder with log.jsonl, a checkpoint and a lock.

Comes in: `LedgerOrder`, finished reports. Goes out: a log that only grows. One process writes at a time (advisory lock,
freed by the system when a process dies). An append is one write and one flush to disk; where it is interrupted, the
next run takes the torn line away again, which it can tell from tampering because the checkpoint never counts a line
that was not whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from audit.config.schema import LedgerOrder
from audit.errors import ConfigError, LedgerError, TryAgain
from audit.evidence.document import Evidence
from audit.evidence.dossier import Dossier

from .chain import Chain, read_chain
from .checkpoint import CHECKPOINT_TYPE, Checkpoint, describe_log
from .disk import (
    CHECKPOINT_FILE,
    STAMP_FILE,
    append_line,
    explain_ledger_error,
    put_checkpoint,
    read_file,
    settle_stamp,
)
from .entry import (
    ENTRY_TYPE,
    Entry,
    RecordKind,
    Sealer,
    describe_audit,
    digests_of,
    read_entry,
    write_line,
)
from .pending import announce_report, settle_report, take_back_unrecorded
from .status import check_record, tell_audit

LOG_FILE = "log.jsonl"
_LOCK_FILE = "lock"
_PAUSE = 0.05


@dataclass(slots=True)
class Ledger:
    """A ledger that this process alone may write to; see `hold_ledger`.

    Parameters
    ----------
    folder : Path
        Where it is.
    chain : Chain
        What it holds.
    notes : list of str
        What was mended on opening.
    """

    folder: Path
    chain: Chain
    notes: list[str] = field(default_factory=list)

    @property
    def head(self) -> str | None:
        """SHA-256 of the last line, which the next report names; None for an empty ledger."""
        return self.chain.head

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries, oldest first."""
        return self.chain.entries

    def previous_of(self, system: str, *, but: Entry | None = None) -> str | None:
        """Return the digest of the last dossier of a system that was not withdrawn, not asking `but` and later ones."""
        withdrawn = {entry.refers_to for entry in self.chain.entries if entry.kind == "withdrawal"}
        for entry in reversed(self.chain.entries[: but.index if but else None]):
            if entry.kind == "audit" and entry.system == system and entry.index not in withdrawn:
                return entry.dossier_digest
        return None

    def find_internal(self, evidence_digest: str, kind: str = "audit") -> Entry | None:
        """Return the last report of that very evidence that was not withdrawn; None where there is none.

        Parameters
        ----------
        evidence_digest : str
            The evidence.
        kind : {"audit", "change"}
            An audit, or the report of a comparison, which rests on the evidence of the later side.
        """
        withdrawn = {entry.refers_to for entry in self.chain.entries if entry.kind == "withdrawal"}
        found = (e for e in reversed(self.chain.entries) if e.kind == kind and e.evidence_digest == evidence_digest)
        return next((entry for entry in found if entry.index not in withdrawn), None)

    def first_seen(self, system: str) -> dict[str, str]:
        """Return the day of the first audit of a system in which each finding was open, by the finding's id."""
        withdrawn = {entry.refers_to for entry in self.chain.entries if entry.kind == "withdrawal"}
        seen: dict[str, str] = {}
        for entry in self.chain.entries:
            if entry.kind == "audit" and entry.system == system and entry.index not in withdrawn:
                for name in entry.open:
                    seen.setdefault(name, entry.time[:10])
        return seen

    def tell_earlier(self, evidence: Evidence, *, but: Entry | None = None) -> tuple[str, ...]:
        """Return earlier audits of the same model and data, one line each, so that trying until it passes shows.

        Parameters
        ----------
        evidence : Evidence
            Whose model and data.
        but : Entry, optional
            An audit that is not told of, nor those after it.
        """
        model, data = digests_of(evidence, "model"), digests_of(evidence, "data.audit")
        return tuple(
            tell_audit(entry, self.chain.entries)
            for entry in self.chain.entries[: but.index if but else None]
            if entry.kind == "audit" and (entry.model, entry.data) == (model, data) and (model or data)
        )

    @contextmanager
    def announce(self, out: Path, dossier: Dossier, *, beside: Path) -> Iterator[None]:
        """Write down before the block that a report will be made at `out` and recorded; take the note away after it.

        `beside` is where its private file of scores lies, if there is one.

        A process that is killed within the block leaves the note, and the next one puts things right.
        """
        try:
            private = (beside, dossier.scores) if dossier.scores else None
            announce_report(self.folder, out, index=len(self.chain.entries), digest=dossier.digest(), private=private)
        except OSError as error:
            raise explain_ledger_error(error, self.folder) from None
        try:
            yield
        finally:
            settle_report(self.folder)

    def append(self, dossier: Dossier, sealed: Mapping[str, bytes], signer: Sealer | None = None) -> Entry:
        """Record a finished audit.

        Parameters
        ----------
        dossier : Dossier
            What the report shows.
        sealed : mapping
            Name to bytes of the report folder.
        signer : Sealer, optional
            Who signs the entry.

        Returns
        -------
        Entry
            As written.

        Raises
        ------
        TryAgain
            The disk is full, or a time stamp is required and cannot be had; the ledger is as it was.
        """
        internal = self._entry_of(dossier.public.dossier_digest) if dossier.public else None
        place = internal.index if internal else None
        entry = describe_audit(
            dossier, sealed, index=len(self.chain.entries), previous=self.head, edition_of=place
        )  # fmt: skip
        return self._add(entry, signer)

    def record(
        self,
        kind: RecordKind,
        refers_to: int,
        reason: str,
        *,
        time: str,
        by: str = "",
        corrected_by: int | None = None,
        signer: Sealer | None = None,
        seal: Mapping[str, str] | None = None,
    ) -> Entry:
        """Record what happened to an earlier audit: a signature, correction, withdrawal or removal.

        Parameters
        ----------
        kind : {"signature", "correction", "withdrawal", "removal"}
            What happened.
        refers_to : int
            Index of the entry that it happened to.
        reason : str
            Why, in a person's words.
        time : str
            UTC time, ISO 8601 (seconds).
        by : str
            Who did it, as stated.
        corrected_by : int, optional
            Of a correction: the entry of the later audit that takes its place.
        signer : Sealer, optional
            Who signs the entry.
        seal : mapping, optional
            File that covers the report to its digest, where it is sealed anew.

        Raises
        ------
        ConfigError
            There is no such entry, it is no audit, it was withdrawn before, or the reason is empty.
        """
        known = self.chain.entries
        check_record(known, kind, refers_to, reason, corrected_by)
        about = known[refers_to]
        entry = Entry(
            index=len(known), time=time, kind=kind, system=about.system, version=about.version,
            dossier_digest=about.dossier_digest, refers_to=refers_to, reason=reason, seal=dict(seal or {}),
            previous=self.head, by=by,
            corrected_by=corrected_by,
        )  # fmt: skip
        return self._add(entry, signer)

    def _entry_of(self, dossier_digest: str | None) -> Entry | None:
        found = (entry for entry in reversed(self.chain.entries) if entry.kind in ("audit", "change"))
        return next((entry for entry in found if entry.dossier_digest == dossier_digest), None)

    def _add(self, entry: Entry, signer: Sealer | None) -> Entry:
        line = write_line(ENTRY_TYPE, entry, signer)
        entry = read_entry(line)  # a signer that returns something else stops here, before the log is touched
        lines, entries = (*self.chain.lines, line), (*self.chain.entries, entry)
        # Asked for before the log is touched: where a stamp is required and cannot be had, nothing has happened.
        checkpoint, written, stamp = _stamp_checkpoint(describe_log(lines, entry.time), signer)
        append_line(self.folder / LOG_FILE, line)
        self.chain = Chain(lines, entries, self.chain.checkpoint)
        try:
            put_checkpoint(self.folder, written, stamp)
            self.chain = Chain(lines, entries, checkpoint)
        except (ConfigError, TryAgain) as error:  # the entry stands; the next run writes the checkpoint
            self.notes.append(f"the ledger's checkpoint could not be written: {error.what}")
        return entry


def _stamp_checkpoint(checkpoint: Checkpoint, signer: Sealer | None) -> tuple[Checkpoint, bytes, bytes | None]:
    """Return a checkpoint as it is written, its line, and its time stamp, which it names where there is one."""
    if signer and signer.stamps:
        named = checkpoint.model_copy(update={"stamp": STAMP_FILE})
        written = write_line(CHECKPOINT_TYPE, named, signer)
        stamp = signer.stamps.reply(hashlib.sha256(written).digest())
        if stamp is not None:
            return named, written, stamp
    return checkpoint, write_line(CHECKPOINT_TYPE, checkpoint, signer), None


@contextmanager
def hold_ledger(order: LedgerOrder | Path | str, *, timeout: float = 30.0) -> Iterator[Ledger]:
    """Open a ledger for writing and keep all others out until the end of the block.

    Parameters
    ----------
    order : LedgerOrder or path
        Where it is, and whether it must exist already.
    timeout : float
        Seconds to wait for another process.

    Yields
    ------
    Ledger
        Checked to be one chain (signatures are checked by ``audit ledger check``).

    Raises
    ------
    LedgerError
        It is broken, or it must exist and does not.
    ConfigError
        The folder cannot be written.
    TryAgain
        Another process holds it for longer than `timeout`.
    """
    order = order if isinstance(order, LedgerOrder) else LedgerOrder(path=str(order))
    folder = Path(order.path)
    if order.must_exist and not (folder / LOG_FILE).is_file():
        raise LedgerError(f"there is no ledger at {folder}, and ledger.must_exist says that there is one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise explain_ledger_error(error, folder) from None
    with os.fdopen(descriptor, "rb") as handle:
        _take_lock(handle.fileno(), folder, timeout)
        yield _open_ledger(folder)


def read_ledger(folder: Path) -> tuple[Chain, bytes | None]:
    """Read a ledger without the right to write: the chain, and the checkpoint file as it is.

    Raises
    ------
    ConfigError
        There is none.
    LedgerError
        It is broken.
    """
    log = folder / LOG_FILE
    if not log.is_file():
        raise ConfigError(f"there is no ledger at {folder}", hint="give its folder; the default is audit-log")
    checkpoint = read_file(folder / CHECKPOINT_FILE)
    while True:
        text, again = read_file(log) or b"", read_file(folder / CHECKPOINT_FILE)
        if again == checkpoint:  # no audit was recorded between the reads, so that they belong together
            return read_chain(text, checkpoint), checkpoint
        checkpoint = again


def _open_ledger(folder: Path) -> Ledger:
    try:
        settle_stamp(folder)
        log, checkpoint = read_file(folder / LOG_FILE) or b"", read_file(folder / CHECKPOINT_FILE)
        ledger = Ledger(folder, read_chain(log, checkpoint))
        if ledger.chain.torn:
            whole = len(log) - ledger.chain.torn
            os.truncate(folder / LOG_FILE, whole)
            ledger.notes.append(f"an interrupted entry of {ledger.chain.torn} bytes was taken away")
            ledger.chain = read_chain(log[:whole], checkpoint)
        if undone := take_back_unrecorded(folder, tuple(entry.dossier_digest for entry in ledger.chain.entries)):
            ledger.notes.append(undone)
        return _catch_up(ledger)
    except OSError as error:
        raise explain_ledger_error(error, folder) from None


def _catch_up(ledger: Ledger) -> Ledger:
    """Write the checkpoint that a run did not come to write; the next signed one replaces it."""
    chain = ledger.chain
    if chain.lines and (chain.checkpoint is None or chain.checkpoint.entries < len(chain.lines)):
        checkpoint = describe_log(chain.lines, chain.entries[-1].time)
        put_checkpoint(ledger.folder, write_line(CHECKPOINT_TYPE, checkpoint, None), None)
        ledger.notes.append("the checkpoint of an interrupted run was written again")
        ledger.chain = Chain(chain.lines, chain.entries, checkpoint)
    return ledger


def _take_lock(descriptor: int, folder: Path, timeout: float) -> None:
    end = time.monotonic() + timeout
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise TryAgain(
                    f"another audit holds the ledger {folder}", hint="try again when it has finished"
                ) from None
            time.sleep(_PAUSE)
