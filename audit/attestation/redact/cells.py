"""Which cells of a table may be told to everybody, so that no subtraction brings the others back.

Comes in: the counts of each group, part by part, as the table prints them. Goes out: the groups to withhold.

Why no subtraction works. A group is shown or withheld at a view: its size; its decisions; the whole table of label by
decision. Each view is a finer partition than the one before, and who is withheld at a view is withheld at all finer
ones. At each view no shown part holds 1 to 4 people, nobody is withheld alone, and the withheld people taken together
hold nobody or at least 5 in each part. What an outsider knows of the withheld parts are then the sums over groups and,
for a group that is shown at the coarser view, its own sums: the margins of a two-way table. A cell of such a table with
margins `r` and `c` and total `N` can hold every whole number from ``max(0, r + c - N)`` to ``min(r, c)`` (Frechet's
bounds; Dobra and Fienberg 2000, PNAS 97:11885), which are ``min(r, c, N - r, N - c)`` more numbers than one. Each of
the four is 0 or at least 5 where it is printed, so that a cell of 1 to 4 people can always hold another number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

SMALLEST = 5
"""Fewest people of whom a public count may tell; nobody at all may be told of, too."""
Key = TypeVar("Key")
Parts = tuple[int, ...]


def is_small(count: int | None) -> bool:
    """Whether a count tells of somebody, and of too few."""
    return count is not None and 0 < count < SMALLEST


def find_small(parts: Mapping[Key, Parts]) -> set[Key]:
    """Return the groups of which a part is small."""
    return {key for key, counts in parts.items() if any(map(is_small, counts))}


def close_withheld(parts: Mapping[Key, Parts], withheld: Collection[Key]) -> set[Key]:
    """Return who is to be withheld so that the total less those shown tells of no small cell either.

    Parameters
    ----------
    parts : mapping
        Group to its counts, in whole people; every group has the same parts.
    withheld : collection
        Groups that are withheld for a reason of their own.

    Returns
    -------
    set
        `withheld` and its complements: empty, or at least two groups that together hold nobody or at least 5 people in
        each part; all groups where that cannot be had.
    """
    chosen = set(withheld)
    if not chosen:
        return chosen
    rest = sum_parts(parts, chosen)
    while len(chosen) < len(parts) and (len(chosen) < 2 or any(map(is_small, rest))):
        open_keys = [key for key in parts if key not in chosen]
        best = min(open_keys, key=lambda key: (_left_small(rest, parts[key]), sum(parts[key]), str(key)))
        chosen.add(best)
        rest = _add(rest, parts[best])
    return chosen


def sum_parts(parts: Mapping[Key, Parts], keys: Collection[Key]) -> Parts:
    """Return the counts of some groups taken together."""
    rest: Parts = ()
    for key in parts:
        if key in keys:
            rest = _add(rest, parts[key])
    return rest


def _left_small(rest: Parts, more: Parts) -> int:
    return sum(map(is_small, _add(rest, more)))


def _add(left: Parts, right: Parts) -> Parts:
    width = max(len(left), len(right))
    pad = (0,) * width
    return tuple(a + b for a, b in zip((*left, *pad)[:width], (*right, *pad)[:width], strict=True))
