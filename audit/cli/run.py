"""``audit run``: examine and attest, one configuration or several."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from audit.errors import ConfigError
from audit.evidence import Severity

from . import console

_LOG = logging.getLogger(__name__)
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
        Print one JSON object instead of the table, also where the audit could not be made.
    jobs
        Audits at once; this version works one after the other whatever is asked for.
    """
    if not configs:
        raise ConfigError("no configuration was named", hint="audit run audit.yaml; or start with: audit init TABLE")
    allowed = read_allow(allow)
    if jobs < 1:
        raise ConfigError("must be at least 1", place="--jobs")
    results: list[dict[str, Any]] = []
    for path, name in zip(configs, name_folders(configs), strict=True):
        target = out if out is None or len(configs) == 1 else out / name
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
    except Exception as error:  # one that breaks stops no other
        if alone and not quiet:
            raise
        _LOG.debug("%s broke", path, exc_info=True)
        what, hint, code = console.explain_error(error)
        console.tell_error(what if alone else f"{path}: {what}", hint=hint, code=code)
        return {"config": str(path), "outcome": "error", "exit_code": code, "error": what}
    finally:
        progress.close()
    if not quiet:
        console.tell_outcome(outcome)
    return {"config": str(path), **console.describe_outcome(outcome)}
