"""How many rows can be explained: as many as usual, fewer where the model is slow, and the reason printed.

Comes in: the case, the usual number by effort, evaluations per row. Goes out: a number of rows and how they were drawn,
in words. The model's pace is rounded down coarsely, so that the same model on the same machine gives the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.examination.data.split import join_strata
from audit.examination.measures.robustness.probe import round_down

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

SECONDS = {"fast": 5.0, "standard": 15.0, "thorough": 60.0}
"""Time that a slow model may take, by effort."""
LEAST_ROWS = 30
TRIAL_ROWS = 2_048


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
    pace = measure_pace(case)
    affordable = int(pace * SECONDS[case.config.effort] / max(evaluations, 1))
    size = wanted if affordable >= wanted else min(wanted, max(LEAST_ROWS, affordable))
    if size == available:
        return size, case.sampled
    words = f"{size:,} of {available:,} rows, drawn at random with the shares of groups and decisions kept"
    if size < wanted:
        words += f"; the model answers about {pace:,} rows a second, so that fewer are asked about than usual"
    return size, "; ".join(filter(None, (words, case.sampled)))


def measure_pace(case: Case) -> int:
    """Return the rows that the model answers in a second, rounded down to 1 or 3 times a power of ten."""
    assert case.blackbox is not None
    trial = case.frame.iloc[: min(TRIAL_ROWS, len(case.frame))]
    case.blackbox.link(trial.iloc[:2])
    begun = perf_counter()
    case.blackbox.link(trial)
    return round_down(len(trial) / max(perf_counter() - begun, 1e-9))


def draw_evenly(size: int, rng: np.random.Generator, strata: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of `size` rows, ascending, with the share of every stratum kept to within one row.

    Parameters
    ----------
    size : int
        Rows to draw; all of them where there are no more.
    rng : numpy.random.Generator
        Source of chance.
    strata : ndarray of int64, shape [n]
        Stratum of each row.

    Notes
    -----
    Systematic sampling from a random start over rows in the order of their strata, by chance within each (Cochran 1977,
    chapter 8): every row has the same probability, also in strata smaller than the step.
    """
    n = len(strata)
    if size >= n:
        return np.arange(n, dtype=np.int64)
    order = rng.permutation(n)
    order = order[np.argsort(strata[order], kind="stable")]
    places = np.floor((np.arange(size) + rng.random()) * (n / size)).astype(np.int64)
    return np.sort(order[places]).astype(np.int64)


def strata_of(case: Case, *, decided: bool = True) -> NDArray[np.int64]:
    """Return groups, crossed with the decision where wanted, as one code per row."""
    parts = [values.astype(str) for values in case.groups.values()]
    if decided and case.scores.favourable is not None:
        parts.append(case.scores.favourable.astype(np.int64))
    return join_strata(*parts) if parts else np.zeros(len(case.frame), dtype=np.int64)
