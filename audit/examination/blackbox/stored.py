"""Stored scores and stored decisions: what an audit has where there is no model.

Comes in: a column of scores or of decisions. Goes out: arrays, and for scores the checks that can be made without a
model.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from audit.config.schema import DecisionRule, ExamineConfig
from audit.errors import ConfigError, DataError, IntakeRefused

from .encode import check_columns, numbers_of
from .function import infer_scale
from .levels import LevelIndex
from .output import SEVERAL, OutputReading, read_output

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.data.dataset import Dataset


def read_scores(config: ExamineConfig, dataset: Dataset) -> tuple[np.ndarray, OutputReading, str]:
    """Return stored scores as they stand in the data, shape ``[n, 1]``, how to read them, and a note.

    Raises
    ------
    ConfigError
        No such column, or a scale with one column per class.
    IntakeRefused
        A score is missing.
    """
    column = str(config.model.scores)
    check_columns([column], dataset.columns, "model.scores")
    output = config.model.output
    if "scale" in output.model_fields_set and output.scale in SEVERAL:
        raise ConfigError(
            f"a column of scores cannot be {output.scale}",
            place="model.output.scale",
            hint="logit, probability or value",
        )
    raw = _join(numbers_of(frame, column) for frame in dataset.batches())[:, None]
    gaps = int(np.isnan(raw).sum())
    if gaps:
        raise IntakeRefused(
            f"column {column} has no score in {gaps:,} of {len(raw):,} rows",
            hint="score these rows, or leave them out of data.audit and say so in data.about",
        )
    output, note = infer_scale(raw, output)
    return raw, read_output(output), note


def read_extremes(config: ExamineConfig, dataset: Dataset) -> tuple[np.ndarray, OutputReading, str]:
    """Return the lowest and the highest of stored scores, shape ``[2, 1]``, for a table too large to hold its column.

    That no row lacks one, and that all are finite, was checked when the table was read.

    Raises
    ------
    ConfigError
        As `read_scores`.
    """
    column = str(config.model.scores)
    check_columns([column], dataset.columns, "model.scores")
    facts = next(item for item in dataset.described if item.name == column)
    raw = np.array([[np.nan if end is None else end] for end in (facts.low, facts.high)])
    output, note = infer_scale(raw, config.model.output)
    return raw, read_output(output), note


def read_decisions(rule: DecisionRule, dataset: Dataset) -> np.ndarray:
    """Return whether the stored decision is the favourable one, bool, shape ``[n]``.

    Raises
    ------
    ConfigError
        No such column, or no row has the favourable value.
    DataError
        A decision is missing.
    """
    column = str(rule.column)
    check_columns([column], dataset.columns, "decision.column")
    parts, gaps = [], 0
    seen: dict[str, None] = {}
    for frame in dataset.batches():
        gaps += int(frame[column].isna().sum())
        seen.update(dict.fromkeys(str(value) for value in frame[column].dropna().unique()[:20]))
        parts.append(match_favourable(rule, frame[column]))
    favourable = np.concatenate(parts) if parts else np.zeros(0, dtype=bool)
    if gaps:
        raise _undecided(column, gaps, len(favourable))
    if not favourable.any():
        raise ConfigError(
            f"no row of column {column} is {name_favourable(rule)}",
            place="decision.favourable",
            hint=f"its values are {', '.join(list(seen)[:8])}",
        )
    return favourable


def decisions_of(rule: DecisionRule, frame: pd.DataFrame) -> np.ndarray:
    """Return whether the stored decision of each row of a batch is a favourable one, bool, shape ``[n]``.

    Raises
    ------
    DataError
        A decision is missing.
    """
    series = frame[str(rule.column)]
    if gaps := int(series.isna().sum()):
        raise _undecided(str(rule.column), gaps, len(series))
    return match_favourable(rule, series)


def match_favourable(rule: DecisionRule, series: pd.Series) -> np.ndarray:
    """Return whether each value is one of the favourable ones, bool, shape ``[n]``; a missing one is not."""
    good = rule.favourable if isinstance(rule.favourable, tuple) else (rule.favourable,)
    return np.asarray(np.logical_or.reduce([is_level(series, level) for level in good]))


def name_favourable(rule: DecisionRule) -> str:
    """Return the favourable values for a reader: ``'approved'``, or ``'A' or 'B'``."""
    good = rule.favourable if isinstance(rule.favourable, tuple) else (rule.favourable,)
    return " or ".join(repr(level) for level in good)


def _undecided(column: str, gaps: int, rows: int) -> DataError:
    return DataError(
        f"column {column} has no decision in {gaps:,} of {rows:,} rows",
        hint="leave these rows out of data.audit and say so in data.about",
    )


def is_level(series: pd.Series, level: str | int | float | bool) -> np.ndarray:
    """Return whether each value is `level`, whatever type the file gave it, shape ``[n]``."""
    if isinstance(level, bool) or str(level).lower() in ("true", "false"):
        yes = str(level).lower() == "true"
        return np.asarray(LevelIndex([False, True]).positions(series) == int(yes))
    return np.asarray(LevelIndex([level]).positions(series) == 0)


def _join(parts: Iterable[np.ndarray]) -> np.ndarray:
    found = list(parts)
    return np.concatenate(found) if found else np.zeros(0)
