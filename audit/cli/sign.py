"""``audit sign``: a reviewer's or approver's signature on a finished report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from audit.errors import AuditError


def sign(
    folder: Path,
    *,
    role: Literal["reviewer", "approver"],
    decision: Annotated[Literal["approve", "conditions", "reject"], Parameter(name="--decision")],
    note: Path | None = None,
) -> None:
    """Sign a finished report as reviewer or approver (not part of this version; says so and exits 3).

    Parameters
    ----------
    folder
        The report folder.
    role
        In which role.
    decision
        What was decided.
    note
        A text file with the reasons.
    """
    raise AuditError(
        "signatures of reviewers and approvers are not part of this version",
        hint=f"the preparer's signature stands in {folder / 'report.pdf'}; record approvals in documents.yaml",
    )
