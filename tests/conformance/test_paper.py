"""The PDF, judged by others: veraPDF, qpdf and poppler; before and after signing, in every edition and language."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from checkers import ask_verapdf, list_fonts, list_qpdf_faults, need_command, run, take_out
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation.dss import DocumentSecurityStore
from revocation_material import validate_offline

from audit.attestation.render.effect_tables import write_effect_tables
from audit.attestation.seal.pdf_check import check_pdf_marks
from audit.attestation.seal.pdf_level import level_of
from audit.evidence import Dossier

FAMILIES = {"Inter", "Inter-Semi-Bold", "JetBrains-Mono"}
CORE = ("real", "german", "summary", "edition", "change", "signed-1", "signed-3", "signed-lt", "signed-lta")
"""One of each kind; all others are checked with the slow tests."""


def papers(specimens):
    return sorted(specimens.glob("*.pdf"))


def test_verapdf_finds_no_fault_as_archive_and_for_blind_readers(specimens):
    """PDF/A-3a (ISO 19005-3) and PDF/UA-1 (ISO 14289-1) at once."""
    made, failed = ask_verapdf([specimens / f"{name}.pdf" for name in CORE])
    assert failed == ""
    assert set(made) == {(f"{name}.pdf", profile) for name in CORE for profile in ("3a", "ua1")}
    assert min(made.values()) > 5000


@pytest.mark.slow
def test_verapdf_finds_no_fault_in_any_specimen(specimens):
    files = papers(specimens)
    made, failed = ask_verapdf(files)
    assert failed == ""
    assert len(made) == 2 * len(files) >= 26


def test_verapdf_sees_a_fault(specimens, tmp_path):
    """The gate itself: without the mark of accessibility and with a foreign version the same file fails."""
    data = (specimens / "summary.pdf").read_bytes()
    assert data.count(b"<pdfuaid:part>1</pdfuaid:part>") == 1
    (tmp_path / "x.pdf").write_bytes(data.replace(b"<pdfuaid:part>1</pdfuaid:part>", b"<pdfuaid:part>7</pdfuaid:part>"))
    _, failed = ask_verapdf([tmp_path / "x.pdf"])
    assert "ua1: 1 of" in failed


def test_qpdf_finds_the_structure_sound(specimens):
    for file in papers(specimens):
        assert list_qpdf_faults(file) == [], file.name


def test_qpdf_sees_a_stream_that_ends_early(specimens, tmp_path):
    """The gate itself: the last stream cut short, at equal length, is a fault and no chance alignment."""
    data = (specimens / "summary.pdf").read_bytes()
    end = data.rindex(b"\nendstream")
    (tmp_path / "x.pdf").write_bytes(data[: end - 40] + bytes(40) + data[end:])
    assert list_qpdf_faults(tmp_path / "x.pdf") != []


def test_only_our_fonts_all_embedded_as_subsets_with_unicode(specimens):
    for file in papers(specimens):
        fonts = list_fonts(file)
        assert {name for name, *_ in fonts} == FAMILIES, file.name
        assert all(embedded and subset and unicode for _, embedded, subset, unicode in fonts), file.name


def test_what_is_embedded_is_the_dossier_its_policies_and_its_effect_tables(specimens, tmp_path):
    for file in papers(specimens):
        whole = (specimens / f"{file.stem}.json").read_bytes()
        dossier = Dossier.parse(whole)
        expected = {"audit.json": whole, **write_effect_tables(dossier)}
        expected |= {f"{p.pack}.policy.txt": p.text.encode() for p in dossier.judgement.policies}
        assert take_out(file, tmp_path / file.stem) == expected, file.name
        assert "effects.csv" in expected


def test_every_embedded_file_is_associated_and_says_how(specimens):
    from pypdf import PdfReader

    wanted = {"json": "/Data", "csv": "/Data", "txt": "/Source"}
    for file in papers(specimens):
        shown = [item.get_object() for item in PdfReader(file).trailer["/Root"]["/AF"]]
        assert len({item["/UF"] for item in shown}) == len(shown) >= 3
        for item in shown:
            assert item["/AFRelationship"] == wanted[item["/UF"].rpartition(".")[2]]
            assert item["/Desc"]
            assert item["/EF"]["/F"].get_object()["/Subtype"] in ("/application/json", "/text/csv", "/text/plain")


def test_title_language_bookmarks_and_dates(specimens):
    from pypdf import PdfReader

    for file in papers(specimens):
        dossier = Dossier.parse((specimens / f"{file.stem}.json").read_bytes())
        reader = PdfReader(file)
        root = reader.trailer["/Root"]
        assert root["/Lang"] == dossier.presentation.language
        assert root["/ViewerPreferences"]["/DisplayDocTitle"] is True or root["/ViewerPreferences"]["/DisplayDocTitle"]
        assert root["/MarkInfo"]["/Marked"]
        assert reader.metadata["/Title"]
        assert reader.metadata["/CreationDate"].startswith("D:" + re.sub(r"\D", "", dossier.presentation.created))
        titles = [item.title for item in reader.outline if not isinstance(item, list)]
        assert len(titles) >= 3, file.name
        assert all(title.strip() for title in titles)


def test_a_signed_paper_begins_with_the_bytes_of_the_one_before(specimens):
    before = (specimens / "unsigned.pdf").read_bytes()
    for number in (1, 2, 3):
        after = (specimens / f"signed-{number}.pdf").read_bytes()
        assert after.startswith(before)
        assert len(after) > len(before) + 5000
        before = after
    told = run(need_command("pdfsig"), specimens / "signed-3.pdf", accept=(0, 1, 2))
    assert len(re.findall(r"Signature is Valid", told)) == 3


@pytest.mark.parametrize(("name", "level", "stamps"), [("signed-lt", "B-LT", 0), ("signed-lta", "B-LTA", 1)])
def test_others_say_the_level_too(specimens, name, level, stamps):
    """PyHanko validates with the file and the root alone: for the long term both, as an archive the second alone.

    ETSI EN 319 142-1, table 1: B-LT has a signature time stamp and validation data, B-LTA a document time stamp over
    them as well.
    """
    data = (specimens / f"{name}.pdf").read_bytes()
    root = x509.load_pem_x509_certificate((specimens / "long-term.pem").read_bytes())
    found = validate_offline(data, (root,), archived=False)
    assert found.ades_subindic is AdESPassed.OK, found.failure_msg
    archive = validate_offline(data, (root,))
    assert (archive.ades_subindic is AdESPassed.OK) == bool(stamps), archive.failure_msg
    reader = PdfFileReader(BytesIO(data))
    store = DocumentSecurityStore.read_dss(reader)
    assert (len(store.ocsps), len(store.crls), len(store.vri_entries)) == (1, 1, stamps)
    assert len(reader.embedded_timestamp_signatures) == stamps
    assert level_of(data, check_pdf_marks(data)) == level


def test_without_its_validation_data_it_is_of_no_long_term(specimens):
    """The gate itself: the same file is not validated where what it brings along is not looked at."""
    data = (specimens / "signed-lt.pdf").read_bytes()
    root = x509.load_pem_x509_certificate((specimens / "long-term.pem").read_bytes())
    found = validate_offline(data, (root,), archived=False, heeded=False)
    assert found.ades_subindic is not AdESPassed.OK
