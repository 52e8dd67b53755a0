"""Time whole audits, each in a process of its own with warm imports; print seconds, memory and sizes.

Run from the checkout: ``.venv/bin/python tests/benchmarks/whole_audit.py [quickstart adult acs_income commands]``.
The quickstart's data and models must have been made (./examples/quickstart). Where a figure is a goal of this project
it is printed beside what was measured, with their ratio.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

GOALS = {"quickstart": (20.0, 3.0), "adult": (45.0, 3.0), "acs_income": (180.0, 3.0)}

CHILD = """
import json, resource, sys, time
from pathlib import Path
import torch, pandas, interpret.glassbox, fairlearn.metrics, weasyprint, pyhanko.sign, sklearn.linear_model, scipy.stats
from audit.config.load import load_config
from audit.workflow import run_audit
begun, cpu = time.perf_counter(), time.process_time()
outcome = run_audit(load_config(sys.argv[1]), out=Path(sys.argv[2]))
print(json.dumps({
    "wall": time.perf_counter() - begun, "cpu": time.process_time() - cpu,
    "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "outcome": outcome.dossier.judgement.outcome,
    "seconds": outcome.dossier.evidence.provenance.seconds,
    "html": (outcome.folder / "report.html").stat().st_size / 1e6,
    "pdf": (outcome.folder / "report.pdf").stat().st_size / 1e6,
}))
"""


def time_audit(name: str, config: Path, folder: Path) -> None:
    """Run one audit in a fresh process and print its figures beside the goal."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(config), str(folder / "report")],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    goal, memory = GOALS[name]
    print(
        f"{name}: {told['wall']:.1f} s wall (goal {goal:.0f}, ratio {told['wall'] / goal:.2f}), "
        f"{told['cpu']:.1f} s CPU of this process, {told['rss']:.2f} GB peak (goal {memory:.0f}), "
        f"HTML {told['html']:.2f} MB, PDF {told['pdf']:.2f} MB, outcome {told['outcome']}"
    )
    for stage, seconds in told["seconds"].items():
        if seconds >= 0.2:
            print(f"    {seconds:7.1f} s  {stage}")


def time_commands(report: Path | None) -> None:
    """Time the commands that must answer at once: whole processes, median of five."""
    import statistics
    import time

    commands = [["--help"], ["policy", "list"], *([["verify", str(report)]] if report else [])]
    for command in commands:
        walls = []
        for _ in range(5):
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-m", "audit", *command], check=True, capture_output=True, cwd=ROOT)
            walls.append(time.perf_counter() - begun)
        shown = " ".join(Path(word).name for word in command)
        print(
            f"audit {shown}: median {statistics.median(walls):.2f} s (goal 1.00), {min(walls):.2f} to {max(walls):.2f}"
        )


def main() -> None:
    """Run what was asked for."""
    wanted = sys.argv[1:] or ["quickstart", "adult", "acs_income", "commands"]
    with tempfile.TemporaryDirectory() as place:
        report = None
        for name in wanted:
            folder = Path(place) / name
            folder.mkdir()
            if name == "quickstart":
                if not (ROOT / "examples" / "credit" / "out").is_dir():
                    sys.exit("run ./examples/quickstart first: it makes the rows and models of the credit example")
                time_audit(name, ROOT / "examples" / "credit" / "audit-repaid.yaml", folder)
                report = folder / "report"
            elif name != "commands":
                from real_models import write_real_config

                time_audit(name, write_real_config(name, folder), folder)
        if "commands" in wanted:
            time_commands(report)


if __name__ == "__main__":
    main()
