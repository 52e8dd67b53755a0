"""A run with everything around it: limits, a log, metrics, a summary, and word of what changed.

Comes in: tasks, and a `SessionOrder`. Goes out: results. The command line and every example of a pipeline come through
here, so that a night of two hundred audits and one audit by hand leave the same traces.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from audit.errors import AuditError

from .fleet import run_fleet
from .logbook import Logbook, log_path
from .metrics import write_metrics
from .notify import gather_news, tell_news
from .summary import render_fleet_junit, write_summary
from .task import AuditResult, AuditTask, describe_result, fail_task, run_loaded, worst_code

if TYPE_CHECKING:
    from audit.attestation.pipeline import Outcome
    from audit.config.schema import Config
    from audit.examination.engine.progress import Progress

    from .fleet import Listener


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """What a run leaves behind besides its reports.

    Parameters
    ----------
    jobs : int
        Audits at once.
    log : pathlib.Path or None
        File of JSON lines; else the one that ``AUDIT_LOG`` names.
    metrics : pathlib.Path or None
        Prometheus text file.
    summary : pathlib.Path or None
        Folder for a page, JSON and JUnit about all audits.
    junit : pathlib.Path or None
        JUnit file alone.
    """

    jobs: int = 1
    log: Path | None = None
    metrics: Path | None = None
    summary: Path | None = None
    junit: Path | None = None


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """What a run ended with.

    Parameters
    ----------
    results : list of AuditResult
        One per task, in their order.
    exit_code : int
        The worst of any.
    notes : list of str
        What went wrong around the audits: a message that did not get through, a file that could not be written.
    outcome : Outcome or None
        The report of a run of one audit in this very process.
    """

    results: list[AuditResult]
    exit_code: int
    notes: list[str]
    outcome: Outcome | None = None


def run_session(
    tasks: Sequence[AuditTask],
    order: SessionOrder,
    *,
    progress: Progress | None = None,
    listen: Listener | None = None,
) -> SessionEnd:
    """Make one audit or several, and leave the traces that were ordered.

    Parameters
    ----------
    tasks : sequence of AuditTask
        What to run. One alone and without limits runs in this process; all others get a process each.
    order : SessionOrder
        What to leave behind.
    progress : Progress, optional
        Hears of the stages of one audit.
    listen : callable, optional
        Hears of several; see `audit.operations.fleet.run_fleet`.

    Raises
    ------
    ConfigError
        The log cannot be written; nothing was run then.
    """
    book = Logbook(log_path(order.log))
    handler = book.listen_to_library()
    logging.getLogger("audit").addHandler(handler)
    try:
        book.write("run_started", audits=len(tasks), jobs=order.jobs)
        hear = _Ears(book, tasks, progress if len(tasks) == 1 else None, listen)
        outcome, results = _run(tasks, order.jobs, hear)
        notes = _leave_traces(tasks, results, order, book)
        code = worst_code(results)
        book.write("run_finished", exit_code=code, audits=len(results))
        return SessionEnd(results, code, notes, outcome)
    except KeyboardInterrupt:
        # who reads the log can then tell a run that was stopped from one that is still going or was killed
        book.write("run_interrupted", level="warning", audits=len(tasks))
        raise
    finally:
        logging.getLogger("audit").removeHandler(handler)
        book.close()


class _Ears:
    """Hears everything that happens, writes it down and passes it on."""

    def __init__(
        self, book: Logbook, tasks: Sequence[AuditTask], progress: Progress | None, listen: Listener | None
    ) -> None:
        self._book, self._tasks, self._progress, self._listen = book, tasks, progress, listen
        self._open: dict[int, tuple[str, float]] = {}

    def __call__(self, index: int, event: tuple[str, Any]) -> None:
        kind, about = event
        if kind in ("stage", "result"):
            self._close_stage(index)
        if kind == "stage":
            self._open[index] = (about, perf_counter())
        elif kind == "begin":
            self._book.write("audit_started", config=about)
        elif kind == "result":
            self._book.write_result(about)
        self._pass_on(kind, about)
        if self._listen:
            self._listen(index, event)

    def stage(self, name: str) -> None:
        """Hear of a stage of the only audit."""
        self(0, ("stage", name))

    def step(self, done: int, total: int) -> None:
        """Hear how far the stage of the only audit is."""
        self._pass_on("step", (done, total))

    def _close_stage(self, index: int) -> None:
        if index in self._open:
            name, begun = self._open.pop(index)
            config = str(self._tasks[index].config)
            self._book.write("stage", config=config, stage=name, seconds=round(perf_counter() - begun, 3))

    def _pass_on(self, kind: str, about: Any) -> None:
        if self._progress and kind == "stage":
            self._progress.stage(about)
        elif self._progress and kind == "step":
            self._progress.step(*about)


def _run(tasks: Sequence[AuditTask], jobs: int, ears: _Ears) -> tuple[Outcome | None, list[AuditResult]]:
    """Run one audit in this process where nothing speaks against it, else each in its own."""
    if len(tasks) > 1:
        return None, run_fleet(tasks, jobs=jobs, listen=ears)
    (task,) = tasks
    begun, config, outcome = perf_counter(), None, None
    ears(0, ("begin", str(task.config)))
    try:
        config = task.load()
        if config.limits.time is not None or config.limits.memory is not None:
            return None, run_fleet(tasks, listen=_without_begin(ears))
        outcome = run_loaded(task, config, ears)
        result = describe_result(task, outcome, perf_counter() - begun)
    except Exception as error:
        result = fail_task(task, error, config, perf_counter() - begun)
    ears(0, ("result", result))
    return outcome, [result]


def _without_begin(ears: _Ears) -> Listener:
    return lambda index, event: None if event[0] == "begin" else ears(index, event)


def _leave_traces(
    tasks: Sequence[AuditTask], results: list[AuditResult], order: SessionOrder, book: Logbook
) -> list[str]:
    """Write summary and metrics and tell the news; what fails is said and changes no verdict."""
    from audit.workflow import read_clock

    now = read_clock()
    when = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    writers: list[tuple[Path | None, Callable[[Path], object]]] = [
        (order.summary, lambda folder: write_summary(folder, results, when=when)),
        (order.junit, lambda path: _write_junit(path, results, when)),
        (order.metrics, lambda path: write_metrics(path, results, now=now.timestamp())),
    ]
    notes = []
    for place, write in writers:
        try:
            if place is not None:
                write(place)
        except (AuditError, OSError) as error:
            notes.append(str(error))
    notes += tell_news([item for item in map(_news_of, tasks, results) if item is not None], when=when)
    for note in notes:
        book.write("trouble", level="warning", message=note)
    return notes


def _write_junit(path: Path, results: list[AuditResult], when: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(render_fleet_junit(results, when=when))


def _news_of(task: AuditTask, result: AuditResult) -> Any:
    try:
        config: Config = task.load()
    except Exception:  # the result says so already, and nobody is named to be told
        return None
    return gather_news(result, config)
