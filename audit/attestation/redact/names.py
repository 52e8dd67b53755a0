"""Names of groups that are too few to be named.

Comes in: groups by attribute. Goes out: `Masks`, which put a number in the place of a name. That a rare group occurs at
all, and under which name, tells of its few people; the groups that are withheld with it are masked alike, so that
nobody can tell which of them are the few.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_OUTSIDE = r"(?<![\w-]){}(?![\w-])"
_SHORTEST = 3
_WITHHELD = "withheld group {number}"
_EVERYDAY = frozenset({"all", "missing", "none", "not stated", "other", "others", "unknown"})
"""Names that say nothing of anybody, and stand in sentences about other things."""


@dataclass(frozen=True, slots=True)
class Masks:
    """What stands for each name that is not told.

    Parameters
    ----------
    by_attribute : dict
        Attribute to name to what stands for it.
    """

    by_attribute: dict[str, dict[str, str]] = field(default_factory=dict)

    def mask_value(self, attribute: str, value: str) -> str:
        """Return what stands for a value of an attribute: mostly itself."""
        return self.by_attribute.get(attribute, {}).get(value, value)

    def mask_group(self, group: Mapping[str, str]) -> dict[str, str]:
        """Return a group, attribute to value, under the names that are told."""
        return {attribute: self.mask_value(attribute, value) for attribute, value in group.items()}

    def mask_names(self, attribute: str, of: Mapping[str, float]) -> dict[str, float]:
        """Return numbers by value of an attribute, under the names that are told."""
        return {self.mask_value(attribute, value): number for value, number in of.items()}

    def hides(self, group: Mapping[str, str]) -> bool:
        """Whether a part of the group's name is not told."""
        return self.mask_group(group) != dict(group)

    def mask_text(self, text: str) -> str:
        """Return a text with each ``attribute=name`` under the name that is told."""
        for attribute, names in self.by_attribute.items():
            for name, mask in names.items():
                if name in text:
                    pattern = rf"(?<![\w-])(?P<head>{re.escape(attribute)} ?= ?){re.escape(name)}(?![\w-])"
                    text = re.sub(pattern, rf"\g<head>{mask}", text)
        return text

    def names_somebody(self, text: str) -> bool:
        """Whether a text names a group that is not told, apart from where `mask_text` would put a number for it."""
        names = (name for found in self.by_attribute.values() for name in found)
        return any(
            len(name) >= _SHORTEST and name in text and re.search(_OUTSIDE.format(re.escape(name)), text)
            for name in names
            if not name.isdigit()
        )


def number_names(names: Mapping[str, tuple[str, ...]]) -> Masks:
    """Return masks, numbered by attribute in alphabetical order, which tells nothing of how many people there are.

    Parameters
    ----------
    names : mapping
        Attribute to the names that are not told.
    """
    told = {attribute: {one for one in values if one.lower() not in _EVERYDAY} for attribute, values in names.items()}
    return Masks(
        {
            attribute: {name: _WITHHELD.format(number=number) for number, name in enumerate(sorted(values), start=1)}
            for attribute, values in told.items()
            if values
        }
    )
