"""What happened, as JSON lines: one object per line, appended, for whatever collects logs.

Comes in: events of a run. Goes out: lines in a file. A line is written with one call in append mode, so that several
runs may share a file. No secret and no row of data reaches it: it holds names of systems, stages, verdicts, errors.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit.errors import ConfigError

from .task import AuditResult

ENVIRONMENT = "AUDIT_LOG"
"""Variable that names the file where no flag does."""


class Logbook:
    """A file of JSON lines.

    Parameters
    ----------
    path : pathlib.Path or None
        The file; None: nothing is written.

    Raises
    ------
    ConfigError
        Nothing can be written there.
    """

    def __init__(self, path: Path | None) -> None:
        self._descriptor: int | None = None
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise ConfigError(f"cannot write {path}: {error.strerror}", place="--log") from None

    def write(self, event: str, *, level: str = "info", **about: Any) -> None:
        """Append one event.

        Parameters
        ----------
        event : str
            What happened: ``run_started``, ``stage``, ``audit_finished``, ...
        level : {"debug", "info", "warning", "error"}
            How much it matters.
        **about
            Whatever belongs to it; JSON values.
        """
        if self._descriptor is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": now, "level": level, "event": event, "pid": os.getpid(), **about}, default=str)
        os.write(self._descriptor, line.encode() + b"\n")

    def write_result(self, result: AuditResult) -> None:
        """Append what came of one audit."""
        about: dict[str, Any] = {"config": result.config, "system": result.system, "outcome": result.outcome}
        about |= {"exit_code": result.exit_code, "seconds": round(result.seconds, 3)}
        if result.error:
            self.write("audit_failed", level="error", **about, error=result.error)
            return
        told = {key: result.described[key] for key in ("folder", "dossier", "counts")}
        self.write("audit_finished", level="info" if result.exit_code == 0 else "warning", **about, **told)

    def listen_to_library(self) -> logging.Handler:
        """Return a handler that appends what the library itself logs (warnings and worse)."""
        return _Lines(self)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class _Lines(logging.Handler):
    """Log records of the library as events."""

    def __init__(self, book: Logbook) -> None:
        super().__init__(logging.WARNING)
        self._book = book

    def emit(self, record: logging.LogRecord) -> None:
        self._book.write("log", level=record.levelname.lower(), logger=record.name, message=record.getMessage())


def log_path(flag: Path | None) -> Path | None:
    """Return the file that the flag names, else the environment; None where neither does."""
    named = os.environ.get(ENVIRONMENT, "")
    return flag or (Path(named) if named else None)
