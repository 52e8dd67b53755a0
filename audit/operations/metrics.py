"""What a run found as a Prometheus text file, for the textfile collector of node_exporter.

Comes in: results. Goes out: a file in the text exposition format 0.0.4, replaced in one step, so that a scrape never
sees half of it. The time of the last finished audit of a system is carried over from the file that is replaced: an
alert on its age tells of a schedule that stopped, whatever stopped it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from audit.attestation.folder import explain_os_error, replace_file
from audit.evidence import VERDICT_ORDER

from .task import AuditResult

OUTCOMES = ("passed", "failed", "undecided", "incomplete", "measured", "error")
_FINISHED = "audit_last_finished_timestamp_seconds"
_OLD = re.compile(rf'^{_FINISHED}\{{system="((?:[^"\\]|\\.)*)"\}} ([0-9.]+)$', re.MULTILINE)
Sample = tuple[dict[str, str], float]


def write_metrics(path: Path, results: Sequence[AuditResult], *, now: float) -> None:
    """Write the metrics of a run.

    Parameters
    ----------
    path : pathlib.Path
        The file, usually ``*.prom`` in the collector's folder.
    results : sequence of AuditResult
        What the run found.
    now : float
        Time of the run, seconds since 1970.

    Raises
    ------
    ConfigError
        The file cannot be written.
    TryAgain
        The disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        replace_file(path, render_metrics(results, now=now, before=before).encode(), mode=0o644)
    except OSError as error:
        raise explain_os_error(error, path) from None


def render_metrics(results: Sequence[AuditResult], *, now: float, before: str = "") -> str:
    """Return the text of the file.

    Parameters
    ----------
    before : str
        The file that will be replaced.
    """
    named = list({result.system or result.config: result for result in results}.items())
    finished = {_unescape(name): float(time) for name, time in _OLD.findall(before)}
    finished |= {name: now for name, result in named if not result.error}
    families: list[tuple[str, str, list[Sample]]] = [
        ("audit_exit_code", "Exit code of the last run.", [({"system": n}, r.exit_code) for n, r in named]),
        ("audit_duration_seconds", "Wall time of the last run.", [({"system": n}, r.seconds) for n, r in named]),
        (
            "audit_outcome",
            "1 for the outcome of the last run, 0 for all others.",
            [({"system": n, "outcome": o}, float(r.outcome == o)) for n, r in named for o in OUTCOMES],
        ),
        ("audit_rules", "Rules by verdict.", list(_count_rules(named))),
        ("audit_observed", "What was measured, by rule and scope.", list(_numbers(named))),
        (_FINISHED, "When an audit was last finished.", [({"system": n}, t) for n, t in finished.items()]),
        ("audit_last_run_timestamp_seconds", "When audits were last tried.", [({}, now)]),
    ]
    return "".join(_family(*family) for family in families)


def _count_rules(named: list[tuple[str, AuditResult]]) -> Iterator[Sample]:
    for name, result in named:
        counts = result.described.get("counts", {})
        for word in VERDICT_ORDER if counts else ():
            yield {"system": name, "verdict": word}, float(counts.get(word, 0))


def _numbers(named: list[tuple[str, AuditResult]]) -> Iterator[Sample]:
    for name, result in named:
        for scope, stand in result.standing.verdicts.items() if result.standing else ():
            for end, value in (("value", stand.value), ("low", stand.low), ("high", stand.high)):
                if value is not None:
                    yield {"system": name, "rule": stand.rule, "scope": scope, "end": end}, value


def _family(name: str, words: str, samples: list[Sample]) -> str:
    lines = [f"# HELP {name} {words}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{inside}}} {value:.17g}" if inside else f"{name} {value:.17g}")
    return "\n".join(lines) + "\n" if samples else ""


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda hit: "\n" if hit[1] == "n" else hit[1], text)
