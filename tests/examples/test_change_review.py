"""The example of a reviewed change does what its documentation says: better over everybody, worse for one, stopped."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The example run as a reader runs it, on a copy of the folder."""
    folder = tmp_path_factory.mktemp("examples")
    for name in ("credit", "change-review"):
        shutil.copytree(EXAMPLES / name, folder / name, ignore=shutil.ignore_patterns("out", "__pycache__"))
    place = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "OMP_NUM_THREADS": "1"}
    script = folder / "change-review" / "review.py"
    done = subprocess.run(
        [sys.executable, str(script)], env=place, capture_output=True, text=True, timeout=600, check=False
    )
    return done, folder / "change-review" / "out"


@pytest.mark.slow
def test_review_stops_the_change(made):
    done, out = made
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exit code 1: the change is stopped, as it must be" in done.stdout
    names = {path.name for path in (out / "change").iterdir()}
    assert {"report.html", "report.pdf", "report.md", "audit.json", "SHA256SUMS.p7s", "attestation.dsse.json"} <= names


@pytest.mark.slow
def test_one_group_pays_for_what_everybody_gains(made):
    change = json.loads((made[1] / "change" / "audit.json").read_bytes())["changes"][0]
    moves = {(m["metric"], *m["group"].values()): m for m in change["moves"] if m["model"] in (None, "black_box")}
    assert moves["performance.auc",]["reading"] == "better"
    birch = moves["fairness.accuracy", "birch"]
    assert birch["reading"] == "worse" and birch["material"] and birch["difference"]["value"] < -0.04
    drivers = [d["feature"] for d in change["drivers"] if d["group"] == {"ethnicity": "birch"}]
    assert drivers[0] == "postcode_band"
    kept = [shape for shape in change["shapes"] if shape["earlier"]]
    assert {shape["feature"] for shape in kept} >= {"income", "postcode_band"} and {s["model"] for s in kept} == {
        "black_box"
    }


@pytest.mark.slow
def test_its_report_is_intact_and_clear_on_page_one(made):
    import io

    import pypdf

    from audit.attestation.verify import verify_report

    folder = made[1] / "change"
    assert verify_report(folder).word == "INTACT"
    sheets = pypdf.PdfReader(io.BytesIO((folder / "report.pdf").read_bytes())).pages
    first = " ".join(sheets[0].extract_text().split())
    assert "Worse for Ethnicity: birch" in first and "Over everybody it gets better" in first
    assert len(sheets) <= 8
