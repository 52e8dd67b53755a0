"""The groups of one attribute or intersection: who they are, which may be judged, and what their scores look like.

Comes in: the case's group columns, scores and labels. Goes out: a `Grouping` whose cells, groups and row codes agree,
and the moments of the scores by group. People of unknown group are a group of their own that is shown and never
compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Cell, CountTable, Group
from audit.statistics import count_at

UNKNOWN = "unknown"
Floats = NDArray[np.float64]
_NO_SPREAD = 1e-24


@dataclass(frozen=True)  # no slots: names are made once, a thousand groups ask for them a thousand times
class Grouping:
    """One attribute or intersection."""

    table: CountTable
    """Whole counts, one cell per group."""
    groups: tuple[Group, ...]
    """The groups, in the order of the cells."""
    known: tuple[bool, ...]
    """False where a value is unknown."""
    assessable: tuple[bool, ...]
    """Known and large enough: a verdict may rest on the group."""
    candidates: tuple[bool, ...]
    """Known and not marked small: may be the best group, the reference."""

    @property
    def name(self) -> str:
        """``sex`` or ``sex * race``."""
        return self.table.name

    @cached_property
    def names(self) -> list[str]:
        """Names of the groups: ``sex=F`` or ``sex=F, race=B``."""
        return [", ".join(f"{key}={value}" for key, value in group.scope.items()) for group in self.groups]

    @property
    def crossed(self) -> bool:
        """Whether it is an intersection."""
        return len(self.table.attributes) > 1

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(cell.n for cell in self.table.cells)

    @property
    def unknown_cell(self) -> Cell | None:
        """The people whose value of a single attribute is unknown."""
        return next((cell for cell in self.table.cells if cell.values == (UNKNOWN,)), None)


def lay_out(table: CountTable, small_count: int, small_share: float) -> Grouping:
    """Say of every group of a table whether it is known, judged, and fit to be the reference.

    Parameters
    ----------
    table : CountTable
        Whole counts.
    small_count : int
        Groups below this many rows are shown, not judged.
    small_share : float
        Groups below this share of rows are marked small too; they are judged, but are never the reference.
    """
    total = sum(cell.n for cell in table.cells)
    groups = tuple(
        Group(
            attributes=table.attributes,
            values=cell.values,
            n=cell.n,
            small=cell.n < small_count or cell.n < small_share * total,
        )
        for cell in table.cells
    )
    known = tuple(UNKNOWN not in cell.values for cell in table.cells)
    return Grouping(
        table=table,
        groups=groups,
        known=known,
        assessable=tuple(k and group.n >= small_count for k, group in zip(known, groups, strict=True)),
        candidates=tuple(k and not group.small for k, group in zip(known, groups, strict=True)),
    )


@dataclass(frozen=True, slots=True)
class Moments:
    """Size, mean and sample variance by group; each of shape [groups]."""

    n: NDArray[np.int64]
    """Rows."""
    mean: Floats
    """Mean; NaN where there is no row."""
    variance: Floats
    """Sample variance (divisor n - 1); NaN below two rows."""


def moments_of(values: Floats, codes: NDArray[np.int64], size: int, count: NDArray[np.int64] | None = None) -> Moments:
    """Return the moments of `values` by group; NaN values and rows without a group (-1) are left out.

    Parameters
    ----------
    values : array of float, shape [m]
        Values.
    codes : array of int, shape [m]
        Place of the group, or -1.
    size : int
        Number of groups.
    count : array of int, shape [m], optional
        Rows behind each value; one where not given.
    """
    used = np.isfinite(values) & (codes >= 0)
    values, codes = values[used], codes[used]
    rows = np.ones(len(values)) if count is None else count[used].astype(float)
    n = np.bincount(codes, rows, size).astype(np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(codes, values * rows, size) / n
        variance = np.bincount(codes, (values - mean[codes]) ** 2 * rows, size) / (n - 1)
        # values that are all alike leave the rounding of their mean, which is no spread
        variance = np.where(variance > _NO_SPREAD * mean**2, variance, np.minimum(variance, 0.0))
    return Moments(n, np.where(n > 0, mean, np.nan), np.where(n > 1, variance, np.nan))


@dataclass(frozen=True, slots=True)
class GroupCalibration:
    """Scores and labels of one group, over the rows that have both."""

    n: int
    """Rows."""
    positives: int
    """Rows with the positive label."""
    mean_score: float
    """Mean score."""
    variance: float
    """Sample variance of the score; NaN below two rows."""
    correlation: float
    """Correlation of score and label; 0 where one of them does not vary."""

    @property
    def base_rate(self) -> float:
        """Share of the positive label."""
        return self.positives / self.n

    @property
    def gap(self) -> float:
        """Mean score minus base rate."""
        return self.mean_score - self.base_rate


def calibration_by_group(
    score: Floats, label: Floats, codes: NDArray[np.int64], size: int, count: NDArray[np.int64] | None = None
) -> list[GroupCalibration]:
    """Return what calibration in the large rests on, for every group.

    Parameters
    ----------
    score, label : array of float, shape [m]
        Score and label (1, 0, NaN).
    codes : array of int, shape [m]
        Place of the group, or -1.
    size : int
        Number of groups.
    count : array of int, shape [m], optional
        Rows behind each entry; one where not given.
    """
    both = np.isfinite(score) & np.isfinite(label)
    placed = np.where(both, codes, -1)
    scores, labels = moments_of(score, placed, size, count), moments_of(label, placed, size, count)
    with np.errstate(invalid="ignore"):
        product = (score - scores.mean[placed]) * (label - labels.mean[placed])
    covariance = moments_of(product, placed, size, count)
    out = []
    for place in range(size):
        n = int(scores.n[place])
        spread = float(np.sqrt(scores.variance[place] * labels.variance[place])) if n > 1 else 0.0
        r = float(covariance.mean[place]) * n / (n - 1) / spread if spread > 0 else 0.0
        mean, variance = float(scores.mean[place]), float(scores.variance[place])
        out.append(GroupCalibration(n, round(float(labels.mean[place]) * n) if n else 0, mean, variance, r))
    return out


def scoring_counts(
    score: Floats,
    codes: NDArray[np.int64],
    size: int,
    *,
    high_is_favourable: bool,
    count: NDArray[np.int64] | None = None,
    median: float | None = None,
) -> Sequence[tuple[int, int]]:
    """Return, by group, people on the favourable side of the median score of all, and people with a score.

    Parameters
    ----------
    score : array of float, shape [m]
        Score; NaN is left out.
    codes : array of int, shape [m]
        Place of the group, or -1.
    size : int
        Number of groups.
    high_is_favourable : bool
        Whether a high score is the favourable side.
    count : array of int, shape [m], optional
        Rows behind each entry; one where not given.
    median : float, optional
        The median, where it is known already.
    """
    finite = np.isfinite(score)
    if not finite.any():
        return [(0, 0)] * size
    rows = np.ones(len(score), np.int64) if count is None else count
    if median is None:
        order = np.flatnonzero(finite)[np.argsort(score[finite], kind="stable")]
        median = find_median(score[order], rows[order])
    ahead = score > median if high_is_favourable else score < median
    placed = finite & (codes >= 0)
    k = count_at(codes[placed & ahead], rows[placed & ahead], size)
    n = count_at(codes[placed], rows[placed], size)
    return [(int(a), int(b)) for a, b in zip(k, n, strict=True)]


def find_median(score: Floats, count: NDArray[np.int64]) -> float:
    """Return the median of the rows behind the entries.

    Parameters
    ----------
    score : array of float, shape [m]
        Scores, ascending.
    count : array of int, shape [m]
        Rows behind each.
    """
    reached = np.cumsum(count)
    total = int(reached[-1])
    low, high = (score[np.searchsorted(reached, rank, side="right")] for rank in ((total - 1) // 2, total // 2))
    return float((low + high) / 2)
