"""Names that data bring along in a report of another language: never translated, never broken, cut points told."""

from __future__ import annotations

import re

import pytest
from dossier_fixture import make_dossier
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.attestation.render.bins import say_bins
from audit.attestation.render.conditions import say_conditions
from audit.attestation.render.own_names import mark_names
from audit.attestation.render.tongue import Untold, echo, speak
from audit.evidence import Fairness


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("yes against no", "yes gegen no"),
        ("telephone is yes", "telephone ist yes"),
        ("Other changes more often than none", "Other wechselt häufiger als none"),
        ("debts is 23.7", "debts ist 23,7"),
        ("no group of weight has at least 30 rows", "keine Gruppe von weight hat mindestens 30 Zeilen"),
    ],
)
def test_a_name_that_is_a_word_of_ours_is_not_translated(english, german):
    with speak("de"):
        assert echo(english) == german


@pytest.mark.parametrize(
    "text",
    [
        "Weigh the error against what it costs the person.",
        "a factor that was really scored against the applicant",
        "descriptive of these rows, so it has no interval at all",
    ],
)
def test_a_sentence_is_never_half_translated(text):
    with speak("de"):
        assert type(echo(text)) is Untold


def test_a_line_to_be_copied_stays_as_it_is():
    line = "answers: {nist-ai-rmf/measure-1.2: {answer: yes, by: NAME, on: DATE}}"
    with speak("de"):
        assert echo(line) == line


@pytest.mark.parametrize(
    ("text", "columns", "german"),
    [
        ("age under 34", ("age",), "age unter 34"),
        ("loan amount 1.5 and over", ("loan amount",), "loan amount 1,5 und mehr"),
        ("age from 33 to under 42 and job = car new", ("age", "job"), "age von 33 bis unter 42 und job = car new"),
        ("purpose = bed and board and sex = male", ("purpose", "sex"), "purpose = bed and board und sex = male"),
        ("sex = male and income missing", ("income", "sex"), "sex = male und income fehlt"),
        ("status = <0 DM", ("status",), "status = <0 DM"),
        ("rate = 0.25", ("rate",), "rate = 0,25"),
    ],
)  # fmt: skip
def test_conditions_are_told_around_names_of_several_words(text, columns, german):
    with speak("de"):
        assert say_conditions(text, columns) == german
    assert say_conditions(text, columns) == text


NAME = st.text(alphabet="abc _-", min_size=1, max_size=12).map(str.strip).filter(bool)


@given(NAME, NAME, NAME, NAME)
@settings(deadline=None, max_examples=60)
def test_conditions_keep_every_name(first, level, second, other):
    if first == second:
        return
    with speak("de"):
        said = say_conditions(f"{first} = {level} and {second} = {other}", (first, second))
    assert said.startswith(first)
    assert said.endswith(other)


def dossier_with(values, language="de"):
    """A dossier with one more attribute, cut at points."""
    dossier = make_dossier(language=language)
    fairness = dossier.evidence.fairness
    assert isinstance(fairness, Fairness)
    group = fairness.groups[0].model_copy(update={"attributes": ("postcode",)})
    more = tuple(group.model_copy(update={"values": (value,)}) for value in values)
    fairness = fairness.model_copy(update={"groups": (*fairness.groups, *more)})
    return dossier.model_copy(update={"evidence": dossier.evidence.model_copy(update={"fairness": fairness})})


def test_groups_of_cut_points_are_told_and_nothing_that_looks_like_them():
    dossier = dossier_with(("under 25.5", "25.5-60", "60 and over"))
    page = (
        "<td>under 25.5</td><td>25.5-60</td><th>F · 60 and over</th><code>60 and over</code>"
        "<p>160 and over, not under 25.55</p><text>60 and over</text>"
    )
    assert say_bins(page, dossier) == (
        "<td>unter 25,5</td><td>25,5-60</td><th>F · 60 und mehr</th><code>60 and over</code>"
        "<p>160 and over, not under 25.55</p><text>60 und mehr</text>"
    )
    assert say_bins(page, dossier_with(("60 and over",), "en")) == page
    assert "<td>25.5-60</td>" in say_bins(page, dossier_with(("25.5-60", "a-b")))  # no cut points: a name of the data


def test_names_are_marked_whole_and_prose_is_not():
    dossier = dossier_with(("Never-married-Longest", "Philippines"))
    page = (
        "<head><title>Philippines</title></head>"
        '<p title="Philippines">Gruppe Philippines und PHILIPPINES, Beschäftigung</p>'
    )
    marked = mark_names(page, dossier)
    assert re.findall(r'<span class="own">(.*?)</span>', marked) == ["Philippines", "PHILIPPINES"]
    assert re.sub(r"</?span[^>]*>", "", marked) == page
    assert mark_names(page, dossier_with(("Philippines",), "en")) == page


def test_marking_names_changes_no_letter_and_no_tag_of_a_page():
    page = '<svg id="a"><text>Philippines</text></svg><p>&Philippines; Philippines&lt;Philippines</p>'
    marked = mark_names(page, dossier_with(("Philippines",)))
    assert marked.startswith('<svg id="a"><text>Philippines</text></svg><p>&Philippines; <span')
    assert re.sub(r"</?span[^>]*>", "", marked) == page


def test_a_link_is_left_whole():
    """The engine makes a link of its own, without a tag, of each mark within one."""
    page = '<td><a href="#x">Philippines</a> Philippines</td>'
    marked = mark_names(page, dossier_with(("Philippines",)))
    assert marked == '<td><a href="#x">Philippines</a> <span class="own">Philippines</span></td>'
