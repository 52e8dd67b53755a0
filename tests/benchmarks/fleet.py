"""Twenty small audits: in one run, and in twenty processes. Both sides are measured here, one after the other.

    .venv/bin/python tests/benchmarks/fleet.py [--audits 20] [--jobs 2]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from operations_material import make_scored_job  # noqa: E402


def run(*arguments: object, home: Path) -> float:
    """Return the seconds that the command line takes."""
    environment = {**os.environ, "XDG_CONFIG_HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    begun = perf_counter()
    command = [sys.executable, "-m", "audit", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 5):
        raise SystemExit(done.stderr)
    return perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--audits", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    order = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configs = [make_scored_job(folder, f"m{i}", seed=i) for i in range(order.audits)]
        home = folder / "home"
        run("run", configs[0], "--out", folder / "warm", home=home)  # the files of the libraries are in memory for both
        alone = sum(run("run", config, "--out", folder / "alone" / config.stem, home=home) for config in configs)
        serial = run("run", *configs, "--out", folder / "serial", home=home)
        together = run("run", *configs, "--out", folder / "jobs", "--jobs", order.jobs, home=home)
    print(f"{order.audits} processes, one after the other: {alone:6.1f} s")
    print(f"one run, --jobs 1:                     {serial:6.1f} s, {serial / alone:.2f} of that")
    print(f"one run, --jobs {order.jobs}:                     {together:6.1f} s, {together / alone:.2f} of that")


if __name__ == "__main__":
    main()
