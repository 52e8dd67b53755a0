"""Can each column be what it is named for? Asked once, when a table is read, before anything rests on it.

Comes in: configuration, kinds, facts. Goes out: nothing, or the first thing that does not allow the audit.
"""

from __future__ import annotations

from collections.abc import Iterable

from audit.config.schema import ExamineConfig, GroupAttribute
from audit.errors import ConfigError, DataError, Mistake, suggest_name

from .classes import class_names, find_stored_classes
from .groups import JOINED_SUFFIX, MOST_GROUPS, MOST_LEVELS, UNKNOWN, bin_labels
from .kinds import DISTINCT_CAP, ColumnFacts
from .values import Kind, match_key, quote_value


def check_label(config: ExamineConfig, facts: ColumnFacts, rows: int, decided: ColumnFacts | None = None) -> None:
    """Check that a label can be predicted.

    Parameters
    ----------
    config : ExamineConfig
        Names the positive class.
    facts : ColumnFacts
        What the label column holds.
    rows : int
        Rows of the table.
    decided : ColumnFacts, optional
        What a column of stored decisions holds: it may hold the same classes as the label.

    Raises
    ------
    DataError
        No row has a label; one class only; more than two values for a binary label; a positive class that is not there;
        a value that is none of the model's classes.
    """
    assert config.label is not None
    name, positive = config.label.column, config.label.positive
    if facts.missing == rows:
        raise DataError(f"no row has a label: the column '{name}' is empty", hint="leave `label` out to audit without")
    if config.model.output.task == "regression":
        if not facts.is_number:
            raise DataError(f"the label '{name}' of a regression must be a number, but holds {facts.odd}")
        return
    classes = {match_key(level): level for level in facts.levels}
    shown = list_values(facts.levels)
    declared = class_names(config)
    if not declared and decided is not None:
        declared = find_stored_classes(config, {facts.name: facts, decided.name: decided})
    if declared:
        _check_classes(name, facts, declared)
        return
    if config.model.output.task == "binary" and len(classes) > 2:
        raise DataError(
            f"the label '{name}' has {_many(len(classes))} different values ({shown}), not two",
            hint="point label.column at a column of two values, or clear the others in it",
        )
    if match_key(positive) not in classes:
        raise DataError(
            f"the positive class {quote_value(positive)} is not among the values of '{name}': {shown}",
            hint=f"set label.positive to one of them, e.g. {{column: {name}, positive: {facts.levels[-1]}}}",
        )
    if len(classes) < 2:
        raise DataError(
            f"the label '{name}' has one class only: {shown}",
            hint="an audit of errors needs both; leave `label` out to audit the decisions alone",
        )


def _check_classes(name: str, facts: ColumnFacts, classes: tuple[str, ...]) -> None:
    """Check that a label holds classes of the model and nothing else."""
    keys = {match_key(level) for level in classes}
    odd = [level for level in facts.levels if match_key(level) not in keys]
    if odd:
        raise DataError(
            f"the label '{name}' holds {list_values(odd)}, which {'is' if len(odd) == 1 else 'are'} no class of the "
            f"model: {list_values(classes, most=20)}",
            hint=suggest_name(odd[0], classes) or "add them to model.output.classes, or clear them in the column",
        )
    if len({match_key(level) for level in facts.levels}) < 2:
        raise DataError(
            f"the label '{name}' has one class only: {list_values(facts.levels)}",
            hint="an audit of errors needs two or more; leave `label` out to audit the decisions alone",
        )


def check_segments(config: ExamineConfig, facts: ColumnFacts) -> None:
    """Check that every value of the segment's column has a condition.

    Raises
    ------
    ConfigError
        Values without one, where there is no ``otherwise``.
    """
    assert config.decision is not None
    segments = config.decision.segments
    keys = {match_key(name) for name in segments}
    free = [level for level in facts.levels if match_key(level) not in keys]
    if "otherwise" in segments or not (free or facts.missing):
        return
    gaps = f"{facts.missing:,} rows have no value" if facts.missing else ""
    named = f"no segment is named {list_values(free, most=20)}" if free else ""
    raise ConfigError(
        f"not every row of '{facts.name}' has a condition: {'; '.join(filter(None, (named, gaps)))}",
        place="decision.segments",
        hint=(suggest_name(free[0], segments) if free else "") or "add a condition for each, or `otherwise`",
    )


def check_weight(facts: ColumnFacts) -> None:
    """Check that every row has a weight that is no negative number, and that some are positive.

    Raises
    ------
    DataError
        Missing, infinite, negative, or all zero.
    """
    if facts.missing:
        raise DataError(
            f"{facts.missing:,} rows have no weight in '{facts.name}'", hint="give each row one; 0 leaves it out"
        )
    if facts.infinite:
        raise DataError(
            f"the weight '{facts.name}' is infinite in {facts.infinite:,} rows", hint="a weight is a finite number"
        )
    if facts.low is not None and facts.low < 0:
        raise DataError(
            f"the weight '{facts.name}' is negative in some rows, {facts.low:g} at the lowest",
            hint="a weight counts people and is 0 or more",
        )
    if not facts.high:
        raise DataError(f"the weight '{facts.name}' is 0 in every row")


def check_decision(config: ExamineConfig, facts: ColumnFacts) -> None:
    """Check that every row is decided, and that the favourable decision is among the values.

    Raises
    ------
    DataError
        Rows without a decision.
    ConfigError
        A favourable value that never occurs.
    """
    assert config.decision is not None
    if facts.missing:
        raise DataError(
            f"{facts.missing:,} rows have no decision in '{facts.name}'",
            hint="leave rows that are not decided yet out of the table, and say so in data.about.filters",
        )
    keys, favourable = {match_key(level) for level in facts.levels}, config.decision.favourable
    wanted = favourable if isinstance(favourable, tuple) else (favourable,)
    absent = [level for level in wanted if match_key(level) not in keys]
    # of several favourable decisions some may not occur in these rows; one must, or nobody is treated well
    if len(absent) == len(wanted) and facts.distinct < DISTINCT_CAP:
        raise ConfigError(
            f"the favourable decision {list_values(str(level) for level in absent)} does not occur in '{facts.name}': "
            f"{list_values(facts.levels)}",
            place="decision.favourable",
            hint=suggest_name(str(absent[0]), facts.levels) or "set it to one of them",
        )


def check_scores(facts: ColumnFacts) -> None:
    """Check that every row has a stored score.

    Raises
    ------
    DataError
        Rows without one.
    """
    if facts.missing:
        raise DataError(
            f"{facts.missing:,} rows have no score in '{facts.name}' (missing or NaN)",
            hint="every row is judged: score it, or leave it out of the table",
        )


def check_attributes(config: ExamineConfig, kinds: dict[str, Kind], facts: dict[str, ColumnFacts]) -> tuple[str, ...]:
    """Check every protected attribute against its column; return notes.

    Raises
    ------
    ConfigError
        A reference group or a population that names a group which is not there.
    DataError
        Bins on a column of texts; more groups than an attribute can have; no value at all.
    """
    notes: list[str] = []
    mistakes: list[Mistake] = []
    for name, attribute in config.groups.attributes.items():
        joined = attribute.column + JOINED_SUFFIX
        column = facts[joined if joined in facts else attribute.column]
        kind = kinds[column.name]
        if attribute.bins and kind != "number":
            raise DataError(
                f"the attribute '{name}' has bins, but its column holds {column.odd or kind}", hint="bins cut numbers"
            )
        notes += _note_attribute(name, attribute, column, kind)
        if kind == "number" and not attribute.bins and column.distinct > MOST_LEVELS:
            continue  # cut at its quartiles, whose names nobody could know beforehand
        known = set(bin_labels(attribute.bins)) if attribute.bins else {level.strip() for level in column.levels}
        if len(known) > MOST_GROUPS:
            raise DataError(
                f"the attribute '{name}' has {_many(column.distinct)} different values",
                hint="name a column of groups, or declare bins",
            )
        mistakes += [
            Mistake(what, config.place_of(*path), hint) for path, what, hint in _unknown_groups(name, attribute, known)
        ]
    if mistakes:
        raise ConfigError(mistakes=mistakes)
    return tuple(notes)


def _note_attribute(name: str, attribute: GroupAttribute, facts: ColumnFacts, kind: Kind) -> list[str]:
    notes = []
    if kind == "number" and not attribute.bins and facts.distinct > MOST_LEVELS:
        notes.append(
            f"the attribute {name} has {_many(facts.distinct)} different numbers and no bins: it is cut at its "
            f"quartiles; declare groups.{name}.bins, or features.{facts.name}.kind: category if the numbers are codes"
        )
    if not facts.levels:
        notes.append(f"the attribute {name} is missing in every row: all people are {UNKNOWN}")
    return notes


def _unknown_groups(
    name: str, attribute: GroupAttribute, known: set[str]
) -> Iterable[tuple[tuple[str, ...], str, str]]:
    """Yield where a group is named that is not there, what is wrong, and what was probably meant."""
    named = [
        ("population", group) for group in attribute.population if attribute.bins or _misspells(group, attribute, known)
    ]
    if attribute.reference is not None:
        named.append(("reference", attribute.reference))
    for key, group in named:
        if group not in known and known:
            hint = suggest_name(group, known) or f"its groups: {list_values(sorted(known))}"
            path = ("groups", name, key, group) if key == "population" else ("groups", name, key)
            yield path, f"'{group}' is no group of the attribute '{name}'", hint


def _misspells(group: str, attribute: GroupAttribute, known: set[str]) -> bool:
    """Whether a group of the population is probably a group of the data that the population does not name.

    A group of the population without any row is a finding; one whose name almost stands in the data is a typing error.
    """
    return group not in known and bool(suggest_name(group, known - attribute.population.keys()))


def list_values(values: Iterable[str], most: int = 5) -> str:
    """Return some values in quotation marks for a message."""
    listed = list(values)
    shown = ", ".join(quote_value(value) for value in listed[:most])
    return shown + (f" and {len(listed) - most:,} more" if len(listed) > most else "")


def _many(count: int) -> str:
    return f"{DISTINCT_CAP:,} or more" if count >= DISTINCT_CAP else f"{count:,}"
