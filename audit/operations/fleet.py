"""Many audits in one run: a few at a time, each in its own process, none stopping another.

Comes in: tasks. Goes out: one result per task, in the order in which they were given. Two audits of one system are
never at work at the same time: the second waits for the first instead of failing on its lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait

from audit.config.schema import Config

from .task import AuditResult, AuditTask, fail_task
from .worker import Event, Worker, start_worker

PAUSE = 0.1
"""Seconds between two looks at limits."""
Listener = Callable[[int, Event], None]
"""Hears the index of a task and what happened to it."""


def run_fleet(tasks: Sequence[AuditTask], *, jobs: int = 1, listen: Listener | None = None) -> list[AuditResult]:
    """Make several audits.

    Parameters
    ----------
    tasks : sequence of AuditTask
        What to run.
    jobs : int
        Audits at once.
    listen : callable, optional
        Hears ``("begin", config)``, ``("stage", name)``, ``("step", (done, total))`` and ``("result", result)``.

    Returns
    -------
    list of AuditResult
        One per task, in their order; a task that broke has a result too.
    """
    return _Fleet(tasks, jobs, listen or _ignore).run()


class _Fleet:
    """The state of a run: what waits, what is at work, what is done."""

    def __init__(self, tasks: Sequence[AuditTask], jobs: int, listen: Listener) -> None:
        self._jobs, self._listen = jobs, listen
        self._threads = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else None
        self._waiting: list[tuple[int, AuditTask, Config]] = []
        self._working: dict[int, Worker] = {}
        self._done: dict[int, AuditResult] = {}
        for index, task in enumerate(tasks):
            try:
                self._waiting.append((index, task, task.load()))
            except Exception as error:
                self._finish(index, fail_task(task, error))

    def run(self) -> list[AuditResult]:
        try:
            while self._waiting or self._working:
                self._start()
                self._hear()
                self._hold_limits()
        finally:
            for worker in self._working.values():  # Ctrl-C, or the end of the listener
                worker.stop("stopped")
        return [self._done[index] for index in sorted(self._done)]

    def _start(self) -> None:
        for item in list(self._waiting):
            index, task, config = item
            busy = {_system_of(worker.config) for worker in self._working.values()}
            if len(self._working) >= self._jobs:
                return
            if _system_of(config) in busy:
                continue
            self._waiting.remove(item)
            self._listen(index, ("begin", str(task.config)))
            try:
                self._working[index] = start_worker(task, config, threads=self._threads)
            except Exception as error:
                self._finish(index, fail_task(task, error, config))

    def _hear(self) -> None:
        by_pipe = {worker.pipe: index for index, worker in self._working.items()}
        for pipe in wait(list(by_pipe), timeout=PAUSE) if by_pipe else ():
            index = by_pipe[pipe]  # type: ignore[index]
            try:
                event: Event = self._working[index].pipe.recv()
            except EOFError:  # the process is gone
                self._finish(index, self._working.pop(index).close())
                continue
            if event[0] == "result":
                self._working.pop(index).release()
                self._finish(index, event[1])
            else:
                self._listen(index, event)

    def _hold_limits(self) -> None:
        for index, worker in list(self._working.items()):
            if why := worker.exceeded():
                worker.stop(why)
                self._finish(index, self._working.pop(index).close())

    def _finish(self, index: int, result: AuditResult) -> None:
        self._done[index] = result
        self._listen(index, ("result", result))


def _system_of(config: Config) -> tuple[str, str]:
    return config.ledger.path, config.system.name


def _ignore(index: int, event: Event) -> None:
    """Hear and say nothing."""
