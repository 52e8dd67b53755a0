"""Every kind of decision as it is written, and every way of writing it wrong."""

from __future__ import annotations

import pytest

from audit.config.load import config_from
from audit.errors import ConfigError

MODEL = {"path": "m.pt2", "inputs": ["x"], "output": "probability"}
SEVERAL = {"path": "m.pt2", "inputs": ["x"], "output": {"scale": "logits", "classes": ["A", "B", "C"]}}
BANDS = {"approve": "score >= .7", "refer": "score >= .4", "decline": "otherwise"}


def config(decision, model=MODEL, **keys):
    return config_from({"data": "rows.csv", "label": "y", "model": model, "decision": decision, **keys})


@pytest.mark.parametrize(
    ("decision", "model"),
    [
        ("none", MODEL),
        ({"bands": BANDS, "favourable": "approve"}, MODEL),
        ({"bands": BANDS, "favourable": ["approve", "refer"]}, MODEL),
        ({"bands": BANDS, "favourable": "score >= 0.5"}, MODEL),
        ({"bands": BANDS}, MODEL),
        ({"segment": "region", "segments": {"north": "score >= 0.6", "otherwise": "score >= 0.5"}}, MODEL),
        ({"segment": "branch", "segments": {1: "score < 0.6", 2: "score <= 0.5"}}, MODEL),
        ({"favourable": "A"}, SEVERAL),
        ({"favourable": ["A", "B"]}, SEVERAL),
        ({"favourable": "score >= 0.3"}, SEVERAL),
        ({"column": "grade", "favourable": ["A", "B"]}, "none"),
        ("score >= 20000", {**MODEL, "output": "value"}),
        ({"segment": "region", "segments": {"n": "score >= 20000"}}, {**MODEL, "output": "value"}),
        (None, {**MODEL, "output": "value"}),
        (None, SEVERAL),
    ],
)
def test_what_may_be_written(decision, model):
    done = config(decision, model)
    assert done.decision is None or done.decision.made == (decision != "none")


def test_several_classes_are_a_task_of_their_own():
    assert config(None, SEVERAL).model.output.task == "multiclass"
    two = {**SEVERAL, "output": {"scale": "logits", "classes": ["A", "B"]}}
    assert config(None, two).model.output.task == "binary"
    free = {"format": "python", "output": {"classes": ["A", "B", "C"]}}
    assert "scale" not in config(None, free).model.output.model_fields_set


@pytest.mark.parametrize(
    ("decision", "model", "said"),
    [
        ("approve", MODEL, "must read like 'score >= 0.5'"),
        ({"favourable": ["A", "B"]}, MODEL, "must read like 'score >= 0.5'"),
        ({"favourable": ["A", "BB"]}, SEVERAL, "'BB' is no class of the model"),
        ({"bands": BANDS, "favourable": ["approve", "reffer"]}, MODEL, "did you mean 'refer'"),
        ({"bands": {"a": "score > x"}}, MODEL, "'score > x' is no condition"),
        ({"bands": BANDS, "column": "d", "favourable": "approve"}, MODEL, "`column` and `bands` do not go together"),
        ({"bands": BANDS}, SEVERAL, "bands cut one score"),
        ({"segments": {"north": "score >= 0.6"}}, MODEL, "one of them is missing"),
        ({"segment": "region"}, MODEL, "one of them is missing"),
        ({"segment": "r", "segments": {"n": "score >= 60"}}, MODEL, "never reaches 60"),
        ({"segment": "r", "segments": {"n": "high"}}, MODEL, "'high' is no condition"),
        ({"segment": "r", "segments": {"n": "score >= 0.6", "otherwise": "score < 0.5"}}, MODEL, "disagree"),
        (
            {"segment": "r", "segments": {"n": "score >= 0.6"}, "favourable": "score >= 0.5"},
            MODEL,
            "each condition says what is favourable",
        ),
        ("none", "none", "there is nothing to audit"),
        (None, {**SEVERAL, "output": {"task": "multiclass", "scale": "logits"}}, "which class is each output column"),
        (None, {**SEVERAL, "output": {"classes": ["A", "B", "C"]}}, "does not return one logit"),
        (None, {**SEVERAL, "output": {"scale": "logits", "classes": ["A", "B", "A"]}}, "a class stands twice"),
        (None, {"scores": "s", "output": {"classes": ["A", "B", "C"]}}, "one column of scores cannot hold"),
    ],
)
def test_what_may_not(decision, model, said):
    with pytest.raises(ConfigError) as error:
        config(decision, model)
    assert said in str(error.value)


def test_numbers_are_classes_however_they_are_written():
    model = {**SEVERAL, "output": {"scale": "logits", "classes": [0, 1, 2]}}
    assert config({"favourable": ["1", 2.0]}, model).decision.favourable == ("1", 2.0)
