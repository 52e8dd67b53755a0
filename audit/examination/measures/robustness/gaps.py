"""One input after the other left empty: what the model makes of a value that is not there.

Comes in: a probe. Goes out: flip rate and drop of performance by feature. A feature that the model refuses to take as
missing is named, and nothing is measured for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Measurement

from .noise import compare, measure_drop
from .probe import Answer, Probe
from .rates import rate_of

if TYPE_CHECKING:
    import pandas as pd

TRIAL = 8


def measure_missing(probe: Probe) -> tuple[list[Measurement], tuple[str, ...]]:
    """Leave out each feature in turn.

    Parameters
    ----------
    probe : Probe
        The rows.

    Returns
    -------
    list of Measurement
        By feature that the model accepts as missing.
    tuple of str
        Features that it does not.
    """
    read = set(probe.case.blackbox.columns) if probe.case.blackbox is not None else set[str]()
    found, refused = list[Measurement](), list[str]()
    for name in (feature.name for feature in probe.case.subject.features if feature.name in read):
        column = probe.people[name]
        if column.isna().all():
            continue
        if not probe.ask(empty_column(probe.people.iloc[:TRIAL], name)).known.any():
            refused.append(name)
            continue
        found += _measure_feature(probe, name, probe.ask(empty_column(probe.people, name)))
    return found, tuple(refused)


def _measure_feature(probe: Probe, name: str, answer: Answer) -> list[Measurement]:
    found = []
    if (flips := compare(probe, answer)) is not None:
        everybody: NDArray[Any] = np.ones(flips.known.size, dtype=bool)
        estimate = rate_of(flips, everybody)
        found.append(Measurement(metric="robustness.missing_flip_rate", estimate=estimate, feature=name))
    drop = measure_drop(probe, answer)
    return [*found, Measurement(metric="robustness.missing_drop", estimate=drop, feature=name)]


def empty_column(people: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows with every value of a column missing, its type kept."""
    import pandas as pd

    nothing = np.nan if people[name].dtype.kind == "f" else None
    empty = pd.Series([nothing] * len(people), index=people.index, dtype=people[name].dtype)
    return people.assign(**{name: empty})
