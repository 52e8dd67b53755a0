"""The commands as a person at a terminal, and a machine, meet them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time

import pytest
import yaml
from material import ROOT, make_table

from audit.cli.main import COMMANDS

FAST = ["--set", "report.formats=[html]"]


@pytest.fixture
def job(small_job, tmp_path):
    """A private copy of the small job."""
    return shutil.copytree(small_job, tmp_path / "job", ignore=shutil.ignore_patterns("audit-log"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, run_cli):
    code, out, err = run_cli(name, "--help")
    assert code == 0
    assert f"audit {name}" in out
    assert err == ""
    assert "[default: []]" not in out and "--empty" not in out and "--no-json" not in out
    bare = [line for line in out.splitlines() if re.search(r"--[a-z-]+\s*(PATH|STR|INT)?\s*│$", line.rstrip())]
    assert bare == [], "an option without a word about it"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["runn"], "Did you mean"),
        (["run", "--outt", "x"], "--out"),
        (["run"], "audit init"),
        (["run", "a.yaml", "--allow", "manuel"], "inconclusive or manual"),
        (["run", "a.yaml", "--fail-on", "hihg"], "high"),
        (["run", "a.yaml", "--jobs", "0"], "--jobs"),
        (["schema", "konfig"], "config"),
        (["verify", "nowhere"], "nowhere"),
        (["ledger", "check", "nowhere"], "nowhere"),
        (["policy", "explain", "baseline-fairness/selection-ration"], "selection-ratio'"),
        (["policy", "check", "baseline-fairnes"], "baseline-fairness"),
        (["init", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_wrong_words_are_exit_2_with_a_way_out(arguments, words, run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run_cli(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("audit: ")


def test_init_writes_what_run_takes(tmp_path, run_cli):
    table = make_table()
    table["outcome"] = (table["income"] > 28).map({True: "approved", False: "denied"})
    table.drop(columns="repaid").to_csv(tmp_path / "decisions.csv", index=False)
    code, out, err = run_cli("init", tmp_path / "decisions.csv", "--out", tmp_path / "first")
    assert code == 0, err
    assert out.split() == [str(tmp_path / "first" / name) for name in ("audit.yaml", "documents.yaml")]
    written = (tmp_path / "first" / "audit.yaml").read_text()
    assert "# guess" in written
    # the mark stands on a line that a person mends: here the column of decisions was not guessed from its name
    mended = re.sub(r"^label:.*|^decision:.*", "", written, flags=re.MULTILINE)
    mended += "decision: {column: outcome, favourable: approved}\neffort: fast\n"
    (tmp_path / "first" / "audit.yaml").write_text(re.sub(r"^  outcome:.*\n", "", mended, flags=re.MULTILINE))
    code, _, err = run_cli("run", tmp_path / "first" / "audit.yaml", "--out", tmp_path / "report", *FAST)
    assert code in (0, 1, 5), err
    code, _, err = run_cli("init", tmp_path / "decisions.csv", "--out", tmp_path / "first")
    assert code == 2 and "exists" in err


@pytest.mark.parametrize("which", ["config", "evidence", "policy", "documents"])
def test_schema_is_a_json_schema(which, run_cli):
    code, out, err = run_cli("schema", which)
    assert (code, err) == (0, "")
    schema = json.loads(out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["properties"] or schema.get("$ref")


def test_doctor_finds_this_installation_sound(run_cli):
    code, out, _ = run_cli("doctor")
    assert code == 0, out
    assert all(line.startswith("✓") for line in out.splitlines())


def test_doctor_names_what_is_missing(run_cli, monkeypatch):
    from audit.cli import doctor

    monkeypatch.setattr(doctor, "LIBRARIES", ("numpy", "no-such-library"))
    code, out, _ = run_cli("doctor")
    assert code == 3
    assert "✗ libraries: missing: no-such-library; install" in out


def test_policy_list_names_every_rule_that_explain_explains(run_cli):
    packs = {path.stem: yaml.safe_load(path.read_text())["rules"] for path in (ROOT / "policies").glob("*.yaml")}
    told = run_cli("policy", "list", *packs)[1]
    listed = re.findall(r"^  \w+ +([\w-]+/[\w.-]+): ", told, flags=re.MULTILINE)
    assert len(listed) == sum(len(rules) for rules in packs.values()) > 20
    for rule in listed[::29]:
        code, out, err = run_cli("policy", "explain", rule)
        assert code == 0, err
        assert out.startswith(rule)
        assert "applies" in out


def test_policy_list_of_names_holds_every_metric(run_cli):
    from audit.examination.measures.roster import DEFINITIONS

    out = run_cli("policy", "list", "--metrics")[1]
    assert [definition.id for definition in DEFINITIONS if definition.id not in out] == []


def test_json_is_one_object_and_progress_is_elsewhere(job, run_cli):
    code, out, err = run_cli("run", job / "audit.yaml", "--out", job / "report", "--json", *FAST)
    told = json.loads(out)
    assert told["exit_code"] == code
    assert told["config"] == str(job / "audit.yaml")
    assert told["folder"] == str(job / "report")
    assert told["broken"] == {}
    assert sum(told["counts"].values()) == len(told["findings"])
    assert "fit glass boxes" in err
    assert all(line == line.rstrip() for line in err.splitlines())


def test_json_also_where_no_audit_could_be_made(run_cli):
    code, out, err = run_cli("run", "nowhere.yaml", "--json")
    assert json.loads(out) == {
        "config": "nowhere.yaml",
        "outcome": "error",
        "exit_code": 2,
        "error": "nowhere.yaml: no such file",
    }
    assert code == 2 and "no such file" in err


@pytest.mark.parametrize(
    "arguments", [["attest", "evidence.json", "audit.yaml"], ["verify", "report"], ["ledger", "check", "log"]]
)
def test_json_of_a_command_that_cannot_answer(arguments, run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run_cli(*arguments, "--json")
    assert code == 2
    told = json.loads(out)
    assert (told["outcome"], told["exit_code"]) == ("error", 2)
    assert told["error"] in err.replace("audit: ", "")


def test_a_model_that_prints_stays_out_of_the_answer(job, run_cli):
    import hashlib

    (job / "loud.py").write_text("def score(frame):\n    print('HELLO')\n    return frame['income'] / 200\n")
    digest = hashlib.sha256((job / "loud.py").read_bytes()).hexdigest()
    config = yaml.safe_load((job / "audit.yaml").read_text())
    config["model"] = {"format": "python", "factory": "loud.py:score", "sha256": digest, "trust_code": True}
    (job / "audit.yaml").write_text(json.dumps(config))
    code, out, err = run_cli("run", job / "audit.yaml", "--out", job / "report", "--json", *FAST)
    assert json.loads(out)["exit_code"] == code
    assert "HELLO" in err


def test_several_configurations_and_the_worst_code_wins(job, run_cli):
    (job / "other").mkdir()
    text = (job / "audit.yaml").read_text().replace(" applicants.csv", " ../applicants.csv")
    (job / "other" / "audit.yaml").write_text(text.replace("model.ts.pt", "../model.ts.pt"))
    configs = [job / "nowhere.yaml", job / "audit.yaml", job / "other" / "audit.yaml"]
    code, out, err = run_cli("run", *configs, "--out", job / "all", *FAST)
    assert code == 2
    assert sorted(path.name for path in (job / "all").iterdir()) == ["job-audit", "other-audit"]
    summary = out.splitlines()[-3:]
    assert [line.split()[-1] for line in summary] == [str(config) for config in configs]
    assert summary[0].startswith("2  error")
    assert "nowhere.yaml: no such file" in err


def test_an_uncaught_exception_is_a_fault_of_ours_and_no_verdict(job, run_cli, monkeypatch):
    from audit import workflow

    def breaks(*arguments, **named):
        raise ZeroDivisionError("by chance")

    monkeypatch.setattr(workflow, "_examine", breaks)
    code, out, err = run_cli("run", job / "audit.yaml", "--out", job / "report", "--json", *FAST)
    told = json.loads(out)
    assert code == told["exit_code"] == 3
    assert told["outcome"] == "error"
    assert "ZeroDivisionError: by chance" in err and "fault of ours" in err


def test_set_and_extends_reach_the_report(job, run_cli):
    (job / "child.yaml").write_text("extends: audit.yaml\ntitle: The child's title\nseed: 3\n")
    code, _, err = run_cli("run", job / "child.yaml", "--out", job / "report", "--set", "seed=4", *FAST)
    assert code in (0, 1, 5), err
    evidence = json.loads((job / "report" / "audit.json").read_bytes())["evidence"]
    assert evidence["subject"]["title"] == "The child's title"
    assert evidence["provenance"]["seed"] == 4


def test_fail_on_and_allow_decide_the_code(job, run_cli):
    """The same audit, held to less and less."""
    assert run_cli("examine", job / "audit.yaml", "--out", job / "half")[0] == 0
    rule = "schema: policy/1\npack: ours\ntitle: What our house asks\nversion: 1.0.0\n"
    rule += "law: {citation: none, jurisdiction: any, status: internal, verified_on: 2026-11-21, review_by: 2027-11-21}"
    rule += "\nrules:\n  - {id: asked, title: A person says so, severity: medium, ask: 'Is it so?', asked_of: owner}\n"
    (job / "ours.yaml").write_text(rule)
    base = ["attest", job / "half" / "evidence.json", job / "audit.yaml", "--json", *FAST]
    base += ["--set", f"policies=[{job / 'ours.yaml'}]"]

    def attest(name, *more):
        code, out, err = run_cli(*base, "--out", job / name, *more)
        assert out, err
        return code, json.loads(out)["outcome"]

    assert attest("a") == (0, "passed")  # medium does not decide
    assert attest("b", "--fail-on", "medium") == (5, "undecided")
    assert attest("c", "--fail-on", "medium", "--allow", "manual") == (0, "passed")


def test_ledger_tells_and_checks(job, run_cli):
    assert run_cli("run", job / "audit.yaml", "--out", job / "report", *FAST)[0] in (0, 1, 5)
    code, out, _ = run_cli("ledger", "list", job / "audit-log")
    assert code == 0 and len(out.splitlines()) == 1
    (entry,) = json.loads(run_cli("ledger", "list", job / "audit-log", "--json")[1])
    assert entry["index"] == 0
    code, out, _ = run_cli("ledger", "check", job / "audit-log")
    assert code == 0 and out.startswith("INTACT: 1 entries")
    log = job / "audit-log" / "log.jsonl"
    text = log.read_bytes()
    log.write_bytes(text[:400].replace(b"a", b"b", 1) + text[400:])
    code, out, err = run_cli("ledger", "check", job / "audit-log")
    assert (code, out) == (4, "") and err


def test_half_an_evidence_folder_says_what_is_missing(job, run_cli):
    assert run_cli("examine", job / "audit.yaml", "--out", job / "half")[0] == 0
    next((job / "half" / "glassboxes").glob("*.json")).unlink()
    code, _, err = run_cli("attest", job / "half" / "evidence.json", job / "audit.yaml", "--out", job / "report")
    assert code == 2
    assert "whole folder" in err
    (job / "half" / "evidence.json").write_bytes(b"{}")
    (job / "half" / "evidence.dsse.json").unlink()
    code, _, err = run_cli("attest", job / "half" / "evidence.json", job / "audit.yaml", "--out", job / "report")
    assert code == 3
    assert "not the evidence of an audit" in err
    assert not (job / "report").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["policy", "list"]])
def test_short_commands_load_no_more_than_they_need(arguments):
    program = f"import sys; from audit.cli.main import run_command; run_command({arguments!r}); print(*sys.modules)"
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert time.perf_counter() - started < 10  # generous: it is modules that are counted here
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"torch", "pandas", "numpy", "scipy", "matplotlib", "weasyprint", "pyhanko", "interpret"}
    if arguments == ["--help"]:
        assert not loaded & {"pydantic", "audit.evidence", "cryptography"}
