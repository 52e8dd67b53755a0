"""Our additive neural net, solved: tables on knots, smooth by themselves, with bands.

Comes in: encoded rows and a target (a label, or the black box's score for a surrogate). Goes out: a `TableBox` with one
centred table per feature and a pointwise band. The same net as a torch module stands in `net`; its forward pass gives
the same numbers, because a hinge layer with fixed knots and a linear output layer is exactly a piecewise linear table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .constraint import Chain
from .design import SlotBlock, build_design, lay_out
from .encoder import Encoder, Floats, LevelCode
from .penalty import centre_weights, list_smooths
from .shapes import TableBox, Term
from .solver import Family, Problem, Solution, solve_tables

NET_METHOD = "additive net term"
LEARN_ROWS = 12_000
LEVERAGE_ROWS = 8_192
NORMAL_975 = 1.959963984540054

BandKind = Literal["laplace", "sandwich", "none"]

BAND_WORDS = {
    "laplace": "pointwise 95 %, Laplace",
    "sandwich": "pointwise 95 %, sandwich estimate with smoothing bias",
    "none": "",
}


@dataclass(frozen=True, slots=True)
class NetOrder:
    """How to fit.

    Parameters
    ----------
    name : str
        Name of the glass box.
    family : {"binary", "regression"}
        Kind of target.
    band : {"laplace", "sandwich", "none"}
        Laplace for a label; sandwich for a surrogate, whose target has no noise and whose residual is misfit.
    monotone : mapping of str to str
        Feature to ``increasing`` or ``decreasing``: imposed.
    """

    name: str
    family: Family
    band: BandKind = "laplace"
    monotone: Mapping[str, str] | None = None


def fit_additive(
    encoder: Encoder,
    encoded: Floats,
    target: Floats,
    order: NetOrder,
    *,
    rng: np.random.Generator,
    weights: Floats | None = None,
    start: Solution | None = None,
) -> tuple[TableBox, Solution]:
    """Fit the additive net.

    Parameters
    ----------
    encoder : Encoder
        Knots and levels.
    encoded : ndarray of float64, shape [n, features]
        Rows.
    target : ndarray of float64, shape [n]
        0/1 with both present (binary), or numbers.
    order : NetOrder
        Name, family, band, imposed directions.
    rng : numpy.random.Generator
        Draws the rows on which penalties are learned where there are many.
    weights : ndarray of float64, shape [n], optional
        Row weights; with them a Laplace band becomes a sandwich, which does not take weights for counts of people.
    start : Solution, optional
        Where to begin, from a fit with the same encoder.

    Returns
    -------
    TableBox, Solution
        The glass box, and the solution that a further fit may start from.
    """
    blocks = lay_out(encoder)
    problem = _pose(encoder, blocks, encoded, target, order, weights)
    if order.family == "binary" and target.size > 1.5 * LEARN_ROWS:
        some = np.sort(rng.choice(target.size, LEARN_ROWS, replace=False))
        part = _pose(encoder, blocks, encoded[some], target[some], order, None if weights is None else weights[some])
        learned = solve_tables(part, start=start)
        solution = solve_tables(problem, start=learned, learn=False, steps=12)
    else:
        solution = solve_tables(problem, start=start)
    kind: BandKind = "sandwich" if weights is not None and order.band == "laplace" else order.band
    errors = _standard_errors(problem, solution, kind)
    return _as_tables(encoder, blocks, order, solution, errors, kind, target.size), solution


def _pose(
    encoder: Encoder,
    blocks: tuple[SlotBlock, ...],
    encoded: Floats,
    target: Floats,
    order: NetOrder,
    weights: Floats | None,
) -> Problem:
    design = build_design(encoder, blocks, encoded)
    even = np.ones(target.size) if weights is None else weights / weights.mean()
    return Problem(
        design=design,
        target=target,
        weights=even,
        family=order.family,
        smooths=list_smooths(encoder, blocks, encoded),
        centre=centre_weights(blocks, np.asarray(design.T @ even)),
        blocks=tuple(block.all for block in blocks),
        chains=_list_chains(encoder, blocks, order.monotone or {}),
    )


def _list_chains(encoder: Encoder, blocks: tuple[SlotBlock, ...], monotone: Mapping[str, str]) -> tuple[Chain, ...]:
    """Return the imposed orders; a category has none to impose, a boolean goes from False to True."""
    chains = []
    for code, block in zip(encoder.codes, blocks, strict=True):
        direction = monotone.get(code.name, "")
        ordered = not isinstance(code, LevelCode) or code.levels == ("False", "True")
        if direction and ordered and block.size >= 2:
            chains.append(Chain(block.start, block.start + block.size, 1 if direction == "increasing" else -1))
    return tuple(chains)


def _standard_errors(problem: Problem, solution: Solution, kind: BandKind) -> Floats | None:
    """Return the pointwise standard error of every centred slot, shape [p].

    Notes
    -----
    Laplace: the inverse penalised curvature times the residual variance (Wood 2017, Generalized Additive Models, 6.10).
    Sandwich: ``V (A' diag(w r / (1 - h))^2 A + scale S) V``: residuals `r` are set right for their leverage `h` (HC3,
    MacKinnon & White 1985), without which a few rows at the end of a curve would seem to be fitted without error;
    the second part is the smoothing bias in the mean square, as in Nychka's argument for bands that are right on
    average along the curve.
    """
    if kind == "none":
        return None
    inverse = solution.inverse
    laplace = kind == "laplace"
    covariance = inverse * solution.scale if laplace else inverse @ _middle(problem, solution) @ inverse
    errors = np.zeros(inverse.shape[0])
    for block in problem.blocks:
        share = problem.centre[block]
        part = covariance[block, block]
        across = part @ share
        variance = np.diag(part) - 2 * across + float(share @ across)
        errors[block] = np.sqrt(np.maximum(variance, 0.0))
    return errors


def _middle(problem: Problem, solution: Solution) -> Floats:
    fitted = problem.design @ solution.tables
    mean = 1.0 / (1.0 + np.exp(-fitted)) if problem.family == "binary" else fitted
    curve = problem.weights * (mean * (1.0 - mean) if problem.family == "binary" else 1.0)
    left = np.maximum(1.0 - curve * _leverage(problem.design, solution.inverse), 0.05)
    pulls = (problem.weights * (problem.target - mean) / left) ** 2
    meat: Any = problem.design.T @ problem.design.multiply(pulls[:, None]).tocsr()
    middle: Floats = meat.toarray() + solution.scale * solution.penalty
    return middle


def _leverage(design: Any, inverse: Floats) -> Floats:
    """Return ``a' V a`` of every row `a`, shape [n], a few thousand rows at a time."""
    parts = []
    for begin in range(0, design.shape[0], LEVERAGE_ROWS):
        rows = design[begin : begin + LEVERAGE_ROWS]
        parts.append(np.asarray(rows.multiply(rows @ inverse).sum(axis=1)).ravel())
    return np.concatenate(parts)


def _as_tables(
    encoder: Encoder,
    blocks: tuple[SlotBlock, ...],
    order: NetOrder,
    solution: Solution,
    errors: Floats | None,
    kind: BandKind,
    rows: int,
) -> TableBox:
    terms = []
    for code, block in zip(encoder.codes, blocks, strict=True):
        y = solution.tables[block.main].copy()
        half = None if errors is None else NORMAL_975 * errors[block.main]
        level = isinstance(code, LevelCode)
        terms.append(
            Term(
                feature=code.name,
                form="level" if level else "linear",
                at=np.empty(0) if isinstance(code, LevelCode) else code.knots,
                levels=code.levels if isinstance(code, LevelCode) else (),
                y=y,
                missing=float(solution.tables[block.missing]),
                unknown=float(solution.tables[block.unknown]) if level else 0.0,
                low=None if half is None else y - half,
                high=None if half is None else y + half,
            )
        )
    notes = (
        () if solution.converged else (f"{order.name}: smoothing had not come to rest after {solution.steps} steps",)
    )
    return TableBox(
        name=order.name,
        link_name="logit" if order.family == "binary" else "identity",
        encoder=encoder,
        intercept=float(solution.tables[-1]),
        terms=tuple(terms),
        method=NET_METHOD,
        band=BAND_WORDS[kind],
        band_is_interval=kind != "none",
        rows=rows,
        notes=notes,
    )
