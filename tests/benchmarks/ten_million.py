"""Ten million rows: CPU and memory of the pass over all of them beside the bare scoring loop, and through Dask.

Run from the checkout: ``.venv/bin/python tests/benchmarks/ten_million.py [--rows N] [--rounds N] [--keep FOLDER]``.
The bare loop is what nobody could do without: pyarrow batches, a torch model, an array of scores. Both sides run in
processes of their own, in turns, on one thread, and the least CPU of all rounds counts. Reading the table once to know
it (digests of its files, what each column holds) and taking in the model are part of an audit and not of the pass; they
are printed beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOAL_RATIO, GOAL_MEMORY = 1.3, 1.5
FEATURES = [f"x{at}" for at in range(10)]
FILES, GROUP_ROWS = 8, 250_000

BARE = """
import json, resource, sys, time
from pathlib import Path
import numpy as np, pyarrow.parquet as pq, torch
sys.path.insert(0, sys.argv[2])
from ten_million import FEATURES, make_net
net, begun, wall, parts = make_net(), time.process_time(), time.perf_counter(), []
with torch.no_grad():
    for file in sorted(Path(sys.argv[1]).glob("*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(columns=FEATURES):
            table = np.column_stack([batch.column(name).to_numpy() for name in FEATURES])
            parts.append(torch.sigmoid(net(torch.from_numpy(table))[:, 0]).numpy())
score = np.concatenate(parts)
print(json.dumps({"cpu": time.process_time() - begun, "wall": time.perf_counter() - wall, "rows": len(score),
                  "mean": float(score.mean(dtype=float)), "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""

SWEPT = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[2])
import torch
from ten_million import Clock, sweep_here
from audit.examination.engine.engine import open_engine
clock = Clock()
with open_engine() as engine:
    whole = sweep_here(sys.argv[1], engine, clock)
mean = float((whole.roll.score * whole.roll.count).sum() / whole.rows)
print(json.dumps({**clock.told, "rows": whole.rows, "entries": len(whole.roll.count), "mean": mean,
                  "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""

DASK = """
import json, os, sys, time
import numpy as np
sys.path.insert(0, sys.argv[2])
from ten_million import Clock, sweep_here
from audit.examination.engine.engine import open_engine

def spend(dask_worker=None):
    import resource, time
    return time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def same_sweep(one, other):
    arrays = all(np.array_equal(getattr(one.roll, name), getattr(other.roll, name)) for name in ("count", "score"))
    frames = one.sample.frame().equals(other.sample.frame())
    return arrays and frames and one.roll.levels == other.roll.levels

def run_cluster(folder, here, told, kind):
    import distributed
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        address = cluster.scheduler_address.replace("tcp://", "dask://")
        with distributed.Client(cluster, set_as_default=False) as client:
            for turn in ("first time", "again"):
                clock, before = Clock(), client.run(spend)
                with open_engine(address) as engine:
                    there = sweep_here(folder, engine, clock)
                after, name = client.run(spend), f"{kind} {turn}"
                told[f"{name} workers"] = sum(after[worker][0] - before[worker][0] for worker in after)
                told[f"{name} here"], told[f"{name} wall"] = clock.told["sweep_cpu"], clock.told["sweep_wall"]
                told["memory"] = max(told["memory"], *(rss for _, rss in after.values()))
                told["same"] = told["same"] and same_sweep(here, there)

if __name__ == "__main__":
    import dask
    told = {"same": True, "memory": 0}
    with open_engine() as engine:
        here = sweep_here(sys.argv[1], engine, Clock())
    run_cluster(sys.argv[1], here, told, "as Dask sets them up,")
    # by default its workers give memory back to the system at every turn, and fetch it again page by page
    environment = {name: 1 for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)
    with dask.config.set({"distributed.nanny.pre-spawn-environ": environment}):
        run_cluster(sys.argv[1], here, told, "without MALLOC_TRIM_THRESHOLD_,")
    print(json.dumps(told))
"""


class Clock:
    """CPU and wall time of named stages of this process."""

    def __init__(self) -> None:
        self.told: dict[str, float] = {}

    def time(self, name, work):
        from time import perf_counter, process_time

        cpu, wall = process_time(), perf_counter()
        done = work()
        self.told |= {f"{name}_cpu": process_time() - cpu, f"{name}_wall": perf_counter() - wall}
        return done


def make_net():
    """Return the net of the task: 10-64-32-1."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    layers = [nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)]
    return nn.Sequential(*layers).eval()


def write_table(folder: Path, rows: int) -> None:
    """Write the table: ten float32 features, two columns of groups, a label, in eight Parquet files."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(3)
    for at in range(FILES):
        n = rows // FILES
        x = rng.standard_normal((n, len(FEATURES)), dtype=np.float32)
        sex, region = rng.integers(0, 2, n), rng.choice(5, n, p=[0.4, 0.3, 0.2, 0.08, 0.02])
        label = rng.random(n) < 1 / (1 + np.exp(-(x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + 0.3 * sex)))
        columns = {name: x[:, place] for place, name in enumerate(FEATURES)}
        columns |= {
            "sex": pa.array(np.array(["F", "M"])[sex]),
            "region": pa.array(np.array(["north", "south", "west", "east", "islands"])[region]),
            "label": label.astype(np.int8),
        }
        pq.write_table(pa.table(columns), folder / f"part-{at}.parquet", row_group_size=GROUP_ROWS)


def export_net(path: Path) -> None:
    """Export the net in the way that users are told to."""
    import pandas as pd

    import audit

    audit.export(make_net(), example=pd.DataFrame({name: [0.1, -0.2, 0.3] for name in FEATURES}), to=path)


def sweep_here(folder: str, engine, clock: Clock):
    """Read, take in and sweep; each is timed by itself."""
    from audit.config.load import config_from
    from audit.examination.blackbox.intake import take_in
    from audit.examination.engine.progress import SilentProgress
    from audit.examination.sweep.find import read_rows
    from audit.examination.sweep.people import sweep_table

    config = config_from(
        {
            "data": folder,
            "label": "label",
            "groups": ["sex", "region"],
            "model": {"path": str(Path(folder).parent / "model.pt2"), "inputs": FEATURES, "output": "logit"},
        }
    )
    rows = clock.time("read", lambda: read_rows(config))
    model, intake = clock.time("intake", lambda: take_in(rows.config, rows.dataset))
    return clock.time("sweep", lambda: sweep_table(rows.config, rows.dataset, model, intake, engine, SilentProgress()))


def run_child(code: str, folder: Path) -> dict[str, float]:
    """Run one side in a process of its own, on one thread."""
    one = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    script = folder.parent / "side.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(Path(__file__).parent)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **one, "PYTHONPATH": str(ROOT)},
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Make the table, run both sides in turns, then Dask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="folder for the table; made once, then used again")
    parser.add_argument("--no-dask", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = (asked.keep or Path(place)) / "rows"
        if not folder.exists():
            folder.mkdir(parents=True)
            write_table(folder, asked.rows)
            export_net(folder.parent / "model.pt2")
        rounds = [(run_child(BARE, folder), run_child(SWEPT, folder)) for _ in range(asked.rounds)]
        tell_rounds(rounds)
        if not asked.no_dask:
            tell_dask(run_child(DASK, folder), min(swept["sweep_cpu"] for _, swept in rounds))


def tell_rounds(rounds: list[tuple[dict[str, float], dict[str, float]]]) -> None:
    """Print what the rounds measured beside the goals."""
    for bare, swept in rounds:
        print(
            f"bare {bare['cpu']:.2f} s CPU, {bare['rss'] / 1e6:.2f} GB; pass {swept['sweep_cpu']:.2f} s CPU, "
            f"{swept['rss'] / 1e6:.2f} GB; before it: reading {swept['read_cpu']:.2f} s, "
            f"model {swept['intake_cpu']:.2f} s"
        )
    bare, swept = (min(side[at]["cpu" if not at else "sweep_cpu"] for side in rounds) for at in (0, 1))
    memory = max(side[1]["rss"] for side in rounds) / 1e6
    one, other = rounds[0]
    assert one["rows"] == other["rows"]
    assert abs(one["mean"] - other["mean"]) < 1e-6
    print(
        f"{one['rows']:,} rows into {other['entries']:,} entries: {swept:.2f} s against {bare:.2f} s of CPU, ratio "
        f"{swept / bare:.2f} (goal {GOAL_RATIO}); peak {memory:.2f} GB (goal {GOAL_MEMORY})"
    )


def tell_dask(told: dict[str, float], alone: float) -> None:
    """Print whether Dask made the same, and what it cost."""
    print(f"Dask, two workers: {'equal to the last digit' if told['same'] else 'DIFFERENT'} from one process")
    for name in (key.removesuffix(" workers") for key in told if key.endswith(" workers")):
        workers, here, wall = (told[f"{name} {what}"] for what in ("workers", "here", "wall"))
        print(
            f"  {name}: {workers:.2f} s CPU in workers and {here:.2f} s in scheduler and caller against "
            f"{alone:.2f} s alone, ratio {(workers + here) / alone:.2f}; {wall:.1f} s wall"
        )
    print(f"  {told['memory'] / 1e6:.2f} GB peak in the larger worker; the first time torch is imported there")


if __name__ == "__main__":
    main()
