"""One more signature on a finished report, on one page: verify, sign, verify again, exchange the folders, record.

Comes in: a report folder, what a person states, their key. Goes out: the same folder with one seal more. The new folder
is made beside the old one and takes its place in one step, so that a crash leaves either of them, whole.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from audit.config.schema import SigningOrder
from audit.errors import ConfigError, LedgerError, SealError
from audit.evidence import Countersignature, digest_bytes
from audit.evidence.countersignature import Decision, SigningRole

from .folder import exchange_folders, explain_os_error, fill_folder
from .ledger.entry import Entry
from .ledger.later import find_entry, find_lacking
from .ledger.status import read_status
from .ledger.store import LOG_FILE, Ledger, hold_ledger
from .render.stamp import render_stamp
from .render.tongue import ENGLISH
from .seal.keys import Signer, notes_of, signer_for
from .seal.reading import OUTSIDE, read_plain, walk_folder
from .seal.sign import DOSSIER_FILE, SUMS_FILE, countersign_folder, seal_digests, tell_moment
from .seal.signers import RoleSigned, find_person, read_signers
from .verify import SignatureTold, Verification, verify_report

LONGEST_NOTE = 10_000
"""Characters of a note."""


@dataclass(frozen=True, slots=True)
class SigningStated:
    """What a person states by signing.

    Parameters
    ----------
    role : {"preparer", "reviewer", "approver"}
        In which role.
    decision : {"approve", "conditions", "reject"} or None
        What they decided; None for a preparer alone.
    name : str
        Their name; empty: that of the certificate.
    note : str
        Reasons or conditions.
    """

    role: SigningRole
    decision: Decision | None = None
    name: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Countersigned:
    """A signature that was made.

    Parameters
    ----------
    stated : Countersignature
        As it stands in the attestation.
    verification : Verification
        Of the folder with it.
    notes : tuple of str
        What a person should hear about servers and the ledger.
    """

    stated: Countersignature
    verification: Verification
    notes: tuple[str, ...] = field(default=())


def countersign_report(
    folder: Path,
    wish: SigningStated,
    order: SigningOrder,
    *,
    moment: datetime,
    signers: Path | None = None,
    ledger: Path | None = None,
    interactive: bool = False,
) -> Countersigned:
    """Sign a finished report.

    Parameters
    ----------
    folder : pathlib.Path
        The report folder.
    wish : SigningStated
        What the person states.
    order : SigningOrder
        Their key.
    moment : datetime
        Time of signing to state (aware).
    signers : pathlib.Path, optional
        signers.yaml, which must allow this signature.
    ledger : pathlib.Path, optional
        Folder of the ledger that knows the report; None: it is recorded nowhere.
    interactive : bool
        Whether a development key may be made unasked.

    Raises
    ------
    ConfigError
        Somebody who may not sign in this role, a role that has signed already, or a key that cannot sign.
    SealError
        The report is not intact: nobody should sign it.
    LedgerError
        The ledger does not know the report.
    """
    found = verify_report(folder)
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a report folder", hint="sign the folder, not one of its files")
    if found.word != "INTACT":
        faults = [f"{check.name}: {check.detail}" for check in found.checks if not check.ok]
        raise SealError(
            f"the report is not what was sealed, so it is not signed: {faults[0] if faults else found.word}"
        )
    _check_wish(wish, found)
    signer = signer_for(order, interactive=interactive)
    if signer is None:
        raise ConfigError("there is no key to sign with", place="--key", hint="give --key and --certificate")
    _check_person(wish, signer, found, signers)
    stated = Countersignature(
        role=wish.role, decision=wish.decision, name=wish.name.strip() or signer.shown().name, note=wish.note,
        moment=tell_moment(moment),
    )  # fmt: skip
    with _hold(ledger) as held:
        after = _sign_and_exchange(folder, stated, signer, moment, held)
        return Countersigned(stated, after, (*notes_of(signer), *(held.notes if held else ())))


def _check_wish(wish: SigningStated, found: Verification) -> None:
    if len(wish.note) > LONGEST_NOTE:
        raise ConfigError(f"the note is longer than {LONGEST_NOTE} characters", place="--note")
    if wish.role != "preparer" and wish.decision is None:
        raise ConfigError(f"who signs as {wish.role} decides", place="--decision", hint="approve, conditions or reject")
    if wish.decision == "conditions" and not wish.note.strip():
        raise ConfigError(
            "who approves with conditions must name them", place="--note", hint="--note TEXT, or --note FILE"
        )
    roles = [one.role for one in found.signatures]
    if wish.role in roles:
        raise ConfigError(f"the report is signed already in the role of {wish.role}", place="--role")
    if wish.role != "preparer" and not roles:
        raise ConfigError(
            "nobody has prepared this report by signing it", place="--role", hint="sign as preparer first"
        )


def _check_person(wish: SigningStated, signer: Signer, found: Verification, signers: Path | None) -> None:
    """Refuse somebody who approves what they prepared, or whom signers.yaml does not allow."""
    shown = signer.shown()
    preparer = next((one for one in found.signatures if one.role == "preparer"), None)
    if wish.role == "approver" and preparer and preparer.fingerprint == shown.fingerprint:
        raise ConfigError("who prepared a report cannot approve it: this certificate did", place="--role")
    if signers is None:
        return
    book = read_signers(signers)
    try:
        # Whether an authority stands behind the certificate, whoever verifies asks; here it is the signer's own.
        person = find_person(book, RoleSigned(wish.role, wish.decision, signer.certificate, trusted=True))
    except SealError as error:
        raise ConfigError(error.what, place="--signers") from None
    names = {entry.name for entry in book.signers if preparer and _is(entry.certificate, preparer)}
    if wish.role == "approver" and person.name in names:
        raise ConfigError(f"{person.name} prepared the report and cannot approve it", place="--signers")


def _is(digits: str | None, one: SignatureTold) -> bool:
    return digits is not None and digits == one.fingerprint.replace(":", "").lower()


@contextmanager
def _hold(ledger: Path | None) -> Iterator[Ledger | None]:
    if ledger is None:
        yield None
        return
    if not (ledger / LOG_FILE).is_file():
        raise LedgerError(f"there is no ledger at {ledger}")
    with hold_ledger(ledger) as held:
        yield held


def _sign_and_exchange(
    folder: Path, stated: Countersignature, signer: Signer, moment: datetime, ledger: Ledger | None
) -> Verification:
    files = _read_all(folder)
    about = find_entry(ledger.chain, digest_bytes(files[DOSSIER_FILE])) if ledger else None
    if ledger and about is None:
        raise LedgerError("the ledger does not know this report", hint="name the one in which its audit is recorded")
    if ledger and about:
        _check_copy(ledger, about, files)
    stamp = partial(render_stamp, language=_language_of(files[DOSSIER_FILE]))
    sealed = countersign_folder(files, stated, signer, moment=moment, stamp=stamp)
    fresh = _write_beside(folder, sealed)
    try:
        after = verify_report(fresh)
        if after.word != "INTACT":
            raise SealError("the report with the new signature does not verify; it is left as it was")
        exchange_folders(fresh, folder)
        if ledger and about:
            try:
                words = f"{stated.role}: {stated.decision or 'signed'}" + (f": {stated.note}" if stated.note else "")
                seal = seal_digests(sealed)
                ledger.record(
                    "signature", about.index, words[:400], time=stated.moment, by=stated.name, signer=signer, seal=seal
                )
            except BaseException:
                exchange_folders(fresh, folder)  # a signature that the history does not know is taken back
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return after


def _check_copy(ledger: Ledger, about: Entry, files: Mapping[str, bytes]) -> None:
    """Refuse a copy that lacks somebody's signature, and a report that was withdrawn."""
    seals = [digest_bytes(data) for name, data in files.items() if name.rpartition("/")[2] == SUMS_FILE]
    if lacking := find_lacking(ledger.chain, about.dossier_digest, seals):
        raise LedgerError(
            f"this copy lacks a signature that the ledger knows: entry {lacking[0].index}, {lacking[0].reason[:120]}",
            hint="sign the copy that has it",
        )
    if read_status(ledger.chain.entries, about.index).word == "withdrawn":
        raise LedgerError(f"entry {about.index} of the ledger was withdrawn, so its report is not signed any more")


def _language_of(dossier: bytes) -> str:
    """Return the language of a report, in which its signatures are shown, too; older ones are all English."""
    return str(json.loads(dossier).get("presentation", {}).get("language", ENGLISH))


def _read_all(folder: Path) -> dict[str, bytes]:
    """Return every file that is sealed; one that cannot be read as a plain file stops the signing."""
    files = {}
    for name, path in walk_folder(folder, OUTSIDE):
        data = read_plain(path, whole=True)
        if not isinstance(data, bytes):
            raise SealError(f"{name} is too large to be signed")
        files[name] = data
    return files


def _write_beside(folder: Path, sealed: dict[str, bytes]) -> Path:
    """Write the new folder, with the files about single people, beside the old one."""
    try:
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.resolve().name}.", dir=folder.resolve().parent))
    except OSError as error:
        raise explain_os_error(error, folder) from None
    try:
        fill_folder(fresh, sealed)
        if (folder / OUTSIDE).is_dir():
            shutil.copytree(folder / OUTSIDE, fresh / OUTSIDE, symlinks=True)
        fresh.chmod(folder.stat().st_mode & 0o777)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise explain_os_error(error, folder) from None
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return fresh
