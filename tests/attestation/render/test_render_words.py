"""Numbers and names as readers see them."""

from __future__ import annotations

import doctest
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.attestation.render import glyphs, numbers, words
from audit.attestation.render.figures import style
from audit.evidence import VERDICT_ORDER, Estimate, undefined


@pytest.mark.parametrize("module", [numbers, words, style])
def test_examples_in_the_docstrings_hold(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed


@pytest.mark.parametrize(
    ("estimate", "metric", "unit", "text"),
    [
        (
            Estimate(value=0.67843, low=0.6112, high=0.7481),
            "fairness.selection_rate_ratio",
            "",
            "0.678 (95% 0.611 to 0.748)",
        ),
        (Estimate(value=0.6153, low=0.6, high=0.63), "fairness.selection_rate", "", "61.5% (95% 60.0 to 63.0%)"),
        (Estimate(value=6000), "data.rows", "rows", "6,000"),
        (Estimate(value=0.0041, low=-0.0061, high=0.0143), "x.gap", "", "0.004 (95% −0.006 to 0.014)"),
        (Estimate(value=0.9, low=0.8), "x.y", "", "0.900 (95% at least 0.800)"),
        (Estimate(value=0.0), "x.y", "", "0"),
        (undefined("no positives in group"), "fairness.true_positive_rate", "", "not measured: no positives in group"),
    ],
)
def test_estimates_read_as_written_here(estimate, metric, unit, text):
    assert numbers.show(estimate, metric, unit).text.replace("\u00a0", " ") == text


@given(st.floats(-1e9, 1e9))
def test_three_digits_are_near_and_short(value):
    text = numbers.number_text(value)
    if 0 < abs(value) < numbers.TINY:
        assert text in {"< 0.0001", "> −0.0001"}
        return
    back = float(text.replace(",", "").replace("−", "-"))
    assert back == pytest.approx(value, rel=6e-3, abs=1e-6)
    assert len(text) < 16


@given(st.text(max_size=300))
def test_cleaned_text_holds_nothing_that_turns_or_breaks(text):
    cleaned = glyphs.clean_text(text)
    assert not set(cleaned) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\x00\x07\x1b\r")
    assert glyphs.missing_signs(glyphs.drawable(text)) == ()


@given(st.text(max_size=300), st.floats(20, 300))
def test_fitted_text_is_not_wider_than_its_place(text, width):
    assert glyphs.text_width(glyphs.fit_text(text, 10, width), 10) <= width + 1e-6


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8))
def test_labels_keep_their_distance(places):
    spread = sorted(style.spread_labels(places, 12, 0, 200))
    assert all(b - a >= 12 - 1e-6 for a, b in pairwise(spread))


def test_latin_greek_and_cyrillic_are_drawable():
    assert glyphs.missing_signs("Åsa Łódź Ελλάδα Москва ≥ ≤ ≈ − × → ✓ ✗ ⚠ €") == ()


def test_every_verdict_has_a_word_and_a_sign():
    assert tuple(words.VERDICTS) == VERDICT_ORDER
    assert all(sign.word and sign.sign and sign.means for sign in words.VERDICTS.values())
