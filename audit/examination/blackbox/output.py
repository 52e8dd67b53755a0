"""What a model's outputs mean: from raw columns to the score that is decided on.

Comes in: raw outputs, shape ``[n, outputs]``, and what the configuration says they are. Goes out: scores (probability
of the positive class, or value) and links (log-odds, or value).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from audit.config.model import ModelOutput
from audit.config.settings import Level
from audit.errors import ConfigError, IntakeRefused, suggest_name

from .levels import LevelIndex, level_text

Scale = Literal["logit", "probability", "value"]

CLIP = 1e-12
"""A probability is taken as at least this far from 0 and 1 before its log-odds are formed."""

SEVERAL = ("logits", "probabilities")


def sigmoid(link: np.ndarray) -> np.ndarray:
    """Return ``1 / (1 + exp(-link))`` without overflow.

    Examples
    --------
    >>> sigmoid(np.array([0.0, -1000.0, 1000.0])).tolist()
    [0.5, 0.0, 1.0]
    """
    small = np.exp(-np.abs(link))
    return np.asarray(np.where(link >= 0, 1.0, small) / (1.0 + small))


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Return ``log(p / (1 - p))`` with `probability` clipped to ``[1e-12, 1 - 1e-12]``."""
    clipped = np.clip(probability, CLIP, 1.0 - CLIP)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def log_sum_exp(columns: np.ndarray) -> np.ndarray:
    """Return ``log(sum(exp(columns)))`` along the last axis without overflow, shape ``[n]``."""
    top = columns.max(axis=-1, keepdims=True)
    return np.asarray(top[..., 0] + np.log(np.exp(columns - top).sum(axis=-1)))


@dataclass(frozen=True, slots=True)
class OutputReading:
    """How raw outputs become scores.

    Parameters
    ----------
    scale : str
        logit, probability, logits, probabilities or value.
    index : int or None
        Column of the positive class among several; None for the last.
    classes : tuple
        Declared class per column; empty where none are declared.
    """

    scale: str
    index: int | None = None
    classes: tuple[Level, ...] = ()

    @property
    def kind(self) -> Scale:
        """The scale with several columns taken as their kind."""
        kinds: dict[str, Scale] = {
            "logits": "logit",
            "probabilities": "probability",
            "logit": "logit",
            "probability": "probability",
        }
        return kinds.get(self.scale, "value")

    def positive(self, outputs: int) -> int:
        """Return the column of the positive class among `outputs` columns."""
        return outputs - 1 if self.index is None else self.index

    def score(self, raw: np.ndarray) -> np.ndarray:
        """Return scores on the decision scale from raw outputs ``[n, outputs]``."""
        if self.scale == "logit":
            return sigmoid(raw[:, 0])
        if self.scale == "logits":
            return sigmoid(self.link(raw))
        if self.scale == "probabilities":
            return np.asarray(raw[:, self.positive(raw.shape[1])])
        return np.asarray(raw[:, 0])

    def link(self, raw: np.ndarray) -> np.ndarray:
        """Return scores on the link scale from raw outputs ``[n, outputs]``."""
        if self.scale == "logits":
            at = self.positive(raw.shape[1])
            return np.asarray(raw[:, at] - log_sum_exp(np.delete(raw, at, axis=1)))
        if self.scale in ("probability", "probabilities"):
            return log_odds(self.score(raw))
        return np.asarray(raw[:, 0])

    def probabilities(self, raw: np.ndarray) -> np.ndarray:
        """Return the probability of each class from raw outputs ``[n, classes]``, float32, same shape."""
        if self.scale == "logits":
            raw = np.exp(raw - log_sum_exp(raw)[:, None])
        return np.asarray(raw, dtype=np.float32)

    def words(self) -> str:
        """Say it in one line."""
        if self.scale not in SEVERAL:
            return {
                "logit": "one log-odds of the positive class",
                "probability": "one probability of the positive class",
                "value": "one value",
            }[self.scale]
        which = "last" if self.index is None else f"number {self.index + 1}"
        named = f" ({self.classes[self.index]})" if self.classes and self.index is not None else ""
        return f"{self.scale}, one per class; the positive class is {which}{named}"


def read_output(output: ModelOutput) -> OutputReading:
    """Check the declared output and return how to read it.

    Raises
    ------
    ConfigError
        Task and scale do not fit, or the positive class is not among the classes.
    """
    place = "model.output"
    if (output.task == "regression") != (output.scale == "value"):
        raise ConfigError(
            f"the task {output.task} does not go with the scale {output.scale}",
            place=place,
            hint="a regression returns `scale: value`; a classification logit, probability, logits or probabilities",
        )
    if output.task == "multiclass" and output.scale not in SEVERAL:
        raise ConfigError(
            f"a model of several classes does not return one {output.scale}",
            place=f"{place}.scale",
            hint="`scale: logits` or `scale: probabilities`, one column per class",
        )
    index = output.index
    if output.positive is not None and output.classes:
        at = LevelIndex(output.classes).position(output.positive)
        if at < 0:
            names = [level_text(name) for name in output.classes]
            raise ConfigError(
                f"the positive class {output.positive} is not among the classes {', '.join(names)}",
                place=place,
                hint=suggest_name(str(output.positive), names),
            )
        if index is not None and index != at:
            raise ConfigError(
                f"index {index} is not the position of class {output.positive}, which is {at}",
                place=place,
                hint="leave one of them out",
            )
        index = at
    if output.scale in SEVERAL and output.classes and index is None:
        index = len(output.classes) - 1
    return OutputReading(output.scale, index, tuple(output.classes))


def check_outputs(raw: np.ndarray, reading: OutputReading) -> None:
    """Refuse outputs whose number does not fit what was declared.

    Parameters
    ----------
    raw : ndarray of float64, shape [n, outputs]
        Outputs of a few rows.

    Raises
    ------
    IntakeRefused
        Too many or too few columns.
    """
    outputs = raw.shape[1]
    if reading.scale not in SEVERAL:
        if outputs != 1:
            right = "logits" if reading.kind == "logit" else "probabilities"
            raise IntakeRefused(
                f"the model returns {outputs} columns, but `scale: {reading.scale}` means one",
                hint=f"set `output: {{scale: {right}, classes: [...], positive: ...}}`",
            )
        return
    if outputs < 2:
        raise IntakeRefused(
            f"the model returns one column, but `scale: {reading.scale}` means one per class",
            hint=f"set `output: {'logit' if reading.kind == 'logit' else 'probability'}`",
        )
    if reading.classes and outputs != len(reading.classes):
        raise IntakeRefused(
            f"the model returns {outputs} columns, but {len(reading.classes)} classes are declared",
            hint="list the classes in the order of the model's outputs",
        )
    if not 0 <= reading.positive(outputs) < outputs:
        raise IntakeRefused(
            f"output number {reading.index} does not exist: the model returns {outputs} columns",
            hint="`index` counts from 0",
        )
