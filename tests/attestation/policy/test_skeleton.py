"""documents.yaml before and after somebody fills it in: it asks for all that the packs ask, and loses nothing."""

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.pack import AskRule, DocumentRule
from audit.attestation.policy.papers import load_papers
from audit.attestation.policy.select import list_shipped, read_packs
from audit.attestation.policy.skeleton import extend_documents, list_blanks, write_skeleton
from audit.attestation.policy.vocabulary import FACTS
from audit.errors import ConfigError
from audit.evidence import Papers
from audit.yamlfile import parse_yaml

SHIPPED = sorted(list_shipped())
RULES = """applies_when: {system.jurisdictions: EU}
rules:
  - {id: text, title: The purpose is described, severity: high, cite: Article 1, document: system.intended_purpose,
     must_have: {min_words: 20, max_age_days: 90, approved_by_role: counsel}}
  - {id: more, title: The purpose has limits, severity: high, document: [system.limitations, system.intended_purpose]}
  - {id: ask, title: Somebody looked at it, severity: high, ask: 'Did somebody look at it?', asked_of: head of risk,
     answer_must_be: 'yes', valid_for_days: 30, applies_when: {system.stage: production}}
  - {id: fact, title: The use is stated, severity: low, fact: system.materiality, must_be: reported}
  - {id: known, title: The model is pinned, severity: low, fact: audit.model_digest_recorded, must_be: 'true'}
"""


@pytest.fixture
def packs(write_pack):
    return read_packs([str(write_pack(RULES))])


def load(tmp_path, text):
    (tmp_path / "documents.yaml").write_text(text, encoding="utf-8")
    return load_papers(tmp_path / "documents.yaml")


def test_the_skeleton_says_what_an_officer_must_know(packs):
    text = write_skeleton(packs)
    flat = " ".join(re.sub(r"(?m)^ *# ?", "", text).split())
    for said in (
        "own applies where it is EU",
        "own/ask applies where it is production",
        "own/fact asks: The use is stated",
        "own/text, Article 1: The purpose is described",
        "at least 20 words: a number of the organisation, not of the law",
        "at most 90 days old (`on`): a number of the organisation, not of the law",
        "counts once a person in the role counsel has accepted it",
        "own/more, none: The purpose has limits",
        "Did somebody look at it?",
        "the role head of risk answers; what passes: yes",
        "valid for 30 days",
        "audit policy digest documents.yaml",
    ):
        assert said in flat, said
    assert flat.count("Intended purpose.") == 1
    assert "audit.model_digest_recorded" not in text
    assert "development | pre_release | production" in text
    assert max(map(len, text.splitlines())) <= 120


def test_blank_means_not_supplied_and_filled_means_supplied(packs, tmp_path):
    text = write_skeleton(packs)
    assert load(tmp_path, text) == Papers()
    filled = (
        text.replace("system.stage: unknown", "system.stage: production")
        .replace('  system.limitations:\n    text: ""', "  system.limitations:\n    text: It knows no one under 18.")
        .replace('    answer: ""\n    by: ""', "    answer: yes\n    by: Ada Stone")
        .replace('role: "head of risk"\n    on:', 'role: "head of risk"\n    on: 2026-11-20')
    )
    papers = load(tmp_path, filled)
    assert papers.facts == {"system.stage": "production"}
    assert [(item.field, item.words) for item in papers.texts] == [("system.limitations", 6)]
    assert [(item.rule, item.answer, item.role) for item in papers.answers] == [("own/ask", "yes", "head of risk")]


def test_a_form_that_somebody_began_is_no_blank(packs, tmp_path):
    text = write_skeleton(packs).replace('    answer: ""\n    by: ""', '    answer: yes\n    by: ""')
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert "write a date as" in str(caught.value)
    assert "'by' is empty" in str(caught.value)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_pack_is_asked_for_and_loads(name, tmp_path, stage):
    packs = read_packs([name])
    text = write_skeleton(packs)
    assert load(tmp_path, text) == Papers()
    value = parse_yaml(text).value
    rules = [rule for pack in packs for rule in pack.rules]
    fields = {field for rule in rules if isinstance(rule.rule, DocumentRule) for field in rule.rule.document}
    asked = {rule.name for rule in rules if isinstance(rule.rule, AskRule)}
    facts = {fact for pack in packs for fact in pack.pack.applies_when}
    facts |= {fact for rule in rules for fact in rule.rule.applies_when}
    facts |= {rule.rule.fact for rule in rules if hasattr(rule.rule, "fact")}
    assert set(value["texts"] or {}) == fields
    assert set(value["answers"] or {}) == asked
    assert set(value["facts"] or {}) == facts & set(FACTS)
    # what is blank passes nothing
    judged = judge_with(
        stage(), packs, load(tmp_path, text), (), as_of=date(2026, 11, 21), evidence_signed="test", strict_names=False
    )
    people = [finding for finding in judged.findings if finding.kind in ("document", "ask")]
    assert [finding.rule for finding in people if finding.status == "pass"] == []


OWN = """# kept: head
schema: documents/1
texts:
    # kept: four spaces
    system.limitations: {text: "It knows no one under 18."}   # kept: behind

# kept: above facts
facts:
  system.stage: production   # kept: stage
approvals:
  - {field: system.limitations, digest: "sha256:%s", by: Ada Stone, role: counsel, on: 2026-11-20}
""" % ("0" * 64)


def test_an_existing_file_keeps_every_line(packs, tmp_path):
    before = load(tmp_path, OWN)
    text, added = extend_documents(OWN, packs)
    assert set(added) == {"system.jurisdictions", "system.materiality", "system.intended_purpose", "own/ask"}
    kept = iter(text.splitlines())
    assert all(line in kept for line in OWN.splitlines())
    assert load(tmp_path, text) == before
    assert extend_documents(text, packs) == (text, ())
    value = parse_yaml(text).value
    assert list(value["texts"]) == ["system.limitations", "system.intended_purpose"]
    assert list(value["facts"]) == ["system.stage", "system.jurisdictions", "system.materiality"]
    assert text.index("# kept: above facts") > text.index("system.intended_purpose:")


@pytest.mark.parametrize("old", ["", "schema: documents/1\n", "facts:\ntexts:\n", "facts: {}   # none\n", "texts:\r\n"])
def test_empty_headings_are_filled(packs, tmp_path, old):
    text, added = extend_documents(old, packs)
    assert len(added) == len(list_blanks(packs)) == 6
    assert load(tmp_path, text) == Papers()
    assert extend_documents(text, packs)[1] == ()
    assert ("\r\n" in text) == ("\r\n" in old)


@pytest.mark.parametrize(
    ("old", "place", "what"),
    [
        ("schema: documents/1\nfacts: {system.stage: production}\n", "documents.yaml:2:1", "in one line"),
        ("facts: [a]\n", "documents.yaml:1:8", "not a list of 'key: value'"),
        ("- a\n", "documents.yaml:1:1", "not a list of 'key: value'"),
    ],
)
def test_files_that_nothing_can_be_added_to(packs, old, place, what):
    with pytest.raises(ConfigError) as caught:
        extend_documents(old, packs)
    assert place in str(caught.value)
    assert what in str(caught.value)


@settings(max_examples=40, deadline=None)
@given(
    headings=st.permutations(["facts", "texts", "answers", "approvals"]),
    given=st.sets(st.sampled_from(["system.stage", "system.materiality"])),
    gaps=st.lists(st.sampled_from(["", "\n", "# a remark\n", "\n# a remark\n\n"]), min_size=4, max_size=4),
    indent=st.integers(1, 6),
)
def test_whatever_the_order_and_the_gaps(packs_of_rules, headings, given, gaps, indent):
    blocks = {
        "facts": "facts:\n" + "".join(f"{' ' * indent}{name}: high\n" for name in sorted(given)),
        "texts": "texts:\n  system.limitations:\n    text: |\n      One line.\n\n      # not a remark\n",
        "answers": "answers:\n",
        "approvals": "approvals: []\n",
    }
    old = "".join(gap + blocks[heading] for gap, heading in zip(gaps, headings, strict=True))
    text, added = extend_documents(old, packs_of_rules)
    before, after = parse_yaml(old).value, parse_yaml(text).value
    assert after["texts"]["system.limitations"] == before["texts"]["system.limitations"]
    assert {name: after["facts"][name] for name in given} == dict.fromkeys(given, "high")
    assert len(added) == 5 - len(given)
    assert extend_documents(text, packs_of_rules) == (text, ())


@pytest.fixture(scope="module")
def packs_of_rules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs")
    head = (
        "schema: policy/1\npack: own\ntitle: Rules of a test\nversion: 1.0.0\nlaw: {citation: none, jurisdiction: any,"
    )
    path = folder / "own.yaml"
    path.write_text(head + " status: internal, verified_on: 2026-11-01, review_by: 2027-11-01}\n" + RULES)
    return read_packs([str(path)])
