"""What a signed PDF brings along for the long term: its PAdES level, and what its validation data are worth.

Comes in: a PDF and its signatures, which hold. Goes out: the level that the last signer reached, and what lists and
OCSP answers in the file say about the certificates of signers and time stamp authorities. Only what counts makes a
level: data about another certificate, by a stranger or of another time lie in the file as if they were not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509

from audit.errors import SealError

from .cms import NO_SIGNATURE, CmsSignature, load_certificate
from .ocsp import judge_answer
from .pdf_check import PdfSignature, PdfStamp, embedded_data
from .revocation import find_revoked, find_uncovered, issuers_of, path_above
from .timestamp import TimeStamp, check_token


class _Path(NamedTuple):
    """A certificate, others that may stand above it, and when it must have been valid."""

    leaf: x509.Certificate
    others: tuple[x509.Certificate, ...]
    moment: datetime


def level_of(data: bytes, marks: Sequence[PdfSignature | PdfStamp]) -> str:
    """Return the PAdES baseline level of a signed PDF (ETSI EN 319 142-1, 6): what its last signer reached.

    Notes
    -----
    B-LT is said where every certificate of the signer's and of the stamp's, up to the ones that issued themselves, is
    spoken for by its issuer. Whether those are to be trusted, a reader with the right authorities says.
    """
    last = max(position for position, one in enumerate(marks) if isinstance(one, PdfSignature))
    signature = marks[last]
    assert isinstance(signature, PdfSignature)
    if signature.cms.signature_stamp is None:
        return "B-B"
    said, beside = embedded_data(data)
    silent = [find_uncovered(one.leaf, one.others, said, one.moment) for one in _paths(signature.cms, _load(beside))]
    if not said or any(silent):
        return "B-T"
    return "B-LTA" if last < len(marks) - 1 else "B-LT"


def check_proofs(data: bytes, marks: Sequence[PdfSignature | PdfStamp]) -> str:
    """Return what the validation data of a signed PDF are worth.

    Raises
    ------
    SealError
        By them a certificate was revoked when it signed, is unknown to its authority, or is vouched for by a stranger.
    """
    said, beside = embedded_data(data)
    known = _load(beside)
    paths = [path for one in marks if isinstance(one, PdfSignature) for path in _paths(one.cms, known)]
    for path in paths:
        if doubt := find_revoked(path.leaf, path.others, said, path.moment):
            raise SealError(doubt)
    idle = len(said.answers) - _count_useful(said.answers, paths)
    words = [_count(len(said.lists), "list"), _count(len(said.answers), "OCSP answer")]
    told = f"{' and '.join(filter(None, words)) or 'none'}; nobody who signed was revoked"
    return told + (f"; {_count(idle, 'answer')} about another certificate or another time" if idle else "")


def _paths(cms: CmsSignature, known: tuple[x509.Certificate, ...]) -> Iterator[_Path]:
    """Yield the path of a signer and that of the authority that stamped the signature."""
    stamp = _stamp_of(cms)
    moment = stamp.moment if stamp else datetime.now(UTC)
    yield _Path(cms.certificate, (*cms.chain, *known), moment)
    if stamp:
        yield _Path(stamp.certificate, (*stamp.chain, *known), moment)


def _stamp_of(cms: CmsSignature) -> TimeStamp | None:
    if cms.signature_stamp is None:
        return None
    return check_token(cms.signature_stamp, hashlib.sha256(cms.signature).digest())


def _count_useful(answers: Iterable[bytes], paths: Sequence[_Path]) -> int:
    asked = [
        (one, issuers_of(one, path.others), path.moment) for path in paths for one in path_above(path.leaf, path.others)
    ]
    return sum(any(judge_answer(answer, *about).word in ("good", "revoked") for about in asked) for answer in answers)


def _load(certificates: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    found = []
    for data in certificates:
        try:
            found.append(load_certificate(data))
        except NO_SIGNATURE:  # validation data are other people's; what cannot be read helps nobody
            continue
    return tuple(found)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}" if number else ""
