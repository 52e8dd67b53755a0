"""Every section of the evidence with the function that measures it, and every metric with its definition."""

from __future__ import annotations

import logging
from collections.abc import Callable

from audit.errors import AuditError, TryAgain
from audit.evidence import Definition, NotDone, Section

from . import attributions, calibration, data, fidelity, intake, multiclass, performance, slices
from .case import Case
from .decisions import measure as decisions
from .drift import measure as drift
from .effects import measure as effects
from .explanations import measure as explanations
from .fairness import measure as fairness
from .robustness import measure as robustness

_LOG = logging.getLogger(__name__)

Measure = Callable[[Case], Section | NotDone]


def _put_off(reason: str) -> Measure:
    def measure(case: Case) -> NotDone:
        return NotDone(not_done=reason)

    return measure


MEASURES: dict[str, Measure] = {
    "intake": intake.measure_intake,
    "data": data.measure_data,
    "performance": performance.measure_performance,
    "calibration": calibration.measure_calibration,
    "fairness": fairness.measure_fairness,
    "slices": slices.measure_slices,
    "fidelity": fidelity.measure_fidelity,
    "effects": effects.measure_effects,
    "attributions": attributions.measure_attributions,
    "explanations": explanations.measure_explanations,
    "decisions": decisions.measure_decisions,
    "robustness": robustness.measure_robustness,
    "drift": drift.measure_drift,
}
"""Section name to measure, in the order of the report."""

DEFINITIONS: tuple[Definition, ...] = (
    *data.DEFINITIONS,
    *performance.DEFINITIONS,
    *multiclass.DEFINITIONS,
    *calibration.DEFINITIONS,
    *fairness.DEFINITIONS,
    *slices.DEFINITIONS,
    *fidelity.DEFINITIONS,
    *effects.DEFINITIONS,
    *attributions.DEFINITIONS,
    *explanations.DEFINITIONS,
    *decisions.DEFINITIONS,
    *robustness.DEFINITIONS,
    *drift.DEFINITIONS,
)
"""Every metric that any measure computes."""


def measure_safely(name: str, case: Case) -> Section | NotDone:
    """Run one measure; a part that breaks becomes NotDone with its reason.

    Parameters
    ----------
    name : str
        Section name, a key of `MEASURES`.
    case : Case
        The case.

    Raises
    ------
    TryAgain
        Memory ran out; that is no fault of the part.
    """
    try:
        return MEASURES[name](case)
    except MemoryError:
        raise TryAgain(f"memory ran out while measuring {name}", hint="audit fewer rows, or give it more") from None
    except AuditError as error:
        return NotDone(not_done=str(error), broke=True)
    except Exception as error:  # a part that breaks must not take the report with it
        _LOG.exception("the part %s broke", name)
        return NotDone(not_done=f"this part broke: {type(error).__name__}: {error}", broke=True)


def define_used(sections: dict[str, Section | NotDone]) -> tuple[Definition, ...]:
    """Return the definitions of the metrics that occur in `sections`, in the order of `DEFINITIONS`."""
    used = {
        measurement.metric
        for section in sections.values()
        if isinstance(section, Section)
        for measurement in section.each_measurement()
    }
    known = {definition.id for definition in DEFINITIONS}
    if missing := used - known:
        raise AuditError(f"metrics without a definition: {', '.join(sorted(missing))}")
    return tuple(definition for definition in DEFINITIONS if definition.id in used)
