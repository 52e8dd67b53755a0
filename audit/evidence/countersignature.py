"""What a person states by signing: in which role, what they decided, and why."""

from __future__ import annotations

from typing import Literal

from .base import Record

SigningRole = Literal["preparer", "reviewer", "approver"]
Decision = Literal["approve", "conditions", "reject"]


class Countersignature(Record):
    """One person's signature under a finished report."""

    role: SigningRole
    """In which role."""
    decision: Decision | None = None
    """What they decided; None for a preparer, who hands the report over."""
    name: str
    """Their name as stated; the certificate says whose it is."""
    note: str = ""
    """Reasons or conditions."""
    moment: str
    """UTC time as stated, ISO 8601 (seconds)."""
