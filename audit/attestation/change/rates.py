"""Rates as shares of counted cells, by the names that the audit gives them.

Comes in: nothing. Goes out: which cells of label and prediction are numerator and denominator of each rate, and with
which sign a rate is compared with another group's.
"""

from __future__ import annotations

import numpy as np

from audit.statistics.paired import Floats, RateOf

NEGATIVE, POSITIVE, UNLABELLED = 0, 1, 2
"""Places of the label in a table of cells; predictions are 0 (negative) and 1 (positive)."""
Cells = tuple[tuple[int, int], ...]
_ALL: Cells = tuple((label, said) for label in (NEGATIVE, POSITIVE, UNLABELLED) for said in (0, 1))
_LABELLED: Cells = tuple(cell for cell in _ALL if cell[0] != UNLABELLED)
_HIT, _MISS, _ALARM, _REJECT = (POSITIVE, 1), (POSITIVE, 0), (NEGATIVE, 1), (NEGATIVE, 0)

_TABLE: dict[str, tuple[Cells, Cells]] = {
    "true_positive_rate": ((_HIT,), (_HIT, _MISS)),
    "false_negative_rate": ((_MISS,), (_HIT, _MISS)),
    "false_positive_rate": ((_ALARM,), (_ALARM, _REJECT)),
    "true_negative_rate": ((_REJECT,), (_ALARM, _REJECT)),
    "precision": ((_HIT,), (_HIT, _ALARM)),
    "false_discovery_rate": ((_ALARM,), (_HIT, _ALARM)),
    "negative_predictive_value": ((_REJECT,), (_REJECT, _MISS)),
    "false_omission_rate": ((_MISS,), (_REJECT, _MISS)),
    "accuracy": ((_HIT, _REJECT), _LABELLED),
    "error_rate": ((_MISS, _ALARM), _LABELLED),
}
LOWEST_IS_BEST = frozenset(
    {"error_rate", "false_positive_rate", "false_negative_rate", "false_omission_rate", "false_discovery_rate"}
)
"""Rates that are compared with the lowest one."""


def find_rate(name: str, *, positive_is_favourable: bool) -> RateOf | None:
    """Return the cells of a rate; None where it is none of label and decision.

    Parameters
    ----------
    name : str
        Metric id without its section.
    positive_is_favourable : bool
        Whether predicting the positive class is the favourable decision.
    """
    if name == "selection_rate":
        said = int(positive_is_favourable)
        return RateOf(_mask(tuple(cell for cell in _ALL if cell[1] == said)), _mask(_ALL))
    cells = _TABLE.get(name)
    return RateOf(_mask(cells[0]), _mask(cells[1])) if cells else None


def split_comparison(name: str) -> tuple[str, str]:
    """Return the rate that a comparison compares and how: ``ratio``, ``ahead`` (own minus other), ``behind``, or "".

    Examples
    --------
    >>> split_comparison("selection_rate_ratio"), split_comparison("error_rate_difference")
    (('selection_rate', 'ratio'), ('error_rate', 'ahead'))
    """
    if name.endswith("_ratio"):
        return name.removesuffix("_ratio"), "ratio"
    if name.endswith("_difference"):
        rate = name.removesuffix("_difference")
        return rate, "ahead" if rate in LOWEST_IS_BEST else "behind"
    return name, ""


def _mask(cells: Cells) -> Floats:
    mask = np.zeros((3, 2))
    for label, said in cells:
        mask[label, said] = 1.0
    return mask
