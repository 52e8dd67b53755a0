"""``audit diff``: two audits compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from audit.errors import ConfigError
from audit.evidence import Severity

from .console import SENTENCES, TerminalProgress, note, say_signer, tell, tell_json
from .flags import read_names
from .run import read_allow

if TYPE_CHECKING:
    from audit.attestation.pipeline import Outcome
    from audit.changes import ChangeReport
    from audit.config.schema import AttestConfig

FORMAT_NAMES = ("markdown", "html", "pdf", "json")
_OUTCOMES = {0: "passed", 1: "failed", 3: "incomplete", 5: "undecided"}


def diff(
    old: Path,
    new: Path,
    *,
    out: Path | None = None,
    format_: Annotated[list[str], Parameter(name="--format", negative=(), show_default=False)] = [],  # noqa: B006 - cyclopts reads, never writes it
    config: Path | None = None,
    policy: Annotated[list[str], Parameter(negative=(), show_default=False)] = [],  # noqa: B006 - cyclopts reads, never writes it
    against: Literal["previous_audit", "champion", "other"] = "previous_audit",
    paired: Annotated[bool, Parameter(negative=())] = False,
    trust: Path | None = None,
    fail_on: Severity = "high",
    allow: Annotated[str, Parameter(name="--allow", show_default=False)] = "",
) -> int:
    """Say what a new model version changes, for whom, and whether it is more than noise.

    Exit code 0 where every rule on the change passed, 1 where one failed, 5 where one is undecided, 4 where a report
    folder was tampered with, 2 where the two cannot be compared.

    Parameters
    ----------
    old
        A report folder, or an audit.yaml.
    new
        Another report folder of the same system, or another audit.yaml on the same rows.
    out
        Folder for a sealed report of the change. Without one it is printed.
    format_
        markdown or json to print; html, pdf, markdown for the folder (default html and pdf). Several with commas,
        spaces, or a flag for each.
    config
        An audit.yaml whose policies, documents, signing and ledger blocks hold for the report of the change.
    policy
        Rules to hold against the change: shipped packs or files; default model-change-review. May be repeated.
    against
        What the first one is: ``other`` allows another system.
    paired
        Refuse to compare where the same people are not found on both sides.
    trust
        PEM file with the authorities that must stand behind report folders.
    fail_on
        Severity from which a failed rule makes the exit code 1 and an undecided one 5.
    allow
        Verdicts that do not leave the change undecided: ``inconclusive``, ``manual`` or both with a comma.
    """
    import sys

    from audit.workflow import compare_audits

    formats = read_names(format_, FORMAT_NAMES, "--format")
    _check_formats(formats, out)
    progress = TerminalProgress()
    try:
        report = compare_audits(
            old,
            new,
            out=out,
            order=_read_order(config, policy, [name for name in formats if name != "json"]),
            against=against,
            must_pair=paired,
            trust=trust,
            fail_on=fail_on,
            allow=read_allow(allow),
            interactive=sys.stderr.isatty(),
            progress=progress,
        )
    finally:
        progress.close()
    _print(report, as_json="json" in formats)
    return report.exit_code


def _check_formats(names: list[str], out: Path | None) -> None:
    if out is None and (unprinted := sorted(set(names) & {"html", "pdf"})):
        raise ConfigError(f"{unprinted[0]} cannot be printed", place="--format", hint="name a folder with --out")
    if out is None and len(names) > 1:
        raise ConfigError("only one format can be printed", place="--format", hint="name a folder with --out")


def _read_order(config: Path | None, policies: list[str], formats: list[str]) -> AttestConfig | None:
    """Return how to judge and seal, where it is said; None leaves it to what is compared."""
    if config is None and not policies and not formats:
        return None
    from audit.changes import PACK
    from audit.config.load import load_config
    from audit.config.schema import AttestConfig

    if config is None:
        order = AttestConfig(policies=tuple(policies) or (PACK,))
    else:
        whole = load_config(config)
        order = AttestConfig.model_validate({name: getattr(whole, name) for name in AttestConfig.model_fields})
        order = order.model_copy(update={"policies": tuple(policies) or order.policies})
    if formats:
        order = order.model_copy(update={"report": order.report.model_copy(update={"formats": tuple(formats)})})
    return order


def _print(report: ChangeReport, *, as_json: bool) -> None:
    if as_json:
        tell_json(
            {
                "exit_code": report.exit_code,
                "change": report.change.model_dump(mode="json"),
                "findings": [finding.model_dump(mode="json") for finding in report.findings],
                "folder": str(report.outcome.folder) if report.outcome else None,
                "signed": bool(report.outcome and report.outcome.dossier.presentation.signer),
            }
        )
        return
    if report.outcome is not None:
        _print_sealed(report, report.outcome)
        return
    from audit.attestation.render.change_markdown import write_change

    tell(write_change(report.change, report.judgement, report.definitions).decode())


def _print_sealed(report: ChangeReport, outcome: Outcome) -> None:
    """Say what the rules decide, who signed, and where the report is."""
    found = [item.status for item in report.findings if item.status != "not_applicable"]
    counts = ", ".join(f"{found.count(word)} {word.replace('_', ' ')}" for word in dict.fromkeys(sorted(found)))
    tell(SENTENCES[_OUTCOMES[report.exit_code] if found else "measured"])
    tell(f"Rules about the change: {counts or 'none applies'}")
    tell(say_signer(outcome.dossier.presentation.signer))
    for line in outcome.notes:
        note(line)
    for name in outcome.files:
        if name.startswith("report."):
            tell(str(outcome.folder / name))
