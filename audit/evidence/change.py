"""What a change changes: two audits, or two models on the same rows, number by number and decision by decision.

Comes in: nothing. Goes out: the records of a comparison. A difference is always after minus before; a loss is the same
difference turned so that above 0 is worse. Noise is the sampling of rows; what another training run would give is not
in it, and every `Change` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from .base import Record
from .estimate import Curve, Definition, Estimate, Measurement
from .judgement import VerdictWord

Against = Literal["previous_audit", "champion", "other"]
Reading = Literal["worse", "better", "moved", "noise", "not_compared"]
READINGS: tuple[Reading, ...] = ("worse", "moved", "better", "noise", "not_compared")
"""In the order in which a reader wants them."""


class Side(Record):
    """One side of a comparison."""

    system: str
    """System name."""
    version: str
    """Version as declared."""
    title: str = ""
    """Title of the audit."""
    created: str = ""
    """UTC time of its report; empty where there was none."""
    evidence_digest: str
    """Digest of its evidence."""
    dossier_digest: str | None = None
    """Digest of its dossier; None where it was measured only for this comparison."""
    model_digest: str = ""
    """Digest of the model; empty where it could not be identified."""
    data_digest: str = ""
    """Digest over the files of judged rows."""
    outcome: str = ""
    """Outcome of its judgement: passed, failed, undecided, incomplete, measured; empty where nothing was judged."""
    seal: str = ""
    """What checking its folder found, in words; empty where there was no folder."""


class Pairing(Record):
    """Whether the two sides are compared person by person."""

    by: Literal["rows", "none"]
    """``rows``: the same people on both sides; ``none``: only the numbers of both sides."""
    rows_paired: int = 0
    """People found on both sides."""
    only_before: int = 0
    """People of the earlier side only."""
    only_after: int = 0
    """People of the later side only."""
    note: str = ""
    """How they were paired, or why they were not."""


class Move(Record):
    """One number before and after."""

    metric: str
    """Metric id."""
    group: dict[str, str] = {}
    """Scope by group, as in `Measurement`."""
    attribute: str | None = None
    """Scope by attribute."""
    feature: str | None = None
    """Scope by feature."""
    model: str | None = None
    """Scope by model."""
    outcome: str | None = None
    """Scope by band or class."""
    reference: str | None = None
    """For a comparison of groups: the group compared with, after the change."""
    before: Estimate | None = None
    """The earlier number; None where there was none. Method and note stand in its own audit."""
    after: Estimate | None = None
    """The later number; None where there is none. Method and note stand in its own audit."""
    difference: Estimate
    """After minus before with its interval; `method` says whether people were paired."""
    loss: Estimate
    """The difference turned so that above 0 is worse; undefined for a number of which neither side is better. An empty
    method is that of the difference."""
    paired: bool = False
    """Whether the interval rests on the same people on both sides."""
    p: float | None = None
    """Two-sided p-value of no difference; None where there is none."""
    p_adjusted: float | None = None
    """The same after Holm over the family: all groups of one attribute and metric, or all features of one metric."""
    family: int = 1
    """Size of that family."""
    low_simultaneous: float | None = None
    """Lower end of an interval of the difference that holds for the whole family at once (Bonferroni)."""
    high_simultaneous: float | None = None
    """Upper end of it."""
    reading: Reading
    """``worse``, ``better`` or ``moved`` (neither side is better) where the difference is more than noise after
    adjustment; ``noise`` where it is not; ``not_compared`` where no statement is possible."""
    margin: float | None = None
    """The margin that a rule declares for it, in its own unit; None where no rule does."""
    margin_by: str = ""
    """The rule that declares it, ``pack/rule``."""
    material: bool = False
    """More than noise and more than the declared margin; never where no margin is declared."""

    @property
    def scope(self) -> tuple[tuple[str, str], ...]:
        """What it is about, as name and value; empty for the whole audit."""
        named = (("attribute", self.attribute), ("feature", self.feature), ("model", self.model))
        rest = (*named, ("outcome", self.outcome))
        return (*self.group.items(), *((name, value) for name, value in rest if value))


class DecisionsChanged(Record):
    """Decisions of one group before and after, on the same people."""

    group: dict[str, str] = {}
    """The group; empty for everybody."""
    n: int
    """People with a decision on both sides."""
    favourable_before: int
    """Decided favourably before."""
    favourable_after: int
    """Decided favourably after."""
    gained: int
    """Unfavourable before, favourable after."""
    lost: int
    """Favourable before, unfavourable after."""
    lost_wrongly: int | None = None
    """Of the lost, those whose label is the favourable class; None without labels."""
    gained_wrongly: int | None = None
    """Of the gained, those whose label is not the favourable class; None without labels."""
    flip_rate: Estimate
    """Share of the decisions that changed."""


class Driver(Record):
    """What one feature contributes to decisions that changed in one direction."""

    feature: str
    """Feature name; empty for what no single feature's effect tells: a shift of everybody alike, and interactions."""
    direction: Literal["gained", "lost"]
    """Which decisions."""
    group: dict[str, str] = {}
    """Among whom; empty for everybody."""
    model: str
    """Whose shapes were read: a surrogate glass box or the black box's own effects, the same kind on both sides."""
    move: Estimate
    """Mean over those people of the feature's effect after minus before, on the link scale, above 0 towards the
    favourable decision."""
    share: float | None = None
    """Its share of the absolute moves of all features and the rest."""


class ShapeMoved(Record):
    """One feature's effect before and after."""

    feature: str
    """Feature name."""
    model: str
    """Whose shape."""
    distance: Estimate
    """Mean absolute difference of the two curves over the range of the earlier one; see ``change.shape_distance``."""
    largest: float
    """Largest difference, after minus before, on the link scale."""
    at: str
    """Value or level of the feature where it is."""
    beyond_bands: bool | None = None
    """Whether the two bands part anywhere; None where a curve has no confidence band."""
    earlier: Curve | None = None
    """The earlier curve, of the model whose shapes are drawn; the later one stands in the evidence."""


class Difference(Record):
    """Something that is not a number, before and after."""

    area: Literal["data", "features", "groups", "decision", "model", "policy", "method"]
    """What it belongs to."""
    name: str
    """What differs."""
    before: str
    """Before; empty where it is new."""
    after: str
    """After; empty where it is gone."""


class VerdictChange(Record):
    """A rule's verdict on one scope that is another one now."""

    rule: str
    """``pack/rule``."""
    scope: str
    """``pack/rule[...]``."""
    title: str
    """The rule as one plain sentence."""
    severity: str
    """How grave a failure is."""
    before: VerdictWord | None
    """Verdict before; None where the rule or scope is new."""
    after: VerdictWord | None
    """Verdict after; None where it is gone."""
    beyond_noise: bool | None = None
    """Whether the number behind it moved by more than noise; None where no number stands behind it."""


class Change(Record):
    """Everything that differs between an earlier side and this audit."""

    against: Against
    """What this audit is compared with."""
    before: Side
    """The earlier side, or the champion."""
    after: Side
    """This audit."""
    pairing: Pairing
    """Whether people were paired."""
    level: float = 0.95
    """Confidence level of all intervals."""
    moves: tuple[Move, ...] = ()
    """Every number of both sides."""
    measurements: tuple[Measurement, ...] = ()
    """Numbers about the change itself that a rule may name: ``change.*``."""
    definitions: tuple[Definition, ...] = ()
    """Definitions of those, and of numbers that only the earlier side holds."""
    decisions: tuple[DecisionsChanged, ...] = ()
    """Decisions that changed: everybody first, then by group; empty where people were not paired."""
    drivers: tuple[Driver, ...] = ()
    """Features behind the changed decisions, strongest first."""
    shapes: tuple[ShapeMoved, ...] = ()
    """Shapes before and after, largest move first."""
    differences: tuple[Difference, ...] = ()
    """Data, features, groups, decision, model, policies and method before and after, as far as they differ."""
    verdicts: tuple[VerdictChange, ...] = ()
    """Verdicts that are other ones now; worst first."""
    notes: tuple[str, ...] = ()
    """Cautions a reader must see, among them what noise does not cover."""

    def find_moves(self, metric: str) -> Iterator[Move]:
        """Yield the moves of one metric."""
        return (move for move in self.moves if move.metric == metric)

    @property
    def material(self) -> tuple[Move, ...]:
        """Moves that are more than noise and more than the declared margin."""
        return tuple(move for move in self.moves if move.material)
