"""How the model was taken in, and what it proved about itself before anything was measured."""

from __future__ import annotations

from typing import Literal

from .base import Record, Section


class ContractCheck(Record):
    """One check of the model's contract."""

    id: str
    """deterministic, finite, row_independent, order_independent, gradients, scale, outputs, expected_score, ..."""
    title: str
    """For readers."""
    status: Literal["pass", "fail", "warn", "not_done"]
    """Outcome; ``fail`` here does not stop the audit (what must stop it raises IntakeRefused)."""
    detail: str
    """What was found, with the number."""
    advice: str = ""
    """What to do where it did not pass."""


class StoredDifference(Record):
    """Stored scores of one group that the model does not give."""

    attribute: str
    """Protected attribute."""
    group: str
    """Its level."""
    rows: int
    """Rows of the group with a stored score."""
    differing: int
    """Rows whose stored score is another one than the model's."""


class StoredScores(Record):
    """Stored scores held against those that the model gives."""

    column: str
    """Column of the stored scores."""
    rows: int
    """Rows with a stored score that were compared."""
    missing: int
    """Rows without one."""
    differing: int
    """Rows whose stored score differs by more than `tolerance`."""
    tolerance: float
    """Difference that rounding explains; on the scale of the score."""
    largest: float | None
    """Largest difference; None where no row has a stored score."""
    mean: float | None
    """Mean absolute difference of the rows that differ; None where none does."""
    by_group: tuple[StoredDifference, ...] = ()
    """By group of each protected attribute."""
    sampled: str = ""
    """What rows were compared, where not all."""


class Intake(Section):
    """The black box as a file and as a function."""

    format: str
    """pt2, torchscript, safetensors, state_dict, python, scores, decisions."""
    file: str
    """File name; empty for an object."""
    sha256: str
    """Digest of the model; ``model not identified`` where none can be had."""
    size: int | None = None
    """Bytes."""
    parameters: int | None = None
    """Number of weights, where the format tells."""
    trust: str
    """The trust decision in words: what was vetted, what code was run and on whose word."""
    vetted: tuple[str, ...] = ()
    """What vetting looked at, one line each."""
    isolation: str = ""
    """How the model is kept apart from the audit, in words; empty where it runs in the same process."""
    inputs: tuple[str, ...] = ()
    """Forward arguments and their blocks, one line each."""
    output: str = ""
    """Task, scale, positive class in words."""
    columns: tuple[str, ...] = ()
    """Columns that the model reads, in order."""
    pace: int | None = None
    """Rows per second that the model scores, rounded down (100000: that or more): what sizes of samples follow; None
    without a model."""
    pace_basis: Literal["", "declared", "counted", "measured"] = ""
    """Whether that is declared, counted from the operations of the model, or measured by a clock."""
    unused: tuple[str, ...] = ()
    """Columns that are read, but whose values, moved between the rows of the sample, changed no score."""
    stored: StoredScores | None = None
    """The column of stored scores beside a model, held against it."""
    checks: tuple[ContractCheck, ...] = ()
    """Contract checks in the order they ran."""
