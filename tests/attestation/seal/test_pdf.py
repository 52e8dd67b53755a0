"""PAdES: pyHanko and openssl agree, the unsigned file is a prefix, and nothing can be added unseen."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
from datetime import UTC, datetime
from io import BytesIO

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers import cms_embedder, pdf_byterange
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from audit.attestation.seal.cms import certificate_bytes, sign_digest
from audit.attestation.seal.pdf import sign_pdf
from audit.attestation.seal.pdf_check import attached_file, check_pdf
from audit.errors import SealError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def signed(plain_pdf, ada):
    return sign_pdf(plain_pdf, ada, moment=NOW)


def pyhanko_status(data, authority):
    root = asn1_x509.Certificate.load(certificate_bytes(authority.root))
    context = ValidationContext(trust_roots=[root], allow_fetching=False)
    reader = PdfFileReader(BytesIO(data))
    return [validate_pdf_signature(one, signer_validation_context=context) for one in reader.embedded_signatures]


class Plain(IncrementalPdfFileWriter):
    def _update_meta(self):
        pass


def sign_again(data, signer, name="Reviewer", *, change=None, box=None):
    """Add a second signature as `audit sign` will; `change` tampers with the same revision."""
    writer = Plain(BytesIO(data), strict=True)
    steps = cms_embedder.PdfCMSEmbedder(new_field_spec=SigFieldSpec(name, box=box)).write_cms(name, writer)
    next(steps)
    holder = pdf_byterange.SignatureObject(timestamp=NOW, subfilter=SigSeedSubFilter.PADES, bytes_reserved=8192)
    steps.send(cms_embedder.SigObjSetup(sig_placeholder=holder))
    if change:
        change(writer)
    output = BytesIO()
    prepared, _ = steps.send(cms_embedder.SigIOSetup(md_algorithm="sha256", output=output))
    steps.send(sign_digest(prepared.document_digest, signer))
    return output.getvalue()


def update(data, change):
    """Add an unsigned revision."""
    writer = Plain(BytesIO(data), strict=True)
    change(writer)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def cover_page(writer):
    page = writer.root["/Pages"]["/Kids"][0]
    box = generic.StreamObject(stream_data=b"1 1 1 rg 0 0 600 900 re f")
    contents = page.raw_get("/Contents")
    page[pdf_name("/Contents")] = generic.ArrayObject([contents, writer.add_object(box)])
    writer.update_container(page)


def add_note(writer):
    page = writer.root["/Pages"]["/Kids"][0]
    square = generic.DictionaryObject(
        {pdf_name("/Type"): pdf_name("/Annot"), pdf_name("/Subtype"): pdf_name("/Square"),
         pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(number) for number in (0, 0, 600, 900)])}
    )  # fmt: skip
    notes = generic.ArrayObject([*page.get("/Annots", []), writer.add_object(square)])
    page[pdf_name("/Annots")] = notes
    writer.update_container(page)


def change_language(writer):
    writer.root[pdf_name("/Lang")] = generic.TextStringObject("de")
    writer.update_root()


def swap_attachment(writer):
    names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
    file = names[1]["/EF"]
    file[pdf_name("/F")] = writer.add_object(generic.StreamObject(stream_data=b'{"verdict":"passed"}'))
    writer.update_container(file)


def change_font(writer):
    writer.mark_update(writer.root["/Pages"]["/Kids"][0].raw_get("/Contents").reference)
    stream = writer.root["/Pages"]["/Kids"][0]["/Contents"]
    stream._data = b"BT ET"
    stream._encoded_data = None


def form_of(writer):
    """Return the form such that what is changed in it is written."""
    reference = writer.root.raw_get("/AcroForm").reference
    form = writer.prev.get_object(reference)
    writer.objects[(reference.generation, reference.idnum)] = form
    return form


def add_text_field(writer):
    field = generic.DictionaryObject(
        {pdf_name("/FT"): pdf_name("/Tx"), pdf_name("/T"): generic.TextStringObject("x"),
         pdf_name("/V"): generic.TextStringObject("passed")}
    )  # fmt: skip
    form_of(writer)["/Fields"].append(writer.add_object(field))


def drop_signature_field(writer):
    form_of(writer)[pdf_name("/Fields")] = generic.ArrayObject()


def need_appearances(writer):
    form_of(writer)[pdf_name("/NeedAppearances")] = generic.BooleanObject(True)


def loosen_permissions(writer):
    writer.root[pdf_name("/Perms")] = generic.DictionaryObject()
    writer.update_root()


ATTACKS = [
    cover_page, add_note, change_language, swap_attachment, change_font, add_text_field, drop_signature_field,
    need_appearances, loosen_permissions,
]  # fmt: skip


def test_unsigned_file_is_a_prefix(plain_pdf, signed):
    assert signed.startswith(plain_pdf)
    assert len(signed) > len(plain_pdf)


def test_who_signed_comes_back(signed, ada):
    (found,) = check_pdf(signed)
    assert found.cms.certificate == ada.certificate
    assert found.end == len(signed)
    assert signed[found.gap[0] : found.gap[0] + 1] == b"<"


@pytest.mark.parametrize("who", ["ada", "rsa_signer"])
def test_pyhanko_agrees(plain_pdf, who, request, authority):
    (status,) = pyhanko_status(sign_pdf(plain_pdf, request.getfixturevalue(who), moment=NOW), authority)
    assert status.bottom_line
    assert status.trusted
    assert status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    assert status.docmdp_ok


def test_it_is_a_pades_certification(signed):
    reader = PdfFileReader(BytesIO(signed))
    (signature,) = reader.embedded_signatures
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.docmdp_level == MDPPerm.FILL_FORMS
    assert signature.self_reported_timestamp == NOW
    attributes = {item["type"].native for item in signature.signer_info["signed_attrs"]}
    assert attributes == {"content_type", "message_digest", "signing_certificate_v2"}  # no signing_time in PAdES


def test_metadata_stay_as_they_were(plain_pdf, signed):
    def metadata(data):
        return PdfFileReader(BytesIO(data)).root["/Metadata"].data

    assert metadata(signed) == metadata(plain_pdf)
    assert b"pyHanko" not in signed


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler's pdfsig is not installed")
def test_pdfsig_agrees(signed, tmp_path):
    (tmp_path / "r.pdf").write_bytes(signed)
    said = subprocess.run(["pdfsig", "r.pdf"], cwd=tmp_path, capture_output=True, text=True).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said


def test_unsigned_file_has_no_signatures(plain_pdf):
    assert check_pdf(plain_pdf) == ()


def test_signing_twice_is_refused(signed, ada):
    with pytest.raises(SealError, match="signed already"):
        sign_pdf(signed, ada, moment=NOW)


def test_empty_field_made_by_the_renderer_is_used(plain_pdf, ada, authority):
    writer = Plain(BytesIO(plain_pdf))
    append_signature_field(writer, SigFieldSpec("Preparer", box=(10, 10, 200, 60)))
    output = BytesIO()
    writer.write(output)
    data = sign_pdf(output.getvalue(), ada, moment=NOW)
    (status,) = pyhanko_status(data, authority)
    assert status.bottom_line
    (embedded,) = PdfFileReader(BytesIO(data)).embedded_signatures
    assert embedded.field_name == "Preparer"
    assert len(check_pdf(data)) == 1


@pytest.mark.parametrize("junk", [b"\n", b"%", b"\0" * 100, b"%%EOF\n", b"<!-- -->"])
def test_trailing_bytes_are_refused(signed, junk):
    with pytest.raises(SealError):
        check_pdf(signed + junk)


def test_every_changed_byte_of_the_signature_and_its_revision_is_noticed(plain_pdf, signed):
    """Also inside the signature's own text, which no PDF signature covers: digits, padding, brackets."""
    start, end = check_pdf(signed)[0].gap
    outside = [place for place in range(len(plain_pdf), len(signed), 3) if not start < place < end - 1]
    for place in [*outside, *range(start + 1, end - 1, 29)]:
        changed = bytearray(signed)
        changed[place] ^= 0x20 if chr(changed[place]).isalpha() else 1
        with pytest.raises(SealError):
            assert check_pdf(bytes(changed)) == ()
            raise SealError("without a signature, which the caller refuses")


def test_any_changed_bit_is_noticed(signed):
    dice = random.Random(20260301)
    for _ in range(300):
        place, bit = dice.randrange(len(signed)), dice.randrange(8)
        changed = bytearray(signed)
        changed[place] ^= 1 << bit
        with pytest.raises(SealError):
            assert check_pdf(bytes(changed)) == ()
            raise SealError("without a signature, which the caller refuses")


@pytest.mark.parametrize("attack", ATTACKS)
def test_unsigned_later_revision_is_refused(signed, attack):
    with pytest.raises(SealError):
        assert check_pdf(update(signed, attack)) == ()
        raise SealError("without a signature, which the caller refuses")


@pytest.mark.parametrize("attack", ATTACKS)
def test_change_under_cover_of_another_signature_is_refused(signed, attack, ada):
    """Even the signer's own second signature may not carry a change with it."""
    with pytest.raises(SealError, match="later revision"):
        check_pdf(sign_again(signed, ada, change=attack))


def test_second_signature_alone_is_accepted(signed, ada, eve, authority):
    twice = sign_again(signed, ada)
    assert [one.cms.certificate for one in check_pdf(twice)] == [ada.certificate, ada.certificate]
    assert all(status.intact for status in pyhanko_status(twice, authority))
    thrice = sign_again(twice, eve, "Approver")
    assert [one.cms.certificate for one in check_pdf(thrice)][-1] == eve.certificate


def test_pyhanko_finds_the_attacks_bad_too(signed, authority):
    """The rule is not stricter out of caprice: an independent comparison of revisions says the same."""
    for attack in (cover_page, change_language, swap_attachment):
        assert not any(status.bottom_line for status in pyhanko_status(update(signed, attack), authority))


def test_hidden_bytes_behind_the_signature_are_refused(signed):
    (found,) = check_pdf(signed)
    place = found.gap[0] + 1 + 2 * found.size + 10
    assert signed[place : place + 1] == b"0"
    changed = signed[:place] + b"1" + signed[place + 1 :]
    assert PdfFileReader(BytesIO(changed)).embedded_signatures  # PDF readers do not mind
    with pytest.raises(SealError, match="behind its signature"):
        check_pdf(changed)


def test_signature_moved_to_another_file_is_refused(signed, pdf_maker, ada):
    other = sign_pdf(pdf_maker(b'{"other":1}'), ada, moment=NOW)
    (mine,), (theirs,) = check_pdf(signed), check_pdf(other)
    if mine.gap[1] - mine.gap[0] == theirs.gap[1] - theirs.gap[0]:
        moved = other[: theirs.gap[0]] + signed[slice(*mine.gap)] + other[theirs.gap[1] :]
        with pytest.raises(SealError, match="other content"):
            check_pdf(moved)


@pytest.mark.parametrize(
    "hostile", [b"", b"%PDF-1.7", b"%PDF-1.7\n%%EOF\n", b"\0" * 1000, b"%PDF-1.7\nstartxref\n0\n%%EOF"]
)
def test_what_is_no_pdf_is_refused(hostile, ada):
    with pytest.raises(SealError):
        check_pdf(hostile)
    with pytest.raises(SealError):
        sign_pdf(hostile, ada, moment=NOW)


def test_cut_files_are_refused(signed, plain_pdf):
    for size in (len(signed) - 1, len(signed) - 7, len(plain_pdf) + 50, len(plain_pdf) // 2):
        with pytest.raises(SealError):
            assert check_pdf(signed[:size]) == ()
            raise SealError("without a signature, which the caller refuses")


def test_attached_file_comes_back(plain_pdf, signed, dossier_of):
    assert attached_file(plain_pdf, "audit.json") == dossier_of().canonical()
    assert attached_file(signed, "audit.json") == dossier_of().canonical()
    assert attached_file(signed, "absent.json") is None


def test_detached_digest_is_over_all_but_the_gap(signed, ada):
    (found,) = check_pdf(signed)
    covered = signed[: found.gap[0]] + signed[found.gap[1] :]
    again = sign_digest(hashlib.sha256(covered).digest(), ada)
    assert len(again) - found.size in range(-4, 5)  # ECDSA values differ in length by a few bytes, nothing else does


@pytest.fixture(scope="module")
def prepared(plain_pdf):
    """The same page with the three visible fields that the renderer makes."""
    writer = Plain(BytesIO(plain_pdf))
    for place, name in enumerate(("Preparer", "Reviewer", "Approver")):
        append_signature_field(writer, SigFieldSpec(name, box=(50, 50 + 80 * place, 300, 110 + 80 * place)))
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


@pytest.fixture(scope="module")
def reviewed(prepared, ada, eve, pdf_maker):
    """Prepared by Ada, reviewed by Eve, both to be seen."""
    drawn = pdf_maker(b"{}")
    once = sign_pdf(prepared, ada, moment=NOW, draw=lambda *_: drawn)
    return sign_pdf(once, eve, moment=NOW, field="Reviewer", draw=lambda *_: drawn)


def restyle_signature(writer):
    """Show another name in a field that is signed."""
    field = writer.root["/AcroForm"]["/Fields"][0]
    field[pdf_name("/AP")] = writer.root["/AcroForm"]["/Fields"][2]["/AP"]
    writer.update_container(field)


def move_field(writer):
    field = writer.root["/AcroForm"]["/Fields"][2]
    field[pdf_name("/Rect")] = generic.ArrayObject([generic.NumberObject(number) for number in (0, 0, 600, 900)])
    writer.update_container(field)


def take_signature_out(writer):
    field = writer.root["/AcroForm"]["/Fields"][1]
    del field["/V"]
    writer.update_container(field)


@pytest.mark.parametrize("attack", [*ATTACKS, restyle_signature, move_field, take_signature_out])
def test_attacks_on_a_report_that_two_people_signed(reviewed, attack, ada):
    assert [one.field for one in check_pdf(reviewed)] == ["Preparer", "Reviewer"]
    with pytest.raises(SealError):
        check_pdf(update(reviewed, attack))
    with pytest.raises(SealError):
        check_pdf(sign_again(reviewed, ada, "Approver", change=attack))


@pytest.mark.parametrize("box", [(0, 0, 600, 900), (600, 900, 0, 0), (10, 10, 12, 11)])
def test_signature_that_covers_a_page_from_a_field_of_its_own_is_refused(reviewed, ada, box):
    """Whoever has a certificate of the same authority could sign, and paint over the verdict with the signature."""
    assert len(check_pdf(sign_again(reviewed, ada, "Witness"))) == 3
    with pytest.raises(SealError, match="no field for it was prepared"):
        check_pdf(sign_again(reviewed, ada, "Witness", box=box))


def test_visible_signatures_change_no_page(reviewed, prepared):
    reader = PdfFileReader(BytesIO(reviewed))
    page = reader.root["/Pages"]["/Kids"].raw_get(0).reference
    first = PdfFileReader(BytesIO(prepared)).xrefs.total_revisions
    assert all(page not in reader.xrefs.explicit_refs_in_revision(one) for one in range(first, first + 2))
    fields = reader.root["/AcroForm"]["/Fields"]
    shown = [fields[place]["/AP"]["/N"]["/BBox"] for place in range(2)]
    assert all(float(box[2]) > 1 for box in shown)


def test_document_saved_anew_is_no_longer_the_signed_one(reviewed, tmp_path):
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=BytesIO(reviewed))
    output = BytesIO()
    writer.write(output)
    with pytest.raises(SealError):
        assert check_pdf(output.getvalue()) == ()
        raise SealError("without a signature, which the caller refuses")
