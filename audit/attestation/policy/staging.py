"""Evidence for a policy test, made from a handful of counts and numbers.

Comes in: counts, rates and metrics of a case. Goes out: an `Evidence` that holds exactly those, compared by the same
statistics as in an audit; every other section is NotDone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audit.evidence import (
    AttributeUsed,
    Attributions,
    Calibration,
    Cell,
    CountTable,
    Data,
    Drift,
    Effects,
    Estimate,
    Evidence,
    Explanations,
    Fairness,
    FeatureUsed,
    Fidelity,
    Group,
    IndividualDecisions,
    Measurement,
    NotDone,
    Parity,
    Performance,
    Provenance,
    Robustness,
    Section,
    Slices,
    Subject,
    undefined,
)
from audit.statistics.compare import compare_to_best
from audit.statistics.intervals import wilson

from .bench import UNKNOWN
from .pack import Part

Row = Mapping[str, str | int]
_ABOUT_EXPLANATIONS = ("explanations", "decisions")
_STAGED = ("data", "performance", "calibration", "slices", "fidelity", "effects", "attributions", *_ABOUT_EXPLANATIONS)


class MetricEntry(Part):
    """A number of a case, as measured."""

    metric: str
    """Metric id."""
    value: float | None
    """The number; null for an undefined one."""
    low: float | None = None
    """Lower end of its interval."""
    high: float | None = None
    """Upper end."""
    level: float = 0.95
    """Level of the interval."""
    n: int | None = None
    """Rows."""
    count: int | None = None
    """Numerator."""
    group: dict[str, str] = {}
    """Group."""
    attribute: str | None = None
    """Attribute."""
    feature: str | None = None
    """Feature."""
    model: str | None = None
    """Model."""
    reference: str | None = None
    """What a comparison compares with."""
    outcome: str | None = None
    """Band or class."""
    chance: float | None = None
    """For a distance: its 95 % quantile under no difference."""
    method: str = "as given"
    """How it was computed."""
    p: float | None = None
    """p-value of parity after Holm."""
    assessable: bool = True
    """Whether a verdict may rest on it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a case brings.

    Parameters
    ----------
    counts : sequence of (attributes, rows)
        Selected of total by group.
    rates : mapping
        Attribute to group to people and scoring rate.
    metrics : sequence of MetricEntry
        Numbers as measured.
    features : tuple of str
        Columns that the model reads; empty where that is not known.
    small_count : int
        Groups below this many people are not judged.
    """

    counts: Sequence[tuple[tuple[str, ...], Sequence[Row]]] = ()
    rates: Mapping[str, Mapping[str, tuple[int, float]]] = field(default_factory=dict)
    metrics: Sequence[MetricEntry] = ()
    features: tuple[str, ...] = ()
    small_count: int = 1


def stage_evidence(stage: Stage) -> Evidence:
    """Return the evidence of a case; numbers about a change (``change.*``) are no part of it.

    Parameters
    ----------
    stage : Stage
        What the case brings.
    """
    sections: dict[str, list[Measurement]] = {}
    for entry in stage.metrics:
        sections.setdefault(entry.metric.partition(".")[0], []).append(as_measurement(entry))
    fairness = _stage_fairness(stage, sections.get("fairness", []))
    names = {name for names, _ in stage.counts for name in names} | set(stage.rates)
    names |= {name for entry in stage.metrics for name in (*entry.group, *(entry.attribute or "").split(" * ")) if name}
    nothing = NotDone(not_done="no part of this case")
    return Evidence(
        provenance=Provenance(
            tool="policy test",
            versions={},
            platform="",
            config_digest="",
            files=(),
            seed=0,
            effort="fast",
            started="",
            seconds={},
        ),
        subject=Subject(
            title="policy test",
            system="policy-test",
            version="",
            attributes=tuple(AttributeUsed(name=name, column=name) for name in _in_order(names, stage)),
            intersections=tuple(names for names, _ in stage.counts if len(names) > 1),
            features=tuple(FeatureUsed(name=name, kind="number", protected=name in names) for name in stage.features),
            has_model=bool(stage.features),
            small_count=stage.small_count,
            small_share=0.0,
        ),
        definitions=(),
        intake=nothing,
        fairness=fairness or nothing,
        **{name: _stage_section(name, sections.get(name, [])) or nothing for name in (*_STAGED, "robustness", "drift")},
    )


def _in_order(names: set[str], stage: Stage) -> list[str]:
    first = [name for names_, _ in stage.counts for name in names_] + list(stage.rates)
    return list(dict.fromkeys([*first, *sorted(names)]))


def _stage_section(name: str, measurements: list[Measurement]) -> Section | None:
    if not measurements:
        return None
    rows = max(item.estimate.n or 0 for item in measurements)
    numbers: dict[str, Any] = {"measurements": tuple(measurements)}
    if name == "data":
        return Data(rows=rows, label_known=rows, label_positive=0, **numbers)
    if name == "performance":
        return Performance(rows=rows, protocol="policy test", models=(), **numbers)
    if name == "calibration":
        return Calibration(bins=(), expected_error_null=0.0, **numbers)
    if name == "slices":
        return Slices(of="policy test", searched=0, tested=0, found_on=rows, tested_on=rows, **numbers)
    if name == "fidelity":
        return Fidelity(rows=rows, protocol="policy test", **numbers)
    if name == "drift":
        return Drift(baseline="policy test", baseline_rows=rows, rows=rows, **numbers)
    if name in (*_ABOUT_EXPLANATIONS, "robustness", "attributions"):
        return _stage_explained(name, rows, numbers)
    return Effects(scale="log-odds", rows=rows, curves=(), rugs=(), **numbers)


def _stage_explained(name: str, rows: int, numbers: dict[str, Any]) -> Section:
    drawn: dict[str, Any] = {"rows": rows, "rows_of": rows, "drawn": "policy test", **numbers}
    asked: dict[str, Any] = {"permutations": 0, "evaluations": 0}
    if name == "robustness":
        return Robustness(**drawn)
    if name == "attributions":
        return Attributions(scale="log-odds", background=0, reference=(), tolerance=0.0, methods=(), **asked, **drawn)
    if name == "explanations":
        return Explanations(replacements=0, methods=(), background_rows=0, **drawn)
    return IndividualDecisions(background="policy test", background_rows=0, reasons=4, **asked, **drawn)


def _stage_fairness(stage: Stage, extra: list[Measurement]) -> Fairness | None:
    groups: list[Group] = []
    tables: list[CountTable] = []
    numbers = list(extra)
    for names, rows in stage.counts:
        counted = {tuple(str(row[name]) for name in names): (int(row["selected"]), int(row["total"])) for row in rows}
        groups += [
            Group(attributes=names, values=values, n=n, small=n < stage.small_count)
            for values, (_, n) in counted.items()
        ]
        tables.append(
            CountTable(
                attributes=names,
                cells=tuple(
                    Cell(
                        values=values,
                        positive_favourable=0,
                        positive_unfavourable=0,
                        negative_favourable=0,
                        negative_unfavourable=0,
                        unlabelled_favourable=k,
                        unlabelled_unfavourable=n - k,
                    )
                    for values, (k, n) in counted.items()
                ),
            )
        )
        numbers += _compare("selection_rate", names, counted, stage.small_count)
    for name, rates in stage.rates.items():
        people: dict[tuple[str, ...], tuple[int, int]] = {
            (value,): (round(n * rate), n) for value, (n, rate) in rates.items()
        }
        groups += [Group(attributes=(name,), values=value, n=n) for value, (_, n) in people.items()]
        numbers += _compare("scoring_rate", (name,), people, stage.small_count)
    if not numbers:
        return None
    return Fairness(groups=tuple(groups), tables=tuple(tables), measurements=tuple(numbers))


def _compare(
    rate: str, names: tuple[str, ...], counted: Mapping[tuple[str, ...], tuple[int, int]], small_count: int
) -> list[Measurement]:
    """Return rates, ratios and differences of some groups."""
    numbers = []
    for values, (k, n) in counted.items():
        low, high = wilson(k, n)
        numbers.append(
            Measurement(
                metric=f"fairness.{rate}",
                group=dict(zip(names, values, strict=True)),
                estimate=Estimate(value=k / n, low=low, high=high, n=n, count=k, method="Wilson score"),
            )
        )
    known = {values: count for values, count in counted.items() if UNKNOWN not in values}
    words = [", ".join(f"{a}={b}" for a, b in zip(names, values, strict=True)) for values in known]
    compared = compare_to_best(list(known.values()), words, assessable=[n >= small_count for _, n in known.values()])
    for values, found in zip(known, compared, strict=True):
        for kind, figure in (("ratio", found.ratio), ("difference", found.difference)):
            numbers.append(
                Measurement(
                    metric=f"fairness.{rate}_{kind}",
                    group=dict(zip(names, values, strict=True)),
                    estimate=Estimate(**figure.fields()) if figure.value is not None else undefined(figure.note),
                    reference=found.reference or None,
                    parity=Parity(**found.parity.fields()) if found.parity else None,
                )
            )
    return [item for item in numbers if not item.metric.endswith("scoring_rate_difference")]


def as_measurement(entry: MetricEntry) -> Measurement:
    """Return a number of a case as the evidence holds it."""
    estimate = Estimate(
        value=entry.value,
        low=entry.low,
        high=entry.high,
        level=entry.level,
        n=entry.n,
        count=entry.count,
        method=entry.method,
        chance=entry.chance,
        assessable=entry.assessable and entry.value is not None,
        note="" if entry.assessable and entry.value is not None else "as given: no verdict may rest on it",
    )
    parity = (
        None if entry.p is None else Parity(statistic=None, p=entry.p, p_adjusted=entry.p, pairs=1, method="as given")
    )
    return Measurement(
        metric=entry.metric,
        estimate=estimate,
        group=entry.group,
        attribute=entry.attribute,
        feature=entry.feature,
        model=entry.model,
        reference=entry.reference,
        outcome=entry.outcome,
        parity=parity,
    )
