"""The one door for rows: a file, a folder, a glob or a frame comes in and is understood, or is refused here.

Comes in: a configuration. Goes out: a `Dataset` in which every column has one kind, every file a digest, and every
choice that was made on the way a line for the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from audit.config.schema import ExamineConfig
from audit.errors import DataError
from audit.evidence import FileDigest

from .check import check_attributes, check_decision, check_label, check_scores, check_segments, check_weight
from .dataset import Dataset, describe_roles
from .join import JoinedGroups, describe_join, read_groups
from .kinds import ColumnFacts, scan_source
from .roles import Roles, assign_roles
from .settle import drop_unreadable, settle_kinds
from .source import Source, frame_source, open_part, open_source
from .stream import NoStream, Piece
from .values import Kind, Reading, as_category

if TYPE_CHECKING:
    import pandas as pd


Role = Literal["audit", "train", "baseline", "out_of_time"]


def read_dataset(config: ExamineConfig, *, role: Role = "audit") -> Dataset:
    """Read the rows to be judged, the rows for the glass boxes, or rows that the judged ones are compared with.

    Parameters
    ----------
    config : ExamineConfig
        Names files and columns.
    role : {"audit", "train", "baseline", "out_of_time"}
        ``audit`` reads ``data.audit``; ``train`` reads ``data.train``, of which only features and label are needed;
        ``baseline`` and ``out_of_time`` read the files of these names, of which only features are needed.

    Returns
    -------
    Dataset
        Typed rows.

    Raises
    ------
    ConfigError
        No such file or column.
    DataError
        Content that does not allow the audit.
    """
    path: str | None = getattr(config.data, role)
    if path is None:
        raise ValueError(f"the configuration names no data.{role}")
    return _understand(open_source(path, config.data, place=f"data.{role}"), config, role, every_column=False)


def read_frame(frame: pd.DataFrame, config: ExamineConfig, *, every_column: bool = True) -> Dataset:
    """Take a pandas frame instead of a file.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows to be judged; it is copied, not kept.
    config : ExamineConfig
        Names columns; ``data.audit`` is not looked at.
    every_column : bool
        Offer every free column to a callable where ``model.inputs`` names none.

    Raises
    ------
    ConfigError
        No such column.
    DataError
        Content that does not allow the audit.
    """
    return _understand(frame_source(frame), config, "audit", every_column=every_column)


def read_column(path: str, config: ExamineConfig, column: str, *, place: str) -> tuple[np.ndarray, Source]:
    """Return one column of any table as texts (None where missing), and the table.

    Parameters
    ----------
    path : str
        A file, a folder or a glob.
    config : ExamineConfig
        How files are written.
    column : str
        Its name.
    place : str
        Key of the configuration that names the table.

    Raises
    ------
    ConfigError
        No such file.
    DataError
        A file that cannot be read, or that has no such column.
    """
    source = open_source(path, config.data, place=place)
    if column not in source.columns:
        raise DataError(f"{source.name} has no column '{column}'")
    reading = _reading(source, config)
    parts = [as_category(batch.column(0), reading) for batch in source.stream([column])]
    return np.concatenate(parts) if parts else np.empty(0, dtype=object), source


def read_part(config: ExamineConfig, choose: Callable[[Sequence[Piece]], Sequence[Piece]]) -> Dataset:
    """Read some pieces of the rows to be judged, as if they were all.

    Parameters
    ----------
    config : ExamineConfig
        Names files and columns.
    choose : callable
        From all pieces of the table to those that are wanted.

    Raises
    ------
    ConfigError
        No such file or column.
    DataError
        Content that does not allow the audit; what only the whole table can show is left to `reread_whole`.
    """
    source = open_part(config.data.audit, config.data, choose, place="data.audit")
    return _understand(source, config, "audit", every_column=False, part=True)


def reread_whole(
    config: ExamineConfig,
    facts: Sequence[ColumnFacts],
    files: tuple[FileDigest, ...],
    notes: tuple[str, ...],
    rows: int,
) -> Dataset:
    """Understand a table whose rows were read elsewhere, from what its columns hold.

    Parameters
    ----------
    config : ExamineConfig
        Names files and columns.
    facts : sequence of ColumnFacts
        Of every column of the table.
    files, notes
        What was read, and how.
    rows : int
        Rows of the table.

    Raises
    ------
    ConfigError, DataError
        As `read_dataset`.
    """
    name = files[0].name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more"
    columns = tuple(item.name for item in facts)
    source = Source(name, columns, NoStream(name), files, notes, shippable=False)
    seen = rows, {item.name: item for item in facts}
    return _understand(source, config, "audit", every_column=False, seen=seen)


def _understand(
    source: Source,
    config: ExamineConfig,
    role: str,
    *,
    every_column: bool,
    part: bool = False,
    seen: tuple[int, dict[str, ColumnFacts]] | None = None,
) -> Dataset:
    """Settle what each column is, by one look at the rows, or by what was `seen` of them elsewhere."""
    roles = assign_roles(config, source.columns, table=source.name, role=role, every_column=every_column)
    means = _reading(source, config)
    rows, facts = seen or scan_source(source, means)
    if not rows:
        raise DataError(f"{source.name} has a header but no rows", hint="name a table with rows")
    roles, dropped = drop_unreadable(roles, facts, rows)
    kinds, choices = settle_kinds(config, roles, facts)
    joined = read_groups(config, source.columns) if config.groups.source is not None and role == "audit" else None
    notes = [*source.notes, *_note_markers(facts, means), *choices, *dropped, *_note_dates(config, roles, facts)]
    if joined is not None:
        kinds |= joined.kinds
        facts |= joined.facts
        met = [] if part or seen else [describe_join(joined, _keys(source, joined, means), rows)]
        notes += [*joined.notes, *met]
    notes += [] if part else _check_content(config, roles, kinds, facts, rows, role)
    return Dataset(
        columns=(*roles.needed, *(joined.values if joined else ())),
        kinds=kinds,
        rows=rows,
        files=(*source.files, *(joined.files if joined else ())),
        reading=tuple(notes),
        features=roles.features,
        described=tuple(facts.values()),
        used_as=describe_roles(roles, joined),
        source=source,
        means=means,
        joined=joined,
    )


def _reading(source: Source, config: ExamineConfig) -> Reading:
    return Reading(frozenset(text.strip() for text in config.data.missing) | {""}, source.decimal)


def _keys(source: Source, joined: JoinedGroups, means: Reading) -> Iterator[np.ndarray]:
    return (as_category(batch.column(0), means) for batch in source.stream([joined.key]))


def _check_content(
    config: ExamineConfig, roles: Roles, kinds: dict[str, Kind], facts: dict[str, ColumnFacts], rows: int, role: str
) -> tuple[str, ...]:
    """Check what each column is named for; return notes."""
    if config.label is not None and role in ("audit", "train"):
        decided = config.decision.column if config.decision is not None else None
        check_label(config, facts[config.label.column], rows, facts.get(decided) if decided is not None else None)
    notes = _note_features(roles, facts, rows)
    if role != "audit":
        return notes
    if config.data.weight is not None:
        check_weight(facts[config.data.weight])
    if config.decision is not None and config.decision.column is not None:
        check_decision(config, facts[config.decision.column])
    if config.decision is not None and config.decision.segment is not None:
        check_segments(config, facts[config.decision.segment])
    if config.model.scores is not None:
        check_scores(facts[config.model.scores])
    return (*notes, *check_attributes(config, kinds, facts))


def _note_markers(facts: dict[str, ColumnFacts], means: Reading) -> tuple[str, ...]:
    totals: dict[str, int] = {}
    for column in facts.values():
        for marker, count in column.markers.items():
            totals[marker] = totals.get(marker, 0) + count
    if not totals:
        return ()
    found = ", ".join(f"{_marker_name(marker)} {count:,} times" for marker, count in sorted(totals.items()))
    return (f"read as missing: {found}",)


def _marker_name(marker: str) -> str:
    return f"'{marker}'" if marker else "an empty value"


def _note_dates(config: ExamineConfig, roles: Roles, facts: dict[str, ColumnFacts]) -> tuple[str, ...]:
    dates = [
        name
        for name, column in facts.items()
        if column.guess == "date" and name not in roles.used_as and (roles.named or name == config.data.time)
    ]
    return tuple(f"{name} holds dates; it is described and is no feature" for name in dates)


def _note_features(roles: Roles, facts: dict[str, ColumnFacts], rows: int) -> tuple[str, ...]:
    """Name features that can explain nothing in these rows."""
    notes = []
    for name in roles.features:
        if facts[name].missing == rows:
            notes.append(f"the feature {name} is missing in every row")
        elif facts[name].distinct == 1:
            missing = f" (missing in {facts[name].missing:,} rows)" if facts[name].missing else ""
            notes.append(f"the feature {name} has the same value in every row{missing}")
    return tuple(notes)
