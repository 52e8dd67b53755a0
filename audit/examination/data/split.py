"""Rows are dealt into folds and drawn into samples, evenly over strata, from a generator that is handed in."""

from __future__ import annotations

import numpy as np


def folds_of(n: int, k: int, rng: np.random.Generator, strata: np.ndarray | None = None) -> np.ndarray:
    """Return the fold (0 to k - 1) of each row; folds, and each stratum within them, differ by one row at most.

    Parameters
    ----------
    n : int
        Rows.
    k : int
        Folds; at most `n`.
    rng : numpy.random.Generator
        Source of chance.
    strata : ndarray, shape [n], optional
        Anything that should be spread evenly, e.g. the label; NaN is a stratum of its own.

    Returns
    -------
    ndarray of int64, shape [n]

    Raises
    ------
    ValueError
        Fewer than two folds, more folds than rows, or strata of another length.
    """
    if not 2 <= k <= n:
        raise ValueError(f"{n} rows cannot be dealt into {k} folds")
    order = rng.permutation(n)
    # rows in the order of their stratum, by chance within it, dealt round like cards: no fold can fall short by two
    dealt = order[np.argsort(_stratum_codes(n, strata)[order], kind="stable")]
    folds = np.empty(n, dtype=np.int64)
    folds[dealt] = np.arange(n) % k
    return folds


def stratified_sample(n: int, size: int, rng: np.random.Generator, strata: np.ndarray | None = None) -> np.ndarray:
    """Return the numbers of `size` rows, each stratum with its share (largest remainders), ascending.

    Parameters
    ----------
    n : int
        Rows.
    size : int
        Rows to draw; all of them where `size` is not below `n`.
    rng : numpy.random.Generator
        Source of chance.
    strata : ndarray, shape [n], optional
        What should keep its shares, e.g. the label; a stratum is kept whole rather than lost: each gets at least one
        row as long as there are rows to give.

    Returns
    -------
    ndarray of int64, shape [min(size, n)]
    """
    if size >= n:
        return np.arange(n, dtype=np.int64)
    codes = _stratum_codes(n, strata)
    counts = np.bincount(codes)
    quotas = _share_out(counts, size)
    order = rng.permutation(n)
    order = order[np.argsort(codes[order], kind="stable")]
    place = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(order[place < np.repeat(quotas, counts)]).astype(np.int64)


def draw_evenly(size: int, rng: np.random.Generator, strata: np.ndarray) -> np.ndarray:
    """Return the numbers of `size` rows, ascending, with the share of every stratum kept to within one row.

    Parameters
    ----------
    size : int
        Rows to draw; all of them where there are no more.
    rng : numpy.random.Generator
        Source of chance.
    strata : ndarray of int64, shape [n]
        Stratum of each row.

    Notes
    -----
    Systematic sampling from a random start over rows in the order of their strata, by chance within each (Cochran 1977,
    chapter 8): every row has the same probability, also in strata smaller than the step.
    """
    n = len(strata)
    if size >= n:
        return np.arange(n, dtype=np.int64)
    order = rng.permutation(n)
    order = order[np.argsort(strata[order], kind="stable")]
    places = np.floor((np.arange(size) + rng.random()) * (n / size)).astype(np.int64)
    return np.sort(order[places]).astype(np.int64)


def join_strata(*parts: np.ndarray) -> np.ndarray:
    """Return one stratum code per row from several columns; int64 of shape [n]."""
    codes = np.zeros(len(parts[0]), dtype=np.int64)
    for part in parts:
        inner = _stratum_codes(len(codes), part)
        codes = np.unique(codes * (int(inner.max(initial=0)) + 1) + inner, return_inverse=True)[1].astype(np.int64)
    return codes


def _stratum_codes(n: int, strata: np.ndarray | None) -> np.ndarray:
    if strata is None:
        return np.zeros(n, dtype=np.int64)
    if len(strata) != n:
        raise ValueError(f"{len(strata)} strata for {n} rows")
    values = np.asarray(strata)
    if values.dtype == object:
        values = np.array([f"{type(value).__name__}:{value}" for value in values.tolist()], dtype=str)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _share_out(counts: np.ndarray, size: int) -> np.ndarray:
    """Share `size` rows out by the largest remainder, one at least to each stratum where there are enough."""
    floor = np.minimum(counts, 1) if size >= len(counts) else np.zeros_like(counts)
    rest = counts - floor
    exact = rest * ((size - floor.sum()) / max(int(rest.sum()), 1))
    quotas = np.floor(exact).astype(np.int64)
    short = int(size - floor.sum() - quotas.sum())
    largest = np.argsort(-(exact - quotas), kind="stable")[:short]
    quotas[largest] += 1
    return np.asarray(quotas + floor)
