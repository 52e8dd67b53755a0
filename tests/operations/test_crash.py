"""Killed at any moment, a run leaves the old state or the new one."""

from __future__ import annotations

import os
import random
import shutil
import time

import pytest
from operations_material import hidden_folders, make_scored_job, run_and_die, state_of

from audit.attestation.ledger.lock import hold_system
from audit.attestation.ledger.store import read_ledger
from audit.attestation.verify import verify_report
from audit.checkpoint import RESUMED
from audit.errors import TryAgain
from audit.operations.memory import kill_descendants
from audit.operations.task import AuditTask, run_task
from audit.operations.worker import put_right, server_context, start_worker


def kill_after(task, seconds):
    """Start an audit and kill it with everything below it; return whether it had finished before."""
    worker = start_worker(task, task.load(), threads=1)
    worker.process.join(seconds)
    finished = worker.process.exitcode is not None
    if not finished:
        kill_descendants(worker.process.pid)
    worker.release()
    return finished


def check_state(folder, config, before):
    """What is visible is whole at once; after the next opening of the ledger it is also what is recorded."""
    for report in folder.rglob("audit.json"):
        if not any(part.startswith(".") for part in report.relative_to(folder).parts):
            assert verify_report(report.parent).word == "INTACT"
    put_right(config)
    seen, recorded = state_of(folder)
    assert len(recorded) == len(set(recorded))
    assert seen == set(recorded)
    assert len(recorded) - before in (0, 1)
    return len(recorded)


def crash_often(folder, times, seed):
    config_path = make_scored_job(folder, "crashing")
    reports = folder / "reports"
    begun = time.perf_counter()
    _, outcome = run_task(AuditTask(config_path, out=reports / "first"))
    assert outcome is not None
    length = min(time.perf_counter() - begun, 2.5)
    recorded, finished = 1, 0
    draw = random.Random(seed)
    config = AuditTask(config_path).load()
    for i in range(times):
        task = AuditTask(config_path, out=reports / f"r{i}", overrides=(f"seed={i}",))
        finished += kill_after(task, draw.uniform(0.05, 1.3 * length))
        recorded = check_state(folder, config, recorded)
    result, outcome = run_task(AuditTask(config_path, out=reports / "last"))
    assert outcome is not None, result.error
    assert hidden_folders(reports) == []
    assert hidden_folders(folder / "audit-log") == []
    return finished


def test_three_kills(tmp_path):
    crash_often(tmp_path, 3, seed=1)


@pytest.mark.slow
def test_fifty_kills(tmp_path):
    finished = crash_often(tmp_path, 50, seed=2)
    assert 0 < finished < 50  # some fell before the end and some after it


def die_in(folder, place):
    """Run an audit in a process that kills itself at a place in the code; return its exit code."""
    process = server_context().Process(
        target=run_and_die, args=(place, str(folder / "crashing.yaml"), str(folder / "reports" / "died"))
    )
    process.start()
    process.join()
    return process.exitcode


@pytest.fixture
def job(tmp_path, monkeypatch):
    # the code may be worked on while the tests run, and a checkpoint of other code is none
    monkeypatch.setattr("audit.checkpoint.digest_code", lambda: "this code")
    make_scored_job(tmp_path, "crashing")
    return tmp_path


def test_a_report_that_was_written_and_not_recorded_is_taken_back(job):
    code = die_in(job, "from audit.attestation.ledger.store import Ledger; Ledger.append = die")
    assert code == -9
    assert (job / "reports" / "died" / "audit.json").is_file()  # whole and sealed, but the history does not know it
    assert (job / "audit-log" / "pending").is_file()
    config = AuditTask(job / "crashing.yaml").load()
    assert check_state(job, config, 0) == 0
    assert not (job / "reports" / "died").exists()
    assert not (job / "audit-log" / "pending").exists()


def test_a_report_that_was_recorded_stays_whatever_came_after(job):
    code = die_in(job, "from audit.attestation.ledger import disk; disk.replace_file = die")
    assert code == -9
    config = AuditTask(job / "crashing.yaml").load()
    assert check_state(job, config, 0) == 1
    assert (job / "reports" / "died" / "audit.json").is_file()


def test_a_half_written_folder_is_swept_away(job):
    assert die_in(job, "import audit.attestation.folder as f; f.fill_folder = die") == -9
    # the checkpoint is the first folder that is written, and its half goes with the next run
    assert hidden_folders(job / "audit-log")
    _, outcome = run_task(AuditTask(job / "crashing.yaml", out=job / "reports" / "next"))
    assert outcome is not None
    assert hidden_folders(job) == []


def test_a_private_file_of_an_unrecorded_report_goes_with_it(job):
    with (job / "crashing.yaml").open("a") as handle:
        handle.write("keep: {scores: true}\n")
    assert die_in(job, "from audit.attestation.ledger.store import Ledger; Ledger.append = die") == -9
    assert (job / "reports" / "died.scores.parquet").is_file()
    put_right(AuditTask(job / "crashing.yaml").load())
    assert list((job / "reports").iterdir()) == []


def test_only_the_very_folder_of_the_note_is_removed(job):
    die_in(job, "from audit.attestation.ledger.store import Ledger; Ledger.append = die")
    died = job / "reports" / "died"
    (died / "audit.json").write_bytes(b"{}")  # somebody put something else there
    put_right(AuditTask(job / "crashing.yaml").load())
    assert died.is_dir()


def test_a_retry_measures_nothing_twice(job, monkeypatch):
    assert die_in(job, "import audit.attestation.pipeline as p; p.judge = die") == -9
    kept = job / "audit-log" / "checkpoints" / "crashing"
    assert (kept / "evidence.json").is_file()
    assert kept.parent.stat().st_mode & 0o077 == 0
    assert not [path for path in kept.rglob("*") if "individual" in path.name or path.suffix == ".csv"]
    from audit import workflow

    def measured_again(*arguments, **named):
        raise AssertionError("examined twice")

    with monkeypatch.context() as patch:
        patch.setattr(workflow, "_examine", measured_again)
        result, outcome = run_task(AuditTask(job / "crashing.yaml", out=job / "reports" / "second"))
    assert outcome is not None, result.error
    assert outcome.dossier.judgement.evidence_signed == RESUMED
    assert any("taken up again" in note for note in outcome.notes)
    assert not kept.exists()  # nothing is kept once the report is recorded
    assert verify_report(job / "reports" / "second").word == "INTACT"


@pytest.fixture(scope="module")
def examined(tmp_path_factory):
    """A job that was killed between its halves, made once, and a copy of how it was then."""
    folder = tmp_path_factory.mktemp("examined") / "job"
    make_scored_job(folder, "crashing")
    assert die_in(folder, "import audit.attestation.pipeline as p; p.judge = die") == -9
    return folder, shutil.copytree(folder, folder.with_name("as-it-was"))


@pytest.mark.parametrize("change", ["data", "settings", "evidence", "fresh", "unsigned"])
def test_a_checkpoint_of_anything_else_is_not_taken(examined, change, monkeypatch):
    monkeypatch.setattr("audit.checkpoint.digest_code", lambda: "this code")
    job, as_it_was = examined
    shutil.rmtree(job)
    shutil.copytree(as_it_was, job)  # in its place, because a checkpoint holds for these very files
    kept, calls = job / "audit-log" / "checkpoints" / "crashing", []
    from audit import workflow

    real = workflow._examine
    monkeypatch.setattr(workflow, "_examine", lambda *a, **k: (calls.append(1), real(*a, **k))[1])
    task = AuditTask(job / "crashing.yaml", out=job / "reports" / "second")
    if change == "data":
        text = (job / "crashing.csv").read_text()
        (job / "crashing.csv").write_text(text.replace(",north,", ",south,", 1))
    elif change == "settings":
        task = AuditTask(task.config, out=task.out, overrides=("seed=5",))
    elif change == "fresh":
        task = AuditTask(task.config, out=task.out, fresh=True)
    elif change == "unsigned":
        (kept / "evidence.dsse.json").unlink()
    else:
        data = (kept / "evidence.json").read_bytes()
        (kept / "evidence.json").write_bytes(data.replace(b'"seed":0', b'"seed":1', 1))
        result, _ = run_task(task)
        assert result.exit_code == 4, result.error
        return
    result, outcome = run_task(task)
    assert outcome is not None, result.error
    assert calls == [1]


def test_nothing_about_single_people_is_kept(job, monkeypatch):
    from audit import checkpoint
    from audit.examination.pipeline import Examination

    result, outcome = run_task(AuditTask(job / "crashing.yaml", out=job / "reports" / "one"))
    assert outcome is not None, result.error
    config = AuditTask(job / "crashing.yaml").load()
    private = Examination(outcome.dossier.evidence, {}, {"individuals/a.json": b"{}"})
    assert not checkpoint.keep_checkpoint(config, private, None)
    assert checkpoint.keep_checkpoint(config, Examination(outcome.dossier.evidence, {}), None)


def test_a_system_is_audited_once_at_a_time_and_the_holder_is_named(job):
    (job / "audit-log").mkdir()
    with hold_system(job / "audit-log", "crashing", since="2026-01-02T03:04:05Z"):
        result, _ = run_task(AuditTask(job / "crashing.yaml", out=job / "out"))
        assert result.exit_code == 6
        assert f"process {os.getpid()} on " in result.error
        assert "since 2026-01-02T03:04:05Z" in result.error
        with pytest.raises(TryAgain), hold_system(job / "audit-log", "crashing", since="now"):
            pass
        with hold_system(job / "audit-log", "another", since="now") as told:
            assert told == ""
    assert not (job / "out").exists()
    result, outcome = run_task(AuditTask(job / "crashing.yaml", out=job / "out"))
    assert outcome is not None, result.error


def test_the_lock_of_a_dead_process_is_taken_over(job):
    assert die_in(job, "import audit.workflow as w; w._examine = die") == -9
    assert '"pid"' in (job / "audit-log" / "running" / "crashing.lock").read_text()
    result, outcome = run_task(AuditTask(job / "crashing.yaml", out=job / "out"))
    assert outcome is not None, result.error
    assert any("took over from process" in note for note in outcome.notes)
    shutil.rmtree(job / "out")
    assert len(read_ledger(job / "audit-log")[0].entries) == 1
