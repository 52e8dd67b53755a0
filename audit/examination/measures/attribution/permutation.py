"""Permutation importance: what is lost when one column is dealt out anew among the rows.

Comes in: a model on mixed rows, labels where there are any. Goes out: one estimate per column: AUC lost, error gained,
or without labels the share of the scores' variance that hangs on the column.
"""

from __future__ import annotations

import math

import numpy as np

from audit.evidence import Estimate, undefined
from audit.examination.measures.paired import paired_rmse_gap
from audit.statistics.auc import auc_delong_paired
from audit.statistics.intervals import normal_quantile

from .attribution import Floats
from .mixing import Mixer

LEVEL = 0.95
AUC, RMSE, VARIANCE = "AUC lost", "root mean squared error gained", "share of the variance of the score"


def measure_permutation(
    mixer: Mixer, label: Floats | None, task: str, *, repeats: int, rng: np.random.Generator
) -> tuple[list[Estimate], str, int]:
    """Measure the importance of every column by shuffling it (Breiman 2001; Fisher, Rudin and Dominici 2019).

    Parameters
    ----------
    mixer : Mixer
        The model on rows mixed with themselves: rows to explain and background are the same rows.
    label : ndarray of float64, shape [n], or None
        Label, NaN where unknown.
    task : str
        ``binary``, ``multiclass`` (the positive class against the rest) or ``regression``.
    repeats : int
        Shuffles of each column.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    list of Estimate
        One per column of the mixer.
    str
        What they are measured in: `AUC`, `RMSE` or `VARIANCE`.
    int
        Rows that the model was asked about.
    """
    link = mixer.ask_rows()
    unit = _choose_unit(label, task)
    rows, found = np.arange(link.size), []
    for j in range(len(mixer.columns)):
        kept = np.ones((link.size, len(mixer.columns)), dtype=bool)
        kept[:, j] = False
        shuffled = np.stack([mixer.ask(rows, rng.permutation(link.size), kept) for _ in range(repeats)])
        found.append(_compare(link, shuffled, label, unit))
    return found, unit, link.size * (1 + repeats * len(mixer.columns))


def _choose_unit(label: Floats | None, task: str) -> str:
    if label is None or not np.isfinite(label).any():
        return VARIANCE
    if task == "regression":
        return RMSE
    known = label[np.isfinite(label)]
    return AUC if min(int((known == 1).sum()), int((known == 0).sum())) >= 2 else VARIANCE


def _compare(link: Floats, shuffled: Floats, label: Floats | None, unit: str) -> Estimate:
    if unit == VARIANCE:
        return variance_share(link, shuffled)
    assert label is not None
    known = np.isfinite(label)
    truth, before, after = label[known], link[known], shuffled[:, known]
    if unit == RMSE:
        # one error per row, the root mean square over the shuffles
        return paired_rmse_gap(np.sqrt(((after - truth) ** 2).mean(axis=0)), before - truth)
    return auc_lost(before, after, truth)


def auc_lost(before: Floats, after: Floats, label: Floats) -> Estimate:
    """Return AUC as it is less the mean AUC with a column shuffled.

    Parameters
    ----------
    before : ndarray of float64, shape [m]
        Links.
    after : ndarray of float64, shape [repeats, m]
        Links with the column shuffled.
    label : ndarray of float64, shape [m]
        1 or 0.

    Notes
    -----
    The variance of a mean is at most the mean of the variances: the interval is, if anything, too wide.
    """
    pairs = [auc_delong_paired(before, one, label) for one in after]
    value = float(np.mean([pair.difference for pair in pairs]))
    se = math.sqrt(float(np.mean([pair.se**2 for pair in pairs])))
    method = f"AUC lost when shuffled, mean of {len(after)} shuffles, paired DeLong"
    return _bounded(value, se, label.size, method)


def variance_share(link: Floats, shuffled: Floats) -> Estimate:
    """Return ``mean (link - link with a column shuffled)^2 / (2 variance of link)``.

    Notes
    -----
    For independent columns it is the total Sobol index (Jansen 1999). Delta method over rows.
    """
    n, method = link.size, f"share of the variance when shuffled, {len(shuffled)} shuffles, delta method"
    moved = ((shuffled - link) ** 2).mean(axis=0)
    around = 2.0 * (link - link.mean()) ** 2
    if n < 3 or around.mean() <= 0:
        return undefined("the model gives every row the same score", n=n, method=method)
    value = float(moved.mean() / around.mean())
    influence = (moved - value * around) / around.mean()
    return _bounded(value, float(influence.std(ddof=1)) / math.sqrt(n), n, method, least=0.0)


def _bounded(value: float, se: float, n: int, method: str, *, least: float = -1.0) -> Estimate:
    if se <= 0:
        note = "no interval: nothing changes when it is shuffled"
        return Estimate(value=value, n=n, method=method, note=note, assessable=value == 0)
    half = normal_quantile(LEVEL) * se
    return Estimate(value=value, low=max(least, value - half), high=value + half, n=n, method=method)
