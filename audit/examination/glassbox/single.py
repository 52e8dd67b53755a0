"""One fit of one glass box: which rows it sees, how many pairs it may choose, and what comes out of it.

Comes in: a `Task`, a tool, and the rows that may be used. Goes out: `Fitted`: one glass box per output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from audit.examination.data.split import stratified_sample

from .additive import NetOrder, fit_additive, fit_outputs
from .bands import BandKind
from .binned import BinnedRows
from .ebm import EbmOrder, fit_ebm, fit_ebm_classes
from .encoder import Encoder, Floats
from .shapes import TableBox
from .solver import Solution
from .tasks import Task, seeded_rng

ROW_LIMIT = {
    "ebm": {"fast": (10_000, 20_000), "standard": (20_000, 50_000), "thorough": (60_000, 120_000)},
    "net": {"fast": (50_000, 100_000), "standard": (100_000, 200_000), "thorough": (200_000, 400_000)},
}
"""Most rows that one fit sees, by tool and effort: a sixth of them, but not fewer than the first and not more than the
second number; beyond it a stratified sample, whose size is printed."""

NET_PAIRS = {
    "label": {"fast": 0, "standard": 5, "thorough": 10},
    "surrogate": {"fast": 5, "standard": 10, "thorough": 20},
}
"""Most pairs of an additive net; how many it keeps is chosen on the rows it is fitted on."""

FOLD_BAGS = 4
PARALLEL_FROM = 12_000
"""Rows from which on two processes are worth their start; below it, starting them takes as long as the fits."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all fits share.

    Parameters
    ----------
    encoder : Encoder
        The codes.
    effort : str
        Effort.
    seed : int
        Seed.
    monotone : mapping of str to str
        Imposed directions.
    jobs : int
        Processes for EBM's bags.
    tell : callable
        Called after every fit.
    """

    encoder: Encoder
    effort: str
    seed: int
    monotone: Mapping[str, str]
    jobs: int
    tell: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What one fit gave.

    Parameters
    ----------
    boxes : tuple of TableBox
        One per output.
    begun : tuple of Solution, or None
        Where a further fit may begin.
    """

    boxes: tuple[TableBox, ...]
    begun: tuple[Solution, ...] | None

    def score(self, encoded: Floats) -> Floats:
        """Return scores of encoded rows, shape [n, outputs]; one output gives [n, 1]."""
        return np.stack([box.link_encoded(encoded) for box in self.boxes], axis=1)

    def score_bins(self, rows: BinnedRows) -> Floats:
        """Return the same from rows that were binned once, shape [n, outputs]."""
        return np.stack([rows.score(box) for box in self.boxes], axis=1)


def limit_rows(tool: str, effort: str, rows: int) -> int:
    """Return how many of `rows` rows one fit sees at most.

    Parameters
    ----------
    tool : {"ebm", "net"}
        Glass box.
    effort : {"fast", "standard", "thorough"}
        Effort.
    rows : int
        Rows there are.
    """
    least, most = ROW_LIMIT[tool][effort]
    return min(max(least, rows // 6), most)


def count_jobs(setting: Setting, rows: int) -> int:
    """Return how many processes fit bags of so many rows."""
    return setting.jobs if rows >= PARALLEL_FROM else 1


def fit_once(
    name: str,
    tool: str,
    task: Task,
    setting: Setting,
    usable: np.ndarray,
    which: str,
    start: tuple[Solution, ...] | None,
) -> Fitted:
    """Fit one glass box on the usable rows, or on a sample of them.

    Parameters
    ----------
    name, tool : str
        Its name; ``ebm`` or ``net``.
    task : Task
        Rows and target.
    setting : Setting
        What all fits share.
    usable : ndarray of bool, shape [m]
        Rows that may be used.
    which : str
        ``all rows``, or the fold; seeds of samples depend on it.
    start : tuple of Solution, or None
        Where the net begins; with it, no bands are drawn.
    """
    rows = np.flatnonzero(usable)
    rng = seeded_rng(setting.seed, f"{name} {which}")
    strata = None if task.family == "regression" else task.target[rows]
    rows = rows[stratified_sample(rows.size, limit_rows(tool, setting.effort, len(task.rows)), rng, strata)]
    weights = None if task.weights is None else task.weights[rows]
    seen = replace(task, rows=task.rows[rows], target=task.target[rows], weights=weights)
    if tool == "net":
        # matrices of a few hundred rows: a second thread gains little, and on a busy machine it waits most of the time
        with threadpool_limits(limits=1):
            fitted = _fit_net(name, seen, setting, rng, start)
    else:
        fitted = _fit_ebm(name, seen, setting, None if which == "all rows" else FOLD_BAGS)
    setting.tell()
    return fitted


def _fit_net(
    name: str, task: Task, setting: Setting, rng: np.random.Generator, start: tuple[Solution, ...] | None
) -> Fitted:
    band: BandKind = "none" if start is not None else ("laplace" if task.purpose == "label" else "sandwich")
    pairs = NET_PAIRS[task.purpose][setting.effort]
    order = NetOrder(name, task.family, band, setting.monotone, pairs, classes=task.classes)
    if task.target.ndim == 1:
        named = order if task.family == "multiclass" else replace(order, classes=())
        boxes, begun = fit_outputs(
            setting.encoder, task.rows, task.target, named, rng=rng, weights=task.weights, start=start
        )
        return Fitted(boxes, begun)
    parts = [
        fit_additive(
            setting.encoder,
            task.rows,
            task.target[:, c],
            replace(order, classes=(output,)),
            rng=rng,
            weights=task.weights,
            start=None if start is None else start[c],
        )
        for c, output in enumerate(task.classes)
    ]
    return Fitted(tuple(box for box, _ in parts), tuple(solution for _, solution in parts))


def _fit_ebm(name: str, task: Task, setting: Setting, bags: int | None) -> Fitted:
    jobs = count_jobs(setting, len(task.rows))
    order = EbmOrder(name, task.family, setting.effort, setting.seed, setting.monotone, bags, jobs, None, task.classes)
    if task.family == "multiclass":
        boxes = fit_ebm_classes(setting.encoder, task.rows, task.target, order, weights=task.weights)
        return Fitted(boxes, None)
    if task.target.ndim == 1:
        return Fitted((fit_ebm(setting.encoder, task.rows, task.target, order, weights=task.weights),), None)
    parts = [
        replace(fit_ebm(setting.encoder, task.rows, task.target[:, c], order, weights=task.weights), output=output)
        for c, output in enumerate(task.classes)
    ]
    return Fitted(tuple(parts), None)
