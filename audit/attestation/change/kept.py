"""The people of two audits, found again in each other's private file of scores.

Comes in: the bytes of two such files. Goes out: the same people in the same order on both sides, and how many have no
counterpart. A person whose label or group is another one now is no pair: what differs there is the data, not the model.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.errors import DataError

SCHEMA = "scores/1"
_GROUP, _FEATURE = "group:", "feature:"
_KEY = b"glassbox-audit"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class KeptPeople:
    """Who was decided how.

    Parameters
    ----------
    ids : ndarray of str, shape [n]
        Row id, or place in the data.
    label, score, favourable, weight : ndarray of float64, shape [n]
        NaN where unknown; decisions are 1 (favourable) or 0.
    groups : dict of str to ndarray of str, shape [n]
        Value of each protected attribute.
    features : dict of str to ndarray, shape [n]
        Inputs of the model: float64 with NaN, or text with None.
    by : str
        ``id`` or ``place``: what `ids` are.
    evidence : str
        Digest of the evidence that they stand behind.
    sampled : str
        What the sample is, for a reader; empty where everybody is here.
    """

    ids: NDArray[Any]
    label: Floats
    score: Floats
    favourable: Floats
    weight: Floats
    groups: dict[str, NDArray[Any]]
    features: dict[str, NDArray[Any]]
    by: str
    evidence: str
    sampled: str

    @property
    def size(self) -> int:
        """People."""
        return len(self.ids)

    def take(self, places: NDArray[np.intp]) -> KeptPeople:
        """Return the people at `places`, in that order."""
        return KeptPeople(
            self.ids[places],
            self.label[places],
            self.score[places],
            self.favourable[places],
            self.weight[places],
            {name: values[places] for name, values in self.groups.items()},
            {name: values[places] for name, values in self.features.items()},
            self.by,
            self.evidence,
            self.sampled,
        )


@dataclass(frozen=True, slots=True, eq=False)
class PairedPeople:
    """The same people before and after.

    Parameters
    ----------
    before, after : KeptPeople
        In the same order.
    all_before, all_after : KeptPeople
        Everybody of either side.
    only_before, only_after : int
        People without a counterpart.
    redescribed : int
        People on both sides whose label or group differs; they are among those without a counterpart.
    note : str
        How they were found, for a reader.
    """

    before: KeptPeople
    after: KeptPeople
    all_before: KeptPeople
    all_after: KeptPeople
    only_before: int
    only_after: int
    redescribed: int
    note: str

    @property
    def size(self) -> int:
        """People on both sides."""
        return self.before.size

    @property
    def whole(self) -> bool:
        """Whether everybody of either side is on both, and nobody was left out by sampling."""
        return not (self.only_before or self.only_after or self.before.sampled or self.after.sampled)


def read_kept(data: bytes) -> KeptPeople:
    """Read a private file of scores.

    Parameters
    ----------
    data : bytes
        Parquet, as an audit with ``keep.scores`` writes it.

    Raises
    ------
    DataError
        It is no such file, or of a form that this version does not know.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
        about = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
    except (pa.ArrowInvalid, OSError, ValueError):
        raise DataError("the private file of scores cannot be read as Parquet") from None
    if about.get("schema") != SCHEMA or "id" not in table.column_names:
        hint = "install the version of glassbox-audit that wrote it, or a newer one"
        raise DataError(f"the private file of scores has the form {about.get('schema', 'of another tool')}", hint=hint)
    return KeptPeople(
        ids=_texts(table["id"]),
        label=_floats(table["label"]),
        score=_floats(table["score"]),
        favourable=_floats(table["favourable"]),
        weight=_floats(table["weight"]),
        groups={n.removeprefix(_GROUP): _texts(table[n]) for n in table.column_names if n.startswith(_GROUP)},
        features={n.removeprefix(_FEATURE): _values(table[n]) for n in table.column_names if n.startswith(_FEATURE)},
        by=about["by"],
        evidence=about["evidence"],
        sampled=about["sampled"],
    )


def pair_people(before: KeptPeople, after: KeptPeople, *, same_data: bool) -> PairedPeople | str:
    """Find the people of one side on the other.

    Parameters
    ----------
    before, after : KeptPeople
        Everybody of either side.
    same_data : bool
        Whether both judged the same files; only then does a place in the data name a person.

    Returns
    -------
    PairedPeople or str
        The pairs, or why there are none.
    """
    if before.by != after.by or (before.by == "place" and not same_data):
        return (
            "no column names a person (data.id) and the judged files differ, so nobody can be found on the other side"
        )
    for side, words in ((before, "earlier"), (after, "later")):
        if len(np.unique(side.ids)) != side.size:
            return f"row ids of the {words} audit repeat, so they name nobody"
    _, first, second = np.intersect1d(before.ids, after.ids, assume_unique=True, return_indices=True)
    if not first.size:
        return "nobody stands on both sides: no row id of one audit occurs in the other"
    order = np.argsort(second, kind="stable")
    old, new = before.take(first[order]), after.take(second[order])
    same = _same_people(old, new)
    if not same.any():
        return "everybody on both sides has another label or group now: these are not the same data"
    kept = np.flatnonzero(same)
    old, new, redescribed = old.take(kept), new.take(kept), int((~same).sum())
    by = "row id" if before.by == "id" else "place in the same files"
    return PairedPeople(
        old,
        new,
        before,
        after,
        before.size - old.size,
        after.size - new.size,
        redescribed,
        f"{old.size:,} people paired by {by}",
    )


def _same_people(old: KeptPeople, new: KeptPeople) -> NDArray[np.bool_]:
    """Return who has the same label and the same groups on both sides."""
    same = (old.label == new.label) | (np.isnan(old.label) & np.isnan(new.label))
    for name in old.groups.keys() & new.groups.keys():
        same &= np.asarray(old.groups[name] == new.groups[name], dtype=bool)
    return np.asarray(same, dtype=np.bool_)


def _floats(column: Any) -> Floats:
    import pyarrow as pa

    values = column.combine_chunks().cast(pa.float64())
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def _texts(column: Any) -> NDArray[Any]:
    return np.asarray(column.to_pylist(), dtype=object).astype(str)


def _values(column: Any) -> NDArray[Any]:
    import pyarrow as pa

    return _floats(column) if pa.types.is_floating(column.type) else np.asarray(column.to_pylist(), dtype=object)
