"""What became of an audit: corrected, withdrawn, superseded, published; as ledger, verify and commands tell it."""

from __future__ import annotations

import json

import pytest

from audit.attestation.ledger.later import find_entry, tell_later
from audit.attestation.ledger.status import read_status
from audit.attestation.ledger.store import hold_ledger, read_ledger
from audit.attestation.seal.sign import sign_folder
from audit.errors import ConfigError
from audit.evidence import PublicEdition
from audit.evidence.base import digest_bytes

LATER = "2026-03-09T12:00:00Z"
SUMS = {"SHA256SUMS": b"sums"}


def publish(dossier, internal):
    """Return a dossier that says that it is the public edition of another."""
    said = PublicEdition(
        evidence_digest=internal.judgement.evidence_digest, dossier_digest=internal.digest(), smallest=5, withheld=1
    )
    shown = dossier.presentation.model_copy(update={"audience": "public"})
    return dossier.model_copy(update={"public": said, "presentation": shown})


def test_status_of_each(filled):
    entries = read_ledger(filled)[0].entries
    assert [read_status(entries, index).word for index in range(3)] == ["stands", "withdrawn", "stands"]
    assert read_status(entries, 1).because.reason == "wrong data"
    assert read_status(entries, 0).later is None  # the later one was withdrawn


def test_correction_names_what_takes_its_place(filled, dossier_of, ada):
    with hold_ledger(filled) as ledger:
        new = ledger.append(dossier_of(ada, data="99"), SUMS, ada)
        ledger.record("correction", 0, "wrong column", time=LATER, by="Ada", corrected_by=new.index, signer=ada)
    entries = read_ledger(filled)[0].entries
    status = read_status(entries, 0)
    assert (status.word, status.later, status.because.by) == ("corrected", new, "Ada")
    assert read_status(entries, new.index).word == "stands"


@pytest.mark.parametrize("instead", [0, 2, 3, 99], ids=["itself", "other system", "no audit", "none"])
def test_correction_by_what_cannot_be(filled, instead):
    with hold_ledger(filled) as ledger, pytest.raises(ConfigError, match="no later audit"):
        ledger.record("correction", 0, "x", time=LATER, corrected_by=instead)


def test_nothing_is_withdrawn_twice(filled):
    with hold_ledger(filled) as ledger, pytest.raises(ConfigError, match="withdrawn before"):
        ledger.record("withdrawal", 1, "again", time=LATER)


def test_public_edition_is_no_audit_of_its_own(folder, dossier_of, ada):
    internal = dossier_of(ada)
    public = publish(dossier_of(ada), internal)
    with hold_ledger(folder) as ledger:
        ledger.append(internal, SUMS, ada)
        own = ledger.find_internal(internal.judgement.evidence_digest)
        assert ledger.tell_earlier(internal.evidence, but=own) == ()
        assert ledger.previous_of("loans", but=own) is None
        entry = ledger.append(public, {"SHA256SUMS": b"public"}, ada)
        assert (entry.kind, entry.refers_to) == ("publication", 0)
        assert entry.evidence_digest == internal.judgement.evidence_digest
        assert ledger.previous_of("loans") == internal.digest()
        assert len(ledger.tell_earlier(internal.evidence)) == 1
        ledger.record("withdrawal", 0, "wrong data", time=LATER, signer=ada)
        assert ledger.find_internal(internal.judgement.evidence_digest) is None
    chain = read_ledger(folder)[0]
    assert read_status(chain.entries, 1).word == "withdrawn"
    told = tell_later(chain, public.digest(), digest_bytes(b"public"))
    assert not told.stands
    assert "wrong data" in told.events[0]
    assert find_entry(chain, public.digest()) == entry


def test_public_edition_without_an_internal_report_is_an_audit(folder, dossier_of, ada):
    alone = publish(dossier_of(ada), dossier_of(ada))
    with hold_ledger(folder) as ledger:
        assert ledger.append(alone, SUMS, ada).kind == "audit"


@pytest.fixture
def report(filled, dossier_of, ada, write_folder):
    """A sealed folder that the ledger knows."""
    dossier = dossier_of(ada, data="77", created="2026-03-04T12:00:00Z")
    with hold_ledger(filled) as ledger:
        sealed = sign_folder({"report.md": b"text"}, dossier, ada, previous=ledger.head)
        ledger.append(dossier, sealed, ada)
    return write_folder(sealed)


def test_withdraw_command_and_verify(run_cli, filled, report, tmp_path):
    assert run_cli("verify", report, "--ledger", filled)[0] == 0
    code, out, _ = run_cli(
        "ledger", "withdraw", report, "--reason", "test rows", "--by", "Ada", "--ledger", filled, "--key", "development"
    )
    assert (code, "withdrawal of entry 4" in out) == (0, True)
    entry = read_ledger(filled)[0].entries[-1]
    assert (entry.kind, entry.refers_to, entry.reason, entry.by, bool(entry.signer)) == (
        "withdrawal", 4, "test rows", "Ada", True,
    )  # fmt: skip
    code, out, _ = run_cli("verify", report, "--ledger", filled)
    assert code == 4
    assert "withdrawn" in out
    assert "test rows" in out
    assert run_cli("verify", report)[0] == 0  # the folder itself is as it was sealed
    assert run_cli("ledger", "check", filled)[0] == 0
    assert "entry 4: test rows (Ada)" in run_cli("ledger", "list", filled)[1]


def test_correct_command(run_cli, filled, report):
    code, _, _ = run_cli(
        "ledger", "correct", "0", "--instead", report, "--reason", "x", "--by", "Ada", "--ledger", filled,
        "--key", "development",
    )  # fmt: skip
    entry = read_ledger(filled)[0].entries[-1]
    assert (code, entry.kind, entry.refers_to, entry.corrected_by) == (0, "correction", 0, 4)
    assert "entry 4 takes its place" in run_cli("ledger", "list", filled)[1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("withdraw", "9", "--reason", "x", "--by", "Ada"), 2),
        (("withdraw", "no-such-folder", "--reason", "x", "--by", "Ada"), 2),
        (("withdraw", "0", "--reason", " ", "--by", "Ada"), 2),
        (("withdraw", "0", "--by", "Ada"), 2),
        (("correct", "2", "--instead", "0", "--reason", "x", "--by", "Ada"), 2),
    ],
    ids=["no entry", "no folder", "blank", "no reason", "earlier"],
)
def test_commands_that_are_refused(run_cli, filled, arguments, code):
    before = (filled / "log.jsonl").read_bytes()
    assert run_cli("ledger", *arguments, "--ledger", filled, "--key", "development")[0] == code
    assert (filled / "log.jsonl").read_bytes() == before


def test_withdraw_starts_no_ledger(run_cli, tmp_path):
    code, _, _ = run_cli("ledger", "withdraw", "0", "--reason", "x", "--by", "A", "--ledger", tmp_path / "none")
    assert code == 4
    assert not (tmp_path / "none").exists()


def test_check_command_against_an_older_copy(run_cli, filled, dossier_of, ada, tmp_path):
    copy = tmp_path / "copy"
    copy.write_bytes((filled / "checkpoint").read_bytes())
    with hold_ledger(filled) as ledger:
        ledger.append(dossier_of(ada), SUMS, ada)
    code, out, _ = run_cli("ledger", "check", filled, "--checkpoint", copy)
    assert (code, "begins with all" in out) == (0, True)
    found = json.loads(run_cli("ledger", "check", filled, "--json")[1])
    assert found["root"] == read_ledger(filled)[0].checkpoint.root
    copy.write_bytes(b"{}")
    assert run_cli("ledger", "check", filled, "--checkpoint", copy)[0] == 4
