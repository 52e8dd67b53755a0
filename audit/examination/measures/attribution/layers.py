"""What single layers of a net give, where the configuration asks for them by name.

Comes in: the case and the rows that are explained. Goes out: per layer how many of its units ever answer, and the units
that rise and fall most with the score. Whole rows of activations are nowhere kept: they can tell who a row is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audit.evidence import LayerActivity, NotDone, UnitActivity

from .captum_methods import activate_layer
from .sample import Plan

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

    from .attribution import Floats

MOST_UNITS = 5
"""Units named per layer."""


def measure_layers(case: Case, plan: Plan) -> tuple[LayerActivity, ...]:
    """Measure the layers that ``explain.layers`` names, in its order.

    Parameters
    ----------
    case : Case
        Its model and configuration.
    plan : Plan
        The rows that are explained.
    """
    order = case.config.explain
    if order is None or not order.layers or case.blackbox is None:
        return ()
    link = case.blackbox.link(plan.people)
    return tuple(_describe(name, activate_layer(case.blackbox, plan.people, name), link) for name in order.layers)


def _describe(name: str, found: Floats | NotDone, link: Floats) -> LayerActivity:
    if isinstance(found, NotDone):
        return LayerActivity(layer=name, not_done=found.not_done)
    units = found.reshape(len(found), -1)
    if not len(units) or not np.isfinite(units).all():
        return LayerActivity(layer=name, not_done="it gives no finite number for some of the rows")
    spread = units.std(axis=0)
    still = spread <= 1e-12 * (1.0 + np.abs(units).max(axis=0))
    related = _correlate(units, link)
    order = np.argsort(-np.abs(np.where(still, 0.0, related)), kind="stable")[:MOST_UNITS]
    return LayerActivity(
        layer=name,
        rows=len(units),
        units=units.shape[1],
        silent=int(still.sum()),
        zero_share=float((units == 0).mean()),
        strongest=tuple(
            UnitActivity(
                unit=int(place),
                mean=float(units[:, place].mean()),
                deviation=float(spread[place]),
                correlation=float(related[place]),
            )
            for place in order.tolist()
            if not still[place]
        ),
    )


def _correlate(units: Floats, link: Floats) -> Floats:
    """Return Spearman's correlation of every unit with the link, shape [units]; 0 where either does not vary."""
    from scipy.stats import rankdata

    ranks, scores = rankdata(units, axis=0), rankdata(link)
    ranks, scores = ranks - ranks.mean(axis=0), scores - scores.mean()
    size = np.sqrt((ranks**2).sum(axis=0) * (scores**2).sum())
    return np.asarray(np.divide(scores @ ranks, size, out=np.zeros(units.shape[1]), where=size > 0))
