"""The rows of an audit as every other room sees them: typed, in one order, streamed or whole.

Comes in: a source, the kind of each column, and joined groups. Goes out: pandas frames whose columns are of three
kinds only, with one way of being missing in each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.evidence import FileDigest

from .join import JoinedGroups
from .kinds import ColumnFacts
from .roles import Roles
from .source import BATCH_ROWS, Source
from .values import READERS, Kind, Reading, as_category

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

KEPT_CELLS = 200_000_000
"""A whole frame of at most this many cells is kept once it was built; a larger one is built anew on each call."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A table, understood.

    Parameters
    ----------
    columns : tuple of str
        Columns of every frame, in file order, joined attribute columns last.
    kinds : dict of str to str
        Kind of each of these columns: ``number``, ``category`` or ``boolean``.
    rows : int
        Rows; all of them are judged.
    files : tuple of FileDigest
        Every file read.
    reading : tuple of str
        How it was read, one line each, for the report.
    features : tuple of str
        Columns that the model reads, in its order. Without a list of them every free column where there is a score to
        explain, and the declared features where there is none.
    described : tuple of ColumnFacts
        Every column of the table in file order, joined ones last, those outside the frame too.
    used_as : dict of str to str
        Column to what it is used as; a column that is not here is unused.

    Notes
    -----
    In a frame a number is float64 with NaN where missing; a category is a Python text with None (whole numbers as
    ``10``, leading zeros kept); a boolean is True, False or None. The index is the row number, from 0.
    """

    columns: tuple[str, ...]
    kinds: dict[str, Kind]
    rows: int
    files: tuple[FileDigest, ...]
    reading: tuple[str, ...]
    features: tuple[str, ...]
    described: tuple[ColumnFacts, ...]
    used_as: dict[str, str]
    source: Source
    means: Reading
    joined: JoinedGroups | None = None
    _kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def batches(self, size: int = BATCH_ROWS) -> Iterator[pd.DataFrame]:
        """Yield all rows in order, `size` at most at a time.

        Parameters
        ----------
        size : int
            Most rows of a frame.

        Raises
        ------
        DataError
            A file that changed since it was first read.
        """
        if "frame" in self._kept:
            for start in range(0, self.rows, size):
                yield self._kept["frame"].iloc[start : start + size]
            return
        start = 0
        for arrays in self._typed(size):
            frame = self._as_frame(arrays, start)
            start += len(frame)
            yield frame

    def frame(self) -> pd.DataFrame:
        """Return all rows; kept for the next call up to `KEPT_CELLS`. Do not change it in place."""
        if "frame" in self._kept:
            return self._kept["frame"]  # type: ignore[no-any-return]
        pieces = list(self._typed(BATCH_ROWS))
        arrays = {name: np.concatenate([piece[name] for piece in pieces]) for name in self.columns} if pieces else {}
        frame = self._as_frame(arrays, 0)
        if self.rows * len(self.columns) <= KEPT_CELLS:
            self._kept["frame"] = frame
        return frame

    def take(self, rows: np.ndarray) -> pd.DataFrame:
        """Return some rows by number, in the order given; the index keeps the numbers.

        Parameters
        ----------
        rows : ndarray of int
            Row numbers, from 0.
        """
        return self.frame().iloc[np.asarray(rows)]

    def used(self, use: str) -> tuple[str, ...]:
        """Return the columns used as `use`, e.g. ``group``."""
        return tuple(name for name in self.columns if use in self.used_as.get(name, "").split(", "))

    def _typed(self, size: int) -> Iterator[dict[str, np.ndarray]]:
        own = [name for name in self.columns if self.joined is None or name not in self.joined.values]
        key = [self.joined.key] if self.joined is not None and self.joined.key not in own else []
        for batch in self.source.stream([*own, *key]):
            for start in range(0, batch.num_rows, size):
                yield self._type_batch(batch.slice(start, size), own)

    def _type_batch(self, batch: pa.RecordBatch, own: list[str]) -> dict[str, np.ndarray]:
        arrays = {name: READERS[self.kinds[name]](batch.column(name), self.means, name) for name in own}
        if self.joined is not None:
            arrays |= self.joined.look_up(as_category(batch.column(self.joined.key), self.means))
        return arrays

    def _as_frame(self, arrays: dict[str, np.ndarray], start: int) -> pd.DataFrame:
        import pandas as pd

        rows = len(next(iter(arrays.values()))) if arrays else 0
        index = pd.RangeIndex(start, start + rows)
        # an explicit dtype, because pandas turns objects that are all texts into a type of its own
        return pd.DataFrame(
            {name: pd.Series(arrays[name], index=index, dtype=arrays[name].dtype) for name in self.columns},
            index=index,
            copy=False,
        )


def describe_roles(roles: Roles, joined: JoinedGroups | None) -> dict[str, str]:
    """Return column to what it is used as, joined attribute columns included."""
    return {**roles.used_as, **(dict.fromkeys(joined.values, "group") if joined else {})}
