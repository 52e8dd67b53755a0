"""Every bad input of the face with its exit code: a clear error, and no half-written folder."""

from __future__ import annotations

import errno
import hashlib
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import pytest
from material import ROOT, make_net, make_table

GOOD = {
    "data": "applicants.csv",
    "label": "repaid",
    "groups": ["sex"],
    "model": {"path": "model.ts.pt", "inputs": ["income", "debts", "age"], "output": "logit"},
    "effort": "fast",
    "report": {"formats": ["html"]},
}


@pytest.fixture
def job(small_job, tmp_path):
    """A private copy of the small job."""
    for name in ("applicants.csv", "model.ts.pt"):
        (tmp_path / name).write_bytes((small_job / name).read_bytes())
    return tmp_path


def write_config(folder: Path, **changes) -> Path:
    import json

    path = folder / "audit.yaml"
    path.write_text(json.dumps({**GOOD, **changes}), encoding="utf-8")
    return path


def change_table(folder: Path, change) -> None:
    frame = change(make_table())
    frame.to_csv(folder / "applicants.csv", index=False)


def save_script(folder: Path, net) -> None:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(net, torch.zeros(2, 3), check_trace=False).save(str(folder / "model.ts.pt"))


def _empty(folder):
    (folder / "applicants.csv").write_text("income,debts,age,sex,repaid\n")
    return {}


def _one_class(folder):
    change_table(folder, lambda t: t.assign(repaid=1))
    return {}


def _truncated(folder):
    data = (folder / "model.ts.pt").read_bytes()
    (folder / "model.ts.pt").write_bytes(data[: len(data) // 2])
    return {}


def _pickle(folder):
    (folder / "model.pkl").write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    return {"model": {**GOOD["model"], "path": "model.pkl"}}


def _nan_scores(folder):
    import torch

    class Bad(torch.nn.Module):
        def forward(self, x):
            return x[:, 0] * float("nan")

    save_script(folder, Bad())
    return {}


def _export(folder, net, *, rows=2, free=True, name="model.pt2"):
    import torch

    shapes = ({0: torch.export.Dim("batch")},) if free else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(net, (torch.zeros(rows, 3),), dynamic_shapes=shapes), folder / name)
    return {"model": {**GOOD["model"], "path": name}}


def _in_training(folder):
    import torch

    return _export(folder, torch.nn.Sequential(torch.nn.Dropout(0.5), make_net()).train(), rows=4)


class _Payload:
    def __reduce__(self):
        return os.mkdir, (str(Path(os.environ["PAYLOAD"]) / "ran"),)


def _payload(member):
    """A .pt2 one of whose members, or one more, is a pickle that would make a folder."""

    def prepare(folder):
        changes = _export(folder, make_net(), name="good.pt2")
        os.environ["PAYLOAD"] = str(folder)
        with zipfile.ZipFile(folder / "good.pt2") as good, zipfile.ZipFile(folder / "model.pt2", "w") as bad:
            names = [name for name in good.namelist() if name.endswith(member)]
            for name in good.namelist():
                bad.writestr(name, pickle.dumps(_Payload()) if name in names else good.read(name))
            if not names:
                bad.writestr(f"good/data/constants/{member}", pickle.dumps(_Payload()))
        return {"model": {**changes["model"], "path": "model.pt2"}}

    return prepare


def _code_model(folder):
    (folder / "net.py").write_text("def score(frame):\n    return [0.5]\n")
    digest = hashlib.sha256((folder / "net.py").read_bytes()).hexdigest()
    return {"model": {"format": "python", "factory": "net.py:score", "sha256": digest, "trust_code": True}}


def _weights(folder):
    import torch

    torch.save(make_net().state_dict(), folder / "weights.pt")
    return {"model": {**GOOD["model"], "path": "weights.pt"}}


def _unseen(folder):
    import torch

    class Net(torch.nn.Module):
        def forward(self, x):
            return x.sum(1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Net().eval(), torch.zeros(2, 1)).save(str(folder / "model.ts.pt"))
    codes = {"kind": "codes", "columns": ["region"], "levels": {"region": ["north", "south"]}}
    return {"model": {"path": "model.ts.pt", "inputs": [codes], "output": "logit"}}


def _policy(folder, text):
    (folder / "ours.yaml").write_text(text)
    return {"policies": ["ours.yaml"]}


RULE = """schema: policy/1
pack: ours
title: What our house asks
version: 1.0.0
law: {citation: none, jurisdiction: any, status: internal, verified_on: 2026-11-21, review_by: 2027-11-21}
rules:
  - id: one
    title: Every group is treated alike
    severity: high
    measure: %s
    for_each: %s
    must_be: at least 0.8
    judged_on: interval
    threshold_basis: organisation
"""

CASES = {
    "no such data file": (lambda f: {"data": "aplicants.csv"}, 2, "applicants.csv"),
    "no such model file": (lambda f: {"model": {**GOOD["model"], "path": "nothing.pt2"}}, 2, "nothing.pt2"),
    "empty table": (_empty, 3, "no rows"),
    "label column absent": (lambda f: {"label": "repayed"}, 2, "repaid"),
    "label with one class": (_one_class, 3, "class"),
    "group column absent": (lambda f: {"groups": ["gender"]}, 2, "gender"),
    "model file truncated": (_truncated, 3, "model"),
    "a pickle": (_pickle, 3, "pickle"),
    "wrong input width": (lambda f: {"model": {**GOOD["model"], "inputs": ["income", "debts"]}}, 3, "column"),
    "logits declared as probabilities": (lambda f: {"model": {**GOOD["model"], "output": "probability"}}, 3, "logit"),
    "NaN scores": (_nan_scores, 3, "NaN"),
    "feature unknown to the data": (
        lambda f: {"model": {**GOOD["model"], "inputs": ["incme", "debts", "age"]}},
        2,
        "income",
    ),
    "a .pt2 with a pickle among its members": (_payload("more.pkl"), 3, "more.pkl"),
    "a .pt2 with a pickle as sample inputs": (_payload("sample_inputs/model.pt"), 3, "pickle"),
    "a .pt2 with a pickle as weights": (_payload("weights/weight_0"), 3, "damaged"),
    "exported in training mode": (_in_training, 3, "net.eval()"),
    "category level unseen in training": (_unseen, 3, "'west'"),
    "a column all missing": (
        lambda f: change_table(f, lambda t: t.assign(income=float("nan"))) or {},
        3,
        "no value in income",
    ),
    "weights without a factory": (_weights, 2, "a factory must build the net"),
    "code that nobody trusted": (
        lambda f: {"model": {**_code_model(f)["model"], "trust_code": False}},
        2,
        "trust_code: true",
    ),
    "a function with one score for all rows": (_code_model, 3, "one score per row"),
    "a key that cannot sign": (lambda f: {"signing": {"key": "file:applicants.csv"}}, 2, "signing.key"),
    "unknown configuration key": (lambda f: {"lable": "repaid"}, 2, "did you mean 'label'"),
    "policy naming an unknown metric": (
        lambda f: _policy(f, RULE % ("fairness.selection_rate_ration", "protected")),
        2,
        "did you mean 'fairness.selection_rate_ratio'",
    ),
    "policy naming an unknown group": (
        lambda f: _policy(f, RULE % ("fairness.selection_rate_ratio", "gendr")),
        2,
        "gendr",
    ),
    "unknown pack": (lambda f: {"policies": ["baseline-fairnes"]}, 2, "baseline-fairness"),
    "missing values that the model is not told to fill": (
        lambda f: change_table(f, lambda t: t.assign(age=t["age"].where(t.index > 30))) or {},
        3,
        "missing",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input(name, job, run_cli):
    prepare, expected, words = CASES[name]
    changes = prepare(job)
    config = write_config(job, **changes)
    before = sorted(os.listdir(job))
    code, _, err = run_cli("run", config, "--out", job / "report")
    assert code == expected, err
    assert words.lower() in err.lower(), err
    assert "Traceback" not in err
    assert not (job / "ran").exists(), "the payload ran"
    assert sorted(os.listdir(job)) in (before, sorted([*before, "audit-log"])), "something half-written was left"


@pytest.mark.parametrize("command", ["run", "examine"])
def test_a_key_that_cannot_sign_is_told_before_the_work(command, job, run_cli, monkeypatch):
    from audit import workflow

    monkeypatch.setattr(workflow, "_examine", lambda *_: pytest.fail("measured before the key was looked at"))
    config = write_config(job, signing={"key": "file:applicants.csv"})
    assert run_cli(command, config, "--out", job / "report")[0] == 2


@pytest.mark.parametrize("out", ["applicants.csv/report", "there", "closed/report"])
def test_a_place_that_cannot_be_written_is_told_before_the_work(out, job, run_cli, monkeypatch):
    from audit import workflow
    from audit.attestation import folder

    (job / "there").mkdir()
    (job / "there" / "something").write_text("of theirs")
    (job / "closed").mkdir()
    # the superuser may write anywhere, so the answer of the system is played
    monkeypatch.setattr(folder.os, "access", lambda place, _: Path(place).name != "closed")
    monkeypatch.setattr(workflow, "_examine", lambda *_: pytest.fail("measured before the place was looked at"))
    code, _, err = run_cli("run", write_config(job), "--out", job / out)
    assert code == 2
    assert "--out" in err
    assert (job / "there" / "something").read_text() == "of theirs"


ODD = {
    "a constant column": lambda t: t.assign(debts=5.0),
    "a group with one row": lambda t: t.assign(sex=["X", *t["sex"][1:]]),
    "a missing group value": lambda t: t.assign(sex=t["sex"].where(t.index > 20)),
    "missing labels": lambda t: t.assign(repaid=t["repaid"].where(t.index > 20)),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_input_is_audited(name, job, run_cli):
    change_table(job, ODD[name])
    code, _, err = run_cli("run", write_config(job), "--out", job / "report")
    assert code in (0, 1, 5), err
    assert (job / "report" / "report.html").is_file()


def test_duplicate_keys_are_refused(job, run_cli):
    config = job / "audit.yaml"
    config.write_text("data: applicants.csv\ndata: other.csv\n")
    code, _, err = run_cli("run", config, "--out", job / "report")
    assert code == 2
    assert "audit.yaml:2:1" in err and "twice" in err


def test_all_mistakes_come_at_once_with_places(job, run_cli):
    config = job / "audit.yaml"
    config.write_text("data: applicants.csv\nlable: repaid\nefort: fast\nseed: minus\n")
    code, _, err = run_cli("run", config)
    assert code == 2
    assert "audit.yaml:2:" in err and "audit.yaml:3:" in err and "audit.yaml:4:" in err


def test_full_disk_leaves_nothing(job, run_cli, monkeypatch):
    from audit.attestation import folder

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder, "fill_folder", full)
    code, _, err = run_cli("run", write_config(job), "--out", job / "report")
    assert code == 6, err
    assert "space" in err
    assert not (job / "report").exists()
    assert not [name for name in os.listdir(job) if name.startswith(".report")]


@pytest.mark.parametrize("limit", [1_000, 20_000, 150_000])
def test_files_that_may_not_grow_leave_nothing(limit, job):
    """A real limit of the system, on every file that the run writes."""
    config = write_config(job)
    resource = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    program = f"{resource}\nimport sys\nfrom audit.cli.main import run_command\nsys.exit(run_command(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "run", str(config), "--out", str(job / "report")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert "no space left" in done.stderr and "Traceback" not in done.stderr
    assert not [name for name in os.listdir(job) if "report" in name]


def test_ledger_that_cannot_grow_takes_the_report_back(job, run_cli, monkeypatch):
    from audit.attestation.ledger import store
    from audit.errors import TryAgain

    def full(*_):
        raise TryAgain("no space left to write the ledger")

    monkeypatch.setattr(store, "append_line", full)
    config = write_config(job)
    assert run_cli("run", config, "--out", job / "report")[0] == 6
    assert not (job / "report").exists()
    monkeypatch.undo()
    assert run_cli("run", config, "--out", job / "report")[0] in (0, 1, 5)


def test_a_killed_run_stands_in_nobodys_way(job, run_cli):
    """What a killed run left in its temporary folder is neither a report nor an obstacle."""
    config = write_config(job)
    (job / ".report.left").mkdir()
    (job / ".report.left" / "audit.json").write_text("half of")
    assert run_cli("run", config, "--out", job / "report")[0] in (0, 1, 5)
    assert run_cli("verify", job / "report")[0] == 0
    shutil.rmtree(job / ".report.left")


@pytest.mark.parametrize("wait", [0.05, 1.2, 2.5])
def test_ctrl_c_leaves_nothing(wait, job):
    config = write_config(job)
    process = subprocess.Popen(
        [sys.executable, "-m", "audit", "run", str(config), "--out", str(job / "report")],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    process.stderr.readline()  # the first stage is done
    time.sleep(wait)
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert not (job / "report").exists()
    assert not [name for name in os.listdir(job) if name.startswith(".report")]


def test_net_of_the_fixture_is_a_real_one():
    import torch

    assert make_net()(torch.tensor([[32.0, 6.0, 45.0]])).item() == pytest.approx(1.06, abs=0.2)
