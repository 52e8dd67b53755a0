"""Who is explained, compared with whom, and how often the model may be asked for it.

Comes in: the case. Goes out: a `Plan`: a printed, seeded, stratified sample of rows, background rows, one reference
row, and counts of evaluations. Counts are fixed by effort; only a model slower than `QUICK` gets fewer, by the class of
its pace that the intake settled, so that the same model is asked about the same rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.examination.data.split import draw_evenly, join_strata

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

ROWS = {"fast": 100, "standard": 300, "thorough": 1_000}
"""Most rows explained, by effort."""
EVALUATIONS = {"fast": 60_000, "standard": 300_000, "thorough": 2_000_000}
"""Rows that the model is asked about for Shapley values, by effort."""
SHUFFLED = {"fast": (1_000, 2), "standard": (2_000, 5), "thorough": (4_000, 10)}
"""Rows and repeats of permutation importance, by effort."""
DRAWS = 50
"""References per row for expected gradients."""
BACKGROUND = 500
"""Most background rows."""
SECONDS = {"fast": 5.0, "standard": 15.0, "thorough": 60.0}
"""Time that a slow model may take for the section, by effort."""
QUICK = 20_000
"""Rows per second from which on a model's pace decides nothing."""
LEAST_ROWS, LEAST_PAIRS, USUAL_PAIRS, MOST_PAIRS = 20, 4, 12, 100


@dataclass(frozen=True, slots=True)
class Budget:
    """How often the model is asked.

    Parameters
    ----------
    rows : int
        Rows explained.
    permutations : int
        Permutations per row, walked in pairs.
    shuffled : int
        Rows of permutation importance.
    repeats : int
        Shuffles per column.
    pace : int
        Rows that a slow model answers per second, rounded down; 0 for one that is quick enough.
    """

    rows: int
    permutations: int
    shuffled: int
    repeats: int
    pace: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows and counts.

    Parameters
    ----------
    columns : tuple of str
        Columns that the model reads.
    rows : ndarray of int64, shape [n]
        Places of the explained rows among those of the case.
    people : pandas.DataFrame, shape [n, columns]
        The explained rows.
    background : pandas.DataFrame, shape [b, columns]
        Whom Shapley values compare them with.
    reference : pandas.DataFrame, shape [1, columns]
        The row that integrated gradients start from.
    budget : Budget
        Counts.
    drawn : str
        How the rows were drawn, for the report.
    """

    columns: tuple[str, ...]
    rows: NDArray[np.int64]
    people: pd.DataFrame
    background: pd.DataFrame
    reference: pd.DataFrame
    budget: Budget
    drawn: str


def plan_rows(case: Case) -> Plan:
    """Draw rows, background and reference.

    Parameters
    ----------
    case : Case
        Its rows, model, groups, decisions, effort and seed.
    """
    assert case.blackbox is not None
    columns = tuple(case.blackbox.columns)
    frame = case.frame[list(columns)]
    link = case.scores.link
    known = np.arange(len(frame)) if link is None else np.flatnonzero(np.isfinite(link))
    budget = plan_budget(len(columns), len(known), case.config.effort, _slow_pace(case))
    strata = _strata(case)[known]
    rows = known[draw_evenly(budget.rows, case.rng("attributions rows"), strata)]
    others = known[draw_evenly(BACKGROUND, case.rng("attributions background"), strata)]
    numbers = {feature.name for feature in case.subject.features if feature.kind == "number"}
    return Plan(
        columns=columns,
        rows=rows,
        people=frame.iloc[rows].reset_index(drop=True),
        background=frame.iloc[others].reset_index(drop=True),
        reference=find_reference(frame, numbers),
        budget=budget,
        drawn=_describe(case, len(rows), len(known), budget.pace),
    )


def plan_budget(players: int, rows: int, effort: str, pace: int) -> Budget:
    """Return counts of rows, permutations and repeats.

    Parameters
    ----------
    players : int
        Columns.
    rows : int
        Rows there are.
    effort : {"fast", "standard", "thorough"}
        How much is asked for.
    pace : int
        Rows that a slow model answers per second; 0 for a quick one.

    Examples
    --------
    >>> plan_budget(10, 50_000, "standard", 0)
    Budget(rows=300, permutations=110, shuffled=2000, repeats=5, pace=0)
    >>> plan_budget(10, 50_000, "standard", 1_000).rows
    34
    """
    affordable = pace * SECONDS[effort] if pace else math.inf
    evaluations = min(float(EVALUATIONS[effort]), affordable / 2)
    per_pair = max(2 * (players - 1), 1)
    explained = min(ROWS[effort], max(LEAST_ROWS, int(evaluations / (per_pair * USUAL_PAIRS))), rows)
    pairs = int(evaluations / (per_pair * max(explained, 1)))
    shuffled, repeats = SHUFFLED[effort]
    if affordable / 4 < shuffled * repeats * players:
        repeats = 2
        shuffled = max(LEAST_ROWS, int(affordable / 4 / (repeats * players)))
    return Budget(explained, 2 * min(max(pairs, LEAST_PAIRS), MOST_PAIRS), min(shuffled, rows), repeats, pace)


def find_reference(frame: pd.DataFrame, numbers: set[str]) -> pd.DataFrame:
    """Return one row made of the median of each number and the most frequent level of everything else.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with the columns that the model reads.
    numbers : set of str
        Columns that are numbers.
    """
    import pandas as pd

    made = {}
    for name in frame.columns:
        known = frame[name].dropna()
        if known.empty:
            made[name] = frame[name].iloc[:1].reset_index(drop=True)
        elif name in numbers:
            made[name] = pd.Series([float(np.median(known.to_numpy(dtype=np.float64)))])
        else:
            made[name] = pd.Series([known.value_counts(sort=True).index[0]], dtype=frame[name].dtype)
    return pd.DataFrame(made)


def _slow_pace(case: Case) -> int:
    """Return the model's pace where it is slow, else 0."""
    pace = case.intake.pace
    return 0 if pace is None or pace >= QUICK else pace


def _strata(case: Case) -> NDArray[np.int64]:
    """Return groups crossed with the decision as one code per row."""
    parts = [values.astype(str) for values in case.groups.values()]
    if case.scores.favourable is not None:
        parts.append(case.scores.favourable.astype(np.int64))
    return join_strata(*parts) if parts else np.zeros(len(case.frame), dtype=np.int64)


def _describe(case: Case, rows: int, of: int, pace: int) -> str:
    words = f"all {of:,} rows"
    if rows < of:
        words = f"{rows:,} of {of:,} rows, drawn with the shares of groups and decisions kept (seed {case.seed})"
    if pace:
        words += f"; the model answers about {pace:,} rows a second, so that fewer are explained than usual"
    return "; ".join(filter(None, (words, case.sampled)))
