"""A report's audit carried out again, to see whether every number comes out.

Comes in: a verified report folder and its audit.yaml. Goes out: a comparison of both, number by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from audit.config.placing import tell_places
from audit.errors import ConfigError
from audit.evidence import Dossier, Evidence

if TYPE_CHECKING:
    from audit.attestation.recompute import Recomputation
    from audit.examination.engine.progress import Progress


def recompute_audit(
    folder: Path, config_path: Path, *, overrides: Sequence[str] = (), progress: Progress | None = None
) -> Recomputation:
    """Carry out the audit of a verified report again, for the same day and seed, and compare every number.

    Parameters
    ----------
    folder : pathlib.Path
        The report folder, verified.
    config_path : pathlib.Path
        Its audit.yaml.
    overrides : sequence of str
        What ``--set`` changed in it when the audit was run.
    progress : Progress, optional
        Hears of stages and steps.

    Raises
    ------
    ConfigError
        The report is a redacted one, or a comparison, whose numbers are not those of one run.
    AuditError
        Anything that keeps the audit from being carried out.
    """
    from audit.attestation.policy.judge import judge
    from audit.attestation.policy.papers import load_papers
    from audit.attestation.policy.select import load_packs
    from audit.attestation.recompute import compare_evidence
    from audit.config.load import load_config
    from audit.examination.pipeline import examine

    dossier = Dossier.parse((folder / "audit.json").read_bytes())
    _refuse_other_kinds(dossier)
    old, told = dossier.evidence, dossier.judgement
    config = load_config(config_path, overrides=overrides).model_copy(update={"seed": old.provenance.seed})
    packs, papers = load_packs(config), load_papers(config.documents)
    with tell_places(config):
        again = examine(config, started=old.provenance.started, progress=progress)
    new = Evidence.parse(again.evidence.canonical())
    judgement = judge(
        new, packs, papers, config, as_of=date.fromisoformat(told.as_of), evidence_signed=told.evidence_signed,
        fail_on=told.fail_on, allow=frozenset(), changes=dossier.changes,
    )  # fmt: skip
    verdicts = ({one.rule: one.status for one in side.findings} for side in (told, judgement))
    return compare_evidence(old.model_dump(mode="json"), new.model_dump(mode="json"), *verdicts)


def _refuse_other_kinds(dossier: Dossier) -> None:
    """Refuse a report whose numbers are not those of one run, and say which report's are."""
    if dossier.kind != "audit":
        raise ConfigError(
            "this report compares two audits, whose numbers are those of two runs",
            place="--recompute",
            hint="recompute the two reports that it compares",
        )
    if dossier.public is not None or dossier.presentation.audience != "internal":
        known = dossier.public.dossier_digest if dossier.public else None
        named = f"whose audit.json has the digest {known}" if known else "which no ledger holds"
        raise ConfigError(
            "this is a public edition, which withholds small counts, so that its numbers cannot all come out again: "
            f"recompute the internal report that it was made of, {named}",
            place="--recompute",
        )
