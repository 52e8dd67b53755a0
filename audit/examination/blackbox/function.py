"""A black box that is a function of a frame: a Python callable, or a factory's.

Comes in: a callable and the data. Goes out: a `BlackBox` without gradients. Which columns it is given is settled once,
on a few rows: the declared ones, those it names itself (``feature_names_in_``), or the data without label, groups and
the like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.config.model import ModelOutput, ModelSource
from audit.config.schema import ExamineConfig
from audit.errors import AuditError, ConfigError, IntakeRefused

from .digest import check_digest
from .encode import check_columns
from .factory import Factory, describe_error, find_factory
from .failing import drop_failing
from .isolation import IsolatedFunction
from .output import OutputReading, Scale, read_output

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.data.dataset import Dataset


class FunctionModel:
    """A function from a frame to scores, as a `BlackBox`.

    Parameters
    ----------
    predict : callable
        Takes a frame, returns one score per row, or one per row and class.
    columns : tuple of str
        Columns it is given, in order.
    reading : OutputReading
        From outputs to scores.
    """

    format = "python"
    has_gradients = False

    def __init__(self, predict: Callable[[Any], Any], columns: tuple[str, ...], reading: OutputReading) -> None:
        self.columns = columns
        self.reading = reading
        self._predict = predict

    @property
    def scale(self) -> Scale:
        """Scale of what the function returns."""
        return self.reading.kind

    def raw(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the outputs as they come, float64, shape ``[n, outputs]``.

        Raises
        ------
        IntakeRefused
            The function failed, or returned something else than numbers per row.
        """
        # a copy: a function that writes into its frame must not change the rows that are measured
        return call_function(self._predict, frame[list(self.columns)].copy())

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        """Return scores on the decision scale, shape ``[n]``."""
        return self.reading.score(self.raw(frame))

    def link(self, frame: pd.DataFrame) -> np.ndarray:
        """Return scores on the link scale, shape ``[n]``."""
        return self.reading.link(self.raw(frame))


def open_function(source: ModelSource) -> tuple[Callable[[Any], Any], Factory, str]:
    """Return the named function, here or in a process of its own, its file, and how it is kept apart.

    Raises
    ------
    ConfigError, IntakeRefused
        As `build_function`.
    """
    if source.isolation == "none":
        return *build_function(source), ""
    factory = _trusted_function(source)
    predict = IsolatedFunction(source)
    return predict, factory, predict.isolation


def build_function(source: ModelSource) -> tuple[Callable[[Any], Any], Factory]:
    """Import the function that is named, trusted and pinned.

    Raises
    ------
    ConfigError
        Not named, trusted or pinned; not a function.
    IntakeRefused
        Another file than the pinned one, or importing it failed.
    """
    factory = _trusted_function(source)
    predict = factory.build(source.factory_args) if source.factory_args else factory.find()
    if isinstance(predict, type):
        predict = factory.build({})
    if not callable(predict):
        raise ConfigError(
            f"{factory.shown} is not a function of a frame",
            place="model.factory",
            hint="name a function that takes a frame and returns scores",
        )
    return predict, factory


def _trusted_function(source: ModelSource) -> Factory:
    """Return the named function, not yet imported, if its code is trusted and pinned."""
    if not source.factory:
        raise ConfigError(
            "the format python needs the function", place="model.factory", hint="factory: module.py:function"
        )
    factory = find_factory(source.factory)
    if not source.trust_code:
        raise ConfigError(
            f"{factory.shown} is code that would be run",
            place="model.trust_code",
            hint="set `trust_code: true` if you trust it, or export the model as .pt2",
        )
    if source.sha256 is None:
        raise ConfigError(
            f"{factory.shown} is code, which must be pinned",
            place="model.sha256",
            hint=f"sha256: {factory.sha256.removeprefix('sha256:')}",
        )
    check_digest(factory.content, source.sha256, factory.file.name)
    return factory


def call_function(predict: Callable[[Any], Any], frame: pd.DataFrame, *, tell: bool = False) -> np.ndarray:
    """Call a function on a frame and return float64 outputs, shape ``[n, outputs]``.

    Parameters
    ----------
    predict : callable
        The function.
    frame : pandas.DataFrame, shape [n, ...]
        Rows.
    tell : bool
        Repeat what the function raised. It may hold values of rows or paths, so a report never does; whoever wires a
        model up needs it once.

    Raises
    ------
    IntakeRefused
        It failed, or returned something else than numbers per row.
    """
    try:
        out = predict(frame)
    except AuditError:
        raise
    except Exception as error:
        raise IntakeRefused(
            f"the model function failed on {len(frame)} rows: "
            f"{describe_error(error) if tell else type(error).__name__}",
            hint="it must take a frame of rows and return one score per row",
        ) from None
    try:
        if hasattr(out, "detach"):
            out = out.detach().cpu()
        table = np.asarray(out, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError):
        raise IntakeRefused(
            f"the model function returned a {type(out).__name__} that is not numbers",
            hint="return an array of scores, shape [n]",
        ) from None
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or table.shape[0] != len(frame) or table.shape[1] == 0:
        raise IntakeRefused(
            f"the model function returned shape {list(table.shape)} for {len(frame)} rows",
            hint="return one score per row, shape [n]",
        )
    return table


def adopt_function(
    predict: Callable[[Any], Any],
    config: ExamineConfig,
    dataset: Dataset,
    rows: pd.DataFrame,
) -> tuple[FunctionModel, str]:
    """Settle columns and scale of a function on a few rows.

    Parameters
    ----------
    predict : callable
        The function.
    config : ExamineConfig
        The configuration.
    dataset : Dataset
        The data, for its columns.
    rows : pandas.DataFrame
        A few typed rows.

    Returns
    -------
    FunctionModel
        The model.
    str
        A note for the report on what was inferred; empty where everything was declared.

    Raises
    ------
    ConfigError
        A declared column that the data does not have.
    IntakeRefused
        The function fails on every choice of columns.
    """
    declared = tuple(
        dict.fromkeys(name for item in config.model.inputs for block in item.blocks for name in block.columns)
    )
    named = declared or own_names(predict)
    if named:
        check_columns(named, dataset.columns, "model.inputs")
        choices: list[tuple[str, ...]] = [tuple(named)]
    else:
        free = default_columns(config, dataset.columns)
        choices = list(dict.fromkeys([free, default_columns(config, dataset.columns, with_groups=True)]))
    columns, raw = _first_that_works(predict, choices, rows)
    output, note = infer_scale(raw, config.model.output)
    if not named:
        note = f"the function was given the columns {', '.join(columns)} (not declared). {note}".strip()
    return FunctionModel(predict, columns, read_output(output)), note


def default_columns(config: ExamineConfig, known: Sequence[str], *, with_groups: bool = False) -> tuple[str, ...]:
    """Return the columns that may be features where nobody says which are.

    Label, id, weight, time, stored scores and decisions and excluded columns are none; columns behind protected
    attributes only with `with_groups`, or where they are declared under `features`.
    """
    data, model, decision = config.data, config.model, config.decision
    taken = {
        data.id,
        data.weight,
        data.time,
        model.scores,
        model.expected_score,
        *config.exclude,
        config.label.column if config.label else None,
        decision.column if decision else None,
    }
    behind = {attribute.column for attribute in config.groups.attributes.values()}
    joined = config.groups.source is not None
    hidden = behind if joined or not with_groups else set()
    return tuple(
        name for name in known if name not in taken and (name not in hidden or (name in config.features and not joined))
    )


def infer_scale(raw: np.ndarray, declared: ModelOutput) -> tuple[ModelOutput, str]:
    """Return the declared output, or where no scale was written the one that the outputs show, with a note.

    Parameters
    ----------
    raw : ndarray of float64, shape [n, outputs]
        Outputs of some rows.
    declared : ModelOutput
        What the configuration says.
    """
    if "scale" in declared.model_fields_set or declared.task == "regression":
        return declared, ""
    finite = raw[np.isfinite(raw).all(axis=1)]
    several = raw.shape[1] > 1
    bounded = bool(len(finite)) and bool(((finite >= 0) & (finite <= 1)).all())
    if several:
        scale = "probabilities" if bounded and np.allclose(finite.sum(axis=1), 1, atol=1e-4) else "logits"
    else:
        scale = "probability" if bounded else "logit"
    output = ModelOutput.model_validate({**declared.model_dump(exclude_unset=True), "scale": scale})
    return output, f"The scale was not declared; the outputs look like {scale}."


def own_names(predict: Callable[[Any], Any]) -> tuple[str, ...]:
    """Return the column names that a scikit-learn estimator (or its bound method) was fitted on."""
    for holder in (predict, getattr(predict, "__self__", None)):
        names = getattr(holder, "feature_names_in_", None)
        if names is not None:
            return tuple(str(name) for name in names)
    return ()


def _first_that_works(
    predict: Callable[[Any], Any], choices: list[tuple[str, ...]], rows: pd.DataFrame
) -> tuple[tuple[str, ...], np.ndarray]:
    first: IntakeRefused | None = None
    for columns in choices:
        if not columns:
            continue
        try:
            return columns, call_function(predict, rows[list(columns)].copy(), tell=True)
        except IntakeRefused as error:
            first = first or error
    for columns in choices:  # a function may fail on a few rows alone, which are then named
        with suppress(IntakeRefused):
            good, _ = drop_failing(FunctionModel(predict, columns, OutputReading("value")), rows)
            return columns, call_function(predict, good[list(columns)].copy())
    if first is None:
        raise ConfigError("no column is left that could be a feature", place="model.inputs", hint="list the columns")
    raise IntakeRefused(first.what, hint=f"{first.hint}; list the columns that it reads: model: {{inputs: [...]}}")
