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
    checks: tuple[ContractCheck, ...] = ()
    """Contract checks in the order they ran."""
