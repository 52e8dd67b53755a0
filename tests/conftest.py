"""What every test may use: a home without keys, a small table, small models in several formats."""

from __future__ import annotations

import os

import pytest
from material import make_net, make_table

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def _private_home(tmp_path_factory):
    """Keys are made in a folder of the test run, never in the user's own."""
    home = tmp_path_factory.mktemp("home")
    saved = {name: os.environ.get(name) for name in ("XDG_CONFIG_HOME", "HOME")}
    os.environ["XDG_CONFIG_HOME"] = str(home / "config")
    yield
    for name, value in saved.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def small_job(tmp_path_factory):
    """A folder with applicants.csv, a TorchScript model and the smallest audit.yaml with a model."""
    import warnings

    import torch

    folder = tmp_path_factory.mktemp("small")
    make_table().to_csv(folder / "applicants.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(make_net(), torch.zeros(2, 3)).save(str(folder / "model.ts.pt"))
    (folder / "audit.yaml").write_text(
        "data: applicants.csv\n"
        "label: repaid\n"
        "groups: [sex, region]\n"
        "model: {path: model.ts.pt, inputs: [income, debts, age], output: logit}\n"
        "effort: fast\n"
        "signing: {key: development}\n",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="session")
def small_report(small_job, tmp_path_factory):
    """A finished report folder of `small_job`; tests copy it before they tamper with it."""
    from audit.config.load import load_config
    from audit.workflow import run_audit

    out = tmp_path_factory.mktemp("reports") / "report"
    return run_audit(load_config(small_job / "audit.yaml"), out=out)


@pytest.fixture
def run_cli(capsys):
    """Run the command line in this process; return (exit code, stdout, stderr)."""
    from audit.cli.main import run_command

    def run(*arguments: object) -> tuple[int, str, str]:
        code = run_command([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
