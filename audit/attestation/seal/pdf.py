"""The signature in a PDF: PAdES baseline B-B; B-T, B-LT and B-LTA as far as certificate and servers allow.

Comes in: the bytes of a PDF and a signer. Goes out: the same bytes followed by an incremental update that holds the
signature, and one more that holds a document time stamp, so that what was there before is a prefix of what is there
now. pyHanko writes the PDF; the CMS is ours (`cms`), so that every byte of it is accounted for. Validation data are
written with the signature and not after it, so that no byte of the file lies outside of what is signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from audit.errors import SealError

from .cms import certificate_bytes, sign_digest
from .keys import Signer
from .pdf_check import hostile, open_pdf, read_pdf, signature_fields
from .revocation_source import ValidationData
from .timestamp import StampServer, check_token

FIRST_FIELD = "Preparer"
Draw = Callable[[float, float], bytes]
"""Takes width and height of a field in points; returns a PDF whose first page shows the signature."""
_ROOM_TO_SPARE = 512


def sign_pdf(
    data: bytes, signer: Signer, *, moment: datetime, field: str = FIRST_FIELD, draw: Draw | None = None
) -> bytes:
    """Sign a PDF: the first signature as its author (later signatures may be added, nothing else), a later one beside.

    Parameters
    ----------
    data : bytes
        The PDF.
    signer : Signer
        Who signs. Its time stamp server, if any, makes the signature B-T; OCSP answers and lists of revoked
        certificates make it B-LT, and another stamp over the whole file B-LTA.
    moment : datetime
        Time of signing to state (aware).
    field : str
        Name of the signature field. An empty one of this name is used; without one an invisible one is made.
    draw : callable, optional
        Draws what the field shows; without it the field stays as it is.

    Returns
    -------
    bytes
        Begins with `data`.

    Raises
    ------
    SealError
        This is not a PDF that can be signed, or this field is signed already.
    TryAgain
        A server did not answer, and what it should give is required.
    """
    with hostile():
        reader = read_pdf(data)
        taken = [name for name, _ in signature_fields(reader, filled=True)]
        empty = {name: found for name, found in signature_fields(reader, filled=False)}
    if field in taken:
        raise SealError(f"this PDF is signed already: its field {field} is taken")
    proofs = _collect_proofs(data, signer)
    with hostile():
        signed = _sign_field(data, signer, moment, field, empty.get(field), draw, proofs, certify=not taken)
        if proofs and signer.stamps:
            signed = _stamp_document(signed, signer.stamps, len(taken), field, proofs)
    if not signed.startswith(data):
        raise SealError("the PDF could not be signed without changing it")
    return signed


def _sign_field(
    data: bytes,
    signer: Signer,
    moment: datetime,
    name: str,
    empty: Any,
    draw: Draw | None,
    proofs: ValidationData | None,
    *,
    certify: bool,
) -> bytes:
    from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
    from pyhanko.sign.signers import cms_embedder, pdf_byterange

    writer = _open_for_update(data)
    spec = None if empty else SigFieldSpec(sig_field_name=name, box=None)
    steps = cms_embedder.PdfCMSEmbedder(new_field_spec=spec).write_cms(name, writer, existing_fields_only=bool(empty))
    field = next(steps).get_object()
    if empty and draw:
        _show(writer, field, draw)
    if proofs:
        _add_proofs(writer, proofs)
    placeholder = pdf_byterange.SignatureObject(
        timestamp=moment, subfilter=SigSeedSubFilter.PADES, bytes_reserved=_room(signer)
    )
    permissions = cms_embedder.SigMDPSetup("sha256", certify=True, docmdp_perms=MDPPerm.FILL_FORMS)
    steps.send(cms_embedder.SigObjSetup(sig_placeholder=placeholder, mdp_setup=permissions if certify else None))
    output = BytesIO()
    prepared, _ = steps.send(cms_embedder.SigIOSetup(md_algorithm="sha256", output=output))
    stamp = signer.stamps.token if signer.stamps else None
    steps.send(sign_digest(prepared.document_digest, signer, stamp_signature=stamp))
    return output.getvalue()


def _stamp_document(data: bytes, stamps: StampServer, count: int, signed: str, proofs: ValidationData) -> bytes:
    """Return the PDF with a time stamp over all of it; unchanged where the server gives none.

    The same revision says which validation data belong to the signature in the field `signed`: a name for that is made
    of the finished signature, and so cannot stand in the revision that the signature itself covers.
    """
    from pyhanko.sign.fields import InvisSigSettings, SigFieldSpec
    from pyhanko.sign.signers import cms_embedder, pdf_byterange

    probe = stamps.token(hashlib.sha256(data).digest())
    if probe is None:
        return data
    writer, name = _open_for_update(data), f"Timestamp{count + 1}"
    # PDF/UA asks that an annotation be tagged, hidden or off the page, and PDF/A forbids hidden ones.
    spec = SigFieldSpec(sig_field_name=name, box=None, invis_sig_settings=InvisSigSettings(box_out_of_bounds=True))
    steps = cms_embedder.PdfCMSEmbedder(new_field_spec=spec).write_cms(name, writer)
    next(steps)
    _name_proofs(writer, dict(signature_fields(open_pdf(data), filled=True))[signed]["/V"], proofs)
    room = 2 * (len(probe) + _ROOM_TO_SPARE)
    placeholder = pdf_byterange.DocumentTimestamp(bytes_reserved=room)  # type: ignore[no-untyped-call]
    steps.send(cms_embedder.SigObjSetup(sig_placeholder=placeholder))
    output = BytesIO()
    prepared, _ = steps.send(cms_embedder.SigIOSetup(md_algorithm="sha256", output=output))
    token = stamps.token(prepared.document_digest)
    if token is None:
        return data
    steps.send(token)
    return output.getvalue()


def _collect_proofs(data: bytes, signer: Signer) -> ValidationData | None:
    """Return what a later reader needs to validate signature and stamp; None where it cannot be had."""
    if signer.revocation is None or signer.stamps is None:
        return None
    digest = hashlib.sha256(data).digest()
    token = signer.stamps.token(digest)  # only a token says who the time stamp authority is
    if token is None:
        return None
    stamp = check_token(token, digest)
    return signer.revocation.collect([(signer.certificate, signer.chain), (stamp.certificate, stamp.chain)])


def _add_proofs(writer: Any, proofs: ValidationData) -> None:
    """Write a document security store (ETSI EN 319 142-1, 5.4.2) that keeps what an earlier one holds."""
    from pyhanko.sign.signers.constants import ESIC_EXTENSION_1

    before = _held(writer.root, "/DSS") or _new({})
    store = _new({pdf_name("/Type"): pdf_name("/DSS")})
    for key, values in _kinds_of(proofs):
        if values or key in before:
            store[pdf_name(key)] = _extend(writer, _held(before, key) or [], values)
    if "/VRI" in before:
        store[pdf_name("/VRI")] = before.raw_get("/VRI")
    writer.root[pdf_name("/DSS")] = writer.add_object(store)
    writer.update_root()
    writer.register_extension(ESIC_EXTENSION_1)


def _name_proofs(writer: Any, signature: Any, proofs: ValidationData) -> None:
    """Write which validation data belong to a signature: a VRI dictionary (ETSI EN 319 142-1, 5.4.2.3)."""
    before = writer.root["/DSS"]
    belongs = _new({pdf_name("/Type"): pdf_name("/VRI")})
    for key, values in _kinds_of(proofs):
        held = _held(before, key) or []
        mine = [one for position, one in enumerate(list(held)) if bytes(held[position].data) in set(values)]
        if mine:
            belongs[pdf_name(key.removesuffix("s"))] = generic.ArrayObject(mine)
    # The form fixes SHA-1; the name is a label that nothing is proved by.
    name = hashlib.sha1(bytes(signature["/Contents"]), usedforsecurity=False).hexdigest().upper()
    known = _held(before, "/VRI") or {}
    store = _new({key: before.raw_get(key) for key in before})
    store[pdf_name("/VRI")] = _new({**known, pdf_name(f"/{name}"): writer.add_object(belongs)})
    writer.root[pdf_name("/DSS")] = writer.add_object(store)
    writer.update_root()


def _kinds_of(proofs: ValidationData) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    certificates = tuple(map(certificate_bytes, proofs.certificates))
    return (("/Certs", certificates), ("/CRLs", proofs.said.lists), ("/OCSPs", proofs.said.answers))


def _held(container: Any, key: str) -> Any:
    """Return an entry, resolved (which the dictionary's own `get` does not do); None where there is none."""
    return container[key] if key in container else None  # noqa: SIM401


def _new(values: dict[Any, Any]) -> Any:
    return generic.DictionaryObject(values)  # type: ignore[no-untyped-call]


def _extend(writer: Any, before: Any, values: Iterable[bytes]) -> generic.ArrayObject:
    known = {bytes(before[position].data) for position in range(len(before))}
    streams = [generic.StreamObject(stream_data=value) for value in dict.fromkeys(values) if value not in known]
    return generic.ArrayObject([*list(before), *map(writer.add_object, streams)])


def _show(writer: Any, field: Any, draw: Draw) -> None:
    """Lay a drawn page into a visible field."""
    left, bottom, right, top = (float(edge) for edge in field["/Rect"])
    if right - left < 1 or top - bottom < 1:
        return
    page = open_pdf(draw(right - left, top - bottom))
    shown = writer.import_page_as_xobject(page)
    field[pdf_name("/AP")] = _new({pdf_name("/N"): shown})


def _open_for_update(data: bytes) -> Any:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    class PlainWriter(IncrementalPdfFileWriter):
        """Leaves metadata as they are: written again, they would no longer be those of a valid PDF/A."""

        def _update_meta(self) -> None:
            pass

    return PlainWriter.from_reader(open_pdf(data))


def _room(signer: Signer) -> int:
    """Return how many hexadecimal digits to keep free for the signature; a token brings its own certificates."""
    probe = len(sign_digest(bytes(32), signer))
    return 2 * (probe + 256 + (16384 if signer.stamps else 0))
