"""How every line of a feature looks: told apart by weight, dash and mark before colour, so that grey print keeps them.

Comes in: a curve. Goes out: its look and its short name; the range that a set of curves needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from audit.evidence import Curve

from ..tongue import tell
from ..words import model_name

PDP = "pdp"
"""Key of the black box's partial dependence, which shares the model with its accumulated local effect."""


BEFORE, AFTER = "before", "after"
"""Keys of one model's shape in two audits."""
_SIDES = {BEFORE: "Before", AFTER: "After"}


@dataclass(frozen=True, slots=True)
class Look:
    """Colour, width, dash and mark of one model's shape."""

    colour: str
    width: float
    dash: str
    mark: str


LOOKS = {
    "black_box": Look("black", 2.4, "", "circle"),
    PDP: Look("soft", 1.3, "1.4 2.4", "circle"),
    "ebm_surrogate": Look("ebm", 1.6, "", "diamond"),
    "net_surrogate": Look("net", 1.7, "6 2.5", "square"),
    "ebm_label": Look("ebm", 1.6, "", "diamond"),
    "net_label": Look("net", 1.7, "6 2.5", "square"),
    BEFORE: Look("line1", 1.7, "6 2.5", "square"),
    AFTER: Look("line0", 2.3, "", "circle"),
}


def key_of(curve: Curve) -> str:
    """Return what a curve is: its model, or ``pdp`` for the black box's partial dependence."""
    return PDP if curve.method == "PDP" else curve.model


def look_of(curve: Curve) -> Look:
    """Return how a curve is drawn."""
    return LOOKS.get(key_of(curve), LOOKS["net_label"])


def short_name(curve: Curve) -> str:
    """Return the name that stands beside a curve."""
    if curve.model in _SIDES:
        return tell(_SIDES[curve.model])
    return "PDP" if key_of(curve) == PDP else model_name(curve.model, short=True).partition(",")[0]


def effect_range(curves: Sequence[Curve], drawn: tuple[float, float] | None = None) -> tuple[float, float]:
    """Return the range of effects of `curves` with 0 and missing in it, bands held to a quarter more, with a margin.

    Parameters
    ----------
    curves : sequence of Curve
        Curves of one figure.
    drawn : (float, float), optional
        Stretch of a number that is drawn; what lies beyond it needs no room.
    """
    values = [y for curve in curves for y in _drawn(curve, curve.y, drawn)] + [0.0]
    values += [curve.missing for curve in curves if curve.missing is not None]
    low, high = min(values), max(values)
    room = max(high - low, 1e-3)
    edges = [edge for curve in curves if curve.band_is_interval for edge in _edges(curve, drawn)]
    low = max(min([low, *edges]), low - room / 4)
    high = min(max([high, *edges]), high + room / 4)
    return low - 0.06 * room, high + 0.06 * room


def _edges(curve: Curve, drawn: tuple[float, float] | None) -> list[float]:
    return [*_drawn(curve, curve.low, drawn), *_drawn(curve, curve.high, drawn)]


def _drawn(curve: Curve, values: Sequence[float], drawn: tuple[float, float] | None) -> list[float]:
    """Return the values at positions that are drawn, with the ends of the lines to the first ones beyond."""
    if drawn is None or not curve.x or not values:
        return list(values)
    low, high = drawn
    kept = [y for x, y in zip(curve.x, values, strict=True) if low <= x <= high]
    for (xa, ya), (xb, yb) in pairwise(zip(curve.x, values, strict=True)):
        kept += [ya + (yb - ya) * (edge - xa) / (xb - xa) for edge in drawn if xa < edge < xb]
    return kept or list(values)
