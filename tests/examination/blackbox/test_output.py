"""Raw outputs against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

from audit.config.model import ModelOutput
from audit.errors import ConfigError, IntakeRefused
from audit.examination.blackbox.output import OutputReading, check_outputs, log_odds, read_output, sigmoid

FINITE = hnp.arrays(np.float64, (7, 3), elements=st.floats(-700, 700))


@given(FINITE)
def test_sigmoid_equals_scipy(links):
    np.testing.assert_allclose(sigmoid(links), special.expit(links), rtol=1e-13)


@given(FINITE, st.integers(0, 2))
def test_logits_equal_softmax(raw, index):
    reading = OutputReading("logits", index)
    np.testing.assert_allclose(reading.score(raw), special.softmax(raw, axis=1)[:, index], atol=1e-12)
    assert np.isfinite(reading.link(raw)).all()


@given(hnp.arrays(np.float64, 9, elements=st.floats(1e-9, 1 - 1e-9)))
def test_probability_and_link_are_inverse(probability):
    reading = OutputReading("probability")
    raw = probability[:, None]
    np.testing.assert_array_equal(reading.score(raw), probability)
    np.testing.assert_allclose(reading.link(raw), special.logit(probability), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(sigmoid(reading.link(raw)), probability, rtol=1e-9)


def test_certain_probabilities_have_finite_links():
    links = log_odds(np.array([0.0, 1.0]))
    np.testing.assert_allclose(links, [-27.63102, 27.63102], rtol=1e-5)


def test_two_logits_equal_one_difference():
    raw = np.array([[0.3, 1.4], [-2.0, 5.0]])
    np.testing.assert_allclose(OutputReading("logits").link(raw), raw[:, 1] - raw[:, 0], atol=1e-12)
    np.testing.assert_allclose(OutputReading("logits", 0).link(raw), raw[:, 0] - raw[:, 1], atol=1e-12)


def test_value_is_itself():
    raw = np.array([[3.5], [-1.0]])
    reading = OutputReading("value")
    np.testing.assert_array_equal(reading.score(raw), reading.link(raw))
    assert reading.kind == "value"


@pytest.mark.parametrize(
    ("declared", "index"),
    [
        ({"scale": "logits"}, None),
        ({"scale": "logits", "classes": ["bad", "good"]}, 1),
        ({"scale": "logits", "classes": ["good", "bad"], "positive": "good"}, 0),
        ({"scale": "probabilities", "classes": [0, 1, 2], "positive": 1}, 1),
        ({"scale": "logits", "index": 0}, 0),
    ],
)
def test_positive_column(declared, index):
    assert read_output(ModelOutput.model_validate(declared)).index == index


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"scale": "logits", "classes": ["deny", "grant"], "positive": "grent"}, "did you mean 'grant'"),
        ({"scale": "logits", "classes": ["a", "b"], "positive": "a", "index": 1}, "position of class a"),
        ({"task": "regression", "scale": "logit"}, "does not go with"),
        ({"task": "binary", "scale": "value"}, "does not go with"),
    ],
)
def test_output_mistakes(declared, words):
    with pytest.raises(ConfigError, match=words):
        read_output(ModelOutput.model_validate(declared))


@pytest.mark.parametrize(
    ("shape", "reading", "words"),
    [
        ((3, 2), OutputReading("logit"), "scale: logits"),
        ((3, 2), OutputReading("probability"), "scale: probabilities"),
        ((3, 1), OutputReading("logits"), "output: logit"),
        ((3, 3), OutputReading("logits", 1, (0, 1)), "2 classes are declared"),
        ((3, 2), OutputReading("logits", 5), "output number 5"),
    ],
)
def test_number_of_outputs(shape, reading, words):
    with pytest.raises(IntakeRefused, match=words):
        check_outputs(np.zeros(shape), reading)


def test_words():
    assert "positive class is number 2 (good)" in OutputReading("logits", 1, ("bad", "good")).words()
    assert OutputReading("logit").words() == "one log-odds of the positive class"
