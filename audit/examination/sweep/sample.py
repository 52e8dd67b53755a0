"""A sample of whole rows that does not depend on how the rows were cut, ordered or shared out.

Comes in: batches of rows with their positions, groups, labels and decisions. Goes out: a `Sample`: the rows whose
position has the smallest seeded hash, and of every group, label and decision the few with the smallest. Samples of
pieces add up to the sample of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audit.examination.data.dataset import Dataset

from .shards import each_batch

if TYPE_CHECKING:
    import pandas as pd

SAMPLE_ROWS = {"fast": 100_000, "standard": 200_000, "thorough": 400_000}
"""Rows of the sample by effort: what the glass boxes and the effects rest on where there are more rows than that."""

EACH_STRATUM = 50
"""Rows of each group with each label and each decision that are in the sample in any case, as far as they exist."""

_LAST = np.uint64(2**64 - 1)
_SLACK = 6.0
_MANY = 10_000

Hashes = NDArray[np.uint64]


def hash_positions(position: Hashes, seed: int) -> Hashes:
    """Return a hash of each position, evenly spread over 64 bits; uint64 of shape [n].

    Notes
    -----
    SplitMix64 (Steele, Lea and Flood 2014) of the position, started from the seed.
    """
    with np.errstate(over="ignore"):
        z = position + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def share_to_keep(size: int, rows: int) -> np.uint64:
    """Return a hash below which the `size` smallest of `rows` hashes lie, but for a chance of one in a billion."""
    if rows <= 0 or rows <= size:
        return _LAST
    return np.uint64(min((size + _SLACK * size**0.5) / rows, 1.0) * float(2**64 - 2**12))


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Some whole rows.

    Parameters
    ----------
    size : int
        Rows wanted.
    position, mark : ndarray of uint64, shape [m]
        Position of each row, and its hash.
    strata : dict of str to ndarray of str (object), shape [m]
        Attribute to group, label and decision of each row as one text; rows are kept by them.
    columns : dict of str to ndarray, shape [m]
        The rows, typed.
    """

    size: int
    position: Hashes = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    mark: Hashes = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    strata: dict[str, np.ndarray] = field(default_factory=dict)
    columns: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.mark)

    def take(self, rows: np.ndarray) -> Sample:
        """Return these rows alone."""
        return Sample(
            self.size,
            self.position[rows],
            self.mark[rows],
            {name: values[rows] for name, values in self.strata.items()},
            {name: values[rows] for name, values in self.columns.items()},
        )

    def prune(self) -> Sample:
        """Return the rows that are in the sample, by position: the `size` smallest hashes and those of each stratum."""
        kept = np.zeros(len(self), dtype=bool)
        order = np.argsort(self.mark, kind="stable")
        kept[order[: self.size]] = True
        for values in self.strata.values():
            kept[_lowest_of_each(_codes_of(values), self.mark, EACH_STRATUM)] = True
        rows = np.flatnonzero(kept)
        return self.take(rows[np.argsort(self.position[rows], kind="stable")])

    def frame(self) -> pd.DataFrame:
        """Return the rows as a typed frame, numbered from 0."""
        import pandas as pd

        index = pd.RangeIndex(len(self))
        return pd.DataFrame(
            {name: pd.Series(values, index=index, dtype=values.dtype) for name, values in self.columns.items()},
            index=index,
            copy=False,
        )


def merge_samples(samples: Sequence[Sample]) -> Sample:
    """Return the sample of all rows from the samples of pieces.

    Parameters
    ----------
    samples : sequence of Sample
        At least one; of rows that were counted once.
    """
    filled = [sample for sample in samples if len(sample)]
    if len(filled) < 2:
        return (filled or samples)[0].prune()
    first = filled[0]
    return Sample(
        first.size,
        np.concatenate([sample.position for sample in filled]),
        np.concatenate([sample.mark for sample in filled]),
        {name: np.concatenate([sample.strata[name] for sample in filled]) for name in first.strata},
        {name: np.concatenate([sample.columns[name] for sample in filled]) for name in first.columns},
    ).prune()


class SampleKeeper:
    """Keeps the rows of a shard that may be in the sample of the whole.

    Parameters
    ----------
    size : int
        Rows wanted of the whole.
    seed : int
        The one seed.
    limit : uint64
        Hash above which a row is kept for its stratum alone; see `share_to_keep`.
    names : dict of str to sequence of str
        Attribute to the names of its strata, by their number.
    """

    def __init__(self, size: int, seed: int, limit: np.uint64, names: Mapping[str, Sequence[str]]) -> None:
        self.size, self.seed, self.limit = size, seed, limit
        self.names = {name: np.array(list(values), dtype=object) for name, values in names.items()}
        self._low = {name: _Lowest(len(values)) for name, values in names.items()}
        self._parts: list[Sample] = []
        self._held = 0

    def add(
        self,
        position: Hashes,
        strata: Mapping[str, np.ndarray],
        read: Callable[[np.ndarray], dict[str, np.ndarray]],
    ) -> None:
        """Look at the rows of a batch.

        Parameters
        ----------
        position : ndarray of uint64, shape [n]
            Positions of the rows.
        strata : mapping of str to ndarray of int, shape [n]
            Number of each row's stratum, by attribute.
        read : callable
            From places of rows in the batch to their columns; called for rows that are kept.
        """
        mark = hash_positions(position, self.seed)
        kept = mark < self.limit
        for name, codes in strata.items():
            kept |= self._low[name].add(codes, mark)
        rows = np.flatnonzero(kept)
        if rows.size:
            named = {name: self.names[name][codes[rows]] for name, codes in strata.items()}
            self._parts.append(Sample(self.size, position[rows], mark[rows], named, read(rows)))
            self._held += len(rows)
            if self._held > 4 * self.size + 100_000:
                self._parts = [merge_samples(self._parts)]
                self._held = len(self._parts[0])

    def close(self) -> Sample:
        """Return the sample of the shard."""
        return merge_samples(self._parts or [Sample(self.size)])


class _Lowest:
    """The smallest hashes of each stratum so far."""

    def __init__(self, strata: int) -> None:
        self.cut = np.full(strata, _LAST)
        self.codes = np.empty(0, dtype=np.int64)
        self.marks = np.empty(0, dtype=np.uint64)

    def add(self, codes: np.ndarray, mark: Hashes) -> NDArray[np.bool_]:
        """Take in rows; return which of them are among the smallest of their stratum now."""
        hit = mark <= self.cut[codes]
        if np.count_nonzero(hit) > _MANY:
            hit = self._guess(codes, mark, hit)
        rows = np.flatnonzero(hit)
        if rows.size:
            both = np.concatenate([self.codes, codes[rows].astype(np.int64)])
            marks = np.concatenate([self.marks, mark[rows]])
            low = _lowest_of_each(both, marks, EACH_STRATUM)
            self.codes, self.marks = both[low], marks[low]
            counts = np.bincount(self.codes, minlength=len(self.cut))
            highest = np.zeros(len(self.cut), dtype=np.uint64)
            np.maximum.at(highest, self.codes, self.marks)
            self.cut = np.where(counts >= EACH_STRATUM, highest, _LAST)
            hit[rows] = mark[rows] <= self.cut[codes[rows]]
        return np.asarray(hit)

    def _guess(self, codes: np.ndarray, mark: Hashes, hit: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return fewer rows that hold the smallest of each stratum all the same, so that few need be sorted."""
        counts = np.bincount(codes, minlength=len(self.cut))
        share = np.minimum(3.0 * EACH_STRATUM / np.maximum(counts, 1), 1.0)
        bound = np.where(share < 1.0, share * float(2**63), float(2**63)).astype(np.uint64) * np.uint64(2)
        few = hit & ((mark < bound[codes]) | (share[codes] >= 1.0))
        # where the guess caught too few of a stratum, all of it is looked at
        short = np.bincount(codes[few], minlength=len(self.cut)) < EACH_STRATUM
        return np.asarray(few | (hit & short[codes]))


def _lowest_of_each(codes: np.ndarray, mark: Hashes, most: int) -> np.ndarray:
    """Return the places of the `most` smallest marks of each code."""
    order = np.lexsort((mark, codes))
    ordered = codes[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(order) else order
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return np.asarray(order[rank < most])


def _codes_of(values: np.ndarray) -> np.ndarray:
    import pandas as pd

    return np.asarray(pd.factorize(values)[0])


def name_strata(levels: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return the name of each stratum of each attribute: group, label, decision, by number.

    Parameters
    ----------
    levels : mapping of str to iterable of str
        Groups of each attribute; the number of a stratum is place of the group x 9 + label x 3 + decision.
    """
    inner = [f"{label}{decision}" for label in "pn?" for decision in "fu-"]
    listed = {name: [f"{level} {end}" for level in values for end in inner] for name, values in levels.items()}
    return listed or {"": inner}


def sample_table(dataset: Dataset, size: int, seed: int) -> pd.DataFrame:
    """Return the rows of a table whose positions have the smallest hashes, in row order.

    Parameters
    ----------
    dataset : Dataset
        The table.
    size : int
        Rows wanted.
    seed : int
        The one seed.
    """
    keeper = SampleKeeper(size, seed, share_to_keep(size, dataset.rows), {})
    for batch, position in each_batch(dataset, dataset.source.pieces, dataset.columns):
        keeper.add(position, {}, partial(read_sampled, dataset, batch))
    return keeper.close().frame()


def read_sampled(dataset: Dataset, batch: pa.RecordBatch, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return these rows of a raw record batch, whole and typed."""
    return dataset.read_arrays(batch.take(pa.array(rows)), dataset.columns)
