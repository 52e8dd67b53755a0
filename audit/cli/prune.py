"""``audit prune``: reports whose years are over, listed, and removed on request."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from . import console
from .flags import name_flags


def prune(
    reports: Path,
    *,
    years: float,
    ledger: Path = Path("audit-log"),
    entry: Annotated[list[int], Parameter(name="--entry", negative=(), show_default=False)] = [],  # noqa: B006 - cyclopts reads, never writes it
    apply: Annotated[bool, Parameter(name="--apply", negative=(), show_default=False)] = False,
    key: str | None = None,
    certificate: str | None = None,
) -> int:
    """List the report folders whose years of retention are over; remove them with ``--apply``.

    The last audit of every system stays, and what a person signed off stays unless it is named. Each removal becomes an
    entry of the ledger, which itself never shrinks.

    Parameters
    ----------
    reports
        Folder that holds report folders, at any depth, e.g. ``audits``.
    years
        Years for which every report is kept; at least 1. Ask the law that applies to you: it may say 10.
    ledger
        The ledger's folder.
    entry
        Number of an audit in the ledger that was signed off and may go all the same. May be repeated.
    apply
        Remove; without it nothing is touched.
    key
        Who signs the entries, as in ``signing.key``; nobody where left out.
    certificate
        As in ``signing.certificate``.
    """
    from audit.attestation.ledger.store import read_ledger
    from audit.config.schema import SigningOrder
    from audit.operations.retention import plan_removal, remove_reports
    from audit.workflow import read_clock

    chain, _ = read_ledger(ledger)
    today = read_clock()
    plan = plan_removal(reports, chain.entries, years=years, today=today, named=entry)
    for item in plan:
        word = "remove" if item.removable else "keep"
        console.tell(
            f"{word:6}  {item.index:>4}  {item.time[:10]}  {item.system}  {item.folder or '-'}: {item.because}"
        )
    ready = sum(item.removable for item in plan)
    if not apply:
        console.tell(f"{ready} of {len(plan)} could be removed; nothing was touched. Add --apply to remove them.")
        return 0
    signing = SigningOrder(key=key, certificate=certificate) if key else None
    with name_flags():
        gone = remove_reports(ledger, plan, years=years, today=today, signing=signing)
    console.tell(f"{len(gone)} of {len(plan)} removed, each with an entry in {ledger}.")
    return 0
