"""The same dossier gives the same bytes: over hash seeds, time zones, locales and processes; the clock can be given."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RENDER = """
import hashlib, pathlib, sys
from audit.attestation.render.formats import FORMATS
from audit.evidence import Dossier
dossier = Dossier.parse(pathlib.Path(sys.argv[1]).read_bytes())
for name in sys.argv[2:]:
    print(name, hashlib.sha256(FORMATS[name].render(dossier)).hexdigest())
"""
SURROUNDINGS = (
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de", "COLUMNS": "40"},
)


def render_apart(dossier: Path, surroundings: dict[str, str], formats: tuple[str, ...]) -> dict[str, str]:
    environment = {**os.environ, **surroundings, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", RENDER, str(dossier), *formats],
        env=environment, capture_output=True, text=True, cwd=dossier.parent, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", ["summary", "german", "change"])
def test_other_processes_zones_and_locales_make_the_same_bytes(specimens, name):
    files = {"html": f"{name}.html", "pdf": f"{name}.pdf"}
    here = {form: hashlib.sha256((specimens / file).read_bytes()).hexdigest() for form, file in files.items()}
    for surroundings in SURROUNDINGS:
        assert render_apart(specimens / f"{name}.json", surroundings, tuple(files)) == here


def test_a_report_is_a_function_of_its_dossier_in_every_format(specimens):
    files = {"html": "real.html", "markdown": "real.md", "junit": "real.xml", "sarif": "real.sarif"}
    here = {form: hashlib.sha256((specimens / file).read_bytes()).hexdigest() for form, file in files.items()}
    assert render_apart(specimens / "real.json", SURROUNDINGS[1], tuple(files)) == here


def test_the_unsigned_part_of_a_signed_report_can_be_made_again(specimens):
    """From the dossier that a reader has, the bytes before the first signature, of paper and page."""
    made = render_apart(specimens / "signed.json", SURROUNDINGS[0], ("html", "pdf"))
    paper, size = (specimens / "signed-3.pdf").read_bytes(), (specimens / "unsigned.pdf").stat().st_size
    assert made["pdf"] == hashlib.sha256(paper[:size]).hexdigest()
    page = (specimens / "signed.html").read_bytes()
    head, mark, _ = page.rpartition(b"<!--audit-signature:v1 signed-bytes=")
    assert mark
    assert made["html"] == hashlib.sha256(head).hexdigest()


def test_source_date_epoch_is_the_time_of_the_report(specimens, tmp_path, monkeypatch):
    """Twice the same evidence at the same given time, hours apart on the clock: the same folder, byte for byte."""
    from audit.config.schema import AttestConfig
    from audit.workflow import attest_from_file

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764000000")
    made = []
    for name, zone in (("one", "UTC"), ("two", "Pacific/Kiritimati")):
        monkeypatch.setenv("TZ", zone)
        order = {
            "policies": ["baseline-fairness"], "ledger": {"path": str(tmp_path / f"log-{name}")},
            "report": {"formats": ["html", "pdf", "junit"], "edition": "summary"},
        }  # fmt: skip
        outcome = attest_from_file(
            specimens / "job" / "examined" / "evidence.json", AttestConfig.model_validate(order), out=tmp_path / name
        )
        assert outcome.dossier.presentation.created == "2025-11-24T16:00:00Z"
        assert outcome.dossier.presentation.signer is None
        made.append(
            {str(f.relative_to(tmp_path / name)): f.read_bytes() for f in (tmp_path / name).rglob("*") if f.is_file()}
        )
    assert made[0] == made[1]
    assert {"report.html", "report.pdf", "audit.json", "SHA256SUMS"} <= set(made[0])
