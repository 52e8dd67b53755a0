"""Two audits compared, wherever they come from: report folders, configurations, the last audit, a champion.

Comes in: paths, or a finished examination and what it is to be compared with. Goes out: changes, and for ``audit diff``
a judged, and where asked for sealed, report of one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from audit.attestation.change.compare import AuditSide, compare_sides
from audit.attestation.change.kept import read_kept
from audit.attestation.comparison import SealedAudit, read_audit
from audit.attestation.pipeline import Outcome, attest_editions
from audit.config.schema import AttestConfig, Config
from audit.errors import ConfigError
from audit.evidence import Change, Definition, Evidence, Judgement, Papers, RuleFinding, Severity
from audit.evidence.change import Against
from audit.evidence.judgement import SEVERITY_ORDER

if TYPE_CHECKING:
    from audit.examination.pipeline import Examination

PACK = "model-change-review"
"""Pack that a comparison is held against where nothing else is named."""
Examine = Callable[[Config], "Examination"]


@dataclass(frozen=True, slots=True, eq=False)
class ChangeReport:
    """What a comparison gave.

    Parameters
    ----------
    change : Change
        Everything that differs.
    judgement : Judgement
        What the rules say of it.
    exit_code : int
        0; 1 where a rule on the change failed, 5 where one is undecided.
    definitions : tuple of Definition
        What the later audit's numbers are.
    outcome : Outcome or None
        The sealed report, where a folder was asked for.
    """

    change: Change
    judgement: Judgement
    exit_code: int
    definitions: tuple[Definition, ...]
    outcome: Outcome | None = None

    @property
    def findings(self) -> tuple[RuleFinding, ...]:
        """The rules about the change itself."""
        return tuple(finding for finding in self.judgement.findings if is_about_change(finding))


def is_about_change(finding: RuleFinding) -> bool:
    """Return whether a rule is about what changed; documents and questions are asked for by ``audit run``."""
    metrics = (verdict.metric or "" for verdict in finding.verdicts)
    return finding.kind == "compare" or any(metric.startswith("change.") for metric in metrics)


def exit_code_of(judgement: Judgement, fail_on: Severity, allow: frozenset[str]) -> int:
    """Return 1 where a rule on the change failed at or above `fail_on`, 5 where one is undecided there, else 0."""
    grave = SEVERITY_ORDER[: SEVERITY_ORDER.index(fail_on) + 1]
    found = {item.status for item in judgement.findings if is_about_change(item) and item.severity in grave}
    if "error" in found:
        return 3
    return 1 if "fail" in found else 5 if found & ({"inconclusive", "manual"} - allow) else 0


def compare_audits(
    old: Path,
    new: Path,
    *,
    now: datetime,
    examine: Examine,
    out: Path | None = None,
    order: AttestConfig | None = None,
    against: Against = "previous_audit",
    must_pair: bool = False,
    trust: Path | None = None,
    fail_on: Severity = "high",
    allow: frozenset[str] = frozenset(),
    interactive: bool = False,
) -> ChangeReport:
    """Compare two report folders, or two configurations on the same rows.

    Parameters
    ----------
    old, new : pathlib.Path
        Two report folders, or two audit.yaml.
    now : datetime
        UTC time of the report.
    examine : callable
        Examines a configuration and keeps who was decided how.
    out : pathlib.Path, optional
        Where a sealed report of the change is to be made.
    order : AttestConfig, optional
        Policies, formats, signing and ledger; default that of the new configuration, or the pack for changes alone.
    against : str
        What the earlier side is.
    must_pair : bool
        Refuse to compare where people cannot be paired; two configurations always ask for it.
    trust : pathlib.Path, optional
        Authorities that must stand behind report folders.
    fail_on, allow, interactive
        See `audit.attestation.pipeline.attest`.

    Raises
    ------
    ConfigError
        The two cannot be compared.
    SealError
        A folder was tampered with.
    """
    if gone := [str(path) for path in (old, new) if not path.exists()]:
        raise ConfigError(f"nothing is at {' and '.join(gone)}", hint="give two report folders, or two audit.yaml")
    if old.is_dir() != new.is_dir():
        raise ConfigError(f"{old} and {new} are not of one kind", hint="give two report folders, or two audit.yaml")
    if old.is_dir():
        before, after = read_audit(old, trust=trust), read_audit(new, trust=trust)
        change = compare_sides(before.side, after.side, against=against, must_pair=must_pair)
        known, papers = order or AttestConfig(policies=(PACK,)), after.dossier.judgement.papers
        evidence, artifacts = after.dossier.evidence, read_artifacts(after.dossier.evidence, new)
    else:
        change, examined, own = _compare_configurations(old, new, examine, against)
        known, papers, evidence, artifacts = order or own, None, examined.evidence, examined.artifacts
    if out is None:
        judgement, change = judge_change(evidence, change, known, papers, now, fail_on, allow)
        return ChangeReport(change, judgement, exit_code_of(judgement, fail_on, allow), evidence.definitions)
    outcome = attest_editions(
        evidence,
        known,
        out=out,
        now=now,
        artifacts=artifacts,
        evidence_signed="compared, see the sides of the change",
        fail_on=fail_on,
        allow=allow,
        interactive=interactive,
        changes=(change,),
        kind="change",
        papers=papers,
    )
    judgement = outcome.dossier.judgement
    code = exit_code_of(judgement, fail_on, allow)
    return ChangeReport(outcome.dossier.changes[0], judgement, code, evidence.definitions, outcome)


def read_artifacts(evidence: Evidence, folder: Path) -> dict[str, bytes]:
    """Return the files that belong to verified evidence, from its folder."""
    return {item.name: (folder / item.name).read_bytes() for item in evidence.provenance.artifacts}


def judge_change(
    evidence: Evidence,
    change: Change,
    order: AttestConfig,
    papers: Papers | None,
    now: datetime,
    fail_on: Severity,
    allow: frozenset[str],
) -> tuple[Judgement, Change]:
    """Hold rules against a change without writing anything; what is material is marked."""
    from audit.attestation.policy.judge import judge
    from audit.attestation.policy.material import mark_material
    from audit.attestation.policy.papers import load_papers
    from audit.attestation.policy.select import load_packs

    packs, known, day = load_packs(order), papers or load_papers(order.documents), now.astimezone(UTC).date()
    judgement = judge(
        evidence,
        packs,
        known,
        order,
        as_of=day,
        evidence_signed="compared, see the sides of the change",
        fail_on=fail_on,
        allow=allow,
        changes=(change,),
    )
    return judgement, mark_material((change,), packs, evidence, known, day)[0]


def _compare_configurations(
    old: Path, new: Path, examine: Examine, against: Against
) -> tuple[Change, Examination, AttestConfig]:
    """Examine both configurations, keeping who was decided how in memory alone."""
    from audit.config.load import load_config

    configs = [load_config(path) for path in (old, new)]
    if configs[0].system.name != configs[1].system.name and against == "previous_audit":
        names = " and ".join(config.system.name for config in configs)
        raise ConfigError(f"these are audits of different systems: {names}", hint="say --against other")
    examined = [examine(config) for config in configs]
    sides = [side_of(item) for item in examined]
    change = compare_sides(sides[0], sides[1], against=against, must_pair=True)
    order = AttestConfig.model_validate({name: getattr(configs[1], name) for name in AttestConfig.model_fields})
    policies = order.policies if PACK in order.policies else (*order.policies, PACK)
    return change, examined[1], order.model_copy(update={"policies": policies})


def side_of(examined: Examination) -> AuditSide:
    """Return a fresh examination as a side of a comparison."""
    people = read_kept(examined.scores) if examined.scores is not None else None
    return AuditSide(examined.evidence, people=people, seal="examined for this comparison")


def wants_people(config: Config) -> bool:
    """Return whether an audit needs to know who was decided how: to keep it, or to compare with it."""
    return config.keep.scores or config.compare.previous is not None or config.compare.champion is not None


def collect_changes(
    config: Config, examined: Examination, previous: SealedAudit | None, *, examine: Examine
) -> tuple[Change, ...]:
    """Compare a fresh examination with what its configuration names.

    Parameters
    ----------
    config : Config
        For its `compare` block.
    examined : Examination
        The examination, which kept who was decided how.
    previous : SealedAudit or None
        The earlier audit; None where there is none.
    examine : callable
        Examines a configuration and keeps who was decided how, for the champion.
    """
    if previous is None and config.compare.champion is None:
        return ()
    own, changes = side_of(examined), []
    if previous is not None:
        changes.append(compare_sides(previous.side, own))
    if config.compare.champion is not None:
        changes.append(compare_sides(side_of(examine(_as_champion(config))), own, against="champion"))
    return tuple(changes)


def _as_champion(config: Config) -> Config:
    """Return the configuration of the champion: another model on the same rows, at the cheapest effort."""
    from pydantic import TypeAdapter, ValidationError

    try:  # as `model` itself is read, with its short forms
        model = TypeAdapter(Config.model_fields["model"].rebuild_annotation()).validate_python(config.compare.champion)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in ("compare", "champion", *first["loc"]))
        raise ConfigError(f"the champion is no model: {first['msg']}", place=place) from None
    return config.model_copy(update={"model": model, "effort": "fast", "explain": None})


def list_near(out: Path | None, system: str) -> list[Path]:
    """Return the folders in which earlier reports of a system are looked for."""
    return [*([out.absolute().parent] if out else []), Path("audits") / system]


__all__ = ["ChangeReport", "collect_changes", "compare_audits", "list_near", "wants_people"]
