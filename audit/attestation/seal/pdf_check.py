"""Signatures in a PDF read back: who signed which bytes, and that nothing but signatures came later.

Comes in: the bytes of a PDF. Goes out: its signatures and document time stamps in the order in which they were made,
or `SealError`. pyHanko reads the file; its own comparison of revisions takes minutes on a tagged one, and
`check_revisions` holds a stricter and cheaper rule instead. The CMS is ours (`cms`), so that every byte of it is
accounted for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from audit.errors import AuditError, SealError

from .cms import CmsSignature, check_digest
from .revocation import Revocations
from .timestamp import TimeStamp, check_token

_HEX = re.compile(rb"[0-9A-F]*")
_DEEPEST = 32
"""Form fields and name trees nested deeper than this are refused."""
_CATALOG_MAY_CHANGE = {"/AcroForm", "/DSS", "/Extensions", "/Perms"}
_FORM_MAY_CHANGE = {"/Fields", "/SigFlags"}
_FIELD_MAY_CHANGE = {"/V", "/AP", "/M"}
_STORED = ("/Certs", "/CRLs", "/OCSPs")
_KINDS = {("/Sig", "/ETSI.CAdES.detached"), ("/DocTimeStamp", "/ETSI.RFC3161")}
"""Type and form of what may stand in a signature field."""


@dataclass(frozen=True, slots=True)
class PdfSignature:
    """A signature in a PDF that holds.

    Parameters
    ----------
    cms : CmsSignature
        Who signed.
    field : str
        Name of the field it stands in.
    gap : tuple of int
        Start and end (exclusive) of the signature's own text ``<...>``, the only bytes it does not cover.
    end : int
        Length of the file that it covers.
    size : int
        Length of the DER signature in bytes, without its padding.
    """

    cms: CmsSignature
    field: str
    gap: tuple[int, int]
    end: int
    size: int


@dataclass(frozen=True, slots=True)
class PdfStamp:
    """A document time stamp (ETSI EN 319 142-1, 5.4.3) that holds; see `PdfSignature` for what is not told here."""

    stamp: TimeStamp
    field: str
    gap: tuple[int, int]
    end: int
    size: int


def check_pdf(data: bytes) -> tuple[PdfSignature, ...]:
    """Check every signature of a PDF, and that nothing but signatures came after the first.

    Parameters
    ----------
    data : bytes
        The PDF.

    Returns
    -------
    tuple of PdfSignature
        People's signatures in the order in which they were made; empty for a PDF that nobody signed.

    Raises
    ------
    SealError
        A signature or document time stamp does not hold, the last does not cover the whole file, or a later revision
        changes more than signature fields and validation data.
    """
    return tuple(one for one in check_pdf_marks(data) if isinstance(one, PdfSignature))


def check_pdf_marks(data: bytes) -> tuple[PdfSignature | PdfStamp, ...]:
    """Check a PDF as `check_pdf` does; return its document time stamps, too."""
    with hostile():
        return _check_all(read_pdf(data), data)


def embedded_data(data: bytes) -> tuple[Revocations, tuple[bytes, ...]]:
    """Return lists and OCSP answers among a PDF's validation data, and the certificates beside them (DER)."""
    with hostile():
        store = _get(read_pdf(data).root, "/DSS")
        lists, answers, certificates = (_streams(_get(store, key)) for key in ("/CRLs", "/OCSPs", "/Certs"))
        return Revocations(lists, answers), certificates


def _streams(held: Any) -> tuple[bytes, ...]:
    return tuple(bytes(held[position].data) for position in range(len(held or ())))


def _check_all(reader: PdfFileReader, data: bytes) -> tuple[PdfSignature | PdfStamp, ...]:
    found = [(_check_place(data, field), name, field) for name, field in signature_fields(reader, filled=True)]
    found.sort(key=lambda one: one[0])
    if not found:
        if b"/ETSI.CAdES.detached" in data:
            raise SealError("a later revision of the PDF takes its signature out of its form")
        return ()
    if found[-1][0] != len(data):
        raise SealError("bytes were added to the PDF after its last signature")
    first = found[0][2].raw_get("/V")
    if not isinstance(first, generic.IndirectObject):
        raise SealError("the PDF's signature is not an object of its own")
    check_revisions(reader, reader.xrefs.get_last_change(first.reference))
    marks = tuple(_check_mark(data, end, name, field) for end, name, field in found)
    if not isinstance(marks[0], PdfSignature):
        raise SealError("the PDF carries a time stamp before its first signature")
    return marks


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
            if reader.xrefs.get_historical_ref(reference, revision - 1) is None:
                continue  # it did not exist before; only what points to it decides whether it shows
            old = before.get_object(reference)
            if not isinstance(old, generic.NullObject):
                _check_change(reference == reader.root_ref, old, after.get_object(reference))


def attached_file(data: bytes, name: str) -> bytes | None:
    """Return the bytes of a file embedded in a PDF; None where there is none of that name.

    Raises
    ------
    SealError
        The PDF cannot be read, or holds two of that name.
    """
    with hostile():
        tree = _get(_get(read_pdf(data).root, "/Names"), "/EmbeddedFiles")
        found = [spec for key, spec in _name_tree(tree) if name in (key, _get(spec, "/UF"), _get(spec, "/F"))]
        if len(found) > 1:
            raise SealError(f"the PDF holds two files called {name}")
        return bytes(_get(_get(found[0], "/EF"), "/F").data) if found else None


def attached_files(data: bytes) -> dict[str, bytes]:
    """Return every file embedded in a PDF, name to content.

    Raises
    ------
    SealError
        The PDF cannot be read, or holds two files of one name.
    """
    with hostile():
        tree = _get(_get(read_pdf(data).root, "/Names"), "/EmbeddedFiles")
        found = [(str(_get(spec, "/UF") or key), spec) for key, spec in _name_tree(tree)]
        files = {name: bytes(_get(_get(spec, "/EF"), "/F").data) for name, spec in found}
        if len(files) < len(found):
            raise SealError("the PDF holds two files of one name")
        return files


@contextmanager
def hostile() -> Iterator[None]:
    """Turn whatever a reader may raise on a hostile file into a refusal."""
    try:
        yield
    except AuditError:
        raise
    except Exception as error:
        raise SealError(f"the PDF cannot be read: {str(error)[:120]}") from None


@lru_cache(maxsize=1)
def read_pdf(data: bytes) -> PdfFileReader:
    """Return a reader, which nobody changes, for a PDF that is not encrypted; to be used inside of `hostile`.

    The last one is kept: the table of contents of a tagged PDF has many thousand lines, and each check needs it.
    """
    return open_pdf(data)


def open_pdf(data: bytes) -> PdfFileReader:
    """Return a reader of one's own for a PDF that is not encrypted."""
    reader = PdfFileReader(BytesIO(data), strict=True)
    if reader.encrypted:
        raise SealError("the PDF is encrypted")
    return reader


def _get(container: Any, key: str) -> Any:
    """Return an entry of a dictionary, resolved (which its own `get` does not do); None where it is absent."""
    return container[key] if isinstance(container, generic.DictionaryObject) and key in container else None


def signature_fields(reader: PdfFileReader, *, filled: bool) -> Iterator[tuple[str, Any]]:
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
    if (_get(signature, "/Type"), _get(signature, "/SubFilter")) not in _KINDS:
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


def _check_mark(data: bytes, end: int, name: str, field: Any) -> PdfSignature | PdfStamp:
    value = _get(field, "/V")
    _, start, resume, rest = (int(number) for number in _get(value, "/ByteRange"))
    padded = bytes.fromhex(data[start + 1 : resume - 1].decode("ascii"))
    size = _der_size(padded)
    if padded[size:].strip(b"\0"):
        raise SealError("the PDF hides bytes behind its signature")
    digest = hashlib.sha256(data[:start])
    digest.update(data[resume : resume + rest])
    if _get(value, "/Type") == "/DocTimeStamp":
        return PdfStamp(check_token(padded[:size], digest.digest()), name, (start, resume), end, size)
    return PdfSignature(check_digest(padded[:size], digest.digest()), name, (start, resume), end, size)


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
        _check_store(_get(old, "/DSS"), _get(new, "/DSS"))
        before, after = _get(old, "/Perms") or {}, _get(new, "/Perms") or {}
        return _refuse({key for key in before if _get(after, key) != before[key]}, "permissions")
    if "/Fields" in old:
        return _check_form(old, new)
    if _get(old, "/FT") == "/Sig":
        return _refuse(changed - (_FIELD_MAY_CHANGE if "/V" not in old else set()), "signature field")
    if _get(old, "/Type") == "/Page" and changed == {"/Annots"}:
        return _check_growth(_get(old, "/Annots") or [], _get(new, "/Annots") or [])
    return _refuse(changed, str(_get(old, "/Type") or "object").strip("/"))


def _check_store(old: Any, new: Any) -> None:
    """Allow validation data to be added, and none to be taken away: an answer may be what shows a revocation."""
    for key in _STORED if old is not None else ():
        before, after = _get(old, key) or [], _get(new, key) or []
        if not set(map(repr, before)) <= set(map(repr, after)):
            raise SealError("a later revision of the PDF takes validation data away")


def _check_form(old: Any, new: Any) -> None:
    """Allow a form to gain signature fields and nothing else."""
    if old is None or new is None:
        raise SealError("a later revision of the PDF replaces its form")
    _refuse(_changed_keys(old, new) - _FORM_MAY_CHANGE, "form")
    _check_growth(_get(old, "/Fields") or [], _get(new, "/Fields") or [])


def _check_growth(old: Any, new: Any) -> None:
    """Allow a list to grow at its end by signature fields that show nothing: the visible ones are prepared."""
    if list(new)[: len(old)] != list(old):
        raise SealError("a later revision of the PDF replaces annotations or fields")
    for position in range(len(old), len(new)):
        if _get(new[position], "/FT") != "/Sig":
            raise SealError("a later revision of the PDF adds something that is not a signature")
        left, bottom, right, top = (float(edge) for edge in _get(new[position], "/Rect") or (0, 0, 0, 0))
        if left != right and bottom != top:
            raise SealError("a later revision of the PDF shows a signature where no field for it was prepared")


def _changed_keys(old: Any, new: Any) -> set[str]:
    """Return the keys that one of two dictionaries lacks, or whose unresolved values differ."""
    return {key for key in {*old, *new} if key not in old or key not in new or old.raw_get(key) != new.raw_get(key)}


def _refuse(keys: set[str], where: str) -> None:
    if keys:
        raise SealError(f"a later revision of the PDF changes {', '.join(sorted(keys))} of its {where}")
