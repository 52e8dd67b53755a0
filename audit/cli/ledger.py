"""``audit ledger``: the history of audits, listed, checked and continued."""

from __future__ import annotations

import json as json_form
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from audit.errors import ConfigError

from .flags import name_flags

if TYPE_CHECKING:
    from datetime import datetime

    from audit.attestation.ledger.chain import Chain
    from audit.attestation.ledger.entry import Entry, RecordKind
    from audit.attestation.seal.keys import Signer

app = App(name="ledger", help="List and check the history of audits; correct or withdraw one.")

Flag = Annotated[bool, Parameter(negative=())]
Folder = Annotated[Path, Parameter(name="--ledger")]
REPORTS = Path("audits")
"""Where reports lie unless they are put elsewhere."""


@app.command(name="list")
def list_ledger(
    path: Path = Path("audit-log"),
    *,
    system: str | None = None,
    html: Path | None = None,
    reports: list[Path] | None = None,
    json: Flag = False,
) -> int:
    """List the entries of a ledger, oldest first. Exit code 0; 4 where the chain is broken, 2 where there is none.

    Parameters
    ----------
    path
        The ledger's folder.
    system
        Only entries of this system.
    html
        Write a page of all audits instead: verdicts, what became of them, the main figures over time.
    reports
        Folders below which the reports lie, for the page; default audits. May be repeated.
    json
        Print one JSON array instead of text.
    """
    if html is not None:
        return _write_page(path, html, reports)
    from audit.attestation.ledger.store import read_ledger

    chain, _ = read_ledger(path)
    entries = [entry for entry in chain.entries if system in (None, entry.system)]
    if json:
        print(json_form.dumps([entry.model_dump(mode="json") for entry in entries], indent=2, ensure_ascii=False))
        return 0
    for entry in entries:
        text = f"{entry.index:>4}  {entry.time}  {entry.kind:<11}  {entry.system} {entry.version}  {_tell(entry)}"
        print("".join(sign if sign.isprintable() else "?" for sign in text))
    if not entries:
        print("no entries")
    return 0


@app.command(name="check")
def check_ledger(path: Path = Path("audit-log"), *, checkpoint: Path | None = None, json: Flag = False) -> int:
    """Check that no entry was changed, dropped or added, and every signature. Exit code 0; 4 where that is not so.

    Parameters
    ----------
    path
        The ledger's folder.
    checkpoint
        An older copy of its checkpoint, kept elsewhere: the ledger must still begin with what that saw. Where its time
        stamp lies beside it (the same name with `.tsr`), that is checked too.
    json
        Print one JSON object instead of text.
    """
    from audit.attestation.history import check_copy, check_whole
    from audit.attestation.ledger.checkpoint import hold_against

    whole = check_whole(path)
    chain, names = whole.chain, {name: whole.signers.count(name) for name in dict.fromkeys(whole.signers)}
    seen, known_by = None, ""
    if checkpoint is not None:
        seen, stamped = check_copy(checkpoint)
        hold_against(chain.lines, seen)
        known_by = _say_stamped(*stamped) if stamped else ""
    root = chain.checkpoint.root if chain.checkpoint else ""
    if json:
        found = {"entries": len(chain.entries), "head": chain.head, "root": root, "torn_bytes": chain.torn}
        stamp = {"time": f"{whole.stamped:%Y-%m-%dT%H:%M:%SZ}", "by": whole.stamped_by} if whole.stamped else None
        print(json_form.dumps({**found, "signers": names, "stamp": stamp}, indent=2, ensure_ascii=False))
        return 0
    print(f"INTACT: {len(chain.entries)} entries in one chain; its head is {chain.head}")
    for name, count in names.items():
        print(f"  {count} signed by {name}" if name else f"  {count} unsigned")
    if chain.checkpoint and not chain.checkpoint.signer and chain.entries[-1].signer:
        print("  its checkpoint is unsigned: a run was stopped before it could sign one; the next audit signs another")
    if whole.stamped:
        print(f"  its checkpoint {_say_stamped(whole.stamped, whole.stamped_by)}")
    if seen is not None:
        print(f"  it begins with all that {checkpoint} saw{f', which {known_by}' if known_by else ''}")
    if chain.torn:
        print(f"  the last append was interrupted ({chain.torn} bytes); the next audit takes it away")
    return 0


@app.command(name="correct")
def correct_audit(
    audit: str,
    *,
    reason: str,
    by: str,
    instead: str | None = None,
    ledger: Folder = Path("audit-log"),
    key: str | None = None,
    certificate: str | None = None,
    timestamp: str | None = None,
) -> int:
    """Record that an audit was wrong, and which later one takes its place. Nothing is taken out of the ledger.

    Parameters
    ----------
    audit
        The audit: its report folder, or the number of its entry.
    reason
        What was wrong.
    by
        Who says so.
    instead
        The audit that takes its place: its report folder, or the number of its entry.
    ledger
        The ledger's folder.
    key
        Key that signs the entry, as under signing.key; default a development key where there is a terminal.
    certificate
        Its certificate, as under signing.certificate.
    timestamp
        Address of an RFC 3161 time stamp server, for the checkpoint.
    """
    return _record("correction", audit, reason, by, ledger, _find_signer(key, certificate, timestamp), instead)


@app.command(name="withdraw")
def withdraw_audit(
    audit: str,
    *,
    reason: str,
    by: str,
    ledger: Folder = Path("audit-log"),
    key: str | None = None,
    certificate: str | None = None,
    timestamp: str | None = None,
) -> int:
    """Record that an audit is not to be relied on any more. Nothing is taken out of the ledger.

    Parameters
    ----------
    audit
        The audit: its report folder, or the number of its entry.
    reason
        Why.
    by
        Who says so.
    ledger
        The ledger's folder.
    key
        Key that signs the entry, as under signing.key; default a development key where there is a terminal.
    certificate
        Its certificate, as under signing.certificate.
    timestamp
        Address of an RFC 3161 time stamp server, for the checkpoint.
    """
    return _record("withdrawal", audit, reason, by, ledger, _find_signer(key, certificate, timestamp))


def _say_stamped(moment: datetime, by: str) -> str:
    return f"existed on {moment:%Y-%m-%d %H:%M} UTC, says {by} (a time stamp; whether to trust that is for you to say)"


def _record(
    kind: RecordKind, audit: str, reason: str, by: str, folder: Path, signer: Signer | None, instead: str | None = None
) -> int:
    from audit.attestation.ledger.store import hold_ledger
    from audit.config.schema import LedgerOrder
    from audit.workflow import read_clock

    with hold_ledger(LedgerOrder(path=str(folder), must_exist=True)) as ledger:
        entry = ledger.record(
            kind,
            _find_entry(ledger.chain, audit),
            reason,
            by=by,
            time=read_clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
            corrected_by=_find_entry(ledger.chain, instead) if instead is not None else None,
            signer=signer,
        )
    signed = f"signed by {signer.shown().name}" if signer else "unsigned"
    print(f"recorded as entry {entry.index}, {signed}: {kind} of entry {entry.refers_to}")
    return 0


def _find_signer(key: str | None, certificate: str | None, timestamp: str | None) -> Signer | None:
    import sys

    from audit.attestation.seal.keys import signer_for
    from audit.config.schema import SigningOrder

    with name_flags():
        order = SigningOrder(key=key, certificate=certificate, timestamp=timestamp)
        return signer_for(order, interactive=sys.stderr.isatty())


def _find_entry(chain: Chain, audit: str) -> int:
    """Return the place of an audit that is named by the number of its entry or by its folder."""
    if audit.isdecimal():
        return int(audit)
    from audit.attestation.ledger.later import find_entry
    from audit.evidence.base import digest_bytes

    found = find_entry(chain, digest_bytes(_read(Path(audit) / "audit.json")))
    if found is None:
        raise ConfigError(f"the ledger does not know the report in {audit}", hint="name its entry: audit ledger list")
    return found.index


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


def _write_page(path: Path, page: Path, reports: list[Path] | None) -> int:
    from audit.attestation.history import write_history

    data = write_history(path, reports or [REPORTS], page)
    try:
        page.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"{page} cannot be written: {error.strerror}", place="--html") from None
    print(page)
    return 0


def _tell(entry: Entry) -> str:
    if entry.refers_to is None:
        return entry.outcome
    instead = f", entry {entry.corrected_by} takes its place" if entry.corrected_by is not None else ""
    said = f": {entry.reason}{f' ({entry.by})' if entry.by else ''}" if entry.reason else ""
    return f"entry {entry.refers_to}{instead}{said}"
