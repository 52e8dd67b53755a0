"""The first half on one page: from a configuration to evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audit.config.schema import ExamineConfig
from audit.evidence import Evidence

from .blackbox.intake import take_in, take_in_callable
from .engine.engine import open_engine
from .engine.progress import Progress, SilentProgress, timed_stage
from .glassbox.fit import tables_of
from .measures.case import describe_subject, list_intersections
from .measures.decisions.individuals import write_individuals
from .measures.kept import keep_people
from .measures.provenance import describe_provenance
from .measures.roster import MEASURES, define_used, measure_safely
from .measures.setting import open_case
from .sweep.find import read_rows
from .sweep.people import gather_people

if TYPE_CHECKING:
    import pandas as pd

    from .sweep.sweep import Sweep


@dataclass(frozen=True, slots=True)
class Examination:
    """What the first half hands over.

    Parameters
    ----------
    evidence : Evidence
        Everything measured.
    artifacts : dict of str to bytes
        Files that belong to it, by relative name; their digests stand in the provenance.
    individuals : dict of str to bytes
        What is told to single people, by relative name; evidence holds their digests, never a name.
    scores : bytes or None
        The private file of scores, where one is to be kept.
    """

    evidence: Evidence
    artifacts: dict[str, bytes] = field(default_factory=dict)
    individuals: dict[str, bytes] = field(default_factory=dict)
    scores: bytes | None = None


def examine(
    config: ExamineConfig,
    *,
    started: str,
    frame: pd.DataFrame | None = None,
    predict: Callable[[Any], Any] | None = None,
    sweeps: Sequence[Sweep] = (),
    executor: Executor | None = None,
    keep: bool = False,
    progress: Progress | None = None,
) -> Examination:
    """Measure everything that the configuration asks for.

    Parameters
    ----------
    config : ExamineConfig
        What to measure.
    started : str
        UTC time, ISO 8601, printed in the provenance.
    frame : pandas.DataFrame, optional
        Rows as an object, instead of ``data.audit``.
    predict : callable, optional
        The black box as a function from a frame to scores, instead of ``model``.
    sweeps : sequence of Sweep
        All shards of ``data.audit``, swept elsewhere.
    executor : concurrent.futures.Executor, optional
        What does the shards of a large table, instead of ``engine``.
    keep : bool
        Hand over who was decided how, for a comparison, also where ``keep.scores`` does not ask for it.
    progress : Progress, optional
        Hears of stages and steps.

    Raises
    ------
    ConfigError
        A file or column that is not there.
    DataError
        Data that cannot be audited.
    IntakeRefused
        A model that was not let in.
    """
    progress, seconds = progress or SilentProgress(), dict[str, float]()
    with timed_stage(progress, "read data", seconds):
        rows = read_rows(config, frame, sweeps)
        config, dataset = rows.config, rows.dataset
    with timed_stage(progress, "take in model", seconds):
        blackbox, intake = take_in_callable(predict, config, dataset) if predict else take_in(config, dataset)
    with timed_stage(progress, "score rows", seconds), open_engine(config.engine, executor) as engine:
        people = gather_people(rows, blackbox, intake, engine, list_intersections(config), progress)
        subject = describe_subject(config, dataset, intake.columns, people.scores, has_model=blackbox is not None)
    with timed_stage(progress, "fit glass boxes", seconds):
        case = open_case(config, subject, dataset, people, blackbox, intake, progress)
    sections = {}
    for name in MEASURES:
        with timed_stage(progress, f"measure {name}", seconds):
            sections[name] = measure_safely(name, case)
    artifacts = tables_of(case.fits)
    provenance = describe_provenance(case, artifacts, started, seconds)
    evidence = Evidence.model_validate(
        {"provenance": provenance, "subject": subject, "definitions": define_used(sections), **sections}
    )
    scores = keep_people(case, evidence.digest()) if keep or config.keep.scores else None
    return Examination(evidence, artifacts, write_individuals(case, sections["decisions"]), scores)
