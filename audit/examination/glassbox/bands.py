"""How sure each point of a table is: Laplace where the target is noisy, a sandwich where it is not.

Comes in: a solved problem. Goes out: one standard error per slot of every centred table.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from .encoder import Floats
from .solver import Problem, Solution

BandKind = Literal["laplace", "sandwich", "none"]

BAND_WORDS: dict[BandKind, str] = {
    "laplace": "pointwise 95 %, Laplace",
    "sandwich": "pointwise 95 %, sandwich estimate with smoothing bias",
    "none": "",
}


def standard_errors(problem: Problem, solution: Solution, kind: BandKind) -> Floats | None:
    """Return the pointwise standard error of every centred slot, shape [slots + 1]; None where no band is asked for.

    Parameters
    ----------
    problem : Problem
        What was solved, on the rows that count.
    solution : Solution
        Its solution.
    kind : {"laplace", "sandwich", "none"}
        Which.

    Notes
    -----
    Laplace: the inverse penalised curvature times the residual variance (Wood 2017, Generalized Additive Models, 6.10).
    Sandwich: ``V (Z' diag(w r / (1 - h))^2 Z + scale S) V``: residuals `r` are set right for their leverage `h` (HC3,
    MacKinnon & White 1985), without which a few rows at the end of a curve would seem to be fitted without error;
    the second part is the smoothing bias in the mean square, as in Nychka's argument for bands that are right on
    average along the curve.
    """
    if kind == "none":
        return None
    parts = _sandwich(problem, solution) if kind == "sandwich" else _laplace(solution)
    errors = np.zeros(solution.basis.slots + 1)
    for block, part in zip(solution.basis.blocks, parts, strict=True):
        share = problem.centre[block.slots]
        if block.matrix is not None:
            part = block.matrix @ part @ block.matrix.T
        across = part @ share
        variance = np.diag(part) - 2 * across + float(share @ across)
        errors[block.slots] = np.sqrt(np.maximum(variance, 0.0))
    return errors


def _laplace(solution: Solution) -> list[Floats]:
    """Return the covariance of each block's coefficients."""
    return [solution.inverse[block.columns, block.columns] * solution.scale for block in solution.basis.blocks]


def _sandwich(problem: Problem, solution: Solution) -> list[Floats]:
    """Return the same by the sandwich: only what stands on its diagonal is ever added up."""
    inverse, places = solution.inverse, [block.columns for block in solution.basis.blocks]
    rough = solution.scale * (solution.penalty @ inverse)
    parts = [inverse[place] @ rough[:, place] for place in places]
    mean = problem.mean(problem.score(solution.coefficients))
    curve = problem.weights * (mean * (1.0 - mean) if problem.logistic else 1.0)
    pull = problem.weights * (problem.target - mean)
    for rows, part in problem.rows.slabs():
        reach = part @ inverse
        # the leverage of a row z is z' V z times its weight
        held = np.einsum("ij,ij->i", reach, part) * curve[rows]
        reach *= (pull[rows] / np.maximum(1.0 - held, 0.05))[:, None]
        for total, place in zip(parts, places, strict=True):
            total += reach[:, place].T @ reach[:, place]
    return parts
