"""A table is cut into shards: runs of its pieces, the same ones whoever works on them.

Comes in: the pieces of a source. Goes out: shards of about equal rows, and for every row a position that depends on
its file and its place there alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, tee

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audit.errors import ConfigError
from audit.examination.data.dataset import Dataset
from audit.examination.data.stream import Piece

SHARD_ROWS = 1 << 19
"""Rows of a shard, about: small enough to be done again when a worker is lost."""

FILE_BITS = 40
"""A position is the file's number shifted by so many bits, plus the row's number within the file."""

Shard = tuple[Piece, ...]


def cut_shards(pieces: Sequence[Piece], rows: int | None = None) -> tuple[Shard, ...]:
    """Return runs of pieces with about `rows` rows each; pieces of unknown size are shards of their own.

    Parameters
    ----------
    pieces : sequence of Piece
        In row order.
    rows : int, optional
        Rows of a shard; default `SHARD_ROWS`.
    """
    rows = SHARD_ROWS if rows is None else rows
    shards: list[list[Piece]] = []
    filled = rows
    for piece in pieces:
        size = rows if piece.rows < 0 else piece.rows
        if not shards or filled + size // 2 >= rows:
            shards.append([])
            filled = 0
        shards[-1].append(piece)
        filled += size
    return tuple(tuple(shard) for shard in shards)


def deal_pieces(pieces: Sequence[Piece], index: int, count: int) -> Shard:
    """Return shard `index` (from 1) of `count`: a run of pieces; all shards together are the table.

    Parameters
    ----------
    pieces : sequence of Piece
        All pieces, in row order.
    index, count : int
        Which shard of how many.

    Raises
    ------
    ConfigError
        No such shard, or one without a piece.
    """
    if not 1 <= index <= count:
        raise ConfigError(
            f"there is no shard {index} of {count}", place="--shard", hint=f"1/{count} to {count}/{count}"
        )
    sizes = np.array([1 if piece.rows < 0 else max(piece.rows, 1) for piece in pieces], dtype=np.float64)
    middle = np.cumsum(sizes) - sizes / 2
    owner = np.minimum((middle / sizes.sum() * count).astype(np.int64), count - 1)
    chosen = tuple(piece for piece, at in zip(pieces, owner.tolist(), strict=True) if at == index - 1)
    if not chosen:
        raise ConfigError(
            f"shard {index} of {count} has no rows: the table has {len(pieces)} pieces (row groups or files)",
            place="--shard",
            hint=f"use {len(pieces)} shards at most, or write Parquet with smaller row groups",
        )
    return chosen


def each_batch(
    dataset: Dataset, pieces: Sequence[Piece], columns: Sequence[str]
) -> Iterator[tuple[pa.RecordBatch, NDArray[np.uint64]]]:
    """Yield raw record batches of some pieces, each with the positions of its rows.

    Parameters
    ----------
    dataset : Dataset
        The table.
    pieces : sequence of Piece
        In row order.
    columns : sequence of str
        Columns that will be read from the batches.
    """
    for _, run in groupby(pieces, key=lambda piece: piece.file):
        own = tuple(run)
        batches, counted = tee(dataset.stream(columns, own))
        yield from zip(batches, number_rows(own, (batch.num_rows for batch in counted)), strict=False)


def number_rows(pieces: Sequence[Piece], sizes: Iterator[int]) -> Iterator[NDArray[np.uint64]]:
    """Yield the positions of the rows of each batch, in the order in which a source streams these pieces.

    Parameters
    ----------
    pieces : sequence of Piece
        What is streamed.
    sizes : iterator of int
        Rows of each batch.
    """
    places = _each_place(pieces)
    held = np.empty(0, dtype=np.uint64)
    for size in sizes:
        while len(held) < size:
            held = np.concatenate([held, next(places)])
        yield held[:size]
        held = held[size:]


def _each_place(pieces: Sequence[Piece], step: int = 1 << 17) -> Iterator[NDArray[np.uint64]]:
    for piece in pieces:
        base = (piece.file << FILE_BITS) + piece.start
        done = 0
        while piece.rows < 0 or done < piece.rows:
            rows = step if piece.rows < 0 else min(step, piece.rows - done)
            yield np.arange(base + done, base + done + rows, dtype=np.uint64)
            done += rows
