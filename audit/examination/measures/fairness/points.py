"""Every rate of every group at once, and what resampling the people would do to it.

Comes in: counts by group, label and decision as the tally holds them, or many resamples of them. Goes out: arrays of
rates. The definitions are those of `metrics`, given all groups at a time. Drawing counts anew from the cells of the
table is the same as drawing the rows anew with replacement, whatever their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Cell, CountTable
from audit.statistics.bootstrap import resample_cells

from .metrics import RATES

if TYPE_CHECKING:
    from .metrics import RateMetric

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


class ManyCells:
    """Cells of many groups: the fields and sums of `Cell`, each an array.

    Parameters
    ----------
    counts : ndarray of int64, shape [..., 3, 2]
        Rows by label (positive, negative, unlabelled) and decision (favourable, unfavourable).
    """

    def __init__(self, counts: Whole) -> None:
        self._counts = counts
        self.positive_favourable, self.positive_unfavourable = counts[..., 0, 0], counts[..., 0, 1]
        self.negative_favourable, self.negative_unfavourable = counts[..., 1, 0], counts[..., 1, 1]
        self.unlabelled_favourable, self.unlabelled_unfavourable = counts[..., 2, 0], counts[..., 2, 1]

    @property
    def n(self) -> Whole:
        """Rows."""
        return np.asarray(self._counts.sum(axis=(-2, -1)))

    @property
    def decided(self) -> Whole:
        """Rows with a decision: all."""
        return self.n

    @property
    def favourable(self) -> Whole:
        """Rows decided favourably."""
        return np.asarray(self._counts[..., 0].sum(axis=-1))

    @property
    def labelled(self) -> Whole:
        """Rows whose label is known."""
        return np.asarray(self._counts[..., :2, :].sum(axis=(-2, -1)))

    @property
    def positive(self) -> Whole:
        """Rows whose label is positive."""
        return np.asarray(self._counts[..., 0, :].sum(axis=-1))


def measure_points(
    counts: Whole, *, positive_is_favourable: bool = True, metrics: Sequence[RateMetric] = RATES
) -> dict[str, Floats]:
    """Return every rate of every group.

    Parameters
    ----------
    counts : ndarray of int64, shape [..., 3, 2]
        Rows by group (any number of axes), label and decision, as `Tally.counts` returns them.
    positive_is_favourable : bool
        Whether deciding the label's positive class is the favourable decision.
    metrics : sequence of RateMetric
        Which rates.

    Returns
    -------
    dict of str to ndarray of float64, shape [...]
        Name of the rate to its values; NaN where a group has nobody to count.
    """
    cells = cast(Cell, ManyCells(counts))
    done = {}
    for metric in metrics:
        k, n = cast("tuple[Any, Any]", metric.count(cells, positive_is_favourable))
        done[metric.name] = np.divide(k, n, out=np.full(np.shape(n), np.nan), where=np.asarray(n) > 0)
    return done


def resample_points(
    counts: Whole,
    draws: int,
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    positive_is_favourable: bool = True,
    metrics: Sequence[RateMetric] = RATES,
) -> dict[str, Floats]:
    """Return the percentile interval of every rate of every group, as row resampling gives it.

    The report prints score intervals instead, which hold what they promise for small groups too; these serve to be
    compared with libraries that resample.

    Parameters
    ----------
    counts : ndarray of int64, shape [..., 3, 2]
        Rows by group, label and decision.
    draws : int
        Resamples.
    rng : numpy.random.Generator
        Draws them.
    level : float
        Level of the intervals.
    positive_is_favourable : bool
        Whether deciding the label's positive class is the favourable decision.
    metrics : sequence of RateMetric
        Which rates.

    Returns
    -------
    dict of str to ndarray of float64, shape [2, ...]
        Low and high ends; NaN where a rate is undefined in any resample.
    """
    points = measure_points(
        resample_cells(counts, draws, rng), positive_is_favourable=positive_is_favourable, metrics=metrics
    )
    stacked = np.quantile(np.stack(list(points.values())), [(1 - level) / 2, (1 + level) / 2], axis=1)
    return {name: stacked[:, place] for place, name in enumerate(points)}


def counts_of(table: CountTable) -> Whole:
    """Return the cells of a count table as an array of shape [groups, 3, 2]."""
    cells = [
        (
            (cell.positive_favourable, cell.positive_unfavourable),
            (cell.negative_favourable, cell.negative_unfavourable),
            (cell.unlabelled_favourable, cell.unlabelled_unfavourable),
        )
        for cell in table.cells
    ]
    return np.array(cells, dtype=np.int64).reshape(-1, 3, 2)
