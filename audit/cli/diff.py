"""``audit diff``: two audits compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


def diff(
    old: Path,
    new: Path,
    *,
    out: Path | None = None,
    format_: Annotated[Literal["markdown", "html", "pdf", "json"], Parameter(name="--format")] = "html",
) -> None:
    """Compare two audits (not part of this version; says so and exits 3).

    Parameters
    ----------
    old
        A report folder or an audit.yaml.
    new
        Another one on the same rows.
    out
        Folder for the change report.
    format_
        What to write.
    """
    from audit.workflow import compare_audits

    compare_audits(old, new)
