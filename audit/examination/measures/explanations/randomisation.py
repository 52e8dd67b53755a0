"""Whether explanations come from the weights: a net of shuffled weights must be explained otherwise.

Comes in: a panel. Goes out: the rank correlation of attributions before and after the weights were shuffled, and the
floor that it is held against: attributions multiply a sensitivity by the distance from the reference, and that distance
does not change with the weights. Adebayo and others (2018), Sanity Checks for Saliency Maps.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Measurement
from audit.examination.blackbox.shuffle import find_weights, shuffle_weights

from .numbers import mean_over_rows
from .panel import GRADIENTS, SHAPLEY, Panel, explain_by_gradients, explain_by_shapley
from .ranks import correlate_ranks
from .stability import ALL_EQUAL

Floats = NDArray[np.float64]

DRAWS = 5
TITLE = "Randomisation of the weights"


def measure_randomisation(panel: Panel) -> Iterator[Measurement]:
    """Yield how far explanations survive the shuffling of the weights, and the floor.

    Parameters
    ----------
    panel : Panel
        Rows and explanations.
    """
    weights = find_weights(panel.case.blackbox)
    if not weights:
        panel.not_done[TITLE] = "the weights of this format cannot be reached, so they cannot be shuffled"
        return
    name = GRADIENTS if panel.gradients is not None else SHAPLEY
    own = np.abs(panel.methods[name])
    rng = panel.case.rng("explanations: shuffled weights")
    kept = list[Floats]()
    for _ in range(DRAWS):
        with shuffle_weights(weights, rng):
            if np.allclose(panel.ask(panel.people), panel.link, rtol=1e-6, atol=1e-6 * panel.deviation):
                break
            again = _explain(panel, name)
        if again is not None:
            kept.append(correlate_ranks(own, np.abs(again)))
    if not kept:
        panel.not_done[TITLE] = "shuffling the weights that can be reached does not change the score"
        return
    with np.errstate(invalid="ignore"):
        correlation = np.where(np.isfinite(kept).any(axis=0), np.nansum(kept, axis=0), np.nan) / np.maximum(
            np.isfinite(kept).sum(axis=0), 1
        )
    floor = correlate_ranks(own, measure_distance(panel, name))
    note = f"mean of {len(kept)} shufflings of all weights"
    rows = {
        "randomisation_correlation": mean_over_rows(correlation, least=-1, most=1, without=ALL_EQUAL, note=note),
        "randomisation_floor": mean_over_rows(floor, least=-1, most=1, without=ALL_EQUAL),
        "randomisation_excess": mean_over_rows(correlation - floor, least=-2, most=2, without=ALL_EQUAL, note=note),
    }
    for metric, estimate in rows.items():
        yield Measurement(metric=f"explanations.{metric}", estimate=estimate, outcome=name)


def measure_distance(panel: Panel, name: str) -> Floats:
    """Return how far each value lies from the reference, in standard deviations of the column; shape ``[n, columns]``.

    Parameters
    ----------
    panel : Panel
        Rows, typical row and background.
    name : str
        Method, whose reference it is. A level is at distance 1 from another, before it is divided.
    """
    found = np.zeros((len(panel.people), len(panel.columns)))
    kinds = {feature.name: feature.kind for feature in panel.case.subject.features}
    for place, column in enumerate(panel.columns):
        own, usual = panel.people[column].to_numpy(), panel.background[column].to_numpy()
        typical = panel.typical[column].iloc[0]
        if kinds.get(column) == "number":
            values = own.astype(np.float64)
            centre = float(typical) if name == GRADIENTS else float(np.nanmean(usual.astype(np.float64)))
            distance = np.nan_to_num(np.abs(values - centre))
        else:
            other = [typical] if name == GRADIENTS else usual.tolist()
            distance = np.asarray([np.mean([value != level for level in other]) for value in own.tolist()])
        unit = float(distance.std())
        found[:, place] = distance / unit if unit > 0 else 0.0
    return found


def _explain(panel: Panel, name: str) -> Floats | None:
    if name == GRADIENTS:
        found = explain_by_gradients(panel, panel.people)
        return None if found is None else found.values
    return explain_by_shapley(panel, "shuffled weights", follows=False).values
