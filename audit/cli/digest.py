"""``audit policy digest``: what a person must name to accept a text, as lines to paste under `approvals`.

Comes in: documents.yaml. Goes out: for every text its digest, who has accepted it, and the line that would accept it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from . import console

if TYPE_CHECKING:
    from audit.evidence import Approval, SuppliedText


def print_digests(documents: Path, *, field: str | None = None) -> int:
    """Print the digest of every text of documents.yaml, and the line with which a person accepts it.

    Parameters
    ----------
    documents
        documents.yaml.
    field
        One field only, e.g. system.intended_purpose.
    """
    from audit.attestation.policy.papers import load_papers
    from audit.errors import ConfigError, suggest_name

    papers = load_papers(documents)
    names = [text.field for text in papers.texts]
    if field is not None and field not in names:
        raise ConfigError(f"no text '{field}' is supplied", place=str(documents), hint=suggest_name(field, names))
    for text in papers.texts:
        if field in (None, text.field):
            for line in _describe(text, papers.approvals):
                console.tell(line)
    if not papers.texts:
        console.note(f"{documents} holds no text yet.")
    return 0


def _describe(text: SuppliedText, approvals: tuple[Approval, ...]) -> list[str]:
    size = f"{text.words:,} words" if text.words is not None else "words not counted"
    source = f"file {text.file}, {size}" if text.file else size
    lines = [f"# {text.field}: {source}"]
    about = [approval for approval in approvals if approval.field == text.field]
    for approval in about:
        what = "this very text" if approval.sha256 == text.sha256 else "an earlier text, which no longer counts"
        lines.append(f"#   accepted by {approval.by} ({approval.role}) on {approval.on}: {what}")
    if not any(approval.sha256 == text.sha256 for approval in about):
        lines.append(f'- {{field: {text.field}, digest: "{text.sha256}", by: NAME, role: ROLE, on: DATE}}')
    return lines
