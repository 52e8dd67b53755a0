"""Annexes and editions: every clause with its evidence, what is open and whose it is; drafts bear a stamp."""

import json
import re
from datetime import date

import pytest

from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.select import read_packs
from audit.attestation.policy.staging import Stage, stage_evidence
from audit.attestation.render.editions import check_edition
from audit.attestation.render.formats import FORMATS
from audit.attestation.render.html import render_html
from audit.attestation.render.pdf import render_pdf
from audit.attestation.render.view import build_view
from audit.errors import ConfigError
from audit.evidence import Answer, Approval, Assignment, Dossier, Papers, Presentation, SuppliedText, digest_bytes

LONG = "The first line of the purpose. " + "It goes on. " * 80 + "The last line of the purpose."
HEAD = """schema: policy/1
pack: {name}
title: Rules of {name}
version: 1.0.0
maturity: {maturity}
law: {{citation: Law of tests, jurisdiction: EU, status: in_force, verified_on: 2026-11-01, review_by: 2027-11-01{law}}}
"""
RULES = """rules:
  - {id: ratio, title: Rates are close, severity: high, cite: Article 3, measure: fairness.selection_rate_ratio,
     for_each: sex, must_be: at least 0.8, threshold_basis: guidance, judged_on: estimate, fix: Look at the inputs}
  - {id: text, title: Purpose and limits are described, severity: high, cite: Article 1,
     document: [system.intended_purpose, system.limitations, system.provider], must_have: {approved_by_role: counsel}}
  - {id: ask, title: Somebody looked at it, severity: high, cite: Article 2, ask: 'Did somebody look at it?',
     asked_of: head_of_risk, answer_must_be: 'yes'}
  - {id: asked, title: Somebody else looked at it, severity: low, ask: 'And somebody else?', asked_of: head_of_risk}
  - {id: fact, title: The use is stated, severity: low, fact: system.materiality, must_be: reported}
  - {id: none, title: Only for banks, severity: low, fact: system.stage, must_be: reported,
     applies_when: {system.materiality: high}}
"""


def text(field, words, **more):
    return SuppliedText(
        field=field, text=words, sha256=digest_bytes(words.encode()), words=len(words.split()), by="Ines Berger", **more
    )


PURPOSE, LIMITS = text("system.intended_purpose", LONG), text("system.limitations", "It knows no one under 18.")
PAPERS = Papers(
    facts={"system.materiality": "low"},
    texts=(PURPOSE, LIMITS, text("data.labelling", "No clause asks for this text.")),
    answers=(Answer(rule="own/asked", answer="yes", by="Tom Lind", role="head_of_risk", on="2026-11-20"),),
    approvals=(
        Approval(field=PURPOSE.field, sha256=PURPOSE.sha256, by="Ruth Okafor", role="counsel", on="2026-11-20"),
        Approval(field=LIMITS.field, sha256="sha256:" + "0" * 64, by="Ruth Okafor", role="counsel", on="2026-11-01"),
    ),
    findings=(Assignment(finding="own/ratio", owner="Ada Stone", due="2026-12-24", note="New data is on its way"),),
)


@pytest.fixture
def dossier(tmp_path):
    def make(*packs, papers=PAPERS, edition="full"):
        names = []
        for name, maturity, law, rules in packs or (("own", "draft", "", RULES),):
            (tmp_path / f"{name}.yaml").write_text(HEAD.format(name=name, maturity=maturity, law=law) + rules)
            names.append(str(tmp_path / f"{name}.yaml"))
        rows = [{"sex": "M", "selected": 500, "total": 1000}, {"sex": "F", "selected": 200, "total": 1000}]
        evidence = stage_evidence(Stage([(("sex",), rows)]))
        judgement = judge_with(
            evidence, read_packs(names), papers, (), as_of=date(2026, 11, 21), evidence_signed="test"
        )
        shown = Presentation(created="2026-11-21T12:00:00Z", edition=edition)
        return Dossier(evidence=evidence, judgement=judgement, presentation=shown)

    return make


def section(page, anchor):
    start = page.rindex("<section", 0, page.index(f'id="{anchor}"'))
    return page[start : page.index("</section>", start)]


def bare(markup):
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def clauses_of(dossier):
    (annex,) = build_view(dossier).annexes
    return annex, {clause.rule.finding.rule.partition("/")[2]: clause for clause in annex.clauses}


def test_every_clause_has_its_evidence_in_the_order_of_the_policy(dossier):
    annex, found = clauses_of(dossier())
    assert [clause.number for clause in annex.clauses] == [1, 2, 3, 4, 5, 6]
    assert list(found) == ["ratio", "text", "ask", "asked", "fact", "none"]
    assert {name: clause.source for name, clause in found.items()} == {
        "ratio": "measured",
        "text": "supplied",
        "ask": "none",
        "asked": "answered",
        "fact": "stated",
        "none": "not_applicable",
    }
    assert found["ratio"].page == "fairness-1"  # the part of this attribute, not the chapter alone
    assert found["text"].states == (
        ("Accepted", "intended purpose; Ruth Okafor (counsel)"),
        ("Not accepted", "limitations"),
        ("Not evidenced", "provider"),
    )
    assert [clause.rule.finding.rule for clause in annex.open] == ["own/ratio", "own/text", "own/ask"]


def test_open_items_say_who_must_do_what(dossier):
    _, found = clauses_of(dossier())
    ratio, papers, ask = (found[name].task for name in ("ratio", "text", "ask"))
    assert (ratio.what, ratio.who, ratio.due) == (("Look at the inputs.",), "Ada Stone", "2026-12-24")
    assert papers.what == ("Supply: provider.", "Have accepted by counsel: limitations.")
    assert papers.who == "Counsel"
    assert ask.what == ("Answer the question; the role head of risk must answer.",)
    assert found["asked"].task is found["fact"].task is found["none"].task is None


def test_the_annex_prints_number_text_and_gap(dossier):
    page = render_html(dossier()).decode()
    annex = bare(section(page, "pack-1"))
    for said in (
        "DRAFT · not reviewed by counsel · not legal advice",
        "0.4",
        "n = 2,000",
        "Article 3",
        "The first line of the purpose.",
        f"Accepted by Ruth Okafor (counsel) on 20 November 2026. {PURPOSE.sha256}",
        "Not accepted: what Ruth Okafor accepted on 1 November 2026 was another text.",
        "Not evidenced: nobody has supplied it.",
        "Not evidenced head of risk must answer: Did somebody look at it?",
        "‘yes’, Tom Lind (head of risk), 20 November 2026",
        "Ada Stone",
        "24 December 2026",
    ):
        assert said in annex, said
    assert "The last line of the purpose." not in page  # the annex shows the first lines
    signoff = bare(section(page, "signoff"))
    assert "No clause asks for this text." in signoff
    assert "The first line of the purpose." not in signoff


def test_an_edition_prints_full_texts_and_open_items(dossier):
    page = render_html(dossier(edition="own")).decode()
    text_ = bare(page)
    assert "The last line of the purpose." in text_
    assert text_.count("DRAFT · not reviewed by counsel · not legal advice") == 1
    assert "3 of 6 items are open" in text_
    assert "not a finding that the law is met" in text_
    assert "compliant" not in text_
    open_items = bare(section(page, "open-items"))
    assert "Supply: provider." in open_items
    assert "Somebody else looked at it" not in open_items
    order = [page.index(f'id="rule-{number}"') for number in range(1, 7)]
    assert order == sorted(order)
    assert "selected 200 of 1000 = 0.2000" in text_ or "200 of 1,000" in text_
    links = set(re.findall(r'href="#([\w-]+)"', page))
    assert links <= set(re.findall(r'id="([\w-]+)"', page))


def test_links_of_the_full_report_lead_somewhere(dossier):
    page = render_html(dossier()).decode()
    assert set(re.findall(r'href="#([\w-]+)"', page)) <= set(re.findall(r'id="([\w-]+)"', page))


def test_a_reviewed_policy_bears_no_stamp(dossier):
    made = dossier(("own", "reviewed", "", RULES))
    assert "DRAFT ·" not in render_html(made).decode()
    assert "DRAFT ·" in render_html(dossier()).decode()


def test_the_stamp_is_on_every_page_of_its_annex_and_nowhere_else(dossier):
    pypdf = pytest.importorskip("pypdf")
    from io import BytesIO

    made = dossier(("own", "draft", "", RULES), ("done", "reviewed", "", RULES))
    pages = [page.extract_text() for page in pypdf.PdfReader(BytesIO(render_pdf(made))).pages]
    stamped = [index for index, page in enumerate(pages) if "DRAFT · not reviewed by counsel" in page]
    mine = [index for index, page in enumerate(pages) if "A Rules of own" in " ".join(page.split())]
    assert stamped
    assert set(mine) >= set(stamped)
    assert len(stamped) < len(pages)


def test_a_policy_of_unknown_reach_is_one_line(dossier):
    rules = "applies_when: {system.risk_class: high}\n" + RULES
    view = build_view(dossier(("own", "reviewed", "", rules)))
    assert [rule.finding.title for rule in view.rules] == ["Whether ‘Rules of own’ applies is not known"]
    assert view.rules[0].anchor == "pack-1"
    assert "fill in system.risk_class" in view.rules[0].worst.reason
    page = render_html(view.dossier).decode()
    assert "None of its 6 rules was judged." in bare(section(page, "pack-1"))
    assert "Purpose and limits are described" not in page
    edition = render_html(dossier(("own", "reviewed", "", rules), edition="own")).decode()
    assert "None of the 6 items was judged" in bare(edition)
    # machines still get every rule
    assert len(view.dossier.judgement.findings) == 6


def test_a_law_that_does_not_apply_yet_shows_what_would_be(dossier):
    made = dossier(("own", "reviewed", ", applies_from: 2027-06-01", RULES))
    view = build_view(made)
    assert [rule.finding.title for rule in view.rules] == [
        "‘Rules of own’ does not apply yet: what its rules would say"
    ]
    annex, found = clauses_of(made)
    assert found["ratio"].sign.word == "Would fail"
    assert annex.tally == "2 would fail, 1 would need a person, 2 would pass, 1 not applicable"
    assert [clause.number for clause in annex.open] == [1, 2, 3]
    assert found["ratio"].task.who == "Ada Stone"
    assert "would be &#39;" not in render_html(made).decode()


@pytest.mark.parametrize(("edition", "hint"), [("owm", "did you mean 'own'?"), ("zzz", "one of full, summary, own")])
def test_an_edition_that_is_none_is_refused(edition, hint):
    with pytest.raises(ConfigError) as caught:
        check_edition(edition, ["own"])
    assert "report.edition" in str(caught.value)
    assert hint in f"{caught.value} {caught.value.hint}"
    check_edition("own", ["own"])
    check_edition("full", [])


def test_machine_formats_carry_owner_and_days(dossier):
    made = dossier()
    results = json.loads(FORMATS["sarif"].render(made))["runs"][0]["results"]
    owned = [result for result in results if result.get("properties")]
    assert {result["properties"]["owner"] for result in owned} == {"Ada Stone"}
    assert {result["ruleId"] for result in owned} == {"own/ratio"}
    assert all(result["properties"]["due"] == "2026-12-24" for result in owned)
    assert b"[[PROPERTY|owner=Ada Stone]]" in FORMATS["junit"].render(made)
    assert "Owner\\: Ada Stone; due 24 December 2026" in FORMATS["markdown"].render(made).decode()


def test_a_finding_that_an_earlier_audit_saw_says_since_when(dossier):
    made = dossier()
    verdicts = made.judgement.findings[0].verdicts
    assert "Open since" not in bare(section(render_html(made).decode(), "policies"))
    older = tuple(verdict.model_copy(update={"first_seen": "2026-05-02"}) for verdict in verdicts)
    finding = made.judgement.findings[0].model_copy(update={"verdicts": older})
    judgement = made.judgement.model_copy(update={"findings": (finding, *made.judgement.findings[1:])})
    page = render_html(made.model_copy(update={"judgement": judgement})).decode()
    for anchor in ("decision", "policies"):
        assert "Owner: Ada Stone; due 24 December 2026; open since 2 May 2026" in bare(section(page, anchor))
    assert "Open since 2 May 2026" in bare(section(page, "pack-1"))


def test_an_edition_is_for_archives_and_for_screen_readers(dossier, tmp_path):
    page = pytest.importorskip("page", reason="page-validation is not installed")
    target = tmp_path / "edition.pdf"
    target.write_bytes(render_pdf(dossier(edition="own")))
    for profile in ("3a", "ua1"):
        faults = set(re.findall(r"\[(PDF\w+-[\w-]+)\]", str(page.validate_pdf(str(target), profile=profile))))
        # a known false alarm: compressed data that happens to end in an end-of-line byte
        assert faults - {"PDFA3A-STREAM-LENGTH-001"} == set()
