"""Columns of a typed frame, taken out for what they are: label, weights, groups.

Comes in: a frame that `Dataset` handed out. Goes out: plain NumPy arrays, one entry per row. Whether a column can be
what it is named for was checked when the table was read, so that these functions work on a batch as on the whole.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.config.schema import ExamineConfig

from .groups import JOINED_SUFFIX, name_groups, needs_bins, quartile_bins
from .values import match_key, parse_number

if TYPE_CHECKING:
    import pandas as pd

    from .dataset import Dataset


def label_of(frame: pd.DataFrame, config: ExamineConfig) -> np.ndarray | None:
    """Return the label per row, or None where no label is configured.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of a `Dataset`.
    config : ExamineConfig
        Names label column and positive class; 1, ``'1'``, 1.0 and true are the same class.

    Returns
    -------
    ndarray of float64, shape [n], or None
        1.0 for the positive class, 0.0 for any other, NaN where the label is missing; a regression's value itself.
    """
    if config.label is None:
        return None
    column = frame[config.label.column]
    if config.model.output.task == "regression":
        return np.asarray(column.to_numpy(dtype=np.float64))
    return _match_column(column, config.label.positive)


def weights_of(frame: pd.DataFrame, config: ExamineConfig) -> np.ndarray | None:
    """Return row weights, float64 of shape [n], or None where none are configured or training rows have none."""
    name = config.data.weight
    return None if name is None or name not in frame.columns else np.asarray(frame[name].to_numpy(dtype=np.float64))


def groups_of(frame: pd.DataFrame, config: ExamineConfig) -> dict[str, np.ndarray]:
    """Return the group of each row by attribute, in configuration order.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of a `Dataset`; all of them where an attribute has neither bins nor few values, because its quartiles are
        then taken from these rows (`settle_bins` fixes them beforehand).
    config : ExamineConfig
        Names attributes, columns and bins.

    Returns
    -------
    dict of str to ndarray of str (object), shape [n]
        ``unknown`` where the value is missing.
    """
    result = {}
    for name, attribute in config.groups.attributes.items():
        values = attribute_values(frame, attribute.column)
        bins = attribute.bins or (quartile_bins(values) if needs_bins(values) else ())
        result[name] = name_groups(values, bins)
    return result


def attribute_values(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return the raw values behind an attribute: float64 with NaN, or objects with None; the joined column first."""
    values = frame[joined_name(column, frame.columns)].to_numpy()
    return values.astype(np.float64) if values.dtype.kind in "iuf" else values.astype(object)


def joined_name(column: str, known: Container[str]) -> str:
    """Return the name of the column behind an attribute: that of the groups file where there is one."""
    joined = column + JOINED_SUFFIX
    return joined if joined in known else column


def settle_bins(config: ExamineConfig, dataset: Dataset) -> ExamineConfig:
    """Return the configuration with cut points written in for each numeric attribute that has none but needs them.

    Parameters
    ----------
    config : ExamineConfig
        The configuration.
    dataset : Dataset
        The rows; of these only the columns in question are read, one at a time.
    """
    settled = {}
    for name, attribute in config.groups.attributes.items():
        column = joined_name(attribute.column, dataset.columns)
        if attribute.bins or dataset.kinds[column] != "number":
            continue
        values = np.concatenate([frame[column].to_numpy() for frame in dataset.batches(columns=(column,))])
        if needs_bins(values):
            settled[name] = attribute.model_copy(update={"bins": quartile_bins(values)})
    if not settled:
        return config
    attributes = {name: settled.get(name, item) for name, item in config.groups.attributes.items()}
    return config.model_copy(update={"groups": config.groups.model_copy(update={"attributes": attributes})})


def _match_column(column: pd.Series[Any], wanted: object) -> np.ndarray:
    """Return 1.0 where a value is the wanted one, 0.0 where it is another, NaN where it is missing."""
    values = column.to_numpy()
    key = match_key(wanted)
    if values.dtype == np.float64:
        number = parse_number(key)
        hit = np.zeros(len(values)) if number is None else (values == number).astype(np.float64)
        hit[np.isnan(values)] = np.nan
        return hit
    codes, levels = _factorize(values)
    hits = np.array([*(float(match_key(level) == key) for level in levels), np.nan])
    return np.asarray(hits[codes])


def _factorize(values: np.ndarray) -> tuple[np.ndarray, list[object]]:
    import pandas as pd

    codes, levels = pd.factorize(values.astype(object) if values.dtype.kind not in "iufb" else values)
    return codes, list(levels)
