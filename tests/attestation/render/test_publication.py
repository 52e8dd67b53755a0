"""The page and the table that Local Law 144 asks to publish: the printed example, what is open, what never runs."""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
import re
from datetime import date
from html.parser import HTMLParser

import pytest

from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.select import read_packs
from audit.attestation.policy.staging import MetricEntry, Stage, stage_evidence
from audit.attestation.render.publication import build_publication, list_publications
from audit.attestation.render.publication_page import render_publications
from audit.evidence import Answer, Approval, Dossier, Papers, Presentation, SuppliedText, digest_bytes

TODAY = date(2026, 11, 22)
FACTS = {
    "system.jurisdictions": ("US-NYC",),
    "system.use_case": "employment.hiring",
    "system.decision_kind": "selection",
    "data.small_categories_excluded": True,
    "data.historical_available": True,
}
TEXTS = {
    "data.source_explanation": "Applications to sales positions in the city from January to June 2026, one row per "
    "person, as recorded by the applicant system.",
    "data.historical_or_test": "Historical data of this employer was used: all applications that the tool assessed in "
    "that time, and no test data.",
    "data.small_category_justification": "With ten people the category is too few for a ratio that would say more "
    "about the tool than about chance.",
    "publication.distribution_date": "2026-01-07",
}
SEXES = ("Male", "Female")
RACES = ("White", "Asian", "Other")
SELECTED = {
    ("Male", "White"): (150, 300),
    ("Female", "White"): (120, 300),
    ("Male", "Asian"): (140, 290),
    ("Female", "Asian"): (100, 290),
    ("Male", "Other"): (4, 5),
    ("Female", "Other"): (5, 5),
}


def supply(texts, *, accepted=True):
    supplied = [
        SuppliedText(field=field, text=text, sha256=digest_bytes(text.encode()), words=len(text.split()))
        for field, text in texts.items()
    ]
    approvals = [
        Approval(field=item.field, sha256=item.sha256, by="A. Person", role="auditor", on="2026-11-01")
        for item in supplied
    ]
    answers = [
        Answer(rule=f"nyc-ll144/{rule}", answer="yes", by="A. Person", role=role, on="2026-11-01")
        for rule, role in (("audit-age", "deployer"), ("independent-auditor", "independent_auditor"))
    ]
    return {
        "texts": tuple(supplied),
        "approvals": tuple(approvals) if accepted else (),
        "answers": tuple(answers),
    }


def add(keys):
    found = [SELECTED[key] for key in keys]
    return sum(k for k, _ in found), sum(n for _, n in found)


def counted(unknown=25):
    """Selections by sex, race and both; some people's sex is unknown."""
    sex = {s: add([(s, r) for r in RACES]) for s in SEXES} | ({"unknown": (9, unknown)} if unknown else {})
    race = {r: add([(s, r) for s in SEXES]) for r in RACES}
    return [
        (("sex",), [{"sex": s, "selected": k, "total": n} for s, (k, n) in sex.items()]),
        (("race_ethnicity",), [{"race_ethnicity": r, "selected": k, "total": n} for r, (k, n) in race.items()]),
        (
            ("sex", "race_ethnicity"),
            [{"sex": s, "race_ethnicity": r, "selected": k, "total": n} for (s, r), (k, n) in SELECTED.items()],
        ),
    ]


def numbers():
    people = [MetricEntry(metric="data.rows", group={"sex": s}, value=595, n=595) for s in SEXES]
    people += [MetricEntry(metric="data.rows", group={"race_ethnicity": r}, value=400, n=400) for r in RACES]
    unknown = [
        MetricEntry(metric="fairness.unknown_group_share", attribute=name, value=0.02, n=1215, count=25)
        for name in ("sex", "race_ethnicity")
    ]
    return [*people, *unknown]


def publish(stage, facts=FACTS, texts=TEXTS, *, accepted=True, as_of=TODAY):
    evidence = stage_evidence(stage)
    judgement = judge_with(
        evidence,
        read_packs(["nyc-ll144"]),
        Papers(facts=facts, **supply(texts, accepted=accepted)),
        (),
        as_of=as_of,
        evidence_signed="test",
        strict_names=False,
    )
    return Dossier(evidence=evidence, judgement=judgement, presentation=Presentation(created="2026-11-22T09:00:00Z"))


@pytest.fixture(scope="module")
def whole():
    return publish(Stage(counted(), {}, numbers()))


class Cells(HTMLParser):
    """Rows of every table of a page, as text."""

    def __init__(self):
        super().__init__()
        self.tables, self.inside = [], False

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        self.inside = tag in ("td", "th") or (self.inside and tag not in ("table", "tr"))
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.inside = False

    def handle_data(self, data):
        if self.inside and self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data.strip()


def read_page(dossier):
    page = render_publications(dossier)["publication/nyc-ll144.html"].decode()
    cells = Cells()
    cells.feed(page)
    return page, [[[cell for cell in row if cell] for row in table] for table in cells.tables]


def read_lines(dossier):
    return list(csv.DictReader(io.StringIO(render_publications(dossier)["publication/nyc-ll144.csv"].decode())))


def test_the_example_printed_in_the_rule_is_printed_the_same():
    """6 RCNY 5-301: people, scoring rate and impact ratio of the example, from whole people."""
    rates = {
        "sex": {"Male": (92, 0.543), "Female": (76, 0.447)},
        "race_ethnicity": {
            "Hispanic or Latino": (28, 0.642),
            "White": (40, 0.375),
            "Black or African American": (32, 0.50),
            "Native Hawaiian or Pacific Islander": (8, 0.625),
            "Asian": (24, 0.417),
        },
    }
    dossier = publish(Stage(rates=rates), FACTS | {"system.decision_kind": "score"})
    _, tables = read_page(dossier)
    assert [row[:1] + row[-1:] for row in tables[0][1:]] == [["Male", "1.00"], ["Female", "0.82"]]
    assert [row[:1] + row[-1:] for row in tables[1][1:]] == [
        ["Hispanic or Latino", "1.00"],
        ["White", "0.58"],
        ["Black or African American", "0.78"],
        ["Native Hawaiian or Pacific Islander", "0.97"],
        ["Asian", "0.65"],
    ]
    assert tables[0][1][1:4] == ["92", "50", "54.3 %"]
    assert tables[0][0] == ["Sex", "People", "Above the median", "Scoring rate", "Impact ratio"]


def test_rates_and_ratios_are_those_of_the_counts(whole):
    lines = {(line["table"], line["race_ethnicity"], line["sex"]): line for line in read_lines(whole)}
    for (s, r), (k, n) in SELECTED.items():
        line = lines["Race and ethnicity by sex", r, s]
        assert (line["people"], line["counted"], line["rate"]) == (str(n), str(k), f"{k / n:.4f}")
        best = max(k / n for (_, race), (k, n) in SELECTED.items() if race != "Other")
        assert line["impact_ratio"] == ("" if r == "Other" else f"{k / n / best:.4f}")
    other = lines["Race and ethnicity categories", "Other", ""]
    assert (other["people"], other["counted"], other["impact_ratio"]) == ("10", "9", "")
    assert "below 2 %" in other["note"]


def test_people_of_unknown_category_are_counted_and_in_no_rate(whole):
    page, tables = read_page(whole)
    assert "<strong>25</strong> people are not in this table" in page
    assert "unknown" not in [row[0] for row in tables[0]]
    unknown = [line for line in read_lines(whole) if "unknown" in line["note"]]
    assert [line["people"] for line in unknown] == ["25", "0", "0"]


def test_a_whole_audit_is_ready_to_publish(whole):
    assert build_publication(whole).open == ()
    page, tables = read_page(whole)
    assert len(tables) == 3
    assert "Not ready to publish" not in page
    for text in TEXTS.values():
        assert text in page or text == "2026-01-07"
    assert "7\u00a0January\u00a02026" in page
    assert "It sets no value that a ratio must reach" in page


@pytest.mark.parametrize(
    ("facts", "left_out", "accepted", "said"),
    [
        ({"system.decision_kind": None}, (), True, "It is stated whether the tool selects"),
        ({}, ("data.source_explanation",), True, "Source of the audit data"),
        ({}, ("publication.distribution_date",), True, "Date on which the tool was first used"),
        ({}, ("data.small_category_justification",), True, "Reason for leaving out small categories"),
        ({}, (), False, "not reviewed"),
        ({"data.small_categories_excluded": False}, (), True, "correct it and justify"),
        ({"data.historical_available": False}, (), True, "How test data was generated"),
    ],
)
def test_what_is_missing_holds_the_page_back(facts, left_out, accepted, said):
    stated = {name: value for name, value in (FACTS | facts).items() if value is not None}
    texts = {field: text for field, text in TEXTS.items() if field not in left_out}
    dossier = publish(Stage(counted(), {}, numbers()), stated, texts, accepted=accepted)
    page, _ = read_page(dossier)
    assert "Not ready to publish" in page
    assert said in page


def test_an_attribute_that_was_not_measured_is_an_open_item_and_no_empty_table():
    dossier = publish(Stage(counted()[:1], {}, numbers()[:2]))
    made = build_publication(dossier)
    assert [bool(table.rows) for table in made.tables] == [True, False, False]
    assert any("race_ethnicity" in item.because for item in made.open)
    assert "Not calculated: this audit measures no attribute" in read_page(dossier)[0]


@pytest.mark.parametrize(
    "facts",
    [
        {"system.jurisdictions": ("US-CA",)},
        {"system.use_case": "credit.underwriting"},
        {"system.jurisdictions": ("US",)},
    ],
)
def test_nothing_is_published_where_the_law_does_not_apply_for_certain(facts):
    dossier = publish(Stage(counted(), {}, numbers()), FACTS | facts)
    assert list_publications(dossier) == {}
    assert render_publications(dossier) == {}


def test_the_report_of_a_comparison_publishes_nothing(whole):
    assert render_publications(whole.model_copy(update={"kind": "change"})) == {}


def test_nothing_is_published_before_the_law_applies():
    dossier = publish(Stage(counted(), {}, numbers()), as_of=date(2022, 12, 31))
    assert render_publications(dossier) == {}


def test_a_tool_that_classifies_has_a_row_for_each_class():
    entries = []
    for sex, share in (("Male", 0.5), ("Female", 0.4)):
        for name, rate in (("leader", share), ("expert", 1 - share)):
            about = {"group": {"sex": sex}, "outcome": name, "n": 100}
            entries.append(MetricEntry(metric="fairness.outcome_rate", value=rate, count=round(100 * rate), **about))
            ratio = rate / (0.5 if name == "leader" else 0.6)
            entries.append(MetricEntry(metric="fairness.outcome_rate_ratio", value=ratio, **about))
    dossier = publish(Stage(metrics=entries), FACTS | {"system.decision_kind": "classification"})
    _, tables = read_page(dossier)
    rows = {(row[0], row[1]): row[-1] for row in tables[0][1:]}
    assert rows == {
        ("Male", "leader"): "1.00",
        ("Male", "expert"): "0.83",
        ("Female", "leader"): "0.80",
        ("Female", "expert"): "1.00",
    }


def test_a_ratio_that_only_rounds_to_one_is_not_printed_as_one():
    counts = [(("sex",), [{"sex": "M", "selected": 500, "total": 1000}, {"sex": "F", "selected": 499, "total": 1000}])]
    _, tables = read_page(publish(Stage(counts)))
    assert [row[-1] for row in tables[0][1:]] == ["1.00", "0.998"]


def test_the_page_runs_nothing_and_asks_no_network(whole):
    page, _ = read_page(whole)
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1))
    assert policy.startswith("default-src 'none'")
    assert f"'sha256-{digest}'" in policy
    assert "script" not in policy
    assert not re.search(r"<script|\son\w+=|\sstyle=|https?://|@import|url\((?!data:)", page)
    assert page.count("<h1") == 1
    assert '<html lang="en">' in page
    assert all('scope="' in tag or "aria-hidden" in tag for tag in re.findall(r"<th\b[^>]*>", page))


def test_hostile_labels_stay_text_in_page_and_table():
    evil, formula = '<img src=x onerror="alert(1)">', "=HYPERLINK(1)"
    rows = [{"sex": evil, "selected": 50, "total": 100}, {"sex": formula, "selected": 40, "total": 100}]
    dossier = publish(Stage([(("sex",), rows)]), FACTS, TEXTS | {"data.source_explanation": f"{evil} " * 20})
    page, _ = read_page(dossier)
    assert "<img" not in page
    assert "&lt;img src=x" in page
    assert {line["sex"] for line in read_lines(dossier)} >= {evil, f"'{formula}"}


def test_equal_dossiers_give_equal_bytes(whole):
    assert render_publications(whole) == render_publications(Dossier.parse(whole.canonical()))


def test_a_sealed_report_holds_the_page_and_names_it(small_job, tmp_path):
    """A real audit: the files lie in the folder, are in the signed list, and verify."""
    from audit.attestation.verify import verify_report
    from audit.config.load import load_config
    from audit.workflow import run_audit

    (tmp_path / "documents.yaml").write_text(
        "schema: documents/1\n"
        "facts:\n"
        "  system.jurisdictions: [US-NYC]\n"
        "  system.use_case: employment.hiring\n"
        "  system.decision_kind: selection\n",
        encoding="utf-8",
    )
    text = (small_job / "audit.yaml").read_text(encoding="utf-8")
    own = small_job / "audit-nyc.yaml"
    own.write_text(
        text.replace(
            "groups: [sex, region]", "groups: {sex: sex, region: {column: region, stands_for: race_ethnicity}}"
        )
        + f"documents: {tmp_path / 'documents.yaml'}\npolicies: [nyc-ll144]\nreport: {{formats: [html]}}\n",
        encoding="utf-8",
    )
    out = tmp_path / "report"
    run_audit(load_config(own), out=out)
    listed = (out / "SHA256SUMS").read_text(encoding="utf-8")
    for name in ("publication/nyc-ll144.html", "publication/nyc-ll144.csv"):
        assert (out / name).is_file()
        assert name in listed
        assert name in (out / "report.html").read_text(encoding="utf-8")
    assert verify_report(out).word == "INTACT"
    page = out / "publication" / "nyc-ll144.html"
    page.write_bytes(page.read_bytes().replace(b"Impact ratio", b"Impact Ratio"))
    assert verify_report(out).word == "TAMPERED"


def test_where_nobody_is_selected_no_ratio_is_made_up():
    counts = [(("sex",), [{"sex": "M", "selected": 0, "total": 40}, {"sex": "F", "selected": 0, "total": 50}])]
    dossier = publish(Stage(counts))
    (male, female) = build_publication(dossier).tables[0].rows
    assert (male.ratio, female.ratio) == (None, None)
    assert male.note
    assert not male.left_out
    _, tables = read_page(dossier)
    assert [row[3] for row in tables[0][1:]] == ["0.0 %", "0.0 %"]
    assert all(row[4] != "0.00" for row in tables[0][1:])
    assert [line["impact_ratio"] for line in read_lines(dossier)[:2]] == ["", ""]
