"""A lock of the rules: what it shows, what it does not, and that nobody can edit it quietly."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.lock import LIMITS, hold_to_lock, make_lock, read_lock, see_lock, warn_of_lock
from audit.attestation.policy.select import read_packs
from audit.attestation.seal.timestamp import StampServer, read_stamp
from audit.cli import policy
from audit.config.schema import AttestConfig
from audit.errors import ConfigError, PolicyError, SealError
from audit.evidence import FileDigest, Papers, digest_bytes

SCORED = datetime(2026, 11, 21, 12, tzinfo=UTC)
RULES = (
    "rules:\n  - {id: r, title: A rule under test, severity: high, measure: fairness.selection_rate_ratio, "
    "for_each: sex, must_be: at least 0.8, judged_on: estimate, threshold_basis: organisation}\n"
)


@pytest.fixture
def packs(write_pack):
    return read_packs([str(write_pack(RULES))])


@pytest.fixture
def evidence(stage):
    made = stage({"sex": {"F": (40, 100), "M": (50, 100)}})
    files = (
        FileDigest(name="rows.csv", sha256=digest_bytes(b"rows"), size=4, role="data.audit"),
        FileDigest(name="model.pt2", sha256=digest_bytes(b"model"), size=5, role="model"),
    )
    started = SCORED.strftime("%Y-%m-%dT%H:%M:%SZ")
    about = made.provenance.model_copy(update={"started": started, "files": files})
    return made.model_copy(update={"provenance": about})


def locked(packs, *, days=-1, **how):
    return make_lock(packs, now=SCORED + timedelta(days=days), tool="test", **how)


def test_a_lock_reads_back_as_it_was_written(packs, tmp_path):
    lock, path = locked(packs), tmp_path / "policy.lock.json"
    path.write_bytes(lock.text())
    assert read_lock(path) == lock


def test_a_stated_time_before_the_scoring(packs, evidence):
    seen = hold_to_lock(locked(packs), "l.json", packs, evidence)
    assert (seen.before, seen.same_rules, seen.stamped_at, seen.changes) == ("stated", True, "", ())
    assert "by the clock of the machine" in seen.because
    assert seen.limits == LIMITS
    assert warn_of_lock(seen) == ()


def test_a_lock_after_the_scoring_says_so(packs, evidence):
    seen = hold_to_lock(locked(packs, days=1), "l.json", packs, evidence)
    assert seen.before == "no"
    assert "after the scoring" in warn_of_lock(seen)[0]


def test_a_time_that_is_missing_is_not_known(packs, stage):
    assert hold_to_lock(locked(packs), "l.json", packs, stage()).before == "unknown"


def test_a_time_stamp_shows_it_and_outweighs_the_clock(packs, evidence, stamp_server):
    server = StampServer(stamp_server.address)
    lock = locked(packs, days=-3000, stamp=server.token)
    stamped, authority = read_stamp(base64.b64decode(lock.timestamp), hashlib.sha256(lock.body()).digest())

    def scored(seconds):
        started = (stamped + timedelta(seconds=seconds)).isoformat()
        moved = evidence.provenance.model_copy(update={"started": started})
        return evidence.model_copy(update={"provenance": moved})

    late = hold_to_lock(lock, "l.json", packs, scored(-2), check_stamp=read_stamp)
    early = hold_to_lock(lock, "l.json", packs, scored(2), check_stamp=read_stamp)
    assert late.before == "no"  # the clock says 2018, the time stamp says otherwise
    assert early.before == "shown"
    assert early.authority == authority != ""


def test_a_time_stamp_of_another_lock_does_not_hold(packs, evidence, stamp_server, write_pack):
    token = locked(packs, stamp=StampServer(stamp_server.address).token).timestamp
    other = locked(read_packs([str(write_pack(RULES.replace("0.8", "0.7"), "two.yaml"))]))
    forged = other.model_copy(update={"timestamp": token})
    with pytest.raises(SealError, match="l.json does not hold"):
        hold_to_lock(forged, "l.json", packs, evidence, check_stamp=read_stamp)
    junk = other.model_copy(update={"timestamp": "not base64!"})
    with pytest.raises(SealError, match="l.json does not hold"):
        hold_to_lock(junk, "l.json", packs, evidence, check_stamp=read_stamp)


def test_what_changed_since_is_listed(packs, evidence, write_pack):
    now = read_packs([str(write_pack(RULES.replace("0.8", "0.7"), "later.yaml"))])
    seen = hold_to_lock(locked(packs), "l.json", now, evidence)
    assert not seen.same_rules
    assert seen.changes == ("own/r: limit: at least 0.8 -> at least 0.7 (looser)",)
    assert "are not those locked in l.json" in warn_of_lock(seen)[0]


def test_model_rows_and_waivers_are_those_that_were_locked(packs, evidence, tmp_path):
    files = {name: tmp_path / name for name in ("model", "data", "waivers")}
    for name, path in files.items():
        path.write_bytes(b"rows" if name == "data" else name.encode())
    lock = locked(packs, files=files)
    same = hold_to_lock(lock, "l.json", packs, evidence, waivers=files["waivers"])
    assert (same.same_model, same.same_data, same.same_waivers) == (True, True, True)
    files["waivers"].write_bytes(b"more")
    other = hold_to_lock(
        lock.model_copy(update={"model": digest_bytes(b"x"), "data": digest_bytes(b"y")}), "l.json", packs, evidence,
        waivers=files["waivers"],
    )  # fmt: skip
    assert (other.same_model, other.same_data, other.same_waivers) == (False, False, False)
    assert len(warn_of_lock(other)) == 3
    nothing = hold_to_lock(locked(packs), "l.json", packs, evidence)
    assert (nothing.same_model, nothing.same_data) == (None, None)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda text: text.replace(b'"4/5"', b'"1/5"'), "was changed after it was written"),
        (lambda text: b"{}", "is no lock"),
        (lambda text: b"\x00\xff", "is no lock"),
        (lambda text: text.replace(b"policy-lock/1", b"policy-lock/2"), "is no lock"),
        (lambda text: b'{"x":' * 100_000, "is no lock"),
        (lambda text: text + b" " * 6_000_000, "is no lock"),
    ],
)
def test_what_is_no_lock_is_refused(packs, tmp_path, spoil, what):
    path = tmp_path / "l.json"
    path.write_bytes(spoil(locked(packs).text()))
    with pytest.raises(PolicyError, match=what) as caught:
        read_lock(path, place="audit.yaml:3:7")
    assert caught.value.place == "audit.yaml:3:7"


def test_a_lock_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_lock(tmp_path / "none.json")


def test_a_judgement_carries_its_lock(packs, evidence, tmp_path):
    path = tmp_path / "l.json"
    path.write_bytes(locked(packs).text())
    judgement = judge_with(
        evidence, packs, Papers(), (), as_of=SCORED.date(), evidence_signed="test", strict_names=False
    )
    assert see_lock(judgement, AttestConfig(), packs, evidence) == judgement
    seen = see_lock(judgement, AttestConfig(lock=str(path)), packs, evidence)
    assert seen.lock.before == "stated"
    assert type(seen).parse(seen.canonical()) == seen


def test_the_command_writes_a_lock_and_keeps_an_older_one(tmp_path, write_pack, monkeypatch, stamp_server, capsys):
    write_pack(RULES)
    (tmp_path / "rows.csv").write_text("sex,s\nF,0.4\n")
    config = tmp_path / "audit.yaml"
    config.write_text("data: rows.csv\nmodel: {scores: s, scale: probability}\ngroups: [sex]\npolicies: [own.yaml]\n")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764000000")
    assert policy.lock_policies(config) == 0
    out = capsys.readouterr().out
    assert "1 rules locked: sha256:" in out
    assert "without a time stamp" in out
    lock = read_lock(tmp_path / "policy.lock.json")
    assert lock.made_at == "2025-11-24T16:00:00Z"
    assert lock.data == digest_bytes((tmp_path / "rows.csv").read_bytes())
    with pytest.raises(ConfigError, match="there is a lock already"):
        policy.lock_policies(config)
    config.write_text(config.read_text() + f"lock: named.json\nsigning: {{timestamp: '{stamp_server.address}'}}\n")
    assert policy.lock_policies(config) == 0
    assert "without a time stamp" not in capsys.readouterr().out
    named = json.loads((tmp_path / "named.json").read_bytes())
    assert base64.b64decode(named["timestamp"])
    assert policy.lock_policies(config, replace=True) == 0
    stamp_server.mode = "error"
    assert policy.lock_policies(config, replace=True) == 0
    assert "without a time stamp" in capsys.readouterr().out
