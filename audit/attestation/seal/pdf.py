"""The signature in a PDF: PAdES baseline B-B, or B-T with a time stamp; made here, and read back here.

Comes in: the bytes of a rendered PDF and a signer. Goes out: the same bytes followed by one incremental update that
holds the signature, so that the unsigned report is a prefix of the signed one; or, of a signed PDF, who signed which
bytes. pyHanko reads and writes the PDF; the CMS is ours (`cms`), so that every byte of it is accounted for. pyHanko's
own comparison of revisions takes minutes on a tagged file; `check_revisions` holds a stricter and cheaper rule instead.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from audit.errors import SealError

from .cms import CmsSignature, check_digest, sign_digest
from .keys import Signer

FIELD_NAME = "Signature"
_HEX = re.compile(rb"[0-9A-F]*")
_DEEPEST = 32
"""Form fields and name trees nested deeper than this are refused."""
_CATALOG_MAY_CHANGE = {"/AcroForm", "/DSS", "/Extensions", "/Perms"}
_FORM_MAY_CHANGE = {"/Fields", "/SigFlags"}
_FIELD_MAY_CHANGE = {"/V", "/AP", "/M"}


@dataclass(frozen=True, slots=True)
class PdfSignature:
    """A signature in a PDF that holds.

    Parameters
    ----------
    cms : CmsSignature
        Who signed.
    gap : tuple of int
        Start and end (exclusive) of the signature's own text ``<...>``, the only bytes it does not cover.
    end : int
        Length of the file that it covers.
    size : int
        Length of the DER signature in bytes, without its padding.
    """

    cms: CmsSignature
    gap: tuple[int, int]
    end: int
    size: int


def sign_pdf(data: bytes, signer: Signer, *, moment: datetime) -> bytes:
    """Sign a PDF as its author: later signatures may be added, nothing else.

    Parameters
    ----------
    data : bytes
        The unsigned PDF. An empty signature field in it is used; without one an invisible field is made.
    signer : Signer
        Who signs; its time stamp server, if any, makes the signature B-T.
    moment : datetime
        Time of signing to state (aware).

    Returns
    -------
    bytes
        Begins with `data`.

    Raises
    ------
    SealError
        This is not a PDF that can be signed.
    """
    from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
    from pyhanko.sign.signers import cms_embedder, pdf_byterange

    with _hostile():
        reader, writer = _open_for_update(data)
        if list(_signature_fields(reader, filled=True)):
            raise SealError("this PDF is signed already")
        empty = next((str(name) for name, _ in _signature_fields(reader, filled=False)), None)
    spec = None if empty else SigFieldSpec(sig_field_name=FIELD_NAME, box=None)
    steps = cms_embedder.PdfCMSEmbedder(new_field_spec=spec).write_cms(
        empty or FIELD_NAME, writer, existing_fields_only=bool(empty)
    )
    next(steps)
    steps.send(
        cms_embedder.SigObjSetup(
            sig_placeholder=pdf_byterange.SignatureObject(
                timestamp=moment, subfilter=SigSeedSubFilter.PADES, bytes_reserved=_room(signer)
            ),
            mdp_setup=cms_embedder.SigMDPSetup("sha256", certify=True, docmdp_perms=MDPPerm.FILL_FORMS),
        )
    )
    output = BytesIO()
    prepared, _ = steps.send(cms_embedder.SigIOSetup(md_algorithm="sha256", output=output))
    stamp = signer.stamps.token if signer.stamps else None
    steps.send(sign_digest(prepared.document_digest, signer, stamp_signature=stamp))
    signed = output.getvalue()
    if not signed.startswith(data):
        raise SealError("the PDF could not be signed without changing it")
    return signed


def check_pdf(data: bytes) -> tuple[PdfSignature, ...]:
    """Check every signature of a PDF, and that nothing but signatures came after the first.

    Parameters
    ----------
    data : bytes
        The PDF.

    Returns
    -------
    tuple of PdfSignature
        In the order in which they were made; empty for a PDF that nobody signed.

    Raises
    ------
    SealError
        A signature does not hold, the last does not cover the whole file, or a later revision changes more than
        signature fields.
    """
    with _hostile():
        return _check_all(_read(data), data)


def _check_all(reader: PdfFileReader, data: bytes) -> tuple[PdfSignature, ...]:
    found = [(_check_place(data, field), field) for _, field in _signature_fields(reader, filled=True)]
    found.sort(key=lambda pair: pair[0])
    if not found:
        if b"/ETSI.CAdES.detached" in data:
            raise SealError("a later revision of the PDF takes its signature out of its form")
        return ()
    if found[-1][0] != len(data):
        raise SealError("bytes were added to the PDF after its last signature")
    first = found[0][1].raw_get("/V")
    if not isinstance(first, generic.IndirectObject):
        raise SealError("the PDF's signature is not an object of its own")
    check_revisions(reader, reader.xrefs.get_last_change(first.reference))
    return tuple(_check_cms(data, end, field) for end, field in found)


def check_revisions(reader: PdfFileReader, signed: int) -> None:
    """Refuse every change of a later revision that is not on the short list of what another signature needs.

    Parameters
    ----------
    reader : PdfFileReader
        The whole file.
    signed : int
        Number of the first signed revision (the file begins with revision 0).

    Raises
    ------
    SealError
        An object that existed was changed or freed, other than: the catalog's form, permissions and validation data;
        the form's list of fields; the value and appearance of a signature field; a list of annotations that grows by
        signature fields.
    """
    if reader.xrefs.hybrid_xrefs_present:
        raise SealError("the PDF has two tables of contents at once")
    for revision in range(signed + 1, reader.xrefs.total_revisions):
        before: Any = reader.get_historical_resolver(revision - 1)
        after: Any = reader.get_historical_resolver(revision)
        if after.refs_freed_in_revision():
            raise SealError("a later revision of the PDF deletes something")
        for reference in after.explicit_refs_in_revision():
            try:
                old = before.get_object(reference)
            except Exception:  # noqa: S112 - it did not exist before; only what points to it decides whether it shows
                continue
            if not isinstance(old, generic.NullObject):
                _check_change(reference == reader.root_ref, old, after.get_object(reference))


def attached_file(data: bytes, name: str) -> bytes | None:
    """Return the bytes of a file embedded in a PDF; None where there is none of that name.

    Raises
    ------
    SealError
        The PDF cannot be read, or holds two of that name.
    """
    with _hostile():
        tree = _get(_get(_read(data).root, "/Names"), "/EmbeddedFiles")
        found = [spec for key, spec in _name_tree(tree) if name in (key, _get(spec, "/UF"), _get(spec, "/F"))]
        if len(found) > 1:
            raise SealError(f"the PDF holds two files called {name}")
        return bytes(_get(_get(found[0], "/EF"), "/F").data) if found else None


def _open_for_update(data: bytes) -> tuple[PdfFileReader, Any]:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    class PlainWriter(IncrementalPdfFileWriter):
        """Leaves metadata as they are: written again, they would no longer be those of a valid PDF/A."""

        def _update_meta(self) -> None:
            pass

    reader = _read(data)
    return reader, PlainWriter(BytesIO(data), strict=True)


def _room(signer: Signer) -> int:
    """Return how many hexadecimal digits to keep free for the signature; a token brings its own certificates."""
    probe = len(sign_digest(bytes(32), signer))
    return 2 * (probe + 256 + (16384 if signer.stamps else 0))


@contextmanager
def _hostile() -> Iterator[None]:
    """Turn whatever a reader may raise on a hostile file into a refusal."""
    try:
        yield
    except SealError:
        raise
    except Exception as error:
        raise SealError(f"the PDF cannot be read: {str(error)[:120]}") from None


def _read(data: bytes) -> PdfFileReader:
    reader = PdfFileReader(BytesIO(data), strict=True)
    if reader.encrypted:
        raise SealError("the PDF is encrypted")
    return reader


def _get(container: Any, key: str) -> Any:
    """Return an entry of a dictionary, resolved (which its own `get` does not do); None where it is absent."""
    return container[key] if isinstance(container, generic.DictionaryObject) and key in container else None


def _signature_fields(reader: PdfFileReader, *, filled: bool) -> Iterator[tuple[str, Any]]:
    """Yield full name and dictionary of the form's signature fields."""
    fields = _get(_get(reader.root, "/AcroForm"), "/Fields")
    waiting: list[tuple[str, Any, int]] = [("", field, 0) for field in reversed(fields or [])]
    while waiting:
        above, field, depth = waiting.pop()
        if isinstance(field, generic.IndirectObject):
            field = field.get_object()  # type: ignore[no-untyped-call]
        if depth > _DEEPEST or not isinstance(field, generic.DictionaryObject):
            raise SealError("the PDF's form is damaged")
        name = ".".join(part for part in (above, str(_get(field, "/T") or "")) if part)
        waiting.extend((name, kid, depth + 1) for kid in reversed(_get(field, "/Kids") or []))
        if _get(field, "/FT") == "/Sig" and ("/V" in field) is filled:
            yield name, field


def _check_place(data: bytes, field: Any) -> int:
    """Check a signature's place in the file; return the length of the file that it covers."""
    signature = _get(field, "/V")
    ranges = _get(signature, "/ByteRange")
    if _get(signature, "/Type") != "/Sig" or _get(signature, "/SubFilter") != "/ETSI.CAdES.detached":
        raise SealError("the PDF has a signature of a kind that is not accepted")
    if not isinstance(ranges, generic.ArrayObject) or len(ranges) != 4:
        raise SealError("the PDF's signature does not say what it covers")
    zero, start, end, rest = (int(value) for value in ranges)
    if zero != 0 or not 0 < start < end - 2 or rest <= 0 or end + rest > len(data):
        raise SealError("the PDF's signature covers something else than this file")
    if data[start : start + 1] != b"<" or data[end - 1 : end] != b">" or not _HEX.fullmatch(data, start + 1, end - 1):
        raise SealError("the PDF hides bytes inside its signature")
    held = signature.raw_get("/Contents", decrypt=generic.EncryptedObjAccess.RAW)
    if held.original_bytes != bytes.fromhex(data[start + 1 : end - 1].decode("ascii")):
        raise SealError("the PDF's signature stands elsewhere than it says")
    return end + rest


def _check_cms(data: bytes, end: int, field: Any) -> PdfSignature:
    _, start, resume, rest = (int(value) for value in _get(_get(field, "/V"), "/ByteRange"))
    padded = bytes.fromhex(data[start + 1 : resume - 1].decode("ascii"))
    size = _der_size(padded)
    if padded[size:].strip(b"\0"):
        raise SealError("the PDF hides bytes behind its signature")
    digest = hashlib.sha256(data[:start])
    digest.update(data[resume : resume + rest])
    return PdfSignature(check_digest(padded[:size], digest.digest()), (start, resume), end, size)


def _der_size(data: bytes) -> int:
    """Return the length of the DER value at the start of `data`."""
    if len(data) < 2 or data[0] != 0x30:
        raise SealError("the PDF's signature is not one")
    if data[1] < 0x80:
        return 2 + data[1]
    count = data[1] & 0x7F
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")


def _name_tree(node: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield key and value of a name tree."""
    if depth > _DEEPEST:
        raise SealError("the PDF's list of files is nested too deeply")
    names = _get(node, "/Names") or []
    for position in range(0, len(names) - 1, 2):
        yield str(names[position]), names[position + 1]
    for kid in _get(node, "/Kids") or []:
        yield from _name_tree(kid.get_object(), depth + 1)


def _check_change(is_catalog: bool, old: Any, new: Any) -> None:
    """Refuse a change of one object that a signature does not need."""
    if old == new:
        return None
    if isinstance(old, generic.ArrayObject) and isinstance(new, generic.ArrayObject):
        return _check_growth(old, new)
    if not (isinstance(old, generic.DictionaryObject) and isinstance(new, generic.DictionaryObject)):
        raise SealError("a later revision of the PDF changes an object")
    if isinstance(old, generic.StreamObject) or isinstance(new, generic.StreamObject):
        raise SealError("a later revision of the PDF changes its content")
    changed = _changed_keys(old, new)
    if is_catalog:
        _refuse(changed - _CATALOG_MAY_CHANGE, "catalog")
        _check_form(_get(old, "/AcroForm"), _get(new, "/AcroForm"))
        before, after = _get(old, "/Perms") or {}, _get(new, "/Perms") or {}
        return _refuse({key for key in before if _get(after, key) != before[key]}, "permissions")
    if "/Fields" in old:
        return _check_form(old, new)
    if _get(old, "/FT") == "/Sig":
        return _refuse(changed - (_FIELD_MAY_CHANGE if "/V" not in old else set()), "signature field")
    if _get(old, "/Type") == "/Page" and changed == {"/Annots"}:
        return _check_growth(_get(old, "/Annots") or [], _get(new, "/Annots") or [])
    return _refuse(changed, str(_get(old, "/Type") or "object").strip("/"))


def _check_form(old: Any, new: Any) -> None:
    """Allow a form to gain signature fields and nothing else."""
    if old is None or new is None:
        raise SealError("a later revision of the PDF replaces its form")
    _refuse(_changed_keys(old, new) - _FORM_MAY_CHANGE, "form")
    _check_growth(_get(old, "/Fields") or [], _get(new, "/Fields") or [])


def _check_growth(old: Any, new: Any) -> None:
    """Allow a list to grow at its end by signature fields."""
    if list(new)[: len(old)] != list(old):
        raise SealError("a later revision of the PDF replaces annotations or fields")
    for position in range(len(old), len(new)):
        if _get(new[position], "/FT") != "/Sig":
            raise SealError("a later revision of the PDF adds something that is not a signature")


def _changed_keys(old: Any, new: Any) -> set[str]:
    """Return the keys that one of two dictionaries lacks, or whose unresolved values differ."""
    return {key for key in {*old, *new} if key not in old or key not in new or old.raw_get(key) != new.raw_get(key)}


def _refuse(keys: set[str], where: str) -> None:
    if keys:
        raise SealError(f"a later revision of the PDF changes {', '.join(sorted(keys))} of its {where}")
