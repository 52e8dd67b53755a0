"""A checkpoint after the examination, so that a retry does not measure a second time what was measured already.

Comes in: a configuration and a finished examination. Goes out: evidence and its artifacts, kept beside the ledger until
the report is recorded, and given back to a later run only where everything that can change a number is the same: the
configuration's first half, every byte of every input file, the code, the versions of the libraries. Nothing about
single people is kept: an examination that wrote anything of that kind is not kept at all. Where a run is signed, its
checkpoint is signed with the same key, so that nobody can slip other evidence under the next report.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from dataclasses import fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from audit.attestation.folder import write_folder
from audit.config.paths import list_inputs
from audit.config.schema import Config, ExamineConfig
from audit.errors import AuditError, SealError
from audit.evidence import Evidence, canonical_bytes, digest_bytes, read_evidence

if TYPE_CHECKING:
    from audit.attestation.seal.keys import Signer
    from audit.examination.pipeline import Examination

RESUMED = "made by an earlier run of the same inputs that was interrupted, and kept as its checkpoint"
"""What a judgement says of evidence that came from a checkpoint."""
_FOLDER, _KEY, _EVIDENCE, _ENVELOPE = "checkpoints", "key.json", "evidence.json", "evidence.dsse.json"


def keep_checkpoint(config: Config, examined: Examination, signer: Signer | None) -> bool:
    """Keep an examination until its report is recorded; return whether it was kept.

    Parameters
    ----------
    config : Config
        What was examined, from files.
    examined : Examination
        What came of it.
    signer : Signer or None
        Who signs the report, and so the checkpoint.

    Notes
    -----
    Not kept: evidence of which a part broke (the next run may mend it), anything about single people, and evidence of
    files that were changed while they were read. A checkpoint that cannot be written is no reason to stop.
    """
    private = [item.name for item in fields(examined) if item.name not in ("evidence", "artifacts")]
    if examined.evidence.broken or any(getattr(examined, name) for name in private):
        return False
    key = _key_of(config, examined.evidence)
    read = {item.sha256 for item in examined.evidence.provenance.files if not item.note}
    if not read <= set(key["files"].values()):
        return False
    data = examined.evidence.canonical()
    files = {_KEY: canonical_bytes(key), _EVIDENCE: data, **examined.artifacts}
    if signer is not None:
        from audit.attestation.seal.sign import seal_evidence

        files[_ENVELOPE] = seal_evidence(data, signer)
    return _write(_place(config), files)


def find_checkpoint(config: Config, signer: Signer | None) -> Examination | None:
    """Return what an interrupted run of the same inputs had measured; None where there is nothing to go by.

    Parameters
    ----------
    config : Config
        What is to be examined, from files.
    signer : Signer or None
        Who signs now; a checkpoint signed by another, or by nobody where somebody signs, is not taken.

    Raises
    ------
    SealError
        The checkpoint was changed.
    """
    folder = _place(config)
    if not (folder / _KEY).is_file():
        return None
    data = (folder / _EVIDENCE).read_bytes()
    evidence = read_evidence(data)
    if canonical_bytes(_key_of(config, evidence)) != (folder / _KEY).read_bytes():
        return None
    if not _is_signed_by(signer, data, folder / _ENVELOPE):
        return None
    from audit.examination.pipeline import Examination

    return Examination(evidence, {item.name: _read_artifact(folder, item.name, item.sha256)
                                  for item in evidence.provenance.artifacts})  # fmt: skip


def drop_checkpoint(config: Config) -> None:
    """Remove the checkpoint: its report is recorded."""
    shutil.rmtree(_place(config), ignore_errors=True)


def clear_partial_checkpoints(config: Config) -> None:
    """Remove checkpoints that a killed process half wrote; only the holder of the system's lock may call it."""
    from audit.attestation.ledger.pending import remove_partials

    remove_partials(_place(config))


def _place(config: Config) -> Path:
    return Path(config.ledger.path) / _FOLDER / config.system.name


def _write(folder: Path, files: dict[str, bytes]) -> bool:
    try:
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        write_folder(files, folder)
    except (AuditError, OSError):
        return False
    return True


def _key_of(config: Config, evidence: Evidence) -> dict[str, dict[str, str]]:
    """Return everything that can change a number: settings, inputs, code, libraries, each by digest or version."""
    settings = config.model_dump(mode="json", include=set(ExamineConfig.model_fields))
    return {
        "settings": {"sha256": digest_bytes(canonical_bytes(settings))},
        "files": {str(path): _digest_file(path) for path in list_inputs(settings)},
        "code": {"sha256": digest_code(), "python": platform.python_version(), "platform": platform.platform()},
        "libraries": {name: _installed(name) for name in evidence.provenance.versions},
    }


def _digest_file(path: Path) -> str:
    with path.open("rb") as handle:
        return f"sha256:{hashlib.file_digest(handle, 'sha256').hexdigest()}"


@cache
def digest_code() -> str:
    """Return the digest over every file of this package: numbers of other code are other numbers."""
    here = Path(__file__).parent
    sums = {str(path.relative_to(here)): _digest_file(path) for path in sorted(here.rglob("*.py"))}
    return digest_bytes(json.dumps(sums, sort_keys=True).encode())


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _is_signed_by(signer: Signer | None, data: bytes, envelope: Path) -> bool:
    if signer is None:
        return True
    from audit.attestation.seal.check import check_evidence

    said = check_evidence(data, envelope.read_bytes() if envelope.is_file() else None)
    return signer.shown().fingerprint in said


def _read_artifact(folder: Path, name: str, digest: str) -> bytes:
    if name.startswith("/") or ".." in name.split("/"):
        raise SealError(f"the checkpoint names a file outside its folder: {name}")
    data = (folder / name).read_bytes()
    if digest_bytes(data) != digest:
        raise SealError(f"{name} is not the file that the checkpoint was written with", hint=f"remove {folder}")
    return data
