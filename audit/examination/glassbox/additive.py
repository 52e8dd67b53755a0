"""Our additive neural net, solved: tables on knots, smooth by themselves, with bands.

Comes in: encoded rows and a target (a label, or the black box's score for a surrogate). Goes out: a `TableBox` with one
centred table per feature, its pointwise band, and pairs where they help. The same net as a torch module stands in
`net`; its forward pass gives the same numbers, because a hinge layer with fixed knots and a linear output layer is
exactly a piecewise linear table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .bands import BAND_WORDS, BandKind, standard_errors
from .choice import choose_pairs
from .encoder import Encoder, Floats, LevelCode
from .ground import Ground, lay_ground
from .pairs import purify_pairs
from .shapes import Link, TableBox, Term
from .softmax import solve_classes
from .solver import STEPS, Family, Problem, Solution, solve_tables

NET_METHOD = "additive net term"
LEARN_ROWS = {"binary": 12_000, "multiclass": 12_000, "regression": 40_000}
"""Rows on which penalties and pairs are learned where there are half as many more."""

NORMAL_975 = 1.959963984540054
NEARLY_FULL = 0.7
"""A number that uses more than this share of its smooth directions gets a coefficient for every knot."""

LACK = 2.0
"""So does one whose knots' residuals are larger than chance by so many standard deviations: spikes, jumps."""

SEPARATED = 0.02
"""Mean log-loss below which labels count as separated: the curvature, and with it every band, then means nothing."""


@dataclass(frozen=True, slots=True)
class NetOrder:
    """How to fit.

    Parameters
    ----------
    name : str
        Name of the glass box.
    family : {"binary", "multiclass", "regression"}
        Kind of target.
    band : {"laplace", "sandwich", "none"}
        Laplace for a label; sandwich for a surrogate, whose target has no noise and whose residual is misfit.
    monotone : mapping of str to str
        Feature to ``increasing`` or ``decreasing``: imposed.
    pairs : int
        Most pairs; how many are kept is chosen on the rows themselves.
    all_pairs : bool
        Whether that many are kept without choosing.
    classes : tuple of str
        Names of the classes of a multiclass target.
    """

    name: str
    family: Family
    band: BandKind = "laplace"
    monotone: Mapping[str, str] | None = None
    pairs: int = 0
    all_pairs: bool = False
    classes: tuple[str, ...] = ()


Begun = tuple[Solution, ...]


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
    """Fit the additive net with one output.

    Parameters
    ----------
    encoder : Encoder
        Knots and levels.
    encoded : ndarray of float64, shape [n, features]
        Rows.
    target : ndarray of float64, shape [n]
        0/1 with both present (binary), or numbers.
    order : NetOrder
        Name, family, band, imposed directions, pairs.
    rng : numpy.random.Generator
        Draws the rows on which penalties are learned where there are many, and those that judge pairs.
    weights : ndarray of float64, shape [n], optional
        Row weights; with them a Laplace band becomes a sandwich, which does not take weights for counts of people.
    start : Solution, optional
        Where to begin, from a fit with the same encoder.

    Returns
    -------
    TableBox, Solution
        The glass box, and the solution that a further fit may start from.
    """
    boxes, solutions = fit_outputs(
        encoder, encoded, target, order, rng=rng, weights=weights, start=None if start is None else (start,)
    )
    return boxes[0], solutions[0]


def fit_outputs(
    encoder: Encoder,
    encoded: Floats,
    target: Floats,
    order: NetOrder,
    *,
    rng: np.random.Generator,
    weights: Floats | None = None,
    start: Begun | None = None,
) -> tuple[tuple[TableBox, ...], Begun]:
    """Fit the additive net with one output, or with one per class on a shared softmax.

    Parameters
    ----------
    encoder, encoded, order, rng, weights
        As in `fit_additive`.
    target : ndarray of float64, shape [n]
        0/1, numbers, or positions among ``order.classes``.
    start : tuple of Solution, optional
        One per output.

    Returns
    -------
    boxes, solutions
        One per output; for several classes the scores are to be put through a softmax.
    """
    even = np.ones(target.size) if weights is None else weights / weights.mean()
    ground = lay_ground(encoder, encoded, even, order.monotone or {})
    limit = LEARN_ROWS[order.family]
    some = ground
    part = np.arange(target.size)
    if target.size > 1.5 * limit:
        part = np.sort(rng.choice(target.size, limit, replace=False))
        some = lay_ground(encoder, encoded[part], even[part], order.monotone or {})
    some, problems, solutions = _learn_curves(some, target[part], order, start)
    plans, solutions = choose_pairs(some, problems, solutions, target[part], order.pairs, order.all_pairs, rng)
    learned_on_all = some.weights.size == target.size
    if plans or not learned_on_all:
        whole = (some if learned_on_all else ground).with_plans(plans).with_basis(solutions[0].basis)
        logistic = order.family != "regression"
        problems, solutions = _solve(whole, target, order, solutions, learn=not logistic and not plans)
        ground = whole
    else:
        ground = some
    return _as_boxes(ground, problems, solutions, order, weighted=weights is not None), tuple(solutions)


def _learn_curves(
    ground: Ground, target: Floats, order: NetOrder, start: Begun | None
) -> tuple[Ground, list[Problem], list[Solution]]:
    """Learn strengths with few coefficients; then again with all knots where those few were used up."""
    ground = ground.with_full(() if start is None else start[0].basis.full)
    problems, solutions = _solve(ground, target, order, start, learn=True)
    if start is not None:
        return ground, problems, solutions
    tight = frozenset(
        j
        for block, j in ground.curves()
        if max(float(s.freedom[block.columns].sum()) for s in solutions) > NEARLY_FULL * block.size
        or any(_lacks_fit(p, s, ground.slots[j].main) for p, s in zip(problems, solutions, strict=True))
    )
    if not tight:
        return ground, problems, solutions
    ground = ground.with_full(tight)
    return ground, *_solve(ground, target, order, solutions, learn=True)


def _lacks_fit(problem: Problem, solution: Solution, knots: slice) -> bool:
    """Return whether residuals pull at a number's knots more than chance would: a score test for all its knots.

    Each knot's pull, squared over its variance, is at most one on average where the curve fits.
    """
    mean = problem.mean(problem.score(solution.coefficients))
    curve = problem.weights * (mean * (1.0 - mean) if problem.logistic else solution.scale)
    back = problem.rows.design[:, knots].T
    pull, variance = back @ (problem.weights * (problem.target - mean)), back @ curve
    held = variance > 1e-9 * variance.max(initial=0.0)
    count = float(held.sum())
    return bool((pull[held] ** 2 / variance[held]).sum() > count + LACK * np.sqrt(2.0 * count))


def _solve(
    ground: Ground,
    target: Floats,
    order: NetOrder,
    start: Sequence[Solution] | None,
    *,
    learn: bool,
    steps: int = STEPS,
) -> tuple[list[Problem], list[Solution]]:
    if order.family == "multiclass":
        posed = [ground.pose((target == c).astype(np.float64), logistic=True) for c in range(len(order.classes))]
        return solve_classes(posed, start=start, learn=learn, steps=steps)
    problem = ground.pose(target, logistic=order.family == "binary")
    begun = None if start is None else start[0]
    return [problem], [solve_tables(problem, start=begun, learn=learn, steps=steps)]


def _as_boxes(
    ground: Ground, problems: list[Problem], solutions: list[Solution], order: NetOrder, *, weighted: bool
) -> tuple[TableBox, ...]:
    kind: BandKind = "sandwich" if weighted and order.band == "laplace" else order.band
    notes = _describe_trouble(order, problems, solutions)
    if kind == "laplace" and _are_separated(problems, solutions):
        kind = "none"
    boxes = []
    for c, (problem, solution) in enumerate(zip(problems, solutions, strict=True)):
        errors = standard_errors(problem, solution, kind)
        tables = ground.centred(solution.tables)
        boxes.append(box_of_tables(ground, tables, errors, order, c, BAND_WORDS[kind], notes))
    return tuple(boxes)


LINKS: dict[Family, Link] = {"binary": "logit", "multiclass": "softmax", "regression": "identity"}


def box_of_tables(
    ground: Ground,
    tables: Floats,
    errors: Floats | None,
    order: NetOrder,
    output: int,
    band: str,
    notes: tuple[str, ...] = (),
) -> TableBox:
    """Return stacked tables as a glass box, its pairs purified.

    Parameters
    ----------
    ground : Ground
        Rows and layout.
    tables : ndarray of float64, shape [slots + 1]
        Centred tables, those of pairs, the intercept.
    errors : ndarray of float64, same shape, or None
        Standard errors.
    order : NetOrder
        Name, family, classes.
    output : int
        Which output.
    band : str
        What the bands are; empty where there are none.
    notes : tuple of str
        Cautions.
    """
    terms, pairs, constant = purify_pairs(
        ground.encoder, ground.plans, *ground.pair_parts(tables), _list_terms(ground, tables, errors)
    )
    return TableBox(
        name=order.name,
        link_name=LINKS[order.family],
        encoder=ground.encoder,
        intercept=float(tables[-1]) + constant,
        terms=terms,
        pairs=pairs,
        method=NET_METHOD,
        band=band,
        band_is_interval=bool(band),
        rows=ground.weights.size,
        notes=notes,
        output=order.classes[output] if order.classes else "",
    )


def _are_separated(problems: list[Problem], solutions: list[Solution]) -> bool:
    """Return whether the labels are told apart without error, so that the likelihood has hardly any curvature left."""
    for problem, solution in zip(problems, solutions, strict=True):
        if not problem.logistic:
            return False
        if problem.loss(problem.score(solution.coefficients)) / problem.weights.sum() < SEPARATED:
            return True
    return False


def _describe_trouble(order: NetOrder, problems: list[Problem], solutions: list[Solution]) -> tuple[str, ...]:
    notes = []
    if not all(solution.converged for solution in solutions):
        steps = max(solution.steps for solution in solutions)
        notes.append(f"{order.name}: smoothing had not come to rest after {steps} steps")
    if _are_separated(problems, solutions):
        notes.append(
            f"{order.name}: the features tell the labels apart almost without error; how steep a curve is, is then "
            "held by its smoothness alone, and it carries no band"
        )
    return tuple(notes)


def _list_terms(ground: Ground, tables: Floats, errors: Floats | None) -> tuple[Term, ...]:
    terms = []
    for code, block in zip(ground.encoder.codes, ground.slots, strict=True):
        y = tables[block.main].copy()
        half = None if errors is None else NORMAL_975 * errors[block.main]
        level = isinstance(code, LevelCode)
        terms.append(
            Term(
                feature=code.name,
                form="level" if level else "linear",
                at=np.empty(0) if isinstance(code, LevelCode) else code.knots,
                levels=code.levels if isinstance(code, LevelCode) else (),
                y=y,
                missing=float(tables[block.missing]),
                unknown=float(tables[block.unknown]) if level else 0.0,
                low=None if half is None else y - half,
                high=None if half is None else y + half,
            )
        )
    return tuple(terms)
