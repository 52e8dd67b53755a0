"""``audit sign``: a person's signature on a finished report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from audit.errors import ConfigError

from .flags import name_flags

_LEDGER = Path("audit-log")


def sign(
    folder: Path,
    *,
    role: Literal["preparer", "reviewer", "approver"],
    decision: Literal["approve", "conditions", "reject"] | None = None,
    note: str = "",
    name: str = "",
    key: str | None = None,
    certificate: str | None = None,
    password: str | None = None,
    timestamp: str | None = None,
    level: Literal["B-T", "B-LT", "B-LTA"] | None = None,
    required: Annotated[bool, Parameter(negative=())] = False,
    signers: Path | None = None,
    ledger: Path | None = None,
) -> int:
    """Sign a finished report as preparer, reviewer or approver.

    The report is verified first. The PDF gets one revision more, with a visible signature in the field of the role; the
    attestation, the list of files and its signature are made anew, and the ones before are kept in `seals/`. Who
    prepared a report cannot approve it.

    Parameters
    ----------
    folder
        The report folder.
    role
        In which role; a preparer signs a report that nobody signed when it was made.
    decision
        What was decided; a preparer decides nothing.
    note
        The reasons or conditions: a text, or a text file.
    name
        Your name; without it, that of the certificate.
    key
        `file:PATH` (PEM or PKCS 12), `env:NAME`, `pkcs11:...` or `development`.
    certificate
        `file:PATH` or `env:NAME`: your certificate (PEM), where it does not lie with the key.
    password
        `env:NAME` or `file:PATH`: the key's password or PIN; never the password itself.
    timestamp
        Address of an RFC 3161 time stamp server.
    level
        PAdES level that the PDF should reach.
    required
        Refuse to sign where the level, or a time stamp, cannot be had.
    signers
        signers.yaml: who may sign in which role.
    ledger
        Folder of the ledger that knows the report; without it `audit-log`, where there is one.
    """
    from audit.attestation.countersign import SigningStated, countersign_report
    from audit.config.schema import SigningOrder
    from audit.workflow import read_clock

    if password is not None and not password.startswith(("env:", "file:")):
        raise ConfigError("a password on the command line is seen by others", place="--password", hint="give env:NAME")
    order = SigningOrder.model_validate(
        {
            "key": key, "certificate": certificate, "password": password, "timestamp": timestamp, "level": level,
            "required": required,
        }
    )  # fmt: skip
    with name_flags():
        made = countersign_report(
            folder,
            SigningStated(role, decision, name, _read_note(note)),
            order,
            moment=read_clock(),
            signers=signers,
            ledger=ledger or (_LEDGER if (_LEDGER / "log.jsonl").is_file() else None),
            interactive=sys.stdin.isatty(),
        )
    decided = f": {made.stated.decision}" if made.stated.decision else ""
    print(f"{made.verification.word}: signed as {role}{decided}, by {made.verification.signatures[-1].certified}")
    for one in made.notes:
        print(f"Note: {one}", file=sys.stderr)
    return 0


def _read_note(note: str) -> str:
    """Return the text of a note; a name of a file that is there means what it holds."""
    path = Path(note)
    try:
        if not note or "\n" in note or not path.is_file():
            return note
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a text file", place="--note") from None
    except OSError:
        return note
