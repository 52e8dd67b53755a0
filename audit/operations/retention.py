"""How long reports are kept: what may go, what must stay and why, and the removal itself, which the history remembers.

Comes in: the folder of reports, the ledger, a number of years. Goes out: for every recorded audit what is to become of
its folder; on request the removal, written into the ledger before a file is touched. The ledger itself never shrinks:
what was audited when and with which verdict stays on record after the report is gone.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.errors import ConfigError
from audit.evidence import digest_bytes

if TYPE_CHECKING:
    from audit.attestation.ledger.entry import Entry
    from audit.attestation.ledger.store import Ledger
    from audit.config.schema import SigningOrder

LEAST_YEARS = 1
"""Nobody removes a report younger than this by a slip of the keyboard."""
REASON = "report removed after {years:g} years of retention"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to become of the folder of one audit.

    Parameters
    ----------
    index : int
        Its entry in the ledger.
    time : str
        When it was recorded.
    system : str
        The system.
    folder : pathlib.Path or None
        Its report folder; None where it was not found.
    removable : bool
        Whether it may go.
    because : str
        Why it stays, or why it may go.
    """

    index: int
    time: str
    system: str
    folder: Path | None
    removable: bool
    because: str


def plan_removal(
    reports: Path, entries: Collection[Entry], *, years: float, today: datetime, named: Collection[int] = ()
) -> list[Kept]:
    """Return for each audit on record whether its folder may go.

    Parameters
    ----------
    reports : pathlib.Path
        Folder that holds report folders, at any depth.
    entries : collection of Entry
        The ledger.
    years : float
        Years for which every report is kept, at least 1.
    today : datetime
        Time of asking.
    named : collection of int
        Entries that a person names: an approved audit goes only by name, and only after its years too.

    Raises
    ------
    ConfigError
        Fewer years than one, or a named entry that is no audit.
    """
    if years < LEAST_YEARS:
        raise ConfigError(f"reports are kept for at least {LEAST_YEARS} year", place="--years")
    audits = [entry for entry in entries if entry.kind == "audit"]
    if wrong := sorted(set(named) - {entry.index for entry in audits}):
        raise ConfigError(f"entry {wrong[0]} of the ledger is no audit", place="--entry")
    signed = {entry.refers_to for entry in entries if entry.kind == "signature"}
    latest = {entry.system: entry.index for entry in audits}
    folders = {digest: folder for folder, digest in _find_reports(reports)}
    plan = []
    for entry in audits:
        folder = folders.get(entry.dossier_digest)
        stays = _why_it_stays(entry, folder, years, today, latest)
        if not stays and entry.index not in named and (entry.index in signed or _is_approved(folder)):
            stays = f"it was signed off by a person; name it to remove it: --entry {entry.index}"
        plan.append(
            Kept(entry.index, entry.time, entry.system, folder, not stays, stays or f"older than {years:g} years")
        )
    return plan


def remove_reports(
    ledger: Path, plan: Collection[Kept], *, years: float, today: datetime, signing: SigningOrder | None = None
) -> list[Kept]:
    """Remove what may go; every removal is in the ledger before its folder is touched.

    Parameters
    ----------
    ledger : pathlib.Path
        The ledger's folder.
    plan : collection of Kept
        As `plan_removal` returned it.
    signing : SigningOrder, optional
        Who signs the entries.

    Returns
    -------
    list of Kept
        What was removed.
    """
    from audit.attestation.ledger.store import hold_ledger
    from audit.attestation.seal.keys import signer_for

    signer = signer_for(signing, interactive=False) if signing else None
    time = today.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    gone = [item for item in plan if item.removable and item.folder is not None]
    with hold_ledger(ledger) as held:
        for item in gone:
            if not _is_recorded(held, item.index):
                held.record("removal", item.index, REASON.format(years=years), time=time, signer=signer)
            _remove(item.folder)
    return gone


def _why_it_stays(entry: Entry, folder: Path | None, years: float, today: datetime, latest: dict[str, int]) -> str:
    if folder is None:
        return "its folder is not there"
    until = _add_years(datetime.fromisoformat(entry.time), years)
    if until > today:
        return f"kept until {until.date().isoformat()}"
    return "it is the last audit of its system" if latest[entry.system] == entry.index else ""


def _add_years(start: datetime, years: float) -> datetime:
    """Return the same day `years` later; the 29th of February becomes the 1st of March."""
    whole, rest = divmod(years * 12, 12)
    month = start.month - 1 + round(rest)
    year, month = start.year + int(whole) + month // 12, month % 12 + 1
    for day in range(start.day, 27, -1) if start.day > 28 else (start.day,):
        try:
            return start.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    return start.replace(year=year, month=month, day=28)


def _find_reports(reports: Path) -> Iterator[tuple[Path, str]]:
    for dossier in sorted(reports.rglob("audit.json")) if reports.is_dir() else ():
        if not any(part.startswith(".") for part in dossier.relative_to(reports).parts) and not dossier.is_symlink():
            yield dossier.parent, digest_bytes(dossier.read_bytes())


def _is_approved(folder: Path | None) -> bool:
    """Tell whether the dossier of a folder holds a person's approval."""
    if folder is None:
        return False
    try:
        papers: dict[str, Any] = json.loads((folder / "audit.json").read_bytes())["judgement"]["papers"]
    except (OSError, ValueError, KeyError, TypeError):
        return True  # what cannot be read is not removed by itself
    return bool(papers.get("approvals"))


def _is_recorded(ledger: Ledger, index: int) -> bool:
    return any(entry.kind == "removal" and entry.refers_to == index and entry.reason.startswith("report removed")
               for entry in ledger.entries())  # fmt: skip


def _remove(folder: Path | None) -> None:
    """Take a folder away in one step, then delete what it held, so that nobody ever reads half of it."""
    if folder is not None and folder.is_dir():
        doomed = folder.with_name(f".removed-{os.getpid()}-{folder.name}")
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
