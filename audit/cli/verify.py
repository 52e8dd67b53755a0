"""``audit verify``: is this report as it was sealed, and who stands behind it."""

from __future__ import annotations

import json as json_form
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from audit.attestation.verify import Verification

_MEANING = {
    ("INTACT", "TRUSTED"): "every file is as it was sealed, and an authority that you named vouches for the signer",
    ("INTACT", "UNTRUSTED"): "every file is as it was sealed; nobody that you named vouches for the signer",
    ("INTACT", "UNSIGNED"): "every file is as listed, but nobody signed the list: whoever changes a file can change it",
}


def verify(
    report: Path,
    *,
    trust: Path | None = None,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Check a report folder, a report.pdf or a report.html.

    Exit code 0 where it is intact, 4 where anything was changed, or where authorities are given and none of them stands
    behind the signer, 2 where there is no report.

    Parameters
    ----------
    report
        The folder, or the PDF or page alone.
    trust
        PEM file with the authorities (or signers) that you trust.
    json
        Print one JSON object instead of text.
    """
    from audit.attestation.verify import verify_report

    found = verify_report(report, trust=trust)
    print(_as_json(found) if json else _as_text(found))
    return found.exit_code


def _as_text(found: Verification) -> str:
    signers = ", ".join(found.signers)
    lines = [f"{'ok ' if check.ok else 'BAD'}  {check.name}{': ' if check.detail else ''}{check.detail}"
             for check in found.checks]  # fmt: skip
    said = _MEANING.get((found.word, found.trust), "")
    if found.word == "TAMPERED":
        said = "this report is not what was sealed: do not rely on any part of it"
    elif found.word == "UNPROVEN":
        said = "this file carries no signature: nothing can be said about it; verify the folder that it came in"
    trust = f", {found.trust}" if found.word != "UNPROVEN" else ""
    who = f" (signed by {signers})" if signers and found.word == "INTACT" else ""
    return "\n".join([*lines, f"{found.word}{trust}{who}: {said}"])


def _as_json(found: Verification) -> str:
    return json_form.dumps(
        {
            "word": found.word,
            "trust": found.trust,
            "signers": list(found.signers),
            "checks": [check._asdict() for check in found.checks],
            "exit_code": found.exit_code,
        },
        indent=2,
        ensure_ascii=False,
    )
