"""Rows on which a model raises: found by halving, few of them left out and counted, many of them a refusal.

Comes in: a model and rows that it failed on as a whole. Goes out: which rows it fails on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from audit.errors import IntakeRefused

from .blackbox import BlackBox

if TYPE_CHECKING:
    import pandas as pd

MOST_SHARE = 0.01
MOST_ROWS = 1_000
"""At most this share of the rows, and this many, may be without a score."""
SAMPLE_SHARE = 0.03
"""In a sample more may fail by chance; all rows decide."""


def most_unscored(rows: int) -> int:
    """Return how many of all rows may be without a score."""
    return min(MOST_ROWS, int(rows * MOST_SHARE))


def find_failing(model: BlackBox, rows: pd.DataFrame, most: int) -> np.ndarray:
    """Return which rows the model raises on, bool, shape ``[n]``.

    Rows are tried in halves, about ``2 * log2(n)`` calls per row that fails.

    Parameters
    ----------
    model : BlackBox
        The model.
    rows : pandas.DataFrame, shape [n, ...]
        Rows.
    most : int
        How many may fail.

    Raises
    ------
    IntakeRefused
        What the model said of all rows, where more fail than may.
    """
    failing = np.zeros(len(rows), dtype=bool)
    first: IntakeRefused | None = None
    waiting = [(0, len(rows))]
    while waiting:
        low, high = waiting.pop()
        try:
            model.raw(rows.iloc[low:high])
        except IntakeRefused as error:
            first = first or error
            if high - low > 1:
                middle = (low + high) // 2
                waiting += [(middle, high), (low, middle)]
                continue
            failing[low] = True
            if failing.sum() > most:
                raise IntakeRefused(first.what, hint=first.hint) from None
    return failing


def drop_failing(model: BlackBox, rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the rows of a sample that the model can score, and how many it cannot.

    Raises
    ------
    IntakeRefused
        It fails on more than a few.
    """
    failing = find_failing(model, rows, max(1, int(len(rows) * SAMPLE_SHARE)))
    dropped = int(failing.sum())
    return (rows[~failing], dropped) if dropped else (rows, 0)


def describe_failing(failing: np.ndarray, groups: Mapping[str, np.ndarray]) -> str:
    """Say how many rows are without a score, by group, and that they are in no number.

    Parameters
    ----------
    failing : ndarray of bool, shape [n]
        Which rows.
    groups : mapping of str to ndarray, shape [n]
        Protected attributes.
    """
    counted = {}
    for name, values in groups.items():
        levels = np.asarray(values).astype(str)
        counted[name] = {
            str(level): (int(failing[levels == level].sum()), int((levels == level).sum()))
            for level in np.unique(levels)
        }
    return describe_unscored(int(failing.sum()), len(failing), counted)


def check_unscored(count: int, rows: int) -> None:
    """Refuse a model that raises on more than a few of all rows.

    Raises
    ------
    IntakeRefused
        It does.
    """
    most = most_unscored(rows)
    if count > most:
        raise IntakeRefused(
            f"the model raises an error on {count:,} of {rows:,} rows, and at most {most:,} may be without a score",
            hint="see which rows it cannot take: a level, a missing value or a size that it was not made for",
        )


def describe_unscored(count: int, rows: int, groups: Mapping[str, Mapping[str, tuple[int, int]]]) -> str:
    """Say the same from counts.

    Parameters
    ----------
    count, rows : int
        Rows without a score, of how many.
    groups : mapping of str to mapping of str to (int, int)
        Per attribute and group, rows without a score and all rows.
    """
    parts = []
    for name, levels in groups.items():
        counted = [f"{level} {failed:,} of {total:,}" for level, (failed, total) in sorted(levels.items())]
        parts.append(f"{name}: {', '.join(counted)}")
    by_group = f" By group — {'; '.join(parts)}." if parts else ""
    return (
        f"NO SCORE: the model raises an error on {count:,} of {rows:,} rows ({count / rows:.2%}); they stand in no "
        f"number of this report.{by_group} People whom a model cannot score are treated somehow: ask how."
    )
