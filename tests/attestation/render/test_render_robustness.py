"""Robustness, drift and claims as they read: shown with intervals and in words, hidden where nothing was measured."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from dossier_fixture import make_dossier, make_evidence
from test_render_fairness import bare, chapter
from test_render_html import check

from audit.attestation.render.figures import FlipLine, draw_flips
from audit.attestation.render.html import render_html, render_page
from audit.attestation.render.view import build_view
from audit.evidence import (
    ClaimChecked,
    Conformal,
    Definition,
    Drift,
    Estimate,
    Measurement,
    MovedFeature,
    NotDone,
    Robustness,
    Unseen,
)


def rate(value, n=400):
    return Estimate(value=value, low=max(0.0, value - 0.02), high=value + 0.02, n=n, count=round(value * n), method="W")


def number(metric, estimate, **scope):
    return Measurement(metric=metric, estimate=estimate, **scope)


def make_robustness():
    found = []
    for size, noise, attack in (("0.05 sd", 0.03, 0.06), ("0.1 sd", 0.04, 0.12), ("0.25 sd", 0.07, 0.31)):
        for kind, value in (("noise", noise), ("attack", attack)):
            metric = f"robustness.{kind}_flip_rate"
            found.append(number(metric, rate(value), outcome=size))
            found += [
                number(metric, rate(value + d), outcome=size, group={"sex": s}) for s, d in (("F", 0.01), ("M", 0))
            ]
            gap = Estimate(value=0.01, low=0, high=0.05, method="N", note="F changes more often than M")
            found.append(number(f"robustness.{kind}_flip_gap", gap, outcome=size, attribute="sex"))
        found.append(number("robustness.noise_drop", rate(0.02), outcome=size))
    found += [number("robustness.missing_flip_rate", rate(v), feature=f) for f, v in (("age", 0.05), ("income", 0.3))]
    found += [number("robustness.conformal_coverage", rate(0.9)), number("robustness.conformal_set_size", rate(1.2))]
    found += [number("robustness.conformal_shared_coverage", rate(0.84), group={"sex": "M"})]
    return Robustness(
        rows=400,
        rows_of=9000,
        drawn="400 of 9,000 rows, drawn at random",
        attack="random directions",
        attacked_rows=400,
        evaluations=12_345,
        sizes=(0.05, 0.1, 0.25),
        features=(MovedFeature(feature="income", deviation=3.0, attacked=True),),
        refuses_missing=("debts_<b>",),
        conformal=Conformal(promised=0.9, calibrated_on=500, judged_on=501, score="one minus"),
        parts_not_done={"People near the cut": "the decision is no single cut on the score"},
        measurements=tuple(found),
    )


def make_drift():
    psi = Estimate(value=0.21, n=400, method="bins", note="no interval", chance=0.02)
    calm = Estimate(value=0.01, n=400, method="bins", note="no interval", chance=0.02)
    drop = Estimate(value=0.03, low=0.01, high=0.05, n=400, method="DeLong")
    return Drift(
        baseline="data.baseline (b.csv)",
        baseline_rows=500,
        rows=400,
        later="data.out_of_time (l.csv)",
        later_rows=300,
        draws=400,
        unseen=(Unseen(feature="region", levels=("<script>east",), count=2),),
        measurements=(
            number("drift.feature_psi", psi, feature="income"),
            number("drift.feature_psi", calm, feature="age"),
            number("drift.score_psi", calm),
            number("drift.group_share_change", drop, group={"sex": "F"}),
            number("drift.missing_change", drop, feature="income", group={"sex": "F"}),
            number("drift.performance_drop", drop),
        ),
    )


def define(*ids):
    return tuple(Definition(id=i, title=i, formula="f", unit="share", source="s") for i in ids)


def with_sections(**sections):
    evidence = make_evidence()
    used = {m.metric for part in sections.values() for m in part.measurements}
    known = {d.id for d in evidence.definitions}
    more = {"definitions": (*evidence.definitions, *define(*sorted(used - known)))}
    return make_dossier(evidence.model_copy(update={**sections, **more}))


@pytest.fixture(scope="module")
def text() -> str:
    return render_html(with_sections(robustness=make_robustness(), drift=make_drift())).decode()


def test_the_page_is_whole(text):
    check(text.encode())


def test_robustness_says_what_flips_and_for_whom(text):
    part = bare(chapter(text, "robustness"))
    assert "Random noise of 0.1 standard deviations flips 4.00% (95% 2.00 to 6.00%) of the decisions" in part.replace(
        "\u00a0", " "
    )
    assert "was found for 12.0%" in part
    assert "these rates are lower bounds" in part
    assert "in random directions" in part
    assert "Largest difference" in part
    assert "Of all inputs that were left empty, Income turns most decisions: 30.0%" in part
    assert "flipped by a change of 0.1 standard deviations" in part
    annex = bare(chapter(text, "robustness-annex"))
    empty = annex.index("Inputs left empty")
    assert annex.index("Income", empty) < annex.index("Age", empty)
    assert "does not accept as missing: Debts <b>" in annex.replace("&lt;", "<").replace("&gt;", ">")
    assert "no single cut" in part
    assert "500 labelled rows" in part


def test_drift_shows_chance_beside_a_distance_and_says_what_differs(text):
    part = bare(chapter(text, "drift"))
    assert "1 of 2 features differ from the baseline by more than chance" in part
    assert "Most: Income." in part
    assert "predicts worse: performance lost" in part
    assert part.count("chance 0.02") == 3
    assert "<script>east" not in chapter(text, "drift")
    assert "2 levels that the baseline does not hold" in part


def test_what_was_not_measured_has_no_chapter():
    dossier = with_sections()
    evidence = dossier.evidence.model_copy(
        update={"robustness": NotDone(not_done="no model"), "drift": NotDone(not_done="no baseline")}
    )
    dossier = dossier.model_copy(update={"evidence": evidence})
    view = build_view(dossier)
    assert not {"robustness", "drift"} & {chapter.anchor for chapter in view.chapters}
    page = render_html(dossier).decode()
    assert 'id="robustness"' not in page
    assert "What is claimed" not in page


def test_claims_stand_on_the_decision_page_the_unproven_first():
    claims = tuple(
        ClaimChecked(
            metric="performance.auc",
            title="Area under the ROC curve",
            claimed=claimed,
            by="the <vendor>",
            observed=Estimate(value=0.85, low=0.83, high=0.87, n=400),
            status=status,
            because="why",
        )
        for claimed, status in ((0.86, "inside"), (0.91, "worse"))
    )
    dossier = make_dossier(make_evidence())
    judgement = dossier.judgement.model_copy(update={"claims": claims})
    page = render_html(dossier.model_copy(update={"judgement": judgement})).decode()
    check(page.encode())
    part = bare(chapter(page, "decision"))
    assert part.index("0.910") < part.index("0.860")
    assert "Measured is worse" in part
    assert "Borne out" in part
    assert "the <vendor>" not in page


def test_the_figure_is_well_formed_and_told_in_words():
    lines = (
        FlipLine("Deliberate", ((0.05, 0.03, 0.02, 0.04), (0.25, 0.2, None, None))),
        FlipLine("Noise & <b>", ((0.05, 0.0, 0.0, 0.01), (0.25, 0.0, 0.0, 0.01))),
    )
    figure = draw_flips("f", "Title", "told", lines, ("above", "across"))
    root = ET.fromstring(figure)
    texts = [e.text for e in root.iter() if e.tag.endswith("text")]
    assert "Noise & <b>" in texts
    assert "told" in [e.text for e in root.iter() if e.tag.endswith("desc")]
    assert len([e for e in root.iter() if e.tag.endswith("circle")]) == 2


@pytest.mark.parametrize("mode", ["html", "pdf"])
def test_chapters_stand_in_the_order_of_their_numbers(mode):
    view = build_view(with_sections(robustness=make_robustness(), drift=make_drift()))
    page = render_page(view, mode)
    headings = re.findall(r'<h2><span class="no">(\w+)</span>', page)
    listed = [item.number for item in view.chapters]
    assert headings == listed
    numbers = [int(number) for number in listed if number.isdigit()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert listed[len(numbers) :] == sorted(listed[len(numbers) :])
    anchors = [page.index(f'id="{item.anchor}"') for item in view.chapters]
    assert anchors == sorted(anchors)
