"""Rows outside what a glass box was fitted on: there its shapes are flat by construction and say nothing.

Comes in: the audited rows, and the separate training file of the glass boxes where one was named. Goes out: the share
of audited rows beyond the range, or with a level, that no row of the training file has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from audit.evidence import Estimate, FeatureUsed, Measurement
from audit.examination.glassbox.encoder import read_numbers
from audit.examination.measures.prediction import share_estimate

if TYPE_CHECKING:
    import pandas as pd

METRIC = "effects.extrapolation_share"


def measure_extrapolation(
    features: Sequence[FeatureUsed], frame: pd.DataFrame, training: pd.DataFrame | None
) -> list[Measurement]:
    """Return the share of audited rows outside the training file, over all features and by feature.

    Parameters
    ----------
    features : sequence of FeatureUsed
        Features and their kinds.
    frame : pandas.DataFrame, shape [n, ...]
        Audited rows.
    training : pandas.DataFrame or None
        Rows that the glass boxes were fitted on; None where these are the audited ones.
    """
    if training is None:
        note = "the glass boxes were fitted on the audited rows themselves: none can lie outside"
        estimate = Estimate(value=0.0, n=len(frame), count=0, method="by construction", note=note)
        return [Measurement(metric=METRIC, estimate=estimate)]
    anywhere = np.zeros(len(frame), dtype=bool)
    found = []
    for feature in features:
        outside = find_outside(frame[feature.name], training[feature.name], feature.kind)
        anywhere |= outside
        estimate = share_estimate(int(outside.sum()), outside.size)
        found.append(Measurement(metric=METRIC, estimate=estimate, feature=feature.name))
    whole = share_estimate(int(anywhere.sum()), anywhere.size)
    return [Measurement(metric=METRIC, estimate=whole), *found]


def find_outside(column: pd.Series, training: pd.Series, kind: str) -> np.ndarray:
    """Return which rows lie outside a training column, bool of shape [n].

    Parameters
    ----------
    column, training : pandas.Series
        Audited and training rows of one feature.
    kind : {"number", "category", "boolean"}
        Its kind. A missing value is outside where no training row misses it.
    """
    missing = column.isna().to_numpy() & (not training.isna().any())
    if kind == "number":
        x, known = read_numbers(column), read_numbers(training)
        known = known[np.isfinite(known)]
        if not known.size:
            return np.asarray(missing | ~np.isnan(x))
        return np.asarray(missing | (x < known.min()) | (x > known.max()))
    levels = {str(value) for value in training.dropna().unique()}
    strange = column.map(lambda value: str(value) not in levels).to_numpy(dtype=bool) & column.notna().to_numpy()
    return np.asarray(missing | strange)
