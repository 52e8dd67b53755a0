"""The ledger: a chain that shows every change, an append that survives a crash, one writer at a time."""

from __future__ import annotations

import base64
import errno
import json
import multiprocessing
import os
import signal
import stat
import tempfile
import time

import pytest

from audit.attestation.ledger import disk
from audit.attestation.ledger.chain import check_signatures, read_chain
from audit.attestation.ledger.checkpoint import CHECKPOINT_TYPE
from audit.attestation.ledger.entry import ENTRY_TYPE, Entry, read_checkpoint, read_entry, write_line
from audit.attestation.ledger.store import Ledger, hold_ledger, read_ledger
from audit.attestation.seal.envelope import open_envelope
from audit.attestation.seal.keys import show_certificate
from audit.config.schema import LedgerOrder
from audit.errors import AuditError, ConfigError, LedgerError, TryAgain
from audit.evidence import Verdict
from audit.evidence.base import canonical_bytes, digest_bytes

SEALED = {"SHA256SUMS": b"sums", "SHA256SUMS.p7s": b"signature", "report.html": b"page"}


def open_signed(envelope):
    return show_certificate(open_envelope(envelope).certificate)


def check(folder):
    chain, checkpoint = read_ledger(folder)
    return chain, check_signatures(chain, checkpoint, open_signed)


def lines_of(folder):
    return (folder / "log.jsonl").read_bytes().splitlines(keepends=True)


def test_entries_come_back(filled, ada, dossier_of):
    chain, signers = check(filled)
    assert [entry.kind for entry in chain.entries] == ["audit", "audit", "audit", "withdrawal"]
    assert [entry.index for entry in chain.entries] == [0, 1, 2, 3]
    name = "Ada Auditor, Example Bank"
    assert signers == (name, "", name, name)
    first = chain.entries[0]
    assert first.dossier_digest == dossier_of(ada).digest()
    assert first.seal == {"SHA256SUMS": digest_bytes(b"sums"), "SHA256SUMS.p7s": digest_bytes(b"signature")}
    assert (first.system, first.version, first.outcome, first.counts) == ("loans", "2.3", "passed", {"pass": 1})
    assert first.model == ("sha256:" + "aa" * 32,)
    assert first.time == "2026-03-01T12:00:00Z"
    assert first.signer == ada.shown().fingerprint


def test_each_line_is_bound_to_the_one_before(filled):
    lines = lines_of(filled)
    entries = [read_entry(line.rstrip(b"\n")) for line in lines]
    assert entries[0].previous is None
    for before, entry in zip(lines, entries[1:], strict=False):
        assert entry.previous == digest_bytes(before.rstrip(b"\n"))
    assert read_ledger(filled)[0].head == digest_bytes(lines[-1].rstrip(b"\n"))


def test_checkpoint_says_how_long_the_log_is(filled):
    checkpoint = read_checkpoint((filled / "checkpoint").read_bytes())
    assert (checkpoint.entries, checkpoint.head) == (4, read_ledger(filled)[0].head)


def test_head_moves_with_each_entry(folder, dossier_of, ada):
    with hold_ledger(LedgerOrder(path=str(folder))) as ledger:
        assert ledger.head is None
        assert ledger.entries() == ()
        ledger.append(dossier_of(ada), SEALED, ada)
        first = ledger.head
        ledger.append(dossier_of(ada), SEALED, ada)
        assert ledger.head not in (None, first)
        assert ledger.head == read_ledger(folder)[0].head


def test_previous_report_of_a_system(filled, ada, dossier_of):
    with hold_ledger(filled) as ledger:
        assert ledger.previous_of("loans") == dossier_of(ada).digest()  # the later one was withdrawn
        assert ledger.previous_of("cards") == dossier_of(ada, system="cards", model="ff").digest()
        assert ledger.previous_of("unknown") is None


def test_earlier_audits_of_the_same_model_and_data(filled, dossier_of):
    with hold_ledger(filled) as ledger:
        assert ledger.tell_earlier(dossier_of().evidence) == (
            "2026-03-01: passed (1 pass), ledger entry 0",
            "2026-03-02: failed (1 pass), ledger entry 1; withdrawal in entry 3",
        )
        assert ledger.tell_earlier(dossier_of(data="01").evidence) == ()


@pytest.mark.parametrize(
    ("kind", "refers_to", "reason"),
    [
        ("withdrawal", 9, "x"),
        ("withdrawal", -1, "x"),
        ("withdrawal", 3, "x"),
        ("correction", 0, " "),
        ("audit", 0, "x"),
    ],
)
def test_records_that_are_refused(filled, kind, refers_to, reason):
    before = lines_of(filled)
    with hold_ledger(filled) as ledger, pytest.raises(ConfigError):
        ledger.record(kind, refers_to, reason, time="2026-03-03T12:00:00Z")
    assert lines_of(filled) == before


@pytest.mark.parametrize("kind", ["signature", "correction", "withdrawal", "removal"])
def test_every_kind_of_record(filled, kind):
    with hold_ledger(filled) as ledger:
        entry = ledger.record(kind, 0, "why", time="2026-03-03T12:00:00Z")
    assert read_ledger(filled)[0].entries[-1] == entry
    assert (entry.kind, entry.refers_to, entry.reason) == (kind, 0, "why")


def test_every_changed_byte_is_noticed(filled):
    log = (filled / "log.jsonl").read_bytes()
    for place in range(0, len(log), 5):
        changed = bytearray(log)
        changed[place] ^= 1 << (place % 7)
        (filled / "log.jsonl").write_bytes(changed)
        with pytest.raises(LedgerError):
            check(filled)


def test_every_changed_byte_of_the_checkpoint_is_noticed(filled):
    data = (filled / "checkpoint").read_bytes()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 7)
        (filled / "checkpoint").write_bytes(changed)
        with pytest.raises(LedgerError):
            check(filled)


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[1:],
        lambda lines: lines[:-1],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[0], *lines],
        lambda lines: [],
        lambda lines: [*lines, b"\n"],
        lambda lines: [*lines, b"{}\n"],
        lambda lines: [line.replace(b"\n", b"\r\n") for line in lines],
    ],
    ids=["first", "last", "middle", "swapped", "again", "before", "all", "blank", "junk", "crlf"],
)
def test_lines_dropped_added_or_moved(filled, change, dossier_of):
    (filled / "log.jsonl").write_bytes(b"".join(change(lines_of(filled))))
    with pytest.raises(LedgerError) as caught:
        check(filled)
    assert caught.value.exit_code == 4
    with pytest.raises(LedgerError), hold_ledger(filled) as ledger:  # nothing is added to a broken chain either
        ledger.append(dossier_of(), SEALED)


def test_checkpoint_taken_away(filled):
    (filled / "checkpoint").unlink()
    with pytest.raises(LedgerError, match="checkpoint is missing"):
        read_ledger(filled)


def test_end_and_checkpoint_taken_away_together(filled):
    (filled / "log.jsonl").write_bytes(b"".join(lines_of(filled)[:2]))
    (filled / "checkpoint").unlink()
    with pytest.raises(LedgerError):
        read_ledger(filled)


def test_chain_rewritten_without_signatures_names_no_signer(filled):
    """Who rewrites all of it cannot sign it: the entries say that nobody did."""
    previous, lines = None, []
    for line in lines_of(filled):
        entry = read_entry(line.rstrip(b"\n")).model_copy(update={"previous": previous, "outcome": "passed"})
        lines.append(write_line(ENTRY_TYPE, entry, None))
        previous = digest_bytes(lines[-1])
    (filled / "log.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    with pytest.raises(LedgerError, match="another log"):
        check(filled)


def test_signature_taken_off_is_noticed(filled):
    lines = lines_of(filled)
    value = json.loads(lines[-1])
    value["signatures"] = []
    lines[-1] = json.dumps(value, separators=(",", ":"), sort_keys=True).encode() + b"\n"
    (filled / "log.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(LedgerError, match="not in the form"):
        check(filled)


def test_signature_of_somebody_else_is_noticed(folder, dossier_of, ada, eve):
    class Impostor:
        stamps = None

        def shown(self):
            return ada.shown()

        def envelop(self, payload_type, payload):
            return eve.envelop(payload_type, payload)

    with hold_ledger(folder) as ledger:
        ledger.append(dossier_of(ada), SEALED, Impostor())
    with pytest.raises(LedgerError, match="another than the one whom it names"):
        check(folder)


def test_signer_that_returns_something_else_leaves_no_trace(folder, dossier_of, ada):
    class Broken:
        stamps = None
        shown = staticmethod(ada.shown)

        def envelop(self, payload_type, payload):
            return ada.envelop(payload_type, payload) + b"\n{}"

    with hold_ledger(folder) as ledger, pytest.raises(LedgerError):
        ledger.append(dossier_of(ada), SEALED, Broken())
    assert not (folder / "log.jsonl").exists()


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b"null", b'{"index":0}', b"\xff"])
def test_hostile_entries(payload):
    text = base64.b64encode(payload).decode()
    line = json.dumps({"payload": text, "payloadType": ENTRY_TYPE, "signatures": []}, separators=(",", ":")).encode()
    with pytest.raises(LedgerError):
        read_entry(line)
    with pytest.raises(LedgerError):
        read_checkpoint(line.replace(ENTRY_TYPE.encode(), CHECKPOINT_TYPE.encode()))


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"payload":1}'])
def test_hostile_lines(line):
    with pytest.raises(LedgerError):
        read_chain(line + b"\n", None)


def test_entry_that_refers_to_the_future():
    entry = Entry(
        index=0, time="t", kind="withdrawal", system="s", dossier_digest="d", refers_to=0, reason="r", previous=None
    )
    with pytest.raises(LedgerError, match="refers to"):
        read_chain(write_line(ENTRY_TYPE, entry, None) + b"\n", None)


# ---- crashes


def test_torn_line_is_told_and_taken_away(filled, dossier_of):
    whole = (filled / "log.jsonl").read_bytes()
    (filled / "log.jsonl").write_bytes(whole + b'{"payload":"eyJpb')
    chain, _ = check(filled)
    assert chain.torn == 17
    assert len(chain.entries) == 4
    with hold_ledger(filled) as ledger:
        assert "17 bytes" in ledger.notes[0]
        ledger.append(dossier_of(), SEALED)
    assert (filled / "log.jsonl").read_bytes().startswith(whole)
    assert len(check(filled)[0].entries) == 5


def test_torn_line_that_was_whole_is_tampering(filled, dossier_of):
    """The checkpoint counts it, so it had been written."""
    (filled / "log.jsonl").write_bytes((filled / "log.jsonl").read_bytes()[:-1])
    with pytest.raises(LedgerError, match="taken away"), hold_ledger(filled):
        pass


def test_crash_before_the_checkpoint(filled, dossier_of, ada, monkeypatch):

    def stop(path, data):
        raise KeyboardInterrupt

    with hold_ledger(filled) as ledger, monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(disk, "put_file", stop)
        ledger.append(dossier_of(ada), SEALED, ada)
    assert len(check(filled)[0].entries) == 5  # the checkpoint is one behind, and that is no error
    with hold_ledger(filled) as ledger:
        assert "checkpoint" in ledger.notes[0]
        ledger.append(dossier_of(ada), SEALED, ada)
    chain, _ = check(filled)
    assert chain.checkpoint.entries == len(chain.entries) == 6


def test_crash_at_the_very_first_entry(folder, dossier_of, monkeypatch):

    with hold_ledger(folder) as ledger, monkeypatch.context() as patch:
        patch.setattr(disk, "put_file", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ledger.append(dossier_of(), SEALED)
    with hold_ledger(folder) as ledger:
        assert len(ledger.entries()) == 1
    assert read_ledger(folder)[0].checkpoint.entries == 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_leaves_the_log_as_it_was(filled, dossier_of, monkeypatch, code):

    before = (filled / "log.jsonl").read_bytes()

    def half(descriptor, data):
        os.write(descriptor, data[: len(data) // 2])
        raise OSError(code, "full")

    with hold_ledger(filled) as ledger:
        monkeypatch.setattr(disk, "_write_all", half)
        with pytest.raises(TryAgain) as caught:
            ledger.append(dossier_of(), SEALED)
        assert caught.value.exit_code == 6
        assert len(ledger.entries()) == 4
    assert (filled / "log.jsonl").read_bytes() == before
    assert len(check(filled)[0].entries) == 4


def test_full_disk_at_the_checkpoint_leaves_the_entry(filled, dossier_of, monkeypatch):

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "full")

    with hold_ledger(filled) as ledger:
        with monkeypatch.context() as patch:
            patch.setattr(tempfile, "mkstemp", full)
            ledger.append(dossier_of(), SEALED)
        assert "checkpoint could not be written" in ledger.notes[0]
    assert len(check(filled)[0].entries) == 5
    with hold_ledger(filled):
        pass
    assert check(filled)[0].checkpoint.entries == 5


def test_short_writes_are_finished(folder, dossier_of, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:7]))
    with hold_ledger(folder) as ledger:
        ledger.append(dossier_of(), SEALED)
    monkeypatch.undo()
    assert len(check(folder)[0].entries) == 1


def _append_for_ever(folder, dossier):
    with hold_ledger(folder) as ledger:
        while True:
            ledger.append(dossier, SEALED)


def test_killed_writer_leaves_a_ledger_that_goes_on(folder, dossier_of):
    context = multiprocessing.get_context("fork")
    for pause in (0.05, 0.11, 0.17):
        process = context.Process(target=_append_for_ever, args=(folder, dossier_of()))
        process.start()
        while not (folder / "log.jsonl").exists():
            time.sleep(0.01)
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        process.join(timeout=10)
        with hold_ledger(folder, timeout=5) as ledger:  # the lock died with its holder
            count = len(ledger.entries())
            ledger.append(dossier_of(), SEALED)
        assert len(check(folder)[0].entries) == count + 1


# ---- one writer at a time


def _append_some(folder, dossier, count, barrier):
    barrier.wait()
    for _ in range(count):
        with hold_ledger(folder, timeout=60) as ledger:
            ledger.append(dossier, SEALED)


def test_writers_at_once_make_one_chain(folder, dossier_of):
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(3)
    crowd = [context.Process(target=_append_some, args=(folder, dossier_of(), 5, barrier)) for _ in range(3)]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join(timeout=60)
    assert [process.exitcode for process in crowd] == [0, 0, 0]
    chain, _ = check(folder)
    assert [entry.index for entry in chain.entries] == list(range(15))
    assert chain.checkpoint.entries == 15


def _hold(folder, held, let_go):
    with hold_ledger(folder):
        held.set()
        let_go.wait(30)


def test_held_ledger_says_try_again(folder):
    context = multiprocessing.get_context("fork")
    held, let_go = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(folder, held, let_go))
    process.start()
    assert held.wait(20)
    with pytest.raises(TryAgain) as caught, hold_ledger(folder, timeout=0.2):
        pass
    assert caught.value.exit_code == 6
    let_go.set()
    with hold_ledger(folder, timeout=20) as ledger:
        assert isinstance(ledger, Ledger)
    process.join(timeout=20)


def test_readers_beside_writers_see_a_whole_ledger(folder, dossier_of):
    context = multiprocessing.get_context("fork")
    with hold_ledger(folder) as ledger:
        ledger.append(dossier_of(), SEALED)
    barrier = context.Barrier(2)
    process = context.Process(target=_append_some, args=(folder, dossier_of(), 40, barrier))
    process.start()
    barrier.wait()
    lengths = []
    while process.is_alive():
        lengths.append(len(read_ledger(folder)[0].entries))
    process.join(timeout=60)
    assert lengths == sorted(lengths)
    assert len(read_ledger(folder)[0].entries) == 41


def test_reading_needs_no_lock(filled):
    with hold_ledger(filled):
        assert len(read_ledger(filled)[0].entries) == 4


def test_lock_is_given_back_after_an_error(folder, dossier_of):
    with pytest.raises(ZeroDivisionError), hold_ledger(folder):
        raise ZeroDivisionError
    with hold_ledger(folder, timeout=0):
        pass


# ---- where it is


def test_must_exist(folder, dossier_of):
    order = LedgerOrder(path=str(folder), must_exist=True)
    with pytest.raises(LedgerError, match="must_exist"), hold_ledger(order):
        pass
    assert not folder.exists()
    with hold_ledger(folder) as ledger:
        ledger.append(dossier_of(), SEALED)
    with hold_ledger(order) as ledger:
        assert len(ledger.entries()) == 1


def test_path_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError), hold_ledger(tmp_path / "file"):
        pass


def test_no_ledger_to_read(tmp_path):
    with pytest.raises(ConfigError) as caught:
        read_ledger(tmp_path)
    assert caught.value.exit_code == 2


def test_files_are_readable_by_auditors(filled):
    for name in ("log.jsonl", "checkpoint"):
        assert stat.S_IMODE((filled / name).stat().st_mode) & 0o444 == 0o444
    assert sorted(path.name for path in filled.iterdir()) == ["checkpoint", "lock", "log.jsonl"]


def test_errors_are_ours(filled):
    (filled / "checkpoint").unlink()
    (filled / "checkpoint").mkdir()
    with pytest.raises(AuditError), hold_ledger(filled):
        pass


# ---- commands


def test_list_command(run_cli, filled):
    code, said, _ = run_cli("ledger", "list", filled)
    assert code == 0
    assert len(said.splitlines()) == 4
    assert "withdrawal" in said.splitlines()[3]
    assert len(run_cli("ledger", "list", filled, "--system", "cards")[1].splitlines()) == 1
    assert [entry["index"] for entry in json.loads(run_cli("ledger", "list", filled, "--json")[1])] == [0, 1, 2, 3]


def test_check_command(run_cli, filled):
    code, said, _ = run_cli("ledger", "check", filled)
    assert code == 0
    assert said.startswith("INTACT: 4 entries")
    assert "3 signed by Ada Auditor" in said
    assert "1 unsigned" in said
    assert json.loads(run_cli("ledger", "check", filled, "--json")[1])["entries"] == 4
    log = (filled / "log.jsonl").read_bytes()
    (filled / "log.jsonl").write_bytes(log.replace(b"A", b"B", 1))
    assert run_cli("ledger", "check", filled)[0] == 4
    assert run_cli("ledger", "list", filled)[0] == 4


def test_commands_without_a_ledger(run_cli, tmp_path):
    assert run_cli("ledger", "check", tmp_path)[0] == 2
    assert run_cli("ledger", "list", tmp_path / "absent")[0] == 2


def test_findings_keep_the_day_on_which_they_were_first_open(folder, dossier_of, ada):
    """Two audits apart by a month; a withdrawn one and one of another system do not count."""

    def with_open(created, *ids, **about):
        made = dossier_of(None, created=created, **about)
        verdicts = tuple(Verdict(id=name, rule="p/r", scope="p/r", status="fail", because="x") for name in ids)
        finding = made.judgement.findings[0].model_copy(update={"verdicts": verdicts, "status": "fail"})
        judgement = made.judgement.model_copy(update={"findings": (finding,)})
        return made.model_copy(update={"judgement": judgement})

    with hold_ledger(folder) as ledger:
        ledger.append(with_open("2026-01-05T12:00:00Z", "w"), {}, ada)
        ledger.record("withdrawal", 0, "wrong data", time="2026-01-06T12:00:00Z", signer=ada)
        ledger.append(with_open("2026-02-05T12:00:00Z", "a", "b"), {}, ada)
        ledger.append(with_open("2026-02-06T12:00:00Z", "o", system="others"), {}, ada)
        ledger.append(with_open("2026-03-05T12:00:00Z", "a", "c", "w"), {}, ada)
    with hold_ledger(folder) as ledger:
        assert ledger.first_seen("loans") == {
            "a": "2026-02-05",
            "b": "2026-02-05",
            "c": "2026-03-05",
            "w": "2026-03-05",
        }
        assert ledger.first_seen("nobody") == {}


def test_an_entry_of_before_findings_were_written_down_is_still_one(filled):
    """Logs outlive versions: a line without the younger field is read as it is, and one with a foreign field is not."""
    line = lines_of(filled)[1]
    outer = json.loads(line)
    payload = json.loads(base64.b64decode(outer["payload"]))
    payload.pop("open")
    older = canonical_bytes(payload)
    outer["payload"] = base64.b64encode(older).decode()
    entry = read_entry(canonical_bytes(outer))
    assert entry.open == ()
    assert entry.system == payload["system"]
    outer["payload"] = base64.b64encode(canonical_bytes({**payload, "opened": []})).decode()
    with pytest.raises(LedgerError):
        read_entry(canonical_bytes(outer))
