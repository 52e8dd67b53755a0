"""The black box's own effect of one feature: accumulated local effects, and for levels the mean change of level.

Comes in: a black box that answers on the link scale, a sample of rows, the feature's axis. Goes out: the effect at
every position with a pointwise band from the variation between rows. On a model that is additive the effect is exact.

Number: every row is asked at both ends of the interval it lies in (both intervals, if it lies on their common end), the
mean differences are summed up: no row is moved further than to a neighbouring position, so that correlated features are
not torn apart (Apley & Zhu 2020, J. R. Stat. Soc. B 82, 1059-1086). Level: every row is asked at every level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audit.examination.glassbox.encoder import Floats

from .axis import Axis

if TYPE_CHECKING:
    import pandas as pd

Link = Callable[["pd.DataFrame"], np.ndarray]

NORMAL_975 = 1.959963984540054
FEWEST_IN_BIN = 10
BATCH = 65_536


@dataclass(frozen=True, slots=True)
class OwnEffect:
    """The black box's effect of a feature, centred over the audited rows.

    Parameters
    ----------
    y : ndarray of float64, shape [m]
        Effect at each position of the axis.
    half : ndarray of float64, shape [m]
        Half the width of the pointwise 95 % band.
    missing : float or None
        Effect where the feature is missing; None where no row is.
    rows : int
        Rows asked.
    """

    y: Floats
    half: Floats
    missing: float | None
    rows: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows to ask about.

    Parameters
    ----------
    frame : pandas.DataFrame, shape [s, ...]
        The rows.
    rows : ndarray of int, shape [s]
        Their positions among the audited rows.
    without : callable
        Feature to a frame of sampled rows in which it is missing (empty where there are none).
    most_questions : int
        Most questions per feature with levels.
    """

    frame: pd.DataFrame
    rows: np.ndarray
    without: Callable[[str], pd.DataFrame]
    most_questions: int = 60_000


def measure_own_effect(link: Link, axis: Axis, sample: Sample) -> OwnEffect | None:
    """Return the black box's effect of one feature.

    Parameters
    ----------
    link : callable
        Frame to link scores, shape [rows].
    axis : Axis
        Positions and shares.
    sample : Sample
        Rows to ask about.

    Returns
    -------
    OwnEffect or None
        None where the axis has no position at all.
    """
    if not axis.grid.size:
        return None
    if axis.kind == "numeric":
        steps, errors = _walk(link, axis, sample)
        raw = np.concatenate([[0.0], np.cumsum(steps)])
        spread = np.tril(np.ones((axis.grid.size, axis.grid.size - 1)), -1)
        rows = len(sample.rows)
    else:
        raw, errors = _change_levels(link, axis, sample)
        spread, rows = np.eye(axis.grid.size), len(errors)
    missing = _ask_missing(link, axis, sample, raw)
    known = float(axis.share.sum())
    centre = float(axis.share @ raw) + (axis.missing_share * missing if missing is not None else 0.0)
    centre /= max(known + (axis.missing_share if missing is not None else 0.0), 1e-300)
    half = _spread_errors(axis, errors, spread)
    return OwnEffect(raw - centre, half, None if missing is None else missing - centre, rows)


def _spread_errors(axis: Axis, errors: Floats, spread: Floats) -> Floats:
    """Return half the width of the band, from what each asked row contributes; the centring is taken along."""
    centred = spread - (axis.share / max(float(axis.share.sum()), 1e-300)) @ spread
    influence = errors @ centred.T
    half: Floats = NORMAL_975 * np.sqrt((influence**2).sum(axis=0))
    return half


def ask_everywhere(link: Link, axis: Axis, sample: Sample) -> tuple[Floats, Floats, int]:
    """Ask rows at every position of a feature.

    Parameters
    ----------
    link, axis, sample
        As for `measure_own_effect`; at most ``sample.most_questions`` are asked, of 50 rows at least.

    Returns
    -------
    mean : ndarray of float64, shape [m]
        Mean score at each position, not centred.
    half : ndarray of float64, shape [m]
        Half the width of the pointwise 95 % band of the centred curve.
    rows : int
        Rows asked.
    """
    mean, errors = _change_levels(link, axis, sample)
    return mean, _spread_errors(axis, errors, np.eye(axis.grid.size)), len(errors)


def _walk(link: Link, axis: Axis, sample: Sample) -> tuple[Floats, Floats]:
    """Return the mean step between neighbouring positions, shape [m - 1], and rows' influences, shape [s, m - 1]."""
    x, weights = axis.x[sample.rows], axis.weights[sample.rows]
    grid = axis.grid
    if grid.size < 2:
        return np.empty(0), np.zeros((len(sample.rows), 0))
    places, bins = _visits(x, grid)
    at = np.concatenate([grid[bins], grid[bins + 1]])
    answers = ask(link, sample.frame, axis.feature, np.concatenate([places, places]), at)
    rises = answers[places.size :] - answers[: places.size]
    w = weights[places]
    total = np.bincount(bins, w, minlength=grid.size - 1)
    counts = np.bincount(bins, minlength=grid.size - 1)
    steps = np.bincount(bins, w * rises, minlength=grid.size - 1) / total
    # n / (n - 1): a mean of few rows varies more than their own scatter shows
    factor = np.sqrt(counts / np.maximum(counts - 1, 1))
    errors = np.zeros((len(sample.rows), grid.size - 1))
    np.add.at(errors, (places, bins), factor[bins] * w * (rises - steps[bins]) / total[bins])
    return steps, errors


def _visits(x: Floats, grid: Floats) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs (row, interval): where rows lie, both sides of a position, the nearest rows for thin intervals."""
    last = grid.size - 2
    rows = np.flatnonzero(~np.isnan(x))
    held = np.clip(x[rows], grid[0], grid[-1])
    right = np.minimum(np.searchsorted(grid, held, side="right") - 1, last)
    left = np.maximum(np.searchsorted(grid, held, side="left") - 1, 0)
    places = [rows, rows[left != right]]
    bins = [right, left[left != right]]
    counts = np.bincount(np.concatenate(bins), minlength=last + 1)
    for k in np.flatnonzero(counts < FEWEST_IN_BIN):
        middle = (grid[k] + grid[k + 1]) / 2
        inside = rows[(left == k) | (right == k)]
        near = rows[np.argsort(np.abs(held - middle), kind="stable")[: FEWEST_IN_BIN + inside.size]]
        more = np.setdiff1d(near, inside)[: FEWEST_IN_BIN - int(counts[k])]
        places.append(more)
        bins.append(np.full(more.size, k))
    return np.concatenate(places), np.concatenate(bins)


def _change_levels(link: Link, axis: Axis, sample: Sample) -> tuple[Floats, Floats]:
    """Return the mean score at each level, shape [m], and rows' influences, shape [s', m]."""
    m = axis.grid.size
    size = min(len(sample.rows), max(50, sample.most_questions // m))
    some = np.unique(np.linspace(0, len(sample.rows) - 1, size).round().astype(np.intp))
    places, at = np.repeat(some, m), np.tile(axis.grid, some.size)
    answers = ask(link, sample.frame, axis.feature, places, at, axis.levels).reshape(some.size, m)
    weights = axis.weights[sample.rows[some]]
    weights = weights / weights.sum()
    mean = weights @ answers
    # a row's own level of the score is no uncertainty of a difference between levels
    own = answers - (answers @ axis.share / max(float(axis.share.sum()), 1e-300))[:, None]
    errors = weights[:, None] * (own - weights @ own) * np.sqrt(some.size / max(1, some.size - 1))
    return mean, errors


def _ask_missing(link: Link, axis: Axis, sample: Sample, raw: Floats) -> float | None:
    """Return the effect of the feature being missing, on the uncentred scale of `raw`; None where no row is."""
    frame = sample.without(axis.feature)
    if not len(frame):
        return None
    ref = int(np.argmax(axis.share))
    places = np.arange(len(frame))
    as_is = np.asarray(link(frame), dtype=np.float64)
    filled = ask(link, frame, axis.feature, places, np.full(len(frame), axis.grid[ref]), axis.levels)
    return float(np.mean(as_is - filled) + raw[ref])


def ask(
    link: Link,
    frame: pd.DataFrame,
    feature: str,
    places: np.ndarray,
    at: Floats,
    levels: tuple[str, ...] = (),
) -> Floats:
    """Return link scores of rows with one feature set to other values, in batches.

    Parameters
    ----------
    link : callable
        Frame to link scores.
    frame : pandas.DataFrame
        Rows.
    feature : str
        Feature to set.
    places : ndarray of int, shape [q]
        Row of `frame` for each question.
    at : ndarray of float64, shape [q]
        Number, or position among `levels`.
    levels : tuple of str
        Levels; empty for a number.
    """
    import pandas as pd

    values: np.ndarray = at
    if levels:
        values = _typed_levels(levels, frame[feature])[at.astype(np.intp)]
    answers = np.empty(places.size)
    for begin in range(0, places.size, BATCH):
        part = slice(begin, begin + BATCH)
        asked = frame.take(places[part]).reset_index(drop=True)
        asked[feature] = pd.Series(values[part], dtype=frame[feature].dtype if levels else np.float64)
        answers[part] = link(asked)
    return answers


def values_at(axis: Axis, column: pd.Series) -> np.ndarray:
    """Return the values of a feature at all positions of its axis, in the type of a column of it.

    Parameters
    ----------
    axis : Axis
        Positions.
    column : pandas.Series
        Rows of the feature.
    """
    return _typed_levels(axis.levels, column) if axis.levels else axis.grid


def _typed_levels(levels: tuple[str, ...], column: pd.Series) -> np.ndarray:
    import pandas as pd

    own = {str(value): value for value in pd.unique(column.dropna())}
    return np.array([own.get(level, _restore(level, own)) for level in levels], dtype=object)


def _restore(level: str, own: dict[str, object]) -> object:
    """Return a level that the sample happens not to hold, in the type of those it holds."""
    if any(isinstance(value, bool | np.bool_) for value in own.values()):
        return level == "True"
    return level
