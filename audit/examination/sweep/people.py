"""All people of an audit, and the rows that whole rows are needed of: every one of them, or a sample.

Comes in: the data and the black box. Goes out: `People`. A small table is held whole; a large one, or one that an
engine reads, is swept shard by shard, and nothing grows with the number of its rows but time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from audit.config.schema import ExamineConfig
from audit.errors import ConfigError, DataError
from audit.evidence import Intake
from audit.examination.blackbox.decision import plan_decision
from audit.examination.blackbox.failing import check_unscored, describe_unscored
from audit.examination.blackbox.score import Scores, score_rows
from audit.examination.data.columns import groups_of, label_of, weights_of
from audit.examination.data.kinds import LARGE_ROWS
from audit.examination.engine.engine import Engine
from audit.examination.engine.progress import Progress
from audit.examination.tally.roll import Roll, roll_of
from audit.examination.tally.tally import Tally, build_tally
from audit.examination.tally.totals import tally_of

from .order import sweep_pieces, write_order
from .rows import Rows, settle_scale
from .sample import EACH_STRATUM
from .shards import cut_shards
from .sweep import Sweep, merge_sweeps

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.blackbox.blackbox import BlackBox
    from audit.examination.data.dataset import Dataset


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The rows of an audit.

    Parameters
    ----------
    frame : pandas.DataFrame
        All rows, or a sample, typed.
    label, weights, groups, scores
        Of the same rows; see `Case`.
    roll : Roll
        All people.
    tally : Tally
        All people, counted.
    sampled : str
        What the sample is, for a reader; empty where `frame` holds all rows.
    """

    frame: pd.DataFrame
    label: np.ndarray | None
    weights: np.ndarray | None
    groups: dict[str, np.ndarray]
    scores: Scores
    roll: Roll
    tally: Tally
    sampled: str = ""


def gather_people(
    rows: Rows,
    blackbox: BlackBox | None,
    intake: Intake,
    engine: Engine,
    intersections: Sequence[tuple[str, ...]],
    progress: Progress,
) -> People:
    """Score, decide and count every row.

    Parameters
    ----------
    rows : Rows
        What was asked, and the table.
    blackbox, intake
        The model and how it was taken in.
    engine : Engine
        What does the shards of a large table.
    intersections : sequence of tuple of str
        Attribute sets that will be asked for.
    progress : Progress
        Hears of every batch or shard.

    Raises
    ------
    ConfigError
        Objects in memory where the engine works on files.
    """
    dataset, whole = rows.dataset, rows.whole
    if whole is None and dataset.rows < LARGE_ROWS and not engine.ships:
        return _hold_all(rows.config, dataset, blackbox, intersections, progress)
    config = settle_scale(rows.config, dataset)
    if whole is None:
        whole = sweep_table(config, dataset, blackbox, intake, engine, progress)
    return people_of(whole, config, dataset, blackbox, intersections)


def sweep_table(
    config: ExamineConfig,
    dataset: Dataset,
    blackbox: BlackBox | None,
    intake: Intake,
    engine: Engine,
    progress: Progress,
) -> Sweep:
    """Sweep all shards of a table and add them up.

    Raises
    ------
    ConfigError
        Objects in memory where the engine works on files.
    DataError
        The table has other rows than when it was first read.
    """
    if engine.ships:
        check_shippable(dataset, blackbox, intake, engine)
    order = write_order(config, dataset, blackbox, intake.sha256, rows=dataset.rows)
    task = partial(sweep_pieces, order) if engine.ships else partial(sweep_pieces, order, blackbox=blackbox)
    sweeps = engine.map(task, cut_shards(dataset.source.pieces))
    whole = merge_sweeps(_heard(sweeps, dataset.rows, progress))
    if whole.rows != dataset.rows:
        raise DataError(
            f"the table had {dataset.rows:,} rows when it was first read and {whole.rows:,} when it was scored",
            hint="audit files that nobody writes to",
        )
    return whole


def check_shippable(dataset: Dataset, blackbox: BlackBox | None, intake: Intake, engine: Engine) -> None:
    """Refuse rows and models that another process could not open by name.

    Raises
    ------
    ConfigError
        Objects in memory.
    """
    if not dataset.source.shippable:
        raise ConfigError(
            f"the rows are a frame in memory, and the engine {engine.name} works on files",
            place="engine",
            hint="write them to Parquet and name the folder, or use engine: local",
        )
    if blackbox is not None and not intake.file:
        raise ConfigError(
            f"the model is an object in memory, and the engine {engine.name} opens models by their file",
            place="engine",
            hint="export it (audit.export) and name the file, or use engine: local",
        )


def people_of(
    whole: Sweep,
    config: ExamineConfig,
    dataset: Dataset,
    blackbox: BlackBox | None,
    intersections: Sequence[tuple[str, ...]],
) -> People:
    """Lay out a finished sweep: the rows of its sample are scored once more, whole.

    Parameters
    ----------
    whole : Sweep
        Of all rows.
    config, dataset, blackbox
        As it was made.
    intersections : sequence of tuple of str
        Attribute sets that will be asked for.
    """
    frame = whole.sample.frame()
    scores = score_rows(blackbox, dataset.some_rows(frame), config)
    return People(
        frame=frame,
        label=label_of(frame, config),
        weights=weights_of(frame, config),
        groups=groups_of(frame, config),
        scores=_note_unscored(_turn_side(scores, config, dataset, whole.roll), whole),
        roll=whole.roll,
        tally=tally_of(whole.roll, intersections),
        sampled=describe_sample(len(frame), whole.rows, config, list(whole.roll.levels)),
    )


def _note_unscored(scores: Scores, whole: Sweep) -> Scores:
    """Say how many rows of each group the model raised on.

    Raises
    ------
    IntakeRefused
        They are more than a few.
    """
    if not whole.unscored:
        return scores
    check_unscored(whole.unscored, whole.rows)
    groups = {}
    for name, levels in whole.roll.levels.items():
        scored = dict(zip(levels, np.bincount(whole.roll.codes[name], whole.roll.count, len(levels)), strict=True))
        lost = whole.unscored_groups.get(name, {})
        groups[name] = {
            level: (lost.get(level, 0), int(scored.get(level, 0)) + lost.get(level, 0)) for level in {*scored, *lost}
        }
    return replace(scores, notes=(describe_unscored(whole.unscored, whole.rows, groups), *scores.notes))


def describe_sample(size: int, rows: int, config: ExamineConfig, attributes: Iterable[str]) -> str:
    """Say in one sentence what a sample is."""
    strata = ", ".join(attributes)
    rare = f", and at least {EACH_STRATUM} of each group of {strata} with each label and decision" if strata else ""
    return f"a sample of {size:,} of {rows:,} rows, drawn by a hash of the row's place with seed {config.seed}{rare}"


def _turn_side(scores: Scores, config: ExamineConfig, dataset: Dataset, roll: Roll) -> Scores:
    """Let all rows, not the sample, say which stored decision predicts the positive class."""
    plan = plan_decision(config, dataset)
    stored = plan.rule is not None and plan.rule.column is not None and plan.predicts and plan.kind != "class"
    if not stored or scores.favourable is None or roll.score is None or roll.favourable is None:
        return scores
    good = roll.favourable
    if not good.any() or good.all():
        return scores
    means = [np.average(roll.score[side], weights=roll.count[side]) for side in (good, ~good)]
    return replace(scores, predicted_positive=~scores.favourable if means[0] < means[1] else scores.favourable)


def _heard(sweeps: Iterable[Sweep], total: int, progress: Progress) -> Iterator[Sweep]:
    done = 0
    for sweep in sweeps:
        done += sweep.rows
        progress.step(done, total)
        yield sweep


def _hold_all(
    config: ExamineConfig,
    dataset: Dataset,
    blackbox: BlackBox | None,
    intersections: Sequence[tuple[str, ...]],
    progress: Progress,
) -> People:
    scores = score_rows(blackbox, dataset, config, progress=progress)
    frame = dataset.frame()
    if scores.kept is not None:
        frame = frame[scores.kept].reset_index(drop=True)
    groups, label, weights = groups_of(frame, config), label_of(frame, config), weights_of(frame, config)
    # a value is no class, also where all its values happen to be 0 and 1
    classes = None if config.model.output.task == "regression" else label
    return People(
        frame=frame,
        label=label,
        weights=weights,
        groups=groups,
        scores=scores,
        roll=roll_of(
            groups,
            label,
            scores.score,
            scores.favourable,
            weights,
            outcomes=scores.outcomes,
            outcome=scores.outcome,
            truth=scores.truth,
            rows=len(frame),
        ),
        tally=build_tally(groups, classes, scores.favourable, scores.score, weights, intersections),
    )
