"""The product of every glass box: lookup tables, one per feature, and a sum.

Comes in: knots or cuts with a value each. Goes out: a `TableBox` whose prediction is look-ups and a sum, O(features)
per row, the same for the additive net, for EBM, and for a table read back from a file. Nothing here fits anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .encoder import Encoder, Floats, LevelCode, NumberCode

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["linear", "step", "level"]


@dataclass(frozen=True, slots=True)
class Term:
    """One feature's table, centred over the rows it was fitted on.

    Parameters
    ----------
    feature : str
        Feature.
    form : {"linear", "step", "level"}
        Straight between knots and flat beyond; constant between cuts; one value per level.
    at : ndarray of float64, shape [K]
        Knots (``linear``, K values) or cuts (``step``, K + 1 values; a value equal to a cut lies above it); empty for
        levels.
    levels : tuple of str
        Levels (``level``).
    y : ndarray of float64
        Contribution on the link scale.
    missing : float
        Contribution where the feature is missing.
    unknown : float
        Contribution of a level without a slot.
    low, high : ndarray of float64, same shape as `y`, or None
        Band.
    """

    feature: str
    form: Form
    at: Floats
    levels: tuple[str, ...]
    y: Floats
    missing: float = 0.0
    unknown: float = 0.0
    low: Floats | None = None
    high: Floats | None = None

    def look_up(self, x: Floats, table: Floats | None = None) -> Floats:
        """Return the contribution of each encoded value.

        Parameters
        ----------
        x : ndarray of float64, shape [n]
            Encoded column: number or position of the level, NaN missing, -1 unknown level.
        table : ndarray of float64, optional
            Another table over the same positions (an edge of the band) instead of `y`.
        """
        y = self.y if table is None else table
        if self.form == "linear":
            known = np.interp(x, self.at, y) if self.at.size else np.zeros(x.shape)
        elif self.form == "step":
            known = y[np.searchsorted(self.at, x, side="right")]
        else:
            known = np.append(y, self.unknown)[np.where(np.isnan(x), -1, x).astype(np.intp)]
        return np.where(np.isnan(x), self.missing, known)


@dataclass(frozen=True, slots=True)
class PairTerm:
    """The table of two features together, purified: its means along both features are zero over the fitted rows.

    Parameters
    ----------
    features : tuple of two str
        The two features.
    columns : tuple of two int
        Their positions in the encoded matrix.
    cuts : tuple of two ndarrays
        Cuts of each feature; empty for a category.
    rows : tuple of two ndarrays of int
        For a category: row of the table for each level, then for a level without a slot; empty for a number.
    y : ndarray of float64, shape [A, B]
        Contributions; the first row and column stand for missing.
    """

    features: tuple[str, str]
    columns: tuple[int, int]
    cuts: tuple[Floats, Floats]
    rows: tuple[np.ndarray, np.ndarray]
    y: Floats

    def look_up(self, encoded: Floats) -> Floats:
        """Return the contribution of each encoded row, shape [n]."""
        first, second = (self._index(encoded[:, self.columns[k]], k) for k in (0, 1))
        found: Floats = self.y[first, second]
        return found

    def _index(self, x: Floats, side: int) -> np.ndarray:
        missing = np.isnan(x)
        if self.rows[side].size:
            known = self.rows[side][np.where(missing, -1, x).astype(np.intp)]
        else:
            known = np.searchsorted(self.cuts[side], x, side="right") + 1
        return np.where(missing, 0, known)


@dataclass(frozen=True, slots=True)
class TableBox:
    """A glass box as tables.

    Parameters
    ----------
    name : str
        ``ebm_label``, ``net_label``, ``ebm_surrogate`` or ``net_surrogate``.
    link_name : str
        ``logit`` or ``identity``: what the sum of contributions is.
    encoder : Encoder
        How columns become numbers.
    intercept : float
        Constant, link scale.
    terms : tuple of Term
        One per feature, in order.
    pairs : tuple of PairTerm
        Interactions.
    method : str
        What drew the curves, e.g. ``EBM term``.
    band : str
        What the bands are; empty where there are none.
    band_is_interval : bool
        Whether they are confidence bands.
    rows : int
        Rows it was fitted on.
    notes : tuple of str
        What a reader must know about this fit.
    """

    name: str
    link_name: Literal["logit", "identity"]
    encoder: Encoder
    intercept: float
    terms: tuple[Term, ...]
    pairs: tuple[PairTerm, ...] = ()
    method: str = ""
    band: str = ""
    band_is_interval: bool = False
    rows: int = 0
    notes: tuple[str, ...] = ()

    def link(self, frame: pd.DataFrame) -> Floats:
        """Return the score of each row on the link scale, shape [n]."""
        return self.link_encoded(self.encoder.encode(frame))

    def link_encoded(self, encoded: Floats) -> Floats:
        """Return the score on the link scale from an encoded matrix.

        Parameters
        ----------
        encoded : ndarray of float64, shape [n, features]
            As `Encoder.encode` gives it.
        """
        total = np.full(encoded.shape[0], self.intercept)
        for j, term in enumerate(self.terms):
            total += term.look_up(encoded[:, j])
        for pair in self.pairs:
            total += pair.look_up(encoded)
        return total


def empty_term(code: NumberCode | LevelCode) -> Term:
    """Return a table of zeros for a feature."""
    if isinstance(code, NumberCode):
        return Term(code.name, "linear", code.knots, (), np.zeros(code.knots.size))
    return Term(code.name, "level", np.empty(0), code.levels, np.zeros(len(code.levels)))
