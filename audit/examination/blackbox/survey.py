"""What the blocks do not know, told from what the columns are known to hold, without reading the rows again.

Comes in: an `Encoder` and the facts of the columns. Goes out: the `Survey` that looking at every row gives, or None
where the facts do not tell it: more distinct values than are kept, or a level that no block lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from audit.examination.data.kinds import DISTINCT_CAP, ColumnFacts
from audit.examination.data.values import TRUE_TEXTS, Kind

from .encode import Encoder, Survey
from .levels import UNKNOWN

if TYPE_CHECKING:
    from audit.examination.data.dataset import Dataset


def survey_facts(encoder: Encoder, dataset: Dataset) -> Survey | None:
    """Return what the blocks do not know, or None where the rows must be looked at.

    Parameters
    ----------
    encoder : Encoder
        The blocks.
    dataset : Dataset
        What its columns hold. Columns of a groups file are no columns of these rows.
    """
    joined = dataset.joined.values if dataset.joined is not None else {}
    facts = {item.name: item for item in dataset.described if item.name not in joined}
    if not all(name in facts for name in encoder.columns):
        return None
    coded = dict(encoder.list_levels())
    if any(dataset.kinds[name] != "number" for name in encoder.columns if name not in coded):
        return None  # a text among the numbers is refused by the rows that hold it
    for name, indexes in coded.items():
        values = list(_values_of(facts[name], dataset.kinds))
        if len(values) >= DISTINCT_CAP or any(one.position(v) == UNKNOWN for one in indexes for v in values):
            return None
    return Survey(dataset.rows, missing={name: facts[name].missing for name in encoder.columns})


def _values_of(facts: ColumnFacts, kinds: Mapping[str, Kind]) -> Iterable[str | bool]:
    """Yield the distinct values as a typed frame holds them."""
    if kinds[facts.name] == "boolean":
        return {level.strip().lower() in TRUE_TEXTS for level in facts.levels}
    return facts.levels


def describe_survey(survey: Survey) -> tuple[str, ...]:
    """Say which missing values and unlisted levels the blocks filled in, one line each, by column."""
    lines = [
        f"{rows:,} of {survey.rows:,} rows have no value in {name}; the block's value for missing ones was used"
        for name, rows in sorted(survey.missing.items())
        if rows
    ]
    for name, counted in sorted(survey.unknown.items()):
        levels = ", ".join(repr(level[:40]) for level, _ in counted.most_common(3))
        lines.append(
            f"{counted.total():,} of {survey.rows:,} rows have a level in {name} that the model does not know "
            f"({levels}{', ...' if len(counted) > 3 else ''}); the block's code for unknown ones was used"
        )
    return tuple(lines)
