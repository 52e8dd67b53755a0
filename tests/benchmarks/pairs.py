"""Seconds of CPU that all pairs of groups cost: intervals, tests, and the comparison with the best group.

    OMP_NUM_THREADS=1 python tests/benchmarks/pairs.py

One thread; the goal is 50 ms for the score intervals of all ordered pairs of 40 groups.
"""

from __future__ import annotations

import time

import numpy as np

from audit.statistics import compare_to_best, pair_level, score_ratio, worst_difference, worst_ratio
from audit.statistics.differential import differential_fairness
from audit.statistics.pairs import compare_pairs


def timed(work, repeats: int) -> float:
    best = float("inf")
    for _ in range(repeats):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def ordered_pairs(counts):
    k, n = np.array(counts, float).T
    a, b = (places.ravel() for places in np.indices((len(k), len(k))))
    a, b = a[a != b], b[a != b]
    return k[a], n[a], k[b], n[b]


def measure(size: int, rng: np.random.Generator) -> list[float]:
    n = rng.integers(30, 5000, size)
    k = rng.binomial(n, rng.beta(6, 14, size))
    counts = list(zip(k.tolist(), n.tolist(), strict=True))
    names = [str(place) for place in range(size)]
    compared = compare_to_best(counts, names)
    columns, level = ordered_pairs(counts), pair_level(0.95, size * (size - 1) // 2)
    work = (
        lambda: score_ratio(*columns, level),
        lambda: compare_pairs(counts, [True] * size),
        lambda: compare_to_best(counts, names),
        lambda: [item.find_unequal(0.8) for item in compared],
        lambda: (worst_ratio(counts), worst_difference(counts)),
        lambda: differential_fairness(counts),
    )
    return [timed(one, 5 if size <= 200 else 1) for one in work]


def main() -> None:
    rng = np.random.default_rng(0)
    heads = ("groups", "pairs", "ordered", "tests", "to best", "unequal", "worst", "epsilon")
    print(" ".join(f"{head:>8}" for head in heads))
    for size in (8, 40, 200, 1000):
        print(f"{size:>8} {size * (size - 1) // 2:>8} " + " ".join(f"{s:>8.4f}" for s in measure(size, rng)))


if __name__ == "__main__":
    main()
