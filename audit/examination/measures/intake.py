"""How the model was taken in, and whether the scores stored beside it are its own.

Comes in: the `Case`. Goes out: the section `intake`. What was found at the door stands as it is; stored scores are held
against all rows, or those of the sample that stands for them, once these have been scored.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.evidence import Intake
from audit.evidence.intake import StoredDifference, StoredScores
from audit.examination.blackbox.contract import ROUNDED
from audit.examination.blackbox.encode import numbers_of

from .case import Case


def measure_intake(case: Case) -> Intake:
    """Return how the model was taken in, with stored scores held against the model's."""
    column = case.config.model.expected_score
    if column is None or case.blackbox is None or case.scores.score is None:
        return case.intake
    stored = compare_stored(case, column)
    notes = case.intake.notes
    if stored.differing:
        notes = (
            f"{stored.differing:,} of {stored.rows:,} scores stored in {column} are not those of this model (largest "
            f"difference {stored.largest:.3g}): they are stale, or of another model",
            *notes,
        )
    return case.intake.model_copy(update={"stored": stored, "notes": notes})


def compare_stored(case: Case, column: str) -> StoredScores:
    """Compare a column of stored scores with the scores that the model gives.

    Parameters
    ----------
    case : Case
        The case; a model was taken in.
    column : str
        Column of the stored scores, on the scale of the score.
    """
    assert case.scores.score is not None
    stored, score = numbers_of(case.frame, column), case.scores.score
    known = np.isfinite(stored)
    gap = np.abs(score - np.where(known, stored, score))
    valued = case.blackbox is not None and case.blackbox.scale == "value"
    # a value has no scale of its own: what rounding explains is relative to it
    differs = gap > ROUNDED * (1 + np.abs(score) if valued else 1)
    return StoredScores(
        column=column,
        rows=int(known.sum()),
        missing=int((~known).sum()),
        differing=int(differs.sum()),
        tolerance=ROUNDED,
        largest=float(gap[known].max()) if known.any() else None,
        mean=float(gap[differs].mean()) if differs.any() else None,
        by_group=tuple(_count_groups(case, known, differs)) if differs.any() else (),
        sampled=case.sampled,
    )


def _count_groups(case: Case, known: np.ndarray, differs: np.ndarray) -> Iterator[StoredDifference]:
    for attribute, values in case.groups.items():
        levels = np.asarray(values).astype(str)
        for level in np.unique(levels):
            here = levels == level
            yield StoredDifference(
                attribute=attribute,
                group=str(level),
                rows=int((here & known).sum()),
                differing=int((here & differs).sum()),
            )
