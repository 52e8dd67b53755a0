"""Sweeps as files: what a job writes and the one who puts the shards together reads.

Comes in: a `Sweep`, or a file that may be anything. Goes out: a file of Arrow tables with no code in it, or the sweep,
checked so far that it cannot count wrong silently. A file holds the rows of its sample: keep it as you keep the data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from audit.errors import ConfigError, DataError
from audit.evidence import FileDigest
from audit.examination.data.kinds import ColumnFacts
from audit.examination.data.stream import Piece
from audit.examination.tally.roll import Roll

from .sample import Sample
from .sweep import Sweep

FORMAT = "glassbox-audit sweep/2"
_MOST_HEAD = 64 << 20
_ROLL = ("label", "score", "favourable", "weight", "weight_square", "outcome", "truth", "score_square")


def write_sweep(sweep: Sweep, path: Path) -> None:
    """Write a sweep to a file; it appears whole or not at all.

    Parameters
    ----------
    sweep : Sweep
        What to write.
    path : pathlib.Path
        The file.

    Raises
    ------
    ConfigError
        It cannot be written there.
    """
    head = {
        "format": FORMAT,
        "digest": sweep.digest,
        "rows": sweep.rows,
        "covers": [asdict(piece) for piece in sweep.covers],
        "pieces": sweep.pieces,
        "settled": dict(sweep.settled),
        "facts": [asdict(item) for item in sweep.facts],
        "files": [item.model_dump() for item in sweep.files],
        "notes": list(sweep.notes),
        "unscored": sweep.unscored,
        "unscored_groups": {name: dict(levels) for name, levels in sweep.unscored_groups.items()},
        "size": sweep.sample.size,
        "levels": {name: list(levels) for name, levels in sweep.roll.levels.items()},
        "outcomes": list(sweep.roll.outcomes),
        "width": sweep.roll.width,
        "halvings": sweep.roll.halvings,
        "valued": sweep.roll.valued,
    }
    batch = pa.record_batch(
        {
            "head": pa.array([json.dumps(head)], pa.large_string()),
            "roll": pa.array([_pack(_roll_columns(sweep.roll))], pa.large_binary()),
            "sample": pa.array([_pack(_sample_columns(sweep.sample))], pa.large_binary()),
        }
    )
    part = path.with_name(f".{path.name}.part")
    try:
        with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(f"cannot write {path}: {error.strerror or error}", hint="is the folder there?") from None


def read_sweep(path: Path) -> Sweep:
    """Read a sweep from a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    ConfigError
        No such file.
    DataError
        It is no sweep, damaged, or holds numbers that cannot be counts of rows.
    """
    if not path.is_file():
        raise ConfigError(f"no such file: {path}", hint="it is what audit examine --shard wrote")
    try:
        with pa.OSFile(str(path), "rb") as source:
            batch = pa.ipc.open_file(source).get_batch(0)
            batch.validate(full=True)
            packed = batch.column("head")[0].as_buffer()
            if packed.size > _MOST_HEAD:
                raise ValueError("its head is too long")
            head = json.loads(packed.to_pybytes())
            if head["format"] != FORMAT:
                raise ValueError(f"its format is {str(head['format'])[:40]!r}")
            roll = _read_roll(head, _unpack(batch.column("roll")[0].as_buffer()))
            sample = _read_sample(head, _unpack(batch.column("sample")[0].as_buffer()))
            return _build(head, roll, sample)
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path.name} is no sweep that can be read: {str(error).splitlines()[0][:120] if str(error) else ''}",
            hint="was it cut short, or written by another version?",
        ) from None


def _build(head: Mapping[str, Any], roll: Roll, sample: Sample) -> Sweep:
    sweep = Sweep(
        digest=str(head["digest"]),
        roll=roll,
        sample=sample,
        rows=int(head["rows"]),
        covers=tuple(Piece(**{key: int(value) for key, value in item.items()}) for item in head["covers"]),
        pieces=int(head["pieces"]),
        settled={str(key): value for key, value in head["settled"].items()},
        facts=tuple(_read_facts(item) for item in head["facts"]),
        files=tuple(FileDigest.model_validate(item) for item in head["files"]),
        notes=tuple(str(note) for note in head["notes"]),
        unscored=int(head["unscored"]),
        unscored_groups={
            str(name): {str(level): int(count) for level, count in levels.items()}
            for name, levels in head["unscored_groups"].items()
        },
    )
    _refuse(sweep.unscored < 0, "it counts fewer than no rows without a score")
    _refuse(
        roll.rows + sweep.unscored != sweep.rows,
        f"it counts {roll.rows + sweep.unscored:,} rows and says {sweep.rows:,}",
    )
    _refuse(not 0 < len(sweep.covers) <= sweep.pieces, "it names more pieces than the table has")
    return sweep


def _read_facts(item: Mapping[str, Any]) -> ColumnFacts:
    return ColumnFacts(**{**item, "levels": tuple(str(level) for level in item["levels"])})


def _roll_columns(roll: Roll) -> dict[str, np.ndarray]:
    columns = {f"group {name}": codes for name, codes in roll.codes.items()} | {"count": roll.count}
    return columns | {name: getattr(roll, name) for name in _ROLL if getattr(roll, name) is not None}


def _read_roll(head: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> Roll:
    levels = {str(name): tuple(str(level) for level in found) for name, found in head["levels"].items()}
    outcomes, count = tuple(str(name) for name in head["outcomes"]), columns["count"].astype(np.int64)
    codes = {name: columns[f"group {name}"].astype(np.int32) for name in levels}
    _refuse(bool((count < 1).any()) or not len(count), "it holds entries without rows")
    for name, values in codes.items():
        _refuse(len(set(levels[name])) < len(levels[name]), f"it names a group of {name} twice")
        _refuse(_outside(values, 0, len(levels[name])), f"it holds a group of {name} without a name")
    for name, low in (("outcome", 0), ("truth", -1)):
        _refuse(name in columns and _outside(columns[name], low, len(outcomes)), f"it holds a {name} without a name")
    for name in ("score", "weight", "weight_square", "score_square"):
        _refuse(name in columns and not np.isfinite(columns[name]).all(), f"it holds a {name} that is no number")
    width, halvings = float(head["width"]), int(head["halvings"])
    _refuse(not (width >= 0 and 0 <= halvings <= 64), "its bins are none")
    return Roll(
        levels=levels,
        codes=dict(codes),
        count=count,
        outcomes=outcomes,
        width=width,
        halvings=halvings,
        valued=bool(head["valued"]),
        **{name: _as(name, columns.get(name)) for name in _ROLL},
    )


def _as(name: str, values: np.ndarray | None) -> Any:
    kinds = {"favourable": bool, "outcome": np.int32, "truth": np.int32}
    return None if values is None else values.astype(kinds.get(name, np.float64))


def _sample_columns(sample: Sample) -> dict[str, np.ndarray]:
    strata = {f"stratum {name}": values for name, values in sample.strata.items()}
    columns = {f"column {name}": values for name, values in sample.columns.items()}
    return {"position": sample.position, "mark": sample.mark, **strata, **columns}


def _read_sample(head: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> Sample:
    def named(start: str) -> dict[str, np.ndarray]:
        return {name.removeprefix(start): values for name, values in columns.items() if name.startswith(start)}

    return Sample(
        int(head["size"]),
        columns["position"].astype(np.uint64),
        columns["mark"].astype(np.uint64),
        named("stratum "),
        named("column "),
    )


def _pack(columns: Mapping[str, np.ndarray]) -> bytes:
    table = pa.table({name: pa.array(values, from_pandas=False) for name, values in columns.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _unpack(data: Any) -> dict[str, np.ndarray]:
    with pa.ipc.open_stream(data) as reader:
        table = reader.read_all()
    table.validate(full=True)
    return {name: _to_numpy(table.column(name).combine_chunks()) for name in table.column_names}


def _to_numpy(array: Any) -> np.ndarray:
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    kind = array.type
    read = next((read for knows, read in _READERS.items() if knows(kind)), None)
    if read is None:
        raise ValueError(f"it holds a column of {kind}")
    return read(array)


def _read_objects(array: Any) -> np.ndarray:
    result = np.empty(len(array), dtype=object)
    result[:] = array.to_pylist()
    return result


def _read_numbers(array: Any) -> np.ndarray:
    if array.null_count:
        raise ValueError("it holds numbers that are missing")
    return np.asarray(array.to_numpy(zero_copy_only=False)).copy()


_READERS: dict[Callable[[Any], bool], Callable[[Any], np.ndarray]] = {
    pa.types.is_floating: _read_numbers,
    pa.types.is_integer: _read_numbers,
    pa.types.is_boolean: _read_objects,
    pa.types.is_string: _read_objects,
    pa.types.is_null: _read_objects,
}
"""What knows a type, to what reads a column of it."""


def _outside(values: np.ndarray, low: int, high: int) -> bool:
    return bool(len(values)) and (int(values.min()) < low or int(values.max()) >= high)


def _refuse(wrong: bool, why: str) -> None:
    if wrong:
        raise ValueError(why)
