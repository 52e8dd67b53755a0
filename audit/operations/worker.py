"""One audit in a process of its own: it may crash, hang or eat memory without taking anything else along.

Comes in: an `AuditTask` and what it may use. Goes out: events (stages, steps) and in the end one `AuditResult`. Workers
are forked from a server process that has imported everything once, so that twenty audits pay for one import.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from time import perf_counter
from typing import Any

from audit.config.schema import Config

from .memory import can_measure, kill_descendants, used_memory
from .task import AuditResult, AuditTask, fail_task, run_task

Event = tuple[str, Any]
"""``("stage", name)``, ``("step", (done, total))`` or ``("result", AuditResult)``."""


class PipeProgress:
    """Progress that is told through a pipe; the end of the listener is the end of the work."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def stage(self, name: str) -> None:
        """Tell of a stage."""
        self._pipe.send(("stage", name))

    def step(self, done: int, total: int) -> None:
        """Tell how far the stage is."""
        self._pipe.send(("step", (done, total)))


@dataclass(slots=True)
class Worker:
    """A process at work.

    Parameters
    ----------
    task : AuditTask
        Its audit.
    config : Config
        Read by the parent, for limits and for putting things right after a kill.
    pipe : Connection
        Where its events come from.
    process : Process
        The process.
    """

    task: AuditTask
    config: Config
    pipe: Connection
    process: ForkServerProcess
    begun: float = field(default_factory=perf_counter)
    stopped: str = ""

    @property
    def seconds(self) -> float:
        """Wall time so far."""
        return perf_counter() - self.begun

    def exceeded(self) -> str:
        """Return which limit the audit is beyond, in words; empty where none."""
        limits = self.config.limits
        if limits.time is not None and self.seconds > limits.time:
            return f"the time limit of {limits.time:g} s was reached"
        if limits.memory is not None and (used := used_memory(int(self.process.pid or 0))) > limits.memory:
            return f"the memory limit of {_size(limits.memory)} was reached ({_size(used)} in use)"
        return ""

    def stop(self, why: str) -> None:
        """End the process and all that it started, and put right what it left half done."""
        self.stopped = why
        if self.process.pid:
            kill_descendants(self.process.pid)
        self.process.join()
        put_right(self.config)

    def release(self) -> int | None:
        """Wait for the end of the process and give back what it held; return its exit code."""
        self.process.join()
        code = self.process.exitcode
        self.pipe.close()
        self.process.close()
        return code

    def close(self) -> AuditResult:
        """Return the result of a process that ended without handing one over."""
        code = self.release()
        if not self.stopped:
            put_right(self.config)
        if self.stopped:
            error: Exception = _again(self.stopped)
        elif code == -signal.SIGKILL:
            error = _again("the process was killed from outside, most likely because memory ran out")
        else:
            error = _broke(code)
        return fail_task(self.task, error, self.config, self.seconds)


def server_context() -> ForkServerContext:
    """Return the context whose processes are forked from a server that has imported everything once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["audit.operations.preload"])
    return context


def start_worker(task: AuditTask, config: Config, *, threads: int | None) -> Worker:
    """Start the audit of a task in a process of its own.

    Parameters
    ----------
    task : AuditTask
        What to run.
    config : Config
        Its configuration as read.
    threads : int or None
        Threads that it may compute with; None: as many as it likes.

    Raises
    ------
    ConfigError
        A memory limit on a system that does not say how much memory a process uses.
    """
    from audit.errors import ConfigError

    if config.limits.memory is not None and not can_measure():
        raise ConfigError("this system does not say how much memory a process uses", place="limits.memory")
    context = server_context()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, task, dict(os.environ), str(Path.cwd()), threads))
    process.start()
    theirs.close()
    return Worker(task, config, ours, process)


def put_right(config: Config) -> None:
    """Take back what a killed audit left behind, by opening its ledger once as a writer."""
    from audit.attestation.ledger.store import hold_ledger
    from audit.errors import AuditError

    if (Path(config.ledger.path) / "lock").is_file():
        with contextlib.suppress(AuditError), hold_ledger(config.ledger):
            pass


def _work(pipe: Connection, task: AuditTask, environment: dict[str, str], folder: str, threads: int | None) -> None:
    """Run in the child: a session of its own, the parent's folder and environment, one audit, one result."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    result, _ = run_task(task, PipeProgress(pipe))
    pipe.send(("result", result))
    pipe.close()


def _again(why: str) -> Exception:
    from audit.errors import TryAgain

    return TryAgain(f"{why}; nothing half-written was left", hint="raise the limit, or audit fewer rows")


def _broke(code: int | None) -> Exception:
    from audit.errors import AuditError

    how = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
    return AuditError(f"the process of this audit ended without a result ({how})", hint="the model may have crashed it")


def _size(count: int) -> str:
    return f"{count / 2**30:.2g} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
