"""The fairness chapter and its annex, put together.

Comes in: evidence and judgement. Goes out: `FairnessShown`: single attributes with all that belongs to them, then
intersections, outcomes, people without label, and the numbers that belong to nothing of these.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.evidence import Evidence, Fairness, Judgement, Measurement

from . import words
from .alike import AlikeBlock, show_alike
from .groups import AttributeBlock, lay_blocks, show_attributes
from .intersections import IntersectionBlock, show_intersections
from .outcomes import OutcomeBlock, show_outcomes
from .panels import models_across, value_grid
from .sweeps import SweepBlock, show_sweeps
from .tables import Grid, Lexicon
from .weak import show_unlabelled

FLIPS = "Same person, other group"


@dataclass(frozen=True, slots=True)
class FairnessShown:
    """Everything that the report says of fairness.

    Parameters
    ----------
    attributes : tuple of AttributeBlock
        One per single attribute.
    intersections : tuple of IntersectionBlock
        One per intersection.
    alike, sweeps : dict
        Attribute to what was measured within strata, and over all thresholds.
    outcomes : tuple of OutcomeBlock
        Bands or classes by attribute.
    flips : Grid or None
        The same people with another group.
    unlabelled : tuple of (caption, Grid)
        Who has no label.
    rest : Grid or None
        Numbers that belong to no attribute.
    """

    attributes: tuple[AttributeBlock, ...]
    intersections: tuple[IntersectionBlock, ...]
    alike: dict[str, AlikeBlock]
    sweeps: dict[str, SweepBlock]
    outcomes: tuple[OutcomeBlock, ...]
    flips: Grid | None
    unlabelled: tuple[tuple[str, Grid], ...]
    rest: Grid | None

    @property
    def annexed(self) -> bool:
        """Whether any number stands in the annex."""
        return (
            any(block.annex for block in self.attributes)
            or any(block.annex for block in self.outcomes)
            or any(not block.beyond for block in self.sweeps.values())
        )


def show_fairness(evidence: Evidence, judgement: Judgement, lexicon: Lexicon) -> FairnessShown | None:
    """Return the chapter; None where fairness was not measured.

    Parameters
    ----------
    evidence : Evidence
        The document.
    judgement : Judgement
        Verdicts on it.
    lexicon : Lexicon
        Titles and units.
    """
    part = evidence.fairness
    if not isinstance(part, Fairness):
        return None
    blocks = lay_blocks(part, judgement, lexicon)
    shown = show_attributes(part, blocks, lexicon, evidence.subject.small_count)
    crossed = [(block, item) for block, item in zip(blocks, shown, strict=True) if not item.single]
    singles = {block.kind[0]: block for block in blocks if len(block.kind) == 1}
    return FairnessShown(
        attributes=tuple(item for item in shown if item.single),
        intersections=show_intersections([b for b, _ in crossed], [item for _, item in crossed], part.groups, lexicon),
        alike=show_alike(part, singles, lexicon),
        sweeps=show_sweeps(part, singles),
        outcomes=show_outcomes(part, lexicon),
        flips=models_across(_flips(part), lexicon),
        unlabelled=show_unlabelled(part),
        rest=value_grid(_rest(part), lexicon),
    )


def _flips(part: Fairness) -> list[Measurement]:
    return [m for m in part.measurements if not m.outcome and words.topic_of(m.metric) == FLIPS]


def _rest(part: Fairness) -> list[Measurement]:
    """Return numbers that belong to no single block."""
    kinds = {group.attributes for group in part.groups}
    names = {" * ".join(kind) for attributes in kinds for kind in (attributes, tuple(reversed(attributes)))}
    scopes = {tuple(sorted(kind)) for kind in kinds}
    return [
        m
        for m in part.measurements
        if not m.outcome
        and words.topic_of(m.metric) != FLIPS
        and not (tuple(sorted(m.group)) in scopes if m.group else (m.attribute or "") in names)
    ]
