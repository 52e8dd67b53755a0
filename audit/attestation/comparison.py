"""Report folders as sides of a comparison: verified first, then read.

Comes in: folders, or the wish to compare with the last audit of a system. Goes out: sides. A folder that was tampered
with is no side; one that cannot be found is a note, not a failure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from audit.config.schema import AttestConfig
from audit.errors import ConfigError, EvidenceError, SealError
from audit.evidence import Dossier, digest_bytes

from .change.compare import AuditSide
from .change.kept import KeptPeople, read_kept
from .folder import name_sidecar
from .ledger.store import LOG_FILE, read_ledger
from .verify import verify_report

DOSSIER_FILE = "audit.json"
KNOWN_FORM = "dossier/1"
LAST = "last"


@dataclass(frozen=True, slots=True, eq=False)
class SealedAudit:
    """A report folder that was verified and read.

    Parameters
    ----------
    folder : pathlib.Path
        Where it lies.
    dossier : Dossier
        Its document.
    side : AuditSide
        The same as a side of a comparison.
    """

    folder: Path
    dossier: Dossier
    side: AuditSide


def read_audit(folder: Path, *, trust: Path | None = None) -> SealedAudit:
    """Verify a report folder, then read it.

    Parameters
    ----------
    folder : pathlib.Path
        A report folder.
    trust : pathlib.Path, optional
        PEM file with the authorities to be trusted; without one any signer will do.

    Raises
    ------
    ConfigError
        There is no report folder.
    SealError
        It was tampered with, no trusted authority stands behind it, or the private file of scores is another one.
    EvidenceError
        Its document has a form that this version does not know.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no report folder at {folder}", hint="give two report folders, or two audit.yaml")
    found = verify_report(folder, trust=trust)
    if found.word != "INTACT" or found.exit_code:
        broken = next((f"{check.name}: {check.detail}" for check in found.checks if not check.ok), found.trust.lower())
        raise SealError(f"{folder} cannot be compared: {found.word.lower()}, {broken}", hint=f"audit verify {folder}")
    data = (folder / DOSSIER_FILE).read_bytes()
    dossier = _parse(data, folder)
    people, missing = _read_people(folder, dossier)
    signers = f", signed by {', '.join(found.signers)}" if found.signers else ", unsigned"
    side = AuditSide(
        dossier.evidence,
        dossier.judgement,
        people,
        dossier.presentation.created,
        digest_bytes(data),
        f"{found.word.lower()}, {found.trust.lower()}{signers if found.trust != 'UNSIGNED' else ''}",
        missing,
    )
    return SealedAudit(folder, dossier, side)


def _parse(data: bytes, folder: Path) -> Dossier:
    form = json.loads(data).get("schema_version")
    if form != KNOWN_FORM:
        hint = "install the version of glassbox-audit that wrote it, or audit the model again with this one"
        raise EvidenceError(f"{folder} has the form {form}, this version compares {KNOWN_FORM}", hint=hint)
    return Dossier.parse(data)


def _read_people(folder: Path, dossier: Dossier) -> tuple[KeptPeople | None, str]:
    path = name_sidecar(folder)
    if dossier.scores is None:
        return None, "no scores were kept (keep.scores: true keeps them)"
    if not path.is_file():
        return None, f"the private file of scores ({path.name}) is not beside the folder"
    data = path.read_bytes()
    if digest_bytes(data) != dossier.scores:
        raise SealError(f"{path.name} is not the private file of scores that {folder.name} was sealed with")
    return read_kept(data), ""


def find_previous(order: AttestConfig, system: str, near: Iterable[Path]) -> tuple[SealedAudit | None, str]:
    """Return the audit that ``compare.previous`` names, or why there is none.

    Parameters
    ----------
    order : AttestConfig
        For `compare` and the ledger.
    system : str
        System name.
    near : iterable of pathlib.Path
        Folders that hold report folders; the ledger keeps digests, not places.

    Raises
    ------
    ConfigError
        A folder is named that is no report.
    SealError
        It was tampered with, or the ledger was.
    """
    wanted = order.compare.previous
    if wanted is None:
        return None, ""
    if wanted != LAST:
        return read_audit(Path(wanted)), ""
    digest = _last_digest(order, system)
    if digest is None:
        return None, f"this is the first audit of {system} in the ledger: there is no previous one to compare with"
    folder = _find_folder(digest, near)
    if folder is None:
        return None, (
            f"the previous audit of {system} ({digest[:19]}) was not found beside this one: name its folder under "
            "compare.previous"
        )
    return read_audit(folder), ""


def _last_digest(order: AttestConfig, system: str) -> str | None:
    folder = Path(order.ledger.path)
    if not (folder / LOG_FILE).is_file():
        return None
    chain, _ = read_ledger(folder)
    withdrawn = {entry.refers_to for entry in chain.entries if entry.kind == "withdrawal"}
    audits = (
        entry.dossier_digest
        for entry in reversed(chain.entries)
        if entry.kind == "audit" and entry.system == system and entry.index not in withdrawn
    )
    return next(audits, None)


def _find_folder(digest: str, near: Iterable[Path]) -> Path | None:
    """Return the report folder with a dossier of that digest, looking at the newest first."""
    files = {file for place in near if place.is_dir() for file in place.glob(f"*/{DOSSIER_FILE}")}
    newest = sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)
    return next((file.parent for file in newest if digest_bytes(file.read_bytes()) == digest), None)
