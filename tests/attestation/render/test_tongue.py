"""The language of a report: sentences with places, finished sentences recognised, numbers and days."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.attestation.render import tongue
from audit.attestation.render.numbers import count_text, day_text, number_text, p_text, share_text
from audit.attestation.render.tongue import Heard, Untold, echo, list_languages, read_words, speak, tell, tell_many
from audit.errors import AuditError

ECHOES = {
    "the whole {level} interval {low} to {high} meets '{limit}'": "{level} {low} bis {high} erfüllt „{limit}“",
    "at least {n}": "mindestens {n}",
    "{number} people in {group} are too few": "{number} Personen in {group} sind zu wenige",
    "{word} is {word_2}": "{word} ist {word_2}",
    "{part} and {part_2}": "{part} und {part_2}",
    "mean over rows": "Mittel über Zeilen",
    "no interval": "kein Intervall",
    "Wilson score": "Wilson-Score",
}
WORDS = {
    "{name} is behind": "{name} liegt zurück",
    "{number} row": "{number} Zeile",
    "{number} rows": "{number} Zeilen",
}


@pytest.fixture
def table(monkeypatch, tmp_path):
    """A small table: sentences of our own, and sentences that evidence brings along."""
    folder = tmp_path / "words" / "de"
    folder.mkdir(parents=True)
    (folder / "words.json").write_text(json.dumps(WORDS), encoding="utf-8")
    (folder / "echo.json").write_text(json.dumps(ECHOES), encoding="utf-8")
    caches = (tongue.read_words, tongue._read_sentences, tongue._hear)
    monkeypatch.setattr(tongue, "shipped_folder", lambda _: tmp_path)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


def test_sentence_is_english_unless_another_language_is_spoken(table):
    assert tell("{name} is behind", name="A") == "A is behind"
    with speak("de"):
        assert tell("{name} is behind", name="A") == "A liegt zurück"
    assert tell("{name} is behind", name="A") == "A is behind"


def test_number_chooses_the_form(table):
    with speak("de"):
        assert tell_many("{number} row", "{number} rows", 1) == "1 Zeile"
        assert tell_many("{number} row", "{number} rows", 3) == "3 Zeilen"


def test_finished_sentence_is_recognised_with_what_stands_in_it(table):
    with speak("de"):
        said = echo("the whole 95 % interval 0.741 to 0.766 meets 'at least 0.5'")
    assert said == "95 % 0,741 bis 0,766 erfüllt „mindestens 0,5“"


def test_unknown_sentence_stays_as_it_is(table):
    with speak("de"):
        assert echo("nothing of the kind, 0.5") == "nothing of the kind, 0.5"
        assert type(echo("nothing of the kind, 0.5")) is Untold
        assert echo("1,234.5") == "1.234,5"
        assert echo("12.5%") == "12,5\u00a0%"
        assert echo("1.657e-22") == "1,657e-22"
        assert echo("debts = 23.7") == "debts = 23,7"


def test_what_was_heard_is_not_asked_for_again(table):
    with speak("de"):
        once = echo("no interval")
        assert type(once) is Heard
        assert echo(once) is once
        assert echo("debts") == "debts"
        assert type(echo("debts")) is Heard


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Wilson score; no interval", "Wilson-Score; kein Intervall"),
        ("No interval.", "Kein Intervall."),
        ("mean over rows and no interval", "Mittel über Zeilen und kein Intervall"),
        ("occupation is Sales", "occupation ist Sales"),
        ("at least 20%", "mindestens 20\u00a0%"),
        ("1,200 people in sex=F are too few", "1.200 Personen in sex=F sind zu wenige"),
    ],
)
def test_sentences_are_known_in_parts_and_at_the_beginning_of_a_line(table, english, german):
    with speak("de"):
        assert echo(english) == german


@pytest.mark.parametrize(
    "text",
    [
        "at least three people must agree",  # no number
        "mean over rows and nobody knows what",  # one part is unknown
        "it is known that nobody asked",  # more than a word
        "no people in sex=F are too few",
        "at least " + "9" * 5000,
    ],
)
def test_sentence_that_only_looks_alike_stays_english(table, text):
    with speak("de"):
        assert echo(text) == text


@given(st.text(alphabet="at leswho 95%'.,;andis=0", max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_is_answered(table, text):
    with speak("de"):
        said = echo(text)
        assert said == text or type(said) is Heard
    assert echo(text) == text


def test_numbers_and_days_are_written_as_the_language_does():
    with speak("de"):
        assert number_text(0.67843) == "0,678"
        assert count_text(6000) == "6.000"
        assert share_text(0.6153) == "61,5\u00a0%"
        assert p_text(0.0004) == "0,0004"
    with speak("de"):
        assert day_text("2026-11-21").startswith("21.")
    assert number_text(0.67843) == "0.678"


def test_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(AuditError, match="no words"):
        read_words("xx")
    assert list_languages()[0] == "en"
