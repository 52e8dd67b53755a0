"""Labels and decisions of several classes, and the positive one among them."""

from __future__ import annotations

import numpy as np
import pytest

from audit.errors import ConfigError, DataError
from audit.examination.data.classes import settle_classes, truth_of
from audit.examination.data.columns import label_of
from audit.examination.data.read import read_dataset

OUTPUT = {"scale": "logits", "classes": ["low", "middle", "high"]}


def configured(make_config, text, *, label="risk", output=OUTPUT, **keys):
    model = {"path": "m", "inputs": ["x"], "output": output}
    return make_config(text, label=label, **{"model": model, **keys})


def test_the_positive_class_is_settled_once(make_config):
    config = configured(make_config, "x,risk\n1,low\n2,high\n")
    assert settle_classes(config, ()).label.positive == "high"
    for keys, wanted in (
        ({"output": {**OUTPUT, "positive": "middle"}}, "middle"),
        ({"output": {**OUTPUT, "index": 0}}, "low"),
        ({"label": {"column": "risk", "positive": "low"}}, "low"),
        ({"decision": {"favourable": ["middle", "low"]}}, "middle"),
        ({"decision": {"favourable": "score >= 0.5"}}, "high"),
        ({"decision": "none"}, "high"),
    ):
        done = settle_classes(configured(make_config, "x,risk\n1,low\n2,high\n", **keys), ())
        assert done.model.output.positive == done.label.positive == wanted
        assert done.model.output.index == ["low", "middle", "high"].index(wanted)


def test_two_positive_classes_contradict(make_config):
    label = {"column": "risk", "positive": "low"}
    config = configured(make_config, "x,risk\n1,low\n", label=label, output={**OUTPUT, "positive": "high"})
    with pytest.raises(ConfigError, match="two positive classes"):
        settle_classes(config, ())
    config = configured(make_config, "x,risk\n1,low\n", label={"column": "risk", "positive": "hihg"})
    with pytest.raises(ConfigError, match="did you mean 'high'"):
        settle_classes(config, ())


def test_labels_and_truth(make_config):
    config = configured(make_config, "x,risk\n1,low\n2,high\n3,\n4,middle\n")
    dataset = read_dataset(config)
    config = settle_classes(config, dataset.described)
    np.testing.assert_array_equal(label_of(dataset.frame(), config), [0, 1, np.nan, 0])
    np.testing.assert_array_equal(truth_of(dataset.frame(), config, ("low", "middle", "high")), [0, 2, -1, 1])


def test_classes_are_matched_like_other_levels(make_config):
    """A column of whole numbers with a gap is read as 0.0, 1.0, 2.0; the classes were written 0, 1, 2."""
    output = {"scale": "logits", "classes": [0, "1", 2.0]}
    config = configured(make_config, "x,risk\n1,0\n2,1\n3,\n4,2\n", output=output)
    dataset = read_dataset(config)
    config = settle_classes(config, dataset.described)
    np.testing.assert_array_equal(truth_of(dataset.frame(), config, ("0", "1", "2")), [0, 1, -1, 2])
    np.testing.assert_array_equal(label_of(dataset.frame(), config), [0, 0, np.nan, 1])


def test_a_label_that_is_no_class(make_config):
    with pytest.raises(DataError, match="the label 'risk' holds 'hihg', which is no class of the model") as error:
        read_dataset(configured(make_config, "x,risk\n1,low\n2,hihg\n"))
    assert "did you mean 'high'" in str(error.value)
    with pytest.raises(DataError, match="one class only"):
        read_dataset(configured(make_config, "x,risk\n1,low\n2,low\n"))


def test_stored_decisions_that_are_classes(make_config):
    text = "risk,given\nA,B\nB,C\nC,A\n,A\n"
    keys = {"model": "none", "decision": {"column": "given", "favourable": ["B"]}}
    config = configured(make_config, text, **keys)
    dataset = read_dataset(config)
    config = settle_classes(config, dataset.described)
    assert config.model.output.task == "multiclass"
    assert config.model.output.classes == ("A", "B", "C")
    assert config.label.positive == "B"
    np.testing.assert_array_equal(label_of(dataset.frame(), config), [0, 1, 0, np.nan])


def test_stored_decisions_that_are_not_the_label(make_config):
    keys = {"model": "none", "decision": {"column": "given", "favourable": ["A", "B"]}}
    config = configured(make_config, "risk,given\n1,B\n0,C\n1,A\n", **keys)
    dataset = read_dataset(config)
    assert settle_classes(config, dataset.described) == config
    with pytest.raises(DataError, match="not two"):
        read_dataset(configured(make_config, "risk,given\nx,B\ny,C\nz,A\n", **keys))


def test_one_of_several_favourable_decisions_must_occur(make_config):
    keys = {"label": None, "model": "none"}
    text = "given\nB\nC\n"
    read_dataset(configured(make_config, text, decision={"column": "given", "favourable": ["A", "B"]}, **keys))
    with pytest.raises(ConfigError, match="'A', 'D' does not occur in 'given'"):
        read_dataset(configured(make_config, text, decision={"column": "given", "favourable": ["A", "D"]}, **keys))


def test_every_segment_needs_a_condition(make_config):
    order = {"segment": "region", "segments": {"north": "score >= 0.5"}}
    text = "x,risk,region\n1,low,north\n2,high,nroth\n"
    with pytest.raises(ConfigError, match="no segment is named 'nroth'"):
        read_dataset(configured(make_config, text, decision=order))
    order["segments"]["otherwise"] = "score >= 0.4"
    dataset = read_dataset(configured(make_config, text, decision=order))
    assert "region" in dataset.columns
    with pytest.raises(ConfigError, match="no column 'regoin'"):
        read_dataset(configured(make_config, text, decision={**order, "segment": "regoin"}))
