"""Names of groups and columns within finished sentences, and only there: what people wrote is quoted as it stands."""

from __future__ import annotations

import re

import pytest
from dossier_fixture import make_dossier

from audit.attestation.render.html import render_page
from audit.attestation.render.naming import name_things, speak_of
from audit.attestation.render.tongue import echo, rename_with
from audit.attestation.render.view import build_view


@pytest.fixture(scope="module")
def dossier():
    return make_dossier()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ethnicity=C", "Ethnicity: C"),
        ("65 people in ethnicity=C are fewer", "65 people in Ethnicity: C are fewer"),
        ("sex=F, ethnicity=C: 4 of 9 = 0.4444", "Sex: F, Ethnicity: C – 4 of 9 = 0.4444"),
        ("sex=F against sex=M", "Sex: F against Sex: M"),
        ("At employment_years = 2.1, the shape", "At employment years = 2.1, the shape"),
        ("employment_years missing", "Employment years missing"),
        ("credit_enquiries_12m: 3 rare levels", "Credit enquiries 12m: 3 rare levels"),
        ("age=under 25: 45 of 90", "Age: under 25 – 45 of 90"),
    ],
)
def test_known_names_are_put_into_words(dossier, written, read):
    rename = name_things(dossier)
    assert rename(written) == read
    assert rename(read) == read


@pytest.mark.parametrize(
    "text",
    [
        "ethnicity=Q",  # no such group
        "stored_scores=1",  # no such column
        "net.employment_years.weight",  # a path of ours
        "employment_years2 and my_employment_years",
        "employment_years=employment_years",
        "sex=Female",
        "limit at most 0.1 = 1/10",
    ],
)
def test_what_is_no_name_of_this_dossier_stays(dossier, text):
    assert name_things(dossier)(text) == text


def test_a_german_sentence_is_told_before_its_names_are_put_into_words(dossier):
    shown = dossier.presentation.model_copy(update={"language": "de"})
    german = dossier.model_copy(update={"presentation": shown})
    with speak_of(german):
        assert echo("ethnicity=C: 45 of 1,090 = 0.0413") == "Ethnicity: C – 45 von 1.090 = 0,0413"
        assert echo("compared with sex=M: 10 of 20 = 0.5000") == "verglichen mit Sex: M – 10 von 20 = 0,5000"


def test_names_are_only_put_into_words_while_a_dossier_is_rendered(dossier):
    with rename_with(name_things(dossier)):
        assert echo("ethnicity=C") == "Ethnicity: C"
    assert echo("ethnicity=C") == "ethnicity=C"


@pytest.mark.parametrize("mode", ["html", "pdf"])
def test_a_page_holds_no_group_as_the_judge_writes_it(dossier, mode):
    page = render_page(build_view(dossier), mode)
    said = re.sub(r"<(script|style|code|pre)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert re.findall(r"\b(?:sex|ethnicity|age)=\S+", said) == []
    columns = [item.name for item in dossier.evidence.subject.features if "_" in item.name]
    assert columns
    assert [name for name in columns if re.search(rf"(?<![\w.])(?:{name})\b", said)] == []


def test_words_of_people_are_quoted(dossier):
    papers = dossier.judgement.papers
    assert papers.texts
    text = papers.texts[0].model_copy(update={"text": "We look at ethnicity=C and employment_years."})
    papers = papers.model_copy(update={"texts": (text,)})
    judgement = dossier.judgement.model_copy(update={"papers": papers})
    page = render_page(build_view(dossier.model_copy(update={"judgement": judgement})), "html")
    assert "We look at ethnicity=C and employment_years." in page
