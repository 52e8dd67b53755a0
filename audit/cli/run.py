"""``audit run``: examine and attest, one configuration or several."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from audit.errors import ConfigError
from audit.evidence import Severity

from . import console

if TYPE_CHECKING:
    from audit.operations.session import SessionEnd


def run(
    *configs: Path,
    out: Path | None = None,
    set_: Annotated[list[str], Parameter(name="--set", negative=(), show_default=False)] = [],  # noqa: B006 - cyclopts reads, never writes it
    fail_on: Severity = "high",
    allow: Annotated[str, Parameter(name="--allow", show_default=False)] = "",
    json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
    jobs: int = 1,
    summary: Path | None = None,
    junit: Path | None = None,
    time_limit: str | None = None,
    memory_limit: str | None = None,
    log: Path | None = None,
    metrics: Path | None = None,
    fresh: Annotated[bool, Parameter(name="--fresh", negative=(), show_default=False)] = False,
) -> int:
    """Audit a model, or many: measure, judge, render, sign, record.

    Without ``--out`` the report goes to ``audits/<system>/<UTC time>-<digest>/`` under the working folder.

    Parameters
    ----------
    configs
        One or more audit.yaml files. One that breaks stops no other; the worst exit code wins (4, 3, 6, 2, 1, 5).
    out
        The report folder; must not exist. With several files: the folder that holds one folder each.
    set_
        Override a value: ``--set data.audit=new.parquet``. May be repeated. ``--set report.language=de`` writes all
        that people read in German: report, letters, visible signatures and, where all audits share it, the summary.
    fail_on
        Severity from which a failed rule makes the exit code 1 and an undecided one 5.
    allow
        Verdicts that do not leave the run undecided: ``inconclusive``, ``manual`` or both with a comma.
    json
        Print one JSON object instead of the table, also where the audit could not be made.
    jobs
        Audits at once; libraries are imported once for all of them.
    summary
        Folder for one page, one JSON and one JUnit file about all audits of this run; the page is in the language of
        their reports where they share one.
    junit
        JUnit file about all audits of this run.
    time_limit
        What one audit may take, e.g. ``30m``; beyond it the audit ends with exit code 6 and leaves nothing behind.
    memory_limit
        What one audit may use, e.g. ``8GiB``; likewise.
    log
        File to which events are appended as JSON lines; else the one that AUDIT_LOG names.
    metrics
        Prometheus text file to replace, for a textfile collector.
    fresh
        Measure again even where an interrupted run of the same inputs left a checkpoint.
    """
    from audit.operations.session import SessionOrder, run_session
    from audit.operations.task import AuditTask

    if not configs:
        raise ConfigError("no configuration was named", hint="audit run audit.yaml; or start with: audit init TABLE")
    allowed = read_allow(allow)
    if jobs < 1:
        raise ConfigError("must be at least 1", place="--jobs")
    overrides = (*set_, *_limit("time", time_limit), *_limit("memory", memory_limit))
    tasks = [
        AuditTask(
            config=path,
            out=out if out is None or len(configs) == 1 else out / name,
            overrides=overrides,
            fail_on=fail_on,
            allow=allowed,
            interactive=sys.stderr.isatty(),
            fresh=fresh,
        )
        for path, name in zip(configs, name_folders(configs), strict=True)
    ]
    order = SessionOrder(jobs=jobs, log=log, metrics=metrics, summary=summary, junit=junit)
    progress = console.TerminalProgress()
    fleet = console.FleetProgress([str(path) for path in configs]) if len(configs) > 1 else None
    try:
        end = run_session(tasks, order, progress=progress, listen=fleet.hear if fleet else None)
    finally:
        progress.close()
    _tell(end, as_json=json)
    return end.exit_code


def read_allow(text: str) -> frozenset[str]:
    """Read the value of ``--allow``.

    Raises
    ------
    ConfigError
        A word other than inconclusive or manual.
    """
    words = frozenset(word.strip() for word in text.split(",") if word.strip())
    if wrong := words - {"inconclusive", "manual"}:
        raise ConfigError(f"'{sorted(wrong)[0]}' is not allowed here", place="--allow", hint="inconclusive or manual")
    return words


def name_folders(configs: Sequence[Path]) -> list[str]:
    """Return one folder name per configuration, all different: its stem, with its folder where that is not enough.

    Examples
    --------
    >>> name_folders([Path("/m/old/audit.yaml"), Path("/m/new/audit.yaml"), Path("/m/rent.yaml")])
    ['old-audit', 'new-audit', 'rent']
    """
    stems = [path.stem for path in configs]
    names: list[str] = []
    for path in configs:
        name = path.stem if stems.count(path.stem) == 1 else f"{path.resolve().parent.name}-{path.stem}"
        names.append(name if name not in names else f"{name}-{len(names) + 1}")
    return names


def _limit(name: str, value: str | None) -> tuple[str, ...]:
    return () if value is None else (f"limits.{name}={value}",)


def _tell(end: SessionEnd, *, as_json: bool) -> None:
    alone = len(end.results) == 1
    for result in end.results:
        if result.error:
            what = result.error if alone else f"{result.config}: {result.error}"
            console.tell_error(what, hint=result.hint, code=result.exit_code)
    for note in end.notes:
        console.note(f"audit: {note}")
    if as_json:
        audits = [result.as_json() for result in end.results]
        console.tell_json(audits[0] if alone else {"exit_code": end.exit_code, "audits": audits})
    elif not alone:
        console.tell_results(end.results)
    elif end.outcome is not None:
        console.tell_outcome(end.outcome)
    elif end.results[0].described:
        console.tell_described(end.results[0].described)
