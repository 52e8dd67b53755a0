"""MLflow: audit a model where it is registered, write the result beside it, and open or close a gate.

Comes in: a model's address (``models:/name/version``, ``models:/name@alias``, ``runs:/id/model``) and an audit.yaml.
Goes out: the audit's outcome, logged to the run that made the model: metrics, the report folder as artefacts, tags with
the verdict and the dossier's digest; and, where it passed, an alias that deployment reads. MLflow is asked through its
own client; nothing else of this project knows it. ``pip install mlflow`` (or ``mlflow-skinny``) is up to the user.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from audit.attestation.pipeline import Outcome
from audit.config.load import load_config
from audit.errors import AuditError, ConfigError, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["LoggedAudit", "audit_mlflow_model", "log_outcome", "open_gate"]

T = TypeVar("T")
_DOWN = ("connection", "timed out", "timeout", "max retries", "temporarily", "503", "502", "504", "unreachable")


@dataclass(frozen=True, slots=True)
class LoggedAudit:
    """An audit and where MLflow has it.

    Parameters
    ----------
    outcome : Outcome
        The audit.
    run_id : str
        The run that it was logged to.
    name, version : str
        The registered model; empty where the address named none.
    opened : bool
        Whether the alias was set.
    """

    outcome: Outcome
    run_id: str
    name: str = ""
    version: str = ""
    opened: bool = False


def audit_mlflow_model(
    config: str | Path,
    model: str,
    *,
    out: str | Path | None = None,
    overrides: Iterable[str] = (),
    tracking_uri: str | None = None,
    folder: str | Path = "mlflow-models",
    alias: str | None = None,
    accept: Iterable[str] = ("passed",),
) -> LoggedAudit:
    """Take a model from MLflow, audit it, log the result, and set an alias if it passed.

    Parameters
    ----------
    config : path
        An audit.yaml; its ``model.path`` is replaced, all else is used as it stands.
    model : str
        Address of the model, e.g. ``models:/credit@candidate``.
    out : path, optional
        The report folder.
    overrides : iterable of str
        ``key.path=value`` each.
    tracking_uri : str, optional
        The server; else MLflow's own setting.
    folder : path
        Where the model's files are put.
    alias : str, optional
        Alias of the registered model to move to this version where the outcome is one of `accept`.
    accept : iterable of str
        Outcomes that open the gate.

    Raises
    ------
    TryAgain
        The server does not answer (exit code 6).
    ConfigError
        There is no such model, MLflow is not installed, or an alias is asked for a model that is not registered.
    """
    from audit.workflow import run_audit

    client = _client(tracking_uri)
    run_id, name, version = _ask(lambda: _resolve(client, model), model)
    if alias and not name:
        raise ConfigError(f"{model} is no registered model", place="alias", hint="name it models:/name/version")
    path = _ask(lambda: _download(model, Path(folder), tracking_uri), model)
    order = load_config(Path(config), overrides=[*overrides, f"model.path={path}"])
    outcome = run_audit(order, out=Path(out) if out else None)
    _ask(lambda: log_outcome(outcome, run_id=run_id, client=client, name=name, version=version), model)
    opened = bool(alias) and _ask(lambda: open_gate(outcome, client, name, version, str(alias), accept=accept), model)
    return LoggedAudit(outcome, run_id, name, version, opened)


def log_outcome(outcome: Outcome, *, run_id: str, client: Any, name: str = "", version: str = "") -> None:
    """Write an outcome to a run: metrics, the report folder, and tags of run and model version.

    Parameters
    ----------
    outcome : Outcome
        The audit.
    run_id : str
        The run.
    client : mlflow.MlflowClient
        Who speaks to the server.
    name, version : str, optional
        The registered model that gets the tags too.

    Notes
    -----
    Files about single people and private sidecars stay where they are: only what the seal covers is uploaded.
    """
    for metric, number in list_metrics(outcome).items():
        client.log_metric(run_id, metric, number)
    for file in outcome.files:
        place = Path("audit") / Path(file).parent
        client.log_artifact(run_id, str(outcome.folder / file), artifact_path=place.as_posix().rstrip("/."))
    for key, value in list_tags(outcome).items():
        client.set_tag(run_id, key, value)
        if name:
            client.set_model_version_tag(name, version, key, value)


def open_gate(
    outcome: Outcome, client: Any, name: str, version: str, alias: str, *, accept: Iterable[str] = ("passed",)
) -> bool:
    """Move an alias to a model version where its audit allows it; return whether it was moved.

    Parameters
    ----------
    accept : iterable of str
        Outcomes that open the gate: ``passed``, and whatever else its owner accepts.
    """
    if outcome.dossier.judgement.outcome not in set(accept):
        return False
    client.set_registered_model_alias(name, alias, version)
    return True


def list_metrics(outcome: Outcome) -> dict[str, float]:
    """Return what is logged as metrics: verdict counts, the exit code, and every judged number with its interval."""
    judgement = outcome.dossier.judgement
    found = {"audit/exit_code": float(outcome.exit_code)}
    found |= {f"audit/rules/{word}": float(count) for word, count in _counts(outcome).items()}
    for verdict in (verdict for finding in judgement.findings for verdict in finding.verdicts):
        seen = verdict.observed
        ends = {"": seen.value, "/low": seen.low, "/high": seen.high} if seen else {}
        found |= {f"audit/{_legal(verdict.scope)}{end}": number for end, number in ends.items() if number is not None}
    return found


def list_tags(outcome: Outcome) -> dict[str, str]:
    """Return what is written as tags: the verdict, and the digests by which the report is found again."""
    judgement = outcome.dossier.judgement
    failed = [finding.rule for finding in judgement.findings if finding.status == "fail"]
    return {
        "audit.outcome": judgement.outcome,
        "audit.dossier": outcome.dossier.digest(),
        "audit.evidence": judgement.evidence_digest,
        "audit.as_of": judgement.as_of,
        "audit.failed": json.dumps(failed)[:5000],
    }


def _counts(outcome: Outcome) -> dict[str, int]:
    from audit.evidence import VERDICT_ORDER

    return {word: outcome.dossier.judgement.count(word) for word in VERDICT_ORDER}


def _client(tracking_uri: str | None) -> Any:
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise ConfigError("MLflow is not installed", hint="pip install mlflow-skinny") from None
    return MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)


def _resolve(client: Any, model: str) -> tuple[str, str, str]:
    """Return run, registered name and version of an address."""
    scheme, _, rest = model.partition(":/")
    rest = rest.lstrip("/")
    if scheme == "runs":
        run_id = rest.split("/")[0]
        client.get_run(run_id)
        return run_id, "", ""
    if scheme != "models" or not rest:
        forms = "models:/name/version, models:/name@alias or runs:/id/path"
        raise ConfigError(f"{model} is no address of a model", hint=f"write {forms}")
    name, sign, alias = rest.partition("@")
    if sign:
        found = client.get_model_version_by_alias(name, alias)
    else:
        name, _, version = rest.rpartition("/")
        found = client.get_model_version(name, version)
    return str(found.run_id or ""), str(found.name), str(found.version)


def _download(model: str, folder: Path, tracking_uri: str | None) -> Path:
    from mlflow.artifacts import download_artifacts

    folder.mkdir(parents=True, exist_ok=True)
    place = folder / _legal(model).replace("/", "_").replace(":", "_")
    place.mkdir(exist_ok=True)
    if model.startswith("models:") and tracking_uri:
        import mlflow

        mlflow.set_registry_uri(tracking_uri)
    found = download_artifacts(artifact_uri=model, dst_path=str(place), tracking_uri=tracking_uri)
    return Path(found).resolve()


def _ask(call: Callable[[], T], what: str) -> T:
    """Ask the server; what it says becomes an error of this project."""
    try:
        return call()
    except AuditError:
        raise
    except Exception as error:
        text = str(error)
        if any(word in text.lower() for word in _DOWN) or isinstance(error, OSError):
            raise TryAgain("the MLflow server does not answer", hint="try again when it is up") from error
        raise ConfigError(f"MLflow refused {what}: {text.splitlines()[0][:300]}") from error


def _legal(text: str) -> str:
    """Return a text with only the signs that MLflow allows in names."""
    swapped = text.replace("[", "/").replace("=", " ").replace(",", " ").replace("]", "")
    return "".join(sign if sign.isalnum() or sign in "_-. /:" else "-" for sign in swapped)
