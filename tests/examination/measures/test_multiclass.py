"""Numbers over all classes beside scikit-learn."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, roc_auc_score

from audit.evidence import Estimate, Measurement
from audit.examination.measures.multiclass import measure_classes, note_classes, put_in_place
from audit.examination.tally.roll import roll_of

NAMES = ("a", "b", "c")


def make_case(n=700, seed=0, *, probabilities=True, missing=0):
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.5, 0.2, 0.3])
    logits = rng.normal(size=(n, 3)) + np.eye(3)[truth]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    outcome = chances.argmax(axis=1)
    truth[:missing] = -1
    return SimpleNamespace(
        subject=SimpleNamespace(classes=NAMES, positive="c"),
        roll=roll_of({}, None, chances[:, 2], None, outcomes=NAMES, outcome=outcome, truth=truth, rows=n),
        scores=SimpleNamespace(
            probabilities=chances.astype(np.float32) if probabilities else None,
            truth=truth,
            outcome=outcome,
            outcomes=NAMES,
        ),
    )


def numbers(case):
    return {item.metric.removeprefix("performance."): item.estimate for item in measure_classes(case)}


@pytest.mark.parametrize("missing", [0, 100])
def test_numbers_equal_sklearn(missing):
    case = make_case(missing=missing)
    found, known = numbers(case), case.scores.truth >= 0
    true, predicted = case.scores.truth[known], case.scores.outcome[known]
    chances = case.scores.probabilities[known].astype(float)
    for name, wanted in (
        ("accuracy", accuracy_score(true, predicted)),
        ("balanced_accuracy", balanced_accuracy_score(true, predicted)),
        ("macro_f1", f1_score(true, predicted, average="macro")),
        ("macro_auc", roc_auc_score(true, chances / chances.sum(1, keepdims=True), multi_class="ovr")),
        ("log_loss", log_loss(true, chances / chances.sum(1, keepdims=True))),
    ):
        estimate = found[name]
        assert estimate.value == pytest.approx(wanted, abs=1e-6)
        assert estimate.low < estimate.value < estimate.high
        assert estimate.n == known.sum()


def test_predicted_classes_without_probabilities():
    found = numbers(make_case(probabilities=False))
    assert found["accuracy"].value is not None
    for name in ("macro_auc", "log_loss"):
        assert found[name].value is None
        assert found[name].note == "there are predicted classes, but no probabilities"


def test_numbers_of_two_classes_give_way():
    one = Estimate(value=0.5, low=0.4, high=0.6, n=9, method="m")
    measured = [
        Measurement(metric=f"performance.{name}", estimate=one, model=model)
        for name in ("accuracy", "auc", "log_loss", "balanced_accuracy", "accuracy_gap", "auc_gap")
        for model in ("black_box", "ebm_label")
    ]
    case = make_case()
    kept = [item for item in put_in_place(measured, case) if item.estimate is one]
    assert {item.metric for item in kept} == {"performance.auc", "performance.auc_gap"}
    assert "the class c against the rest" in note_classes(case)[0]
    case.subject.classes = ()
    assert put_in_place(measured, case) == measured
    assert note_classes(case) == ()


def test_without_labels_there_is_nothing():
    case = make_case(missing=700)
    assert measure_classes(case) == []
