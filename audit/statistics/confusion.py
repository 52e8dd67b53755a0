"""Numbers of a confusion matrix of several classes, each class weighing the same.

Comes in: whole counts of people by true and by predicted class, or the probabilities of each class. Goes out: figures:
averages over the classes of recall, precision and F1, and of the areas under the ROC curves of each class against the
rest. Where one class cannot be measured the average is undefined, never an average over fewer classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .figures import Figure
from .intervals import logit_interval, wilson

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


def macro_recall(counts: Counts, names: Sequence[str], level: float = 0.95) -> Figure:
    """Return the mean over classes of the share of their people that is recognised (balanced accuracy).

    Parameters
    ----------
    counts : array of int, shape [classes, classes]
        People by true class (rows) and predicted class (columns).
    names : sequence of str
        Classes, for the reason where one is empty.
    level : float
        Two-sided confidence level.

    Notes
    -----
    The recalls rest on different people, so that their Wilson intervals join by square-and-add: Zou and Donner (2008),
    Statistics in Medicine 27:1693.
    """
    counts = np.asarray(counts, np.int64)
    return _mean_share(np.diag(counts), counts.sum(axis=1), names, level, "truly of the class")


def macro_precision(counts: Counts, names: Sequence[str], level: float = 0.95) -> Figure:
    """Return the mean over classes of the share of those predicted to be in it who are; see `macro_recall`.

    Parameters
    ----------
    counts, names, level
        As for `macro_recall`.
    """
    counts = np.asarray(counts, np.int64)
    return _mean_share(np.diag(counts), counts.sum(axis=0), names, level, "predicted to be of the class")


def macro_f1(counts: Counts, names: Sequence[str], level: float = 0.95) -> Figure:
    """Return the mean over classes of ``2 TP / (2 TP + FP + FN)``.

    Parameters
    ----------
    counts, names, level
        As for `macro_recall`.

    Notes
    -----
    Interval by the delta method for multinomial counts (Takahashi et al. 2022, Applied Intelligence 52:4961), symmetric
    on the log-odds scale so that it stays between 0 and 1.
    """
    counts = np.asarray(counts, np.float64)
    n = int(counts.sum())
    hits, both = np.diag(counts), counts.sum(axis=0) + counts.sum(axis=1)
    empty = [name for name, size in zip(names, both, strict=True) if size == 0]
    if n == 0 or empty:
        why = f"nobody is truly or by prediction of the class {', '.join(empty)}"
        return Figure(None, level=level, n=n, note=why, assessable=False)
    classes = len(names)
    value = float(np.mean(2 * hits / both))
    # derivative of the mean of F1 by each cell; F1 does not change with n, so that no term for the total remains
    slope = -2 * hits / both**2
    gradient = (slope[:, None] + slope[None, :] + np.diag(2 / both)) / classes
    se = float(np.sqrt((counts * gradient**2).sum()))
    low, high = logit_interval(value, se, level)
    if math.isnan(low):
        note = "no interval: every person, or nobody, is predicted rightly"
        return Figure(value, level=level, n=n, method="mean of the classes' F1", note=note, assessable=False)
    return Figure(value, low, high, level=level, n=n, method="delta method for multinomial counts, logit")


def _mean_share(hits: Counts, sizes: Counts, names: Sequence[str], level: float, words: str) -> Figure:
    empty = [name for name, size in zip(names, sizes, strict=True) if size == 0]
    n = int(sizes.sum())
    if empty:
        return Figure(None, level=level, n=n, note=f"nobody is {words} {', '.join(empty)}", assessable=False)
    share = hits / sizes
    low, high = wilson(hits, sizes, level)
    value, classes = float(share.mean()), len(names)
    below = float(np.sqrt(((share - low) ** 2).sum())) / classes
    above = float(np.sqrt(((high - share) ** 2).sum())) / classes
    return Figure(
        value,
        max(0.0, value - below),
        min(1.0, value + above),
        level=level,
        n=n,
        method="square-and-add of the classes' Wilson intervals",
    )


def macro_auc(probabilities: NDArray[Any], truth: NDArray[Any], names: Sequence[str], level: float = 0.95) -> Figure:
    """Return the mean over classes of the area under the ROC curve of the class against the rest.

    Parameters
    ----------
    probabilities : array, shape [n, classes]
        Score of each class.
    truth : array of int, shape [n]
        Place of the true class.
    names : sequence of str
        Classes.
    level : float
        Two-sided confidence level.

    Notes
    -----
    The areas of the classes rest on the same people: DeLong's components of all classes are added person by person
    before their spread is taken (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837), interval on the log-odds.
    """
    n, classes = probabilities.shape
    rare = [name for place, name in enumerate(names) if not 2 <= int((truth == place).sum()) <= n - 2]
    if rare:
        why = f"fewer than two people are truly of, or outside, the class {', '.join(rare)}"
        return Figure(None, level=level, n=n, note=why, assessable=False)
    areas, influence = np.zeros(classes), np.zeros(n)
    for place in range(classes):
        areas[place], part = _auc_influence(np.asarray(probabilities[:, place], float), truth == place)
        influence += part / classes
    value, se = float(areas.mean()), float(np.sqrt((influence**2).sum()))
    low, high = logit_interval(value, se if se > 1e-12 else 0.0, level)
    if math.isnan(low):
        note = "no interval: the classes do not overlap"
        return Figure(value, level=level, n=n, method="exact ranks", note=note, assessable=False)
    return Figure(value, low, high, level=level, n=n, method="DeLong, joined over the classes, logit")


def _auc_influence(score: Floats, positive: NDArray[np.bool_]) -> tuple[float, Floats]:
    """Return an area and what each person adds to its error; the squares sum to DeLong's variance."""
    ones, zeros = np.sort(score[positive]), np.sort(score[~positive])
    p, q = len(ones), len(zeros)
    own = (np.searchsorted(zeros, score[positive], "left") + np.searchsorted(zeros, score[positive], "right")) / (2 * q)
    rest = 1 - (np.searchsorted(ones, score[~positive], "left") + np.searchsorted(ones, score[~positive], "right")) / (
        2 * p
    )
    area = float(own.mean())
    influence = np.empty(len(score))
    influence[positive] = (own - area) / math.sqrt(p * (p - 1))
    influence[~positive] = (rest - area) / math.sqrt(q * (q - 1))
    return area, influence
