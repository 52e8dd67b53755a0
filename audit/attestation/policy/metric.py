"""What a number is that a rule may name: its name, its direction, what it can be about.

Comes in: nothing. Goes out: `Metric`, of which the catalogue holds one for each number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["all", "group", "attribute", "feature", "model", "outcome"]
Better = Literal["higher", "lower", "nearer_one", "nearer_zero", "none"]

BLACK_BOX = "black_box"
LABEL_FITS = ("ebm_label", "net_label")
SURROGATES = ("ebm_surrogate", "net_surrogate")
GLASS_BOXES = ("ebm_label", "ebm_surrogate", "net_label", "net_surrogate")
MODELS = (BLACK_BOX, *GLASS_BOXES)
"""Models that a scope can name."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number that a rule may name.

    Parameters
    ----------
    id : str
        ``section.name``.
    title : str
        Name for readers.
    better : str
        Direction that is better for people.
    scopes : tuple of str
        What one number can be about: ``all`` (the audit), a group, a whole attribute, a feature, a model, an outcome
        (band or class).
    models : tuple of str
        Models it is computed for; empty where it knows no model.
    compares : {"", "ratio", "difference", "gap", "test"}
        How it compares a group with another one; empty where it does not.
    base : str
        For a ratio, difference or gap: the number by group that it compares.
    lowest_is_best : bool
        For a ratio or difference of rates: whether the group with the lowest rate is the best one.
    clean_training : bool
        Whether it favours the black box where the rows that it was trained on are unknown.
    counts_everybody : bool
        For a number about a whole attribute: whether the smallest groups are in it like all others.
    """

    id: str
    title: str
    better: Better
    scopes: tuple[Scope, ...]
    models: tuple[str, ...] = ()
    compares: Literal["", "ratio", "difference", "gap", "test"] = ""
    base: str = ""
    lowest_is_best: bool = False
    clean_training: bool = False
    counts_everybody: bool = False

    @property
    def section(self) -> str:
        """The section of the evidence it stands in."""
        return self.id.partition(".")[0]
