"""The black box's partial dependence on one feature, shown beside its accumulated local effect.

Comes in: a black box that answers on the link scale, a sample of rows, the feature's axis. Goes out: the mean score
with the feature set to each position for every asked row, on the axis and the centring of the accumulated effect.
Setting one feature alone makes rows that may not exist where features move together; so nothing is compared with it.
"""

from __future__ import annotations

from dataclasses import replace

from .ale import Link, OwnEffect, Sample, ask_everywhere
from .axis import Axis


def measure_partial_dependence(
    link: Link, axis: Axis, sample: Sample, own: OwnEffect, most_questions: int
) -> OwnEffect | None:
    """Return the black box's partial dependence on a number.

    Parameters
    ----------
    link : callable
        Frame to link scores, shape [rows].
    axis : Axis
        Positions and shares.
    sample : Sample
        Rows to ask about.
    own : OwnEffect
        The accumulated effect on the same axis.
    most_questions : int
        Most questions; fewer rows are asked where there are many positions, at least 50.

    Returns
    -------
    OwnEffect or None
        None for a feature with levels, whose own effect is its partial dependence already, and for a single position.

    Notes
    -----
    Friedman (2001), Annals of Statistics 29:1189, equation 52.
    """
    if axis.kind != "numeric" or axis.grid.size < 2:
        return None
    mean, half, rows = ask_everywhere(link, axis, replace(sample, most_questions=most_questions))
    # both curves have the same mean over the rows where the feature is known
    shift = float(axis.share @ (mean - own.y)) / max(float(axis.share.sum()), 1e-300)
    return OwnEffect(mean - shift, half, None, rows)
