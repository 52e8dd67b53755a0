"""Label, weights, decisions, scores and groups, taken out of a table."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.config.schema import ExamineConfig
from audit.errors import ConfigError, DataError
from audit.examination.blackbox.score import score_rows
from audit.examination.data.columns import (
    groups_of,
    label_of,
    settle_bins,
    weights_of,
)
from audit.examination.data.groups import bin_labels, name_groups, order_groups, quartile_bins
from audit.examination.data.read import read_dataset
from audit.examination.data.roles import assign_roles
from audit.examination.data.values import match_key, value_text

MODEL = {"path": "m.pt2", "inputs": ["x"]}


@pytest.mark.parametrize(
    ("written", "positive"),
    [
        (["1", "0", "", "1"], 1),
        (["1", "0", "", "1"], "1"),
        (["1", "0", "", "1"], 1.0),
        (["1", "0", "", "1"], True),
        (["1.0", "0.0", "", "1.0"], 1),
        (["true", "false", "", "true"], 1),
        (["TRUE", "FALSE", "", "TRUE"], True),
        (["True", "False", "", "True"], "true"),
        (["yes", "no", "", "yes"], "yes"),
        (["01", "02", "", "01"], 1),
        (["0", "1", "", "0"], 0),
        (["-1", "3", "", "-1"], -1),
    ],
)
def test_positive_class_is_found_however_it_is_written(make_config, written, positive):
    rows = "".join(f"{value},{i}\n" for i, value in enumerate(written))
    config = make_config("y,x\n" + rows, label={"column": "y", "positive": positive}, model=MODEL)
    np.testing.assert_array_equal(label_of(read_dataset(config).frame(), config), [1, 0, np.nan, 1])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,1\n1,2\n", "one class only: '1'"),
        ("yes,1\nno,2\n", "positive class '1' is not among the values of 'y': 'no', 'yes'"),
        ("0,1\n1,2\n2,3\n", "3 different values .*'0', '1', '2'"),
        (",1\n,2\n", "no row has a label"),
        ("0,1\n0,1\n", "positive class '1' is not among"),
    ],
)
def test_labels_that_cannot_be(make_config, rows, message):
    with pytest.raises(DataError, match=message):
        read_dataset(make_config("y,x\n" + rows, label="y", model=MODEL))


def test_regression_label_is_the_value(make_config):
    config = make_config("y,x\n1.5,1\n,2\n7,3\n", label="y", model={**MODEL, "output": "value"})
    np.testing.assert_array_equal(label_of(read_dataset(config).frame(), config), [1.5, np.nan, 7])
    with pytest.raises(DataError, match="must be a number"):
        read_dataset(make_config("y,x\na,1\nb,2\n", label="y", model={**MODEL, "output": "value"}))


def test_multiclass_label_is_one_against_the_rest(make_config):
    config = make_config(
        "y,x\na,1\nb,2\nc,3\n",
        label={"column": "y", "positive": "b"},
        model={**MODEL, "output": {"task": "multiclass", "scale": "logits"}},
    )
    assert label_of(read_dataset(config).frame(), config).tolist() == [0, 1, 0]


def test_no_label_no_weight_no_groups(make_config):
    config = make_config("x\n1\n2\n", model=MODEL)
    frame = read_dataset(config).frame()
    assert label_of(frame, config) is None
    assert weights_of(frame, config) is None
    assert groups_of(frame, config) == {}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (["1", "-2"], "negative"),
        (["1", ""], "1 rows have no weight"),
        (["1", "NaN"], "1 rows have no weight"),
        (["0", "0"], "0 in every row"),
        (["1", "a"], "should hold numbers"),
        (["1", "inf"], "should hold numbers"),
    ],
)
def test_weights_that_cannot_be(make_config, weights, message):
    rows = "".join(f"{w},1\n" for w in weights)
    with pytest.raises(DataError, match=message):
        read_dataset(make_config("w,x\n" + rows, data={"weight": "w"}, model=MODEL))


def test_stored_decisions(make_config):
    keys = {"decision": {"column": "outcome", "favourable": "approved"}}
    config = make_config("outcome,x\napproved,1\nrefused,2\napproved,3\n", **keys)
    dataset = read_dataset(config)
    assert score_rows(None, dataset, config).favourable.tolist() == [True, False, True]
    assert dataset.features == ()
    assert dataset.columns == ("outcome",)
    with pytest.raises(DataError, match="1 rows have no decision"):
        read_dataset(make_config("outcome,x\napproved,1\n,2\n", **keys))
    with pytest.raises(ConfigError, match="'approved' does not occur in 'outcome': 'aproved', 'refused'") as caught:
        read_dataset(make_config("outcome,x\naproved,1\nrefused,2\n", **keys))
    assert "did you mean 'aproved'" in str(caught.value)


def test_decisions_may_be_numbers(make_config):
    config = make_config("outcome,x\n1,1\n0,2\n", decision={"column": "outcome", "favourable": 1})
    assert score_rows(None, read_dataset(config), config).favourable.tolist() == [True, False]


def test_stored_scores(make_config):
    model = {"format": "scores", "scores": "s", "expected_score": "e", "output": "probability"}
    config = make_config("s,e\n0.25,0.5\n0.75,\n", model=model)
    dataset = read_dataset(config)
    assert score_rows(None, dataset, config).score.tolist() == [0.25, 0.75]
    np.testing.assert_array_equal(dataset.frame()["e"], [0.5, np.nan])
    with pytest.raises(DataError, match="1 rows have no score in 's'"):
        read_dataset(make_config("s,e\n0.25,0.5\nNaN,1\n", model=model))


def test_groups_bins_and_unknown(make_config):
    config = make_config(
        "sex,age,x\nF,24.9,1\n,25,2\nM,39,3\nUnknown,40,4\nM,,5\n",
        groups={"sex": "sex", "age": {"column": "age", "bins": [25, 40], "reference": "25-40"}},
        model=MODEL,
    )
    groups = groups_of(read_dataset(config).frame(), config)
    assert list(groups) == ["sex", "age"]
    assert groups["sex"].tolist() == ["F", "unknown", "M", "unknown", "M"]
    assert groups["age"].tolist() == ["under 25", "25-40", "25-40", "40 and over", "unknown"]
    assert all(type(value) is str for values in groups.values() for value in values)


def test_group_codes_are_whole_numbers(make_config):
    config = make_config("race,x\n1,1\n2,2\n,3\n", groups=["race"], model=MODEL)
    assert groups_of(read_dataset(config).frame(), config)["race"].tolist() == ["1", "2", "unknown"]


def test_an_age_without_bins_is_cut_at_its_quartiles(make_config):
    rows = "".join(f"{18 + i},{i}\n" for i in range(60))
    config = make_config("age,x\n" + rows, groups=["age"], model=MODEL)
    dataset = read_dataset(config)
    whole = groups_of(dataset.frame(), config)["age"]
    assert order_groups(whole) == ("under 32", "32-47", "47-62", "62 and over")
    assert any("cut at its quartiles" in line for line in dataset.reading)
    settled = settle_bins(config, dataset)
    assert settled.groups.attributes["age"].bins == (32, 47, 62)
    piecewise = np.concatenate([groups_of(batch, settled)["age"] for batch in dataset.batches(7)])
    np.testing.assert_array_equal(piecewise, whole)


def test_attributes_that_cannot_be(make_config):
    with pytest.raises(DataError, match="'sex' has bins, but its column holds 'F'"):
        read_dataset(make_config("sex,x\nF,1\nM,2\n", groups={"sex": {"column": "sex", "bins": [1]}}, model=MODEL))
    rows = "".join(f"name{i},{i}\n" for i in range(300))
    with pytest.raises(DataError, match="'who' has 300 different values"):
        read_dataset(make_config("who,x\n" + rows, groups=["who"], model=MODEL))
    with pytest.raises(ConfigError, match=r"groups\.sex\.reference: 'Mal' is no group .*did you mean 'Male'"):
        read_dataset(
            make_config("sex,x\nMale,1\nFemale,2\n", groups={"sex": {"column": "sex", "reference": "Mal"}}, model=MODEL)
        )


def test_an_attribute_without_any_value_is_noted(make_config):
    config = make_config("sex,x\n,1\n,2\n", groups=["sex"], model=MODEL)
    dataset = read_dataset(config)
    assert groups_of(dataset.frame(), config)["sex"].tolist() == ["unknown", "unknown"]
    assert any("sex is missing in every row" in line for line in dataset.reading)


class TestGroupsFile:
    KEYS: ClassVar = {"file": "", "key": "id", "columns": {"sex": "gender", "age": {"column": "age", "bins": [40]}}}

    def config(self, make_config, tmp_path, groups, rows="id,x,outcome\n007,1,yes\n8,2,no\n9,3,yes\n"):
        (tmp_path / "protected.csv").write_text(groups)
        return make_config(
            rows,
            groups={**self.KEYS, "file": str(tmp_path / "protected.csv")},
            decision={"column": "outcome", "favourable": "yes"},
        )

    def test_joined_by_key(self, make_config, tmp_path):
        config = self.config(make_config, tmp_path, "id;gender;age\n8;F;39\n007;M;40\n1;F;1\n")
        dataset = read_dataset(config)
        groups = groups_of(dataset.frame(), config)
        assert groups["sex"].tolist() == ["M", "F", "unknown"]
        assert groups["age"].tolist() == ["40 and over", "under 40", "unknown"]
        assert (
            "protected.csv joined by id: 2 of 3 rows found their entry; 1 did not, and their groups are unknown; "
            "1 entries belong to no row" in dataset.reading
        )
        assert [file.role for file in dataset.files] == ["data.audit", "groups.file"]
        assert dataset.used("group") == ("gender", "age")
        streamed = np.concatenate([groups_of(batch, config)["sex"] for batch in dataset.batches(1)])
        assert streamed.tolist() == ["M", "F", "unknown"]

    def test_a_column_of_the_same_name_is_not_taken_for_the_attribute(self, make_config, tmp_path):
        config = self.config(
            make_config,
            tmp_path,
            "id,gender,age\n8,F,39\n007,M,40\n9,M,2\n",
            "id,gender,outcome\n007,x,yes\n8,y,no\n9,z,yes\n",
        )
        assert groups_of(read_dataset(config).frame(), config)["sex"].tolist() == ["M", "F", "M"]

    def test_a_key_that_occurs_twice(self, make_config, tmp_path):
        with pytest.raises(DataError, match="2 rows whose id occurs before"):
            read_dataset(self.config(make_config, tmp_path, "id,gender,age\n8,F,1\n8,F,1\n8,M,2\n007,F,1\n"))

    def test_nobody_found(self, make_config, tmp_path):
        with pytest.raises(DataError, match="no row's id occurs in"):
            read_dataset(self.config(make_config, tmp_path, "id,gender,age\n80,F,1\n"))

    def test_columns_that_are_not_there(self, make_config, tmp_path):
        with pytest.raises(ConfigError) as caught:
            read_dataset(self.config(make_config, tmp_path, "key,gendre,age\n8,F,1\n"))
        assert [mistake.place for mistake in caught.value.mistakes] == ["groups.key", "groups.columns.sex"]

    def test_entries_without_a_key(self, make_config, tmp_path):
        dataset = read_dataset(self.config(make_config, tmp_path, "id,gender,age\n8,F,1\n,M,3\n,M,4\n"))
        assert any("2 rows have no id" in line for line in dataset.reading)


def test_bin_edges_belong_above():
    values = np.array([-np.inf, 24.999, 25, 39.9, 40, np.inf, np.nan])
    assert name_groups(values, [25, 40]).tolist() == [
        "under 25",
        "under 25",
        "25-40",
        "25-40",
        "40 and over",
        "40 and over",
        "unknown",
    ]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6, unique=True), st.permutations(range(7)))
def test_bins_are_shown_in_order(cuts, shuffle):
    labels = bin_labels(sorted(cuts))
    shuffled = [labels[i] for i in shuffle if i < len(labels)]
    assert order_groups([*shuffled, "unknown"]) == (*labels, "unknown")


def test_order_of_numbers_and_texts():
    assert order_groups(["10", "9", "unknown", "-1"]) == ("-1", "9", "10", "unknown")
    assert order_groups(["b", "10", "9", "a"]) == ("10", "9", "a", "b")
    assert order_groups(["nan", "1"]) == ("1", "nan")


@given(st.lists(st.integers(0, 90), min_size=1, max_size=200))
def test_quartile_bins_always_name_groups_that_exist(values):
    numbers = np.array(values, dtype=np.float64)
    bins = quartile_bins(numbers)
    assert list(bins) == sorted(set(bins))
    if bins:
        assert {bin_labels(bins)[0], bin_labels(bins)[-1]} <= set(name_groups(numbers, bins))


@given(st.one_of(st.integers(-(10**12), 10**12), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_value_matches_its_text(value):
    assert match_key(value) == match_key(value_text(value)) == match_key(f" {value_text(value)} ")


def test_texts_that_differ_do_not_match():
    assert len({match_key(value) for value in ("yes", "Yes", "no", 1, 0, "2", "1e", "")}) == 8


def test_frames_of_other_makers_are_understood():
    from audit.config.schema import ExamineConfig

    config = ExamineConfig.model_validate(
        {"data": "x", "groups": {"sex": "sex", "age": {"column": "age", "bins": [40]}}, "label": "y"}
    )
    frame = pd.DataFrame({"sex": ["F", None, "M"], "age": [39, 40, 41], "y": [0, 1, 1]})
    assert groups_of(frame, config)["sex"].tolist() == ["F", "unknown", "M"]
    assert groups_of(frame, config)["age"].tolist() == ["under 40", "40 and over", "40 and over"]
    assert label_of(frame, config).tolist() == [0, 1, 1]


def test_a_stratum_is_still_a_feature_where_every_column_is_one():
    config = ExamineConfig.model_validate(
        {"data": "t.csv", "label": "y", "groups": ["sex"], "strata": ["grade"], "model": {"format": "python"}}
    )
    roles = assign_roles(config, ["y", "sex", "grade", "pay"], table="t")
    assert roles.features == ("grade", "pay")
    assert roles.used_as["grade"] == "feature, stratum"
    with pytest.raises(ConfigError, match="no column 'grade'"):
        assign_roles(config, ["y", "sex", "pay"], table="t")
