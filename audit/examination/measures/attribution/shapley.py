"""Column Shapley values of any model, by antithetic permutations, with a standard error for each value.

Comes in: a function from rows to links, rows to explain, background rows. Goes out: an `Attribution`. Columns are whole
(never pieces of a one-hot code), so that every format is explained alike. Each permutation is walked forwards and
backwards with the same background row, which takes out all interactions of two; background rows are used evenly;
a glass box, whose own values are known exactly, takes out what the choice of background rows does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.examination.glassbox.glassbox import GlassBox

from .attribution import Attribution, Floats
from .control import center_control
from .mixing import Link, Mixer, open_mixer

if TYPE_CHECKING:
    import pandas as pd

Whole = NDArray[np.int64]

BATCH = 16_384
"""Mixed rows that the model is asked about at once."""


def sample_shapley(
    link: Link,
    frame: pd.DataFrame,
    background: pd.DataFrame,
    *,
    permutations: int,
    rng: np.random.Generator,
    control: GlassBox | None = None,
) -> Attribution:
    """Attribute each score by Shapley values of its columns (Strumbelj and Kononenko 2014; interventional).

    Parameters
    ----------
    link : callable
        From rows to links; the bound ``link`` of a net is asked on encoded rows, which is much faster.
    frame : pandas.DataFrame, shape [n, columns]
        Rows to explain, with the columns that the model reads and no others.
    background : pandas.DataFrame, shape [b, columns]
        Whom they are compared with.
    permutations : int
        Permutations per row, walked in antithetic pairs (Mitchell and others 2022, JMLR 23:43); at least four.
    rng : numpy.random.Generator
        Source of chance.
    control : GlassBox, optional
        A glass box that follows the model; the better it does, the smaller the standard errors. It changes no value
        but by chance: its coefficient is estimated, and a useless box gets none.

    Returns
    -------
    Attribution
        Sums are exact. Standard errors come from the spread over pairs; where background rows are used evenly or the
        sum is corrected they are, if anything, too large.

    Raises
    ------
    ValueError
        No background row.
    """
    if len(background) == 0:
        raise ValueError("Shapley values need a background row")
    mixer = open_mixer(link, frame, background)
    n, pairs = len(frame), max(2, -(-permutations // 2))
    picks = deal_background(n, len(background), pairs, rng)
    here, there = mixer.ask_rows(), mixer.ask_background()
    drawn = _walk_all(mixer, picks, here, there, rng)
    if control is not None:
        drawn = _take_out(drawn, center_control(control, frame, background, mixer.columns, picks))
    values = drawn.mean(axis=1)
    se = drawn.std(axis=1, ddof=1) / np.sqrt(pairs)
    base = np.full(n, float(there.mean()))
    players = len(mixer.columns)
    return Attribution(
        columns=mixer.columns,
        values=_correct_sums(values, se, here - base),
        se=se,
        base=base,
        link=here,
        method="shapley",
        evaluations=n * (1 + pairs * 2 * max(players - 1, 0)) + len(background),
    )


def count_evaluations(players: int, permutations: int) -> int:
    """Return how often the model is asked for one row with so many columns."""
    return max(2, -(-permutations // 2)) * 2 * max(players - 1, 0) + 1


def deal_background(rows: int, size: int, pairs: int, rng: np.random.Generator) -> Whole:
    """Deal background rows out, shape [rows, pairs]: each is used as often as any other, up to one."""
    rounds = -(-pairs // size)
    order = np.tile(np.arange(size), (rows, 1))
    dealt = np.concatenate([rng.permuted(order, axis=1) for _ in range(rounds)], axis=1)
    return np.asarray(dealt[:, :pairs], dtype=np.int64)


def _walk_all(mixer: Mixer, picks: Whole, here: Floats, there: Floats, rng: np.random.Generator) -> Floats:
    """Return contributions of every row and pair of walks, shape [n, pairs, columns]."""
    n, pairs = picks.shape
    players = len(mixer.columns)
    rows, others = np.repeat(np.arange(n), pairs), picks.ravel()
    rank = rng.permuted(np.tile(np.arange(players, dtype=np.int16), (n * pairs, 1)), axis=1)
    step = max(1, BATCH // max(1, 2 * (players - 1)))
    parts = [
        walk_both_ways(mixer, rows[at : at + step], others[at : at + step], rank[at : at + step], here, there)
        for at in range(0, n * pairs, step)
    ]
    return np.concatenate(parts).reshape(n, pairs, players)


def walk_both_ways(
    mixer: Mixer, rows: Whole, others: Whole, rank: NDArray[np.int16], here: Floats, there: Floats
) -> Floats:
    """Return what each column adds on the way from background rows to rows, mean of a walk and its reverse.

    Parameters
    ----------
    mixer : Mixer
        The model on mixed rows.
    rows, others : ndarray of int64, shape [m]
        Rows and background rows.
    rank : ndarray of int16, shape [m, columns]
        Place of each column in its walk, from 0.
    here, there : ndarray of float64
        Links of all rows and of the whole background.
    """
    m, players = rank.shape
    cuts = np.arange(1, players, dtype=rank.dtype)
    ahead = rank[:, None, :] < cuts[None, :, None]
    taken = np.stack([ahead, ~ahead], axis=1).reshape(-1, players)
    each = 2 * (players - 1)
    asked = mixer.ask(np.repeat(rows, each), np.repeat(others, each), taken) if each else np.empty(0)
    found = asked.reshape(m, 2, players - 1)
    start, stop = there[others][:, None], here[rows][:, None]
    forward = np.diff(np.concatenate([start, found[:, 0], stop], axis=1), axis=1)
    # the complement of the first t columns is what the reverse walk has taken before its last t
    backward = -np.diff(np.concatenate([stop, found[:, 1], start], axis=1), axis=1)
    return np.asarray(np.take_along_axis(0.5 * (forward + backward), rank.astype(np.intp), axis=1))


def _take_out(drawn: Floats, control: Floats) -> Floats:
    """Subtract from each column what a control of known mean zero explains of it, all rows together."""
    centred = control - control.mean(axis=1, keepdims=True)
    spread = (centred**2).sum(axis=(0, 1))
    shared = (centred * drawn).sum(axis=(0, 1))
    slope = np.divide(shared, spread, out=np.zeros_like(shared), where=spread > 0)
    return np.asarray(drawn - slope * control)


def _correct_sums(values: Floats, se: Floats, wanted: Floats) -> Floats:
    """Spread what a row's sum lacks over its columns, most to those that chance moved most."""
    lacking = wanted - values.sum(axis=1)
    weight = se**2
    total = weight.sum(axis=1, keepdims=True)
    even = np.full_like(weight, 1.0 / weight.shape[1])
    share = np.divide(weight, total, out=even, where=total > 0)
    return np.asarray(values + share * lacking[:, None])
