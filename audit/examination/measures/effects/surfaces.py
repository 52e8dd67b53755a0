"""Interactions as surfaces: the glass boxes' strongest pairs, and the black box's own joint effect of the same two.

Comes in: glass boxes with the audited rows encoded, the axes of the features, a black box that answers on the link
scale. Goes out: `PairSurface` records on some of the positions at which the features' curves are drawn, and how strong
the black box's own interaction is. Where fewer than five rows are near, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audit.evidence import Pair, PairSurface
from audit.examination.glassbox.encoder import RARE, Encoder, Floats, LevelCode
from audit.examination.glassbox.shapes import PairTerm

from .ale import BATCH, Link, Sample, values_at
from .axis import Axis

if TYPE_CHECKING:
    import pandas as pd

MOST_SURFACES = 6
MOST_PLACES = 14
DIGITS = 5
FEWEST_ASKED = 30


@dataclass(frozen=True, slots=True)
class Plane:
    """Two features' positions crossed, and how the audited rows lie on them.

    Parameters
    ----------
    axes : tuple of two Axis
        The features.
    places : tuple of two ndarrays of int
        Positions shown, as places on each axis.
    share : ndarray of float64, shape [A, B]
        Weighted share of the rows nearest to each cell.
    rows : ndarray of int, shape [A, B]
        Rows nearest to each cell.
    """

    axes: tuple[Axis, Axis]
    places: tuple[np.ndarray, np.ndarray]
    share: Floats
    rows: np.ndarray


def lay_plane(first: Axis, second: Axis) -> Plane:
    """Choose the positions of two features that a surface shows.

    Parameters
    ----------
    first, second : Axis
        The features; of a number every so many of its positions, both ends kept, of levels the most frequent.
    """
    places = (_choose_places(first), _choose_places(second))
    cells = tuple(_nearest(axis, at) for axis, at in zip((first, second), places, strict=True))
    shape = (places[0].size, places[1].size)
    inside = (cells[0] >= 0) & (cells[1] >= 0)
    flat = cells[0][inside] * shape[1] + cells[1][inside]
    size = shape[0] * shape[1]
    share = np.bincount(flat, first.weights[inside], minlength=size).astype(np.float64)
    return Plane((first, second), places, share.reshape(shape), np.bincount(flat, minlength=size).reshape(shape))


def _choose_places(axis: Axis) -> np.ndarray:
    if axis.kind == "category":
        return np.arange(min(axis.grid.size, MOST_PLACES))
    wanted = np.linspace(0, axis.grid.size - 1, min(axis.grid.size, MOST_PLACES))
    return np.unique(wanted.round().astype(np.intp))


def _nearest(axis: Axis, places: np.ndarray) -> np.ndarray:
    """Return the nearest shown position of each row, -1 where it is missing or its level is not shown."""
    known = ~np.isnan(axis.x)
    if axis.kind == "category":
        x = np.where(known, axis.x, -1).astype(np.intp)
        return np.where(x < places.size, x, -1)
    grid = axis.grid[places]
    middles = (grid[:-1] + grid[1:]) / 2
    return np.where(known, np.searchsorted(middles, np.where(known, axis.x, 0.0)), -1)


def choose_pairs(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """Return the features of the strongest interactions, each once: of surrogates, where these hold any.

    Parameters
    ----------
    pairs : sequence of Pair
        Interactions of all glass boxes, the strongest first.
    """
    own = [pair for pair in pairs if pair.model.endswith("_surrogate")] or list(pairs)
    chosen: list[tuple[str, str]] = []
    for pair in own:
        if pair.features not in chosen and pair.features[::-1] not in chosen:
            chosen.append(pair.features)
    return chosen[:MOST_SURFACES]


def draw_glass_surface(
    pair: PairTerm, model: str, encoder: Encoder, plane: Plane, centre: float, importance: float
) -> PairSurface:
    """Return a glass box's interaction as a surface.

    Parameters
    ----------
    pair : PairTerm
        The interaction.
    model : str
        The glass box.
    encoder : Encoder
        Its codes.
    plane : Plane
        Positions, its first feature across.
    centre : float
        Mean of the interaction over the audited rows.
    importance : float
        Mean absolute contribution.
    """
    first, second = (axis.feature for axis in plane.axes)
    codes = {axis.feature: _codes_at(axis, at, encoder) for axis, at in zip(plane.axes, plane.places, strict=True)}
    shape = plane.share.shape
    encoded = np.zeros((shape[0] * shape[1], len(encoder.codes)))
    encoded[:, encoder.names.index(first)] = np.repeat(codes[first], shape[1])
    encoded[:, encoder.names.index(second)] = np.tile(codes[second], shape[0])
    values = pair.look_up(encoded).reshape(shape) - centre
    return _as_record(plane, model, values, importance)


def _codes_at(axis: Axis, places: np.ndarray, encoder: Encoder) -> Floats:
    if axis.kind == "numeric":
        grid: Floats = axis.grid[places]
        return grid
    code = encoder.codes[encoder.names.index(axis.feature)]
    position = {level: float(i) for i, level in enumerate(code.levels)} if isinstance(code, LevelCode) else {}
    return np.array([position.get(axis.levels[place], -1.0) for place in places.tolist()])


def draw_own_surface(link: Link, plane: Plane, sample: Sample, most_questions: int) -> PairSurface:
    """Return the black box's own joint effect of two features beyond the effects of each.

    Parameters
    ----------
    link : callable
        Frame to link scores, shape [rows].
    plane : Plane
        Positions.
    sample : Sample
        Rows to ask about; as many as the questions allow, evenly spread.
    most_questions : int
        Most questions.

    Notes
    -----
    Partial dependence of both features at once (Friedman and Popescu 2008, Annals of Applied Statistics 2:916), made
    pure over the audited rows (Lengerich et al. 2020), so that it stands beside the glass boxes' pure pairs. A black
    box without this interaction gives 0 everywhere, whatever rows are asked.
    """
    from interpret.utils import purify

    mean = _ask_plane(link, plane, sample, most_questions)
    pure, _, _ = purify(mean, np.maximum(plane.share, 1e-9 / plane.share.size), is_randomized=False)
    importance = float((plane.share * np.abs(pure)).sum() / max(float(plane.share.sum()), 1e-300))
    return _as_record(plane, "black_box", pure, importance)


def _ask_plane(link: Link, plane: Plane, sample: Sample, most_questions: int) -> Floats:
    """Return the mean score with both features set to each cell."""
    cells = plane.share.size
    size = min(len(sample.rows), max(FEWEST_ASKED, most_questions // cells))
    some = np.unique(np.linspace(0, len(sample.rows) - 1, size).round().astype(np.intp))
    frame = sample.frame.take(some).reset_index(drop=True)
    first, second = plane.axes
    a = np.repeat(values_at(first, sample.frame[first.feature])[plane.places[0]], plane.places[1].size)
    b = np.tile(values_at(second, sample.frame[second.feature])[plane.places[1]], plane.places[0].size)
    weights = first.weights[sample.rows[some]]
    answers = np.empty(cells * some.size)
    per_batch = max(1, BATCH // cells)
    for begin in range(0, some.size, per_batch):
        part = frame.iloc[begin : begin + per_batch]
        asked = part.take(np.repeat(np.arange(len(part)), cells)).reset_index(drop=True)
        _put(asked, first, np.tile(a, len(part)))
        _put(asked, second, np.tile(b, len(part)))
        answers[begin * cells : (begin + len(part)) * cells] = link(asked)
    mean: Floats = (weights / weights.sum()) @ answers.reshape(some.size, cells)
    return np.ascontiguousarray(mean.reshape(plane.share.shape))


def _put(asked: pd.DataFrame, axis: Axis, values: np.ndarray) -> None:
    import pandas as pd

    asked[axis.feature] = pd.Series(values, dtype=asked[axis.feature].dtype if axis.levels else np.float64)


def _as_record(plane: Plane, model: str, values: Floats, importance: float) -> PairSurface:
    across, down = (_name_places(axis, at) for axis, at in zip(plane.axes, plane.places, strict=True))
    shown = plane.rows >= RARE
    cells = tuple(
        tuple(round(float(values[i, j]), DIGITS) + 0.0 if shown[i, j] else None for i in range(values.shape[0]))
        for j in range(values.shape[1])
    )
    first, second = (axis.feature for axis in plane.axes)
    return PairSurface(
        features=(first, second), model=model, across=across, down=down, values=cells, importance=importance
    )


def _name_places(axis: Axis, places: np.ndarray) -> tuple[float, ...] | tuple[str, ...]:
    if axis.kind == "numeric":
        return tuple(float(x) for x in axis.grid[places])
    return tuple(axis.levels[place] for place in places.tolist())


def planes_of(chosen: Sequence[tuple[str, str]], axes: Mapping[str, Axis]) -> dict[tuple[str, str], Plane]:
    """Return the plane of each chosen pair whose features both have positions."""
    return {
        pair: lay_plane(axes[pair[0]], axes[pair[1]])
        for pair in chosen
        if axes[pair[0]].grid.size >= 2 and axes[pair[1]].grid.size >= 2
    }
