"""The case is opened: labels, groups, tally and glass boxes are laid out for the measures."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from audit.config.schema import ExamineConfig
from audit.errors import AuditError, TryAgain
from audit.evidence import Intake, NotDone, Subject
from audit.examination.data.columns import groups_of, label_of, weights_of
from audit.examination.data.read import read_dataset
from audit.examination.engine.progress import Progress
from audit.examination.tally.roll import roll_of
from audit.examination.tally.tally import build_tally

from .case import Case, list_intersections

if TYPE_CHECKING:
    from audit.examination.blackbox.blackbox import BlackBox
    from audit.examination.blackbox.score import Scores
    from audit.examination.data.dataset import Dataset
    from audit.examination.glassbox.fit import Fits
    from audit.examination.glassbox.tasks import TrainRows

_LOG = logging.getLogger(__name__)


def open_case(
    config: ExamineConfig,
    subject: Subject,
    dataset: Dataset,
    scores: Scores,
    blackbox: BlackBox | None,
    intake: Intake,
    progress: Progress,
) -> Case:
    """Lay out everything that the measures look at; the glass boxes are fitted here.

    Parameters
    ----------
    config, subject, dataset, scores, blackbox, intake
        What was asked, what is audited, the rows, their scores, the model and how it was taken in.
    progress : Progress
        Hears of the fits.
    """
    frame = dataset.frame()
    groups = groups_of(frame, config)
    label, weights = label_of(frame, config), weights_of(frame, config)
    tally = build_tally(
        # a value is no class, also where all its values happen to be 0 and 1
        groups,
        None if subject.task == "regression" else label,
        scores.favourable,
        scores.score,
        weights=weights, intersections=list_intersections(config)
    )
    case = Case(
        config=config,
        subject=subject,
        dataset=dataset,
        frame=frame,
        label=label,
        weights=weights,
        groups=groups,
        scores=scores,
        tally=tally,
        roll=roll_of(
            groups,
            label,
            scores.score,
            scores.favourable,
            weights,
            outcomes=scores.outcomes,
            outcome=scores.outcome,
            truth=scores.truth,
            rows=dataset.rows,
        ),
        blackbox=blackbox,
        intake=intake.model_copy(update={"notes": (*intake.notes, *scores.notes)}),
        fits=NotDone(not_done="the glass boxes were not fitted yet"),
        training=read_dataset(config, role="train") if config.data.train else None,
    )
    return replace(case, fits=_fit_safely(case, progress))


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

    rows = case.training.frame()
    link = case.blackbox.link(rows) if case.blackbox is not None else None
    return TrainRows(rows, label_of(rows, case.config), link, weights_of(rows, case.config))
