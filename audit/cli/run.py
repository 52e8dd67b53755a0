"""``audit run``: examine and attest, one configuration or several."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from audit.errors import AuditError, ConfigError
from audit.evidence import Severity

from . import console

WORST_FIRST = (4, 3, 6, 2, 1, 5, 0)
"""Which exit code wins where several hold."""


def run(
    *configs: Path,
    out: Path | None = None,
    set_: Annotated[list[str], Parameter(name="--set", negative=(), show_default=False)] = [],  # noqa: B006 - cyclopts reads, never writes it
    fail_on: Severity = "high",
    allow: Annotated[str, Parameter(name="--allow", show_default=False)] = "",
    json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
    jobs: int = 1,
) -> int:
    """Audit a model: measure, judge, render, sign, record.

    Without ``--out`` the report goes to ``audits/<system>/<UTC time>-<digest>/`` under the working folder.

    Parameters
    ----------
    configs
        One or more audit.yaml files. One that breaks stops no other; the worst exit code wins.
    out
        The report folder; must not exist. With several files: the folder that holds one folder each.
    set_
        Override a value: ``--set data.audit=new.parquet``. May be repeated.
    fail_on
        Severity from which a failed rule makes the exit code 1 and an undecided one 5.
    allow
        Verdicts that do not leave the run undecided: ``inconclusive``, ``manual`` or both with a comma.
    json
        Print one JSON object instead of the table.
    jobs
        Audits at once; this version works one after the other whatever is asked for.
    """
    if not configs:
        raise ConfigError("no configuration was named", hint="audit run audit.yaml; or start with: audit init TABLE")
    allowed = read_allow(allow)
    if jobs < 1:
        raise ConfigError("must be at least 1", place="--jobs")
    results: list[dict[str, Any]] = []
    for path in configs:
        target = out if out is None or len(configs) == 1 else out / _folder_name(path, configs)
        results.append(_run_one(path, target, set_, fail_on, allowed, quiet=json, alone=len(configs) == 1))
    code: int = min((result["exit_code"] for result in results), key=WORST_FIRST.index)
    if json:
        console.tell_json(results[0] if len(configs) == 1 else {"exit_code": code, "audits": results})
    elif len(configs) > 1:
        for path, result in zip(configs, results, strict=True):
            console.tell(f"{result['exit_code']}  {result['outcome']:10}  {path}")
    return code


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


def _folder_name(path: Path, configs: tuple[Path, ...]) -> str:
    same = sum(other.stem == path.stem for other in configs)
    return path.stem if same == 1 else f"{path.parent.name}-{path.stem}"


def _run_one(
    path: Path,
    out: Path | None,
    overrides: list[str],
    fail_on: Severity,
    allow: frozenset[str],
    *,
    quiet: bool,
    alone: bool,
) -> dict[str, Any]:
    from audit.config.load import load_config
    from audit.workflow import run_audit

    progress = console.TerminalProgress()
    try:
        config = load_config(path, overrides=overrides)
        # a model that prints must not stand between a machine and its JSON
        with redirect_stdout(sys.stderr):
            outcome = run_audit(
                config, out=out, fail_on=fail_on, allow=allow, interactive=sys.stderr.isatty(), progress=progress
            )
    except AuditError as error:
        if alone:
            raise
        console.tell_error(f"{path}: {error}", code=error.exit_code)
        return {"config": str(path), "outcome": "error", "exit_code": error.exit_code, "error": str(error)}
    finally:
        progress.close()
    if not quiet:
        console.tell_outcome(outcome)
    return console.describe_outcome(outcome)
