"""One audit as a task: what to run, what came of it, and the way between.

Comes in: an `AuditTask`, plain enough to be handed to another process. Goes out: an `AuditResult`, which is a value
even where the audit broke. Nothing is printed here.
"""

from __future__ import annotations

import errno
import logging
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from audit.config.load import load_config
from audit.config.schema import Config
from audit.errors import AuditError
from audit.evidence import Severity

if TYPE_CHECKING:
    from audit.attestation.pipeline import Outcome
    from audit.examination.engine.progress import Progress

    from .standing import Standing

_LOG = logging.getLogger(__name__)
WORST_FIRST = (4, 3, 6, 2, 1, 5, 0)
"""Which exit code wins where several hold."""
OURS = "this is a fault of ours; --debug shows where"
"""What to do about an exception that nobody foresaw."""


@dataclass(frozen=True, slots=True)
class AuditTask:
    """One audit to be made.

    Parameters
    ----------
    config : pathlib.Path
        Its audit.yaml.
    out : pathlib.Path or None
        The report folder; None for the usual place.
    overrides : tuple of str
        ``key.path=value`` each.
    fail_on, allow, interactive, fresh
        See `audit.workflow.run_audit`.
    """

    config: Path
    out: Path | None = None
    overrides: tuple[str, ...] = ()
    fail_on: Severity = "high"
    allow: frozenset[str] = frozenset()
    interactive: bool = False
    fresh: bool = False

    def load(self) -> Config:
        """Read the configuration with its overrides."""
        return load_config(self.config, overrides=self.overrides)


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What came of one audit.

    Parameters
    ----------
    config : str
        The audit.yaml.
    exit_code : int
        As the command line would end with it alone.
    outcome : str
        passed, failed, undecided, incomplete, measured, or error.
    system, title : str
        What was audited; empty where the configuration could not be read.
    seconds : float
        Wall time.
    described : dict
        The outcome for machines; empty where there is none.
    error, hint : str
        What went wrong and what to do about it; empty where nothing did.
    standing : Standing or None
        Its verdicts with their numbers.
    language : str
        Language of its report; empty where the configuration could not be read.
    """

    config: str
    exit_code: int
    outcome: str = "error"
    system: str = ""
    title: str = ""
    seconds: float = 0.0
    described: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    hint: str = ""
    standing: Standing | None = None
    language: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        if self.described:
            return {"config": self.config, **self.described, "seconds": round(self.seconds, 1)}
        system = {"system": self.system} if self.system else {}
        return {"config": self.config, **system, "outcome": "error", "exit_code": self.exit_code, "error": self.error}


def run_task(task: AuditTask, progress: Progress | None = None) -> tuple[AuditResult, Outcome | None]:
    """Make one audit; an error of any kind becomes a result.

    Parameters
    ----------
    task : AuditTask
        What to run.
    progress : Progress, optional
        Hears of stages and steps.
    """
    begun = perf_counter()
    try:
        config = task.load()
    except Exception as error:
        return fail_task(task, error), None
    try:
        outcome = run_loaded(task, config, progress)
    except Exception as error:  # one that breaks stops no other
        return fail_task(task, error, config, perf_counter() - begun), None
    return describe_result(task, outcome, perf_counter() - begun), outcome


def run_loaded(task: AuditTask, config: Config, progress: Progress | None) -> Outcome:
    """Make one audit of a configuration that was read already; errors pass through."""
    from audit.workflow import run_audit

    with redirect_stdout(sys.stderr):  # a model that prints must not stand between a machine and its JSON
        return run_audit(
            config,
            out=task.out,
            fail_on=task.fail_on,
            allow=task.allow,
            interactive=task.interactive,
            fresh=task.fresh,
            progress=progress,
        )


def describe_result(task: AuditTask, outcome: Outcome, seconds: float) -> AuditResult:
    """Return the result of an audit that was made."""
    from .description import describe_outcome
    from .standing import describe_standing

    subject = outcome.dossier.evidence.subject
    return AuditResult(
        config=str(task.config),
        exit_code=outcome.exit_code,
        outcome=outcome.dossier.judgement.outcome,
        system=subject.system,
        title=subject.title,
        seconds=seconds,
        described=describe_outcome(outcome),
        standing=describe_standing(outcome),
        language=outcome.dossier.presentation.language,
    )


def fail_task(task: AuditTask, error: Exception, config: Config | None = None, seconds: float = 0.0) -> AuditResult:
    """Return the result of an audit that could not be made."""
    _LOG.debug("%s broke", task.config, exc_info=error)
    what, hint, code = explain_error(error)
    system, language = (config.system.name, config.report.language) if config else ("", "")
    return AuditResult(str(task.config), code, system=system, seconds=seconds, error=what, hint=hint, language=language)


def worst_code(results: list[AuditResult]) -> int:
    """Return the exit code of several audits: the worst one of any wins."""
    return min((result.exit_code for result in results), key=WORST_FIRST.index, default=0)


def explain_error(error: Exception) -> tuple[str, str, int]:
    """Return what to say about an error, what to do about it, and its exit code.

    Parameters
    ----------
    error : Exception
        Whatever was raised.
    """
    if isinstance(error, AuditError):
        return str(error), "", error.exit_code
    if isinstance(error, MemoryError):
        return "memory ran out", "audit fewer rows, or give it more memory", 6
    if isinstance(error, OSError):
        return str(error), "", 6 if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else 3
    return f"{type(error).__name__}: {error}", OURS, 3
