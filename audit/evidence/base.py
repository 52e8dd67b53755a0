"""What every written record is: frozen, closed, canonical.

Comes in: plain values. Goes out: a `Record` whose canonical bytes (RFC 8785) and SHA-256 digest are the same on every
machine, so that a digest in a signature means one document and no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from audit.errors import EvidenceError

from .canonical import canonical_bytes

__all__ = ["NotDone", "Record", "Section", "canonical_bytes", "digest_bytes"]


class Record(BaseModel):
    """A value that is written to a file.

    Notes
    -----
    ``parse(x.canonical()) == x`` for every record `x`; a number that is NaN or infinite is refused on the way in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    def canonical(self) -> bytes:
        """Return the RFC 8785 (JSON Canonicalization Scheme) bytes of this record."""
        return canonical_bytes(self.model_dump(mode="json"))

    def digest(self) -> str:
        """Return ``sha256:`` and the hexadecimal SHA-256 of the canonical bytes."""
        return digest_bytes(self.canonical())

    @classmethod
    def parse(cls, data: bytes | str) -> Self:
        """Read a record back from JSON.

        Parameters
        ----------
        data : bytes or str
            A JSON document.

        Raises
        ------
        EvidenceError
            The document is not such a record.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = "".join(f"{part}." for part in first["loc"]).rstrip(".")
            raise EvidenceError(
                f"this is not the {cls.__name__.lower()} of an audit: {place}{': ' if place else ''}{first['msg']}",
                hint="was it edited, or written by a newer version?",
            ) from None


def digest_bytes(data: bytes) -> str:
    """Return ``sha256:`` and the hexadecimal SHA-256 of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


LEFT_OUT = "left out of the public edition"
"""How the reason begins for which a part that was carried out does not stand in a public edition."""


class NotDone(Record):
    """A part that was not carried out, and why; it shows in the report."""

    not_done: str
    """The reason, for a reader."""
    broke: bool = False
    """True where the part failed by an error (the report is then INCOMPLETE); False where it was not asked for or
    does not apply."""

    @property
    def left_out(self) -> bool:
        """Whether the part was carried out, and is left out of a public edition."""
        return self.not_done.startswith(LEFT_OUT)


class Section(Record):
    """One section of the evidence; its numbers stand in `measurements` where a rule may name them."""

    notes: tuple[str, ...] = ()
    """Cautions a reader must see beside the numbers."""
    seconds: float | None = None
    """Wall time that this section took, in seconds."""
    broken_parts: tuple[str, ...] = ()
    """Parts of the section that failed by an error, with the error; the report is INCOMPLETE where there is any."""

    def each_measurement(self) -> Iterator[Any]:
        """Yield the section's measurements; a section without any yields nothing."""
        yield from getattr(self, "measurements", ())
