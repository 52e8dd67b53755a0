"""``audit verify``: is this report as it was sealed, and who stands behind it."""

from __future__ import annotations

import json as json_form
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from audit.errors import AuditError, ConfigError, SealError

if TYPE_CHECKING:
    from audit.attestation.policy.seal_rules import SealFinding
    from audit.attestation.recompute import Recomputation
    from audit.attestation.verify import SignatureTold, Verification

_MEANING = {
    ("INTACT", "TRUSTED"): "every file is as it was sealed, and an authority that you named vouches for the signer",
    ("INTACT", "UNTRUSTED"): "every file is as it was sealed; nobody that you named vouches for the signer",
    ("INTACT", "UNSIGNED"): "every file is as listed, but nobody signed the list: whoever changes a file can change it",
}


def verify(
    report: Path,
    *,
    trust: Path | None = None,
    signers: Path | None = None,
    ledger: Path | None = None,
    recompute: Path | None = None,
    set_: Annotated[list[str], Parameter(name="--set", negative=(), show_default=False)] = [],  # noqa: B006 - cyclopts reads, never writes it
    policy: Annotated[list[str] | None, Parameter(negative=())] = None,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Check a report folder, a report.pdf or a report.html.

    Exit code 0 where it is intact; 4 where anything was changed, where authorities are given and none of them stands
    behind a signer, where roles are not as they must be, where the ledger says that the report no longer stands, or
    where a number of it does not come out again; 2 where there is no report.

    Parameters
    ----------
    report
        The folder, or the PDF or page alone.
    trust
        PEM file with the authorities (or signers) that you trust, and lists of certificates that they revoked.
    signers
        signers.yaml: who may sign in which role.
    ledger
        Folder of the ledger, to be told whether the report was superseded, withdrawn, or signed since.
    recompute
        audit.yaml of this report: runs the audit again, for the same day and seed, and compares every number. Where
        that cannot be done, what verifying found is told all the same, and then why.
    set_
        What `audit run` was given as --set, for --recompute. May be repeated.
    policy
        Packs, or policy files, whose rules about the seal are to be decided too: exit code 1 where one fails, 5 where
        one is open.
    json
        Print one JSON object instead of text.
    """
    from audit.attestation.verify import verify_report

    found = verify_report(report, trust=trust, signers=signers, ledger=ledger)
    rules = _judge_seal(report, found, policy) if policy else ()
    if not json:
        print("\n".join([_as_text(found), *map(_say_rule, rules)]), flush=True)
    again = _try_recompute(report, found, recompute, set_) if recompute else None
    if json:
        print(_as_json(found, rules, again))
    elif isinstance(again, AuditError):
        print(f"NOT RECOMPUTED: {again}")
    elif again:
        print("\n".join(again.lines()))
    return found.exit_code or (again.exit_code if again else 0) or _decide_exit(rules)


def _try_recompute(report: Path, found: Verification, config: Path, overrides: list[str]) -> Recomputation | AuditError:
    """Return what carrying the audit out again gave, or why it was not: what verifying found is told all the same."""
    try:
        return _recompute(report, found, config, overrides)
    except AuditError as error:
        return error


def _recompute(report: Path, found: Verification, config: Path, overrides: list[str]) -> Recomputation:
    from audit.recomputing import recompute_audit

    from .console import TerminalProgress

    if not report.is_dir():
        raise ConfigError("only a report folder can be recomputed", place="--recompute")
    if found.word != "INTACT":
        faults = [check.name for check in found.checks if not check.ok]
        raise SealError(
            f"there is nothing to compare with: the report is not what was sealed ({', '.join(faults) or found.word})",
            hint="get the report again from whoever sealed it",
        )
    progress = TerminalProgress()
    try:
        return recompute_audit(report, config, overrides=overrides, progress=progress)
    finally:
        progress.close()


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
    signers = "; ".join(found.signers)
    people = [_say_signature(one) for one in found.signatures] if len(found.signatures) > 1 else []
    lines = [f"{'ok ' if check.ok else 'BAD'}  {check.name}{': ' if check.detail else ''}{check.detail}"
             for check in found.checks]  # fmt: skip
    said = _MEANING.get((found.word, found.trust), "")
    if found.word == "TAMPERED":
        said = "this report is not what was sealed: do not rely on any part of it"
    elif found.word == "UNPROVEN":
        said = "this file carries no signature: nothing can be said about it; verify the folder that it came in"
    elif not any(check.name == "files" for check in found.checks):
        said = said.replace("every file is", "this file is")
    trust = f", {found.trust}" if found.word != "UNPROVEN" else ""
    who = f" (signed by {signers})" if signers and found.word == "INTACT" else ""
    wrong = [check.name for check in found.checks if not check.ok]
    if found.word == "INTACT" and wrong:
        said += f"; BUT NOT IN ORDER, see above: {', '.join(dict.fromkeys(wrong))}"
    if rejected := [one.role for one in found.signatures if one.decision == "reject" and found.word == "INTACT"]:
        said += f"; the {' and the '.join(rejected)} REJECTED the report"
    return "\n".join([*lines, *people, f"{found.word}{trust}{who}: {said}"])


def _say_signature(one: SignatureTold) -> str:
    decided = f": {one.decision}" if one.decision else ""
    stated = f"{one.name} ({one.certified})" if one.name != one.certified else one.name
    note, when = f" ({one.note[:200]})" if one.note else "", f", {one.moment}" if one.moment else ""
    return f"{one.role:<10} {stated}{decided}{note}{when}"


def _as_json(
    found: Verification, rules: tuple[SealFinding, ...] = (), again: Recomputation | AuditError | None = None
) -> str:
    return json_form.dumps(
        {
            "word": found.word,
            "trust": found.trust,
            "signers": list(found.signers),
            "checks": [check._asdict() for check in found.checks],
            "signatures": [asdict(one) for one in found.signatures],
            "later": list(found.later),
            "rules": [asdict(rule) for rule in rules],
            **({"recomputed": _plain(again)} if again else {}),
            "exit_code": found.exit_code or (again.exit_code if again else 0) or _decide_exit(rules),
        },
        indent=2,
        ensure_ascii=False,
    )


def _plain(again: Recomputation | AuditError) -> dict[str, Any]:
    return {"reproduced": None, "refused": str(again)} if isinstance(again, AuditError) else again.as_plain()
