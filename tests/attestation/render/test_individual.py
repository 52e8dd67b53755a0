"""The page for one person: everything of ours in the language of the report, their values as they are."""

from __future__ import annotations

import re
from html import unescape

import pytest

from audit.attestation.render.individual import render_individual, render_individuals
from audit.evidence import ChangeNeeded, Individual, ReasonGiven
from audit.examination.measures.effects.reasons import say_value

DENIED = Individual(
    row="a17",
    system="credit 2.1",
    rule="score >= 0.5",
    favourable=False,
    score=0.2937,
    compared_with="100 people drawn at random from the 1,234 decided favourably",
    reasons=(
        ReasonGiven(
            feature="income", words="Income too low", value="22.91", usual="39.16", contribution=-0.4, error=0.01
        ),
        ReasonGiven(
            feature="age", words="", value="36", usual="55", contribution=-0.2, error=0.01, flagged="prohibited"
        ),
        ReasonGiven(feature="region", words="", value="yes", usual="missing", contribution=-0.1, error=0.01),
    ),
    changes=(
        ChangeNeeded(feature="income", now="22.91", then="30.2"),
        ChangeNeeded(feature="debts", now="4", then="3"),
    ),
    cost=1.2,
    score_then=0.5021,
    salt="0" * 32,
)
APPROVED = Individual.model_validate(
    {
        **DENIED.model_dump(),
        **{"favourable": True, "reasons": (), "changes": (), "no_changes": "the decision is the favourable one"},
    }
)


def text_of(page):
    page = re.sub(r"<style>.*?</style>", "", page.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_a_german_letter_holds_no_english_but_what_was_declared():
    page = render_individual(DENIED, "de")
    text = text_of(page)
    assert '<html lang="de">' in page.decode()
    assert "Ungünstig entschieden" in text
    assert "Günstig ist: score >= 0.5. Der Score beträgt 0,294." in text
    assert "Income too low Income: 22,91; üblich unter den günstig Beschiedenen: 39,16." in text
    assert "Zu beachten: ein verbotenes Merkmal." in text
    assert "Vergleich mit: 100 zufällig gezogene Personen der 1.234 günstig Beschiedenen." in text
    assert "All dies zusammen wurde dem Modell erneut vorgelegt: Der Score wäre 0,502" in text
    ours = text.replace("Income too low", "").replace("score >= 0.5", "")
    assert re.findall(r"\b(?:the|of|is|was|be|would|decided|model)\b", ours) == []
    assert 'lang="en"' not in page.decode()


def test_a_value_that_is_a_word_of_ours_stays_the_data_s_own():
    text = text_of(render_individual(DENIED, "de"))
    assert "Region: yes; üblich unter den günstig Beschiedenen: fehlt." in text


@pytest.mark.parametrize(
    "reason",
    [
        "the decision is the favourable one",
        "no feature that the model reads is declared mutable",
        "no decision follows from the score, so that changes cannot be tried",
        "no change of up to three mutable features, within what was observed, was found to turn the decision",
    ],
)
def test_why_nothing_is_told_is_told_in_german(reason):
    page = render_individual(APPROVED.model_copy(update={"no_changes": reason}), "de").decode()
    assert "Hier ist nichts zu nennen: " in page
    assert reason not in page


def test_english_is_what_it_was_and_the_records_stay_as_they_are():
    text = text_of(render_individual(DENIED))
    assert "Decided unfavourably" in text
    assert "Income: 22.91; usual among those decided favourably: 39.16." in text
    assert "All of these together were put to the model again: the score would be 0.502, and the decision" in text
    files = {"individuals/a17.json": DENIED.canonical()}
    both = [render_individuals(files, language) for language in ("en", "de")]
    assert [told["individuals/a17.json"] for told in both] == [DENIED.canonical()] * 2
    assert both[0]["individuals/a17.html"] != both[1]["individuals/a17.html"]


def test_a_hostile_value_is_escaped_in_every_language():
    reasons = (DENIED.reasons[0].model_copy(update={"value": "<script>x</script>", "words": "<b>"}),)
    for language in ("en", "de"):
        page = render_individual(DENIED.model_copy(update={"reasons": reasons}), language).decode()
        assert "<script" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(("language", "now", "then"), [("en", "1,234,567.89", "−0.5"), ("de", "1.234.567,89", "−0,5")])
def test_numbers_of_a_letter_are_written_like_those_of_the_report(language, now, then):
    """Nobody is told that they earn 1.23457e+06."""
    changes = tuple(
        ChangeNeeded(feature=name, now=say_value(1_234_567.891), then=say_value(-0.5))
        for name in ("income", "postcode")
    )
    text = text_of(render_individual(DENIED.model_copy(update={"changes": changes}), language))
    assert f"Income {now} {then}" in text
    assert "e+06" not in text


def test_names_that_look_like_numbers_keep_their_signs():
    changes = (ChangeNeeded(feature="postcode", now=say_value("90210"), then=say_value("10-4")),)
    text = text_of(render_individual(DENIED.model_copy(update={"changes": changes}), "de"))
    assert "90210 10-4" in text
