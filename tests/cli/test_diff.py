"""``audit diff``: what it prints, and the exit code of everything that can be wrong."""

from __future__ import annotations

import json
import shutil

import pytest
from change_material import make_scores, write_config


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """The ledger of a comparison lies where one works, unless it is named."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two report folders of one system whose scores were not kept, and their configurations."""
    from audit.config.load import load_config
    from audit.workflow import run_audit

    folder = tmp_path_factory.mktemp("diff")
    make_scores(1500).to_csv(folder / "people.csv", index=False)
    for name in ("old", "new"):
        write_config(folder, name, keep="{scores: false}")
        run_audit(load_config(folder / f"{name}.yaml"), out=folder / f"report-{name}")
    return folder


def test_markdown_for_a_pull_request(folders, run_cli):
    code, out, _ = run_cli("diff", folders / "report-old", folders / "report-new", "--allow", "inconclusive")
    assert out.startswith("## What changes: hiring\n")
    assert "of the earlier audit no scores were kept" in out
    assert "retraining noise is not measured" in out
    assert code in (0, 1)


def test_json_is_one_object_that_reads_back(folders, run_cli):
    from audit.evidence import Change

    code, out, _ = run_cli("diff", folders / "report-old", folders / "report-new", "--format", "json")
    told = json.loads(out)
    change = Change.model_validate(told["change"])
    assert told["exit_code"] == code and change.pairing.by == "none" and change.before.version == "old"
    assert {finding["pack"] for finding in told["findings"]} == {"model-change-review"}


def test_an_own_rule_decides_the_exit_code(folders, run_cli, tmp_path):
    pack = (
        "schema: policy/1\npack: own\ntitle: Own\nversion: 1.0.0\nlaw: {citation: none, jurisdiction: any, "
        "status: internal, verified_on: 2026-11-01, review_by: 2027-11-01}\nrules:\n  - {id: auc, title: AUC is kept, "
        "severity: high, compare: performance.auc, with: previous_audit, may_worsen_by: 0.01, judged_on: interval, "
        "threshold_basis: organisation}\n"
    )
    (tmp_path / "own.yaml").write_text(pack, encoding="utf-8")
    pair = [folders / "report-old", folders / "report-new"]
    assert run_cli("diff", *pair, "--policy", tmp_path / "own.yaml")[0] == 0
    assert run_cli("diff", *pair[::-1], "--policy", tmp_path / "own.yaml")[0] == 1


def test_what_cannot_be_compared_has_its_own_exit_code(folders, run_cli, tmp_path):
    old, new = folders / "report-old", folders / "report-new"
    copy = shutil.copytree(old, tmp_path / "tampered")
    (copy / "audit.json").write_bytes((copy / "audit.json").read_bytes().replace(b'"hiring"', b'"hirinG"', 1))
    shutil.copy(folders / "people.csv", tmp_path)
    other = write_config(tmp_path, "new", system="{name: lending}")
    (tmp_path / "empty").mkdir()
    rows = {
        "not of one kind": (2, [old, folders / "new.yaml"]),
        "not a report folder": (2, [tmp_path / "empty", new]),
        "different systems": (2, [folders / "old.yaml", other]),
        "person by person": (2, [old, new, "--paired"]),
        "cannot be printed": (2, [old, new, "--format", "pdf"]),
        "tampered": (4, [copy, new]),
        "missing.yaml": (2, [tmp_path / "missing.yaml", folders / "new.yaml"]),
    }
    for words, (wanted, arguments) in rows.items():
        code, out, err = run_cli("diff", *arguments)
        assert (code, out) == (wanted, ""), (words, err)
        assert words in err, err


@pytest.mark.parametrize(
    "formats", [["html,markdown"], ["html", "markdown"], ["html", "--format", "markdown"], ["html,", "markdown"],
                ["html", "html", "markdown"]],
    ids=["comma", "space", "twice", "comma and space", "said twice"],
)  # fmt: skip
def test_formats_in_every_usual_way(folders, run_cli, tmp_path, formats):
    pair = [folders / "report-old", folders / "report-new"]
    for number, arguments in enumerate(([*pair, "--format", *formats], ["--format", *formats, *pair])):
        out = tmp_path / f"change{number}"
        code, said, err = run_cli("diff", *arguments, "--out", out, "--allow", "inconclusive")
        assert code in (0, 1), err
        assert {path.name for path in out.iterdir() if path.name.startswith("report.")} == {"report.html", "report.md"}
        assert str(out / "report.html") in said.splitlines()


def test_format_that_there_is_none_of(folders, run_cli):
    code, _, err = run_cli("diff", folders / "report-old", folders / "report-new", "--format", "html,pfd")
    assert code == 2
    assert "there is no 'pfd'" in err
    assert "did you mean 'pdf'?" in err
    code, _, err = run_cli("diff", folders / "report-old", folders / "report-new", "--format", "word")
    assert code == 2
    assert "with commas, spaces or a flag for each" in err


def test_sealed_change_says_what_was_decided_and_that_nobody_signed(folders, run_cli, tmp_path):
    pair = [folders / "report-old", folders / "report-new"]
    code, said, _ = run_cli("diff", *pair, "--out", tmp_path / "change", "--format", "html")
    first, rules, signed, *files = said.splitlines()
    assert first.split(":")[0] == {0: "PASSED", 1: "FAILED", 5: "UNDECIDED"}[code]
    assert rules.startswith("Rules about the change: ")
    assert signed.startswith("Signature: none")
    assert files == [str(tmp_path / "change/report.html")]
    order = ["--format", "json", "--out", tmp_path / "again"]
    assert json.loads(run_cli("diff", *pair, *order)[1])["signed"] is False


def test_public_edition_of_a_change_lies_beside_it_and_names_it(folders, run_cli, tmp_path):
    from audit.attestation.ledger.store import read_ledger
    from audit.evidence import Dossier

    about = {"ledger": f"{{path: {tmp_path / 'log'}}}", "report": "{audience: public, formats: [html]}"}
    own = write_config(folders, "own", **about)
    pair = [folders / "report-old", folders / "report-new"]
    code, said, err = run_cli("diff", *pair, "--out", tmp_path / "change", "--config", own)
    assert code in (0, 1, 5), said + err
    internal, public = (
        Dossier.parse((tmp_path / name / "audit.json").read_bytes()) for name in ("change", "change-public")
    )
    assert internal.public is None
    assert public.public.dossier_digest == internal.digest()
    page = (tmp_path / "change-public" / "report.html").read_text(encoding="utf-8")
    assert page.count("Nothing here counts fewer than 5 people") == 1
    entries = read_ledger(tmp_path / "log")[0].entries
    assert [(one.kind, one.refers_to) for one in entries] == [("change", None), ("publication", 0)]
