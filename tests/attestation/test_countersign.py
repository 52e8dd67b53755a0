"""People sign a finished report: each seal holds, those before it too, and nothing can be taken back unseen."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from audit.attestation import countersign
from audit.attestation.countersign import SigningStated, countersign_report
from audit.attestation.ledger.store import hold_ledger, read_ledger
from audit.attestation.render.stamp import render_stamp
from audit.attestation.seal.keys import certificates_pem, show_certificate
from audit.attestation.seal.sign import digest_files, list_sums, sign_folder
from audit.attestation.verify import verify_report
from audit.config.schema import SigningOrder
from audit.errors import ConfigError, LedgerError, SealError
from audit.evidence import digest_bytes

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def people(authority, tmp_path):
    """Ada prepares, Rex reviews, Cara approves: each with a key file."""
    found = {}
    for name in ("Ada", "Rex", "Cara"):
        signer = authority.signer(name=name)
        path = tmp_path / f"{name}.pem"
        path.write_bytes(private_pem(signer) + certificates_pem((signer.certificate, *signer.chain)))
        found[name] = (signer, SigningOrder(key=f"file:{path}"))
    return found


def private_pem(signer):
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def make_folder(dossier_of, page, pdf_maker, write_folder, tmp_path):
    """A sealed report folder, recorded in a ledger."""

    def make(signer, *, pdf=True):
        dossier = dossier_of(signer)
        files = {"glassboxes/net.json": b"{}\n", "report.html": page}
        if pdf:
            files["report.pdf"] = pdf_maker(dossier.canonical())
        sealed = sign_folder(files, dossier, signer)
        with hold_ledger(tmp_path / "log") as ledger:
            ledger.append(dossier, sealed, signer)
        return write_folder(sealed)

    return make


@pytest.fixture
def folder(make_folder, people):
    return make_folder(people["Ada"][0])


def review(folder, people, **more):
    wish = SigningStated("reviewer", "conditions", "Rex Reviewer", "Only for pilots.")
    return countersign_report(folder, wish, people["Rex"][1], moment=NOW, **more)


def approve(folder, people, **more):
    return countersign_report(folder, SigningStated("approver", "approve"), people["Cara"][1], moment=NOW, **more)


def test_the_visible_signature_is_in_the_language_of_the_report(folder, people, monkeypatch):
    asked, sign = [], countersign.countersign_folder

    def listen(*given, stamp, **more):
        asked.append((stamp.func, stamp.keywords))
        return sign(*given, stamp=stamp, **more)

    monkeypatch.setattr(countersign, "countersign_folder", listen)
    review(folder, people)
    assert asked == [(render_stamp, {"language": "en"})]
    assert countersign._language_of(b'{"presentation": {"language": "de"}}') == "de"
    assert countersign._language_of(b'{"presentation": {}}') == "en"  # a report older than languages


def bad(found):
    return [check.name for check in found.checks if not check.ok]


@pytest.mark.parametrize("pdf", [True, False])
def test_three_people(make_folder, people, tmp_path, authority, pdf):
    folder = make_folder(people["Ada"][0], pdf=pdf)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    review(folder, people)
    approve(folder, people)
    (tmp_path / "root.pem").write_bytes(certificates_pem((authority.root,)))
    found = verify_report(folder, trust=tmp_path / "root.pem")
    assert (found.word, found.trust, found.exit_code) == ("INTACT", "TRUSTED", 0), bad(found)
    assert [(one.role, one.decision, one.name) for one in found.signatures] == [
        ("preparer", None, "Ada, Example Bank"), ("reviewer", "conditions", "Rex Reviewer"),
        ("approver", "approve", "Cara, Example Bank"),
    ]  # fmt: skip
    assert found.signatures[1].note == "Only for pilots."
    assert found.facts["seal.approvals"] == ("approver",)
    for path, data in before.items():  # nothing that was sealed is lost
        name = path.relative_to(folder).as_posix()
        kept = folder / "seals/1" / name
        now = kept if kept.is_file() else path
        assert now.read_bytes().startswith(data)
        assert name == "report.pdf" or now.read_bytes() == data


def test_statement_names_the_one_before(folder, people):
    import base64
    import hashlib

    before = (folder / "attestation.dsse.json").read_bytes()
    review(folder, people)
    envelope = json.loads((folder / "attestation.dsse.json").read_text())
    predicate = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    assert predicate["previous"] == "sha256:" + hashlib.sha256(before).hexdigest()
    assert predicate["signature"]["decision"] == "conditions"
    assert predicate["outcome"] == "passed"  # a policy engine still finds the verdict there


def test_every_command_of_the_guide_works_for_each_person(folder, people):
    review(folder, people)
    approve(folder, people)
    blocks = re.findall(r"```bash\n(.*?)\n```", (folder / "VERIFY.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 8  # list, its signature, who, attestation, page, PDF, and two earlier seals
    for block in blocks:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=folder, capture_output=True, env={"PATH": os.environ["PATH"]}
        )
        assert done.returncode == 0, (block, done.stderr)


@pytest.mark.parametrize("step", ["reviewer", "approver"])
def test_nobody_signs_twice_in_a_role(folder, people, step):
    review(folder, people)
    approve(folder, people)
    with pytest.raises(ConfigError, match="signed already"):
        countersign_report(folder, SigningStated(step, "approve"), people["Rex"][1], moment=NOW)


def test_who_prepared_cannot_approve(folder, people):
    with pytest.raises(ConfigError, match="cannot approve"):
        countersign_report(folder, SigningStated("approver", "approve"), people["Ada"][1], moment=NOW)


def test_approval_by_the_preparers_key_is_seen(folder, people, monkeypatch):
    """Made with another program, or with this one changed."""
    monkeypatch.setattr(countersign, "_check_person", lambda *_: None)
    countersign_report(folder, SigningStated("approver", "approve"), people["Ada"][1], moment=NOW)
    found = verify_report(folder)
    assert (found.word, found.exit_code, bad(found)) == ("INTACT", 4, ["roles"])


@pytest.mark.parametrize(
    "wish",
    [SigningStated("reviewer"), SigningStated("reviewer", "conditions"), SigningStated("preparer"),
     SigningStated("reviewer", "approve", "", "x" * 20_000)],
)  # fmt: skip
def test_wishes_that_are_refused(folder, people, wish):
    before = sorted(path.name for path in folder.parent.iterdir())
    with pytest.raises(ConfigError):
        countersign_report(folder, wish, people["Rex"][1], moment=NOW)
    assert sorted(path.name for path in folder.parent.iterdir()) == before


def test_tampered_report_is_not_signed(folder, people):
    (folder / "glassboxes/net.json").write_bytes(b"{ }\n")
    with pytest.raises(SealError, match="not what was sealed"):
        review(folder, people)


def test_unsigned_report_waits_for_its_preparer(make_folder, people):
    folder = make_folder(None)
    with pytest.raises(ConfigError, match="sign as preparer first"):
        review(folder, people)
    countersign_report(folder, SigningStated("preparer"), people["Ada"][1], moment=NOW)
    review(folder, people)
    found = verify_report(folder)
    assert (found.word, [one.role for one in found.signatures]) == ("INTACT", ["preparer", "reviewer"]), bad(found)


def relist(folder):
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    kept = {name: data for name, data in files.items() if not name.startswith("SHA256SUMS")}
    (folder / "SHA256SUMS").write_bytes(list_sums(digest_files(kept)))


@pytest.mark.parametrize("name", ["SHA256SUMS", "SHA256SUMS.p7s", "attestation.dsse.json", "signer.crt", "VERIFY.md"])
def test_earlier_seals_cannot_be_changed_dropped_or_swapped(folder, people, name):
    review(folder, people)
    approve(folder, people)
    whole = (folder / "seals/1" / name).read_bytes()
    for other in (whole[:-1], whole + b"\n", (folder / name).read_bytes(), None):
        if other is None:
            (folder / "seals/1" / name).unlink()
        else:
            (folder / "seals/1" / name).write_bytes(other)
        assert verify_report(folder).word == "TAMPERED", (name, other and other[-20:])
        (folder / "seals/1" / name).write_bytes(whole)
    assert verify_report(folder).word == "INTACT"


def test_a_review_cannot_be_cut_out(folder, people, tmp_path):
    """Rex' seal is taken away, and the approver's made to follow the preparer's."""
    review(folder, people)
    approve(folder, people)
    shutil.rmtree(folder / "seals/2")
    relist(folder)
    assert verify_report(folder).word == "TAMPERED"


def test_rolled_back_signature_shows_in_the_ledger(folder, people, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    log = tmp_path / "log"
    wish = SigningStated("reviewer", "reject", "", "The label is biased.")
    countersign_report(folder, wish, people["Rex"][1], moment=NOW, ledger=log)
    entry = read_ledger(log)[0].entries[-1]
    assert (entry.kind, entry.refers_to) == ("signature", 0)
    assert entry.reason.startswith("reviewer: reject: The label is biased.")
    assert verify_report(folder, ledger=log).exit_code == 0
    assert verify_report(tmp_path / "copy").exit_code == 0  # by itself it is intact
    found = verify_report(tmp_path / "copy", ledger=log)
    assert (found.word, found.exit_code, bad(found)) == ("INTACT", 4, ["history"])
    assert "signed since" in found.later[0]


def test_rejection_is_not_lost_when_another_copy_is_approved(folder, people, tmp_path):
    """Whoever approves the copy that the reviewer never saw has a report that is intact, and says nothing of him."""
    shutil.copytree(folder, tmp_path / "copy")
    log, wish = tmp_path / "log", SigningStated("reviewer", "reject", "", "The label is biased.")
    countersign_report(folder, wish, people["Rex"][1], moment=NOW, ledger=log)
    with pytest.raises(LedgerError, match=r"lacks a signature .*entry 1, reviewer: reject"):
        approve(tmp_path / "copy", people, ledger=log)
    assert len(verify_report(tmp_path / "copy").signatures) == 1
    approve(folder, people, ledger=log)
    assert verify_report(folder, ledger=log).exit_code == 0  # who has all signatures lacks none

    # made with a ledger that was not asked, and recorded by hand: the reader's question tells all the same
    approve(tmp_path / "copy", people)
    with hold_ledger(log) as ledger:
        seal = {"SHA256SUMS": digest_bytes((tmp_path / "copy/SHA256SUMS").read_bytes())}
        ledger.record("signature", 0, "approver: approve", time="2026-03-02T09:00:00Z", seal=seal)
    found = verify_report(tmp_path / "copy", ledger=log)
    assert (found.word, found.exit_code, bad(found)) == ("INTACT", 4, ["history"])
    assert "reviewer: reject: The label is biased." in found.later[0]


def test_withdrawn_report_is_not_signed(folder, people, tmp_path):
    with hold_ledger(tmp_path / "log") as ledger:
        ledger.record("withdrawal", 0, "wrong data", time="2026-05-01T12:00:00Z")
    with pytest.raises(LedgerError, match="was withdrawn"):
        review(folder, people, ledger=tmp_path / "log")
    assert len(verify_report(folder).signatures) == 1


def test_last_line_says_who_rejected(folder, people, run_cli):
    countersign_report(folder, SigningStated("reviewer", "reject", "", "No."), people["Rex"][1], moment=NOW)
    code, out, _ = run_cli("verify", folder)
    assert code == 0  # it is what was sealed, the rejection too
    assert out.splitlines()[-1].endswith("; the reviewer REJECTED the report")


def test_withdrawn_and_superseded_reports(folder, people, tmp_path, dossier_of):
    log, ada = tmp_path / "log", people["Ada"][0]
    later = dossier_of(ada, created="2026-04-01T12:00:00Z", outcome="failed")
    with hold_ledger(log) as ledger:
        ledger.append(later, sign_folder({}, later, ada), ada)
    found = verify_report(folder, ledger=log)
    assert (found.exit_code, found.later) == (0, ("superseded by a later audit: entry 1 of 2026-04-01, failed",))
    with hold_ledger(log) as ledger:
        ledger.record("withdrawal", 0, "wrong data", time="2026-05-01T12:00:00Z", signer=ada)
    found = verify_report(folder, ledger=log)
    assert found.exit_code == 4
    assert found.later[0].startswith("withdrawn: entry 2")


def test_ledger_that_does_not_know_the_report(folder, people, tmp_path):
    with hold_ledger(tmp_path / "other"):
        pass
    with pytest.raises(LedgerError):
        review(folder, people, ledger=tmp_path / "other")
    assert verify_report(folder).word == "INTACT"
    assert len(verify_report(folder).signatures) == 1


def test_ledger_that_fails_takes_the_signature_back(folder, people, tmp_path, monkeypatch):
    from audit.attestation.ledger.store import Ledger

    def fail(*_, **__):
        raise OSError("no space")

    before = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    monkeypatch.setattr(Ledger, "record", fail)
    with pytest.raises(OSError, match="no space"):
        review(folder, people, ledger=tmp_path / "log")
    assert {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".report")]


@pytest.mark.parametrize("moment", ["countersign_folder", "_write_beside", "exchange_folders"])
def test_a_crash_leaves_the_old_report(folder, people, monkeypatch, moment):
    def crash(*_, **__):
        raise KeyboardInterrupt

    before = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    monkeypatch.setattr(countersign, moment, crash)
    with pytest.raises(KeyboardInterrupt):
        review(folder, people)
    assert {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".report")]


def test_files_about_single_people_stay(make_folder, people, dossier_of):
    folder = make_folder(people["Ada"][0])
    (folder / "individuals").mkdir()
    review(folder, people)
    assert (folder / "individuals").is_dir()


def write_book(path, people, **more):
    def digits(name):
        from cryptography.hazmat.primitives import hashes

        return people[name][0].certificate.fingerprint(hashes.SHA256()).hex()

    book = {
        "schema": "signers/1",
        "signers": [
            {"name": "Ada", "roles": ["preparer", "approver"], "certificate": digits("Ada")},
            {"name": "Rex", "roles": ["reviewer"], "certificate": digits("Rex")},
            {"name": "Cara", "roles": ["approver"], "subject": "O=Example Bank,CN=Cara"},
        ],
        **more,
    }
    path.write_text(json.dumps(book))
    return path


def test_signers_yaml(folder, people, tmp_path, authority):
    book = write_book(tmp_path / "signers.yaml", people, required=["approver"])
    review(folder, people, signers=book)
    found = verify_report(folder, signers=book)
    assert found.exit_code == 4
    assert "approver's signature is required" in found.checks[-1].detail
    approve(folder, people, signers=book)
    (tmp_path / "root.pem").write_bytes(certificates_pem((authority.root,)))
    assert verify_report(folder, signers=book, trust=tmp_path / "root.pem").exit_code == 0
    found = verify_report(folder, signers=book)  # a subject alone proves nothing
    assert (found.word, bad(found)) == ("INTACT", ["signers.yaml"])


@pytest.mark.parametrize("subject", ["O=Example Bank,CN=Cara", "CN=Cara,O=Example Bank"])
def test_signers_yaml_reads_a_subject_in_both_orders(folder, people, tmp_path, authority, subject):
    """RFC 4514 writes the last part first, openssl and the windows of browsers the first one."""
    book = json.loads(write_book(tmp_path / "signers.yaml", people).read_text())
    book["signers"][2]["subject"] = subject
    (tmp_path / "signers.yaml").write_text(json.dumps(book))
    (tmp_path / "root.pem").write_bytes(certificates_pem((authority.root,)))
    approve(folder, people, signers=tmp_path / "signers.yaml")
    assert verify_report(folder, signers=tmp_path / "signers.yaml", trust=tmp_path / "root.pem").exit_code == 0


def test_signer_whom_signers_yaml_does_not_name_is_told_with_what_to_write(folder, people, tmp_path, run_cli):
    book = json.loads(write_book(tmp_path / "signers.yaml", people).read_text())
    mine = people["Ada"][0].certificate
    book["signers"] = book["signers"][1:]
    (tmp_path / "signers.yaml").write_text(json.dumps(book))
    code, out, _ = run_cli("verify", folder, "--signers", tmp_path / "signers.yaml")
    assert code == 4
    assert mine.subject.rfc4514_string() in out
    assert show_certificate(mine).fingerprint in out
    assert "BUT NOT IN ORDER, see above: signers.yaml" in out.splitlines()[-1]


def test_signers_yaml_binds_roles(folder, people, tmp_path):
    book = write_book(tmp_path / "signers.yaml", people)
    with pytest.raises(ConfigError, match="Rex may not sign as approver"):
        countersign_report(folder, SigningStated("approver", "approve"), people["Rex"][1], moment=NOW, signers=book)
    countersign_report(folder, SigningStated("approver", "approve"), people["Rex"][1], moment=NOW)
    assert "signers.yaml" in bad(verify_report(folder, signers=book))


def test_one_person_with_two_certificates_cannot_prepare_and_approve(folder, people, tmp_path, authority):
    from cryptography.hazmat.primitives import hashes

    book = json.loads(write_book(tmp_path / "signers.yaml", people).read_text())
    digits = people["Cara"][0].certificate.fingerprint(hashes.SHA256()).hex()
    book["signers"][2] = {"name": "Ada", "roles": ["approver"], "certificate": digits}
    (tmp_path / "signers.yaml").write_text(json.dumps(book))
    with pytest.raises(ConfigError, match="Ada prepared"):
        approve(folder, people, signers=tmp_path / "signers.yaml")
    approve(folder, people)
    found = verify_report(folder, signers=tmp_path / "signers.yaml")
    assert bad(found) == ["signers.yaml"]


def test_rejection_by_a_required_role(folder, people, tmp_path):
    book = write_book(tmp_path / "signers.yaml", people, required=["reviewer"])
    countersign_report(folder, SigningStated("reviewer", "reject", "", "no"), people["Rex"][1], moment=NOW)
    found = verify_report(folder, signers=book)
    assert found.exit_code == 4
    assert "rejected" in found.checks[-1].detail


@pytest.mark.parametrize(
    "text",
    ["", "schema: signers/2\nsigners: []", "schema: signers/1\nsigners: [{name: A, roles: [boss], subject: x}]",
     "schema: signers/1\nsigners: [{name: A, roles: [approver], certificate: 'AA'}]",
     "schema: signers/1\nsigners: [{name: A, roles: [approver]}]", "schema: signers/1\nsigners: [{nme: A}]"],
)  # fmt: skip
def test_signers_files_that_are_none(folder, tmp_path, text):
    (tmp_path / "signers.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        verify_report(folder, signers=tmp_path / "signers.yaml")
    assert "signers.yaml:" in str(caught.value)


def test_newer_dossier_is_called_newer(make_folder, people, monkeypatch, folder):
    """Sealed by a later version: not tampered with, and not to be read here."""
    from audit.attestation.seal import folder_check
    from audit.errors import EvidenceError

    monkeypatch.setattr(folder_check, "_KNOWN_SCHEMA", 0)
    with pytest.raises(EvidenceError, match="later version"):
        verify_report(folder)
    text = (folder / "audit.json").read_bytes()
    (folder / "audit.json").write_bytes(text.replace(b"dossier/1", b"dossier/9"))
    assert verify_report(folder).word == "TAMPERED"  # not as listed: that comes first


def test_command(run_cli, folder, people, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "why.txt").write_text("Recheck in June.")
    arguments = ("sign", folder, "--role", "reviewer", "--decision", "conditions", "--note", "why.txt")
    code, said, told = run_cli(*arguments, "--key", f"file:{tmp_path / 'Rex.pem'}", "--ledger", tmp_path / "log")
    assert (code, told) == (0, "")
    assert said.startswith("INTACT: signed as reviewer: conditions, by Rex")
    assert verify_report(folder).signatures[1].note == "Recheck in June."
    code, said, told = run_cli(*arguments, "--key", f"file:{tmp_path / 'Rex.pem'}")
    assert code == 2
    assert run_cli("sign", folder, "--role", "approver", "--decision", "approve", "--password", "geheim123")[0] == 2
    shown = run_cli("verify", folder, "--json")[1]
    assert json.loads(shown)["signatures"][1]["decision"] == "conditions"


def test_pdf_fields_and_certification(folder, people, authority):
    """pyHanko's own full comparison of revisions, which is too slow for reports, agrees on a small one."""
    from io import BytesIO

    from asn1crypto import x509 as asn1_x509
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    from audit.attestation.seal.cms import certificate_bytes

    review(folder, people)
    approve(folder, people)
    root = asn1_x509.Certificate.load(certificate_bytes(authority.root))
    reader = PdfFileReader(BytesIO((folder / "report.pdf").read_bytes()))
    found = reader.embedded_signatures
    assert [one.field_name for one in found] == ["Preparer", "Reviewer", "Approver"]
    context = ValidationContext(trust_roots=[root], allow_fetching=False)
    assert all(validate_pdf_signature(one, signer_validation_context=context).bottom_line for one in found)
