"""Quality of explanations: what was tested, and how each method did."""

from __future__ import annotations

from .base import Record, Section
from .estimate import Measurement


class MethodTested(Record):
    """A way of explaining single scores."""

    name: str
    """Name; a measurement names its method (or both, as ``A and B``) in `outcome`."""
    reference: str
    """What a score is measured from."""
    evaluations: int
    """Rows that the model was asked about for it; 0 for a surrogate."""


class Explanations(Section):
    """Whether explanations of the black box can be relied on."""

    rows: int
    """Rows explained."""
    rows_of: int
    """Rows that they were drawn from."""
    drawn: str
    """How they were drawn, and what decided how many."""
    background_rows: int
    """Rows that stand for everybody."""
    replacements: int
    """Rows whose values take a feature's place in deletion and insertion."""
    methods: tuple[MethodTested, ...]
    """Methods tested."""
    parts_not_done: dict[str, str] = {}
    """Part of the section, or method, that was not carried out, to the reason."""
    measurements: tuple[Measurement, ...] = ()
    """explanations.*; the method stands in `outcome`."""
