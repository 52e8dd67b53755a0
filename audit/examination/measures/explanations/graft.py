"""People of whom some columns are somebody else's: what a score is worth once they are taken away.

Comes in: rows, a background, and which columns are replaced, step by step. Goes out: the mean score over the background
at each step. Only values that were observed are put together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.examination.measures.attribution.mixing import Link, open_mixer

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST_AT_ONCE = 65_536
"""Mixed rows asked about at a time."""


class Graft:
    """Rows that take values of a background.

    Parameters
    ----------
    link : callable
        From rows to scores on the link scale.
    people, background : pandas.DataFrame, shapes [n, columns] and [m, columns]
        Rows, and those whose values they take.
    """

    def __init__(self, link: Link, people: pd.DataFrame, background: pd.DataFrame) -> None:
        self._mixer = open_mixer(link, people, background)
        self.columns = self._mixer.columns
        self._others = len(background)
        self.away = float(self._mixer.ask_background().mean())

    def score(self, replaced: Flags) -> Floats:
        """Return the score of every row with some columns replaced, the mean over the background.

        Parameters
        ----------
        replaced : ndarray of bool, shape [n, steps, columns]
            Columns that are replaced, step by step.

        Returns
        -------
        ndarray of float64, shape [n, steps]
        """
        n, steps, width = replaced.shape
        m, out = self._others, np.empty((n, steps))
        block = max(1, MOST_AT_ONCE // (steps * m))
        for start in range(0, n, block):
            here = np.arange(start, min(start + block, n))
            kept = np.repeat(~replaced[here].reshape(-1, width), m, axis=0)
            found = self._mixer.ask(np.repeat(here, steps * m), np.tile(np.arange(m), len(here) * steps), kept)
            out[here] = found.reshape(len(here), steps, m).mean(axis=2)
        return out
