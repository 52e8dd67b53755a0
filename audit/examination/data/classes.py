"""Which classes there are where there are several, and which of them is the positive one.

Comes in: the configuration and what the columns hold. Goes out: a configuration in which model and label name the same
positive class, and the true class of each row. 1, ``'1'`` and 1.0 are the same class everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from audit.config.model import ModelOutput
from audit.config.schema import ExamineConfig
from audit.config.settings import Level
from audit.errors import ConfigError, suggest_name

from .groups import order_groups
from .kinds import ColumnFacts
from .values import match_key, value_text

if TYPE_CHECKING:
    import pandas as pd

MOST_CLASSES = 20
"""Stored decisions with more different values are no classes."""


def settle_classes(config: ExamineConfig, described: Iterable[ColumnFacts]) -> ExamineConfig:
    """Return the configuration with classes and positive class written in, where there are several classes.

    Parameters
    ----------
    config : ExamineConfig
        The configuration. The positive class is the one that ``model.output`` or ``label`` names, else the first
        favourable one, else the last.
    described : iterable of ColumnFacts
        The columns: where a label has the same values as a column of stored decisions, these are the classes.

    Raises
    ------
    ConfigError
        A positive class that is none of the classes, or two different ones.
    """
    output = config.model.output
    if not output.classes and (levels := find_stored_classes(config, {facts.name: facts for facts in described})):
        output = ModelOutput(task="multiclass", scale="probabilities", classes=levels)
    if output.task != "multiclass" or not output.classes:
        return config
    at = _settle_positive(config, output)
    chosen = output.classes[at]
    # model_copy leaves an undeclared scale undeclared: it is read from what a function returns
    settled = output.model_copy(update={"positive": chosen, "index": at})
    model = config.model.model_copy(update={"output": settled})
    label = config.label and config.label.model_copy(update={"positive": chosen})
    return config.model_copy(update={"model": model, "label": label})


def find_stored_classes(config: ExamineConfig, facts: dict[str, ColumnFacts]) -> tuple[str, ...]:
    """Return the values that label and stored decisions share, where they are the same and more than two.

    Parameters
    ----------
    config : ExamineConfig
        Names both columns.
    facts : dict of str to ColumnFacts
        What the columns hold.
    """
    rule = config.decision
    if config.model.format != "none" or config.label is None or rule is None or rule.column is None:
        return ()
    decided, label = facts.get(rule.column), facts.get(config.label.column)
    if decided is None or label is None or config.model.output.task == "regression":
        return ()
    levels = {match_key(level): level for level in decided.levels}
    if not 2 < len(levels) <= MOST_CLASSES or {match_key(level) for level in label.levels} != set(levels):
        return ()
    return order_groups(levels.values())


def class_names(config: ExamineConfig) -> tuple[str, ...]:
    """Return the classes as texts, in the order of the model's outputs; empty where there are not several."""
    output = config.model.output
    return tuple(value_text(level) for level in output.classes) if output.task == "multiclass" else ()


def positive_place(config: ExamineConfig) -> int | None:
    """Return the place of the positive class among the classes; None where there are not several."""
    names = class_names(config)
    return index_of_class(config, names) if names else None


def index_of_class(config: ExamineConfig, names: Sequence[str]) -> int:
    """Return the place of the positive class among `names`; the last where none is named."""
    positive = config.model.output.positive
    keys = [match_key(name) for name in names]
    return keys.index(match_key(positive)) if positive is not None and match_key(positive) in keys else len(keys) - 1


def truth_of(frame: pd.DataFrame, config: ExamineConfig, classes: Sequence[str]) -> np.ndarray | None:
    """Return the place of each row's true class, int32 of shape ``[n]``, -1 where unknown; None without a label.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of a `Dataset`.
    config : ExamineConfig
        Names the label column.
    classes : sequence of str
        Classes in order; whether every label is one of them was checked when the table was read.
    """
    if config.label is None:
        return None
    import pandas as pd

    values = frame[config.label.column].to_numpy()
    codes, levels = pd.factorize(values.astype(object) if values.dtype.kind not in "iufb" else values)
    places = {match_key(name): place for place, name in enumerate(classes)}
    table = np.array([*(places.get(match_key(level), -1) for level in levels), -1], dtype=np.int32)
    return np.asarray(table[codes])


def _settle_positive(config: ExamineConfig, output: ModelOutput) -> int:
    """Return the place of the positive class."""
    named = _named_positives(config, output)
    places = {place: _place_of(level, output, place) for place, level in named.items()}
    if output.index is not None:
        places["model.output.index"] = output.index
    if len(set(places.values())) > 1:
        raise ConfigError(
            f"two positive classes are named, by {' and by '.join(places)}",
            place=next(iter(places)),
            hint="name it once",
        )
    if places:
        return next(iter(places.values()))
    keys = {match_key(level): at for at, level in enumerate(output.classes)}
    rule = config.decision
    favourable = () if rule is None or not rule.made else rule.favourable
    wanted = favourable if isinstance(favourable, tuple) else (favourable,)
    return next((keys[match_key(level)] for level in wanted if match_key(level) in keys), len(output.classes) - 1)


def _named_positives(config: ExamineConfig, output: ModelOutput) -> dict[str, Level]:
    named: dict[str, Level] = {}
    if output.positive is not None:
        named["model.output.positive"] = output.positive
    if config.label is not None and "positive" in config.label.model_fields_set:
        named["label.positive"] = config.label.positive
    return named


def _place_of(level: Level, output: ModelOutput, place: str) -> int:
    keys = [match_key(name) for name in output.classes]
    if match_key(level) not in keys:
        names = [value_text(name) for name in output.classes]
        raise ConfigError(
            f"the positive class {level} is not among the classes {', '.join(names)}",
            place=place,
            hint=suggest_name(str(level), names),
        )
    return keys.index(match_key(level))
