"""The main job, end to end, on a small table: every room once, as its user would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from material import ROOT, make_table

import audit
from audit.evidence import Dossier, Estimate, NotDone, read_evidence


def walk_estimates(value, path=""):
    if isinstance(value, Estimate):
        yield path, value
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from walk_estimates(item, f"{path}[{index}]")
    elif hasattr(type(value), "model_fields"):
        for name in type(value).model_fields:
            yield from walk_estimates(getattr(value, name), f"{path}.{name}")


def test_report_folder_is_whole(small_report):
    names = {str(p.relative_to(small_report.folder)) for p in small_report.folder.rglob("*") if p.is_file()}
    assert {
        "audit.json",
        "report.html",
        "report.pdf",
        "attestation.dsse.json",
        "SHA256SUMS",
        "SHA256SUMS.p7s",
        "signer.crt",
        "signer.pub",
        "VERIFY.md",
    } <= names
    assert any(name.startswith("glassboxes/") and name.endswith(".json") for name in names)
    assert any(name.startswith("glassboxes/") and name.endswith(".parquet") for name in names)


def test_every_part_that_can_be_done_is_done(small_report):
    evidence = small_report.dossier.evidence
    assert evidence.broken == ()
    for name in ("intake", "data", "performance", "calibration", "fairness", "fidelity", "effects"):
        assert not isinstance(getattr(evidence, name), NotDone), getattr(evidence, name)
    assert evidence.fairness.cross_check.largest_difference < 1e-12


def test_every_number_has_interval_or_reason(small_report):
    silent = [
        path
        for path, estimate in walk_estimates(small_report.dossier.evidence)
        if not estimate.has_interval and not estimate.note and not estimate.method
    ]
    assert silent == []


def test_no_row_of_data_is_in_the_report(small_report):
    table = make_table()
    text = (small_report.folder / "audit.json").read_text() + (small_report.folder / "report.html").read_text()
    assert not [name for name in table["applicant"] if name in text]
    exact = [f"{value:.2f}" for value in table["income"].sort_values().iloc[[0, -1]]]
    found = [value for value in exact if re.search(rf"(?<![\d.]){re.escape(value)}(?!\d)", text)]
    assert not found, "extremes of a column are single people"


def test_dossier_reads_back(small_report):
    data = (small_report.folder / "audit.json").read_bytes()
    assert Dossier.parse(data) == small_report.dossier
    assert Dossier.parse(data).canonical() == data


def test_verify_says_intact(small_report, run_cli):
    code, out, _ = run_cli("verify", small_report.folder)
    assert code == 0
    assert "INTACT" in out and "UNTRUSTED" in out


def test_verdicts_carry_arithmetic(small_report):
    findings = {finding.rule: finding for finding in small_report.findings}
    ratio = findings["baseline-fairness/selection-ratio"]
    assert ratio.status in ("pass", "warn", "fail", "inconclusive")
    assert all(verdict.trace for verdict in ratio.verdicts if verdict.observed is not None)


def test_same_seed_same_numbers(small_job, small_report):
    again = audit.examine(small_job / "audit.yaml")
    first = json.loads(small_report.dossier.evidence.canonical())
    second = json.loads(again.canonical())
    for document in (first, second):
        document.pop("provenance")
    assert without_seconds(first) == without_seconds(second)


def without_seconds(value):
    if isinstance(value, dict):
        return {name: without_seconds(part) for name, part in value.items() if name != "seconds"}
    return [without_seconds(part) for part in value] if isinstance(value, list) else value


def test_halves_give_the_same_verdicts(small_job, small_report, tmp_path, run_cli):
    code, _, err = run_cli("examine", small_job / "audit.yaml", "--out", tmp_path / "half")
    assert code == 0, err
    code, out, err = run_cli(
        "attest", tmp_path / "half" / "evidence.json", small_job / "audit.yaml", "--out", tmp_path / "report", "--json"
    )
    assert code == small_report.exit_code, err
    told = json.loads(out)
    assert {f["rule"]: f["status"] for f in told["findings"]} == small_report.verdicts
    dossier = Dossier.parse((tmp_path / "report" / "audit.json").read_bytes())
    assert dossier.judgement.evidence_signed.startswith("signed by")


def test_unsigned_evidence_is_named_and_edited_evidence_refused(small_job, tmp_path, run_cli):
    half = tmp_path / "half"
    assert run_cli("examine", small_job / "audit.yaml", "--out", half)[0] == 0
    text = (half / "evidence.json").read_bytes()
    assert read_evidence(text)
    (half / "evidence.json").write_bytes(text.replace(b'"seed":0', b'"seed":1'))
    code, _, err = run_cli("attest", half / "evidence.json", small_job / "audit.yaml", "--out", tmp_path / "r1")
    assert code == 4, err
    (half / "evidence.json").write_bytes(text)
    (half / "evidence.dsse.json").unlink()
    assert run_cli("attest", half / "evidence.json", small_job / "audit.yaml", "--out", tmp_path / "r2")[0] in (0, 1, 5)
    dossier = Dossier.parse((tmp_path / "r2" / "audit.json").read_bytes())
    assert dossier.judgement.evidence_signed == "evidence was supplied unsigned"


def test_second_half_never_imports_heavy_libraries(small_job, tmp_path, run_cli):
    assert run_cli("examine", small_job / "audit.yaml", "--out", tmp_path / "half")[0] == 0
    program = (
        "import sys; from audit.cli.main import run_command\n"
        f"code = run_command(['attest', {str(tmp_path / 'half' / 'evidence.json')!r},"
        f" {str(small_job / 'audit.yaml')!r}, '--out', {str(tmp_path / 'report')!r}])\n"
        "heavy = {'torch', 'pandas', 'interpret', 'fairlearn', 'captum', 'sklearn'} & set(sys.modules)\n"
        "print(code, sorted(heavy)); sys.exit(0 if code in (0, 1, 5) and not heavy else 9)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_python_objects_without_files(tmp_path):
    frame = make_table(400)
    outcome = audit.run(
        data=frame.drop(columns="applicant"),
        predict=lambda rows: 1 / (1 + pow(2.718281828, -(0.08 * (rows["income"] - 32) - 0.25 * (rows["debts"] - 6)))),
        label="repaid",
        groups=["sex"],
        out=tmp_path / "report",
        effort="fast",
        signing={"key": "development"},
        ledger={"path": str(tmp_path / "log")},
    )
    assert outcome.folder.is_dir()
    assert set(outcome.verdicts) >= {"baseline-fairness/selection-ratio"}
    assert "object" in " ".join(f.note for f in outcome.dossier.evidence.provenance.files)


def test_decisions_only(tmp_path, run_cli):
    frame = make_table(500)
    frame["outcome"] = (frame["income"] > 28).map({True: "approved", False: "denied"})
    frame[["applicant", "outcome", "income"]].to_csv(tmp_path / "decisions.csv", index=False)
    frame[["applicant", "sex", "region"]].to_csv(tmp_path / "protected.csv", index=False)
    (tmp_path / "audit.yaml").write_text(
        "data: decisions.csv\n"
        "groups: {file: protected.csv, key: applicant, columns: [sex, region]}\n"
        "decision: {column: outcome, favourable: approved}\n"
    )
    code, _, err = run_cli("run", tmp_path / "audit.yaml", "--out", tmp_path / "report")
    assert code in (0, 1, 5), err
    evidence = Dossier.parse((tmp_path / "report" / "audit.json").read_bytes()).evidence
    assert evidence.broken == ()
    rates = [m for m in evidence.measurements() if m.metric == "fairness.selection_rate"]
    assert rates and all(m.estimate.has_interval for m in rates)
    assert isinstance(evidence.performance, NotDone) and not evidence.performance.broke


def test_run_needs_no_network(small_job, tmp_path):
    """One whole run in a process whose sockets refuse to open."""
    program = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('a socket was opened')\n"
        "socket.socket.connect = refuse; socket.create_connection = refuse; socket.getaddrinfo = refuse\n"
        "from audit.cli.main import run_command\n"
        f"sys.exit(run_command(['run', {str(small_job / 'audit.yaml')!r}, '--out', {str(tmp_path / 'report')!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode in (0, 1, 5), done.stderr
    assert (tmp_path / "report" / "report.pdf").is_file()


def test_a_part_that_breaks_leaves_a_sealed_incomplete_report(small_job, tmp_path, run_cli, monkeypatch):
    from audit.examination.measures import roster

    def broken(case):
        raise ZeroDivisionError("on purpose")

    monkeypatch.setitem(roster.MEASURES, "calibration", broken)
    code, _, err = run_cli("run", small_job / "audit.yaml", "--out", tmp_path / "report")
    assert code == 3, err
    assert b"INCOMPLETE" in (tmp_path / "report" / "report.html").read_bytes()
    assert run_cli("verify", tmp_path / "report")[0] == 0


def test_existing_folder_is_refused(small_job, small_report, run_cli):
    code, _, err = run_cli("run", small_job / "audit.yaml", "--out", small_report.folder)
    assert code == 2
    assert "exists" in err


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["policy", "--help"], ["verify", "--help"]])
def test_help_teaches(command, run_cli):
    code, out, _ = run_cli(*command)
    assert code == 0
    assert "Usage" in out


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from audit.cli.main import run_command; run_command(['--help']);"
        "heavy = {'torch', 'numpy', 'pandas', 'weasyprint', 'pyhanko', 'scipy', 'matplotlib'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


def test_readme_configurations_are_read():
    """The two smallest files of the README load."""
    from audit.config.load import config_from
    from audit.yamlfile import parse_yaml

    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    smallest = [block for block in blocks if block.startswith("data: ")]
    assert len(smallest) == 2
    for block in smallest:
        config_from(parse_yaml(block).value, base=Path("/"))
