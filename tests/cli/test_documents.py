"""The officer's way: init with packs, fill in, digest, accept, and extend when a pack is added."""

from __future__ import annotations

import re

import pytest

from audit.attestation.policy.papers import load_papers
from audit.yamlfile import read_yaml


@pytest.fixture
def started(tmp_path, run_cli):
    (tmp_path / "people.csv").write_text("sex,approved\nf,yes\nm,no\nf,yes\n")
    code, _, err = run_cli("init", tmp_path / "people.csv", "--packs", "nyc-ll144", "--out", tmp_path)
    assert code == 0, err
    assert "blanks" in err
    return tmp_path


def test_init_asks_for_what_the_packs_ask(started):
    assert read_yaml(started / "audit.yaml").value["policies"] == ["nyc-ll144"]
    assert "nyc-ll144/independent-auditor" in read_yaml(started / "documents.yaml").value["answers"]


def test_a_text_is_accepted_by_its_digest(started, run_cli):
    path = started / "documents.yaml"
    field = "data.source_explanation"
    text = path.read_text()
    path.write_text(text.replace(f'  {field}:\n    text: ""', f"  {field}:\n    text: All decisions of one year."))
    code, out, err = run_cli("policy", "digest", path)
    assert code == 0, err
    assert f"# {field}: 5 words" in out
    (line,) = [line for line in out.splitlines() if line.startswith("- {field")]
    line = line.replace("NAME", "Ada Stone").replace("ROLE", "counsel").replace("DATE", "2026-11-20")
    path.write_text(re.sub(r"(?m)^approvals:\n", f"approvals:\n  {line}\n", path.read_text()))
    papers = load_papers(path)
    assert papers.approvals[0].sha256 == papers.texts[0].sha256
    code, out, _ = run_cli("policy", "digest", path, "--field", field)
    assert "accepted by Ada Stone (counsel) on 2026-11-20: this very text" in out
    assert "- {field" not in out
    path.write_text(path.read_text().replace("of one year", "of two years"))
    code, out, _ = run_cli("policy", "digest", path)
    assert "an earlier text, which no longer counts" in out
    assert "- {field" in out


def test_documents_are_extended_for_a_new_pack(started, run_cli):
    path, config = started / "documents.yaml", started / "audit.yaml"
    path.write_text(path.read_text().replace("system.use_case: unknown", "system.use_case: employment.hiring"))
    before = path.read_text()
    config.write_text(config.read_text().replace("[nyc-ll144]", "[nyc-ll144, ecoa-adverse-action]"))
    code, out, err = run_cli("init", "--documents", config)
    assert code == 0, err
    assert out.strip() == str(path)
    kept = iter(path.read_text().splitlines())
    assert all(line in kept for line in before.splitlines())
    assert any(name.startswith("ecoa-adverse-action/") for name in read_yaml(path).value["answers"])
    once = path.read_bytes()
    code, out, err = run_cli("init", "--documents", config)
    assert (code, out, path.read_bytes()) == (0, "", once)
    assert "lacks nothing" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["init"], "name a table"),
        (["init", "a.csv", "--documents", "audit.yaml"], "takes no table"),
        (["init", "--documents", "nowhere.yaml"], "nowhere.yaml"),
        (["init", "a.csv", "--packs", "nyc-ll145"], "did you mean 'nyc-ll144'?"),
        (["policy", "digest", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_mistakes_are_told_with_advice(arguments, said, run_cli):
    code, _, err = run_cli(*arguments)
    assert code == 2
    assert said in err


def test_a_field_without_a_text_has_no_digest(started, run_cli):
    code, _, err = run_cli("policy", "digest", started / "documents.yaml", "--field", "system.limitations")
    assert code == 2
    assert "no text 'system.limitations' is supplied" in err
