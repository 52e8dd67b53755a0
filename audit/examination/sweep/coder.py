"""The groups of a batch as small whole numbers, without a text per row.

Comes in: raw record batches. Goes out: for every attribute the place of each row's group among the groups of that
attribute, which were fixed when the table was first looked at. Names are made once per distinct value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audit.config.schema import ExamineConfig
from audit.errors import DataError
from audit.examination.data.columns import joined_name
from audit.examination.data.dataset import Dataset
from audit.examination.data.groups import UNKNOWN, bin_labels, name_groups, order_groups
from audit.examination.data.kinds import ColumnFacts
from audit.examination.data.values import READERS

Codes = NDArray[np.int16]


class GroupCoder:
    """Names the groups of rows by number.

    Parameters
    ----------
    config : ExamineConfig
        Attributes, with the cut points of those that are cut.
    dataset : Dataset
        What its columns hold.
    """

    def __init__(self, config: ExamineConfig, dataset: Dataset) -> None:
        facts = {item.name: item for item in dataset.described}
        self._dataset = dataset
        self._columns = {
            name: joined_name(attribute.column, dataset.columns) for name, attribute in config.groups.attributes.items()
        }
        self._bins = {name: attribute.bins for name, attribute in config.groups.attributes.items()}
        self._known: dict[str, dict[Any, int]] = {name: {} for name in self._columns}
        self.levels = {name: self._list_levels(name, facts[column]) for name, column in self._columns.items()}
        self._place = {name: {level: at for at, level in enumerate(levels)} for name, levels in self.levels.items()}

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the attributes stand in."""
        return tuple(dict.fromkeys(self._columns.values()))

    def code_batch(self, batch: pa.RecordBatch) -> dict[str, Codes]:
        """Return the place of each row's group, int16 of shape [n], by attribute.

        Raises
        ------
        DataError
            A group that was not there when the table was first read.
        """
        joined = self._dataset.joined.values if self._dataset.joined is not None else {}
        wanted = [column for column in self.columns if column in joined]
        found = self._dataset.read_arrays(batch, wanted) if wanted else {}
        return {
            name: self._code_values(name, found[column])
            if column in found
            else self._code_column(name, batch.column(column))
            for name, column in self._columns.items()
        }

    def _list_levels(self, name: str, facts: ColumnFacts) -> tuple[str, ...]:
        if self._bins[name]:
            return (*order_groups(bin_labels(self._bins[name])), UNKNOWN)
        kind = self._dataset.kinds[facts.name]
        if kind == "number":
            values: Any = np.array([float(level) for level in facts.levels])
        else:
            values = READERS[kind](pa.array(list(facts.levels), pa.string()), self._dataset.means, facts.name)
        return order_groups({*name_groups(values).tolist(), UNKNOWN})

    def _code_column(self, name: str, array: pa.Array) -> Codes:
        if self._bins[name] and not _is_coded(array.type):
            return self._code_values(name, READERS["number"](array, self._dataset.means, self._columns[name]))
        coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        levels = coded.dictionary
        table = np.append(self._code_levels(name, levels), self._code_levels(name, pa.nulls(1, levels.type)))
        indices = coded.indices
        if indices.null_count:
            indices = indices.fill_null(len(levels))
        return np.asarray(table[indices.to_numpy(zero_copy_only=False)])

    def _code_levels(self, name: str, levels: pa.Array) -> Codes:
        """Return the place of each distinct value; what was seen before is looked up."""
        known, values = self._known[name], levels.to_pylist()
        fresh = [at for at, value in enumerate(values) if value not in known]
        if fresh:
            column = self._columns[name]
            typed = READERS[self._dataset.kinds[column]](levels.take(pa.array(fresh)), self._dataset.means, column)
            for at, code in zip(fresh, self._code_values(name, typed).tolist(), strict=True):
                known[values[at]] = code
        return np.array([known[value] for value in values], dtype=np.int16)

    def _code_values(self, name: str, values: np.ndarray) -> Codes:
        if self._bins[name]:
            place = np.searchsorted(np.asarray(self._bins[name], dtype=np.float64), values, side="right")
            return np.where(np.isnan(values), len(self._bins[name]) + 1, place).astype(np.int16)
        import pandas as pd

        found, distinct = pd.factorize(name_groups(values))
        return np.array([self._find(name, str(level)) for level in distinct], dtype=np.int16)[found]

    def _find(self, name: str, level: str) -> int:
        if level not in self._place[name]:
            raise DataError(
                f"the attribute '{name}' shows a group that was not there before: the data changed while it was read",
                hint="audit files that nobody writes to",
            )
        return self._place[name][level]


def _is_coded(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))
