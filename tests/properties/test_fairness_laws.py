"""Laws that hold for every table of counts."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.evidence import Cell, CountTable
from audit.examination.measures.fairness.groups import lay_out
from audit.examination.measures.fairness.metrics import RATES
from audit.examination.measures.fairness.rates import (
    Reading,
    cell_of_all,
    measure_comparisons,
    measure_rates,
    measure_worst,
)

COUNT = {metric.name: metric.count for metric in RATES}
PLACES = tuple(name for name in Cell.model_fields if name.endswith("favourable"))
numbers = st.lists(st.integers(0, 60), min_size=6, max_size=6).filter(any)
either = st.booleans()


def as_cell(counts, name="A"):
    return Cell(values=(name,), **dict(zip(PLACES, counts, strict=True)))


@st.composite
def tables(draw):
    rows = draw(st.lists(numbers, min_size=1, max_size=5))
    names = ["A", "B", "C", "D", "unknown"]
    return CountTable(attributes=("g",), cells=tuple(as_cell(row, names[i]) for i, row in enumerate(rows)))


def measure_all(table, *, favourable=True, small=30):
    grouping = lay_out(table, small, 0.02)
    reading = Reading(positive_is_favourable=favourable, small_count=small)
    parts = (measure_rates, measure_comparisons, measure_worst)
    return [item for part in parts for item in part(grouping, reading)]


@given(numbers, either)
def test_parts_of_a_whole_are_exactly_complementary(counts, favourable):
    cell = as_cell(counts)
    right, labelled = COUNT["accuracy"](cell, favourable)
    wrong, same = COUNT["error_rate"](cell, favourable)
    assert (right + wrong, same) == (labelled, labelled)
    positive, negative = COUNT["true_positive_rate"](cell, favourable), COUNT["false_positive_rate"](cell, favourable)
    assert positive[1] + negative[1] == labelled
    assert COUNT["precision"](cell, favourable) == (positive[0], positive[0] + negative[0])
    assert COUNT["base_rate"](cell, favourable) == (positive[1], labelled)


@given(numbers, either)
def test_true_positive_and_false_negative_rate_sum_to_one_or_are_both_undefined(counts, favourable):
    """The false negative rate is the true positive rate with the prediction turned round."""
    cell = as_cell(counts)
    for one, other in (
        ("true_positive_rate", "false_negative_rate"),
        ("true_negative_rate", "false_positive_rate"),
        ("precision", "false_discovery_rate"),
        ("negative_predictive_value", "false_omission_rate"),
    ):
        (k, n), (rest, same) = COUNT[one](cell, favourable), COUNT[other](cell, favourable)
        assert (k + rest, n) == (same, same)
    hits, positives = COUNT["true_positive_rate"](as_cell(counts), favourable)
    missed, same = COUNT["true_positive_rate"](as_cell(counts), not favourable)
    assert positives == same
    assert positives == 0 or hits / positives + missed / positives == 1


@given(numbers, either)
def test_swapping_the_label_swaps_the_rates(counts, favourable):
    """Calling the other class positive turns TPR into one minus FPR and leaves accuracy and selection alone."""
    swapped = [counts[2], counts[3], counts[0], counts[1], *counts[4:]]
    one, two = as_cell(counts), as_cell(swapped)
    k, n = COUNT["true_positive_rate"](one, favourable)
    assert COUNT["false_positive_rate"](two, not favourable) == (n - k, n)
    assert COUNT["true_negative_rate"](two, favourable) == COUNT["false_negative_rate"](one, favourable)
    assert COUNT["negative_predictive_value"](two, not favourable) == COUNT["precision"](one, favourable)
    assert COUNT["accuracy"](one, favourable) == COUNT["accuracy"](two, not favourable)
    assert COUNT["selection_rate"](one, favourable) == COUNT["selection_rate"](two, not favourable)


@given(st.lists(numbers, min_size=1, max_size=4), either)
def test_counts_of_merged_cells_are_sums(rows, favourable):
    cells = [as_cell(row) for row in rows]
    merged = cell_of_all(cells)
    for count in COUNT.values():
        parts = [count(cell, favourable) for cell in cells]
        assert count(merged, favourable) == (sum(k for k, _ in parts), sum(n for _, n in parts))


@given(tables(), either)
@settings(deadline=None, max_examples=40)
def test_undefined_is_never_a_number(table, favourable):
    cells = {cell.values[0]: cell for cell in table.cells}
    for item in measure_all(table, favourable=favourable):
        estimate = item.estimate
        name = item.metric.removeprefix("fairness.")
        if name in COUNT:
            k, n = COUNT[name](cells[item.group["g"]], favourable)
            assert (estimate.value is None) == (n == 0)
            assert n == 0 or estimate.value == k / n
        if estimate.value is None:
            assert estimate.note
            assert not estimate.assessable
            assert not estimate.has_interval
        else:
            assert math.isfinite(estimate.value)
            assert estimate.low is None or estimate.low <= estimate.value
            assert estimate.high is None or estimate.value <= estimate.high


@given(tables(), either)
@settings(deadline=None, max_examples=40)
def test_only_constants_have_an_interval_of_no_width(table, favourable):
    for item in measure_all(table, favourable=favourable):
        estimate = item.estimate
        if estimate.has_interval and estimate.low == estimate.high:
            assert estimate.method == "by definition"


@given(tables(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_the_order_of_groups_changes_nothing(table, random):
    cells = list(table.cells)
    random.shuffle(cells)
    shuffled = table.model_copy(update={"cells": tuple(cells)})

    def numbers_of(one):
        return {
            (item.metric, tuple(item.group.values()), item.attribute): item.estimate.value
            for item in measure_all(one)
            # of two equally good groups the first is the reference, and the other may then be tested against it
            if item.estimate.value is not None and "adverse" not in item.metric and "minimum" not in item.metric
        }

    one, two = numbers_of(table), numbers_of(shuffled)
    assert one.keys() == two.keys()
    for key, value in one.items():
        np.testing.assert_allclose(two[key], value, rtol=1e-9, atol=1e-12)


@given(tables())
@settings(deadline=None, max_examples=40)
def test_nothing_small_or_unknown_is_judged_or_a_reference(table):
    small = {cell.values[0] for cell in table.cells if cell.n < 30}
    judged = {cell.values[0] for cell in table.cells} - small - {"unknown"}
    for item in measure_all(table):
        if item.group and item.group["g"] in small:
            assert not item.estimate.assessable
        if item.reference:
            reference = item.reference.removeprefix("g=")
            assert reference != "unknown"
            assert reference in judged or not item.estimate.assessable
            assert item.group["g"] != "unknown"


@given(tables())
@settings(deadline=None, max_examples=40)
def test_worst_is_the_worst_of_the_judged(table):
    measured = measure_all(table)
    (worst,) = [item.estimate for item in measured if item.metric == "fairness.worst_selection_rate_ratio"]
    rates = [
        Fraction(item.estimate.count, item.estimate.n)
        for item in measured
        if item.metric == "fairness.selection_rate" and item.estimate.assessable and item.group["g"] != "unknown"
    ]
    if worst.value is None:
        assert len(rates) < 2 or max(rates) == 0
    else:
        assert worst.value == float(min(rates) / max(rates))
        assert 0 <= worst.low <= worst.value <= worst.high <= 1
