"""The checkpoint's own time stamp: openssl verifies it, and no other checkpoint can borrow it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from audit.attestation.history import check_copy, check_whole
from audit.attestation.ledger import disk
from audit.attestation.ledger.store import hold_ledger
from audit.attestation.seal.timestamp import StampServer
from audit.cli.main import run_command
from audit.errors import LedgerError, TryAgain

SEALED = {"SHA256SUMS": b"sums"}
README = Path(__file__).resolve().parents[3] / "README.md"


@pytest.fixture
def stamping(authority, stamp_server):
    """Return a signer whose time stamp server is up."""

    def make(**more):
        return authority.signer(stamps=StampServer(stamp_server.address, **more))

    return make


@pytest.fixture
def stamped(folder, dossier_of, stamping):
    signer = stamping()
    with hold_ledger(folder) as ledger:
        ledger.append(dossier_of(signer), SEALED, signer)
    return folder


def append(folder, dossier_of, signer):
    with hold_ledger(folder) as ledger:
        ledger.append(dossier_of(signer), SEALED, signer)
        return ledger.notes


def test_checkpoint_is_stamped_and_check_says_so(stamped, capsys):
    whole = check_whole(stamped)
    assert whole.stamped is not None
    assert "Stamps" in whole.stamped_by
    assert run_command(["ledger", "check", str(stamped)]) == 0
    assert f"existed on {whole.stamped:%Y-%m-%d %H:%M} UTC, says" in capsys.readouterr().out
    assert run_command(["ledger", "check", str(stamped), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stamp"]["time"] == f"{whole.stamped:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_openssl_verifies_it_by_the_command_of_the_readme(stamped, authority):
    """The authority's own certificate is trusted, not one taken from the stamp."""
    (stamped / "tsa-ca.pem").write_bytes(authority.root.public_bytes(Encoding.PEM))
    (command,) = re.findall(r"^(openssl ts -verify .*checkpoint.*)$", README.read_text("utf-8"), flags=re.MULTILINE)
    said = subprocess.run(["sh", "-e", "-c", command.replace("audit-log/", "")], cwd=stamped, capture_output=True)
    assert said.returncode == 0, said.stderr
    data = (stamped / "checkpoint").read_bytes()
    (stamped / "checkpoint").write_bytes(data.replace(b'"payload":"', b'"payload":"A'))
    said = subprocess.run(["sh", "-e", "-c", command.replace("audit-log/", "")], cwd=stamped, capture_output=True)
    assert said.returncode != 0


def test_stamp_of_an_earlier_checkpoint(stamped, dossier_of, stamping):
    """Who cuts the log off and writes it anew has a checkpoint of today; an older stamp would date it back."""
    earlier = (stamped / "checkpoint.tsr").read_bytes()
    append(stamped, dossier_of, stamping())
    assert check_whole(stamped).stamped is not None
    (stamped / "checkpoint.tsr").write_bytes(earlier)
    with pytest.raises(LedgerError, match="about something else"):
        check_whole(stamped)
    assert run_command(["ledger", "check", str(stamped)]) == 4


def test_stamp_of_another_ledger(stamped, tmp_path, dossier_of, stamping):
    other = tmp_path / "other"
    append(other, dossier_of, stamping())
    shutil.copy(other / "checkpoint.tsr", stamped / "checkpoint.tsr")
    with pytest.raises(LedgerError, match="time stamp of the checkpoint"):
        check_whole(stamped)


def test_stamp_by_somebody_who_is_no_time_stamp_authority(stamped, ada):
    """A signature over the right digest, but by a person's certificate."""
    from audit.attestation.seal.cms import sign_digest
    from audit.attestation.seal.timestamp import reply_around

    digest = hashlib.sha256((stamped / "checkpoint").read_bytes()).digest()
    (stamped / "checkpoint.tsr").write_bytes(reply_around(sign_digest(digest, ada)))
    with pytest.raises(LedgerError, match="not a time stamp"):
        check_whole(stamped)


@pytest.mark.parametrize("data", [b"", b"junk", b"\x30\x03\x02\x01\x01"])
def test_what_is_no_stamp(stamped, data):
    (stamped / "checkpoint.tsr").write_bytes(data)
    with pytest.raises(LedgerError, match="does not hold"):
        check_whole(stamped)


def test_text_beside_the_token_is_refused(stamped):
    """A server's reply may carry texts that nothing covers; what is kept has none."""
    from asn1crypto import tsp

    reply = tsp.TimeStampResp.load((stamped / "checkpoint.tsr").read_bytes())
    reply["status"] = {"status": "granted", "status_string": ["trusted by everybody"]}
    (stamped / "checkpoint.tsr").write_bytes(reply.dump(force=True))
    with pytest.raises(LedgerError, match="was changed"):
        check_whole(stamped)


def test_server_down_leaves_a_note_and_no_stamp(stamped, dossier_of, authority, stamp_server):
    stamp_server.mode = "error"
    signer = authority.signer(stamps=StampServer(stamp_server.address))
    append(stamped, dossier_of, signer)
    assert "no time stamp" in signer.stamps.notes[0]
    assert not (stamped / "checkpoint.tsr").exists()  # the one that was there was another's
    whole = check_whole(stamped)
    assert (len(whole.chain.entries), whole.stamped) == (2, None)


def test_server_down_where_a_stamp_is_required_leaves_the_ledger_as_it_was(stamped, dossier_of, stamping, stamp_server):
    before = {path.name: path.read_bytes() for path in stamped.iterdir()}
    stamp_server.mode = "error"
    with pytest.raises(TryAgain):
        append(stamped, dossier_of, stamping(required=True))
    assert {path.name: path.read_bytes() for path in stamped.iterdir()} == before
    assert check_whole(stamped).stamped is not None


STEPS = ("put_file", "_move", "put_file", "_move", "_remove")
"""What happens on the disk, in order, when one stamped checkpoint takes the place of another."""


@pytest.mark.parametrize("step", range(len(STEPS)))
@pytest.mark.parametrize("after", [False, True])
def test_crash_between_checkpoint_and_stamp_leaves_no_false_pair(
    stamped, dossier_of, stamping, monkeypatch, step, after
):
    """Before or after any step: what lies there is a true pair or no pair, and no stamp is missed that was made."""
    done = []

    def watch(name):
        real = getattr(disk, name)

        def act(*given):
            if len(done) == step and not after:
                raise KeyboardInterrupt
            real(*given)
            done.append(name)
            if len(done) == step + 1 and after:
                raise KeyboardInterrupt

        return act

    with monkeypatch.context() as patch:
        for name in set(STEPS):
            patch.setattr(disk, name, watch(name))
        with pytest.raises(KeyboardInterrupt):
            append(stamped, dossier_of, stamping())
    assert tuple(done) == STEPS[: step + after]
    if (stamped / "checkpoint.tsr").exists():
        assert check_copy(stamped / "checkpoint")[1] is not None
    whole = check_whole(stamped)
    assert len(whole.chain.entries) == 2
    assert whole.stamped is not None
    append(stamped, dossier_of, stamping())
    assert check_whole(stamped).stamped is not None
    assert not list(stamped.glob(".checkpoint*"))


def test_stamp_taken_away_is_missed(stamped, dossier_of, stamping, stamp_server, authority, capsys):
    """Its checkpoint says that there is one; that of a run whose server was down says nothing of the kind."""
    (stamped / "checkpoint.tsr").unlink()
    with pytest.raises(LedgerError, match="time stamp of the checkpoint is missing"):
        check_whole(stamped)
    assert run_command(["ledger", "check", str(stamped)]) == 4
    assert "is missing" in capsys.readouterr().err
    stamp_server.mode = "error"
    append(stamped, dossier_of, authority.signer(stamps=StampServer(stamp_server.address)))
    assert check_whole(stamped).stamped is None


def test_unsigned_checkpoint_of_a_signed_ledger_is_told_of(stamped, monkeypatch, dossier_of, stamping, capsys):
    """Whoever writes the checkpoint anew without a key, to be rid of its stamp, leaves it unsigned."""
    (stamped / "checkpoint").unlink()
    (stamped / "checkpoint.tsr").unlink()
    with hold_ledger(stamped):
        pass
    assert run_command(["ledger", "check", str(stamped)]) == 0
    assert "its checkpoint is unsigned" in capsys.readouterr().out
    append(stamped, dossier_of, stamping())
    assert run_command(["ledger", "check", str(stamped)]) == 0
    assert "unsigned" not in capsys.readouterr().out


def test_junk_that_waits_beside_the_checkpoint_stands_in_for_no_stamp(stamped):
    digest = hashlib.sha256((stamped / "checkpoint").read_bytes()).digest()
    (stamped / "checkpoint.tsr").unlink()
    (stamped / ".checkpoint.tsr.coming").write_bytes(b"junk " + digest)
    with pytest.raises(LedgerError, match="does not hold"):
        check_whole(stamped)
    (stamped / ".checkpoint.tsr.coming").write_bytes(b"junk")
    with pytest.raises(LedgerError, match="missing"):
        check_whole(stamped)


def test_checkpoint_without_stamp_after_one_whose_stamp_could_not_be_written(
    stamped, dossier_of, stamping, stamp_server, monkeypatch
):
    """The stamp that waits belongs to a checkpoint that never came; the next one does not get it."""
    real = disk.put_file

    def full(path, data):
        if path.name == "checkpoint":
            raise TryAgain("no space left")
        real(path, data)

    with hold_ledger(stamped) as ledger:
        with monkeypatch.context() as patch:
            patch.setattr(disk, "put_file", full)
            ledger.append(dossier_of(signer := stamping()), SEALED, signer)
        stamp_server.mode = "error"
        ledger.append(dossier_of(signer := stamping()), SEALED, signer)
    whole = check_whole(stamped)
    assert (len(whole.chain.entries), whole.stamped) == (3, None)


def test_reader_beside_a_writer_never_sees_a_false_pair(stamped, dossier_of, stamping):
    signer, failed = stamping(), []

    def write():
        for _ in range(12):
            append(stamped, dossier_of, signer)

    writer = threading.Thread(target=write)
    writer.start()
    seen = 0
    while writer.is_alive() or seen == 0:
        try:
            check_whole(stamped)
            seen += 1
        except LedgerError as error:
            failed.append(error.what)
    writer.join()
    assert failed == []
    assert len(check_whole(stamped).chain.entries) == 13


def test_copy_kept_elsewhere_with_its_stamp(stamped, tmp_path, dossier_of, stamping, capsys):
    for name in ("checkpoint", "checkpoint.tsr"):
        shutil.copy(stamped / name, tmp_path / name)
    append(stamped, dossier_of, stamping())
    assert check_copy(tmp_path / "checkpoint")[1] is not None
    assert run_command(["ledger", "check", str(stamped), "--checkpoint", str(tmp_path / "checkpoint")]) == 0
    assert re.search(r"saw, which existed on \d{4}", capsys.readouterr().out)
    shutil.copy(stamped / "checkpoint.tsr", tmp_path / "checkpoint.tsr")
    assert run_command(["ledger", "check", str(stamped), "--checkpoint", str(tmp_path / "checkpoint")]) == 4
