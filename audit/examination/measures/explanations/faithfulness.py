"""Whether an explanation tells what the score depends on: sums that add up, and features taken away in its order.

Comes in: a panel. Goes out: completeness of the sums, and the areas under the curves of deletion and insertion beside
those of random orders. A feature is taken away by giving it the values of other people, never zero, because a zero may
be a value that nobody has; Petsiuk, Das and Saenko (2018), Samek and others (2017).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Measurement

from .graft import Graft
from .numbers import mean_over_rows, share_of_rows
from .panel import GRADIENTS, SHAPLEY, Panel

Floats = NDArray[np.float64]

TOLERANCE = 0.01
"""Distance of a sum from its score, in standard deviations of the scores, beyond which it does not add up."""
ROUNDING = 1e-12
"""What the sum of doubles rounds off, in standard deviations of the scores."""
REPLACEMENTS = 16
"""Rows of the background that take a feature's place."""
MOST_STEPS = 20
MOST_ROWS = 150
RANDOM = "random order"


def measure_completeness(panel: Panel) -> Iterator[Measurement]:
    """Yield how far attributions miss the score that they should add up to, by method.

    Parameters
    ----------
    panel : Panel
        Rows and explanations.
    """
    found = dict[str, Floats]()
    if panel.gradients is not None:
        found[GRADIENTS] = panel.gradients.completeness
    if panel.halves is not None:
        found[SHAPLEY] = (panel.halves[0].completeness + panel.halves[1].completeness) / 2
    for name, distance in found.items():
        error = np.where(distance > ROUNDING * panel.deviation, distance, 0.0) / panel.deviation
        yield Measurement(
            metric="explanations.completeness_error", estimate=mean_over_rows(error, least=0.0), outcome=name
        )
        # what float32 rounds off is no error of the method
        beyond = error > TOLERANCE + 1e-5 * (1 + float(np.abs(panel.link).max())) / panel.deviation
        yield Measurement(metric="explanations.incomplete_share", estimate=share_of_rows(beyond), outcome=name)


def measure_order(panel: Panel) -> Iterator[Measurement]:
    """Yield areas of deletion and insertion by method, and how much better than a random order each is.

    Parameters
    ----------
    panel : Panel
        Rows and explanations.
    """
    n = min(len(panel.people), MOST_ROWS)
    graft = Graft(panel.ask, panel.people.iloc[:n], panel.background.iloc[:REPLACEMENTS])
    # towards the side of the row: a feature that speaks for the score of the row comes first
    side = np.where(panel.link[:n] >= graft.away, 1.0, -1.0)
    areas = {
        name: areas_of(graft, values[:n] * side[:, None], side, panel.deviation)
        for name, values in panel.methods.items()
    }
    chance = panel.case.rng("explanations: random order").random((n, len(panel.columns)))
    # an order and its reverse: the mean of the two varies less than that of two drawn apart
    both = [areas_of(graft, values, side, panel.deviation) for values in (chance, -chance)]
    blind = (both[0] + both[1]) / 2
    for place, (name, sign) in enumerate((("deletion", -1.0), ("insertion", 1.0))):
        for method, found in {**areas, RANDOM: blind}.items():
            estimate = mean_over_rows(found[place])
            yield Measurement(metric=f"explanations.{name}_area", estimate=estimate, outcome=method)
        for method, found in areas.items():
            gain = mean_over_rows(sign * (found[place] - blind[place]))
            yield Measurement(metric=f"explanations.{name}_gain", estimate=gain, outcome=method)


def areas_of(graft: Graft, order: Floats, side: Floats, deviation: float) -> Floats:
    """Return the areas under the deletion and the insertion curve of each row, shape ``[2, n]``.

    Parameters
    ----------
    graft : Graft
        Rows and what takes a feature's place.
    order : ndarray of float64, shape [n, columns]
        Features with a larger number come first.
    side : ndarray of float64, shape [n]
        1 where a high score is the row's own side, else -1.
    deviation : float
        Standard deviation of the scores: the unit.

    Notes
    -----
    The curve is the score's distance from the mean of the replacements towards the row's side, in standard deviations
    of the scores; the area is its mean over the steps, from all features its own to none.
    """
    n, width = order.shape
    rank = np.empty((n, width), dtype=np.int64)
    np.put_along_axis(rank, np.argsort(-order, axis=1, kind="stable"), np.arange(width)[None, :], axis=1)
    steps = np.unique(np.linspace(0, width, min(width, MOST_STEPS) + 1).round().astype(np.int64))
    first = rank[:, None, :] < steps[None, :, None]
    curves = [graft.score(taken) for taken in (first, ~first)]
    gaps = [side[:, None] * (curve - graft.away) / deviation for curve in curves]
    return np.stack([np.trapezoid(gap, steps / width, axis=1) for gap in gaps])
