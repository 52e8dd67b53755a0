"""From one number per row to an estimate: means with Student's interval, shares with Wilson's.

Comes in: values by row, NaN where a row has none. Goes out: an `Estimate` that says how many rows had none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, undefined
from audit.examination.measures.prediction import share_estimate
from audit.statistics import mean_interval

Floats = NDArray[np.float64]

METHOD = "mean over rows, Student's interval"


def mean_over_rows(
    values: Floats, *, least: float = -np.inf, most: float = np.inf, without: str = "", note: str = ""
) -> Estimate:
    """Return a mean over rows.

    Parameters
    ----------
    values : ndarray of float64, shape [n]
        One per row, NaN where there is none.
    least, most : float
        What no such number leaves.
    without : str
        Why rows have none, in words that follow their number.
    note : str
        What else is to be said.
    """
    known = values[np.isfinite(values)]
    lost = len(values) - len(known)
    said = "; ".join(filter(None, (note, f"{lost:,} rows {without or 'have no value'}" if lost else "")))
    if not known.size:
        return undefined(said or "there are no rows", n=0, method=METHOD)
    mean = float(known.mean())
    variance = float(known.var(ddof=1)) if known.size > 1 and known.min() < known.max() else 0.0
    low, high = mean_interval(mean, variance, known.size)
    if not np.isfinite(low):
        why = "no interval: the rows do not vary, or there is one row"
        said = "; ".join(filter(None, (why, said)))
        return Estimate(value=mean, n=known.size, method=METHOD, note=said, assessable=False)
    low, high = float(np.clip(low, least, most)), float(np.clip(high, least, most))
    return Estimate(value=mean, low=low, high=high, n=known.size, method=METHOD, note=said)


def share_of_rows(flags: NDArray[np.bool_], note: str = "") -> Estimate:
    """Return the share of rows for which something holds."""
    estimate = share_estimate(int(flags.sum()), len(flags))
    return estimate.model_copy(update={"note": note}) if note and estimate.value is not None else estimate
