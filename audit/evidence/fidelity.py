"""How faithfully each glass box, fitted on the black box's scores, follows the black box."""

from __future__ import annotations

from .base import Section
from .estimate import Measurement


class Fidelity(Section):
    """Fidelity of the surrogates on rows they were not fitted on."""

    rows: int
    """Rows scored."""
    protocol: str
    """Out of fold, or a separate training file; target scale."""
    measurements: tuple[Measurement, ...] = ()
    """fidelity.r2, fidelity.decision_agreement, fidelity.rmse, fidelity.rank_correlation by model, and by group."""
