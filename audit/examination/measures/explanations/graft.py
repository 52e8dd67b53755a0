"""People who are part themselves and part somebody else: columns of one row, the rest from a background.

Comes in: rows, a background, and which columns are replaced. Goes out: the scores of the mixed rows. Only values that
were observed are put together, in the types of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Link = Callable[["pd.DataFrame"], Floats]

MOST_AT_ONCE = 100_000
"""Mixed rows held in memory at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Graft:
    """Rows and a background of the same columns, laid one under the other.

    Parameters
    ----------
    pool : pandas.DataFrame, shape [n + m, columns]
        The rows, then the background.
    rows : int
        How many of the pool are the rows: n.
    """

    pool: pd.DataFrame
    rows: int

    @property
    def background(self) -> int:
        """Rows of the background: m."""
        return len(self.pool) - self.rows

    def mix(self, row: NDArray[np.int64], other: NDArray[np.int64], replaced: Flags) -> pd.DataFrame:
        """Return rows of which some columns come from the background.

        Parameters
        ----------
        row, other : ndarray of int64, shape [s]
            Number of the row, and of the row of the background.
        replaced : ndarray of bool, shape [s, columns]
            Columns that come from the background.
        """
        import pandas as pd

        columns = {
            name: self.pool[name].to_numpy()[np.where(replaced[:, j], self.rows + other, row)]
            for j, name in enumerate(self.pool.columns)
        }
        return pd.DataFrame(
            {name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()}, copy=False
        )

    def score(self, link: Link, replaced: Flags) -> Floats:
        """Return the link of every row with some columns replaced, the mean over the background.

        Parameters
        ----------
        link : callable
            From rows to scores on the link scale.
        replaced : ndarray of bool, shape [n, steps, columns]
            Columns that are replaced, step by step.

        Returns
        -------
        ndarray of float64, shape [n, steps]
        """
        n, steps, width = replaced.shape
        m, out = self.background, np.empty((n, steps))
        block = max(1, MOST_AT_ONCE // (steps * m))
        for start in range(0, n, block):
            here = np.arange(start, min(start + block, n))
            row = np.repeat(here, steps * m)
            other = np.tile(np.arange(m), len(here) * steps)
            mask = np.repeat(replaced[here].reshape(-1, width), m, axis=0)
            out[here] = link(self.mix(row, other, mask)).reshape(len(here), steps, m).mean(axis=2)
        return out


def lay_graft(frame: pd.DataFrame, background: pd.DataFrame, columns: Sequence[str]) -> Graft:
    """Return a graft of the rows of `frame` on those of `background`."""
    import pandas as pd

    names = list(columns)
    pool = {
        name: pd.Series(np.concatenate([frame[name].to_numpy(), background[name].to_numpy()]), dtype=frame[name].dtype)
        for name in names
    }
    return Graft(pd.DataFrame(pool, copy=False), len(frame))
