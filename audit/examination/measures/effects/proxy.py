"""How well one feature alone tells a protected group: the strength of a proxy, and how much weight proxies have.

Comes in: a feature's column and the groups of the rows. Goes out: for each group of at least 30 rows the
cross-validated AUC of telling it from the rest. The estimator is the share of the group per bin of the feature,
learned on the other folds: one table of counts, no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audit.evidence import Estimate, Measurement, undefined
from audit.examination.data.split import folds_of
from audit.examination.glassbox.encoder import Floats, choose_knots
from audit.statistics.intervals import logit_interval

from .axis import Axis

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

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


def measure_proxies(case: Case, axes: Mapping[str, Axis], order: Sequence[str]) -> list[Measurement]:
    """Return how well each feature tells each group, and each attribute's best told group.

    Parameters
    ----------
    case : Case
        Its groups.
    axes : mapping of str to Axis
        Features.
    order : sequence of str
        Features in the order of the report.
    """
    n = len(case.frame)
    if not case.groups or n < 2 * LEAST_GROUP:
        return []
    folds = folds_of(n, FOLDS, case.rng("effects proxy folds"))
    columns = {attribute.name: attribute.column for attribute in case.subject.attributes}
    found = []
    for name in order:
        for attribute, groups in case.groups.items():
            aucs = measure_proxy(axes[name], groups, folds)
            note = "the feature is the column behind the attribute" if columns.get(attribute) == name else ""
            found += _proxy_measurements(name, attribute, aucs, note)
    return found


def _proxy_measurements(feature: str, attribute: str, aucs: Sequence[ProxyAuc], note: str) -> list[Measurement]:
    metric, method = "effects.proxy_strength", f"mean of {FOLDS} folds, logit interval on DeLong's error"
    found = []
    for item in aucs:
        estimate = _auc_estimate(item, 0.95, method, note)
        found.append(Measurement(metric=metric, estimate=estimate, feature=feature, group={attribute: item.group}))
    if not aucs:
        largest = undefined(f"no group of {attribute} has at least {LEAST_GROUP} rows", method=method)
    else:
        top = max(aucs, key=lambda item: item.auc)
        # the largest of several: each is given the part of the error that makes all of them hold at once
        words = f"best told: {attribute} = {top.group}" + (f"; {note}" if note else "")
        largest = _auc_estimate(top, 1 - 0.05 / len(aucs), f"{method}, simultaneous over {len(aucs)} groups", words)
    return [Measurement(metric=metric, estimate=largest, feature=feature, attribute=attribute), *found]


def _auc_estimate(item: ProxyAuc, level: float, method: str, note: str) -> Estimate:
    low, high = logit_interval(item.auc, item.se, level)
    if not np.isfinite(item.auc):
        return undefined("the group is missing from a fold", n=item.n, method=method)
    known = np.isfinite(low)
    return Estimate(
        value=item.auc, low=low if known else None, high=high if known else None, n=item.n, method=method, note=note
    )


def weigh_proxies(
    proxies: Sequence[Measurement], shares: Mapping[str, Mapping[str, float]], rows: int
) -> list[Measurement]:
    """Return how much of each model's importance lies in proxies of each attribute, by their strength.

    Parameters
    ----------
    proxies : sequence of Measurement
        As `measure_proxies` gives them.
    shares : mapping of str to mapping of str to float
        Model to feature to share of importance.
    rows : int
        Audited rows.
    """
    strength: dict[str, dict[str, float]] = {}
    for item in proxies:
        if item.attribute and item.feature and item.estimate.value is not None:
            strength.setdefault(item.attribute, {})[item.feature] = max(0.0, 2 * item.estimate.value - 1)
    method = "sum over the features; describes these rows, no interval"
    return [
        Measurement(
            metric="effects.proxy_importance",
            estimate=Estimate(
                value=sum(share * known.get(feature, 0.0) for feature, share in own.items()), n=rows, method=method
            ),
            attribute=attribute,
            model=model,
        )
        for attribute, known in strength.items()
        for model, own in shares.items()
        if own
    ]
