"""``audit verify``: is this report as it was sealed, and who stands behind it."""

from __future__ import annotations

import json as json_form
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from audit.attestation.policy.seal_rules import SealFinding
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
    policy: list[str] | None = None,
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
    policy
        Packs, or policy files, whose rules about the seal are to be decided too: exit code 1 where one fails, 5 where
        one is open.
    json
        Print one JSON object instead of text.
    """
    from audit.attestation.verify import verify_report

    found = verify_report(report, trust=trust)
    rules = _judge_seal(report, found, policy) if policy else ()
    print(_as_json(found, rules) if json else "\n".join([_as_text(found), *map(_say_rule, rules)]))
    return found.exit_code or _decide_exit(rules)


def _judge_seal(report: Path, found: Verification, policy: list[str]) -> tuple[SealFinding, ...]:
    from audit.attestation.policy.seal_rules import judge_seal
    from audit.attestation.policy.select import read_packs
    from audit.evidence import Papers
    from audit.workflow import read_clock

    papers = Papers()
    if found.word == "INTACT" and (report / "audit.json").is_file():
        papers = Papers.model_validate(json_form.loads((report / "audit.json").read_bytes())["judgement"]["papers"])
    return judge_seal(found.facts, read_packs(policy), papers, read_clock().date())


def _decide_exit(rules: tuple[SealFinding, ...]) -> int:
    if not rules:
        return 0
    from audit.attestation.policy.seal_rules import decide_exit

    return decide_exit(rules)


def _say_rule(rule: SealFinding) -> str:
    return f"{rule.status.replace('_', ' '):<14} {rule.rule} ({rule.severity}): {rule.title}: {rule.because}"


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


def _as_json(found: Verification, rules: tuple[SealFinding, ...] = ()) -> str:
    return json_form.dumps(
        {
            "word": found.word,
            "trust": found.trust,
            "signers": list(found.signers),
            "checks": [check._asdict() for check in found.checks],
            "rules": [asdict(rule) for rule in rules],
            "exit_code": found.exit_code or _decide_exit(rules),
        },
        indent=2,
        ensure_ascii=False,
    )
