"""A rule pack as types: the grammar of ``policy/1``, and nothing about what the names in it mean.

Comes in: plain values of a YAML file. Goes out: a `Pack`. What the types cannot see (unknown metrics, parameters that
are not declared, limits that are none) is the business of `check`, which runs on the parsed tree so that one mistake
never hides another.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from audit.evidence import Severity

from .phrase import read_number

RuleKind = Literal["measure", "fact", "shape_of", "compare", "document", "ask"]
KINDS: tuple[RuleKind, ...] = ("measure", "fact", "shape_of", "compare", "document", "ask")
"""The keys of which a rule has exactly one."""
Basis = Literal["regulation", "guidance", "court_practice", "industry_convention", "organisation"]
JudgedOn = Literal["interval", "court", "estimate", "proven"]
ListedVerdict = Literal["fail", "inconclusive", "manual", "warn", "pass", "not_applicable"]


def _read_phrase(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        raise ValueError(f"a limit is a phrase: write 'at least {value}' or 'at most {value}'")
    return value


def _read_share(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("write a number such as 0.02 or 2%")
    if isinstance(value, str):
        try:
            return float(read_number(value))
        except (ValueError, ZeroDivisionError):
            raise ValueError(f"'{value}' is no number; write 0.02 or 2%") from None
    return value


def _read_day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueError("write a date as 2026-11-21")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"'{value}' is no date; write it as 2026-11-21") from None


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_NUMBER_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[-+0-9.eE]+\s*%?$"}]}
Phrase = Annotated[str, BeforeValidator(_read_phrase), WithJsonSchema({"type": ["string", "boolean"]})]
Number = Annotated[float, BeforeValidator(_read_share), WithJsonSchema(_NUMBER_SCHEMA)]
Day = Annotated[date, BeforeValidator(_read_day)]
Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Condition = bool | int | float | str | tuple[str, ...]


class Part(BaseModel):
    """A closed, frozen block of a policy file."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True, allow_inf_nan=False
    )


class Source(Part):
    """Where the law was read."""

    title: str
    """What was read."""
    url: str = ""
    """Where."""
    primary: bool | None = None
    """Whether it is the official text."""
    note: str = ""
    """What the reader must know."""


class Law(Part):
    """The law behind a pack, and how well it was read."""

    citation: str
    """Name and sections."""
    jurisdiction: str
    """Where it holds; ``any`` for none."""
    status: Literal[
        "in_force", "guidance", "voluntary", "internal", "adopted_not_yet_applicable", "proposed", "repealed"
    ]
    """State of the law."""
    applies_from: Day | None = None
    """First day on which it applies; before it the pack only says what it would find."""
    applies_until: Day | None = None
    """Last day on which it applies."""
    supersedes: Names = ()
    """What it replaced."""
    superseded_by: str = ""
    """What replaced it."""
    verified_on: Day
    """Day on which the law was last read."""
    review_by: Day
    """Day by which it must be read again."""
    pending: str = ""
    """Changes under way."""
    sources: tuple[Source, ...] = ()
    """What was read."""
    unverified: Names = ()
    """What was not."""


class Parameter(Part):
    """A number that an organisation may set."""

    title: str
    """What it means."""
    default: Number
    """Value without `with`."""
    minimum: Number
    """Smallest value allowed."""
    maximum: Number
    """Largest value allowed."""
    basis: Basis
    """Who set the default."""
    note: str = ""
    """What the reader must know."""


class MinSamples(Part):
    """How many people a verdict needs; fewer make the scope inconclusive."""

    total: int = Field(default=0, ge=0)
    """In all."""
    per_group: int = Field(default=0, ge=0)
    """In the group, and in the group it is compared with."""
    favourable: int = Field(default=0, ge=0)
    """Favourable decisions in the group and the one it is compared with, together."""
    per_bin: int = Field(default=0, ge=0)
    """In each bin of the reliability curve."""


class MustHave(Part):
    """What a document must have besides the acceptance of a named person."""

    min_words: int = Field(default=0, ge=0)
    """Words."""
    max_age_days: int | None = Field(default=None, ge=1)
    """Age in days."""
    approved_by_role: str = ""
    """Role of the person who accepted it."""
    attachment: bool = False
    """Whether it must be a file."""


class RuleBase(Part):
    """What every rule has."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    """Name within the pack."""
    title: str = Field(min_length=8)
    """The rule as one plain sentence."""
    severity: Severity
    """How grave a failure is."""
    cite: str = ""
    """Where the law says so."""
    why: str = ""
    """Why the rule exists."""
    fix: str = ""
    """What to do when it fails."""
    applies_when: dict[str, Condition] = {}
    """Facts that must hold, all of them."""
    applies_from: Day | None = None
    """First day on which this clause applies, where it is another one than the law's."""
    waivable: bool = True
    """Whether a waiver may cover it."""


class MeasureRule(RuleBase):
    """A measured number held against a limit."""

    measure: str
    """Metric id."""
    for_each: Names = ()
    """Attribute, ``a * b``, ``protected``, ``protected pairs``, or several of them."""
    of_model: Names = ()
    """Models, ``every_model`` or ``every_glass_box``."""
    for_features: Names = ()
    """Features, ``role:R`` or ``all``."""
    for_outcomes: Names = ()
    """Bands or classes, or ``all``; default the decision itself, or all where it is measured by outcome only."""
    compared_to: Literal["best", "largest", "rest", "overall", "reference"] = "best"
    """Whom each group is compared with."""
    leave_out_groups_below: Number | None = Field(default=None, ge=0, le=0.5)
    """Share of the people below which a group is left out of the comparison, with its numbers still shown."""
    must_be: Phrase | None = None
    """The limit."""
    warn_unless: Phrase | None = None
    """A second limit, held against the point estimate; missing it is a warning."""
    verdicts: dict[str, ListedVerdict] = {}
    """For a metric with named values: value to verdict."""
    judged_on: JudgedOn | None = None
    """What is held against the limit; default the interval where there is one, else the estimate."""
    confidence: float | None = Field(default=None, gt=0.5, lt=1)
    """Level of the interval."""
    interval: Literal["exact"] | None = None
    """``exact``: Clopper-Pearson instead of Wilson, for a rate."""
    adjust_for_many: bool = False
    """With ``court``: correct over all scopes of the rule instead of each attribute's pairs."""
    min_samples: MinSamples = MinSamples()
    """How many people a verdict needs."""
    threshold_basis: Basis | None = None
    """Who set the number of `must_be`."""
    warn_basis: Basis | None = None
    """Who set the number of `warn_unless`."""
    when_no_such_scope: Literal["pass", "not_applicable", "inconclusive", "fail"] = "inconclusive"
    """Verdict where none of the features is an input of the model."""


class FactRule(RuleBase):
    """A fact held against a limit."""

    fact: str
    """Fact name."""
    must_be: Phrase | None = None
    """The limit."""
    verdicts: dict[str, ListedVerdict] = {}
    """Value to verdict."""
    threshold_basis: Basis | None = None
    """Who set the number."""


class ShapeRule(RuleBase):
    """The shape of a feature's effect held against an expectation."""

    shape_of: Names
    """Features or ``role:R``."""
    of_model: Names = ("every_glass_box",)
    """Models."""
    must_be: Literal["increasing", "decreasing", "monotone", "flat", "smooth"]
    """The expected shape."""
    tolerance: Number = Field(ge=0, le=1)
    """Largest move against it, as a share of the effect's range."""
    within_quantiles: tuple[Number, Number] | None = None
    """Part of the feature that counts, e.g. ``[0.01, 0.99]``."""
    min_samples: MinSamples = MinSamples()
    """How many rows a verdict needs."""
    threshold_basis: Basis | None = None
    """Who set the tolerance."""


class CompareRule(RuleBase):
    """A measured number held against that of another audit."""

    compare: str
    """Metric id."""
    with_: Literal["previous_audit", "champion", "glass_box"] = Field(alias="with")
    """What it is compared with."""
    for_each: Names = ()
    """Attributes."""
    of_model: Names = ()
    """Models."""
    for_features: Names = ()
    """Features."""
    may_worsen_by: str | float
    """``0.01``, ``$parameter`` or ``5% of previous``."""
    judged_on: JudgedOn | None = None
    """What is held against the margin."""
    min_samples: MinSamples = MinSamples()
    """How many people a verdict needs."""
    threshold_basis: Basis | None = None
    """Who set the margin."""


class DocumentRule(RuleBase):
    """Documents that must be there and accepted by a named person."""

    document: Names
    """Fields of documents.yaml."""
    must_have: MustHave = MustHave()
    """What else they must have."""


class AskRule(RuleBase):
    """A question that a person must answer."""

    ask: str
    """The question."""
    asked_of: str
    """Role of the person who may answer."""
    answer_must_be: Names = ()
    """Answers that pass; any answer where left out."""
    valid_for_days: int | None = Field(default=None, ge=1)
    """Days after which the answer must be given again."""


def find_kind(value: Any) -> str | None:
    """Return which kind of rule a mapping or a rule is; None where it is none."""
    if isinstance(value, Mapping):
        return next((kind for kind in KINDS if kind in value), None)
    return next((kind for kind in KINDS if hasattr(value, kind)), None)


Rule = Annotated[
    Annotated[MeasureRule, Tag("measure")]
    | Annotated[FactRule, Tag("fact")]
    | Annotated[ShapeRule, Tag("shape_of")]
    | Annotated[CompareRule, Tag("compare")]
    | Annotated[DocumentRule, Tag("document")]
    | Annotated[AskRule, Tag("ask")],
    Discriminator(find_kind),
]


class Use(Part):
    """A published pack that this one takes in."""

    pack: str
    """``name``, ``name@>=2026.11`` or a file."""
    with_: dict[str, Number] = Field(default={}, alias="with")
    """Parameter to value."""
    only: Names = ()
    """Rule ids to take; all where left out."""


class Override(Part):
    """A rule of a used pack, changed."""

    rule: str
    """``pack/rule``."""
    severity: Severity | None = None
    """Another severity."""
    tighten: Phrase | None = None
    """A limit that allows less."""
    loosen: Phrase | None = None
    """A limit that allows more; needs a reason."""
    reason: str = ""
    """Why."""


class Disable(Part):
    """A rule of a used pack, switched off; it stays in the report as such."""

    rule: str
    """``pack/rule``."""
    reason: str = Field(min_length=10)
    """Why."""
    approved_by: str = Field(min_length=2)
    """Who decided it."""


class Pack(Part):
    """A policy file."""

    schema_: Literal["policy/1"] = Field(alias="schema")
    """Version of this file's form."""
    pack: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    """Name, also the file's name for a shipped one."""
    title: str
    """Title."""
    version: str
    """Version, e.g. ``2026.11.0``."""
    maturity: Literal["draft", "reviewed"] = "draft"
    """Whether someone who knows the law has read it."""
    reviewed_by: str = ""
    """Who."""
    summary: str = ""
    """What it is for."""
    law: Law
    """The law behind it."""
    applies_when: dict[str, Condition] = {}
    """Facts that must hold, all of them."""
    parameters: dict[str, Parameter] = {}
    """Numbers that an organisation may set."""
    uses: tuple[Use, ...] = ()
    """Published packs taken in."""
    override: tuple[Override, ...] = ()
    """Rules of used packs, changed."""
    disable: tuple[Disable, ...] = ()
    """Rules of used packs, switched off."""
    rules: tuple[Rule, ...] = ()
    """The rules."""
