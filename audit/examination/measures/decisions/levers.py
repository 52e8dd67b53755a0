"""What a person can change: the features declared mutable, and the values that may be tried for each.

Comes in: the case. Goes out: one `Lever` per feature: quantiles of what was observed for a number, observed levels for
a category. Nobody is told to become what nobody is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]

GRID = 25
ENDS = (0.01, 0.99)
"""Quantiles of the audited rows that no tried value leaves."""
RARE = 5
"""A level of fewer rows is not tried."""
LEVEL_COST = 1.0
"""What a change of level costs; a number costs its change in standard deviations."""


@dataclass(frozen=True, slots=True, eq=False)
class Lever:
    """A feature that can be changed.

    Parameters
    ----------
    name : str
        Feature.
    values : ndarray, shape [m]
        Values to try: numbers ascending, or levels.
    unit : float
        Standard deviation; 0 for a category.
    whole : bool
        Whether all observed numbers are whole.
    one_way : {"", "increase", "decrease"}
        The only direction in which the number can be changed.
    """

    name: str
    values: NDArray[Any]
    unit: float
    whole: bool
    one_way: Literal["", "increase", "decrease"] = ""

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return self.unit > 0

    def cost(self, own: NDArray[Any], other: NDArray[Any]) -> Floats:
        """Return what it costs to go from one value to another; infinite where there is no way to it.

        There is none from a missing value, nor against the only direction in which a number can be changed.
        """
        if self.is_number:
            change = (other.astype(np.float64) - own.astype(np.float64)) / self.unit
            against = {"increase": change < 0, "decrease": change > 0}.get(self.one_way, False)
            return np.where(np.isfinite(change) & ~np.asarray(against), np.abs(change), np.inf)
        known = np.asarray([value is not None for value in own.ravel().tolist()]).reshape(own.shape)
        return np.where(known, np.where(own == other, 0.0, LEVEL_COST), np.inf)


def find_levers(case: Case) -> tuple[Lever, ...]:
    """Return the declared mutable features that the model reads and that vary.

    Parameters
    ----------
    case : Case
        Rows and declarations.
    """
    columns = set(case.blackbox.columns) if case.blackbox is not None else set[str]()
    found = []
    for feature in case.subject.features:
        if feature.mutable and feature.name in columns:
            column = case.frame[feature.name]
            number = feature.kind == "number"
            lever = _number(feature.name, column, feature.one_way) if number else _category(feature.name, column)
            if len(lever.values) > 1:
                found.append(lever)
    return tuple(found)


def _number(name: str, column: pd.Series, one_way: Literal["", "increase", "decrease"]) -> Lever:
    x = column.to_numpy(dtype=np.float64)
    x = x[np.isfinite(x)]
    if x.size < 2 or x.min() == x.max():
        return Lever(name, np.empty(0), 1.0, whole=False)
    whole = bool((x == np.round(x)).all())
    # a quantile is an observed value, and no unwatched one in between
    values = np.unique(np.quantile(x, np.linspace(*ENDS, GRID), method="nearest"))
    return Lever(name, values, float(x.std(ddof=1)), whole, one_way)


def _category(name: str, column: pd.Series) -> Lever:
    counts = {level: int(n) for level, n in column.value_counts().items() if n >= RARE}
    levels = sorted(counts, key=lambda level: (-counts[level], str(level)))
    values = np.empty(min(len(levels), GRID), dtype=object)
    values[:] = levels[:GRID]
    return Lever(name, values, 0.0, whole=False)
