"""``audit examine``: the first half alone."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from . import console


def examine(
    config: Path,
    *,
    out: Path,
    set_: Annotated[list[str], Parameter(name="--set", negative=(), show_default=False)] = [],  # noqa: B006 - cyclopts reads, never writes it
) -> int:
    """Measure, and write evidence.json with its signed envelope; judge nothing.

    The second half, `audit attest`, can then run elsewhere, by someone else, without the data and without torch.

    Parameters
    ----------
    config
        An audit.yaml.
    out
        Folder for evidence.json, evidence.dsse.json and glassboxes/; must not exist.
    set_
        Override a value: ``--set data.audit=new.parquet``. May be repeated.
    """
    from audit.config.load import load_config
    from audit.workflow import examine_to_folder

    progress = console.TerminalProgress()
    try:
        order = load_config(config, overrides=set_, files="examine")
        with redirect_stdout(sys.stderr):  # what a model prints is not this command's answer
            evidence = examine_to_folder(order, out, interactive=sys.stderr.isatty(), progress=progress)
    finally:
        progress.close()
    console.tell_file(out / "evidence.json")
    for name, why in evidence.why_broken().items():
        console.note(f"audit: INCOMPLETE: {name} broke: {why}")
    return 3 if evidence.broken else 0
