"""Raw configuration values that know where they stand, put together from several texts.

Comes in: plain values of a base file, a file, a flag. Goes out: one `Source`: the merged values and, for each, the
place it came from, so that a mistake is always shown in the text that holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Steps = tuple[str | int, ...]

# where a key may hold one plain value, the key that this value is short for; "*" is any name
SHORT_FORMS: dict[Steps, str] = {
    ("data",): "audit",
    ("label",): "column",
    ("groups", "*"): "column",
    ("groups", "columns", "*"): "column",
    ("model", "output"): "scale",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Raw values and their places.

    Parameters
    ----------
    value : dict
        The keys of an audit.yaml as written, short forms included.
    places, keys : dict
        Path (names and list indices) to the place of the value and of the key, ready to print.
    root : str
        Where a path without any place of its own stands: a file, or ``argument``.
    replaces : bool
        True where lists and mappings of this source are already whole (a flag), so that merging only takes places.
    """

    value: dict[str, Any]
    places: dict[Steps, str]
    keys: dict[Steps, str]
    root: str
    replaces: bool = False

    def place(self, path: Sequence[str | int], *, key: bool = False) -> str:
        """Return the place of a path, or of its nearest parent that has one.

        Parameters
        ----------
        path : sequence of str or int
            Keys and list indices from the root.
        key : bool
            The place of the key instead of its value.
        """
        wanted = tuple(path)
        if self.root == "argument" and not self.places:
            return f"argument {'.'.join(str(step) for step in wanted)}".strip()
        while wanted:
            found = (self.keys.get(wanted) if key else None) or self.places.get(wanted)
            if found:
                return found
            wanted, key = wanted[:-1], False
        return self.places.get((), self.root)


def merge_sources(below: Source, above: Source) -> Source:
    """Return `below` overridden by `above`: mappings are merged key by key, everything else is replaced.

    Parameters
    ----------
    below, above : Source
        The base, and what wins over it.

    Returns
    -------
    Source
        Values with the place of whichever text they came from.
    """
    replaced: list[Steps] = []
    value = above.value if above.replaces else _merge_values(below.value, above.value, (), replaced)
    if above.replaces:
        replaced = list(above.places)
    kept = {path: place for path, place in below.places.items() if not _starts_with_any(path, replaced)}
    kept_keys = {path: place for path, place in below.keys.items() if not _starts_with_any(path, replaced)}
    # the file on top is the one that a mistake about the whole, e.g. a missing key, is about
    root = below.root if above.replaces else above.root
    return Source(value, {**kept, **above.places}, {**kept_keys, **above.keys}, root)


def set_value(below: dict[str, Any], steps: Steps, value: Any) -> dict[str, Any]:
    """Return a copy of `below` with one value set; a short form on the way is written out first.

    Parameters
    ----------
    below : dict
        Raw values.
    steps : tuple of str or int
        Path of the value; missing mappings are made.
    value : object
        The value.

    Examples
    --------
    >>> set_value({"data": "a.csv"}, ("data", "id"), "nr")
    {'data': {'audit': 'a.csv', 'id': 'nr'}}
    """
    result = _set_at(below, (), steps, value)
    assert isinstance(result, dict)
    return result


def _set_at(here: Any, path: Steps, steps: Steps, value: Any) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    here = _written_out(here, path)
    if isinstance(here, list) and isinstance(step, int) and step < len(here):
        return [_set_at(item, (*path, i), rest, value) if i == step else item for i, item in enumerate(here)]
    mapping = here if isinstance(here, dict) else {}
    name = str(step)
    return {**mapping, name: _set_at(mapping.get(name), (*path, name), rest, value)}


def _merge_values(below: Any, above: Any, path: Steps, replaced: list[Steps]) -> Any:
    if isinstance(above, dict):
        below = _written_out(below, path)
    if not (isinstance(below, dict) and isinstance(above, dict)):
        replaced.append(path)
        return above
    merged = dict(below)
    for key, item in above.items():
        merged[key] = _merge_values(below[key], item, (*path, key), replaced) if key in below else item
    return merged


def _written_out(value: Any, path: Steps) -> Any:
    """Write a short form out as the mapping it stands for, so that keys can be added to it."""
    if path in (("groups",), ("groups", "columns")) and isinstance(value, list):
        return {str(name): {"column": str(name)} for name in value}
    if isinstance(value, str):
        for pattern, key in SHORT_FORMS.items():
            if len(pattern) == len(path) and all(p in ("*", step) for p, step in zip(pattern, path, strict=True)):
                return {key: value}
    return value


def _starts_with_any(path: Steps, heads: Sequence[Steps]) -> bool:
    return any(path[: len(head)] == head for head in heads)
