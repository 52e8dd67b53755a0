"""How the judged rows differ from the rows before them, and how the model does on the rows after them."""

from __future__ import annotations

from .base import Record, Section
from .estimate import Measurement


class Unseen(Record):
    """Levels that the baseline does not hold."""

    feature: str
    """Feature."""
    levels: tuple[str, ...]
    """Up to eight of them, the most frequent first; a level of fewer than five people is not named."""
    count: int
    """How many there are."""


class Drift(Section):
    """The judged rows against a baseline, and a later period against the judged rows."""

    baseline: str = ""
    """What the judged rows are compared with: ``data.baseline`` or ``data.train``, and the file; empty without one."""
    baseline_rows: int = 0
    """Rows of the baseline."""
    rows: int = 0
    """Judged rows compared."""
    later: str = ""
    """The file of the later period; empty without one."""
    later_rows: int = 0
    """Rows of the later period."""
    draws: int = 0
    """How often rows were dealt out at random, for what a distance shows by chance."""
    unseen: tuple[Unseen, ...] = ()
    """Levels that the baseline does not hold, by feature."""
    parts_not_done: dict[str, str] = {}
    """Part of the section that was not carried out, to the reason."""
    measurements: tuple[Measurement, ...] = ()
    """drift.*"""
