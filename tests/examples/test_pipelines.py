"""The examples of pipelines, executed: their own lines, in a folder, with this very command."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from material import ROOT
from operations_material import make_scored_job

PIPELINES = ROOT / "examples" / "pipelines"


@pytest.fixture
def workplace(tmp_path):
    """A checkout with an audit.yaml, and a PATH with `audit` and a `gh` that writes down what it was asked."""
    folder, bin_folder = tmp_path / "checkout", tmp_path / "bin"
    make_scored_job(folder, "audit")
    bin_folder.mkdir()
    (bin_folder / "audit").write_text(f'#!/bin/sh\nexec {sys.executable} -m audit "$@"\n')
    (bin_folder / "gh").write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/gh.txt\ncase "$*" in *--edit-last*) exit 1;; esac\n'
    )
    for program in bin_folder.iterdir():
        program.chmod(0o755)
    environment = {
        **os.environ, "PATH": f"{bin_folder}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "SIGNING_KEY": "", "NUMBER": "7",
    }  # fmt: skip
    return folder, environment


def run_lines(lines, workplace):
    folder, environment = workplace
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", lines],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_github_actions(workplace):
    folder, _ = workplace
    job = yaml.safe_load((PIPELINES / "github-actions.yml").read_text())["jobs"]["audit"]
    steps = {step.get("name", step.get("uses")): step for step in job["steps"]}
    done = run_lines(steps["audit"]["run"], workplace)
    assert done.returncode in (1, 5), done.stderr  # the step, and with it the check, is red
    commented = run_lines(steps["comment"]["run"], workplace)
    assert commented.returncode == 0, commented.stderr
    asked = (folder.parent / "gh.txt").read_text().splitlines()
    assert asked == ["pr comment 7 --edit-last --body-file comment.md", "pr comment 7 --body-file comment.md"]
    assert (folder / "comment.md").read_text().startswith((folder / "report" / "report.md").read_text()[:500])
    sarif = json.loads((folder / steps["annotations"]["with"]["sarif_file"]).read_text())
    assert sarif["version"] == "2.1.0"
    assert all((folder / path).exists() for path in steps["keep the report"]["with"]["path"].split())
    # each later step looks for a file that is there, and runs whatever the audit said
    for step in list(steps.values())[4:]:
        (wanted,) = re.findall(r"hashFiles\('([^']+)'\)", step["if"])
        assert step["if"].startswith("always()") and (folder / wanted).is_file()


def test_gitlab(workplace):
    folder, _ = workplace
    job = yaml.safe_load((PIPELINES / "gitlab-ci.yml").read_text())["audit"]
    done = run_lines("\n".join(job["script"]), workplace)
    assert done.returncode in (1, 5), done.stderr
    assert job["retry"]["exit_codes"] == [6]
    wanted = [*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"], *job["cache"]["paths"]]
    assert all((folder / path).exists() for path in wanted)


def make_server(workplace):
    """Lay out /srv/audits below the checkout; return how to put its paths into a line."""
    folder, _ = workplace
    for name in ("one", "two"):
        make_scored_job(folder / "srv" / "models", name)
    places = {"/srv/audits": folder / "srv", "/var/lib/node_exporter": folder / "node", "/opt/audit/bin/audit": "audit"}

    def put(line):
        for path, place in places.items():
            line = line.replace(path, str(place))
        return line

    return folder, put


def check_server(folder, done):
    assert done.returncode in (0, 1, 5), done.stderr
    summary = json.loads((folder / "srv" / "summary" / "summary.json").read_text())
    assert [audit["system"] for audit in summary["audits"]] == ["one", "two"]
    assert 'audit_exit_code{system="two"}' in (folder / "node" / "audit.prom").read_text()
    assert (folder / "srv" / "audit.jsonl").is_file()


def test_cron(workplace):
    folder, put = make_server(workplace)
    (line,) = [line for line in (PIPELINES / "audit.cron").read_text().splitlines() if re.match(r"[0-9*]", line)]
    fields = line.split(None, 6)
    assert all(re.fullmatch(r"[0-9*/,-]+", field) for field in fields[:5])
    command = fields[6].replace(r"\%", "%")  # cron's own spelling
    assert "%" not in fields[6].replace(r"\%", "")
    check_server(folder, run_lines(put(command), workplace))
    assert len(list((folder / "srv" / "reports").glob("*/*/report.html"))) == 2


def read_unit(name):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(PIPELINES / name)
    return unit


def test_systemd(workplace):
    folder, put = make_server(workplace)
    service = read_unit("audit.service")["Service"]
    match = re.fullmatch(r"/bin/bash -c '(.*)'", service["ExecStart"])
    log = f"export {put(service['Environment'])}; cd {put(service['WorkingDirectory'])}; "
    done = run_lines(log + put(match[1]), workplace)
    check_server(folder, done)
    assert str(done.returncode) in ("0", *service["SuccessExitStatus"].split())
    assert service["RestartForceExitStatus"] == "6"
    assert service["Type"] != "oneshot"  # which systemd before 256 refuses together with RestartForceExitStatus
    assert read_unit("audit.timer")["Timer"]["Persistent"] == "true"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_systemd_accepts_the_units(tmp_path):
    for name in ("audit.service", "audit.timer"):
        text = (PIPELINES / name).read_text().replace("/opt/audit/bin/audit", "/bin/true")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *tmp_path.iterdir()], capture_output=True, text=True, check=False
    )
    assert not re.search("Unknown|Failed to parse|Refusing", done.stderr)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_systemd_understands_the_calendar():
    when = read_unit("audit.timer")["Timer"]["OnCalendar"]
    assert subprocess.run(["systemd-analyze", "calendar", when], capture_output=True, check=False).returncode == 0


def blocks_of(language):
    return re.findall(rf"^```{language}\n(.*?)^```", (PIPELINES / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def test_snippets_are_what_they_say():
    for snippet in blocks_of("python"):
        compile(snippet, "README.md", "exec")
    cron_job, notify = map(yaml.safe_load, blocks_of("yaml"))
    (container,) = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["args"][0] == "run"
    from audit.config.unattended import LimitsOrder, NotifyOrder

    assert NotifyOrder(**notify["notify"]).webhook == "env:AUDIT_WEBHOOK"
    assert LimitsOrder(**notify["limits"]).time == 1800


def test_every_command_line_has_flags_that_exist(run_cli):
    help_text = run_cli("run", "--help")[1]
    texts = [path.read_text() for path in PIPELINES.iterdir() if path.is_file()]
    lines = [re.sub(r"\\\n\s*", " ", text) for text in texts]
    flags = {
        flag
        for text in lines
        for line in re.findall(r"audit run [^\n]*", text)
        for flag in re.findall(r"--[a-z-]+", line)
    }
    assert {"--jobs", "--log", "--time-limit"} <= flags
    assert sorted(flag for flag in flags if flag not in help_text) == []


def test_readme_names_every_example():
    readme = (PIPELINES / "README.md").read_text()
    assert [path.name for path in PIPELINES.iterdir() if path.name != "README.md" and path.name not in readme] == []
    named = re.findall(r"\]\(([^)]+)\)", readme)
    assert all(Path(PIPELINES / name).exists() for name in named)


def test_gate_ends_with_6_where_the_server_is_down(workplace, monkeypatch):
    pytest.importorskip("mlflow", reason="MLflow is not installed (pip install mlflow)")
    folder, environment = workplace
    command = [sys.executable, str(PIPELINES / "mlflow_gate.py"), "audit.yaml", "models:/credit@candidate"]
    down = {**environment, "MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    done = subprocess.run(command, cwd=folder, env=down, capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert "does not answer" in done.stderr
