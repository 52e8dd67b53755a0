"""What every block of the configuration is: closed, frozen, its fields described where they stand.

Comes in: plain values. Goes out: the base that `schema` and `model` build on.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Level = str | int | float | bool
"""A value of a column as a person writes it."""


class Settings(BaseModel):
    """A closed, frozen block of the configuration."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True, allow_inf_nan=False
    )
