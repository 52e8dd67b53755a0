"""Shapes before and after: how far each feature's effect moved, and what that did to the decisions that changed.

Comes in: the curves of two audits, and the same people's values of the features. Goes out: distances of shapes, and the
features behind decisions that changed. Both are read from curves of the same kind of model on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Curve, Effects, Estimate, Evidence, Measurement, ShapeMoved, undefined

Floats = NDArray[np.float64]
PREFERRED = ("ebm_surrogate", "net_surrogate", "black_box")
"""Whose curves tell what drives the black box: the first that stands on both sides for every feature."""
DRAWN = ("black_box", "net_surrogate", "ebm_surrogate", "net_label", "ebm_label")
"""Whose curves a report draws: the first that stands on both sides; its earlier curves are kept."""
_SHOWN_ALONE = "PDP"  # a second curve of the black box that no comparison rests on


@dataclass(frozen=True, slots=True, eq=False)
class CurvePair:
    """One feature's effect on both sides, at the same places.

    Parameters
    ----------
    before, after : Curve
        As the audits drew them.
    places : tuple
        Values or levels at which both are known.
    weight : ndarray of float64, shape [m]
        Share of the people near each place, summing to 1.
    first, second : ndarray of float64, shape [m]
        Effect before and after at each place, each with mean 0 over the weights.
    """

    before: Curve
    after: Curve
    places: tuple[float, ...] | tuple[str, ...]
    weight: Floats
    first: Floats
    second: Floats


def find_curves(evidence: Evidence) -> dict[tuple[str, str], Curve]:
    """Return the curve of each feature and model that comparisons rest on."""
    if not isinstance(evidence.effects, Effects):
        return {}
    drawn = (curve for curve in evidence.effects.curves if curve.method != _SHOWN_ALONE)
    return {(curve.feature, curve.model): curve for curve in drawn}


def pair_curves(before: Evidence, after: Evidence) -> dict[tuple[str, str], CurvePair]:
    """Return both sides' curves where a feature has one of the same kind on both."""
    old, new = find_curves(before), find_curves(after)
    near = _weights(after)
    pairs: dict[tuple[str, str], CurvePair] = {}
    for key, curve in new.items():
        earlier = old.get(key)
        if earlier is not None and earlier.kind == curve.kind:
            pair = _pair(earlier, curve, near.get(curve.feature, {}))
            if pair is not None:
                pairs[key] = pair
    return pairs


def _weights(evidence: Evidence) -> dict[str, dict[float | str, float]]:
    """Return the share of people near each value or level of each feature."""
    if not isinstance(evidence.effects, Effects):
        return {}
    found: dict[str, dict[float | str, float]] = {}
    for rug in evidence.effects.rugs:
        places: tuple[float | str, ...] = rug.levels or rug.at
        shares = rug.counts if rug.levels else rug.near
        if len(places) == len(shares):
            found[rug.feature] = dict(zip(places, shares, strict=True))
    return found


def _pair(before: Curve, after: Curve, near: Mapping[float | str, float]) -> CurvePair | None:
    if after.kind == "category":
        places: tuple[float, ...] | tuple[str, ...] = tuple(x for x in after.levels if x in before.levels)
    else:
        low, high = max(before.x[0], after.x[0]), min(before.x[-1], after.x[-1])
        places = tuple(x for x in after.x if low <= x <= high)
    if len(places) < 2:
        return None
    weight = np.array([near.get(place, 0.0) for place in places])
    weight = weight / weight.sum() if weight.sum() > 0 else np.full(len(places), 1 / len(places))
    sides = [read_curve(curve, np.array(places, dtype=object)) for curve in (before, after)]
    centred = [side - float(weight @ side) for side in sides]
    return CurvePair(before, after, places, weight, centred[0], centred[1])


def read_curve(curve: Curve, values: NDArray[np.object_] | Floats) -> Floats:
    """Return a curve's effect at values of the feature; what it does not know is NaN.

    Parameters
    ----------
    curve : Curve
        The effect.
    values : ndarray, shape [n]
        Numbers (NaN where missing) or levels (None where missing).
    """
    gap = np.nan if curve.missing is None else curve.missing
    if curve.kind == "category":
        known = dict(zip(curve.levels, curve.y, strict=True))
        return np.array([gap if value is None else known.get(str(value), np.nan) for value in values], dtype=float)
    numbers = np.array(values, dtype=float)
    return np.where(np.isnan(numbers), gap, np.interp(numbers, curve.x, curve.y))


def compare_shapes(pairs: Mapping[tuple[str, str], CurvePair]) -> tuple[ShapeMoved, ...]:
    """Return how far every shape moved, the largest first."""
    drawn = next((model for model in DRAWN if any(of == model for _, of in pairs)), None)
    moved = [_compare(pair, kept=model == drawn) for (_, model), pair in pairs.items()]
    return tuple(sorted(moved, key=lambda item: -(item.distance.value or 0.0)))


def _compare(pair: CurvePair, *, kept: bool) -> ShapeMoved:
    gap = pair.second - pair.first
    place = int(np.argmax(np.abs(gap)))
    at = pair.places[place]
    return ShapeMoved(
        feature=pair.after.feature,
        model=pair.after.model,
        distance=_distance(pair, gap),
        largest=float(gap[place]),
        at=at if isinstance(at, str) else f"{at:g}",
        beyond_bands=_parts(pair, gap),
        earlier=pair.before if kept else None,
    )


def _distance(pair: CurvePair, gap: Floats) -> Estimate:
    method = "mean absolute difference of the centred effects over the earlier range, weighted by people"
    reach = float(np.ptp(pair.first))
    if reach <= 0:
        return undefined("the earlier effect is flat, so that nothing can be a share of its range", method=method)
    note = "no interval: the curves are shown with their bands"
    return Estimate(value=float(pair.weight @ np.abs(gap)) / reach, n=pair.after.rows, method=method, note=note)


def _parts(pair: CurvePair, gap: Floats) -> bool | None:
    """Return whether the difference is anywhere larger than both bands together (square and add)."""
    arms = []
    for curve in (pair.before, pair.after):
        if not (curve.band_is_interval and curve.low):
            return None
        half = (np.array(curve.high) - np.array(curve.low)) / 2
        band = curve.model_copy(update={"y": tuple(half.tolist()), "missing": None})
        arms.append(read_curve(band, np.array(pair.places, dtype=object)))
    return bool(np.any(np.abs(gap) > np.hypot(arms[0], arms[1])))


def measure_shapes(moved: tuple[ShapeMoved, ...]) -> Iterator[Measurement]:
    """Yield the distance of every shape as a number that a rule may name."""
    for item in moved:
        yield Measurement(
            metric="change.shape_distance", estimate=item.distance, feature=item.feature, model=item.model
        )
