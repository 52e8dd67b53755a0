"""A clause with a day of its own applies from that day, whatever the day of its law."""

from datetime import date

import pytest

PACK = """\
schema: policy/1
pack: dated
title: A law with an early clause
version: 1.0.0
law:
  citation: none
  jurisdiction: any
  status: adopted_not_yet_applicable
  applies_from: 2027-12-02
  verified_on: 2026-11-01
  review_by: 2027-11-01
applies_when: {system.role: provider}
rules:
  - {id: law, title: A clause that came with its law, severity: high, document: [system.name]}
  - {id: early, title: A clause not deferred at all, severity: high, applies_from: 2026-08-02, document: [system.name]}
  - {id: late, title: A clause after its own law, severity: high, applies_from: 2028-08-02, document: [system.name]}
"""


@pytest.fixture
def words(judge_text, stage):
    from audit.evidence import Papers

    def run(as_of, role="provider"):
        judgement = judge_text(PACK, stage(), papers=Papers(facts={"system.role": role}), as_of=as_of)
        return {f.rule.partition("/")[2]: f.verdicts[0] for f in judgement.findings}

    return run


@pytest.mark.parametrize(
    ("as_of", "law", "early", "late"),
    [
        (date(2026, 8, 1), "not_applicable", "not_applicable", "not_applicable"),
        (date(2026, 8, 2), "not_applicable", "fail", "not_applicable"),
        (date(2027, 12, 2), "fail", "fail", "not_applicable"),
        (date(2028, 8, 2), "fail", "fail", "fail"),
    ],
)
def test_each_clause_has_its_day(words, as_of, law, early, late):
    found = words(as_of)
    assert [found[name].status for name in ("law", "early", "late")] == [law, early, late]


def test_what_it_would_be_names_the_clause(words):
    found = words(date(2027, 12, 3))
    assert found["late"].original == "fail"
    assert "this clause applies from 2028-08-02" in found["late"].because


def test_a_day_does_not_make_a_law_apply_whose_facts_do_not_hold(words):
    assert {verdict.status for verdict in words(date(2028, 8, 2), role="deployer").values()} == {"not_applicable"}
    assert all("it applies where" in verdict.because for verdict in words(date(2028, 8, 2), role="deployer").values())
