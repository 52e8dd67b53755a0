"""What a public edition says of itself and of what it leaves out, and whose words and files are not in it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from audit.attestation.history import write_history
from audit.attestation.redact.judged import FEW_PEOPLE, LOCK, WAIVED, WITHOUT_IT
from audit.attestation.redact.publish import publish_dossier
from audit.attestation.redact.sections import FEW_ALIKE, FEW_WITHOUT
from audit.attestation.render.formats import FORMATS
from audit.attestation.render.history import AuditPast, render_history
from audit.config.load import load_config
from audit.evidence import (
    SUPPRESSED,
    ClaimChecked,
    ContractCheck,
    Data,
    Dossier,
    Drift,
    Estimate,
    Intake,
    LockSeen,
    NotDone,
    Unseen,
)
from audit.workflow import run_audit

from .kinds_material import PEOPLE, run_kind

READ = [name for name in FORMATS if name != "pdf"]
HOUSE = """schema: policy/1
pack: our-house
title: What our house asks
version: 1.0.0
law: {citation: MP-7, jurisdiction: any, status: internal, verified_on: 2026-01-01, review_by: 2099-01-01}
rules:
  - {id: rate, title: Everybody is selected now and then, severity: medium, measure: fairness.selection_rate,
     for_each: protected, must_be: at least 0.99, threshold_basis: organisation}
"""
WAIVERS = """schema: waivers/1
waivers:
  - {id: W-1, rule: our-house/rate, scope: {town: north}, requested_by: petra_roe, approved_by: paul_roe,
     reason: "Petra Roe lives with it. The verdict without it: pass, all well.",
     approver_role: head_of_risk, approved_on: 2026-10-01, expires: 2027-01-31}
  - {id: W-2, rule: our-house/rate, scope: {town: islet}, reason: Nobody of that island will ever mind it.,
     requested_by: petra_roe, approved_by: paul_roe,
     approver_role: head_of_risk, approved_on: 2020-10-01, expires: 2021-01-31}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the internal report, the public one beside it, and all that the auditor wrote."""
    place = tmp_path_factory.mktemp("house")
    PEOPLE.to_csv(place / "people.csv", index=False)
    PEOPLE.to_csv(place / "hush-baseline.csv", index=False)
    (place / "hush-rules.yaml").write_text(HOUSE, encoding="utf-8")
    (place / "hush-waivers.yaml").write_text(WAIVERS, encoding="utf-8")
    (place / "audit.yaml").write_text(
        "system: {name: towns}\ndata: {audit: people.csv, baseline: hush-baseline.csv}\nlabel: good\n"
        "groups: [sex, town]\ndecision: {column: granted, favourable: 'yes'}\nintersections: none\neffort: fast\n"
        "exclude: [job, grade, given, income, weight, branch, shortlist, tier]\npolicies: [hush-rules.yaml]\n"
        "waivers: hush-waivers.yaml\nsigning: {key: development}\n"
        "report: {audience: public, formats: [html, markdown, junit, sarif]}\n",
        encoding="utf-8",
    )
    run_audit(load_config(place / "audit.yaml", overrides=("data.model_train=unknown",)), out=place / "report")
    return place


@pytest.fixture(scope="module")
def whole(folder):
    return Dossier.parse((folder / "report" / "audit.json").read_bytes())


@pytest.fixture(scope="module")
def public(folder):
    return Dossier.parse((folder / "report-public" / "audit.json").read_bytes())


def judged_as(dossier, **changed):
    """Return a dossier whose judgement holds something else."""
    return dossier.model_copy(update={"judgement": dossier.judgement.model_copy(update=changed)})


def measured_as(dossier, **sections):
    """Return a dossier whose evidence holds other sections."""
    evidence = dossier.evidence.model_copy(update=sections)
    judged = dossier.judgement.model_copy(update={"evidence_digest": evidence.digest()})
    return dossier.model_copy(update={"evidence": evidence, "judgement": judged})


def test_nobody_who_waived_is_named_and_no_file_of_theirs(folder):
    """Who granted a waiver, why, and what the auditor called policies and tables stays in the internal report."""
    words = ("petra", "paul", "hush-", "head_of_risk", "islet", "all well")
    inside = "".join(path.read_text(encoding="utf-8") for path in (folder / "report").glob("*.[hjxsm]*"))
    assert all(word in inside.lower() for word in words)
    for path in sorted((folder / "report-public").iterdir()):
        text = path.read_bytes().decode("utf-8", "replace").lower()
        assert not [word for word in words if word in text], path.name


def test_a_waived_verdict_keeps_the_reason_of_the_verdict(whole, public):
    before = [one for finding in whole.judgement.findings for one in finding.verdicts if one.waiver]
    after = [one for finding in public.judgement.findings for one in finding.verdicts if one.waiver]
    assert [one.waiver for one in after] == [one.waiver for one in before] == ["W-1"]
    assert after[0].because.startswith(WAIVED + WITHOUT_IT + "fail, ")
    assert before[0].because.endswith(after[0].because.rpartition(WITHOUT_IT)[2])


def test_policies_are_named_by_their_pack(whole, public):
    assert {finding.path for finding in whole.judgement.findings} == {"hush-rules.yaml"}
    assert {finding.path for finding in public.judgement.findings} == {"our-house.yaml"}
    assert {policy.path for policy in public.judgement.policies} == {"our-house.yaml"}
    assert [p.sha256 for p in public.judgement.policies] == [p.sha256 for p in whole.judgement.policies]


def test_warnings_that_name_persons_files_or_hidden_numbers_are_not_told(whole):
    hidden = ClaimChecked(
        metric="fairness.selection_rate", title="Rate", claimed=0.5, by="vendor", status="worse",
        observed=Estimate(value=0.123, method="m"), because="0.123 is lower",
    )  # fmt: skip
    lock = LockSeen(
        file="hush.lock", rules_digest="sha256:0", locked_at="2026-01-01T00:00:00Z", before="no", same_rules=False,
        because="it was written later",
    )  # fmt: skip
    warnings = (
        "our-house: its law was to be read again by 2026-01-01; that day has passed",
        "waiver W-2 (hush-waivers.yaml:4:5) covers nothing: it lapsed: the number is 0.3333, not at least 0.4",
        "our-house/rate was due on 2026-01-01 and is still open; it lies with Ada Stone",
        "documents: findings names 'our-house/rates', which no rule in force has",
        "documents: system.users is not what the audit shows; the rules go by the audit: true",
        "claim of vendor, Rate 0.5: 0.123 is lower",
        "the model of this audit is not the one locked in hush.lock",
        "it was written later",
    )
    assert [one for one in whole.judgement.warnings if "W-2" in one]
    made = publish_dossier(judged_as(whole, warnings=warnings, claims=(hidden,), lock=lock)).judgement
    assert made.claims[0].because == FEW_PEOPLE
    assert made.warnings == (warnings[0], warnings[4], warnings[6].replace("hush.lock", LOCK), warnings[7])


def test_files_and_levels_of_a_baseline_are_not_told(whole, public):
    assert whole.evidence.drift.baseline == "data.baseline (hush-baseline.csv)"
    assert public.evidence.drift.baseline == "data.baseline"
    seen = whole.evidence.drift.model_copy(
        update={"unseen": (Unseen(feature="x", levels=("seldom",), count=3),), "notes": ("of hush-baseline.csv",)}
    )
    made = publish_dossier(measured_as(whole, drift=seen)).evidence.drift
    assert isinstance(made, Drift)  # levels are no people: that there are three does not cost the section
    assert made.unseen == ()
    assert made.notes == ("of a file",)


def test_training_rows_are_told_of_without_their_file(whole):
    text = "hush train.csv, 1,200 rows, sha256:0123456789abcdef; no judged row is among them, by its id"
    data = whole.evidence.data.model_copy(update={"training": text})
    told = publish_dossier(measured_as(whole, data=data)).evidence.data.training
    assert told == "a file, 1,200 rows, sha256:0123456789abcdef; no judged row is among them, by its id"


def test_lowest_and_highest_score_are_those_of_two_persons(whole):
    checks = tuple(
        ContractCheck(id=name, title=name, status="pass", detail=detail)
        for name, detail in (("scale", "outputs from 15.81 to 46.55"), ("finite", "560 rows of the sample"))
    )
    assert isinstance(whole.evidence.intake, Intake)
    intake = whole.evidence.intake.model_copy(update={"checks": checks})
    made = publish_dossier(measured_as(whole, intake=intake)).evidence.intake
    assert [one.detail for one in made.checks] == ["withheld in the public edition", "560 rows of the sample"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"label_known": 557}, FEW_WITHOUT), ({"label_positive": 3}, FEW_ALIKE), ({"label_positive": 558}, FEW_ALIKE)],
)
def test_a_section_that_is_left_out_says_why(whole, changed, reason):
    assert whole.evidence.data.rows == whole.evidence.data.label_known == 560
    data = whole.evidence.data.model_copy(update=changed)
    made = publish_dossier(measured_as(whole, data=data))
    assert made.evidence.data == NotDone(not_done=reason)
    assert made.evidence.data.left_out
    page = FORMATS["html"].render(made).decode()
    assert reason[1:] in page
    assert "Assessed, and left out of this public edition: Data" in page
    assert "<td>left out of the public edition</td>" in page
    never = re.search(r"(\d+) parts were not carried out", page)
    left = re.search(r"(\d+) parts? w\w+ assessed and (?:is|are) left out", page)
    missing = [part for _, part in made.evidence.sections() if isinstance(part, NotDone)]
    assert int(never[1]) + int(left[1]) == len(missing)
    assert int(left[1]) == sum(part.left_out for part in missing)


def test_german_tells_all_of_it(whole):
    data = whole.evidence.data.model_copy(update={"label_known": 557})
    shown = whole.presentation.model_copy(update={"language": "de"})
    page = FORMATS["html"].render(
        publish_dossier(measured_as(whole, data=data).model_copy(update={"presentation": shown}))
    )
    text = page.decode()
    for word in ("withheld", "left out", "suppressed", "judged rows", "stored decisions"):
        assert word not in re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL), word
    for word in (
        "zurückgehaltene Gruppe 1",
        "Weniger als 5 Personen haben kein Label",
        "durch wen, warum und bis wann",
    ):
        assert word in text, word


@pytest.mark.parametrize("name", READ)
def test_every_format_says_that_it_is_public(whole, public, name):
    said = {"html": "Public edition", "markdown": "**Public edition.**", "junit": 'value="public"', "sarif": '"public"'}
    assert said[name] in FORMATS[name].render(public).decode()
    assert said[name] not in FORMATS[name].render(whole).decode()


@pytest.mark.parametrize("edition", ["full", "summary", "our-house"])
def test_every_edition_says_that_it_is_public(public, edition):
    shown = public.presentation.model_copy(update={"edition": edition})
    page = FORMATS["html"].render(public.model_copy(update={"presentation": shown})).decode()
    assert page.count("Nothing here counts fewer than 5 people") == 1


def test_a_number_that_nobody_has_is_not_called_suppressed(tmp_path):
    """Without a model nothing is known of its training rows: that tells of no group, and is not withheld."""
    made = publish_dossier(run_kind("top-k", tmp_path).dossier)
    told = {finding.rule: finding.verdicts[0] for finding in made.judgement.findings}
    assert "no model file" in told["baseline-fairness/no-leak"].because
    assert told["baseline-fairness/no-leak"].observed.note != SUPPRESSED


def test_history_says_whose_figures_it_tells(folder, whole):
    log, page = folder / "audit-log", folder / "history.html"
    internal = write_history(log, [folder], page).decode()
    assert "those of its internal report" in internal
    assert "report/report.html" in internal
    told = write_history(log, [folder / "report-public"], page).decode()
    assert "those of its internal report" not in told
    assert "what they withhold is not here either" in told
    assert "report-public/report.html" in told
    assert "Lowest impact ratio: Town" not in told or "suppressed (fewer than 5)" in told
    none = write_history(log, [folder / "nowhere"], page).decode()
    assert "internal report" not in none
    assert "what they withhold" not in none
    assert isinstance(whole.evidence.data, Data)


def test_history_tells_a_withheld_figure_as_such(public):
    one = next(m for m in public.evidence.measurements() if m.metric == "fairness.worst_selection_rate_ratio")
    assert one.estimate.note == SUPPRESSED
    past = AuditPast(
        index=0, time="2026-01-15T09:30:00Z", system="towns", version="1", outcome="failed", counts={}, dossier=public
    )
    shown = [render_history([each], head="0", checked="One.").decode() for each in (past, replace(past, dossier=None))]
    assert "suppressed (fewer than 5)" in shown[0]
    assert "suppressed" not in shown[1]
