"""Every kind of decision on a batch: cuts, bands, segments, classes, stored decisions, none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.config.schema import DecisionRule, ExamineConfig
from audit.errors import ConfigError, DataError
from audit.examination.blackbox.conditions import cut_of, favourable_side
from audit.examination.blackbox.decision import decide_rows, follow_rule, plan_decision
from audit.examination.blackbox.output import read_output
from audit.examination.blackbox.score import decide
from audit.examination.data.classes import settle_classes

BANDS = {"approve": "score >= 0.7", "refer": "score >= 0.4", "decline": "otherwise"}
CLASSES = {"scale": "probabilities", "classes": ["a", "b", "c"]}
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5], [0.4, 0.35, 0.25]])


def rule(**keys):
    return DecisionRule.model_validate(keys)


@pytest.mark.parametrize(
    ("keys", "side", "cut"),
    [
        ({"favourable": "score > 0.2"}, "high", 0.2),
        ({"favourable": "score <= 0.2"}, "low", 0.2),
        ({"bands": BANDS}, "high", 0.7),
        ({"bands": BANDS, "favourable": ("approve", "refer")}, "high", 0.4),
        ({"bands": BANDS, "favourable": "decline"}, "low", 0.4),
        ({"bands": BANDS, "favourable": "refer"}, "", None),
        ({"bands": BANDS, "favourable": ("approve", "decline")}, "", None),
        ({"bands": BANDS, "favourable": tuple(BANDS)}, "", None),
        ({"bands": BANDS, "favourable": "score >= 0.55"}, "high", 0.55),
        ({"bands": {"low risk": "score < 0.1", "some": "score < 0.5", "high": "otherwise"}}, "low", 0.1),
        ({"segment": "s", "segments": {"x": "score >= 0.6", "otherwise": "score > 0.5"}}, "high", None),
        ({"segment": "s", "segments": {"x": "score < 0.6"}}, "low", None),
    ],
)
def test_side_and_cut(keys, side, cut):
    assert favourable_side(rule(**keys)) == side
    assert cut_of(rule(**keys)) == cut


@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=4, unique=True),
    st.sets(st.integers(0, 4), min_size=1, max_size=3),
    st.lists(st.floats(0, 1), min_size=2, max_size=30),
)
def test_the_side_is_what_the_scores_show(cuts, chosen, scores):
    """Where a side is named, every score on it is favoured more than any on the other."""
    names = [f"b{i}" for i in range(len(cuts) + 1)]
    conditions = [f"score >= {cut / 10}" for cut in sorted(cuts, reverse=True)] + ["otherwise"]
    favourable = tuple(names[i] for i in sorted(chosen) if i < len(names)) or (names[0],)
    made = rule(bands=dict(zip(names, conditions, strict=True)), favourable=favourable)
    config = ExamineConfig.model_validate(
        {"data": "rows.csv", "model": {"scores": "s", "output": "probability"}, "decision": made}
    )
    score = np.sort(np.array(scores))
    decided = follow_rule(plan_decision(config, None), pd.DataFrame({"s": score}), score)
    side = favourable_side(made)
    if side:
        steps = np.diff(decided.astype(int))
        assert (steps >= 0).all() if side == "high" else (steps <= 0).all()
        cut = cut_of(made)
        np.testing.assert_array_equal(decided, score >= cut if side == "high" else score < cut)


def test_segments(tools):
    frame = pd.DataFrame({"region": ["north", "south", "north", None], "a": 0.0})
    score = np.array([0.55, 0.55, 0.6, 0.5])
    order = {"segment": "region", "segments": {"north": "score >= 0.6", "otherwise": "score >= 0.5"}}
    made = decide(tools.configure(decision=order), tools.Rows(frame), score, score)
    np.testing.assert_array_equal(made.favourable, [False, True, True, True])
    np.testing.assert_array_equal(made.predicted_positive, made.favourable)
    order = {"segment": "region", "segments": {"north": "score < 0.6", "south": "score < 0.5"}}
    with pytest.raises(ConfigError, match="1 rows have a region that no segment names: missing"):
        decide(tools.configure(decision=order), tools.Rows(frame), score, score)
    made = decide(tools.configure(decision=order), tools.Rows(frame[:3]), score[:3], score[:3])
    np.testing.assert_array_equal(made.favourable, [True, False, False])
    np.testing.assert_array_equal(made.predicted_positive, [False, True, True])
    order = {"segment": "region", "segments": {"north": "score < 0.6", "otherwise": "score >= 0.5"}}
    with pytest.raises(ConfigError, match="disagree"):
        decide(tools.configure(decision=order), tools.Rows(frame), score, score)


def test_segments_of_numbers(tools):
    frame = pd.DataFrame({"branch": [1.0, 2.0, 1.0], "a": 0.0})
    order = {"segment": "branch", "segments": {1: "score >= 0.6", "2": "score >= 0.5"}}
    score = np.array([0.55, 0.55, 0.65])
    made = decide(tools.configure(decision=order), tools.Rows(frame), score, score)
    np.testing.assert_array_equal(made.favourable, [False, True, True])


def settled(tools, decision, **output):
    return settle_classes(tools.configure(label="grade", decision=decision, output={**CLASSES, **output}), ())


ROWS = pd.DataFrame({"grade": ["a", "c", None, "b"], "x": [1.0, 2.0, 3.0, 4.0]})


@pytest.mark.parametrize(
    ("decision", "positive", "favourable", "predicts"),
    [
        ({"favourable": "a"}, "a", [1, 0, 0, 1], True),
        ({"favourable": ["a", "b"]}, "a", [1, 1, 0, 1], False),
        (None, "c", None, False),
        ("none", "c", None, False),
    ],
)
def test_classes(tools, decision, positive, favourable, predicts):
    config = settled(tools, decision)
    assert config.model.output.positive == config.label.positive == positive
    at = "abc".index(positive)
    rows = tools.Rows(ROWS)
    made = decide(config, rows, PROBABILITIES[:, at], PROBABILITIES[:, at], PROBABILITIES)
    assert made.outcomes == ("a", "b", "c")
    np.testing.assert_array_equal(made.outcome, [0, 1, 2, 0])
    np.testing.assert_array_equal(made.truth, [0, 2, -1, 1])
    np.testing.assert_array_equal(made.predicted_positive, np.array([0, 1, 2, 0]) == at)
    if favourable is None:
        assert made.favourable is None
    else:
        np.testing.assert_array_equal(made.favourable, np.array(favourable, bool))
    plan = plan_decision(config, rows)
    assert plan.predicts == predicts
    assert plan.kind == "class"


def test_everything_but_the_positive_class_is_a_prediction_too(tools):
    plan = plan_decision(settled(tools, {"favourable": ["b", "c"]}, positive="a"), tools.Rows(ROWS))
    assert plan.predicts
    plan = plan_decision(settled(tools, {"favourable": ["b", "c"]}, positive="b"), tools.Rows(ROWS))
    assert not plan.predicts


def test_a_cut_on_the_positive_class(tools):
    config = settled(tools, {"favourable": "score >= 0.3"}, positive="b")
    made = decide(config, tools.Rows(ROWS), PROBABILITIES[:, 1], PROBABILITIES[:, 1], PROBABILITIES)
    np.testing.assert_array_equal(made.favourable, [False, True, True, True])
    np.testing.assert_array_equal(made.outcome, [0, 1, 2, 0])


def test_a_class_that_is_none(tools):
    with pytest.raises(ConfigError, match="favourable class 'bb' is not among the classes a, b, c"):
        plan_decision(settled(tools, {"favourable": ["a", "bb"]}), tools.Rows(ROWS))


def test_probabilities_of_logits():
    raw = np.array([[1.0, 2.0, 800.0], [0.0, 0.0, 0.0]])
    reading = read_output(settled_output(scale="logits"))
    np.testing.assert_allclose(reading.probabilities(raw), [[0, 0, 1], [1 / 3] * 3], atol=1e-7)
    np.testing.assert_allclose(reading.probabilities(raw)[:, 2], reading.score(raw), atol=1e-7)


def settled_output(**keys):
    config = ExamineConfig.model_validate({"data": "rows.csv", "model": {"path": "m", "output": {**CLASSES, **keys}}})
    return settle_classes(config, ()).model.output


def test_the_positive_class_is_found_however_it_is_written():
    output = ExamineConfig.model_validate(
        {"data": "r", "model": {"path": "m", "output": {"scale": "logits", "classes": [0, 1, 2], "positive": "1.0"}}}
    ).model.output
    assert output.task == "multiclass"
    assert read_output(output).index == 1


def test_stored_decisions_with_several_values(tools):
    frame = pd.DataFrame({"grade": ["A", "B", "C", "A", "D"], "x": 0.0})
    config = tools.configure(format="none", label=None, decision={"column": "grade", "favourable": ["A", "B"]})
    made = decide(config, tools.Rows(frame), None, None)
    np.testing.assert_array_equal(made.favourable, [True, True, False, True, False])
    assert made.outcomes == ("A", "B", "C", "D")
    np.testing.assert_array_equal(made.outcome, [0, 1, 2, 0, 3])
    assert made.truth is None
    two = decide(config, tools.Rows(frame[:2]), None, None)
    assert two.outcomes == ()
    assert two.outcome is None


def test_too_many_stored_decisions_are_no_outcomes(tools):
    frame = pd.DataFrame({"grade": [f"g{i}" for i in range(30)], "x": 0.0})
    config = tools.configure(format="none", label=None, decision={"column": "grade", "favourable": "g1"})
    made = decide(config, tools.Rows(frame), None, None)
    assert made.outcomes == ()
    assert "30 different decisions" in made.notes[0]
    assert made.favourable.sum() == 1


def test_a_missing_stored_decision_is_refused(tools):
    frame = pd.DataFrame({"grade": ["A", None], "x": 0.0})
    config = tools.configure(format="none", label=None, decision={"column": "grade", "favourable": "A"})
    with pytest.raises(DataError, match="no decision in 1 of 2 rows"):
        decide(config, tools.Rows(frame), None, None)


def test_nothing_is_decided(tools):
    score = np.array([0.2, 0.9])
    made = decide(tools.configure(decision="none"), tools.Rows(pd.DataFrame({"a": score})), score, score)
    assert made.favourable is None
    assert made.predicted_positive is None
    np.testing.assert_array_equal(made.score, score)


def test_batches_decide_as_the_whole(tools):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"region": rng.choice(["n", "s"], 100), "grade": rng.choice(list("abc"), 100)})
    probabilities = rng.dirichlet([1, 1, 1], 100)
    orders = (
        {"favourable": ["a", "b"]},
        {"segment": "region", "segments": {"n": "score >= 0.3", "s": "score >= 0.4"}},
        "none",
    )
    for order in orders:
        plan = plan_decision(settled(tools, order), tools.Rows(frame))
        whole = decide_rows(plan, frame, probabilities[:, 2], probabilities)
        parts = [
            decide_rows(plan, frame[i : i + 7], probabilities[i : i + 7, 2], probabilities[i : i + 7])
            for i in range(0, 100, 7)
        ]
        for name in ("favourable", "predicted_positive", "outcome", "truth"):
            one = getattr(whole, name)
            if one is not None:
                np.testing.assert_array_equal(one, np.concatenate([getattr(part, name) for part in parts]))


def test_the_same_rule_on_another_score(tools):
    rows, other = tools.Rows(pd.DataFrame({"region": ["n", "s"]})), np.array([0.45, 0.45])
    segments = {"segment": "region", "segments": {"n": "score >= 0.5", "s": "score >= 0.4"}}
    plan = plan_decision(tools.configure(decision=segments), rows)
    np.testing.assert_array_equal(follow_rule(plan, rows.frame(), other), [False, True])
    plan = plan_decision(tools.configure(decision={"bands": BANDS, "favourable": ["approve", "refer"]}), rows)
    np.testing.assert_array_equal(follow_rule(plan, rows.frame(), other), [True, True])
    for config in (tools.configure(decision="none"), settled(tools, {"favourable": "a"})):
        assert follow_rule(plan_decision(config, rows), rows.frame(), other) is None
