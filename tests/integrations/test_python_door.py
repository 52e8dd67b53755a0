"""The Python door: arguments are read as audit.yaml is, and a library stays silent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from material import ROOT, make_table

import audit
from audit.errors import ConfigError
from audit.integrations.python import _resolve


def test_settings_beside_a_file_keep_their_types(small_job):
    settings = {
        "label": None,
        "groups": {"Sex": {"column": "sex"}},
        "policies": [Path("baseline-fairness")],
        "keep": {"scores": True},
        "title": "no: [title] is, like 'this'",
    }
    config = _resolve(small_job / "audit.yaml", None, False, False, settings)
    assert config.label is None
    assert config.groups.attributes["Sex"].column == "sex"
    assert config.policies == ("baseline-fairness",)
    assert config.keep.scores is True
    assert config.title == "no: [title] is, like 'this'"


def test_rows_that_are_no_frame_are_named():
    with pytest.raises(ConfigError, match="argument data: data is a dict; give a pandas DataFrame"):
        audit.run(data={"income": [1]}, predict=len)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"lable": "repaid"}, "did you mean 'label'"),
        ({"label": "repayed"}, "did you mean 'repaid'"),
        ({"label": "repaid", "groups": ["sx"]}, "did you mean 'sex'"),
        ({"label": "repaid", "effort": "fats"}, "did you mean 'fast'"),
    ],
)
def test_arguments_are_checked_as_the_file_is(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the ledger lies in the working folder
    table = make_table(60)
    with pytest.raises(ConfigError, match=words):
        audit.run(data=table, predict=lambda rows: rows["income"] / 200, out=tmp_path / "report", **arguments)
    assert not (tmp_path / "report").exists()


def test_a_part_that_breaks_is_told_to_who_listens_alone():
    script = "import audit, logging\nlogging.getLogger('audit.examination.glassbox.fit').error('broke')"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    listening = f"import logging\nlogging.basicConfig()\n{script}"
    done = subprocess.run([sys.executable, "-c", listening], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "broke" in done.stderr
