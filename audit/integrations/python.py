"""The Python door: the same two halves for objects and files alike.

Comes in: a path to audit.yaml, or objects. Goes out: an `Outcome` with dossier, folder, verdicts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.attestation.pipeline import Outcome
from audit.config.load import config_from, load_config
from audit.config.schema import Config
from audit.errors import ConfigError
from audit.evidence import Evidence, Severity

from .progress import TextProgress

if TYPE_CHECKING:
    import pandas as pd

    from audit.attestation.verify import Verification
    from audit.changes import ChangeReport
    from audit.examination.sweep.sweep import Sweep

__all__ = ["attest", "diff", "examine", "export", "load", "run", "verify"]


def load(config: str | Path, *, overrides: Iterable[str] = ()) -> Config:
    """Read an audit.yaml.

    Parameters
    ----------
    config : str or pathlib.Path
        The file.
    overrides : iterable of str
        ``key.path=value``, as after ``--set``.
    """
    return load_config(Path(config), overrides=list(overrides))


def run(
    config: str | Path | Config | None = None,
    *,
    data: pd.DataFrame | str | Path | None = None,
    predict: Callable[[Any], Any] | None = None,
    out: str | Path | None = None,
    fail_on: Severity = "high",
    allow: Iterable[str] = (),
    executor: Executor | None = None,
    progress: bool = False,
    **settings: Any,
) -> Outcome:
    """Audit a model and write the report folder.

    Parameters
    ----------
    config : path or Config, optional
        An audit.yaml; leave it out to give everything as arguments.
    data : pandas.DataFrame or path, optional
        The rows to be judged.
    predict : callable, optional
        The black box: takes a frame of rows, returns one score per row, shape ``[n]``.
    out : path, optional
        The report folder; default ``audits/<system>/...`` under the working folder.
    fail_on : str
        Severity from which a rule decides the outcome.
    allow : iterable of str
        ``inconclusive`` and ``manual``, where they shall not leave the run undecided.
    executor : concurrent.futures.Executor, optional
        What scores and counts the shards of a large table, instead of ``engine``: a process pool, or any other
        library's executor.
    progress : bool
        Show a bar of text on the standard error, as notebooks and scripts like it.
    **settings
        Any key of audit.yaml: ``label="repaid", groups=["sex"], policies=[...]``.

    Returns
    -------
    Outcome
        ``.dossier``, ``.folder``, ``.verdicts``, ``.passed``.

    Examples
    --------
    >>> outcome = audit.run(data=frame, predict=score, label="repaid", groups=["sex"])  # doctest: +SKIP
    """
    from audit.workflow import run_audit

    place = data if isinstance(data, str | Path) else None
    frame = None if isinstance(data, str | Path) else data
    if frame is not None and not (hasattr(frame, "columns") and hasattr(frame, "iloc")):
        raise ConfigError(
            f"data is a {type(data).__name__}", place="argument data", hint="give a pandas DataFrame, or a path"
        )
    resolved = _resolve(config, place, frame is not None, predict is not None, settings)
    shown = TextProgress() if progress else None
    outcome = run_audit(
        resolved,
        out=Path(out) if out else None,
        frame=frame,
        predict=predict,
        executor=executor,
        fail_on=fail_on,
        allow=frozenset(allow),
        interactive=True,
        progress=shown,
    )
    if shown:
        shown.close(outcome.dossier.judgement.outcome)
    return outcome


def examine(
    config: str | Path | Config,
    *,
    sweeps: Iterable[str | Path | Sweep] = (),
    executor: Executor | None = None,
) -> Evidence:
    """Run the first half: measure, and return the evidence.

    Parameters
    ----------
    config : path or Config
        The configuration.
    sweeps : iterable of path or Sweep
        All shards of the rows, where these were swept apart (`audit.examination.sweep.apart.sweep_shard`, or
        ``audit examine --shard``).
    executor : concurrent.futures.Executor, optional
        What scores and counts the shards of a large table, instead of ``engine``.
    """
    from audit.examination.pipeline import examine as examine_config
    from audit.examination.sweep.files import read_sweep
    from audit.workflow import read_clock

    resolved = config if isinstance(config, Config) else load(config)
    shards = [read_sweep(Path(item)) if isinstance(item, str | Path) else item for item in sweeps]
    started = read_clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    return examine_config(resolved, started=started, sweeps=shards, executor=executor).evidence


def attest(evidence: Evidence | str | Path, config: str | Path | Config, *, out: str | Path | None = None) -> Outcome:
    """Run the second half on evidence, or on an evidence.json.

    Parameters
    ----------
    evidence : Evidence or path
        What was measured.
    config : path or Config
        Policies, papers, formats, signing, ledger.
    out : path, optional
        The report folder.
    """
    from audit import workflow
    from audit.attestation.pipeline import attest_editions as attest_evidence

    order = config if isinstance(config, Config) else load_config(Path(config), files="attest")
    folder = Path(out) if out else None
    if not isinstance(evidence, Evidence):
        return workflow.attest_from_file(Path(evidence), order, out=folder, interactive=True)
    now = workflow.read_clock()
    return attest_evidence(
        evidence,
        order,
        out=folder or workflow.name_folder(evidence, now),
        now=now,
        evidence_signed="evidence was supplied unsigned",
        interactive=True,
    )


def verify(path: str | Path, *, trust: str | Path | None = None) -> Verification:
    """Check a report folder, a report.pdf or a report.html.

    Parameters
    ----------
    path : path
        What to check.
    trust : path, optional
        PEM file of certificates that you trust.
    """
    from audit.attestation.verify import verify_report

    return verify_report(Path(path), trust=Path(trust) if trust else None)


def diff(old: str | Path, new: str | Path, *, out: str | Path | None = None, **settings: Any) -> ChangeReport:
    """Compare two audits: what changes, for whom, and whether it is more than noise.

    Parameters
    ----------
    old, new : path
        Two report folders, or two audit.yaml on the same rows.
    out : path, optional
        Folder for a sealed report of the change.
    **settings
        See `audit.workflow.compare_audits`: order, against, must_pair, trust, fail_on, allow.

    Returns
    -------
    ChangeReport
        ``.change``, ``.findings``, ``.exit_code`` and, where a folder was asked for, ``.outcome``.
    """
    from audit.workflow import compare_audits

    return compare_audits(Path(old), Path(new), out=Path(out) if out else None, **settings)


def export(net: Any, *, example: pd.DataFrame, to: str | Path, preprocess: Any = None) -> dict[str, Any]:
    """Write a net and its fitted scikit-learn preprocessing as a ``.pt2`` and the ``model:`` block that feeds it.

    Parameters
    ----------
    net : torch.nn.Module
        The trained net; takes one float tensor, shape ``[n, columns after preprocessing]``.
    example : pandas.DataFrame
        A few raw rows, to trace with and to check against.
    to : path
        The file to write.
    preprocess : sklearn ColumnTransformer or Pipeline, optional
        Fitted; its steps become the ``inputs:`` block.

    Returns
    -------
    dict
        The ``model:`` block of audit.yaml.
    """
    from audit.examination.blackbox.export import export_model

    return export_model(net, preprocess=preprocess, example=example, to=Path(to))


def _resolve(
    config: str | Path | Config | None,
    data: str | Path | None,
    has_frame: bool,
    has_predict: bool,
    settings: dict[str, Any],
) -> Config:
    if isinstance(config, Config):
        if settings or data is not None:
            raise ConfigError("give either a Config or settings, not both", place="run(config, ...)")
        return config
    if config is not None:
        extra = [f"data.audit={data}"] if data is not None else []
        # JSON is YAML, and unlike Python's own spelling it keeps None, True and paths what they are
        given = (f"{key}={json.dumps(value, default=str)}" for key, value in settings.items())
        return load(config, overrides=[*extra, *given])
    settings = dict(settings)
    if data is not None or has_frame:
        settings["data"] = str(data) if data is not None else "<object>"
    if has_predict:
        settings.setdefault("model", {})
        settings["model"] = {**settings["model"], "format": "python"}
    return config_from(settings)
