"""The history of audits, put together: what the ledger says, and the reports that were found.

Comes in: a ledger's folder, and where reports lie. Goes out: `AuditPast` records and the page of them. A report is used
only where its document is, byte for byte, the one that the ledger recorded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from audit.errors import EvidenceError
from audit.evidence import Dossier, digest_bytes

from .ledger.chain import Chain, check_signatures
from .ledger.entry import Entry
from .ledger.status import read_status
from .ledger.store import read_ledger
from .render.history import AuditPast, Happening, render_history
from .seal.envelope import open_envelope
from .seal.keys import show_certificate

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
    """

    chain: Chain
    signers: tuple[str, ...]


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
    return CheckedLedger(chain, opened)


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
    folder = found.get(entry.dossier_digest)
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
