"""Numbers of whole models: how far the contributions of its features repeat each other, and what interactions hold.

Comes in: glass boxes with the audited rows encoded, the black box's own effects and its scores. Goes out: measurements
by model, from at most 20,000 rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from audit.evidence import Estimate, Measurement, undefined
from audit.examination.glassbox.encoder import Floats
from audit.examination.glassbox.glassbox import GlassBox

from .concurvity import interaction_share, measure_concurvity
from .drawn import Shape, place_effect

MOST_ROWS = 20_000


def measure_box(box: GlassBox, encoded: Floats, weights: Floats, order: Sequence[str]) -> list[Measurement]:
    """Return concurvity and interaction share of a glass box.

    Parameters
    ----------
    box : GlassBox
        The glass box.
    encoded : ndarray of float64, shape [n, features]
        Audited rows in its code.
    weights : ndarray of float64, shape [n]
        Row weights.
    order : sequence of str
        Features in the order of the report.
    """
    rows = even_rows(encoded.shape[0])
    some = encoded[rows]
    parts = np.column_stack([term.look_up(some[:, j]) for j, term in enumerate(box.terms)])
    joint = np.zeros(rows.size)
    for pair in box.pairs:
        joint += pair.look_up(some)
    named = {name: parts[:, j] for j, name in enumerate(box.encoder.names)}
    return _measure(box.name, named, joint, weights[rows], order)


def measure_black_box(
    shapes: Sequence[Shape], link: Floats, weights: Floats, order: Sequence[str]
) -> list[Measurement]:
    """Return concurvity and interaction share of the black box, from its own effects.

    Parameters
    ----------
    shapes : sequence of Shape
        Its effects of single features.
    link : ndarray of float64, shape [n]
        Its scores of the audited rows, link scale.
    weights : ndarray of float64, shape [n]
        Row weights.
    order : sequence of str
        Features in the order of the report.

    Notes
    -----
    Accumulated effects of an additive model are exact and add up to its score (Apley and Zhu 2020); what they leave of
    any other model is interaction, and what straight lines between at most 48 positions miss.
    """
    if not shapes:
        return []
    rows = even_rows(link.size)
    named = {shape.axis.feature: place_effect(shape.axis, shape.y, shape.missing, rows) for shape in shapes}
    joint = link[rows] - np.sum(list(named.values()), axis=0)
    return _measure(shapes[0].model, named, joint, weights[rows], order)


def _measure(
    model: str, named: Mapping[str, Floats], joint: Floats, weights: Floats, order: Sequence[str]
) -> list[Measurement]:
    names = [name for name in order if name in named]
    parts, even = np.column_stack([named[name] for name in names]), weights / weights.sum()
    found = [
        Measurement(metric="effects.concurvity", estimate=estimate, feature=name, model=model)
        for name, estimate in zip(names, measure_concurvity(parts, even), strict=True)
    ]
    share = interaction_share(parts, joint, even)
    estimate = (
        undefined("the model gives every row the same score", n=joint.size)
        if share is None
        else Estimate(value=share, n=joint.size, method="means over the rows; describes these rows, no interval")
    )
    return [Measurement(metric="effects.interaction_share", estimate=estimate, model=model), *found]


def even_rows(rows: int, most: int = MOST_ROWS) -> np.ndarray:
    """Return at most `most` places of `rows`, evenly spread, ascending."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).round().astype(np.intp))
