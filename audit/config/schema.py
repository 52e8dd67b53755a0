"""audit.yaml as types, in two halves: what the examination reads and what the attestation reads.

Comes in: plain values of a YAML file or of keyword arguments, in their short forms too. Goes out: a resolved `Config`
in which every short form is written out and every path is absolute. The loader (`load`) adds the places of mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from .model import ModelSource
from .settings import Level, Placed, Settings
from .unattended import LimitsOrder, NotifyOrder


class CsvForm(Settings):
    """How CSV files are written; a value left out is detected and the detection is printed."""

    separator: str | None = None
    """Field separator, one character."""
    decimal: str | None = None
    """Decimal sign, ``.`` or ``,``."""
    encoding: str | None = None
    """Encoding of the text, e.g. ``cp1252``."""


class DataSource(Settings):
    """The rows to be judged, and the rows around them."""

    audit: str
    """Rows to be judged: CSV, Parquet or Arrow; a file, a folder or a glob."""
    train: str | None = None
    """Rows for the glass boxes; without it they are cross-fitted on the audit rows and reported out of fold."""
    model_train: str = "unknown"
    """Rows that the black box was trained on: a file, ``train``, ``none of these`` or ``unknown``."""
    baseline: str | None = None
    """Rows to measure drift against."""
    out_of_time: str | None = None
    """Rows of a later period."""
    id: str | None = None
    """Column that identifies a row."""
    weight: str | None = None
    """Column of row weights."""
    time: str | None = None
    """Column of dates; described, never a feature."""
    missing: tuple[str, ...] = ("", "NA", "NaN", "null", "None")
    """Texts that mean "missing"."""
    csv: CsvForm = CsvForm()
    """How CSV files are written."""
    about: dict[str, str] = {}
    """Period, source, filters, sampling: printed in the report."""


class LabelColumn(Settings):
    """What the score predicts."""

    column: str
    """Column of the label."""
    positive: Level = 1
    """Value of the positive class."""


class GroupAttribute(Settings):
    """One protected attribute."""

    column: str
    """Column that holds it."""
    bins: tuple[float, ...] = ()
    """Cut points for a numeric column: ``[25, 40]`` makes ``under 25``, ``25-40``, ``40 and over``."""
    reference: str | None = None
    """Group that others are compared with where a rule asks for it."""
    stands_for: str | None = None
    """Name that rules use for it, e.g. ``race_ethnicity``."""
    population: dict[str, float] = {}
    """Shares of the groups in the population."""


class GroupsFile(Settings):
    """Protected attributes that live in a file of their own."""

    file: str
    """The file."""
    key: str
    """Column, in both files, that joins them."""


class Groups(Settings):
    """All protected attributes, by the name the report uses."""

    attributes: dict[str, GroupAttribute] = {}
    """Name to attribute, in order."""
    source: GroupsFile | None = None
    """Separate file, if any."""


class FeatureDeclaration(Settings):
    """What a person declares about a feature."""

    kind: Literal["number", "category", "boolean"] | None = None
    """How to read it; detected where left out."""
    role: str | None = None
    """prohibited, special_category, ..."""
    expected: Literal["increasing", "decreasing"] | None = None
    """Direction that is expected; checked, not imposed."""
    monotone: Literal["increasing", "decreasing"] | None = None
    """Direction imposed on the glass boxes, printed as imposed."""
    mutable: bool | Literal["increase", "decrease"] = False
    """Whether a person can change it; ``increase`` or ``decrease`` where a number can go one way alone."""
    reason: str = ""
    """Words in which it is told to a person as a reason, e.g. ``Income too low for the amount requested``."""


_CONDITION = re.compile(r"^\s*score\s*(>=|<=|>|<)\s*([-+0-9.eE]+)\s*$")


class DecisionRule(Settings):
    """The one statement of which side is good for the person."""

    made: bool = True
    """False where nothing is decided; ``decision: none`` says so."""

    favourable: Level | tuple[Level, ...] = "score >= 0.5"
    """``score >= 0.5``, ``score < 0.5``; with `column`, `bands` or several classes the favourable value, or a list."""
    column: str | None = None
    """Column of stored decisions."""
    bands: dict[str, str] = {}
    """Band name to condition, first that holds."""
    segment: str | None = None
    """Column whose value chooses the condition."""
    segments: dict[str, str] = {}
    """Value of that column to condition; ``otherwise`` for all other values."""

    @field_validator("segments", mode="before")
    @classmethod
    def _read_segments(cls, value: Any) -> Any:
        """Accept numbers and true or false as values of the column."""
        return {str(name): item for name, item in value.items()} if isinstance(value, Mapping) else value

    @property
    def threshold(self) -> float | None:
        """The one cut on the score; None for stored decisions, bands and segments, and where nothing is decided."""
        match = self._match_cut()
        return float(match.group(2)) if match else None

    @property
    def operator(self) -> str:
        """``>=``, ``>``, ``<=`` or ``<``; empty where there is no one cut."""
        match = self._match_cut()
        return match.group(1) if match else ""

    def _match_cut(self) -> re.Match[str] | None:
        several = self.column is not None or self.bands or self.segments or not self.made
        return None if several else _CONDITION.match(str(self.favourable))


class SmallGroup(Settings):
    """Below which size a group is marked, never hidden."""

    count: int = Field(default=30, ge=1)
    """Rows."""
    share: float = Field(default=0.02, ge=0, le=1)
    """Share of rows; ``2%`` is read as 0.02."""

    @field_validator("share", mode="before")
    @classmethod
    def _read_share(cls, value: Any) -> Any:
        if isinstance(value, str) and value.strip().endswith("%"):
            return float(value.strip()[:-1]) / 100
        return value


class ExplainOrder(Settings):
    """Which single decisions to explain, and which layers of the model to look at."""

    rows: tuple[Level, ...] = ()
    """Row ids."""
    reasons: int = Field(default=4, ge=1, le=20)
    """Reasons per decision."""
    layers: tuple[str, ...] = ()
    """Layers of the net whose activations are described, by their names in it."""


class SystemName(Settings):
    """The audited system."""

    name: str = Field(default="unnamed-system", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")
    """Short name, also a folder name."""
    version: str = ""
    """Version as declared."""


class Claim(Settings):
    """A figure that somebody claims, to be held against the measured interval."""

    metric: str
    """Metric id."""
    value: float
    """Claimed value."""
    by: str
    """Who claims it."""


class CompareOrder(Settings):
    """What to compare with."""

    previous: str | None = None
    """``last`` (the ledger's last entry of this system) or a report folder."""
    champion: dict[str, Any] | None = None
    """A model block."""


class ColourOrder(Settings):
    """Colours of an organisation. Those that carry a meaning (failed, open, passed, the curves) stay as they are."""

    accent: str | None = Field(default=None, pattern="^#[0-9a-fA-F]{6}$")
    """Colour of the cover's band and of links, ``"#rrggbb"``; it must stand out from white by at least 4.5 to 1."""


class ReportOrder(Settings):
    """What to render."""

    formats: tuple[Literal["html", "pdf", "markdown", "junit", "sarif"], ...] = ("html", "pdf")
    """Formats."""
    edition: str = "full"
    """full, summary, or the name of a pack."""
    audience: Literal["internal", "public"] = "internal"
    """Who reads it."""
    language: Literal["en", "de"] = "en"
    """Language of all that people read: PDF, HTML, ``report.md``, letters, visible signatures, the summary of audits
    that share it. Names, supplied texts, audit.json, JUnit, SARIF and pages of a law's own words stay as they are."""
    logo: str | None = None
    """Picture for the cover: PNG, JPEG or SVG, at most 300 kB."""
    colours: ColourOrder = ColourOrder()
    """Colours of the cover and of links."""
    fonts: str | None = None
    """Folder of TTF and OTF fonts for characters that the shipped fonts lack; what is needed of them is embedded."""
    templates: str | None = None
    """Folder of templates and style sheets; a file there stands in for the shipped one at the same path."""


class SigningOrder(Settings):
    """Who signs, and with what."""

    key: str | None = None
    """``file:PATH`` (PEM or PKCS 12), ``env:NAME``, ``pkcs11:...`` (RFC 7512), ``development``; None: a development key
    where there is a terminal."""
    certificate: str | None = None
    """``file:PATH`` or ``env:NAME``: PEM certificate, with its chain."""
    password: SecretStr | None = None
    """``env:NAME`` or ``file:PATH``: the key's password; never written anywhere."""
    timestamp: str | None = None
    """Address of an RFC 3161 time stamp server."""
    level: Literal["B-T", "B-LT", "B-LTA"] | None = None
    """PAdES level that the PDF should reach; None: as far as certificate and servers allow, and no word if less."""
    required: bool = False
    """Refuse to finish without a signature that is not a development key's, or below the level that is asked for."""


class LedgerOrder(Settings):
    """Where the history of audits is kept."""

    path: str = "audit-log"
    """Folder."""
    must_exist: bool = False
    """Refuse to start a new one."""


class KeepOrder(Settings):
    """What to keep beside the report."""

    scores: bool = False
    """A private sidecar with row id, groups, score, decision."""


def _as_data(value: Any) -> Any:
    return {"audit": value} if isinstance(value, str) else value


def _as_label(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


def _as_decision(value: Any) -> Any:
    """Accept ``none``, and a condition alone."""
    if value == "none":
        return {"made": False}
    return {"favourable": value} if isinstance(value, str) else value


def _as_groups(value: Any) -> Any:
    """Accept a list of columns, name to column or attribute, or ``{file, key, columns}``."""
    if isinstance(value, list | tuple):
        return {"attributes": {str(name): {"column": str(name)} for name in value}}
    if not isinstance(value, Mapping) or "attributes" in value:
        return value
    if "file" in value and "key" in value:
        columns = value.get("columns", {})
        inner = _as_groups(columns)
        rest = {key: item for key, item in value.items() if key in ("file", "key")}
        unknown = {key: item for key, item in value.items() if key not in ("file", "key", "columns")}
        return {**(inner if isinstance(inner, Mapping) else {}), "source": rest, **unknown}
    return {
        "attributes": {
            str(name): {"column": item}
            if isinstance(item, str)
            else {"column": str(name), **item}
            if isinstance(item, Mapping)
            else item
            for name, item in value.items()
        }
    }


def _as_model(value: Any) -> Any:
    """Accept ``none``, and ``scale`` beside a column of stored scores."""
    if isinstance(value, Mapping) and "scale" in value and "output" not in value:
        return {**{key: item for key, item in value.items() if key != "scale"}, "output": value["scale"]}
    return {"format": "none"} if value in (None, "none") else value


class ExamineConfig(Placed):
    """The half that decides what is measured."""

    title: str = ""
    """Title of the report."""
    system: SystemName = SystemName()
    """The audited system."""
    data: Annotated[DataSource, BeforeValidator(_as_data)]
    """The rows; a path alone is the rows to be judged."""
    label: Annotated[LabelColumn, BeforeValidator(_as_label)] | None = None
    """What the score predicts; a column name alone means positive class 1."""
    groups: Annotated[Groups, BeforeValidator(_as_groups)] = Groups()
    """Protected attributes."""
    intersections: Literal["none", "pairs"] | tuple[tuple[str, ...], ...] = "pairs"
    """Intersections of protected attributes."""
    strata: tuple[str, ...] = ()
    """Columns that may lawfully decide, such as grade or job: groups are also compared among people alike in them."""
    small_group: SmallGroup = SmallGroup()
    """When a group is marked as small."""
    features: dict[str, FeatureDeclaration] = {}
    """What is declared about features."""
    exclude: tuple[str, ...] = ()
    """Columns that are no features."""
    model: Annotated[ModelSource, BeforeValidator(_as_model)] = ModelSource(format="none")
    """The black box."""
    decision: Annotated[DecisionRule, BeforeValidator(_as_decision)] | None = None
    """Which side is good for the person; default ``score >= 0.5`` where there is a score. ``none``: no decision."""
    effort: Literal["fast", "standard", "thorough"] = "standard"
    """How much computing glass boxes, explanations and resamples may take."""
    explain: ExplainOrder | None = None
    """Single decisions to explain."""
    keep: KeepOrder = KeepOrder()
    """What to keep beside the report."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """The one seed."""
    engine: str = "local"
    """``local``, or ``dask://host:port``: where rows are scored and counted."""


class AttestConfig(Placed):
    """The half that decides how it is judged, shown, sealed and recorded."""

    documents: str | None = None
    """The officer's file."""
    policies: tuple[str, ...] = ("baseline-fairness",)
    """Names of shipped packs, or files."""
    waivers: str | None = None
    """Waivers file."""
    claims: tuple[Claim, ...] = ()
    """Claimed figures."""
    compare: CompareOrder = CompareOrder()
    """What to compare with."""
    lock: str | None = None
    """Lock file of the policies."""
    report: ReportOrder = ReportOrder()
    """What to render."""
    signing: SigningOrder = SigningOrder()
    """Who signs."""
    ledger: LedgerOrder = LedgerOrder()
    """History."""


class Config(ExamineConfig, AttestConfig):
    """A whole audit.yaml."""

    schema_: Literal["audit/1"] = Field(default="audit/1", alias="schema")
    """Version of this file's form."""
    extends: str | None = None
    """A file whose keys these override; one level."""
    limits: LimitsOrder = LimitsOrder()
    """What one audit may use at most."""
    notify: NotifyOrder = NotifyOrder()
    """Whom to tell when a verdict changed beyond noise."""
    base: Path = Field(default=Path(), exclude=True, repr=False)
    """Folder that relative paths are relative to; set by the loader, never written."""
