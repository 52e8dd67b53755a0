"""The case is opened: labels, groups, tally and glass boxes are laid out for the measures."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from audit.config.schema import ExamineConfig
from audit.errors import AuditError, TryAgain
from audit.evidence import Intake, NotDone, Subject
from audit.examination.data.columns import label_of, weights_of
from audit.examination.data.kinds import LARGE_ROWS
from audit.examination.data.read import read_dataset
from audit.examination.engine.progress import Progress
from audit.examination.sweep.sample import SAMPLE_ROWS, sample_table

from .case import Case

if TYPE_CHECKING:
    from audit.examination.blackbox.blackbox import BlackBox
    from audit.examination.data.dataset import Dataset
    from audit.examination.glassbox.fit import Fits
    from audit.examination.glassbox.tasks import TrainRows
    from audit.examination.sweep.people import People

_LOG = logging.getLogger(__name__)


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
    from audit.examination.glassbox.fit import fit_glassboxes

    return fit_glassboxes(
        case.frame,
        case.subject.features,
        label=case.label,
        link=case.scores.link,
        kind="regression" if case.subject.task == "regression" else "binary",
        effort=case.config.effort,
        seed=case.seed,
        weights=case.weights,
        train=_training_rows(case),
        progress=progress,
    )


def _training_rows(case: Case) -> TrainRows | None:
    """Return the rows of the separate training file, scored by the black box; None where none is named."""
    if case.training is None:
        return None
    from audit.examination.glassbox.tasks import TrainRows

    size = SAMPLE_ROWS[case.config.effort]
    large = case.training.rows >= LARGE_ROWS
    rows = sample_table(case.training, size, case.seed) if large else case.training.frame()
    link = case.blackbox.link(rows) if case.blackbox is not None else None
    return TrainRows(rows, label_of(rows, case.config), link, weights_of(rows, case.config))
