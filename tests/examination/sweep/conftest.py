"""A table in several files with small row groups, a net to score it, and both ways of looking at it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from material import make_net, make_table

from audit.config.load import config_from
from audit.config.schema import Config
from audit.examination.blackbox.intake import take_in
from audit.examination.engine.engine import Engine, SerialExecutor
from audit.examination.engine.progress import SilentProgress
from audit.examination.sweep.find import read_rows
from audit.examination.sweep.people import gather_people, sweep_table

ROWS = 3_000


@dataclass(frozen=True)
class Table:
    """A folder of Parquet files and the configuration that audits it."""

    folder: Path
    config: Config
    frame: object


def make_frame(rows: int = ROWS, seed: int = 11):
    frame = make_table(rows, seed)
    rng = np.random.default_rng(seed)
    frame["weight"] = rng.choice([0.5, 1.0, 2.0], rows)
    frame.loc[rng.random(rows) < 0.1, "sex"] = None
    frame["repaid"] = frame["repaid"].astype("Int64").mask(rng.random(rows) < 0.2)
    frame["stored"] = 1 / (1 + np.exp(-(frame["income"] - 30) / 10))
    frame["said"] = np.where(frame["stored"] > 0.6, "yes", "no")
    return frame


def write_parts(frame, folder: Path, files: int, group: int) -> Path:
    folder.mkdir(parents=True)
    edges = np.linspace(0, len(frame), files + 1).astype(int)
    for at in range(files):
        part = frame.iloc[edges[at] : edges[at + 1]]
        pq.write_table(
            pa.Table.from_pandas(part, preserve_index=False), folder / f"part-{at}.parquet", row_group_size=group
        )
    return folder


def settings(folder: Path, net: Path | None, **more):
    given = {
        "data": {"audit": str(folder), "weight": "weight", "id": "applicant"},
        "label": "repaid",
        "groups": {"sex": "sex", "region": "region", "age": {"column": "age", "bins": [30, 50]}},
        "effort": "fast",
    }
    if net is not None:
        given["model"] = {"path": str(net), "inputs": ["income", "debts", "age"], "output": "logit"}
    return config_from({**given, **more})


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    import torch

    path = tmp_path_factory.mktemp("model") / "model.ts.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(make_net(), torch.zeros(2, 3)).save(str(path))
    return path


@pytest.fixture(scope="session")
def table(tmp_path_factory, model) -> Table:
    folder = tmp_path_factory.mktemp("table") / "parts"
    frame = make_frame()
    write_parts(frame, folder, files=3, group=250)
    return Table(folder, settings(folder, model), frame)


@pytest.fixture
def few(monkeypatch):
    """Small limits, so that a small table is a large one."""

    def lower(*, large: int = 100, sample: int = 400, most: int = 5_000_000, shard: int = 500) -> None:
        for room in ("sweep.people", "blackbox.intake", "data.dataset"):
            monkeypatch.setattr(f"audit.examination.{room}.LARGE_ROWS", large)
        monkeypatch.setattr("audit.examination.sweep.shards.SHARD_ROWS", shard)
        for room in ("order", "sweep"):
            monkeypatch.setattr(f"audit.examination.sweep.{room}.MOST_ENTRIES", most)
        monkeypatch.setitem(__import__("audit.examination.sweep.sample", fromlist=["x"]).SAMPLE_ROWS, "fast", sample)

    return lower


LOCAL = Engine(SerialExecutor())
PAIRS = [("sex", "region"), ("sex", "age"), ("region", "age")]


def sweep_all(config, engine: Engine = LOCAL):
    rows = read_rows(config)
    blackbox, intake = take_in(rows.config, rows.dataset)
    return sweep_table(rows.config, rows.dataset, blackbox, intake, engine, SilentProgress())


def gather(config, engine: Engine = LOCAL):
    rows = read_rows(config)
    blackbox, intake = take_in(rows.config, rows.dataset)
    return gather_people(rows, blackbox, intake, engine, PAIRS, SilentProgress())


@pytest.fixture
def tools():
    """The functions of this file, for tests of this room."""
    from types import SimpleNamespace

    return SimpleNamespace(
        sweep_all=sweep_all,
        gather=gather,
        settings=settings,
        write_parts=write_parts,
        make_frame=make_frame,
        local=LOCAL,
        pairs=PAIRS,
    )
