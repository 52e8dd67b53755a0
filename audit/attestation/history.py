"""The history of audits, put together: what the ledger says, and the reports that were found.

Comes in: a ledger's folder, and where reports lie. Goes out: `AuditPast` records and the page of them. A report is used
only where its document is, byte for byte, the one that the ledger recorded.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from audit.errors import ConfigError, EvidenceError, LedgerError, SealError
from audit.evidence import Dossier, digest_bytes

from .ledger.chain import Chain, check_signatures
from .ledger.checkpoint import Checkpoint
from .ledger.disk import STAMP_FILE, read_checkpoint_files, read_file
from .ledger.entry import Entry, read_checkpoint
from .ledger.status import read_status
from .ledger.store import read_ledger
from .render.history import AuditPast, Happening, render_history
from .seal.envelope import open_envelope
from .seal.keys import show_certificate
from .seal.timestamp import read_stamp, reply_around, token_of

DOSSIER_FILE = "audit.json"
_PAGES = ("report.html", "report.pdf", "")
_TOLD = ("signature", "correction", "withdrawal", "removal", "publication")


@dataclass(frozen=True, slots=True)
class CheckedLedger:
    """A ledger whose chain and signatures hold.

    Parameters
    ----------
    chain : Chain
        What it holds.
    signers : tuple of str
        Name of each entry's signer; empty where nobody signed.
    stamped : datetime or None
        When the checkpoint existed, as a time stamp authority says; None where it carries no time stamp.
    stamped_by : str
        Name of that authority, which is not checked to be trusted.
    """

    chain: Chain
    signers: tuple[str, ...]
    stamped: datetime | None = None
    stamped_by: str = ""


def check_whole(folder: Path) -> CheckedLedger:
    """Read a ledger, check its chain and every signature.

    Parameters
    ----------
    folder : pathlib.Path
        The ledger's folder.

    Raises
    ------
    ConfigError
        There is none.
    LedgerError
        It is broken.
    """
    chain, checkpoint = read_ledger(folder)
    opened = check_signatures(chain, checkpoint, lambda line: show_certificate(open_envelope(line).certificate))
    current, stamp = read_checkpoint_files(folder)
    if stamp is None and current is not None and read_checkpoint(current).stamp:
        raise LedgerError(
            f"the time stamp of the checkpoint is missing: it says that {STAMP_FILE} lies beside it",
            hint="put it back from a copy; whoever took it away may have wished to hide how old the ledger is",
        )
    return CheckedLedger(chain, opened, *(check_stamp(current, stamp) or ()))


def check_copy(path: Path) -> tuple[Checkpoint, tuple[datetime, str] | None]:
    """Read a copy of a checkpoint that was kept elsewhere, with its time stamp where one lies beside it.

    Parameters
    ----------
    path : pathlib.Path
        The copy; its time stamp is called the same with ``.tsr`` at the end.

    Raises
    ------
    ConfigError
        It cannot be read.
    LedgerError
        It is none, or its time stamp is that of another.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    return read_checkpoint(data), check_stamp(data, read_file(path.with_name(f"{path.name}.tsr")))


def check_stamp(checkpoint: bytes | None, stamp: bytes | None) -> tuple[datetime, str] | None:
    """Return when a checkpoint existed and who says so; None where it carries no time stamp.

    Raises
    ------
    LedgerError
        The stamp does not hold, or is that of another checkpoint.
    """
    if stamp is None or checkpoint is None:
        return None
    try:
        token = token_of(stamp)
        if stamp != reply_around(token):
            raise SealError("it was changed")
        return read_stamp(token, hashlib.sha256(checkpoint).digest())
    except SealError as error:
        raise LedgerError(f"the time stamp of the checkpoint does not hold: {error.what}") from None


def write_history(ledger: Path, reports: Sequence[Path], page: Path, *, language: str = "en") -> bytes:
    """Return the page of a ledger's audits.

    Parameters
    ----------
    ledger : pathlib.Path
        The ledger's folder.
    reports : sequence of pathlib.Path
        Folders below which report folders lie.
    page : pathlib.Path
        Where the page will lie, for its links.
    language : str
        Language of its words.

    Raises
    ------
    LedgerError
        The ledger is broken: no page is made of it.
    """
    checked = check_whole(ledger)
    entries = checked.chain.entries
    found = find_folders(reports, {entry.dossier_digest for entry in entries})
    past = [
        _describe(entry, entries, checked.signers[entry.index], found, page.parent)
        for entry in entries
        if entry.kind == "audit"
    ]
    unsigned = sum(not name for name in checked.signers)
    said = f"The ledger is one chain of {len(entries)} entries" + (
        f", {unsigned} of them unsigned." if unsigned else "."
    )
    return render_history(past, head=str(checked.chain.head), checked=said, language=language)


def find_folders(places: Iterable[Path], digests: set[str]) -> dict[str, Path]:
    """Return digest to report folder, for those of `digests` whose document lies below some folders."""
    found: dict[str, Path] = {}
    for place in places:
        for file in sorted(place.rglob(DOSSIER_FILE)) if place.is_dir() else ():
            digest = digest_bytes(file.read_bytes())
            if digest in digests:
                found.setdefault(digest, file.parent)
    return found


def _describe(
    entry: Entry, entries: Sequence[Entry], signer: str, found: Mapping[str, Path], beside: Path
) -> AuditPast:
    status = read_status(entries, entry.index)
    told = [one.dossier_digest for one in entries if one.kind == "publication" and one.refers_to == entry.index]
    folder = next((found[digest] for digest in (entry.dossier_digest, *reversed(told)) if digest in found), None)
    return AuditPast(
        index=entry.index,
        time=entry.time,
        system=entry.system,
        version=entry.version,
        outcome=entry.outcome,
        counts=entry.counts,
        status=status.word,
        replaced_by=status.later.index if status.word == "corrected" and status.later else None,
        model=" ".join(entry.model),
        data=" ".join(entry.data),
        signer=signer,
        link=_link(folder, beside) if folder else "",
        dossier=_read(folder) if folder else None,
        happenings=tuple(
            Happening(one.time, one.kind, one.by, one.reason)
            for one in entries
            if one.refers_to == entry.index and one.kind in _TOLD
        ),
    )


def _link(folder: Path, beside: Path) -> str:
    name = next(name for name in _PAGES if not name or (folder / name).is_file())
    return quote(Path(os.path.relpath(folder / name, beside)).as_posix())


def _read(folder: Path) -> Dossier | None:
    try:
        return Dossier.parse((folder / DOSSIER_FILE).read_bytes())
    except EvidenceError:  # written by another version: the entry alone is told
        return None
