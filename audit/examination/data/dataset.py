"""The rows of an audit as every other room sees them: typed, in one order, streamed or whole.

Comes in: a source, the kind of each column, and joined groups. Goes out: pandas frames whose columns are of three
kinds only, with one way of being missing in each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pyarrow import array as pa_array

from audit.evidence import FileDigest

from .join import JoinedGroups
from .kinds import LARGE_ROWS, ColumnFacts
from .roles import Roles
from .source import Source
from .stream import BATCH_ROWS, Piece
from .values import READERS, Kind, Reading, as_category

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

KEPT_CELLS = 200_000_000
"""A whole frame of at most this many cells is kept once it was built; a larger one is built anew on each call."""


GLIMPSED_PIECES = 4


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

    def batches(self, size: int = BATCH_ROWS, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield all rows in order, `size` at most at a time.

        Parameters
        ----------
        size : int
            Most rows of a frame.
        columns : sequence of str, optional
            Columns to read; all by default.

        Raises
        ------
        DataError
            A file that changed since it was first read.
        """
        if "frame" in self._kept:
            whole = self._kept["frame"]
            for start in range(0, len(whole), size):
                rows = whole.iloc[start : start + size]
                yield rows if columns is None else rows[list(columns)]
            return
        start = 0
        names = self.columns if columns is None else tuple(columns)
        for batch in self.stream(names):
            for low in range(0, batch.num_rows, size):
                frame = self.frame_of(batch.slice(low, size), names, start)
                start += len(frame)
                yield frame

    def stream(self, columns: Sequence[str], pieces: Sequence[Piece] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield raw record batches from which these columns can be read.

        Parameters
        ----------
        columns : sequence of str
            Columns, joined ones too.
        pieces : sequence of Piece, optional
            Parts of the source; all by default.
        """
        own = [name for name in columns if self.joined is None or name not in self.joined.values]
        if self.joined is not None and self.joined.key not in own and len(own) < len(columns):
            own.append(self.joined.key)
        yield from self.source.stream(own, pieces)

    def read_arrays(self, batch: pa.RecordBatch, columns: Sequence[str]) -> dict[str, np.ndarray]:
        """Return columns of a raw record batch of `stream`, typed, one entry per row each."""
        joined = self.joined.values if self.joined is not None else {}
        arrays = {
            name: READERS[self.kinds[name]](batch.column(name), self.means, name)
            for name in columns
            if name not in joined
        }
        if self.joined is not None and len(arrays) < len(columns):
            found = self.joined.look_up(as_category(batch.column(self.joined.key), self.means))
            arrays |= {name: values for name, values in found.items() if name in columns}
        return arrays

    def frame_of(self, batch: pa.RecordBatch, columns: Sequence[str], start: int = 0) -> pd.DataFrame:
        """Return columns of a raw record batch as a typed frame whose index begins at `start`."""
        return self._as_frame(self.read_arrays(batch, columns), columns, start)

    def some_rows(self, frame: pd.DataFrame) -> Dataset:
        """Return a data set of these rows alone, understood in the same way."""
        return replace(self, rows=len(frame), _kept={"frame": frame})

    def detached(self) -> Dataset:
        """Return the same without any row kept in memory, to be sent elsewhere."""
        return replace(self, _kept={})

    def frame(self) -> pd.DataFrame:
        """Return all rows; kept for the next call up to `KEPT_CELLS`. Do not change it in place."""
        if "frame" in self._kept:
            return self._kept["frame"]  # type: ignore[no-any-return]
        pieces = [self.read_arrays(batch, self.columns) for batch in self.stream(self.columns)]
        arrays = {name: np.concatenate([piece[name] for piece in pieces]) for name in self.columns} if pieces else {}
        frame = self._as_frame(arrays, self.columns, 0)
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

    def glimpse(self, size: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return some rows, without replacement, in file order; of a large table from a few of its pieces.

        Parameters
        ----------
        size : int
            Rows wanted.
        rng : numpy.random.Generator
            Chooses them.
        """
        held = self._kept.get("frame")
        rows = self.rows if held is None else len(held)
        if held is not None or rows < LARGE_ROWS or len(self.source.pieces) < 2:
            return self._draw(rows, size, rng)
        places = np.sort(rng.choice(len(self.source.pieces), min(GLIMPSED_PIECES, len(self.source.pieces)), False))
        pieces = [self.source.pieces[place] for place in places.tolist()]
        batches = [self.frame_of(batch, self.columns) for batch in self.stream(self.columns, pieces)]
        return self.some_rows(_stack(batches))._draw(sum(len(batch) for batch in batches), size, rng)

    def _draw(self, rows: int, size: int, rng: np.random.Generator) -> pd.DataFrame:
        chosen = np.sort(rng.choice(rows, size=min(size, rows), replace=False))
        if "frame" in self._kept or rows < LARGE_ROWS:
            return self.take(chosen)
        parts, start = [], 0
        for batch in self.stream(self.columns):
            here = chosen[(chosen >= start) & (chosen < start + batch.num_rows)]
            if here.size:
                parts.append(self.frame_of(batch.take(pa_array(here - start)), self.columns))
            start += batch.num_rows
        return _stack(parts)

    def used(self, use: str) -> tuple[str, ...]:
        """Return the columns used as `use`, e.g. ``group``."""
        return tuple(name for name in self.columns if use in self.used_as.get(name, "").split(", "))

    def _as_frame(self, arrays: dict[str, np.ndarray], columns: Sequence[str], start: int) -> pd.DataFrame:
        import pandas as pd

        rows = len(next(iter(arrays.values()))) if arrays else 0
        index = pd.RangeIndex(start, start + rows)
        # an explicit dtype, because pandas turns objects that are all texts into a type of its own
        return pd.DataFrame(
            {name: pd.Series(arrays[name], index=index, dtype=arrays[name].dtype) for name in columns},
            index=index,
            copy=False,
        )


def _stack(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(frames, ignore_index=True)


def describe_roles(roles: Roles, joined: JoinedGroups | None) -> dict[str, str]:
    """Return column to what it is used as, joined attribute columns included."""
    return {**roles.used_as, **(dict.fromkeys(joined.values, "group") if joined else {})}
