"""The chapter of glass box beside black box and its annex, put together.

Comes in: the effects section, verdicts, what was declared of the features. Goes out: `BesideShown`.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Effects, Evidence, Judgement

from . import words
from .importance import importance_message, show_importance
from .numbers import number_text, share_text
from .shapes import FeatureBlock, place_words, show_features, show_small
from .surfaces import SHOWN, PairRow, SurfaceBlock, pair_table, show_surfaces
from .tables import Lexicon
from .tongue import tell
from .topics import Topic, show_topics
from .worked import WorkedShown, show_worked

PARTINGS = 40
"""Disagreements in the table."""
FIRST = 6
"""Disagreements in the chapter."""


@dataclass(frozen=True, slots=True)
class Parting:
    """One place where a surrogate's shape leaves the black box's effect, or comes nearest to it."""

    feature: str
    model: str
    at: str
    gap: str
    beyond: str
    rows: str


@dataclass(frozen=True, slots=True)
class BesideShown:
    """Everything that the report says of effects.

    Parameters
    ----------
    message : str
        The finding on importance.
    importance : Markup or None
        Its figure.
    features : tuple of FeatureBlock
        The first features, one by one.
    small : Markup or None
        Little charts of all others.
    smalls : tuple of str
        Their names.
    worked : WorkedShown or None
        One prediction added up.
    surfaces : tuple of SurfaceBlock
        Interactions as heat maps, all of them.
    pairs : (tuple of str, tuple of PairRow)
        Strengths of interactions by model.
    partings : tuple of Parting
        Disagreements, the largest first.
    topics : tuple of Topic
        Everything else.
    """

    message: str
    importance: Markup | None
    features: tuple[FeatureBlock, ...]
    small: Markup | None
    smalls: tuple[str, ...]
    worked: WorkedShown | None
    surfaces: tuple[SurfaceBlock, ...]
    pairs: tuple[tuple[str, ...], tuple[PairRow, ...]]
    partings: tuple[Parting, ...]
    topics: tuple[Topic, ...]

    @property
    def first_surfaces(self) -> tuple[SurfaceBlock, ...]:
        """Heat maps in the chapter."""
        return self.surfaces[:SHOWN]

    @property
    def other_surfaces(self) -> tuple[SurfaceBlock, ...]:
        """Heat maps in the annex."""
        return self.surfaces[SHOWN:]

    @property
    def first_partings(self) -> tuple[Parting, ...]:
        """Disagreements in the chapter."""
        return self.partings[:FIRST]


def show_beside(evidence: Evidence, judgement: Judgement, lexicon: Lexicon) -> BesideShown | None:
    """Return the chapter; None where effects were not measured.

    Parameters
    ----------
    evidence : Evidence
        The document.
    judgement : Judgement
        Verdicts on it.
    lexicon : Lexicon
        Titles and units.
    """
    effects = evidence.effects
    if not isinstance(effects, Effects):
        return None
    small, smalls = show_small(effects)
    return BesideShown(
        message=importance_message(effects),
        importance=show_importance(effects),
        features=show_features(effects, evidence.subject.features),
        small=small,
        smalls=smalls,
        worked=show_worked(effects),
        surfaces=show_surfaces(effects),
        pairs=pair_table(effects),
        partings=_show_partings(effects),
        topics=show_topics(effects, judgement, lexicon),
    )


def _show_partings(effects: Effects) -> tuple[Parting, ...]:
    return tuple(
        Parting(
            feature=words.prettify(d.feature),
            model=words.model_name(d.model, short=True),
            at=place_words(d),
            gap=number_text(d.gap),
            beyond=number_text(d.beyond) if d.beyond else tell("inside"),
            rows=share_text(d.rows_share, decimals=1),
        )
        for d in effects.disagreements[:PARTINGS]
    )
