"""Recomputing: exact on one machine, within a tolerance across machines, and every difference named."""

from __future__ import annotations

import copy
import json
import shutil

import pytest

from audit.attestation.recompute import TOLERANCE, compare_evidence
from audit.attestation.redact.publish import publish_dossier
from audit.errors import ConfigError
from audit.evidence import Dossier
from audit.recomputing import recompute_audit


@pytest.fixture(scope="module")
def evidence(small_report):
    return json.loads((small_report.folder / "audit.json").read_text())["evidence"]


def change(evidence, *path, by):
    other = copy.deepcopy(evidence)
    here = other
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = by(here[path[-1]])
    return other


def first_estimate(node, path=()):
    if isinstance(node, dict):
        if isinstance(node.get("value"), float) and "low" in node:
            return (*path, "value")
        items = node.items()
    elif isinstance(node, list):
        items = enumerate(node)
    else:
        return None
    return next((found for key, one in items if (found := first_estimate(one, (*path, key)))), None)


def test_the_same_is_the_same(evidence):
    found = compare_evidence(evidence, copy.deepcopy(evidence), {"a": "pass"}, {"a": "pass"})
    assert (found.exit_code, found.tolerance, found.differing) == (0, 0.0, ())
    assert found.numbers == found.exact > 1000
    assert found.lines()[-1].startswith("REPRODUCED")


def test_times_are_no_findings(evidence):
    other = change(evidence, "provenance", "seconds", by=lambda _: {"all": 9.0})
    other = change(other, "provenance", "started", by=lambda _: "2030-01-01T00:00:00Z")
    assert compare_evidence(evidence, other, {}, {}).exit_code == 0


@pytest.mark.parametrize(("times", "here", "there"), [(1 + 1e-12, 4, 0), (1 + 1e-3, 4, 4)])
def test_last_bits_matter_on_one_machine_only(evidence, times, here, there):
    path = first_estimate(evidence["performance"], ("performance",))
    other = change(evidence, *path, by=lambda value: value * times)
    found = compare_evidence(evidence, other, {}, {})
    assert found.exit_code == here
    assert [one.place for one in found.differing] == [".".join(map(str, path))]
    elsewhere = change(other, "provenance", "platform", by=lambda _: "another machine")
    found = compare_evidence(evidence, elsewhere, {}, {})
    assert (found.exit_code, found.tolerance) == (there, TOLERANCE)
    assert "another machine" in found.environment[0]
    assert f"{TOLERANCE:g}" in found.lines()[-1]


def test_counts_have_no_tolerance(evidence):
    other = change(evidence, "provenance", "platform", by=lambda _: "another machine")
    size = other["provenance"]["files"][0]
    other = change(other, "data", "rows", by=lambda rows: rows + 1) if "rows" in other["data"] else other
    assert size
    assert [one.place for one in compare_evidence(evidence, other, {}, {}).differing] == ["data.rows"]


def test_parts_that_are_gone_or_new(evidence):
    other = copy.deepcopy(evidence)
    del other["definitions"][0]
    assert compare_evidence(evidence, other, {}, {}).exit_code == 4
    assert compare_evidence(other, evidence, {}, {}).exit_code == 4


def test_other_inputs_are_named(evidence):
    other = change(evidence, "provenance", "files", 0, "sha256", by=lambda _: "sha256:" + "0" * 64)
    found = compare_evidence(evidence, other, {}, {})
    assert found.exit_code == 4
    assert found.inputs[0].endswith("is another file")


def test_verdicts(evidence):
    found = compare_evidence(evidence, evidence, {"a": "pass", "b": "pass"}, {"a": "fail"})
    assert [(one.place, one.old, one.new) for one in found.verdicts] == [("a", "pass", "fail"), ("b", "pass", "absent")]
    assert found.exit_code == 4


def test_command(small_job, small_report, tmp_path, run_cli):
    folder = tmp_path / "report"
    shutil.copytree(small_report.folder, folder)
    code, said, _ = run_cli("verify", folder, "--recompute", small_job / "audit.yaml")
    assert code == 0, said
    assert "REPRODUCED" in said.splitlines()[-1]
    again = ("verify", folder, "--recompute", small_job / "audit.yaml", "--set")
    code, said, _ = run_cli(*again, "decision.favourable=score >= 0.4")
    assert code == 4, said  # what the run was given as --set has to be given again
    assert run_cli(*again, "no.such=1")[0] == 2
    (tmp_path / "job").mkdir()
    for name in ("applicants.csv", "model.ts.pt", "audit.yaml"):
        shutil.copy(small_job / name, tmp_path / "job" / name)
    rows = (tmp_path / "job/applicants.csv").read_text().splitlines()
    (tmp_path / "job/applicants.csv").write_text("\n".join(rows[:-5]) + "\n")
    code, said, _ = run_cli("verify", folder, "--recompute", tmp_path / "job/audit.yaml", "--json")
    found = json.loads(said)
    assert (code, found["word"], found["recomputed"]["reproduced"]) == (4, "INTACT", False)
    assert any("applicants.csv is another file" in one for one in found["recomputed"]["inputs"])
    assert run_cli("verify", folder / "report.pdf", "--recompute", small_job / "audit.yaml")[0] == 2
    (folder / "audit.json").write_bytes((folder / "audit.json").read_bytes() + b" ")
    code, said, _ = run_cli("verify", folder, "--recompute", small_job / "audit.yaml")
    assert code == 4
    lines = said.splitlines()
    assert "BAD  files: audit.json was changed" in lines  # what verifying found is told, and then why no more is done
    assert any(line.startswith("TAMPERED") for line in lines[:-1])
    assert lines[-1].startswith("NOT RECOMPUTED: there is nothing to compare with")
    code, said, _ = run_cli("verify", folder, "--recompute", small_job / "audit.yaml", "--json")
    found = json.loads(said)
    assert (code, found["word"], found["recomputed"]["reproduced"]) == (4, "TAMPERED", None)
    assert "not what was sealed (" in found["recomputed"]["refused"]


@pytest.mark.parametrize("internal", [True, False])
def test_public_edition_names_the_report_that_can_be_recomputed(small_job, small_report, tmp_path, internal):
    dossier = Dossier.parse((small_report.folder / "audit.json").read_bytes())
    public = publish_dossier(dossier, internal=dossier.digest() if internal else None)
    (tmp_path / "audit.json").write_bytes(public.canonical())
    with pytest.raises(ConfigError, match="public edition") as caught:
        recompute_audit(tmp_path, small_job / "audit.yaml")
    assert (dossier.digest() in caught.value.what) == internal
    assert caught.value.place == "--recompute"
