"""What a person at a terminal sees; the only file that writes to stdout and stderr with colours.

Comes in: outcomes, errors, progress. Goes out: progress and errors on stderr, the verdict table on stdout.
"""

from __future__ import annotations

import errno
import json
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from audit.errors import AuditError

from .interrupt import heed_interrupt

if TYPE_CHECKING:
    from audit.attestation.pipeline import Outcome
    from audit.evidence import RuleFinding

MARKS = {
    "error": ("!", "red"),
    "fail": ("✗", "red"),
    "inconclusive": ("?", "yellow"),
    "manual": ("✎", "yellow"),
    "warn": ("!", "yellow"),
    "waived": ("~", "cyan"),
    "pass": ("✓", "green"),
    "not_applicable": ("·", "dim"),
}
SENTENCES = {
    "passed": "PASSED: every rule that decides was decided, and none failed.",
    "failed": "FAILED: at least one rule of the deciding severity failed.",
    "undecided": "UNDECIDED: no rule of the deciding severity failed, but at least one could not be decided, "
    "or no rule applied at all.",
    "measured": "MEASURED, NOT JUDGED: no policy was asked for.",
    "incomplete": "INCOMPLETE: a part of the examination broke; see the report.",
}


OURS = "this is a fault of ours; --debug shows where"
"""What to do about an exception that nobody foresaw."""


class TerminalProgress:
    """Progress on stderr: one line per stage with its seconds; a counter for long stages on a terminal."""

    def __init__(self) -> None:
        self._begun, self._name, self._terminal = perf_counter(), "", sys.stderr.isatty()

    def stage(self, name: str) -> None:
        """Close the last stage with its time and open `name`."""
        heed_interrupt()
        self.close()
        self._begun, self._name = perf_counter(), name
        if self._terminal:
            sys.stderr.write(f"  … {name}\r")
            sys.stderr.flush()

    def step(self, done: int, total: int) -> None:
        """Show how far the stage is, on a terminal only."""
        heed_interrupt()
        if self._terminal and total:
            sys.stderr.write(f"  … {self._name} {done:,}/{total:,}   \r")
            sys.stderr.flush()

    def close(self) -> None:
        """End the open stage."""
        if self._name:
            # blanks cover what the counter left on this line of the screen
            cover = " " * 24 if self._terminal else ""
            sys.stderr.write(f"  {perf_counter() - self._begun:6.1f} s  {self._name}{cover}\n")
            sys.stderr.flush()
        self._name = ""


def explain_error(error: Exception) -> tuple[str, str, int]:
    """Return what to say about an error, what to do about it, and its exit code.

    Parameters
    ----------
    error : Exception
        Whatever a command raised.
    """
    if isinstance(error, AuditError):
        return str(error), "", error.exit_code
    if isinstance(error, MemoryError):
        return "memory ran out", "audit fewer rows, or give it more memory", 6
    if isinstance(error, OSError):
        return str(error), "", 6 if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else 3
    return f"{type(error).__name__}: {error}", OURS, 3


def tell_error(what: str, *, hint: str = "", code: int) -> int:
    """Print an error to stderr and return `code`.

    Parameters
    ----------
    what : str
        One or more lines.
    hint : str
        What to do.
    code : int
        The exit code.
    """
    sys.stderr.write("".join(f"audit: {line}\n" for line in what.splitlines() or [""]))
    if hint:
        sys.stderr.write(f"audit: {hint}\n")
    return code


def tell(line: str = "") -> None:
    """Print one line to stdout."""
    sys.stdout.write(line + "\n")


def note(line: str) -> None:
    """Print one line to stderr."""
    sys.stderr.write(line + "\n")


def tell_outcome(outcome: Outcome, *, title: str = "") -> None:
    """Print the verdict table and where the report is."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # a log file has no width of its own
    screen = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 120)
    judgement = outcome.dossier.judgement
    table = Table(title=title or outcome.dossier.evidence.subject.title, title_justify="left", box=None, pad_edge=False)
    for heading in ("", "rule", "severity", "because"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("", "severity"))
    for finding in sort_findings(judgement.findings):
        mark, colour = MARKS[finding.status]
        table.add_row(
            Text(f"{mark} {finding.status.replace('_', ' ')}", style=colour),
            Text(finding.rule),
            Text(finding.severity),
            Text(_say_because(finding)),
        )
    if judgement.findings:
        screen.print(table)
    screen.print(Text(SENTENCES[judgement.outcome], style="bold"))
    for name, why in outcome.dossier.evidence.why_broken().items():
        screen.print(Text(f"{name} broke: {why}", style="red"))
    for line in (*judgement.warnings, *outcome.notes):
        screen.print(Text(line, style="yellow"))
    signer = outcome.dossier.presentation.signer
    if signer is None:
        screen.print("Signature: none (no key configured). Set signing.key; `development` makes one that names nobody.")
    elif signer.development:
        screen.print("Signature: development key, proves no identity. Set signing.key and signing.certificate.")
    else:
        screen.print(f"Signature: {signer.name}")
    for name in ("report.html", "report.pdf"):
        if name in outcome.files:
            tell(str(outcome.folder / name))


def sort_findings(findings: tuple[RuleFinding, ...]) -> list[RuleFinding]:
    """Return findings worst and gravest first."""
    from audit.evidence import SEVERITY_ORDER, VERDICT_ORDER

    return sorted(findings, key=lambda f: (VERDICT_ORDER.index(f.status), SEVERITY_ORDER.index(f.severity)))


def describe_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as a JSON value for machines."""
    from audit.evidence import VERDICT_ORDER

    judgement, evidence = outcome.dossier.judgement, outcome.dossier.evidence
    return {
        "system": evidence.subject.system,
        "outcome": judgement.outcome,
        "exit_code": outcome.exit_code,
        "folder": str(outcome.folder),
        "dossier": outcome.dossier.digest(),
        "evidence": judgement.evidence_digest,
        "broken": evidence.why_broken(),
        "counts": {word: judgement.count(word) for word in VERDICT_ORDER},
        "findings": [
            {
                "rule": f.rule,
                "severity": f.severity,
                "status": f.status,
                "because": _say_because(f),
                "ids": [v.id for v in f.verdicts if v.status == f.status],
            }
            for f in sort_findings(judgement.findings)
        ],
    }


def tell_json(value: Any) -> None:
    """Print one JSON value to stdout."""
    tell(json.dumps(value, indent=2, ensure_ascii=False))


def tell_file(path: Path) -> None:
    """Print a path to stdout."""
    tell(str(path))


def _say_because(finding: RuleFinding) -> str:
    same = [v for v in finding.verdicts if v.status == finding.status]
    # a reference compared with itself passes by definition and tells a reader nothing
    telling = [v for v in same if v.observed is None or v.observed.method != "by definition"]
    return next((v.because for v in telling or same), "")
