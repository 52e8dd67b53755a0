"""The rows that the model is asked about again, and the asking itself, which survives rows that the model cannot take.

Comes in: the case. Goes out: a `Probe`: a printed, seeded, stratified sample with the model's answers to it as it is,
how far each number may be moved, and a function that gives an answer per row, or says that there was none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.errors import AuditError
from audit.evidence import NotDone
from audit.examination.blackbox.decision import DecisionPlan, decide_rows, plan_decision
from audit.examination.blackbox.pace import FASTEST
from audit.examination.blackbox.score import score_batch
from audit.examination.data.split import draw_evenly, join_strata

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.blackbox.blackbox import BlackBox
    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST_ROWS = {"fast": 1_500, "standard": 4_000, "thorough": 12_000}
"""Most rows asked about, by effort."""
SECONDS = {"fast": 5.0, "standard": 15.0, "thorough": 60.0}
"""Time that a slow model may take for the whole section, by effort."""
LEAST_ROWS = 50
ORDINARY_PACE = 10_000
"""Rows a second from which a model is never asked about fewer rows."""
MOST_SPLITS = (1_000, 200)
"""Most further calls by which rows that the model cannot take are looked for, in all; of a slow model the second."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says of some rows.

    Parameters
    ----------
    score : ndarray of float64, shape [m]
        Score; NaN where the model gave none.
    favourable : ndarray of bool, shape [m], or None
        Decision (False where there is no score); None where no decision follows from the score.
    """

    score: Floats
    favourable: Flags | None

    @property
    def known(self) -> Flags:
        """Rows that were answered."""
        return np.isfinite(self.score)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far the numbers among the inputs may be moved; each of shape [k].

    Parameters
    ----------
    names : tuple of str
        Features.
    deviation : ndarray of float64
        Standard deviation over the audited rows.
    low, high : ndarray of float64
        Range of the audited rows, which no changed value leaves.
    """

    names: tuple[str, ...]
    deviation: Floats
    low: Floats
    high: Floats

    def only(self, names: tuple[str, ...]) -> Bounds:
        """Return the bounds of some of the features."""
        at = [self.names.index(name) for name in names]
        return Bounds(names, self.deviation[at], self.low[at], self.high[at])

    def hold(self, values: Floats) -> Floats:
        """Return values held within the range; missing ones stay missing."""
        return np.clip(values, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Probe:
    """The rows asked about.

    Parameters
    ----------
    case : Case
        Where they come from.
    rows : ndarray of int64, shape [m]
        Their places among the rows of the case.
    people : pandas.DataFrame, shape [m, ...]
        The rows.
    ask : callable
        From rows to an `Answer`.
    base : Answer
        The answer to the rows as they are.
    bounds : Bounds
        How far numbers may be moved.
    plan : DecisionPlan
        How rows are decided.
    drawn : str
        How the rows were drawn, for the report.
    """

    case: Case
    rows: NDArray[np.int64]
    people: pd.DataFrame
    ask: Asker
    base: Answer
    bounds: Bounds
    plan: DecisionPlan
    drawn: str

    @property
    def decides(self) -> bool:
        """Whether a decision follows from the score."""
        return self.base.favourable is not None

    @property
    def label(self) -> Floats | None:
        """Label of each row, NaN where unknown; None without labels."""
        return None if self.case.label is None else np.asarray(self.case.label[self.rows], dtype=np.float64)

    def numbers(self, bounds: Bounds) -> Floats:
        """Return the values of these features, shape ``[m, k]``."""
        return self.people[list(bounds.names)].to_numpy(dtype=np.float64)


@dataclass(slots=True)
class Asker:
    """Ask the model and follow the decision; rows that it cannot take have no score.

    Parameters
    ----------
    blackbox : BlackBox
        The model.
    plan : DecisionPlan
        How rows are decided.
    asked : int
        Rows scored so far.
    splits : int
        Further calls that may still be made to find rows that it cannot take.
    """

    blackbox: BlackBox
    plan: DecisionPlan
    asked: int = 0
    splits: int = MOST_SPLITS[0]

    def __call__(self, people: pd.DataFrame) -> Answer:
        """Return the answer to `people`, shape ``[m]``."""
        self.asked += len(people)
        score, favourable = np.full(len(people), np.nan), np.zeros(len(people), dtype=bool)
        self._ask(people, 0, score, favourable)
        rule = self.plan.rule
        follows = rule is not None and rule.column is None
        return Answer(score, favourable if follows else None)

    def _ask(self, people: pd.DataFrame, at: int, score: Floats, favourable: Flags) -> None:
        """Ask about all rows at once; where the model fails, about each half."""
        try:
            found, _, probabilities = score_batch(self.blackbox, people)
        except AuditError:
            if len(people) <= 1 or self.splits <= 0:
                return
            self.splits -= 2
            middle = len(people) // 2
            self._ask(people.iloc[:middle], at, score, favourable)
            self._ask(people.iloc[middle:], at + middle, score, favourable)
            return
        known = np.isfinite(found)
        score[at : at + len(people)] = np.where(known, found, np.nan)
        if self.plan.rule is None or self.plan.rule.column is not None or not known.any():
            return
        decided = decide_rows(
            self.plan, people[known], found[known], None if probabilities is None else probabilities[known]
        ).favourable
        if decided is not None:
            favourable[at + np.flatnonzero(known)] = decided


def draw_probe(case: Case, evaluations: int) -> Probe | NotDone:
    """Draw the rows to ask about and ask about them as they are.

    Parameters
    ----------
    case : Case
        Rows, model, effort and seed.
    evaluations : int
        How often each row will be asked about in all; a slow model is asked about fewer rows.

    Returns
    -------
    Probe or NotDone
        Not done without a model, or where it answers none of the rows.
    """
    if case.blackbox is None:
        return NotDone(not_done="there is no model that could be asked again, only stored scores or decisions")
    plan = plan_decision(case.config, case.dataset)
    ask = Asker(case.blackbox, plan)
    most, pace = choose_size(case, evaluations)
    ask.splits = MOST_SPLITS[bool(pace)]
    rows = draw_evenly(most, case.rng("robustness rows"), _strata(case))
    people = case.frame.iloc[rows]
    base = ask(people)
    if not base.known.any():
        return NotDone(not_done="the model gave no score for any of the rows that it was asked about")
    kept, decided = base.known, base.favourable
    rows, people = rows[kept], people[kept]
    base = Answer(base.score[kept], None if decided is None else decided[kept])
    return Probe(case, rows, people, ask, base, find_bounds(case), plan, _describe(case, len(rows), pace))


def choose_size(case: Case, evaluations: int) -> tuple[int, int]:
    """Return how many rows to ask about, and the model's pace where that made them fewer, else 0.

    Notes
    -----
    The pace is the class that the intake settled, which no clock enters where torch computes the model: the same model
    gives the same rows, however busy the machine is. Both numbers are printed.
    """
    effort = case.config.effort
    most, pace = min(MOST_ROWS[effort], len(case.frame)), case.intake.pace or FASTEST
    affordable = int(pace * SECONDS[effort] / max(evaluations, 1))
    if pace >= ORDINARY_PACE or affordable >= most:
        return most, 0
    return max(min(LEAST_ROWS, most), affordable), pace


def _strata(case: Case) -> NDArray[np.int64]:
    """Return groups crossed with the decision as one code per row."""
    parts = [values.astype(str) for values in case.groups.values()]
    if case.scores.favourable is not None:
        parts.append(case.scores.favourable.astype(np.int64))
    return join_strata(*parts) if parts else np.zeros(len(case.frame), dtype=np.int64)


def _describe(case: Case, rows: int, pace: int) -> str:
    if rows == len(case.frame):
        return case.sampled
    words = f"{rows:,} of {len(case.frame):,} rows, drawn at random with the shares of groups and decisions kept"
    if pace:
        words += f"; the model answers about {pace:,} rows a second, so that fewer are asked about than usual"
    return "; ".join(filter(None, (words, case.sampled)))


def find_bounds(case: Case) -> Bounds:
    """Return spread and range of the numbers that the model reads; those that do not vary are left out.

    Parameters
    ----------
    case : Case
        Its rows and features.
    """
    assert case.blackbox is not None
    read = {feature.name for feature in case.subject.features if feature.kind == "number"} & set(case.blackbox.columns)
    names, found = [], []
    for name in (name for name in case.blackbox.columns if name in read):
        values = case.frame[name].to_numpy(dtype=np.float64)
        values = values[np.isfinite(values)]
        if values.size > 1 and values.min() < values.max():
            names.append(name)
            found.append((float(values.std(ddof=1)), float(values.min()), float(values.max())))
    deviation, low, high = np.asarray(found, dtype=np.float64).reshape(-1, 3).T
    return Bounds(tuple(names), deviation, low, high)


def put_numbers(people: pd.DataFrame, names: tuple[str, ...], values: Floats) -> pd.DataFrame:
    """Return the rows with other values in these columns, shape of `values` ``[m, k]``."""
    return people.assign(**{name: values[:, at] for at, name in enumerate(names)})
