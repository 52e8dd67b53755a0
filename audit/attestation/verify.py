"""The way back: from a sealed folder, PDF or page to one word, and who stands behind it.

Comes in: a path, the authorities and people that the reader trusts, the history. Goes out: a `Verification` with every
check by name. It reads files and nothing else: no network, no configuration, no key. The heavy PDF reader is imported
only for a PDF.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cryptography import x509

from audit.errors import ConfigError, SealError
from audit.evidence import Dossier

from .ledger.later import tell_later
from .ledger.store import read_ledger
from .render.effect_tables import write_sources
from .seal.check import SeenSignature
from .seal.facts import FactFound, read_seal_facts
from .seal.findings import VALIDATION_DATA, Check, Findings
from .seal.folder_check import inspect_file, inspect_folder
from .seal.keys import show_certificate
from .seal.pdf_check import attached_files
from .seal.revocation import NOTHING_SAID, Revocations
from .seal.sign import DOSSIER_FILE, FIELDS, PDF_FILE, SUMS_FILE
from .seal.signers import RoleSigned, SignersBook, check_separation, check_signers, read_signers
from .seal.trust import STAMP_USAGES, doubt_certificate, read_anchors, read_revoked

Word = Literal["INTACT", "TAMPERED", "UNPROVEN"]
TrustWord = Literal["TRUSTED", "UNTRUSTED", "UNSIGNED"]
Anchors = tuple[x509.Certificate, ...]

_ROLES = {name: role for role, name in FIELDS.items()}
_ABOUT_PEOPLE = frozenset({"trusted signer", "roles", "signers.yaml", "history", VALIDATION_DATA})
"""Checks that say nothing about whether a file was changed."""


@dataclass(frozen=True, slots=True)
class SignatureTold:
    """One person's signature on a report.

    Parameters
    ----------
    role : str
        preparer, reviewer or approver.
    decision : str or None
        approve, conditions, reject; None for whom the report was made by, and where only a PDF is at hand.
    name : str
        Name as the person states it.
    certified : str
        Name in the certificate.
    fingerprint : str
        SHA-256 of the certificate.
    note : str
        Reasons or conditions.
    moment : str
        Time of signing as stated; empty where none is.
    """

    role: str
    decision: str | None
    name: str
    certified: str
    fingerprint: str
    note: str = ""
    moment: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """What came out of verifying.

    Parameters
    ----------
    word : str
        INTACT: every file is as it was sealed. TAMPERED: one is not. UNPROVEN: a single file without any signature,
        of which nothing can be said.
    trust : str
        TRUSTED: an authority that the reader named stands behind every signer. UNTRUSTED: signed, and no such authority
        was named or none stands behind one of them. UNSIGNED.
    signers : tuple of str
        Names of those who signed.
    checks : tuple of Check
        Every check in order.
    exit_code : int
        0; 4 where tampered or unproven, where authorities were named and the word is not TRUSTED, where roles are not
        as they must be, or where the history says that the report no longer stands.
    facts : dict
        What rules about the seal may name, `audit.attestation.seal.facts.read_seal_facts`.
    signatures : tuple of SignatureTold
        Who signed in which role, and what they decided.
    later : tuple of str
        What happened to the report since, where the history was asked.
    """

    word: Word
    trust: TrustWord
    signers: tuple[str, ...]
    checks: tuple[Check, ...]
    exit_code: int
    facts: dict[str, FactFound] = field(default_factory=dict)
    signatures: tuple[SignatureTold, ...] = ()
    later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Trusted:
    """Whom a reader trusts."""

    anchors: Anchors | None
    said: Revocations
    book: SignersBook | None


def verify_report(
    path: Path | str,
    *,
    trust: Path | str | None = None,
    signers: Path | str | None = None,
    ledger: Path | str | None = None,
) -> Verification:
    """Verify a report folder, or a report.pdf or report.html alone.

    Parameters
    ----------
    path : Path or str
        The folder or file.
    trust : Path or str, optional
        PEM file with the authorities (or signers) to be trusted, and lists of the certificates that they revoked.
    signers : Path or str, optional
        signers.yaml: who may sign in which role.
    ledger : Path or str, optional
        Folder of the ledger that knows the report.

    Returns
    -------
    Verification
        Also for a report that was tampered with; only what is no report at all is an error.

    Raises
    ------
    ConfigError
        There is no such path, it is no report, or one of the other files cannot be read.
    EvidenceError
        The report was made by a later version of this program.
    LedgerError
        The ledger is broken.
    """
    path = Path(path)
    anchors = read_anchors(Path(trust)) if trust is not None else None
    said = Revocations(read_revoked(Path(trust))) if trust is not None else NOTHING_SAID
    trusted = _Trusted(anchors, said, read_signers(Path(signers)) if signers is not None else None)
    findings = Findings()
    if path.is_dir():
        inspect_folder(path, findings)
    elif path.is_file():
        inspect_file(path, findings)
    else:
        raise ConfigError(f"there is no report at {path}", hint="give the folder, its report.pdf or its report.html")
    _compare_sources(path, findings)
    later = _ask_history(Path(ledger), findings) if ledger is not None else ()
    return _conclude(findings, trusted, later)


def _compare_sources(path: Path, findings: Findings) -> None:
    """Hold what a PDF has embedded beside its dossier against that dossier."""
    paper = path / PDF_FILE if path.is_dir() else path
    if findings.sound and paper.suffix == ".pdf" and paper.is_file():
        findings.attempt("policies and tables in the PDF", _check_sources, paper.read_bytes())


def _check_sources(data: bytes) -> str:
    held = attached_files(data)
    dossier = held.pop(DOSSIER_FILE, None)
    if dossier is None:
        return "none"
    meant = write_sources(Dossier.parse(dossier))
    if not held:
        return "none"
    if other := sorted(name for name in held.keys() | meant.keys() if held.get(name) != meant.get(name)):
        raise SealError(f"{other[0]} in the PDF is not what its audit.json says")
    return f"{len(held)} files, as audit.json says"


def _ask_history(ledger: Path, findings: Findings) -> tuple[str, ...]:
    """Ask the ledger what happened to a folder since; a single file is not what it keeps digests of."""
    if not findings.listed:
        findings.checks.append(Check("history", False, "only a whole folder can be looked up in a ledger"))
        return ()
    chain, _ = read_ledger(ledger)
    dossier, sums = (f"sha256:{findings.digests.get(name, '')}" for name in (DOSSIER_FILE, SUMS_FILE))
    seals = [f"sha256:{value}" for name, value in findings.digests.items() if name.endswith(f"/{SUMS_FILE}")]
    found = tell_later(chain, dossier, sums, seals)
    findings.checks.append(Check("history", found.stands, "; ".join(found.events) or "nothing happened to it since"))
    return found.events


def _conclude(findings: Findings, trusted: _Trusted, later: tuple[str, ...]) -> Verification:
    held = all(check.ok for check in findings.checks if check.name not in _ABOUT_PEOPLE)
    word: Word = "TAMPERED" if not held else "INTACT" if findings.listed or findings.seen else "UNPROVEN"
    trust = _judge_people(findings, trusted, word)
    asked = trusted.anchors is not None
    people = all(check.ok for check in findings.checks if check.name in _ABOUT_PEOPLE)
    good = word == "INTACT" and people and (not asked or trust == "TRUSTED")
    shown = [show_certificate(one.certificate).name for one in findings.seen]
    checks = tuple(Check(one.name, one.ok, _printable(one.detail)) for one in findings.checks)
    told = _tell_signatures(findings)
    facts = read_seal_facts(
        intact=word == "INTACT",
        trusted=trust == "TRUSTED" if asked else None,
        seen=findings.seen,
        now=datetime.now(UTC),
        approvals=[one.role for one in told if one.decision == "approve"] if word == "INTACT" else None,
    )
    return Verification(word, trust, tuple(dict.fromkeys(shown)), checks, 0 if good else 4, facts, told, later)


def _judge_people(findings: Findings, trusted: _Trusted, word: Word) -> TrustWord:
    """Add the checks about signers; return the word about trust."""
    if not findings.seen:
        if trusted.book is not None:
            findings.attempt("signers.yaml", check_signers, trusted.book, ())
        return "UNTRUSTED" if findings.claimed else "UNSIGNED"
    anchors = _widen(findings.seen, trusted)
    doubts = _doubt_all(findings, anchors, findings.said + trusted.said)
    doubt = next((text for text in doubts.values() if text), "")
    if trusted.anchors is not None:
        findings.checks.append(Check("trusted signer", not doubt, doubt or "an authority that you named vouches"))
    signed = _roles_of(findings, doubts)
    if len(signed) > 1:
        findings.attempt("roles", check_separation, signed)
    if trusted.book is not None:
        findings.attempt("signers.yaml", check_signers, trusted.book, signed)
    return "UNTRUSTED" if doubt or word != "INTACT" else "TRUSTED"


def _widen(seen: Sequence[SeenSignature], trusted: _Trusted) -> Anchors | None:
    """Return what the reader trusts: authorities, and the very certificates that signers.yaml names by fingerprint."""
    if trusted.book is None:
        return trusted.anchors
    named = [entry for entry in trusted.book.signers if entry.certificate]
    found = [one.certificate for one in seen if any(entry.fits(one.certificate) for entry in named)]
    return (*(trusted.anchors or ()), *dict.fromkeys(found)) or trusted.anchors


def _roles_of(findings: Findings, doubts: dict[x509.Certificate, str]) -> list[RoleSigned]:
    if findings.seals:
        return [
            RoleSigned(
                seal.role, seal.stated.decision if seal.stated else None, seal.certificate, not doubts[seal.certificate]
            )
            for seal in findings.seals
        ]
    fields = [(one, _ROLES.get(one.field, "preparer")) for one in findings.seen]
    return [RoleSigned(role, None, one.certificate, not doubts[one.certificate]) for one, role in fields]


def _tell_signatures(findings: Findings) -> tuple[SignatureTold, ...]:
    if not findings.seals:
        seen = dict.fromkeys((_ROLES.get(one.field, "preparer"), one.certificate) for one in findings.seen)
        single = [(role, show_certificate(certificate)) for role, certificate in seen]
        return tuple(SignatureTold(role, None, shown.name, shown.name, shown.fingerprint) for role, shown in single)
    told = []
    for seal in findings.seals:
        shown, stated = show_certificate(seal.certificate), seal.stated
        if stated is None:
            moment = seal.manifest.moment.strftime("%Y-%m-%dT%H:%M:%SZ") if seal.manifest.moment else ""
            told.append(SignatureTold(seal.role, None, shown.name, shown.name, shown.fingerprint, moment=moment))
        else:
            words = (_printable(stated.name), shown.name, shown.fingerprint, _printable(stated.note))
            told.append(SignatureTold(seal.role, stated.decision, *words, moment=stated.moment))
    return tuple(told)


def _doubt_all(findings: Findings, anchors: Anchors | None, said: Revocations) -> dict[x509.Certificate, str]:
    """Return, for each certificate that signed, why it is not trusted; an empty text where it is."""
    found: dict[x509.Certificate, str] = {}
    for certificate in dict.fromkeys(one.certificate for one in findings.seen):
        if anchors is None:
            found[certificate] = "no authority was named"
            continue
        mine = [one for one in findings.seen if one.certificate == certificate]
        chain = max((one.chain for one in mine), key=len)
        found[certificate] = doubt_certificate(certificate, chain, anchors, _moment(mine, anchors, said), said=said)
    return found


def _moment(seen: Sequence[SeenSignature], anchors: Anchors, said: Revocations) -> datetime:
    """Return when the signature is shown to have existed: a trusted time stamp says so, else only that it does now.

    The time that a signer states proves nothing once the certificate has run out, because a stolen key can state it.
    """
    for stamp in [one.stamp for one in seen if one.stamp]:
        if not doubt_certificate(stamp.certificate, stamp.chain, anchors, stamp.moment, usages=STAMP_USAGES, said=said):
            return stamp.moment
    return datetime.now(UTC)


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)
