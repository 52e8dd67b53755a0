"""The gradient of the score with respect to columns, from the gradient with respect to the net's own inputs.

Comes in: a model that gives gradients and the blocks that feed it. Goes out: a function from rows to the gradient of
the link along each number, in units of the column; None where no number reaches the net as a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.config.model import ModelInput, NumericBlock
from audit.errors import AuditError
from audit.examination.blackbox.encode import WIDTHS

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]
Gradient = Callable[["pd.DataFrame"], Floats]


def find_gradient(case: Case, names: Sequence[str]) -> Gradient | None:
    """Return the gradient of the link along some numeric columns, rows to ``[n, k]``.

    Parameters
    ----------
    case : Case
        Its model and the blocks of its inputs.
    names : sequence of str
        Columns.

    Returns
    -------
    callable or None
        None where the model gives no gradients, or none that reach all of these columns.
    """
    own = getattr(case.blackbox, "gradients", None)
    if case.blackbox is None or not case.blackbox.has_gradients or own is None:
        return None
    places = list(place_columns(case.config.model.inputs))
    if set(names) - {name for name, *_ in places}:
        return None
    at = {name: index for index, name in enumerate(names)}

    def gradient(people: pd.DataFrame) -> Floats:
        parts: list[Any] = own(people)
        found = np.zeros((len(people), len(names)))
        for name, argument, place, scale in places:
            if name in at and parts[argument] is not None:
                found[:, at[name]] += np.nan_to_num(parts[argument][:, place]) / scale
        return found

    try:
        gradient(case.frame.iloc[:2])
    except (AuditError, IndexError, TypeError, ValueError):
        return None
    return gradient


def place_columns(inputs: Sequence[ModelInput]) -> Iterator[tuple[str, int, int, float]]:
    """Yield column, forward argument, position in it, and the scale it is divided by, for every number.

    Parameters
    ----------
    inputs : sequence of ModelInput
        Forward arguments in order.
    """
    for argument, item in enumerate(inputs):
        start = 0
        for block in item.blocks:
            if isinstance(block, NumericBlock):
                scales = np.broadcast_to(np.asarray(1.0 if block.scale is None else block.scale), len(block.columns))
                for place, name in enumerate(block.columns):
                    yield name, argument, start + place, float(scales[place])
            start += len(WIDTHS[block.kind](block))
