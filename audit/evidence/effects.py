"""What each feature does: shapes of the glass boxes beside the black box's own effect, and where they part."""

from __future__ import annotations

from .base import Record, Section
from .estimate import Curve, Measurement


class Disagreement(Record):
    """Where a surrogate's shape leaves the black box's effect by more than both bands."""

    feature: str
    """Feature name."""
    model: str
    """Which surrogate: net_surrogate, or ebm_surrogate where its band allows."""
    at: str
    """Where, in words: a value with unit, or a level."""
    gap: float
    """Surrogate minus black box at that place, link scale."""
    beyond: float
    """Part of the gap that lies beyond both bands; 0 where the bands overlap."""
    rows_share: float
    """Share of the audited rows in that neighbourhood."""
    words: str
    """The finding in one sentence."""


class FeatureRug(Record):
    """The distribution of a feature, binned so that no person shows."""

    feature: str
    """Feature name."""
    edges: tuple[float, ...] = ()
    """Bin edges (numeric), between the 1 % and 99 % quantile."""
    counts: tuple[int, ...] = ()
    """Rows per bin, or per level in the order of `levels`; counts under 5 are given as 0."""
    levels: tuple[str, ...] = ()
    """Levels (category)."""


class Pair(Record):
    """An interaction that a glass box holds."""

    features: tuple[str, str]
    """The two features."""
    model: str
    """Glass box."""
    importance: float
    """Mean absolute contribution, link scale."""


class PairSurface(Record):
    """The joint effect of two features beyond their own, purified: it sums to nothing along either."""

    features: tuple[str, str]
    """The two features."""
    model: str
    """Glass box."""
    across: tuple[float, ...] | tuple[str, ...]
    """Positions or levels of the first feature."""
    down: tuple[float, ...] | tuple[str, ...]
    """Positions or levels of the second feature."""
    values: tuple[tuple[float | None, ...], ...]
    """Effect, link scale, one row per position of the second feature; None where fewer than 5 rows are near."""
    importance: float
    """Mean absolute contribution, link scale."""


class WorkedStep(Record):
    """One line of a sum."""

    feature: str
    """Feature, or two joined by ``and``."""
    value: str
    """Its value, in words."""
    contribution: float
    """What the glass box adds for it, link scale."""


class WorkedSum(Record):
    """One prediction added up by hand, for a person made up of typical values: no row of the data."""

    model: str
    """Glass box whose tables are read."""
    start: float
    """What everybody starts from, link scale."""
    steps: tuple[WorkedStep, ...]
    """Contributions, the largest first."""
    total: float
    """Start and all contributions, link scale."""
    score: float
    """The total as a probability or value."""
    black_box: float | None = None
    """Score of the black box for the same made-up person; None where it cannot be asked."""


class Effects(Section):
    """Shapes, importances, disagreements."""

    scale: str
    """Scale of all curves in words, e.g. ``log-odds of the positive class``."""
    rows: int
    """Rows behind the black box's effects (a sample where it says so)."""
    curves: tuple[Curve, ...]
    """All curves, by feature in order of importance, then by model."""
    rugs: tuple[FeatureRug, ...]
    """One per feature."""
    disagreements: tuple[Disagreement, ...] = ()
    """Largest first; one per feature and surrogate."""
    pairs: tuple[Pair, ...] = ()
    """Interactions of the glass boxes, strongest first."""
    surfaces: tuple[PairSurface, ...] = ()
    """The strongest interactions as surfaces."""
    worked: tuple[WorkedSum, ...] = ()
    """One prediction added up."""
    measurements: tuple[Measurement, ...] = ()
    """effects.importance, effects.importance_share by feature and model; effects.disagreement by feature and model;
    effects.proxy_strength by feature and attribute; effects.reversal by feature and model."""
