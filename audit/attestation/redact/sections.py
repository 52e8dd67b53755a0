"""The sections of the evidence as everybody may read them.

Comes in: a section and what may be told of each group. Goes out: the section with its tables, lists and numbers
redacted, or `NotDone` where it rests on a few people. A section of which nothing is said here has its measurements
redacted, and is refused by `find_small_counts` if anything else in it counts a few people.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from audit.evidence import CrossCheck, Data, Evidence, Explainer, Group, Measurement, NotDone
from audit.evidence.base import LEFT_OUT as UNTOLD
from audit.evidence.base import Section

from .cells import SMALLEST, is_small
from .counted import find_small_counts
from .numbers import redact_measurements, tells_few
from .tables import redact_bins, redact_changeable, redact_column, redact_rug
from .texts import NOTE_WITHHELD
from .views import Views

LEFT_OUT = {"slices": f"{UNTOLD}: parts of the rows overlap, so that their counts would tell of few people"}
"""Sections that everybody's edition does not have, and why."""
FEW_ROWS = f"{UNTOLD}: it rests on fewer than 5 people, or would tell of so few"
FEW_WITHOUT = f"{UNTOLD}: fewer than 5 people have no label, and its counts of the labelled would tell how many"
FEW_ALIKE = f"{UNTOLD}: fewer than 5 people have a certain label, and its counts would tell how many"
NOT_SHOWN = (
    "Groups of fewer than 5 people, and others with which those could be computed, are not shown; rules call them "
    "withheld group 1, withheld group 2 and so on."
)
OF_SINGLE_ROWS = ("scale",)
"""Checks of the model's contract of which the detail is the lowest and the highest score: those of two persons."""
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
        return NotDone(not_done=LEFT_OUT.get(name) or _why_few(evidence))
    changed: dict[str, Any] = {"seconds": None}
    if measurements := tuple(section.each_measurement()):
        redacted = redact_measurements(measurements, views, positives=_positives(evidence))
        changed["measurements"] = tuple(one for one in redacted if _names_nobody(one, views))
    made = section.model_copy(update=changed)
    made = SECTIONS[name](made, evidence, views) if name in SECTIONS else made
    rows = next(iter(views.everybody), None)
    return NotDone(not_done=_why_few(evidence)) if find_small_counts(made, rows) else made


def _why_few(evidence: Evidence) -> str:
    """Return why a section cannot be told: mostly because nearly everybody, or nearly nobody, has a label."""
    data = evidence.data
    if isinstance(data, Data) and is_small(data.rows - data.label_known):
        return FEW_WITHOUT
    few = isinstance(data, Data) and (is_small(data.label_positive) or is_small(_negatives(data)))
    return FEW_ALIKE if few else FEW_ROWS


def _negatives(data: Data) -> int:
    return data.label_known - data.label_positive


def _names_nobody(one: Measurement, views: Views) -> bool:
    """Whether a measurement is about no group, or about one of which the size is told."""
    return not one.group or views.shows(one.group.items(), "size")


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
    checks = tuple(
        one.model_copy(update={"detail": NOTE_WITHHELD}) if one.id in OF_SINGLE_ROWS else one for one in section.checks
    )
    named = "model" if section.file else ""
    return section.model_copy(update={"file": named, "stored": stored, "vetted": (), "checks": checks})  # type: ignore[no-any-return]


def _redact_data(section: Any, evidence: Evidence, views: Views) -> Section:
    grouped = _grouped(evidence, views)
    columns = [redact_column(one, section.rows, by_group=one.name in grouped) for one in section.columns]
    return section.model_copy(  # type: ignore[no-any-return]
        update={
            "columns": tuple(one for one in columns if one is not None),
            "groups": _shown_groups(section.groups, views),
            "reading": (),
        }
    )


def _grouped(evidence: Evidence, views: Views) -> set[str]:
    """Return the columns behind protected attributes of which the size of some group is withheld."""
    return {one.column for one in evidence.subject.attributes if not views.shows_all(one.name, "size")}


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
            "notes": _redact_notes(section.notes, views),
            "cross_check": _redact_cross_check(section.cross_check),
        }
    )


def _redact_notes(notes: tuple[str, ...], views: Views) -> tuple[str, ...]:
    """Return notes without those about groups that are not told of; instead, that there are some."""
    kept = tuple(note for note in notes if views.masks.mask_text(note) == note)
    return (*kept, NOT_SHOWN) if any(views.masks.by_attribute.values()) else kept


def _redact_cross_check(check: CrossCheck | None) -> CrossCheck | None:
    """Return the second computation without what it left out: an undefined rate tells that nobody is there."""
    return check and check.model_copy(update={"skipped": ()})


def _redact_calibration(section: Any, evidence: Evidence, views: Views) -> Section:
    return section.model_copy(update={"bins": redact_bins(section.bins)})  # type: ignore[no-any-return]


def _redact_fidelity(section: Any, evidence: Evidence, views: Views) -> Section:
    return section.model_copy(update={"departures": ()})  # type: ignore[no-any-return]


def _redact_effects(section: Any, evidence: Evidence, views: Views) -> Section:
    near = tuple(
        one.model_copy(update={"rows_share": round(one.rows_share, 2)})
        for one in section.disagreements
        if one.rows_share * section.rows >= SMALLEST and one.feature not in _grouped(evidence, views)
    )
    rugs = tuple(
        redact_rug(one, section.rows, by_group=one.feature in _grouped(evidence, views)) for one in section.rugs
    )
    return section.model_copy(update={"rugs": rugs, "disagreements": near})  # type: ignore[no-any-return]


def _redact_attributions(section: Any, evidence: Evidence, views: Views) -> Section:
    return section.model_copy(update={"methods": tuple(map(_redact_explainer, section.methods))})  # type: ignore[no-any-return]


def _redact_explainer(one: Explainer) -> Explainer:
    complete = one.completeness
    if is_small(one.unfinished) or is_small(one.rows) or (complete is not None and tells_few(complete)):
        return Explainer(method=one.method, software=one.software, not_done=FEW_ROWS)
    return one


def _redact_drift(section: Any, evidence: Evidence, views: Views) -> Section:
    """Return drift without the names of files and of levels; how many levels there are would tell of unnamed ones."""
    beside = {name: getattr(section, name).partition(" (")[0] for name in ("baseline", "later")}
    return section.model_copy(update={**beside, "unseen": ()})  # type: ignore[no-any-return]


def _redact_decisions(section: Any, evidence: Evidence, views: Views) -> Section:
    rows = next(iter(views.everybody), 0)
    changeable = tuple(redact_changeable(one, rows) for one in section.changeable)
    left = {"named": 0, "named_missing": 0, "individuals": (), "changeable": changeable}
    return section.model_copy(update=left)  # type: ignore[no-any-return]


SECTIONS: dict[str, Callable[[Any, Evidence, Views], Section]] = {
    "intake": _redact_intake,
    "data": _redact_data,
    "calibration": _redact_calibration,
    "fairness": _redact_fairness,
    "fidelity": _redact_fidelity,
    "effects": _redact_effects,
    "attributions": _redact_attributions,
    "decisions": _redact_decisions,
    "drift": _redact_drift,
}
"""Section to what redacts it beyond its measurements."""
