from datetime import date, timedelta

import pytest

from audit.evidence import Answer, Approval, Papers, SuppliedText, digest_bytes

TODAY = date(2026, 11, 21)
PDF = {"words": None, "text": "", "file": "a.pdf", "version": "2", "by": "Risk"}
TEXT = "The model ranks applicants for a person to read, and decides nothing by itself."
DOCUMENT = (
    "rules: [{id: r, title: A rule under test, severity: high, document: [system.intended_purpose], must_have: {%s}}]"
)
ASK = (
    "rules: [{id: r, title: A rule under test, severity: high, ask: 'Did somebody look?', asked_of: reviewer, "
    "answer_must_be: 'yes', valid_for_days: 30}]"
)


def text(content=TEXT, **more):
    return SuppliedText(
        **{
            "field": "system.intended_purpose",
            "text": content,
            "sha256": digest_bytes(content.encode()),
            "words": len(content.split()),
            "on": "2026-11-01",
            **more,
        }
    )


def approval(**more):
    return Approval(
        **{
            "field": "system.intended_purpose",
            "sha256": text().sha256,
            "by": "A. Reviewer",
            "role": "reviewer",
            "on": "2026-11-20",
            **more,
        }
    )


@pytest.mark.parametrize(
    ("must", "supplied", "approvals", "status", "because"),
    [
        ("", [], [], "fail", "not supplied"),
        ("", [text()], [], "manual", "supplied, 14 words; not reviewed"),
        ("", [text()], [approval()], "pass", "accepted by A. Reviewer"),
        ("", [text()], [approval(sha256="sha256:" + "0" * 64)], "manual", "was another text"),
        ("", [text()], [approval(on="2026-11-22")], "manual", "after the day of judgement"),
        ("", [text()], [approval(on="soon")], "manual", "after the day of judgement"),
        ("", [text()], [approval(field="own/r")], "pass", "accepted"),
        ("", [text()], [approval(field="system.limitations")], "manual", "not reviewed"),
        ("approved_by_role: counsel", [text()], [approval()], "manual", "not by the role counsel"),
        ("approved_by_role: reviewer", [text()], [approval()], "pass", "accepted"),
        ("min_words: 15", [text()], [approval()], "fail", "fewer than the 15 words"),
        ("min_words: 14", [text()], [approval()], "pass", "accepted"),
        ("", [text(**PDF)], [approval()], "pass", "supplied as a.pdf, version 2, owned by Risk"),
        ("min_words: 99", [text(**PDF)], [approval()], "pass", "accepted"),
        ("min_words: 99", [text(**PDF)], [], "manual", "not reviewed"),
        ("", [text(**{**PDF, "version": ""})], [approval()], "inconclusive", "needs a version and an owner"),
        ("", [text(**{**PDF, "by": ""})], [approval()], "inconclusive", "needs a version and an owner"),
        ("attachment: true", [text(**PDF)], [approval()], "pass", "accepted"),
        ("attachment: true", [text()], [approval()], "fail", "must be a file"),
        ("max_age_days: 20", [text()], [approval()], "pass", "accepted"),
        ("max_age_days: 19", [text()], [approval()], "fail", "20 days old"),
        ("max_age_days: 19", [text(on="")], [approval()], "inconclusive", "date is not given"),
        ("", [text(by="A. Reviewer")], [approval()], "pass", "its own author"),
    ],
)
def test_documents(stage, judge_text, must, supplied, approvals, status, because):
    papers = Papers(texts=tuple(supplied), approvals=tuple(approvals))
    (found,) = judge_text(DOCUMENT % must, stage(), papers=papers).findings[0].verdicts
    assert (found.status, because in found.because) == (status, True), found.because
    assert found.scope == "own/r[document=system.intended_purpose]"


@pytest.mark.parametrize(
    ("answer", "status", "because"),
    [
        (None, "manual", "reviewer must answer"),
        ({}, "pass", "'Yes '"),
        ({"answer": "no"}, "fail", "asks for 'yes'"),
        ({"answer": " "}, "manual", "says nothing"),
        ({"role": "owner"}, "manual", "asks the role reviewer"),
        ({"on": "2026-10-21"}, "manual", "expired"),
        ({"on": "2026-10-22"}, "pass", ""),
        ({"on": "2026-11-22"}, "manual", "after the day of judgement"),
        ({"on": "yesterday"}, "manual", "cannot be read"),
        ({"rule": "own/other"}, "manual", "must answer"),
    ],
)
def test_answers(stage, judge_text, answer, status, because):
    given = {
        "rule": "own/r",
        "answer": "Yes ",
        "by": "A. Person",
        "role": "reviewer",
        "on": "2026-11-21",
        **(answer or {}),
    }
    papers = Papers(answers=(Answer(**given),) if answer is not None else ())
    (found,) = judge_text(ASK, stage(), papers=papers).findings[0].verdicts
    assert (found.status, because in found.because) == (status, True), found.because


def test_an_answer_that_has_no_right_side_passes_once_it_is_given(stage, judge_text):
    rule = ASK.replace("answer_must_be: 'yes', ", "")
    for said in ("yes", "no"):
        papers = Papers(answers=(Answer(rule="own/r", answer=said, by="A. Person", role="reviewer", on="2026-11-21"),))
        assert judge_text(rule, stage(), papers=papers).findings[0].status == "pass"


def test_an_answer_to_no_question_is_told(stage, judge_text):
    papers = Papers(answers=(Answer(rule="own/rr", answer="yes", by="A. Person", role="reviewer", on="2026-11-21"),))
    judgement = judge_text(ASK, stage(), papers=papers)
    assert judgement.warnings == ("documents: no question 'own/rr' is in force; did you mean 'own/r'?",)
    assert judgement.findings[0].status == "manual"


def test_expiry_follows_the_day_of_judgement_alone(stage, judge_text):
    papers = Papers(answers=(Answer(rule="own/r", answer="yes", by="A. Person", role="reviewer", on="2026-11-21"),))
    words = [
        judge_text(ASK, stage(), papers=papers, as_of=TODAY + timedelta(days=d)).findings[0].status
        for d in (-1, 0, 30, 31)
    ]
    assert words == ["manual", "pass", "pass", "manual"]


@pytest.mark.parametrize(
    ("rule", "facts", "status"),
    [
        ("fact: system.is_first_audit, must_be: true", {"system.is_first_audit": True}, "pass"),
        ("fact: system.is_first_audit, must_be: true", {"system.is_first_audit": False}, "fail"),
        ("fact: system.is_first_audit, must_be: true", {}, "inconclusive"),
        ("fact: system.stage, must_be: 'one of production, pre_release'", {"system.stage": "production"}, "pass"),
        ("fact: system.stage, must_be: one of production", {"system.stage": "development"}, "fail"),
        ("fact: system.jurisdictions, must_be: 'one of EU, US'", {"system.jurisdictions": ("EU", "BR")}, "fail"),
        ("fact: system.jurisdictions, must_be: reported", {"system.jurisdictions": ("EU",)}, "pass"),
        (
            "fact: organisation.total_assets_usd_bn, must_be: at least 30, threshold_basis: guidance",
            {"organisation.total_assets_usd_bn": 29.9},
            "fail",
        ),
        (
            "fact: system.stage, verdicts: {production: pass, development: warn}",
            {"system.stage": "development"},
            "warn",
        ),
        ("fact: system.stage, verdicts: {production: pass}", {"system.stage": "development"}, "inconclusive"),
        ("fact: audit.complete, must_be: true", {}, "inconclusive"),  # nothing was carried out
        ("fact: audit.model_digest_recorded, must_be: true", {}, "inconclusive"),
    ],
)
def test_facts(stage, judge_text, rule, facts, status):
    text_ = f"rules: [{{id: r, title: A rule under test, severity: high, {rule}}}]"
    assert judge_text(text_, stage(), papers=Papers(facts=facts)).findings[0].status == status


def test_an_audit_of_which_nothing_broke_is_complete(stage, judge_text):
    text_ = "rules: [{id: r, title: A rule under test, severity: high, fact: audit.complete, must_be: true}]"
    assert judge_text(text_, stage({"sex": {"M": (5, 10)}})).findings[0].status == "pass"


def test_a_comparison_without_an_earlier_audit(stage, judge_text):
    rule = (
        "rules: [{id: r, title: A rule under test, severity: high, compare: performance.auc, with: %s, "
        "may_worsen_by: 5%% of previous, threshold_basis: organisation}]"
    )
    first = Papers(facts={"system.is_first_audit": True})
    found = judge_text(rule % "previous_audit", stage()).findings[0].verdicts[0]
    assert (found.status, found.because) == ("inconclusive", "no previous audit was supplied")
    assert judge_text(rule % "previous_audit", stage(), papers=first).findings[0].status == "not_applicable"
    assert judge_text(rule % "champion", stage(), papers=first).findings[0].status == "inconclusive"
