"""What every glass box is, whoever fitted it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .encoder import Encoder, Floats
from .shapes import Link, PairTerm, Term

if TYPE_CHECKING:
    import pandas as pd


class GlassBox(Protocol):
    """A model that is its own explanation: an intercept, one table per feature, perhaps tables of pairs."""

    @property
    def name(self) -> str:
        """``ebm_label``, ``net_label``, ``ebm_surrogate`` or ``net_surrogate``."""

    @property
    def link_name(self) -> Link:
        """What the sum of contributions is."""

    @property
    def encoder(self) -> Encoder:
        """How columns become numbers."""

    @property
    def intercept(self) -> float:
        """Constant, link scale."""

    @property
    def terms(self) -> tuple[Term, ...]:
        """One table per feature, in order."""

    @property
    def pairs(self) -> tuple[PairTerm, ...]:
        """Interactions."""

    @property
    def method(self) -> str:
        """What drew its curves, e.g. ``EBM term``."""

    @property
    def band(self) -> str:
        """What its bands are; empty where there are none."""

    @property
    def band_is_interval(self) -> bool:
        """Whether they are confidence bands."""

    @property
    def rows(self) -> int:
        """Rows it was fitted on."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know about this fit."""

    @property
    def output(self) -> str:
        """Return the class whose score this is, of several; empty where there is one output."""

    def link(self, frame: pd.DataFrame) -> Floats:
        """Return the score of each row on the link scale, shape [n]."""

    def link_encoded(self, encoded: Floats) -> Floats:
        """Return the score on the link scale from an encoded matrix."""
