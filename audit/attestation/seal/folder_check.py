"""The checks of a report folder, or of a PDF or page alone, in order.

Comes in: a path. Goes out: `Findings`, filled. Whether the signers are to be trusted, and what their roles allow, is
asked afterwards by `audit.attestation.verify`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.errors import ConfigError, EvidenceError, SealError

from .check import (
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
from .findings import VALIDATION_DATA, Check, Findings, Seal
from .keys import show_certificate
from .reading import LARGEST_WHOLE, OUTSIDE, read_plain, read_report_folder, walk_folder
from .sign import (
    CERTIFICATE_FILE,
    DOSSIER_FILE,
    FIELDS,
    HTML_FILE,
    PDF_FILE,
    PUBLIC_KEY_FILE,
    STATEMENT_FILE,
    SUMS_FILE,
    SUMS_SIGNATURE,
    SUMS_STAMP,
)
from .stages import Stage, unwind_seals

_COVERED = "holds, and nothing was added after it"
_SIGNED_FILES = {SUMS_SIGNATURE, SUMS_STAMP, STATEMENT_FILE, CERTIFICATE_FILE, PUBLIC_KEY_FILE}
_SCHEMA = re.compile(rb'"schema_version":"dossier/([0-9]+)"')
_KNOWN_SCHEMA = 1


def inspect_folder(folder: Path, findings: Findings) -> None:
    """Check every file and signature of a report folder.

    Raises
    ------
    ConfigError
        It is no report folder.
    EvidenceError
        It was made by a later version of this program.
    """
    digests, whole, faults = read_report_folder(folder)
    findings.digests = digests
    for name, why in faults.items():
        findings.checks.append(Check("files", False, f"{name} cannot be read: {why}"))
    if not {SUMS_FILE, DOSSIER_FILE, STATEMENT_FILE, SUMS_SIGNATURE} & digests.keys():
        raise ConfigError(f"{folder} is not a report folder", hint=f"it holds neither {SUMS_FILE} nor {DOSSIER_FILE}")
    findings.listed = True
    listed = _check_files(Stage(digests, whole), findings)
    _refuse_newer(whole.get(DOSSIER_FILE, b""), listed.get(DOSSIER_FILE) == digests.get(DOSSIER_FILE))
    dossier = findings.attempt("audit.json", check_dossier, whole.get(DOSSIER_FILE), good="evidence as judged")
    if dossier is not None and (folder / OUTSIDE).is_dir():
        findings.attempt("individuals", _check_individuals, folder / OUTSIDE, dossier)
    html, pdf = _inspect_html(whole, findings), _inspect_pdf(whole, findings)
    named = dossier["presentation"]["signer"] if dossier else None
    findings.claimed = bool(named or _SIGNED_FILES & digests.keys() or html or pdf)
    if findings.claimed:
        _inspect_seals(Stage(digests, whole), listed, dossier or {}, findings)
        expected = {HTML_FILE, PDF_FILE} & digests.keys()
        name = "one signer" if len(findings.seals) <= 1 else "signers agree"
        findings.attempt(name, _check_agreement, findings, html, pdf, expected, named)


def inspect_file(path: Path, findings: Findings) -> None:
    """Check a PDF or a page by the signatures that it carries.

    Raises
    ------
    ConfigError
        It is neither.
    """
    if path.stat().st_size > LARGEST_WHOLE:
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
    html = _inspect_html(whole, findings)
    inside = [*([html] if html else []), *_inspect_pdf(whole, findings)]
    attached = _attached(data) if PDF_FILE in whole else None
    dossier = findings.attempt("audit.json inside", check_dossier, attached, good="canonical") if attached else None
    named = dossier["presentation"]["signer"] if dossier else None
    findings.seen, findings.claimed = inside, bool(inside or named)
    if findings.claimed:
        findings.attempt("one signer" if len(inside) <= 1 else "signers agree", _check_file_signers, inside, named)


def _check_files(stage: Stage, findings: Findings, which: str = "") -> dict[str, str]:
    good = f"{SUMS_FILE} is well formed"
    listed = findings.attempt(f"list of files{which}", _read_list, stage.whole, good=good) or {}
    if listed:
        findings.attempt(f"files{which}", compare_sums, listed, stage.digests)
    return listed


def _inspect_seals(now: Stage, listed: dict[str, str], dossier: dict[str, Any], findings: Findings) -> None:
    """Check the seal of a folder and every seal before it."""
    stages = findings.attempt("earlier seals", unwind_seals, now.digests, now.whole, good="") or (now,)
    if len(stages) == 1 and findings.checks[-1].ok:
        findings.checks.pop()  # there are none, which is worth no word
    previous = None
    for number, stage in enumerate(stages, 1):
        last = stage is stages[-1]
        which = "" if last else f" (seal {number})"
        files = listed if last else _check_files(stage, findings, which)
        if last or SUMS_SIGNATURE in stage.digests or STATEMENT_FILE in stage.digests:
            _inspect_seal(stage, files, dossier, previous, which, findings)
        previous = stage.statement_digest


def _inspect_seal(
    stage: Stage, listed: dict[str, str], dossier: dict[str, Any], previous: str | None, which: str, findings: Findings
) -> None:
    whole = stage.whole
    manifest = findings.attempt(
        f"signature of the list{which}", check_manifest, whole.get(SUMS_FILE, b""), whole.get(SUMS_SIGNATURE),
        whole.get(SUMS_STAMP), good=f"{SUMS_SIGNATURE} holds",
    )  # fmt: skip
    statement = findings.attempt(
        f"attestation{which}", check_attestation, whole.get(STATEMENT_FILE), listed, dossier, previous,
        good="signature holds; files, inputs and verdict are those of this report",
    )  # fmt: skip
    if manifest:
        findings.attempt(f"certificate{which}", check_certificate_files, whole, manifest)
    if manifest and statement:
        findings.seals.append(Seal(manifest, statement))
    findings.seen += [one for one in (manifest, statement) if one]


def _check_agreement(
    findings: Findings,
    html: SeenSignature | None,
    pdf: Sequence[SeenSignature],
    expected: set[str],
    named: Mapping[str, Any] | None,
) -> str:
    """Refuse a report of which a part is unsigned, signed by somebody else, or not by whom it names."""
    seals = findings.seals
    late = named is None and bool(seals) and seals[0].stated is not None
    findings.seen += [*([html] if html else []), *pdf]
    present = {one.place for one in findings.seen} | ({HTML_FILE} if late else set())
    missing = sorted(({SUMS_SIGNATURE, STATEMENT_FILE} | expected) - present)
    if missing or not seals:
        raise SealError(f"a signature is missing or does not hold: {', '.join(missing)}")
    certificates = [seal.certificate for seal in seals]
    parts = [seal.statement.certificate for seal in seals]
    inside = [one.certificate for one in pdf] or certificates
    if not parts == inside == certificates or (html and html.certificate != certificates[0]):
        raise SealError("not every part was signed by the same certificate")
    _check_named(certificates[0], named)
    if named is None and not late:
        raise SealError("the report says that it is unsigned, and it is signed")
    return _check_roles(seals, pdf)


def _check_roles(seals: Sequence[Seal], pdf: Sequence[SeenSignature]) -> str:
    roles = [seal.role for seal in seals]
    if len(set(roles)) < len(roles):
        raise SealError("the report is signed twice in one role")
    for seal, one in zip(seals, pdf, strict=False):
        if one.field in FIELDS.values() and one.field != FIELDS[seal.role]:
            raise SealError("a signature in the PDF stands in another's field")
    if len(seals) == 1 and seals[0].stated is None:
        shown = show_certificate(seals[0].certificate)
        return f"all by {shown.name}, certificate {shown.fingerprint}"
    return "; ".join(f"{seal.role}: {show_certificate(seal.certificate).name}" for seal in seals)


def _check_file_signers(seen: Sequence[SeenSignature], named: Mapping[str, Any] | None) -> str:
    """Refuse a single file that is unsigned, or whose first signature is not that of whom it names."""
    if not seen:
        raise SealError("a signature is missing or does not hold")
    _check_named(seen[0].certificate, named)
    fields = [one.field for one in seen[1:]]
    if len(set(fields)) < len(fields) or not set(fields) <= {*FIELDS.values()} - {FIELDS["preparer"]}:
        raise SealError("a later signature stands in no field for a reviewer or approver")
    names = [show_certificate(one.certificate) for one in seen]
    return "; then ".join(f"by {shown.name}, certificate {shown.fingerprint}" for shown in names)


def _check_named(certificate: Any, named: Mapping[str, Any] | None) -> None:
    if named is not None and named.get("fingerprint") != show_certificate(certificate).fingerprint:
        raise SealError("the report names another signer than the one who signed it")


def _check_individuals(folder: Path, dossier: dict[str, Any]) -> str:
    """Hold the files about single people against the digests in audit.json; any of them may have been deleted.

    A file is never called by its name: it may be a person's.
    """
    if folder.is_symlink():
        raise SealError("it is a link")
    known, kept = set(dossier.get("individuals", ())), 0
    for _, path in walk_folder(folder):
        if "sha256:" + str(read_plain(path, whole=False)) not in known:
            raise SealError("a file about a single person was changed or added")
        kept += 1
    return f"{kept} files are as written" + (f", {len(known) - kept} were deleted" if kept < len(known) else "")


def _refuse_newer(dossier: bytes, as_listed: bool) -> None:
    """Say of a report from a later version that this one cannot read it, instead of that it was tampered with."""
    match = _SCHEMA.search(dossier)
    if as_listed and match and int(match[1]) > _KNOWN_SCHEMA:
        raise EvidenceError(
            f"the report was made by a later version: its audit.json is of form dossier/{int(match[1])}, and this "
            f"version reads dossier/{_KNOWN_SCHEMA}",
            hint="verify it with that version, or with the commands in its VERIFY.md",
        )


def _read_list(whole: Mapping[str, bytes]) -> dict[str, str]:
    if SUMS_FILE not in whole:
        raise SealError(f"{SUMS_FILE} is missing")
    return read_sums(whole[SUMS_FILE])


def _inspect_html(whole: Mapping[str, bytes], findings: Findings) -> SeenSignature | None:
    if HTML_FILE not in whole:
        return None
    return findings.attempt("signature of the page", check_html, whole[HTML_FILE], good=_COVERED)


def _inspect_pdf(whole: Mapping[str, bytes], findings: Findings) -> tuple[SeenSignature, ...]:
    if PDF_FILE not in whole:
        return ()
    seen = findings.attempt("signature of the PDF", check_report_pdf, whole[PDF_FILE])
    if seen:
        findings.checks[-1] = Check("signature of the PDF", True, f"{_COVERED} (PAdES {seen.level})")
        findings.said = seen.said
        if seen.said:
            findings.attempt(VALIDATION_DATA, seen.proofs)
    if DOSSIER_FILE in whole:
        findings.attempt("audit.json in the PDF", _check_attached, whole[PDF_FILE], whole[DOSSIER_FILE])
    return seen.signatures if seen else ()


def _check_attached(data: bytes, dossier: bytes) -> str:
    return "none" if check_attached(data, dossier) is None else "the same as the folder's"


def _attached(data: bytes) -> bytes | None:
    try:
        return check_attached(data, None)
    except Exception:  # the check of the PDF itself has said so already
        return None
