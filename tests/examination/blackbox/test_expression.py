"""Expressions that torch writes pass; sympy evaluates what passes without harm."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import IntakeRefused
from audit.examination.blackbox.expression import check_expression


@pytest.mark.parametrize(
    "text",
    [
        "Symbol('s77', positive=True, integer=True)",
        "Mul(Integer(2), Symbol('s0', integer=True))",
        "Add(Symbol('s0', integer=True), Integer(-1))",
        "Pow(Symbol('s0', positive=True, integer=True), Integer(2))",
        "Max(1, s0)",
        "s0 + 1",
        "FloorDiv(s0, 2)",
        "Eq(s0, 4)",
        "s0 >= 2",
        "(s0 > 1) & (s0 < 9)",
        "s0**2",
        "-s0",
        "7",
        "Float('0.5', precision=53)",
        "true",
        "PowByNatural(s0, 3)",
        "IntTrueDiv(s0, 4)",
        "zf3 / 2",
    ],
)
def test_what_torch_writes(text):
    check_expression(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="s0123456789+-*/(). _[]'{}:,=<>&|~abcdefxyz\n", max_size=60))
def test_whatever_passes_holds_no_attribute_no_index_and_no_text(text):
    try:
        check_expression(text)
    except IntakeRefused as error:
        assert "symbolic expression" in error.what
        return
    assert not set("[]{}:\\") & set(text)
    assert "__" not in text
    assert "'" not in text or "Symbol" in text or "Float" in text


def test_numbers_of_the_size_that_matter():
    check_expression(str(2**62))
    for text in (str(2**63), "1e400", "'s0'", "Symbol(s0, bad=True)", "Integer('9' + '9')", "s0.x", "s0()", "Max(*x1)"):
        with pytest.raises(IntakeRefused):
            check_expression(text)
