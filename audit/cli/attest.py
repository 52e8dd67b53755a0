"""``audit attest``: the second half alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from audit.evidence import Severity

from . import console
from .run import read_allow


def attest(
    evidence: Path,
    config: Path,
    *,
    out: Path | None = None,
    set_: Annotated[list[str], Parameter(name="--set", negative=(), show_default=False)] = [],  # noqa: B006 - cyclopts reads, never writes it
    fail_on: Severity = "high",
    allow: Annotated[str, Parameter(show_default=False)] = "",
    json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
) -> int:
    """Judge, render and seal evidence that was measured before; needs neither data nor torch.

    Parameters
    ----------
    evidence
        An evidence.json; evidence.dsse.json and glassboxes/ are looked for beside it.
    config
        The audit.yaml whose policies, documents, report, signing and ledger blocks are used.
    out
        The report folder; must not exist.
    set_
        Override a value. May be repeated.
    fail_on
        Severity from which a rule decides the exit code.
    allow
        Verdicts that do not leave the run undecided.
    json
        Print one JSON object instead of the table.
    """
    import sys

    from audit.config.load import load_config
    from audit.workflow import attest_from_file

    order = load_config(config, overrides=set_, files="attest")
    outcome = attest_from_file(
        evidence, order, out=out, fail_on=fail_on, allow=read_allow(allow), interactive=sys.stderr.isatty()
    )
    if json:
        from audit.operations.description import describe_outcome

        console.tell_json(describe_outcome(outcome))
    else:
        console.tell_outcome(outcome)
    return outcome.exit_code
