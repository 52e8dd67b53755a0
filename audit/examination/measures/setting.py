"""The case is opened: labels, groups, tally and glass boxes are laid out for the measures."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from audit.config.schema import ExamineConfig
from audit.errors import AuditError, TryAgain
from audit.evidence import Intake, NotDone, Subject
from audit.examination.data.columns import groups_of, label_of, weights_of
from audit.examination.engine.progress import Progress
from audit.examination.tally.tally import build_tally

from .case import Case, seeded_generator

if TYPE_CHECKING:
    from audit.examination.blackbox.blackbox import BlackBox
    from audit.examination.blackbox.score import Scores
    from audit.examination.data.dataset import Dataset
    from audit.examination.glassbox.fit import Fits

_LOG = logging.getLogger(__name__)
