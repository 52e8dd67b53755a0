"""Where the evidence comes from: versions, digests, seeds, times. Nothing here depends on who runs it or where."""

from __future__ import annotations

from .base import Record


class FileDigest(Record):
    """A file by name (never its path on a machine) and content."""

    name: str
    """File name, relative."""
    sha256: str
    """``sha256:`` and hexadecimal; ``object`` digests say so in `note`."""
    size: int
    """Bytes."""
    role: str
    """What it was used as: data.audit, data.train, groups, model, factory, artifact, ..."""
    note: str = ""
    """e.g. ``object, not file`` or ``model not identified``."""


class Provenance(Record):
    """What a second person needs to get the same numbers."""

    tool: str
    """``glassbox-audit`` and version."""
    versions: dict[str, str]
    """Version of Python and of each library that computes."""
    platform: str
    """Operating system and processor family, no host name."""
    config_digest: str
    """Digest of the resolved configuration of the examination."""
    files: tuple[FileDigest, ...]
    """Every file read, by digest."""
    artifacts: tuple[FileDigest, ...] = ()
    """Files that the examination wrote beside the evidence, e.g. glass-box tables."""
    seed: int
    """The one seed all others derive from."""
    effort: str
    """fast, standard or thorough."""
    started: str
    """UTC start of the examination, ISO 8601."""
    seconds: dict[str, float]
    """Wall time by stage, in seconds."""
