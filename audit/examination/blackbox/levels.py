"""Levels of a category, found again whatever type a file gave them.

Comes in: the levels that a model was trained on and a column of the data. Goes out: the position of each row's level.
A code may be ``10`` in one file, ``10.0`` in a second (a column with gaps read as numbers) and ``"10"`` in a third; a
yes may be ``true``, ``True`` or ``1``. ``"010"`` and ``"10"`` stay different: leading zeros are part of a code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.config.settings import Level

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = -1
"""Position of a level that is not listed."""
MISSING = -2
"""Position of a missing value."""

_WHOLE = re.compile(r"^(-?(?:0|[1-9][0-9]*))\.0*$")
_TRUTH = {"true": "1", "false": "0"}


def level_text(value: Any) -> str:
    """Return the text that two spellings of the same level share.

    Examples
    --------
    >>> [level_text(value) for value in (10, 10.0, "10", "10.0", "010", True)]
    ['10', '10', '10', '10', '010', 'true']
    """
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    text = str(value)
    match = _WHOLE.match(text)
    return match.group(1) if match else text


class LevelIndex:
    """Positions of levels.

    Parameters
    ----------
    levels : sequence
        Levels in order.
    """

    def __init__(self, levels: Sequence[Level]) -> None:
        self._exact: dict[str, int] = {}
        self.twice: list[str] = []
        for at, level in enumerate(levels):
            text = level_text(level)
            if text in self._exact:
                self.twice.append(text)
            self._exact.setdefault(text, at)
        # a yes or no may be spelled True, true, TRUE, 1: only where the levels themselves are of that sort
        truths = set(self._exact) and {text.lower() for text in self._exact} <= {"true", "false", "0", "1"}
        self._truths = {_TRUTH.get(text.lower(), text): at for text, at in self._exact.items()} if truths else {}

    def position(self, value: Any) -> int:
        """Return the position of one value, or `UNKNOWN`."""
        text = level_text(value)
        found = self._exact.get(text, UNKNOWN)
        if found == UNKNOWN and self._truths:
            return self._truths.get(_TRUTH.get(text.lower(), text), UNKNOWN)
        return found

    def positions(self, series: pd.Series) -> np.ndarray:
        """Return the position of each row's level, int64, shape ``[n]``; `UNKNOWN` and `MISSING` are negative."""
        import pandas as pd

        codes, uniques = pd.factorize(series, use_na_sentinel=True)
        table = np.array([self.position(value) for value in uniques] + [MISSING], dtype=np.int64)
        return np.asarray(table[codes])
