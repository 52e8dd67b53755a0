"""An input of the model that all but repeats a protected attribute whose own column the model does not read.

Comes in: the case. Goes out: the name of the input. Where an age is read, "age band is no input" says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

TWIN = 0.99
"""Share of the people whose group an input must tell to be as good as the attribute itself."""
MOST_PARTS = 64
"""Most parts of a number's range that are looked at."""


def find_twin(case: Case, attribute: str) -> str:
    """Return the input of the model that all but repeats an attribute; empty where there is none.

    Parameters
    ----------
    case : Case
        Rows, groups and the model's inputs.
    attribute : str
        An attribute whose own column is no input, such as bands of an age that is one.

    Notes
    -----
    An input repeats it where the most frequent group at each of its values (of a number: in each of at most 64 parts)
    is the group of at least `TWIN` of the people, and one group alone is not.
    """
    groups, names = np.unique(case.groups[attribute].astype(str), return_inverse=True)
    n = len(names)
    if case.blackbox is None or not n or np.bincount(names).max() >= TWIN * n:
        return ""
    for column in case.blackbox.columns:
        parts = _part(case.frame[column])
        table = np.bincount(parts * len(groups) + names, minlength=(parts.max() + 1) * len(groups))
        if len(table) <= n and table.reshape(-1, len(groups)).max(axis=1).sum() >= TWIN * n:
            return column
    return ""


def _part(values: pd.Series[Any]) -> NDArray[np.int64]:
    """Return the part of its range, or the level, that each value lies in; missing ones are a part of their own."""
    array = values.to_numpy()
    if array.dtype.kind not in "iuf":
        import pandas as pd

        return np.asarray(pd.factorize(array.astype(object))[0] + 1, dtype=np.int64)
    distinct = np.unique(array[np.isfinite(array)])
    if len(distinct) > MOST_PARTS:
        distinct = np.unique(np.quantile(distinct, np.linspace(0, 1, MOST_PARTS + 1)[:-1], method="lower"))
    found = np.searchsorted(distinct, array, side="right")
    return np.where(np.isfinite(array), found, len(distinct) + 1).astype(np.int64)
