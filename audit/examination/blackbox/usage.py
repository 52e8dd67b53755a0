"""Which columns a model uses: those whose values, moved between rows, move a score.

Comes in: a `BlackBox` and a sample. Goes out: the columns that changed no score, and those that could not be tried. A
column that is read and not used is said so: reasons that name it would be wrong, and so would a claim that it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audit.errors import AuditError

from .blackbox import BlackBox

if TYPE_CHECKING:
    import pandas as pd

MOVED = 1e-7
"""Smallest change on the link scale, relative to ``1 + |link|``, that is no rounding."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What moving the values of each column did.

    Parameters
    ----------
    unused : tuple of str
        No score changed.
    constant : tuple of str
        One value in the whole sample: nothing to move.
    """

    unused: tuple[str, ...]
    constant: tuple[str, ...]


def find_unused(model: BlackBox, rows: pd.DataFrame) -> Usage:
    """Move the values of each column to other rows and see whether any score changes.

    Parameters
    ----------
    model : BlackBox
        The model.
    rows : pandas.DataFrame, shape [n, ...]
        A sample.
    """
    link = model.link(rows)
    constant = tuple(name for name in model.columns if rows[name].nunique(dropna=False) < 2)
    tried = [name for name in model.columns if name not in constant]
    unused = tuple(name for name in tried if not _moves(model, rows, name, link))
    return Usage(unused, constant)


def _moves(model: BlackBox, rows: pd.DataFrame, name: str, link: np.ndarray) -> bool:
    # two turns: one could happen to give each row a value equal to its own
    for turn in (1, len(rows) // 2 + 1):
        moved = rows.copy()
        moved[name] = rows[name].iloc[np.roll(np.arange(len(rows)), turn)].array
        try:
            found = model.link(moved)
        except AuditError:
            return True  # a value that is refused beside others is looked at
        if bool((np.abs(found - link) > MOVED * (1 + np.abs(link))).any()):
            return True
    return False
