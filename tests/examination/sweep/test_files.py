"""Shards swept apart, written, read and put together; and files that only say they are such."""

import json

import numpy as np
import pyarrow as pa
import pytest

from audit.errors import ConfigError, DataError
from audit.examination.sweep.apart import join_sweeps, sweep_shard
from audit.examination.sweep.files import read_sweep, write_sweep


@pytest.fixture(scope="module")
def shards(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweeps")
    paths = []
    for at in (1, 2, 3, 4):
        paths.append(folder / f"part-{at}.sweep")
        write_sweep(sweep_shard(table.config, at, 4), paths[-1])
    return paths


def test_shards_put_together_are_the_table(table, shards, tools):
    whole = tools.gather(table.config)
    rows = join_sweeps(table.config, [read_sweep(path) for path in reversed(shards)])
    assert rows.dataset.rows == rows.whole.rows == 3_000
    assert rows.whole.roll.exact
    for sets in [("sex",), ("region", "age")]:
        np.testing.assert_array_equal(rows.whole.tally.counts(sets), whole.tally.counts(sets))
    assert sorted(rows.whole.roll.score.tolist()) == pytest.approx(sorted(whole.roll.score.tolist()), abs=1e-7)
    described = {item.name: item for item in rows.dataset.described}
    assert described["sex"].missing == int(table.frame["sex"].isna().sum())
    assert described["income"].low == table.frame["income"].min()
    assert rows.dataset.kinds["age"] == "number"
    assert {file.name for file in rows.dataset.files} == {f"parts/part-{at}.parquet" for at in range(3)}


def test_a_sweep_reads_back_as_it_was(table, shards):
    made, back = sweep_shard(table.config, 2, 4), read_sweep(shards[1])
    assert (made.digest, made.rows, made.covers, made.pieces) == (back.digest, back.rows, back.covers, back.pieces)
    assert (made.settled, made.facts, made.files, made.notes) == (back.settled, back.facts, back.files, back.notes)
    np.testing.assert_array_equal(made.roll.score, back.roll.score)
    np.testing.assert_array_equal(made.roll.label, back.roll.label)
    assert made.roll.levels == back.roll.levels
    assert made.sample.frame().equals(back.sample.frame())
    np.testing.assert_array_equal(made.sample.mark, back.sample.mark)


def test_what_does_not_belong_together_is_refused(table, shards, tools, model):
    some = [read_sweep(path) for path in shards]
    with pytest.raises(DataError, match=r"of the 12 pieces of the table are in none"):
        join_sweeps(table.config, some[:3])
    with pytest.raises(DataError, match="counted twice"):
        join_sweeps(table.config, [*some, some[0]])
    other = tools.settings(table.folder, model, decision="score >= 0.7")
    with pytest.raises(DataError, match="different configurations: .*decision is .*0.5.* 0.7|different configurations"):
        join_sweeps(table.config, [*some[:3], sweep_shard(other, 4, 4)])
    with pytest.raises(DataError, match="another configuration than this one: decision"):
        join_sweeps(other, some)


def test_a_shard_says_what_it_cannot_know(table, tools, model):
    config = tools.settings(table.folder, model, groups={"age": "age"})
    with pytest.raises(ConfigError, match="number without bins") as refused:
        sweep_shard(config, 1, 2)
    assert "bins: [25, 40, 60]" in str(refused.value)


def test_kinds_that_differ_between_shards_are_named(tools, model, tmp_path):
    frame = tools.make_frame(800)
    frame["region"] = ["1"] * 400 + ["north"] * 400
    folder = tools.write_parts(frame, tmp_path / "odd", files=2, group=400)
    config = tools.settings(folder, model)
    with pytest.raises(DataError, match="kind of region is 'number' in one and 'category' in the other"):
        join_sweeps(config, [sweep_shard(config, at, 2) for at in (1, 2)])


def spoil(path, target, change):
    """Write a sweep again with its head, its roll or its sample changed."""
    with pa.OSFile(str(path)) as source:
        batch = pa.ipc.open_file(source).get_batch(0)
        head = json.loads(batch.column("head")[0].as_py())
        tables = {name: pa.ipc.open_stream(batch.column(name)[0].as_py()).read_all() for name in ("roll", "sample")}
    change(head, tables)
    packed = {}
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        packed[name] = pa.array([bytes(sink.getvalue())], pa.large_binary())
    batch = pa.record_batch({"head": pa.array([json.dumps(head)], pa.large_string()), **packed})
    with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return target


def put(name, values):
    def change(head, tables):
        at = tables["roll"].schema.get_field_index(name)
        tables["roll"] = tables["roll"].set_column(at, name, pa.array(values(len(tables["roll"]))))

    return change


HOSTILE = {
    "another format": lambda head, tables: head.update(format="sweep/9"),
    "fewer rows than said": lambda head, tables: head.update(rows=head["rows"] + 1),
    "no digest": lambda head, tables: head.pop("digest"),
    "a group without a name": put("group sex", lambda n: np.full(n, 99)),
    "a negative group": put("group sex", lambda n: np.full(n, -1)),
    "a group named twice": lambda head, tables: head["levels"].update(sex=["F"] * len(head["levels"]["sex"])),
    "negative counts": put("count", lambda n: np.full(n, -5)),
    "scores that are no numbers": put("score", lambda n: np.full(n, np.inf)),
    "texts for scores": put("score", lambda n: ["a"] * n),
    "bins that are none": lambda head, tables: head.update(width=-1.0),
    "more pieces than there are": lambda head, tables: head.update(pieces=1),
    "a file that is none": lambda head, tables: head.update(files=[{"name": "x"}]),
    "facts that are none": lambda head, tables: head.update(facts=[{"name": "x", "odd_key": 1}]),
    "lists for numbers": lambda head, tables: tables.update(
        sample=tables["sample"].append_column("column bad", pa.array([[1]] * len(tables["sample"])))
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_files_that_cannot_be_sweeps_are_refused(shards, tmp_path, name):
    spoilt = spoil(shards[0], tmp_path / "spoilt.sweep", HOSTILE[name])
    with pytest.raises(DataError, match=r"spoilt\.sweep is no sweep that can be read"):
        read_sweep(spoilt)


def test_any_other_file_is_refused(shards, tmp_path):
    data = shards[0].read_bytes()
    for at, content in enumerate(
        (b"", b"hello", data[: len(data) // 2], b"\x80\x04K\x01." + data, data[:200] + data[300:])
    ):
        path = tmp_path / f"{at}.sweep"
        path.write_bytes(content)
        with pytest.raises(DataError, match="no sweep that can be read"):
            read_sweep(path)
    with pytest.raises(ConfigError, match="no such file"):
        read_sweep(tmp_path / "none.sweep")


def test_a_file_appears_whole_or_not_at_all(table, shards, tmp_path):
    sweep = read_sweep(shards[0])
    with pytest.raises(ConfigError, match="cannot write"):
        write_sweep(sweep, tmp_path / "nowhere" / "part.sweep")
    write_sweep(sweep, tmp_path / "part.sweep")
    assert [path.name for path in tmp_path.iterdir()] == ["part.sweep"]
