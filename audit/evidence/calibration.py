"""Whether a score means what it says: the reliability curve and its numbers."""

from __future__ import annotations

from .base import Record, Section
from .estimate import Estimate, Measurement


class CalibrationBin(Record):
    """One bin of the reliability curve."""

    mean_score: float
    """Mean predicted probability in the bin."""
    observed: Estimate
    """Observed share of positives, with interval."""


class Calibration(Section):
    """Reliability of the black box's probabilities."""

    bins: tuple[CalibrationBin, ...]
    """Bins of about equal rows, ascending."""
    expected_error_null: float
    """95 % quantile of the expected calibration error that a perfectly calibrated model shows by chance."""
    measurements: tuple[Measurement, ...] = ()
    """calibration.error, calibration.slope, calibration.mean_gap."""
