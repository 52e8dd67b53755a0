"""Glass boxes are fitted beside the black box: on the labels, and as surrogates of its scores.

Comes in: typed rows, labels, the black box's scores on the link scale. Goes out: `Fits`: one glass box per name,
fitted on all rows for its shapes, and scores of every audited row by glass boxes that were fitted without it
(cross-fitting), or by those of a separate training file.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from audit.evidence import FeatureUsed, NotDone

from .binned import bin_rows
from .ebm import release_workers
from .encoder import Encoder, Floats, fit_encoder
from .files import flatten_tables, write_tables
from .glassbox import GlassBox
from .single import Setting, count_jobs, fit_once, limit_rows
from .solver import Family
from .tasks import PURPOSES, TOOLS, Task, TrainRows, count_folds, list_tasks

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.engine.progress import Progress

_LOG = logging.getLogger(__name__)


FOLDS = {"fast": 3, "standard": 5, "thorough": 5}
MANY_ROWS = 20_000
MOST_KNOT_SLOTS = 1_200
MOST_LEVEL_SLOTS = 1_200


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
    by_class : dict of str to tuple of GlassBox
        With several classes: one glass box per class.
    class_scores : dict of str to ndarray of float64, shape [n, classes]
        With several classes: scores of every audited row by boxes that did not see it, to be put through a softmax.
    classes : tuple of str
        Classes, in the order of the boxes.
    """

    models: dict[str, GlassBox] = field(default_factory=dict)
    out_of_fold: dict[str, Floats] = field(default_factory=dict)
    not_done: dict[str, str] = field(default_factory=dict)
    protocol: str = ""
    folds: int = 0
    rows_used: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    broken: dict[str, str] = field(default_factory=dict)
    by_class: dict[str, tuple[GlassBox, ...]] = field(default_factory=dict)
    class_scores: dict[str, Floats] = field(default_factory=dict)
    classes: tuple[str, ...] = ()

    def list_broken(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return ``name: error`` of each of these glass boxes whose fit broke."""
        return tuple(f"{name}: {self.broken[name]}" for name in names if name in self.broken)


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
    classes: Sequence[str] = (),
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
        1, 0 (or numbers for a regression, or positions among `classes`), NaN where unknown.
    link : ndarray of float64, shape [n] or [n, classes], optional
        The black box's score on the link scale; of several classes their log-probabilities, each less the row's mean:
        of a softmax these are its logits, which its log-probabilities are not.
    kind : {"binary", "multiclass", "regression"}
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
    classes : sequence of str
        Classes of a multiclass label, at least two.
    progress : Progress, optional
        Hears of every finished fit.

    Returns
    -------
    Fits
        What could not be fitted stands in ``not_done`` with its reason.

    Raises
    ------
    ValueError
        Several classes without names.
    """
    names = {feature.name: feature.kind for feature in features}
    if not names:
        return Fits(not_done=dict.fromkeys(_all_names(), "the model reads no features"))
    if kind == "multiclass" and len(classes) < 2:
        raise ValueError("several classes need their names")
    audited = TrainRows(frame, label, link, weights)
    encoder = _choose_encoder(frame if train is None else train.frame, names)
    monotone = {feature.name: feature.monotone for feature in features if feature.monotone}
    named = tuple(classes) if kind == "multiclass" else ()
    tasks, not_done = list_tasks(encoder, audited, train, kind=kind, folds=FOLDS[effort], seed=seed, classes=named)
    counter = _Counter(progress, sum(len(TOOLS) * (1 + count_folds(task)) for task in tasks))
    setting = Setting(encoder, effort, seed, monotone, n_jobs, counter.tell)
    fits = Fits(
        not_done=not_done,
        protocol=_describe_protocol(tasks, effort, seed),
        folds=max((count_folds(task) for task in tasks), default=0),
        classes=named,
        notes=() if not tasks else _describe_features(encoder, tasks[0].rows, monotone),
    )
    for task in tasks:
        for tool in TOOLS:
            _fit_and_score(fits, tool, task, setting)
    if any(count_jobs(setting, len(task.rows)) > 1 for task in tasks):
        release_workers()
    return fits


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


def _fit_and_score(fits: Fits, tool: str, task: Task, setting: Setting) -> None:
    """Fit one glass box on all rows and once per fold, and write down what came out, or why nothing did."""
    name = f"{tool}_{task.purpose}"
    usable = task.known
    try:
        fitted = fit_once(name, tool, task, setting, usable, "all rows", None)
        if task.folds is None:
            scores = fitted.score(task.due)
        else:
            bins = bin_rows(task.due)
            scores = np.full((len(task.due), len(fitted.boxes)), np.nan)
            for k in range(count_folds(task)):
                held = task.folds == k
                part = fit_once(name, tool, task, setting, usable & ~held, f"fold {k}", fitted.begun)
                scores[held] = part.score_bins(bins.take(np.flatnonzero(held)))
    except MemoryError:
        raise
    except Exception as error:  # one glass box that breaks must not take the other with it
        _LOG.exception("the glass box %s could not be fitted", name)
        fits.not_done[name] = fits.broken[name] = f"the fit broke: {type(error).__name__}: {error}"
        return
    fits.rows_used[name] = fitted.boxes[0].rows
    if task.classes:
        fits.by_class[name], fits.class_scores[name] = fitted.boxes, scores
    else:
        fits.models[name], fits.out_of_fold[name] = fitted.boxes[0], scores[:, 0]


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
    largest = max(int(task.known.sum()) for task in tasks)
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


def join_classes(one: Fits, several: Fits) -> Fits:
    """Put the glass boxes of one class against the rest and those of all classes together.

    Parameters
    ----------
    one : Fits
        As fitted to the positive class against the rest: what curves and log-odds are about.
    several : Fits
        As fitted to all classes at once: what predicted classes are about.
    """
    words = {name: f"over all classes: {reason}" for name, reason in several.not_done.items()}
    return replace(
        one,
        by_class=several.by_class,
        class_scores=several.class_scores,
        classes=several.classes,
        notes=(*one.notes, *(f"{name} {reason}" for name, reason in words.items() if name not in several.broken)),
        broken={**{name: words[name] for name in several.broken}, **one.broken},
    )


def tables_of(fits: Fits | NotDone) -> dict[str, bytes]:
    """Return the glass boxes as files: ``glassboxes/<name>.json`` and ``.parquet``; of several classes one each.

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
    for name, boxes in fits.by_class.items():
        for c, box in enumerate(boxes):
            files[f"glassboxes/{name}_class{c}.json"] = write_tables(box)
            files[f"glassboxes/{name}_class{c}.parquet"] = flatten_tables(box)
    return files
