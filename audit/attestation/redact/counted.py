"""The last look: whatever of a document still counts 1 to 4 people, or leaves so few of everybody.

Comes in: a record. Goes out: the places in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from audit.evidence.base import Record

from .cells import is_small
from .reads import NOT_PEOPLE

PEOPLE = frozenset(
    {
        "n", "count", "rows", "rows_of", "label_known", "label_positive", "missing", "differing", "background_rows",
        "searched", "attacked_rows", "baseline_rows", "later_rows", "calibrated_on", "judged_on", "unfinished", "named",
        "named_missing", "positive_favourable", "positive_unfavourable", "negative_favourable", "negative_unfavourable",
        "unlabelled_favourable", "unlabelled_unfavourable", "positive_undecided", "negative_undecided",
        "unlabelled_undecided", "found_rows", "found_on", "tested_on", "rows_paired", "only_before", "only_after",
        "gained", "lost", "favourable_before", "favourable_after", "lost_wrongly", "gained_wrongly",
    }
)  # fmt: skip
"""Fields of the evidence that count people."""


def find_small_counts(record: Record, everybody: int | None = None) -> tuple[str, ...]:
    """Return the places of a document at which 1 to 4 people are counted; what is published has none.

    Parameters
    ----------
    record : Record
        A dossier, evidence or a section of it.
    everybody : int, optional
        Rows of the audit; a count that leaves 1 to 4 of them tells of those.
    """
    return tuple(_walk(record.model_dump(mode="python"), "", everybody))


def _walk(value: Any, place: str, everybody: int | None) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("metric") in NOT_PEOPLE:
            return
        for key, item in value.items():
            if key in PEOPLE and isinstance(item, int) and not isinstance(item, bool) and _is_few(item, everybody):
                yield f"{place}.{key}".lstrip(".")
            elif not (place.endswith("papers") and key == "facts"):
                yield from _walk(item, f"{place}.{key}", everybody)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _walk(item, f"{place}[{index}]", everybody)


def _is_few(count: int, everybody: int | None) -> bool:
    return is_small(count) or (everybody is not None and is_small(everybody - count))
