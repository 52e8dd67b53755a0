"""How well one feature alone tells a protected group: the strength of a proxy.

Comes in: a feature's column and the groups of the rows. Goes out: for each group of at least 30 rows the
cross-validated AUC of telling it from the rest. The estimator is the share of the group per bin of the feature,
learned on the other folds: one table of counts, no model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.examination.glassbox.encoder import Floats, choose_knots

from .axis import Axis

FOLDS = 5
BINS = 64
LEAST_GROUP = 30
PRIOR_ROWS = 10.0


@dataclass(frozen=True, slots=True)
class ProxyAuc:
    """How well a feature tells one group.

    Parameters
    ----------
    group : str
        Value of the attribute.
    n : int
        Rows of the group.
    auc : float
        Mean of the folds' areas under the ROC curve.
    se : float
        Its standard error (DeLong within folds).
    """

    group: str
    n: int
    auc: float
    se: float


def measure_proxy(axis: Axis, groups: np.ndarray, folds: np.ndarray) -> tuple[ProxyAuc, ...]:
    """Return how well a feature tells each group of an attribute.

    Parameters
    ----------
    axis : Axis
        The feature.
    groups : ndarray of str, shape [n]
        Value of the attribute per row.
    folds : ndarray of int, shape [n]
        Fold per row.

    Notes
    -----
    Folds are scored apart and averaged: scores of different folds are not comparable, pooling them would push the AUC
    of a feature that tells nothing below one half.
    """
    bins = _bin_rows(axis)
    names, codes = np.unique(groups.astype(str), return_inverse=True)
    shape = (int(folds.max()) + 1, int(bins.max()) + 1, names.size)
    flat = (folds * shape[1] + bins) * shape[2] + codes
    counts = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
    found = []
    for g, name in enumerate(names):
        size = int(counts[:, :, g].sum())
        if LEAST_GROUP <= size <= groups.size - LEAST_GROUP:
            auc, se = _score_folds(counts[:, :, g], counts.sum(axis=2))
            found.append(ProxyAuc(str(name), size, auc, se))
    return tuple(found)


def _bin_rows(axis: Axis) -> np.ndarray:
    """Return a bin per row; missing has a bin of its own, levels without a position share one."""
    if axis.kind == "category":
        bins = np.where(axis.x >= 0, axis.x, axis.grid.size)
    else:
        edges = choose_knots(axis.x, BINS)
        bins = np.searchsorted(edges, axis.x, side="right").astype(np.float64)
    top = float(np.nanmax(bins, initial=0.0)) + 1
    return np.where(np.isnan(axis.x), top, bins).astype(np.intp)


def _score_folds(inside: Floats, all_rows: Floats) -> tuple[float, float]:
    aucs, variances = [], []
    for k in range(inside.shape[0]):
        others, other_rows = inside.sum(axis=0) - inside[k], all_rows.sum(axis=0) - all_rows[k]
        rate = others.sum() / max(other_rows.sum(), 1.0)
        score = (others + PRIOR_ROWS * rate) / (other_rows + PRIOR_ROWS)
        auc, variance = _auc_of_counts(score, inside[k], all_rows[k] - inside[k])
        if np.isfinite(auc):
            aucs.append(auc)
            variances.append(variance)
    if not aucs:
        return float("nan"), float("nan")
    return float(np.mean(aucs)), float(np.sqrt(np.sum(variances)) / len(aucs))


def _auc_of_counts(score: Floats, positive: Floats, negative: Floats) -> tuple[float, float]:
    """Return AUC and DeLong's variance from counts per score, ties counted half."""
    _, place = np.unique(score, return_inverse=True)
    p, q = np.bincount(place, positive), np.bincount(place, negative)
    n_p, n_q = p.sum(), q.sum()
    if n_p < 2 or n_q < 2:
        return float("nan"), float("nan")
    above_q = (np.cumsum(q) - q / 2) / n_q
    below_p = 1 - (np.cumsum(p) - p / 2) / n_p
    auc = float(p @ above_q / n_p)
    v_p = p @ (above_q - auc) ** 2 / (n_p - 1)
    v_q = q @ (below_p - auc) ** 2 / (n_q - 1)
    return auc, float(v_p / n_p + v_q / n_q)
