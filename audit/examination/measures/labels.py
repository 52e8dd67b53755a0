"""Whether the labels that are known may stand for those that are not.

Comes in: labels and decisions of all people. Goes out: a sentence where labels are selective, and measurements on which
then no verdict may rest. Credit outcomes, known only for granted loans, are the example.
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
    counted = _count_unlabelled(case)
    if counted is None:
        return ""
    (without, granted), (without_refused, refused) = counted
    if without + without_refused == 0 or min(granted, refused) == 0:
        return ""
    gap = abs(without / granted - without_refused / refused)
    if gap <= GAP or compare_proportions(without, granted, without_refused, refused).p >= CERTAIN:
        return ""
    return (
        f"selective labels: unknown for {without} of {granted} decided favourably and {without_refused} of {refused} "
        "decided unfavourably"
    )


def _count_unlabelled(case: Case) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return people without a label, and people, of each decision; None without labels or decisions."""
    roll = case.roll
    label = roll.label if roll is not None else case.label
    favourable = roll.favourable if roll is not None else case.scores.favourable
    if label is None or favourable is None:
        return None
    count = roll.count if roll is not None else np.ones(len(label), dtype=np.int64)
    missing = ~np.isfinite(label)
    favoured, refused = (
        (int(count[side & missing].sum()), int(count[side].sum())) for side in (favourable, ~favourable)
    )
    return favoured, refused


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
