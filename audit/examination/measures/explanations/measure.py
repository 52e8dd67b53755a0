"""The section on the quality of explanations: each test a part that may fail without the others.

Comes in: the case. Goes out: `Explanations`, with numbers by method, or the reason why nothing could be explained.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING

from audit.errors import AuditError
from audit.evidence import Explanations, Measurement, MethodTested, NotDone
from audit.examination.measures.deadline import Deadline

from .agreement import measure_agreement, measure_expected
from .definitions import DEFINITIONS
from .faithfulness import REPLACEMENTS, measure_completeness, measure_order
from .panel import GRADIENTS, SHAPLEY, Panel, draw_panel
from .randomisation import TITLE, measure_randomisation
from .stability import measure_seeds, measure_sensitivity

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

__all__ = ["DEFINITIONS", "PARTS", "measure_explanations"]

_LOG = logging.getLogger(__name__)

PARTS: dict[str, Callable[[Panel], Iterable[Measurement]]] = {
    "Sums that add up": measure_completeness,
    "Deletion and insertion": measure_order,
    "Stability over seeds": measure_seeds,
    "Small changes of the input": measure_sensitivity,
    "Agreement of the methods": measure_agreement,
    "Expected directions": measure_expected,
    TITLE: measure_randomisation,
}
"""Part of the section to what measures it, in the order of the report."""


def measure_explanations(case: Case) -> Explanations | NotDone:
    """Test explanations of the black box's scores.

    Parameters
    ----------
    case : Case
        The case.
    """
    begun, deadline = perf_counter(), Deadline(case.config.effort)
    panel = draw_panel(case)
    if isinstance(panel, NotDone):
        return panel
    measurements, broken = list[Measurement](), list[str]()
    for name, measure in PARTS.items():
        if late := deadline.reason:
            panel.not_done[name] = late
            continue
        try:
            measurements += measure(panel)
        except MemoryError:
            raise
        except AuditError as error:
            panel.not_done[name] = str(error)
        except Exception as error:  # one test that breaks must not take the others with it
            _LOG.exception("the part %s broke", name)
            broken.append(f"{name}: {type(error).__name__}: {error}")
    return Explanations(
        rows=len(panel.rows),
        rows_of=len(case.frame),
        drawn=panel.drawn,
        background_rows=len(panel.background),
        replacements=min(REPLACEMENTS, len(panel.background)),
        methods=tuple(_describe(panel)),
        parts_not_done=panel.not_done,
        measurements=tuple(measurements),
        notes=tuple(_list_notes(panel)),
        broken_parts=tuple(broken),
        seconds=round(perf_counter() - begun, 3),
    )


def _describe(panel: Panel) -> Iterable[MethodTested]:
    if panel.gradients is not None:
        yield MethodTested(
            name=GRADIENTS,
            reference="a row of typical values (medians, most frequent levels)",
            evaluations=panel.gradients.evaluations,
        )
    if panel.halves is not None:
        yield MethodTested(
            name=SHAPLEY,
            reference=f"the mean over {len(panel.background)} rows drawn at random",
            evaluations=sum(half.evaluations for half in panel.halves),
        )
    for name in panel.surrogates:
        reference = f"the mean over {len(panel.background)} rows drawn at random"
        yield MethodTested(name=name, reference=reference, evaluations=0)


def _list_notes(panel: Panel) -> Iterable[str]:
    if panel.gradients is not None and panel.halves is not None:
        yield (
            "Gradients are measured from a typical row and Shapley values from the mean of other people: they answer "
            "two questions, so that agreement below 1 is no error of either."
        )
    if panel.gradients is not None and not panel.gradients.holds:
        yield (
            f"Integrated gradients miss the score in {panel.gradients.unfinished:,} of {len(panel.rows):,} rows: "
            "something in the net does not move with its inputs. Shapley values are to be preferred."
        )
