"""Attributions as they read: one figure of all methods, one table that compares them, reasons why one did not run."""

from __future__ import annotations

import re

import pytest
from dossier_fixture import make_dossier, make_evidence
from test_render_html import check

from audit.attestation.render.attributions import show_attributions
from audit.attestation.render.figures.dots import LOOKS, draw_dots
from audit.attestation.render.html import render_html
from audit.attestation.render.method_words import GLASS, METHODS
from audit.attestation.render.tables import Lexicon
from audit.attestation.render.view import build_view
from audit.evidence import Attributions, ColumnImportance, Estimate, Explainer, ReferenceValue


def importance(unit: float, **values: float) -> tuple[ColumnImportance, ...]:
    made = [
        ColumnImportance(
            feature=name,
            estimate=Estimate(value=v * unit, low=v * unit - 0.02, high=v * unit + 0.02, n=300, method="mean"),
        )
        for name, v in values.items()
    ]
    return tuple(sorted(made, key=lambda item: -(item.estimate.value or 0)))


def section(**changes) -> Attributions:
    error = Estimate(value=0.004, low=0.003, high=0.005, n=300, method="mean")
    methods = (
        Explainer(
            method="integrated_gradients",
            rows=300,
            evaluations=9000,
            seconds=0.4,
            completeness=error,
            unit="link scale",
            importance=importance(1, income=0.8, debts=0.5, age=0.1),
        ),
        Explainer(
            method="shapley",
            rows=300,
            evaluations=297_800,
            seconds=1.2,
            completeness=error.model_copy(update={"value": 0.0, "low": None, "high": None}),
            standard_error=0.012,
            unit="link scale",
            importance=importance(1, income=0.7, debts=0.75, age=0.05),
        ),
        Explainer(
            method="permutation",
            rows=2000,
            evaluations=9,
            unit="AUC lost",
            importance=importance(0.1, income=1, debts=0.4, age=-0.01),
        ),
        Explainer(method="deep_lift", software="captum", not_done="the file holds a program instead of layers"),
        Explainer(
            method="saliency",
            software="captum",
            rows=300,
            evaluations=300,
            unit="a scale of its own",
            importance=importance(3, income=1, debts=2, age=3),
        ),
    )
    values = {
        "scale": "log-odds of repaid = 1",
        "rows": 300,
        "rows_of": 6000,
        "drawn": "300 of 6,000 rows, drawn with the shares of groups and decisions kept (seed 0)",
        "background": 500,
        "permutations": 110,
        "control": "net_surrogate",
        "reference": (ReferenceValue(feature="income", value="31.2"), ReferenceValue(feature="region", value="north")),
        "tolerance": 0.01,
        "evaluations": 409_100,
        "methods": methods,
        "notes": ("integrated gradients: 2 of 300 rows did not reach the tolerance",),
    }
    return Attributions(**(values | changes))


def evidence(**changes):
    return make_evidence().model_copy(update={"attributions": section(**changes)})


@pytest.fixture(scope="module")
def report() -> str:
    return render_html(make_dossier(evidence())).decode()


def bare(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("&#39;", "'").split())


def chapter(text: str, anchor: str) -> str:
    start = text.index('<section class="chapter', text.index(f'id="{anchor}"') - 60)
    return text[start : text.index("</section>", start)]


def test_tags_nest_and_links_lead_somewhere(report):
    checker = check(report.encode())
    assert not checker.faults
    assert {link for link in checker.links if link.removeprefix("#") not in checker.ids} == set()
    assert "style" not in checker.attributes


def test_the_chapter_says_who_agrees_and_what_it_cost(report):
    said = bare(chapter(report, "attributions"))
    assert (
        "The methods differ about the most important feature: Integrated gradients: Income; Shapley values: Debts"
        in said
    )
    assert "300 of 6,000 rows" in said
    assert "did not reach the tolerance" in said
    annex = bare(chapter(report, "explained-annex"))
    assert "297,800" in annex and "0.0120" in annex
    assert "exact" in annex
    assert "Income: 31.2; Region: north" in annex
    assert "additive net, fitted on the black box" in annex


def test_a_method_that_did_not_run_is_listed_with_its_reason(report):
    said = bare(chapter(report, "explained-annex"))
    assert "DeepLift captum" in said
    assert "Not run on this model: The file holds a program instead of layers." in said


def test_lesser_methods_stand_in_a_table_of_their_own_with_their_warning(report):
    main, annex = bare(chapter(report, "attributions")), bare(chapter(report, "explained-annex"))
    assert "no better than chance" in annex
    assert "Saliency" not in main
    lesser = annex.index("add little: importance by feature")
    assert annex.index("Importance by feature") < lesser < annex.index("Saliency a scale of its own")


def test_no_second_table_without_lesser_methods():
    only = tuple(item for item in section().methods if not METHODS[item.method].lesser)
    text = render_html(make_dossier(evidence(methods=only))).decode()
    assert "Importance by feature" in bare(chapter(text, "explained-annex"))
    assert "add little" not in text
    assert 'id="attributions"' in text


def test_shares_of_a_method_sum_to_one_in_the_words_of_the_figure(report):
    figure = chapter(report, "attributions")
    described = re.search(r"<desc[^>]*>([^<]*)</desc>", figure).group(1)
    shares = [float(number) for number in re.findall(r"Shapley values ([0-9.]+)%", described)]
    assert len(shares) == 3
    assert sum(shares) == pytest.approx(100, abs=0.3)
    assert "Permutation 0%" in described  # below nothing counts as nothing


def test_methods_are_told_apart_without_colour():
    assert len({(shape, hollow) for shape, _, hollow in LOOKS}) == len(LOOKS)
    assert sum(not item.lesser for item in METHODS.values()) + len(GLASS) <= len(LOOKS)


def test_the_figure_holds_one_mark_per_method_and_feature():
    rows = [("A", {"x": (0.5, 0.4, 0.6), "y": (0.3, None, None)}), ("B", {"x": (0.5, 0.4, 0.6)})]
    svg = str(draw_dots("d", "t", "words", rows, {"x": "One", "y": "Two"}, "unit"))
    marks = len(re.findall(r"<circle|Z\"", svg))
    assert marks == 3 + 2  # and two in the key


def test_not_carried_out_means_no_chapter():
    plain = make_evidence()
    assert show_attributions(plain, Lexicon(plain)) is None
    view = build_view(make_dossier(plain))
    assert "attributions" not in {item.anchor for item in view.chapters}
