"""A model tried on a sample, before any row counts.

Comes in: a `BlackBox` and a seeded sample. Goes out: the `Trial`: its contract, its pace, the columns it does not use,
and what a reader must know; or a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.config.schema import ExamineConfig
from audit.evidence import ContractCheck

from .blackbox import BlackBox
from .contract import check_contract
from .failing import drop_failing
from .output import OutputReading, check_outputs
from .pace import Pace, check_time, count_pace, measure_pace, shrink_sample
from .usage import find_unused

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Trial:
    """What trying a model on a sample showed.

    Parameters
    ----------
    checks : tuple of ContractCheck
        Its contract.
    pace : Pace or None
        How fast it is; None where there is no model.
    unused : tuple of str
        Columns that changed no score.
    notes : tuple of str
        What a reader must know.
    """

    checks: tuple[ContractCheck, ...]
    pace: Pace | None = None
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def try_model(model: BlackBox, sample: pd.DataFrame, reading: OutputReading, config: ExamineConfig, rows: int) -> Trial:
    """Try a model on a sample: does it fail on rows, is it slow, does it hold its contract.

    Parameters
    ----------
    model : BlackBox
        The model.
    sample : pandas.DataFrame
        Typed rows.
    reading : OutputReading
        How its outputs are read.
    config : ExamineConfig
        For the stored scores and the time limit.
    rows : int
        How many rows there are to score in all.

    Raises
    ------
    IntakeRefused
        It fails on more than a few rows, or breaks its contract.
    TryAgain
        Scoring all rows would take longer than the limit.
    """
    shrunk = shrink_sample(model, sample)
    tried, failed = drop_failing(model, shrunk)
    pace = Pace(measure_pace(model, tried).rate, count_pace(model, tried), config.model.pace)
    check_time(pace, rows, config.model.time_limit)
    check_outputs(model.raw(tried), reading)  # before anything reads them
    usage = find_unused(model, tried)
    checks = check_contract(model, tried, reading, config.model.expected_score, usage)
    notes = []
    if failed:
        notes.append(f"the model raises an error on {failed:,} of {len(shrunk):,} rows of the sample, left out of it")
    if len(shrunk) < len(sample):
        notes.append(f"the model is slow: its contract was tried on {len(shrunk):,} rows instead of {len(sample):,}")
    return Trial(checks, pace, usage.unused, tuple(notes))
