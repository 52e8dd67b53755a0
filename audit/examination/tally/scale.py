"""The fixed scale of score bins: the same for every batch, shard and machine, whatever the scores are.

Comes in: scores. Goes out: the place of each on a scale that depends on nothing but the score itself, so that bins of
different pieces are the same bins. Between -1 and 1 a bin is 1/1024 wide (a probability falls into one of 1,024);
beyond, each doubling of the size holds 512 bins, so that a bin is never wider than 0.2 % of its scores.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 1_024
"""Bins from 0 to 1."""

PER_DOUBLING = 512


def place_scores(score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the place of each score on the scale; int64 of shape [n], ascending with the score.

    Parameters
    ----------
    score : ndarray of float64, shape [n]
        Finite numbers. 1 itself belongs to the last bin below it.

    Examples
    --------
    >>> place_scores(np.array([-1.5, 0.0, 0.5, 1.0, 1.5, 2.0])).tolist()
    [-1281, 0, 512, 1023, 1280, 1536]
    """
    if score.size and score.min() >= 0.0 and score.max() <= 1.0:
        place = (score * BINS).astype(np.int64)
        return np.asarray(np.minimum(place, BINS - 1, out=place))
    size = np.abs(score)
    mantissa, exponent = np.frexp(np.maximum(size, 1.0))
    beyond = BINS + (exponent.astype(np.int64) - 1) * PER_DOUBLING
    beyond += np.floor((2.0 * mantissa - 1.0) * PER_DOUBLING).astype(np.int64)
    inside = np.minimum((np.minimum(size, 1.0) * BINS).astype(np.int64), BINS - 1)
    place = np.where(size > 1.0, beyond, inside)
    return np.asarray(np.where(score < 0, -place - 1, place))


def edge_of(place: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the lower edge of each bin; the upper edge is the lower one of the next place.

    Examples
    --------
    >>> edge_of(np.array([-1281, 0, 512, 1024, 1536])).tolist()
    [-1.501953125, 0.0, 0.5, 1.0, 2.0]
    """
    size = np.abs(place)
    doubling, step = np.divmod(np.maximum(size - BINS, 0), PER_DOUBLING)
    beyond = np.exp2(doubling.astype(np.float64)) * (1.0 + step / PER_DOUBLING)
    return np.asarray(np.sign(place) * np.where(size >= BINS, beyond, size / BINS))


def widest_bin(place: NDArray[np.int64], halvings: int = 0) -> float:
    """Return the width of the widest of some bins, each made of ``2 ** halvings`` bins of the scale.

    Parameters
    ----------
    place : ndarray of int64
        Places on the coarsened scale: place on the scale, shifted right by `halvings`.
    halvings : int
        How often the number of bins was halved.
    """
    if not place.size:
        return 0.0
    used = np.unique(place)
    return float((edge_of((used + 1) << halvings) - edge_of(used << halvings)).max())
