"""``audit ledger``: the history of audits, listed and checked."""

from __future__ import annotations

import json as json_form
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

if TYPE_CHECKING:
    from audit.evidence.dossier import SignerShown

app = App(name="ledger", help="List and check the history of audits.")

Json = Annotated[bool, Parameter(negative=())]


@app.command(name="list")
def list_ledger(path: Path = Path("audit-log"), *, system: str | None = None, json: Json = False) -> int:
    """List the entries of a ledger, oldest first. Exit code 0; 4 where the chain is broken, 2 where there is none.

    Parameters
    ----------
    path
        The ledger's folder.
    system
        Only entries of this system.
    json
        Print one JSON array instead of text.
    """
    from audit.attestation.ledger.store import read_ledger

    chain, _ = read_ledger(path)
    entries = [entry for entry in chain.entries if system in (None, entry.system)]
    if json:
        print(json_form.dumps([entry.model_dump(mode="json") for entry in entries], indent=2, ensure_ascii=False))
        return 0
    for entry in entries:
        about = f"entry {entry.refers_to}: {entry.reason}" if entry.refers_to is not None else entry.outcome
        text = f"{entry.index:>4}  {entry.time}  {entry.kind:<10}  {entry.system} {entry.version}  {about}"
        print("".join(sign if sign.isprintable() else "?" for sign in text))
    if not entries:
        print("no entries")
    return 0


@app.command(name="check")
def check_ledger(path: Path = Path("audit-log"), *, json: Json = False) -> int:
    """Check that no entry was changed, dropped or added, and every signature. Exit code 0; 4 where that is not so.

    Parameters
    ----------
    path
        The ledger's folder.
    json
        Print one JSON object instead of text.
    """
    from audit.attestation.ledger.chain import check_signatures
    from audit.attestation.ledger.store import read_ledger

    chain, checkpoint = read_ledger(path)
    signers = check_signatures(chain, checkpoint, _open)
    names = {name: signers.count(name) for name in dict.fromkeys(signers)}
    if json:
        found = {"entries": len(chain.entries), "head": chain.head, "torn_bytes": chain.torn, "signers": names}
        print(json_form.dumps(found, indent=2, ensure_ascii=False))
        return 0
    print(f"INTACT: {len(chain.entries)} entries in one chain; its head is {chain.head}")
    for name, count in names.items():
        print(f"  {count} signed by {name}" if name else f"  {count} unsigned")
    if chain.torn:
        print(f"  the last append was interrupted ({chain.torn} bytes); the next audit takes it away")
    return 0


def _open(envelope: bytes) -> SignerShown:
    from audit.attestation.seal.envelope import open_envelope
    from audit.attestation.seal.keys import show_certificate

    return show_certificate(open_envelope(envelope).certificate)
