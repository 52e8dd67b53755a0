"""All that is rendered and sealed: evidence, judgement, presentation. A report is a pure function of it."""

from __future__ import annotations

from typing import Literal

from .base import Record
from .change import Change
from .document import Evidence
from .judgement import Judgement


class SignerShown(Record):
    """Who will sign, as the report says it."""

    name: str
    """Subject of the certificate."""
    fingerprint: str
    """SHA-256 of the certificate, hexadecimal pairs."""
    development: bool
    """True for a development key, which proves no identity."""


class Presentation(Record):
    """How the dossier is shown."""

    formats: tuple[str, ...] = ("html", "pdf")
    """Formats rendered."""
    edition: str = "full"
    """full, summary or a pack's name."""
    audience: Literal["internal", "public"] = "internal"
    """Who reads it."""
    language: str = "en"
    """Language of the words."""
    created: str
    """UTC time of the report, ISO 8601 (seconds)."""
    signer: SignerShown | None = None
    """Who signs; None where nobody does."""


class PublicEdition(Record):
    """What a public edition says of itself."""

    evidence_digest: str
    """Digest of the whole evidence, which the internal report and the ledger name too."""
    dossier_digest: str | None = None
    """Digest of the internal report's dossier, where the ledger holds one; None where there is none."""
    smallest: int
    """Fewest people of whom it counts."""
    withheld: int
    """Numbers and cells of count tables that it withholds."""


class Dossier(Record):
    """The one document behind every format."""

    schema_version: Literal["dossier/1"] = "dossier/1"
    """Version of this document's form."""
    kind: Literal["audit", "change"] = "audit"
    """An audit, or a comparison of two."""
    evidence: Evidence
    """What was measured."""
    judgement: Judgement
    """What the rules say."""
    changes: tuple[Change, ...] = ()
    """What differs from the previous audit, a champion or another audit."""
    presentation: Presentation
    """How it is shown."""
    previous: str | None = None
    """Digest of the previous dossier of this system, where the ledger holds one."""
    earlier: tuple[str, ...] = ()
    """Earlier audits of the same model and data with their verdicts, one line each."""
    individuals: tuple[str, ...] = ()
    """Digest of each file about a single person beside the report, sorted; such a file may be deleted, not changed."""
    scores: str | None = None
    """Digest of the private file of scores beside the folder (``keep.scores``); None where none was kept."""
    public: PublicEdition | None = None
    """What the public edition says of itself; None for the internal report."""
