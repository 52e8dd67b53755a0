"""Fidelity, departures and the price of transparency: nothing lost, nothing said beyond what the intervals hold."""

from __future__ import annotations

import pytest
from dossier_fixture import make_dossier, make_evidence
from test_render_html import check

from audit.attestation.render.fidelity import SHOWN, show_fidelity
from audit.attestation.render.html import render_html
from audit.attestation.render.numbers import Shown
from audit.attestation.render.price import show_price
from audit.attestation.render.tables import Lexicon
from audit.evidence import Departure, Estimate, Fidelity, Measurement


def number(value, half=0.01, **changes):
    return Estimate(**({"value": value, "low": value - half, "high": value + half, "n": 90, "method": "m"} | changes))


def departure(name="age_years under 25", ratio=2.0, *, holds=True, gap=0.2, half=0.01):
    return Departure(
        name=name,
        features=("age_years",),
        model="net_surrogate",
        gap=number(gap, half),
        rmse=number(0.1 * ratio),
        rest=number(0.1),
        p_adjusted=0.01,
        holds=holds,
    )


NOTE = "birch against alder"


def make_fidelity(departures=(), *, low=1.2, account="net_surrogate"):
    models = ("ebm_surrogate", "net_surrogate")
    numbers = [
        Measurement(metric=f"fidelity.{name}", estimate=number(0.9), model=model, group=group)
        for model in models
        for group in ({}, {"sex": "F"}, {"sex": "M"})
        for name in ("r2", "rmse", "rank_correlation", "decision_agreement")
    ]
    numbers += [
        Measurement(
            metric="fidelity.rmse_ratio",
            estimate=Estimate(value=1.5, low=low, high=1.9, n=90, method="envelope", note=NOTE),
            model=model,
            attribute=attribute,
        )
        for model in models
        for attribute in ("sex", "age")
    ]
    numbers += [
        Measurement(metric=f"fidelity.{name}", estimate=number(1.8), model=account)
        for name in ("confirmed_departures", "worst_departure_ratio")
    ]
    return Fidelity(
        rows=90, protocol="out of fold", account=account, departures=departures, measurements=tuple(numbers)
    )


def shown(part):
    evidence = make_evidence().model_copy(update={"fidelity": part})
    return show_fidelity(evidence, Lexicon(evidence))


def count(grid):
    return sum(isinstance(c, Shown) for row in grid.rows for c in row.cells)


def test_every_number_about_fidelity_stands_in_a_table():
    part = make_fidelity()
    found = shown(part)
    tables = (found.models, found.by_group, found.compared_grid, found.rest)
    assert sum(map(count, tables)) == len(part.measurements)
    assert count(found.groups) == 4
    assert found.groups.heads[0] == "Same decision"
    assert found.account == "Additive net, fitted on the black box"


@pytest.mark.parametrize(("low", "chance"), [(1.2, False), (1.0, True)])
def test_groups_are_compared_in_words(low, chance):
    line, other = shown(make_fidelity(low=low)).compared
    assert other.startswith("Age: ")
    assert "Sex: scores of birch are missed by more than those of alder, 1.50 times" in line
    assert ("chance alone may explain it" in line) == chance


def test_departures_name_the_worst_confirmed_part_and_its_side():
    parts = (
        departure(ratio=1.5),
        departure("age_years 60 and over", 3.0),
        departure("age_years = x", 9.0, holds=False),
    )
    found = shown(make_fidelity(parts))
    assert "Confirmed in 2 of 3 parts tested" in found.departing
    assert "where age years 60 and over, missed by 0.300 against 0.100 elsewhere" in found.departing
    assert "there it scores higher than its account by 0.200" in found.departing
    assert [row.label for row in found.departures.rows] == [
        "Age years 60 and over",
        "Age years under 25",
        "Age years = x",
    ]
    assert [row.cells[-1].value for row in found.departures.rows] == ["yes", "yes", "no"]


def test_a_departure_without_side_is_told_without_one():
    assert "than its account" not in shown(make_fidelity((departure(half=0.5),))).departing


def test_nothing_confirmed_is_said_and_all_parts_are_kept():
    parts = tuple(departure(f"age_years = {i}", holds=False) for i in range(SHOWN + 3))
    found = shown(make_fidelity(parts))
    assert found.departing.startswith(f"None of {SHOWN + 3} parts")
    assert len(found.departures.rows) + len(found.further.rows) == len(parts)
    assert found.hidden == 3
    page = render_html(make_dossier(make_evidence().model_copy(update={"fidelity": make_fidelity(parts)})))
    assert not check(page).faults
    assert all(f"Age years = {i}" in check(page).text for i in range(len(parts)))


def gap(model, value, low, high, metric="performance.auc_gap"):
    return Measurement(
        metric=metric, estimate=Estimate(value=value, low=low, high=high, n=90, method="paired"), model=model
    )


PRICES = [
    (0.03, 0.01, 0.05, "it is worth 0.0300 in AUC, at least 0.0100 and at most 0.0500"),
    (0.01, -0.01, 0.03, "No loss is shown by giving up the black box", "at most 0.0300 in AUC"),
    (
        -0.03,
        -0.05,
        -0.01,
        "The black box predicts no better than the better of the two glass boxes, the additive net",
        "predicts better, by 0.0300 in AUC (95% 0.0100 to 0.0500)",
    ),
]


@pytest.mark.parametrize("case", PRICES)
def test_the_price_says_what_its_interval_holds(case):
    value, low, high, *told = case
    price = show_price([gap("ebm_label", 0.5, 0.4, 0.6), gap("net_label", value, low, high)], Lexicon(make_evidence()))
    assert all(text in price.message for text in told)
    assert "additive net, fitted on labels" in price.message
    assert len(price.lines) == 2
    assert price.figure is not None


def test_an_error_gap_below_nothing_speaks_for_the_black_box():
    gaps = [gap("net_label", -3.0, -5.0, -1.0, "performance.rmse_gap")]
    price = show_price(gaps, Lexicon(make_evidence()))
    assert "it is worth 3.00 in root mean squared error, at least 1.00 and at most 5.00" in price.message


def test_unknown_training_rows_are_said_beside_the_price():
    text = check(render_html(make_dossier())).text
    assert "May favour the black box" in text
    assert text.index("May favour the black box") < text.index("The price of transparency in numbers")


def test_without_gaps_there_is_no_price():
    price = show_price([], Lexicon(make_evidence()))
    assert price.figure is None
    assert price.lines == ()
