"""What each column of a table is for, and whether it is there.

Comes in: the configuration and the names that a table has. Goes out: `Roles`; all names that are not there come back
at once, each with the key that names it and the nearest name that exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.config.model import NumericBlock
from audit.config.schema import ExamineConfig
from audit.errors import ConfigError, Mistake, suggest_name


@dataclass(frozen=True, slots=True)
class Roles:
    """Columns by what they are for.

    Parameters
    ----------
    features : tuple of str
        Columns that the model reads. Without a list of them every free column where there is a score to explain, and
        the declared features where there is none.
    named : bool
        Whether a model input or a `features` entry names the features; False where every free column was taken.
    numeric, coded : frozenset of str
        Columns that the model's blocks read as numbers, and as categories.
    needed : tuple of str
        Every column that the frame holds, in table order.
    used_as : dict of str to str
        Column to what it is used as: ``feature``, ``label``, ``group``, ``id``, ``weight``, ``score``, ``decision``,
        ``segment``, ``stratum``, several with a comma; a column that is not here is unused.
    """

    features: tuple[str, ...]
    named: bool
    numeric: frozenset[str]
    coded: frozenset[str]
    needed: tuple[str, ...]
    used_as: dict[str, str]


def assign_roles(
    config: ExamineConfig, names: Sequence[str], *, table: str, role: str = "audit", every_column: bool = False
) -> Roles:
    """Say what each column is for.

    Parameters
    ----------
    config : ExamineConfig
        The configuration.
    names : sequence of str
        Columns of the table.
    table : str
        Name of the table, for messages.
    role : {"audit", "train", "baseline", "out_of_time"}
        Training rows need features and label; weights are taken where they are there. Baseline rows and those of a
        later period need features; label, groups and the column of segments are taken where they are there.
    every_column : bool
        Take every free column as a feature where nothing says which ones a callable reads.

    Raises
    ------
    ConfigError
        Columns that are not there, all at once.
    """
    beside = role in ("baseline", "out_of_time")
    wanted = list(_columns_beside(config, names) if beside else _wanted_columns(config, role))
    mistakes = [
        Mistake(f"{table} has no column '{name}'", place, suggest_name(name, names) or _list_names(names))
        for name, _, place in wanted
        if name not in names
    ]
    features, named = _feature_names(config, names, every_column=every_column)
    mistakes += [
        Mistake(f"'{name}' is excluded, but the model reads it", "exclude", "take it out of one of the two")
        for name in config.exclude
        if name in read_columns(config)
    ]
    if mistakes:
        raise ConfigError(mistakes=mistakes)
    used = dict.fromkeys(features, "feature")
    for name, use, _ in wanted:
        if use and use not in used.get(name, "").split(", "):
            used[name] = f"{used[name]}, {use}" if name in used else use
    numeric, coded = _block_columns(config)
    if role == "train" and config.data.weight in names:
        used[str(config.data.weight)] = "weight"
    key = config.groups.source.key if config.groups.source is not None and role == "audit" else None
    needed = tuple(name for name in names if name in used)
    if key is not None and key not in needed:
        used[key] = "id"
    return Roles(features, named, numeric, coded, needed, used)


def read_columns(config: ExamineConfig) -> tuple[str, ...]:
    """Return the columns that the model's inputs name, in order, each once."""
    return tuple(dict.fromkeys(name for item in config.model.inputs for block in item.blocks for name in block.columns))


def _block_columns(config: ExamineConfig) -> tuple[frozenset[str], frozenset[str]]:
    numeric: set[str] = set()
    coded: set[str] = set()
    for item in config.model.inputs:
        for block in item.blocks:
            (numeric if isinstance(block, NumericBlock) else coded).update(block.columns)
    return frozenset(numeric), frozenset(coded)


def _feature_names(config: ExamineConfig, names: Sequence[str], *, every_column: bool) -> tuple[tuple[str, ...], bool]:
    """Return the features and whether anybody named them."""
    read = read_columns(config)
    if read:
        return read, True
    if not (every_column or config.model.format == "python" or config.model.scores is not None):
        return tuple(name for name in names if name in config.features and name not in config.exclude), True
    taken = {name for name, use, _ in _wanted_columns(config, "audit") if use not in ("", "segment", "stratum")}
    taken |= {config.data.time or "", config.groups.source.key if config.groups.source else "", *config.exclude}
    # a column behind a protected attribute is no feature by accident, only where somebody says so
    behind = {attribute.column for attribute in config.groups.attributes.values()} & set(config.features)
    return tuple(name for name in names if name not in taken or name in behind - {*config.exclude}), False


def _wanted_columns(config: ExamineConfig, role: str) -> Iterator[tuple[str, str, str]]:
    """Yield column, what it is used as (empty: named only), and the key that names it."""
    for name in read_columns(config):
        yield name, "feature", "model.inputs"
    if config.label is not None:
        yield config.label.column, "label", "label.column"
    if role == "train":
        return
    yield from _declared_columns(config)
    for column, use, place in (
        (config.data.id, "id", "data.id"),
        (config.data.weight, "weight", "data.weight"),
        (config.data.time, "", "data.time"),
        (config.model.scores, "score", "model.scores"),
        (config.model.expected_score, "score", "model.expected_score"),
        (config.decision.column if config.decision else None, "decision", "decision.column"),
        (config.decision.segment if config.decision else None, "segment", "decision.segment"),
    ):
        if column is not None:
            yield column, use, place


def _columns_beside(config: ExamineConfig, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield what rows beside the judged ones need, and of the rest what is there."""
    for name in read_columns(config):
        yield name, "feature", "model.inputs"
    rest = [(config.label.column if config.label is not None else None, "label", "label.column")]
    rest += [(group.column, "group", f"groups.{name}.column") for name, group in config.groups.attributes.items()]
    rest.append((config.decision.segment if config.decision else None, "segment", "decision.segment"))
    yield from ((name, use, place) for name, use, place in rest if name is not None and name in names)


def _declared_columns(config: ExamineConfig) -> Iterator[tuple[str, str, str]]:
    """Yield the columns that groups, features and exclusions name."""
    if config.groups.source is not None:
        yield config.groups.source.key, "", "groups.key"
    else:
        for attribute, group in config.groups.attributes.items():
            yield group.column, "group", f"groups.{attribute}.column"
    elsewhere = {group.column for group in config.groups.attributes.values()} if config.groups.source else set[str]()
    for name in config.features:
        if name not in elsewhere:
            yield name, "", f"features.{name}"
    for name in config.strata:
        yield name, "stratum", "strata"
    for name in config.exclude:
        yield name, "", "exclude"


def _list_names(names: Sequence[str], most: int = 8) -> str:
    if not names:
        return "it has no column at all"
    shown = ", ".join(names[:most])
    return f"its columns: {shown}" + (f" and {len(names) - most} more" if len(names) > most else "")
