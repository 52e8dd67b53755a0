"""What a person at a terminal sees; the only file that writes to stdout and stderr with colours.

Comes in: outcomes, errors, progress. Goes out: progress and errors on stderr, the verdict table on stdout.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import shorten
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .interrupt import heed_interrupt

if TYPE_CHECKING:
    from rich.console import Console

    from audit.attestation.pipeline import Outcome
    from audit.evidence import RuleFinding
    from audit.evidence.dossier import SignerShown
    from audit.operations.task import AuditResult

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
        """Show how far the stage is and about how long it will take, on a terminal only."""
        heed_interrupt()
        if self._terminal and total:
            left = say_left(perf_counter() - self._begun, done, total)
            sys.stderr.write(f"  … {self._name} {done:,}/{total:,}{left}".ljust(76) + "\r")
            sys.stderr.flush()

    def close(self) -> None:
        """End the open stage."""
        if self._name:
            # blanks cover what the counter left on this line of the screen
            cover = " " * 60 if self._terminal else ""
            sys.stderr.write(f"  {perf_counter() - self._begun:6.1f} s  {self._name}{cover}\n")
            sys.stderr.flush()
        self._name = ""


def say_left(passed: float, done: int, total: int) -> str:
    """Say about how long a stage goes on, where it is long; empty at its beginning and for a short one.

    Parameters
    ----------
    passed : float
        Seconds since it began.
    done, total : int
        Pieces of it.

    Examples
    --------
    >>> say_left(30.0, 1, 4), say_left(400.0, 1, 4), say_left(0.5, 1, 4)
    (', about 90 s left', ', about 20 min left', '')
    """
    if done <= 0 or done >= total or passed < 2.0:
        return ""
    left = passed / done * (total - done)
    return f", about {left:.0f} s left" if left < 120 else f", about {left / 60:.0f} min left"


class FleetProgress:
    """Progress of several audits on stderr: a line per finished audit, and on a terminal what is left to do."""

    def __init__(self, names: list[str], heed: Callable[[], None] = heed_interrupt) -> None:
        self._names, self._heed, self._terminal = names, heed, sys.stderr.isatty()
        self._begun, self._done, self._stages = perf_counter(), 0, dict[int, str]()

    def hear(self, index: int, event: tuple[str, Any]) -> None:
        """Hear of an event of one audit; see `audit.operations.fleet.run_fleet`."""
        self._heed()
        kind, about = event
        if kind == "result":
            self._done += 1
            self._stages.pop(index, None)
            text = f"  {about.seconds:6.1f} s  {about.outcome:10}  {self._names[index]}"
            sys.stderr.write(text + (" " * 40 if self._terminal else "") + "\n")
        elif kind in ("begin", "stage"):
            self._stages[index] = "" if kind == "begin" else about
        if self._terminal:
            sys.stderr.write(f"  … {self._say_left()}\r")
        sys.stderr.flush()

    def _say_left(self) -> str:
        left = len(self._names) - self._done
        passed = perf_counter() - self._begun
        eta = f", about {passed / self._done * left:.0f} s left" if self._done and left else ""
        return f"{self._done} of {len(self._names)} done, {len(self._stages)} at work{eta}".ljust(60)


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
    from rich.console import Console as Screen
    from rich.text import Text

    # a log file has no width of its own
    screen = Screen(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 120)
    judgement = outcome.dossier.judgement
    _tell_rules(screen, judgement.findings, title or outcome.dossier.evidence.subject.title)
    screen.print(Text(SENTENCES[judgement.outcome], style="bold"))
    for name, why in outcome.dossier.evidence.why_broken().items():
        screen.print(Text(f"{name} broke: {why}", style="red"))
    for line in (*judgement.warnings, *outcome.notes):
        screen.print(Text(line, style="yellow"))
    screen.print(Text(say_signer(outcome.dossier.presentation.signer)))
    for name in ("report.html", "report.pdf"):
        if name in outcome.files:
            tell(str(outcome.folder / name))


def say_signer(signer: SignerShown | None) -> str:
    """Return who signed a report, in one line; that nobody did, where that is so."""
    if signer is None:
        return "Signature: none (no key configured). Set signing.key; `development` makes one that names nobody."
    if signer.development:
        return "Signature: development key, proves no identity. Set signing.key and signing.certificate."
    return f"Signature: {signer.name}"


def _tell_rules(screen: Console, findings: tuple[RuleFinding, ...], title: str) -> None:
    """Print the rules that apply, and how many do not."""
    from rich.table import Table
    from rich.text import Text

    from audit.operations.description import say_because, sort_findings

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("", "rule", "severity", "because"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("", "severity"))
    applying = tuple(finding for finding in findings if finding.status != "not_applicable")
    for finding in sort_findings(applying):
        mark, colour = MARKS[finding.status]
        table.add_row(
            Text(f"{mark} {finding.status.replace('_', ' ')}", style=colour),
            Text(finding.rule),
            Text(finding.severity),
            Text(say_because(finding)),
        )
    if applying:
        screen.print(table)
    if aside := len(findings) - len(applying):
        screen.print(f"not applicable: {aside} of {len(findings)} rules; the report says why of each")


def tell_described(described: dict[str, Any]) -> None:
    """Print the verdicts of an audit that another process made."""
    for finding in described["findings"]:
        mark = MARKS[finding["status"]][0]
        tell(f"{mark} {finding['status'].replace('_', ' '):14} {finding['rule']} ({finding['severity']}): "
             f"{finding['because']}")  # fmt: skip
    tell(SENTENCES[described["outcome"]])
    tell(str(Path(described["folder"]) / "report.html"))


def tell_results(results: list[AuditResult]) -> None:
    """Print one line per audit: exit code, outcome, what stands out, and the configuration last."""
    telling = ("error", "fail", "inconclusive", "manual")
    found = []
    for result in results:
        counts = result.described.get("counts", {})
        said = ", ".join(f"{counts[word]} {word}" for word in telling if counts.get(word))
        found.append(said or (shorten(result.error.splitlines()[0], 40, placeholder=" …") if result.error else "-"))
    width = max(map(len, found), default=0)
    for result, said in zip(results, found, strict=True):
        tell(f"{result.exit_code}  {result.outcome:10}  {said:{width}}  {result.config}")


def tell_json(value: Any) -> None:
    """Print one JSON value to stdout."""
    tell(json.dumps(value, indent=2, ensure_ascii=False))


def tell_file(path: Path) -> None:
    """Print a path to stdout."""
    tell(str(path))
