"""The language of a report: sentences with places, finished sentences recognised, numbers and days."""

import pytest

from audit.attestation.render import tongue
from audit.attestation.render.numbers import count_text, day_text, number_text, p_text, share_text
from audit.attestation.render.tongue import echo, list_languages, read_words, speak, tell, tell_many
from audit.errors import AuditError


@pytest.fixture
def table(monkeypatch):
    """A table of two sentences, one of which stands in the other's place."""
    words = {
        "{name} is behind": "{name} liegt zurück",
        "the whole {level} interval {low} to {high} meets '{limit}'": "das ganze {level}-Intervall {low} bis {high} erfüllt „{limit}“",
        "at least {number}": "mindestens {number}",
        "{number} row": "{number} Zeile",
        "{number} rows": "{number} Zeilen",
    }
    tongue._read_patterns.cache_clear()
    monkeypatch.setattr(tongue, "read_words", lambda language: words)
    yield words
    tongue._read_patterns.cache_clear()


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
    assert said == "das ganze 95 %-Intervall 0,741 bis 0,766 erfüllt „mindestens 0,5“"


def test_unknown_sentence_stays_as_it_is(table):
    with speak("de"):
        assert echo("nothing of the kind, 0.5") == "nothing of the kind, 0.5"
        assert echo("1,234.5") == "1.234,5"


def test_numbers_and_days_are_written_as_the_language_does():
    with speak("de"):
        assert number_text(0.67843) == "0,678"
        assert count_text(6000) == "6.000"
        assert share_text(0.6153) == "61,5%"
        assert p_text(0.0004) == "0,0004"
    with speak("de"):
        assert day_text("2026-11-21").startswith("21.")
    assert number_text(0.67843) == "0.678"


def test_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(AuditError, match="no words"):
        read_words("xx")
    assert list_languages()[0] == "en"
