"""Suspected leaks: a feature that alone nearly tells the label, and judged rows that the model was trained on.

Comes in: the case. Goes out: measurements of the data section. A leak is suspected, not shown: a good predictor may be
honest; what it is must be asked of people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.errors import AuditError
from audit.evidence import Definition, Estimate, Measurement, undefined
from audit.examination.data.split import folds_of
from audit.statistics.auc import auc_interval
from audit.statistics.intervals import clopper_pearson

from .beside import read_beside
from .effects.axis import lay_axis
from .effects.proxy import FOLDS, measure_proxy
from .prediction import name_auc_interval, share_estimate

if TYPE_CHECKING:
    import pandas as pd

    from .case import Case

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="data.single_feature_auc",
        title="How well the feature alone tells the label (AUC)",
        formula="area under the ROC curve of the label's rate per bin of the feature, learned on the other folds; for "
        "a value: of telling labels above the median. Near 1: the feature may have been made from the label",
        better="none",
        source="five folds, averaged; DeLong within folds",
    ),
    Definition(
        id="data.duplicate_share",
        title="Judged rows that equal a row the model was trained on",
        formula="judged rows whose features all equal those of a training row of the model / judged rows",
        unit="share",
        better="lower",
        source="exact match of all features; interval: Wilson (1927)",
    ),
)


def measure_leaks(case: Case) -> Iterator[Measurement]:
    """Yield how well each feature alone tells the label, and how many judged rows equal a training row.

    Parameters
    ----------
    case : Case
        The case.
    """
    label = label_as_class(case)
    if label is not None:
        yield from measure_single_features(case, label)
    if case.subject.features and case.subject.has_model:
        yield Measurement(metric="data.duplicate_share", estimate=measure_duplicates(case))


def label_as_class(case: Case) -> NDArray[np.float64] | None:
    """Return the label as 1, 0 or NaN; for a value whether it is above the median; None without labels."""
    if case.label is None or not np.isfinite(case.label).any():
        return None
    label = np.asarray(case.label, dtype=np.float64)
    if case.subject.task != "regression":
        return label
    known = np.isfinite(label)
    return np.where(known, (label > np.median(label[known])).astype(np.float64), np.nan)


def measure_single_features(case: Case, label: NDArray[np.float64]) -> Iterator[Measurement]:
    """Yield the cross-validated AUC of every feature alone.

    Parameters
    ----------
    case : Case
        Rows and features.
    label : ndarray of float64, shape [n]
        1, 0 or NaN.
    """
    known = np.flatnonzero(np.isfinite(label))
    truth = label[known] == 1
    classes = np.where(truth, "1", "0")
    folds = folds_of(known.size, FOLDS, case.rng("single features"), classes)
    weights = np.full(known.size, 1 / known.size)
    frame = case.frame.iloc[known]
    for feature in case.subject.features:
        found = measure_proxy(lay_axis(frame[feature.name], feature, weights), classes, folds)
        best = next(((item.auc, item.se) for item in found if item.group == "1"), (float("nan"), float("nan")))
        estimate = _auc_estimate(*best, int(truth.sum()), int((~truth).sum()))
        yield Measurement(metric="data.single_feature_auc", estimate=estimate, feature=feature.name)


def _auc_estimate(auc: float, se: float, positives: int, negatives: int) -> Estimate:
    n, method = positives + negatives, f"{FOLDS} folds, {name_auc_interval(positives, negatives)}"
    if not np.isfinite(auc):
        return undefined("fewer than 30 rows of a class", n=n)
    low, high = auc_interval(auc, se, positives, negatives)
    if np.isfinite(low):
        return Estimate(value=auc, low=low, high=high, n=n, method=method)
    if auc > 0.5:
        # complete separation has no spread; the smaller class bounds what it may hide
        least = min(positives, negatives)
        low, high = clopper_pearson(least, least)
        return Estimate(value=auc, low=low, high=1.0, n=n, method=f"{FOLDS} folds; Clopper-Pearson on {least} rows")
    return Estimate(value=auc, n=n, method=method, note="no interval: the feature tells nothing", assessable=False)


def measure_duplicates(case: Case) -> Estimate:
    """Return the share of judged rows that equal a row of the model's training rows in every feature.

    Parameters
    ----------
    case : Case
        Its configuration names the training rows (``data.model_train``).
    """
    data = case.config.data
    path = data.train if data.model_train == "train" else data.model_train
    if path in ("unknown", "none of these") or path is None:
        return undefined("the rows that the model was trained on are not named")
    names = [feature.name for feature in case.subject.features]
    try:
        training = read_beside(case, "train", path)
    except AuditError as error:
        return undefined(error.what)
    return share_of_duplicates(case.frame, training.frame, names, training.note)


def share_of_duplicates(judged: pd.DataFrame, other: pd.DataFrame, names: Sequence[str], note: str = "") -> Estimate:
    """Return the share of `judged` whose columns `names` all equal those of a row of `other`.

    Parameters
    ----------
    judged, other : pandas.DataFrame
        Rows, typed alike; missing equals missing.
    names : sequence of str
        Columns.
    note : str
        What limits the number.

    Notes
    -----
    Rows are compared by 64-bit digests. How often judged rows equal each other is said beside it: with few and coarse
    features, rows are alike without being the same person.
    """
    import pandas as pd

    ours, theirs = (pd.util.hash_pandas_object(frame[list(names)], index=False).to_numpy() for frame in (judged, other))
    shared = share_estimate(int(np.isin(ours, theirs).sum()), int(ours.size))
    _, place, counts = np.unique(ours, return_inverse=True, return_counts=True)
    twins = float((counts[place] > 1).mean()) if ours.size else 0.0
    words = f"{twins:.1%} of the judged rows equal another judged row: so many are alike without being the same"
    return shared.model_copy(update={"note": "; ".join(filter(None, (words, note)))})
