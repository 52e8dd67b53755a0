"""Parquet, Arrow, folders, globs and frames: the same rows, whatever they are kept in."""

import datetime as dt
import decimal
import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audit.config.schema import ExamineConfig, FeatureDeclaration
from audit.errors import ConfigError, DataError
from audit.examination.data.read import read_column, read_dataset, read_frame

INPUTS = {
    "path": "m.pt2",
    "inputs": [{"columns": ["income"]}, {"kind": "codes", "columns": ["job"], "levels": {"job": [1, 2, 10]}}],
}
TABLE = pa.table(
    {
        "income": pa.array([1.5, None, 3.0, float("nan")]),
        "job": pa.array([1, 10, None, 2], pa.int32()),
        "race": pa.array(["A", None, "B", "A"]).dictionary_encode(),
        "label": pa.array([True, False, None, True]),
    }
)


def config_for(path, **keys):
    return ExamineConfig.model_validate(
        {"data": str(path), "label": "label", "groups": ["race"], "model": INPUTS, **keys}
    )


def check_rows(dataset, times=1):
    frame = dataset.frame()
    assert dataset.rows == 4 * times
    assert dataset.kinds == {"income": "number", "job": "category", "race": "category", "label": "boolean"}
    np.testing.assert_array_equal(frame["income"], [1.5, np.nan, 3.0, np.nan] * times)
    assert frame["job"].tolist() == ["1", "10", None, "2"] * times
    assert frame["race"].tolist() == ["A", None, "B", "A"] * times
    assert frame["label"].tolist() == [True, False, None, True] * times
    assert all(type(value) in (str, type(None)) for value in frame["job"])
    assert all(type(value) in (bool, type(None)) for value in frame["label"])


def write(table, path, form):
    if form == "parquet":
        pq.write_table(table, path, row_group_size=2)
    elif form == "arrow":
        with pa.ipc.new_file(path, table.schema) as sink:
            sink.write_table(table, max_chunksize=3)
    else:
        with pa.ipc.new_stream(str(path), table.schema) as sink:
            sink.write_table(table, max_chunksize=3)


@pytest.mark.parametrize("form", ["parquet", "arrow", "arrow_stream"])
def test_one_file(tmp_path, form):
    path = tmp_path / "rows.bin"
    write(TABLE, path, form)
    dataset = read_dataset(config_for(path))
    check_rows(dataset)
    assert dataset.files[0].sha256 == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def test_folder_and_glob_in_name_order(tmp_path):
    folder = tmp_path / "part"
    (folder / "deep").mkdir(parents=True)
    (folder / "_SUCCESS").write_text("")
    (folder / ".hidden.parquet").write_bytes(b"junk")
    for name in ("b.parquet", "deep/c.parquet", "a.parquet"):
        write(TABLE, folder / name, "parquet")
    dataset = read_dataset(config_for(folder))
    check_rows(dataset, 3)
    assert [file.name for file in dataset.files] == ["part/a.parquet", "part/b.parquet", "part/deep/c.parquet"]
    check_rows(read_dataset(config_for(folder / "*.parquet")), 2)
    check_rows(read_dataset(config_for(folder / "**" / "*.parquet")), 3)


def test_types_may_differ_between_files(tmp_path):
    write(TABLE, tmp_path / "a.parquet", "parquet")
    other = TABLE.set_column(1, "job", pa.array([1.0, 10.0, None, 2.0])).set_column(
        2, "race", pa.array(["A", None, "B", "A"], pa.large_string())
    )
    write(other.select(["label", "race", "job", "income"]), tmp_path / "b.parquet", "parquet")
    check_rows(read_dataset(config_for(tmp_path / "*.parquet")), 2)


def test_files_of_one_table_must_agree(tmp_path):
    write(TABLE, tmp_path / "a.parquet", "parquet")
    write(TABLE.drop_columns(["race"]), tmp_path / "b.parquet", "parquet")
    with pytest.raises(DataError, match="same columns: race"):
        read_dataset(config_for(tmp_path / "*.parquet"))
    (tmp_path / "c.csv").write_text("income,job,race,label\n1,1,A,1\n")
    with pytest.raises(DataError, match="one form"):
        read_dataset(config_for(tmp_path))


def test_nothing_there(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="holds no table"):
        read_dataset(config_for(tmp_path / "empty"))
    with pytest.raises(ConfigError, match="no file matches"):
        read_dataset(config_for(tmp_path / "*.parquet"))


@pytest.mark.parametrize("keep", [3, 200, -8])
def test_truncated_parquet(tmp_path, keep):
    path = tmp_path / "rows.parquet"
    write(TABLE, path, "parquet")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"rows\.parquet"):
        read_dataset(config_for(path))


def test_no_rows(tmp_path):
    write(TABLE.slice(0, 0), tmp_path / "rows.parquet", "parquet")
    with pytest.raises(DataError, match="no rows"):
        read_dataset(config_for(tmp_path / "rows.parquet"))


def test_a_file_that_changes_is_not_trusted_again(tmp_path):
    path = tmp_path / "rows.parquet"
    write(TABLE, path, "parquet")
    dataset = read_dataset(config_for(path))
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError):
        dataset.frame()


def test_frame_is_read_like_a_file(tmp_path):
    frame = pd.DataFrame(
        {
            "income": [1.5, None, 3.0, np.nan],
            "job": [1, 10, None, 2],
            "race": pd.Categorical(["A", None, "B", "A"]),
            "label": [True, False, None, True],
        },
        index=[7, 7, 8, 9],
    )
    config = config_for("object")
    dataset = read_frame(frame, config)
    check_rows(dataset)
    assert list(dataset.frame().index) == [0, 1, 2, 3]
    file = dataset.files[0]
    assert file.note == "object, not file"
    assert file.sha256 == read_frame(frame.reset_index(drop=True), config).files[0].sha256
    assert file.sha256 != read_frame(frame.assign(income=0.0), config).files[0].sha256


def test_frame_without_model_inputs_offers_every_free_column():
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "income": [1, 2],
            "zip": ["01", "02"],
            "when": pd.to_datetime(["2020-01-01", "2021-01-01"]),
            "sex": ["F", "M"],
            "w": [1.0, 2.0],
            "label": [0, 1],
            "junk": [1, 2],
        }
    )
    config = ExamineConfig.model_validate(
        {
            "data": {"audit": "object", "id": "id", "weight": "w"},
            "label": "label",
            "groups": ["sex"],
            "exclude": ["junk"],
        }
    )
    dataset = read_frame(frame, config)
    assert dataset.features == ("income", "zip")
    assert "junk" not in dataset.columns
    assert "when" not in dataset.columns
    assert any("when holds dates, and is not taken" in line for line in dataset.reading)
    assert dataset.used_as["sex"] == "group"
    declared = config.model_copy(update={"features": {"sex": FeatureDeclaration()}})
    assert read_frame(frame, declared).features == ("income", "zip", "sex")
    assert read_frame(frame, declared).used_as["sex"] == "feature, group"


def test_names_are_no_features_by_accident():
    frame = pd.DataFrame(
        {"name": [f"person {i}" for i in range(50)], "zip": ["01", "02"] * 25, "s": np.linspace(0, 1, 50)}
    )
    config = ExamineConfig.model_validate({"data": "object", "model": {"scores": "s"}})
    dataset = read_frame(frame, config)
    assert dataset.features == ("zip",)
    assert "name" not in dataset.columns
    assert any("name has a different text in every row" in line for line in dataset.reading)
    many = pd.concat([frame.assign(name=[f"{k} {i}" for i in range(50)]) for k in range(30)])
    assert read_frame(pd.concat([many, many]), config).features == ("zip",)
    named = ExamineConfig.model_validate(
        {
            "data": "object",
            "model": {
                "path": "m",
                "inputs": [{"kind": "one_hot", "columns": ["name"], "levels": {"name": ["person 1"]}}],
            },
        }
    )
    assert read_frame(frame, named).features == ("name",)


def test_frame_with_awkward_columns():
    frame = pd.DataFrame({"income": ["1", 2, 3.5], 5: [1, 2, 3], "label": [1, 0, 1]})
    dataset = read_frame(frame, ExamineConfig.model_validate({"data": "object", "label": "label"}))
    assert dataset.features == ("income", "5")
    assert dataset.frame()["income"].tolist() == [1, 2, 3.5]
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(DataError, match="two columns named 'a'"):
        read_frame(twice, ExamineConfig.model_validate({"data": "object"}))


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("2.25")]), "number"),
        (pa.array([1, None, 255], pa.uint8()), "number"),
        (pa.array([1.5, None, 2.5], pa.float32()), "number"),
        (pa.array([None, None, None]), "number"),
        (pa.array(["1", None, "2"]), "number"),
        (pa.array(["01", None, "2"]), "category"),
        (pa.array(["1234567890123456789", None, "2"]), "category"),
        (pa.array([1234567890123456789, None, 2]), "category"),
        (pa.array(["TRUE", None, "false"]), "boolean"),
        (pa.array(["yes", None, "no"]), "category"),
        (pa.array([1, None, 2]).dictionary_encode(), "number"),
    ],
)
def test_kinds_follow_the_values(tmp_path, column, kind):
    pq.write_table(pa.table({"x": column, "label": [0, 1, 1]}), tmp_path / "rows.parquet")
    config = ExamineConfig.model_validate(
        {"data": str(tmp_path / "rows.parquet"), "label": "label", "model": {"format": "python", "factory": "f.py:f"}}
    )
    dataset = read_dataset(config)
    assert dataset.kinds["x"] == kind
    assert dataset.frame()["x"].isna().iloc[1]


DATES = {
    "timestamp": pa.array([dt.datetime(2020, 1, 2, tzinfo=dt.UTC)] * 3),
    "date": pa.array([dt.date(2020, 1, 2)] * 3),
    "iso": pa.array(["2020-01-02", None, "2021-12-31"]),
    "iso time": pa.array(["2020-01-02T10:20:30Z", "2020-01-02 10:20", "2020-01-02T10:20:30.5+02:00"]),
    "german": pa.array(["2.1.2020", "31.12.2021", None]),
}


@pytest.mark.parametrize("which", list(DATES))
def test_dates(tmp_path, which):
    pq.write_table(pa.table({"when": DATES[which], "income": [1, 2, 3], "label": [0, 1, 1]}), tmp_path / "rows.parquet")
    base = {"audit": str(tmp_path / "rows.parquet")}
    read_it = {"path": "m.pt2", "inputs": ["when", "income"]}
    with pytest.raises(DataError, match="'when' holds dates, and the model reads it") as caught:
        read_dataset(ExamineConfig.model_validate({"data": base, "model": read_it}))
    assert "number" in caught.value.hint
    aside = ExamineConfig.model_validate(
        {"data": {**base, "time": "when"}, "model": {"path": "m", "inputs": ["income"]}}
    )
    dataset = read_dataset(aside)
    assert dataset.columns == ("income",)
    assert "when holds dates; it is described and is no feature" in dataset.reading
    grouped = ExamineConfig.model_validate(
        {"data": base, "groups": ["when"], "model": {"path": "m", "inputs": ["income"]}}
    )
    with pytest.raises(DataError, match="cannot be the group"):
        read_dataset(grouped)
    declared = ExamineConfig.model_validate(
        {"data": base, "model": read_it, "features": {"when": {"kind": "category"}}}
    )
    assert read_dataset(declared).kinds["when"] == "category"


def test_infinite_and_nested_values(tmp_path):
    pq.write_table(pa.table({"income": [1.0, float("inf")], "tags": [["a"], ["b"]]}), tmp_path / "rows.parquet")
    for name, message in (("income", "infinite numbers in 1 rows"), ("tags", "holds values that are no numbers")):
        config = ExamineConfig.model_validate(
            {"data": str(tmp_path / "rows.parquet"), "model": {"path": "m", "inputs": [name]}}
        )
        with pytest.raises(DataError, match=message):
            read_dataset(config)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [("category", ["1", "0", None]), ("boolean", [True, False, None]), ("number", [1.0, 0.0, None])],
)
def test_declared_kinds_win(tmp_path, declared, expected):
    pq.write_table(pa.table({"x": [1, 0, None]}), tmp_path / "rows.parquet")
    config = ExamineConfig.model_validate(
        {
            "data": str(tmp_path / "rows.parquet"),
            "model": {"path": "m", "inputs": ["x"]},
            "features": {"x": {"kind": declared}},
        }
    )
    dataset = read_dataset(config)
    assert dataset.kinds["x"] == declared
    assert [None if value != value else value for value in dataset.frame()["x"]] == expected


def test_a_declared_boolean_that_is_none(tmp_path):
    pq.write_table(pa.table({"x": ["yes", "maybe"]}), tmp_path / "rows.parquet")
    config = ExamineConfig.model_validate(
        {
            "data": str(tmp_path / "rows.parquet"),
            "model": {"path": "m", "inputs": ["x"]},
            "features": {"x": {"kind": "boolean"}},
        }
    )
    with pytest.raises(DataError, match="true or false, but holds 'maybe'"):
        read_dataset(config).frame()


def test_constant_and_empty_features_are_allowed_and_named(tmp_path):
    pq.write_table(pa.table({"same": [1, 1, 1], "none": pa.array([None] * 3, pa.float64())}), tmp_path / "rows.parquet")
    config = ExamineConfig.model_validate(
        {"data": str(tmp_path / "rows.parquet"), "model": {"path": "m", "inputs": ["same", "none"]}}
    )
    dataset = read_dataset(config)
    assert "the feature same has the same value in every row" in dataset.reading
    assert "the feature none is missing in every row" in dataset.reading
    assert np.isnan(dataset.frame()["none"]).all()


def test_training_rows_need_features_and_label_only(tmp_path):
    pq.write_table(pa.table({"income": [1, 2], "label": [0, 1]}), tmp_path / "train.parquet")
    config = ExamineConfig.model_validate(
        {
            "data": {"audit": "elsewhere", "train": str(tmp_path / "train.parquet"), "weight": "w", "id": "id"},
            "label": "label",
            "groups": ["sex"],
            "model": {"path": "m", "inputs": ["income"]},
        }
    )
    dataset = read_dataset(config, role="train")
    assert dataset.columns == ("income", "label")
    assert dataset.files[0].role == "data.train"


def test_read_column(tmp_path):
    pq.write_table(pa.table({"id": [1, None, 10]}), tmp_path / "rows.parquet")
    config = ExamineConfig.model_validate({"data": "x"})
    ids, source = read_column(str(tmp_path / "rows.parquet"), config, "id", place="data.model_train")
    assert ids.tolist() == ["1", None, "10"]
    assert source.files[0].role == "data.model_train"
    with pytest.raises(DataError, match="no column 'key'"):
        read_column(str(tmp_path / "rows.parquet"), config, "key", place="data.model_train")
