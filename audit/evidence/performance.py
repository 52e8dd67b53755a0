"""How well black box and glass boxes predict the label, and what transparency costs."""

from __future__ import annotations

from .base import Section
from .estimate import Measurement


class Performance(Section):
    """Performance of every model on the same rows, each number with its interval."""

    rows: int
    """Labelled rows."""
    protocol: str
    """How the glass boxes were scored: out of fold (folds, seed), or fitted on a separate training file."""
    caution: str = ""
    """``may favour the black box`` where its training rows are unknown or overlap; empty otherwise."""
    models: tuple[str, ...]
    """Models in the order of the tables."""
    measurements: tuple[Measurement, ...] = ()
    """performance.* by model, and performance.accuracy_gap / auc_gap (black box minus glass box, paired) by model."""
