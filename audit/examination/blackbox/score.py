"""Every row scored once, batch by batch, and decided.

Comes in: a `BlackBox` (or None) and the data. Goes out: `Scores`, in the row order of the data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audit.config.schema import DecisionRule, ExamineConfig
from audit.errors import ConfigError, suggest_name

from .blackbox import BlackBox
from .contract import require_finite
from .stored import read_decisions, read_scores

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.data.dataset import Dataset
    from audit.examination.engine.progress import Progress

BATCH = 65_536
"""Rows per batch."""

_CONDITION = re.compile(r"^\s*score\s*(>=|<=|>|<)\s*([-+0-9.eE]+)\s*$")
OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Scores:
    """What the black box says of every row.

    Parameters
    ----------
    score : ndarray of float64, shape [n], or None
        Probability of the positive class, or value; None where only decisions are stored.
    link : ndarray of float64, shape [n], or None
        Log-odds, or value.
    favourable : ndarray of bool, shape [n]
        Whether the decision is the favourable one.
    predicted_positive : ndarray of bool, shape [n], or None
        Whether the label's positive class is predicted: the high side of the cut; for stored decisions the side with
        the higher mean score, and without scores the favourable one. None for bands.
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
    """

    score: np.ndarray | None
    link: np.ndarray | None
    favourable: np.ndarray
    predicted_positive: np.ndarray | None
    bands: np.ndarray | None = None
    outcomes: tuple[str, ...] = ()
    outcome: np.ndarray | None = None
    truth: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    notes: tuple[str, ...] = ()


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
    if model is not None:
        score, link = _score_all(model, dataset, batch, progress)
    elif config.model.scores is not None:
        raw, reading, _ = read_scores(config, dataset)
        score, link = reading.score(raw), reading.link(raw)
    return decide(config, dataset, score, link)


def decide(config: ExamineConfig, dataset: Dataset, score: np.ndarray | None, link: np.ndarray | None) -> Scores:
    """Apply the decision to scores, or read stored decisions.

    Raises
    ------
    ConfigError
        No scores and no column of decisions, or a value without a cut.
    """
    rule = config.decision or DecisionRule()
    if rule.column is not None:
        return _decide_stored(rule, dataset, score, link)
    if score is None:
        raise ConfigError(
            "there are no scores to decide on and no column of decisions",
            place="decision",
            hint="decision: {column: COLUMN, favourable: VALUE}",
        )
    if config.decision is None and config.model.output.task == "regression":
        raise ConfigError(
            "a value has no natural cut: which side is good for the person?",
            place="decision",
            hint="decision: {favourable: score >= 20000}",
        )
    if rule.bands:
        bands = assign_bands(rule.bands, score)
        return Scores(score, link, favourable_of_bands(rule, bands, score), None, bands)
    favourable = apply_condition(str(rule.favourable), score)
    high = rule.operator in (">=", ">")
    return Scores(score, link, favourable, favourable if high else ~favourable)


def apply_condition(condition: str, score: np.ndarray) -> np.ndarray:
    """Return where ``score >= 0.5`` (or ``<``, ``<=``, ``>``) holds, bool, shape ``[n]``.

    Raises
    ------
    ConfigError
        It is no such condition.
    """
    match = _CONDITION.match(condition)
    if not match:
        raise ConfigError(f"{condition!r} is no condition on the score", place="decision", hint="score >= 0.5")
    cut = float(match.group(2))
    compare = {">=": np.greater_equal, ">": np.greater, "<=": np.less_equal, "<": np.less}[match.group(1)]
    return np.asarray(compare(score, cut))


def assign_bands(bands: dict[str, str], score: np.ndarray) -> np.ndarray:
    """Return the band of each row, the first whose condition holds, as str, shape ``[n]``.

    Raises
    ------
    ConfigError
        A row falls into none.
    """
    found = np.full(len(score), "", dtype=object)
    free = np.ones(len(score), dtype=bool)
    for name, condition in bands.items():
        hit = free & (True if condition.strip() == OTHERWISE else apply_condition(condition, score))
        found[hit] = name
        free &= ~hit
    if free.any():
        raise ConfigError(
            f"{int(free.sum()):,} rows fall into no band",
            place="decision.bands",
            hint="let the last band be `otherwise`",
        )
    return found


def favourable_of_bands(rule: DecisionRule, bands: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return whether a row's band is the favourable one, or its condition holds, bool, shape ``[n]``.

    Raises
    ------
    ConfigError
        `favourable` names no band and is no condition.
    """
    named = str(rule.favourable)
    if named in rule.bands:
        return np.asarray(bands == named)
    if "favourable" not in rule.model_fields_set:
        first = next(iter(rule.bands))
        return np.asarray(bands == first)
    if not _CONDITION.match(named):
        raise ConfigError(f"{named!r} is no band", place="decision.favourable", hint=suggest_name(named, rule.bands))
    return apply_condition(named, score)


def _decide_stored(rule: DecisionRule, dataset: Dataset, score: np.ndarray | None, link: np.ndarray | None) -> Scores:
    favourable = read_decisions(rule, dataset)
    positive, note = favourable, "the favourable decision is taken as the prediction of the label's positive class"
    both = score is not None and favourable.any() and not favourable.all()
    if score is not None and both and score[favourable].mean() < score[~favourable].mean():
        positive = ~favourable
        note = (
            "rows decided unfavourably have the higher mean score; the unfavourable decision is taken as the "
            "prediction of the label's positive class"
        )
    return Scores(score, link, favourable, positive, notes=(note,))


def _score_all(
    model: BlackBox, dataset: Dataset, batch: int, progress: Progress | None
) -> tuple[np.ndarray, np.ndarray]:
    score, link = np.empty(dataset.rows), np.empty(dataset.rows)
    done = 0
    for frame in dataset.batches(batch):
        here = slice(done, done + len(frame))
        score[here], link[here] = _score_both(model, frame)
        require_finite(score[here], frame, model.columns)
        done += len(frame)
        if progress:
            progress.step(done, dataset.rows)
    return score[:done], link[:done]


def _score_both(model: BlackBox, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return score and link from one call of the model."""
    raw = model.raw(frame)
    return model.reading.score(raw), model.reading.link(raw)
