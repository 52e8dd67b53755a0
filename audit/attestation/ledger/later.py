"""What the history says of a report that somebody holds in hand: whether something happened to it since.

Comes in: a chain, and the digests of a report. Goes out: what came later, in words, and whether the report still
stands. A folder that was put back to the state before a signature is intact by itself; only the history tells.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .chain import Chain
from .entry import Entry

SUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Later:
    """What happened to a report after it was sealed.

    Parameters
    ----------
    stands : bool
        False where it was withdrawn, signed by somebody whose signature it lacks, or is not in the history.
    events : tuple of str
        What happened, in words, oldest first.
    """

    stands: bool
    events: tuple[str, ...]


def tell_later(chain: Chain, dossier_digest: str, sums_digest: str, earlier: Collection[str] = ()) -> Later:
    """Return what happened to a report since the seal that it carries.

    Parameters
    ----------
    chain : Chain
        The history.
    dossier_digest : str
        Digest of its audit.json.
    sums_digest : str
        Digest of its SHA256SUMS, which is another one after each signature.
    earlier : collection of str
        Digests of the same file at the seals before, which a report keeps.
    """
    own = [entry for entry in chain.entries if entry.dossier_digest == dossier_digest]
    seals = [entry.index for entry in own if entry.seal.get(SUMS) == sums_digest]
    if not seals:
        known = "an earlier or later seal of it" if own else "nothing of it"
        return Later(False, (f"the ledger does not know this seal, it knows {known}",))
    whole = {entry.refers_to for entry in own if entry.kind == "publication"}  # an edition falls with its audit
    falls = [e for e in chain.entries if e.refers_to in whole and e.kind in ("withdrawal", "correction")]
    happened = (e for e in own if e.index > seals[-1] and e.kind not in ("audit", "publication", "signature"))
    lacking = find_lacking(chain, dossier_digest, (sums_digest, *earlier))
    since = sorted((*lacking, *happened, *falls), key=lambda entry: entry.index)
    about = [_tell(entry) for entry in since]
    stands = not any(entry.kind in ("withdrawal", "signature") for entry in since)
    newer = _newest_audit(chain, own[0])
    if newer is not None:
        about.append(f"superseded by a later audit: entry {newer.index} of {newer.time[:10]}, {newer.outcome}")
    return Later(stands, tuple(about))


def find_lacking(chain: Chain, dossier_digest: str, seals: Collection[str]) -> tuple[Entry, ...]:
    """Return the signatures on a report that a copy of it lacks, be they younger or older than its own last one.

    A copy from before a signature may have been signed by somebody else meanwhile; without this, a rejection would be
    gone once the approver signs a copy that never saw it.

    Parameters
    ----------
    chain : Chain
        The history.
    dossier_digest : str
        Digest of its audit.json.
    seals : collection of str
        Digests of SHA256SUMS at each seal that the copy carries.
    """
    signed = (e for e in chain.entries if e.kind == "signature" and e.dossier_digest == dossier_digest)
    return tuple(entry for entry in signed if entry.seal.get(SUMS) not in seals)


def find_entry(chain: Chain, dossier_digest: str) -> Entry | None:
    """Return the entry of an audit, or of the public edition of one, by the digest of its audit.json; else None."""
    found = [e for e in chain.entries if e.kind in ("audit", "publication") and e.dossier_digest == dossier_digest]
    return found[-1] if found else None


def _tell(entry: Entry) -> str:
    words = {"signature": "signed since, which this copy lacks", "withdrawal": "withdrawn", "correction": "corrected"}
    what = words.get(entry.kind, "files about single people were removed")
    instead = f"; entry {entry.corrected_by} takes its place" if entry.corrected_by is not None else ""
    return f"{what}: entry {entry.index} of {entry.time[:10]}, {entry.reason}{instead}"


def _newest_audit(chain: Chain, own: Entry) -> Entry | None:
    withdrawn = {entry.refers_to for entry in chain.entries if entry.kind == "withdrawal"}
    later = [
        entry
        for entry in chain.entries
        if entry.kind == "audit" and entry.system == own.system and entry.index > own.index
    ]
    standing = [entry for entry in later if entry.index not in withdrawn]
    return standing[-1] if standing else None
