"""Glass boxes are fitted beside the black box: on the labels, and as surrogates of its scores.

Comes in: typed rows, labels, the black box's scores on the link scale. Goes out: `Fits`: one glass box per name,
fitted on all rows for its shapes, and scores of every audited row by glass boxes that were fitted without it
(cross-fitting), or by those of a separate training file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from audit.evidence import FeatureUsed, NotDone
from audit.examination.data.split import stratified_sample

from .additive import NetOrder, fit_additive
from .ebm import EbmOrder, fit_ebm, release_workers
from .encoder import Encoder, Floats, fit_encoder
from .files import flatten_tables, write_tables
from .glassbox import GlassBox
from .solver import Family, Solution
from .tasks import PURPOSES, TOOLS, Task, TrainRows, count_folds, list_tasks, seeded_rng

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.engine.progress import Progress

_LOG = logging.getLogger(__name__)


ROW_LIMIT = {
    "ebm": {"fast": (10_000, 20_000), "standard": (20_000, 50_000), "thorough": (60_000, 120_000)},
    "net": {"fast": (50_000, 100_000), "standard": (100_000, 200_000), "thorough": (200_000, 400_000)},
}
"""Most rows that one fit sees, by tool and effort: a sixth of them, but not fewer than the first and not more than the
second number; beyond it a stratified sample, whose size is printed."""

FOLDS = {"fast": 3, "standard": 5, "thorough": 5}
FOLD_BAGS = 4
MANY_ROWS = 20_000
MOST_KNOT_SLOTS = 1_200
MOST_LEVEL_SLOTS = 1_200
PARALLEL_FROM = 12_000
"""Rows from which on two processes are worth their start; below it, starting them takes as long as the fits."""


@dataclass(frozen=True, slots=True)
class Fits:
    """The glass boxes.

    Parameters
    ----------
    models : dict of str to GlassBox
        ``ebm_label``, ``net_label``, ``ebm_surrogate``, ``net_surrogate``, as far as they could be fitted, on all rows.
    out_of_fold : dict of str to ndarray of float64, shape [n]
        Score of every audited row on the link scale, by glass boxes that did not see it.
    not_done : dict of str to str
        Name of a glass box that could not be fitted, to the reason.
    protocol : str
        How rows were used, for a reader.
    folds : int
        Folds; 0 with a training file.
    rows_used : dict of str to int
        Rows behind each model's shapes.
    notes : tuple of str
        Cautions.
    broken : dict of str to str
        Name of a glass box whose fit failed by an error, to the error.
    """

    models: dict[str, GlassBox] = field(default_factory=dict)
    out_of_fold: dict[str, Floats] = field(default_factory=dict)
    not_done: dict[str, str] = field(default_factory=dict)
    protocol: str = ""
    folds: int = 0
    rows_used: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    broken: dict[str, str] = field(default_factory=dict)

    def list_broken(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return ``name: error`` of each of these glass boxes whose fit broke."""
        return tuple(f"{name}: {self.broken[name]}" for name in names if name in self.broken)


@dataclass(frozen=True, slots=True)
class _Setting:
    encoder: Encoder
    effort: str
    seed: int
    monotone: Mapping[str, str]
    jobs: int
    tell: Callable[[], None]


def fit_glassboxes(
    frame: pd.DataFrame,
    features: Sequence[FeatureUsed],
    *,
    label: np.ndarray | None = None,
    link: np.ndarray | None = None,
    kind: Family = "binary",
    effort: str = "standard",
    seed: int = 0,
    weights: np.ndarray | None = None,
    train: TrainRows | None = None,
    n_jobs: int = 2,
    progress: Progress | None = None,
) -> Fits:
    """Fit EBM and additive net, on the labels and as surrogates.

    Parameters
    ----------
    frame : pandas.DataFrame, shape [n, ...]
        All audited rows, typed.
    features : sequence of FeatureUsed
        Columns that the model reads, with kinds and imposed directions.
    label : ndarray of float64, shape [n], optional
        1, 0 (or numbers for a regression), NaN where unknown.
    link : ndarray of float64, shape [n], optional
        The black box's score on the link scale.
    kind : {"binary", "regression"}
        Kind of label.
    effort : {"fast", "standard", "thorough"}
        Settings, folds and row limits.
    seed : int
        Seed of folds, samples and bags.
    weights : ndarray of float64, shape [n], optional
        Row weights.
    train : TrainRows, optional
        Separate rows to fit on; what they lack (labels, scores) is cross-fitted on the audited rows instead.
    n_jobs : int
        Processes for EBM's bags.
    progress : Progress, optional
        Hears of every finished fit.

    Returns
    -------
    Fits
        What could not be fitted stands in ``not_done`` with its reason.
    """
    names = {feature.name: feature.kind for feature in features}
    if not names:
        return Fits(not_done=dict.fromkeys(_all_names(), "the model reads no features"))
    audited = TrainRows(frame, label, link, weights)
    encoder = _choose_encoder(frame if train is None else train.frame, names)
    monotone = {feature.name: feature.monotone for feature in features if feature.monotone}
    tasks, not_done = list_tasks(encoder, audited, train, kind=kind, folds=FOLDS[effort], seed=seed)
    counter = _Counter(progress, sum(len(TOOLS) * (1 + count_folds(task)) for task in tasks))
    setting = _Setting(encoder, effort, seed, monotone, n_jobs, counter.tell)
    fits = Fits(
        not_done=not_done,
        protocol=_describe_protocol(tasks, effort, seed),
        folds=max((count_folds(task) for task in tasks), default=0),
        notes=() if not tasks else _describe_features(encoder, tasks[0].rows, monotone),
    )
    for task in tasks:
        for tool in TOOLS:
            _fit_and_score(fits, tool, task, setting)
    if any(_count_jobs(setting, len(task.rows)) > 1 for task in tasks):
        release_workers()
    return fits


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


def _all_names() -> list[str]:
    return [f"{tool}_{purpose}" for purpose in PURPOSES for tool in TOOLS]


class _Counter:
    """Tells a listener how many fits are done."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def tell(self) -> None:
        """Count one more fit."""
        self.done += 1
        if self.progress is not None:
            self.progress.step(self.done, self.total)


def _choose_encoder(frame: pd.DataFrame, kinds: Mapping[str, str]) -> Encoder:
    """Fit the encoder with as many knots and levels as the solver's cubic cost allows."""
    numbers = sum(kind == "number" for kind in kinds.values())
    knots = 128 if len(frame) >= MANY_ROWS else 64
    knots = max(16, min(knots, MOST_KNOT_SLOTS // max(1, numbers)))
    return fit_encoder(frame, kinds, knots=knots, levels=MOST_LEVEL_SLOTS)


def _fit_and_score(fits: Fits, tool: str, task: Task, setting: _Setting) -> None:
    """Fit one glass box on all rows and once per fold, and write down what came out, or why nothing did."""
    name = f"{tool}_{task.purpose}"
    usable = np.isfinite(task.target)
    try:
        box, solution = _fit_one(name, tool, task, setting, usable, "all rows", None)
        if task.folds is None:
            scores = box.link_encoded(task.due)
        else:
            scores = np.full(len(task.due), np.nan)
            for k in range(count_folds(task)):
                held = task.folds == k
                part, _ = _fit_one(name, tool, task, setting, usable & ~held, f"fold {k}", solution)
                scores[held] = part.link_encoded(task.due[held])
    except MemoryError:
        raise
    except Exception as error:  # one glass box that breaks must not take the other with it
        _LOG.exception("the glass box %s could not be fitted", name)
        fits.not_done[name] = fits.broken[name] = f"the fit broke: {type(error).__name__}: {error}"
        return
    fits.models[name], fits.out_of_fold[name], fits.rows_used[name] = box, scores, box.rows


def _fit_one(
    name: str,
    tool: str,
    task: Task,
    setting: _Setting,
    usable: np.ndarray,
    which: str,
    start: Solution | None,
) -> tuple[GlassBox, Solution | None]:
    rows = np.flatnonzero(usable)
    rng = seeded_rng(setting.seed, f"{name} {which}")
    strata = task.target[rows] if task.family == "binary" else None
    rows = rows[stratified_sample(rows.size, limit_rows(tool, setting.effort, len(task.rows)), rng, strata)]
    encoded, target = task.rows[rows], task.target[rows]
    weights = None if task.weights is None else task.weights[rows]
    fitted: tuple[GlassBox, Solution | None]
    if tool == "net":
        band: Any = "none" if start is not None else ("laplace" if task.purpose == "label" else "sandwich")
        order = NetOrder(name, task.family, band, setting.monotone)
        # matrices of a few hundred rows: a second thread gains little, and on a busy machine it waits most of the time
        with threadpool_limits(limits=1):
            fitted = fit_additive(setting.encoder, encoded, target, order, rng=rng, weights=weights, start=start)
    else:
        bags = None if which == "all rows" else FOLD_BAGS
        jobs = _count_jobs(setting, rows.size)
        ebm = EbmOrder(name, task.family, setting.effort, setting.seed, setting.monotone, bags, jobs)
        fitted = fit_ebm(setting.encoder, encoded, target, ebm, weights=weights), None
    setting.tell()
    return fitted


def _count_jobs(setting: _Setting, rows: int) -> int:
    return setting.jobs if rows >= PARALLEL_FROM else 1


def _describe_protocol(tasks: Sequence[Task], effort: str, seed: int) -> str:
    """Say in words how rows were used."""
    if not tasks:
        return ""
    folds = max(count_folds(task) for task in tasks)
    lines = []
    if folds:
        lines.append(
            f"Cross-fitted in {folds} folds (seed {seed}): every row is scored by glass boxes fitted without it."
        )
    if any(task.folds is None for task in tasks):
        lines.append("Fitted on the separate training file, scored on the audited rows.")
    limits = {tool: max(limit_rows(tool, effort, len(task.rows)) for task in tasks) for tool in TOOLS}
    largest = max(int(np.isfinite(task.target).sum()) for task in tasks)
    sampled = [f"{_TOOL_WORDS[tool]} {limit:,}" for tool, limit in limits.items() if largest > limit]
    if sampled:
        lines.append(f"Each fit sees a stratified sample of at most (seed {seed}): {', '.join(sampled)} rows.")
    lines.append("Shapes come from fits on all of these rows." if not sampled else "Shapes come from such a fit, too.")
    return " ".join(lines)


_TOOL_WORDS = {"ebm": "EBM", "net": "additive net"}


def _describe_features(encoder: Encoder, rows: Floats, monotone: Mapping[str, str]) -> tuple[str, ...]:
    """Say which features could not matter, and what was imposed."""
    notes = []
    for j, code in enumerate(encoder.codes):
        column = rows[:, j]
        known = column[~np.isnan(column)]
        if known.size == 0:
            notes.append(f"{code.name}: missing in every row, it can explain nothing")
        elif known.min() == known.max():
            notes.append(f"{code.name}: the same value in every row, it can explain nothing")
        pooled = getattr(code, "pooled", 0)
        if pooled:
            notes.append(f"{code.name}: {pooled} rare levels share one slot with levels that are unseen")
    notes += [f"{name}: {direction} was imposed on the glass boxes" for name, direction in monotone.items()]
    return tuple(notes)


def tables_of(fits: Fits | NotDone) -> dict[str, bytes]:
    """Return the glass boxes as files: ``glassboxes/<name>.json`` and ``.parquet``.

    Parameters
    ----------
    fits : Fits or NotDone
        The glass boxes; none give no files.
    """
    if isinstance(fits, NotDone):
        return {}
    files: dict[str, bytes] = {}
    for name, box in fits.models.items():
        files[f"glassboxes/{name}.json"] = write_tables(box)
        files[f"glassboxes/{name}.parquet"] = flatten_tables(box)
    return files
