"""What is to be fitted on which rows: the plan of the glass boxes before any of them is fitted.

Comes in: audited rows, perhaps a training file, labels and the black box's scores. Goes out: a `Task` for the label
and one for the surrogate, with the folds, or the reason why there is none.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from audit.examination.data.split import folds_of

from .encoder import Encoder, Floats
from .solver import Family

if TYPE_CHECKING:
    import pandas as pd

Purpose = Literal["label", "surrogate"]

TOOLS = ("ebm", "net")
PURPOSES: tuple[Purpose, ...] = ("label", "surrogate")

LEAST_ROWS = 40
LEAST_CLASS = 10
"""With fewer rows, or fewer of the rarer label, every fold would learn from a handful of people."""


@dataclass(frozen=True, slots=True)
class TrainRows:
    """Rows with what is known of them: those of a separate training file, or the audited ones.

    Parameters
    ----------
    frame : pandas.DataFrame
        Typed rows.
    label : ndarray of float64, shape [m], or None
        1, 0 (or numbers, or positions of classes), NaN where unknown.
    link : ndarray of float64, shape [m] or [m, classes], or None
        The black box's score, link scale; of several classes their log-probabilities, each less the row's mean.
    weights : ndarray of float64, shape [m], or None
        Row weights.
    """

    frame: pd.DataFrame
    label: np.ndarray | None = None
    link: np.ndarray | None = None
    weights: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One purpose: what is fitted on which rows, and for which rows a score is due.

    Parameters
    ----------
    purpose : {"label", "surrogate"}
        What the target is.
    family : {"binary", "multiclass", "regression"}
        Kind of target.
    rows : ndarray of float64, shape [m, features]
        Encoded rows to fit on.
    target : ndarray of float64, shape [m] or [m, classes]
        Target, NaN where unknown.
    weights : ndarray of float64, shape [m], or None
        Row weights.
    due : ndarray of float64, shape [n, features]
        Encoded audited rows.
    folds : ndarray of int, shape [n], or None
        Fold per audited row; None where the rows to fit on are others.
    classes : tuple of str
        Classes, where there are several.
    """

    purpose: Purpose
    family: Family
    rows: Floats
    target: Floats
    weights: Floats | None
    due: Floats
    folds: np.ndarray | None
    classes: tuple[str, ...] = ()

    @property
    def known(self) -> np.ndarray:
        """Whether each row's target is known, shape [m]."""
        finite = np.isfinite(self.target)
        return np.asarray(finite if finite.ndim == 1 else finite.all(axis=1))


def list_tasks(
    encoder: Encoder,
    audited: TrainRows,
    train: TrainRows | None,
    *,
    kind: Family,
    folds: int,
    seed: int,
    classes: tuple[str, ...] = (),
) -> tuple[list[Task], dict[str, str]]:
    """Plan what is fitted on which rows.

    Parameters
    ----------
    encoder : Encoder
        How columns become numbers.
    audited : TrainRows
        The audited rows.
    train : TrainRows or None
        A separate training file; what it lacks is cross-fitted on the audited rows instead.
    kind : {"binary", "multiclass", "regression"}
        Kind of label.
    folds, seed : int
        Folds, and their seed.
    classes : tuple of str
        Classes, where there are several.

    Returns
    -------
    tasks, not_done
        Tasks, and name of a glass box to the reason why it is none of them.
    """
    due = encoder.encode(audited.frame)
    other = due if train is None else encoder.encode(train.frame)
    strata = _strata(audited.label, audited.link, len(due))
    dealt = folds_of(len(due), folds, seeded_rng(seed, "folds"), strata) if len(due) >= LEAST_ROWS else None
    tasks: list[Task] = []
    not_done: dict[str, str] = {}
    for purpose in PURPOSES:
        family: Family = kind if purpose == "label" else "regression"
        apart = None if train is None else _target_of(train, purpose)
        here = _target_of(audited, purpose)
        task = None
        if train is not None and apart is not None:
            task = Task(purpose, family, other, apart, train.weights, due, None, classes)
        elif here is not None:
            task = Task(purpose, family, due, here, audited.weights, due, dealt, classes)
        if reason := _why_not(task, purpose):
            not_done |= {f"{tool}_{purpose}": reason for tool in TOOLS}
        elif task is not None:
            tasks.append(task)
    return tasks, not_done


def _target_of(rows: TrainRows, purpose: Purpose) -> np.ndarray | None:
    return rows.label if purpose == "label" else rows.link


def _strata(label: np.ndarray | None, link: np.ndarray | None, n: int) -> np.ndarray | None:
    """Spread labels evenly over the folds, else scores by tenths."""
    values = label if label is not None else link
    if values is None:
        return None
    if values.ndim > 1:
        return np.asarray(np.nan_to_num(values, nan=-np.inf).argmax(axis=1))
    if np.unique(values[np.isfinite(values)]).size <= 10:
        return np.asarray(np.nan_to_num(values, nan=-1.0))
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return np.asarray((ranks * 10) // n)


def _why_not(task: Task | None, purpose: Purpose) -> str:
    """Return why a task cannot be done; empty where it can."""
    if task is None:
        return "no label was given" if purpose == "label" else "the black box gives no scores to follow"
    known = task.target[task.known]
    if known.ndim > 1:
        known = known[:, np.ptp(known, axis=0).argmax()] if len(known) else known[:, 0]
    what = "label" if task.purpose == "label" else "score of the black box"
    if known.size < LEAST_ROWS:
        return f"only {known.size} rows have a {what}; a glass box needs {LEAST_ROWS}"
    distinct, counts = np.unique(known, return_counts=True)
    if distinct.size == 1:
        return f"every row has the same {what}"
    if task.family == "binary" and counts.min() < LEAST_CLASS:
        return f"only {counts.min()} rows carry the rarer label; a glass box needs {LEAST_CLASS}"
    if task.family == "multiclass":
        return _why_no_class(known, task.classes)
    return ""


def _why_no_class(known: np.ndarray, classes: tuple[str, ...]) -> str:
    counts = np.bincount(known.astype(np.intp), minlength=len(classes))
    rare = int(counts.argmin())
    if counts[rare] >= LEAST_CLASS:
        return ""
    return f"only {counts[rare]} rows carry the label {classes[rare]}; a glass box needs {LEAST_CLASS} of every class"


def count_folds(task: Task) -> int:
    """Return the folds of a task; 0 where it is fitted on other rows."""
    return 0 if task.folds is None else int(task.folds.max()) + 1


def seeded_rng(seed: int, name: str) -> np.random.Generator:
    """Return a generator that depends on the one seed and on the name of its use alone."""
    word = int.from_bytes(hashlib.sha256(f"glassbox {name}".encode()).digest()[:8], "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, word])))
