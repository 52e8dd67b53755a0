"""What moves single scores: importance of every column by several methods, and how far each method can be relied on."""

from __future__ import annotations

from .base import Record, Section
from .estimate import Estimate, Measurement


class ColumnImportance(Record):
    """How much one column matters to one method."""

    feature: str
    """Column."""
    estimate: Estimate
    """Mean absolute attribution over the explained rows, or what shuffling the column loses."""


class Explainer(Record):
    """One method: what it cost, how exact it is, what it found; or why it was not run."""

    method: str
    """Id, e.g. ``integrated_gradients``."""
    software: str = ""
    """Library that computed it; empty for this tool itself."""
    not_done: str = ""
    """Why it was not run on this model, or why what it says is not shown; empty where it is."""
    rows: int = 0
    """Rows explained."""
    evaluations: int = 0
    """Rows that the model was asked about; a gradient counts as one."""
    seconds: float | None = None
    """Wall time, in tenths of a second."""
    completeness: Estimate | None = None
    """Mean distance of a row's sum from its score, in standard deviations of the score; None where the values are not
    meant to add up."""
    unfinished: int = 0
    """Rows whose sum misses the tolerance."""
    standard_error: float | None = None
    """Mean standard error of a value by sampling, in standard deviations of the score; None where nothing is
    sampled."""
    unit: str = ""
    """What importance is measured in."""
    importance: tuple[ColumnImportance, ...] = ()
    """One per column, the most important first."""


class ReferenceValue(Record):
    """One value of the reference row: a median or a most frequent level, no person's own."""

    feature: str
    """Column."""
    value: str
    """Its value, in words."""


class UnitActivity(Record):
    """One unit of a layer."""

    unit: int
    """Place among the units, from 0."""
    mean: float
    """Mean of what it gives over the explained rows."""
    deviation: float
    """Standard deviation of it."""
    correlation: float
    """Spearman's correlation with the score over these rows."""


class LayerActivity(Record):
    """What a layer gives for the explained rows; or why that is not known."""

    layer: str
    """Name in the net."""
    not_done: str = ""
    """Why nothing is told of it; empty where something is."""
    rows: int = 0
    """Rows."""
    units: int = 0
    """Numbers that it gives per row."""
    silent: int = 0
    """Units that give the same for every row."""
    zero_share: float = 0.0
    """Share of all its numbers that are 0."""
    strongest: tuple[UnitActivity, ...] = ()
    """Units that go most with the score, the closest first."""


class Attributions(Section):
    """What each column adds to single scores."""

    scale: str
    """Scale of all attributions, e.g. ``log-odds of the positive class``."""
    rows: int
    """Rows explained."""
    rows_of: int
    """Rows that they were drawn from."""
    drawn: str
    """How they were drawn, and what decided how many."""
    background: int
    """Rows that Shapley values compare with."""
    permutations: int
    """Permutations per row behind the Shapley values."""
    control: str = ""
    """Glass box that took part of the chance out of the Shapley values; empty for none."""
    reference: tuple[ReferenceValue, ...]
    """The row that integrated gradients, ablation and DeepLift start from."""
    tolerance: float
    """Largest distance of a sum from its score that integrated gradients may leave, in standard deviations of the
    score."""
    evaluations: int
    """Rows that the model was asked about, in all."""
    methods: tuple[Explainer, ...]
    """Methods, the main ones first; each with its reason where it was not run."""
    layers: tuple[LayerActivity, ...] = ()
    """Layers that were asked for by name."""
    measurements: tuple[Measurement, ...] = ()
    """By feature: attributions.importance, attributions.integrated_gradients, attributions.shapley,
    attributions.permutation; of all rows: attributions.completeness_error, attributions.standard_error."""
