"""The tally of a roll: its entries counted once, whether they are rows or many rows each.

Comes in: a `Roll`. Goes out: the same `Tally` that counting the rows one by one gives.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from .roll import Roll
from .tally import MOST_CELLS, Tally, code_decisions, code_labels, count_cross, list_sets


def tally_of(roll: Roll, intersections: Iterable[Sequence[str]] = (), *, most_cells: int = MOST_CELLS) -> Tally:
    """Count the rows behind a roll.

    Parameters
    ----------
    roll : Roll
        Entries, each of one row or of many.
    intersections, most_cells
        As `build_tally`.
    """
    inner = code_labels(None if roll.valued else roll.label, len(roll.count)) * 2
    inner += code_decisions(roll.favourable, len(roll.count))
    columns: dict[str, np.ndarray] = {}
    if roll.score is not None:
        total = roll.score * roll.count
        columns |= {
            "score": total,
            "score_square": roll.score * total if roll.score_square is None else roll.score_square,
        }
    if roll.weight is not None and roll.weight_square is not None:
        columns |= {"weight": roll.weight, "weight_square": roll.weight_square}
    size = math.prod(len(item) for item in roll.levels.values())
    wanted = [tuple(roll.levels)] if size <= most_cells else list_sets(roll.codes, intersections)
    codes = {name: values.astype(np.int64) for name, values in roll.codes.items()}
    rows = None if (roll.count == 1).all() else roll.count.astype(np.float64)
    crosses = {item: count_cross(item, roll.levels, codes, inner, columns, rows) for item in dict.fromkeys(wanted)}
    return Tally(roll.levels, crosses, roll.favourable is not None)
