"""How many rows can be explained: as many as usual, fewer where the model is slow, and the reason printed.

Comes in: the case, the usual number by effort, evaluations per row. Goes out: a number of rows and how they were drawn,
in words. The model's pace is the class that the intake settled, so that the same model gives the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.examination.blackbox.pace import FASTEST
from audit.examination.data.split import join_strata

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

SECONDS = {"fast": 5.0, "standard": 15.0, "thorough": 60.0}
"""Time that a slow model may take, by effort."""
LEAST_ROWS = 30


def choose_rows(case: Case, most: Mapping[str, int], evaluations: int, *, among: int | None = None) -> tuple[int, str]:
    """Return how many rows to explain, and how they are drawn, in words.

    Parameters
    ----------
    case : Case
        Rows, model and effort.
    most : mapping of str to int
        Usual number of rows by effort.
    evaluations : int
        How often the model is asked per row.
    among : int, optional
        Rows to choose from; all of them by default.
    """
    available = len(case.frame) if among is None else among
    wanted = min(most[case.config.effort], available)
    pace = case.intake.pace or FASTEST
    affordable = int(pace * SECONDS[case.config.effort] / max(evaluations, 1))
    size = wanted if affordable >= wanted else min(wanted, max(LEAST_ROWS, affordable))
    if size == available:
        return size, case.sampled
    words = f"{size:,} of {available:,} rows, drawn at random with the shares of groups and decisions kept"
    if size < wanted:
        words += f"; the model answers about {pace:,} rows a second, so that fewer are asked about than usual"
    return size, "; ".join(filter(None, (words, case.sampled)))


def strata_of(case: Case, *, decided: bool = True) -> NDArray[np.int64]:
    """Return groups, crossed with the decision where wanted, as one code per row."""
    parts = [values.astype(str) for values in case.groups.values()]
    if decided and case.scores.favourable is not None:
        parts.append(case.scores.favourable.astype(np.int64))
    return join_strata(*parts) if parts else np.zeros(len(case.frame), dtype=np.int64)
