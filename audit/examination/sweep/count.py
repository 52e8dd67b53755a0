"""The rows of a shard are counted: kept one by one, or condensed as they come.

Comes in: batches of coded rows with scores and decisions. Goes out: the `Roll` of the shard, in memory bounded by a
million rows where it is condensed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from audit.examination.blackbox.decision import Decisions
from audit.examination.tally.condense import condense_roll, merge_rolls, trim_levels
from audit.examination.tally.roll import Roll

FOLD_ROWS = 1 << 20
"""Rows that are held before they are condensed."""


class RowCounter:
    """Counts rows batch by batch.

    Parameters
    ----------
    levels : mapping of str to tuple of str
        Groups of each attribute.
    outcomes : tuple of str
        Bands or classes.
    condensed : bool
        Whether the table has too many rows for a roll of single rows.
    valued : bool
        Whether the label is a value.
    """

    def __init__(
        self, levels: Mapping[str, tuple[str, ...]], outcomes: tuple[str, ...], *, condensed: bool, valued: bool
    ) -> None:
        self.levels, self.outcomes = dict(levels), outcomes
        self.condensed, self.valued = condensed, valued
        self.rows = self._held = 0
        self._batches: list[Roll] = []
        self._done: list[Roll] = []

    def add(
        self,
        codes: Mapping[str, np.ndarray],
        label: np.ndarray | None,
        score: np.ndarray | None,
        decisions: Decisions,
        weights: np.ndarray | None,
        rows: int,
    ) -> None:
        """Count the rows of a batch.

        Parameters
        ----------
        codes : mapping of str to ndarray of int, shape [n]
            Place of each row's group among the levels.
        label, score, weights : ndarray of float64, shape [n], or None
            As in `Roll`.
        decisions : Decisions
            What is decided on the rows.
        rows : int
            Rows of the batch.
        """
        self._batches.append(
            Roll(
                levels=self.levels,
                codes=dict(codes),
                label=label,
                score=score,
                favourable=decisions.favourable,
                count=np.ones(rows, dtype=np.int64),
                weight=weights,
                weight_square=None if weights is None else weights * weights,
                outcomes=self.outcomes if decisions.outcome is not None else (),
                outcome=decisions.outcome,
                truth=decisions.truth if decisions.outcome is not None else None,
                valued=self.valued,
            )
        )
        self.rows += rows
        self._held += rows
        if self.condensed and self._held >= FOLD_ROWS:
            self._fold()

    def close(self) -> Roll | None:
        """Return the roll of all rows added; None where there were none."""
        self._fold()
        return trim_levels(merge_rolls(self._done)) if self._done else None

    def _fold(self) -> None:
        if self._batches:
            joined = _join_batches(self._batches)
            self._done.append(condense_roll(joined) if self.condensed else joined)
            self._batches, self._held = [], 0


def _join_batches(batches: Sequence[Roll]) -> Roll:
    return merge_rolls(batches, most=2**62)
