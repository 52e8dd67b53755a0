"""Functions, stored scores and stored decisions."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from audit.config.model import ModelOutput
from audit.errors import ConfigError, DataError, IntakeRefused
from audit.examination.blackbox.function import infer_scale
from audit.examination.blackbox.intake import NOT_IDENTIFIED, take_in, take_in_callable
from audit.examination.blackbox.score import score_rows


def honest(frame):
    return 1 / (1 + np.exp(-(frame["income"].to_numpy() - 30) / 10))


def test_function_without_any_declaration(tools, people):
    config = tools.configure(groups=["sex"])
    model, intake = take_in_callable(honest, config, tools.Rows(people))
    assert model.columns == ("age", "income", "debts", "job", "region")
    assert model.scale == "probability"
    assert intake.sha256 == NOT_IDENTIFIED
    assert "not declared" in intake.notes[0]
    np.testing.assert_array_equal(model.score(people), honest(people))


def test_function_that_needs_the_protected_column(tools, people):
    model, _ = take_in_callable(
        lambda frame: honest(frame) * (frame["sex"] == "f"), tools.configure(groups=["sex"]), tools.Rows(people)
    )
    assert "sex" in model.columns
    assert "repaid" not in model.columns


def test_scikit_learn_method_names_its_columns(tools, people):
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression().fit(people[["income", "age"]], people["repaid"])
    model, _ = take_in_callable(fitted.predict_proba, tools.configure(groups=["sex"]), tools.Rows(people))
    assert model.columns == ("income", "age")
    np.testing.assert_allclose(model.score(people), fitted.predict_proba(people[["income", "age"]])[:, 1])
    model, _ = take_in_callable(fitted.decision_function, tools.configure(), tools.Rows(people))
    np.testing.assert_allclose(model.score(people), fitted.predict_proba(people[["income", "age"]])[:, 1], atol=1e-12)


def test_function_cannot_change_the_rows(tools, people):
    def predict(frame):
        frame["income"] = 0.0
        return np.linspace(0, 1, len(frame)) * 0 + 0.5

    before = people.copy()
    take_in_callable(predict, tools.configure(inputs=["income"], output="probability"), tools.Rows(people))
    pd.testing.assert_frame_equal(people, before)


@pytest.mark.parametrize(
    ("predict", "words"),
    [
        (lambda frame: 1 / 0, "ZeroDivisionError"),
        (lambda frame: ["a"] * len(frame), "not numbers"),
        (lambda frame: np.zeros(3), r"shape \[3\]|shape \[3, 1\]"),
        (lambda frame: 0.5, "returned shape"),
        (lambda frame: None, "returned"),
    ],
)
def test_functions_that_fail(tools, people, predict, words):
    with pytest.raises(IntakeRefused, match=words):
        take_in_callable(predict, tools.configure(inputs=["income"]), tools.Rows(people))


def test_something_that_cannot_be_called(tools, people):
    with pytest.raises(ConfigError, match="cannot be called"):
        take_in_callable(3, tools.configure(), tools.Rows(people))


def python_config(tools, studio, **extra):
    pin = hashlib.sha256(studio.module.read_bytes()).hexdigest()
    return tools.configure(
        **{
            "format": "python",
            "factory": f"{studio.module}:predict",
            "trust_code": True,
            "sha256": pin,
            "inputs": ["income"],
            "output": "probability",
            **extra,
        }
    )


def test_python_file(tools, studio, people):
    model, intake = take_in(python_config(tools, studio), tools.Rows(people))
    np.testing.assert_allclose(model.score(people), honest(people))
    assert intake.file == "module.py"
    assert "pinned" in intake.trust


@pytest.mark.parametrize(
    ("extra", "error", "words"),
    [
        ({"trust_code": False}, ConfigError, "trust_code: true"),
        ({"sha256": None}, ConfigError, "must be pinned"),
        ({"sha256": "1" * 64}, IntakeRefused, "not the pinned file"),
        ({"factory": None}, ConfigError, "needs the function"),
    ],
)
def test_python_file_is_guarded(tools, studio, people, extra, error, words):
    with pytest.raises(error, match=words):
        take_in(python_config(tools, studio, **extra), tools.Rows(people))


def test_unpinned_python_tells_the_digest(tools, studio, people):
    with pytest.raises(ConfigError) as caught:
        take_in(python_config(tools, studio, sha256=None), tools.Rows(people))
    assert hashlib.sha256(studio.module.read_bytes()).hexdigest() in caught.value.hint


def test_stored_scores(tools, people):
    frame = people.assign(p=honest(people), z=(people["income"] - 30) / 10)
    for column, output in (("p", {"output": "probability"}), ("z", {"output": "logit"}), ("p", {})):
        config = tools.configure(scores=column, **output, groups=["sex"])
        model, intake = take_in(config, tools.Rows(frame))
        scores = score_rows(model, tools.Rows(frame), config)
        assert model is None
        np.testing.assert_allclose(scores.score, honest(people), atol=1e-12)
        np.testing.assert_allclose(scores.link, frame["z"], atol=1e-9)
        assert intake.format == "scores"
        assert column not in intake.columns
        assert "sex" not in intake.columns


def test_scale_that_nobody_declared():
    p = np.linspace(0.1, 0.9, 5)[:, None]
    for raw, scale in (
        (p, "probability"),
        (p * 9, "logit"),
        (np.hstack([p, 1 - p]), "probabilities"),
        (np.hstack([p, p]), "logits"),
        (np.full((3, 1), np.nan), "logit"),
    ):
        output, note = infer_scale(raw, ModelOutput(positive=1))
        assert output.scale == scale
        assert scale in note
        assert output.positive == 1
    assert infer_scale(p * 9, ModelOutput(scale="probability")) == (ModelOutput(scale="probability"), "")


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        ({"scores": "q"}, ConfigError, "no column q"),
        ({"scores": "gappy"}, IntakeRefused, "no score in 4 of 90 rows"),
        ({"scores": "z", "output": "probability"}, IntakeRefused, "scale: logit"),
        ({"scores": "z", "output": "logits"}, ConfigError, "cannot be logits"),
        ({"scores": "job"}, DataError, "job"),
        ({"format": "scores"}, ConfigError, "no column holds them"),
        ({"format": "none"}, ConfigError, "nothing to audit"),
        ({}, ConfigError, "no path"),
    ],
)
def test_stored_mistakes(tools, people, model, error, words):
    frame = people.assign(z=(people["income"] - 30) / 10, gappy=people["debts"])
    with pytest.raises(error, match=words):
        take_in(tools.configure(**model), tools.Rows(frame))


def test_decisions_only(tools, people):
    frame = people.assign(outcome=np.where(people["income"] > 30, "approved", "denied").astype(object))
    config = tools.configure(
        format="none", decision={"column": "outcome", "favourable": "approved"}, groups=["sex"], label=None
    )
    model, intake = take_in(config, tools.Rows(frame))
    scores = score_rows(model, tools.Rows(frame), config)
    assert model is None
    assert (scores.score, scores.link) == (None, None)
    np.testing.assert_array_equal(scores.favourable, people["income"] > 30)
    assert intake.format == "decisions"
    assert "outcome" not in intake.columns


@pytest.mark.parametrize(
    ("values", "favourable"),
    [
        ([1.0, 0.0], 1),
        (["1", "0"], 1),
        ([True, False], True),
        ([1.0, 0.0], True),
        (["yes", "no"], "yes"),
        ([True, False], "true"),
    ],
)
def test_decision_spellings(tools, values, favourable):
    frame = pd.DataFrame({"d": pd.Series(values * 5, dtype=object)})
    config = tools.configure(format="none", decision={"column": "d", "favourable": favourable}, label=None)
    np.testing.assert_array_equal(score_rows(None, tools.Rows(frame), config).favourable, [True, False] * 5)


def test_decisions_that_are_not_there(tools, people):
    frame = people.assign(d=people["job"])
    with pytest.raises(DataError, match="no decision in 2 of 90"):
        take_in(tools.configure(format="none", decision={"column": "d", "favourable": "nurse"}), tools.Rows(frame))
    with pytest.raises(ConfigError, match="is 'granted'"):
        take_in(tools.configure(format="none", decision={"column": "sex", "favourable": "granted"}), tools.Rows(frame))
    with pytest.raises(ConfigError, match="did you mean 'sex'"):
        take_in(tools.configure(format="none", decision={"column": "sexx", "favourable": "f"}), tools.Rows(frame))
