"""How faithfully each glass box, fitted on the black box's scores, follows the black box."""

from __future__ import annotations

from .base import Record, Section
from .estimate import Estimate, Measurement


class Departure(Record):
    """A part of the rows where the black box departs from its best additive account, found on one half of the rows."""

    name: str
    """The conditions as one reads them."""
    features: tuple[str, ...]
    """Columns that the conditions are on."""
    model: str
    """The surrogate."""
    gap: Estimate
    """Mean of black box minus surrogate there, link scale, on the other half."""
    rmse: Estimate
    """Root mean squared gap there, on the other half."""
    rest: Estimate
    """Root mean squared gap everywhere else, on the other half."""
    p_adjusted: float
    """One-sided p-value of squared gaps no larger than elsewhere, false discovery rate controlled over all tested."""
    holds: bool
    """Whether it is confirmed on the other half."""


class Fidelity(Section):
    """Fidelity of the surrogates on rows they were not fitted on."""

    rows: int
    """Rows scored."""
    protocol: str
    """Out of fold, or a separate training file; target scale."""
    account: str = ""
    """The surrogate that follows the black box most closely: its best additive account, which departures are from."""
    departures: tuple[Departure, ...] = ()
    """Where the black box departs from that surrogate, the clearest first."""
    measurements: tuple[Measurement, ...] = ()
    """fidelity.r2, fidelity.decision_agreement, fidelity.rmse, fidelity.rank_correlation by model, and by group;
    fidelity.decision_agreement_gap and fidelity.rmse_ratio by attribute and model; fidelity.confirmed_departures and
    fidelity.worst_departure_ratio by model."""
