"""Sealing a folder: what is in it, that every command of VERIFY.md works, and fails where it must."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess

import pytest

from audit.attestation.seal.check import check_evidence
from audit.attestation.seal.keys import certificates_pem, signer_for
from audit.attestation.seal.sign import (
    SEAL_FILES,
    accept_name,
    list_sums,
    seal_digests,
    seal_evidence,
    sign_folder,
    sign_html,
)
from audit.attestation.seal.statement import PAYLOAD_TYPE, STATEMENT_TYPE
from audit.attestation.seal.timestamp import StampServer
from audit.config.schema import SigningOrder
from audit.errors import ConfigError, SealError, TryAgain

PREVIOUS = "sha256:" + "0" * 64


@pytest.fixture
def seal(dossier_of, page, pdf_maker):
    """Seal a small report; `formats` says which files it has."""

    def make(signer, formats=("html", "pdf"), **more):
        dossier = dossier_of(signer)
        files = {"glassboxes/net.json": b"{}\n", "report.md": b"# Report\n"}
        if "html" in formats:
            files["report.html"] = page
        if "pdf" in formats:
            files["report.pdf"] = pdf_maker(dossier.canonical())
        return sign_folder(files, dossier, signer, PREVIOUS, **more)

    return make


def blocks(guide):
    return re.findall(r"```bash\n(.*?)\n```", guide.decode(), flags=re.DOTALL)


def run_block(block, folder, environment=None, shell=("bash", "-e", "-u", "-o", "pipefail")):
    import os

    env = {"PATH": os.environ["PATH"], **(environment or {})}
    return subprocess.run([*shell, "-c", block], cwd=folder, capture_output=True, env=env)


def test_files_of_a_sealed_report(seal, ada):
    sealed = seal(ada)
    assert set(sealed) == {
        "audit.json", "glassboxes/net.json", "report.md", "report.html", "report.pdf", "attestation.dsse.json",
        "SHA256SUMS", "SHA256SUMS.p7s", "signer.crt", "signer.pub", "VERIFY.md",
    }  # fmt: skip
    assert list(sealed)[-2:] == ["SHA256SUMS", "SHA256SUMS.p7s"]


def test_unsigned_bytes_are_a_prefix(seal, ada, page, pdf_maker, dossier_of):
    sealed = seal(ada)
    assert sealed["report.html"].startswith(page)
    assert sealed["report.pdf"].startswith(pdf_maker(dossier_of(ada).canonical()))
    assert sealed["audit.json"] == dossier_of(ada).canonical()


@pytest.mark.parametrize("who", ["ada", "rsa_signer", "development"])
@pytest.mark.parametrize("formats", [("html", "pdf"), ("html",), ("pdf",), ()])
def test_every_command_of_the_guide_works(who, formats, seal, request, write_folder):
    sealed = seal(request.getfixturevalue(who), formats)
    folder = write_folder(sealed)
    found = blocks(sealed["VERIFY.md"])
    assert len(found) == 4 + len(formats)
    before = sorted(path.name for path in folder.rglob("*"))
    for block in found:
        done = run_block(block, folder)
        assert done.returncode == 0, (block, done.stdout, done.stderr)
    assert sorted(path.name for path in folder.rglob("*")) == before  # the commands leave nothing behind


def test_every_command_works_in_a_plain_shell(seal, ada, write_folder):
    """Readers of Debian have dash as sh, whose printf knows no hexadecimal signs."""
    sealed = seal(ada)
    folder = write_folder(sealed)
    said = [run_block(block, folder, shell=("sh", "-e", "-u")) for block in blocks(sealed["VERIFY.md"])]
    assert [done.returncode for done in said] == [0] * 6, said


def test_commands_with_a_time_stamp(seal, authority, stamp_server, write_folder):
    sealed = seal(authority.signer(stamps=StampServer(stamp_server.address)))
    assert "SHA256SUMS.tsr" in sealed
    assert stamp_server.asked == 3  # PDF, page, list
    folder = write_folder(sealed)
    found = blocks(sealed["VERIFY.md"])
    assert len(found) == 8
    said = [run_block(block, folder) for block in found]
    assert [done.returncode for done in said] == [0] * 8, said
    assert b"Verification: OK" in said[-2].stdout + said[-2].stderr


@pytest.mark.parametrize(
    ("file", "failing"),
    [
        ("audit.json", {0}),
        ("SHA256SUMS", {0, 1}),
        ("SHA256SUMS.p7s", {1}),
        ("signer.pub", {0, 3}),
        ("attestation.dsse.json", {0, 3}),
        ("report.html", {0, 4}),
        ("report.pdf", {0, 5}),
    ],
)
def test_commands_fail_on_a_changed_file(file, failing, seal, ada, write_folder):
    sealed = seal(ada)
    data = bytearray(sealed[file])
    # In a .p7s openssl itself covers no chain certificate; in its last bytes stands the signature value.
    places = {"attestation.dsse.json": data.find(b'"sig":"') + 20, "SHA256SUMS.p7s": len(data) - 5, "report.html": 40}
    place = places.get(file, len(data) // 3)
    data[place] ^= 1
    folder = write_folder({**sealed, file: bytes(data)})
    for number, block in enumerate(blocks(sealed["VERIFY.md"])):
        assert (run_block(block, folder).returncode != 0) == (number in failing), block


def test_commands_fail_for_another_signer_of_the_same_authority(seal, ada, authority, write_folder):
    sealed = seal(ada)
    bob = authority.signer(name="Bob")
    folder = write_folder({**sealed, "signer.crt": certificates_pem((bob.certificate,))})
    said = [run_block(block, folder).returncode for block in blocks(sealed["VERIFY.md"])]
    assert all(said[number] for number in (0, 1, 3, 4, 5))


def test_last_command_asks_for_the_whole_document(seal, ada, write_folder):
    sealed = seal(ada)
    folder = write_folder({**sealed, "report.pdf": sealed["report.pdf"] + b"\n%junk"})
    assert run_block(blocks(sealed["VERIFY.md"])[5], folder).returncode != 0


def test_guide_of_a_development_key_says_so(seal, development):
    guide = seal(development)["VERIFY.md"].decode()
    assert "proves no identity" in guide
    assert development.shown().fingerprint in guide


def test_names_never_enter_a_command(seal, authority):
    signer = authority.signer(name="$(touch /tmp/x)`id`; rm")
    guide = seal(signer)["VERIFY.md"]
    assert all("touch" not in block for block in blocks(guide))
    assert guide.count(b"```bash") == len(blocks(guide))


def test_openssl_trusts_up_to_the_root(seal, ada, authority, write_folder):
    """What VERIFY.md says of an authority: put it in place of signer.crt and leave out -partial_chain."""
    sealed = seal(ada)
    folder = write_folder(sealed)
    (folder / "../root.pem").write_bytes(certificates_pem((authority.root,)))
    command = blocks(sealed["VERIFY.md"])[1].replace("signer.crt", "../root.pem").replace("-partial_chain ", "")
    done = run_block(command, folder)
    assert done.returncode == 0, done.stderr


def test_statement_says_what_was_audited(seal, ada):
    sealed = seal(ada)
    envelope = json.loads(sealed["attestation.dsse.json"])
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert envelope["payloadType"] == PAYLOAD_TYPE
    assert statement["_type"] == STATEMENT_TYPE
    subjects = {item["name"]: item["digest"]["sha256"] for item in statement["subject"]}
    assert len(subjects) == len(statement["subject"])
    assert subjects["input/model/model.pt2"] == "aa" * 32
    assert subjects["input/data.audit/rows.csv"] == "bb" * 32
    assert subjects["input/data.audit/rows.csv#2"] == "cc" * 32
    files = set(sealed) - {"SHA256SUMS", "SHA256SUMS.p7s", "attestation.dsse.json"}
    assert {name for name in subjects if not name.startswith("input/")} == files
    assert all(subjects[name] == hashlib.sha256(sealed[name]).hexdigest() for name in files)
    predicate = statement["predicate"]
    assert predicate["outcome"] == "passed"
    assert predicate["rules"] == [{"rule": "pack/rule", "severity": "high", "limit": "at least 0.80", "status": "pass"}]
    assert predicate["policies"][0]["sha256"] == "sha256:" + "ee" * 32
    assert predicate["previous"] == PREVIOUS
    assert predicate["incomplete"] == ["drift"]
    assert predicate["seed"] == 0
    assert predicate["signer"]["identity"] == "certificate"


def test_statement_of_a_development_key_says_so(seal, development):
    envelope = json.loads(seal(development)["attestation.dsse.json"])
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["predicate"]["signer"]["identity"] == "self-signed-development"


def test_unsigned_folder_says_so(seal, write_folder):
    sealed = seal(None)
    assert not set(sealed) & (set(SEAL_FILES) - {"SHA256SUMS", "VERIFY.md"})
    assert b"**unsigned**" in sealed["VERIFY.md"]
    (block,) = blocks(sealed["VERIFY.md"])
    assert run_block(block, write_folder(sealed)).returncode == 0


def test_server_down_leaves_a_signed_report_and_a_note(seal, authority, stamp_server, write_folder):
    stamp_server.mode = "error"
    signer = authority.signer(stamps=StampServer(stamp_server.address))
    sealed = seal(signer)
    assert "SHA256SUMS.tsr" not in sealed
    assert "no time stamp" in signer.stamps.notes[0]
    folder = write_folder(sealed)
    assert [run_block(block, folder).returncode for block in blocks(sealed["VERIFY.md"])] == [0] * 8


def test_server_down_stops_where_a_signature_is_required(seal, authority, stamp_server):
    stamp_server.mode = "error"
    with pytest.raises(TryAgain):
        seal(authority.signer(stamps=StampServer(stamp_server.address, required=True)))


def test_report_that_names_another_signer_is_refused(ada, eve, dossier_of):
    with pytest.raises(SealError, match="names another signer"):
        sign_folder({}, dossier_of(eve), ada)
    with pytest.raises(SealError, match="names another signer"):
        sign_folder({}, dossier_of(None), ada)
    with pytest.raises(SealError, match="names another signer"):
        sign_folder({}, dossier_of(ada), None)


def test_other_dossier_than_audit_json_is_refused(ada, dossier_of):
    with pytest.raises(SealError, match="not the dossier"):
        sign_folder({"audit.json": b"{}"}, dossier_of(ada), ada)


@pytest.mark.parametrize("name", [*SEAL_FILES, "../x", "/x", "a//b", "a/", ".", "a/../b", "a\nb", "a\\b", "", "a\x1bb"])
def test_names_that_cannot_be_listed_are_refused(name, ada, dossier_of):
    assert name in SEAL_FILES or not accept_name(name)
    with pytest.raises(SealError, match="cannot be called"):
        sign_folder({name: b""}, dossier_of(ada), ada)


@pytest.mark.parametrize("name", ["report.pdf", "glassboxes/ebm_label.json", "a b", "ä.json", ".x", "-x", "a/-b"])
def test_names_that_sha256sum_reads(name, ada, dossier_of, write_folder):
    sealed = sign_folder({name: b"x"} if name != "report.pdf" else {}, dossier_of(ada), ada)
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=write_folder(sealed), capture_output=True
    )
    assert done.returncode == 0, done.stderr


def test_list_is_the_one_sha256sum_writes(tmp_path):
    files = {"b": b"1", "a": b"", "c d": b"\0"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    said = subprocess.run(["sha256sum", *sorted(files)], cwd=tmp_path, capture_output=True, check=True).stdout
    assert list_sums({name: hashlib.sha256(data).hexdigest() for name, data in files.items()}) == said


def test_page_signed_twice_is_refused(ada, page):
    from datetime import UTC, datetime

    once = sign_html(page, ada, moment=datetime.now(UTC))
    with pytest.raises(SealError, match="signed already"):
        sign_html(once, ada, moment=datetime.now(UTC))


def test_digests_for_the_ledger(seal, ada):
    sealed = seal(ada)
    assert seal_digests(sealed).keys() == {"SHA256SUMS", "SHA256SUMS.p7s", "attestation.dsse.json"}
    assert seal_digests(seal(None)).keys() == {"SHA256SUMS"}


def test_evidence_and_its_envelope(ada, eve):
    evidence = b'{"a":1}'
    envelope = seal_evidence(evidence, ada)
    shown = ada.shown()
    assert check_evidence(evidence, envelope) == f"signed by {shown.name} (certificate {shown.fingerprint})"
    assert check_evidence(evidence, None) == "evidence was supplied unsigned"
    with pytest.raises(SealError, match="not the one that was signed"):
        check_evidence(b'{"a":2}', envelope)
    swapped = json.loads(envelope)
    swapped["signatures"][0]["certificate"] = json.loads(seal_evidence(evidence, eve))["signatures"][0]["certificate"]
    with pytest.raises(SealError):
        check_evidence(evidence, json.dumps(swapped, separators=(",", ":"), sort_keys=True).encode())


def test_every_changed_byte_of_the_evidence_envelope_is_noticed(ada):
    envelope = seal_evidence(b"{}", ada)
    for place in range(len(envelope)):
        changed = bytearray(envelope)
        changed[place] ^= 1 << (place % 7)
        with pytest.raises(SealError):
            check_evidence(b"{}", bytes(changed))


def test_attestation_of_a_report_is_none_for_evidence(seal, ada):
    with pytest.raises(SealError):
        check_evidence(b"{}", seal(ada, ())["attestation.dsse.json"])


def test_evidence_of_a_development_key_says_so(development):
    said = check_evidence(b"{}", seal_evidence(b"{}", development))
    assert said.startswith("signed by DEVELOPMENT KEY - not a trusted identity")


def test_no_key_is_no_secret_in_any_file(seal, development):
    for data in seal(development).values():
        assert b"PRIVATE KEY" not in data
    with pytest.raises(ConfigError):
        signer_for(SigningOrder(required=True), interactive=False)


@pytest.fixture
def answering(authority, certify):
    """Somebody whose certificate, and whose time stamp authority's, have a responder: key and certificate."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from revocation_material import make_answer, nonce_of, serve_revocations, with_addresses

    with serve_revocations() as server:
        key, before = ec.generate_private_key(ec.SECP256R1()), authority.stamp
        leaf = with_addresses(
            certify(key, "Lea", issuer=authority.root, issuer_key=authority.root_key),
            authority.root_key,
            responder=f"{server.address}/r",
        )
        authority.stamp = with_addresses(before, authority.root_key, responder=f"{server.address}/t")
        for path, about in (("/r", leaf), ("/t", authority.stamp)):
            server.answers[path] = lambda request, about=about: make_answer(
                about, authority.root, authority.root, authority.root_key, nonce=nonce_of(request)
            )
        yield key, leaf
        authority.stamp = before


@pytest.fixture
def lta_signer(answering, stamp_server, authority):
    """Return a signer with B-LTA within reach; the stamp server runs with the certificate that has a responder."""
    from audit.attestation.seal.keys import KeySigner
    from audit.attestation.seal.revocation_source import RevocationSource

    key, leaf = answering
    stamps = StampServer(stamp_server.address)
    return KeySigner(leaf, (authority.root,), stamps, key, RevocationSource(needed=True, required=True))


@pytest.mark.parametrize("shell", [("bash", "-e", "-u", "-o", "pipefail"), ("sh", "-e", "-u")], ids=["bash", "sh"])
def test_every_command_of_the_guide_works_at_the_highest_level(seal, lta_signer, write_folder, dossier_of, shell):
    """B-LTA: two revisions of the PDF, four time stamps, and the ledger's own; run as printed."""
    from audit.attestation.ledger.store import hold_ledger
    from audit.attestation.verify import verify_report

    sealed = seal(lta_signer)
    folder = write_folder(sealed)
    with hold_ledger(folder.parent / "audit-log") as ledger:
        ledger.append(dossier_of(lta_signer), sealed, lta_signer)
    detail = {check.name: check.detail for check in verify_report(folder).checks}
    assert "B-LTA" in detail["signature of the PDF"]
    found = blocks(sealed["VERIFY.md"])
    elsewhere = {"LEDGER": "../audit-log"}
    said = [run_block(block, folder, elsewhere, shell) for block in found]
    assert [one.returncode for one in said] == [0] * len(found), [one.stderr for one in said]
    stamps = sum(one.stdout.count(b"Verification: OK") + one.stderr.count(b"Verification: OK") for one in said)
    assert stamps == 3  # over the PDF, the list of files, the ledger's checkpoint

    (pdf,) = [block for block in found if "report.pdf" in block]
    (history,) = [block for block in found if "checkpoint" in block]
    data = (folder / "report.pdf").read_bytes()
    for place in (100, len(sealed["report.pdf"]) - 200, sealed["report.pdf"].rindex(b"/DocTimeStamp")):
        (folder / "report.pdf").write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert run_block(pdf, folder, shell=shell).returncode != 0, place
    checkpoint = folder.parent / "audit-log/checkpoint"
    checkpoint.write_bytes(checkpoint.read_bytes() + b" ")
    assert run_block(history, folder, elsewhere, shell).returncode != 0
