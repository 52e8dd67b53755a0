"""Everybody's scores put in order once, for every grouping and every number that rests on ranks.

Comes in: the roll. Goes out: its entries with a finite score, ascending, each with the place of its score among the
distinct ones; and the numbers of one group, or of everyone else, at those places. Where scores were binned, a place is
a bin, and each number can say how far it may be from the exact one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audit.evidence import CountTable
from audit.examination.tally.roll import Roll
from audit.examination.tally.scale import place_scores
from audit.statistics import count_at

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class OrderedScores:
    """The people who have a score, by ascending score.

    Parameters
    ----------
    roll : Roll
        Where they come from.
    order : ndarray of int64, shape [m]
        Place of each entry in the roll.
    score : ndarray of float64, shape [m]
        Scores, ascending.
    label : ndarray of float64, shape [m], or None
        1, 0, a value, or NaN; None where no label was given.
    count : ndarray of int64, shape [m]
        Rows behind each entry.
    place : ndarray of int64, shape [m]
        Place of each score among the distinct ones, or of its bin among those that hold anybody.
    values : ndarray of float64, shape [k]
        Score at each place; of a bin the mean.
    """

    roll: Roll
    order: Whole
    score: Floats
    label: Floats | None
    count: Whole
    place: Whole
    values: Floats

    @property
    def width(self) -> float:
        """Width of the score bins: 0 where every score is its own."""
        return self.roll.width

    @property
    def rows(self) -> int:
        """People with a score."""
        return int(self.count.sum())

    @property
    def square(self) -> Floats | None:
        """Mean of the squared scores behind each entry, shape ``[m]``; None where it is the square of the score."""
        if self.roll.score_square is None:
            return None
        return np.asarray(self.roll.score_square[self.order] / self.count)

    def find_cells(self, table: CountTable) -> Whole:
        """Return, for every entry, the place of its group in a table; -1 where it has none."""
        return self.roll.place(table)[self.order]

    def count_rows(self, chosen: NDArray[np.bool_] | Whole) -> Whole:
        """Return the rows of the chosen entries at each place, int64 of shape ``[k]``."""
        return count_at(self.place[chosen], self.count[chosen], len(self.values))

    def say_bins(self, error: float, unit: str = "") -> str:
        """Return the words to add to a method where scores were binned; empty where they were not."""
        if self.roll.exact:
            return ""
        return f", from {len(self.values):,} score bins: at most {say_bound(error)}{unit} from the exact value"


def order_scores(roll: Roll) -> OrderedScores | None:
    """Put everybody's scores in order; None where there are none.

    Parameters
    ----------
    roll : Roll
        All people.

    Notes
    -----
    One group's entries in a bin have their own mean score; they are ties with all others of the bin all the same,
    because nobody knows the order within it.
    """
    if roll.score is None or not np.isfinite(roll.score).any():
        return None
    finite = np.flatnonzero(np.isfinite(roll.score) & (roll.count > 0))
    placed = order_ties(roll.score[finite], roll.count[finite], bins_of(roll))
    order = finite[placed.order]
    return OrderedScores(
        roll=roll,
        order=order,
        score=roll.score[order],
        label=None if roll.label is None else roll.label[order],
        count=roll.count[order],
        place=placed.place,
        values=placed.values,
    )


class Placed(NamedTuple):
    """Scores in order."""

    order: Whole
    """Entries by ascending score, shape [m]."""
    place: Whole
    """In that order, the place of each score among the distinct ones, or of its bin, shape [m]."""
    values: Floats
    """Score at each place, of a bin the mean, shape [k]."""


def bins_of(roll: Roll) -> int | None:
    """Return how often the bins of the fixed scale were halved in number; None where scores were not binned."""
    return None if roll.exact else roll.halvings


def order_ties(score: Floats, count: Whole, halvings: int | None) -> Placed:
    """Put scores in order and find which are ties.

    Parameters
    ----------
    score : ndarray of float64, shape [m]
        Finite scores, at least one.
    count : ndarray of int64, shape [m]
        Rows behind each, at least one.
    halvings : int or None
        Scores of one bin of the fixed scale, so coarsened, are ties; None: only equal scores are.
    """
    order = np.argsort(score, kind="stable")
    score, count = score[order], count[order]
    key = score if halvings is None else place_scores(score) >> halvings
    starts = np.concatenate([[True], key[1:] != key[:-1]])
    place = np.cumsum(starts) - 1
    values = score[starts] if halvings is None else np.bincount(place, score * count) / np.bincount(place, count)
    return Placed(order, place, values)


def squared_errors(score: Floats, positive: NDArray[np.bool_], square: Floats | None) -> Floats:
    """Return the mean of (score - label)^2 over the rows behind each entry, exact also where scores were binned.

    Parameters
    ----------
    score : ndarray of float64, shape [m]
        Mean score of each entry.
    positive : ndarray of bool, shape [m]
        Whether its label is 1 (else 0).
    square : ndarray of float64, shape [m], or None
        Mean squared score of each entry; None where every entry has one score.
    """
    if square is None:
        return np.asarray((score - positive) ** 2)
    # (s - y)^2 = s^2 - 2 s y + y for labels that are 1 or 0
    return np.asarray(np.maximum(square - 2 * score * positive + positive, 0.0))


def say_bound(error: float) -> str:
    """Return a bound with two digits, rounded up, so that what is printed still holds.

    Examples
    --------
    >>> say_bound(0.000581), say_bound(0.0), say_bound(0.0005)
    ('0.00059', '0', '0.0005')
    """
    if error <= 0:
        return "0"
    digit = 10.0 ** (np.floor(np.log10(error)) - 1)
    return f"{np.ceil(error / digit - 1e-9) * digit:.2g}"


def split_groups(codes: Whole, size: int) -> list[Whole]:
    """Return, for every group, its entries in their order.

    Parameters
    ----------
    codes : ndarray of int, shape [m]
        Place of each entry's group, or -1.
    size : int
        Number of groups.
    """
    # a stable sort of small numbers is a radix sort: it costs a fraction of a sort by score
    small = codes.astype(np.int16) if size < 2**15 else codes
    by_group = np.argsort(small, kind="stable")
    edges = np.searchsorted(small[by_group], np.arange(size + 1))
    return [by_group[low:high] for low, high in pairwise(edges)]


def join_notes(parts: Sequence[str]) -> str:
    """Return the non-empty parts joined as one note."""
    return "; ".join(part for part in parts if part)
