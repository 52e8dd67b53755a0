from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.attestation.policy.applies import ask_facts, ask_law
from audit.attestation.policy.pack import Law

PLACE = "system.jurisdictions"


@pytest.mark.parametrize(
    ("wanted", "value", "word"),
    [
        ("US-NYC", ("US-NYC",), "yes"),
        ("US-NYC", ("EU", "US-NYC"), "yes"),
        ("US-NYC", ("US",), "unknown"),  # coarser
        ("US-NYC", ("US-NY",), "unknown"),  # the state contains the city
        ("US-NYC", ("US-CA",), "no"),
        ("US-NYC", ("EU", "US"), "unknown"),
        ("US", ("US-NYC",), "yes"),  # finer
        ("US*", ("US-CA",), "yes"),
        ("US*", ("EU",), "no"),
        ("EU", ("DE",), "yes"),
        ("DE", ("EU",), "unknown"),
        ("DE", ("FR",), "no"),
        ("US-NYC", (), "unknown"),
        (("US-NYC", "US-CA"), ("US-CA",), "yes"),
    ],
)
def test_places(wanted, value, word):
    assert ask_facts({PLACE: wanted}, {PLACE: value}).word == word


@pytest.mark.parametrize(
    ("wanted", "value", "word"),
    [
        ("employment.*", "employment.hiring", "yes"),
        ("employment.*", "employment", "unknown"),
        ("employment.hiring", "employment", "unknown"),
        ("employment", "employment.hiring", "yes"),
        ("employment.*", "credit.underwriting", "no"),
        (("credit.*", "fraud.*"), "fraud.cards", "yes"),
        ("employment.hiring", "employ", "no"),
    ],
)
def test_use_cases(wanted, value, word):
    assert ask_facts({"system.use_case": wanted}, {"system.use_case": value}).word == word


def test_an_unfilled_fact_leaves_it_open_and_says_what_to_fill():
    answer = ask_facts({PLACE: "EU", "system.risk_class": "high"}, {"system.risk_class": "high"})
    assert answer.word == "unknown"
    assert "fill in system.jurisdictions" in answer.because


def test_one_condition_that_fails_is_enough():
    answer = ask_facts({PLACE: "EU", "system.risk_class": "high"}, {"system.risk_class": "minimal"})
    assert answer.word == "no"
    assert "system.risk_class" in answer.because


@pytest.mark.parametrize(
    ("wanted", "value", "word"),
    [("at least 30", 30, "yes"), ("at least 30", 29.9, "no"), ("at least 30", "much", "unknown")],
)
def test_numbers(wanted, value, word):
    name = "organisation.total_assets_usd_bn"
    assert ask_facts({name: wanted}, {name: value}).word == word


def test_flags():
    name = "system.is_first_audit"
    assert ask_facts({name: True}, {name: True}).word == "yes"
    assert ask_facts({name: True}, {name: False}).word == "no"
    assert ask_facts({name: False}, {}).word == "unknown"


@given(
    st.dictionaries(st.sampled_from([PLACE, "system.use_case", "system.role"]), st.sampled_from(["US", "EU", "both"]))
)
def test_filling_a_fact_in_never_turns_no_into_unknown(facts):
    conditions = {PLACE: "EU", "system.use_case": "EU", "system.role": "both"}
    word = ask_facts(conditions, facts).word
    missing = set(conditions) - set(facts)
    if not missing:
        assert word != "unknown"
    if word == "no":
        assert any(facts.get(name) not in (None, wanted) for name, wanted in conditions.items())


def test_laws_have_their_time():
    law = Law(
        citation="a",
        jurisdiction="EU",
        status="in_force",
        applies_from="2027-12-02",
        applies_until="2030-01-01",
        verified_on="2026-01-01",
        review_by="2027-01-01",
    )
    days = {"2027-12-01": "not_yet", "2027-12-02": "yes", "2030-01-01": "yes", "2030-01-02": "no"}
    assert {day: ask_law(law, date.fromisoformat(day)).word for day in days} == days


@pytest.mark.parametrize(
    ("status", "dates", "word"),
    [
        ("in_force", {}, "yes"),
        ("proposed", {}, "not_yet"),
        ("adopted_not_yet_applicable", {}, "not_yet"),
        ("adopted_not_yet_applicable", {"applies_from": "2026-01-01"}, "yes"),
        ("repealed", {}, "no"),
        ("repealed", {"applies_until": "2027-01-01"}, "yes"),
    ],
)
def test_what_is_no_law_yet_or_no_longer_decides_nothing(status, dates, word):
    law = Law(
        citation="c", jurisdiction="any", status=status, verified_on="2026-01-01", review_by="2027-01-01", **dates
    )
    answer = ask_law(law, date(2026, 11, 21))
    assert answer.word == word
    assert bool(answer.because) == (word != "yes")
