"""What comes up while a report is verified: checks by name, seals, signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from cryptography import x509

from audit.errors import SealError
from audit.evidence.countersignature import Countersignature, SigningRole

from .check import SeenSignature
from .revocation import NOTHING_SAID, Revocations

Found = TypeVar("Found")
VALIDATION_DATA = "validation data"
"""Name of the check of what a PDF brings along about revoked certificates."""


class Check(NamedTuple):
    """One check: its name, whether it held, what was found."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Seal:
    """One person's seal on a folder: the signed list of files, and the signed attestation.

    Parameters
    ----------
    manifest, statement : SeenSignature
        Signature of SHA256SUMS, and of the attestation.
    """

    manifest: SeenSignature
    statement: SeenSignature

    @property
    def certificate(self) -> x509.Certificate:
        """Whose it is."""
        return self.manifest.certificate

    @property
    def stated(self) -> Countersignature | None:
        """What the person states; None for the seal that the report was made with."""
        return self.statement.stated

    @property
    def role(self) -> SigningRole:
        """In which role they signed."""
        return self.stated.role if self.stated else "preparer"


@dataclass(slots=True)
class Findings:
    """Checks and signatures as they come up."""

    checks: list[Check] = field(default_factory=list)
    seals: list[Seal] = field(default_factory=list)
    seen: list[SeenSignature] = field(default_factory=list)
    said: Revocations = NOTHING_SAID
    """What the report brings along about revoked certificates."""
    claimed: bool = False
    """Whether anything says that the report is signed."""
    listed: bool = False
    """Whether a list of files was there to hold them against."""
    digests: dict[str, str] = field(default_factory=dict)
    """Name to hexadecimal SHA-256 of the files of a folder."""

    @property
    def sound(self) -> bool:
        """Whether every check so far held."""
        return all(check.ok for check in self.checks)

    def attempt(self, name: str, check: Callable[..., Found], *arguments: Any, good: str = "") -> Found | None:
        """Carry out a check; return what it found, None where it failed."""
        try:
            found = check(*arguments)
        except SealError as error:
            self.checks.append(Check(name, False, error.what))
            return None
        except Exception as error:  # a hostile file may break a reader in any way; that is no pass
            self.checks.append(Check(name, False, f"cannot be read ({type(error).__name__})"))
            return None
        self.checks.append(Check(name, True, found if isinstance(found, str) else good if found else "none"))
        return found
