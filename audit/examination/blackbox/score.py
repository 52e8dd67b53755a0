"""Every row scored once, batch by batch, and decided.

Comes in: a `BlackBox` (or None) and the data. Goes out: `Scores`, in the row order of the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audit.config.schema import ExamineConfig
from audit.errors import IntakeRefused
from audit.examination.data.columns import groups_of

from .blackbox import BlackBox
from .conditions import apply_condition, assign_bands, favourable_of_bands
from .contract import require_finite
from .decision import DecisionPlan, Decisions, decide_rows, plan_decision, read_side
from .failing import describe_failing, find_failing, most_unscored
from .stored import read_scores

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.data.dataset import Dataset
    from audit.examination.engine.progress import Progress

__all__ = [
    "BATCH",
    "Scores",
    "apply_condition",
    "assemble_scores",
    "assign_bands",
    "decide",
    "favourable_of_bands",
    "score_batch",
    "score_rows",
]

BATCH = 65_536
"""Rows per batch."""
STEP = 8192
"""Rows per call of the model, after which progress is told."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What the black box says of every row.

    Parameters
    ----------
    score : ndarray of float64, shape [n], or None
        Probability of the positive class, or value; None where only decisions are stored.
    link : ndarray of float64, shape [n], or None
        Log-odds, or value.
    favourable : ndarray of bool, shape [n], or None
        Whether the decision is the favourable one; None where nothing is decided.
    predicted_positive : ndarray of bool, shape [n], or None
        Whether the label's positive class is predicted: the high side of the cut, the most probable of several classes;
        for stored decisions the side with the higher mean score, and without scores the favourable one. None where
        nothing is decided, for a regression, and for favourable bands that are no one side of the score.
    bands : ndarray of str, shape [n], or None
        Band of each row, where bands are declared.
    outcomes : tuple of str
        Bands, or classes of a model with several; empty for a binary decision.
    outcome : ndarray of int32, shape [n], or None
        Place of each row's band or predicted class among `outcomes`.
    truth : ndarray of int32, shape [n], or None
        Place of the true class among `outcomes`, -1 where unknown; None for bands.
    probabilities : ndarray of float32, shape [n, classes], or None
        Probability of each class, where there are several.
    notes : tuple of str
        What was inferred.
    kept : ndarray of bool, shape [rows of the data], or None
        Which rows got a score, where the model raised on a few; the arrays above hold these rows alone. None: all.
    """

    score: np.ndarray | None
    link: np.ndarray | None
    favourable: np.ndarray | None
    predicted_positive: np.ndarray | None
    bands: np.ndarray | None = None
    outcomes: tuple[str, ...] = ()
    outcome: np.ndarray | None = None
    truth: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    kept: np.ndarray | None = None


def score_rows(
    model: BlackBox | None,
    dataset: Dataset,
    config: ExamineConfig,
    *,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Scores:
    """Score and decide every row.

    Parameters
    ----------
    model : BlackBox or None
        The model; None for stored scores or decisions.
    dataset : Dataset
        The rows.
    config : ExamineConfig
        For the decision and the columns of stored scores.
    batch : int
        Rows per batch.
    progress : Progress, optional
        Hears of every batch.

    Raises
    ------
    IntakeRefused
        A score that is not a finite number.
    ConfigError
        A decision that cannot be made from what there is.
    """
    score: np.ndarray | None = None
    link: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    if model is not None:
        score, link, probabilities, failing = _score_all(model, dataset, batch, progress)
        if failing.any():
            note = describe_failing(failing, groups_of(dataset.frame(), config))
            rest = dataset.some_rows(dataset.frame()[~failing])
            found = decide(config, rest, score, link, probabilities)
            return replace(found, kept=~failing, notes=(note, *found.notes))
    elif config.model.scores is not None:
        raw, reading, _ = read_scores(config, dataset)
        score, link = reading.score(raw), reading.link(raw)
    return decide(config, dataset, score, link, probabilities)


def decide(
    config: ExamineConfig,
    dataset: Dataset,
    score: np.ndarray | None,
    link: np.ndarray | None,
    probabilities: np.ndarray | None = None,
) -> Scores:
    """Apply the decision to scores, or read stored decisions.

    Parameters
    ----------
    config : ExamineConfig
        For the decision.
    dataset : Dataset
        The rows.
    score, link : ndarray of float64, shape [n], or None
        Scores of all rows.
    probabilities : ndarray of float, shape [n, classes], or None
        Probability of each class, where there are several.

    Raises
    ------
    ConfigError
        No scores and no column of decisions.
    """
    plan = plan_decision(config, dataset)
    parts, done = [], 0
    for frame in dataset.batches(BATCH):
        here = slice(done, done + len(frame))
        parts.append(
            decide_rows(
                plan,
                frame,
                None if score is None else score[here],
                None if probabilities is None else probabilities[here],
            )
        )
        done += len(frame)
    return assemble_scores(plan, parts, score, link, probabilities)


def assemble_scores(
    plan: DecisionPlan,
    parts: Sequence[Decisions],
    score: np.ndarray | None,
    link: np.ndarray | None,
    probabilities: np.ndarray | None = None,
) -> Scores:
    """Put the decisions of batches together.

    Parameters
    ----------
    plan : DecisionPlan
        How the rows were decided.
    parts : sequence of Decisions
        One per batch, in order.
    score, link, probabilities : ndarray, shape [n, ...], or None
        Of all rows.
    """
    favourable = _join([part.favourable for part in parts])
    positive = _join([part.predicted_positive for part in parts])
    notes: tuple[str, ...] = plan.notes
    if plan.predicts and positive is None and favourable is not None:
        positive, note = read_side(favourable, score)
        notes = (*notes, note)
    outcome = _join([part.outcome for part in parts])
    bands = plan.rule is not None and bool(plan.rule.bands) and outcome is not None
    return Scores(
        score,
        link,
        favourable,
        positive,
        bands=np.array(plan.outcomes, dtype=object)[outcome] if bands else None,
        outcomes=plan.outcomes if outcome is not None else (),
        outcome=outcome,
        truth=_join([part.truth for part in parts]) if outcome is not None else None,
        probabilities=probabilities,
        notes=notes,
    )


def _join(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known and len(known) == len(parts) else None


def _score_all(
    model: BlackBox, dataset: Dataset, batch: int, progress: Progress | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """Return score, link and probabilities of the rows that have them, and which rows of all have none."""
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = []
    failing = np.zeros(dataset.rows, dtype=bool)
    done, most = 0, most_unscored(dataset.rows)
    for frame in dataset.batches(batch):
        for start in range(0, len(frame), STEP):
            rows = frame.iloc[start : start + STEP]
            here = slice(done, done + len(rows))
            found: tuple[np.ndarray, np.ndarray, np.ndarray | None] | None
            try:
                found = score_batch(model, rows)
            except IntakeRefused:
                failing[here] = find_failing(model, rows, most - int(failing.sum()))
                rows = rows[~failing[here]]
                found = score_batch(model, rows) if len(rows) else None
            if found is not None:
                require_finite(found[0], rows, model.columns)
                parts.append(found)
            done = here.stop
            if progress:
                progress.step(done, dataset.rows)
    scores, links, several = zip(*parts, strict=True) if parts else ((), (), ())
    return (
        np.concatenate([np.empty(0), *scores]),
        np.concatenate([np.empty(0), *links]),
        _join(several),
        failing[:done],
    )


def score_batch(model: BlackBox, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return score, link, and where there are several classes their probabilities, from one call of the model.

    Parameters
    ----------
    model : BlackBox
        The model.
    frame : pandas.DataFrame, shape [n, ...]
        Rows of a batch.
    """
    raw = model.raw(frame)
    reading = model.reading
    return reading.score(raw), reading.link(raw), reading.probabilities(raw) if len(reading.classes) > 1 else None
