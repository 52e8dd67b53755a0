"""A real Dask cluster of two workers on this machine: the same tables, also when a worker dies in the middle."""

from __future__ import annotations

import hashlib
import os
import signal
import textwrap

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from material import make_table

from audit.config.load import config_from
from audit.errors import ConfigError
from audit.examination.blackbox.intake import take_in, take_in_callable
from audit.examination.engine.engine import open_engine
from audit.examination.engine.progress import SilentProgress
from audit.examination.sweep.find import read_rows
from audit.examination.sweep.people import gather_people, sweep_table

distributed = pytest.importorskip("distributed")
# what the cluster's own threads and sockets say when a worker is killed is not ours
pytestmark = pytest.mark.filterwarnings("ignore")

SLOW = textwrap.dedent(
    '''
    """A model that takes its time."""
    import time

    import numpy as np


    def score(frame):
        if len(frame) == 200:  # a shard, and not the rows on which the contract is tried
            time.sleep(0.15)
        return 1 / (1 + np.exp(-(frame["income"].to_numpy() - 30) / 10))
    '''
)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dask")
    frame = make_table(2_400)
    (folder / "rows").mkdir()
    for at in range(4):
        part = pa.Table.from_pandas(frame.iloc[600 * at : 600 * at + 600], preserve_index=False)
        pq.write_table(part, folder / "rows" / f"{at}.parquet", row_group_size=200)
    (folder / "slow.py").write_text(SLOW)
    digest = hashlib.sha256((folder / "slow.py").read_bytes()).hexdigest()
    return config_from(
        {
            "data": str(folder / "rows"),
            "label": "repaid",
            "groups": ["sex", "region"],
            "model": {
                "format": "python",
                "factory": f"{folder / 'slow.py'}:score",
                "trust_code": True,
                "sha256": digest,
                "inputs": ["income"],
            },
            "effort": "fast",
        }
    )


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, worker_dashboard_address=None
    ) as cluster:
        yield cluster


def sweep(config, engine, progress=None):
    rows = read_rows(config)
    blackbox, intake = take_in(rows.config, rows.dataset)
    return sweep_table(rows.config, rows.dataset, blackbox, intake, engine, progress or SilentProgress())


class Killer(SilentProgress):
    """Kills one worker as soon as the first shard is done."""

    def __init__(self, cluster) -> None:
        self.cluster, self.killed = cluster, None

    def step(self, done: int, total: int) -> None:
        if self.killed is None and done < total:
            self.killed = next(iter(self.cluster.workers.values())).pid
            os.kill(self.killed, signal.SIGKILL)


def assert_same(one, other):
    assert one.digest == other.digest
    assert one.rows == other.rows
    assert one.covers == other.covers
    assert one.roll.levels == other.roll.levels
    for name in ("score", "label", "favourable", "count"):
        np.testing.assert_array_equal(getattr(one.roll, name), getattr(other.roll, name))
    for name, codes in one.roll.codes.items():
        np.testing.assert_array_equal(codes, other.roll.codes[name])
    assert one.sample.frame().equals(other.sample.frame())


def test_two_workers_make_the_same_sweep_also_when_one_dies(job, cluster, monkeypatch):
    monkeypatch.setattr("audit.examination.sweep.shards.SHARD_ROWS", 200)
    with open_engine() as engine:
        here = sweep(job, engine)
    address = cluster.scheduler_address.replace("tcp://", "dask://")
    with open_engine(address) as engine:
        assert engine.ships
        assert_same(here, sweep(job, engine))
        killer = Killer(cluster)
        assert_same(here, sweep(job, engine, killer))
        assert killer.killed is not None
        rows = read_rows(job)
        blackbox, intake = take_in(rows.config, rows.dataset)
        people = gather_people(rows, blackbox, intake, engine, [("sex", "region")], SilentProgress())
    assert people.tally.table(("sex", "region")).cells
    assert len(people.frame) == 2_400
    with pytest.raises(ProcessLookupError):
        os.kill(killer.killed, 0)


def test_objects_in_memory_do_not_travel(job, cluster):
    rows = read_rows(job)
    blackbox, intake = take_in_callable(lambda frame: frame["income"] / 300, rows.config, rows.dataset)
    frame = make_table(300)
    held = read_rows(job, frame)
    with open_engine(cluster.scheduler_address.replace("tcp://", "dask://")) as engine:
        with pytest.raises(ConfigError, match="model is an object in memory"):
            gather_people(rows, blackbox, intake, engine, [], SilentProgress())
        with pytest.raises(ConfigError, match="rows are a frame in memory"):
            gather_people(held, blackbox, intake, engine, [], SilentProgress())
