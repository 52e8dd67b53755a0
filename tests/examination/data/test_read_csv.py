"""CSV as people write it: separators, decimal signs, encodings, missing markers, and what is no CSV at all."""

import gzip
import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.config.schema import ExamineConfig
from audit.errors import AuditError, ConfigError, DataError
from audit.examination.data.read import read_dataset

INPUTS = {"path": "m.pt2", "inputs": ["income"]}


def test_plain_file(make_config):
    config = make_config(
        "id,income,zip\n1,10.5,01234\n2,,99999\n3,30,\n",
        model={
            "path": "m.pt2",
            "inputs": [
                {"columns": ["income"]},
                {"kind": "one_hot", "columns": ["zip"], "levels": {"zip": ["01234", "99999"]}},
            ],
        },
    )
    dataset = read_dataset(config)
    frame = dataset.frame()
    assert dataset.rows == 3
    assert dataset.columns == ("income", "zip")
    assert dataset.kinds == {"income": "number", "zip": "category"}
    np.testing.assert_array_equal(frame["income"], [10.5, np.nan, 30])
    assert frame["zip"].tolist() == ["01234", "99999", None]
    assert frame["zip"].dtype == object
    assert list(frame.index) == [0, 1, 2]
    assert any("separator ','" in line and "detected" in line for line in dataset.reading)
    assert any("read as missing: an empty value 2 times" in line for line in dataset.reading)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separator_is_detected(make_config, separator):
    rows = [["name", "income", "remark"], ["Ä", "1", '"a;b,c|d"'], ["B", "2", '"x,y"'], ["C", "3", '";;"']]
    config = make_config("\n".join(separator.join(row) for row in rows), model=INPUTS)
    dataset = read_dataset(config)
    assert dataset.frame()["income"].tolist() == [1, 2, 3]
    shown = "tab" if separator == "\t" else f"'{separator}'"
    assert f"separator {shown} (detected)" in dataset.reading[0]


def test_declared_form_is_obeyed_and_printed(make_config):
    text = "name;income\nMüller;1,5\nWeiß;2,25\n".encode("cp1252")
    config = make_config(
        text, data={"csv": {"separator": ";", "decimal": ",", "encoding": "cp1252"}}, model=INPUTS, groups=["name"]
    )
    dataset = read_dataset(config)
    assert dataset.frame()["income"].tolist() == [1.5, 2.25]
    assert dataset.frame()["name"].tolist() == ["Müller", "Weiß"]
    assert dataset.reading[0].count("declared") == 3


def test_german_export_is_detected(make_config):
    config = make_config("name;income\nMüller;1,5\nWeiß;-2,25\n".encode("cp1252"), model=INPUTS, groups=["name"])
    dataset = read_dataset(config)
    assert dataset.frame()["income"].tolist() == [1.5, -2.25]
    assert dataset.frame()["name"].tolist() == ["Müller", "Weiß"]
    assert "decimal sign ',' (detected), encoding cp1252 (detected)" in dataset.reading[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_encodings(make_config, encoding):
    config = make_config("näme,income\nö,1\né,2\n".encode(encoding), model=INPUTS, groups=["näme"])
    assert read_dataset(config).frame()["näme"].tolist() == ["ö", "é"]


def test_encoding_is_judged_by_the_whole_file(make_config):
    lines = ["name,income"] + ["plain,1"] * 60_000
    config = make_config(
        ("\n".join(lines) + "\n").encode() + "Müller,2\n".encode("cp1252"), model=INPUTS, groups=["name"]
    )
    dataset = read_dataset(config)
    assert dataset.frame()["name"].iloc[-1] == "Müller"
    assert "encoding cp1252" in dataset.reading[0]


def test_wrong_declared_encoding_is_refused(make_config):
    config = make_config("name,income\nMüller,1\n".encode("cp1252"), data={"csv": {"encoding": "utf-8"}}, model=INPUTS)
    with pytest.raises(DataError, match="is not utf-8"):
        read_dataset(config)


@pytest.mark.parametrize(("key", "value"), [("separator", "::"), ("decimal", ";"), ("encoding", "klingon")])
def test_impossible_declarations(make_config, key, value):
    with pytest.raises(ConfigError, match=rf"data\.csv\.{key}"):
        read_dataset(make_config("a,income\n1,2\n", data={"csv": {key: value}}, model=INPUTS))


def test_sep_line_quotes_newlines_and_gzip(make_config):
    text = 'sep=;\n"income";"remark"\n1;"two\nlines"\n2;"a ""quoted"" word"\n'
    config = make_config(gzip.compress(text.encode()), name="rows.csv.gz", model=INPUTS, groups=["remark"])
    dataset = read_dataset(config)
    assert dataset.frame()["remark"].tolist() == ["two\nlines", 'a "quoted" word']


def test_windows_line_ends_and_a_blank_header(make_config):
    config = make_config(",income\r\n0,1\r\n1,2\r\n", model=INPUTS)
    dataset = read_dataset(config)
    assert dataset.frame()["income"].tolist() == [1, 2]
    assert [column.name for column in dataset.described] == ["(column 1)", "income"]


def test_one_column(make_config):
    assert read_dataset(make_config("income\n1\n2\n", model=INPUTS)).frame()["income"].tolist() == [1, 2]


def test_blanks_around_numbers_and_markers(make_config):
    config = make_config("income, work\n 1 , ?\n2, Private\n", data={"missing": ["?"]}, model=INPUTS, groups=["work"])
    frame = read_dataset(config).frame()
    assert frame["income"].tolist() == [1, 2]
    assert frame["work"].tolist() == [None, " Private"]


def test_declared_missing_markers_also_reach_numbers(make_config):
    config = make_config(
        "income,race\n-999,A\n5,?\n6,B\n", data={"missing": ["?", "-999"]}, model=INPUTS, groups=["race"]
    )
    dataset = read_dataset(config)
    np.testing.assert_array_equal(dataset.frame()["income"], [np.nan, 5, 6])
    assert dataset.frame()["race"].tolist() == ["A", None, "B"]
    assert "read as missing: '-999' 1 times, '?' 1 times" in dataset.reading


def test_a_word_among_numbers_is_named(make_config):
    with pytest.raises(DataError, match=r"'income' should hold numbers .*the model reads it.*holds 'n/a'") as caught:
        read_dataset(make_config("income,x\n1,1\nn/a,2\n", model=INPUTS))
    assert "data.missing" in caught.value.hint


@pytest.mark.parametrize("odd", ["inf", "nan nan", "1_000", "0x1A", "1d5", "١٢"])
def test_words_that_only_look_like_numbers(make_config, odd):
    with pytest.raises(DataError, match="should hold numbers"):
        read_dataset(make_config(f"income,x\n1,1\n{odd},2\n", model=INPUTS))


def test_a_comma_that_came_late_is_explained(make_config):
    text = "income;x\n" + "1;1\n" * 300 + "1,5;1\n"
    with pytest.raises(DataError, match="1,5") as caught:
        read_dataset(make_config(text, model=INPUTS, data={"csv": {"decimal": "."}}))
    assert "decimal" in caught.value.hint


def test_thousands_are_refused_not_guessed(make_config):
    with pytest.raises(DataError, match=r"1\.234,5"):
        read_dataset(make_config("income;x\n1,5;1\n1.234,5;1\n", model=INPUTS))


def test_a_row_of_another_width(make_config):
    with pytest.raises(DataError, match=r"row 3 .*has 3 values where the header names 2") as caught:
        read_dataset(make_config("income,secret\n1,a\n2,b,topsecret\n", model=INPUTS))
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no byte"),
        (b"\n\n", "no header"),
        (b"income,x\n", "header but no rows"),
        (b"income,income\n1,2\n", "'income' twice"),
        (b"PK\x03\x04aaaa", "Excel"),
        (b"\x80\x04\x95aaaa", "pickle"),
        (b'{"income": [1]}', "JSON"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"in\x00come\n1\n", "zero bytes"),
        (b"income,x\r1,2\r", "carriage return"),
    ],
)
def test_what_is_no_table(make_config, content, message):
    with pytest.raises(DataError, match=message):
        read_dataset(make_config(content, name="rows.txt", model=INPUTS))


def test_truncated_gzip(make_config):
    body = gzip.compress(b"income,x\n" + b"".join(b"%d,%d\n" % (i * 7919 % 1009, i) for i in range(100_000)))
    with pytest.raises(DataError, match=r"rows\.csv\.gz"):
        read_dataset(make_config(body[: len(body) // 2], name="rows.csv.gz", model=INPUTS))


def test_no_such_file_names_a_near_one(tmp_path):
    (tmp_path / "applicants.csv").write_text("income\n1\n")
    config = ExamineConfig.model_validate({"data": str(tmp_path / "aplicants.csv"), "model": INPUTS})
    with pytest.raises(ConfigError, match=r"data\.audit: no such file.*did you mean 'applicants\.csv'"):
        read_dataset(config)


def test_columns_that_are_not_there_come_back_at_once(make_config):
    config = make_config(
        "income,lable,gender\n1,1,F\n2,0,M\n",
        label="label",
        groups={"sex": "gendr"},
        model={"path": "m.pt2", "inputs": ["incom"], "expected_score": "score"},
        data={"id": "id", "weight": "w"},
    )
    with pytest.raises(ConfigError) as caught:
        read_dataset(config)
    places = {mistake.place: mistake.hint for mistake in caught.value.mistakes}
    assert set(places) == {
        "model.inputs",
        "label.column",
        "groups.sex.column",
        "data.id",
        "data.weight",
        "model.expected_score",
    }
    assert places["label.column"] == "did you mean 'lable'?"
    assert places["groups.sex.column"] == "did you mean 'gender'?"


def test_a_misspelled_feature_or_exclusion_is_a_mistake(make_config):
    config = make_config(
        "income,debts\n1,2\n", model=INPUTS, features={"detbs": {"role": "x"}}, exclude=["income", "deb"]
    )
    with pytest.raises(ConfigError) as caught:
        read_dataset(config)
    assert {mistake.place for mistake in caught.value.mistakes} == {"features.detbs", "exclude"}
    assert any("the model reads it" in mistake.what for mistake in caught.value.mistakes)


def test_digest_is_that_of_the_bytes(make_config):
    text = b"income,x\n1,2\n"
    file = read_dataset(make_config(text, model=INPUTS)).files[0]
    assert file.name == "rows.csv"
    assert file.sha256 == "sha256:" + hashlib.sha256(text).hexdigest()
    assert (file.size, file.role) == (len(text), "data.audit")


def test_batches_agree_with_the_frame(make_config, monkeypatch):
    monkeypatch.setattr("audit.examination.data.stream.BLOCK_BYTES", 256)
    rows = "".join(f"{i},{'ABC'[i % 3]}\n" for i in range(500))
    dataset = read_dataset(make_config("income,race\n" + rows, model=INPUTS, groups=["race"]))
    streamed = pd.concat(list(dataset.batches(64)))
    assert max(len(batch) for batch in dataset.batches(64)) <= 64
    pd.testing.assert_frame_equal(streamed, dataset.frame())
    pd.testing.assert_frame_equal(pd.concat(list(dataset.batches(77))), dataset.frame())
    assert dataset.take(np.array([400, 3])).index.tolist() == [400, 3]
    assert streamed.index.tolist() == list(range(500))


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\r\n\ufeff", exclude_categories=("Cs",)), max_size=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False, width=32), TEXTS), min_size=1, max_size=30
    ),
    separator=st.sampled_from(";|\t,"),
)
def test_what_pandas_writes_is_read_back(make_config, rows, separator):
    """Oracle: pandas writes the file; numbers and texts come back as they were."""
    frame = pd.DataFrame(
        {"income": [row[0] for row in rows], "word": pd.Series([row[1] for row in rows], dtype=object)}
    )
    text = frame.to_csv(index=False, sep=separator)
    config = make_config(
        text,
        model=INPUTS,
        groups=["word"],
        features={"word": {"kind": "category"}},
        data={"missing": [""], "csv": {"separator": separator}},
    )
    read = read_dataset(config).frame()
    np.testing.assert_array_equal(read["income"], frame["income"])
    assert read["word"].tolist() == [word if word.strip() else None for word in frame["word"]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.text("ab01.,;\t\"'\r\n -é", max_size=200).map(lambda text: text.encode("cp1252")),
        st.binary(max_size=100).map(lambda tail: b"PAR1" + tail + b"PAR1"),
        st.binary(max_size=100).map(lambda tail: b"ARROW1\x00\x00" + tail),
        st.binary(max_size=100).map(lambda tail: b"\xff\xff\xff\xff" + tail),
        st.binary(max_size=100).map(lambda tail: b"income,x\n1,2\n" + tail),
    )
)
def test_whatever_the_file_holds_it_is_read_or_refused(make_config, content):
    """Fuzz: nothing but a table or an error that a person can read comes out, and a table hands out its rows."""
    config = make_config(content, name="rows.any", model={"format": "python", "factory": "f.py:f"})
    try:
        dataset = read_dataset(config)
    except AuditError:
        return
    assert len(dataset.frame()) == dataset.rows > 0
