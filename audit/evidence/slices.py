"""Weak slices: parts of the rows, found on one half and tested on the other, where the model does worse."""

from __future__ import annotations

from .base import Record, Section
from .estimate import Estimate, Measurement


class Slice(Record):
    """One part of the rows, told by one or two conditions."""

    name: str
    """The conditions as one reads them: ``income under 1200 and region = north``."""
    features: tuple[str, ...]
    """Columns that the conditions are on."""
    found_rows: int
    """Rows of the slice in the half where it was found."""
    found_excess: float
    """How much worse it looked there; flattered by the search, no estimate."""
    rate: Estimate
    """What was measured (see `Slices.of`) in the slice, on the other half."""
    rest: Estimate
    """The same outside the slice, on the other half."""
    excess: Estimate
    """Slice minus rest with its interval, on the other half."""
    p: float
    """One-sided p-value of no excess, on the other half."""
    p_adjusted: float
    """The same with the false discovery rate controlled over all slices tested."""
    holds: bool
    """Whether the excess is confirmed on the other half."""
    groups: dict[str, dict[str, float]] = {}
    """Attribute to group to share of the slice's people, where the slice holds enough people to say; groups of
    fewer than five people in it are left out."""


class Slices(Section):
    """The search for weak slices."""

    of: str
    """What was compared: ``error rate``, ``absolute error``, ``share decided unfavourably``."""
    searched: int
    """Candidate slices looked at."""
    tested: int
    """Slices taken to the other half."""
    found_on: int
    """Rows of the half where slices were searched."""
    tested_on: int
    """Rows of the other half."""
    slices: tuple[Slice, ...] = ()
    """Slices tested, the clearest first."""
    measurements: tuple[Measurement, ...] = ()
    """slices.worst_excess, slices.confirmed."""
