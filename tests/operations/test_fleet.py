"""Many audits in one run: none stops another, limits end one clearly, the summary says everything."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest
from operations_material import hidden_folders, make_code_job, make_scored_job, state_of

from audit.operations.fleet import run_fleet
from audit.operations.summary import render_fleet_page, write_summary
from audit.operations.task import AuditResult, AuditTask, run_task, worst_code


def tasks_of(folder, *configs, **changes):
    return [AuditTask(config, out=folder / "out" / config.stem, **changes) for config in configs]


def test_one_that_breaks_stops_no_other_and_the_worst_code_wins(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("data: nowhere.csv\nlabel: x\n")
    configs = [
        make_scored_job(tmp_path, "first"),
        broken,
        make_code_job(tmp_path, "crashes", "os.kill(os.getpid(), 11)"),
        make_scored_job(tmp_path, "second", seed=8),
        tmp_path / "nowhere.yaml",
    ]
    events = []
    results = run_fleet(tasks_of(tmp_path, *configs), jobs=2, listen=lambda index, event: events.append((index, event)))
    assert [result.config for result in results] == [str(config) for config in configs]
    assert [result.exit_code for result in results][1::3] == [2, 2]
    assert {results[0].exit_code, results[3].exit_code} <= {0, 1, 5}
    assert results[2].exit_code == 3
    assert "SIGSEGV" in results[2].error or "ended" in results[2].error
    assert worst_code(results) == 3
    assert {index for index, (kind, _) in events if kind == "result"} == set(range(5))
    assert any(kind == "stage" for _, (kind, _) in events)
    seen, recorded = state_of(tmp_path)
    assert seen == set(recorded)
    assert len(recorded) == 2
    assert hidden_folders(tmp_path) == []


def test_a_fleet_finds_what_each_audit_finds_alone(tmp_path):
    config = make_scored_job(tmp_path, "alone")
    (other,) = run_fleet([AuditTask(config, out=tmp_path / "fleet")])
    mine, outcome = run_task(AuditTask(config, out=tmp_path / "here"))
    assert outcome is not None
    assert other.described["findings"] == mine.described["findings"]
    assert other.standing == mine.standing


def test_two_audits_of_one_system_wait_for_each_other(tmp_path):
    config = make_scored_job(tmp_path, "same")
    tasks = [AuditTask(config, out=tmp_path / f"out{i}") for i in range(2)]
    assert [result.error for result in run_fleet(tasks, jobs=2)] == ["", ""]


@pytest.mark.parametrize(
    ("body", "limit", "words"),
    [
        ("time.sleep(60)", "limits.time=4s", "the time limit of 4 s was reached"),
        ("hog = bytearray(900 * 2**20); hog[::4096] = b'1' * len(hog[::4096]); time.sleep(60)", "limits.memory=900MiB",
         "the memory limit of 900 MiB was reached"),
    ],
)  # fmt: skip
def test_a_limit_ends_the_audit_with_6_and_leaves_nothing(body, limit, words, tmp_path):
    config = make_code_job(tmp_path, "hungry", body)
    (result,) = run_fleet([AuditTask(config, out=tmp_path / "out", overrides=(limit,))])
    assert result.exit_code == 6, result
    assert words in result.error
    assert "nothing half-written was left" in result.error
    assert result.seconds < 30
    assert not (tmp_path / "out").exists()
    assert hidden_folders(tmp_path) == []


@pytest.mark.parametrize("text", ["0", "-3m", "soon", "3 weeks", "true"])
def test_a_limit_that_is_none_is_a_mistake(text, tmp_path):
    config = make_scored_job(tmp_path, "a")
    (result,) = run_fleet([AuditTask(config, overrides=(f"limits.time={text}",))])
    assert result.exit_code == 2
    assert "30m" in result.error


def results_of(tmp_path):
    good, _ = run_task(AuditTask(make_scored_job(tmp_path, "good"), out=tmp_path / "reports" / "good"))
    bad = AuditResult("a<script>.yaml", 3, system="<b>bad</b>", error="x < y & \x07z", hint="do & so")
    return [good, bad]


def test_summary_says_the_same_three_times(tmp_path):
    results = results_of(tmp_path)
    page = write_summary(tmp_path / "summary", results, when="2026-01-02T03:04:05Z").read_text()
    told = json.loads((tmp_path / "summary" / "summary.json").read_text())
    assert told["exit_code"] == 3
    assert [audit["exit_code"] for audit in told["audits"]] == [result.exit_code for result in results]
    root = ET.fromstring((tmp_path / "summary" / "junit.xml").read_bytes())
    assert [suite.get("name") for suite in root] == ["good", "<b>bad</b>"]
    assert int(root.get("tests")) == len(results[0].described["findings"]) + 1
    assert int(root.get("failures")) == results[0].described["counts"]["fail"]
    assert page.index("&lt;b&gt;bad") < page.index(">good</a>")  # worst first
    link = re.search(r'href="([^"]+)"', page).group(1)
    assert (tmp_path / "summary" / link).resolve() == (tmp_path / "reports" / "good" / "report.html").resolve()


def unescape_policy(page):
    return page.decode().replace("&#39;", "'")


def test_the_page_needs_no_script_and_no_network_and_escapes_everything(tmp_path):
    page = unescape_policy(render_fleet_page(results_of(tmp_path), when="2026-01-02T03:04:05Z", folder=tmp_path))
    assert "<script" not in page.replace("a&lt;script", "")
    assert "default-src 'none'" in page
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert " style=" not in page  # the policy allows the one style sheet, no attribute
    assert "x &lt; y &amp; " in page


def spoken_results(tmp_path, *languages):
    """A finished audit in each language, and one whose configuration could not be read."""
    found = [
        run_task(AuditTask(make_scored_job(tmp_path, f"job{n}"), out=tmp_path / f"r{n}", overrides=overrides))[0]
        for n, overrides in enumerate([(f"report.language={language}",) for language in languages])
    ]
    return [*found, AuditResult("gone.yaml", 2, error="there is no file gone.yaml", hint="name another one")]


def test_the_page_speaks_the_language_that_all_reports_share(tmp_path):
    results = spoken_results(tmp_path, "de", "de")
    page = render_fleet_page(results, when="2026-01-02T03:04:05Z", folder=tmp_path).decode()
    text = " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL).split())
    assert '<html lang="de">' in page
    assert "Audits vom 2. Januar 2026, 03:04" in text
    assert "3 Audits" in text
    assert "Fehler in einem Text" in text
    assert '<span lang="en">there is no file gone.yaml</span>' in page  # what a program says stays, and is marked
    counts = results[0].described["counts"]
    assert f"{counts['pass']} bestanden" in text
    assert not re.search(r"\b(?:pass|fail|inconclusive|undecided|Outcome|Seconds|Worst first)\b", text)
    assert json.loads(json.dumps(results[0].as_json()))["outcome"] in ("passed", "failed", "undecided")


@pytest.mark.parametrize("languages", [("de", "en"), ("en",), ()])
def test_the_page_is_english_where_reports_share_no_language(languages, tmp_path):
    page = render_fleet_page(spoken_results(tmp_path, *languages), when="2026-01-02T03:04:05Z", folder=tmp_path)
    assert b'<html lang="en">' in page
    assert b"Worst first." in page


def test_the_command_line_runs_a_fleet(tmp_path, run_cli, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_scored_job(tmp_path, "one")
    make_scored_job(tmp_path, "two")
    code, out, err = run_cli(
        "run", "one.yaml", "two.yaml", "gone.yaml", "--jobs", "2", "--out", "out", "--summary", "all", "--log",
        "log.jsonl", "--metrics", "audit.prom", "--junit", "j.xml",
    )  # fmt: skip
    assert code == 2
    assert [line.split()[-1] for line in out.splitlines()] == ["one.yaml", "two.yaml", "gone.yaml"]
    assert "gone.yaml" in err
    assert {path.name for path in (tmp_path / "all").iterdir()} == {"index.html", "summary.json", "junit.xml"}
    assert (tmp_path / "j.xml").read_bytes() == (tmp_path / "all" / "junit.xml").read_bytes()
    events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert events[0]["event"] == "run_started"
    assert events[-1] == {**events[-1], "event": "run_finished", "exit_code": 2, "audits": 3}
    assert sum(event["event"] == "audit_finished" for event in events) == 2
    assert {event["stage"] for event in events if event["event"] == "stage"} >= {"read data", "judge"}
    metrics = (tmp_path / "audit.prom").read_text()
    assert 'audit_exit_code{system="one"}' in metrics
    assert 'audit_exit_code{system="gone.yaml"} 2' in metrics


@pytest.mark.slow
def test_nineteen_good_ones_and_a_broken_one(tmp_path, run_cli):
    configs = [make_scored_job(tmp_path, f"m{i}", seed=i) for i in range(19)]
    (tmp_path / "broken.yaml").write_text("dta: x.csv\n")
    code, out, _ = run_cli("run", *configs[:7], tmp_path / "broken.yaml", *configs[7:], "--jobs", "2", "--out",
                           tmp_path / "out", "--json")  # fmt: skip
    told = json.loads(out)
    assert code == told["exit_code"] == 2
    assert [audit["outcome"] == "error" for audit in told["audits"]].count(True) == 1
    assert len(list((tmp_path / "out").iterdir())) == 19
