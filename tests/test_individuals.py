"""Reasons for single people, from audit.yaml to a folder: outside of the report, bound to it, free to be deleted."""

from __future__ import annotations

import json
import shutil

import pytest
from explain_material import write_linear

from audit.attestation.verify import verify_report
from audit.evidence import Individual

TEXT = (
    "features:\n  income: {mutable: true, reason: Income too low for the amount requested}\n"
    "  debts: {mutable: true}\n  age: {role: prohibited}\n"
    "explain: {rows: [a00001, a00002, a00003, zz0815], reasons: 3}\n"
    "report: {formats: [html]}\nsigning: {key: development}\npolicies: []\n"
)
IDS = ("a00001", "a00002", "a00003")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    from audit.config.load import load_config
    from audit.workflow import run_audit

    folder = tmp_path_factory.mktemp("individuals")
    path = write_linear(folder, TEXT, rows=300)
    return run_audit(load_config(path), out=folder / "report")


@pytest.fixture
def folder(report, tmp_path):
    return shutil.copytree(report.folder, tmp_path / "report")


def test_each_person_has_a_file_and_a_page(folder):
    names = {path.name for path in (folder / "individuals").iterdir()}
    assert names == {f"{row}.{kind}" for row in IDS for kind in ("json", "html")}
    for row in IDS:
        person = Individual.parse((folder / f"individuals/{row}.json").read_bytes())
        page = (folder / f"individuals/{row}.html").read_text()
        assert person.row == row
        assert ("Decided unfavourably" in page) == (person.favourable is False)
        assert all((reason.words or "Debts" in page or "Age" in page) for reason in person.reasons)
        assert "http://" not in page
        assert "https://" not in page
        assert "<script" not in page
    told = "".join((folder / f"individuals/{row}.html").read_text() for row in IDS)
    assert "Income too low for the amount requested" in told


def test_no_row_id_and_no_file_name_is_in_report_dossier_or_seal(folder):
    for path in folder.rglob("*"):
        if path.is_file() and path.parent.name != "individuals":
            data = path.read_bytes()
            assert not [row for row in (*IDS, "zz0815") if row.encode() in data and path.suffix != ".parquet"], path


def test_the_report_counts_them(folder):
    evidence = json.loads((folder / "audit.json").read_bytes())["evidence"]
    assert evidence["decisions"]["named"] == 3
    assert evidence["decisions"]["named_missing"] == 1
    page = (folder / "report.html").read_text()
    assert "3 people were asked for by row id" in page


def test_a_whole_folder_is_intact(folder):
    found = verify_report(folder)
    assert found.word == "INTACT"
    assert next(check.detail for check in found.checks if check.name == "individuals") == "6 files are as written"


def test_one_person_or_all_may_be_deleted(folder):
    for path in (folder / "individuals").glob("a00001.*"):
        path.unlink()
    found = verify_report(folder)
    assert found.word == "INTACT"
    assert "2 were deleted" in next(check.detail for check in found.checks if check.name == "individuals")
    shutil.rmtree(folder / "individuals")
    assert verify_report(folder).word == "INTACT"


@pytest.mark.parametrize("kind", ["json", "html"])
def test_a_changed_file_is_found_and_not_named(folder, kind):
    path = folder / f"individuals/a00002.{kind}"
    path.write_bytes(path.read_bytes().replace(b"score", b"sc0re", 1) + b"\n")
    found = verify_report(folder)
    assert found.word == "TAMPERED"
    assert "a00002" not in str(found.checks)


@pytest.mark.parametrize("place", ["more", "individuals"])
def test_an_added_file_is_found(folder, place):
    (folder / "individuals" / place).mkdir()
    (folder / "individuals" / place / "x.json").write_bytes(b"{}")
    assert verify_report(folder).word == "TAMPERED"


def test_one_persons_file_under_anothers_name_holds_no_lie(folder):
    """The digest binds what is told, and the row id stands inside."""
    (folder / "individuals/a00001.json").rename(folder / "individuals/other.json")
    assert verify_report(folder).word == "INTACT"
    assert Individual.parse((folder / "individuals/other.json").read_bytes()).row == "a00001"


def test_the_halves_apart_write_the_same_and_refuse_a_changed_one(tmp_path, report):
    from audit.config.load import load_config
    from audit.errors import SealError
    from audit.workflow import attest_from_file, examine_to_folder

    config = load_config(write_linear(tmp_path, TEXT, rows=300))
    examine_to_folder(config, tmp_path / "first")
    outcome = attest_from_file(tmp_path / "first/evidence.json", config, out=tmp_path / "second")
    for path in (report.folder / "individuals").iterdir():
        assert path.read_bytes() == (outcome.folder / "individuals" / path.name).read_bytes()
    (tmp_path / "first/individuals/a00001.json").write_bytes(b"{}")
    with pytest.raises(SealError, match="single person"):
        attest_from_file(tmp_path / "first/evidence.json", config, out=tmp_path / "third")
