"""The robustness section: noise, gaps, deliberate changes, people near the cut, conformal sets.

Comes in: the case. Goes out: `Robustness`. A part that cannot be carried out says why and takes no other with it; where
none can, the section is not done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from audit.evidence import Conformal, Definition, Measurement, MovedFeature, NotDone, Robustness
from audit.examination.measures import conformal
from audit.examination.measures.deadline import Deadline
from audit.examination.measures.labels import doubt_measurements, find_selective

from .attack import STEPS, choose_attacked, measure_attack
from .gaps import measure_missing
from .margin import measure_margin
from .noise import SIZES, measure_noise
from .probe import Bounds, Probe, draw_probe

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

_SIZE = "The size is in standard deviations of each feature; no value leaves the range of the data"
_SEARCH = (
    "The search follows the gradient (projected gradient ascent) or, without gradients, tries random corners: what it "
    "does not find may still exist, so the number is a lower bound"
)

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="robustness.noise_flip_rate",
        title="Decisions that noise flips",
        formula=f"rows whose decision changes when Gaussian noise is added to every number / rows. {_SIZE}",
        unit="share",
        better="lower",
        source="elementary; interval: Wilson (1927)",
    ),
    Definition(
        id="robustness.noise_flip_gap",
        title="Largest difference of flips by noise between two groups",
        formula="largest difference of the share of decisions that noise flips, over all pairs of groups",
        unit="share",
        better="lower",
        source="Newcombe (1998), simultaneous over all pairs",
    ),
    Definition(
        id="robustness.noise_drop",
        title="Performance lost to noise",
        formula="AUC as it is - AUC with noise on every number; for a value root mean squared error with noise - as it "
        f"is. {_SIZE}",
        better="lower",
        source="paired on the same rows: DeLong and others (1988); delta method for a value",
    ),
    Definition(
        id="robustness.noise_score_change",
        title="Change of the score by noise",
        formula="mean absolute change of the score in standard deviations of the score",
        unit="sd",
        better="lower",
        source="elementary; Student's interval",
    ),
    Definition(
        id="robustness.missing_flip_rate",
        title="Decisions that a missing value flips",
        formula="rows whose decision changes when this feature is left empty / rows",
        unit="share",
        better="lower",
        source="elementary; interval: Wilson (1927)",
    ),
    Definition(
        id="robustness.missing_drop",
        title="Performance lost to a missing value",
        formula="AUC as it is - AUC with this feature left empty; for a value root mean squared error without it - as "
        "it is",
        better="lower",
        source="paired on the same rows: DeLong and others (1988); delta method for a value",
    ),
    Definition(
        id="robustness.attack_flip_rate",
        title="Decisions that a small deliberate change flips",
        formula=f"rows for which a change of the numbers within the size turns the decision / rows. {_SIZE}. {_SEARCH}",
        unit="share",
        better="lower",
        source="Madry and others (2018); interval: Wilson (1927)",
    ),
    Definition(
        id="robustness.attack_flip_gap",
        title="Largest difference of deliberate flips between two groups",
        formula="largest difference of the share of decisions that a small deliberate change flips, over all pairs of "
        "groups",
        unit="share",
        better="lower",
        source="Newcombe (1998), simultaneous over all pairs",
    ),
    Definition(
        id="robustness.attack_score_change",
        title="Change of the score by deliberate change",
        formula="mean absolute change of the score that the search found, in standard deviations of the score; where "
        "there is a decision the search of a row ends once it turned",
        unit="sd",
        better="lower",
        source="Madry and others (2018); Student's interval",
    ),
    Definition(
        id="robustness.near_cut_share",
        title="People near the cut",
        formula="people whose score lies within the distance of the cut / people with a score",
        unit="share",
        better="none",
        source="elementary; interval: Wilson (1927)",
    ),
    *conformal.DEFINITIONS,
)


@dataclass(slots=True)
class Gathered:
    """What the parts found so far."""

    measurements: list[Measurement] = field(default_factory=list)
    not_done: dict[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    attack: Literal["", "gradients", "random directions"] = ""
    attacked: Bounds | None = None
    conformal: Conformal | None = None


def measure_robustness(case: Case) -> Robustness | NotDone:
    """Measure what small changes do to scores and decisions.

    Parameters
    ----------
    case : Case
        The case.
    """
    begun, found, deadline = perf_counter(), Gathered(), Deadline(case.config.effort)
    features = sum(1 for item in case.subject.features if case.blackbox and item.name in case.blackbox.columns)
    probe = draw_probe(case, 2 + features + len(SIZES) * (1 + 2 * STEPS))
    if isinstance(probe, NotDone):
        found.not_done["Small changes of the inputs"] = probe.not_done
    else:
        _ask_again(probe, found, deadline)
    _add_margin(case, found)
    _add_conformal(case, found)
    if not found.measurements:
        return NotDone(not_done="; ".join(dict.fromkeys(found.not_done.values())))
    asked = None if isinstance(probe, NotDone) else probe
    return Robustness(
        rows=len(asked.rows) if asked else 0,
        rows_of=len(case.frame),
        drawn=asked.drawn if asked else "",
        attacked_rows=len(asked.rows) if asked and found.attack else 0,
        attack=found.attack,
        evaluations=asked.ask.asked if asked else 0,
        sizes=SIZES if asked else (),
        features=_list_features(asked, found.attacked) if asked else (),
        refuses_missing=found.refused,
        conformal=found.conformal,
        parts_not_done=found.not_done,
        measurements=tuple(found.measurements),
        notes=tuple(_list_notes(case, found)),
        seconds=round(perf_counter() - begun, 3),
    )


def _ask_again(probe: Probe, found: Gathered, deadline: Deadline) -> None:
    if not probe.decides:
        found.not_done["Flipped decisions"] = "no decision follows from the score, so none can flip"
    selective = find_selective(probe.case)
    if not probe.bounds.names:
        found.not_done["Noise and deliberate changes"] = "the model reads no number that varies"
    else:
        found.measurements += _doubt_drops(list(measure_noise(probe)), selective)
        _attack(probe, found, deadline)
    if late := deadline.reason:
        found.not_done["Missing inputs"] = late
        return
    missing, found.refused = measure_missing(probe)
    found.measurements += _doubt_drops(missing, selective)
    if not missing:
        found.not_done["Missing inputs"] = "the model does not accept a missing value in any feature"


def _doubt_drops(measurements: list[Measurement], selective: str) -> list[Measurement]:
    """Let no verdict rest on labels that are selective; decisions need no labels."""
    return [
        doubt_measurements([item], selective)[0] if item.metric.endswith("_drop") else item for item in measurements
    ]


def _attack(probe: Probe, found: Gathered, deadline: Deadline) -> None:
    bounds = choose_attacked(probe)
    if late := deadline.reason:
        found.not_done["Deliberate changes"] = late
        return
    if not bounds.names:
        found.not_done["Deliberate changes"] = "no feature that is declared mutable is a number"
        return
    measured, found.attack = measure_attack(probe, bounds)
    found.attacked = bounds
    found.measurements += measured


def _add_margin(case: Case, found: Gathered) -> None:
    margin = measure_margin(case)
    if isinstance(margin, NotDone):
        found.not_done["People near the cut"] = margin.not_done
    else:
        found.measurements += margin


def _add_conformal(case: Case, found: Gathered) -> None:
    made = conformal.measure_conformal(case)
    if isinstance(made, NotDone):
        found.not_done["Conformal sets"] = made.not_done
    else:
        measured, found.conformal = made
        found.measurements += measured


def _list_features(probe: Probe, attacked: Bounds | None) -> tuple[MovedFeature, ...]:
    names = set(attacked.names) if attacked else set()
    return tuple(
        MovedFeature(feature=name, deviation=float(deviation), attacked=name in names)
        for name, deviation in zip(probe.bounds.names, probe.bounds.deviation, strict=True)
    )


def _list_notes(case: Case, found: Gathered) -> list[str]:
    notes = []
    if found.attack == "random directions":
        notes.append(
            "the model gives no gradients that reach its columns, so deliberate changes were searched at random: their "
            "flip rates are lower bounds, and loose ones"
        )
    if found.conformal and (selective := find_selective(case)):
        notes.append(f"{selective}; no verdict rests on conformal coverage or on drops of performance")
    if case.sampled and found.conformal:
        notes.append(f"conformal sets: {case.sampled}")
    return notes
