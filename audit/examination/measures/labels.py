"""Whether the labels that are known may stand for those that are not.

Comes in: labels and decisions by row. Goes out: a sentence where labels are selective, and measurements on which then
no verdict may rest. Credit outcomes, known only for granted loans, are the example.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from audit.evidence import Measurement
from audit.statistics.tests import compare_proportions

from .case import Case

GAP = 0.05
CERTAIN = 0.001


def find_selective(case: Case) -> str:
    """Say in words that labels are missing by decision; empty where they are not.

    Parameters
    ----------
    case : Case
        Its labels and decisions.

    Notes
    -----
    Labels are called selective where the share of missing ones differs between the two decisions by more than five
    points and by more than chance (p below .001).
    """
    favourable = case.scores.favourable
    if case.label is None or favourable is None:
        return ""
    missing = ~np.isfinite(case.label)
    granted, refused = int(favourable.sum()), int((~favourable).sum())
    without = int((missing & favourable).sum()), int((missing & ~favourable).sum())
    if not any(without) or min(granted, refused) == 0:
        return ""
    gap = abs(without[0] / granted - without[1] / refused)
    if gap <= GAP or compare_proportions(without[0], granted, without[1], refused).p >= CERTAIN:
        return ""
    return (
        f"selective labels: unknown for {without[0]} of {granted} decided favourably and {without[1]} of {refused} "
        "decided unfavourably"
    )


def doubt_measurements(measurements: Iterable[Measurement], doubt: str) -> tuple[Measurement, ...]:
    """Return the measurements, none of them assessable where there is a doubt.

    Parameters
    ----------
    measurements : iterable of Measurement
        Numbers that rest on labels.
    doubt : str
        Why no verdict may rest on them; empty leaves them as they are.
    """
    if not doubt:
        return tuple(measurements)
    return tuple(
        one.model_copy(
            update={
                "estimate": one.estimate.model_copy(
                    update={"assessable": False, "note": "; ".join(filter(None, (one.estimate.note, doubt)))}
                )
            }
        )
        for one in measurements
    )
