"""Each check of a sealed report, one function each; `audit.attestation.verify` puts them in order.

Comes in: bytes. Goes out: who signed them, or `SealError` with the reason. Nothing here trusts a file because another
file of the same folder says so: every one is held against a signature, and every signature against one certificate.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cryptography import x509

from audit.errors import EvidenceError, SealError
from audit.evidence.base import canonical_bytes
from audit.evidence.countersignature import Countersignature

from .cms import CmsSignature, check_digest
from .envelope import OpenedEnvelope, open_envelope
from .keys import certificates_pem, public_key_pem, show_certificate
from .revocation import Revocations
from .sign import (
    CERTIFICATE_FILE,
    HTML_MARK,
    PUBLIC_KEY_FILE,
    STATEMENT_FILE,
    UNCOVERED,
    accept_name,
    html_comment,
    list_sums,
)
from .statement import (
    EVIDENCE_PREDICATE,
    PAYLOAD_TYPE,
    REPORT_PREDICATE,
    STATEMENT_TYPE,
    predicate_of,
    signer_of,
    state_evidence,
    subjects_of,
)
from .timestamp import TimeStamp, check_token, reply_around

_SUM_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_COMMENT = re.compile(rb"<!--audit-signature:v1 signed-bytes=([0-9]{1,12})\n([A-Za-z0-9+/=]+)-->")
_LONGEST_COMMENT = 1 << 20


@dataclass(frozen=True, slots=True)
class SeenSignature:
    """A signature that holds.

    Parameters
    ----------
    place : str
        The file it stands in.
    certificate : cryptography.x509.Certificate
        The signer's certificate.
    chain : tuple of cryptography.x509.Certificate
        What came along with it.
    moment : datetime or None
        Time of signing as stated by the signer.
    stamp : TimeStamp or None
        What a time stamp authority says.
    stated : Countersignature or None
        Role and decision, where the signature is a person's on a report that was sealed before.
    field : str
        Name of its field in a PDF.
    """

    place: str
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    moment: datetime | None = None
    stamp: TimeStamp | None = None
    stated: Countersignature | None = None
    field: str = ""


def check_evidence(evidence: bytes, envelope: bytes | None) -> str:
    """Check an evidence document against its envelope.

    Parameters
    ----------
    evidence : bytes
        evidence.json as read.
    envelope : bytes or None
        evidence.dsse.json; None where there is none.

    Returns
    -------
    str
        ``signed by NAME (certificate FINGERPRINT)``, or ``evidence was supplied unsigned``.

    Raises
    ------
    SealError
        The envelope does not vouch for this document.
    """
    if envelope is None:
        return "evidence was supplied unsigned"
    opened = open_envelope(envelope)
    shown = show_certificate(opened.certificate)
    _read_statement(opened, EVIDENCE_PREDICATE)
    if opened.payload != state_evidence(hashlib.sha256(evidence).hexdigest(), shown):
        raise SealError("the evidence is not the one that was signed", hint="it was changed after the examination")
    return f"signed by {shown.name} (certificate {shown.fingerprint})"


def read_sums(text: bytes) -> dict[str, str]:
    """Return name to hexadecimal SHA-256 of a SHA256SUMS file.

    Raises
    ------
    SealError
        It is not in the one form in which it is written.
    """
    found: dict[str, str] = {}
    try:
        lines = text.decode().split("\n")
    except UnicodeDecodeError:
        raise SealError("the list of files is not text") from None
    for line in lines[:-1]:
        match = _SUM_LINE.fullmatch(line)
        if not match or not accept_name(match[2]):
            raise SealError("the list of files has a line that is not one")
        found[match[2]] = match[1]
    if list_sums(found) != text or not found:
        raise SealError("the list of files is not in the form in which it was written")
    return found


def compare_sums(listed: Mapping[str, str], present: Mapping[str, str]) -> str:
    """Hold a folder's files against the list.

    Parameters
    ----------
    listed, present : mapping
        Name to hexadecimal SHA-256.

    Returns
    -------
    str
        How many files are as listed.

    Raises
    ------
    SealError
        A file was changed, taken away, added or renamed.
    """
    there = {name: digest for name, digest in present.items() if name not in UNCOVERED}
    missing, added = sorted(listed.keys() - there.keys()), sorted(there.keys() - listed.keys())
    renamed = [f"{old} is now called {new}" for old in missing for new in added if listed[old] == there[new]]
    faults = [
        *(f"{name} was changed" for name in sorted(listed.keys() & there.keys()) if listed[name] != there[name]),
        *renamed,
        *(f"{name} is missing" for name in missing if not any(text.startswith(f"{name} is now") for text in renamed)),
        *(f"{name} was added" for name in added if not any(text.endswith(f" {name}") for text in renamed)),
    ]
    if faults:
        raise SealError("; ".join(faults[:8]) + (f"; and {len(faults) - 8} more" if len(faults) > 8 else ""))
    return f"{len(listed)} files are as listed"


def check_manifest(sums: bytes, signature: bytes | None, reply: bytes | None) -> SeenSignature:
    """Check the signature of SHA256SUMS and its time stamp, which must be the one that the signature binds."""
    if signature is None:
        raise SealError("the signature of the list of files is missing")
    digest = hashlib.sha256(sums).digest()
    found = check_digest(signature, digest)
    if reply != (found.content_stamp and reply_around(found.content_stamp)):
        raise SealError("the time stamp is not the one that belongs to the list of files")
    return _seen("SHA256SUMS.p7s", found, digest)


def check_html(page: bytes) -> SeenSignature | None:
    """Check the signature at the end of a page; None for a page that nobody signed.

    Raises
    ------
    SealError
        It does not hold, or does not end the file.
    """
    start = page.rfind(HTML_MARK)
    if start < 0:
        return None
    if len(page) - start > _LONGEST_COMMENT:
        raise SealError("the page goes on after its signature")
    match = _COMMENT.fullmatch(page, start)
    if not match:
        raise SealError("the page's signature was changed, or something was added after it")
    try:
        signature = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise SealError("the page's signature was changed") from None
    if int(match[1]) != start or page[start:] != html_comment(start, signature) or HTML_MARK in page[:start]:
        raise SealError("the page's signature does not cover all of the page")
    digest = hashlib.sha256(page[:start]).digest()
    return _seen("report.html", check_digest(signature, digest), digest)


@dataclass(frozen=True, slots=True)
class SeenPdf:
    """What the signatures in a PDF say.

    Parameters
    ----------
    signatures : tuple of SeenSignature
        In the order in which they were made.
    level : str
        PAdES level that the last one reached.
    said : Revocations
        What its validation data say about revoked certificates.
    proofs : callable
        Says what they are worth; raises `SealError` where they speak against a signer.
    """

    signatures: tuple[SeenSignature, ...]
    level: str
    said: Revocations
    proofs: Callable[[], str]


def check_report_pdf(data: bytes) -> SeenPdf | None:
    """Check the signatures in a PDF; None for one that nobody signed."""
    from .pdf_check import PdfSignature, check_pdf_marks, embedded_data
    from .pdf_level import check_proofs, level_of

    marks = check_pdf_marks(data)
    if not marks:
        return None
    people = [one for one in marks if isinstance(one, PdfSignature)]
    seen = tuple(replace(_seen("report.pdf", one.cms, b""), field=one.field) for one in people)
    return SeenPdf(seen, level_of(data, marks), embedded_data(data)[0], lambda: check_proofs(data, marks))


def check_attached(data: bytes, dossier: bytes | None) -> bytes | None:
    """Return the audit.json inside a PDF, None where there is none.

    Raises
    ------
    SealError
        It is another one than the folder's.
    """
    from .pdf_check import attached_file

    inside = attached_file(data, "audit.json")
    if inside is not None and dossier is not None and inside != dossier:
        raise SealError("the audit.json inside the PDF is another one than the folder's")
    return inside


def check_attestation(
    envelope: bytes | None, files: Mapping[str, str], dossier: Mapping[str, Any], previous: str | None = None
) -> SeenSignature:
    """Check the attestation: its signature, that its subjects are these files, its verdict that of audit.json.

    Parameters
    ----------
    envelope : bytes or None
        attestation.dsse.json.
    files : mapping
        Name to hexadecimal SHA-256 of the files listed in SHA256SUMS.
    dossier : mapping
        audit.json as plain values.
    previous : str, optional
        Digest of the statement that it must follow; where given, it must be a person's on a sealed report, and where
        not, it must not.
    """
    if envelope is None:
        raise SealError("the attestation is missing")
    opened = open_envelope(envelope)
    statement = _read_statement(opened, REPORT_PREDICATE)
    try:
        covered = {name: digest for name, digest in files.items() if name != STATEMENT_FILE}
        subjects = subjects_of(covered, dossier["evidence"]["provenance"]["files"])
        shown = show_certificate(opened.certificate).model_dump(mode="json")
        follows, stated = statement["predicate"]["previous"], _read_stated(statement["predicate"])
        predicate = predicate_of(dossier, shown, follows, stated.model_dump(mode="json") if stated else None)
    except (KeyError, TypeError, AttributeError, EvidenceError):
        raise SealError("audit.json lacks what the attestation is about") from None
    if statement["subject"] != subjects:
        raise SealError("the attestation is about other files")
    if statement["predicate"] != predicate:
        raise SealError("the attestation states another verdict than audit.json")
    if (stated is not None) != (previous is not None) or (stated and follows != previous):
        raise SealError("the attestation does not follow the one before it")
    return SeenSignature(STATEMENT_FILE, opened.certificate, (), stated=stated)


def _read_stated(predicate: Mapping[str, Any]) -> Countersignature | None:
    if "signature" not in predicate:
        return None
    return Countersignature.parse(canonical_bytes(predicate["signature"]))


def check_dossier(data: bytes | None) -> dict[str, Any]:
    """Return audit.json as plain values.

    Raises
    ------
    SealError
        It is missing, no canonical JSON, or judges other evidence than it holds.
    """
    if data is None:
        raise SealError("audit.json is missing")
    try:
        dossier: dict[str, Any] = json.loads(data)
        same = canonical_bytes(dossier) == data
        evidence = "sha256:" + hashlib.sha256(canonical_bytes(dossier["evidence"])).hexdigest()
        judged = dossier["judgement"]["evidence_digest"]
        dossier["presentation"]["signer"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SealError("audit.json is not the document of an audit") from None
    if not same:
        raise SealError("audit.json is not in the form in which it was written")
    if evidence != judged:
        raise SealError("audit.json judges other evidence than it holds")
    return dossier


def check_certificate_files(files: Mapping[str, bytes], seen: SeenSignature) -> str:
    """Hold signer.crt and signer.pub against the certificate that signed."""
    if files.get(CERTIFICATE_FILE) != certificates_pem((seen.certificate,)):
        raise SealError(f"{CERTIFICATE_FILE} is not the certificate that signed")
    if files.get(PUBLIC_KEY_FILE) != public_key_pem(seen.certificate):
        raise SealError(f"{PUBLIC_KEY_FILE} is not the key that signed")
    return f"{CERTIFICATE_FILE} and {PUBLIC_KEY_FILE} are those of the signature"


def _read_statement(opened: OpenedEnvelope, kind: str) -> dict[str, Any]:
    try:
        statement: dict[str, Any] = json.loads(opened.payload)
        head = (opened.payload_type, statement["_type"], statement["predicateType"])
        signer = statement["predicate"]["signer"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SealError("the envelope holds no statement") from None
    if head != (PAYLOAD_TYPE, STATEMENT_TYPE, kind):
        raise SealError("the envelope holds a statement of another kind")
    if signer != signer_of(show_certificate(opened.certificate).model_dump(mode="json")):
        raise SealError("the statement names another signer than its signature")
    return statement


def _seen(place: str, signature: CmsSignature, digest: bytes) -> SeenSignature:
    """Check the time stamps of a signature."""
    stamp = None
    if signature.content_stamp:
        stamp = check_token(signature.content_stamp, digest)
    if signature.signature_stamp:
        stamp = check_token(signature.signature_stamp, hashlib.sha256(signature.signature).digest())
    return SeenSignature(place, signature.certificate, signature.chain, signature.moment, stamp)
