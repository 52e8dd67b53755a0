"""The sections of the evidence as everybody may read them.

Comes in: a section and what may be told of each group. Goes out: the section with its tables, lists and numbers
redacted, or `NotDone` where it rests on a few people. A section of which nothing is said here has its measurements
redacted, and is refused by `find_small_counts` if anything else in it counts a few people.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from audit.evidence import Data, Evidence, Explainer, Group, NotDone
from audit.evidence.base import Section

from .cells import SMALLEST, is_small
from .numbers import is_withheld, redact_measurements, tells_few
from .tables import redact_bins, redact_column, redact_rug
from .views import Views

LEFT_OUT = {
    "slices": "left out of the public edition: parts of the rows overlap, so that their counts would tell of few people"
}
"""Sections that everybody's edition does not have, and why."""
FEW_ROWS = "left out of the public edition: it rests on fewer than 5 people, or would tell of so few"
_COUNTS_PEOPLE = (
    "rows", "rows_of", "label_known", "label_positive", "searched", "background_rows", "attacked_rows", "baseline_rows",
    "later_rows", "found_on", "tested_on",
)  # fmt: skip
"""Fields of a section that count people."""


def redact_section(name: str, section: Section | NotDone, evidence: Evidence, views: Views) -> Section | NotDone:
    """Return a section for everybody.

    Parameters
    ----------
    name : str
        Its name in the evidence.
    section : Section or NotDone
        As measured.
    evidence : Evidence
        The whole, internal evidence.
    views : Views
        What may be told of whom.
    """
    if isinstance(section, NotDone):
        return section
    if name in LEFT_OUT or not _tells_enough(section):
        return NotDone(not_done=LEFT_OUT.get(name, FEW_ROWS))
    changed: dict[str, Any] = {"seconds": None}
    if measurements := tuple(section.each_measurement()):
        changed["measurements"] = redact_measurements(measurements, views, positives=_positives(evidence))
    made = section.model_copy(update=changed)
    return SECTIONS[name](made, evidence, views) if name in SECTIONS else made


def _tells_enough(section: Section) -> bool:
    counts = [
        getattr(section, name, None) for name in _COUNTS_PEOPLE if name != "searched" or hasattr(section, "rows_of")
    ]
    known = isinstance(section, Data) and (
        section.rows - section.label_known,
        section.label_known - section.label_positive,
    )
    return not any(is_small(count) for count in (*counts, *(known or ())))


def _positives(evidence: Evidence) -> int | None:
    return evidence.data.label_positive if isinstance(evidence.data, Data) else None


def _redact_intake(section: Any, evidence: Evidence, views: Views) -> Section:
    stored = section.stored
    if stored is not None:
        counts = (stored.rows, stored.missing, stored.differing, stored.rows - stored.differing)
        stored = None if any(map(is_small, counts)) else stored.model_copy(update={"by_group": ()})
    return section.model_copy(update={"file": "model" if section.file else "", "stored": stored, "vetted": ()})  # type: ignore[no-any-return]


def _redact_data(section: Any, evidence: Evidence, views: Views) -> Section:
    grouped = {one.column for one in evidence.subject.attributes if not views.shows_all(one.name, "size")}
    columns = [redact_column(one, section.rows, by_group=one.name in grouped) for one in section.columns]
    return section.model_copy(  # type: ignore[no-any-return]
        update={
            "columns": tuple(one for one in columns if one is not None),
            "groups": _shown_groups(section.groups, views),
            "reading": (),
        }
    )


def _shown_groups(groups: tuple[Group, ...], views: Views) -> tuple[Group, ...]:
    return tuple(one for one in groups if views.shows(one.scope.items(), "size"))


def _redact_fairness(section: Any, evidence: Evidence, views: Views) -> Section:
    tables = tuple(
        table.model_copy(
            update={
                "cells": tuple(
                    c for c in table.cells if views.shows(zip(table.attributes, c.values, strict=True), "full")
                )
            }
        )
        for table in section.tables
    )
    safe = all(views.shows_all(table.name, "full") for table in section.tables)
    return section.model_copy(  # type: ignore[no-any-return]
        update={
            "groups": _shown_groups(section.groups, views),
            "tables": tuple(table for table in tables if table.cells),
            "outcome_tables": tuple(
                table for table in section.outcome_tables if " * ".join(table.attributes) in views.outcomes
            ),
            "strata": (),
            "sweeps": (),
            "literal": section.literal if safe else (),
            "measurements": tuple(
                one
                for one in section.measurements
                if not one.group or views.shows(one.group.items(), "size") or not is_withheld(one.estimate)
            ),
        }
    )


def _redact_calibration(section: Any, evidence: Evidence, views: Views) -> Section:
    return section.model_copy(update={"bins": redact_bins(section.bins)})  # type: ignore[no-any-return]


def _redact_fidelity(section: Any, evidence: Evidence, views: Views) -> Section:
    return section.model_copy(update={"departures": ()})  # type: ignore[no-any-return]


def _redact_effects(section: Any, evidence: Evidence, views: Views) -> Section:
    near = tuple(one for one in section.disagreements if one.rows_share * section.rows >= SMALLEST)
    rugs = tuple(redact_rug(one, section.rows) for one in section.rugs)
    return section.model_copy(update={"rugs": rugs, "disagreements": near})  # type: ignore[no-any-return]


def _redact_attributions(section: Any, evidence: Evidence, views: Views) -> Section:
    return section.model_copy(update={"methods": tuple(map(_redact_explainer, section.methods))})  # type: ignore[no-any-return]


def _redact_explainer(one: Explainer) -> Explainer:
    complete = one.completeness
    if is_small(one.unfinished) or is_small(one.rows) or (complete is not None and tells_few(complete)):
        return Explainer(method=one.method, software=one.software, not_done=FEW_ROWS)
    return one


def _redact_decisions(section: Any, evidence: Evidence, views: Views) -> Section:
    return section.model_copy(update={"named": 0, "named_missing": 0, "individuals": ()})  # type: ignore[no-any-return]


SECTIONS: dict[str, Callable[[Any, Evidence, Views], Section]] = {
    "intake": _redact_intake,
    "data": _redact_data,
    "calibration": _redact_calibration,
    "fairness": _redact_fairness,
    "fidelity": _redact_fidelity,
    "effects": _redact_effects,
    "attributions": _redact_attributions,
    "decisions": _redact_decisions,
}
"""Section to what redacts it beyond its measurements."""
