"""The one document: everything measured, nothing of the rows. The hall between the two wings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import field_validator, model_validator

from audit.errors import EvidenceError

from .arrange import arrange_groups, arrange_keys
from .attributions import Attributions
from .base import NotDone, Record, Section
from .calibration import Calibration
from .data import Data
from .decisions import IndividualDecisions
from .drift import Drift
from .effects import Effects
from .estimate import Definition, Measurement
from .explanations import Explanations
from .fairness import Fairness
from .fidelity import Fidelity
from .intake import Intake
from .performance import Performance
from .provenance import Provenance
from .robustness import Robustness
from .slices import Slices
from .subject import Subject

SCHEMA_VERSION = "evidence/1"

SECTION_NAMES = (
    "intake",
    "data",
    "performance",
    "calibration",
    "fairness",
    "slices",
    "fidelity",
    "effects",
    "attributions",
    "explanations",
    "decisions",
    "robustness",
    "drift",
)
"""Sections in the order of the report."""


class Evidence(Record):
    """All that was measured about one system on one data set."""

    schema_version: Literal["evidence/1"] = "evidence/1"
    """Version of this document's form."""
    provenance: Provenance
    """Where it comes from."""
    subject: Subject
    """What is audited."""
    definitions: tuple[Definition, ...]
    """Definition of every metric that occurs."""
    intake: Intake | NotDone
    """The model as taken in."""
    data: Data | NotDone
    """The data as read."""
    performance: Performance | NotDone
    """Prediction of the label."""
    calibration: Calibration | NotDone
    """Meaning of the scores."""
    fairness: Fairness | NotDone
    """Groups compared."""
    slices: Slices | NotDone
    """Weak slices."""
    fidelity: Fidelity | NotDone
    """Surrogates held against the black box."""
    effects: Effects | NotDone
    """Per-feature effects."""
    attributions: Attributions | NotDone
    """Attributions of the black box."""
    explanations: Explanations | NotDone
    """Quality of explanations."""
    decisions: IndividualDecisions | NotDone
    """Individual decisions."""
    robustness: Robustness | NotDone
    """Robustness."""
    drift: Drift | NotDone
    """Drift against a baseline."""

    @field_validator("definitions")
    @classmethod
    def _check_unique(cls, value: tuple[Definition, ...]) -> tuple[Definition, ...]:
        ids = [definition.id for definition in value]
        if len(ids) != len(set(ids)):
            raise ValueError("a metric is defined twice")
        return value

    @model_validator(mode="after")
    def _arrange(self) -> Self:
        names = [attribute.name for attribute in self.subject.attributes]
        arrange_groups(self.measurements(), names)
        if isinstance(self.slices, Slices):
            self._arrange_slices(self.slices, names)
        return self

    def _arrange_slices(self, part: Slices, names: list[str]) -> None:
        known = self.fairness.groups if isinstance(self.fairness, Fairness) else ()
        values = {name: [group.values[0] for group in known if group.attributes == (name,)] for name in names}
        for item in part.slices:
            arrange_keys(item.groups, names)
            for name, shares in item.groups.items():
                arrange_keys(shares, values.get(name, []))

    def sections(self) -> Iterator[tuple[str, Section | NotDone]]:
        """Yield name and content of every section, in report order."""
        for name in SECTION_NAMES:
            yield name, getattr(self, name)

    def measurements(self) -> Iterator[Measurement]:
        """Yield every number that a rule may name."""
        for _, section in self.sections():
            if isinstance(section, Section):
                yield from section.each_measurement()

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of sections that failed by an error, whole or in part; the report is INCOMPLETE where there is any."""
        return tuple(self.why_broken())

    def why_broken(self) -> dict[str, str]:
        """Return each section that failed by an error, whole or in part, with the reason."""
        whole = {n: s.not_done for n, s in self.sections() if isinstance(s, NotDone) and s.broke}
        parts = {n: "; ".join(s.broken_parts) for n, s in self.sections() if isinstance(s, Section) and s.broken_parts}
        return {name: (whole | parts)[name] for name in SECTION_NAMES if name in whole or name in parts}


def read_evidence(data: bytes) -> Evidence:
    """Read an evidence document.

    Raises
    ------
    EvidenceError
        It is not one, or its schema is newer than this version knows.
    """
    head = data[:1_000_000]
    if b'"schema_version"' in data and b'"schema_version":"evidence/1"' not in data.replace(b'": "', b'":"'):
        raise EvidenceError(
            "this evidence has a schema that this version does not know",
            hint="install the version of glassbox-audit that wrote it, or a newer one",
        )
    if not head.lstrip().startswith(b"{"):
        raise EvidenceError("this is not an evidence document: it is not JSON")
    return Evidence.parse(data)
