"""What one pass over some rows leaves behind, and how such pieces add up.

Comes in: the sweeps of shards, made anywhere by the same configuration. Goes out: the sweep of the whole table. Counts
are the same to the last digit however the rows were cut; sums of scores to the last few digits of a float.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from audit.errors import DataError
from audit.evidence import FileDigest
from audit.examination.data.kinds import ColumnFacts, merge_facts
from audit.examination.data.stream import Piece
from audit.examination.tally.condense import MOST_ENTRIES, merge_rolls
from audit.examination.tally.roll import Roll
from audit.examination.tally.tally import Tally
from audit.examination.tally.totals import tally_of

from .sample import Sample, merge_samples

MERGE_AT_ONCE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """The sufficient statistics of some rows, and a few of the rows themselves.

    Parameters
    ----------
    digest : str
        Digest of the configuration that made it: what was read, scored and decided, and how.
    roll : Roll
        All people, one by one or in cells of groups, label, decision and score bin.
    sample : Sample
        Whole rows for what needs them: glass boxes, effects.
    rows : int
        Rows.
    covers : tuple of Piece
        Parts of the table that were read.
    pieces : int
        Parts that the table has.
    settled : dict
        What the shard settled from its own rows, where each shard was read apart: kinds, features.
    facts : tuple of ColumnFacts
        What the columns hold, where each shard was read apart.
    files : tuple of FileDigest
        Files that were read for it, where each shard was read apart.
    notes : tuple of str
        How they were read.
    unscored : int
        How many of `rows` the model raised an error on; they stand neither in `roll` nor in `sample`.
    unscored_groups : dict of str to dict of str to int
        The same by attribute and group.
    """

    digest: str
    roll: Roll
    sample: Sample
    rows: int
    covers: tuple[Piece, ...]
    pieces: int
    settled: Mapping[str, Any] = field(default_factory=dict)
    facts: tuple[ColumnFacts, ...] = ()
    files: tuple[FileDigest, ...] = ()
    notes: tuple[str, ...] = ()
    unscored: int = 0
    unscored_groups: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def tally(self) -> Tally:
        """Counts of the rows by group, label and decision."""
        return tally_of(self.roll)

    def __add__(self, other: Sweep) -> Sweep:
        """Return the sweep of the rows of both.

        Raises
        ------
        DataError
            They were made by different configurations, or a part of the table stands in both.
        """
        return add_sweeps([self, other])


def add_sweeps(sweeps: Sequence[Sweep]) -> Sweep:
    """Return the sweep of all rows of one sweep or more.

    Raises
    ------
    DataError
        As `Sweep.__add__`.
    """
    first = sweeps[0]
    for other in sweeps[1:]:
        _check_same(first, other)
    covers = sorted(piece for sweep in sweeps for piece in sweep.covers)
    for one, after in pairwise(covers):
        if (one.file, one.unit) == (after.file, after.unit):
            raise DataError(
                f"a part of the table (file {one.file + 1}, piece {one.unit + 1}) was counted twice",
                hint="give each shard once",
            )
    files = {file.name: file for sweep in sweeps for file in sweep.files}
    return replace(
        first,
        roll=merge_rolls([sweep.roll for sweep in sweeps], most=MOST_ENTRIES),
        sample=merge_samples([sweep.sample for sweep in sweeps]),
        rows=sum(sweep.rows for sweep in sweeps),
        covers=tuple(covers),
        facts=merge_facts([sweep.facts for sweep in sweeps]),
        files=tuple(files[name] for name in sorted(files)),
        notes=tuple(dict.fromkeys(note for sweep in sweeps for note in sweep.notes)),
        unscored=sum(sweep.unscored for sweep in sweeps),
        unscored_groups=_add_groups([sweep.unscored_groups for sweep in sweeps]),
    )


def _add_groups(found: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    total: dict[str, dict[str, int]] = {}
    for one in found:
        for name, levels in one.items():
            into = total.setdefault(name, {})
            for level, count in levels.items():
                into[level] = into.get(level, 0) + count
    return total


def merge_sweeps(sweeps: Iterable[Sweep]) -> Sweep:
    """Return the sweep of all, adding them up as they come in, so that few of them are in memory at a time.

    Raises
    ------
    DataError
        As `Sweep.__add__`, or there are none.
    """
    held: list[Sweep] = []
    for sweep in sweeps:
        held.append(sweep)
        if len(held) >= MERGE_AT_ONCE:
            held = [add_sweeps(held)]
    if not held:
        raise DataError("there is no sweep to add up", hint="name at least one")
    return add_sweeps(held)


def _check_same(one: Sweep, other: Sweep) -> None:
    if one.digest == other.digest and one.pieces == other.pieces:
        return
    raise DataError(
        f"these shards were swept by different configurations: {tell_difference(one, other)}",
        hint="sweep all shards of one table with the same audit.yaml, model file and version of glassbox-audit",
    )


def tell_difference(one: Sweep, other: Sweep) -> str:
    """Say in words what two sweeps do not have in common."""
    if one.pieces != other.pieces:
        return f"their tables have {one.pieces} and {other.pieces} pieces"
    odd = [
        f"{key} is {one.settled.get(key)!r} in one and {other.settled.get(key)!r} in the other"
        for key in sorted({*one.settled, *other.settled})
        if one.settled.get(key) != other.settled.get(key)
    ]
    return "; ".join(odd[:3]) or f"digest {one.digest[7:19]} and {other.digest[7:19]}"
