"""The two commands of the README: what they promise to be, without running them whole."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("tests/run", "tests/lock", "examples/quickstart", ".ci/run")


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_executable_bash_that_stops_at_the_first_error(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert os.access(ROOT / name, os.X_OK)
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    assert subprocess.run(["bash", "-n", str(ROOT / name)], check=False).returncode == 0


def test_lock_is_hashed_and_holds_no_host_and_no_torch():
    text = (ROOT / "tests" / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.split("\n#\n")[-1])
    packages = {re.split(r"==", block)[0]: block for block in blocks if "==" in block}
    assert len(packages) > 80
    assert all("--hash=sha256:" in block for block in packages.values())
    assert not {"torch", "nvidia-cublas", "triton"} & set(packages)
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_libraries_to_compare_with_are_pinned_and_bring_nothing_along():
    text = (ROOT / "tests" / "oracles.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^(\S+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}$", text, flags=re.M)
    assert pinned == sorted(pinned)
    assert "captum" in pinned
    assert len(pinned) == text.count("==")
    assert '--require-hashes --no-deps -r "$oracles"' in (ROOT / "tests" / "setup.sh").read_text(encoding="utf-8")


def test_lock_holds_what_the_project_asks_for():
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = (ROOT / "tests" / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", text, flags=re.M))
    asked = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["test"]]
    asked += project["build-system"]["requires"]
    for line in asked:
        wanted = Requirement(line)
        if wanted.name != "torch":
            assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)]), line


def test_without_a_python_it_says_so():
    done = subprocess.run(
        ["bash", "-c", "set -euo pipefail; PATH=/nowhere; . tests/setup.sh; find_python"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr


def test_a_ready_environment_is_not_touched(tmp_path):
    """With the stamp of this lock, project file and Python there is nothing to do and nothing to say."""
    (tmp_path / "tests").mkdir()
    for name in ("tests/setup.sh", "tests/requirements.lock", "tests/oracles.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    # the WeasyPrint check is the one question that a ready environment is asked
    asked = tmp_path / ".venv" / "bin" / "python"
    asked.write_text('#!/bin/sh\n[ "$2" = \'import weasyprint\' ] || { echo "asked: $*"; exit 9; }\n', encoding="utf-8")
    asked.chmod(0o755)
    script = (
        "set -euo pipefail; . tests/setup.sh; python=$(find_python); "
        'printf "%s\\n" "$(stamp_of "$python")" > .venv/.stamp; set_up'
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable, "HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_missing_text_libraries_are_named(tmp_path):
    """Not as root: the message names the packages."""
    (tmp_path / "bin").mkdir()
    for name, text in {"python": "exit 1", "id": "echo 1000"}.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    script = f"set -euo pipefail; . tests/setup.sh; venv={tmp_path}; check_text_libraries"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"},
    )
    assert done.returncode == 1
    assert "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in done.stderr
