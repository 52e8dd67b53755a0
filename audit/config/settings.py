"""What every block of the configuration is: closed, frozen, its fields described where they stand.

Comes in: plain values. Goes out: the base that `schema` and `model` build on.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, PrivateAttr

Level = str | int | float | bool
"""A value of a column as a person writes it."""


class Settings(BaseModel):
    """A closed, frozen block of the configuration."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True, allow_inf_nan=False
    )


class Placed(Settings):
    """A block that remembers where its values were written, for mistakes that only the data or a policy can show."""

    _places: Mapping[tuple[str | int, ...], str] = PrivateAttr(default_factory=dict)

    def place_of(self, *path: str | int) -> str:
        """Return ``file:line:column`` of a value as written, or of its nearest parent that has a place.

        Parameters
        ----------
        *path : str or int
            Keys and list indices from the root, in the form in which they are written: ``groups, sex, population``.

        Returns
        -------
        str
            The path itself, joined by dots, where the configuration did not come from a file.
        """
        for end in range(len(path), 0, -1):
            if path[:end] in self._places:
                return self._places[path[:end]]
        return ".".join(str(step) for step in path)

    def remember_places(self, places: Mapping[tuple[str | int, ...], str]) -> None:
        """Keep the places of the values; they are no part of the configuration itself.

        Parameters
        ----------
        places : mapping
            Path as written to ``file:line:column``.
        """
        self._places = dict(places)

    def __eq__(self, other: object) -> bool:
        """Two configurations are equal where they say the same, wherever they say it."""
        return isinstance(other, type(self)) and self.model_dump() == other.model_dump()

    __hash__ = None  # type: ignore[assignment]
