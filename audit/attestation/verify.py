"""The way back: from a sealed folder, PDF or page to one word, and who stands behind it.

Comes in: a path, and the authorities that the reader trusts. Goes out: a `Verification` with every check by name. It
reads files and nothing else: no network, no configuration, no key. The heavy PDF reader is imported only for a PDF.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from audit.errors import ConfigError, SealError

from .seal.check import (
    SeenSignature,
    check_attached,
    check_attestation,
    check_certificate_files,
    check_dossier,
    check_html,
    check_manifest,
    check_report_pdf,
    compare_sums,
    read_sums,
)
from .seal.facts import FactFound, read_seal_facts
from .seal.keys import show_certificate
from .seal.sign import (
    CERTIFICATE_FILE,
    DOSSIER_FILE,
    HTML_FILE,
    PDF_FILE,
    PUBLIC_KEY_FILE,
    STATEMENT_FILE,
    SUMS_FILE,
    SUMS_SIGNATURE,
    SUMS_STAMP,
)
from .seal.trust import STAMP_USAGES, doubt_certificate, read_anchors

Word = Literal["INTACT", "TAMPERED", "UNPROVEN"]
TrustWord = Literal["TRUSTED", "UNTRUSTED", "UNSIGNED"]
Found = TypeVar("Found")

OUTSIDE = "individuals"
"""Folder that may come and go: reasons for single people are deleted on request."""
_READ_WHOLE = frozenset(
    {SUMS_FILE, SUMS_SIGNATURE, SUMS_STAMP, DOSSIER_FILE, STATEMENT_FILE, CERTIFICATE_FILE, PUBLIC_KEY_FILE}
    | {HTML_FILE, PDF_FILE}
)
_LARGEST_WHOLE = 1 << 28
_COVERED = "holds, and nothing was added after it"


class Check(NamedTuple):
    """One check: its name, whether it held, what was found."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What came out of verifying.

    Parameters
    ----------
    word : str
        INTACT: every file is as it was sealed. TAMPERED: one is not. UNPROVEN: a single file without any signature,
        of which nothing can be said.
    trust : str
        TRUSTED: an authority that the reader named stands behind the signer. UNTRUSTED: signed, and no such authority
        was named or none stands behind it. UNSIGNED.
    signers : tuple of str
        Names of those who signed.
    checks : tuple of Check
        Every check in order.
    exit_code : int
        0; 4 where tampered or unproven, or where authorities were named and the word is not TRUSTED.
    facts : dict
        What rules about the seal may name, `audit.attestation.seal.facts.read_seal_facts`.
    """

    word: Word
    trust: TrustWord
    signers: tuple[str, ...]
    checks: tuple[Check, ...]
    exit_code: int
    facts: dict[str, FactFound] = field(default_factory=dict)


def verify_report(path: Path | str, *, trust: Path | str | None = None) -> Verification:
    """Verify a report folder, or a report.pdf or report.html alone.

    Parameters
    ----------
    path : Path or str
        The folder or file.
    trust : Path or str, optional
        PEM file with the authorities (or signers) to be trusted.

    Returns
    -------
    Verification
        Also for a report that was tampered with; only what is no report at all is an error.

    Raises
    ------
    ConfigError
        There is no such path, it is no report, or `trust` cannot be read.
    """
    path, anchors = Path(path), read_anchors(Path(trust)) if trust is not None else None
    findings = _Findings()
    if path.is_dir():
        _verify_folder(path, findings)
    elif path.is_file():
        _verify_file(path, findings)
    else:
        raise ConfigError(f"there is no report at {path}", hint="give the folder, its report.pdf or its report.html")
    return _conclude(findings, anchors)


@dataclass(slots=True)
class _Findings:
    """Checks and signatures as they come up."""

    checks: list[Check] = field(default_factory=list)
    seen: list[SeenSignature] = field(default_factory=list)
    claimed: bool = False
    """Whether anything says that the report is signed."""
    listed: bool = False
    """Whether a list of files was there to hold them against."""

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


def _verify_folder(folder: Path, findings: _Findings) -> None:
    digests, whole = _read_folder(folder, findings)
    if not {SUMS_FILE, DOSSIER_FILE, STATEMENT_FILE, SUMS_SIGNATURE} & digests.keys():
        raise ConfigError(f"{folder} is not a report folder", hint=f"it holds neither {SUMS_FILE} nor {DOSSIER_FILE}")
    listed = findings.attempt("list of files", _read_list, whole, good=f"{SUMS_FILE} is well formed") or {}
    findings.listed = True
    if listed:
        findings.attempt("files", compare_sums, listed, digests)
    dossier = findings.attempt("audit.json", check_dossier, whole.get(DOSSIER_FILE), good="evidence as judged")
    if dossier is not None and (folder / OUTSIDE).is_dir():
        findings.attempt("individuals", _check_individuals, folder / OUTSIDE, dossier)
    named = dossier["presentation"]["signer"] if dossier else None
    inside = [_check_html(whole, findings), *_check_pdf(whole, findings)]
    signed_files = {SUMS_SIGNATURE, SUMS_STAMP, STATEMENT_FILE, CERTIFICATE_FILE, PUBLIC_KEY_FILE} & digests.keys()
    findings.claimed = bool(named or signed_files or any(inside))
    if not findings.claimed:
        return
    manifest = findings.attempt(
        "signature of the list", check_manifest, whole.get(SUMS_FILE, b""), whole.get(SUMS_SIGNATURE),
        whole.get(SUMS_STAMP), good=f"{SUMS_SIGNATURE} holds",
    )  # fmt: skip
    statement = findings.attempt(
        "attestation", check_attestation, whole.get(STATEMENT_FILE), listed, dossier or {},
        good="signature holds; files, inputs and verdict are those of this report",
    )  # fmt: skip
    findings.seen = [one for one in (manifest, statement, *inside) if one]
    if manifest:
        findings.attempt("certificate", check_certificate_files, whole, manifest)
    expected = {SUMS_SIGNATURE, STATEMENT_FILE, *({HTML_FILE, PDF_FILE} & digests.keys())}
    findings.attempt("one signer", _check_one_signer, findings.seen, expected, named)


def _verify_file(path: Path, findings: _Findings) -> None:
    """Verify a PDF or a page by the signature that it carries."""
    if path.stat().st_size > _LARGEST_WHOLE:
        raise ConfigError(f"{path} is too large to be a report")
    data = path.read_bytes()
    if data.startswith(b"%PDF"):
        whole = {PDF_FILE: data}
    elif path.suffix.lower() in (".html", ".htm"):
        whole = {HTML_FILE: data}
    elif path.suffix.lower() == ".pdf":
        raise ConfigError(f"{path} is not a PDF")
    else:
        raise ConfigError(f"{path} carries no signature of its own", hint="verify the folder it lies in")
    inside = [one for one in (_check_html(whole, findings), *_check_pdf(whole, findings)) if one]
    attached = _attached(data) if PDF_FILE in whole else None
    dossier = findings.attempt("audit.json inside", check_dossier, attached, good="canonical") if attached else None
    named = dossier["presentation"]["signer"] if dossier else None
    findings.seen, findings.claimed = inside, bool(inside or named)
    if findings.claimed:
        findings.attempt("one signer", _check_one_signer, inside, set(whole), named)


def _check_individuals(folder: Path, dossier: dict[str, Any]) -> str:
    """Hold the files about single people against the digests in audit.json; any of them may have been deleted.

    A file is never called by its name: it may be a person's.
    """
    if folder.is_symlink():
        raise SealError("it is a link")
    known, kept = set(dossier.get("individuals", ())), 0
    for _, path in _walk(folder):
        if "sha256:" + str(_read_plain(path, whole=False)) not in known:
            raise SealError("a file about a single person was changed or added")
        kept += 1
    return f"{kept} files are as written" + (f", {len(known) - kept} were deleted" if kept < len(known) else "")


def _read_list(whole: dict[str, bytes]) -> dict[str, str]:
    if SUMS_FILE not in whole:
        raise SealError(f"{SUMS_FILE} is missing")
    return read_sums(whole[SUMS_FILE])


def _check_html(whole: dict[str, bytes], findings: _Findings) -> SeenSignature | None:
    if HTML_FILE not in whole:
        return None
    return findings.attempt("signature of the page", check_html, whole[HTML_FILE], good=_COVERED)


def _check_pdf(whole: dict[str, bytes], findings: _Findings) -> tuple[SeenSignature, ...]:
    if PDF_FILE not in whole:
        return ()
    seen = findings.attempt("signature of the PDF", check_report_pdf, whole[PDF_FILE], good=_COVERED) or ()
    if DOSSIER_FILE in whole:
        findings.attempt("audit.json in the PDF", _check_attached, whole[PDF_FILE], whole[DOSSIER_FILE])
    return seen


def _check_attached(data: bytes, dossier: bytes) -> str:
    return "none" if check_attached(data, dossier) is None else "the same as the folder's"


def _attached(data: bytes) -> bytes | None:
    try:
        return check_attached(data, None)
    except Exception:  # the check of the PDF itself has said so already
        return None


def _check_one_signer(seen: list[SeenSignature], expected: set[str], named: dict[str, Any] | None) -> str:
    """Refuse a report of which a part is unsigned, signed by somebody else, or not by whom it names."""
    certificates = {one.certificate for one in seen}
    missing = sorted(expected - {one.place for one in seen})
    if missing:
        raise SealError(f"a signature is missing or does not hold: {', '.join(missing)}")
    if len(certificates) > 1:
        raise SealError("not every part was signed by the same certificate")
    shown = show_certificate(seen[0].certificate)
    if named is not None and named.get("fingerprint") != shown.fingerprint:
        raise SealError("the report names another signer than the one who signed it")
    if named is None and SUMS_SIGNATURE in expected:
        raise SealError("the report says that it is unsigned, and it is signed")
    return f"all by {shown.name}, certificate {shown.fingerprint}"


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _conclude(findings: _Findings, anchors: tuple[Any, ...] | None) -> Verification:
    trust: TrustWord = "UNSIGNED"
    if findings.claimed:
        trust = "UNTRUSTED"
    if findings.seen:
        doubts = _doubt_all(findings.seen, anchors)
        trust = "UNTRUSTED" if doubts else "TRUSTED"
        if anchors is not None:
            findings.checks.append(Check("trusted signer", not doubts, doubts or "an authority that you named vouches"))
    held = all(check.ok for check in findings.checks if check.name != "trusted signer")
    word: Word = "TAMPERED" if not held else "INTACT" if findings.listed or findings.seen else "UNPROVEN"
    good = word == "INTACT" and (anchors is None or trust == "TRUSTED")
    names = tuple(dict.fromkeys(show_certificate(one.certificate).name for one in findings.seen))
    checks = tuple(Check(one.name, one.ok, _printable(one.detail)) for one in findings.checks)
    trusted = None if anchors is None else trust == "TRUSTED"
    facts = read_seal_facts(intact=word == "INTACT", trusted=trusted, seen=findings.seen, now=datetime.now(UTC))
    return Verification(word, trust, names, checks, 0 if good else 4, facts)


def _doubt_all(seen: list[SeenSignature], anchors: tuple[Any, ...] | None) -> str:
    """Return why the signers are not trusted; empty where all are."""
    if anchors is None:
        return "no authority was named"
    for certificate in {one.certificate for one in seen}:
        mine = [one for one in seen if one.certificate == certificate]
        chain = max((one.chain for one in mine), key=len)
        doubt = doubt_certificate(certificate, chain, anchors, _moment(mine, anchors))
        if doubt:
            return doubt
    return ""


def _moment(seen: list[SeenSignature], anchors: tuple[Any, ...]) -> datetime:
    """Return when the signature is shown to have existed: a trusted time stamp says so, else only that it does now.

    The time that a signer states proves nothing once the certificate has run out, because a stolen key can state it.
    """
    for stamp in [one.stamp for one in seen if one.stamp]:
        if not doubt_certificate(stamp.certificate, stamp.chain, anchors, stamp.moment, usages=STAMP_USAGES):
            return stamp.moment
    return datetime.now(UTC)
