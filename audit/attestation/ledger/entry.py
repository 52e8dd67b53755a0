"""One entry of the ledger, and the line that it becomes.

Comes in: a dossier and the files sealed with it, or the reason for a correction. Goes out: a line of log.jsonl, which
is a DSSE envelope around the entry: signed where somebody signs, with an empty list of signatures where nobody does.
The next entry names the SHA-256 of this very line, so that no entry can be changed, dropped or moved unnoticed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Literal, Protocol

from pydantic import Field

from audit.errors import EvidenceError, LedgerError
from audit.evidence.base import Record, canonical_bytes, digest_bytes
from audit.evidence.document import Evidence
from audit.evidence.dossier import Dossier, SignerShown

from .checkpoint import CHECKPOINT_TYPE, Checkpoint, parse_note

ENTRY_TYPE = "application/vnd.glassbox-audit.ledger-entry+json"
SEAL_NAMES = ("SHA256SUMS", "SHA256SUMS.p7s", "attestation.dsse.json")
"""Files of a report that cover all its others; an entry keeps their digests."""

EntryKind = Literal["audit", "change", "publication", "signature", "correction", "withdrawal", "removal"]
RecordKind = Literal["signature", "correction", "withdrawal", "removal"]
"""What may happen to a finished audit."""


class Stamper(Protocol):
    """What the ledger needs of a time stamp server."""

    def reply(self, digest: bytes) -> bytes | None:
        """Return an RFC 3161 reply (DER) over a SHA-256 digest; None where the server gives none."""


class Sealer(Protocol):
    """What the ledger needs of a signer."""

    @property
    def stamps(self) -> Stamper | None:
        """The time stamp server to ask, if any."""

    def shown(self) -> SignerShown:
        """Return who signs."""

    def envelop(self, payload_type: str, payload: bytes) -> bytes:
        """Return a signed DSSE envelope around a payload, as canonical JSON."""


class Entry(Record):
    """Something that happened to a report, in the order in which it happened."""

    schema_version: Literal["entry/1"] = "entry/1"
    """Version of this document's form."""
    index: int
    """Place in the log, from 0."""
    time: str
    """UTC time, ISO 8601 (seconds)."""
    kind: EntryKind
    """An audit; the comparison of two; the public edition of an audit; a later signature on an audit; its correction by
    another one, or withdrawal; the removal of files about single people."""
    system: str
    """The audited system."""
    version: str = ""
    """Its version as declared."""
    outcome: str = ""
    """Outcome of the audit."""
    counts: dict[str, int] = Field(default_factory=dict)
    """Verdict to the number of rules that ended with it."""
    dossier_digest: str
    """Digest of audit.json."""
    evidence_digest: str = ""
    """Digest of the evidence."""
    model: tuple[str, ...] = ()
    """Digests of the model's files, sorted."""
    data: tuple[str, ...] = ()
    """Digests of the audited data's files, sorted."""
    open: tuple[str, ...] = ()
    """Ids of the findings that this audit left open, so that a later one knows since when; entries of before this was
    written down have none."""
    seal: dict[str, str] = Field(default_factory=dict)
    """File that covers the report to its digest."""
    refers_to: int | None = None
    """Entry that this one is about; None for an audit."""
    by: str = ""
    """Who did it, as stated; the signature says whose key."""
    corrected_by: int | None = None
    """Of a correction: the entry of the audit that takes its place; None where none is named."""
    reason: str = ""
    """Why, in a person's words."""
    signer: str = ""
    """Fingerprint of the signer's certificate; empty where nobody signs. A DSSE signature covers no certificate."""
    previous: str | None
    """SHA-256 of the preceding line; None for the first."""


def describe_audit(
    dossier: Dossier, sealed: Mapping[str, bytes], *, index: int, previous: str | None, edition_of: int | None = None
) -> Entry:
    """Return the entry of a finished audit.

    Parameters
    ----------
    dossier : Dossier
        What the report shows; its time of creation becomes the entry's.
    sealed : mapping
        Name to bytes of the report folder.
    index : int
        Place in the log.
    previous : str or None
        SHA-256 of the line before.
    edition_of : int, optional
        Entry of the internal report, for the public edition of one.
    """
    evidence, judgement = dossier.evidence, dossier.judgement
    words = [finding.status for finding in judgement.findings]
    return Entry(
        index=index,
        time=dossier.presentation.created,
        kind=dossier.kind if edition_of is None else "publication",
        system=evidence.subject.system,
        version=evidence.subject.version,
        outcome=judgement.outcome,
        counts={word: words.count(word) for word in sorted(set(words))},
        dossier_digest=dossier.digest(),
        evidence_digest=dossier.public.evidence_digest if dossier.public else judgement.evidence_digest,
        model=digests_of(evidence, "model"),
        data=digests_of(evidence, "data.audit"),
        open=find_open(dossier),
        seal={name: digest_bytes(sealed[name]) for name in SEAL_NAMES if name in sealed},
        refers_to=edition_of,
        previous=previous,
    )


def find_open(dossier: Dossier) -> tuple[str, ...]:
    """Return the sorted ids of the findings that an audit left open."""
    verdicts = (verdict for finding in dossier.judgement.findings for verdict in finding.verdicts)
    return tuple(sorted({verdict.id for verdict in verdicts if verdict.leaves_open and verdict.id}))


def digests_of(evidence: Evidence, role: str) -> tuple[str, ...]:
    """Return the sorted digests of the files that were read in a role."""
    return tuple(sorted(item.sha256 for item in evidence.provenance.files if item.role == role))


def write_line(payload_type: str, record: Entry | Checkpoint, signer: Sealer | None) -> bytes:
    """Return the envelope of an entry or checkpoint, without the end of the line."""
    named = record.model_copy(update={"signer": signer.shown().fingerprint if signer else ""})
    payload = named.note() if isinstance(named, Checkpoint) else named.canonical()
    return signer.envelop(payload_type, payload) if signer else _unsigned(payload_type, payload)


def read_line(line: bytes) -> tuple[str, bytes, bool]:
    """Return payload type, payload and whether there is a signature; the signature itself is checked elsewhere.

    Raises
    ------
    LedgerError
        This is not a line of a ledger.
    """
    try:
        outer = json.loads(line)
        kind, payload = str(outer["payloadType"]), base64.b64decode(outer["payload"], validate=True)
        signed = len(outer["signatures"]) > 0
    except (ValueError, TypeError, KeyError, binascii.Error, RecursionError):
        raise LedgerError("the log has a line that is not an entry") from None
    if b"\n" in line or (not signed and line != _unsigned(kind, payload)):
        raise LedgerError("the log has a line that is not in the form in which it was written")
    return kind, payload, signed


def read_entry(line: bytes) -> Entry:
    """Return the entry in a line.

    Raises
    ------
    LedgerError
        There is none.
    """
    kind, payload, signed = read_line(line)
    try:
        entry = Entry.parse(payload)
    except EvidenceError as error:
        raise LedgerError(f"the log has an entry that is not one: {error.what}") from None
    written = canonical_bytes(entry.model_dump(mode="json", exclude_unset=True))  # older entries lack younger fields
    if kind != ENTRY_TYPE or written != payload or bool(entry.signer) != signed:
        raise LedgerError(f"entry {entry.index} of the log is not in the form in which it was written")
    return entry


def read_checkpoint(line: bytes) -> Checkpoint:
    """Return the checkpoint in an envelope.

    Raises
    ------
    LedgerError
        There is none.
    """
    kind, payload, signed = read_line(line)
    checkpoint = parse_note(payload)
    if kind != CHECKPOINT_TYPE or bool(checkpoint.signer) != signed:
        raise LedgerError("the checkpoint is not in the form in which it was written")
    return checkpoint


def _unsigned(payload_type: str, payload: bytes) -> bytes:
    text = base64.b64encode(payload).decode("ascii")
    return canonical_bytes({"payload": text, "payloadType": payload_type, "signatures": []})
