"""All that is rendered and sealed: evidence, judgement, presentation. A report is a pure function of it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from .arrange import arrange_groups
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


class LogoShown(Record):
    """The picture on the cover."""

    name: str
    """File name."""
    media_type: Literal["image/png", "image/jpeg", "image/svg+xml"]
    """Its form."""
    sha256: str
    """Digest of the file as it was given."""
    data: str
    """What is shown, base64: the file, or for an SVG what was kept of it."""


class FontShown(Record):
    """A font that draws what the shipped ones lack, cut down to the characters that this report needs of it."""

    name: str
    """File name."""
    sha256: str
    """Digest of the whole font file."""
    characters: str
    """The characters that it draws here."""
    data: str
    """The cut-down font, base64."""


class TemplateShown(Record):
    """A template or style sheet that stands in for a shipped one."""

    path: str
    """Its path below ``templates``."""
    sha256: str
    """Digest of the file."""
    text: str
    """The file."""


class Brand(Record):
    """The looks that an organisation gave its reports; empty for ours."""

    logo: LogoShown | None = None
    """The picture on the cover."""
    accent: str = ""
    """Colour of the cover's band and of links, ``#rrggbb``; empty: ours."""
    fonts: tuple[FontShown, ...] = ()
    """Fonts beside the shipped ones."""
    templates: tuple[TemplateShown, ...] = ()
    """Templates and style sheets in place of shipped ones."""


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
    brand: Brand = Brand()
    """Logo, colour, fonts and templates of the organisation."""


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

    @model_validator(mode="after")
    def _arrange(self) -> Self:
        names = [attribute.name for attribute in self.evidence.subject.attributes]
        for finding in self.judgement.findings:
            arrange_groups(finding.verdicts, names)
        for change in self.changes:
            for items in (change.moves, change.measurements, change.decisions, change.drivers):
                arrange_groups(items, names)
        return self
