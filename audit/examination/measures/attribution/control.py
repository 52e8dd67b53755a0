"""A glass box as control variate: its own Shapley values are known exactly, so what chance does to it can be taken out.

Comes in: a glass box of tables, rows and background. Goes out: for each row and drawn background row what the box adds
by column, less its exact mean over the whole background. The game of a box with terms of one and two features against
one background row has Shapley values in closed form, which no order of the columns changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.examination.glassbox.glassbox import GlassBox
from audit.examination.glassbox.shapes import PairTerm

from .attribution import Floats

if TYPE_CHECKING:
    import pandas as pd


def center_control(
    box: GlassBox, frame: pd.DataFrame, background: pd.DataFrame, columns: tuple[str, ...], picks: NDArray[np.int64]
) -> Floats:
    """Return a box's contributions against drawn background rows, less their mean over all of it.

    Parameters
    ----------
    box : GlassBox
        Terms of one and of two features.
    frame, background : pandas.DataFrame, shapes [n, ...] and [b, ...]
        Rows to explain and the whole background.
    columns : tuple of str
        Columns that contributions are asked for; terms of others are left out.
    picks : ndarray of int64, shape [n, k]
        Drawn background rows.

    Returns
    -------
    ndarray of float64, shape [n, k, columns]
        Its mean over the background is zero for every row and column.
    """
    own, others = box.encoder.encode(frame), box.encoder.encode(background)
    found = np.zeros((*picks.shape, len(columns)))
    for j, term in enumerate(box.terms):
        if term.feature in columns:
            there = term.look_up(others[:, j])
            found[:, :, columns.index(term.feature)] += there.mean() - there[picks]
    for pair in box.pairs:
        if set(pair.features) <= set(columns):
            first, second = (columns.index(name) for name in pair.features)
            halves = _split_pair(pair, own, others)
            for column, all_rows in zip((first, second), halves, strict=True):
                drawn = np.take_along_axis(all_rows, picks, axis=1)
                found[:, :, column] += drawn - all_rows.mean(axis=1, keepdims=True)
    return found


def explain_box(
    box: GlassBox, frame: pd.DataFrame, background: pd.DataFrame, columns: tuple[str, ...]
) -> tuple[Floats, Floats]:
    """Return a box's exact Shapley values, shape [n, columns], and its mean link over the background, shape [n].

    Parameters
    ----------
    box : GlassBox
        Terms of one and of two features.
    frame, background : pandas.DataFrame
        Rows to explain and background.
    columns : tuple of str
        The box's features among which its score is shared out.
    """
    own, others = box.encoder.encode(frame), box.encoder.encode(background)
    found = np.zeros((len(own), len(columns)))
    for j, term in enumerate(box.terms):
        if term.feature in columns:
            found[:, columns.index(term.feature)] += term.look_up(own[:, j]) - term.look_up(others[:, j]).mean()
    for pair in box.pairs:
        if set(pair.features) <= set(columns):
            for name, half in zip(pair.features, _split_pair(pair, own, others), strict=True):
                found[:, columns.index(name)] += half.mean(axis=1)
    return found, np.full(len(own), float(box.link_encoded(others).mean()))


def _split_pair(pair: PairTerm, own: Floats, others: Floats) -> tuple[Floats, Floats]:
    """Share a pair's change from each background row to each row out to its two features, shapes [n, b].

    Notes
    -----
    With ``h(x, x')`` for the row and ``h(b, b')`` for the background row: the first feature has half of
    ``h(x, b') - h(b, b') + h(x, x') - h(b, x')``, the second the rest.
    """
    first, second = pair.columns
    flat = replace(pair, columns=(0, 1))
    n, b = len(own), len(others)

    def look_up(left: Floats, right: Floats) -> Floats:
        return flat.look_up(np.column_stack([left, right])).reshape(n, -1)

    both = flat.look_up(own[:, [first, second]])[:, None]
    none = flat.look_up(others[:, [first, second]])[None, :]
    mixed = look_up(np.repeat(own[:, first], b), np.tile(others[:, second], n))
    turned = look_up(np.tile(others[:, first], n), np.repeat(own[:, second], b))
    return 0.5 * (mixed - none + both - turned), 0.5 * (turned - none + both - mixed)
