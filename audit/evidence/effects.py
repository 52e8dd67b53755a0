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
    at: tuple[float, ...] = ()
    """Positions at which the curves of this feature are drawn (numeric)."""
    near: tuple[float, ...] = ()
    """Share of the rows near each of these positions, or with each level; 0 where fewer than 5 rows are."""
    empty: tuple[tuple[float, float], ...] = ()
    """Wide stretches of the number without any row, by edges of parts of the range: there a curve is a line drawn over
    nothing, and nothing is to be read from it."""
    missing: int = 0
    """Rows in which the feature is missing; given as 0 where they are fewer than 5."""


class Pair(Record):
    """An interaction that a glass box holds, or the black box's own joint effect of the same two features."""

    features: tuple[str, str]
    """The two features."""
    model: str
    """Glass box, or black_box."""
    importance: float
    """Mean absolute contribution, link scale."""


class PairSurface(Record):
    """The joint effect of two features beyond their own, purified: over the rows its mean is 0 along either."""

    features: tuple[str, str]
    """The two features."""
    model: str
    """Glass box; or black_box: its own joint effect, by partial dependence of the two, purified over the rows."""
    across: tuple[float, ...] | tuple[str, ...]
    """Positions or levels of the first feature, some of those at which its curves are drawn."""
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
    """Contributions, the largest first; rounded so that start and steps add up to the total digit by digit."""
    total: float
    """Start and all contributions, link scale."""
    score: float
    """The total as a probability, ``1 / (1 + exp(-total))``, or as a value."""
    black_box: float | None = None
    """Score of the black box for the same made-up person; None where it cannot be asked."""


class Effects(Section):
    """Shapes, importances, disagreements."""

    scale: str
    """Scale of all curves in words, e.g. ``log-odds of the positive class``."""
    rows: int
    """Rows behind the black box's effects (a sample where it says so)."""
    curves: tuple[Curve, ...]
    """All curves, by feature in order of importance, then by model. The black box has two of a number: its partial
    dependence (method ``PDP``), which stands first and is only shown, and its accumulated local effect (``ALE``), which
    every comparison and every rule rests on."""
    rugs: tuple[FeatureRug, ...]
    """One per feature."""
    disagreements: tuple[Disagreement, ...] = ()
    """Largest first; one per feature and surrogate."""
    pairs: tuple[Pair, ...] = ()
    """Interactions of the glass boxes, strongest first, and of the black box for those that have a surface."""
    surfaces: tuple[PairSurface, ...] = ()
    """The strongest interactions as surfaces: pair by pair, the glass boxes that hold it, then the black box."""
    worked: tuple[WorkedSum, ...] = ()
    """One prediction added up."""
    measurements: tuple[Measurement, ...] = ()
    """By feature and model: effects.importance, effects.importance_share, effects.disagreement, effects.reversal,
    effects.jump, effects.concurvity; by feature and attribute: effects.proxy_strength; by feature: effects.redundancy;
    by model: effects.interaction_share; by attribute and model: effects.proxy_importance; of all rows and by feature:
    effects.extrapolation_share."""
