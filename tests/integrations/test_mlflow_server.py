"""MLflow, for real: a tracking server of its own with a database and a folder, a registered model, a gate."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
import warnings

import pytest
from material import make_net

from audit.errors import ConfigError, TryAgain
from audit.evidence import Judgement
from audit.integrations.mlflow import audit_mlflow_model, list_metrics, list_tags, open_gate

mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed (pip install mlflow)")

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # MLflow's own, of which there are many
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a tracking server that lives as long as this module."""
    pytest.importorskip("flask", reason="the server of MLflow is not installed (pip install mlflow)")
    home = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{home}/mlflow.db",
        "--artifacts-destination", str(home / "artifacts"), "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=_quiet())
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process, home / "server.log")
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def _quiet() -> dict[str, str]:
    return {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}


def _wait_for(address, process, log):
    for _ in range(240):
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def registered(server):
    """A client, and a model registered as version 1 with the alias ``candidate``."""
    import mlflow.pytorch
    import torch

    os.environ.update(_quiet())
    mlflow.set_tracking_uri(server)
    mlflow.set_registry_uri(server)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with mlflow.start_run() as run:
            mlflow.pytorch.log_model(
                make_net(),
                name="model",
                registered_model_name="credit",
                serialization_format="pt2",
                input_example=torch.zeros(4, 3).numpy(),
            )
    client = mlflow.MlflowClient(tracking_uri=server, registry_uri=server)
    client.set_registered_model_alias("credit", "candidate", "1")
    yield client, run.info.run_id
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)


def test_a_registered_model_is_audited_logged_and_gated(server, registered, small_job, tmp_path):
    client, run_id = registered
    done = audit_mlflow_model(
        small_job / "audit.yaml",
        "models:/credit@candidate",
        out=tmp_path / "report",
        overrides=["report.formats=[html]", f"ledger.path={tmp_path / 'log'}"],
        tracking_uri=server,
        folder=tmp_path / "models",
        alias="champion",
    )
    assert (done.run_id, done.name, done.version) == (run_id, "credit", "1")
    run = client.get_run(run_id)
    assert run.data.tags["audit.dossier"] == done.outcome.dossier.digest()
    assert run.data.tags["audit.outcome"] == done.outcome.dossier.judgement.outcome
    assert client.get_model_version("credit", "1").tags["audit.dossier"] == done.outcome.dossier.digest()
    logged = {name: value for name, value in run.data.metrics.items() if name.startswith("audit/")}
    assert logged == pytest.approx(list_metrics(done.outcome))
    assert len(logged) > 20
    uploaded = {item.path for item in client.list_artifacts(run_id, "audit")}
    assert {"audit/audit.json", "audit/report.html", "audit/SHA256SUMS"} <= uploaded
    # this audit is undecided, so that the gate stays shut
    assert done.outcome.dossier.judgement.outcome == "undecided"
    assert not done.opened
    assert "champion" not in client.get_registered_model("credit").aliases


def test_the_gate_opens_for_outcomes_that_its_owner_accepts(registered, small_report):
    client, _ = registered
    assert not open_gate(small_report, client, "credit", "1", "served")
    assert open_gate(small_report, client, "credit", "1", "served", accept=[small_report.dossier.judgement.outcome])
    assert client.get_registered_model("credit").aliases["served"] == "1"


@pytest.mark.parametrize(
    "address", ["models:/nobody/1", "models:/credit@nowhere", "runs:/0/model", "file.pt", "models:/"]
)
def test_a_model_that_is_not_there_is_a_mistake_in_the_address(server, registered, small_job, address):
    with pytest.raises(ConfigError):
        audit_mlflow_model(small_job / "audit.yaml", address, tracking_uri=server)


def test_a_registry_that_is_down_is_try_again(small_job, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(TryAgain) as raised:
        audit_mlflow_model(small_job / "audit.yaml", "models:/credit/1", tracking_uri=address, folder=tmp_path)
    assert raised.value.exit_code == 6


def test_tags_name_what_the_judgement_says(small_report):
    tags = list_tags(small_report)
    judgement: Judgement = small_report.dossier.judgement
    assert tags["audit.outcome"] == judgement.outcome
    assert tags["audit.evidence"] == judgement.evidence_digest
