"""The groups of one attribute or intersection: who they are, which may be judged, and what their scores look like.

Comes in: the case's group columns, scores and labels. Goes out: a `Grouping` whose cells, groups and row codes agree,
and the moments of the scores by group. People of unknown group are a group of their own that is shown and never
compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Cell, CountTable, Group
from audit.statistics import auc_delong

UNKNOWN = "unknown"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
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

    @property
    def names(self) -> list[str]:
        """Names of the groups: ``sex=F`` or ``sex=F, race=B``."""
        return [", ".join(f"{key}={value}" for key, value in group.scope.items()) for group in self.groups]

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


def code_rows(table: CountTable, columns: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return, for every row, the place of its cell in the table; -1 where it has none.

    Parameters
    ----------
    table : CountTable
        The table whose cells are meant.
    columns : dict of str to array of str, shape [n]
        Value of each attribute per row.
    """
    import pandas as pd

    combined: NDArray[np.int64] | None = None
    keys: list[tuple[str, ...]] = [()]
    for attribute in table.attributes:
        codes, values = pd.factorize(columns[attribute])
        combined = codes if combined is None else combined * len(values) + codes
        keys = [(*key, str(value)) for key in keys for value in values]
    places = {cell.values: place for place, cell in enumerate(table.cells)}
    lookup = np.array([places.get(key, -1) for key in keys], dtype=np.int64)
    return lookup[combined] if combined is not None else np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Moments:
    """Size, mean and sample variance by group; each of shape [groups]."""

    n: NDArray[np.int64]
    """Rows."""
    mean: Floats
    """Mean; NaN where there is no row."""
    variance: Floats
    """Sample variance (divisor n - 1); NaN below two rows."""


def moments_of(values: Floats, codes: NDArray[np.int64], size: int) -> Moments:
    """Return the moments of `values` by group; NaN values and rows without a group (-1) are left out.

    Parameters
    ----------
    values : array of float, shape [n]
        Values.
    codes : array of int, shape [n]
        Place of the group, or -1.
    size : int
        Number of groups.
    """
    used = np.isfinite(values) & (codes >= 0)
    values, codes = values[used], codes[used]
    n = np.bincount(codes, minlength=size)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(codes, values, size) / n
        variance = np.bincount(codes, (values - mean[codes]) ** 2, size) / (n - 1)
    return Moments(n, np.where(n > 0, mean, np.nan), np.where(n > 1, variance, np.nan))


@dataclass(frozen=True, slots=True)
class GroupAuc:
    """AUC of one group."""

    auc: float
    """NaN where a class is empty."""
    se: float
    """DeLong's standard error; NaN where a class has fewer than two rows."""
    positives: int
    """Rows with the positive label and a score."""
    negatives: int
    """Rows with the negative label and a score."""

    @property
    def n(self) -> int:
        """Rows with a label and a score."""
        return self.positives + self.negatives


def auc_by_group(score: Floats, label: Floats, codes: NDArray[np.int64], size: int) -> list[GroupAuc]:
    """Return the AUC of every group.

    Parameters
    ----------
    score, label : array of float, shape [n]
        Score (higher speaks for the positive class) and label (1, 0, NaN).
    codes : array of int, shape [n]
        Place of the group, or -1.
    size : int
        Number of groups.
    """
    used = np.isfinite(score) & np.isfinite(label) & (codes >= 0)
    score, positive, codes = score[used], label[used] == 1, codes[used]
    order = np.argsort(codes, kind="stable")
    score, positive, codes = score[order], positive[order], codes[order]
    edges = np.searchsorted(codes, np.arange(size + 1))
    out = []
    for low, high in pairwise(edges):
        part, good = score[low:high], positive[low:high]
        out.append(GroupAuc(*auc_delong(part[good], part[~good]), int(good.sum()), int((~good).sum())))
    return out


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


def calibration_by_group(score: Floats, label: Floats, codes: NDArray[np.int64], size: int) -> list[GroupCalibration]:
    """Return what calibration in the large rests on, for every group.

    Parameters
    ----------
    score, label : array of float, shape [n]
        Score and label (1, 0, NaN).
    codes : array of int, shape [n]
        Place of the group, or -1.
    size : int
        Number of groups.
    """
    both = np.isfinite(score) & np.isfinite(label)
    placed = np.where(both, codes, -1)
    scores, labels = moments_of(score, placed, size), moments_of(label, placed, size)
    with np.errstate(invalid="ignore"):
        product = (score - scores.mean[placed]) * (label - labels.mean[placed])
    covariance = moments_of(product, placed, size)
    out = []
    for place in range(size):
        n = int(scores.n[place])
        spread = float(np.sqrt(scores.variance[place] * labels.variance[place])) if n > 1 else 0.0
        r = float(covariance.mean[place]) * n / (n - 1) / spread if spread > 0 else 0.0
        mean, variance = float(scores.mean[place]), float(scores.variance[place])
        out.append(GroupCalibration(n, round(float(labels.mean[place]) * n) if n else 0, mean, variance, r))
    return out


def scoring_counts(
    score: Floats, codes: NDArray[np.int64], size: int, *, high_is_favourable: bool
) -> Sequence[tuple[int, int]]:
    """Return, by group, people on the favourable side of the median score of all, and people with a score.

    Parameters
    ----------
    score : array of float, shape [n]
        Score; NaN is left out.
    codes : array of int, shape [n]
        Place of the group, or -1.
    size : int
        Number of groups.
    high_is_favourable : bool
        Whether a high score is the favourable side.
    """
    finite = np.isfinite(score)
    if not finite.any():
        return [(0, 0)] * size
    median = float(np.median(score[finite]))
    ahead = score > median if high_is_favourable else score < median
    placed = finite & (codes >= 0)
    k = np.bincount(codes[placed & ahead], minlength=size)
    n = np.bincount(codes[placed], minlength=size)
    return [(int(a), int(b)) for a, b in zip(k, n, strict=True)]
