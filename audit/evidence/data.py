"""The data as it was read: rows, columns, groups, what is missing. No row of it."""

from __future__ import annotations

from typing import Literal

from .base import Record, Section
from .estimate import Group, Measurement


class ColumnSummary(Record):
    """One column, described without any single row."""

    name: str
    """Column name."""
    kind: Literal["number", "category", "boolean"]
    """How it is read."""
    used_as: str
    """feature, label, group, id, weight, score, decision, unused."""
    missing: int
    """Rows without a value."""
    distinct: int
    """Distinct values (counted up to 1,000; 1,000 then means "1,000 or more")."""
    quantiles: tuple[float, ...] = ()
    """For a number: 1 %, 25 %, 50 %, 75 %, 99 % quantiles, none beyond the fifth value from either end; empty where
    fewer than ten values are known."""
    top: dict[str, int] = {}
    """For a category: up to eight most frequent levels with their rows; levels under 5 rows are not listed."""


class Data(Section):
    """Rows and columns of the audited data."""

    rows: int
    """Rows judged."""
    label_known: int
    """Rows with a label."""
    label_positive: int
    """Rows with the positive label."""
    columns: tuple[ColumnSummary, ...] = ()
    """Columns in file order."""
    groups: tuple[Group, ...] = ()
    """Groups of each single attribute, in configuration order."""
    exclusions: tuple[str, ...] = ()
    """Rows or columns left out, one line each, with the count and the reason."""
    reading: tuple[str, ...] = ()
    """How files were read: separator, decimal, encoding, missing markers, unmatched keys."""
    training: str = ""
    """What is known of the rows that the black box was trained on."""
    measurements: tuple[Measurement, ...] = ()
    """data.rows, data.missing_rate, data.split_overlap, data.label_rate_ratio, data.representation_ratio."""
