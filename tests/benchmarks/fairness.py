"""Fairness numbers beside fairlearn's: CPU seconds of one thread, both sides in this process, and the same values.

`python tests/benchmarks/fairness.py` runs all; `--quick` takes fewer rows and resamples, for which the goals are the
same. Each line shows what was measured, the goal, and whether it is met; the exit code is the number of goals missed.
What is timed is what an audit runs: `build_tally` from group names to counts, `measure_points` from counts to rates.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from audit.examination.measures.fairness.metrics import RATES
from audit.examination.measures.fairness.points import measure_points, resample_points
from audit.examination.tally.tally import build_tally
from audit.statistics import worst_ratio
from audit.statistics.bootstrap import resample_cells

NAMES = (
    "selection_rate",
    "accuracy",
    "true_positive_rate",
    "false_positive_rate",
    "false_negative_rate",
    "precision",
)
SIX = tuple(next(metric for metric in RATES if metric.name == name) for name in NAMES)


@dataclass(frozen=True)
class Rows:
    """People with a group, a label and a decision."""

    group: np.ndarray
    label: np.ndarray
    favourable: np.ndarray

    def count(self) -> np.ndarray:
        """Return their counts as an audit counts them."""
        return build_tally({"group": self.group}, self.label, self.favourable).counts(("group",))


def draw_rows(rows: int, groups: int = 8, seed: int = 0) -> Rows:
    """Return people of `groups` groups of unequal size and rate."""
    rng = np.random.default_rng(seed)
    names = np.array([f"group {place}" for place in range(groups)], dtype=object)
    shares = np.linspace(1, 3, groups)
    code = rng.choice(groups, rows, p=shares / shares.sum())
    label = (rng.random(rows) < 0.3 + 0.03 * code).astype(float)
    return Rows(names[code], label, rng.random(rows) < 0.2 + 0.4 * label)


def time_cpu(work: Callable[[], Any], least: float = 0.3) -> tuple[float, Any]:
    """Return the smallest CPU seconds of some runs that last `least` seconds together, and the result."""
    best, spent, result = float("inf"), 0.0, None
    while result is None or spent < least:
        begun = time.process_time()
        result = work()
        took = time.process_time() - begun
        best, spent = min(best, took), spent + max(took, 1e-6)
    return best, result


def frame_of(rows: Rows, **more: Any) -> Any:
    """Return fairlearn's frame of the six rates."""
    from fairlearn import metrics as fair
    from sklearn.metrics import accuracy_score, precision_score

    functions = {
        "selection_rate": fair.selection_rate,
        "accuracy": accuracy_score,
        "true_positive_rate": fair.true_positive_rate,
        "false_positive_rate": fair.false_positive_rate,
        "false_negative_rate": fair.false_negative_rate,
        "precision": precision_score,
    }
    return fair.MetricFrame(
        metrics=functions,
        y_true=rows.label.astype(int),
        y_pred=rows.favourable.astype(int),
        sensitive_features=rows.group,
        **more,
    )


def compare_points(quick: bool) -> list[bool]:
    """Points of six metrics by group."""
    size = 20_000 if quick else 100_000
    rows = draw_rows(size)
    ours, points = time_cpu(lambda: measure_points(rows.count(), metrics=SIX))
    theirs, frame = time_cpu(lambda: frame_of(rows), least=0.0)
    gap = max(np.abs(points[name] - frame.by_group[name].to_numpy(float)).max() for name in NAMES)
    print(f"six metrics, {size:,} rows, 8 groups: ours {1e3 * ours:.2f} ms, fairlearn {1e3 * theirs:.0f} ms")
    return [
        tell("    CPU of fairlearn / ours", theirs / ours, 200.0),
        tell("    largest difference", gap, 1e-12, most=True),
    ]


def compare_intervals(quick: bool) -> list[bool]:
    """Points and percentile intervals from resamples."""
    size, draws = 10_000, 20 if quick else 100
    rows = draw_rows(size, seed=1)

    def resample() -> tuple[Any, Any]:
        counts = rows.count()
        ends = resample_points(counts, 100, np.random.default_rng(0), metrics=SIX)
        return measure_points(counts, metrics=SIX), ends

    ours, (_, ends) = time_cpu(resample)
    theirs, frame = time_cpu(lambda: frame_of(rows, n_boot=draws, ci_quantiles=[0.025, 0.975], random_state=0), 0.0)
    per_draw = theirs / draws * 100
    print(
        f"with 100 resamples, {size:,} rows, 8 groups: ours {1e3 * ours:.2f} ms, fairlearn {per_draw:.1f} s"
        + (f" (from {draws})" if quick else "")
    )
    their_ends = [frame.by_group_ci[place] for place in (0, 1)]
    widths = [(their_ends[1][name] - their_ends[0][name]).to_numpy(float) for name in NAMES]
    gaps = [
        np.abs(ends[name][place] - their_ends[place][name].to_numpy(float)) / width
        for name, width in zip(NAMES, widths, strict=True)
        for place in (0, 1)
    ]
    # theory of two independent runs of 100: the ends differ by 0.08 of the width on average
    return [
        tell("    CPU of fairlearn / ours", per_draw / ours, 2000.0),
        tell("    mean gap of ends / width", float(np.mean(gaps)), 0.2 if quick else 0.12, most=True),
    ]


def compare_sizes(quick: bool) -> list[bool]:
    """A hundred times the rows, the same time for the resamples."""
    large = 200_000 if quick else 1_000_000
    times = []
    for size in (10_000, large):
        counts = draw_rows(size, seed=2).count()
        times.append(time_cpu(lambda c=counts: resample_points(c, 1000, np.random.default_rng(0), metrics=SIX), 0.6)[0])
        drawn = resample_cells(counts, 3, np.random.default_rng(1))
        assert (drawn.sum(axis=(1, 2, 3)) == size).all()
    print(f"1,000 resamples, 8 groups: {1e3 * times[0]:.1f} ms at 10,000 rows, {1e3 * times[1]:.1f} ms at {large:,}")
    return [tell("    large / small", times[1] / times[0], 1.3, most=True)]


def compare_lattice(quick: bool) -> list[bool]:
    """All intersections up to three of six attributes, from the counts of one pass over the rows."""
    size = 200_000 if quick else 1_000_000
    rng = np.random.default_rng(3)
    groups = {
        f"a{place}": np.array([f"v{level}" for level in range(levels)], dtype=object)[rng.integers(0, levels, size)]
        for place, levels in enumerate((2, 3, 4, 5, 3, 6))
    }
    label, favourable = (rng.random(size) < 0.4).astype(float), rng.random(size) < 0.5
    one_pass, tally = time_cpu(lambda: build_tally(groups, label, favourable), 0.0)
    sets = [names for order in (1, 2, 3) for names in combinations(groups, order)]
    lattice, found = time_cpu(lambda: [measure_points(tally.counts(names), metrics=SIX) for names in sets])
    cells = sum(one["accuracy"].size for one in found)
    print(
        f"{len(sets)} groupings of 6 attributes, {cells:,} groups, {size:,} rows: pass over the rows "
        f"{1e3 * one_pass:.0f} ms, all groupings {1e3 * lattice:.1f} ms"
    )
    return [tell("    groupings / pass", lattice / one_pass, 1.0, most=True)]


def compare_pairs(quick: bool) -> list[bool]:
    """Simultaneous score intervals of all pairs of forty groups."""
    rng = np.random.default_rng(4)
    counts = [(int(rng.binomial(n, 0.3)), int(n)) for n in rng.integers(30, 5000, 40)]
    took, envelope = time_cpu(lambda: worst_ratio(counts))
    print(f"score intervals of all {envelope.pairs} pairs of 40 groups: {1e3 * took:.1f} ms")
    return [tell("    milliseconds", 1e3 * took, 50.0, most=True)]


def tell(what: str, figure: float, goal: float, *, most: bool = False) -> bool:
    """Print a figure beside its goal; return whether it is met."""
    met = figure <= goal if most else figure >= goal
    print(f"{what}: {figure:,.4g} (goal {'at most' if most else 'at least'} {goal:,g}) {'met' if met else 'MISSED'}")
    return met


BENCHMARKS = {
    "points": compare_points,
    "intervals": compare_intervals,
    "sizes": compare_sizes,
    "lattice": compare_lattice,
    "pairs": compare_pairs,
}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wanted", nargs="*", help="which; all where none is named")
    parser.add_argument("--quick", action="store_true", help="fewer rows and resamples")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # fairlearn and scikit-learn warn of every group
    frame_of(draw_rows(500))  # imports and first calls are nobody's time
    met = [one for name in asked.wanted or BENCHMARKS for one in BENCHMARKS[name](asked.quick)]
    return met.count(False)


if __name__ == "__main__":
    sys.exit(main())
