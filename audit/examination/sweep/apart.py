"""Shards that are swept apart, by whatever schedules jobs, and put together later: no engine, no common memory.

Comes in: a configuration and which shard of how many. Goes out: the `Sweep` of that shard, which knows what its columns
hold; and from the sweeps of all shards the `Dataset` that reading the whole table would have given. A shard reads its
own pieces alone: what would need the whole table (quartiles as cut points, texts that turn out to be numbers elsewhere)
has to be declared, and is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from audit.config.schema import ExamineConfig
from audit.errors import ConfigError, DataError
from audit.examination.blackbox.intake import take_in
from audit.examination.data.classes import settle_classes
from audit.examination.data.columns import joined_name
from audit.examination.data.dataset import Dataset
from audit.examination.data.groups import MOST_LEVELS
from audit.examination.data.read import read_part, reread_whole

from .order import sweep_pieces, write_order
from .rows import Rows, settle_scale
from .shards import deal_pieces
from .sweep import Sweep, merge_sweeps


def sweep_shard(config: ExamineConfig, index: int, count: int) -> Sweep:
    """Sweep one shard of a table on its own.

    Parameters
    ----------
    config : ExamineConfig
        The same for every shard.
    index, count : int
        Which shard, from 1, of how many.

    Raises
    ------
    ConfigError
        No such shard; an attribute that would be cut at the quartiles of the whole table.
    DataError, IntakeRefused
        As when the whole is read.
    """
    dataset = read_part(config, lambda pieces: deal_pieces(pieces, index, count))
    _check_bins(config, dataset)
    config = settle_classes(config, dataset.described)
    blackbox, intake = take_in(config, dataset)
    config = settle_scale(config, dataset)
    known = dataset.source.total_rows
    order = write_order(config, dataset, blackbox, intake.sha256, rows=known)
    swept = sweep_pieces(order, dataset.source.pieces, blackbox)
    return replace(
        swept,
        pieces=dataset.source.total_pieces,
        settled=_list_settled(config, dataset),
        facts=tuple(item for item in dataset.described if item.name in dataset.source.columns),
        files=dataset.source.files,
        notes=dataset.source.notes,
    )


def join_sweeps(config: ExamineConfig, sweeps: Sequence[Sweep]) -> Rows:
    """Put the sweeps of all shards of a table together.

    Parameters
    ----------
    config : ExamineConfig
        The configuration that they were made by.
    sweeps : sequence of Sweep
        All of them, in any order.

    Returns
    -------
    Rows
        The table as the report describes it; the rows at hand are those of the sample.

    Raises
    ------
    DataError
        Shards of different configurations, a shard twice, shards that are missing, or made by another configuration.
    """
    whole = merge_sweeps(sorted(sweeps, key=lambda one: one.covers))
    if len(whole.covers) != whole.pieces:
        raise DataError(
            f"{whole.pieces - len(whole.covers)} of the {whole.pieces} pieces of the table are in none of these shards",
            hint="wait for all shards, and name all of their files",
        )
    if not whole.facts:
        raise DataError("these sweeps do not say what their columns hold", hint="make them with audit examine --shard")
    dataset = reread_whole(config, whole.facts, whole.files, whole.notes, whole.rows)
    dataset = replace(dataset, _kept={"frame": whole.sample.frame()})
    settled = settle_scale(settle_classes(config, dataset.described), dataset)
    odd = _first_difference(whole.settled, _list_settled(settled, dataset))
    if odd:
        raise DataError(
            f"these shards were swept by another configuration than this one: {odd}",
            hint="use the audit.yaml that they were swept with",
        )
    return Rows(settled, dataset, whole)


def _check_bins(config: ExamineConfig, dataset: Dataset) -> None:
    facts = {item.name: item for item in dataset.described}
    for name, attribute in config.groups.attributes.items():
        column = joined_name(attribute.column, dataset.columns)
        if not attribute.bins and dataset.kinds[column] == "number" and facts[column].distinct > MOST_LEVELS:
            raise ConfigError(
                f"the attribute '{name}' is a number without bins, and a shard cannot know the quartiles of the whole",
                place=f"groups.{name}.bins",
                hint=f"declare them: {name}: {{column: {attribute.column}, bins: [25, 40, 60]}}",
            )


def _list_settled(config: ExamineConfig, dataset: Dataset) -> dict[str, Any]:
    """Return what a shard settles from its rows, and what else must agree, in words that can be compared."""
    output = config.model.output
    listed: dict[str, Any] = {f"kind of {name}": str(dataset.kinds[name]) for name in dataset.columns}
    listed |= {"features": ", ".join(dataset.features), "scale of the output": output.scale}
    listed |= {"classes": ", ".join(str(name) for name in output.classes), "effort": config.effort}
    listed |= {"seed": config.seed, "task": output.task, "label": config.label.column if config.label else ""}
    listed |= {"decision": str(config.decision.model_dump(mode="json")) if config.decision else ""}
    for name, attribute in config.groups.attributes.items():
        listed[f"groups.{name}"] = f"{attribute.column} {list(attribute.bins)}"
    return listed


def _first_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    for key in sorted({*one, *other}):
        if one.get(key) != other.get(key):
            return f"{key} was {one.get(key)!r} and is {other.get(key)!r}"
    return ""
