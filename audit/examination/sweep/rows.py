"""A table and the configuration that it settled: what only the values of the columns could tell is written in.

Comes in: a configuration and a data set. Goes out: `Rows`, or the configuration with the scale of stored scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audit.config.schema import ExamineConfig
from audit.examination.blackbox.function import infer_scale
from audit.examination.data.dataset import Dataset

if TYPE_CHECKING:
    from .sweep import Sweep


@dataclass(frozen=True, slots=True)
class Rows:
    """A table and how it is to be read.

    Parameters
    ----------
    config : ExamineConfig
        With cut points and classes written in.
    dataset : Dataset
        The table.
    whole : Sweep or None
        All its rows swept already; None where that is to be done.
    """

    config: ExamineConfig
    dataset: Dataset
    whole: Sweep | None = None


def settle_scale(config: ExamineConfig, dataset: Dataset) -> ExamineConfig:
    """Return the configuration with the scale of stored scores written in, as the whole column shows it."""
    if config.model.scores is None:
        return config
    facts = next(item for item in dataset.described if item.name == config.model.scores)
    if facts.low is None or facts.high is None:
        return config
    output, _ = infer_scale(np.array([[facts.low], [facts.high]]), config.model.output)
    return config.model_copy(update={"model": config.model.model_copy(update={"output": output})})
