import pytest

from audit.attestation.policy.papers import load_papers
from audit.errors import ConfigError
from audit.evidence import Papers, digest_bytes


@pytest.fixture
def write(tmp_path):
    def save(text):
        path = tmp_path / "documents.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return save


def test_nothing_supplied(write):
    assert load_papers(None) == load_papers(write("")) == load_papers(write("schema: documents/1\n")) == Papers()
    assert (
        load_papers(
            write(
                "facts:\n  system.stage:\n  system.use_case: unknown\n  system.jurisdictions: []\n"
                "texts:\nanswers:\napprovals:\n"
            )
        )
        == Papers()
    )


def test_a_whole_file(write, tmp_path):
    (tmp_path / "limits.md").write_text("three small words", encoding="utf-8")
    (tmp_path / "plan.pdf").write_bytes(b"%PDF-1.7 nothing")
    text = "What it is for."
    papers = load_papers(
        write(f"""schema: documents/1
facts:
  system.jurisdictions: EU
  system.use_case: credit.underwriting
  system.is_first_audit: true
  system.stage:
texts:
  system.intended_purpose: {{text: "  {text} ", by: A. Author, role: owner, on: 2026-11-01, version: "2"}}
  system.limitations: {{file: limits.md}}
  monitoring.plan: {{file: plan.pdf}}
answers:
  nyc-ll144/independent-auditor: {{answer: no, by: B. Person, role: independent_auditor, on: 2026-11-02}}
  nyc-ll144/audit-age: {{answer: true, by: B. Person, on: 2026-11-02}}
approvals:
  - {{field: system.intended_purpose, digest: "{digest_bytes(text.encode())}",
     by: C. Person, role: counsel, on: 2026-11-03}}
""")
    )
    assert papers.facts == {
        "system.jurisdictions": ("EU",),
        "system.use_case": "credit.underwriting",
        "system.is_first_audit": True,
    }
    own, limits, plan = papers.texts
    assert (own.text, own.words, own.sha256) == (text, 4, papers.approvals[0].sha256)
    assert (limits.file, limits.words, limits.text) == ("limits.md", 3, "three small words")
    assert plan.text == ""
    assert (plan.words, plan.sha256) == (None, digest_bytes(b"%PDF-1.7 nothing"))
    assert [answer.answer for answer in papers.answers] == ["no", "yes"]


def test_all_mistakes_at_once_with_places(write):
    path = write("""schema: documents/1
facts:
  system.jurisdiction: EU
  system.stage: prod
  system.is_first_audit: "yes"
  audit.complete: true
texts:
  system.intended_purposes: {text: a}
  system.limitations: {file: none.md}
answers:
  independent-auditor: {answer: "yes", by: A. Person, on: 2026-11-02}
approvals:
  - {field: system.limitation, digest: abc, by: A. Person, role: counsel, on: 2026-11-03}
""")
    with pytest.raises(ConfigError) as caught:
        load_papers(path)
    lines = str(caught.value).splitlines()
    assert caught.value.exit_code == 2
    for place, what in (
        ("3:24", "did you mean 'system.jurisdictions'?"),
        ("4:17", "one of development, pre_release, production"),
        ("5:26", "true or false"),
        ("6:19", "computed"),
        ("8:29", "did you mean 'system.intended_purpose'?"),
        ("9:30", "no such file: none.md"),
        ("11:24", "write pack/rule"),
        ("13:13", "did you mean 'system.limitations'?"),
        ("13:40", "no digest"),
    ):
        assert any(f":{place}:" in line and what in line for line in lines), (place, what, lines)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("fact: {}\n", "did you mean 'facts'?"),
        ("texts: {system.limitations: {text: a, fil: b}}\n", "did you mean 'file'?"),
        ("texts: {system.limitations: {text: a, file: b}}\n", "exactly one of text and file"),
        ("texts: {system.limitations: {text: ' '}}\n", "exactly one of text and file"),
        ("texts: {system.limitations: {text: a, on: 21.11.2026}}\n", "is no date"),
        ("answers: {a/b: {answer: 'yes', on: 2026-11-21}}\n", "'by' is missing"),
        ("approvals: [{digest: a, by: A. B., role: counsel, on: 2026-01-01}]\n", "exactly one of field and rule"),
        ("facts: {system.stage: production, system.stage: development}\n", "stands twice"),
        ("- a\n", "not a list of"),
    ],
)
def test_texts_that_are_no_documents(write, text, what):
    with pytest.raises(ConfigError) as caught:
        load_papers(write(text))
    assert what in str(caught.value)
    assert "documents.yaml" in str(caught.value)


def test_no_such_file(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_papers(tmp_path / "none.yaml")
