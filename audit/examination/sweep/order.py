"""The task of an engine: read a shard, score it, decide it, count it. Its result is a `Sweep`.

Comes in: a `SweepOrder`, which says all that a worker needs and holds no row, no secret and no model; and the pieces of
a shard. Goes out: the sweep of these rows. A worker opens the files by their names and the model by its pinned file.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from audit.config.schema import ExamineConfig
from audit.errors import ConfigError, IntakeRefused
from audit.evidence import canonical_bytes, digest_bytes
from audit.examination.blackbox.blackbox import BlackBox
from audit.examination.blackbox.contract import require_finite
from audit.examination.blackbox.decision import DecisionPlan, decide_rows, plan_decision
from audit.examination.blackbox.encode import numbers_of
from audit.examination.blackbox.failing import MOST_ROWS, find_failing, most_unscored
from audit.examination.blackbox.intake import reopen_model
from audit.examination.blackbox.output import OutputReading, read_output
from audit.examination.blackbox.score import score_batch
from audit.examination.data.columns import label_of, weights_of
from audit.examination.data.dataset import Dataset
from audit.examination.tally.condense import MOST_ENTRIES

from .coder import GroupCoder
from .count import RowCounter
from .sample import SAMPLE_ROWS, SampleKeeper, name_strata, read_sampled, share_to_keep
from .shards import Shard, each_batch
from .sweep import Sweep


@dataclass(frozen=True, slots=True)
class SweepOrder:
    """What to do with every shard of a table.

    Parameters
    ----------
    config : ExamineConfig
        Settled: cut points, classes and the scale of stored scores are written in.
    dataset : Dataset
        How the table is read.
    rows : int
        Rows of the whole table; -1 where nobody knows.
    digest : str
        Of all that decides what a sweep holds.
    columns : tuple of str
        Columns that the model reads; empty without one.
    reading : OutputReading or None
        How its outputs are read.
    """

    config: ExamineConfig
    dataset: Dataset
    rows: int
    digest: str
    columns: tuple[str, ...] = ()
    reading: OutputReading | None = None

    @property
    def valued(self) -> bool:
        """Whether the label is a value."""
        return self.config.model.output.task == "regression"


def write_order(
    config: ExamineConfig, dataset: Dataset, blackbox: BlackBox | None, sha256: str, *, rows: int
) -> SweepOrder:
    """Write the order for the shards of a table.

    Parameters
    ----------
    config : ExamineConfig
        What was asked, settled.
    dataset : Dataset
        How the table is read.
    blackbox : BlackBox or None
        The model that was taken in.
    sha256 : str
        Digest of its file, which workers hold theirs against.
    rows : int
        Rows of the whole table; -1 where nobody knows.
    """
    plain = _without_secrets(config)
    if sha256.startswith("sha256:") and plain.model.sha256 is None:
        plain = plain.model_copy(update={"model": plain.model.model_copy(update={"sha256": sha256})})
    columns = blackbox.columns if blackbox is not None else ()
    return SweepOrder(
        plain,
        dataset.detached(),
        rows,
        _digest_order(plain, dataset, columns, sha256),
        columns,
        blackbox.reading if blackbox is not None else None,
    )


def sweep_pieces(order: SweepOrder, pieces: Shard, blackbox: BlackBox | None = None) -> Sweep:
    """Sweep the rows of some pieces.

    Parameters
    ----------
    order : SweepOrder
        What to do.
    pieces : tuple of Piece
        Which rows.
    blackbox : BlackBox, optional
        The model, where it is in this process already.

    Raises
    ------
    AuditError
        Whatever keeps the rows from being read, scored or decided.
    """
    if blackbox is None and order.reading is not None:
        blackbox = _open_once(order)
    worker = _Worker(order, blackbox)
    for batch, position in each_batch(order.dataset, pieces, order.dataset.columns):
        worker.sweep_batch(batch, position)
    roll = worker.counter.close()
    if roll is None:
        raise ConfigError("this shard has no rows", place="--shard", hint="use fewer shards")
    return Sweep(
        digest=order.digest,
        roll=roll,
        sample=worker.keeper.close(),
        rows=worker.counter.rows + worker.unscored,
        covers=tuple(pieces),
        pieces=len(order.dataset.source.pieces),
        unscored=worker.unscored,
        unscored_groups=worker.unscored_groups,
    )


class _Worker:
    """One shard in the making."""

    def __init__(self, order: SweepOrder, blackbox: BlackBox | None) -> None:
        config, dataset = order.config, order.dataset
        self.order, self.blackbox = order, blackbox
        self.plan = plan_decision(config, dataset)
        self.coder = GroupCoder(config, dataset)
        self.scored = read_output(config.model.output) if config.model.scores is not None else None
        self.columns = _columns_to_type(order, self.plan)
        self.counter = RowCounter(
            self.coder.levels,
            self.plan.outcomes,
            condensed=order.rows > MOST_ENTRIES,
            valued=order.valued,
        )
        self.unscored = 0
        self.unscored_groups: dict[str, dict[str, int]] = {name: {} for name in self.coder.levels}
        # the whole is held against its bound when all shards are in; a shard alone cannot fail on more
        self._most = most_unscored(order.rows) if order.rows >= 0 else MOST_ROWS
        size = SAMPLE_ROWS[config.effort]
        self.keeper = SampleKeeper(size, config.seed, share_to_keep(size, order.rows), name_strata(self.coder.levels))

    def sweep_batch(self, batch: pa.RecordBatch, position: np.ndarray) -> None:
        """Score, decide and count the rows of a batch; those that the model raises on are left out and counted."""
        order, dataset = self.order, self.order.dataset
        frame = dataset.frame_of(batch, self.columns)
        try:
            score, probabilities = self._score(frame)
        except IntakeRefused:
            if self.blackbox is None:
                raise
            failing = find_failing(self.blackbox, frame, self._most - self.unscored)
            if not failing.any():
                raise  # it is not a row that it cannot take
            self._count_unscored(batch.filter(pa.array(failing)))
            if not failing.all():
                self.sweep_batch(batch.filter(pa.array(~failing)), position[~failing])
            return
        decisions = decide_rows(self.plan, frame, score, probabilities)
        label = label_of(frame, order.config)
        codes = self.coder.code_batch(batch)
        self.counter.add(codes, label, score, decisions, weights_of(frame, order.config), batch.num_rows)
        inner = _number_inner(label, decisions.favourable, batch.num_rows, valued=order.valued)
        strata = {name: values.astype(np.int32) * 9 + inner for name, values in codes.items()} or {"": inner}
        self.keeper.add(position, strata, partial(read_sampled, dataset, batch))

    def _count_unscored(self, batch: pa.RecordBatch) -> None:
        self.unscored += batch.num_rows
        for name, codes in self.coder.code_batch(batch).items():
            into = self.unscored_groups[name]
            for place, count in zip(*np.unique(codes, return_counts=True), strict=True):
                level = self.coder.levels[name][int(place)]
                into[level] = into.get(level, 0) + int(count)

    def _score(self, frame: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
        if self.blackbox is not None:
            score, _, probabilities = score_batch(self.blackbox, frame)
            require_finite(score, frame, self.blackbox.columns)
            return score, probabilities
        if self.scored is None:
            return None, None
        score = self.scored.score(numbers_of(frame, str(self.order.config.model.scores))[:, None])
        require_finite(score)
        return score, None


def _columns_to_type(order: SweepOrder, plan: DecisionPlan) -> tuple[str, ...]:
    """Return the columns that scoring, deciding and counting read as typed values; groups are read as codes."""
    config, rule = order.config, plan.rule
    wanted = [*order.columns, config.model.scores, config.data.weight, config.label.column if config.label else None]
    wanted += [rule.column, rule.segment] if rule is not None else []
    return tuple(dict.fromkeys(name for name in wanted if name))


def _number_inner(label: np.ndarray | None, favourable: np.ndarray | None, rows: int, *, valued: bool) -> np.ndarray:
    """Return label x 3 + decision of each row, as `name_strata` names them."""
    inner = np.full(rows, 6, dtype=np.int32)
    if label is not None:
        low = np.zeros(rows, dtype=bool) if valued else label != 1.0
        inner = np.where(np.isnan(label), 6, 3 * low).astype(np.int32)
    return inner + (2 if favourable is None else (~favourable).astype(np.int32))


def _without_secrets(config: ExamineConfig) -> ExamineConfig:
    """Return the half that examines alone: keys and passwords stand in the other."""
    names = ExamineConfig.model_fields
    plain = ExamineConfig.model_construct(
        _fields_set=config.model_fields_set & set(names), **{name: getattr(config, name) for name in names}
    )
    return plain.model_copy(update={"engine": "local"})


def _digest_order(config: ExamineConfig, dataset: Dataset, columns: tuple[str, ...], sha256: str) -> str:
    """Digest what decides a sweep; folders do not, so that machines may mount the same files elsewhere."""
    dump = config.model_dump(mode="json", exclude={"title", "keep", "explain", "engine"})
    for block, key in (("data", "audit"), ("data", "train"), ("data", "model_train"), ("model", "path")):
        if isinstance(dump[block].get(key), str):
            dump[block][key] = dump[block][key].replace("\\", "/").rsplit("/", 1)[-1]
    if dump["groups"].get("source"):
        dump["groups"]["source"]["file"] = dump["groups"]["source"]["file"].replace("\\", "/").rsplit("/", 1)[-1]
    kinds = {name: str(dataset.kinds[name]) for name in dataset.columns}
    return digest_bytes(
        canonical_bytes(
            {"config": dump, "kinds": kinds, "columns": list(columns), "model": sha256, "sample": SAMPLE_ROWS}
        )
    )


_LOCK = threading.Lock()
_OPENED: dict[str, BlackBox] = {}


def _open_once(order: SweepOrder) -> BlackBox:
    """Open the model of an order, once in this process."""
    with _LOCK:
        if order.digest not in _OPENED:
            assert order.reading is not None
            _OPENED.clear()
            _OPENED[order.digest] = reopen_model(order.config, order.dataset, order.columns, order.reading)
        return _OPENED[order.digest]
