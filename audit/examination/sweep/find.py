"""The rows of an audit are found: a frame, files to be read, or shards that were swept elsewhere.

Comes in: a configuration. Goes out: `Rows`: the table, understood, and the configuration with everything written in
that only the table could tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audit.config.schema import ExamineConfig
from audit.examination.data.classes import settle_classes
from audit.examination.data.columns import settle_bins
from audit.examination.data.read import read_dataset, read_frame

from .apart import join_sweeps
from .rows import Rows
from .sweep import Sweep

if TYPE_CHECKING:
    import pandas as pd


def read_rows(config: ExamineConfig, frame: pd.DataFrame | None = None, sweeps: Sequence[Sweep] = ()) -> Rows:
    """Find the rows to be judged.

    Parameters
    ----------
    config : ExamineConfig
        Names files and columns.
    frame : pandas.DataFrame, optional
        The rows as an object.
    sweeps : sequence of Sweep
        All shards of the table, swept elsewhere.

    Raises
    ------
    ConfigError
        No such file or column.
    DataError
        Content that does not allow the audit; shards that do not belong together.
    """
    if sweeps:
        return join_sweeps(config, sweeps)
    dataset = read_frame(frame, config) if frame is not None else read_dataset(config)
    return Rows(settle_classes(settle_bins(config, dataset), dataset.described), dataset)
