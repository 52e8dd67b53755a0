"""The order in which names are read: canonical JSON sorts the keys of a mapping, a reader wants the order declared.

Comes in: records just made or read back. Goes out: the same records, equal and of the same digest, whose mappings go
through attributes, groups and bands in the order in which the configuration and the evidence list them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def arrange_keys(mapping: dict[str, Any], names: Sequence[str]) -> None:
    """Put the keys of a mapping into the order of `names`; keys that are not among them follow by alphabet.

    Parameters
    ----------
    mapping : dict
        Changed in place; it stays equal, for the order of its keys is no part of a mapping's value.
    names : sequence of str
        The names in their order.

    Examples
    --------
    >>> group = {"age": "old", "race": "B", "sex": "F"}
    >>> arrange_keys(group, ("sex", "race"))
    >>> list(group)
    ['sex', 'race', 'age']
    """
    if len(mapping) < 2:
        return
    listed = [name for name in dict.fromkeys(names) if name in mapping]
    wanted = [*listed, *sorted(mapping.keys() - set(listed))]
    if wanted != list(mapping):
        items = [(name, mapping[name]) for name in wanted]
        mapping.clear()
        mapping.update(items)


def arrange_groups(items: Iterable[Any], names: Sequence[str]) -> None:
    """Put the group of each item into the order of the attributes.

    Parameters
    ----------
    items : iterable
        Records with a `group`: measurements, verdicts, moves.
    names : sequence of str
        The attributes in their order.
    """
    for item in items:
        arrange_keys(item.group, names)
