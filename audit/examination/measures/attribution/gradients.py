"""Integrated gradients with as many nodes as a row needs, and expected gradients.

Comes in: a model, rows, a reference row or background rows. Goes out: an `Attribution`, or None where the format has no
gradients. Not a number of steps is promised but a tolerance: the nodes of a row are doubled until what its columns add
sums up to its score, and rows for which that is not reached are counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audit.errors import AuditError

from .attribution import Attribution, Floats, spread_of
from .line import Line, open_line

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 0.01
"""Largest distance of a sum from its score, in standard deviations of the scores."""
FIRST_NODES = 8
MOST_NODES = 512
STUCK = 0.9
"""What is left of the distance after the nodes were doubled, from which on more of them are of no use; kinks halve."""
TRIAL_NODES = 64
"""Nodes after which a sum that has not come nearer will not."""


def integrate_gradients(
    blackbox: object,
    frame: pd.DataFrame,
    baseline: pd.DataFrame,
    *,
    tolerance: float = TOLERANCE,
    nodes: int | None = None,
    spread: float | None = None,
) -> Attribution | None:
    """Attribute each score by integrated gradients (Sundararajan, Taly and Yan 2017), Gauss-Legendre nodes.

    Parameters
    ----------
    blackbox : BlackBox
        The model.
    frame : pandas.DataFrame, shape [n, ...]
        Rows to explain.
    baseline : pandas.DataFrame, shape [1, ...]
        The reference row that every sum starts from.
    tolerance : float
        Largest distance of a sum from its score, in units of `spread`.
    nodes : int, optional
        As many nodes for every row, whatever the distance.
    spread : float, optional
        Unit of the tolerance, link scale; the standard deviation of the scores of these rows where not given.

    Returns
    -------
    Attribution or None
        None without gradients. `Attribution.unfinished` counts the rows that miss the tolerance; where they are many
        (`Attribution.holds` is False) something in the net does not move with the line, such as codes that are not
        looked up in a table, and the values do not explain the score.
    """
    line = open_line(blackbox, frame, baseline)
    if line is None:
        return None
    unit = spread_of(line.link, line.base) if spread is None else spread
    # rounding of float32 in the net's own sums is no error of the integral
    allowed = max(tolerance * unit, 1e-6 * (1.0 + float(np.abs(line.link).max(initial=0.0))))
    try:
        values, asked = _integrate_fixed(line, nodes) if nodes else _integrate_adaptively(line, allowed)
    except (AuditError, RuntimeError, ValueError):
        return None
    missed = np.abs(line.base + values.sum(axis=1) - line.link) > allowed
    return Attribution(
        columns=line.columns,
        values=values,
        se=None,
        base=line.base,
        link=line.link,
        method="integrated_gradients",
        evaluations=asked + line.rows + 1,
        unfinished=int(missed.sum()),
    )


def place_nodes(nodes: int) -> tuple[Floats, Floats]:
    """Return Gauss-Legendre nodes and weights on the line from 0 to 1, shape [nodes] each.

    Examples
    --------
    >>> at, weight = place_nodes(4)
    >>> bool(abs((weight * at**7).sum() - 1 / 8) < 1e-12)
    True
    """
    at, weight = np.polynomial.legendre.leggauss(nodes)
    return np.asarray(0.5 * (at + 1.0)), np.asarray(0.5 * weight)


def _integrate_fixed(line: Line, nodes: int) -> tuple[Floats, int]:
    return line.integrate(np.arange(line.rows), *place_nodes(nodes)), nodes * line.rows


def _integrate_adaptively(line: Line, allowed: float) -> tuple[Floats, int]:
    """Double the nodes of every row whose sum is too far off; return values and gradients taken."""
    values = np.zeros((line.rows, len(line.columns)))
    error = np.full(line.rows, np.inf)
    todo, nodes, asked = np.arange(line.rows), FIRST_NODES, 0
    while todo.size and nodes <= MOST_NODES:
        found = line.integrate(todo, *place_nodes(nodes))
        asked += nodes * todo.size
        distance = np.abs(line.base[todo] + found.sum(axis=1) - line.link[todo])
        better = distance < error[todo]
        if nodes >= TRIAL_NODES and np.median(distance) > STUCK * np.median(error[todo]) and 2 * todo.size > line.rows:
            # most rows do not come nearer with more nodes: what they lack does not lie on the line
            nodes = MOST_NODES
        values[todo[better]], error[todo[better]] = found[better], distance[better]
        todo, nodes = todo[error[todo] > allowed], 2 * nodes
    return values, asked


def expect_gradients(
    blackbox: object, frame: pd.DataFrame, background: pd.DataFrame, *, draws: int, rng: np.random.Generator
) -> Attribution | None:
    """Attribute each score by expected gradients, which captum calls GradientShap (Erion and others 2021).

    Parameters
    ----------
    blackbox : BlackBox
        The model.
    frame : pandas.DataFrame, shape [n, ...]
        Rows to explain.
    background : pandas.DataFrame, shape [b, ...]
        Rows of which each draw takes one as its reference.
    draws : int
        References per row, each with one place on the line to it.
    rng : numpy.random.Generator
        Source of chance; captum draws from global generators, which nothing here may do.

    Returns
    -------
    Attribution or None
        None without gradients. Places are spread evenly over the line, one in each of `draws` equal parts.
    """
    n, places = len(frame), None
    parts, bases, line = [], [], None
    order = rng.permuted(np.tile(np.arange(draws), (n, 1)), axis=1)
    places = (order + rng.random((n, draws))) / draws
    for k in range(draws):
        line = open_line(blackbox, frame, background.iloc[rng.integers(0, len(background), n)])
        if line is None:
            return None
        parts.append(line.integrate(np.arange(n), places[:, k : k + 1], np.ones((n, 1))))
        bases.append(line.base)
    drawn = np.stack(parts)
    assert line is not None
    return Attribution(
        columns=line.columns,
        values=drawn.mean(axis=0),
        se=drawn.std(axis=0, ddof=1) / np.sqrt(draws) if draws > 1 else None,
        base=np.mean(bases, axis=0),
        link=line.link,
        method="gradient_shap",
        evaluations=n * draws,
    )
