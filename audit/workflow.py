"""What joins the two wings, in order: run, the halves apart, and what compares two audits."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.attestation.folder import refuse_existing, refuse_unwritable, write_folder
from audit.attestation.pipeline import Outcome, attest_editions, keep_silent
from audit.checkpoint import RESUMED, clear_partial_checkpoints, drop_checkpoint, find_checkpoint, keep_checkpoint
from audit.config.placing import tell_places
from audit.config.schema import AttestConfig, Config
from audit.errors import ConfigError, SealError
from audit.evidence import Evidence, IndividualDecisions, Severity, digest_bytes, read_evidence

if TYPE_CHECKING:
    import pandas as pd

    from audit.changes import ChangeReport
    from audit.evidence.change import Against
    from audit.examination.engine.progress import Progress
    from audit.examination.pipeline import Examination


MADE_NOW = "made in the same run"
"""What a judgement says of evidence that this very run measured."""
RESUMED_NOTE = "the examination of an interrupted run was taken up again; nothing was measured twice"


def read_clock() -> datetime:
    """Return the time of this run in UTC; ``SOURCE_DATE_EPOCH`` is honoured.

    Notes
    -----
    The one place where the clock is asked (https://reproducible-builds.org/specs/source-date-epoch/).
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)


def run_audit(
    config: Config,
    *,
    out: Path | None = None,
    frame: pd.DataFrame | None = None,
    predict: Callable[[Any], Any] | None = None,
    executor: Executor | None = None,
    fail_on: Severity = "high",
    allow: frozenset[str] = frozenset(),
    interactive: bool = False,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Examine, then attest.

    Parameters
    ----------
    config : Config
        A whole configuration.
    out : pathlib.Path, optional
        The report folder; default ``audits/<system>/<UTC time>-<8 hex of the evidence digest>``.
    frame, predict : optional
        Rows and black box as objects instead of files.
    executor : concurrent.futures.Executor, optional
        What scores and counts the shards of a large table, instead of ``engine``.
    fail_on, allow, interactive
        See `audit.attestation.pipeline.attest`.
    fresh : bool
        Measure again even where an interrupted run of the same inputs left a checkpoint.
    progress : Progress, optional
        Hears of stages and steps.

    Raises
    ------
    TryAgain
        Another audit of this system is running.
    AuditError
        Anything that kept the report from being made; see `audit.errors`.
    """
    from audit.attestation.comparison import find_previous
    from audit.attestation.ledger.lock import hold_system
    from audit.attestation.seal.keys import signer_for
    from audit.changes import collect_changes, list_near, wants_people

    if out is None:
        refuse_unwritable(Path("audits") / config.system.name)
    else:
        refuse_existing(out)
    check_order(config, interactive=interactive)
    now = read_clock()
    started = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with hold_system(Path(config.ledger.path), config.system.name, since=started) as taken_over:
        clear_partial_checkpoints(config)
        # a side that is none is told before the work, not after it
        previous, missing = find_previous(config, config.system.name, list_near(out, config.system.name))
        # objects in memory have no file whose digest could say that they are the same, and a checkpoint
        # holds nobody's scores, so that a run that needs them measures again
        people = wants_people(config)
        lasting = frame is None and predict is None and not people
        signer = signer_for(config.signing, interactive=interactive) if lasting else None
        kept = find_checkpoint(config, signer) if lasting and not fresh else None
        examined = kept or _examine(config, now, frame, predict, progress, executor=executor, keep=people)
        if lasting and kept is None:
            keep_checkpoint(config, examined, signer)
        changes = collect_changes(
            config,
            examined,
            previous,
            examine=lambda other: _examine(other, now, frame, None, progress, keep=True),
        )
        outcome = attest_editions(
            examined.evidence,
            config,
            out=out or name_folder(examined.evidence, now),
            now=now,
            artifacts=examined.artifacts,
            individuals=examined.individuals,
            evidence_signed=RESUMED if kept else MADE_NOW,
            fail_on=fail_on,
            allow=allow,
            interactive=interactive,
            changes=changes,
            scores=examined.scores if config.keep.scores else None,
            tell=progress.stage if progress else keep_silent,
        )
        drop_checkpoint(config)
    told = (taken_over, RESUMED_NOTE if kept else "", missing)
    return replace(outcome, notes=(*outcome.notes, *filter(None, told)))


def check_order(order: AttestConfig, *, interactive: bool = False) -> None:
    """Check policies, papers, signer and ledger before hours of measuring, so that a typo costs seconds.

    Parameters
    ----------
    order : AttestConfig
        How to judge, show, seal and record.
    interactive : bool
        Whether a development key may be made unasked.

    Raises
    ------
    ConfigError
        A mistake in one of the texts of the second half, or a key that cannot sign.
    LedgerError
        The chain of entries is broken.
    """
    from audit.attestation.ledger.store import hold_ledger
    from audit.attestation.policy.lock import read_lock
    from audit.attestation.policy.papers import load_papers
    from audit.attestation.policy.select import load_packs
    from audit.attestation.render.brand import read_brand
    from audit.attestation.render.editions import check_edition
    from audit.attestation.seal.keys import signer_for

    packs = load_packs(order)
    check_edition(order.report.edition, [pack.name for pack in packs])
    read_brand(order.report)
    load_papers(order.documents)
    if order.lock is not None:
        read_lock(Path(order.lock), place=order.place_of("lock"))
    signer_for(order.signing, interactive=interactive)
    with hold_ledger(order.ledger):
        pass


def sweep_to_file(config: Config, out: Path, index: int, count: int) -> int:
    """Sweep one shard of the rows on its own and write what it leaves behind; return its rows.

    Parameters
    ----------
    config : Config
        The same for every shard.
    out : pathlib.Path
        File to make.
    index, count : int
        Which shard, from 1, of how many.
    """
    from audit.examination.sweep.apart import sweep_shard
    from audit.examination.sweep.files import write_sweep

    refuse_existing(out)
    sweep = sweep_shard(config, index, count)
    write_sweep(sweep, out)
    return sweep.rows


def examine_to_folder(
    config: Config,
    out: Path,
    *,
    sweeps: Sequence[Path] = (),
    interactive: bool = False,
    progress: Progress | None = None,
) -> Evidence:
    """Run the first half alone: write evidence.json, its signed envelope and the artifacts.

    Parameters
    ----------
    config : Config
        A whole configuration; its signing block names the key of the envelope.
    out : pathlib.Path
        Folder to make.
    sweeps : sequence of pathlib.Path
        Files of all shards of the rows, where these were swept apart.
    """
    from audit.attestation.seal.keys import signer_for
    from audit.attestation.seal.sign import seal_evidence

    refuse_existing(out)
    signer = signer_for(config.signing, interactive=interactive)  # a wrong key is told before the work, not after it
    examined = _examine(config, read_clock(), None, None, progress, sweeps=sweeps)
    data = examined.evidence.canonical()
    envelope = {"evidence.dsse.json": seal_evidence(data, signer)} if signer else {}
    write_folder({"evidence.json": data, **envelope, **examined.artifacts, **examined.individuals}, out)
    return examined.evidence


def attest_from_file(
    path: Path,
    order: AttestConfig,
    *,
    out: Path | None = None,
    fail_on: Severity = "high",
    allow: frozenset[str] = frozenset(),
    interactive: bool = False,
) -> Outcome:
    """Run the second half alone, on an evidence.json that another run, or another person, wrote.

    Parameters
    ----------
    path : pathlib.Path
        ``evidence.json``; its envelope and artifacts are looked for beside it.
    order : AttestConfig
        How to judge, show, seal and record.

    Raises
    ------
    SealError
        Evidence or an artifact is not what was signed.
    """
    from audit.attestation.seal.check import check_evidence

    data = _read(path, "name the evidence.json file")
    envelope = path.with_name("evidence.dsse.json")
    signed = check_evidence(data, envelope.read_bytes() if envelope.is_file() else None)
    evidence, now = read_evidence(data), read_clock()
    return attest_editions(
        evidence,
        order,
        out=out or name_folder(evidence, now),
        now=now,
        artifacts=_collect_artifacts(evidence, path),
        individuals=_collect_individuals(evidence, path),
        evidence_signed=signed,
        fail_on=fail_on,
        allow=allow,
        interactive=interactive,
    )


def name_folder(evidence: Evidence, now: datetime) -> Path:
    """Return ``audits/<system>/<UTC time>-<8 hex of the evidence digest>``."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path("audits") / evidence.subject.system / f"{stamp}-{evidence.digest().removeprefix('sha256:')[:8]}"


def compare_audits(
    old: Path,
    new: Path,
    *,
    out: Path | None = None,
    order: AttestConfig | None = None,
    against: Against = "previous_audit",
    must_pair: bool = False,
    trust: Path | None = None,
    fail_on: Severity = "high",
    allow: frozenset[str] = frozenset(),
    interactive: bool = False,
    progress: Progress | None = None,
) -> ChangeReport:
    """Compare two report folders, or two configurations on the same rows; see `audit.changes.compare_audits`."""
    from audit import changes

    if out is not None:
        refuse_existing(out)
    now = read_clock()
    return changes.compare_audits(
        old,
        new,
        now=now,
        examine=lambda config: _examine(config, now, None, None, progress, keep=True),
        out=out,
        order=order,
        against=against,
        must_pair=must_pair,
        trust=trust,
        fail_on=fail_on,
        allow=allow,
        interactive=interactive,
    )


def _examine(
    config: Config,
    now: datetime,
    frame: pd.DataFrame | None,
    predict: Callable[[Any], Any] | None,
    progress: Progress | None,
    *,
    sweeps: Sequence[Path] = (),
    executor: Executor | None = None,
    keep: bool = False,
) -> Examination:
    from audit.examination.pipeline import examine
    from audit.examination.sweep.files import read_sweep

    started = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with tell_places(config):
        return examine(
            config,
            started=started,
            frame=frame,
            predict=predict,
            sweeps=[read_sweep(path) for path in sweeps],
            executor=executor,
            keep=keep,
            progress=progress,
        )


def _read(path: Path, hint: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint=hint) from None


def _collect_individuals(evidence: Evidence, path: Path) -> dict[str, bytes]:
    """Return the files about single people beside the evidence, as far as they were not deleted."""
    known = set(evidence.decisions.individuals) if isinstance(evidence.decisions, IndividualDecisions) else set()
    collected = {}
    for file in sorted(path.parent.glob("individuals/*.json")) if known else ():
        data = _read(file, "bring the whole folder that audit examine wrote")
        if digest_bytes(data) not in known:
            raise SealError("a file about a single person is not one that the evidence was written with")
        collected[f"individuals/{file.name}"] = data
    return collected


def _collect_artifacts(evidence: Evidence, path: Path) -> dict[str, bytes]:
    collected = {}
    for artifact in evidence.provenance.artifacts:
        if artifact.name.startswith("/") or ".." in artifact.name.split("/"):
            raise SealError(f"the evidence names a file outside its folder: {artifact.name}")
        data = _read(path.parent / artifact.name, "bring the whole folder that audit examine wrote")
        if digest_bytes(data) != artifact.sha256:
            raise SealError(f"{artifact.name} is not the file that the evidence was written with")
        collected[artifact.name] = data
    return collected
