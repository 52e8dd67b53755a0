"""Two samples of one column or score as counts over the same bins, and how far apart they are beyond chance.

Comes in: values of the baseline and of the judged rows. Goes out: PSI, Kolmogorov-Smirnov and Wasserstein distance,
each beside its 95 % quantile where rows are dealt out at random between the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, undefined
from audit.statistics.distances import (
    draw_splits,
    ks_chance,
    ks_distance,
    pool_places,
    population_stability,
    wasserstein_distance,
)

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

BINS = 10
DRAWS = 400
PLACES = 150
"""Places that a distance is drawn on, for what it shows by chance."""
LEVEL = 0.95
FEW = 5
"""A level with fewer rows in both samples together shares a bin with the others like it."""


def bin_numbers(baseline: Floats, judged: Floats) -> tuple[Whole, Whole]:
    """Return rows of both samples in bins of about equal baseline rows, and in one for missing values.

    A value that fills a bin or more of the baseline has a bin of its own: amounts that are mostly 0, say.

    Parameters
    ----------
    baseline, judged : ndarray of float64
        Values, NaN where missing.
    """
    known = baseline[np.isfinite(baseline)]
    cuts = np.quantile(known, np.arange(1, BINS) / BINS) if known.size else np.empty(0)
    edges, times = np.unique(cuts, return_counts=True)
    heavy = edges[times > 1]
    size = edges.size + heavy.size + 2

    def count(values: Floats) -> Whole:
        place = np.searchsorted(edges, values, side="right") + np.searchsorted(heavy, values, side="left")
        places = np.where(np.isfinite(values), place, size - 1)
        return np.bincount(places, minlength=size).astype(np.int64)

    return _drop_empty(count(baseline), count(judged))


def bin_levels(baseline: NDArray[Any], judged: NDArray[Any]) -> tuple[Whole, Whole]:
    """Return rows of both samples by level; missing is a level, and rare levels share one bin.

    Parameters
    ----------
    baseline, judged : ndarray of object
        Values, None where missing.
    """
    import pandas as pd

    codes, levels = pd.factorize(np.concatenate([baseline.astype(object), judged.astype(object)]))
    codes = np.where(codes < 0, len(levels), codes)
    counts = [
        np.bincount(part, minlength=len(levels) + 1).astype(np.int64)
        for part in (codes[: baseline.size], codes[baseline.size :])
    ]
    rare = counts[0] + counts[1] < FEW
    return _drop_empty(*(np.append(part[~rare], part[rare].sum()) for part in counts))


def _drop_empty(first: Whole, second: Whole) -> tuple[Whole, Whole]:
    held = first + second > 0
    return first[held], second[held]


def stability_estimate(counts: tuple[Whole, Whole], rng: np.random.Generator) -> Estimate:
    """Return the population stability index with its quantile by chance.

    Parameters
    ----------
    counts : tuple of ndarray of int
        Rows of baseline and judged rows by bin.
    rng : numpy.random.Generator
        Source of chance.
    """
    first, second = counts
    if not first.sum() or not second.sum():
        return undefined("one of the two has no rows", n=int(second.sum()))
    pooled = first + second
    drawn = draw_splits(pooled, int(second.sum()), DRAWS, rng)
    chance = float(np.quantile(population_stability(pooled - drawn, drawn), LEVEL))
    value = float(population_stability(first, second))
    return _distance(value, chance, int(second.sum()), f"{first.size} bins; chance: rows dealt at random")


def distance_estimates(baseline: Floats, judged: Floats, rng: np.random.Generator) -> tuple[Estimate, Estimate]:
    """Return Kolmogorov-Smirnov distance and Wasserstein distance in standard deviations of the baseline.

    Parameters
    ----------
    baseline, judged : ndarray of float64
        Values; missing ones are left out.
    rng : numpy.random.Generator
        Source of chance.
    """
    baseline, judged = baseline[np.isfinite(baseline)], judged[np.isfinite(judged)]
    if min(baseline.size, judged.size) < 2:
        none = undefined("fewer than two known values on a side", n=int(judged.size))
        return none, none
    places, code = np.unique(np.concatenate([baseline, judged]), return_inverse=True)
    first = np.bincount(code[: baseline.size], minlength=places.size)
    second = np.bincount(code[baseline.size :], minlength=places.size)
    spread, n = float(baseline.std(ddof=1)), int(judged.size)
    drawn_ks, drawn_moves = _by_chance(places, first, second, rng)
    exact = places.size <= PLACES
    ks = _distance(
        float(ks_distance(first, second)),
        drawn_ks if exact else ks_chance(int(first.sum()), int(second.sum()), LEVEL),
        n,
        "exact; chance: " + ("rows dealt at random" if exact else "Smirnov's limit law"),
    )
    if spread <= 0:
        return ks, undefined("the baseline does not vary", n=n)
    moved = float(wasserstein_distance(places, first, second)) / spread
    return ks, _distance(moved, drawn_moves / spread, n, "exact; chance: rows dealt at random")


def _by_chance(places: Floats, first: Whole, second: Whole, rng: np.random.Generator) -> tuple[float, float]:
    pooled = (first + second).astype(np.int64)
    if places.size > PLACES:
        pool = pool_places(pooled, PLACES)
        places = np.bincount(pool, places * pooled) / np.bincount(pool, pooled)
        pooled = np.bincount(pool, pooled).astype(np.int64)
    drawn = draw_splits(pooled, int(second.sum()), DRAWS, rng)
    rest = pooled - drawn
    return (
        float(np.quantile(ks_distance(rest, drawn), LEVEL)),
        float(np.quantile(wasserstein_distance(places, rest, drawn), LEVEL)),
    )


def _distance(value: float, chance: float, n: int, method: str) -> Estimate:
    note = f"no interval: it is above 0 by chance; without any change it stays below {chance:.3g} in 95 % of samples"
    return Estimate(value=value, n=n, method=method, note=note, chance=chance)
