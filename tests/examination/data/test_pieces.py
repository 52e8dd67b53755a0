"""Parts of tables read alone, what is known of them added up, and tables that lie elsewhere."""

import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.config.load import config_from
from audit.config.schema import DataSource
from audit.errors import ConfigError, DataError
from audit.examination.blackbox.encode import Encoder
from audit.examination.blackbox.survey import survey_facts
from audit.examination.data.kinds import merge_facts, scan_source
from audit.examination.data.read import read_dataset
from audit.examination.data.source import frame_source, open_part, open_source
from audit.examination.data.values import Reading

FRAME = pd.DataFrame(
    {
        "x": np.arange(50, dtype=float),
        "job": (["clerk", "nurse", None, "driver", "nurse"] * 10),
        "code": [f"{at:03d}" for at in range(50)],
        "flag": [True, False, None, True, False] * 10,
        "group": ["a", "b"] * 25,
    }
)


def write(folder, form):
    folder.mkdir()
    for at, part in enumerate((FRAME.iloc[:30], FRAME.iloc[30:])):
        table = pa.Table.from_pandas(part, preserve_index=False)
        path = folder / f"{at}.{form}"
        if form == "parquet":
            pq.write_table(table, path, row_group_size=8)
        elif form == "arrow":
            with pa.ipc.new_file(str(path), table.schema) as writer:
                writer.write_table(table, max_chunksize=8)
        elif form == "ipc":
            with pa.ipc.new_stream(str(path), table.schema) as writer:
                writer.write_table(table, max_chunksize=8)
        else:
            part.to_csv(path, index=False)
    return folder


def rows_of(source, pieces=None):
    found = pa.Table.from_batches([batch.cast(batch.schema) for batch in source.stream(["code"], pieces)])
    return found.column("code").to_pylist()


@pytest.mark.parametrize(("form", "count"), [("parquet", 7), ("arrow", 7), ("ipc", 2), ("csv", 2)])
def test_pieces_are_the_table_and_can_be_sent(tmp_path, form, count):
    source = open_source(str(write(tmp_path / "t", form)), DataSource(audit="t"), place="data.audit")
    assert len(source.pieces) == count
    whole = rows_of(source)
    assert whole == FRAME["code"].tolist()
    assert [row for piece in source.pieces for row in rows_of(source, [piece])] == whole
    again = pickle.loads(pickle.dumps(source))
    assert rows_of(again, again.pieces[1:]) == rows_of(source, source.pieces[1:])
    if form in ("parquet", "arrow"):
        assert [piece.rows for piece in source.pieces] == [8, 8, 8, 6, 8, 8, 4]
        assert [piece.start for piece in source.pieces] == [0, 8, 16, 24, 0, 8, 16]


def test_a_frame_has_pieces_too(monkeypatch):
    monkeypatch.setattr("audit.examination.data.source.FRAME_PIECE", 20)
    source = frame_source(FRAME)
    assert [piece.rows for piece in source.pieces] == [20, 20, 10]
    assert [row for piece in source.pieces for row in rows_of(source, [piece])] == rows_of(source)
    assert not source.shippable


def test_a_part_digests_its_own_files_alone(tmp_path):
    folder = write(tmp_path / "t", "parquet")
    part = open_part(str(folder), DataSource(audit="t"), lambda pieces: pieces[4:6], place="data.audit")
    assert [file.name for file in part.files] == ["t/1.parquet"]
    assert rows_of(part) == FRAME["code"].tolist()[30:46]
    assert (part.total_pieces, part.total_rows) == (7, 50)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 49), st.sampled_from(["x", "job", "code", "flag", "group"]))
def test_facts_of_parts_add_up(cut, name):
    reading = Reading(frozenset({"", "nurse"}))
    parts = [
        tuple(scan_source(frame_source(part.reset_index(drop=True)), reading, [name])[1].values())
        for part in (FRAME.iloc[:cut], FRAME.iloc[cut:])
    ]
    whole = scan_source(frame_source(FRAME), reading, [name])[1][name]
    assert merge_facts(parts) == (whole,)


def test_facts_of_parts_that_look_different():
    def facts(*values):
        return tuple(scan_source(frame_source(pd.DataFrame({"a": list(values)})), Reading(), ["a"])[1].values())

    assert merge_facts([facts("1", "2"), facts("x")])[0].guess == "category"
    assert merge_facts([facts("1", "2"), facts("x")])[0].odd == "'x'"
    assert merge_facts([facts("true"), facts("7")])[0].kind == "category"
    assert merge_facts([facts("1"), facts("007")])[0].why == "leading zeros"
    assert merge_facts([facts(None, None), facts("a")])[0].missing == 2
    assert merge_facts([facts(None), facts("3")])[0].guess == "number"


BLOCKS = [
    {"kind": "numeric", "columns": ["x"], "missing": 0.0},
    {"kind": "codes", "columns": ["job"], "levels": {"job": ["clerk", "nurse", "driver"]}, "missing": 0, "offset": 1},
    {"kind": "one_hot", "columns": ["flag"], "levels": {"flag": [True, False]}},
]


def test_survey_from_facts_is_the_survey_of_the_rows(tmp_path):
    folder = write(tmp_path / "t", "parquet")
    given = {"data": str(folder), "groups": ["group"], "model": {"path": "m.pt", "inputs": {"a": BLOCKS}}}
    config = config_from(given)
    dataset, encoder = read_dataset(config), Encoder(config.model.inputs)
    looked = encoder.survey(dataset.batches())
    told = survey_facts(encoder, dataset)
    assert told is not None
    assert (told.rows, told.missing) == (looked.rows, looked.missing)
    assert looked.missing == {"x": 0, "job": 10, "flag": 10}
    assert not looked.unknown
    assert not told.unknown
    BLOCKS[1]["levels"]["job"].remove("driver")
    strange = Encoder(config_from(given).model.inputs)
    assert survey_facts(strange, dataset) is None


def test_glimpse_and_batches_of_columns(tmp_path, monkeypatch):
    folder = write(tmp_path / "t", "parquet")
    dataset = read_dataset(
        config_from({"data": str(folder), "groups": ["group"], "model": {"scores": "x"}, "decision": "score >= 0.3"})
    )
    monkeypatch.setattr("audit.examination.data.dataset.LARGE_ROWS", 10)
    drawn = dataset.glimpse(12, np.random.default_rng(1))
    assert len(drawn) == 12
    assert drawn["x"].is_monotonic_increasing
    assert drawn.equals(dataset.glimpse(12, np.random.default_rng(1)))
    assert "frame" not in dataset._kept
    assert next(list(frame.columns) for frame in dataset.batches(20, columns=("group",))) == ["group"]


# elsewhere


def test_a_table_elsewhere_is_read_through_pyarrow(tmp_path):
    folder = write(tmp_path / "t", "parquet")
    here = open_source(str(folder), DataSource(audit="t"), place="data.audit")
    for address in (folder.as_uri(), folder.as_uri() + "/*.parquet"):
        there = open_source(address, DataSource(audit="t"), place="data.audit")
        assert rows_of(there) == rows_of(here)
        assert [file.sha256 for file in there.files] == [file.sha256 for file in here.files]
    one = open_source((folder / "1.parquet").as_uri(), DataSource(audit="t"), place="data.audit")
    assert rows_of(one) == FRAME["code"].tolist()[30:]
    table = write(tmp_path / "c", "csv")
    text = open_source(table.as_uri(), DataSource(audit="t"), place="data.audit")
    assert rows_of(text) == FRAME["code"].tolist()


def refuse(address, advice):
    with pytest.raises(ConfigError) as refused:
        open_source(address, DataSource(audit="t"), place="data.audit")
    assert refused.value.place == "data.audit"
    assert advice in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("address", "advice"),
    [("https://example.org/rows.parquet", "download the file"), ("wonder://rows", "copy the files here")],
)
def test_what_pyarrow_does_not_know_is_refused_with_advice(address, advice):
    refuse(address, advice)


def test_a_store_that_does_not_answer_is_refused_with_advice(monkeypatch):
    class Silent:
        @staticmethod
        def from_uri(address):
            raise OSError("When resolving region for bucket 'rows': NETWORK_CONNECTION\nand much more")

    monkeypatch.setattr("pyarrow.fs.FileSystem", Silent)
    said = refuse("s3://rows/2026/*.parquet", "AWS_ACCESS_KEY_ID")
    assert "s3://rows/2026/*.parquet cannot be reached: When resolving region" in said
    assert "much more" not in said


@pytest.mark.slow
def test_a_port_where_nobody_listens_is_refused_with_advice(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    refuse("s3://bucket/rows?endpoint_override=127.0.0.1:9&scheme=http&region=nowhere", "AWS_ACCESS_KEY_ID")


def test_nothing_at_an_address(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="there is no file at"):
        open_source((tmp_path / "empty").as_uri(), DataSource(audit="t"), place="data.audit")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(DataError, match="cannot be read as parquet"):
        open_source((tmp_path / "x.parquet").as_uri(), DataSource(audit="t"), place="data.audit")
