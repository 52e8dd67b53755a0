"""Protected attributes that live in a file of their own, joined to the rows by a key.

Comes in: the groups file and the key column of each batch of rows. Goes out: the attribute columns in row order, and
the counts that a reader must see: rows without an entry, entries without a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audit.config.schema import ExamineConfig
from audit.errors import ConfigError, DataError, Mistake, suggest_name
from audit.evidence import FileDigest

from .groups import JOINED_SUFFIX
from .kinds import ColumnFacts, scan_source
from .source import Source, open_source
from .values import READERS, Kind, Reading, as_category

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class JoinedGroups:
    """Attribute columns of a groups file, looked up by key.

    Parameters
    ----------
    key : str
        Column, in both tables, that joins them.
    index : pandas.Index
        Keys of the groups file as texts, each once.
    values : dict of str to ndarray
        Frame column to values in the order of `index`, with one missing value at the end.
    kinds : dict of str to str
        Kind of each of these columns.
    facts : dict of str to ColumnFacts
        What was found in each, by frame column.
    files : tuple of FileDigest
        Digest of the file.
    notes : tuple of str
        How it was read.
    """

    key: str
    index: pd.Index[str]
    values: dict[str, np.ndarray]
    kinds: dict[str, Kind]
    facts: dict[str, ColumnFacts]
    files: tuple[FileDigest, ...]
    notes: tuple[str, ...]

    def find(self, keys: np.ndarray) -> np.ndarray:
        """Return the place of each key (text or None) in the groups file, -1 where it has none; shape [n]."""
        return np.asarray(self.index.get_indexer(keys.tolist()))

    def look_up(self, keys: np.ndarray) -> dict[str, np.ndarray]:
        """Return the attribute columns for some rows, missing where a key has no entry."""
        places = self.find(keys)
        return {name: values[places] for name, values in self.values.items()}


def read_groups(config: ExamineConfig, names: Sequence[str]) -> JoinedGroups:
    """Read the groups file.

    Parameters
    ----------
    config : ExamineConfig
        Names file, key and attribute columns.
    names : sequence of str
        Columns of the rows' table; a joined column of the same name is renamed within the frame.

    Raises
    ------
    ConfigError
        No such file or column.
    DataError
        A key that stands in two rows: nobody can say which of them holds.
    """
    import pandas as pd

    place = config.groups.source
    assert place is not None
    source = open_source(place.file, config.data, place="groups.file")
    _check_names(config, source)
    columns = list(dict.fromkeys(attribute.column for attribute in config.groups.attributes.values()))
    reading = Reading(frozenset(config.data.missing) | {""}, source.decimal)
    rows, facts = scan_source(source, reading, list(dict.fromkeys([place.key, *columns])))
    if not rows:
        raise DataError(f"{source.name} has a header but no rows")
    kinds = {column: _settle_kind(config, facts[column], source.name) for column in columns}
    keys, values = _collect(source, place.key, kinds, reading)
    known = np.array([key is not None for key in keys])
    index = pd.Index(keys[known], dtype=object)
    if index.has_duplicates:
        twice = int(index.duplicated().sum())
        raise DataError(
            f"{source.name} has {twice:,} rows whose {place.key} occurs before: one row per key is needed",
            hint="keep one row of each key",
        )
    shown = {column: column + JOINED_SUFFIX if column in names else column for column in columns}
    notes = list(source.notes)
    if not known.all():
        notes.append(f"{source.name}: {int((~known).sum()):,} rows have no {place.key} and are left out")
    return JoinedGroups(
        key=place.key,
        index=index,
        values={shown[column]: _append_missing(values[column][known]) for column in columns},
        kinds={shown[column]: kind for column, kind in kinds.items()},
        facts={shown[column]: replace(facts[column], name=shown[column]) for column in columns},
        files=source.files,
        notes=tuple(notes),
    )


def describe_join(joined: JoinedGroups, keys: Iterable[np.ndarray], rows: int) -> str:
    """Return one line on how rows and groups file met.

    Parameters
    ----------
    joined : JoinedGroups
        The groups.
    keys : iterable of ndarray of str
        Keys of all rows, batch by batch.
    rows : int
        Number of rows.

    Raises
    ------
    DataError
        No row at all found its key.
    """
    hit = np.zeros(len(joined.index), dtype=bool)
    unmatched = 0
    for batch in keys:
        places = joined.find(batch)
        unmatched += int((places < 0).sum())
        hit[places[places >= 0]] = True
    name = joined.files[0].name
    if unmatched == rows:
        raise DataError(
            f"no row's {joined.key} occurs in {name}",
            hint="is it the same column in both, and are leading zeros kept in both?",
        )
    line = f"{name} joined by {joined.key}: {rows - unmatched:,} of {rows:,} rows found their entry"
    if unmatched:
        line += f"; {unmatched:,} did not, and their groups are unknown"
    idle = int((~hit).sum())
    return line + (f"; {idle:,} entries belong to no row" if idle else "")


def _check_names(config: ExamineConfig, source: Source) -> None:
    wanted = {"groups.key": config.groups.source.key if config.groups.source else ""}
    wanted |= {f"groups.columns.{name}": item.column for name, item in config.groups.attributes.items()}
    mistakes = [
        Mistake(
            f"{source.name} has no column '{column}'",
            place,
            suggest_name(column, source.columns) or f"its columns: {', '.join(source.columns[:8])}",
        )
        for place, column in wanted.items()
        if column not in source.columns
    ]
    if mistakes:
        raise ConfigError(mistakes=mistakes)


def _settle_kind(config: ExamineConfig, facts: ColumnFacts, table: str) -> Kind:
    declared = config.features.get(facts.name)
    if declared is not None and declared.kind is not None:
        return declared.kind
    if facts.guess in ("date", "nested"):
        raise DataError(
            f"the column '{facts.name}' of {table} holds {facts.odd} and makes no groups",
            hint="turn it into an age in years, or a category",
        )
    return facts.kind


def _collect(
    source: Source, key: str, kinds: dict[str, Kind], reading: Reading
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    keys: list[np.ndarray] = []
    values: dict[str, list[np.ndarray]] = {name: [] for name in kinds}
    for batch in source.stream(list(dict.fromkeys([key, *kinds]))):
        keys.append(as_category(batch.column(key), reading))
        for name, kind in kinds.items():
            values[name].append(READERS[kind](batch.column(name), reading, name))
    return np.concatenate(keys), {name: np.concatenate(parts) for name, parts in values.items()}


def _append_missing(values: np.ndarray) -> np.ndarray:
    """Put a missing value at the end, where the place -1 finds it."""
    last = np.array([np.nan]) if values.dtype == np.float64 else np.array([None], dtype=object)
    return np.concatenate([values, last])
