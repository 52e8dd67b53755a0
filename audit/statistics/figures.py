"""Numbers and tests on their way into the evidence.

Comes in: what the interval and test functions return. Goes out: plain frozen records with the field names of the
evidence's estimate and parity, because this room knows no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its interval; its fields are those of the evidence's estimate."""

    value: float | None
    """Point; None where undefined, with the reason in `note`."""
    low: float | None = None
    """Lower end; None where there is none."""
    high: float | None = None
    """Upper end; None where there is none or it is unbounded."""
    level: float = 0.95
    """Level at which all intervals of the family hold together."""
    n: int | None = None
    """People that the number rests on."""
    count: int | None = None
    """Numerator in whole people."""
    method: str = ""
    """How it was computed."""
    note: str = ""
    """Reason or caution."""
    assessable: bool = True
    """Whether a verdict may rest on it."""

    def fields(self) -> dict[str, Any]:
        """Return the fields by name, as ``Estimate(**figure.fields())`` takes them."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class ParityTest:
    """Test of equality of a pair; its fields are those of the evidence's parity."""

    statistic: float | None
    """Standard deviations, positive where the group's rate is the larger; None for the exact test."""
    p: float
    """Two-sided p-value of this pair."""
    p_adjusted: float
    """Holm-adjusted over the family."""
    pairs: int
    """Pairs in the family."""
    method: str
    """Name of the test."""

    def fields(self) -> dict[str, Any]:
        """Return the fields by name, as ``Parity(**test.fields())`` takes them."""
        return {name: getattr(self, name) for name in self.__slots__}
