"""Flips as rates: overall, by group, and the worst difference of two groups.

Comes in: which rows flipped and which gave an answer at all. Goes out: measurements with Wilson's interval; rows
without an answer bound the rate, and the note says how far.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, Measurement, undefined
from audit.examination.data.groups import UNKNOWN, order_groups
from audit.examination.measures.prediction import share_estimate
from audit.statistics.bounds import worst_difference

if TYPE_CHECKING:
    from .probe import Probe

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Flips:
    """Which decisions changed.

    Parameters
    ----------
    flipped : ndarray of bool, shape [m]
        Another decision than before.
    known : ndarray of bool, shape [m]
        Rows that the model answered after the change.
    """

    flipped: Flags
    known: Flags


def rate_of(flips: Flips, inside: Flags) -> Estimate:
    """Return the share of the rows inside that flipped.

    Parameters
    ----------
    flips : Flips
        All rows.
    inside : ndarray of bool, shape [m]
        Which of them.
    """
    n, lost = int((flips.known & inside).sum()), int((~flips.known & inside).sum())
    if n == 0:
        return undefined("the model gave no score for any of these rows once they were changed", n=0)
    count = int((flips.flipped & flips.known & inside).sum())
    estimate = share_estimate(count, n)
    if not lost:
        return estimate
    note = (
        f"{lost:,} of {n + lost:,} changed rows got no score; were they counted, the rate would lie between "
        f"{count / (n + lost):.3g} and {(count + lost) / (n + lost):.3g}"
    )
    return estimate.model_copy(update={"note": note, "assessable": lost <= 0.05 * (n + lost)})


def list_groups(probe: Probe) -> Iterator[tuple[str, list[tuple[str, Flags, str]]]]:
    """Yield each attribute with its groups: name, rows of the probe, and why no verdict may rest on it.

    Parameters
    ----------
    probe : Probe
        Its case knows the groups.
    """
    least = probe.case.subject.small_count
    for name, values in probe.case.groups.items():
        here = values[probe.rows].astype(str)
        found = []
        for group in order_groups(here.tolist()):
            inside = np.asarray(here == group)
            n = int(inside.sum())
            why = f"{n} people, fewer than {least}: shown, not judged" if n < least else ""
            found.append((group, inside, why))
        yield name, found


def measure_flips(probe: Probe, flips: Flips, metric: str, gap: str, size: str) -> Iterator[Measurement]:
    """Yield the flip rate of all rows, of every group, and the largest difference of two groups.

    Parameters
    ----------
    probe : Probe
        Rows and groups.
    flips : Flips
        What changed.
    metric, gap : str
        Metric of the rate and of the difference.
    size : str
        Size of the change, ``0.1 sd``.
    """
    everybody = np.ones(flips.known.size, dtype=bool)
    yield Measurement(metric=metric, estimate=rate_of(flips, everybody), outcome=size)
    for name, groups in list_groups(probe):
        for group, inside, why in groups:
            estimate = rate_of(flips, inside)
            if why and estimate.value is not None:
                note = "; ".join(filter(None, (why, estimate.note)))
                estimate = estimate.model_copy(update={"note": note, "assessable": False})
            yield Measurement(metric=metric, estimate=estimate, group={name: group}, outcome=size)
        judged = [(group, inside) for group, inside, why in groups if not why and group != UNKNOWN]
        yield Measurement(metric=gap, estimate=_largest_gap(flips, judged), attribute=name, outcome=size)


def _largest_gap(flips: Flips, groups: list[tuple[str, Flags]]) -> Estimate:
    counts = [
        (int((flips.flipped & flips.known & inside).sum()), int((flips.known & inside).sum())) for _, inside in groups
    ]
    envelope = worst_difference(counts)
    if not envelope.pairs:
        return undefined("fewer than two groups are large enough to compare")
    behind, ahead = (groups[place][0] for place in envelope.worst)
    return Estimate(
        value=envelope.value,
        low=min(envelope.low, envelope.value),
        high=max(envelope.high, envelope.value),
        n=sum(n for _, n in counts),
        method="envelope of Newcombe intervals"
        + (f", simultaneous over {envelope.pairs} pairs" if envelope.pairs > 1 else ""),
        note=f"{ahead} changes more often than {behind}" if envelope.value else "",
    )
