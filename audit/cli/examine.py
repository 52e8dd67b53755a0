"""``audit examine``: the first half alone, whole or shard by shard."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from glob import glob
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from audit.errors import ConfigError

from . import console


def examine(
    config: Path,
    *,
    out: Path,
    shard: str | None = None,
    sweeps: str | None = None,
    set_: Annotated[list[str], Parameter(name="--set", negative=(), show_default=False)] = [],  # noqa: B006 - cyclopts reads, never writes it
) -> int:
    """Measure, and write evidence.json with its signed envelope; judge nothing.

    The second half, `audit attest`, can then run elsewhere, by someone else, without the data and without torch.

    Rows that are too many for one machine can be swept shard by shard by any job scheduler: one job per shard with
    ``--shard 3/16 --out part-03.sweep``, and at the end one with ``--sweeps 'part-*.sweep' --out FOLDER``. A sweep
    holds a sample of the rows: keep it as you keep the data.

    Parameters
    ----------
    config
        An audit.yaml; the same for all shards.
    out
        Folder for evidence.json, evidence.dsse.json and glassboxes/, or with ``--shard`` a file; must not exist.
    shard
        Score and count one shard of the rows alone: ``3/16``.
    sweeps
        Files of all shards, as a glob in quotation marks.
    set_
        Override a value: ``--set data.audit=new.parquet``. May be repeated.
    """
    from audit.config.load import load_config
    from audit.workflow import examine_to_folder, sweep_to_file

    if shard and sweeps:
        raise ConfigError("one job sweeps a shard, another puts shards together", place="--shard, --sweeps")
    progress, evidence = console.TerminalProgress(), None
    try:
        order = load_config(config, overrides=set_, files="examine")
        with redirect_stdout(sys.stderr):  # what a model prints is not this command's answer
            if shard:
                sweep_to_file(order, out, *_read_shard(shard))
            else:
                files = _find_sweeps(sweeps) if sweeps else []
                evidence = examine_to_folder(
                    order, out, sweeps=files, interactive=sys.stderr.isatty(), progress=progress
                )
    finally:
        progress.close()
    if evidence is None:
        console.tell_file(out)
        return 0
    console.tell_file(out / "evidence.json")
    for name, why in evidence.why_broken().items():
        console.note(f"audit: INCOMPLETE: {name} broke: {why}")
    return 3 if evidence.broken else 0


def _read_shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text.strip())
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise ConfigError(f"{text!r} is no shard", place="--shard", hint="write 3/16 for the third of sixteen")
    return int(match[1]), int(match[2])


def _find_sweeps(pattern: str) -> list[Path]:
    found = sorted(glob(pattern))  # noqa: PTH207 - the pattern may be absolute
    if not found:
        raise ConfigError(f"no file matches {pattern}", place="--sweeps", hint="name the files of all shards")
    return [Path(name) for name in found]
