"""Averages over classes beside scikit-learn, and intervals beside resampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, precision_score, roc_auc_score

from audit.statistics.auc import auc_delong
from audit.statistics.confusion import macro_auc, macro_f1, macro_precision, macro_recall
from audit.statistics.intervals import logit_interval, newcombe_difference

NAMES = ("a", "b", "c")


def draw(n=400, seed=0, classes=3):
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, n, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    scores = rng.normal(size=(n, classes)) + 1.2 * np.eye(classes)[truth]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return truth, probabilities


def test_points_equal_sklearn():
    truth, probabilities = draw()
    predicted = probabilities.argmax(axis=1)
    counts = confusion_matrix(truth, predicted)
    assert macro_recall(counts, NAMES).value == pytest.approx(balanced_accuracy_score(truth, predicted), abs=1e-14)
    wanted = precision_score(truth, predicted, average="macro")
    assert macro_precision(counts, NAMES).value == pytest.approx(wanted, abs=1e-14)
    assert macro_f1(counts, NAMES).value == pytest.approx(f1_score(truth, predicted, average="macro"), abs=1e-14)
    wanted = roc_auc_score(truth, probabilities, multi_class="ovr", average="macro")
    assert macro_auc(probabilities, truth, NAMES).value == pytest.approx(wanted, abs=1e-12)


def test_one_class_twice_is_delong():
    """Of two classes whose scores mirror each other the mean area is the one area, with its own interval."""
    truth, probabilities = draw(classes=2)
    figure = macro_auc(probabilities, truth, NAMES[:2])
    auc, se = auc_delong(probabilities[truth == 1, 1], probabilities[truth == 0, 1])
    assert figure.value == pytest.approx(auc, abs=1e-12)
    assert (figure.low, figure.high) == pytest.approx(logit_interval(auc, se), abs=1e-9)


def test_two_classes_recall_is_newcombe():
    """The mean of two recalls is half of one plus a difference of independent shares."""
    counts = np.array([[30, 10], [15, 60]])
    figure = macro_recall(counts, NAMES[:2])
    low, high = newcombe_difference(30, 40, 15, 75)
    assert (figure.low, figure.high) == pytest.approx(((1 + low) / 2, (1 + high) / 2), abs=1e-12)


def test_f1_interval_is_that_of_resampling():
    truth, probabilities = draw(600, seed=4)
    counts = confusion_matrix(truth, probabilities.argmax(axis=1))
    figure = macro_f1(counts, NAMES)
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(counts.sum(), (counts / counts.sum()).ravel(), 4000).reshape(-1, 3, 3)
    values = [macro_f1(one, NAMES).value for one in drawn]
    assert (figure.low, figure.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=0.006)


def test_a_class_nobody_has_makes_it_undefined():
    counts = np.array([[5, 1, 0], [2, 7, 0], [0, 0, 0]])
    for compute, words in (
        (macro_recall, "truly of the class c"),
        (macro_precision, "predicted to be of the class c"),
        (macro_f1, "of the class c"),
    ):
        figure = compute(counts, NAMES)
        assert figure.value is None
        assert words in figure.note
        assert not figure.assessable
    assert macro_auc(np.ones((4, 3)), np.array([0, 0, 1, 1]), NAMES).value is None


def test_without_error_there_is_no_f1_interval():
    figure = macro_f1(np.diag([9, 9, 9]), NAMES)
    assert figure.value == 1.0
    assert figure.low is None
    assert not figure.assessable
    recall = macro_recall(np.diag([9, 9, 9]), NAMES)
    assert recall.value == recall.high == 1.0
    assert recall.low < 0.95


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=9, max_size=9))
def test_intervals_hold_their_value_and_stay_in_bounds(cells):
    counts = np.array(cells).reshape(3, 3)
    for compute in (macro_recall, macro_precision, macro_f1):
        figure = compute(counts, NAMES)
        if figure.low is not None:
            assert 0 <= figure.low <= figure.value <= figure.high <= 1
        else:
            assert figure.note


@pytest.mark.slow
@pytest.mark.parametrize(("compute", "n"), [(macro_recall, 60), (macro_precision, 90), (macro_f1, 90)])
def test_coverage(compute, n):
    cells = np.array([[0.2, 0.05, 0.05], [0.1, 0.2, 0.1], [0.05, 0.05, 0.2]])
    true = compute(np.round(cells * 1e9).astype(np.int64), NAMES).value
    rng = np.random.default_rng(2)
    inside = 0
    for one in rng.multinomial(n, cells.ravel(), 4000).reshape(-1, 3, 3):
        figure = compute(one, NAMES)
        inside += figure.low is not None and figure.low <= true <= figure.high
    assert 0.93 <= inside / 4000 <= 0.985
