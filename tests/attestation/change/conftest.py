"""The reports of two versions of a model, made once."""

from __future__ import annotations

import pytest
from change_material import make_scores, write_config


@pytest.fixture(scope="session")
def change_job(tmp_path_factory):
    """A folder with people.csv, old.yaml and new.yaml."""
    folder = tmp_path_factory.mktemp("change")
    make_scores().to_csv(folder / "people.csv", index=False)
    for name in ("old", "new"):
        write_config(folder, name)
    return folder


@pytest.fixture(scope="session")
def two_reports(change_job):
    """The report folders of both versions, with their private files of scores."""
    from audit.config.load import load_config
    from audit.workflow import run_audit

    folders = [change_job / f"report-{name}" for name in ("old", "new")]
    for name, folder in zip(("old", "new"), folders, strict=True):
        run_audit(load_config(change_job / f"{name}.yaml"), out=folder)
    return folders
