"""A number never travels alone: the estimate, what it is an estimate of, and the definition of its metric."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from .base import Record

SUPPRESSED = (
    "suppressed in the public edition: it tells of fewer than 5 people, or with others would let that be computed"
)
"""Note of a number that a public edition does not tell."""


class Estimate(Record):
    """A measured number with its interval, its sample size and its method."""

    value: float | None
    """The point estimate; None where it is undefined, with the reason in `note`."""
    low: float | None = None
    """Lower end of the interval; None where there is no interval or it is unbounded below."""
    high: float | None = None
    """Upper end of the interval; None where there is no interval or it is unbounded above."""
    level: float = 0.95
    """Confidence level of the interval (two-sided)."""
    n: int | None = None
    """Rows (people) that the number rests on."""
    count: int | None = None
    """Numerator in whole people, where the number is a rate."""
    method: str = ""
    """How value and interval were computed, e.g. ``Wilson score``; empty only for counts and constants."""
    note: str = ""
    """Why the value is undefined, or what limits it."""
    chance: float | None = None
    """For a distance that is above 0 even where there is no difference: its 95 % quantile under no difference."""
    assessable: bool = True
    """False where the number is shown but no verdict may rest on it (undefined, labels missing, group too small)."""

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if self.value is None and not self.note:
            raise ValueError("an undefined estimate needs a note")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"interval turned round: {self.low} > {self.high}")
        return self

    @property
    def has_interval(self) -> bool:
        """Whether at least one end of an interval is known."""
        return self.low is not None or self.high is not None


def undefined(note: str, *, n: int | None = None, count: int | None = None, method: str = "") -> Estimate:
    """Return an estimate that has no value, with the reason.

    Parameters
    ----------
    note : str
        Why there is no value, for a reader.
    """
    return Estimate(value=None, note=note, n=n, count=count, method=method, assessable=False)


class Parity(Record):
    """Test of equality behind a comparison of two groups."""

    statistic: float | None
    """Signed test statistic (standard deviations), None for an exact test."""
    p: float
    """Two-sided p-value of this pair."""
    p_adjusted: float
    """Holm-adjusted p-value over all pairs of the attribute."""
    pairs: int
    """Pairs in the family."""
    method: str
    """``Fisher exact``, ``pooled z``, ``DeLong z`` ..."""


class Measurement(Record):
    """One number that a rule may name: metric, scope, estimate."""

    metric: str
    """Metric id ``section.name``; its `Definition` stands in the evidence."""
    estimate: Estimate
    """The number."""
    group: dict[str, str] = {}
    """Scope by group: attribute to value, e.g. ``{"sex": "F"}``; several keys for an intersection; empty for all."""
    attribute: str | None = None
    """For a number about a whole attribute (worst case over its groups): the attribute, pairs as ``a * b``."""
    feature: str | None = None
    """Scope by feature."""
    model: str | None = None
    """Scope by model: black_box, ebm_label, ebm_surrogate, net_label, net_surrogate."""
    outcome: str | None = None
    """Scope by band or class, where a decision has more than two sides."""
    reference: str | None = None
    """For a comparison: the group compared with, e.g. ``sex=M``."""
    parity: Parity | None = None
    """For a comparison: the test of equality."""


class Definition(Record):
    """What a metric is; a report explains itself from evidence alone."""

    id: str
    """``section.name``."""
    title: str
    """Name for readers, e.g. ``Impact ratio``."""
    formula: str
    """Formula in words or plain text signs."""
    unit: str = ""
    """Unit of the value; empty for a pure number."""
    better: Literal["higher", "lower", "nearer_one", "nearer_zero", "none"] = "none"
    """Which direction is better for people; ``none`` where neither is."""
    source: str = ""
    """Where the definition comes from: paper, section, regulation."""


class Group(Record):
    """One group of people: its values of the attributes, and how many they are."""

    attributes: tuple[str, ...]
    """Names of the attributes, one or more."""
    values: tuple[str, ...]
    """Value of each attribute, same order; ``unknown`` where it is missing."""
    n: int
    """Rows."""
    small: bool = False
    """Below the size that the configuration marks as small."""

    @property
    def scope(self) -> dict[str, str]:
        """The group as attribute to value."""
        return dict(zip(self.attributes, self.values, strict=True))


class Curve(Record):
    """One shape along one feature, on the score's link scale, centred to mean zero over the audited rows."""

    feature: str
    """Feature name."""
    model: str
    """black_box, ebm_label, ebm_surrogate, net_label or net_surrogate."""
    kind: Literal["numeric", "category"]
    """Whether `x` or `levels` holds the positions."""
    method: str
    """What drew it: ``ALE``, ``EBM term``, ``additive net term``."""
    x: tuple[float, ...] = ()
    """Positions in feature units (numeric), ascending."""
    levels: tuple[str, ...] = ()
    """Levels (category)."""
    y: tuple[float, ...]
    """Effect at each position."""
    low: tuple[float, ...] = ()
    """Lower edge of the band; empty where there is none."""
    high: tuple[float, ...] = ()
    """Upper edge of the band."""
    band: str = ""
    """What the band is, e.g. ``pointwise 95 %, Laplace`` or ``spread of 8 bags, not an interval``."""
    band_is_interval: bool = False
    """True only where the band is a confidence band."""
    missing: float | None = None
    """Effect where the feature is missing; None where no row is."""
    rows: int
    """Rows behind the curve."""

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        size = len(self.x) if self.kind == "numeric" else len(self.levels)
        if len(self.y) != size or len(self.low) != len(self.high) or len(self.low) not in (0, size):
            raise ValueError(f"curve of {self.feature}: lengths differ")
        return self
