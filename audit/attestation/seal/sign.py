"""Sealing: from the files of a report to the same files signed, with everything that is needed to check them.

Comes in: file names and bytes, the dossier, a signer or None, the head of the ledger. Goes out: all files of the report
folder. The order is fixed, because each step covers the one before: PDF, HTML, certificate and guide, statement in its
envelope, SHA256SUMS, its time stamp, its signature (which binds the time stamp). Without a signer there are only
SHA256SUMS and a guide that says that nothing is proved.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from audit.errors import SealError
from audit.evidence.countersignature import Countersignature, SigningRole
from audit.evidence.dossier import Dossier, SignerShown

from .cms import CmsSigner, sign_digest
from .envelope import seal_payload
from .guide import write_guide
from .keys import Signer, certificates_pem, public_key_pem
from .statement import PAYLOAD_TYPE, state_countersignature, state_evidence, state_report
from .timestamp import reply_around

DOSSIER_FILE = "audit.json"
SUMS_FILE = "SHA256SUMS"
SUMS_SIGNATURE = "SHA256SUMS.p7s"
SUMS_STAMP = "SHA256SUMS.tsr"
STATEMENT_FILE = "attestation.dsse.json"
CERTIFICATE_FILE = "signer.crt"
PUBLIC_KEY_FILE = "signer.pub"
GUIDE_FILE = "VERIFY.md"
HTML_FILE = "report.html"
PDF_FILE = "report.pdf"
SEAL_FILES = (
    SUMS_FILE, SUMS_SIGNATURE, SUMS_STAMP, STATEMENT_FILE, CERTIFICATE_FILE, PUBLIC_KEY_FILE, GUIDE_FILE
)  # fmt: skip
"""Files that sealing adds."""
UNCOVERED = (SUMS_FILE, SUMS_SIGNATURE, SUMS_STAMP)
"""Files that SHA256SUMS does not list, because they are made of it."""

SEALS = "seals"
"""Folder of the seals that later signatures replaced, numbered from 1."""
FIELDS: dict[SigningRole, str] = {"preparer": "Preparer", "reviewer": "Reviewer", "approver": "Approver"}
"""Role to the name of its signature field in the PDF."""
Stamp = Callable[[Countersignature, SignerShown, float, float], bytes]
"""Draws what a signature field of a given width and height (points) shows: a PDF of one page."""

HTML_MARK = b"<!--audit-signature:v1 signed-bytes="
_GOOD_NAME = re.compile(r"(?!/)[^\x00-\x1f\x7f\\\\]+(?<!/)")


def sign_folder(
    files: Mapping[str, bytes],
    dossier: Dossier,
    signer: Signer | None,
    previous: str | None = None,
    *,
    moment: datetime | None = None,
    stamp: Stamp | None = None,
) -> dict[str, bytes]:
    """Return all files of a report folder, sealed.

    Parameters
    ----------
    files : mapping
        Name (relative, with ``/``) to bytes; ``report.pdf`` and ``report.html`` are signed inside.
    dossier : Dossier
        What the report shows; written as ``audit.json``. Its presentation must name this signer.
    signer : Signer or None
        None: an unsigned folder, which says so.
    previous : str, optional
        Digest of the ledger's last entry.
    moment : datetime, optional
        Time of signing to state (aware); default the clock.
    stamp : callable, optional
        Draws the visible signature in the PDF.

    Returns
    -------
    dict
        Name to bytes, in the order in which they are to be written.

    Raises
    ------
    SealError
        A file name that cannot be listed, a file that sealing itself writes, a report that names another signer.
    TryAgain
        The time stamp server did not answer, and a signature is required.
    """
    moment = moment or datetime.now(UTC)
    sealed = _check_files(files, dossier, signer)
    if signer is None:
        sealed[GUIDE_FILE] = write_guide(sealed, None)
        return {**sealed, SUMS_FILE: list_sums(digest_files(sealed))}
    stated = Countersignature(role="preparer", name=signer.shown().name, moment=tell_moment(moment))
    _sign_pdf_file(sealed, signer, stated, moment, stamp)
    if HTML_FILE in sealed:
        sealed[HTML_FILE] = sign_html(sealed[HTML_FILE], signer, moment=moment)
    return _finish(
        sealed,
        signer,
        moment,
        lambda files: state_report(files, dossier, signer.shown(), previous=previous),
    )


def countersign_folder(
    files: Mapping[str, bytes],
    stated: Countersignature,
    signer: Signer,
    *,
    moment: datetime,
    stamp: Stamp | None = None,
) -> dict[str, bytes]:
    """Return all files of a sealed report folder with one person's signature more.

    Parameters
    ----------
    files : mapping
        Every file of the folder, verified; none about single people.
    stated : Countersignature
        Role, decision, reasons.
    signer : Signer
        Who signs.
    moment : datetime
        Time of signing to state (aware).
    stamp : callable, optional
        Draws the visible signature in the PDF.

    Returns
    -------
    dict
        Name to bytes. The seal that was there lies in ``seals/N``, as it was; the PDF begins with the bytes of the
        one that was there; all other files are unchanged.

    Raises
    ------
    SealError
        The PDF cannot be signed in this role.
    """
    number = 1 + len({name.split("/")[1] for name in files if name.startswith(f"{SEALS}/")})
    sealed = {name: data for name, data in files.items() if name not in SEAL_FILES}
    sealed.update({f"{SEALS}/{number}/{name}": files[name] for name in SEAL_FILES if name in files})
    _sign_pdf_file(sealed, signer, stated, moment, stamp)
    before = files.get(STATEMENT_FILE, files[SUMS_FILE])
    return _finish(
        sealed,
        signer,
        moment,
        lambda digests: state_countersignature(
            digests,
            json.loads(files[DOSSIER_FILE]),
            signer.shown(),
            stated,
            previous=f"sha256:{hashlib.sha256(before).hexdigest()}",
        ),
    )


def tell_moment(moment: datetime) -> str:
    """Return a time as documents state it: UTC, ISO 8601, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sign_pdf_file(
    sealed: dict[str, bytes], signer: Signer, stated: Countersignature, moment: datetime, stamp: Stamp | None
) -> None:
    if PDF_FILE not in sealed:
        return
    from .pdf import sign_pdf

    def draw(width: float, height: float) -> bytes:
        assert stamp is not None
        return stamp(stated, signer.shown(), width, height)

    sealed[PDF_FILE] = sign_pdf(
        sealed[PDF_FILE], signer, moment=moment, field=FIELDS[stated.role], draw=draw if stamp else None
    )


def _finish(
    sealed: dict[str, bytes], signer: Signer, moment: datetime, state: Callable[[Mapping[str, str]], bytes]
) -> dict[str, bytes]:
    """Add certificate, guide, statement and signed list to files whose own signatures are made."""
    # The signer's certificate alone: with an authority's beside it, the commands of the guide would accept anybody
    # whom that authority ever certified.
    sealed[CERTIFICATE_FILE] = certificates_pem((signer.certificate,))
    sealed[PUBLIC_KEY_FILE] = public_key_pem(signer.certificate)
    sealed[GUIDE_FILE] = write_guide(sealed, signer.shown(), stamped=signer.stamps is not None)
    sealed[STATEMENT_FILE] = seal_payload(PAYLOAD_TYPE, state(digest_files(sealed)), signer)
    sums = list_sums(digest_files(sealed))
    return {**sealed, SUMS_FILE: sums, **_sign_sums(sums, signer, moment)}


def sign_html(page: bytes, signer: Signer, *, moment: datetime) -> bytes:
    """Return a page followed by a comment that holds a signature over all of it.

    Parameters
    ----------
    page : bytes
        The HTML page.
    signer : Signer
        Who signs.
    moment : datetime
        Time of signing to state (aware).

    Raises
    ------
    SealError
        The page holds such a comment already.
    """
    if HTML_MARK in page:
        raise SealError("this page is signed already")
    digest = hashlib.sha256(page).digest()
    stamp = signer.stamps.token(digest) if signer.stamps else None
    return page + html_comment(len(page), sign_digest(digest, signer, moment=moment, content_stamp=stamp))


def html_comment(size: int, signature: bytes) -> bytes:
    """Return the comment at the end of a signed page: its unsigned size in bytes, and the signature as base64."""
    return HTML_MARK + b"%d\n%s-->" % (size, base64.b64encode(signature))


def seal_evidence(evidence: bytes, signer: CmsSigner) -> bytes:
    """Return the envelope (evidence.dsse.json) that vouches for an evidence document.

    Parameters
    ----------
    evidence : bytes
        The document as written.
    signer : Signer
        Who signs.
    """
    from .keys import show_certificate

    statement = state_evidence(hashlib.sha256(evidence).hexdigest(), show_certificate(signer.certificate))
    return seal_payload(PAYLOAD_TYPE, statement, signer)


def seal_digests(sealed: Mapping[str, bytes]) -> dict[str, str]:
    """Return what the ledger keeps of a sealed folder: the digests of the files that cover all others."""
    names = (SUMS_FILE, SUMS_SIGNATURE, STATEMENT_FILE)
    return {name: f"sha256:{hashlib.sha256(sealed[name]).hexdigest()}" for name in names if name in sealed}


def digest_files(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return name to hexadecimal SHA-256."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def list_sums(digests: Mapping[str, str]) -> bytes:
    """Return the text of SHA256SUMS: one line per file, by name, as ``sha256sum`` writes and checks it."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def accept_name(name: str) -> bool:
    """Whether a file name can stand in SHA256SUMS: relative, no way upwards, no sign that would need quoting."""
    return bool(_GOOD_NAME.fullmatch(name)) and not {"", ".", ".."} & set(name.split("/"))


def _sign_sums(sums: bytes, signer: Signer, moment: datetime) -> dict[str, bytes]:
    """Return the time stamp of SHA256SUMS where there is a server, and the signature, which binds the stamp."""
    digest = hashlib.sha256(sums).digest()
    token = signer.stamps.token(digest) if signer.stamps else None
    signature = sign_digest(digest, signer, moment=moment, content_stamp=token)
    return {SUMS_SIGNATURE: signature, **({SUMS_STAMP: reply_around(token)} if token else {})}


def _check_files(files: Mapping[str, bytes], dossier: Dossier, signer: Signer | None) -> dict[str, bytes]:
    """Return a copy of the files with audit.json in it, all of them fit to be sealed."""
    written = dossier.canonical()
    sealed = {DOSSIER_FILE: written, **files}
    if sealed[DOSSIER_FILE] != written:
        raise SealError(f"{DOSSIER_FILE} is not the dossier that is sealed")
    for name in sealed:
        if name in SEAL_FILES or name.split("/")[0] == SEALS or not accept_name(name):
            raise SealError(f"a file of a report cannot be called {name!r}")
    if dossier.presentation.signer != (signer.shown() if signer else None):
        raise SealError("the report names another signer than the one who is to sign it")
    return sealed
