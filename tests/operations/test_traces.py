"""What a run leaves behind: metrics that a collector can read, a log, figures recomputed, reports that are kept."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from operations_material import make_scored_job, state_of

from audit.attestation.ledger.store import hold_ledger, read_ledger
from audit.config.quantities import read_duration, read_size
from audit.errors import ConfigError
from audit.operations.logbook import Logbook, log_path
from audit.operations.metrics import render_metrics, write_metrics
from audit.operations.published import FIGURES, Recomputed, recompute_all
from audit.operations.retention import plan_removal, remove_reports
from audit.operations.task import AuditResult, AuditTask, run_task

# the text exposition format 0.0.4, as its specification describes a sample
SAMPLE = re.compile(r'^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.e+-]+)$')


def test_metrics_are_in_the_exposition_format_whatever_a_name_holds(tmp_path):
    results = [AuditResult("a.yaml", 1, "failed", system='we"ird\\ \nname', seconds=1.5,
                           described={"counts": {"fail": 2}}), AuditResult("b.yaml", 3, error="x")]  # fmt: skip
    lines = render_metrics(results, now=1700000000.5).splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert all(SAMPLE.match(line) for line in samples), [line for line in samples if not SAMPLE.match(line)]
    names = [SAMPLE.match(line).group(1) for line in samples]
    kinds = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert list(dict.fromkeys(names)) == kinds  # every family is announced, and stands together
    assert 'audit_rules{system="we\\"ird\\\\ \\nname",verdict="fail"} 2' in lines


def test_the_time_of_the_last_finished_audit_is_carried_over(tmp_path):
    path = tmp_path / "deep" / "audit.prom"
    good = AuditResult("a.yaml", 0, "passed", system='a"\\b')
    write_metrics(path, [good], now=100.0)
    write_metrics(path, [AuditResult("a.yaml", 6, system='a"\\b', error="down")], now=200.0)
    text = path.read_text()
    assert 'audit_last_finished_timestamp_seconds{system="a\\"\\\\b"} 100' in text
    assert "audit_last_run_timestamp_seconds 200" in text
    assert [entry.name for entry in path.parent.iterdir()] == ["audit.prom"]


def test_the_log_is_one_object_per_line_and_holds_what_the_library_says(tmp_path, monkeypatch):
    path = tmp_path / "logs" / "audit.jsonl"
    book = Logbook(path)
    handler = book.listen_to_library()
    logging.getLogger("audit.somewhere").addHandler(handler)
    logging.getLogger("audit.somewhere").warning("a\nb %s", "c")
    logging.getLogger("audit.somewhere").removeHandler(handler)
    book.write("stage", stage="judge", seconds=0.5, place=Path("x"))
    book.close()
    first, second = [json.loads(line) for line in path.read_text().splitlines()]
    assert (first["event"], first["level"], first["message"]) == ("log", "warning", "a\nb c")
    assert (second["stage"], second["place"]) == ("judge", "x")
    assert datetime.fromisoformat(first["time"]).tzinfo is not None
    with pytest.raises(ConfigError, match="--log"):
        Logbook(path / "below-a-file")
    monkeypatch.setenv("AUDIT_LOG", "from-environment")
    assert log_path(None) == Path("from-environment")
    assert log_path(path) == path


def test_published_figures_are_met_and_a_wrong_one_is_not():
    figures = recompute_all()
    assert [figure.name for figure in figures if not figure.matches] == []
    assert len(figures) == len(FIGURES) >= 10
    assert all(figure.source for figure in figures)
    assert not Recomputed("x", "y", (0.3,), (0.31,), 5e-3).matches
    assert not Recomputed("x", "y", (0.3,), (0.3, 0.3), 5e-3).matches


def test_doctor_recomputes_and_looks_at_a_configuration(run_cli, tmp_path, monkeypatch):
    config = make_scored_job(tmp_path, "one")
    code, out, _ = run_cli("doctor", config, "--numbers", "--json")
    found = {item["name"]: item for item in json.loads(out)}
    assert code == 0, out
    assert "match (published 0.0524, 0.3339" in found["Newcombe interval of a difference"]["detail"]
    assert "development key" in found["key"]["detail"]
    monkeypatch.setattr("audit.operations.published._tea", None)
    monkeypatch.setattr(
        "audit.operations.published.FIGURES", (lambda: Recomputed("Tea", "Fisher", (0.5,), (0.6,), 0.01),)
    )
    code, out, _ = run_cli("doctor", "--numbers")
    assert code == 3
    assert "✗ Tea: MISMATCH: published 0.5, computed 0.6; Fisher" in out


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("signing: {key: 'file:gone.pem'}\n", 2, "gone.pem"),
        ("signing: {key: development, timestamp: 'http://127.0.0.1:9/'}\n", 6, "gave no time stamp"),
        ("signing: {key: development}\nledger: {path: log, must_exist: true}\n", 2, "there is no ledger"),
    ],
)
def test_doctor_says_what_to_do_with_the_right_code(text, code, words, tmp_path, run_cli):
    config = make_scored_job(tmp_path, "one")
    config.write_text(config.read_text().replace("signing: {key: development}\n", text))
    found, out, _ = run_cli("doctor", config)
    assert words in out
    assert found == code


NOW = datetime(2040, 6, 1, tzinfo=UTC)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Four audits of two systems: 2026, 2026, 2035 and 2026; the second was signed by a person."""
    for name, year, out in (("a", 2026, "a1"), ("a", 2026, "a2"), ("a", 2035, "a3"), ("b", 2026, "b1")):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(datetime(year, 2, 3, tzinfo=UTC).timestamp())))
        config = make_scored_job(tmp_path, name)
        result, outcome = run_task(
            AuditTask(config, out=tmp_path / "audits" / out, overrides=(f"title={out}", "policies=[]"))
        )
        assert outcome is not None, result.error
    with hold_ledger(tmp_path / "audit-log") as ledger:
        ledger.record("signature", 1, "approved by the reviewer", time="2026-02-04T00:00:00Z")
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    return tmp_path


def entries(folder):
    return read_ledger(folder / "audit-log")[0].entries


def test_what_is_kept_and_why(kept):
    plan = plan_removal(kept / "audits", entries(kept), years=10, today=NOW)
    assert [(item.index, item.removable) for item in plan] == [(0, True), (1, False), (2, False), (3, False)]
    assert "signed off" in plan[1].because
    assert plan[2].because == "kept until 2045-02-03"
    assert plan[3].because == "it is the last audit of its system"
    assert not any(item.removable for item in plan_removal(kept / "audits", entries(kept), years=20, today=NOW))
    named = plan_removal(kept / "audits", entries(kept), years=10, today=NOW, named=[1, 2])
    assert [item.removable for item in named] == [True, True, False, False]  # no name makes the years shorter
    for wrong in ({"years": 0.5}, {"years": 10, "named": [4]}, {"years": 10, "named": [99]}):
        with pytest.raises(ConfigError):
            plan_removal(kept / "audits", entries(kept), today=NOW, **wrong)


def test_a_removal_is_on_record_and_happens_once(kept):
    plan = plan_removal(kept / "audits", entries(kept), years=10, today=NOW)
    gone = remove_reports(kept / "audit-log", plan, years=10, today=NOW)
    assert [item.index for item in gone] == [0]
    assert sorted(path.name for path in (kept / "audits").iterdir()) == ["a2", "a3", "b1"]
    last = entries(kept)[-1]
    assert (last.kind, last.refers_to) == ("removal", 0)
    again = plan_removal(kept / "audits", entries(kept), years=10, today=NOW)
    assert [item.removable for item in again] == [False] * 4
    assert remove_reports(kept / "audit-log", again, years=10, today=NOW) == []
    assert len(state_of(kept)[0]) == 3


def test_prune_is_a_dry_run_unless_it_is_told(kept, run_cli, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(NOW.timestamp())))
    arguments = ("prune", kept / "audits", "--ledger", kept / "audit-log", "--years", "10")
    code, out, _ = run_cli(*arguments)
    assert code == 0
    assert "1 of 4 could be removed; nothing was touched" in out
    assert len(list((kept / "audits").iterdir())) == 4
    code, out, _ = run_cli(*arguments, "--apply")
    assert code == 0
    assert "1 of 4 removed" in out
    assert len(list((kept / "audits").iterdir())) == 3


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), (90, 90), ("1.5h", 5400), (" 2 d ", 172800), ("30m", 1800)])
def test_durations(text, seconds):
    assert read_duration(text) == seconds


@pytest.mark.parametrize(("text", "count"), [("1kB", 1000), ("1KiB", 1024), ("1.5GiB", 1610612736), (7, 7)])
def test_sizes(text, count):
    assert read_size(text) == count


@pytest.mark.parametrize("text", ["", "m", "-1", "1 week", "0", None, True, "1e3x", "nan"])
def test_what_is_no_quantity_is_refused(text):
    for read in (read_duration, read_size):
        with pytest.raises(ValueError, match="write "):
            read(text)
