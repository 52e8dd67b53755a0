"""The case is opened: labels, groups, tally and glass boxes are laid out for the measures."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from audit.config.schema import ExamineConfig
from audit.errors import AuditError, TryAgain
from audit.evidence import Intake, NotDone, Subject
from audit.examination.data.classes import class_names, truth_of
from audit.examination.data.columns import label_of, weights_of
from audit.examination.data.kinds import LARGE_ROWS
from audit.examination.data.read import read_dataset
from audit.examination.engine.progress import Progress
from audit.examination.sweep.sample import SAMPLE_ROWS, sample_table

from .beside import open_beside
from .case import Case

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.blackbox.blackbox import BlackBox
    from audit.examination.data.dataset import Dataset
    from audit.examination.glassbox.fit import Fits
    from audit.examination.glassbox.solver import Family
    from audit.examination.glassbox.tasks import TrainRows
    from audit.examination.sweep.people import People

_LOG = logging.getLogger(__name__)

MOST_FITTED = 12
"""Most classes that glass boxes are fitted to at once: every class costs as much as a whole fit."""


def open_case(
    config: ExamineConfig,
    subject: Subject,
    dataset: Dataset,
    people: People,
    blackbox: BlackBox | None,
    intake: Intake,
    progress: Progress,
) -> Case:
    """Lay out everything that the measures look at; the glass boxes are fitted here.

    Parameters
    ----------
    config, subject, dataset, people, blackbox, intake
        What was asked, what is audited, the table, its people, the model and how it was taken in.
    progress : Progress
        Hears of the fits.

    Raises
    ------
    ConfigError, DataError
        A table of ``data.train``, ``data.baseline`` or ``data.out_of_time`` that does not fit the judged rows.
    """
    case = Case(
        config=config,
        subject=subject,
        dataset=dataset,
        frame=people.frame,
        label=people.label,
        weights=people.weights,
        groups=people.groups,
        scores=people.scores,
        tally=people.tally,
        roll=people.roll,
        sampled=people.sampled,
        blackbox=blackbox,
        intake=intake.model_copy(update={"notes": (*intake.notes, *people.scores.notes)}),
        fits=NotDone(not_done="the glass boxes were not fitted yet"),
        training=read_dataset(config, role="train") if config.data.train else None,
        beside=open_beside(config, subject, dataset, blackbox),
    )
    return replace(case, fits=_tell_sample(_fit_safely(case, progress), case))


def _tell_sample(fits: Fits | NotDone, case: Case) -> Fits | NotDone:
    """Say how many rows of a large training file the glass boxes were given."""
    if isinstance(fits, NotDone) or case.training is None or case.training.rows < LARGE_ROWS:
        return fits
    size = SAMPLE_ROWS[case.config.effort]
    note = f"data.train: a sample of {size:,} of {case.training.rows:,} rows (seed {case.seed})"
    return replace(fits, notes=(*fits.notes, note))


def _fit_safely(case: Case, progress: Progress) -> Fits | NotDone:
    """Fit the glass boxes; what breaks there must not take the fairness report with it."""
    if not case.subject.features:
        return NotDone(not_done="no model and no features: there is nothing to fit a glass box on")
    try:
        return _fit(case, progress)
    except MemoryError:
        raise TryAgain("memory ran out while fitting the glass boxes", hint="effort: fast fits fewer rows") from None
    except AuditError as error:
        return NotDone(not_done=str(error), broke=True)
    except Exception as error:  # a part that breaks becomes NotDone with its reason
        _LOG.exception("the glass boxes broke")
        return NotDone(not_done=f"the glass boxes broke: {type(error).__name__}: {error}", broke=True)


def _fit(case: Case, progress: Progress) -> Fits:
    """Fit the positive class against the rest, and where there are several, all of them at once as well."""
    from audit.examination.glassbox.fit import fit_glassboxes, join_classes

    train, train_classes = _training_rows(case)
    fit = partial(
        fit_glassboxes,
        case.frame,
        case.subject.features,
        effort=case.config.effort,
        seed=case.seed,
        weights=case.weights,
        progress=progress,
    )
    kind: Family = "regression" if case.subject.task == "regression" else "binary"
    fits = fit(label=case.label, link=case.scores.link, kind=kind, train=train)
    classes = class_names(case.config)
    if not classes or case.scores.outcomes != classes:
        return fits
    if len(classes) > MOST_FITTED:
        note = f"glass boxes over all {len(classes)} classes are left out: the most is {MOST_FITTED}"
        return replace(fits, notes=(*fits.notes, note))
    label = place_classes(case.frame, case.config)
    ratios = log_ratios(case.scores.probabilities)
    several = fit(label=label, link=ratios, kind="multiclass", train=train_classes, classes=classes)
    return join_classes(fits, several)


def _training_rows(case: Case) -> tuple[TrainRows | None, TrainRows | None]:
    """Return the rows of the separate training file, scored by the black box: by the positive class, by all classes."""
    if case.training is None:
        return None, None
    from audit.examination.blackbox.score import score_batch
    from audit.examination.glassbox.tasks import TrainRows

    size = SAMPLE_ROWS[case.config.effort]
    large = case.training.rows >= LARGE_ROWS
    rows = sample_table(case.training, size, case.seed) if large else case.training.frame()
    weights = weights_of(rows, case.config)
    _, link, probabilities = (None, None, None) if case.blackbox is None else score_batch(case.blackbox, rows)
    one = TrainRows(rows, label_of(rows, case.config), link, weights)
    if not class_names(case.config):
        return one, None
    return one, TrainRows(rows, place_classes(rows, case.config), log_ratios(probabilities), weights)


def place_classes(rows: pd.DataFrame, config: ExamineConfig) -> np.ndarray | None:
    """Return the place of each row's class as a number, float64 of shape ``[n]``, NaN where unknown.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of a `Dataset`.
    config : ExamineConfig
        Names the label column and the classes.
    """
    truth = truth_of(rows, config, class_names(config))
    return None if truth is None else np.where(truth < 0, np.nan, truth)


def log_ratios(probabilities: np.ndarray | None) -> np.ndarray | None:
    """Return the log-probabilities of the classes less their mean, float64 of shape ``[n, classes]``.

    Parameters
    ----------
    probabilities : ndarray of float, shape [n, classes], or None
        Probability of each class; below 1e-12 they count as 1e-12.

    Notes
    -----
    The centred log-ratio (Aitchison 1982, J. R. Stat. Soc. B 44:139).
    """
    if probabilities is None:
        return None
    logs = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), 1e-12))
    return np.asarray(logs - logs.mean(axis=1, keepdims=True))
