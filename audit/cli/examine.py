"""``audit examine``: the first half alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from . import console


def examine(
    config: Path,
    *,
    out: Path,
    set_: Annotated[list[str], Parameter(name="--set", negative=())] = [],  # noqa: B006 - cyclopts reads, never writes it
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
    import sys

    from audit.config.load import load_config
    from audit.workflow import examine_to_folder

    progress = console.TerminalProgress()
    try:
        evidence = examine_to_folder(
            load_config(config, overrides=set_), out, interactive=sys.stderr.isatty(), progress=progress
        )
    finally:
        progress.close()
    console.tell_file(out / "evidence.json")
    for name in evidence.broken:
        console.note(f"audit: INCOMPLETE: {name} broke: {getattr(evidence, name).not_done}")
    return 3 if evidence.broken else 0
