"""How much decisions hang on small things: noise, gaps, deliberate changes, the cut; what conformal sets promise."""

from __future__ import annotations

from typing import Literal

from .base import Record, Section
from .estimate import Measurement


class MovedFeature(Record):
    """A number among the inputs, and how far it could be moved."""

    feature: str
    """Feature name."""
    deviation: float
    """Standard deviation over the audited rows: the unit in which it is moved."""
    attacked: bool
    """Whether the deliberate changes moved it, too."""


class Conformal(Record):
    """Sets of predictions that should hold the truth with a promised probability."""

    promised: float
    """Promised coverage."""
    calibrated_on: int
    """Rows that set the threshold."""
    judged_on: int
    """Other rows, on which coverage was counted."""
    score: str
    """What is held against the threshold, in words."""


class Robustness(Section):
    """What happens to decisions where inputs change a little."""

    rows: int
    """Rows asked about."""
    rows_of: int
    """Rows that they were drawn from."""
    drawn: str
    """How they were drawn, and what decided how many."""
    attacked_rows: int = 0
    """Rows on which deliberate changes were tried."""
    attack: Literal["", "gradients", "random directions"] = ""
    """How deliberate changes were searched; empty where none were."""
    evaluations: int = 0
    """Rows that the model was asked to score, in all."""
    sizes: tuple[float, ...] = ()
    """Sizes of the changes in standard deviations of the feature; a measurement names its own as ``0.1 sd``."""
    features: tuple[MovedFeature, ...] = ()
    """Numbers that were moved."""
    refuses_missing: tuple[str, ...] = ()
    """Features that the model does not accept as missing."""
    conformal: Conformal | None = None
    """How conformal sets were made; None where none were."""
    parts_not_done: dict[str, str] = {}
    """Part of the section that was not carried out, to the reason."""
    measurements: tuple[Measurement, ...] = ()
    """robustness.*; the size of a change stands in `outcome`."""
