"""What is audited: the system, the people, the decision; facts that the report names and rules may ask for."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from .arrange import arrange_keys
from .base import Record


class AttributeUsed(Record):
    """A protected attribute as the configuration declares it."""

    name: str
    """Name the report uses."""
    column: str
    """Column it comes from."""
    stands_for: str = ""
    """What a rule calls it (``race_ethnicity``), empty for the name itself."""
    bins: tuple[float, ...] = ()
    """Cut points, for a numeric column."""
    reference: str = ""
    """Declared reference group, if any."""
    population: dict[str, float] = {}
    """Declared shares in the population, if any."""


class FeatureUsed(Record):
    """A column that the model reads, with what was declared about it."""

    name: str
    """Column name."""
    kind: Literal["number", "category", "boolean"]
    """How its values are read."""
    role: str = ""
    """Declared role: prohibited, special_category, ..."""
    expected: Literal["", "increasing", "decreasing"] = ""
    """Direction that a person expects, checked but not imposed."""
    monotone: Literal["", "increasing", "decreasing"] = ""
    """Direction imposed on the glass boxes; evidence of nothing."""
    mutable: bool = False
    """Whether a person can change it."""
    one_way: Literal["", "increase", "decrease"] = ""
    """The only direction in which a person can change it."""
    protected: bool = False
    """Whether it is a column behind a protected attribute."""


class Decision(Record):
    """The one statement of which side of the score is good for the person."""

    favourable: str
    """As written: ``score >= 0.5``, ``score < 0.5`` or ``outcome = approved``."""
    threshold: float | None = None
    """The one cut on the score (probability or value scale); None for stored decisions and where there are several."""
    favourable_is_high: bool = True
    """Whether a score at or above the threshold is the favourable side."""
    positive_is_favourable: bool = True
    """Whether deciding the label's positive class is the favourable decision; TPR, FPR and PPV follow that class."""
    predicts: bool = True
    """Whether the two sides predict the label's positive class and the rest; False where they say nothing of it."""
    bands: dict[str, str] = {}
    """Band to its condition, the first that holds; empty where there are none."""
    segment: str = ""
    """Column whose value chooses the cut."""
    segments: dict[str, str] = {}
    """Value of that column to its condition; ``otherwise`` for all other values."""
    outcomes: tuple[str, ...] = ()
    """Bands, classes or stored decisions, where there are more than two."""
    favourable_outcomes: tuple[str, ...] = ()
    """Those of them that are good for the person."""

    @model_validator(mode="after")
    def _arrange(self) -> Self:
        arrange_keys(self.bands, self.outcomes)  # the first band that holds is the one that counts
        return self


class Subject(Record):
    """Title, system, groups, decision, roles, facts."""

    title: str
    """Title of the report."""
    system: str
    """System name (slug)."""
    version: str
    """System version as declared."""
    task: Literal["binary", "multiclass", "regression"] = "binary"
    """What the score predicts."""
    label: str = ""
    """Label column; empty where none was given."""
    positive: str = ""
    """The label's positive class, as written in the data."""
    classes: tuple[str, ...] = ()
    """Classes in the order of the model's outputs, where there are several; `positive` is one of them."""
    decision: Decision | None = None
    """The decision; None where there is none."""
    attributes: tuple[AttributeUsed, ...] = ()
    """Protected attributes in configuration order."""
    intersections: tuple[tuple[str, ...], ...] = ()
    """Intersections measured."""
    features: tuple[FeatureUsed, ...] = ()
    """Features in model order."""
    has_model: bool = True
    """False where only scores or decisions were supplied."""
    small_count: int = 30
    """Groups below this many rows are marked."""
    small_share: float = 0.02
    """Groups below this share of rows are marked."""
    about: dict[str, str] = {}
    """Period, source, filters, sampling of the data, as declared."""
