"""Numbers over all classes beside scikit-learn."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, roc_auc_score

from audit.evidence import Estimate, Measurement, NotDone
from audit.examination.glassbox.fit import Fits, join_classes
from audit.examination.measures import multiclass
from audit.examination.measures.multiclass import (
    compare_classes,
    measure_classes,
    measure_glass_classes,
    note_classes,
    put_in_place,
)
from audit.examination.measures.paired import paired_share_gap
from audit.examination.measures.setting import log_ratios
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
        fits=NotDone(not_done="none here"),
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


def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("missing", [0, 100])
def test_glass_boxes_of_all_classes_equal_sklearn(missing):
    case = make_case(missing=missing)
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(700, 3)) + 0.8 * np.eye(3)[np.maximum(case.scores.truth, 0)]
    case.fits = Fits(class_scores={"net_label": scores}, classes=NAMES)
    measured = measure_glass_classes(case)
    assert {item.model for item in measured} == {"net_label"}
    found, known = {item.metric: item.estimate for item in measured}, case.scores.truth >= 0
    true, guessed, chances = case.scores.truth[known], scores[known].argmax(axis=1), softmax(scores[known])
    for name, wanted in (
        ("accuracy", accuracy_score(true, guessed)),
        ("balanced_accuracy", balanced_accuracy_score(true, guessed)),
        ("macro_f1", f1_score(true, guessed, average="macro")),
        ("macro_auc", roc_auc_score(true, chances, multi_class="ovr")),
        ("log_loss", log_loss(true, chances)),
    ):
        assert found[f"performance.{name}"].value == pytest.approx(wanted, abs=1e-6)
        assert found[f"performance.{name}"].n == known.sum()
    gap = paired_share_gap(case.scores.outcome[known] == true, guessed == true)
    assert found["performance.accuracy_gap"] == gap
    placed = [item for item in put_in_place([], case) if item.model == "net_label"]
    assert placed == measured


@pytest.mark.parametrize("favoured", [(), ("a",), ("a", "c")])
def test_a_surrogate_of_all_classes_is_compared_by_class_and_by_side(monkeypatch, favoured):
    case = make_case()
    scores = np.log(case.scores.probabilities) + 0.5 * np.random.default_rng(2).normal(size=(700, 3))
    case.fits, case.config, case.dataset = Fits(class_scores={"net_surrogate": scores}), None, None
    case.scores.favourable = np.isin(np.array(NAMES)[case.scores.outcome], favoured)
    plan = SimpleNamespace(kind="class", favoured=favoured, rule=SimpleNamespace(column=None))
    monkeypatch.setattr(multiclass, "plan_decision", lambda *_: plan)
    same_class, same_side = compare_classes(case, "net_surrogate")
    guessed = np.array(NAMES)[scores.argmax(axis=1)]
    np.testing.assert_array_equal(same_class, guessed == np.array(NAMES)[case.scores.outcome])
    if favoured:
        np.testing.assert_array_equal(same_side, np.isin(guessed, favoured) == case.scores.favourable)
        assert same_side.mean() >= same_class.mean()
    else:
        assert same_side is None
    assert compare_classes(case, "ebm_surrogate") == (None, None)


def test_log_ratios_of_a_softmax_are_its_centred_logits():
    logits = np.random.default_rng(0).normal(size=(50, 4))
    np.testing.assert_allclose(log_ratios(softmax(logits)), logits - logits.mean(axis=1, keepdims=True), atol=1e-12)
    assert np.isfinite(log_ratios(np.array([[1.0, 0.0, 0.0]]))).all()
    assert log_ratios(None) is None


def test_what_is_fitted_to_all_classes_stands_beside_one_against_the_rest():
    one = Fits(models={"net_label": "box"}, not_done={"ebm_label": "x"}, notes=("n",))
    several = Fits(
        class_scores={"ebm_label": np.zeros((3, 3))},
        classes=NAMES,
        not_done={"net_label": "too few", "net_surrogate": "the fit broke"},
        broken={"net_surrogate": "the fit broke"},
    )
    both = join_classes(one, several)
    assert (both.models, both.not_done, both.classes) == (one.models, one.not_done, NAMES)
    assert both.notes == ("n", "net_label over all classes: too few")
    assert both.broken == {"net_surrogate": "over all classes: the fit broke"}
