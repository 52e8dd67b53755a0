"""signers.yaml: who may sign in which role, by certificate; and that nobody approves what they prepared.

Comes in: the file, and the signatures of a report with their roles. Goes out: what was found, or `SealError` with what
is against it. A person is bound by the fingerprint of a certificate, or by its subject where an authority that the
reader trusts stands behind it: anybody can make a certificate with somebody's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cryptography import x509
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from audit.errors import ConfigError, Mistake, SealError
from audit.evidence.countersignature import Decision, SigningRole
from audit.yamlfile import read_yaml

from .envelope import key_id
from .keys import show_certificate


def _accept_fingerprint(text: str) -> str:
    digits = text.replace(":", "").lower()
    if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise ValueError("a fingerprint is the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons")
    return digits


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SignerEntry(_Part):
    """One person."""

    name: str = Field(min_length=1)
    """Their name."""
    roles: tuple[SigningRole, ...] = Field(min_length=1)
    """In which roles they may sign."""
    certificate: Annotated[str, AfterValidator(_accept_fingerprint)] | None = None
    """SHA-256 fingerprint of their certificate."""
    subject: str | None = None
    """Subject of their certificate as RFC 4514 writes it, e.g. ``CN=Ada,O=Bank``, or the other way round."""

    @model_validator(mode="after")
    def _check_one(self) -> SignerEntry:
        if (self.certificate is None) == (self.subject is None):
            raise ValueError("exactly one of certificate and subject is needed")
        return self

    def fits(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate is this person's, as far as the certificate itself says."""
        if self.certificate is not None:
            return self.certificate == _accept_fingerprint(show_certificate(certificate).fingerprint)
        forward = x509.Name(reversed(list(certificate.subject.rdns)))  # as openssl and most tools show it
        return self.subject in (certificate.subject.rfc4514_string(), forward.rfc4514_string())


class SignersBook(_Part):
    """A signers.yaml."""

    schema_: Literal["signers/1"] = Field(alias="schema")
    """Version of the form."""
    required: tuple[SigningRole, ...] = ()
    """Roles without whose signature, with another decision than reject, a report does not pass."""
    signers: tuple[SignerEntry, ...] = Field(min_length=1)
    """Who may sign."""


@dataclass(frozen=True, slots=True)
class RoleSigned:
    """A signature in a role.

    Parameters
    ----------
    role : str
        preparer, reviewer or approver.
    decision : str or None
        approve, conditions, reject; None for a preparer.
    certificate : cryptography.x509.Certificate
        Who signed.
    trusted : bool
        Whether an authority that the reader named stands behind the certificate.
    """

    role: SigningRole
    decision: Decision | None
    certificate: x509.Certificate
    trusted: bool = False


def read_signers(path: Path) -> SignersBook:
    """Read a signers.yaml.

    Raises
    ------
    ConfigError
        It is absent or not one; with the place of the first mistake.
    """
    tree = read_yaml(path)
    try:
        return SignersBook.model_validate(tree.value)
    except ValidationError as error:
        mistakes = [
            Mistake(item["msg"].removeprefix("Value error, "), tree.place(item["loc"]))
            for item in error.errors(include_url=False)
        ]
        raise ConfigError(mistakes=mistakes) from None


def check_signers(book: SignersBook, signed: Sequence[RoleSigned]) -> str:
    """Hold the signatures of a report against a signers.yaml.

    Returns
    -------
    str
        Who signed in which role.

    Raises
    ------
    SealError
        Somebody signed in a role that is not theirs, prepared and approved, or a required role has not signed.
    """
    people = [(one, find_person(book, one)) for one in signed]
    prepared = {person.name for one, person in people if one.role == "preparer"}
    for one, person in people:
        if one.role == "approver" and person.name in prepared:
            raise SealError(f"{person.name} prepared the report and approved it")
    for role in book.required:
        decisions = [one.decision for one in signed if one.role == role]
        if not decisions:
            raise SealError(f"the {role}'s signature is required, and there is none")
        if "reject" in decisions:
            raise SealError(f"the {role} rejected the report")
    return "; ".join(f"{one.role}: {person.name}" for one, person in people) or "nobody signed"


def find_person(book: SignersBook, one: RoleSigned) -> SignerEntry:
    """Return who signed.

    Raises
    ------
    SealError
        Nobody of the book may sign in this role with this certificate.
    """
    shown = show_certificate(one.certificate)
    fitting = [entry for entry in book.signers if entry.fits(one.certificate)]
    if not fitting:
        raise SealError(
            f"the certificate of {shown.name}, who signed as {one.role}, is nobody's in signers.yaml; its subject is "
            f"'{one.certificate.subject.rfc4514_string()[:200]}' and its fingerprint {shown.fingerprint}"
        )
    allowed = [entry for entry in fitting if one.role in entry.roles]
    if not allowed:
        raise SealError(f"{fitting[0].name} may not sign as {one.role}")
    person = next((entry for entry in allowed if entry.certificate), allowed[0])
    if person.certificate is None and not one.trusted:
        raise SealError(f"{person.name} is named by subject alone, and no authority that you trust vouches for it")
    return person


def check_separation(signed: Sequence[RoleSigned]) -> str:
    """Refuse a report that was approved with the certificate, or the key, that prepared it.

    Raises
    ------
    SealError
        It was.
    """
    keys = {one.role: key_id(one.certificate) for one in signed}
    if "approver" in keys and keys["approver"] == keys.get("preparer"):
        raise SealError("the same key prepared the report and approved it")
    return ", ".join(f"{one.role}: {one.decision or 'signed'}" for one in signed)
